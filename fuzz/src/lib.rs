//! Properties that hold for any bytes from outside; each panics where they do not, and calls the
//! function that the program itself calls. The fuzzer's inputs come from `fuzz_targets/`, those
//! that it found worth keeping from `tests/it/fuzz/corpus.rs`.

use hickory_proto::rr::{Name, RecordType};
use lifesign::{
    config::Plan,
    probe::{
        ProbeSpec,
        dns::message::{self, Question},
        icmp::{
            SocketKind,
            codec::{self, Codec, Echo, LENGTH},
            newest::NewestProbes,
            trace::{self, TraceEcho, Traces},
        },
        kernel,
    },
};
use lifesign_core::{
    outcome::{Event, Found},
    scopes::{BlockId, TargetId},
    time::Time,
    watch::{EventRecord, Settings, Watch},
};
use lifesign_document::{Problem, Problems, decode};
use lifesign_formats::{
    events,
    record::{Import, Map, Options},
};
use lifesign_journal::{Reader, begun, write};
use lifesign_lab::Scenario;
use lifesign_survey::review::{Finding, review};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::OnceLock,
    time::Duration,
};

mod survey;

pub use survey::survey;

/// Panics if it does not hold for these bytes.
pub type Property = fn(&[u8]);

/// Each property under the name of its fuzz target and of its folder in `corpus/`.
pub const PROPERTIES: [(&str, Property); 9] = [
    ("icmp", icmp),
    ("icmp_error", icmp_error),
    ("trace", trace),
    ("dns", dns),
    ("journal", journal),
    ("plan", plan),
    ("scenario", scenario),
    ("survey", survey),
    ("record", record),
];

/// The header of an ICMP packet, before the payload that only we can make.
const HEADER: usize = 8;

/// What the first byte of the input decides about a packet.
struct Stage {
    to: IpAddr,
    socket_kind: SocketKind,
    /// The bytes are no packet, but changes to a true one.
    change: bool,
    /// The checksum is made right after the changes.
    summed: bool,
}

impl Stage {
    fn of(choice: u8) -> Self {
        Self {
            to: if choice & 1 == 0 {
                [127, 45, 176, 15].into()
            } else {
                [0x20, 1, 13, 184, 0, 0, 0, 17].into()
            },
            socket_kind: if choice & 2 == 0 { SocketKind::Raw } else { SocketKind::Ping },
            change: choice & 4 != 0,
            summed: choice & 8 != 0,
        }
    }

    fn codec() -> Codec {
        Codec::new(*b"0123456789abcdef", 0x1d15)
    }

    fn probe(&self) -> Echo {
        let sent = Time::from_nanos(1_419_264_898_123_456_789);
        Echo { sent, target: TargetId(1015), seq: 0x0012_3456, to: self.to }
    }

    /// Is a packet as good as the true one? The kernel checks the checksum of IPv6, and chooses the
    /// identifier of a ping socket. A checksum of zero may be written in two ways.
    fn is_genuine(&self, packet: &[u8], truth: &[u8]) -> bool {
        let mut right = packet.to_vec();
        sum(&mut right);
        let zero = |packet: &[u8]| packet[2..4] == [0; 2] || packet[2..4] == [0xff; 2];
        packet.len() == truth.len()
            && (packet[..2] == truth[..2] && packet[6..] == truth[6..])
            && (self.socket_kind == SocketKind::Ping || packet[4..6] == truth[4..6])
            && (self.to.is_ipv6() || packet == right || (zero(packet) && zero(&right)))
    }
}

/// Adds `change` to a packet bit by bit; what is longer than the packet lengthens it.
fn changed(packet: &[u8], change: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet.resize(packet.len().max(change.len()), 0);
    for (byte, change) in packet.iter_mut().zip(change) {
        *byte ^= change;
    }
    packet
}

/// Puts the checksum of an ICMP packet right (RFC 1071).
fn sum(packet: &mut [u8]) {
    if let Some(field) = packet.get_mut(2..4) {
        field.fill(0);
        let words = packet
            .chunks(2)
            .map(|word| u64::from(word[0]) << 8 | u64::from(*word.get(1).unwrap_or(&0)));
        let mut sum: u64 = words.sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        packet[2..4].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    }
}

/// What a host answers to our request.
fn answered(request: [u8; LENGTH], to: IpAddr) -> [u8; LENGTH] {
    let mut packet = request;
    packet[0] = if to.is_ipv6() { 129 } else { 0 };
    if to.is_ipv4() {
        sum(&mut packet);
    }
    packet
}

/// A packet that arrives, or a true answer with something changed in it.
pub fn icmp(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else { return };
    let stage = Stage::of(choice);
    let codec = Stage::codec();
    let read = |packet: &[u8]| codec.reply(packet, stage.to, stage.socket_kind);
    if stage.change {
        let truth = answered(codec.request(&stage.probe()), stage.to);
        let mut packet = changed(&truth, bytes);
        if stage.summed && stage.to.is_ipv4() {
            sum(&mut packet);
        }
        let genuine = stage.is_genuine(&packet, &truth);
        match read(&packet) {
            Ok(probe) => assert!(genuine && probe == stage.probe(), "a forged answer counts"),
            Err(reason) => {
                assert!(!genuine, "a true answer is refused: {reason:?}");
            }
        }
        return;
    }
    let raw = stage.socket_kind == SocketKind::Raw && stage.to.is_ipv4();
    let packet = if raw { codec::behind_ipv4_header(bytes) } else { Ok(bytes) };
    if let Ok(packet) = packet
        && let Ok(probe) = read(packet)
    {
        assert_eq!(
            codec.request(&probe)[HEADER..],
            packet[HEADER..],
            "a probe that we never made is answered"
        );
    }
}

/// An ICMP error as the kernel reports it: control messages, and the packet that the error quotes.
pub fn icmp_error(bytes: &[u8]) {
    let Some((&[choice, length], bytes)) = bytes.split_first_chunk() else { return };
    let (control, quote) = bytes.split_at(bytes.len().min(length.into()));
    let stage = Stage::of(choice);
    let codec = Stage::codec();

    if let Some(error) = kernel::control_messages(control).error {
        let found = error.found(stage.to, Duration::from_millis(5));
        let itself = error.from == stage.to;
        assert!(
            itself || matches!(found, Found::Unreachable { .. }),
            "a stranger's error proves life"
        );
    }
    if let Some(address) = kernel::from_sockaddr(quote) {
        let (name, length) = kernel::to_sockaddr(address);
        assert_eq!(kernel::from_sockaddr(&name[..length]), Some(address));
    }

    let truth = codec.request(&stage.probe());
    let quote = if stage.change { changed(&truth, quote) } else { quote.to_vec() };
    let from = if stage.to.is_ipv6() { Ipv6Addr::LOCALHOST.into() } else { [10, 0, 0, 1].into() };
    match codec.quoted(&quote, stage.to, from, stage.socket_kind) {
        Ok(probe) => {
            assert!([stage.to, from].contains(&probe.to), "an error about another address counts");
            assert_eq!(
                codec.request(&probe)[HEADER..],
                quote[HEADER..LENGTH],
                "a question that we never put"
            );
        }
        Err(reason) => {
            assert_ne!(quote, truth, "a true quote is refused: {reason:?}");
        }
    }
}

/// What an ICMP error quotes of a trace probe and of an ordinary one, as it is or as changes to the
/// true quote; then the same bytes as an echo reply. The second byte cuts a changed quote short.
pub fn trace(bytes: &[u8]) {
    const KEY: [u8; 16] = *b"0123456789abcdef";
    let Some((&[choice, length], bytes)) = bytes.split_first_chunk() else { return };
    let stage = Stage::of(choice);
    let kind = stage.socket_kind;
    let now = Time::from_nanos(1_419_264_898_123_456_789);
    let router = if stage.to.is_ipv6() {
        [0x20, 1, 13, 184, 0, 0, 0, 1].into()
    } else {
        [10, 0, 0, 1].into()
    };
    let echo = TraceEcho { id: 7, target: stage.to, hop_limit: 3, slot: 9 };
    let mut traces = Traces::new(KEY);
    let truth = traces.open(echo, kind, now);
    let quote = if stage.change {
        let mut quote = changed(&truth, bytes);
        quote.truncate(length.into());
        quote
    } else {
        bytes.to_vec()
    };
    // Behind what is quoted, zeros may stand, and behind the end of the probe anything (RFC 4884).
    let within = &quote[..quote.len().min(truth.len())];
    let bare = within.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let known = if kind == SocketKind::Raw { 4 } else { 6 };
    let like = |truth: &[u8]| {
        quote.len() >= HEADER
            && quote[..2] == truth[..2]
            && quote[known..HEADER] == truth[known..HEADER]
            && quote[HEADER..bare.clamp(HEADER, truth.len().max(HEADER))]
                == truth[HEADER..bare.clamp(HEADER, truth.len())]
    };
    let read = traces.quoted(&quote, stage.to, router, kind);
    if read.is_some() {
        assert!(like(&truth), "a quote of what we never sent counts");
        assert_eq!(traces.quoted(&quote, stage.to, router, kind), None, "it counts twice");
    } else if kind == SocketKind::Raw && quote.len() >= HEADER {
        assert!(!truth.starts_with(&quote), "a true quote is refused");
    }
    let other = [192, 0, 2, 1].into();
    traces.open(echo, kind, now);
    assert_eq!(traces.quoted(&quote, other, router, kind), None, "it went elsewhere");
    let mut reply = truth;
    reply[0] = if stage.to.is_ipv6() { 129 } else { 0 };
    if traces.reply(&quote, stage.to, kind).is_some() {
        assert!(quote[known..] == reply[known..] && quote[..2] == reply[..2], "a forged reply");
    }
    assert!(!trace::may_be_on_the_way([127, 0, 0, 1].into(), router));

    let mut newest = NewestProbes::default();
    let codec = Stage::codec();
    let request = codec.request(&stage.probe());
    newest.record(stage.probe());
    if newest.quoted(&codec, &quote, stage.to, stage.probe().sent).is_some() {
        assert_eq!(quote[4..HEADER], request[4..HEADER], "a probe that we never made is quoted");
    }
    assert_eq!(newest.quoted(&codec, &quote, stage.to, stage.probe().sent), None, "a second try");
}

/// A question with this id, letter case and type.
fn question(id: u16, name: &str, record: RecordType) -> Question {
    let name = Name::from_ascii(name).unwrap_or_default();
    Question::of(id, name, record).unwrap_or_else(|error| panic!("{error}"))
}

/// A datagram, or a true answer with a tail of records and some of its header changed.
pub fn dns(bytes: &[u8]) {
    static QUESTIONS: OnceLock<[Question; 4]> = OnceLock::new();
    let [ours, others @ ..] = QUESTIONS.get_or_init(|| {
        [
            question(7, "kPTc.Kp.", RecordType::NS),
            question(8, "kPTc.Kp.", RecordType::NS),
            question(7, "kptc.Kp.", RecordType::NS),
            question(7, "kPTc.Kp.", RecordType::A),
        ]
    });
    let Some((&choice, bytes)) = bytes.split_first() else { return };
    let mut datagram = bytes.to_vec();
    if choice & 1 != 0 {
        // Flags and counts from the input, question ours, then the input again.
        let Some((header, tail)) = bytes.split_first_chunk::<8>() else { return };
        datagram = [ours.bytes(), tail].concat();
        datagram[2] = header[0] | 0x80;
        datagram[3] = header[1];
        datagram[7..12].copy_from_slice(&[header[2], 0, header[3], 0, header[4]]);
        datagram[5] = if choice & 2 != 0 { header[5] } else { 1 };
        let plain =
            header[0] & !1 == 0 && datagram[4..12] == [0, 1, 0, 0, 0, 0, 0, 0] && tail.is_empty();
        if plain {
            let read = message::read(ours, None, &datagram);
            let rcode = read.map(|answer| answer.rcode);
            assert_eq!(rcode, Ok(Some(u16::from(header[1] & 15))), "a true answer is refused");
        }
    }
    let read = message::read(ours, None, &datagram);
    let expecting = message::read(ours, Some("ns1.kptc.kp."), &datagram);
    let meaning = |answer: message::Answer| (answer.rcode, answer.truncated);
    assert_eq!(
        read.map(meaning),
        expecting.map(meaning),
        "what is expected decides what is an answer"
    );
    if let Ok(answer) = read {
        assert!(!answer.unexpected, "unexpected, but nothing was expected");
        assert!(datagram[..2] == ours.bytes()[..2], "no answer to our id");
        let is_response = datagram.len() >= 4 && datagram[2] & 0x80 != 0;
        assert_eq!(answer.rcode.is_some(), is_response, "only a response has a code");
        for other in others.iter().filter(|_| answer.oddity.is_none()) {
            let is_odd = |other: message::Answer| other.oddity.is_some();
            assert!(
                message::read(other, None, &datagram).is_ok_and(is_odd)
                    || other.bytes()[..2] != datagram[..2],
                "one answer to two questions"
            );
        }
    }
}

/// The lab's plan, which every journal here is read with.
fn lab() -> &'static Plan {
    static LAB: OnceLock<Plan> = OnceLock::new();
    LAB.get_or_init(|| {
        Plan::parse("targets.toml", include_str!("../../targets.toml"))
            .unwrap_or_else(|e| panic!("{e}"))
    })
}

/// The lines of a journal: each is read and, where it is one, written, read again, and replayed.
pub fn journal(bytes: &[u8]) {
    static READER: OnceLock<Reader> = OnceLock::new();
    let plan = lab();
    let reader = READER.get_or_init(|| Reader::new(&plan.roster, &plan.controls));
    let mut watch = None;
    for line in bytes.split(|&byte| byte == b'\n') {
        let Some(record) = std::str::from_utf8(line).ok().and_then(|line| reader.read(line).ok())
        else {
            continue;
        };
        let written = write(&record, &plan.roster, &plan.controls, None, 0);
        let again = reader.read(&written);
        // Beyond that a number of milliseconds has no room for the nanoseconds.
        if rtt(&record) < Duration::from_secs(86_400) {
            assert_eq!(again.as_ref(), Ok(&record), "a line changes when it is written: {written}");
            let twice = again.map(|record| write(&record, &plan.roster, &plan.controls, None, 0));
            assert_eq!(twice, Ok(written));
        } else {
            assert!(again.is_ok(), "our own line cannot be read: {written}");
        }
        let watch: &mut Watch = watch.get_or_insert_with(|| {
            let settings = Settings {
                budget: Some(plan.budget),
                rules: plan.rules,
                controls: plan.controls.clone(),
                ..Settings::default()
            };
            Watch::new(plan.roster.clone(), &settings, begun(&record))
        });
        watch.replay(&record);
        while watch.poll_change().is_some() {}
    }
}

fn rtt(record: &EventRecord) -> Duration {
    match record.event {
        Event::Outcome(outcome) => match outcome.found {
            Found::Unreachable { rtt, .. } => rtt,
            found => found.rtt_if_alive().unwrap_or_default(),
        },
        _ => Duration::ZERO,
    }
}

/// The bytes of a plan file, and behind a zero, which no plan has, those of its host files.
pub fn plan(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |&byte| byte == 0);
    let plan = parts.next().unwrap_or_default();
    let hosts = parts.next().unwrap_or_default();
    let read_file = |_: &str| Ok(("hosts".to_owned(), decode("hosts", hosts.to_vec())?));
    let text = decode("plan", plan.to_vec());
    match text.and_then(|text| Plan::parse_with("plan", &text, &read_file)) {
        Err(problems) => {
            assert!(!problems.list.is_empty() || !problems.included.is_empty(), "no reason");
            inside(&problems, plan);
            problems.included.iter().for_each(|of_hosts| inside(of_hosts, hosts));
        }
        Ok(plan) => {
            let roster = &plan.roster;
            assert!(
                !plan.to_string().is_empty()
                    && plan.warnings(Time::default()).iter().all(|warning| !warning.is_empty())
            );
            assert_eq!(plan.specs.iter().len(), roster.targets.len());
            assert!(
                !roster.countries.is_empty()
                    && roster.countries.iter().all(|c| !c.blocks.is_empty())
                    && roster.networks.iter().all(|network| !network.blocks.is_empty())
            );
            reviewed(&plan, bytes);
            let mut next = 0;
            for block in &roster.blocks {
                assert!(
                    block.targets.start == next && block.targets.end > next,
                    "targets out of order"
                );
                next = block.targets.end;
            }
            for (target, spec) in roster.targets.iter().zip(plan.specs.iter()) {
                let mut again = ProbeSpec::parse(&target.probe);
                if let (Ok(ProbeSpec::Dns(again)), ProbeSpec::Dns(spec)) = (&mut again, spec) {
                    // The short form has neither of these.
                    (again.port, again.expect) = (spec.port, spec.expect.clone());
                }
                assert_eq!(again.as_ref(), Ok(spec), "{:?} asks something else", target.probe);
            }
        }
    }
}

/// A review that finds every host gone tells each in a line, and its diff takes none away twice.
fn reviewed(plan: &Plan, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let targets = plan.roster.targets.iter().take(64);
    let findings: Vec<Finding> = targets
        .map(|target| Finding {
            block: plan.roster.block(target.block).prefix.to_string(),
            host: target.host.to_string(),
            why: "gone".to_owned(),
        })
        .collect();
    let mut reserve: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (BlockId(block), host) in &plan.reserve {
        let prefix = plan.roster.blocks[*block as usize].prefix.to_string();
        reserve.entry(prefix).or_default().push(host.to_string());
    }
    let review = review("plan", &text, &findings, &reserve);
    assert_eq!(review.notes.len(), findings.len(), "a host without a word");
    let gone = review.diff.lines().filter(|line| line.starts_with('-')).count();
    assert!(gone <= text.lines().count() + 1, "more is taken away than there is");
}

/// The bytes of a scenario file.
pub fn scenario(bytes: &[u8]) {
    match decode("scenario", bytes.to_vec()).and_then(|text| Scenario::parse("scenario", &text)) {
        Err(problems) => {
            assert!(!problems.list.is_empty(), "no reason");
            inside(&problems, bytes);
        }
        Ok(scenario) => {
            let roster = &scenario.roster;
            assert!(scenario.end() > scenario.start, "no time passes");
            assert!(
                !roster.countries.is_empty()
                    && roster.countries.iter().all(|c| !c.blocks.is_empty())
            );
            assert!(
                !roster.targets.is_empty()
                    && roster.blocks.iter().all(|block| !block.targets.is_empty())
            );
        }
    }
}

/// The bytes of what another prober recorded: what is made of it is a plan, and a journal of which
/// that plan reads every line. And the bytes of others' events.
pub fn record(bytes: &[u8]) {
    let is_line = |text: &str| !text.is_empty() && !text.contains(char::is_control);
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Err(why) = events::read("events", text)
    {
        assert!(!why.is_empty() && why.lines().all(is_line), "{why:?}");
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Err(problems) = Map::parse("map", text)
    {
        inside(&problems, bytes);
    }
    let no_disk = || Err(std::io::Error::other("as little as this needs no disk"));
    let mut import = Import::new(Options::default(), no_disk);
    match import.read("record", bytes) {
        Err(error) => assert!(is_line(&error.to_string()), "{error:?}"),
        Ok((_, notes)) => {
            for (fault, count) in notes {
                assert!(is_line(&fault.to_string()) && count > 0, "{fault:?}");
            }
            let mut journal = Vec::new();
            let summary = import.finish(&mut journal, |_| {}).expect("memory alone");
            if summary.outcomes == 0 {
                // The program refuses that: there is nobody to watch.
                return assert_eq!(summary.targets, 0);
            }
            let plan = Plan::parse("imported", &summary.plan);
            let plan = plan.unwrap_or_else(|error| panic!("{error}\n{}", summary.plan));
            let reader = Reader::new(&plan.roster, &plan.controls);
            let journal = String::from_utf8(journal).expect("UTF-8");
            let mut seen = Time::default();
            for line in journal.lines() {
                let record = reader.read(line).unwrap_or_else(|error| panic!("{error}: {line}"));
                assert!(record.seen >= seen, "backwards: {line}");
                seen = record.seen;
            }
        }
    }
}

/// Every problem is one line of words and lies in the file, or just behind a line's end.
fn inside(problems: &Problems, bytes: &[u8]) {
    assert!(problems.list.is_sorted(), "not in the order of the file");
    let characters = |line: &[u8]| line.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
    let lengths: Vec<usize> = bytes.split(|&byte| byte == b'\n').map(characters).collect();
    for problem @ Problem { line, col, text } in &problems.list {
        assert!(!text.is_empty() && !text.contains(char::is_control), "{problem:?}");
        let length = line.checked_sub(1).and_then(|line| lengths.get(line));
        assert!(
            length.is_some_and(|length| (1..=length + 1).contains(col)),
            "{problem:?} is not in the file"
        );
    }
}

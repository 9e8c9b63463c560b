//! The simulated country's network: whole prefixes of hosts behind one device, which answer in real
//! time, as the scenario's own world says which answer comes when. It shares that world with
//! `simulate`, so that the same file means the same in both, and shares nothing else with the
//! prober.
//!
//! The addresses of a scenario, 127.a.b.c, become 10.a.b.c or fd00:0:a:b::c: the device stands for
//! the world, and the vantage in front of it is 10.0.0.2 and fd00::2.

use super::{
    hosts::{Given, packet, talk},
    ledger::{Entry, Ledger, translated},
    tun,
    wire::{ICMP, ICMP_V6, Packet, RST, SYN, Segment, TCP, icmp_error},
};
use crate::support::namespace::Namespace;
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{Due, Event, Found, IcmpCode, Outcome, Reject, Repeat, Stray},
    scopes::{Host, Kind, TargetId},
    time::Time,
};
use lifesign_lab::{self, Scenario, World};
use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    fs::File,
    io::{ErrorKind, Read, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// Routers on the way: a packet that is given fewer hops comes no further.
pub const ROUTERS: u8 = 4;
/// The port that a prober tries to find a firewall that accepts everything.
const TRAP: u16 = lifesign::probe::tcp::TRAP_PORT;
const NAME_SERVER: u16 = 53;
/// How long the country sleeps at most before it looks whether it is to end.
const NAP: Duration = Duration::from_millis(20);

/// The scenario's address, as the country plays it.
pub fn played(address: IpAddr, v6: bool) -> IpAddr {
    let IpAddr::V4(v4) = address else { panic!("{address}: scenarios are written in IPv4") };
    let [_, a, b, c] = v4.octets();
    if v6 {
        Ipv6Addr::new(0xfd00, 0, a.into(), b.into(), 0, 0, 0, c.into()).into()
    } else {
        Ipv4Addr::new(10, a, b, c).into()
    }
}

/// The plan that watches a scenario's country, with `head` at its top. Nothing is traced: the
/// country's ledger counts what comes to hosts, whatever it asks (traces: `daemon::paths`).
pub fn plan(scenario: &Scenario, v6: bool, head: &str) -> String {
    let settings = scenario.settings(0);
    let controls: Vec<String> =
        settings.controls.iter().map(|&address| format!("\"{}\"", played(address, v6))).collect();
    let mut plan = format!(
        "vantage = \"test\"\nmetrics.hosts = true\npath = false\ncontrols = [{}]\n{head}\n",
        controls.join(", ")
    );
    for country in &scenario.roster.countries {
        let _ = writeln!(plan, "[[country]]\ncode = {:?}\nname = {:?}", country.code, country.name);
        for block in country.blocks.clone() {
            let block = &scenario.roster.blocks[block as usize];
            let prefix = played(block.prefix.address(), v6);
            let length = if v6 { 64 } else { 24 };
            let _ = writeln!(plan, "[[country.block]]\nprefix = \"{prefix}/{length}\"\nhosts = [");
            let targets =
                &scenario.roster.targets[block.targets.start as usize..block.targets.end as usize];
            for host in targets.chunk_by(|a, b| a.host == b.host) {
                let probes: Vec<String> =
                    host.iter().map(|target| format!("{:?}", target.probe)).collect();
                let address = address(&host[0].host, v6);
                let _ = writeln!(
                    plan,
                    "  {{ host = \"{address}\", probes = [{}] }},",
                    probes.join(", ")
                );
            }
            plan.push_str("]\n");
        }
    }
    plan
}

/// The same for a host.
pub fn address(host: &Host, v6: bool) -> IpAddr {
    match host {
        Host::Address(address) => played(*address, v6),
        Host::Name(name) => panic!("{name}: a host of the country has an address"),
    }
}

/// A country under way. It ends when it is dropped.
pub struct Country {
    ledger: Arc<Mutex<Ledger>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// When the scenario began.
    pub began: Time,
    /// The device, for whoever sends what nobody asked for.
    pub device: Arc<File>,
}

impl Country {
    /// Plays a scenario from now on, in one family, behind a device of its own in the namespace.
    /// `cut` makes name servers' answers too long for a datagram.
    pub fn begin(namespace: &Namespace, scenario: &Scenario, v6: bool, cut: bool) -> Self {
        let device = Arc::new(tun::open(namespace.path()));
        let name = tun::DEVICE;
        namespace.sh(&format!(
            "ip link set {name} txqueuelen 20000 up
             ip addr add 10.0.0.2/32 dev {name}
             ip route add 10.0.0.0/8 dev {name} src 10.0.0.2
             ip -6 addr add fd00::2/128 dev {name} nodad
             ip -6 route add fd00::/16 dev {name} src fd00::2"
        ));
        let ledger = Arc::default();
        let over = Arc::new(AtomicBool::new(false));
        let mut play = Play::new(scenario, v6, cut, Arc::clone(&device), Arc::clone(&ledger));
        let stop = Arc::clone(&over);
        let began = play.began;
        let thread = std::thread::spawn(move || {
            tun::come_first();
            while !stop.load(Ordering::Relaxed) {
                play.turn();
            }
        });
        Self { ledger, over, thread: Some(thread), began, device }
    }

    /// The ledger as it stands.
    pub fn ledger(&self) -> Ledger {
        self.ledger.lock().unwrap().clone()
    }
}

impl Drop for Country {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // A country that failed has failed its test.
        let failed = self.thread.take().is_some_and(|thread| thread.join().is_err());
        assert!(!failed || std::thread::panicking(), "the country fell");
    }
}

/// What a host is asked at, and whose number that is.
struct Endpoint {
    target: TargetId,
    port: u16,
}

struct Play {
    device: Arc<File>,
    ledger: Arc<Mutex<Ledger>>,
    clock: Clock,
    began: Time,
    start: Time,
    v6: bool,
    cut: bool,
    world: World,
    endpoints: HashMap<(IpAddr, Kind), Endpoint>,
    controls: HashMap<IpAddr, u16>,
    /// Questions to controls by control and time; questions to targets by number.
    pings: HashMap<(u16, Time), Vec<u8>>,
    questions: Vec<Vec<u8>>,
    /// Host, port and first number of every connection begun.
    greeted: HashSet<(IpAddr, u16, u32)>,
}

impl Play {
    fn new(
        scenario: &Scenario,
        v6: bool,
        cut: bool,
        device: Arc<File>,
        ledger: Arc<Mutex<Ledger>>,
    ) -> Self {
        let mut endpoints = HashMap::new();
        for (number, target) in scenario.roster.targets.iter().enumerate() {
            let port = match target.kind {
                Kind::Icmp => 0,
                Kind::Tcp => target.probe.trim_start_matches("tcp/").parse().unwrap(),
                Kind::Dns => NAME_SERVER,
            };
            let endpoint = Endpoint { target: TargetId(number as u32), port };
            let other = endpoints.insert((address(&target.host, v6), target.kind), endpoint);
            assert!(
                other.is_none(),
                "{}: two questions of one kind cannot be told apart",
                target.host
            );
        }
        let controls = scenario.settings(0).controls;
        let controls =
            controls.iter().zip(0..).map(|(&address, number)| (played(address, v6), number));
        let clock = Clock::start();
        Self {
            device,
            ledger,
            clock,
            began: clock.now(),
            start: scenario.start,
            v6,
            cut,
            world: lifesign_lab::world_and_truth(scenario, scenario.seed).0,
            endpoints,
            controls: controls.collect(),
            pings: HashMap::new(),
            questions: Vec::new(),
            greeted: HashSet::new(),
        }
    }

    /// Now, in the scenario.
    fn now(&self) -> Time {
        self.start + self.clock.now().since(self.began)
    }

    /// Sends what is due, takes in what has come, and waits for more of either.
    fn turn(&mut self) {
        let ledger = Arc::clone(&self.ledger);
        let mut ledger = ledger.lock().unwrap();
        loop {
            let now = self.now();
            let Some((event, number)) = self.world.poll_event_and_seq(now) else { break };
            self.give(&event, number, &mut ledger);
        }
        // All that is there is read before any of it is looked at, so that each has the time of its
        // arrival.
        let mut arrived = Vec::new();
        let mut buffer = [0; 2048];
        loop {
            match (&*self.device).read(&mut buffer) {
                Ok(length) => arrived.push((self.now(), buffer[..length].to_vec())),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("the device cannot be read: {error}"),
            }
        }
        for (at, bytes) in arrived {
            self.take(&bytes, at, &mut ledger);
        }
        ledger.cost = tun::cost();
        drop(ledger);
        tun::wait(&self.device, self.world.next_arrival().since(self.now()).min(NAP));
    }

    fn send(&self, bytes: &[u8]) {
        assert_eq!((&*self.device).write(bytes).unwrap(), bytes.len());
    }

    /// Sends what becomes of a question now.
    fn give(&mut self, event: &Event, number: u32, ledger: &mut Ledger) {
        let given = match event {
            Event::Outcome(Outcome { found, .. }) => match *found {
                Found::Reply { .. } => Given::Reply,
                Found::Refused { .. } => Given::Refused,
                Found::Unreachable { from, code, .. } => {
                    let router = played(from, self.v6);
                    Given::Unreachable(router, translated(code, router))
                }
                _ => panic!("no country can do this to a prober: {event:?}"),
            },
            Event::Stray(Stray { reason, .. }) => match reason {
                Reject::Corrupt => Given::Corrupt,
                Reject::Truncated => Given::Truncated,
                _ => Given::Forged,
            },
            Event::Control(control) => {
                let ping = self.pings.remove(&(control.control, control.sent)).unwrap();
                if control.answered {
                    self.send(&packet(&ping, Given::Reply, false).unwrap());
                }
                return;
            }
            Event::Gap(_) | Event::Replan => return,
        };
        let bytes = packet(&self.questions[number as usize], given, self.cut).unwrap();
        ledger.entries[number as usize].given.push((self.now(), given));
        self.send(&bytes);
    }

    /// Takes in a packet from the vantage.
    fn take(&mut self, bytes: &[u8], now: Time, ledger: &mut Ledger) {
        let Some(asked) = Packet::read(bytes) else { return ledger.strangers += 1 };
        // A SYN that asks whether SYNs leave the vantage gets no further than the first router, and
        // could not be answered if it did.
        let is_syn_check = asked.hops == 1 && asked.protocol == TCP;
        let is_sound = asked.is_sound() || is_syn_check;
        assert!(is_sound, "the vantage sent a packet with a wrong checksum: {bytes:02x?}");
        if asked.hops <= ROUTERS {
            ledger.expired += u64::from(!is_syn_check);
            let router = played(Ipv4Addr::new(127, 255, asked.hops, 1).into(), self.v6);
            let code = translated(IcmpCode { kind: 11, code: 0 }, router);
            return self.send(&icmp_error(router, bytes, asked.from, code));
        }
        if let Some(&number) = self.controls.get(&asked.to).filter(|_| asked.is_echo()) {
            ledger.controls += 1;
            self.pings.insert((number, now), bytes.to_vec());
            return self.world.handle_control_probe(number, now);
        }
        let segment = asked.segment();
        let question = match asked.protocol {
            ICMP | ICMP_V6 if asked.is_echo() => Some((Kind::Icmp, false)),
            ICMP | ICMP_V6 => None,
            _ => match (&segment, asked.datagram()) {
                (Some(segment), _) => return self.segment(&asked, segment, bytes, now, ledger),
                (_, Some((_, NAME_SERVER, _))) => Some((Kind::Dns, false)),
                _ => None,
            },
        };
        match question.and_then(|(kind, trap)| {
            Some((self.endpoints.get(&(asked.to, kind))?.target, kind, trap))
        }) {
            Some((target, kind, trap)) => self.enter(target, kind, trap, bytes, now, ledger),
            None => ledger.strangers += 1,
        }
    }

    /// A segment begins a connection, or goes on with one that needs no memory.
    fn segment(
        &mut self,
        asked: &Packet,
        segment: &Segment,
        bytes: &[u8],
        now: Time,
        ledger: &mut Ledger,
    ) {
        if segment.flags & (SYN | RST) != SYN {
            if let Some(answer) = talk(asked) {
                self.send(&answer);
            }
            return;
        }
        let tcp = self.endpoints.get(&(asked.to, Kind::Tcp));
        match tcp.filter(|endpoint| [endpoint.port, TRAP].contains(&segment.to_port)) {
            Some(endpoint) if !self.greeted.insert((asked.to, segment.from_port, segment.seq)) => {
                ledger.repeats.push((endpoint.target.0, now));
            }
            Some(endpoint) => {
                self.enter(endpoint.target, Kind::Tcp, segment.to_port == TRAP, bytes, now, ledger);
            }
            None if segment.to_port == NAME_SERVER
                && self.endpoints.contains_key(&(asked.to, Kind::Dns)) =>
            {
                self.send(&packet(bytes, Given::Reply, false).unwrap());
            }
            None => ledger.strangers += 1,
        }
    }

    /// Enters a question, and asks the scenario's world what becomes of it.
    fn enter(
        &mut self,
        target: TargetId,
        kind: Kind,
        trap: bool,
        bytes: &[u8],
        now: Time,
        ledger: &mut Ledger,
    ) {
        let seq = self.questions.len() as u32;
        self.questions.push(bytes.to_vec());
        ledger.entries.push(Entry {
            target: target.0,
            kind,
            v6: self.v6,
            at: now,
            given: Vec::new(),
        });
        let repeat = Repeat::Never;
        let due = Due { target, seq, sent: now, patience: Duration::ZERO, trap, repeat };
        self.world.handle_probe(&due);
    }
}

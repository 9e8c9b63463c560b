//! Controls: hosts that answer whenever our own network works. In: their addresses. Out: an
//! [`Event::Control`] a second for each. It shares nothing with our own ICMP engine, neither socket
//! nor code: surge-ping asks, so that a fault of our engine shows as blindness and never as an
//! outage. It never probes a target.

use super::sys;
use crate::clock::Clock;
use lifesign_core::outcome::{ControlOutcome, Event};
use pnet_packet::{icmp::IcmpTypes, icmpv6::Icmpv6Types};
use std::{io, net::IpAddr, time::Duration};
use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence};
use tokio::{
    sync::mpsc::UnboundedSender,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

/// One question to each control in this time; an answer later than the next question is no answer.
const EVERY: Duration = Duration::from_secs(1);

/// No ping socket could be opened for the controls of one family.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot open a ping socket to ask the {family} controls; \
     give CAP_NET_RAW, or widen net.ipv4.ping_group_range"
)]
pub struct OpenError {
    family: &'static str,
    #[source]
    error: io::Error,
}

/// The controls, each asked by a task of its own; dropping this stops them.
#[derive(Debug)]
pub struct Controls {
    _tasks: JoinSet<()>,
}

impl Controls {
    /// Starts asking. A control is named in events by its place in `addresses`. Call it within a
    /// tokio runtime. One socket per family, unprivileged if the system allows it, else raw.
    pub fn open(
        addresses: &[IpAddr],
        clock: Clock,
        events: &UnboundedSender<Event>,
    ) -> Result<Self, OpenError> {
        let (mut v4, mut v6, mut tasks) = (None, None, JoinSet::new());
        for (control, &address) in addresses.iter().enumerate() {
            let (client, kind) =
                if address.is_ipv4() { (&mut v4, ICMP::V4) } else { (&mut v6, ICMP::V6) };
            let client = match client {
                Some(client) => client,
                None => client.insert(open(kind, addresses)?),
            };
            tasks.spawn(ask(control as u16, address, client.clone(), clock, events.clone()));
        }
        Ok(Self { _tasks: tasks })
    }
}

fn open(kind: ICMP, addresses: &[IpAddr]) -> Result<Client, OpenError> {
    let v4 = kind == ICMP::V4;
    let family = if v4 { "IPv4" } else { "IPv6" };
    let fail = |error| OpenError { family, error };
    let client = Client::new(&Config::builder().kind(kind).build()).map_err(fail)?;
    let mut filter = only_from(addresses.iter().filter(|address| address.is_ipv4() == v4));
    sys::attach_filter(client.get_socket().get_native_sock(), &mut filter).map_err(fail)?;
    Ok(client)
}

/// A filter that passes only echo replies from these addresses, all of one family. A raw socket
/// hears every ping of this machine, our own engine's above all, and thousands of them a second
/// could crowd out the controls.
fn only_from<'a>(addresses: impl Iterator<Item = &'a IpAddr>) -> Vec<libc::sock_filter> {
    const NETWORK: u32 = libc::SKF_NET_OFF as u32;
    let step = |code: u32, k, jt, jf| libc::sock_filter { code: code as u16, jt, jf, k };
    let load = |size, at| step(libc::BPF_LD | size | libc::BPF_ABS, NETWORK + at, 0, 0);
    let equals = |k, jt, jf| step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, k, jt, jf);
    let answer = |k| step(libc::BPF_RET | libc::BPF_K, k, 0, 0);
    let (mut words, mut v4) = (Vec::new(), true);
    for address in addresses {
        match address {
            IpAddr::V4(address) => words.push(address.to_bits()),
            // The last four bytes tell enough: surge-ping itself looks at the rest.
            IpAddr::V6(address) => {
                words.push(address.to_bits() as u32);
                v4 = false;
            }
        }
    }
    // Where the ICMP type is (behind a header without options), an echo reply's type (RFC 792, RFC
    // 4443), and where the source address ends.
    let (kind, reply, source) = if v4 { (20, 0, 12) } else { (40, 129, 20) };
    // A plan has at most 64 controls, so that every jump fits.
    let count = words.len() as u8;
    let mut program =
        vec![load(libc::BPF_B, kind), equals(reply, 0, count + 1), load(libc::BPF_W, source)];
    program.extend(words.iter().zip(0..).map(|(&word, place)| equals(word, count - place, 0)));
    program.extend([answer(0), answer(u32::MAX)]);
    program
}

/// Asks one control for ever. It keeps the client, because a pinger without one only fails.
async fn ask(
    control: u16,
    address: IpAddr,
    client: Client,
    clock: Clock,
    events: UnboundedSender<Event>,
) {
    // Only raw sockets use the number: each control its own, beside those of other processes.
    let identifier = PingIdentifier((std::process::id() as u16).wrapping_add(control));
    let mut pinger = client.pinger(address, identifier).await;
    pinger.timeout(EVERY);
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sequence: u16 = 0;
    while !events.is_closed() {
        ticks.tick().await;
        let sent = clock.now();
        // Failing to send is no answer either: a control tells only whether our own network works.
        let answered = pinger
            .ping(PingSequence(sequence), &[0; 56])
            .await
            .is_ok_and(|(packet, _)| is_echo_reply(&packet));
        let _ = events.send(Event::Control(ControlOutcome { control, sent, answered }));
        sequence = sequence.wrapping_add(1);
    }
}

/// surge-ping also hands over an ICMP error that quotes the question.
fn is_echo_reply(packet: &IcmpPacket) -> bool {
    match packet {
        IcmpPacket::V4(packet) => packet.get_icmp_type() == IcmpTypes::EchoReply,
        IcmpPacket::V6(packet) => packet.get_icmpv6_type() == Icmpv6Types::EchoReply,
    }
}

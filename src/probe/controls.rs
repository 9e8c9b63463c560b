//! Controls: hosts that answer whenever our own network works. Each is pinged once a second and
//! reported as an [`Event::Control`]. The pings are surge-ping's, on sockets of their own, so that
//! a fault of our own ICMP code shows as blindness and never as an outage.

use super::{send_options::SocketOptions, socket, sys};
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{ControlOutcome, Event, Fault},
    scopes::Family,
};
use pnet_packet::{icmp::IcmpTypes, icmpv6::Icmpv6Types};
use socket2::SockFilter;
use std::{io, net::IpAddr, time::Duration};
use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence};
use tokio::{
    sync::mpsc::UnboundedSender,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

/// Between two pings of a control; an answer later than the next ping is no answer.
const PING_INTERVAL: Duration = Duration::from_secs(1);

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

/// The controls, each pinged by a task of its own; dropping this stops them.
#[derive(Debug)]
pub struct Controls {
    _tasks: JoinSet<()>,
}

impl Controls {
    /// Starts to ping, with one socket per family: unprivileged if the system allows it, else raw.
    /// The controls of a family without one are never asked; the second list says why, and there
    /// are none at all if that is so of each. Events name a control by its index in `addresses`.
    /// Call it within a tokio runtime.
    pub fn open(
        addresses: &[IpAddr],
        options: &SocketOptions,
        clock: Clock,
        events: &UnboundedSender<Event>,
    ) -> (Option<Self>, Vec<OpenError>) {
        let mut errors = Vec::new();
        let mut tasks = JoinSet::new();
        for family in Family::ALL {
            let of_family = (0..).zip(addresses).filter(|(_, each)| Family::of(**each) == family);
            let mut of_family = of_family.peekable();
            if of_family.peek().is_none() {
                continue;
            }
            match open(family, addresses, options) {
                Ok(client) => {
                    for (control, &address) in of_family {
                        let client = client.clone();
                        let options = options.clone();
                        tasks.spawn(ping(control, address, client, options, clock, events.clone()));
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        let is_any_asked = errors.is_empty() || !tasks.is_empty();
        (is_any_asked.then_some(Self { _tasks: tasks }), errors)
    }
}

fn open(
    family: Family,
    addresses: &[IpAddr],
    options: &SocketOptions,
) -> Result<Client, OpenError> {
    let kind = match family {
        Family::V4 => ICMP::V4,
        Family::V6 => ICMP::V6,
    };
    let fail = |error| OpenError { family: family.name(), error };
    let client = Client::new(&Config::builder().kind(kind).build()).map_err(fail)?;
    let of_family = |address: &&IpAddr| Family::of(**address) == family;
    let filter = echo_replies_from(addresses.iter().filter(of_family));
    sys::with_socket_of(&client, |socket| {
        socket.attach_filter(&filter)?;
        // So that a source that is missing may come later.
        match family {
            Family::V4 => socket.set_freebind_v4(true),
            Family::V6 => socket.set_freebind_v6(true),
        }?;
        let applied = options.apply(socket, family);
        applied.or_else(
            |error| {
                if socket::fault(&error) == Fault::NoSource { Ok(()) } else { Err(error) }
            },
        )
    })
    .map_err(fail)?;
    Ok(client)
}

/// A filter that passes only echo replies from these addresses, all of one family. A raw socket
/// receives the replies to every ping of this machine, and the thousands a second that our own
/// probes cause could crowd out the controls'.
fn echo_replies_from<'a>(addresses: impl Iterator<Item = &'a IpAddr>) -> Vec<SockFilter> {
    const NETWORK: u32 = libc::SKF_NET_OFF as u32;
    let step = |code: u32, k, jt, jf| SockFilter::new(code as u16, jt, jf, k);
    let load = |size, offset| step(libc::BPF_LD | size | libc::BPF_ABS, NETWORK + offset, 0, 0);
    let equals = |k, jt, jf| step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, k, jt, jf);
    let accept = |bytes| step(libc::BPF_RET | libc::BPF_K, bytes, 0, 0);
    let mut words = Vec::new();
    let mut v4 = true;
    for address in addresses {
        match address {
            IpAddr::V4(address) => words.push(address.to_bits()),
            // The last four bytes are enough here: surge-ping compares the whole address.
            IpAddr::V6(address) => {
                words.push(address.to_bits() as u32);
                v4 = false;
            }
        }
    }
    // The offset of the ICMP type (behind a header without options), the type of an echo reply (RFC
    // 792, RFC 4443), and the offset of the source address's last four bytes.
    let (type_offset, echo_reply, source_offset) = if v4 { (20, 0, 12) } else { (40, 129, 20) };
    // A plan has at most 64 controls, so that every jump fits into a byte.
    let count = words.len() as u8;
    let mut program = vec![
        load(libc::BPF_B, type_offset),
        equals(echo_reply, 0, count + 1),
        load(libc::BPF_W, source_offset),
    ];
    program.extend(words.iter().zip(0..).map(|(&word, index)| equals(word, count - index, 0)));
    program.extend([accept(0), accept(u32::MAX)]);
    program
}

/// Pings one control for ever. It owns the client, because a pinger fails without one.
async fn ping(
    control: u16,
    address: IpAddr,
    client: Client,
    options: SocketOptions,
    clock: Clock,
    events: UnboundedSender<Event>,
) {
    // Only raw sockets use this identifier: it tells the controls and the processes apart.
    let identifier = PingIdentifier((std::process::id() as u16).wrapping_add(control));
    let mut pinger = client.pinger(address, identifier).await;
    pinger.timeout(PING_INTERVAL);
    let mut ticks = interval(PING_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sequence: u16 = 0;
    while !events.is_closed() {
        ticks.tick().await;
        let sent = clock.now();
        // The interface may be another one by now. Where that needs a privilege that we have not,
        // pings stay unanswered.
        let _ = sys::with_socket_of(&client, |socket| options.bind_to_interface(socket));
        // A ping that cannot be sent counts as unanswered: our own network does not work.
        let answered = options.has_source(Family::of(address), sent)
            && options.interface().is_ok()
            && pinger
                .ping(PingSequence(sequence), &[0; 56])
                .await
                .is_ok_and(|(packet, _)| is_echo_reply(&packet));
        let _ = events.send(Event::Control(ControlOutcome { control, sent, answered }));
        sequence = sequence.wrapping_add(1);
    }
}

/// surge-ping also returns an ICMP error that quotes the ping.
fn is_echo_reply(packet: &IcmpPacket) -> bool {
    match packet {
        IcmpPacket::V4(packet) => packet.get_icmp_type() == IcmpTypes::EchoReply,
        IcmpPacket::V6(packet) => packet.get_icmpv6_type() == Icmpv6Types::EchoReply,
    }
}

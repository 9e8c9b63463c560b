//! Does a SYN leave this machine? A firewall of our own that drops it tells connect(2) nothing: the
//! kernel sends it again and again, and it looks as if the host were silent; one that resets it
//! looks like the host's refusal. To a raw socket sendto(2) says EPERM. So for a probe that stays
//! silent, or is refused at once, a SYN of our own making goes the same way, to the same port.
//!
//! It asks our own side alone: with a hop limit of 1 the first router discards it, and whoever is
//! nearer discards it for its wrong checksum ([`unanswerable_syn`]), so nobody answers it. It
//! leaves from a port that no connection has, so that neither a router's "time exceeded" nor a
//! stateful firewall of ours takes it for the probe's. Addresses of this machine are not checked.
//!
//! Needs CAP_NET_RAW; without it nothing is known, and the silence is the host's.

use super::{
    own_addresses,
    send_options::SocketOptions,
    socket::{self, receive_nothing},
    tcp::TRAP_PORT,
};
use lifesign_core::{
    outcome::Fault,
    schedule::{Syn, SynChecks},
    scopes::Family,
    time::Time,
};
use lifesign_wire::syn::unanswerable_syn;
use socket2::{Domain, Protocol, Socket, Type};
use std::{io, net::SocketAddr};

/// Why a probe from `local` to `peer` did not leave; None if it did, for all we know.
pub fn fault(
    checks: &mut SynChecks,
    local: SocketAddr,
    peer: SocketAddr,
    options: &SocketOptions,
    now: Time,
) -> Option<Fault> {
    if own_addresses::contain(peer.ip(), now) {
        return None;
    }
    checks.fault(peer, now, || check(local, peer, options).ok())
}

/// An error if it cannot be known.
fn check(local: SocketAddr, peer: SocketAddr, options: &SocketOptions) -> io::Result<Syn> {
    let socket = Socket::new(Domain::for_address(peer), Type::RAW, Some(Protocol::TCP))?;
    receive_nothing(&socket)?;
    socket.set_nonblocking(true)?;
    options.apply(&socket, Family::of(peer.ip()))?;
    if peer.is_ipv6() { socket.set_unicast_hops_v6(1) } else { socket.set_ttl_v4(1) }?;
    let syn = unanswerable_syn(SocketAddr::new(local.ip(), TRAP_PORT), peer);
    // A raw socket has no ports (raw(7)).
    match socket.send_to(&syn, &SocketAddr::new(peer.ip(), 0).into()) {
        Ok(_) => Ok(Syn::Leaves),
        Err(error) => match socket::fault(&error) {
            fault if fault.is_on_the_way_out() => Ok(Syn::HeldBack(fault)),
            _ => Err(error),
        },
    }
}

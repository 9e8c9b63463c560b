//! What the TCP prober reports of a SYN that our own firewall drops, and what leaves to find that
//! out.

use crate::support::{
    TIMEOUT, done,
    namespace::Namespace,
    one_probe::{all, due, found},
    own_process::{OWN_NETWORK, in_own_process},
    quiet, until,
};
use lifesign::probe::{send_options::SocketOptions, tcp};
use lifesign_clock::Clock;
use lifesign_core::outcome::{Fault, Found};
use std::{net::SocketAddr, process::Command};
use tokio::sync::mpsc::unbounded_channel;

/// A network of its own, in which raw sockets cannot be opened.
const WITHOUT_RAW_SOCKETS: &[&str] = &[
    "unshare",
    "--net",
    "sh",
    "-ec",
    "ip link set lo up; exec setpriv --bounding-set -net_raw --inh-caps -net_raw \"$@\"",
    "sh",
];

/// A host on our own cable, which a check reaches.
const NEAR: [&str; 2] = ["10.45.0.1:80", "[fd45::1]:80"];

fn sh(lines: &str) -> String {
    let (code, out, err) = done(quiet(Command::new("sh"), &["-ec", lines]));
    assert_eq!(code, 0, "{lines}:\n{out}\n{err}");
    out
}

/// Joins this process's network to one with the host, which drops all but checks, and counts these
/// and what it says to them.
fn near() -> Namespace {
    let near = Namespace::new();
    sh(&format!("ip link add here type veth peer name there netns {}", near.id()));
    near.sh("ip addr add 10.45.0.1/30 dev there; ip addr add fd45::1/64 dev there nodad
         ip link set there up
         nft add table inet lab
         nft add counter inet lab seen; nft add counter inet lab said
         nft add chain inet lab input '{ type filter hook input priority 0; }'
         nft add chain inet lab output '{ type filter hook output priority 0; }'
         nft add rule inet lab input tcp sport 64999 tcp flags syn counter name seen accept
         nft add rule inet lab input meta l4proto tcp drop
         nft add rule inet lab output meta l4proto tcp counter name said");
    sh("ip addr add 10.45.0.2/30 dev here; ip addr add fd45::2/64 dev here nodad
        ip link set here up");
    // Until then the kernel discards what is sent.
    let show = |end: &str| format!("ip link show {end}");
    until(TIMEOUT, "a link that is up", || {
        let ends = [near.sh(&show("there")), sh(&show("here"))];
        let is_up = ends.iter().all(|text| text.contains("state UP"));
        if is_up { Ok(()) } else { Err(ends.concat()) }
    });
    near
}

fn packets(near: &Namespace, counter: &str) -> u64 {
    near.counted(&format!("inet lab {counter}"))
}

fn ask(peer: &str) -> Vec<Found> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let peer: SocketAddr = peer.parse().unwrap();
    let clock = Clock::start();
    let events = runtime.block_on(async {
        let (sender, events) = unbounded_channel();
        tcp::TcpProber::new(clock, sender).send(
            due(clock, false),
            peer.ip(),
            &tcp::TcpSpec { port: peer.port() },
            &SocketOptions::default(),
        );
        all(events).await
    });
    found(&events)
}

fn forbid() {
    sh("nft add table inet wall
        nft add chain inet wall output '{ type filter hook output priority 0; }'
        nft add rule inet wall output tcp dport 80 drop");
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn a_syn_that_our_own_firewall_drops_is_not_sent() {
    if !in_own_process(a_syn_that_our_own_firewall_drops_is_not_sent, OWN_NETWORK) {
        return;
    }
    let near = near();
    forbid();
    for peer in NEAR {
        assert_eq!(ask(peer), [Found::NotSent(Fault::Permission)], "{peer}");
    }
    assert_eq!(packets(&near, "seen"), 0);
}

/// Its kernel would say RST to a SYN with a right checksum.
#[test]
#[ignore = "needs root; run by tests/run"]
fn nobody_answers_a_check_that_reaches_somebody() {
    if !in_own_process(nobody_answers_a_check_that_reaches_somebody, OWN_NETWORK) {
        return;
    }
    let near = near();
    for (peer, seen) in NEAR.into_iter().zip([1, 2]) {
        assert_eq!(ask(peer), [], "{peer}");
        assert_eq!(packets(&near, "seen"), seen, "{peer}");
    }
    assert_eq!(packets(&near, "said"), 0, "neither a SYN-ACK nor a RST");
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn without_the_capability_silence_is_silence() {
    if !in_own_process(without_the_capability_silence_is_silence, WITHOUT_RAW_SOCKETS) {
        return;
    }
    let _near = near();
    forbid();
    assert_eq!(ask(NEAR[0]), []);
}

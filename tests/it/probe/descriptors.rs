//! Probes leave no file descriptor behind.

use crate::support::{dns_server, own_process::in_own_process};
use hickory_proto::op::ResponseCode;
use lifesign::probe::{ProbeSpec, dns, send_options::SocketOptions, tcp};
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{Due, Event, Found, Outcome, Repeat},
    scopes::TargetId,
};
use std::{
    io,
    net::{TcpListener, UdpSocket},
    time::Duration,
};
use tokio::sync::mpsc::unbounded_channel;

fn open_descriptors() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/fd")?.count())
}

#[tokio::test]
async fn two_hundred_probes_leave_no_descriptor_behind() {
    if !in_own_process(two_hundred_probes_leave_no_descriptor_behind, &[]) {
        return;
    }
    let listener = TcpListener::bind("127.45.177.1:0").unwrap();
    let listening = listener.local_addr().unwrap();
    let answer = |q: &_, _| dns_server::now([dns_server::reply(q, ResponseCode::Refused, &[], 60)]);
    let server = dns_server::serve("127.45.177.2", answer).await;
    let closed = UdpSocket::bind("127.45.177.3:0").unwrap().local_addr().unwrap();
    let Ok(ProbeSpec::Dns(spec)) = ProbeSpec::parse("dns/kptc.kp/A") else { panic!("a good spec") };

    let before = open_descriptors().unwrap();
    let clock = Clock::start();
    let (sender, mut events) = unbounded_channel();
    let mut tcp = tcp::TcpProber::new(clock, sender.clone());
    let mut dns = dns::DnsProber::new(clock, sender);
    let plain = SocketOptions::default();
    for seq in 0..50 {
        let patience = Duration::from_secs(1);
        let due = |trap| Due {
            target: TargetId(0),
            seq,
            sent: clock.now(),
            patience,
            trap,
            repeat: Repeat::Never,
        };
        tcp.send(due(false), listening.ip(), &tcp::TcpSpec { port: listening.port() }, &plain);
        tcp.send(due(true), listening.ip(), &tcp::TcpSpec { port: listening.port() }, &plain);
        dns.send(
            due(false),
            server.ip(),
            &dns::DnsSpec { port: server.port(), ..*spec.clone() },
            &plain,
        );
        dns.send(
            due(false),
            closed.ip(),
            &dns::DnsSpec { port: closed.port(), ..*spec.clone() },
            &plain,
        );
        // The queue of the listener is short.
        while listener.set_nonblocking(true).is_ok() && listener.accept().is_ok() {}
        tokio::task::yield_now().await;
    }
    drop((tcp, dns));
    let mut replies = 0;
    let mut refusals = 0;
    // Until the last task has ended and let go of its sender.
    while let Some(event) = events.recv().await {
        match event {
            Event::Outcome(Outcome { found: Found::Reply { .. }, .. }) => replies += 1,
            Event::Outcome(Outcome { found: Found::Refused { .. }, .. }) => refusals += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((replies, refusals), (100, 100));
    assert_eq!(open_descriptors().unwrap(), before);
}

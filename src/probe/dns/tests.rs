//! Questions that wait for answers, and what an answer that is cut leads to.

use super::super::fixtures;
use super::*;

#[tokio::test]
async fn the_oldest_question_makes_room_for_a_new_one() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let peer = silent.local_addr().unwrap();
    let mut spec = DnsSpec::parse(Some("kptc.kp/SOA")).unwrap();
    spec.port = peer.port();
    let (events, mut received) = tokio::sync::mpsc::unbounded_channel();
    let clock = Clock::start();
    let mut prober = DnsProber { open: OpenTasks::with_limit(2), ..DnsProber::new(clock, events) };
    for seq in 0..3 {
        let due = fixtures::due(seq, clock.now());
        prober.send(due, peer.ip(), &spec, &SocketOptions::default());
        tokio::task::yield_now().await;
    }
    assert_eq!(prober.open.count(), 2);
    // All three were asked; the oldest is closed, and its port with it.
    let mut from = Vec::new();
    for _ in 0..3 {
        from.push(silent.recv_from(&mut [0; 512]).unwrap().1);
    }
    silent.send_to(b"garbage", from[0]).unwrap();
    for port in &from[1..] {
        silent.send_to(b"garbage", port).unwrap();
        let stray = received.recv().await;
        assert!(matches!(stray, Some(Event::Stray(stray)) if stray.reason == Reject::WrongId));
    }
    assert!(received.try_recv().is_err());
}

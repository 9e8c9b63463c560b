//! Controls on the loopback net.

use lifesign::probe::{controls::Controls, send_options::SocketOptions};
use lifesign_clock::Clock;
use lifesign_core::outcome::{ControlOutcome, Event};
use socket2::{Domain, Protocol, Socket, Type};
use std::net::{IpAddr, Ipv4Addr};
use tokio::sync::mpsc::unbounded_channel;

#[tokio::test]
async fn controls_are_asked_every_second_or_cannot_be_opened_at_all() {
    let may_ping = [Type::DGRAM, Type::RAW]
        .into_iter()
        .any(|kind| Socket::new(Domain::IPV4, kind, Some(Protocol::ICMPV4)).is_ok());
    // The kernel refuses to send to the second: no packet leaves.
    let addresses: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv4Addr::BROADCAST.into()];
    let (sender, mut events) = unbounded_channel();
    let clock = Clock::start();
    let started = clock.now();
    let (opened, errors) = Controls::open(&addresses, &SocketOptions::default(), clock, &sender);
    drop(sender);
    let Some(controls) = opened else {
        assert!(!may_ping, "a ping socket can be opened, but: {errors:?}");
        assert!(errors[0].to_string().contains("CAP_NET_RAW"));
        return;
    };
    let mut asked = [0, 0];
    while asked.iter().any(|&times| times < 3) {
        let Some(Event::Control(ControlOutcome { control, sent, answered })) = events.recv().await
        else {
            panic!("the controls stopped");
        };
        assert_eq!(answered, control == 0);
        let index = usize::from(control);
        let seconds = sent.since(started).as_secs_f64();
        assert!(seconds >= f64::from(asked[index]) * 0.99, "{seconds}");
        asked[index] += 1;
        assert!(asked[index] < 5, "one control is asked oftener than the other: {asked:?}");
    }
    drop(controls);
    while events.recv().await.is_some() {}
}

//! The send options of plans that are right; tests/data/bad has those that are not.

use super::*;
use lifesign_core::time::Time;
use std::fmt::Write as _;

fn plan(all: &str, blocks: &[&str]) -> Plan {
    let mut text = format!("vantage = \"v\"\n{all}\n[[country]]\ncode = \"XA\"\n");
    for (number, block) in blocks.iter().enumerate() {
        let _ = writeln!(
            text,
            "[[country.block]]\nprefix = \"127.0.{number}.0/24\"\n{block}\n\
             hosts = [{{ host = \"127.0.{number}.1\", probes = [\"icmp\"] }}]"
        );
    }
    Plan::parse("p", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn addresses(v4: Option<&str>, v6: Option<&str>) -> Source {
    let mut addresses = PerFamily::default();
    addresses[Family::V4] = v4.map(|address| address.parse().unwrap());
    addresses[Family::V6] = v6.map(|address| address.parse().unwrap());
    Source::Addresses(addresses)
}

#[test]
fn what_a_block_does_not_say_the_plan_says_for_it() {
    let plan = plan(
        "source = \"eth0\"\ndscp = 46\nsize = 10\ndf = true",
        &[
            "",
            "source = [\"2001:db8::1\", \"192.0.2.1\"]\ndscp = 0",
            "size = 1432\ndf = false",
            "source = \"eth0\"",
        ],
    );
    let interface = Source::Interface("eth0".into());
    let expected = [
        (&interface, 46, Some(true), 10),
        (&addresses(Some("192.0.2.1"), Some("2001:db8::1")), 0, Some(true), 10),
        (&interface, 46, Some(false), 1432),
        (&interface, 46, Some(true), 10),
    ];
    let found = plan.send_options.iter().map(|options| {
        let SocketOptions { source, dscp, dont_fragment } = &options.socket;
        (source, *dscp, *dont_fragment, options.size)
    });
    assert_eq!(found.collect::<Vec<_>>(), expected);
    assert!(Arc::ptr_eq(&plan.send_options[0], &plan.send_options[3]), "one for both");
    assert_eq!(plan.control_options, plan.send_options[0].socket);
}

#[test]
fn without_a_word_all_is_as_the_system_has_it() {
    let plan = plan("", &["", "source = \"127.9.9.9\""]);
    assert_eq!(*plan.send_options[0], SendOptions::default());
    assert_eq!(plan.control_options, SocketOptions::default());
    assert_eq!(plan.send_options[1].socket.source, addresses(Some("127.9.9.9"), None));
}

#[test]
fn what_this_machine_does_not_have_is_warned_of_once() {
    let blocks = ["source = \"192.0.2.77\"", "", "source = \"no-such0\"", "source = \"lo\""];
    let plan = plan("source = [\"192.0.2.77\", \"::1\"]", &blocks);
    let notes: Vec<_> = plan
        .warnings(Time::default())
        .into_iter()
        .filter(|note| note.contains("this machine has"))
        .collect();
    let note =
        |what| format!("this machine has no {what}: until it has, nobody is asked from there");
    assert_eq!(notes, [note("192.0.2.77"), note("no-such0")]);
}

//! Names against a scripted DNS server on the loopback net.

use crate::support::dns_server::{now, reply, serve};
use hickory_proto::op::ResponseCode;
use lifesign::probe::names::{Names, Needed};
use lifesign_core::{
    outcome::Fault,
    scopes::{Family, PerFamily, Prefix},
};
use lifesign_formats::survey::AddressSet;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
    time::Duration,
};

const FIRST: Ipv4Addr = Ipv4Addr::new(127, 45, 176, 1);
const SECOND: Ipv4Addr = Ipv4Addr::new(127, 45, 176, 2);
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 45, 200, 1);

/// Waits for what the names say to become this; fails after a real minute.
async fn becomes(names: &Names, block: Prefix, turn: u32, expected: Result<Ipv4Addr, Fault>) {
    let expected = expected.map(IpAddr::from);
    for _ in 0..6000 {
        if names.next("host.example", &block, &AddressSet::default(), turn) == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(names.next("host.example", &block, &AddressSet::default(), turn), expected);
}

/// Lets time pass that nobody has to wait for.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// A name that is asked in an IPv4 block.
fn v4<const N: usize>(names: [&str; N]) -> Needed {
    let mut v4 = PerFamily::default();
    v4[Family::V4] = true;
    names.map(|name| (name.to_owned(), v4)).into()
}

#[tokio::test]
async fn a_name_follows_its_addresses_and_survives_failures() {
    let world = Arc::new(Mutex::new((ResponseCode::ServFail, vec![])));
    let (asked, mut asks) = tokio::sync::watch::channel(0);
    let seen = Arc::clone(&world);
    let server = serve("127.45.178.1", move |question, _| {
        // Fully qualified: nothing is ever appended to it.
        assert_eq!(question.queries[0].name().to_string().to_lowercase(), "host.example.");
        let (code, addresses) = &*seen.lock().unwrap();
        asked.send_modify(|count| *count += 1);
        now([reply(question, *code, addresses, 60)])
    })
    .await;
    let becomes_world =
        |code, addresses: &[Ipv4Addr]| *world.lock().unwrap() = (code, addresses.to_vec());

    let block = "127.45.176.0/24".parse().unwrap();
    let names = Names::open(v4(["host.example"]), &[server]);
    asks.changed().await.unwrap();
    becomes(&names, block, 0, Err(Fault::Unresolved)).await;

    // Failure, then success.
    becomes_world(ResponseCode::NoError, &[SECOND, ELSEWHERE, FIRST]);
    becomes(&names, block, 0, Ok(FIRST)).await;
    becomes(&names, block, 1, Ok(SECOND)).await;
    becomes(&names, block, 2, Ok(FIRST)).await;

    // Success, then failure: the old addresses stay.
    becomes_world(ResponseCode::NXDomain, &[]);
    asks.mark_unchanged();
    pass(Duration::from_secs(61)).await;
    asks.changed().await.unwrap();
    becomes(&names, block, 1, Ok(SECOND)).await;

    // New addresses replace the old, also where none of them may be asked.
    becomes_world(ResponseCode::NoError, &[ELSEWHERE]);
    becomes(&names, block, 0, Err(Fault::OutsideBlock)).await;
}

#[tokio::test]
async fn another_plan_keeps_the_addresses_of_names_that_stay() {
    let answers =
        |address: Ipv4Addr| move |q: &_, _| now([reply(q, ResponseCode::NoError, &[address], 60)]);
    let first = serve("127.45.178.2", answers(FIRST)).await;
    let second = serve("127.45.178.3", answers(SECOND)).await;
    let block = "127.45.176.0/24".parse().unwrap();
    let known = |names: &Names, name: &str| names.next(name, &block, &AddressSet::default(), 0);
    let mut names = Names::open(v4(["host.example", "gone.example"]), &[first]);
    becomes(&names, block, 0, Ok(FIRST)).await;
    let new_list = || v4(["host.example", "new.example"]);
    names.replan(new_list(), &[first]);
    assert_eq!(known(&names, "host.example"), Ok(FIRST.into()), "it stays");
    assert_eq!(known(&names, "gone.example"), Err(Fault::Unresolved));
    assert_eq!(known(&names, "new.example"), Err(Fault::Unresolved));
    // Another server: what is known stays until it answers, which it is asked to at once.
    names.replan(new_list(), &[second]);
    assert_eq!(known(&names, "host.example"), Ok(FIRST.into()));
    becomes(&names, block, 0, Ok(SECOND)).await;
    names.replan(Needed::new(), &[second]);
    assert_eq!(known(&names, "host.example"), Err(Fault::Unresolved));
}

#[tokio::test]
async fn what_an_earlier_run_knew_is_asked_until_it_is_resolved_again() {
    let known = |address: Ipv4Addr| {
        [("host.example".to_owned(), vec![IpAddr::from(address)])].into_iter().collect()
    };
    let block = "127.45.176.0/24".parse().unwrap();
    // Nobody listens there.
    let mut names = Names::open(v4(["host.example"]), &["127.45.178.9:9".parse().unwrap()]);
    assert_eq!(
        names.next("host.example", &block, &AddressSet::default(), 0),
        Err(Fault::Unresolved)
    );
    names.recall(known(FIRST));
    assert_eq!(names.next("host.example", &block, &AddressSet::default(), 0), Ok(FIRST.into()));
    assert_eq!(names.changes(), [], "it is kept already");
    let server =
        serve("127.45.178.5", |q, _| now([reply(q, ResponseCode::NoError, &[SECOND], 60)])).await;
    names.replan(v4(["host.example"]), &[server]);
    becomes(&names, block, 0, Ok(SECOND)).await;
    assert_eq!(names.changes(), [("host.example".to_owned(), vec![IpAddr::from(SECOND)])]);
    names.recall(known(FIRST));
    assert_eq!(
        names.next("host.example", &block, &AddressSet::default(), 0),
        Ok(SECOND.into()),
        "it is resolved"
    );
}

#[tokio::test]
async fn a_name_that_is_not_in_the_book_is_unresolved() {
    let names = Names::open(Needed::new(), &[]);
    assert_eq!(
        names.next("host.example", &"127.0.0.0/8".parse().unwrap(), &AddressSet::default(), 0),
        Err(Fault::Unresolved)
    );
}

//! Names in virtual time, with resolvers that answer as a script says.

use super::*;

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn the_addresses_of_the_block_take_turns() {
    let known = addresses(&["10.0.0.1", "10.0.0.7", "10.0.1.1", "10.0.0.2", "2001:db8::1"]);
    let deny = AddressSet::parse("deny", "10.0.0.6/31").unwrap();
    let chosen = |block: &str, turn| {
        choose(&known, &block.parse().unwrap(), &deny, turn).map(|address| address.to_string())
    };
    for (turn, expected) in
        [(0, "10.0.0.1"), (1, "10.0.0.2"), (2, "10.0.0.1"), (u32::MAX, "10.0.0.2")]
    {
        assert_eq!(chosen("10.0.0.0/24", turn).as_deref(), Ok(expected));
    }
    assert_eq!(chosen("2001:db8::/32", 5).as_deref(), Ok("2001:db8::1"));
    assert_eq!(chosen("10.9.0.0/24", 0), Err(Fault::OutsideBlock));
    assert_eq!(
        choose(&[], &"10.0.0.0/24".parse().unwrap(), &AddressSet::default(), 0),
        Err(Fault::Unresolved)
    );
}

#[tokio::test]
async fn a_name_has_the_addresses_that_are_known_of_it() {
    let mut needed = Needed::new();
    needed.entry("a.example".into()).or_default()[Family::V4] = true;
    let mut names = Names::open(needed, &[]);
    names.recall([("a.example".to_owned(), addresses(&["10.0.0.1", "10.0.0.2"]))].into());
    let has = |name, address: &str| names.has(name, address.parse().unwrap());
    assert!(has("a.example", "10.0.0.2"));
    assert!(!has("a.example", "10.0.0.3") && !has("b.example", "10.0.0.1"));
}

#[tokio::test]
async fn a_task_that_panics_is_seen_and_one_that_is_dropped_is_not() {
    let mut names = Names::open(Needed::new(), &[]);
    names.tasks.spawn(std::future::pending()).abort();
    tokio::task::yield_now().await;
    assert!(!names.have_ended());
    names.tasks.spawn(async { panic!("a fault of ours") });
    tokio::task::yield_now().await;
    assert!(names.have_ended());
}

#[tokio::test(start_paused = true)]
async fn many_failures_are_one_line_and_the_next_is_a_minute_later() {
    let (failures, failed) = mpsc::unbounded_channel();
    let (lines, mut written) = mpsc::unbounded_channel();
    tokio::spawn(report(failed, move |line| drop(lines.send(line))));
    let fail = |number: u32| {
        let name = format!("host-{number}.example");
        failures.send(Failure { name, error: "no answer".into() }).unwrap();
    };
    (100..300).for_each(fail);
    let early = timeout(Duration::from_millis(900), written.recv()).await;
    assert!(early.is_err(), "{early:?}");
    let first = timeout(Duration::from_millis(200), written.recv()).await.unwrap();
    assert_eq!(
        first.as_deref(),
        Some("cannot resolve 200 names, such as host-100.example: no answer; known addresses stay")
    );
    (0..10).for_each(|_| fail(7));
    let early = timeout(Duration::from_secs(60), written.recv()).await;
    assert!(early.is_err(), "{early:?}");
    let second = timeout(Duration::from_secs(2), written.recv()).await.unwrap();
    assert_eq!(
        second.as_deref(),
        Some("cannot resolve host-7.example: no answer; known addresses stay")
    );
}

#[test]
fn a_family_that_failed_keeps_its_old_addresses() {
    let old = addresses(&["10.0.0.1", "2001:db8::1"]);
    let resolved = |v4, v6| Resolved { found: per_family(v4, v6), ..Resolved::default() };
    let shuffled = Some(addresses(&["10.0.0.3", "10.0.0.2", "10.0.0.3"]));
    let new = addresses(&["10.0.0.2", "10.0.0.3"]);
    assert_eq!(merged(&old, &resolved(shuffled.clone(), Some(vec![]))), new);
    assert_eq!(
        merged(&old, &resolved(shuffled, None)),
        [new, addresses(&["2001:db8::1"])].concat()
    );
    assert_eq!(merged(&old, &resolved(None, None)), old);
}

fn per_family(v4: Option<Vec<IpAddr>>, v6: Option<Vec<IpAddr>>) -> PerFamily<Option<Vec<IpAddr>>> {
    let mut found = PerFamily::default();
    found[Family::V4] = v4;
    found[Family::V6] = v6;
    found
}

fn resolved(address: &str, ttl: u64) -> Resolved {
    let ttl = Duration::from_secs(ttl);
    let found = per_family(Some(addresses(&[address])), None);
    Resolved { found, ttl, failure: None }
}

/// AAAA is answered for an hour, and A is not: that is asked again like any failure, and told.
#[tokio::test(start_paused = true)]
async fn a_family_that_failed_waits_for_no_lifetime_of_the_other() {
    let (asked, mut asks) = watch::channel(0);
    let (sender, reader) = watch::channel(addresses(&["10.0.0.1"]));
    let (darkness, dark) = watch::channel(false);
    let (failures, mut failed) = mpsc::unbounded_channel();
    let same = |wait| wait;
    tokio::spawn(resolve_forever("name.example".into(), sender, failures, dark, same, move || {
        asked.send_modify(|count| *count += 1);
        let found = per_family(None, Some(addresses(&["2001:db8::1"])));
        let (ttl, failure) = (Duration::from_secs(3600), Some(NetError::from("no")));
        std::future::ready(Ok(Resolved { found, ttl, failure }))
    }));
    sleep(Duration::from_secs(1500)).await;
    let questions = *asks.borrow_and_update();
    assert!((10..=14).contains(&questions), "{questions} questions");
    assert_eq!(failed.recv().await.map(|failure| failure.error).as_deref(), Some("no"));
    assert_eq!(*reader.borrow(), addresses(&["10.0.0.1", "2001:db8::1"]));
    darkness.send_replace(true);
    let soon = timeout(Duration::from_millis(1010), asks.changed()).await;
    assert!(soon.is_ok(), "at once when it falls dark");
}

/// A server that fails for A, and has an answer or none for AAAA, asked for blocks of this family.
async fn resolved_by(aaaa: &'static [u8], wanted: Family) -> Result<Resolved, NetError> {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut question = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut question).await {
            // The name is one label of one byte, and what follows the question is EDNS.
            let (header, asked) = question[..length].split_at(12);
            let asks_aaaa = asked[3..5] == [0, 28];
            let rcode = if asks_aaaa { 0 } else { 2 };
            let records: &[u8] = if asks_aaaa { aaaa } else { &[] };
            let counts = [0, 1, 0, u8::from(!records.is_empty()), 0, 0, 0, 0];
            let answer =
                [&header[..2], &[0x81, 0x80 | rcode], &counts, &asked[..7], records].concat();
            let _ = socket.send_to(&answer, from).await;
        }
    });
    resolve("a".into(), PerFamily::new(|family| family == wanted), vec![server]).await
}

#[tokio::test]
async fn what_is_missing_of_one_family_is_told_with_the_other() {
    let hour =
        b"\xc0\x0c\x00\x1c\x00\x01\x00\x00\x0e\x10\x00\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01";
    let resolved = resolved_by(hour, Family::V4).await.unwrap();
    assert_eq!(resolved.found, per_family(None, Some(addresses(&["2001:db8::1"]))));
    assert_eq!(resolved.ttl, Duration::from_secs(3600));
    assert!(resolved.failure.is_some());
    let resolved = resolved_by(hour, Family::V6).await.unwrap();
    assert!(resolved.failure.is_none(), "nobody needs its A");
    assert!(resolved_by(b"", Family::V6).await.is_err());
}

/// A name that cannot be resolved while nothing is dark, and then something is.
#[tokio::test(start_paused = true)]
async fn failures_are_retried_soon_while_something_is_dark() {
    let (asked, mut asks) = watch::channel(0);
    let (sender, _reader) = watch::channel(addresses(&["10.0.0.1"]));
    let (darkness, dark) = watch::channel(false);
    let (failures, _failed) = mpsc::unbounded_channel();
    let same = |wait| wait;
    tokio::spawn(resolve_forever("name.example".into(), sender, failures, dark, same, move || {
        asked.send_modify(|count| *count += 1);
        std::future::ready(Err(NetError::from("no")))
    }));
    sleep(Duration::from_secs(1500)).await;
    asks.mark_unchanged();
    darkness.send_replace(true);
    let soon = timeout(Duration::from_millis(1010), asks.changed()).await;
    assert!(soon.is_ok(), "at once when it falls dark");
    let before = *asks.borrow_and_update();
    sleep(Duration::from_secs(600)).await;
    let in_darkness = *asks.borrow_and_update() - before;
    assert!((59..=61).contains(&in_darkness), "{in_darkness} in ten minutes");
    darkness.send_replace(false);
    sleep(Duration::from_secs(600)).await;
    let after = *asks.borrow_and_update() - before - in_darkness;
    assert!(after <= 4, "{after} in ten minutes");
}

/// Each resolution, and for how many seconds its outcome must stand before the next.
#[tokio::test(start_paused = true)]
async fn failures_are_retried_ever_slower_and_lifetimes_are_kept_in_bounds() {
    let mut script = vec![(Ok(resolved("10.0.0.1", 0)), 60), (Ok(resolved("10.0.0.2", 90)), 90)];
    script
        .extend([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map(|wait| (Err("no".into()), wait)));
    script.extend([(Ok(resolved("10.0.0.3", 86_400)), 3600), (Err(NetError::from("no")), 1)]);
    let waits: Vec<u64> = script.iter().map(|(_, wait)| *wait).collect();
    let mut outcomes = script.into_iter().map(|(outcome, _)| outcome);
    let (asked, mut asks) = watch::channel(0);
    let (sender, reader) = watch::channel(Vec::new());
    let (failures, _failed) = mpsc::unbounded_channel();
    let (_darkness, dark) = watch::channel(false);
    let same = |wait| wait;
    tokio::spawn(resolve_forever("name.example".into(), sender, failures, dark, same, move || {
        asked.send_modify(|count| *count += 1);
        std::future::ready(outcomes.next().unwrap_or_else(|| Err("the script is over".into())))
    }));
    for (n, wait) in waits.into_iter().enumerate() {
        asks.changed().await.unwrap();
        assert_eq!(*asks.borrow_and_update(), n + 1);
        let known = ["10.0.0.1", "10.0.0.2", "10.0.0.3"][if n >= 13 { 2 } else { n.min(1) }];
        assert_eq!(*reader.borrow(), addresses(&[known]), "after question {n}");
        let early = Duration::from_millis(wait * 1000 - 2);
        assert!(
            timeout(early, asks.changed()).await.is_err(),
            "question {n} was repeated too soon"
        );
        let due = timeout(Duration::from_millis(4), asks.changed()).await;
        assert!(due.is_ok(), "question {n} was not repeated after {wait} s");
        asks.mark_changed();
    }
}

//! The judge's memory of a large plan: copied a part at a time, and written in several rows.

use super::*;
use lifesign_core::scopes::{Host, Kind};
use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

/// So many blocks of 16 hosts.
fn plan_of(blocks: u32) -> Arc<Roster> {
    let mut roster = Roster::default();
    roster.add_country("KP", "Corée du Nord");
    for block in 0..blocks {
        let first = 0x7f2d_0000 + block * 256;
        roster.add_block(format!("{}/24", Ipv4Addr::from_bits(first)).parse().unwrap());
        for host in 1..=16 {
            let address = Ipv4Addr::from_bits(first + host);
            roster.add_target(Host::Address(address.into()), "icmp", Kind::Icmp);
        }
    }
    Arc::new(roster)
}

fn watch_over(roster: &Arc<Roster>) -> Watch {
    Watch::new(roster.clone(), &Settings::default(), at(0))
}

fn rows_of_the_rest(connection: &Connection) -> u32 {
    connection.query_row("SELECT count(*) FROM memory_rest", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_long_memory_has_several_rows_and_is_read_as_one() {
    let directory = TempDir::new("long-memory");
    let mut database = Database::open(&directory.file()).unwrap();
    let mut write = |blocks| {
        let memory = Some(watch_over(&plan_of(blocks)).remember(at(60), WallOffset::default()));
        let mut backlog = backlog(60, vec![], vec![]);
        backlog.essentials.memory = memory;
        database.write(&backlog, "lab", at(0)).unwrap();
        database.previous_run().unwrap().memory.expect("it can be read")
    };
    let connection = Connection::open(directory.file()).unwrap();
    let memory = write(1000);
    assert_eq!(memory.taken(), at(60));
    assert!(rows_of_the_rest(&connection) > 2);
    let learned = || StoreReader::open(&directory.file()).unwrap().learned().unwrap();
    assert_eq!(learned().expect("it can be read").targets.len(), 16_000);
    let mut next = watch_over(&plan_of(1000));
    assert!(next.recall(memory, at(120)));
    write(2);
    assert_eq!(rows_of_the_rest(&connection), 0);
    // An earlier lifesign has written since, which knows of no rest.
    connection.execute("INSERT INTO memory_rest VALUES (1, 0, 'of another')", []).unwrap();
    assert_eq!(learned().expect("it can be read").targets.len(), 32);
}

/// A run may write it again while it is read.
#[test]
fn a_memory_is_read_as_it_was_at_one_moment() {
    let directory = TempDir::new("memory-moment");
    drop(Database::open(&directory.file()).unwrap());
    let write = |connection: &Connection, number: u32| {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             INSERT OR REPLACE INTO memory VALUES (1, {number}, '{number};');
             INSERT OR REPLACE INTO memory_rest VALUES (1, {number}, '{number};');
             COMMIT"
        ))
    };
    let writer = Connection::open(directory.file()).unwrap();
    write(&writer, 0).unwrap();
    let is_read = &AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(move || {
            for number in (1..100_000).take_while(|_| !is_read.load(Ordering::Relaxed)) {
                write(&writer, number).unwrap();
            }
        });
        let reader = StoreReader::open(&directory.file()).unwrap();
        let torn = (0..2000).find_map(|_| {
            let text = String::from_utf8(crate::memory::text(&reader.0).unwrap()?).unwrap();
            let parts: Vec<&str> = text.split(';').collect();
            (parts[0] != parts[1]).then_some(text)
        });
        is_read.store(true, Ordering::Relaxed);
        assert_eq!(torn, None);
    });
}

#[test]
fn a_rest_that_cannot_be_read_is_told_and_one_that_is_not_there_is_none() {
    let directory = TempDir::new("memory-rest");
    drop(Database::open(&directory.file()).unwrap());
    let connection = Connection::open(directory.file()).unwrap();
    connection
        .execute_batch("INSERT INTO memory VALUES (1, 5, 'all'); DROP TABLE memory_rest")
        .unwrap();
    assert_eq!(crate::memory::text(&connection).unwrap().as_deref(), Some(&b"all"[..]));
    connection.execute_batch("CREATE TABLE memory_rest (part, taken)").unwrap();
    assert!(crate::memory::text(&connection).unwrap_err().to_string().contains("rest.text"));
}

/// Before that, no memory is taken.
fn until_the_disk_has_caught_up(store: &Store) {
    for _ in 0..2000 {
        if !store.writer.is_behind() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the disk was behind for 20 s");
}

#[test]
fn a_large_memory_is_copied_in_parts_and_begun_anew_with_a_new_plan() {
    let directory = TempDir::new("copied-memory");
    let roster = plan_of(300);
    let watch = watch_over(&roster);
    let (mut store, previous) = Store::open(&directory, "lab", at(0)).unwrap();
    store.resume(previous, false, &roster, at(0), WallOffset::default());
    store.handle_changes(&[], &watch.snapshot(at(60), 0, 0), &watch);
    let parts = |store: &mut Store, watch: &Watch| {
        (1..100).find(|_| {
            store.copy_memory(watch);
            store.copied.is_none()
        })
    };
    assert_eq!(parts(&mut store, &watch), Some(2), "the first was taken at once");
    until_the_disk_has_caught_up(&store);
    store.handle_changes(&[], &watch.snapshot(at(120), 0, 0), &watch);
    assert!(store.copied.is_some());
    let roster = plan_of(200);
    store.replan(&roster, at(121));
    assert!(store.copied.is_none());
    let watch = watch_over(&roster);
    until_the_disk_has_caught_up(&store);
    store.handle_changes(&[], &watch.snapshot(at(122), 0, 0), &watch);
    assert_eq!(parts(&mut store, &watch), Some(1));
    drop(store);
    let learned = StoreReader::open(&directory.file()).unwrap().learned().unwrap();
    let learned = learned.expect("it was written");
    assert_eq!((learned.targets.len(), learned.taken), (200 * 16, at(122)));
}

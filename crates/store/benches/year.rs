//! What a year of 5,030 blocks takes on the disk, how long a run takes to begin from it, and how
//! long it takes to tell of a day and of a week, as `/api/v1/incidents` does. The file is the
//! store's own; its rows are made here: each block is in outage once a week, degraded twice, and
//! down once, each darkness with the place where its path broke, and the country has all the
//! samples that are kept of a year.
//! `cargo bench -p lifesign-store --bench year`; the last line is JSON.

#[path = "../../../benches/lab/table.rs"]
#[expect(dead_code, reason = "all goals are upper bounds")]
mod table;

use lifesign_clock::Clock;
use lifesign_core::{
    scopes::{BlockId, Host, Kind, Roster, Scope},
    time::{Time, WallOffset},
    watch::{Settings, Watch},
};
use lifesign_store::{EpisodeFilter, FILE_NAME, Store, StoreReader, TemporaryDirectory};
use rusqlite::{Connection, params};
use std::{error::Error, fs, path::Path, sync::Arc, time::Duration};
use table::{Goal, Table};

const BLOCKS: u32 = 5030;
const HOSTS: u8 = 8;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const YEAR: i64 = 365 * DAY;
/// 2024-12-31T00:00:00Z, in milliseconds: now.
const NOW: i64 = 1_735_603_200_000;
const EVIDENCE: &str = "84 misses of 45 targets in 58.0 s; last answer to a probe of \
                        2014-12-22T16:14:59.084Z";
const PLACE: &str = "at their border: dark beyond 219.158.0.1 (AS4837 China Unicom, answered \
                     16:15:03); first silent 175.45.176.1, heard until 16:14:58";
/// Whoever opens a page does not wait longer for it.
const TELLS_WITHIN: f64 = 2.0;

fn main() -> Result<(), Box<dyn Error>> {
    let roster = Arc::new(roster());
    let directory = TemporaryDirectory::new()?;
    let now = Time::from_nanos(NOW as u64 * 1_000_000);
    let watch = Watch::new(roster.clone(), &Settings::default(), now);
    let (mut store, previous) = Store::open(directory.path(), "a bench", now)?;
    store.resume(previous, false, &roster, now, WallOffset::default());
    store.finish(&watch, now, WallOffset::default());
    let file = directory.path().join(FILE_NAME);
    let episodes = fill(&file)?;

    let mut table = Table::default();
    let n = format!("{BLOCKS} blocks, {episodes} episodes");
    let gigabytes = fs::metadata(&file)?.len() as f64 / 1e9;
    table.add("a year", "lifesign", n.clone(), gigabytes, "GB", Some(Goal::AtMost(5.0)));

    let mut watch = Watch::new(roster.clone(), &Settings::default(), now);
    let clock = Clock::start();
    let begun = clock.now();
    let (mut store, previous) = Store::open(directory.path(), "a bench", now)?;
    store.resume(previous, true, &roster, now, WallOffset::default());
    let open = clock.now().since(begun).as_secs_f64();
    table.add("start", "lifesign", n.clone(), open, "s", Some(Goal::AtMost(5.0)));
    let history = history_is_there(&store, &mut watch, &clock, begun)?;
    let goal = Some(Goal::AtMost(5.0));
    table.add("the last seven days are there", "lifesign", n, history.as_secs_f64(), "s", goal);
    let reader = StoreReader::open(&file)?;
    for (what, days) in [("incidents of a day", 1), ("incidents of a week", 7)] {
        let since = Some(now - Duration::from_secs(days * 86_400));
        let filter = EpisodeFilter { since, until: Some(now), ..EpisodeFilter::default() };
        let begun = clock.now();
        let told = reader.incidents(&filter, now, None)?;
        let took = clock.now().since(begun).as_secs_f64();
        let n = format!("{} incidents", told.rows.read.len());
        table.add(what, "lifesign", n, took, "s", Some(Goal::AtMost(TELLS_WITHIN)));
    }
    table.print();
    Ok(())
}

fn roster() -> Roster {
    let mut roster = Roster::default();
    roster.add_country("TW", "Taiwan");
    for block in 0..BLOCKS {
        let [_, _, high, low] = block.to_be_bytes();
        let prefix = format!("10.{high}.{low}.0/24").parse().expect("a prefix");
        roster.add_block(prefix);
        for host in 1..=HOSTS {
            let address = [10, high, low, host].into();
            roster.add_target(Host::Address(address), "icmp", Kind::Icmp);
        }
    }
    roster
}

/// Adds what a year leaves; how many episodes that are.
fn fill(file: &Path) -> rusqlite::Result<i64> {
    let mut connection = Connection::open(file)?;
    let began = NOW - YEAR;
    let transaction = connection.transaction()?;
    transaction.execute("UPDATE run SET began = ?, lasted = ?", params![began, NOW])?;
    let mut episodes = transaction.prepare(
        "INSERT INTO episode (scope, found, country, state, begin_earliest, begin_latest,
             end_earliest, end_latest, unseen, evidence)
         VALUES (?1, ?2, 'TW', ?3, ?2 - 4000, ?2 - 2000, ?4 - 3000, ?4, 0, ?5)",
    )?;
    for block in 0..BLOCKS {
        let [_, _, high, low] = block.to_be_bytes();
        let scope = format!("10.{high}.{low}.0/24");
        for week in 0..52 {
            let monday = began + week * 7 * DAY + i64::from(block) * 1000;
            for (day, state) in ["outage", "degraded", "down", "degraded"].into_iter().enumerate() {
                let found = monday + day as i64 * DAY;
                episodes.execute(params![scope, found, state, found + 10 * MINUTE, EVIDENCE])?;
            }
        }
    }
    drop(episodes);
    let mut places = transaction.prepare(
        "INSERT INTO place SELECT scope, begin_latest, NULL, country, 'at_their_border', ?1
         FROM episode WHERE state IN ('outage', 'down')",
    )?;
    places.execute([PLACE])?;
    drop(places);
    let mut samples = transaction.prepare(
        "INSERT INTO sample (span, scope, time, country, state, probes, loss, rtt_median, rtt_p95,
             rtt_min, rtt_p10, rtt_p90, rtt_max)
         VALUES (?1, 'TW', ?2, 'TW', 'up', 75000, 0.0123, 0.0345, 0.0789, 0.012, 0.0234, 0.0678,
             0.1234)",
    )?;
    // A day of minutes, and tens of them before.
    for time in (began..NOW - DAY).step_by(10 * MINUTE as usize) {
        samples.execute(params![10 * MINUTE, time])?;
    }
    for time in (NOW - DAY..=NOW).step_by(MINUTE as usize) {
        samples.execute(params![MINUTE, time])?;
    }
    drop(samples);
    transaction.commit()?;
    connection.query_row("SELECT count(*) FROM episode", [], |row| row.get(0))
}

/// How long after the begin the watch knew what earlier runs saw of the last block.
fn history_is_there(
    store: &Store,
    watch: &mut Watch,
    clock: &Clock,
    begun: Time,
) -> Result<Duration, Box<dyn Error>> {
    let last = Scope::Block(BlockId(BLOCKS - 1));
    let empty = watch.history(last).clone();
    while clock.now().since(begun) < Duration::from_secs(60) {
        store.restore_history(watch);
        if *watch.history(last) != empty {
            return Ok(clock.now().since(begun));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err("the last seven days were not there within a minute".into())
}

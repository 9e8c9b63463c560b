//! Two hundred kills at any moment, of programs whose block goes dark and comes back all the time.
//! What was finished stays, as it was; what was told is there; and the file is whole.

use crate::support::{Program, TIMEOUT, TempDir, Verdict, lifesign, signal};
use lifesign_clock::Clock;
use lifesign_core::rng::Rng;
use lifesign_store::{Episode, EpisodeFilter, StoreReader};
use std::{net::UdpSocket, thread, time::Duration};

const PROGRAMS: u64 = 20;
const KILLS: u64 = 10;
/// The block's dark and bright times.
const DARK: u64 = 12;
const CYCLE: u64 = 17;
/// What was told so long before the kill has reached the file, on a busy machine too.
const WRITTEN: Duration = Duration::from_secs(6);

/// A host of this block that answers DNS questions in its bright times, on this port.
fn host(block: u64) -> u16 {
    let socket = UdpSocket::bind((format!("127.47.{block}.1"), 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    thread::spawn(move || {
        let clock = Clock::start();
        let mut question = [0; 512];
        let begin = clock.now();
        loop {
            let (length, from) = socket.recv_from(&mut question).unwrap();
            // Bright first, and each program's at another time.
            let second = clock.now().since(begin).as_secs() + CYCLE - DARK + block % 5;
            if second % CYCLE >= DARK {
                // The question with the bit of an answer (RFC 1035 §4.1.1).
                question[2] |= 0x80;
                socket.send_to(&question[..length], from).unwrap();
            }
        }
    });
    port
}

fn plan(block: u64, port: u16) -> String {
    format!(
        "vantage = \"test\"\ncontrols = [\"127.0.0.1\"]\n[budget]\nper_block = \"8/s\"\n[judge]\noutage_after = \"10s\"\n\
         [[country]]\ncode = \"KP\"\nname = \"Test\"\n[[country.block]]\nprefix = \"127.47.{block}.0/24\"\n\
         hosts = [{{ host = \"127.47.{block}.1\", probes = [{{ probe = \"dns/kptc.kp/SOA\", port = {port} }}] }}]\n"
    )
}

/// One program, killed again and again; how many episodes it finished.
fn killed(block: u64) -> usize {
    let temp_dir = TempDir::new(&format!("kills-{block}"));
    let plan = temp_dir.put("plan.toml", plan(block, host(block)));
    let state = temp_dir.path("state");
    let file = temp_dir.join("state").join(lifesign_store::FILE_NAME);
    let mut rng = Rng::new(block);
    let mut finished: Vec<Episode> = Vec::new();
    for _ in 0..KILLS {
        let run = ["--config", &plan, "--listen", "127.0.0.1:0", "--state-dir", &state];
        let mut watch = Program::start(lifesign(&run));
        watch.address();
        watch.listen(Duration::from_secs_f64(0.05 + rng.unit() * 12.0));
        let moment = watch.now();
        signal("KILL", watch.id());
        watch.end(TIMEOUT);
        if !file.exists() {
            continue;
        }
        // It may have had no time to make the tables.
        let Some(store) = StoreReader::open_if_made(&file).unwrap() else { continue };
        let all = store.episodes(&EpisodeFilter::default()).unwrap().read;
        drop(store);
        for old in &finished {
            assert!(all.contains(old), "{old:?} was lost: {all:?}");
        }
        let told = watch.verdicts();
        let over = told.iter().filter(|verdict| verdict.time + WRITTEN < moment && is_end(verdict));
        for verdict in over {
            let scope = verdict.scope.rsplit(' ').next().unwrap();
            let found =
                all.iter().any(|episode| episode.scope == scope && ended_so(episode, verdict));
            assert!(found, "{verdict:?} is not in {all:?}\n{}", watch.said());
        }
        finished = all.into_iter().filter(|episode| episode.end.is_some()).collect();
        let base = rusqlite::Connection::open(&file).unwrap();
        let whole: String =
            base.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
    }
    finished.len()
}

/// Is this the end of a bad state? Down that becomes an outage goes on, and so may what is unknown.
fn is_end(verdict: &Verdict) -> bool {
    let known = ["down", "outage", "flapping"].contains(&verdict.from.as_str());
    known
        && verdict.to != "unknown"
        && (verdict.from.as_str(), verdict.to.as_str()) != ("down", "outage")
}

fn ended_so(episode: &Episode, verdict: &Verdict) -> bool {
    let apart = |one: lifesign_core::time::Time, other| one.since(other).max(other.since(one));
    episode.end.is_some_and(|end| {
        apart(end.latest, verdict.latest.max(episode.begin.latest)) <= Duration::from_millis(1)
    })
}

#[test]
#[ignore = "needs root, for its control, and takes 90 s; run by tests/run"]
fn two_hundred_kills_lose_no_finished_episode() {
    let programs: Vec<_> =
        (0..PROGRAMS).map(|block| thread::spawn(move || killed(block))).collect();
    let finished: usize = programs.into_iter().map(|program| program.join().unwrap()).sum();
    assert!(finished >= PROGRAMS as usize, "only {finished} episodes were finished");
}

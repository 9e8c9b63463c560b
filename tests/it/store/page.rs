//! What the page shows after a kill: the outage of before, and that nobody watched in between.

use crate::support::episodes::of_country;
use crate::support::{Program, TIMEOUT, TempDir, get, lifesign, signal, until};
use lifesign_store::FILE_NAME;
use std::{
    net::UdpSocket,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// A host that answers DNS questions while it is lit, and its port.
fn host(lit: &Arc<AtomicBool>) -> u16 {
    let socket = UdpSocket::bind("127.48.1.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let lit = lit.clone();
    thread::spawn(move || {
        let mut question = [0; 512];
        loop {
            let (length, from) = socket.recv_from(&mut question).unwrap();
            if lit.load(Ordering::Relaxed) {
                // The question with the bit of an answer (RFC 1035 §4.1.1).
                question[2] |= 0x80;
                socket.send_to(&question[..length], from).unwrap();
            }
        }
    });
    port
}

fn block(number: u8, port: u16) -> String {
    format!(
        "[[country.block]]\nprefix = \"127.48.{number}.0/24\"\n\
         hosts = [{{ host = \"127.48.{number}.1\", probes = [{{ probe = \"dns/kptc.kp/SOA\", port = {port} }}] }}]\n"
    )
}

#[test]
fn the_page_shows_what_was_before_a_kill() {
    let temp_dir = TempDir::new("page-recalls");
    let lit = Arc::new(AtomicBool::new(true));
    let port = host(&lit);
    let plan = |blocks: &[String]| {
        format!(
            "vantage = \"test\"\n[budget]\nper_block = \"8/s\"\n[judge]\noutage_after = \"10s\"\n\
             [[country]]\ncode = \"KP\"\nname = \"Test\"\n{}",
            blocks.concat()
        )
    };
    let old = temp_dir.put("plan.toml", plan(&[block(1, port)]));
    let state = temp_dir.path("state");
    let run = |plan: &str| {
        Program::start(lifesign(&[
            "--config",
            plan,
            "--listen",
            "127.0.0.1:0",
            "--state-dir",
            &state,
        ]))
    };
    let mut watch = run(&old);
    watch.verdict(TIMEOUT, "KP", "up");
    lit.store(false, Ordering::Relaxed);
    watch.verdict(TIMEOUT, "KP", "down");
    watch.verdict(TIMEOUT, "KP", "outage");
    until(TIMEOUT, "the outage in the store", || match of_country(&state, "outage").len() {
        1 => Ok(()),
        other => Err(other.to_string()),
    });
    signal("KILL", watch.id());
    watch.end(TIMEOUT);

    // A row that makes no sense, and a plan in which the block has another number.
    let base = rusqlite::Connection::open(temp_dir.join("state").join(FILE_NAME)).unwrap();
    let gone = "INSERT INTO episode (scope, found, country, state, begin_earliest, begin_latest, unseen, evidence) \
                SELECT 'AA', found, country, 'gone', begin_earliest, begin_latest, 0, '' \
                FROM episode WHERE scope = 'KP' AND state = 'outage'";
    assert_eq!(base.execute(gone, []).unwrap(), 1);
    drop(base);
    // So long nobody watches.
    thread::sleep(Duration::from_secs(2));
    // From now on it answers: this run itself sees no outage.
    lit.store(true, Ordering::Relaxed);
    let mut watch = run(&temp_dir.put("new.toml", plan(&[block(0, port), block(1, port)])));
    let address = watch.address();
    // The country, the new block, the old one; in words.
    let shown = |page: &str| -> Vec<bool> {
        let strips = page.split("<svg class=\"strip").skip(1);
        strips
            .map(|strip| strip.split('>').next().is_some_and(|words| words.contains(" outage ")))
            .collect()
    };
    // The first page may be made before the store knows of this run.
    let page = until(TIMEOUT, "the outage on the page", || match get(address, "/KP").body {
        page if shown(&page).contains(&true) && page.contains("not watched") => Ok(page),
        page => Err(page),
    });
    assert_eq!(shown(&page), [true, false, true], "{page}");
    assert!(page.contains("/incident/") && page.contains("unreachable for "), "{page}");
    watch.verdict(TIMEOUT, "KP", "up");
    assert_eq!(watch.terminate().code(), Some(0));
    let told = |line: &&String| line.contains("make no sense, and are passed over: 1; the first: ");
    assert_eq!(watch.err.iter().filter(told).count(), 1, "{}", watch.said());
}

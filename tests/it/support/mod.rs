//! What the tests share, each thing once.

pub mod browser;
pub mod chain;
pub mod country;
pub mod dark_periods;
pub mod dns_server;
pub mod episodes;
pub mod faketime;
pub mod golden;
pub mod http;
pub mod machine;
pub mod manual;
pub mod namespace;
pub mod one_probe;
pub mod own_process;
pub mod page_server;
pub mod program;
pub mod prometheus;
pub mod temp_dir;
pub mod roster;
pub mod schema;
pub mod scraped;
pub mod snapshot;
pub mod verdict;
pub mod watched_world;
pub mod week;

pub use http::{Answer, ask, get, values};
pub use program::{LIFESIGN, Program, done, lifesign, quiet, signal};
pub use temp_dir::TempDir;
pub use verdict::Verdict;

use lifesign_clock::Clock;
use std::{thread, time::Duration};

/// The lab's plan, as everybody gets it.
pub const LAB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/targets.toml");

/// Longer than any step takes on a machine that is busy with many other things.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Waits until an answer is good, looking ten times a second.
pub fn until<T>(within: Duration, what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let clock = Clock::start();
    let end = clock.now() + within;
    loop {
        match look() {
            Ok(found) => return found,
            Err(last) if clock.now() > end => panic!("no {what} within {within:?}: {last}"),
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

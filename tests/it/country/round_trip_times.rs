//! Round-trip times beside processes that take the processor away. Other simulated countries would
//! keep this one from looking at its own clock, so `tests/run` runs it after all other tests.

use crate::support::{
    TempDir,
    country::{PORT, WatchedCountry},
};
use lifesign_core::scopes::Kind;
use std::time::Duration;

/// Round-trip times in milliseconds by kind of probe, as the journal has them, sorted.
fn journalled(temp_dir: &TempDir, probe: &str) -> Vec<f64> {
    let journal = std::fs::read_to_string(temp_dir.join(format!("journal-{PORT}"))).unwrap();
    let rtt = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let answered = ["reply", "refused", "late"].contains(&line["result"].as_str()?);
        (answered && line["probe"].as_str()?.starts_with(probe)).then(|| line["rtt_ms"].as_f64())?
    };
    let mut rtts: Vec<f64> = journal.lines().filter_map(rtt).collect();
    rtts.sort_by(f64::total_cmp);
    rtts
}

/// Two processes that never rest.
struct Spin(Vec<std::process::Child>);

impl Spin {
    fn begin() -> Self {
        let one = || {
            std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap()
        };
        Self((0..2).map(|_| one()).collect())
    }
}

impl Drop for Spin {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
#[ignore = "needs root, and no other test beside it; run by tests/run"]
fn round_trip_times_are_true_on_a_busy_machine() {
    let mut watched = WatchedCountry::from_text(
        "rtt",
        r#"
        story = "everybody answers, sooner or later"
        start = "2024-03-01T00:00:00Z"
        duration = "1h"
        weather = { rtt = "40ms", jitter = "10ms" }
        [[country]]
        code = "KP"
        blocks = ["127.45.176.0/24", "127.45.177.0/24", "127.45.178.0/24", "127.45.179.0/24"]
        hosts = 60
        probes = ["icmp", "tcp/80", "dns/kptc.kp/SOA"]
        "#,
        false,
        "budget.per_block = \"250/s\"",
    );
    let spin = Spin::begin();
    watched.program.listen(Duration::from_secs(30));
    watched.silence(Duration::from_secs(2), &[]);
    drop(spin);
    watched.program.terminate();
    let ledger = watched.country.ledger();
    let mut apart = Vec::new();
    for (kind, probe) in [(Kind::Icmp, "icmp"), (Kind::Tcp, "tcp"), (Kind::Dns, "dns")] {
        let measured = journalled(&watched.temp_dir, probe);
        let true_ones = ledger.rtts(kind);
        assert_eq!(measured.len(), true_ones.len(), "{probe}");
        assert!(measured.len() > 5000, "{probe}: {}", measured.len());
        for share in [0.5, 0.99] {
            let at = (measured.len() as f64 * share) as usize;
            apart.push((probe, share, measured[at], measured[at] - true_ones[at]));
        }
    }
    // Without optimisation each packet costs a good part of a millisecond by itself.
    let within = if cfg!(debug_assertions) { 4.0 } else { 1.0 };
    assert!(
        apart.iter().all(|(.., apart)| apart.abs() < within),
        "kind, quantile, measured and apart (ms): {apart:?}"
    );
}

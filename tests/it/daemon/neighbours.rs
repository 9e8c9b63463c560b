//! A whole run in which a country answers from other addresses than those that were asked.

use crate::support::{
    LIFESIGN, Program, TIMEOUT, TempDir, done, lifesign, namespace::World, until, values,
};
use std::time::Duration;

const BLOCK: &str = "KP 10.45.176.0/24";

const PLAN: &str = r#"
vantage = "test"
controls = ["10.45.1.53"]
[budget]
per_block = "4/s"
[judge]
outage_after = "10s"
[[country]]
code = "KP"
[[country.block]]
prefix = "10.45.176.0/24"
hosts = [
  { host = "10.45.176.15", probes = ["icmp"] },
  { host = "10.45.176.16", probes = ["icmp"] },
  { host = "10.45.176.17", probes = ["icmp"] },
]
[[country.block]]
prefix = "10.45.177.0/24"
hosts = [{ host = "10.45.177.15", probes = ["icmp"] }]
"#;

#[test]
#[ignore = "needs root; run by tests/run"]
fn another_address_keeps_its_block_alive_and_a_stranger_does_not() {
    let world = World::new();
    let temp_dir = TempDir::new("neighbours");
    let plan = temp_dir.put("plan.toml", PLAN);
    let journal = temp_dir.path("journal.jsonl");
    let run = [LIFESIGN, "run", "--config", &plan, "--record", &journal];
    let mut watch = Program::start(world.vantage.command(&run));
    for scope in [BLOCK, "KP"] {
        watch.verdict(TIMEOUT, scope, "up");
    }
    // Long enough to know every host.
    watch.listen(Duration::from_secs(8));
    world.country.sh("nft add table ip lab
         nft add chain ip lab output '{ type filter hook output priority 0; }'");
    // Of an echo reply the checksum does not cover the source (RFC 792).
    let answer_from = |address: &str| {
        world.country.sh(&format!(
            "nft flush chain ip lab output
             nft add rule ip lab output ip saddr 10.45.176.0/24 ip saddr set {address}"
        ));
    };
    answer_from("10.45.176.1");
    watch.verdict(TIMEOUT, BLOCK, "partial");
    let block = r#"block="10.45.176.0/24""#;
    until(TIMEOUT, "neighbours", || {
        let metrics = world.vantage.get("/metrics").body;
        let outcomes = [block, r#"outcome="neighbour""#];
        let neighbours = values(&metrics, "lifesign_probe_outcomes_total", &outcomes);
        if neighbours.iter().any(|&count| count > 40.0) { Ok(()) } else { Err(metrics) }
    });
    answer_from("10.45.180.1");
    watch.verdict(TIMEOUT, BLOCK, "down");
    watch.verdict(TIMEOUT, BLOCK, "outage");
    let metrics = world.vantage.get("/metrics").body;
    let rejected = values(&metrics, "lifesign_rejected_total", &[r#"reason="wrong_source""#]);
    assert!(rejected.iter().any(|&count| count > 10.0), "{metrics}");
    assert!(watch.terminate().success());
    let states = |lines: &[String]| -> Vec<String> {
        lines.iter().filter(|line| line.contains(BLOCK)).cloned().collect()
    };
    let (code, out, err) = done(lifesign(&["replay", &journal, "--config", &plan]));
    assert_eq!(code, 0, "{err}");
    let again: Vec<String> = out.lines().map(str::to_owned).collect();
    assert_eq!(states(&again), states(&watch.out), "a replay judges the same");
    let lines = std::fs::read_to_string(&journal).unwrap();
    let neighbour = r#""result":"neighbour""#;
    let of = lines.lines().filter(|line| line.contains(neighbour));
    assert!(of.clone().count() > 40);
    assert!(of.into_iter().all(|line| line.contains(r#""from":"10.45.176.1""#)));
}

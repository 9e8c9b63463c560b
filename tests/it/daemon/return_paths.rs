//! A whole run that sees the path back from a country become longer.

use crate::support::{
    LIFESIGN, Program, TIMEOUT, TempDir, done, lifesign,
    namespace::{World, plan},
    until,
};

const BLOCKS: [u8; 4] = [176, 177, 178, 179];

#[test]
#[ignore = "needs root; run by tests/run"]
fn a_return_path_that_moves_is_told_once_for_each_block() {
    let world = World::new();
    let temp_dir = TempDir::new("return_paths");
    let fast = plan("60s").replace("[judge]", "[budget]\nper_block = \"4/s\"\n[judge]");
    let fast = temp_dir.put("plan.toml", fast);
    let journal = temp_dir.path("journal.jsonl");
    let run = [LIFESIGN, "run", "--config", &fast, "--record", &journal];
    let mut watch = Program::start(world.vantage.command(&run));
    watch.verdict(TIMEOUT, "KP", "up");
    // Of every block.
    let shows = |hop_limit: u8, changes: u8| {
        until(TIMEOUT, "hop limit", || {
            let metrics = world.vantage.get("/metrics").body;
            let has = |wanted: &str| metrics.lines().any(|line| line == wanted);
            let all = BLOCKS.map(|number| {
                let block = format!("{{country=\"KP\",block=\"10.45.{number}.0/24\"}}");
                has(&format!("lifesign_block_reply_hop_limit{block} {hop_limit}"))
                    && has(&format!("lifesign_return_path_changes_total{block} {changes}"))
            });
            if all == [true; 4] { Ok(()) } else { Err(metrics) }
        });
    };
    // One router is on the way.
    shows(63, 0);
    world.country.sh("echo 60 > /proc/sys/net/ipv4/ip_default_ttl");
    for number in BLOCKS {
        let wanted = format!(
            " KP 10.45.{number}.0/24 return path moved: replies come with hop limit 59, before \
             with 63"
        );
        watch.line(TIMEOUT, &wanted, |line| line.ends_with(&wanted).then_some(()));
    }
    shows(59, 1);
    let state = world.vantage.get("/api/v1/state").body;
    assert!(state.contains("\"reply_hop_limit\":59,\"return_path_changes\":1"), "{state}");
    let kept = std::fs::read_to_string(&journal).unwrap();
    assert!(kept.contains("\"hop_limit\":63") && kept.contains("\"hop_limit\":59"));
    assert_eq!(watch.terminate().code(), Some(0));
    let of_paths = |line: &&str| line.contains("return path moved");
    let said: Vec<&str> = watch.out.iter().map(|line| &**line).filter(of_paths).collect();
    assert_eq!(said.len(), 4, "{said:?}");
    let (code, out, err) = done(lifesign(&["replay", &journal, "--config", &fast]));
    assert_eq!((code, &*err), (0, ""));
    assert_eq!(out.lines().filter(of_paths).collect::<Vec<_>>(), said, "replayed");
}

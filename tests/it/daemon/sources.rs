//! A whole run whose blocks are asked from an interface, and from an address that comes later.

use crate::support::{
    LIFESIGN, Program, TIMEOUT, TempDir,
    namespace::{ROUTER, World, join},
    until,
};

const PLAN: &str = r#"
vantage = "test"
controls = ["10.45.1.53"]
source = "uplink"
dscp = 8
[budget]
per_block = "4/s"
[[country]]
code = "KP"
[[country.block]]
prefix = "10.45.176.0/24"
hosts = [
  { host = "10.45.176.15", probes = ["icmp", "tcp/9"] },
  { host = "10.45.176.16", probes = ["icmp"] },
]
[[country.block]]
prefix = "10.45.177.0/24"
source = "10.45.7.9"
hosts = [
  { host = "10.45.177.15", probes = ["icmp", "tcp/9"] },
  { host = "10.45.177.16", probes = ["icmp"] },
]
"#;

#[test]
#[ignore = "needs root; run by tests/run"]
fn a_block_is_asked_whenever_its_source_is_there() {
    let world = World::new();
    let temp_dir = TempDir::new("sources");
    let plan = temp_dir.put("plan.toml", PLAN);
    let run = [LIFESIGN, "run", "--config", &plan];
    let mut watch = Program::start(world.vantage.command(&run));
    watch.line(TIMEOUT, "a note", |line| {
        line.contains("this machine has no 10.45.7.9: until").then_some(())
    });
    watch.verdict(TIMEOUT, "KP 10.45.176.0/24", "up");
    let shows = |what: &str, lines: &[&str]| {
        until(TIMEOUT, what, || {
            let metrics = world.vantage.get("/metrics").body;
            let has = |line: &&str| metrics.lines().any(|each| each == format!("lifesign_{line}"));
            let all = lines.iter().all(has);
            if all { Ok(()) } else { Err(metrics) }
        });
    };
    let controlled = "control_up{control=\"10.45.1.53\"} 1";
    let unknown =
        "block_unknown_info{country=\"KP\",block=\"10.45.177.0/24\",reason=\"no_source\"} 1";
    shows("reason, and no answer of the control", &[controlled, unknown]);
    world.router.sh("ip route add 10.45.7.9/32 via 10.45.0.2");
    world.vantage.sh("ip addr add 10.45.7.9/32 dev lo");
    watch.verdict(TIMEOUT, "KP 10.45.177.0/24", "up");

    // The interface is made anew, and with it another index.
    world.vantage.sh("ip link del uplink");
    shows("loss of the control", &["control_up{control=\"10.45.1.53\"} 0"]);
    let address = format!("{ROUTER}/30");
    join([(&world.router, "toward", &address), (&world.vantage, "uplink", "10.45.0.2/30")]);
    world.router.sh("ip route add 10.45.7.9/32 via 10.45.0.2");
    world.vantage.sh(&format!("ip route add default via {ROUTER}"));
    let up = |block| format!("block_state{{country=\"KP\",block=\"{block}\",state=\"up\"}} 1");
    shows("return", &[controlled, &up("10.45.176.0/24"), &up("10.45.177.0/24")]);
}

/// At first the router says so, from then on our own kernel, which has learned it.
#[test]
#[ignore = "needs root; run by tests/run"]
fn what_does_not_fit_through_a_router_is_a_fault_of_ours_and_no_outage() {
    let world = World::new();
    world.router.sh("ip link set border mtu 900");
    let temp_dir = TempDir::new("too_large");
    let plan = PLAN.replace("source = \"uplink\"\ndscp = 8", "df = true\nsize = 1000");
    let plan = plan.replace("source = \"10.45.7.9\"\n", "size = 800\n").replace(", \"tcp/9\"", "");
    let plan = temp_dir.put("plan.toml", plan);
    let journal = temp_dir.path("journal.jsonl");
    let run = [LIFESIGN, "run", "--config", &plan, "--record", &journal];
    let mut watch = Program::start(world.vantage.command(&run));
    watch.verdict(TIMEOUT, "KP 10.45.177.0/24", "up");
    let wanted = "lifesign_block_unknown_info{country=\"KP\",block=\"10.45.176.0/24\",reason=\"too_large\"} 1";
    until(TIMEOUT, "reason", || {
        let metrics = world.vantage.get("/metrics").body;
        if metrics.lines().any(|line| line == wanted) { Ok(()) } else { Err(metrics) }
    });
    let journal = std::fs::read_to_string(journal).unwrap();
    let of_block = journal.lines().filter(|line| line.contains("\"host\":\"10.45.176."));
    for line in of_block {
        assert!(line.contains("\"result\":\"not_sent\",\"why\":\"too_large\""), "{line}");
    }
}

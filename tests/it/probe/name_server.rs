//! A real name server: nsd answers DNS probes, and resolves the names of a plan.

use crate::support::{Program, TIMEOUT, TempDir, get, lifesign, quiet, until, values};
use std::process::Command;

/// Where nsd listens. A port of its own on an address that no other test uses.
const SERVER: &str = "127.45.190.53";
const PORT: u16 = 15353;

const ZONE: &str = "\
$ORIGIN kptc.kp.
$TTL 60
@ SOA ns1 admin 2014122201 3600 600 86400 60
@ NS ns1
ns1 A 127.45.190.53
two A 127.45.190.11
two A 127.45.190.12
outside A 127.45.200.1
";

#[test]
#[ignore = "needs nsd; run by tests/run"]
fn nsd_answers_probes_and_resolves_the_names_of_a_plan() {
    let temp_dir = TempDir::new("nsd");
    let zone = temp_dir.put("kptc.kp.zone", ZONE);
    let state = |name: &str| temp_dir.path(name);
    let settings = format!(
        "server:\n  ip-address: {SERVER}@{PORT}\n  username: \"\"\n  chroot: \"\"\n  hide-version: yes\n  \
         pidfile: \"{}\"\n  database: \"\"\n  zonelistfile: \"{}\"\n  xfrdfile: \"{}\"\n  xfrdir: \"{}\"\n  \
         server-count: 1\n\
         remote-control:\n  control-enable: no\n\
         zone:\n  name: kptc.kp\n  zonefile: \"{zone}\"\n",
        state("nsd.pid"),
        state("zone.list"),
        state("xfrd.state"),
        std::env::temp_dir().display(),
    );
    let config = temp_dir.put("nsd.conf", settings);
    let mut server = Program::start(quiet(Command::new("nsd"), &["-d", "-c", &config]));
    let dns = |name: &str, more: &str| format!("{{ probe = \"dns/{name}\", port = {PORT}{more} }}");
    let plan = format!(
        "vantage = \"test\"\ncontrols = [\"127.0.0.1\"]\nresolver = [\"{SERVER}:{PORT}\"]\n\
         [budget]\nper_block = \"20/s\"\n\
         [[country]]\ncode = \"KP\"\n[[country.block]]\nprefix = \"127.45.190.0/24\"\nhosts = [\n  \
         {{ host = \"{SERVER}\", probes = [{}, {}, {}, {}] }},\n  \
         {{ host = \"two.kptc.kp\", probes = [\"tcp/9\"] }},\n  \
         {{ host = \"outside.kptc.kp\", probes = [\"tcp/9\"] }},\n  \
         {{ host = \"none.kptc.kp\", probes = [\"tcp/9\"] }},\n]\n",
        dns("kptc.kp/SOA", ""),
        dns("none.kptc.kp/A", ""),
        dns("ns1.kptc.kp/A", ", expect = \"127.45.190.53\""),
        dns("two.kptc.kp/A", ", expect = \"127.45.190.99\""),
    );
    let plan = temp_dir.put("plan.toml", plan);
    let journal = temp_dir.path("journal.jsonl");
    let arguments = ["--config", &plan, "--listen", "127.0.0.1:0", "--record", &journal];
    let mut watch = Program::start(lifesign(&arguments));
    let address = watch.address();
    watch.verdict(TIMEOUT, "KP 127.45.190.0/24", "up");
    // Each kind of answer has been had a few times, on whichever of the targets.
    until(TIMEOUT, "answers of every kind", || {
        let metrics = get(address, "/metrics").body;
        let count =
            |name: &str, label: &str| -> f64 { values(&metrics, name, &[label]).iter().sum() };
        let found = [
            count("lifesign_dns_answers_total", "rcode=\"NOERROR\""),
            count("lifesign_dns_answers_total", "rcode=\"NXDOMAIN\""),
            count("lifesign_probes_unexpected_total", "probe=\"dns\""),
            count("lifesign_probe_outcomes_total", "outcome=\"refused\""),
            count("lifesign_not_sent_total", "reason=\"unresolved\""),
            count("lifesign_not_sent_total", "reason=\"outside_block\""),
        ];
        if found.iter().all(|&found| found >= 2.0) { Ok(()) } else { Err(format!("{found:?}")) }
    });
    assert!(watch.terminate().success());
    assert!(server.terminate().success());
    let lines = std::fs::read_to_string(&journal).unwrap();
    let of = |wanted: &[&str]| {
        lines.lines().filter(|line| wanted.iter().all(|part| line.contains(part))).count()
    };
    assert!(of(&["dns/kptc.kp/SOA", "\"result\":\"reply\"", "\"code\":0"]) >= 2, "{lines}");
    assert!(of(&["dns/none.kptc.kp/A", "\"result\":\"reply\"", "\"code\":3"]) >= 2, "{lines}");
    assert_eq!(of(&["dns/ns1.kptc.kp/A", "\"unexpected\":true"]), 0, "{lines}");
    assert_eq!(
        of(&["dns/two.kptc.kp/A", "\"result\":\"reply\""]),
        of(&["dns/two.kptc.kp/A", "unexpected"])
    );
    // A refusal by the addresses that the name has now: alive, by its name.
    assert!(of(&["two.kptc.kp", "tcp/9", "\"result\":\"refused\""]) >= 2, "{lines}");
    assert_eq!(of(&["\"host\":\"outside.kptc.kp\"", "\"result\":\"refused\""]), 0, "{lines}");
}

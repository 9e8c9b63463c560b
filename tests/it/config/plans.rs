//! Plans, good and bad. Each `tests/data/bad/NAME.toml` must yield exactly
//! `tests/data/bad/NAME.txt`.

use crate::support::TempDir;
use lifesign::{config::Plan, probe::ProbeSpec};
use lifesign_core::{
    scopes::{BlockId, CountryId, Host, NetworkId},
    time::Time,
};
use lifesign_export::metric_sets::{MetricSet, MetricSets};
use proptest::prelude::*;
use std::{fs, path::Path, time::Duration};

const LAB: &str = include_str!("../../../targets.toml");

/// What a plan file that must be refused says, with its file called `name`.
fn refusal(path: &Path, name: &str) -> String {
    let Err(mut problems) = Plan::load(path) else { panic!("{} was accepted", path.display()) };
    assert_eq!(problems.file, path.display().to_string());
    name.clone_into(&mut problems.file);
    // Host files lie beside it.
    problems.to_string().replace("tests/data/bad/", "")
}

#[test]
fn each_bad_plan_says_what_is_wrong_and_what_would_be_right() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for entry in fs::read_dir("tests/data/bad").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            seen += 1;
            let expected = fs::read_to_string(path.with_extension("txt")).unwrap();
            let found = refusal(&path, path.file_name().unwrap().to_str().unwrap());
            if expected.trim_end() != found {
                wrong.push(format!("{}\n expected:\n{expected}\n found:\n{found}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(seen >= 60, "only {seen} bad plans were found");
}

#[test]
fn each_expectation_has_its_plan() {
    for entry in fs::read_dir("tests/data/bad").unwrap() {
        let path = entry.unwrap().path();
        assert!(path.with_extension("toml").exists(), "{} expects nothing", path.display());
    }
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let temp_dir = TempDir::new("plans");
    let missing = temp_dir.join("there-is-no-such-plan.toml");
    assert_eq!(refusal(&missing, "p"), "p: no such file; give the path of one that exists");
    assert_eq!(refusal(&temp_dir, "p"), "p: this is a directory; give the path of a file in it");
}

#[test]
fn more_than_any_plan_has_makes_one_line() {
    let temp_dir = TempDir::new("junk");
    let path = temp_dir.join("junk.toml");
    fs::write(&path, "#\n".repeat((64 << 20) + 1)).unwrap();
    assert_eq!(
        refusal(&path, "p"),
        "p: longer than 128 MiB; such a file is never right here: split it, or give another path"
    );
}

#[test]
fn as_much_junk_as_is_read_makes_twenty_lines_and_a_count() {
    let junk = "= [ ' \" #\n".repeat((4 << 20) / 10);
    let text = Plan::parse("p", &junk).unwrap_err().to_string();
    assert_eq!(text.lines().count(), 21);
    assert!(text.ends_with(" more"), "{text}");
}

#[test]
fn the_lab_is_what_it_says() {
    let plan =
        Plan::load(Path::new("targets.toml")).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(
        plan.to_string(),
        "1 country, 4 blocks, 21 hosts, 54 targets (21 icmp, 29 tcp, 4 dns); 1.00 probes/s, with escalations 1.16 probes/s on average at most; 1 control\n\
         KP North Korea (lab): 4 blocks\n  \
         127.45.176.0/24: 11 hosts, 29 targets (11 icmp, 14 tcp, 4 dns)\n  \
         127.45.177.0/24: 3 hosts, 7 targets (3 icmp, 4 tcp)\n  \
         127.45.178.0/24: 5 hosts, 12 targets (5 icmp, 7 tcp)\n  \
         127.45.179.0/24: 2 hosts, 6 targets (2 icmp, 4 tcp)"
    );
    assert_eq!(plan.warnings(Time::default()), Vec::<String>::new());
    assert_eq!((plan.vantage.as_str(), plan.rules.outage_after), ("lab", Duration::from_secs(60)));
    assert_eq!((plan.budget.base, plan.budget.total), (0.25, Some(50.0)));
    assert_eq!(plan.metrics, MetricSet::ALL.into());
    assert_eq!(plan.metrics_in_words(), "metrics: all");
}

#[test]
fn a_large_plan_has_the_metrics_that_it_asks_for() {
    let plan = |blocks: u32, hosts: u32, more: &str| {
        let mut text = format!("vantage = \"lab\"\n{more}\n[[country]]\ncode = \"XA\"\n");
        for block in 0..blocks {
            let prefix = format!("127.45.{block}");
            let hosts: Vec<String> =
                (1..=hosts).map(|host| format!("\"{prefix}.{host}\"")).collect();
            let hosts = hosts.join("}, { probes = [\"icmp\"], host = ");
            text.extend([
                format!("[[country.block]]\nprefix = \"{prefix}.0/24\"\n"),
                format!("hosts = [{{ probes = [\"icmp\"], host = {hosts} }}]\n"),
            ]);
        }
        Plan::parse("plan", &text).unwrap_or_else(|problems| panic!("{problems}")).metrics
    };
    assert_eq!(plan(50, 10, ""), MetricSet::ALL.into());
    assert!(!plan(50, 11, "").contains(&MetricSet::Hosts));
    assert!(plan(50, 11, "").contains(&MetricSet::States));
    assert_eq!(plan(51, 1, ""), MetricSets::new());
    assert_eq!(plan(51, 1, "metrics.states = true"), [MetricSet::States].into());
    assert!(!plan(1, 1, "metrics.states = false").contains(&MetricSet::States));
}

/// Whoever takes a comment's sign away has a key, and no error.
#[test]
fn every_key_in_a_comment_of_the_lab_is_a_key() {
    let mut keys = 0;
    let is_key = |line: &str| {
        let key = line.split_once(" = ").map_or("", |(key, _)| key);
        !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let of_the_plan = LAB.lines().take_while(|line| !line.starts_with("[["));
    for (number, line) in of_the_plan.enumerate() {
        let Some(key) = line.strip_prefix("# ").filter(|rest| is_key(rest)) else { continue };
        let mut lines: Vec<&str> = LAB.lines().collect();
        // What is in brackets behind it is another way to write it.
        lines[number] = key.split(" (or ").next().unwrap();
        let problems = Plan::parse("lab", &lines.join("\n")).err().map(|all| all.to_string());
        let problems = problems.unwrap_or_default();
        assert!(!problems.contains("unknown key"), "{line}: {problems}");
        keys += 1;
    }
    assert!(keys >= 7, "only {keys}");
}

#[test]
fn the_lab_sends_nothing_beyond_this_machine() {
    let plan = Plan::parse("lab", LAB).unwrap();
    assert!(plan.controls.iter().all(std::net::IpAddr::is_loopback));
    for target in &plan.roster.targets {
        assert!(
            matches!(target.host, Host::Address(address) if address.is_loopback()),
            "{}",
            target.host
        );
    }
}

#[test]
fn the_example_mirrors_the_lab_and_needs_a_control_of_its_own() {
    let lab = Plan::parse("lab", LAB).unwrap();
    let example = Plan::load(Path::new("deploy/targets/kp.toml"))
        .unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(lab.roster.targets.len(), example.roster.targets.len());
    for (here, there) in lab.roster.targets.iter().zip(&example.roster.targets) {
        assert_eq!(here.host.to_string().replace("127.45.", "175.45."), there.host.to_string());
        assert_eq!(here.probe, there.probe);
    }
    assert_eq!(example.controls, ["192.0.2.1".parse::<std::net::IpAddr>().unwrap()]);
}

#[test]
fn ipv6_names_and_options_are_read() {
    let plan = Plan::load(Path::new("tests/data/good/v6.toml"))
        .unwrap_or_else(|problems| panic!("{problems}"));
    let last = plan.roster.targets.last().unwrap();
    assert_eq!(last.host, Host::Name("ns1.example.net".into()));
    assert_eq!(
        (&*last.probe, last.interval()),
        ("dns/example.net/SOA", Some(Duration::from_secs(3600)))
    );
    let Some(ProbeSpec::Dns(spec)) = plan.specs.iter().last() else { panic!("{:?}", plan.specs) };
    assert_eq!(
        (spec.port, spec.expect.as_deref()),
        (5353, Some("ns1.example.net. admin.example.net. 1 3600 600 86400 300"))
    );
    assert_eq!(
        plan.resolver,
        ["[::1]:53".parse().unwrap(), "[2001:db8::53]:5353".parse().unwrap()]
    );
    assert_eq!((plan.budget.base, plan.budget.total), (0.25, Some(2.0)));
    assert_eq!(
        plan.metrics_in_words(),
        "metrics: without hosts; [metrics] in the plan can add them"
    );
    assert_eq!(
        plan.warnings(Time::default()),
        [
            "control ::1 is this machine: it answers even when our network is down",
            "2001:db8:1::/48: nobody on the Internet has an address there, which is for examples or protocols (RFC 6890)",
        ]
    );
}

#[test]
fn networks_stand_between_a_country_and_its_blocks() {
    let plan = Plan::load(Path::new("tests/data/good/networks.toml"))
        .unwrap_or_else(|problems| panic!("{problems}"));
    assert_sound(&plan);
    assert_eq!(
        plan.to_string(),
        "2 countries, 5 blocks, 5 hosts, 5 targets (4 icmp, 1 tcp); 1.25 probes/s, with escalations 1.45 probes/s on average at most; 1 control\n\
         XA Example: 2 networks, 4 blocks\n  \
           203.0.113.0/24: 1 host, 1 target (1 icmp)\n  \
           Example Telecom (AS64496): 2 blocks\n    \
             198.18.0.0/24: 1 host, 1 target (1 icmp)\n    \
             198.18.1.0/24: 1 host, 1 target (1 tcp)\n  \
           North: 1 block\n    \
             198.18.2.0/24: 1 host, 1 target (1 icmp)\n\
         XB XB: 1 network, 1 block\n  \
           Example Telecom (AS4294967295): 1 block\n    \
             198.18.3.0/24: 1 host, 1 target (1 icmp)"
    );
    let networks: Vec<_> = plan
        .roster
        .networks
        .iter()
        .map(|network| (network.country.0, &*network.name, network.asn, network.blocks.clone()))
        .collect();
    assert_eq!(
        networks,
        [
            (0, "Example Telecom", Some(64_496), 1..3),
            (0, "North", None, 3..4),
            (1, "Example Telecom", Some(u32::MAX), 4..5)
        ]
    );
}

#[test]
fn labels_are_those_of_their_scope_and_of_each_target_of_their_host() {
    let plan = Plan::load(Path::new("tests/data/good/labels.toml"))
        .unwrap_or_else(|problems| panic!("{problems}"));
    let of_scopes: Vec<String> =
        plan.roster.scopes().map(|scope| plan.roster.labels_of(scope).to_string()).collect();
    assert_eq!(
        of_scopes,
        ["", "site: Pyongyang", "operator: Star JV <b>", "asn: 64500, region: north \"and\" south"]
    );
    let of_targets: Vec<String> =
        plan.roster.targets.iter().map(|target| target.labels().to_string()).collect();
    assert_eq!(of_targets, ["role: mail", "role: mail", "", ""]);
}

#[test]
fn a_window_of_maintenance_names_its_scope_and_its_moments() {
    let plan = Plan::load(Path::new("tests/data/good/maintenance.toml"))
        .unwrap_or_else(|problems| panic!("{problems}"));
    let windows: Vec<_> = plan
        .roster
        .maintenance
        .iter()
        .map(|(scope, window)| {
            let name = plan.roster.full_name_of(*scope);
            (name, window.from.to_string(), window.to.to_string(), window.reason.as_deref())
        })
        .collect();
    let window = |name: &str, from: &str, to: &str, reason| {
        (name.to_owned(), from.to_owned(), to.to_owned(), reason)
    };
    assert_eq!(
        windows,
        [
            window(
                "XA/Example Telecom",
                "2026-03-01T02:00:00.000Z",
                "2026-03-01T06:00:00.000Z",
                Some("a new <b>cable")
            ),
            window("2001:db8::/48", "2026-03-01T02:00:00.500Z", "2026-03-01T03:00:00.000Z", None),
            window("XB", "2026-03-02T00:00:00.000Z", "2026-03-03T00:00:00.000Z", None),
        ]
    );
}

#[test]
fn how_often_each_is_asked_is_said_where_some_have_intervals() {
    let plan = |interval: &str| {
        let text = format!(
            r#"
            vantage = "lab"
            [[country]]
            code = "XA"
            [[country.block]]
            prefix = "192.0.2.0/24"
            hosts = [
              {{ host = "192.0.2.1", probes = [{{ probe = "icmp", interval = "{interval}" }}] }},
              {{ host = "192.0.2.2", probes = ["icmp", "tcp/443"] }},
            ]
            "#
        );
        let text = Plan::parse("p", &text).unwrap().to_string();
        text.rsplit_once("; ").unwrap().1.to_owned()
    };
    assert_eq!(plan("1m"), "192.0.2.1 icmp every 1m, the 2 others every 8.6s each");
    assert_eq!(plan("100ms"), "192.0.2.1 icmp every 5.3s, the 2 others every 32s each");
}

/// IdMapping in the roster are consecutive and point back at what they belong to.
fn assert_sound(plan: &Plan) {
    let roster = &plan.roster;
    assert_eq!(roster.targets.len(), plan.specs.iter().len());
    let mut block = 0;
    let mut target = 0;
    for (number, country) in (0..).zip(&roster.countries) {
        assert_eq!(country.blocks.start, block);
        block = country.blocks.end;
        let mut in_network = roster.direct_blocks(CountryId(number)).end;
        for network in country.networks.clone().map(|id| roster.network(NetworkId(id))) {
            assert_eq!((network.country, network.blocks.start), (CountryId(number), in_network));
            assert!(!network.blocks.is_empty());
            in_network = network.blocks.end;
        }
        assert_eq!(in_network, block);
    }
    for (number, block) in roster.blocks.iter().enumerate() {
        assert_eq!(block.targets.start, target);
        assert!(!block.targets.is_empty());
        target = block.targets.end;
        for target in &roster.targets[block.targets.start as usize..block.targets.end as usize] {
            assert_eq!(target.block, BlockId(number as u32));
        }
    }
    assert_eq!((block as usize, target as usize), (roster.blocks.len(), roster.targets.len()));
    for (target, spec) in roster.targets.iter().zip(plan.specs.iter()) {
        assert_eq!(target.kind, spec.kind());
        assert_eq!(
            ProbeSpec::parse(&target.probe).map(|spec| spec.kind()),
            Ok(target.kind),
            "{}",
            target.probe
        );
    }
}

/// Reads a text that may be anything: a sound plan, or problems that lie in the text, one line
/// each.
fn survives(text: &str) {
    match Plan::parse("p", text) {
        Ok(plan) => assert_sound(&plan),
        Err(problems) => {
            assert!(!problems.list.is_empty() || !problems.included.is_empty());
            assert!(problems.list.is_sorted());
            for problem in &problems.list {
                let line =
                    text.split('\n').nth(problem.line - 1).unwrap_or_else(|| panic!("{problem:?}"));
                assert!((1..=line.chars().count() + 1).contains(&problem.col), "{problem:?}");
            }
            assert!(problems.to_string().lines().count() <= 21);
        }
    }
}

#[test]
fn every_truncation_of_the_lab_is_survived() {
    for (end, _) in LAB.char_indices() {
        survives(&LAB[..end]);
    }
}

proptest! {
    #[test]
    fn every_mutation_of_the_lab_is_survived(
        edits in proptest::collection::vec((0..LAB.len(), 0..3_u8, any::<u8>()), 1..6),
    ) {
        let mut bytes = LAB.as_bytes().to_vec();
        for (at, edit, byte) in edits {
            let at = at % bytes.len();
            match edit {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => {
                    bytes.remove(at);
                }
            }
        }
        survives(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn lines_in_any_order_are_survived(
        order in Just(LAB.lines().collect::<Vec<_>>()).prop_shuffle(),
    ) {
        survives(&order.join("\n"));
    }
}

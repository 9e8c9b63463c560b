//! What the plan says of scopes and of us beyond their names, on the page and in the JSON, and that
//! a new plan changes it.

use crate::support::{
    golden::text,
    page_server::{PageServer, settings},
};
use lifesign::config::Plan;
use lifesign_core::{
    judge::{Edge, State},
    watch::{Settings, Watch},
};
use lifesign_export::ExportSettings;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

fn plan(text: &str) -> Plan {
    Plan::parse("plan", text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The server of a watch that has just begun by this plan.
fn start(plan: &Plan) -> (PageServer, Watch) {
    let begin = "2026-03-01T00:00:00Z".parse().unwrap();
    let watch = Watch::new(plan.roster.clone(), &Settings::default(), begin);
    let server = PageServer::start(Some(watch.snapshot(begin, 0, 0)), settings(None));
    (server, watch)
}

fn state(server: &PageServer) -> Value {
    serde_json::from_str(&server.ask("GET", "/api/v1/state").body).unwrap()
}

/// The page of a country with everything shown.
const ALL_OPEN: &str = "/XA?open=why,XA/Example%20Telecom,203.0.113.0/24,198.18.0.0/24";

#[test]
fn labels_are_beside_the_name_and_a_new_plan_changes_them() {
    let before = text("tests/data/good/labels.toml");
    let (server, mut watch) = start(&plan(&before));
    let page = server.ask("GET", ALL_OPEN).body;
    for part in [
        "<small>XA</small> <small class=\"labels\">asn: 64500, region: north &quot;and&quot; south</small></h1>",
        "198.18.0.0/24</a> <small class=\"labels\">site: Pyongyang</small></span>",
        "Example Telecom (AS64496)</a> <small class=\"labels\">operator: Star JV &lt;b&gt;</small></span>",
        "<b>203.0.113.1 <small class=\"labels\">role: mail</small></b>",
        "<b>203.0.113.2</b>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let country = &state(&server)["countries"][0];
    assert_eq!(country["labels"], json!({ "asn": "64500", "region": "north \"and\" south" }));
    assert_eq!(country["networks"][0]["labels"], json!({ "operator": "Star JV <b>" }));
    assert_eq!(country["blocks"][0]["labels"], json!({}));
    assert_eq!(country["blocks"][1]["labels"], json!({ "site": "Pyongyang" }));
    let of_targets = [0, 1, 2].map(|index| &country["blocks"][0]["targets"][index]["labels"]);
    assert_eq!(of_targets, [&json!({ "role": "mail" }), &json!({ "role": "mail" }), &json!({})]);
    assert!(server.ask("GET", "/metrics").body.contains(
        "\nlifesign_country_info{country=\"XA\",asn=\"64500\",region=\"north \\\"and\\\" south\"} 1\n"
    ));
    let after = plan(&before.replace("operator = \"Star JV <b>\"", "owner = \"KPTC\""));
    let now = "2026-03-01T00:01:00Z".parse().unwrap();
    watch.replan(after.roster.clone(), &Settings::default(), now);
    server.snapshots.send_replace(Some(Arc::new(watch.snapshot(now, 0, 0))));
    assert_eq!(state(&server)["countries"][0]["networks"][0]["labels"], json!({ "owner": "KPTC" }));
    let metrics = server.ask("GET", "/metrics").body;
    assert!(metrics.contains(",asn=\"64496\",owner=\"KPTC\"} 1\n"), "{metrics}");
    assert!(!metrics.contains("operator="), "{metrics}");
}

#[test]
fn a_plan_that_changes_while_the_state_is_asked_for_is_shown_and_not_complained_of() {
    let before = text("tests/data/good/labels.toml");
    let (server, mut watch) = start(&plan(&before));
    let after = plan(&before.replace("198.18.0.", "198.18.1."));
    let now = "2026-03-01T00:01:00Z".parse().unwrap();
    watch.replan(after.roster.clone(), &Settings::default(), now);
    let overtaking = (server.snapshots.clone(), Arc::new(watch.snapshot(now, 0, 0)));
    *server.overtaking.lock().unwrap() = Some(overtaking);
    let answer = server.ask("GET", "/api/v1/state");
    assert!(answer.body.contains("198.18.1.0/24"), "{} {}", answer.code, answer.body);
    assert!(!answer.body.contains("198.18.0.0/24"), "{}", answer.body);
}

#[test]
fn whoever_runs_the_vantage_is_named_at_the_foot_and_in_json() {
    let (server, _) = start(&plan(&text("tests/data/good/labels.toml")));
    assert_eq!(state(&server)["contact"], json!(null));
    assert!(!server.ask("GET", "/").body.contains("Run by"));
    for (contact, shown) in [
        (
            "noc@example.net",
            "<a href=\"mailto:noc@example.net\" rel=\"noreferrer\">noc@example.net</a>",
        ),
        (
            "https://example.net/noc",
            "<a href=\"https://example.net/noc\" rel=\"noreferrer\">https://example.net/noc</a>",
        ),
        ("NOC <noc@example.net>", "NOC &lt;noc@example.net&gt;"),
        ("javascript:alert(1)//@", "javascript:alert(1)//@"),
    ] {
        let told = ExportSettings { contact: Some(contact.into()), ..settings(None) };
        server.settings.send_replace(told);
        let snapshot = server.snapshots.borrow().as_deref().cloned();
        server.snapshots.send_replace(snapshot.map(Arc::new));
        for path in ["/", "/?hold"] {
            let page = server.ask("GET", path).body;
            assert!(page.contains(&format!("<p>Run by {shown}.</p>")), "{path}: {page}");
        }
        assert_eq!(state(&server)["contact"], json!(contact));
    }
}

#[test]
fn a_time_of_a_country_is_told_by_its_own_clocks_too() {
    let text = text("tests/data/good/labels.toml");
    let (server, _) = start(&plan(&text));
    assert_eq!(state(&server)["countries"][0]["timezone"], json!(null));
    assert!(!server.ask("GET", ALL_OPEN).body.contains(" in Asia/"));
    let (server, mut watch) = start(&plan(
        &text.replace("code = \"XA\"", "code = \"XA\"\ntimezone = \"Asia/Pyongyang\""),
    ));
    assert_eq!(state(&server)["countries"][0]["timezone"], json!("Asia/Pyongyang"));
    let page = server.ask("GET", ALL_OPEN).body;
    let there = "before <time datetime=\"2026-03-01T00:00:00.000Z\">2026-03-01 00:00:00</time> UTC \
                 (before <time datetime=\"2026-03-01T09:00:00.000+09:00\">2026-03-01 09:00:00</time> \
                 in Asia/Pyongyang)";
    // The country, its network and both blocks.
    assert_eq!(page.matches(there).count(), 4, "{page}");
    let now = "2026-03-01T16:00:00Z".parse().unwrap();
    let mut snapshot = watch.snapshot(now, 0, 0);
    for scope in &mut snapshot.scopes {
        scope.verdict.state = State::Up;
        scope.verdict.last_life = Some(now);
        scope.verdict.edge = Edge {
            earliest: Some(now - Duration::from_secs(3602)),
            latest: now - Duration::from_secs(3598),
        };
    }
    server.snapshots.send_replace(Some(Arc::new(snapshot)));
    let page = server.ask("GET", ALL_OPEN).body;
    for part in [
        "15:00:02</time> UTC (<time datetime=\"2026-03-01T23:59:58.000+09:00\">2026-03-01 23:59:58</time> to \
         <time datetime=\"2026-03-02T00:00:02.000+09:00\">2026-03-02 00:00:02</time> in Asia/Pyongyang)",
        "last answer to a probe of <time datetime=\"2026-03-01T16:00:00.000Z\">2026-03-01 16:00:00</time> UTC \
         (<time datetime=\"2026-03-02T01:00:00.000+09:00\">2026-03-02 01:00:00</time> in Asia/Pyongyang)",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let plain = plan(&text);
    watch.replan(plain.roster, &Settings::default(), now);
    server.snapshots.send_replace(Some(Arc::new(watch.snapshot(now, 0, 0))));
    assert!(!server.ask("GET", "/").body.contains(" in Asia/"));
}

#[test]
fn maintenance_is_told_while_it_is_open_of_its_scope_and_of_what_lies_in_it() {
    let text = text("tests/data/good/maintenance.toml");
    let (server, mut watch) = start(&plan(&text));
    let show = |watch: &Watch, time: &str| {
        let snapshot = watch.snapshot(time.parse().unwrap(), 0, 0);
        server.snapshots.send_replace(Some(Arc::new(snapshot)));
        server.ask("GET", "/metrics").body
    };
    let open = |metrics: &str| -> Vec<String> {
        let gauges = metrics.lines().filter_map(|line| line.strip_prefix("lifesign_maintenance"));
        assert_eq!(gauges.clone().count(), 6);
        let open = gauges.filter_map(|rest| Some(rest.strip_suffix(" 1")?.to_owned()));
        open.collect::<BTreeSet<_>>().into_iter().collect()
    };
    let network = r#"{country="XA",network="Example Telecom",block=""}"#;
    let of_network = r#"{country="XA",network="",block="198.18.0.0/24"}"#;
    let of_xb = r#"{country="XB",network="",block="2001:db8::/48"}"#;
    let xb = r#"{country="XB",network="",block=""}"#;
    assert_eq!(open(&show(&watch, "2026-03-01T01:59:59Z")), [""; 0]);
    assert!(!server.ask("GET", "/").body.contains("planned"));
    assert_eq!(open(&show(&watch, "2026-03-01T02:00:00Z")), [of_network, network]);
    assert_eq!(open(&show(&watch, "2026-03-01T06:00:00Z")), [""; 0]);
    assert_eq!(open(&show(&watch, "2026-03-02T12:00:00Z")), [xb, of_xb]);
    assert_eq!(open(&show(&watch, "2026-03-01T02:30:00Z")), [of_network, network, of_xb]);
    let page = server.ask("GET", "/XA").body + &server.ask("GET", "/XB").body;
    let of_network = "<span class=\"planned\">planned: a new &lt;b&gt;cable until \
                      <time datetime=\"2026-03-01T06:00:00.000Z\">2026-03-01 06:00:00</time> UTC</span>";
    assert_eq!(page.matches(of_network).count(), 2, "of the network and its block: {page}");
    let of_block = "<span class=\"planned\">planned until \
                    <time datetime=\"2026-03-01T03:00:00.000Z\">2026-03-01 03:00:00</time> UTC \
                    (<time datetime=\"2026-03-01T12:00:00.000+09:00\">2026-03-01 12:00:00</time> in Asia/Pyongyang)</span>";
    assert_eq!(page.matches(of_block).count(), 1, "of the block, not of its country: {page}");
    let countries = &state(&server)["countries"];
    assert_eq!(
        countries[0]["networks"][0]["maintenance"],
        json!({
            "from": "2026-03-01T02:00:00.000Z",
            "to": "2026-03-01T06:00:00.000Z",
            "reason": "a new <b>cable",
        })
    );
    assert_eq!(countries[1]["blocks"][0]["maintenance"]["reason"], json!(null));
    for country in 0..2 {
        assert_eq!(countries[country]["maintenance"], json!(null));
    }
    // A verdict is what it was; a plan without windows has none.
    let now = "2026-03-01T02:30:00Z".parse().unwrap();
    let states = |watch: &Watch| {
        let snapshot = watch.snapshot(now, 0, 0);
        snapshot.scopes.iter().map(|scope| scope.verdict.state).collect::<Vec<_>>()
    };
    let before = states(&watch);
    let (without, _) = text.split_once("[[maintenance]]").unwrap();
    watch.replan(plan(without).roster, &Settings::default(), now);
    assert_eq!(states(&watch), before);
    assert!(!show(&watch, "2026-03-01T02:30:00Z").contains("lifesign_maintenance"));
}

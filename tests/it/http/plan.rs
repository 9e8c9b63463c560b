//! What the plan says of scopes and of us beyond their names, on the page and in the JSON, and that
//! a new plan changes it.

use crate::support::{
    golden::text,
    page_server::{PageServer, settings},
};
use lifesign::config::Plan;
use lifesign_core::watch::{Settings, Watch};
use serde_json::{Value, json};
use std::sync::Arc;

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

#[test]
fn labels_are_beside_the_name_and_a_new_plan_changes_them() {
    let before = text("tests/data/good/labels.toml");
    let (server, mut watch) = start(&plan(&before));
    let page = server.ask("GET", "/").body;
    for part in [
        "<small>XA</small> <small class=\"labels\">asn: 64500, region: north &quot;and&quot; south</small></h2>",
        "198.18.0.0/24 <small class=\"labels\">site: Pyongyang</small></span>",
        "Example Telecom (AS64496) <small class=\"labels\">operator: Star JV &lt;b&gt;</small></span>",
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

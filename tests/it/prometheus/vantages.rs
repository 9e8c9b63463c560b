//! Several vantages: three lifesigns in namespaces of the test's own and a real Prometheus with the
//! rules of deploy/. One path is cut, one vantage is blinded, the country goes dark, a vantage is
//! cut off: each time the rules must say whose fault it is.

use crate::support::{
    self, Program, TIMEOUT, TempDir,
    namespace::{Namespace, World, join, plan},
    prometheus::{Line, Prometheus},
    until,
};
use std::{fs, time::Duration};

pub(super) const COUNTRY: &str = "10.45.176.0/22";
/// The vantages' addresses, in order.
pub(super) const VANTAGES: [&str; 3] = ["10.45.0.2", "10.45.0.10", "10.45.0.14"];
/// How long it takes until every host has answered a few times; see `daemon::outages`.
pub(super) const ACQUAINTANCE: Duration = Duration::from_secs(40);
/// Longer than any verdict takes to come, be scraped and be weighed.
const TOLD: Duration = Duration::from_secs(120);

/// Joins one more vantage to the router of a world, at `ours`; the router is at the address before.
pub(super) fn vantage(world: &World, cable: &str, ours: &str, theirs: &str) -> Namespace {
    let vantage = Namespace::new();
    let [router, own] = [theirs, ours].map(|address| format!("{address}/30"));
    join([(&world.router, cable, &router), (&vantage, "uplink", &own)]);
    vantage.sh(&format!("ip route add default via {theirs}"));
    vantage
}

/// The plan of the vantage of this name.
pub(super) fn plan_of(name: &str) -> String {
    plan("10s").replace("\"test\"", &format!("\"{name}\""))
}

/// The scrape config of deploy/ for the three of them, with everything each second.
fn settings() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus");
    let text = fs::read_to_string(format!("{folder}/prometheus.yml")).unwrap();
    let second = "      # - targets: [\"192.0.2.7:17545\"]\n      #   labels:\n      #     vantage: frankfurt\n";
    assert!(text.contains(second), "the example of a second vantage");
    let more: String = (2..=3)
        .map(|number| {
            let plain = second
                .replace("# ", "")
                .replace('#', "")
                .replace("192.0.2.7", VANTAGES[number - 1]);
            plain.replace("frankfurt", &format!("v{number}"))
        })
        .collect();
    text.replace(second, &more)
        .replace("127.0.0.1:17545", &format!("{}:17545", VANTAGES[0]))
        .replace("vantage: lab", "vantage: v1")
        .replace("15s", "1s")
        .replace("- lifesign-", &format!("- {folder}/lifesign-"))
}

/// Waits until every query has this value, in one round of asking; None is no series.
pub(super) fn agreed(server: &Prometheus, wanted: &[(&str, Option<f64>)]) {
    until(TOLD, &format!("{wanted:?}"), || {
        wanted.iter().try_for_each(|(query, value)| {
            let found = server.at(query, None)?;
            let values: Vec<f64> = found.iter().map(Line::value).collect();
            let is_so = values == value.iter().copied().collect::<Vec<_>>();
            if is_so { Ok(()) } else { Err(format!("{query} is {values:?}")) }
        })
    });
}

#[test]
#[ignore = "needs root and prometheus; run by tests/run"]
fn a_quorum_tells_their_network_from_the_path_of_one_vantage() {
    let world = World::new();
    let temp_dir = TempDir::new("vantages");
    let second = vantage(&world, "cable2", VANTAGES[1], "10.45.0.9");
    let third = vantage(&world, "cable3", VANTAGES[2], "10.45.0.13");
    let mut watches = Vec::new();
    for (number, namespace) in [&world.vantage, &second, &third].into_iter().enumerate() {
        let name = format!("v{}", number + 1);
        let plan = temp_dir.put(&name, plan_of(&name));
        let listen = format!("{}:17545", VANTAGES[number]);
        watches.push(Program::start(namespace.command(&[
            support::LIFESIGN,
            "--config",
            &plan,
            "--listen",
            &listen,
        ])));
    }
    let server = Prometheus::start(
        Some(&world.router),
        &temp_dir.put("config", settings()),
        &temp_dir.path("data"),
    );
    for watch in &mut watches {
        watch.verdict(TIMEOUT, "KP", "up");
    }
    watches[0].listen(ACQUAINTANCE);

    let sighted = "country:lifesign_sighted:count";
    let agreed_on =
        |state: &str| format!("country_state:lifesign_agreed:bool{{state=\"{state}\"}}");
    let up = agreed_on("up");
    let outage = agreed_on("outage");
    let fault =
        |number: u8| format!("vantage_country:lifesign_path_fault:bool{{vantage=\"v{number}\"}}");
    let path1 = fault(1);
    let path2 = fault(2);
    let path3 = fault(3);
    let alert = |name: &str| format!("count(ALERTS{{alertname=\"{name}\"}})");
    let country_alert = alert("CountryOutage");
    let path_alert = alert("VantagePath");
    agreed(
        &server,
        &[
            ("country:lifesign_vantages:count", Some(3.0)),
            (sighted, Some(3.0)),
            (&up, Some(1.0)),
            (&path1, Some(0.0)),
            (&path2, Some(0.0)),
            (&path3, Some(0.0)),
        ],
    );

    // The path from vantage 2 to the country, and nothing else.
    world.cut(COUNTRY, &format!("ip saddr {} drop", VANTAGES[1]));
    let alone = "lifesign_country_state{vantage=\"v2\",state=\"outage\"}";
    agreed(
        &server,
        &[
            (alone, Some(1.0)),
            (sighted, Some(3.0)),
            (&up, Some(1.0)),
            (&outage, Some(0.0)),
            (&path1, Some(0.0)),
            (&path2, Some(1.0)),
            (&path3, Some(0.0)),
            (&path_alert, Some(1.0)),
        ],
    );
    world.mend();
    agreed(&server, &[(&up, Some(1.0)), (&path2, Some(0.0)), (&path_alert, None)]);

    // Vantage 3 loses everything but its way to Prometheus.
    world.router.sh(&format!(
        "nft add chain ip lab input '{{ type filter hook input priority 0; }}'
         nft add rule ip lab input ip saddr {0} ip daddr 10.45.1.53 drop
         nft add rule ip lab forward ip saddr {0} drop",
        VANTAGES[2]
    ));
    agreed(
        &server,
        &[
            ("lifesign_blind{vantage=\"v3\",family=\"ipv4\"}", Some(1.0)),
            (sighted, Some(2.0)),
            (&up, Some(1.0)),
            (&path3, None),
        ],
    );
    let never = format!("max_over_time({outage}[1h])");
    agreed(&server, &[(&never, Some(0.0)), (&country_alert, None)]);

    // Their network: two of the two that can see.
    world.cut(COUNTRY, "drop");
    agreed(
        &server,
        &[
            (&outage, Some(1.0)),
            (sighted, Some(2.0)),
            (&path1, Some(0.0)),
            (&path2, Some(0.0)),
            (&country_alert, Some(1.0)),
        ],
    );

    // With vantage 2 cut off altogether, one of three is left, and that is no quorum.
    second.sh("ip link set uplink down");
    agreed(
        &server,
        &[
            ("up{vantage=\"v2\"}", Some(0.0)),
            ("country:lifesign_vantages:count", Some(3.0)),
            (sighted, Some(1.0)),
            (&outage, None),
        ],
    );
}

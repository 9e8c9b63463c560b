//! More than one Prometheus: an agent beside each of two lifesigns sends all to a VictoriaMetrics,
//! and its vmalert evaluates the rules of deploy/ there.

use super::vantages::{ACQUAINTANCE, COUNTRY, VANTAGES, agreed, plan_of, vantage};
use crate::support::{
    LIFESIGN, Program, TIMEOUT, TempDir,
    golden::text,
    namespace::{ROUTER, World},
    prometheus::Prometheus,
};

#[test]
#[ignore = "needs root, prometheus and victoria-metrics; run by tests/run"]
fn a_quorum_is_found_where_the_samples_of_all_vantages_meet() {
    let world = World::new();
    let temp_dir = TempDir::new("remote-write");
    let second = vantage(&world, "cable2", VANTAGES[1], "10.45.0.9");
    let server =
        Prometheus::start_victoria_metrics(&world.router, &temp_dir.path("victoria-metrics"));
    let mut watches = Vec::new();
    let mut agents = Vec::new();
    for (namespace, name) in [(&world.vantage, "v1"), (&second, "v2")] {
        let plan = temp_dir.put(name, plan_of(name));
        watches.push(Program::start(namespace.command(&[LIFESIGN, "--config", &plan])));
        let config = text("deploy/prometheus/remote-write.yml")
            .replace("frankfurt", name)
            .replace("192.0.2.1", ROUTER)
            .replace("15s", "1s");
        let config = temp_dir.put(&format!("{name}.yml"), config);
        let [config, data] = [
            format!("--config.file={config}"),
            format!("--storage.agent.path={}", temp_dir.path(&format!("{name}-agent"))),
        ];
        let agent = ["prometheus", "--enable-feature=agent", &config, &data];
        agents.push(Program::start(
            namespace.command(&[&agent[..], &["--web.listen-address=127.0.0.1:0"]].concat()),
        ));
    }
    let rules =
        concat!("-rule=", env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus/lifesign-rules.yml");
    let mut evaluator = Program::start(world.router.command(&[
        "vmalert",
        rules,
        "-datasource.url=http://127.0.0.1:8428",
        "-remoteWrite.url=http://127.0.0.1:8428",
        "-remoteWrite.flushInterval=1s",
        "-evaluationInterval=1s",
        // It wants one, even where there are no alerts.
        "-notifier.url=http://127.0.0.1:9093",
        "-httpListenAddr=127.0.0.1:8880",
    ]));
    for watch in &mut watches {
        watch.verdict(TIMEOUT, "KP", "up");
    }
    watches[0].listen(ACQUAINTANCE);

    let state = |state: &str| format!("country_state:lifesign_agreed:bool{{state=\"{state}\"}}");
    let up = state("up");
    let outage = state("outage");
    let [path1, path2] = ["v1", "v2"].map(|vantage| {
        format!("vantage_country:lifesign_path_fault:bool{{vantage=\"{vantage}\"}}")
    });
    let sighted = "country:lifesign_sighted:count";
    let unreachable = "country:lifesign_unreachable:bool";
    agreed(
        &server,
        &[
            ("country:lifesign_vantages:count", Some(2.0)),
            (sighted, Some(2.0)),
            (&up, Some(1.0)),
            (&path1, Some(0.0)),
            (&path2, Some(0.0)),
        ],
    );

    // The path of one: one of two is no majority.
    world.cut(COUNTRY, &format!("ip saddr {} drop", VANTAGES[1]));
    agreed(
        &server,
        &[
            ("lifesign_country_state{vantage=\"v2\",state=\"outage\"}", Some(1.0)),
            (sighted, Some(2.0)),
            (unreachable, Some(0.0)),
            (&path1, Some(0.0)),
            (&path2, Some(1.0)),
        ],
    );

    // Their network.
    world.cut(COUNTRY, "drop");
    agreed(
        &server,
        &[(&outage, Some(1.0)), (unreachable, Some(1.0)), (&path1, Some(0.0)), (&path2, Some(0.0))],
    );
    assert_eq!(evaluator.terminate().code(), Some(0));
}

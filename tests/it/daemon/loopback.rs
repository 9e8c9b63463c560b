//! The whole path on real sockets: the lab's plan on the loopback device, where any Linux machine
//! answers for every address, and a recorded outage in namespaces of the test's own.

use crate::support::{
    self, Answer, LAB, LIFESIGN, Program, TIMEOUT, TempDir, Verdict, done, get, lifesign,
    namespace::{World, plan},
    until, values,
};
use lifesign_core::time::Time;
use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
    time::Duration,
};

const SCOPES: [&str; 5] =
    ["KP", "KP 127.45.176.0/24", "KP 127.45.177.0/24", "KP 127.45.178.0/24", "KP 127.45.179.0/24"];
const READY: Duration = Duration::from_secs(10);

fn good(answer: Answer) -> Result<String, String> {
    if answer.code == 200 {
        Ok(answer.body)
    } else {
        Err(format!("{} {}", answer.code, answer.body))
    }
}

#[test]
fn the_lab_is_watched_within_ten_seconds() {
    let mut watch = Program::start(lifesign(&["--config", LAB, "--listen", "127.0.0.1:0"]));
    let address = watch.address();
    // The system may take its time to load it.
    let begin = watch.now();
    assert_eq!(until(READY, "readiness", || good(get(address, "/-/ready"))), "ready\n");
    assert!(watch.now().since(begin) <= READY);
    for scope in SCOPES {
        let up = watch.verdict(TIMEOUT, scope, "up");
        assert_eq!((up.from.as_str(), up.earliest), ("unknown", None), "{up:?}");
        assert!(up.time.since(begin) <= READY, "{up:?}");
    }
    let heading = format!(
        "lifesign {} watches from lab: 1 country, 4 blocks, 21 hosts, 54 targets",
        env!("CARGO_PKG_VERSION")
    );
    assert!(watch.out[0].starts_with(&heading), "{}", watch.said());
    // By which means, or what to do where there are none.
    let means = watch.out.iter().filter(|line| {
        line.starts_with("ICMP by ")
            || line.starts_with("note: may not send ICMP echo: a raw socket needs")
    });
    assert_eq!(means.count(), 1, "{}", watch.said());
    assert!(
        watch
            .out
            .contains(&format!("look at http://{address}/ (metrics: http://{address}/metrics)"))
    );

    let metrics = good(get(address, "/metrics")).unwrap();
    assert_eq!(values(&metrics, "lifesign_block_state", &[r#"state="up""#]), [1.0; 4]);
    assert_eq!(
        values(&metrics, "lifesign_country_state", &[r#"state="up""#, r#"country="KP""#]),
        [1.0]
    );
    assert_eq!(values(&metrics, "lifesign_blind", &[]), [0.0]);
    let asked: f64 = values(&metrics, "lifesign_probes_total", &[]).iter().sum();
    let failed: f64 = values(&metrics, "lifesign_probes_failed_total", &[]).iter().sum();
    assert!(asked >= 4.0 && failed == 0.0, "{asked} asked, {failed} failed");

    let state: serde_json::Value =
        serde_json::from_str(&good(get(address, "/api/v1/state")).unwrap()).unwrap();
    assert_eq!(state["vantage"], "lab");
    assert_eq!(state["countries"][0]["state"], "up");
    for block in state["countries"][0]["blocks"].as_array().unwrap() {
        assert_eq!(block["state"], "up", "{block}");
    }
    assert!(good(get(address, "/")).unwrap().contains("North Korea (lab)"));
    assert_eq!(watch.terminate().code(), Some(0), "{}", watch.said());
}

/// `lifesign | head -1`: the page and the metrics have other readers.
#[test]
fn the_watch_goes_on_when_nobody_reads_its_lines() {
    let mut command = lifesign(&["--config", LAB, "--listen", "127.0.0.1:0"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.starts_with("look at ")).unwrap();
    drop(lines);
    let address = line["look at http://".len()..].split_once('/').unwrap().0.parse().unwrap();
    until(READY, "readiness", || good(get(address, "/-/ready")));
    support::signal("TERM", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// A verdict, with its times as a replay writes them.
fn replayed(line: &str) -> Verdict {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = |key: &str| line[key].as_str().unwrap().to_owned();
    let time = |key: &str| line[key].as_str().map(|time| time.parse::<Time>().unwrap());
    let block = if line["scope"] == "block" { format!(" {}", text("name")) } else { String::new() };
    Verdict {
        time: time("time").unwrap(),
        scope: text("country") + &block,
        from: text("from"),
        to: text("to"),
        earliest: time("earliest"),
        latest: time("latest").unwrap(),
        evidence: String::new(),
    }
}

/// A line is written to the millisecond, and the wall clock may be adjusted a little between two
/// lines.
fn near(a: Option<Time>, b: Option<Time>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.max(b).since(a.min(b)) < Duration::from_millis(20),
        _ => a == b,
    }
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn a_recorded_outage_is_judged_again_as_it_was_live() {
    let world = World::new();
    let temp_dir = TempDir::new("recorded");
    let plan = temp_dir.put("plan.toml", plan("20s"));
    let journal = temp_dir.path("journal");
    let run = [LIFESIGN, "--config", &plan, "--record", &journal];
    let mut watch = Program::start(world.vantage.command(&run));
    watch.verdict(TIMEOUT, "KP", "up");
    watch.listen(Duration::from_secs(20));
    world.cut("10.45.176.0/22", "drop");
    watch.verdict(TIMEOUT, "KP", "down");
    watch.verdict(TIMEOUT, "KP", "outage");
    world.mend();
    watch.verdict(TIMEOUT, "KP", "up");
    world.vantage.sh("ip link set uplink down");
    watch.verdict(TIMEOUT, "KP", "unknown");
    world.vantage.sh("ip link set uplink up; ip route add default via 10.45.0.1");
    watch.verdict(TIMEOUT, "KP", "up");
    watch.listen(Duration::from_secs(5));
    support::signal("KILL", watch.id());
    watch.end(TIMEOUT);

    let (code, out, err) = done(lifesign(&["replay", &journal, "--config", &plan, "--json"]));
    // A kill may tear the last line off, but no other.
    let torn = format!("{journal}:{}: ", fs::read_to_string(&journal).unwrap().lines().count());
    assert!(code == 0 && err.lines().all(|line| line.starts_with(&torn)), "{err}");
    let live = watch.verdicts();
    let again = out.lines().map(replayed).collect::<Vec<_>>();
    assert!(live.len() >= 25, "five changes of five scopes:\n{}", watch.said());
    assert_eq!(live.len(), again.len(), "live:\n{}\nagain:\n{out}", watch.said());
    for (live, again) in live.iter().zip(&again) {
        let words =
            |verdict: &Verdict| [verdict.scope.clone(), verdict.from.clone(), verdict.to.clone()];
        assert_eq!(words(live), words(again), "live:\n{}\nagain:\n{out}", watch.said());
        assert!(
            near(Some(live.time), Some(again.time))
                && near(live.earliest, again.earliest)
                && near(Some(live.latest), Some(again.latest)),
            "{live:?}\n{again:?}"
        );
    }
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn an_ordinary_user_without_ping_sockets_is_told_and_judged_right_by_tcp_and_dns() {
    let world = World::new();
    let temp_dir = TempDir::new("ordinary");
    let plan = temp_dir.put("plan.toml", plan("20s"));
    let program = temp_dir.path("lifesign");
    // Where that user may read it.
    fs::copy(LIFESIGN, &program).unwrap();
    world.vantage.sh("echo 1 0 > /proc/sys/net/ipv4/ping_group_range");
    let run = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", &program];
    let mut watch =
        Program::start(world.vantage.command(&[&run[..], &["--config", &plan]].concat()));
    watch.address();
    let told = watch
        .out
        .iter()
        .filter(|line| line.starts_with("note: may not send ICMP echo"))
        .collect::<Vec<_>>();
    assert_eq!(told.len(), 1, "{}", watch.said());
    for part in
        ["setcap cap_net_raw+ep", "net.ipv4.ping_group_range=\"0 2147483647\"", "TCP and DNS go on"]
    {
        assert!(told[0].contains(part), "{}", told[0]);
    }
    let scopes =
        ["KP", "KP 10.45.176.0/24", "KP 10.45.177.0/24", "KP 10.45.178.0/24", "KP 10.45.179.0/24"];
    for scope in scopes {
        watch.verdict(TIMEOUT, scope, "up");
    }
    watch.listen(Duration::from_secs(40));
    let before = watch.now();
    world.cut("10.45.176.0/22", "drop");
    let cut = (before, watch.now());
    for (to, within) in [("down", 15), ("outage", 40)] {
        for scope in scopes {
            let verdict = watch.verdict(2 * TIMEOUT, scope, to);
            assert!(verdict.covers(cut.0, cut.1), "{verdict:?}");
            assert!(verdict.time.since(cut.1) <= Duration::from_secs(within), "{verdict:?}");
        }
    }
    world.mend();
    for scope in scopes {
        watch.verdict(TIMEOUT, scope, "up");
    }
    let metrics = world.vantage.get("/metrics").body;
    assert!(values(&metrics, "lifesign_not_sent_total", &["no_privilege"])[0] > 0.0, "{metrics}");
    assert_eq!(watch.err, Vec::<String>::new());
}

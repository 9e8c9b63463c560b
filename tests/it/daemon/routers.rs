//! Two routers on the way to a country in which nsd answers questions and nginx serves a page. The
//! way is cut by a firewall, a cable and a route, and each gives the outcome and the verdict that
//! belong to it.

use crate::support::{
    LIFESIGN, Program, TIMEOUT, TempDir,
    namespace::{Namespace, join},
    values,
};
use std::time::Duration;

const SCOPES: [&str; 3] = ["KP 10.45.176.0/24", "KP 10.45.177.0/24", "KP"];
/// The routers, as the vantage sees them.
const NEAR: &str = "10.45.0.1";
const FAR: &str = "10.45.0.6";

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
  { host = "10.45.176.8", probes = ["icmp", "dns/kptc.kp/SOA", "dns/none.kptc.kp/A"] },
  { host = "10.45.176.15", probes = ["icmp", "tcp/9"] },
]
[[country.block]]
prefix = "10.45.177.0/24"
hosts = [
  { host = "10.45.177.67", probes = ["icmp", "tcp/80"] },
  { host = "10.45.177.68", probes = ["icmp"] },
]
"#;

/// ```text
/// vantage .0.2 ─ .0.1 near .0.5 ─ .0.6 far .0.9 ─ .0.10 country 10.45.176.0/23
///                10.45.1.53 (control)
/// ```
struct TwoRouters {
    vantage: Namespace,
    near: Namespace,
    far: Namespace,
    country: Namespace,
}

impl TwoRouters {
    fn new() -> Self {
        let network = Self {
            vantage: Namespace::new(),
            near: Namespace::router(),
            far: Namespace::router(),
            country: Namespace::new(),
        };
        let [near, far] = [NEAR, FAR].map(|address| format!("{address}/30"));
        join([(&network.near, "toward", &near), (&network.vantage, "uplink", "10.45.0.2/30")]);
        join([(&network.near, "onward", "10.45.0.5/30"), (&network.far, "back", &far)]);
        join([
            (&network.far, "border", "10.45.0.9/30"),
            (&network.country, "inland", "10.45.0.10/30"),
        ]);
        // Where any address can be bound to, a router's is still not our own.
        network.vantage.sh(&format!(
            "echo 1 > /proc/sys/net/ipv4/ip_nonlocal_bind
             ip route add default via {NEAR}"
        ));
        network.near.sh(&format!(
            "ip addr add 10.45.1.53/32 dev lo
             ip route add 10.45.176.0/23 via {FAR}"
        ));
        network.far.sh("ip route add 10.45.0.0/30 via 10.45.0.5
             ip route add 10.45.176.0/23 via 10.45.0.10");
        network.country.sh("ip route add default via 10.45.0.9
             ip route add local 10.45.176.0/23 dev lo
             ip addr add 10.45.176.8/32 dev lo
             ip addr add 10.45.177.67/32 dev lo");
        network
    }

    /// Its name server and its web server.
    fn serve(&self, temp_dir: &TempDir) -> [Program; 2] {
        let zone = temp_dir.put(
            "zone",
            "$ORIGIN kptc.kp.\n$TTL 60\n@ SOA ns1 admin 1 3600 600 86400 60\n@ NS ns1\nns1 A 10.45.176.8\n",
        );
        let nsd = temp_dir.put(
            "nsd.conf",
            format!(
                "server:\n  ip-address: 10.45.176.8\n  username: \"\"\n  chroot: \"\"\n  pidfile: \"{}\"\n  \
                 database: \"\"\n  zonelistfile: \"{}\"\n  xfrdfile: \"{}\"\n  xfrdir: \"{}\"\n  server-count: 1\n\
                 remote-control:\n  control-enable: no\nzone:\n  name: kptc.kp\n  zonefile: \"{zone}\"\n",
                temp_dir.path("nsd.pid"),
                temp_dir.path("zone.list"),
                temp_dir.path("xfrd.state"),
                std::env::temp_dir().display()
            ),
        );
        let nginx = temp_dir.put(
            "nginx.conf",
            format!(
                "daemon off; master_process off; pid {0}/nginx.pid; error_log stderr;\n\
                 events {{ }}\nhttp {{ access_log off; client_body_temp_path {0}/body; proxy_temp_path {0}/proxy;\n\
                 fastcgi_temp_path {0}/fastcgi; uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;\n\
                 server {{ listen 10.45.177.67:80; return 200 ok; }} }}\n",
                temp_dir.display()
            ),
        );
        let run = |program: &[&str]| Program::start(self.country.command(program));
        [run(&["nsd", "-d", "-c", &nsd]), run(&["nginx", "-e", "stderr", "-c", &nginx])]
    }
}

/// The next verdict on every scope is this.
fn all(watch: &mut Program, to: &str) {
    for scope in SCOPES {
        watch.verdict(TIMEOUT, scope, to);
    }
}

/// A way in which the network is cut.
struct Cut {
    name: &'static str,
    router: fn(&TwoRouters) -> &Namespace,
    how: &'static str,
    mend: &'static str,
    /// Which router tells of it, with which code of type 3; None where nobody does.
    told: Option<(&'static str, u8)>,
}

/// All is well, the network is cut, and mended.
fn cut_and_mend(cut: &Cut) {
    let network = TwoRouters::new();
    let temp_dir = TempDir::new(cut.name);
    let mut servers = network.serve(&temp_dir);
    let plan = temp_dir.put("plan.toml", PLAN);
    let journal = temp_dir.path("journal.jsonl");
    let run = [LIFESIGN, "--config", &plan, "--record", &journal];
    let mut watch = Program::start(network.vantage.command(&run));
    all(&mut watch, "up");
    // Long enough to know every host.
    watch.listen(Duration::from_secs(8));
    let begin = watch.now();
    (cut.router)(&network).sh(cut.how);
    let end = watch.now();
    for scope in SCOPES {
        let verdict = watch.verdict(TIMEOUT, scope, "down");
        assert!(verdict.covers(begin, end), "{begin} {verdict:?}");
    }
    all(&mut watch, "outage");
    let metrics = network.vantage.get("/metrics").body;
    let refusals = values(&metrics, "lifesign_unreachable_total", &[]).iter().sum::<f64>();
    (cut.router)(&network).sh(cut.mend);
    all(&mut watch, "up");
    assert!(watch.terminate().success());
    for server in &mut servers {
        server.terminate();
    }
    let lines = std::fs::read_to_string(&journal).unwrap();
    let of = |wanted: &[&str]| {
        lines.lines().filter(|line| wanted.iter().all(|part| line.contains(part))).count()
    };
    for (wanted, what) in [
        (&["dns/kptc.kp/SOA", r#""result":"reply""#, r#""code":0"#][..], "nsd's answers"),
        (&["dns/none.kptc.kp/A", r#""result":"reply""#, r#""code":3"#], "nsd's denials"),
        (&["10.45.177.67", "tcp/80", r#""result":"reply""#], "nginx's answers"),
        (&["10.45.176.15", "tcp/9", r#""result":"refused""#], "refusals by the host itself"),
    ] {
        assert!(of(wanted) >= 3, "{} of {what}", of(wanted));
    }
    assert_eq!(of(&[r#""result":"not_sent""#]), 0, "our own sending was never in doubt");
    let unreachable = of(&[r#""result":"unreachable""#]);
    match cut.told {
        Some((from, code)) => {
            let from = format!("\"from\":\"{from}\"");
            let code = format!("\"code\":[3,{code}]");
            // A kernel sends few of these in a row, so not every probe is told.
            assert!(unreachable >= 1 && refusals >= 1.0, "{unreachable} {refusals}");
            assert_eq!(
                of(&[r#""result":"unreachable""#, &from, &code]),
                unreachable,
                "from whom, and what"
            );
        }
        None => assert!(unreachable == 0 && of(&[r#""result":"overdue""#]) >= 10, "{unreachable}"),
    }
}

#[test]
#[ignore = "needs root, nsd and nginx; run by tests/run"]
fn a_far_firewall_that_drops_is_silence() {
    cut_and_mend(&Cut {
        name: "drop",
        router: |network| &network.far,
        how: "nft add rule ip lab forward ip daddr 10.45.176.0/23 drop",
        mend: "nft flush chain ip lab forward",
        told: None,
    });
}

#[test]
#[ignore = "needs root, nsd and nginx; run by tests/run"]
fn a_far_firewall_that_rejects_is_named() {
    cut_and_mend(&Cut {
        name: "reject",
        router: |network| &network.far,
        how: "nft add rule ip lab forward ip daddr 10.45.176.0/23 reject with icmp type admin-prohibited",
        mend: "nft flush chain ip lab forward",
        told: Some((FAR, 13)),
    });
}

#[test]
#[ignore = "needs root, nsd and nginx; run by tests/run"]
fn a_cable_that_is_down_leaves_the_near_router_without_a_route() {
    cut_and_mend(&Cut {
        name: "cable",
        router: |network| &network.near,
        how: "ip link set onward down",
        mend: "ip link set onward up; ip route add 10.45.176.0/23 via 10.45.0.6",
        told: Some((NEAR, 0)),
    });
}

#[test]
#[ignore = "needs root, nsd and nginx; run by tests/run"]
fn a_route_that_is_withdrawn_is_told_by_the_router_that_lost_it() {
    cut_and_mend(&Cut {
        name: "route",
        router: |network| &network.far,
        how: "ip route del 10.45.176.0/23",
        mend: "ip route add 10.45.176.0/23 via 10.45.0.10",
        told: Some((FAR, 0)),
    });
}

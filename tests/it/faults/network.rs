//! What breaks on the way: our own firewall, queue and address, the controls, single protocols.

use crate::support::namespace::{Namespace, World};
use crate::support::own_process::{OWN_NETWORK, in_own_process};
use crate::support::watched_world::{EVERYTHING, SCOPES, WatchedWorld, fast, never};
use crate::support::{Program, TIMEOUT, TempDir, Verdict, lifesign, until, values};
use std::{fmt::Write as _, net::UdpSocket, thread, time::Duration};

/// An nft chain at the vantage does this with packets to or from the country, in this hook.
fn put_up_firewall(watched: &WatchedWorld, hook: &str, rule: &str) {
    watched.world.vantage.sh(&format!(
        "nft add table ip wall
         nft add chain ip wall {hook} '{{ type filter hook {hook} priority 0; }}'
         nft add rule ip wall {hook} {rule}"
    ));
}

/// It stands for a while yet; then it is gone, and nothing was ever called dark.
fn take_down_firewall(watched: &mut WatchedWorld) {
    watched.calm(Duration::from_secs(12));
    watched.world.vantage.sh("nft delete table ip wall");
    watched.all("up");
    watched.never_dark();
}

/// We are blind behind a firewall like this, as `meanwhile` may look closer at.
fn behind_our_own_firewall(name: &str, hook: &str, rule: &str, meanwhile: fn(&WatchedWorld)) {
    let mut watched = WatchedWorld::start(name);
    put_up_firewall(&watched, hook, rule);
    watched.all_blind();
    meanwhile(&watched);
    take_down_firewall(&mut watched);
}

/// ICMP and DNS are told by the kernel that they may not, of TCP it says nothing.
#[test]
#[ignore = "needs root; run by tests/run"]
fn our_own_firewall_forbids_sending() {
    let mut watched = WatchedWorld::start("eperm");
    put_up_firewall(&watched, "output", &format!("ip daddr {EVERYTHING} drop"));
    watched.all("unknown");
    assert!(watched.metric("lifesign_not_sent_total", &["permission"]) >= 3.0);
    assert_eq!(watched.metric("lifesign_blind_spells_total", &[]), 0.0, "the control answers");
    assert_eq!(watched.metric("lifesign_block_unknown_info", &[r#"reason="permission""#]), 4.0);
    assert_eq!(watched.metric("lifesign_country_unknown_info", &[r#"reason="permission""#]), 1.0);
    for (path, part) in
        [("/", "a firewall of our own"), ("/api/v1/state", r#""unknown_reason":"permission""#)]
    {
        assert!(watched.world.vantage.get(path).body.contains(part), "{path}");
    }
    let said = watched.program.verdicts().into_iter().rfind(|verdict| verdict.to == "unknown");
    assert!(said.is_some_and(|verdict| verdict.evidence.contains("(permission)")));
    take_down_firewall(&mut watched);
}

/// The control is on the way to the gateway; the country is behind one that is not there.
#[test]
#[ignore = "needs root; run by tests/run"]
fn our_own_gateway_is_dead() {
    let mut watched = WatchedWorld::start("gateway");
    watched.world.vantage.sh(&format!(
        "ip addr add 10.45.2.1/24 dev uplink; ip route add {EVERYTHING} via 10.45.2.254"
    ));
    watched.all("unknown");
    watched.calm(Duration::from_secs(30));
    assert!(watched.metric("lifesign_not_sent_total", &["no_route"]) >= 3.0);
    assert_eq!(watched.metric("lifesign_unreachable_total", &[]), 0.0, "no router said anything");
    watched.world.vantage.sh(&format!("ip route del {EVERYTHING}"));
    watched.all("up");
    watched.never_dark();
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn our_own_firewall_swallows_all_answers() {
    behind_our_own_firewall("deaf", "input", "iifname uplink drop", |_| {});
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn our_own_queue_is_full() {
    let mut watched = WatchedWorld::start("enobufs");
    watched.world.vantage.sh("tc qdisc add dev uplink root tbf rate 8kbit burst 200 limit 200");
    until(TIMEOUT, "ENOBUFS", || {
        let found = watched.metric("lifesign_not_sent_total", &["no_buffers"]);
        if found >= 10.0 { Ok(()) } else { Err(found.to_string()) }
    });
    watched.program.listen(Duration::from_secs(12));
    watched.never_dark();
    watched.world.vantage.sh("tc qdisc del dev uplink root");
    until(TIMEOUT, "sight", || {
        let blind = watched.metric("lifesign_blind", &[]);
        let up = watched.metric("lifesign_block_state", &[r#"state="up""#]);
        if (blind, up) == (0.0, 4.0) { Ok(()) } else { Err(format!("{blind} {up}")) }
    });
    watched.never_dark();
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn our_own_address_is_gone() {
    let mut watched = WatchedWorld::start("address");
    watched.world.vantage.sh("ip addr del 10.45.0.2/30 dev uplink");
    watched.all_blind();
    watched.calm(Duration::from_secs(12));
    watched
        .world
        .vantage
        .sh("ip addr add 10.45.0.2/30 dev uplink; ip route add default via 10.45.0.1");
    watched.all("up");
    watched.never_dark();
}

const BY_IPV6: [&str; 2] = ["K6 fd45:176::/64", "K6"];

/// The world's second country is one of IPv6, behind the same router.
fn add_ipv6(world: &World) {
    world.router.sh("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
         ip addr add fd45::1/64 dev toward nodad; ip addr add fd45:1::1/64 dev border nodad
         ip route add fd45:176::/64 via fd45:1::2");
    world.country.sh("ip addr add fd45:1::2/64 dev inland nodad
         ip route add default via fd45:1::1; ip -6 route add local fd45:176::/64 dev lo");
    world.vantage.sh("ip addr add fd45::2/64 dev uplink nodad; ip route add default via fd45::1");
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn our_own_ipv6_is_gone_and_the_one_control_is_of_ipv4() {
    let mut plan = fast()
        + "[[country]]\ncode = \"K6\"\n[[country.block]]\nprefix = \"fd45:176::/64\"\nhosts = [\n";
    for host in ["15", "67", "129"] {
        let _ = writeln!(plan, "  {{ host = \"fd45:176::{host}\", probes = [\"icmp\"] }},");
    }
    plan += "]\n";
    let mut watched = WatchedWorld::open("ipv6", &plan, &[], &[], add_ipv6);
    let said = watched.program.line(TIMEOUT, "note", |line| {
        line.starts_with("note: no IPv6 control").then(|| line.to_owned())
    });
    assert!(said.contains("all IPv6 blocks are unknown"), "{said}");
    watched.all("up");
    for scope in BY_IPV6 {
        watched.program.verdict(TIMEOUT, scope, "up");
    }
    watched.calm(Duration::from_secs(8));
    let forward = "/proc/sys/net/ipv6/conf/all/forwarding";
    let (no, yes) = (format!("echo 0 > {forward}"), format!("echo 1 > {forward}"));
    let route = "ip -6 route add default via fd45::1";
    for (is_ours, fault, repair) in
        [(true, "ip -6 route del default", route), (false, no.as_str(), yes.as_str())]
    {
        let at_it = |watched: &WatchedWorld, lines: &str| {
            let World { vantage, router, .. } = &watched.world;
            if is_ours { vantage.sh(lines) } else { router.sh(lines) }
        };
        at_it(&watched, fault);
        for scope in BY_IPV6 {
            let verdict = watched.program.verdict(TIMEOUT, scope, "unknown");
            assert!(verdict.evidence.contains("we are blind by IPv6"), "{verdict:?}");
        }
        watched.calm(Duration::from_secs(15));
        assert_eq!(watched.metric("lifesign_blind", &[r#"family="ipv6""#]), 1.0);
        assert_eq!(watched.metric("lifesign_blind", &[r#"family="ipv4""#]), 0.0);
        at_it(&watched, repair);
        for scope in BY_IPV6 {
            watched.program.verdict(TIMEOUT, scope, "up");
        }
        watched.calm(Duration::from_secs(5));
    }
    watched.never_dark();
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn the_controls_are_dead_and_the_country_is_alive() {
    let mut watched = WatchedWorld::start("controls");
    let router = &watched.world.router;
    router.sh("nft add chain ip lab input '{ type filter hook input priority 0; }'
         nft add rule ip lab input ip daddr 10.45.1.53 drop");
    watched.calm(Duration::from_secs(15));
    assert_eq!(watched.metric("lifesign_control_up", &[]), 0.0);
    assert!(watched.metric("lifesign_control_silent_total", &[]) >= 10.0);
    assert_eq!(watched.metric("lifesign_blind_spells_total", &[]), 0.0);
    // Then the country too: who can tell them from ourselves?
    watched.world.cut(EVERYTHING, "drop");
    watched.all_blind();
    watched.calm(Duration::from_secs(12));
    watched.world.mend();
    watched.all("up");
    watched.never_dark();
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn the_country_is_dead_and_the_controls_are_alive() {
    let mut watched = WatchedWorld::start("country");
    watched.world.cut(EVERYTHING, "drop");
    watched.all("down");
    watched.all("outage");
    assert_eq!(watched.metric("lifesign_blind_spells_total", &[]), 0.0);
    watched.world.mend();
    watched.all("up");
    never(&watched.program, &["unknown", "partial"]);
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn one_protocol_of_three_is_blocked() {
    let mut watched = WatchedWorld::start("protocols");
    for (blocked, probe) in
        [("ip protocol icmp", "icmp"), ("ip protocol tcp", "tcp"), ("udp dport 53", "dns")]
    {
        let failed = |watched: &WatchedWorld| {
            let label = format!("probe=\"{probe}\"");
            watched.metric("lifesign_probes_overdue", &[&label])
        };
        let before = failed(&watched);
        watched.world.router.sh(&format!("nft add rule ip lab forward {blocked} drop"));
        watched.program.listen(Duration::from_secs(15));
        assert!(failed(&watched) > before + 4.0, "{probe} was not blocked");
        watched.world.mend();
        watched.program.listen(Duration::from_secs(3));
    }
    // Two of a block's three hosts may be silent for a moment, and then it is partial.
    never(&watched.program, &["down", "flapping", "outage", "unknown"]);
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn every_packet_comes_twice() {
    let mut watched = WatchedWorld::start("twice");
    watched
        .world
        .router
        .sh("nft add chain ip lab pre '{ type filter hook prerouting priority 0; }'
         nft add rule ip lab pre ip saddr 10.45.176.0/22 dup to 10.45.0.2");
    watched.calm(Duration::from_secs(8));
    assert!(
        watched.metric("lifesign_probe_outcomes_total", &["duplicate", r#"probe="icmp""#]) > 10.0
    );
    let (sent, reply) = (
        watched.metric("lifesign_probes_total", &[r#"probe="icmp""#]),
        watched.metric("lifesign_probe_outcomes_total", &[r#"outcome="reply""#, r#"probe="icmp""#]),
    );
    assert!(reply <= sent + 8.0, "{reply} replies to {sent} probes");
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn every_answer_waits_four_seconds_in_a_queue_and_many_fall_out_of_it() {
    let mut watched = WatchedWorld::start("late");
    watched.world.router.sh("tc qdisc add dev toward root tbf rate 6kbit burst 200 limit 3000");
    watched.program.listen(Duration::from_secs(20));
    assert!(watched.metric("lifesign_probe_outcomes_total", &[r#"outcome="late""#]) > 20.0);
    never(&watched.program, &["outage", "flapping", "partial"]);
    watched.world.router.sh("tc qdisc del dev toward root");
    until(TIMEOUT, "four blocks that are up", || {
        let up = watched.metric("lifesign_block_state", &[r#"state="up""#])
            + watched.metric("lifesign_block_state", &[r#"state="degraded""#]);
        if up == 4.0 { Ok(()) } else { Err(up.to_string()) }
    });
}

/// The one that is gone is told within the time that its budget allows, and no other is touched.
#[test]
#[ignore = "needs root; run by tests/run"]
fn one_block_of_four_is_dead() {
    let mut watched = WatchedWorld::start("block");
    watched.world.cut("10.45.178.0/24", "drop");
    watched.program.verdict(TIMEOUT, SCOPES[2], "down");
    watched.program.verdict(TIMEOUT, SCOPES[2], "outage");
    watched.program.verdict(TIMEOUT, "KP", "partial");
    watched.world.mend();
    watched.program.verdict(TIMEOUT, SCOPES[2], "up");
    watched.program.verdict(TIMEOUT, "KP", "up");
    let others = |verdict: &Verdict| verdict.scope != SCOPES[2] && verdict.scope != "KP";
    assert_eq!(watched.program.verdicts().iter().filter(|verdict| others(verdict)).count(), 3);
}

/// The kernel drops what a stopped process does not take; another process's answers fill its
/// buffer.
#[test]
#[ignore = "needs root; run by tests/run"]
fn the_receive_buffer_overruns() {
    let mut watched = WatchedWorld::start("overrun");
    let flood = fast().replace("4/s", "1000/s");
    let flood = watched
        .temp_dir
        .put("flood.toml", flood.replace("tcp/80", "icmp").replace("dns/kptc.kp/SOA", "icmp"));
    let noisy = [crate::support::LIFESIGN, "--config", &flood, "--listen", "127.0.0.1:17546"];
    crate::support::signal("STOP", watched.program.id());
    let mut other = crate::support::Program::start(watched.world.vantage.command(&noisy));
    other.address();
    until(2 * TIMEOUT, "a flood", || {
        let metrics = watched.world.vantage.get_at(17546, "/metrics").body;
        let sent = values(&metrics, "lifesign_probes_total", &[]).iter().sum::<f64>();
        if sent >= 30_000.0 { Ok(()) } else { Err(sent.to_string()) }
    });
    assert_eq!(other.terminate().code(), Some(0));
    crate::support::signal("CONT", watched.program.id());
    until(TIMEOUT, "drops", || {
        let drops = watched.metric("lifesign_receive_drops_total", &[]);
        if drops > 0.0 { Ok(()) } else { Err(drops.to_string()) }
    });
    until(TIMEOUT, "sight", || {
        let up = watched.metric("lifesign_block_state", &[r#"state="up""#]);
        if up == 4.0 { Ok(()) } else { Err(up.to_string()) }
    });
    watched.program.listen(Duration::from_secs(5));
    watched.never_dark();
    assert!(
        watched.metric("lifesign_rejected_total", &["wrong_id"]) > 100.0,
        "another's answers are no outcomes"
    );
}

/// A host that says no is there: whatever its firewall says, and to whichever kind of probe. The
/// same words from a router are misses (`daemon::routers`).
#[test]
#[ignore = "needs root; run by tests/run"]
fn every_host_refuses_by_its_own_firewall() {
    let mut watched = WatchedWorld::start("refusals");
    let country = &watched.world.country;
    // The kernel sends each receiver one error a second, unless it is told otherwise (icmp(7)).
    country.sh("echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
         nft add table ip wall
         nft add chain ip wall input '{ type filter hook input priority 0; }'");
    let codes = ["host-prohibited", "admin-prohibited", "net-unreachable", "host-unreachable"];
    for (block, code) in (176..).zip(codes) {
        country.sh(&format!(
            "nft add rule ip wall input ip daddr 10.45.{block}.0/24 reject with icmp type {code}"
        ));
    }
    watched.calm(Duration::from_secs(15));
    for probe in ["icmp", "tcp", "dns"] {
        let probe = format!("probe=\"{probe}\"");
        let refused = ["outcome=\"refused\"", &probe];
        assert!(watched.metric("lifesign_probe_outcomes_total", &refused) > 20.0, "{probe}");
    }
    watched.never_dark();
}

/// Each answer is a reason to ask over TCP what the plan expects, and none is a reason to ask more
/// than the budget allows, whatever the kernel would repeat.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_name_server_cuts_its_answers_and_its_tcp_port_is_filtered() {
    if !in_own_process(a_name_server_cuts_its_answers_and_its_tcp_port_is_filtered, OWN_NETWORK) {
        return;
    }
    let network = Namespace::here();
    network.sh("nft add table ip asked
         nft add counter ip asked datagrams
         nft add counter ip asked syns
         nft add chain ip asked arrivals '{ type filter hook input priority 0; }'
         nft add rule ip asked arrivals ip daddr 127.45.176.1 udp dport 53 counter name datagrams
         nft add rule ip asked arrivals ip daddr 127.45.176.1 tcp dport 53 counter name syns drop");
    let server = UdpSocket::bind("127.45.176.1:53").unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = server.recv_from(&mut buffer) {
            // QR and TC: an answer, and it is cut.
            buffer[2] |= 0x82;
            let _ = server.send_to(&buffer[..length], from);
        }
    });
    let temp_dir = TempDir::new("cut");
    let plan = "vantage = \"test\"\npath = false\nbudget.per_block = \"2/s\"\n\
         [[country]]\ncode = \"XA\"\n[[country.block]]\nprefix = \"127.45.176.0/24\"\n\
         hosts = [{ host = \"127.45.176.1\", probes = [{ probe = \"dns/kptc.kp/A\", \
         expect = \"192.0.2.1\" }] }]\n";
    let plan = temp_dir.put("plan.toml", plan);
    let mut watch = Program::start(lifesign(&["--config", &plan, "--listen", "127.0.0.1:0"]));
    let begin = watch.now();
    watch.verdict(TIMEOUT, "XA", "up");
    watch.listen(Duration::from_secs(20));
    let [datagrams, syns] =
        ["datagrams", "syns"].map(|name| network.counted(&format!("ip asked {name}")));
    // At this pace the mean is 2.32/s, and 6 tokens are saved up.
    let seconds = watch.now().since(begin).as_secs_f64();
    assert!(datagrams > 30 && syns >= 2, "{datagrams} questions, {syns} SYNs");
    let most = 6.0 + 2.32 * seconds;
    assert!(((datagrams + syns) as f64) < most, "{datagrams} and {syns} in {seconds} s");
    never(&watch, &["unknown", "down"]);
}

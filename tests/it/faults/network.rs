//! What breaks on the way: our own firewall, queue and address, the controls, single protocols.

use crate::support::faults::{EVERYTHING, SCOPES, Stage, fast, never};
use crate::support::{SOON, Verdict, until};
use std::time::Duration;

/// What an nft chain at the vantage does with packets to the country, in this hook.
fn firewall(stage: &Stage, hook: &str, rule: &str) {
    stage.world.vantage.sh(&format!(
        "nft add table ip wall
         nft add chain ip wall {hook} '{{ type filter hook {hook} priority 0; }}'
         nft add rule ip wall {hook} {rule}"
    ));
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn our_own_firewall_forbids_sending() {
    let mut stage = Stage::start("eperm");
    firewall(&stage, "output", &format!("ip daddr {EVERYTHING} drop"));
    stage.all_blind();
    // Whom we cannot ask is asked less often, but three failures it takes.
    assert!(stage.metric("lifesign_not_sent_total", &["permission"]) >= 3.0);
    assert_eq!(stage.metric("lifesign_control_up", &[]), 1.0, "the controls are not behind that wall");
    assert_eq!(stage.metric("lifesign_blind", &[]), 1.0);
    stage.calm(Duration::from_secs(12));
    stage.world.vantage.sh("nft delete table ip wall");
    stage.all("up");
    stage.never_dark();
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn our_own_firewall_swallows_all_answers() {
    let mut stage = Stage::start("deaf");
    firewall(&stage, "input", "iifname uplink drop");
    stage.all_blind();
    stage.calm(Duration::from_secs(12));
    stage.world.vantage.sh("nft delete table ip wall");
    stage.all("up");
    stage.never_dark();
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn our_own_queue_is_full() {
    let mut stage = Stage::start("enobufs");
    stage.world.vantage.sh("tc qdisc add dev uplink root tbf rate 8kbit burst 200 limit 200");
    until(SOON, "ENOBUFS", || {
        let found = stage.metric("lifesign_not_sent_total", &["no_buffers"]);
        if found >= 10.0 { Ok(()) } else { Err(found.to_string()) }
    });
    stage.watch.listen(Duration::from_secs(12));
    stage.never_dark();
    stage.world.vantage.sh("tc qdisc del dev uplink root");
    until(SOON, "sight", || {
        let blind = stage.metric("lifesign_blind", &[]);
        let up = stage.metric("lifesign_block_state", &[r#"state="up""#]);
        if (blind, up) == (0.0, 4.0) { Ok(()) } else { Err(format!("{blind} {up}")) }
    });
    stage.never_dark();
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn our_own_address_is_gone() {
    let mut stage = Stage::start("address");
    stage.world.vantage.sh("ip addr del 10.45.0.2/30 dev uplink");
    stage.all_blind();
    stage.calm(Duration::from_secs(12));
    stage.world.vantage.sh("ip addr add 10.45.0.2/30 dev uplink; ip route add default via 10.45.0.1");
    stage.all("up");
    stage.never_dark();
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn the_controls_are_dead_and_the_country_is_alive() {
    let mut stage = Stage::start("controls");
    let router = &stage.world.router;
    router.sh("nft add chain ip lab input '{ type filter hook input priority 0; }'
         nft add rule ip lab input ip daddr 10.45.1.53 drop");
    stage.calm(Duration::from_secs(15));
    assert_eq!(stage.metric("lifesign_control_up", &[]), 0.0);
    assert!(stage.metric("lifesign_control_silent_total", &[]) >= 10.0);
    assert_eq!(stage.metric("lifesign_blind_spells_total", &[]), 0.0);
    // Then the country too: who can tell them from ourselves?
    stage.world.cut(EVERYTHING, "drop");
    stage.all_blind();
    stage.calm(Duration::from_secs(12));
    stage.world.mend();
    stage.all("up");
    stage.never_dark();
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn the_country_is_dead_and_the_controls_are_alive() {
    let mut stage = Stage::start("country");
    stage.world.cut(EVERYTHING, "drop");
    stage.all("down");
    stage.all("outage");
    assert_eq!(stage.metric("lifesign_blind_spells_total", &[]), 0.0);
    stage.world.mend();
    stage.all("up");
    never(&stage.watch, &["unknown", "partial"]);
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn one_protocol_of_three_is_blocked() {
    let mut stage = Stage::start("protocols");
    for (blocked, probe) in
        [("ip protocol icmp", "icmp"), ("ip protocol tcp", "tcp"), ("udp dport 53", "dns")]
    {
        let failed = |stage: &Stage| {
            let label = format!("probe=\"{probe}\"");
            stage.metric("lifesign_probes_overdue", &[&label])
        };
        let before = failed(&stage);
        stage.world.router.sh(&format!("nft add rule ip lab forward {blocked} drop"));
        stage.watch.listen(Duration::from_secs(15));
        assert!(failed(&stage) > before + 4.0, "{probe} was not blocked");
        stage.world.mend();
        stage.watch.listen(Duration::from_secs(3));
    }
    stage.never_dark();
    never(&stage.watch, &["unknown"]);
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn every_packet_comes_twice() {
    let mut stage = Stage::start("twice");
    stage.world.router.sh("nft add chain ip lab pre '{ type filter hook prerouting priority 0; }'
         nft add rule ip lab pre ip saddr 10.45.176.0/22 dup to 10.45.0.2");
    stage.calm(Duration::from_secs(8));
    assert!(stage.metric("lifesign_probe_outcomes_total", &["duplicate", r#"probe="icmp""#]) > 10.0);
    let (sent, reply) = (
        stage.metric("lifesign_probes_total", &[r#"probe="icmp""#]),
        stage.metric("lifesign_probe_outcomes_total", &[r#"outcome="reply""#, r#"probe="icmp""#]),
    );
    assert!(reply <= sent + 8.0, "{reply} replies to {sent} probes");
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn every_answer_waits_four_seconds_in_a_queue_and_many_fall_out_of_it() {
    let mut stage = Stage::start("late");
    stage.world.router.sh("tc qdisc add dev toward root tbf rate 6kbit burst 200 limit 3000");
    stage.watch.listen(Duration::from_secs(20));
    assert!(stage.metric("lifesign_probe_outcomes_total", &[r#"outcome="late""#]) > 20.0);
    never(&stage.watch, &["outage", "flapping", "partial"]);
    stage.world.router.sh("tc qdisc del dev toward root");
    until(SOON, "four blocks that are up", || {
        let up = stage.metric("lifesign_block_state", &[r#"state="up""#])
            + stage.metric("lifesign_block_state", &[r#"state="degraded""#]);
        if up == 4.0 { Ok(()) } else { Err(up.to_string()) }
    });
}

/// The one that is gone is told within the time that its budget allows, and no other is touched.
#[test]
#[ignore = "needs root; run by tests/run"]
fn one_block_of_four_is_dead() {
    let mut stage = Stage::start("block");
    stage.world.cut("10.45.178.0/24", "drop");
    stage.watch.verdict(SOON, SCOPES[2], "down");
    stage.watch.verdict(SOON, SCOPES[2], "outage");
    stage.watch.verdict(SOON, "KP", "partial");
    stage.world.mend();
    stage.watch.verdict(SOON, SCOPES[2], "up");
    stage.watch.verdict(SOON, "KP", "up");
    let others = |verdict: &Verdict| verdict.scope != SCOPES[2] && verdict.scope != "KP";
    assert_eq!(stage.watch.verdicts().iter().filter(|verdict| others(verdict)).count(), 3);
}

/// The kernel drops what a stopped process does not take; another process's answers fill its buffer.
#[test]
#[ignore = "needs root; run by tests/run"]
fn the_receive_buffer_overruns() {
    let mut stage = Stage::start("overrun");
    let flood = fast().replace("4/s", "1000/s");
    let flood =
        stage.room.put("flood.toml", flood.replace("tcp/80", "icmp").replace("dns/kptc.kp/SOA", "icmp"));
    let noisy = [crate::support::LIFESIGN, "--config", &flood, "--listen", "127.0.0.1:0"];
    crate::support::signal("STOP", stage.watch.id());
    let mut other = crate::support::Program::start(stage.world.vantage.command(&noisy));
    other.listen(Duration::from_secs(8));
    assert_eq!(other.terminate().code(), Some(0));
    crate::support::signal("CONT", stage.watch.id());
    until(SOON, "drops", || {
        let drops = stage.metric("lifesign_receive_drops_total", &[]);
        if drops > 0.0 { Ok(()) } else { Err(drops.to_string()) }
    });
    until(SOON, "sight", || {
        let up = stage.metric("lifesign_block_state", &[r#"state="up""#]);
        if up == 4.0 { Ok(()) } else { Err(up.to_string()) }
    });
    stage.watch.listen(Duration::from_secs(5));
    stage.never_dark();
    assert!(
        stage.metric("lifesign_rejected_total", &["wrong_id"]) > 100.0,
        "another's answers are no outcomes"
    );
}

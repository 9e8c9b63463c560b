//! What the calm sweeps of a large plan cost: 5,030 blocks behind eight routers that all share and
//! two of their own.

#![allow(clippy::disallowed_methods, reason = "it measures what things cost")]

use super::table::{Goal, Table};
use lifesign_core::{scopes::CountryId, time::Time};
use lifesign_path::{Answer, Settings, TraceAnswer, TracedBlock, Tracer};
use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

const BLOCKS: u32 = 5030;
const SHARED: u8 = 8;
const LENGTH: u8 = 11;

/// Who answers, and what.
fn answer(target: IpAddr, hop_limit: u8) -> (IpAddr, Answer) {
    let IpAddr::V4(address) = target else { return (target, Answer::Reply) };
    let own = |last: u32| IpAddr::V4(Ipv4Addr::from_bits((address.to_bits() & !255) + last));
    match hop_limit {
        hop if hop <= SHARED => (IpAddr::V4(Ipv4Addr::new(198, 18, 0, hop)), Answer::TimeExceeded),
        hop if hop < LENGTH => (own(u32::from(hop) + 200), Answer::TimeExceeded),
        _ => (target, Answer::Reply),
    }
}

fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0.0);
    pages * 4096.0 / 1e6
}

pub fn rows(table: &mut Table, quick: bool) {
    let mut now: Time = "2024-03-01T00:00:00Z".parse().expect("a time");
    let before = resident();
    let mut tracer = Tracer::new(Settings::default(), 1, now);
    let first = Ipv4Addr::new(127, 100, 0, 0).to_bits();
    let block = |number: u32| {
        let address = Ipv4Addr::from_bits(first + number * 256);
        TracedBlock {
            prefix: format!("{address}/24").parse().expect("a prefix"),
            country: CountryId(0),
            asn: None,
            targets: vec![IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() + 10))],
        }
    };
    tracer.set_blocks((0..BLOCKS).map(block).collect(), now);
    let mut busiest = std::collections::HashMap::new();
    let mut play = |tracer: &mut Tracer, seconds: u64| {
        let end = now + Duration::from_secs(seconds);
        let begun = Instant::now();
        let mut probes = 0_u64;
        busiest.clear();
        while tracer.poll_timeout() < end {
            now = now.max(tracer.poll_timeout());
            tracer.handle_timeout(now);
            while let Some(probe) = tracer.poll_probe(now) {
                probes += 1;
                let (from, answer) = answer(probe.target, probe.hop_limit);
                *busiest.entry(from).or_insert(0_u64) += 1;
                let answer = TraceAnswer { id: probe.id, from, answer, at: now };
                tracer.handle_answer(answer, now);
            }
        }
        now = end;
        let busiest = busiest.values().copied().max().unwrap_or(0) as f64 / seconds as f64;
        (begun.elapsed().as_secs_f64() / seconds as f64, probes as f64 / seconds as f64, busiest)
    };
    let learning = if quick { 2 * 3600 } else { 6 * 3600 };
    play(&mut tracer, learning);
    let (cost, rate, busiest) = play(&mut tracer, 3600);
    let known = (0..BLOCKS)
        .filter(|&block| {
            tracer.hops(lifesign_core::scopes::BlockId(block)).len() == usize::from(LENGTH)
        })
        .count();
    let n = || format!("{BLOCKS} blocks");
    let mut add = |what: &str, figure: f64, unit, goal| {
        table.add(what, "lifesign", n(), figure, unit, goal);
    };
    add("calm sweeps: share of a core", cost * 100.0, "%", Some(Goal::AtMost(5.0)));
    add("calm sweeps: probes", rate, "/s", None);
    add("calm sweeps: to the busiest router", busiest, "/s", Some(Goal::AtMost(0.5)));
    let known = known as f64 / f64::from(BLOCKS) * 100.0;
    add("calm sweeps: paths known whole", known, "%", Some(Goal::AtLeast(99.0)));
    add("calm sweeps: memory", resident() - before, "MB", Some(Goal::AtMost(40.0)));
}

//! The plan that fits a journal: its hosts by country and block, each with the interval that it was
//! asked at, so that the judge measures silence against that.

use super::{map::Map, targets::Target};
use lifesign_core::{
    duration::duration_text,
    scopes::{Host, Prefix},
};
use lifesign_document::{format_duration, toml_string};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

/// The interval of a target with one sample.
const UNKNOWN_INTERVAL: Duration = Duration::from_secs(60);
/// The most that a plan may ask of a block, in an hour.
const MOST_PER_HOUR: f64 = 3_600_000.0;

/// So many letters of what a file is are told in the plan's line on what was recorded, which has
/// 200 at most.
const MOST_OF_SOURCE: usize = 100;

/// How one host is asked: each probe with its interval.
type Probes = Vec<(String, Duration)>;

/// Hosts by country and block.
type Countries = BTreeMap<String, BTreeMap<Prefix, BTreeMap<String, Probes>>>;

/// The text of the plan. `sources` are told in its first lines; `is_inexact` if it was counted.
pub(super) fn plan(targets: &[Target], map: &Map, sources: &[String], is_inexact: bool) -> String {
    let mut countries = Countries::new();
    let mut names = BTreeMap::<(String, String), Vec<&Target>>::new();
    let mut used = BTreeSet::new();
    for target in targets {
        let (country, block) = map.place(&target.host);
        match block {
            Some(block) => {
                used.insert(block);
                add(&mut countries, country, block, target);
            }
            None => names.entry((country, target.host.to_string())).or_default().push(target),
        }
    }
    // A name says nothing of its network: each is one by itself, in addresses that nobody has
    // (RFC 3849).
    let has_names = !names.is_empty();
    let mut free = (1..=u16::MAX)
        .filter_map(|number| format!("2001:db8:{number:x}::/48").parse().ok())
        .filter(|block| !used.contains(block));
    let rest = "2001:db8::/48".parse().ok();
    for ((country, _), of_name) in names {
        let Some(block) = free.next().or(rest) else { break };
        for target in of_name {
            add(&mut countries, country.clone(), block, target);
        }
    }
    let mut text = String::new();
    let _ = writeln!(text, "# What `lifesign import` found in these, to judge their journal by:");
    for source in sources {
        let _ = writeln!(text, "#   {source}");
    }
    text.push_str(
        "# Its intervals and its budget are what was recorded, and no advice: to watch these hosts \
         with\n# `lifesign run`, drop both and `recorded`, and name the vantage.\n",
    );
    if has_names {
        text.push_str(
            "# Names have blocks of addresses that nobody has; --map tells their addresses.\n",
        );
    }
    let _ = write!(
        text,
        "\nvantage = \"another prober\"\nrecorded = {}\n\n[budget]\nper_block = \"{}/h\"\n",
        toml_string(&recorded(targets, sources, is_inexact)),
        rate(&countries)
    );
    for (code, blocks) in &countries {
        let _ = write!(text, "\n[[country]]\ncode = \"{code}\"\n");
        for (prefix, hosts) in blocks {
            put_block(&mut text, prefix, hosts);
        }
    }
    text
}

/// What was recorded, in a line: `month.json: samples of Prometheus; hosts asked every 15 s`.
fn recorded(targets: &[Target], sources: &[String], is_inexact: bool) -> String {
    let (first, others) =
        sources.split_first().map_or(("", 0), |(first, all)| (first.as_str(), all.len()));
    let first: String = first.chars().take(MOST_OF_SOURCE).collect();
    let more = if others > 0 { format!(" and {others} more") } else { String::new() };
    let intervals = || targets.iter().filter_map(|target| target.cadence.interval());
    let every = match (intervals().min(), intervals().max()) {
        (Some(least), Some(most)) if duration_text(least) != duration_text(most) => {
            format!("; hosts asked every {} to {}", duration_text(least), duration_text(most))
        }
        (Some(each), _) => format!("; hosts asked every {}", duration_text(each)),
        (None, _) => String::new(),
    };
    let how = if is_inexact { "; inexact, as losses were counted" } else { "" };
    format!("{}{more}{every}{how}", first.trim()).trim().to_owned()
}

fn add(countries: &mut Countries, country: String, block: Prefix, target: &Target) {
    let interval = target.cadence.interval().unwrap_or(UNKNOWN_INTERVAL);
    let hosts = countries.entry(country).or_default().entry(block).or_default();
    hosts.entry(order(&target.host)).or_default().push((target.probe.clone(), interval));
}

/// The host's text with what sorts addresses as numbers before it.
fn order(host: &Host) -> String {
    let number = match host {
        Host::Address(std::net::IpAddr::V4(v4)) => u128::from(v4.to_bits()),
        Host::Address(std::net::IpAddr::V6(v6)) => v6.to_bits(),
        Host::Name(_) => 0,
    };
    format!("{number:032x} {host}")
}

/// What the busiest block was asked in an hour.
fn rate(countries: &Countries) -> u64 {
    let of_block = |hosts: &BTreeMap<String, Probes>| {
        let intervals =
            hosts.values().flatten().map(|(_, interval)| 3600.0 / interval.as_secs_f64());
        intervals.sum::<f64>()
    };
    let rates = countries.values().flat_map(BTreeMap::values).map(of_block);
    // Above it, so that rounding makes no interval longer.
    (rates.fold(0.0, f64::max).ceil() + 1.0).min(MOST_PER_HOUR) as u64
}

/// What most hosts have stands once.
fn put_block(text: &mut String, prefix: &Prefix, hosts: &BTreeMap<String, Probes>) {
    let mut counts = BTreeMap::<&Probes, usize>::new();
    for probes in hosts.values() {
        *counts.entry(probes).or_default() += 1;
    }
    let usual = counts.into_iter().max_by_key(|(_, count)| *count).map(|(probes, _)| probes);
    let _ = write!(text, "\n[[country.block]]\nprefix = \"{prefix}\"\n");
    if let Some(usual) = usual {
        let _ = writeln!(text, "probes = {}", list(usual));
    }
    text.push_str("hosts = [\n");
    for (host, probes) in hosts {
        let host = host.rsplit(' ').next().unwrap_or_default();
        let _ = if Some(probes) == usual {
            writeln!(text, "  \"{host}\",")
        } else {
            writeln!(text, "  {{ host = \"{host}\", probes = {} }},", list(probes))
        };
    }
    text.push_str("]\n");
}

fn list(probes: &Probes) -> String {
    let probe = |(probe, interval): &(String, Duration)| {
        format!("{{ probe = \"{probe}\", interval = \"{}\" }}", format_duration(*interval))
    };
    format!("[{}]", probes.iter().map(probe).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// As `recorded` of a plan wants it: one line without white space around it.
        #[test]
        fn what_was_recorded_is_a_line_wherever_it_is_cut(
            name in "[ a\u{3000}]{1,130}",
            more in 0..3_usize,
            is_inexact: bool,
        ) {
            let sources = vec![format!("{name}: fping -D -l"); 1 + more];
            let text = recorded(&[], &sources, is_inexact);
            prop_assert_eq!(text.trim(), &text);
            prop_assert!(!text.is_empty() && text.chars().count() <= 200);
        }
    }
}

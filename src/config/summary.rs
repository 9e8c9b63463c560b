//! A plan in words: its summary, and warnings about what may be meant otherwise. `check` and the
//! start of a run print both.

use super::Plan;
use lifesign_core::{
    schedule::Budget,
    scopes::{CountryId, Host, Kind, NetworkId, Target},
};
use std::{
    collections::HashSet,
    fmt::{self, Display},
    ops::Range,
};

/// Where published work saw the first ICMP rate limits, in probes per second and /24.
const ICMP_RATE_LIMIT: f64 = 0.39;

/// The total rate in words, for so many blocks of `per_block` probes a second each, within the
/// budget's total.
fn total_rate(budget: &Budget, per_block: f64, blocks: usize) -> String {
    let scale = (budget.total.unwrap_or(f64::INFINITY) / (budget.base * blocks as f64)).min(1.0);
    rate_in_words(per_block * blocks as f64 * scale)
}

impl Plan {
    /// What is allowed, but may not be what was meant; one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.controls.is_empty() {
            warnings.push(
                "no controls: blindness of our own network cannot be told from an outage"
                    .to_owned(),
            );
        }
        let beyond_loopback =
            self.roster.blocks.iter().any(|block| !block.prefix.address().is_loopback());
        for control in
            self.controls.iter().filter(|control| beyond_loopback && control.is_loopback())
        {
            warnings.push(format!(
                "control {control} is this machine: it answers even when our network is down"
            ));
        }
        if self.budget.base > ICMP_RATE_LIMIT {
            warnings.push(format!(
                "per_block is above {ICMP_RATE_LIMIT}/s, where networks begin to limit ICMP: \
                 loss may be of our own making"
            ));
        }
        for block in &self.roster.blocks {
            let targets =
                &self.roster.targets[block.targets.start as usize..block.targets.end as usize];
            if hosts(targets) == 1 {
                warnings.push(format!(
                    "block {} has one host: without it the block counts as dark",
                    block.prefix
                ));
            }
            let asked: f64 = targets
                .iter()
                .filter_map(|target| target.interval)
                .map(|interval| 1.0 / interval.as_secs_f64())
                .sum();
            if asked > self.budget.base {
                warnings.push(format!(
                    "block {}: its intervals ask for {}, its budget allows {}; \
                     probes will come late",
                    block.prefix,
                    rate_in_words(asked),
                    rate_in_words(self.budget.base)
                ));
            }
        }
        warnings
    }
}

/// One line for the whole, one for each country, network and block.
impl Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roster = &self.roster;
        write!(
            f,
            "{}, {}, {}, {}; {}, at most {} with confirmations; {}",
            count(roster.countries.len(), "country", "countries"),
            count(roster.blocks.len(), "block", "blocks"),
            count(roster.hosts(), "host", "hosts"),
            targets_by_kind(&roster.targets),
            total_rate(&self.budget, self.budget.base, roster.blocks.len()),
            total_rate(&self.budget, self.budget.mean, roster.blocks.len()),
            count(self.controls.len(), "control", "controls"),
        )?;
        for (country, id) in roster.countries.iter().zip(0..) {
            write!(f, "\n{} {}: ", country.code, country.name)?;
            if !country.networks.is_empty() {
                write!(f, "{}, ", count(country.networks.len(), "network", "networks"))?;
            }
            write!(f, "{}", count(country.blocks.len(), "block", "blocks"))?;
            self.write_blocks(f, roster.direct_blocks(CountryId(id)), "  ")?;
            for network in country.networks.clone() {
                let network = roster.network(NetworkId(network));
                write!(f, "\n  {network}: {}", count(network.blocks.len(), "block", "blocks"))?;
                self.write_blocks(f, network.blocks.clone(), "    ")?;
            }
        }
        Ok(())
    }
}

impl Plan {
    /// One line for each block.
    fn write_blocks(
        &self,
        f: &mut fmt::Formatter<'_>,
        blocks: Range<u32>,
        indent: &str,
    ) -> fmt::Result {
        for block in &self.roster.blocks[blocks.start as usize..blocks.end as usize] {
            let targets =
                &self.roster.targets[block.targets.start as usize..block.targets.end as usize];
            let hosts = count(hosts(targets), "host", "hosts");
            write!(f, "\n{indent}{}: {hosts}, {}", block.prefix, targets_by_kind(targets))?;
        }
        Ok(())
    }
}

fn hosts(targets: &[Target]) -> usize {
    targets.iter().map(|target| &target.host).collect::<HashSet<&Host>>().len()
}

fn targets_by_kind(targets: &[Target]) -> String {
    let kinds = Kind::ALL
        .map(|kind| (kind.label(), targets.iter().filter(|target| target.kind == kind).count()));
    let used = kinds
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(kind, number)| format!("{number} {kind}"));
    format!(
        "{} ({})",
        count(targets.len(), "target", "targets"),
        used.collect::<Vec<_>>().join(", ")
    )
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Probes per second, or per hour if there are few.
fn rate_in_words(rate: f64) -> String {
    if rate < 0.1 {
        format!("{:.0} probes/h", rate * 3600.0)
    } else {
        format!("{rate:.2} probes/s")
    }
}

//! A plan in words: its summary, which `check` and the start of a run print.

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

/// The total rate in words, for so many blocks of `per_block` probes a second each, within the
/// budget's total.
fn total_rate(budget: &Budget, per_block: f64, blocks: usize) -> String {
    let scale = (budget.total.unwrap_or(f64::INFINITY) / (budget.base * blocks as f64)).min(1.0);
    rate_in_words(per_block * blocks as f64 * scale)
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

pub(super) fn hosts(targets: &[Target]) -> usize {
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
pub(super) fn rate_in_words(rate: f64) -> String {
    if rate < 0.1 {
        format!("{:.0} probes/h", rate * 3600.0)
    } else {
        format!("{rate:.2} probes/s")
    }
}

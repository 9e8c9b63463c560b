//! A plan in words: its summary, which `check` and the start of a run print.

use super::Plan;
use lifesign_core::{
    schedule::{Budget, OwnIntervals},
    scopes::{Block, CountryId, Host, Kind, NetworkId, Target},
};
use lifesign_document::format_duration;
use std::{
    collections::{BTreeMap, HashSet},
    fmt::{self, Display},
    ops::Range,
    time::Duration,
};

/// The total rate in words, for so many blocks of `per_block` probes a second each, within the
/// budget's total.
fn total_rate(budget: &Budget, per_block: f64, blocks: usize) -> String {
    let scale = (budget.total.unwrap_or(f64::INFINITY) / (budget.base * blocks as f64)).min(1.0);
    rate_in_words(per_block * blocks as f64 * scale)
}

/// One line for the whole, one for each country, network, block and host file.
impl Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roster = &self.roster;
        write!(
            f,
            "{}, {}, {}, {}; {}, with escalations {} on average at most; {}",
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
        if !self.reserve.is_empty() {
            write!(f, "\n{} in reserve, not asked", count(self.reserve.len(), "host", "hosts"))?;
        }
        for (name, hosts) in &self.host_files {
            write!(f, "\n{name}: {}", count(*hosts, "host", "hosts"))?;
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
            if targets.iter().any(|target| target.interval().is_some()) {
                write!(f, "; {}", self.turns(block, targets))?;
            }
        }
        Ok(())
    }

    /// How the block's regular probes are shared out.
    pub(super) fn own_intervals(&self, block: &Block) -> OwnIntervals {
        let budget = self.budget.for_blocks(self.roster.blocks.len());
        OwnIntervals::of(&self.roster, block.targets.clone(), budget.base)
    }

    /// How often each target of a block is asked in which some have intervals of their own.
    fn turns(&self, block: &Block, targets: &[Target]) -> String {
        let OwnIntervals { shortest, share, .. } = self.own_intervals(block);
        let mut turns: BTreeMap<Duration, Vec<&Target>> = BTreeMap::new();
        for target in targets {
            if let Some(interval) = target.interval() {
                turns.entry(interval.max(shortest)).or_default().push(target);
            }
        }
        let others = targets.iter().filter(|target| target.interval().is_none()).count();
        let mut words: Vec<String> = turns
            .into_iter()
            .map(|(every, targets)| match targets[..] {
                [Target { host, probe, .. }] => {
                    format!("{host} {probe} every {}", about(every))
                }
                _ => format!("{} targets every {} each", targets.len(), about(every)),
            })
            .collect();
        if others > 0 {
            let base = self.budget.for_blocks(self.roster.blocks.len()).base;
            let every = about(Duration::from_secs_f64(others as f64 / (share * base)));
            words.push(match others {
                1 => format!("the other every {every}"),
                _ => format!("the {others} others every {every} each"),
            });
        }
        words.join(", ")
    }
}

/// A duration in words: to a tenth of a second where that matters.
pub(super) fn about(duration: Duration) -> String {
    let tenths = (duration.as_secs_f64() * 10.0).round() as u64;
    if tenths < 100 && !tenths.is_multiple_of(10) {
        return format!("{:.1}s", tenths as f64 / 10.0);
    }
    format_duration(Duration::from_secs((tenths + 5) / 10))
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

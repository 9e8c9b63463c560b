//! What a plan says that may be meant otherwise. `check` and the start of a run print it.

use super::{
    Plan,
    summary::{about, hosts, rate_in_words},
};
use crate::probe::tcp::second_repetition_after;
use lifesign_core::{
    outcome::SYN_REPEATED_AGAIN_AFTER,
    schedule::OwnIntervals,
    scopes::{Family, Kind, Prefix, Target},
    time::Time,
};
use std::{net::IpAddr, sync::LazyLock, time::Duration};

/// Where published work saw the first ICMP rate limits, in probes per second and /24.
const ICMP_RATE_LIMIT: f64 = 0.39;

/// Prefixes that stand in examples, and in which nobody answers (RFC 5737, RFC 3849, RFC 9637).
static EXAMPLES: LazyLock<[Prefix; 5]> = LazyLock::new(|| {
    ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"]
        .map(|text| text.parse().expect("a prefix"))
});

/// Prefixes in which nobody on the Internet can be (RFC 6890 §2.2), besides those that a lab may
/// use and those that are an error ([`super::EMPTY`]): protocol assignments and the discard-only
/// block.
static UNUSED: LazyLock<[Prefix; 2]> =
    LazyLock::new(|| ["192.0.0.0/24", "100::/64"].map(|text| text.parse().expect("a prefix")));

/// What a vantage is called in plans that somebody else has made.
const UNNAMED: &str = "replace-me";

/// So many blocks are named in one note.
const NAMED: usize = 3;

/// A window of maintenance that ended so long ago is not kept in the plan for its end alone.
const LONG_OVER: Duration = Duration::from_secs(30 * 86_400);

impl Plan {
    /// What is allowed, but may not be what was meant; one sentence each.
    pub fn warnings(&self, now: Time) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.vantage == UNNAMED {
            warnings.push(format!(
                "the vantage is still called {UNNAMED}: name it, since metrics and reports say it"
            ));
        }
        if self.controls.is_empty() {
            warnings.push(
                "no controls: blindness of our own network cannot be told from an outage"
                    .to_owned(),
            );
        }
        let is_example =
            |control: &&IpAddr| EXAMPLES.iter().any(|prefix| prefix.contains(**control));
        for family in Family::ALL.into_iter().filter(|_| !self.controls.is_empty()) {
            let of = |address: IpAddr| Family::of(address) == family;
            let mut controls = self.controls.iter().filter(|control| of(**control)).peekable();
            let that = if controls.peek().is_some() { " that answers" } else { "" };
            if self.roster.blocks.iter().any(|block| of(block.prefix.address()))
                && controls.all(|control| is_example(&control))
            {
                let name = family.name();
                warnings.push(format!(
                    "no {name} control{that}: when no {name} host answers, all {name} blocks are \
                     unknown"
                ));
            }
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
        warnings.extend(self.controls.iter().filter(is_example).map(|control| {
            format!(
                "control {control} is an address for examples (RFC 5737, RFC 3849), where nobody \
                 answers"
            )
        }));
        warnings.extend(self.blocks_of_nobody());
        warnings.extend(self.past_maintenance(now));
        warnings.extend(self.denied_hosts());
        warnings.extend_from_slice(&self.unended);
        if self.budget.base > ICMP_RATE_LIMIT {
            warnings.push(format!(
                "per_block is above {ICMP_RATE_LIMIT}/s, where networks begin to limit ICMP: \
                 loss may be of our own making"
            ));
        }
        warnings.extend(self.missing_sources().into_iter().map(|source| {
            format!("this machine has no {source}: until it has, nobody is asked from there")
        }));
        let mut hosts_asked = self.roster.targets.chunk_by(|a, b| a.host == b.host);
        if hosts_asked.any(|host| host.iter().all(|target| target.kind == Kind::Tcp))
            && second_repetition_after() == SYN_REPEATED_AGAIN_AFTER
        {
            warnings.push(
                "hosts that are asked by TCP alone are heard for 2 s on this machine, for 3 s if \
                 its net.ipv4.tcp_syn_linear_timeouts is 0"
                    .to_owned(),
            );
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
                .filter_map(Target::interval)
                .map(|interval| 1.0 / interval.as_secs_f64())
                .sum();
            let OwnIntervals { shortest, .. } = self.own_intervals(block);
            if !shortest.is_zero() {
                warnings.push(format!(
                    "block {}: its intervals ask for {}, its budget allows {} in all; \
                     the shortest become {}, so that nobody starves",
                    block.prefix,
                    rate_in_words(asked),
                    rate_in_words(self.budget.for_blocks(self.roster.blocks.len()).base),
                    about(shortest)
                ));
            }
        }
        warnings
    }

    fn blocks_of_nobody(&self) -> Option<String> {
        let of_nobody = |prefix: &Prefix| {
            EXAMPLES.iter().chain(UNUSED.iter()).any(|unused| unused.holds(prefix))
        };
        let prefixes = self.roster.blocks.iter().map(|block| block.prefix);
        let empty: Vec<String> = prefixes.filter(of_nobody).map(|each| each.to_string()).collect();
        (!empty.is_empty()).then(|| {
            format!(
                "{}: nobody on the Internet has an address there, which is for examples or \
                 protocols (RFC 6890)",
                first_of(&empty)
            )
        })
    }

    fn denied_hosts(&self) -> Option<String> {
        let hosts: Vec<String> = self.denied.iter().map(IpAddr::to_string).collect();
        let left_out = || format!("{}: left out, for the deny list has them", first_of(&hosts));
        (!hosts.is_empty()).then(left_out)
    }

    fn past_maintenance(&self, now: Time) -> Option<String> {
        let windows = self.roster.maintenance.iter();
        let over: Vec<_> = windows.filter(|(_, window)| window.to + LONG_OVER < now).collect();
        let (scope, window) = over.first()?;
        let name = self.roster.full_name_of(*scope);
        let more = match over.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more are as old"),
        };
        Some(format!(
            "the maintenance of {name} was over at {}{more}: what is over may go from the plan",
            window.to
        ))
    }
}

fn first_of(names: &[String]) -> String {
    let (named, others) = names.split_at(names.len().min(NAMED));
    let more =
        if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
    named.join(", ") + &more
}

//! Every constant of the judge, with its origin.
//!
//! Odds are natural logarithms.

use std::time::Duration;

/// What the user may choose, and what the laboratory varies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Down becomes outage after this long without proof of life (docs/verdicts.md).
    pub outage_after: Duration,
    /// The misses behind a `down` must span at least this: a burst of loss of mean length 3 s
    /// outlasts it in e^(-5/3) = 19 % of cases, and is then a short total outage by any measure.
    pub span: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self { outage_after: Duration::from_secs(60), span: Duration::from_secs(5) }
    }
}

/// A scope is down at these odds: one false alarm in 10^6 decisions (docs/verdicts.md).
pub const DOWN_ODDS: f32 = 13.8;
/// An outage needs these odds, 10^7, besides its length.
pub const OUTAGE_ODDS: f32 = 16.1;
/// While a scope flaps, down and outage need this much less: down is then 1,000 times as likely
/// beforehand.
pub const FLAPPING_PRIOR: f32 = 6.9;

/// Risk that chance puts an edge beside the truth: half of the 1 in 1,000 that is promised.
pub const EDGE_RISK: f64 = 1.0 / 2000.0;
/// Risk that a darkness is timed from a miss by chance: the miss is more likely right than not, and
/// an outage needs its odds besides.
pub const BEGAN_RISK: f64 = 0.2;
/// How much of the time before that miss counts towards an outage at most; the misses must span the
/// rest of it.
pub const MAX_UNASKED: Duration = Duration::from_secs(12);
/// An outage needs a miss this share of `outage_after` after the one that proved the darkness: one
/// by chance and then a burst of loss are no outage. At 60 s that takes two escalated probes.
pub const LASTING_SHARE: f32 = 0.4;

/// The first escalation: one bit, so one miss of any host that is not poor.
pub const DOUBT_ODDS: f32 = 0.69;
/// Chance hardly explains e^2.7 = 15: one miss of a host that answers 94 % of the time, two at 20 %
/// loss, four at 50 %.
pub const STRONG_DOUBT_ODDS: f32 = 2.7;
/// A country is escalated at these odds of misses in two of its blocks: three misses of hosts that
/// answer half of the time.
pub const COUNTRY_DOUBT_ODDS: f32 = 2.0;
/// A block's siblings are asked at these odds, 10^2: two misses of hosts that answer 90 % of the
/// time.
pub const SIBLINGS_ODDS: f32 = 4.6;
/// Probe interval of a doubtful scope, at the least.
pub const CONFIRM_EVERY: Duration = Duration::from_secs(1);
/// Probe interval of a scope that is down but not yet in outage, or whose country has just come
/// back.
pub const CONFIRM_DOWN_EVERY: Duration = Duration::from_secs(12);

/// A country's odds need misses from several groups of its blocks, since the silence of one says
/// nothing of the others. More blocks than this count as this many groups.
pub const EVIDENCE_GROUPS: usize = 4;
/// How many groups the misses before a recovery count as at most: no escalation hurries it.
pub const RECOVERY_GROUPS: usize = 3;

/// Prior odds of being up, for the exported belief: down in one case of 10^4.
pub const PRIOR_UP_ODDS: f32 = 9.2;
/// A learned miss rate is never believed to be below this (docs/verdicts.md).
pub const MIN_MISS_RATE: f32 = 0.005;
/// A learned miss rate is never believed to be above this.
pub const MAX_MISS_RATE: f32 = 0.98;
/// Miss rate of a host of which nothing is known yet: of 10 addresses in an old list about 3 are
/// gone.
pub const INITIAL_MISS_RATE: f32 = 0.3;
/// Memory of a host's miss rate, in probes: long enough for a steady rate, short enough for a day's
/// change.
pub const HOST_MEMORY: f32 = 64.0;
/// Memory of a scope's miss rate, in probes: a country that starts to lose packets is believed
/// within half a minute.
pub const SCOPE_MEMORY: f32 = 32.0;
/// A host that misses more than this is poor: its silence is worth less than one bit.
pub const POOR_MISS_RATE: f32 = 0.5;
/// A target silent for this long while its block lives is retired (docs/verdicts.md).
pub const RETIRE_AFTER: Duration = Duration::from_secs(24 * 3600);
/// How long what an earlier run knew is of use.
pub const MEMORY_VALID_FOR: Duration = Duration::from_secs(24 * 3600);

/// We are blind when nobody, control or target, has answered for this long. Controls are asked once
/// a second, so this is three misses in a row; and it is shorter than [`Rules::span`].
pub const BLIND_AFTER: Duration = Duration::from_millis(3500);
/// Controls that have been silent for this long while targets answered are dead themselves.
pub const CONTROLS_DEAD_AFTER: Duration = Duration::from_secs(60);
/// The longest patience there is: a probe sent this long before a gap in the watch may have been
/// answered in it.
pub const LONGEST_PATIENCE: Duration = Duration::from_secs(3);
/// A scope that gave no evidence for this many of its probe intervals is unknown.
pub const STALE_INTERVALS: u32 = 4;
/// A scope is not unknown for want of evidence before this time.
pub const MIN_STALE: Duration = Duration::from_secs(60);
/// A country that has just come back is not partial before its other blocks have been asked too.
pub const SETTLE_TIME: Duration = Duration::from_secs(10);
/// How long after a country's return its blocks that are still in outage are asked more often.
pub const RETURN_TIME: Duration = Duration::from_secs(60);

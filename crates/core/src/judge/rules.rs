//! Every constant of the judge, with its origin. In: the plan's own rules. Out: [`Rules`]. It never
//! decides.

use std::time::Duration;

/// What the user may choose, and what the laboratory varies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Down becomes outage after so long without proof of life (docs/verdicts.md).
    pub outage_after: Duration,
    /// The misses behind a `down` must span at least this: a burst of loss of mean length 3 s
    /// outlasts it in e^(-5/3) = 19 % of cases, and is then a short total outage by any measure.
    pub span: Duration,
    /// Does the judge ask for a closer look?
    pub confirm: bool,
    /// Does a country's evidence count for its blocks, and theirs for it?
    pub pooled: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            outage_after: Duration::from_secs(60),
            span: Duration::from_secs(5),
            confirm: true,
            pooled: true,
        }
    }
}

/// Log odds at which a scope is down: one false alarm in 10^6 decisions (docs/verdicts.md).
pub const DOWN: f32 = 13.8;
/// Log odds that an outage needs besides its length: 10^7.
pub const OUTAGE: f32 = 16.1;
/// How often the time of a darkness may be counted from a miss by chance: more likely than not it
/// is right, and the odds of an outage are demanded besides.
pub const BEGAN: f64 = 0.2;
/// So much of the time before that miss counts towards an outage at the most; the misses must span
/// the rest of it.
pub const UNASKED: Duration = Duration::from_secs(12);
/// So much of `outage_after` beyond the miss that proved the darkness another one has to show that
/// it lasts; at 60 s that takes two closer directives. Else one miss by chance, and a burst of loss
/// at the next question, would be as long as the time between the two. A restless scope, where
/// darkness is no surprise, needs no such proof.
pub const LASTING: f32 = 0.4;
/// How much less either needs in a scope that is flapping: there, down is a thousand times as
/// likely beforehand.
pub const RESTLESS: f32 = 6.9;
/// Log odds at which the first closer look is taken: one bit, so one miss of any host that is not
/// poor.
pub const DOUBT: f32 = 0.69;
/// Log odds that chance hardly explains: e^2.7 = 15, one miss of a host that answers 94 % of the
/// time, two at 20 % loss, four at 50 %.
pub const STRONG: f32 = 2.7;
/// Log odds at which a country is looked at, if misses of two of its blocks bring them: three
/// misses of hosts that answer half of the time.
pub const WIDE_DOUBT: f32 = 2.0;
/// Log odds of one block at which the others are asked too: 10^2, two misses of hosts that answer
/// 90 % of the time.
pub const WIDE: f32 = 4.6;
/// How often chance may move an edge beside the truth: 1 in 2,000 against the 1 in 1,000 that is
/// promised.
pub const EDGE: f64 = 1.0 / 2000.0;
/// A country's odds need misses from several of its blocks, since the silence of one says nothing
/// of the others. Of more blocks than this, as many as of this many.
pub const PARTS: usize = 4;
/// The same for the begin of a recovery, which has no closer look to hurry it.
pub const PARTS_BACK: usize = 3;
/// Prior log odds of being up, for the exported belief: down one look in 10^4.
pub const PRIOR: f32 = 9.2;
/// A learned miss rate is never believed to be below this (docs/verdicts.md) or above its mirror.
pub const FLOOR: f32 = 0.005;
pub const CEILING: f32 = 0.98;
/// Miss rate of a host of which nothing is known yet; of 10 addresses in an old list about 3 are
/// gone.
pub const UNKNOWN_HOST: f32 = 0.3;
/// Memory of a host's miss rate, in probes: long enough for a steady rate, short enough for a day's
/// change.
pub const HOST_MEMORY: f32 = 64.0;
/// Memory of a scope's miss rate: a country that starts to lose packets is believed within half a
/// minute.
pub const SCOPE_MEMORY: f32 = 32.0;
/// A host that misses more than this is poor: its silence is worth less than one bit.
pub const POOR: f32 = 0.5;
/// A target silent for so long while its block lives is retired (docs/verdicts.md).
pub const RETIRE_AFTER: Duration = Duration::from_secs(24 * 3600);
/// What an earlier run knew is of use for so long.
pub const MEMORY: Duration = Duration::from_secs(24 * 3600);
/// Nobody, control or target, has answered for so long: we are blind. Controls are asked once a
/// second, so this is three misses in a row; and it is shorter than [`Rules::span`].
pub const BLIND_AFTER: Duration = Duration::from_millis(3500);
/// Controls that have been silent for so long while targets answered are dead themselves.
pub const CONTROLS_DEAD: Duration = Duration::from_secs(60);
/// The longest patience there is: a probe sent this long before a gap in the watch may have been
/// answered in it.
pub const LONGEST_PATIENCE: Duration = Duration::from_secs(3);
/// A scope of which nothing has been heard for this many of its own gaps is unknown ...
pub const STALE_GAPS: u32 = 4;
/// ... but not before this.
pub const STALE_FLOOR: Duration = Duration::from_secs(60);
/// A country that has just come back is not partial before its other blocks have been asked too.
pub const SETTLE: Duration = Duration::from_secs(10);
/// For so long after a country's return its blocks that are still in outage are asked more often.
pub const RETURNING: Duration = Duration::from_secs(60);
/// How often a doubtful scope is asked at the most, and how often one that is down but not yet in
/// outage, or whose country has just come back.
pub const CONFIRM: Duration = Duration::from_secs(1);
pub const CONFIRM_DOWN: Duration = Duration::from_secs(12);

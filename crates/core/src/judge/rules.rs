//! The constants of the judge, with their origins; those of flapping and of quality stand there.
//! Where the origin is the laboratory, simulated worlds chose the number.
//!
//! Odds are natural logarithms.

pub(crate) use crate::schedule::NEWEST_IN_DOUBT;

use std::{ops::RangeInclusive, time::Duration};

/// What a rate or a share can be.
pub const SHARE: RangeInclusive<f32> = 0.0..=1.0;

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
/// How many misses of a silence, or of those that are back, an edge is computed from: nine tell it
/// at 20 % loss.
pub const EDGE_MISSES: usize = 16;
/// How much of the time before that miss counts towards an outage at most; the misses must span the
/// rest of it.
pub const MAX_UNASKED: Duration = Duration::from_secs(12);
/// An outage needs a miss this share of `outage_after` after the one that proved the darkness: one
/// by chance and then a burst of loss are no outage. At 60 s that takes two escalated probes.
pub const LASTING_SHARE: f32 = 0.4;
/// The newest miss of an outage was sent at most this long before it is called: one probe is sent
/// [`FRESH_PROBE`] before.
pub const FRESH: Duration = Duration::from_secs(5);
pub const FRESH_PROBE: Duration = Duration::from_secs(2);

/// A host has gone at these odds, 10^3, and a darkness was none at these odds of those that stay
/// silent after it.
pub const GONE_ODDS: f32 = 6.9;
/// A host whose misses have these odds, 10, counts as silent where hosts are counted: one miss of a
/// host that answers nine times in ten.
pub const SUSPECT_ODDS: f32 = 2.3;
/// So many hosts that may have gone are taken to be there before a scope is partial: two by chance
/// alone are one in 10^2.
pub const DOUBTFUL_SUSPECTS: u32 = 2;
/// No single miss has more than these odds, since the least miss rate that is believed is 1 in 200;
/// nor have misses within [`LONGEST_PATIENCE`] of an answer.
pub const LIKELY_GONE_ODDS: f32 = 5.5;
/// Odds of those still silent, 20, that leave it open whether a darkness was one (laboratory).
pub const DOUBTFUL_ODDS: f32 = 3.0;
/// What a miss adds to the odds that a host has gone which never answered: three are enough.
pub const NEVER_HEARD_ODDS: f32 = 2.4;
/// Loss is learned from a miss only this close to an answer of its block: so a darkness teaches one
/// miss, however long it is.
pub const RIGHT_AFTER: Duration = Duration::from_secs(20);
/// The same in intervals of a target that has one of its own: its next probe, which may be late.
pub const NEXT_INTERVALS: f32 = 1.25;
/// How many misses a host is taught at most that turned out to have gone: a time without answers
/// tells little of loss, however long it was (laboratory).
pub const GONE_MISSES: u16 = 4;
/// How many misses between two answers count as loss at most: at 10 % loss, more are 1 in 10^4.
pub const RUN_MISSES: u32 = 3;
/// The same of the host heard last, when it answers again.
pub const NEWEST_MISSES: u16 = 3;
/// A host that has gone is not asked again before this time because another one came back: each
/// that is back asks the next a second later, and a minute asks each of 60.
pub const GONE_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Of the child that was heard last these odds of misses, 10^2: when three of four blocks go dark,
/// one lost packet of the fourth says little.
pub const NEWEST_CHILD_ODDS: f32 = 4.6;
/// A scope of scopes needs misses in all of its children, or in so many: with three, the begins of
/// blocks that flap each for itself were wrong in 4 of 262 cases (laboratory).
pub const DOWN_CHILDREN: u32 = 8;
/// The same for an outage: about as many as are asked in a minute, at one probe a second.
pub const OUTAGE_CHILDREN: u32 = 64;
/// An outage of a block needs that all of its usable hosts were asked, or so many ...
pub const OUTAGE_HOSTS: usize = 24;
/// ... and this time: what one may ask of a /24 within three minutes (docs/verdicts.md).
pub const OUTAGE_HOSTS_AFTER: Duration = Duration::from_secs(160);
/// Of so many children at least, and of so many at most, a scope's odds come in equal shares.
pub const FEWEST_SHARES: u32 = 2;
pub const MOST_SHARES: u32 = 3;
/// A hair above the share, so that full shares reach the limit in spite of rounding.
pub const SHARE_ROUNDING: f32 = 1.0001;

/// A block that answers one probe and none of so many after it is rate-limited: at 20 % loss that
/// is one return in 10^4 by chance.
pub const LIMITED_MISSES: u32 = 6;
/// The same when it is dark again at once.
pub const LIMITED_MISSES_BEFORE_NEXT: u32 = 3;
/// After a return so many answers to later probes, with a quarter as many misses between them at
/// most, are no rate limit.
pub const STEADY_ANSWERS: u32 = 2;
/// A rate limit that lets less than one answer through in this time is none.
pub const LONGEST_LIMIT: Duration = Duration::from_secs(300);
/// After an answer that a rate limit let through it is asked so soon whether there is a limit:
/// probes in this time have no two answers if there is.
pub const LIMIT_ASKED_AFTER: Duration = Duration::from_millis(150);
pub const NO_LIMIT: Duration = Duration::from_secs(1);
/// So many misses are learned from what a rate limit swallowed after an answer.
pub const LIMITED_LESSONS: u32 = 6;
/// For how long returning hosts tell when a darkness ended, and whether there was one: at the
/// default pace 35 hosts of a block are asked in it.
pub const RETURN_TIME: Duration = Duration::from_secs(120);
/// A host's own misses prove a darkness that its answer ends, at these odds: as [`GONE_ODDS`].
pub const WITNESS_ODDS: f32 = 6.9;
/// How many targets of a block are asked whether they are back too: at 20 % loss all four miss by
/// chance once in 600. Of the blocks of a larger scope as many as prove that it is down.
pub const CHECKED_TARGETS: usize = 4;
pub const CHECKED_CHILDREN: usize = DOWN_CHILDREN as usize;
/// Between the probes to them: hosts of a block share its tokens, blocks have their own.
pub const CHECK_HOST_EVERY: Duration = Duration::from_millis(500);
pub const CHECK_CHILD_EVERY: Duration = Duration::from_millis(100);

/// A scope is partial when less than this share of its usual hosts answers, until more than
/// [`WHOLE_SHARE`] do: the verdict must not flicker with a single host.
pub const PARTIAL_SHARE: f32 = 0.5;
pub const WHOLE_SHARE: f32 = 0.6;
/// Fewer hosts than this have no share.
pub const PARTIAL_HOSTS: f32 = 3.0;
/// Usual hosts are a sum of shares of presence: from this on the next is counted as one.
pub const HALF_HOST: f32 = 0.5;
/// A scope is partial for want of hosts at these odds that they have gone: those of a `down`, less
/// what two that have gone lack when their presence is a little short of one.
pub const PARTIAL_ODDS: f32 = DOWN_ODDS - 0.5;
/// Below this share nearly all are gone, and that is no new list but an event.
pub const NEAR_TOTAL: f32 = 0.2;
/// How long a host is remembered as usual that has gone: half of a renumbered network is forgotten
/// within the week.
pub const PRESENCE_MEMORY: Duration = Duration::from_secs(3 * 24 * 3600);
/// The same while nearly all are gone.
pub const PATIENCE_FOR_ABSENCE: Duration = Duration::from_secs(30 * 24 * 3600);

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
/// Probe interval of a doubtful block, at the least.
pub const CONFIRM_EVERY: Duration = Duration::from_secs(1);
/// The same of a scope of blocks.
pub const CONFIRM_CHILDREN_EVERY: Duration = Duration::from_millis(500);
/// Probe interval of a scope that is down but not yet in outage, or whose country has just come
/// back.
pub const CONFIRM_DOWN_EVERY: Duration = Duration::from_secs(12);
/// Whom a darkness asks: every fourth probe goes again to the host heard last, where a doubt sends
/// every second ([`NEWEST_IN_DOUBT`]).
pub const NEWEST_IN_DARKNESS: u32 = 4;
/// A doubt asks for so many probes at most: more than its least intervals let into [`Rules::span`].
pub const MOST_DOUBT_PROBES: f32 = 32.0;

/// Prior odds of being up, for the exported belief: down in one case of 10^4.
pub const PRIOR_UP_ODDS: f32 = 9.2;
/// A learned miss rate is never believed to be below this (docs/verdicts.md).
pub const MIN_MISS_RATE: f32 = 0.005;
/// A learned miss rate is never believed to be above this.
pub const MAX_MISS_RATE: f32 = 0.98;
/// Miss rate of a host of which nothing is known yet: of 10 addresses in an old list about 3 are
/// gone.
pub const INITIAL_MISS_RATE: f32 = 0.3;
/// The loss that hosts have in common before their first answers: four in a row make it a
/// tenth.
pub const INITIAL_COMMON_MISS_RATE: f32 = 0.5;
/// Memory of a host's miss rate, in probes: long enough for a steady rate, short enough for a day's
/// change.
pub const HOST_MEMORY: f32 = 64.0;
/// Memory of a scope's miss rate, in probes: with 32, a jump from 2 to 70 % loss is called down
/// three times as often.
pub const SCOPE_MEMORY: f32 = 16.0;
/// A longer one, for steady loss, of which the short one is at times far below the truth. The
/// greater of both counts.
pub const STEADY_MEMORY: f32 = 128.0;
/// Steady loss is taken to be this much greater than it was found: at 40 % one block would else be
/// down by chance once in 20 days.
pub const STEADY_MARGIN: f32 = 1.1;
/// A host that misses more than this is poor: its silence is worth less than one bit.
pub const POOR_MISS_RATE: f32 = 0.5;
/// A target silent for this long while its block lives is retired (docs/verdicts.md).
pub const RETIRE_AFTER: Duration = Duration::from_secs(24 * 3600);
/// How long what an earlier run knew is of use.
pub const MEMORY_VALID_FOR: Duration = Duration::from_secs(24 * 3600);
/// A memory from the future is not valid. But after a start a clock may be behind by so much, until
/// it is set.
pub const MAX_SETBACK: Duration = Duration::from_secs(60);

/// So long after that it is known of each country whether it fell silent with the others: a probe a
/// second, and its patience.
pub const TOGETHER_KNOWN: Duration = Duration::from_millis(1500);
/// Of fewer countries nobody says that they went dark together.
pub const TOGETHER_COUNTRIES: u32 = 5;
/// Countries went dark together when this share of them did ...
pub const TOGETHER_SHARE: f32 = 0.8;
/// ... within this time.
pub const TOGETHER_WITHIN: Duration = Duration::from_secs(10);

/// An answer confirms misses of probes sent up to this much later: controls are asked once a
/// second, and who waits for the next one tells of a darkness half a second later. A verdict needs
/// misses over a far longer time, so no failure of ours fits into this one.
pub const CONFIRM_WITHIN: Duration = Duration::from_millis(250);
/// We are blind when nobody, control or target, has answered for this long. Controls are asked once
/// a second, so this is three misses in a row; and it is shorter than [`Rules::span`].
pub const BLIND_AFTER: Duration = Duration::from_millis(3500);
/// When controls miss more often, we are blind at these odds of their silence only ...
pub const BLIND_ODDS: f32 = 13.8;
/// ... or after this time.
pub const BLIND_AT_LAST: Duration = Duration::from_secs(60);
/// We see again after this many answers in a row.
pub const SEEING_ANSWERS: u32 = 3;
/// Memory of a control's miss rate, in probes.
pub const CONTROL_MEMORY: f32 = 32.0;
/// So many of the newest control probes tell whether our own uplink loses packets just now; one
/// miss of them is chance.
pub const RECENT_CONTROLS: u32 = 6;
/// A loss of our own uplink that a verdict tells of.
pub const OWN_LOSS: f32 = 0.2;
/// Controls that have been silent for this long while targets answered are dead themselves.
pub const CONTROLS_DEAD_AFTER: Duration = Duration::from_secs(60);
/// So many failures to send in a row, without one success between them, are blindness too ...
pub const SEND_FAILURES: u32 = 3;
/// ... if they are spread over this time: about as long as silence makes us blind ...
pub const SEND_FAILURES_FOR: Duration = Duration::from_secs(3);
/// ... and none is further from the next: single failures in a long outage are no blindness.
pub const SEND_FAILURES_WITHIN: Duration = Duration::from_secs(10);
/// A scope is unknown when so many failures ([`SEND_FAILURES`]), with no evidence between them, are
/// spread over this time: longer than it takes until we are blind.
pub const UNSENT_FOR: Duration = Duration::from_secs(5);
/// By then the kernel has told that a probe could not leave: it asks for a neighbour three times, a
/// second apart (arp(7), mcast_solicit and retrans_time).
pub const UNSENT_TOLD: Duration = Duration::from_secs(4);
/// The longest patience there is: a probe sent this long before a gap in the watch may have been
/// answered in it.
pub const LONGEST_PATIENCE: Duration = Duration::from_secs(3);
/// A scope that gave no evidence for this many of its probe intervals is unknown.
pub const STALE_INTERVALS: u32 = 16;
/// A scope is not unknown for want of evidence before this time.
pub const MIN_STALE: Duration = Duration::from_secs(60);
/// A country that has just come back is not partial before its other blocks have been asked too.
pub const SETTLE_TIME: Duration = Duration::from_secs(10);
/// How long after a country's return its blocks that are still in outage are asked more often.
pub const ASK_AFTER_RETURN: Duration = Duration::from_secs(60);

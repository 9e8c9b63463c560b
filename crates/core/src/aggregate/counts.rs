//! Exact counts of outcomes.

use crate::outcome::{Found, Oddity};

/// Exact counts of outcomes. `sent` + `taken_back` = reply + refused + late + lost + unreachable +
/// overdue + those still open.
///
/// A target's have 32 bits, since targets are many: at the default pace of a whole block, all of it
/// spent on one target, they last 544 years, at ten probes a second 13. Beyond that a count begins
/// at 0 again, as after a restart of ours, which Prometheus expects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts<N = u64> {
    /// Probes that left, answered or not.
    pub sent: N,
    /// Valid answers in time.
    pub reply: N,
    /// Valid answers that are not the expected one (they are also counted as reply or late).
    pub unexpected: N,
    /// Refusals by the host itself.
    pub refused: N,
    /// Valid answers after patience ran out.
    pub late: N,
    /// No answer within 150 s.
    pub lost: N,
    /// A router said no.
    pub unreachable: N,
    /// A router said no, and an answer followed: counted as unreachable and as late.
    pub taken_back: N,
    /// Answers of a neighbour to a probe of this target.
    pub neighbour: N,
    /// Further valid answers to a probe that had one.
    pub duplicate: N,
    /// Packets about this target that were no answer.
    pub rejected: N,
    /// Could not be sent.
    pub not_sent: N,
    /// Now open with patience run out; a gauge, not a count.
    pub overdue: N,
}

#[expect(private_bounds, reason = "nobody else counts")]
impl<N: Count> Counts<N> {
    /// Counts an outcome. `was_overdue`: the probe had been reported [`Found::Overdue`] before.
    pub(super) fn count(&mut self, found: &Found, was_overdue: bool) {
        match found {
            Found::Reply { unexpected, .. } => {
                self.reply.up();
                if *unexpected {
                    self.unexpected.up();
                }
            }
            Found::Refused { .. } => self.refused.up(),
            Found::Late { .. } => {
                self.late.up();
                if !was_overdue {
                    self.taken_back.up();
                }
            }
            Found::Overdue => self.overdue.up(),
            Found::Lost => self.lost.up(),
            Found::Unreachable { .. } => self.unreachable.up(),
            Found::Neighbour { .. } => self.neighbour.up(),
            Found::Duplicate => self.duplicate.up(),
            Found::Odd(Oddity::OtherData) => self.unexpected.up(),
            Found::Odd(_) => {}
            Found::NotSent(_) => {
                self.not_sent.up();
                self.sent.down();
            }
        }
        if was_overdue {
            self.overdue.down();
        }
    }
}

impl Counts {
    /// Those of both.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            reply: self.reply + other.reply,
            unexpected: self.unexpected + other.unexpected,
            refused: self.refused + other.refused,
            late: self.late + other.late,
            lost: self.lost + other.lost,
            unreachable: self.unreachable + other.unreachable,
            taken_back: self.taken_back + other.taken_back,
            neighbour: self.neighbour + other.neighbour,
            duplicate: self.duplicate + other.duplicate,
            rejected: self.rejected + other.rejected,
            not_sent: self.not_sent + other.not_sent,
            overdue: self.overdue + other.overdue,
        }
    }
}

/// A number that counts.
pub(super) trait Count: Copy {
    /// One more; after the largest comes 0.
    fn up(&mut self);
    /// One less; never below 0.
    fn down(&mut self);
}

macro_rules! counts {
    ($($number:ty),*) => {$(
        impl Count for $number {
            fn up(&mut self) {
                *self = self.wrapping_add(1);
            }

            fn down(&mut self) {
                *self = self.saturating_sub(1);
            }
        }
    )*};
}

counts!(u32, u64);

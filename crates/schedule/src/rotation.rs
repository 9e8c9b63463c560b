//! Whose turn it is in a block. Targets that mostly answer take turns; those that mostly do not get
//! every sixteenth, since their silence says little; those that have gone get every fourth, since
//! one that is back is news; retired ones have slots of their own.

use lifesign_model::{labelled, per_label::PerLabel, scopes::TargetId};

labelled! {
    /// How much a target's answer, or silence, is worth.
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    Rank {
        /// It answers as others do.
        #[default]
        Good => "good",
        /// Mostly silent, or cannot be asked just now.
        Poor => "poor",
        /// Silent while its block lives.
        Gone => "gone",
        /// Gone for a day.
        Retired => "retired",
    }
}

/// One of something for each rank.
type PerRank<T> = PerLabel<Rank, T, { Rank::ALL.len() }>;

impl Rank {
    /// Silent while its block lives, however long?
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Gone | Self::Retired)
    }
}

/// One turn in this many goes to the poor.
const POOR_TURN: u32 = 16;
/// One turn in this many goes to those that have gone.
const GONE_TURN: u32 = 4;
/// How many targets are passed over at most because a probe to them is still open.
const PASSED_OVER: usize = 8;

/// The turns of one block's targets.
#[derive(Clone, Debug, Default)]
pub(super) struct Rotation {
    /// In the order of their ranks.
    targets: Vec<TargetId>,
    /// By rank: where they end, and who was the last to be asked.
    ranges: PerRank<RankRange>,
    turn: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct RankRange {
    end: u32,
    last_asked: u32,
}

impl Rotation {
    pub(super) fn new(targets: Vec<TargetId>) -> Self {
        let end = targets.len() as u32;
        Self { targets, ranges: PerRank::new(|_| RankRange { end, last_asked: 0 }), turn: 0 }
    }

    /// Begins the next turn: the one whose turn it is among those that have gone, if it is theirs.
    pub(super) fn begin_turn(&mut self, free: impl Fn(TargetId) -> bool) -> Option<TargetId> {
        self.turn = self.turn.wrapping_add(1);
        let is_theirs = self.turn.is_multiple_of(GONE_TURN) || self.present().is_empty();
        if is_theirs { self.next_of(Rank::Gone, free) } else { None }
    }

    /// The target whose turn this is among those present for which `free` holds, if any near.
    pub(super) fn next(&mut self, free: impl Fn(TargetId) -> bool) -> Option<TargetId> {
        // No multiple of `GONE_TURN`: those turns are of others.
        let poor_first = self.turn % POOR_TURN == 1;
        let [first, second] =
            if poor_first { [Rank::Poor, Rank::Good] } else { [Rank::Good, Rank::Poor] };
        self.next_of(first, &free).or_else(|| self.next_of(second, &free))
    }

    /// All that have not gone.
    pub(super) fn present(&self) -> &[TargetId] {
        &self.targets[..self.ranges[Rank::Poor].end as usize]
    }

    /// Those that mostly answer.
    pub(super) fn good(&self) -> &[TargetId] {
        self.of(Rank::Good)
    }

    /// The next of the retired.
    pub(super) fn next_retired(&mut self) -> Option<TargetId> {
        self.next_of(Rank::Retired, |_| true)
    }

    /// How many are retired.
    pub(super) fn retired_count(&self) -> usize {
        self.of(Rank::Retired).len()
    }

    /// Goes on with other ids; a target without one leaves. `joining` take turns from now on.
    pub(super) fn remap(
        &mut self,
        new_id: impl Fn(TargetId) -> Option<TargetId>,
        joining: impl Iterator<Item = TargetId>,
    ) {
        let kept = |rank| self.of(rank).iter().filter_map(|&target| new_id(target)).collect();
        self.set(&PerRank::new(kept));
        for target in joining {
            self.rank(target, Rank::Good);
        }
    }

    /// Moves a target to another rank, or in.
    pub(super) fn rank(&mut self, target: TargetId, rank: Rank) {
        let others =
            |each| self.of(each).iter().copied().filter(|&other| other != target).collect();
        let mut by_rank: PerRank<Vec<TargetId>> = PerRank::new(others);
        by_rank[rank].push(target);
        self.set(&by_rank);
    }

    fn of(&self, rank: Rank) -> &[TargetId] {
        let before = Rank::ALL.into_iter().rfind(|&each| each < rank);
        let begin = before.map_or(0, |before| self.ranges[before].end);
        &self.targets[begin as usize..self.ranges[rank].end as usize]
    }

    fn set(&mut self, by_rank: &PerRank<Vec<TargetId>>) {
        self.targets.clear();
        for (range, targets) in self.ranges.values_mut().zip(by_rank.values()) {
            self.targets.extend(targets);
            range.end = self.targets.len() as u32;
        }
    }

    fn next_of(&mut self, rank: Rank, free: impl Fn(TargetId) -> bool) -> Option<TargetId> {
        let targets = self.of(rank);
        let mut nth = self.ranges[rank].last_asked as usize;
        let mut found = None;
        for _ in 0..targets.len().min(PASSED_OVER) {
            nth = (nth + 1) % targets.len();
            if free(targets[nth]) {
                found = Some(targets[nth]);
                break;
            }
        }
        self.ranges[rank].last_asked = nth as u32;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_good_take_turns_and_the_poor_get_every_sixteenth() {
        let mut rotation = Rotation::new([1, 2, 3].map(TargetId).to_vec());
        rotation.rank(TargetId(3), Rank::Poor);
        let turn = |rotation: &mut Rotation| {
            rotation.begin_turn(|_| true).or_else(|| rotation.next(|_| true))
        };
        let asked: Vec<TargetId> = (0..32).filter_map(|_| turn(&mut rotation)).collect();
        assert_eq!(asked.iter().filter(|&&t| t == TargetId(3)).count(), 2);
        assert_eq!(asked.iter().filter(|&&t| t == TargetId(1)).count(), 15);
        rotation.rank(TargetId(1), Rank::Retired);
        rotation.rank(TargetId(2), Rank::Retired);
        assert_eq!(
            turn(&mut rotation),
            Some(TargetId(3)),
            "the poor are asked when nobody else is left"
        );
        assert_eq!(rotation.next(|_| false), None);
        rotation.rank(TargetId(2), Rank::Gone);
        rotation.rank(TargetId(1), Rank::Good);
        let asked: Vec<TargetId> = (0..32).filter_map(|_| turn(&mut rotation)).collect();
        let count = |of: u32| asked.iter().filter(|&&target| target.0 == of).count();
        assert_eq!([1, 2, 3].map(count), [22, 8, 2]);
    }
}

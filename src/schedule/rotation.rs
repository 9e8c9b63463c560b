//! Whose turn it is in a block. In: what the judge thinks of each target. Out: the next target to ask. Hosts
//! that mostly answer take turns; those that mostly do not get every sixteenth turn, since their silence
//! says little; retired ones have turns of their own. It never looks at the time.

/// How much a target's answer, or silence, is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Rank {
    /// Mostly answers.
    Good,
    /// Mostly silent, or cannot be asked just now.
    Poor,
    /// Silent for a day while its block lives.
    Retired,
}

/// One turn in this many goes to the poor.
const POOR_TURN: u32 = 16;
/// How many targets are passed over at most because a probe to them is still open.
const LOOK: usize = 8;

/// The turns of one block's targets.
#[derive(Clone, Debug, Default)]
pub(super) struct Rotation {
    good: Ring,
    poor: Ring,
    retired: Ring,
    turn: u32,
}

impl Rotation {
    pub(super) fn new(targets: Vec<u32>) -> Self {
        Self { good: Ring { targets, at: 0 }, ..Self::default() }
    }

    /// The next target for which `free` holds, if any near.
    pub(super) fn next(&mut self, free: impl Fn(u32) -> bool) -> Option<u32> {
        self.turn = self.turn.wrapping_add(1);
        let (first, second) = if self.turn.is_multiple_of(POOR_TURN) {
            (&mut self.poor, &mut self.good)
        } else {
            (&mut self.good, &mut self.poor)
        };
        first.next(&free).or_else(|| second.next(&free))
    }

    /// The next of the retired.
    pub(super) fn next_retired(&mut self) -> Option<u32> {
        self.retired.next(|_| true)
    }

    /// How many are retired.
    pub(super) fn retired(&self) -> usize {
        self.retired.targets.len()
    }

    /// Goes on with other numbers; who has none has no turn any more. `joining` take turns from now on.
    pub(super) fn renumber(
        &mut self,
        number: impl Fn(u32) -> Option<u32>,
        joining: impl Iterator<Item = u32>,
    ) {
        for ring in [&mut self.good, &mut self.poor, &mut self.retired] {
            ring.targets = ring.targets.drain(..).filter_map(&number).collect();
        }
        self.good.targets.extend(joining);
    }

    /// Moves a target to another rank.
    pub(super) fn rank(&mut self, target: u32, rank: Rank) {
        self.good.remove(target);
        self.poor.remove(target);
        self.retired.remove(target);
        match rank {
            Rank::Good => self.good.targets.push(target),
            Rank::Poor => self.poor.targets.push(target),
            Rank::Retired => self.retired.targets.push(target),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Ring {
    targets: Vec<u32>,
    at: usize,
}

impl Ring {
    fn next(&mut self, free: impl Fn(u32) -> bool) -> Option<u32> {
        for _ in 0..self.targets.len().min(LOOK) {
            self.at = (self.at + 1) % self.targets.len();
            let target = self.targets[self.at];
            if free(target) {
                return Some(target);
            }
        }
        None
    }

    fn remove(&mut self, target: u32) {
        if let Some(place) = self.targets.iter().position(|&t| t == target) {
            self.targets.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_good_take_turns_and_the_poor_get_every_sixteenth() {
        let mut rotation = Rotation::new(vec![1, 2, 3]);
        rotation.rank(3, Rank::Poor);
        let asked: Vec<u32> = (0..32).filter_map(|_| rotation.next(|_| true)).collect();
        assert_eq!(asked.iter().filter(|&&t| t == 3).count(), 2);
        assert_eq!(asked.iter().filter(|&&t| t == 1).count(), 15);
        rotation.rank(1, Rank::Retired);
        rotation.rank(2, Rank::Retired);
        assert_eq!(rotation.next(|_| true), Some(3), "the poor are asked when nobody else is left");
        assert_eq!(rotation.next(|_| false), None);
    }
}

//! Bayes over the position of a break: beyond which hop does nothing answer?
//!
//! If it lies beyond hop b, P(seen | b) is the product of p^x (1 - p)^(1 - x) over the questions to
//! hops up to b, with p how often each hop answers in calm. Hops behind it are silent. How often a
//! hop answers is known from so many questions and no better: p has the Beta distribution of
//! Krichevsky and Trofimov (1981), and the product its mean.

/// A hop behind the break is heard all the same with this probability: paths move, and answers are
/// late.
const STRAY: f64 = 1e-6;
/// How much a router's word is worth, and how much the words of all may be.
const WORD: f64 = 10.0;
const WORDS: u8 = 2;

/// What is known of one hop from a doubt.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct HopEvidence {
    /// So often it was asked in calm, and answered.
    pub calm: (u8, u8),
    pub asked: u8,
    pub seen: u8,
    /// So often it said that it could not pass a packet on.
    pub words: u8,
}

/// The probability of so many answers and silences, in this order, of a hop with these counts.
pub(crate) fn predicted(calm: (u8, u8), seen: u8, silent: u8) -> f64 {
    let mut all = f64::from(calm.0) + 1.0;
    let mut answers = f64::from(calm.1) + 0.5;
    let mut silences = f64::from(calm.0.saturating_sub(calm.1)) + 0.5;
    let mut probability = 1.0;
    for is_seen in (0..seen).map(|_| true).chain((0..silent).map(|_| false)) {
        let part = if is_seen { &mut answers } else { &mut silences };
        probability *= *part / all;
        *part += 1.0;
        all += 1.0;
    }
    probability
}

/// The positions that are not ruled out at these odds: the least and the greatest. `hops` begins
/// with the first; position 0 is before it.
pub(crate) fn positions(hops: &[HopEvidence], odds: f64) -> (u8, u8) {
    let likelihood = |position: usize| -> f64 {
        let of = |(index, hop): (usize, &HopEvidence)| {
            let silent = hop.asked.saturating_sub(hop.seen);
            if index < position {
                predicted(hop.calm, hop.seen, silent).ln()
            } else {
                f64::from(hop.seen) * STRAY.ln()
            }
        };
        let words = position.checked_sub(1).map_or(0, |index| hops[index].words.min(WORDS));
        hops.iter().enumerate().map(of).sum::<f64>() + f64::from(words) * WORD.ln()
    };
    let all: Vec<f64> = (0..=hops.len()).map(likelihood).collect();
    let best = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = all.iter().map(|one| (one - best).exp()).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
    let whole: f64 = weights.iter().sum();
    let mut held = 0.0;
    let mut least = usize::MAX;
    let mut greatest = 0;
    for position in order {
        if held > whole * (1.0 - 1.0 / odds) {
            break;
        }
        held += weights[position];
        least = least.min(position);
        greatest = greatest.max(position);
    }
    (least as u8, greatest as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFTEN: (u8, u8) = (20, 20);
    const NEVER: (u8, u8) = (20, 0);

    fn hops(list: &[((u8, u8), u8, u8)]) -> Vec<HopEvidence> {
        let hop = |&(calm, asked, seen)| HopEvidence { calm, asked, seen, words: 0 };
        list.iter().map(hop).collect()
    }

    #[test]
    fn positions_follow_from_who_answers_and_who_no_longer_does() {
        for (seen, wanted) in [
            // Nothing is known yet.
            (hops(&[(OFTEN, 0, 0), (OFTEN, 0, 0), (OFTEN, 0, 0)]), (0, 3)),
            // Everybody answers: it lies behind the last.
            (hops(&[(OFTEN, 4, 4), (OFTEN, 4, 4), (OFTEN, 4, 4)]), (3, 3)),
            (hops(&[(OFTEN, 4, 4), (OFTEN, 4, 0), (OFTEN, 4, 0)]), (1, 1)),
            // One silence is no proof, ...
            (hops(&[(OFTEN, 1, 1), (OFTEN, 1, 0), (OFTEN, 0, 0)]), (1, 3)),
            // ... and three are none where three in ten are lost, or where little is known.
            (hops(&[(OFTEN, 4, 4), ((20, 14), 3, 0), (OFTEN, 3, 0)]), (1, 2)),
            (hops(&[(OFTEN, 4, 4), ((3, 3), 3, 0), (OFTEN, 3, 0)]), (1, 2)),
            // A hop that never answers tells nothing.
            (hops(&[(OFTEN, 4, 4), (NEVER, 4, 0), (OFTEN, 4, 0)]), (1, 2)),
            // What was heard once in two has not gone.
            (hops(&[(OFTEN, 4, 4), (OFTEN, 2, 1), (OFTEN, 4, 0)]), (2, 2)),
            // Nobody answers at all.
            (hops(&[(OFTEN, 4, 0), (OFTEN, 4, 0)]), (0, 0)),
        ] {
            assert_eq!(positions(&seen, 1000.0), wanted, "{seen:?}");
        }
    }

    #[test]
    fn a_word_is_evidence_and_no_proof() {
        let mut seen = hops(&[(OFTEN, 1, 1), (OFTEN, 1, 0), (OFTEN, 2, 0)]);
        assert_eq!(positions(&seen, 1000.0), (1, 2));
        seen[0].words = 2;
        assert_eq!(positions(&seen, 1000.0), (1, 1));
        // A router that says no although the next one answers is wrong.
        let mut refuted = hops(&[(OFTEN, 1, 1), (OFTEN, 1, 1), (OFTEN, 4, 0)]);
        refuted[0].words = 9;
        assert_eq!(positions(&refuted, 1000.0), (2, 2));
    }
}

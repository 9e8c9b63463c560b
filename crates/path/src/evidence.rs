//! Bayes over the position of a break: beyond which hop does nothing answer?
//!
//! If it lies beyond hop b, P(seen | b) is the product of p^x (1 - p)^(1 - x) over the questions to
//! hops up to b, with p how often each hop answers in calm. Hops behind it are silent. How often a
//! hop answers is known from so many questions and no better: p has the Beta distribution of
//! Krichevsky and Trofimov (1981), and the product its mean.
//!
//! A doubt may begin by chance just before the path breaks. So the break may have begun before any
//! sweep, and until then all hops answer as in calm.

use super::episode::Observation;
use lifesign_model::time::Time;

/// A hop behind the break is heard all the same with this probability: paths move, and answers are
/// late.
const STRAY: f64 = 1e-6;
/// How much a router's word is worth, and how many words count.
const WORD: f64 = 10.0;
const WORDS: i32 = 2;
/// The path was broken when the doubt began, and not later.
const FROM_THE_FIRST: f64 = 0.9;

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

/// What one hop said before and since a sweep.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    seen: [u8; 2],
    silent: [u8; 2],
    /// That it could not pass a packet on, since then.
    words: i32,
}

impl Said {
    fn add(&mut self, observation: &Observation, since: usize) {
        let list = if observation.is_seen { &mut self.seen } else { &mut self.silent };
        list[since] = list[since].saturating_add(1);
        self.words += i32::from(observation.is_word && since == 1);
    }
}

/// The positions that are not ruled out at these odds: the least and the greatest. `calm` has how
/// often each hop was asked in calm, and answered, beginning with the first; position 0 is before
/// it. Observations are in the order of their sweeps; the path has been broken since `latest`.
pub(crate) fn positions(
    calm: &[(u8, u8)],
    observations: &[Observation],
    latest: Time,
    odds: f64,
) -> (u8, u8) {
    let mut slots: Vec<u32> = observations.iter().map(|one| one.slot).collect();
    slots.dedup();
    let later = observations.iter().find(|one| one.at > latest).map(|one| one.slot);
    let begins = slots.iter().position(|slot| Some(*slot) == later).unwrap_or(slots.len()).max(1);
    let mut weights = vec![0.0; calm.len() + 1];
    let mut all = Vec::with_capacity(begins * weights.len());
    for begin in 0..begins {
        let mut said = vec![Said::default(); calm.len()];
        for one in observations {
            let sweep = slots.iter().position(|slot| *slot == one.slot).unwrap_or(0);
            if let Some(said) = said.get_mut(usize::from(one.hop_limit.max(1)) - 1) {
                said.add(one, usize::from(sweep >= begin));
            }
        }
        let alive = |(said, calm): (&Said, &(u8, u8))| {
            let sum = |list: [u8; 2]| list[0].saturating_add(list[1]);
            predicted(*calm, sum(said.seen), sum(said.silent)).ln()
        };
        let dark = |(said, calm): (&Said, &(u8, u8))| {
            let before = predicted(*calm, said.seen[0], said.silent[0]).ln();
            before + f64::from(said.seen[1]) * STRAY.ln()
        };
        let prior = match begin {
            0 => FROM_THE_FIRST,
            _ => (1.0 - FROM_THE_FIRST) / (begins - 1) as f64,
        };
        let hops = || said.iter().zip(calm);
        let mut likelihood: f64 = hops().map(dark).sum::<f64>() + prior.ln();
        all.push((0, likelihood));
        for (index, hop) in hops().enumerate() {
            likelihood += alive(hop) - dark(hop);
            let words = f64::from(hop.0.words.min(WORDS)) * WORD.ln();
            all.push((index + 1, likelihood + words));
        }
    }
    let best = all.iter().map(|(_, one)| *one).fold(f64::NEG_INFINITY, f64::max);
    for (position, one) in all {
        weights[position] += (one - best).exp();
    }
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

    /// Sweeps of three hops, one letter each: `x` heard, `.` silent, `!` its word, `-` not asked.
    fn seen(sweeps: &str) -> Vec<Observation> {
        let mut all = Vec::new();
        for (slot, sweep) in (0..).zip(sweeps.split(' ')) {
            for (hop_limit, letter) in (1..).zip(sweep.chars()).filter(|(_, one)| *one != '-') {
                let is_seen = letter != '.';
                let is_word = letter == '!';
                all.push(Observation {
                    by: 0,
                    hop_limit,
                    slot,
                    at: Time::default(),
                    is_seen,
                    is_word,
                });
            }
        }
        all
    }

    #[test]
    fn positions_follow_from_who_answers_and_who_no_longer_does() {
        for (calm, sweeps, wanted) in [
            // Nothing is known yet.
            ([OFTEN, OFTEN, OFTEN], "---", (0, 3)),
            // Everybody answers: it lies behind the last.
            ([OFTEN, OFTEN, OFTEN], "xxx xxx xxx", (3, 3)),
            ([OFTEN, OFTEN, OFTEN], "x.. x.. x.. x..", (1, 1)),
            // One silence is no proof, ...
            ([OFTEN, OFTEN, OFTEN], "x.-", (1, 3)),
            // ... and three are none where three in ten are lost, or where little is known.
            ([OFTEN, (20, 14), OFTEN], "x.. x.. x..", (1, 2)),
            ([OFTEN, (3, 3), OFTEN], "x.. x.. x..", (1, 2)),
            // A hop that never answers tells nothing.
            ([OFTEN, NEVER, OFTEN], "x.. x.. x.. x..", (1, 2)),
            // What was heard once in two has not gone.
            ([OFTEN, OFTEN, OFTEN], "xx. x.. xx. x..  xx.", (2, 2)),
            // Nobody answers at all.
            ([OFTEN, OFTEN, OFTEN], "... ... ...", (0, 0)),
            // It was whole when the doubt began.
            ([OFTEN, OFTEN, OFTEN], "xxx xxx x.. x.. x..", (1, 1)),
        ] {
            assert_eq!(positions(&calm, &seen(sweeps), Time::NEVER, 1000.0), wanted, "{sweeps}");
        }
    }

    #[test]
    fn a_word_is_evidence_and_no_proof() {
        for (sweeps, wanted) in [
            ("x-. x..", (1, 2)),
            ("!-. !..", (1, 1)),
            // A router that says no although the next one answers is wrong.
            ("!x. !x. !x. !x.", (2, 2)),
        ] {
            let calm = [OFTEN, OFTEN, OFTEN];
            assert_eq!(positions(&calm, &seen(sweeps), Time::NEVER, 1000.0), wanted, "{sweeps}");
        }
    }
}

//! What other tracers would say of a break, half a minute or more after it began: that it lies
//! between the last hop that they think passes and the next.

use lifesign_core::{
    scopes::{BlockId, Roster},
    time::Time,
};
use lifesign_lab::{Scenario, Traceroute};
use lifesign_path::Answer;
use std::{collections::BTreeMap, time::Duration};

const AFTER: Duration = Duration::from_secs(30);
const APART: Duration = Duration::from_secs(15);
const MOST_HOPS: u8 = 30;
const ROUNDS: usize = 10;
const ROUND: Duration = Duration::from_secs(1);

/// How often each was right.
#[derive(Default)]
pub struct Scores {
    pub breaks: u64,
    right: [u64; 3],
}

const NAMES: [&str; 3] = ["one traceroute", "mtr", "trippy"];

/// Which hops answer; the list ends with the target, or where a router says no.
fn round(world: &mut Traceroute, block: BlockId, now: Time) -> Vec<bool> {
    let mut heard = Vec::new();
    for hop_limit in 1..=MOST_HOPS {
        match world.ask(block, hop_limit, now) {
            Some((_, Answer::TimeExceeded)) => heard.push(true),
            Some((_, Answer::Reply)) => {
                heard.push(true);
                break;
            }
            Some((_, Answer::Unreachable(_))) => break,
            None => heard.push(false),
        }
    }
    heard
}

fn last(heard: &[bool]) -> usize {
    heard.iter().rposition(|heard| *heard).map_or(0, |index| index + 1)
}

impl Scores {
    /// Asks them about every break of a world.
    pub fn play(&mut self, scenario: &Scenario, seed: u64) {
        let Some(mut world) = Traceroute::new(scenario, seed) else { return };
        let roster: &Roster = &scenario.roster;
        for block in (0..roster.blocks.len() as u32).map(BlockId) {
            for (from, _) in world.dark_spans(block).to_vec() {
                // One at a time, so that routers that limit their answers have some for each.
                let now = from + AFTER + APART * block.0;
                let Some(truth) = world.broken_after(block, now) else { continue };
                self.breaks += 1;
                // One probe a hop: it breaks behind the last hop that answers.
                let one = last(&round(&mut world, block, now));
                let rounds: Vec<Vec<bool>> = (1..=ROUNDS as u32)
                    .map(|number| round(&mut world, block, now + ROUND * number))
                    .collect();
                // The loss column: it breaks where 100 % begin, down to the end.
                let lossless = rounds.iter().map(|heard| last(heard)).max().unwrap_or(0);
                // Forward loss: in each round, that of the hop behind the last that answers.
                let mut lost: BTreeMap<usize, usize> = BTreeMap::new();
                for heard in &rounds {
                    *lost.entry(last(heard)).or_default() += 1;
                }
                let forward = lost.into_iter().max_by_key(|(_, count)| *count);
                let forward = forward.map_or(0, |(hop, _)| hop);
                for (right, said) in self.right.iter_mut().zip([one, lossless, forward]) {
                    *right += u64::from(said == truth);
                }
            }
        }
    }

    /// The share of breaks of which each was right, in percent.
    pub fn shares(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let share = |right: u64| right as f64 / self.breaks.max(1) as f64 * 100.0;
        NAMES.into_iter().zip(self.right.map(share))
    }

    /// That of the last hop that answers one traceroute.
    pub fn last_hop(&self) -> f64 {
        self.shares().next().map_or(0.0, |(_, share)| share)
    }
}

//! Whatever happens in whatever order: budgets are kept, and a place holds the truth.

use super::toy::{Toy, Way, block, chain, start};
use crate::{PathEvent, Settings, Tracer, episode::Observation, evidence::positions};
use lifesign_model::{
    scopes::{BlockId, Family},
    time::Time,
};
use proptest::prelude::*;

const BLOCKS: u8 = 4;
const HOPS: u8 = 6;

#[derive(Clone, Debug)]
enum Act {
    Run(u16),
    Cut(u8, usize, Way),
    Mend(u8),
    Doubt(u8),
    Down(u8),
    Life(u8),
    Blind(bool),
    /// The same blocks, from this one on.
    Replan(u8, bool),
    Targets(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let way = prop_oneof![Just(Way::Both), Just(Way::Forward), Just(Way::Back)];
    prop_oneof![
        4 => (100_u16..8000).prop_map(Act::Run),
        2 => (0..BLOCKS, 1..=usize::from(HOPS), way)
            .prop_map(|(block, after, way)| Act::Cut(block, after, way)),
        1 => (0..BLOCKS).prop_map(Act::Mend),
        4 => (0..BLOCKS).prop_map(Act::Doubt),
        3 => (0..BLOCKS).prop_map(Act::Down),
        1 => (0..BLOCKS).prop_map(Act::Life),
        1 => any::<bool>().prop_map(Act::Blind),
        1 => (0..BLOCKS, any::<bool>()).prop_map(|(from, frugal)| Act::Replan(from, frugal)),
        1 => (0..BLOCKS).prop_map(Act::Targets),
    ]
}

/// Blocks have the numbers of their chains; by the tracer's plan they begin with `first`.
struct Run {
    toy: Toy,
    first: u8,
}

impl Run {
    fn id(&self, chain: u8) -> BlockId {
        BlockId(u32::from((chain + BLOCKS - self.first) % BLOCKS))
    }

    fn act(&mut self, act: &Act) {
        let now = self.toy.now;
        match *act {
            Act::Run(millis) => self.toy.run(f64::from(millis) / 1000.0),
            Act::Cut(chain, after, way) => {
                self.toy.chains[usize::from(chain)].cut = Some((after, way));
            }
            Act::Mend(chain) => self.toy.chains[usize::from(chain)].cut = None,
            Act::Doubt(chain) => self.toy.tracer.handle_doubt(self.id(chain), now),
            Act::Down(chain) => self.toy.tracer.handle_down(self.id(chain), now),
            Act::Life(chain) => self.toy.tracer.handle_life(self.id(chain), now),
            Act::Blind(is_blind) => self.toy.tracer.handle_blind(Family::V4, is_blind, now),
            Act::Replan(first, is_frugal) => {
                self.first = first;
                let settings = Settings::default();
                let settings = if is_frugal { settings.frugal() } else { settings };
                self.toy.tracer.set_settings(settings);
                let chains = (0..BLOCKS).map(|id| usize::from((id + first) % BLOCKS));
                let blocks = chains.map(|chain| block(&self.toy.chains[chain])).collect();
                self.toy.tracer.set_blocks(blocks, now);
            }
            Act::Targets(chain) => {
                let targets = [[175, 45, 176 + chain, 15], [175, 45, 176 + chain, 16]];
                let targets = targets.map(Into::into).to_vec();
                self.toy.tracer.set_targets(self.id(chain), targets, now);
            }
        }
    }
}

fn learned(seed: u64) -> Run {
    let tracer = Tracer::new(Settings::default(), seed, start());
    let chains = (0..BLOCKS).map(|number| chain(number, HOPS)).collect();
    let mut toy = Toy::new(tracer, chains, seed);
    toy.run(3600.0);
    Run { toy, first: 0 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_router_gets_more_than_its_budget(
        acts in prop::collection::vec(act(), 1..60),
        seed in any::<u64>(),
    ) {
        let mut run = learned(seed);
        for act in &acts {
            run.act(act);
            prop_assert_eq!(run.toy.over_budget(0.0), None);
        }
        run.toy.run(1200.0);
        prop_assert_eq!(run.toy.over_budget(0.0), None);
    }

    /// A break that lasts, whatever the plan does meanwhile: each place of it holds the truth.
    #[test]
    fn a_place_holds_the_truth_whatever_the_plan_does(
        cut in (1..=usize::from(HOPS), 0..BLOCKS),
        replans in prop::collection::vec((0..BLOCKS, any::<bool>(), 500_u16..4000), 0..6),
        seed in any::<u64>(),
    ) {
        let (after, broken) = cut;
        let mut run = learned(seed);
        run.act(&Act::Cut(broken, after, Way::Both));
        run.act(&Act::Run(2000));
        run.act(&Act::Doubt(broken));
        for (number, &(first, is_frugal, millis)) in replans.iter().enumerate() {
            run.act(&Act::Run(millis));
            run.act(&Act::Replan(first, is_frugal));
            if number == 1 {
                run.act(&Act::Down(broken));
            }
        }
        run.act(&Act::Down(broken));
        run.act(&Act::Run(60_000));
        let mut named = 0;
        while let Some(event) = run.toy.tracer.poll_event() {
            let PathEvent::Place { block, place } = event else { continue };
            // Of the plan at the time: it is told after the last, so it has the ids of this.
            prop_assert_eq!(block, run.id(broken));
            let last = place.last.map_or(0, |hop| usize::from(hop.hop_limit));
            let silent = place.first_silent.map_or(usize::MAX, |hop| hop.hop_limit.into());
            prop_assert!(last <= after && after < silent, "{} {} {}", last, after, silent);
            named += 1;
        }
        prop_assert_eq!(named, 1);
    }

    /// Hops up to the break answer as they do in calm, and those behind it are silent.
    #[test]
    fn what_is_seen_of_a_break_never_rules_it_out(
        hops in prop::collection::vec((1_u8..=64, 0..=100_u8, any::<bool>()), 1..12),
        at in any::<prop::sample::Index>(),
        sweeps in 1_u32..8,
    ) {
        let calm: Vec<(u8, u8)> = hops
            .iter()
            .map(|&(asked, percent, _)| (asked, (u16::from(asked) * u16::from(percent) / 100) as u8))
            .collect();
        let truth = at.index(calm.len() + 1);
        let mut seen = Vec::new();
        for slot in 0..sweeps {
            for (hop_limit, (&(asked, answered), &(_, _, is_asked))) in
                (1..).zip(calm.iter().zip(&hops))
            {
                let answers = u16::from(answered) * 2 >= u16::from(asked);
                if is_asked {
                    let is_seen = answers && usize::from(hop_limit) <= truth;
                    // One that answers seldom is silent before the break too.
                    seen.push(Observation {
                        by: 0, hop_limit, slot, at: Time::default(), is_seen, is_word: false,
                    });
                }
            }
        }
        let (least, greatest) = positions(&calm, &seen, Time::NEVER, 1e9);
        prop_assert!(usize::from(least) <= truth && truth <= usize::from(greatest),
            "{} {} {}", least, truth, greatest);
    }
}

//! What holds in any world, whoever is asked.

use super::{Evidence, Fed, Judge, RTT, Rng, Roster, SECOND, Scope, State, Told};
use crate::fixtures::{in_networks, of_sizes, scope_name, start, without};
use crate::scopes::{BlockId, ScopeId};
use std::{collections::BTreeMap, ops::Range, time::Duration};

const LENGTH: f64 = 1500.0;
const TICK: Duration = Duration::from_millis(250);

/// A random world: who is silent when, how much is lost, how much comes late, when we are blind.
struct World {
    roster: Roster,
    controls: usize,
    silent: Vec<(Range<u32>, Range<f64>)>,
    blind: Vec<Range<f64>>,
    loss: f64,
    late: f64,
    rng: Rng,
    /// Blocks of which most are asked just now.
    focus: u32,
}

fn span(rng: &mut Rng, longest: f64) -> Range<f64> {
    let from = rng.unit() * LENGTH;
    from..from + longest * rng.unit().powi(2) + 1.0
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let roster = match rng.below(5) {
            0 => of_sizes(&[vec![6; 4]]),
            1 => in_networks(&of_sizes(&[vec![4; 7]]), 1, 3),
            2 => in_networks(&of_sizes(&[vec![1, 3, 12], vec![5; 4]]), 0, 2),
            3 => of_sizes(&[vec![3; 20]]),
            _ => of_sizes(&[vec![30]]),
        };
        let mut silent = Vec::new();
        for _ in 0..rng.below(12) {
            let country = &roster.countries[rng.below(roster.countries.len())];
            let all = country.blocks.clone();
            let one = all.start + rng.below(all.len()) as u32;
            let some = match rng.below(4) {
                0 => all,
                1 => one..one + 1,
                2 => one..all.end,
                _ => {
                    // Hosts, and not the whole block.
                    let hosts = roster.blocks[one as usize].targets.clone();
                    let kept = rng.below(hosts.len()) as u32;
                    silent.push((hosts.start + kept..hosts.end, span(&mut rng, 1500.0)));
                    continue;
                }
            };
            let first = roster.blocks[some.start as usize].targets.start;
            let last = roster.blocks[some.end as usize - 1].targets.end;
            silent.push((first..last, span(&mut rng, 600.0)));
        }
        let controls = rng.below(2);
        let blind = (0..rng.below(3) * controls).map(|_| span(&mut rng, 120.0)).collect();
        let loss = [0.0, 0.02, 0.2, 0.5][rng.below(4)];
        let late = [0.0, 0.05][rng.below(2)];
        Self { roster, controls, silent, blind, loss, late, rng, focus: 0 }
    }

    fn is_blind(&self, at: f64) -> bool {
        self.blind.iter().any(|span| span.contains(&at))
    }

    /// Whom to ask now, and after what time that is answered.
    fn next(&mut self, at: f64) -> (u32, Option<Duration>) {
        if self.rng.chance(0.01) {
            self.focus = self.rng.below(self.roster.blocks.len()) as u32;
        }
        let block = &self.roster.blocks[self.focus as usize];
        let targets = if self.rng.chance(0.6) {
            block.targets.clone()
        } else {
            0..self.roster.targets.len() as u32
        };
        let target = targets.start + self.rng.below(targets.len()) as u32;
        let is_silent =
            |(who, when): &(Range<u32>, Range<f64>)| who.contains(&target) && when.contains(&at);
        let is_lost = self.rng.chance(self.loss);
        if is_lost || self.is_blind(at) || self.silent.iter().any(is_silent) {
            return (target, None);
        }
        let is_late = self.rng.chance(self.late);
        (target, Some(if is_late { SECOND * (1 + self.rng.below(20) as u32) } else { RTT }))
    }

    /// Plays the world; `take_in` hands to the judge what it is told.
    fn play(&mut self, mut take_in: impl FnMut(&mut Fed, Told)) -> Fed {
        let mut fed = Fed::new(self.roster.clone(), self.controls);
        let mut ticks = 0_u32;
        while fed.at() < LENGTH {
            if self.controls > 0 && ticks.is_multiple_of(4) {
                fed.ask_control(!self.is_blind(fed.at()));
            }
            let (target, rtt) = self.next(fed.at());
            fed.ask(target, rtt);
            ticks += 1;
            let until = start() + TICK * ticks;
            while let Some(told) = fed.next(until) {
                take_in(&mut fed, told);
            }
        }
        fed
    }
}

/// What of a judge must not change while a block is dark: what its hosts and itself usually miss.
fn miss_rates(judge: &Judge, block: u32) -> Vec<f32> {
    let scope = &judge.scopes[block as usize];
    let targets = judge.roster.blocks[block as usize].targets.clone();
    let of_hosts = targets.map(|target| judge.targets[target as usize].miss_rate);
    let own = [scope.common_loss.rate(), scope.newest_miss_rate];
    of_hosts.chain(own).collect()
}

fn dark_blocks(judge: &Judge) -> Vec<u32> {
    let blocks = 0..judge.roster.blocks.len() as u32;
    blocks.filter(|&block| judge.scopes[block as usize].darkness.is_some()).collect()
}

/// The scopes of which a miss of this host says nothing: all if it has gone, else what lies above
/// an excluded one.
fn unaffected(judge: &Judge, block: BlockId, target: u32) -> Vec<ScopeId> {
    let path: Vec<ScopeId> = judge.roster.path(block).collect();
    if judge.targets[target as usize].is_gone() {
        return path;
    }
    let excluded = path.iter().position(|id| judge.scopes[id.index()].excluded);
    excluded.map_or(Vec::new(), |at| path[at + 1..].to_vec())
}

#[test]
fn who_has_gone_and_what_is_excluded_never_changes_a_silence() {
    let mut seen = [0, 0];
    for seed in 0..60 {
        World::new(seed).play(|fed, told| {
            let Told::Of(summary) = told else { return fed.take_in(told) };
            if !matches!(summary.evidence, Evidence::Miss { .. }) {
                return fed.take_in(told);
            }
            let unaffected = unaffected(&fed.judge, summary.block, summary.target.0);
            let silences = |fed: &Fed| -> Vec<_> {
                unaffected.iter().map(|id| fed.judge.scopes[id.index()].silence.clone()).collect()
            };
            let before = silences(fed);
            let is_gone = fed.judge.targets[summary.target.0 as usize].is_gone();
            seen[usize::from(is_gone)] += unaffected.len();
            fed.take_in(told);
            assert_eq!(before, silences(fed), "seed {seed}, {summary:?}");
        });
    }
    assert!(seen.iter().all(|&seen| seen > 1000), "{seen:?}");
}

#[test]
fn nothing_is_dark_in_which_a_host_answered_since_the_edge() {
    let mut dark = 0;
    for seed in 0..60 {
        World::new(seed).play(|fed, told| {
            fed.take_in(told);
            for id in fed.roster.scope_ids() {
                let scope = &fed.judge.scopes[id.index()];
                let Some(darkness) = &scope.darkness else { continue };
                dark += 1;
                let blocks = fed.roster.blocks_of(fed.roster.scope(id));
                for block in blocks {
                    let targets = fed.roster.blocks[block as usize].targets.clone();
                    let hosts = targets.map(|target| &fed.judge.targets[target as usize]);
                    let life = hosts.filter(|host| host.is_heard()).map(|host| host.last_life);
                    assert!(
                        life.max() <= Some(darkness.edge.latest),
                        "seed {seed}, {}: {darkness:?}",
                        scope_name(&fed.roster, id)
                    );
                }
            }
        });
    }
    assert!(dark > 100_000, "{dark}");
}

#[test]
fn nothing_is_learned_of_loss_in_a_darkness() {
    for seed in 0..60 {
        World::new(seed).play(|fed, told| {
            let dark = dark_blocks(&fed.judge);
            let before: Vec<_> = dark.iter().map(|&id| miss_rates(&fed.judge, id)).collect();
            fed.take_in(told);
            for (&block, before) in dark.iter().zip(before) {
                assert_eq!(miss_rates(&fed.judge, block), before, "seed {seed}, block {block}");
            }
        });
    }
}

#[test]
fn no_block_is_in_outage_before_all_who_can_tell_were_asked_or_160_s_have_passed() {
    let mut outages = 0;
    for seed in 0..120 {
        let mut known = 0;
        World::new(seed).play(|fed, told| {
            fed.take_in(told);
            for change in &fed.changes[known..] {
                let Scope::Block(block) = change.scope else { continue };
                if change.to != State::Outage {
                    continue;
                }
                outages += 1;
                let life = fed.judge.scopes[ScopeId::from(block).index()].life.unwrap_or_default();
                let targets = fed.roster.block(block).targets.clone();
                let hosts = targets.map(|target| &fed.judge.targets[target as usize]);
                let unasked = hosts.filter(|host| host.is_usable() && host.last_miss <= life);
                let is_long = change.time.since(life) >= Duration::from_secs(160);
                assert!(unasked.count() == 0 || is_long, "seed {seed}: {change:?}");
            }
            known = fed.changes.len();
        });
    }
    assert!(outages > 100, "{outages}");
}

/// The same outcomes, with hosts, blocks, networks and countries numbered backwards.
#[test]
fn numbers_change_no_verdict() {
    for seed in 0..60 {
        let mut world = World::new(seed);
        let backwards = without(&world.roster, |_| false, true);
        let mut other = Fed::new(backwards, world.controls);
        let ids: BTreeMap<_, _> =
            other.roster.targets.iter().map(|target| target.host.to_string()).zip(0..).collect();
        let fed = world.play(|fed, told| {
            fed.take_in(told);
            other.now = fed.now;
            other.judge.handle_timeout(fed.now);
            other.take_in(match told {
                Told::Control(_) => told,
                Told::Of(mut summary) => {
                    let host = fed.roster.target(summary.target).host.to_string();
                    summary.target.0 = ids[&host];
                    summary.block = other.roster.target(summary.target).block;
                    Told::Of(summary)
                }
            });
        });
        let named = |fed: &Fed| -> Vec<_> {
            let name = |scope| scope_name(&fed.roster, fed.roster.scope_id(scope));
            let named = fed.changes.iter().map(|change| {
                let edge = (change.edge.earliest, change.edge.latest);
                (change.time, name(change.scope), change.from, change.to, edge)
            });
            let mut named: Vec<_> = named.collect();
            named.sort();
            named
        };
        let [these, others] = [named(&fed), named(&other)];
        let differ = these.iter().zip(&others).find(|(one, other)| one != other);
        assert!(differ.is_none() && these.len() == others.len(), "seed {seed}: {differ:#?}");
    }
}

/// Of ten hosts nine vanish. The tenth, asked late once and then often, ends the darkness that this
/// looks like: it is as if that had never been, but for who has gone.
#[test]
fn a_refuted_darkness_leaves_flaps_as_they_were() {
    let block = Scope::Block(BlockId(0));
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let mut fed = Fed::new(of_sizes(&[vec![10, 10]]), 1);
        fed.play(300, |_| Some(RTT));
        if rng.chance(0.5) {
            // A true darkness before it.
            fed.play(30, |_| None);
            fed.play(200, |_| Some(RTT));
        }
        let flaps = fed.judge.scopes[0].flaps.clone();
        let downs = fed.judge.scopes[0].totals.entered[State::Down];
        let left = rng.below(10) as u32;
        for second in 1..=600 {
            if second >= 10 && second % 3 == 1 {
                fed.ask(left, Some(RTT));
            }
            fed.play(1, |target| (target >= 10).then_some(RTT));
        }
        let scope = &fed.judge.scopes[0];
        assert_eq!(scope.totals.entered[State::Down], downs + 1, "seed {seed}");
        assert_eq!(scope.flaps, flaps, "seed {seed}");
        let told = fed.changes.iter().filter(|change| change.retracts() && change.scope == block);
        let back: Vec<_> = told.map(|change| change.edge.latest).collect();
        assert_eq!(back, [scope.recovery.edge.latest], "seed {seed}");
        assert_eq!(fed.state(block), State::Partial, "seed {seed}");
        for target in (0..10).filter(|&target| target != left) {
            assert!(fed.judge.targets[target as usize].is_gone(), "seed {seed}, {target}");
        }
    }
}

/// A day of flapping, loss and late answers: what is kept has a bound.
#[test]
fn what_is_kept_does_not_grow_with_time() {
    let mut fed = Fed::new(in_networks(&of_sizes(&[vec![4; 5]]), 1, 2), 1);
    let mut rng = Rng::new(1);
    let mut kept = Vec::new();
    for _ in 0..8 {
        for _ in 0..60 {
            let dark = rng.below(30) as u32;
            let who = rng.below(20) as u32;
            fed.play(dark, |target| (target < who).then_some(RTT));
            fed.play(60 - dark, |target| Some(if target == who { SECOND * 3 } else { RTT }));
        }
        let memory = serde_json::to_string(&fed.remember()).expect("JSON");
        kept.push([memory.len(), fed.judge.timers.len(), fed.judge.unconfirmed.len()]);
    }
    for kept in &kept {
        assert!(kept[0] < kept_at_most(&fed.roster), "{kept:?}");
        assert!(kept[1] <= 16 * fed.roster.scope_count() && kept[2] <= 20, "{kept:?}");
    }
}

/// Bytes of memory as it is written to the disk.
fn kept_at_most(roster: &Roster) -> usize {
    400 * roster.targets.len() + 5000 * roster.scope_count()
}

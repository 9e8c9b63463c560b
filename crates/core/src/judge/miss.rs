//! What misses and changes of our sight do to what is known of hosts and scopes.

use super::{
    Judge,
    hindrance::Hindrance,
    rules::{self, MAX_MISS_RATE},
    scope_state::{Contribution, FirstMiss},
    sight::SightChange,
    silence::Miss,
};
use crate::{
    aggregate::Summary,
    schedule::Directive,
    scopes::{BlockId, Family, PerFamily, RosterMapping, ScopeId, TargetId},
    time::Time,
};
use std::time::Duration;

/// A miss that counts once somebody of its family answers a probe sent no earlier.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unconfirmed {
    pub target: TargetId,
    pub block: BlockId,
    pub sent: Time,
    pub usual_rtt: Duration,
}

impl Unconfirmed {
    /// The same with other ids, if its target is still there.
    pub fn remapped(self, map: &RosterMapping) -> Option<Self> {
        Some(Self {
            target: TargetId(map.targets.new_id(self.target.0)?),
            block: BlockId(map.blocks.new_id(self.block.0)?),
            ..self
        })
    }
}

impl Judge {
    pub(super) fn record_miss(&mut self, summary: &Summary, usual_rtt: Duration, now: Time) {
        let family = self.roster.family(summary.block);
        let reports_held_back = summary.kind.traits().reports_held_back;
        let change = self.sight[family].probe_sent(summary.sent, reports_held_back, now);
        self.apply_sight_change(family, change, now);
        let sight = &self.sight[family];
        if sight.is_blind() || summary.sent < sight.restored {
            return;
        }
        self.record_left(summary.target, summary.sent, now);
        let of_block = self.holds_back_block(summary.block, now);
        let is_held_back = self.may_be_held_back(summary.target, of_block, now);
        self.targets[summary.target.0 as usize].is_hindered = is_held_back;
        if is_held_back {
            return;
        }
        for id in self.roster.path(summary.block) {
            let scope = &mut self.scopes[id.index()];
            scope.last_evidence = now;
            scope.hindrance = Hindrance::default();
        }
        let &Summary { target, block, sent, .. } = summary;
        let miss = Unconfirmed { target, block, sent, usual_rtt };
        if sent <= self.sight[family].confirmed_until() {
            self.count_miss(miss, now);
        } else {
            self.unconfirmed.push(miss);
        }
    }

    /// Somebody has answered: misses of probes sent before count now.
    pub(super) fn confirm_misses(&mut self, now: Time) {
        let until = PerFamily::new(|family| self.sight[family].confirmed_until());
        let roster = self.roster.clone();
        let is_confirmed = |miss: &mut Unconfirmed| miss.sent <= until[roster.family(miss.block)];
        let mut confirmed: Vec<_> = self.unconfirmed.extract_if(.., is_confirmed).collect();
        confirmed.sort_by_key(|miss| miss.sent);
        for miss in confirmed {
            self.count_miss(miss, now);
        }
    }

    fn count_miss(&mut self, miss: Unconfirmed, now: Time) {
        let block = ScopeId::from(miss.block);
        let life = self.scopes[block.index()].life;
        self.record_still_missing(miss, now);
        self.update_presence(miss.target, now);
        self.targets[miss.target.0 as usize].record_miss(miss.sent, life);
        if life.is_some_and(|life| miss.sent <= life) {
            self.learn_from_old_miss(miss, now);
            return;
        }
        let scope = &mut self.scopes[block.index()];
        if scope.first_miss.is_none() && !self.targets[miss.target.0 as usize].is_gone() {
            scope.first_miss = Some(FirstMiss { target: miss.target, sent: miss.sent });
        }
        let known = &self.targets[miss.target.0 as usize];
        // One that has gone, or never answered, says nothing of its block.
        if known.is_usable() || known.is_evidence(self.is_unheard(miss.block)) {
            self.add_to_silence(miss);
            // In the midst of an outage, another miss changes no verdict.
            let changes_nothing = |id: ScopeId| self.scopes[id.index()].miss_changes_nothing(now);
            if !self.roster.path(miss.block).all(changes_nothing) {
                self.evaluate(block, now);
            }
        } else if self.targets[miss.target.0 as usize].is_gone() {
            self.update_rank(miss.target, now);
        } else if self.scopes[block.index()].silence.is_empty() {
            // Only a host that never answered: is the block silent?
            self.directives.push_back(Directive::AskBlock(miss.block));
        }
    }

    /// An answer came in time and was read after its probe had been called overdue: what that miss
    /// said is taken back, but for what it taught if another answer came between (`learn`): one
    /// miss. A verdict that it made, the answer itself takes back, as a late one does.
    pub(super) fn take_back_miss(&mut self, summary: &Summary, missed_at: Time, now: Time) {
        let &Summary { target, block, .. } = summary;
        let mut unconfirmed = self.unconfirmed.iter();
        let its = unconfirmed.rposition(|miss| (miss.target, miss.sent) == (target, missed_at));
        if let Some(index) = its {
            self.unconfirmed.remove(index);
            return;
        }
        let known = &mut self.targets[target.0 as usize];
        if ![known.last_miss, known.previous_miss].contains(&missed_at) {
            return;
        }
        known.take_back_miss(missed_at);
        let first = &mut self.scopes[ScopeId::from(block).index()].first_miss;
        *first = first.filter(|first| (first.target, first.sent) != (target, missed_at));
        for id in self.roster.path(block) {
            let silence = &self.scopes[id.index()].silence;
            if !silence.is_empty() && silence.first <= missed_at {
                self.rebuild_silence(id, now);
            }
        }
    }

    /// Has nobody been heard of the block, nor of anything that it lies in? Or a neighbour alone,
    /// so that the silence of one host tells as much as that of another.
    pub(super) fn is_unheard(&self, block: BlockId) -> bool {
        self.roster.path(block).all(|id| self.scopes[id.index()].life.is_none())
            || self.is_heard_by_neighbour_alone(block)
    }

    /// The loss that a block's hosts lately had in common, ours included.
    pub(super) fn common_miss_rate(&self, block: BlockId) -> f32 {
        let rates = self.roster.path(block).map(|id| self.scopes[id.index()].common_loss.rate());
        rates.fold(self.sight[self.roster.family(block)].own_loss, f32::max).min(MAX_MISS_RATE)
    }

    /// Adds a miss to the silence of its block and of all that it lies in, as far as it says
    /// anything of them.
    pub(super) fn add_to_silence(&mut self, miss: Unconfirmed) {
        let common = self.common_miss_rate(miss.block);
        let weight = self.targets[miss.target.0 as usize].miss_weight(common);
        let mut part = miss.target.0;
        let mut child: Option<ScopeId> = None;
        for id in self.roster.path(miss.block) {
            if self.scopes[id.index()].life.is_some_and(|life| miss.sent <= life) {
                return;
            }
            let mut gain = weight;
            if let Some(child) = child {
                self.update_excluded(child);
                if self.scopes[child.index()].excluded {
                    return;
                }
                gain = self.contribute(child, id, weight);
            }
            let Unconfirmed { sent, usual_rtt, .. } = miss;
            self.scopes[id.index()].silence.add(Miss { sent, weight, part, usual_rtt }, gain);
            child = Some(id);
            part = id.0;
        }
    }

    /// What a child's miss adds to the odds of the scope above it, no child more than its share.
    pub(super) fn contribute(&mut self, child: ScopeId, parent: ScopeId, weight: f32) -> f32 {
        let above = &self.scopes[parent.index()];
        let shares = above
            .children
            .usable()
            .saturating_sub(1)
            .clamp(rules::FEWEST_SHARES, rules::MOST_SHARES);
        let share = rules::DOWN_ODDS / shares as f32 * rules::SHARE_ROUNDING;
        let life = above.life;
        let added = &mut self.scopes[child.index()].contribution;
        if added.since != life {
            *added = Contribution { since: life, odds: 0.0, counted: false };
        }
        let gain = weight.min(share - added.odds).max(0.0);
        added.odds += gain;
        let is_first = !std::mem::replace(&mut added.counted, true);
        self.scopes[parent.index()].silence.children += u32::from(is_first);
        gain
    }

    /// Our sight of a family changed: every verdict on its scopes with it.
    pub(super) fn apply_sight_change(&mut self, family: Family, change: SightChange, now: Time) {
        if change != SightChange::None {
            self.evaluate_family(family, change, now);
        }
    }

    #[cold]
    fn evaluate_family(&mut self, family: Family, change: SightChange, now: Time) {
        let roster = self.roster.clone();
        self.unconfirmed.retain(|miss| roster.family(miss.block) != family);
        let all: Vec<_> =
            roster.scope_ids().filter(|id| self.families[id.index()][family]).collect();
        if let SightChange::Restored(from, to) = change {
            for &id in &all {
                // Who was seen in another family meanwhile was not out of sight; of a gap in all of
                // them the time counts once.
                let is_other = |other: Family| self.families[id.index()][other] && other != family;
                let is_told = self.sight.iter().any(|(other, sight)| {
                    let is_before = sight.restored < to || sight.restored == to && other < family;
                    is_other(other) && !sight.is_blind() && is_before
                });
                let scope = &mut self.scopes[id.index()];
                if !is_told {
                    scope.record_unseen(from, to);
                }
                scope.last_evidence = scope.last_evidence.max(now);
            }
        }
        self.evaluate_all(all, now);
    }
}

//! What an answer does to what is known of its target and of all scopes that it lies in.

use super::{
    Darknesses, Judge, Recovery, ScopeId, ScopeState, State,
    darkness::{Darkness, Proof},
    hindrance::Hindrance,
    rules,
    scope_state::Contribution,
    silence::Miss,
    target_state::TargetState,
};
use crate::{
    aggregate::Summary,
    schedule::Directive,
    scopes::{BlockId, TargetId},
    time::Time,
};
use std::{sync::Arc, time::Duration};

/// An answer of a target, or of a neighbour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// Who was asked.
    pub target: TargetId,
    pub block: BlockId,
    pub sent: Time,
    pub rtt: Duration,
    /// It was read late, or is a neighbour's: what was missed since it was sent stands.
    pub may_be_old: bool,
    /// What was known of the target before; None where a neighbour answered.
    pub before: Option<TargetState>,
}

impl Answer {
    /// What was known of its target, if that fell silent in the darkness before this recovery and
    /// is back from it only now.
    pub fn back_from(&self, recovery: &Recovery) -> Option<TargetState> {
        self.before.filter(|before| {
            recovery.was_dark_at(before.last_miss)
                && recovery.life_before.is_none_or(|life| before.last_life <= life)
        })
    }
}

impl Judge {
    pub(super) fn record_answer(
        &mut self,
        summary: &Summary,
        rtt: Duration,
        may_be_old: bool,
        is_measured: bool,
        now: Time,
    ) {
        let &Summary { target, block, sent, .. } = summary;
        self.record_seen(summary, now);
        self.update_presence(target, now);
        let before = self.targets[target.0 as usize];
        let answer = Answer { target, block, sent, rtt, may_be_old, before: Some(before) };
        // An answer of who was there tells nothing new of how many are.
        let slowdown = if before.is_present() && before.gone_odds == 0.0 {
            self.targets[target.0 as usize].record_answer(sent, rtt, is_measured)
        } else {
            self.change_target(target, |known| known.record_answer(sent, rtt, is_measured))
        };
        if before.is_gone() {
            self.update_rank(target, now);
            self.ask_another_gone(block, now);
        }
        let id = ScopeId::from(block);
        let is_newest = self.scopes[id.index()].life.is_none_or(|life| sent > life);
        if is_newest {
            self.scopes[id.index()].is_neighbour = false;
            self.question_limit(&answer);
            self.learn_from_newest(&before, block);
            self.learn_from_answer(&answer, now);
        }
        for id in self.roster.path(block) {
            self.scopes[id.index()].quality.record_answer(slowdown);
        }
        let changes_nothing = self.record_life(&answer, now) && is_newest;
        self.update_rank(target, now);
        // The common case, an answer to scopes in good order, changes no verdict.
        if !changes_nothing {
            self.evaluate(id, now);
        }
    }

    /// Somebody in a block answered: it lives, and all that it lies in. True if none of these gave
    /// a reason to evaluate it.
    pub(super) fn record_life(&mut self, answer: &Answer, now: Time) -> bool {
        let mut changes_nothing = true;
        let mut is_checked = false;
        let mut is_dark = false;
        for id in self.roster.path(answer.block).rev() {
            changes_nothing &= self.share(id) >= rules::PARTIAL_SHARE;
            let scope = &mut self.scopes[id.index()];
            is_checked |= now < scope.recovery.until;
            is_dark |= scope.darkness.is_some();
            scope.hindrance = Hindrance::default();
            changes_nothing &= scope.darkness.is_none() && scope.answer_changes_nothing(now);
            if scope.life.is_none_or(|life| answer.sent > life) {
                self.prove_life(id, answer, now);
            }
            self.scopes[id.index()].last_evidence = now;
        }
        if is_dark || is_checked {
            for id in self.roster.path(answer.block).rev() {
                if self.scopes[id.index()].life == Some(answer.sent) {
                    self.answer_after_silence(id, answer, now);
                }
            }
        }
        if is_checked {
            for id in self.roster.path(answer.block) {
                changes_nothing &= !self.check_return(id, answer, now);
            }
        }
        changes_nothing
    }

    /// What an answer to a probe tells whoever sent it: that we can see, and send.
    pub(super) fn record_seen(&mut self, summary: &Summary, now: Time) {
        let family = self.roster.family(summary.block);
        let change = self.sight[family].answered(summary.sent, now);
        self.apply_sight_change(family, change, now);
        self.unsent.remove(&summary.target);
        if !self.unconfirmed.is_empty() {
            self.confirm_misses(now);
        }
    }

    /// Two answers within a second are more than a rate limit lets through: there is none.
    fn question_limit(&mut self, answer: &Answer) {
        let scope = &mut self.scopes[ScopeId::from(answer.block).index()];
        if !scope.common_loss.is_limited() {
            return;
        }
        if scope.life.is_some_and(|life| answer.sent.since(life) <= rules::NO_LIMIT) {
            scope.common_loss.forget_limit();
        } else {
            self.directives.push_back(Directive::Ask(answer.target, rules::LIMIT_ASKED_AFTER));
        }
    }

    /// A scope lives, or did so later than we knew.
    pub(super) fn prove_life(&mut self, id: ScopeId, answer: &Answer, now: Time) {
        let scope = &mut self.scopes[id.index()];
        if scope.darkness.is_some() {
            scope.keep_dark_time(now);
        }
        scope.previous_life = scope.life;
        scope.life = Some(answer.sent);
        if !scope.silence.is_empty() {
            if scope.silence.last > answer.sent {
                self.rebuild_silence(id, now);
            } else {
                scope.silence.clear();
            }
        }
    }

    /// A scope that is or was dark lives: that ends its darkness, or tells more of when it ended.
    fn answer_after_silence(&mut self, id: ScopeId, answer: &Answer, now: Time) {
        let scope = &self.scopes[id.index()];
        if scope.darkness.is_some() {
            self.answer_in_darkness(id, answer, now);
        } else if now < scope.recovery.until {
            self.narrow_recovery(id, answer);
        }
    }

    /// A late answer proves life before the newest misses: only those count from now on.
    pub(super) fn rebuild_silence(&mut self, id: ScopeId, now: Time) {
        let scope = &mut self.scopes[id.index()];
        scope.silence.clear();
        let Some(life) = scope.life else { return };
        let of_children = self.has_children(id);
        for child in self.roster.children(id) {
            self.scopes[child.index()].contribution = Contribution::default();
        }
        for block in self.roster.blocks_of(self.roster.scope(id)) {
            let child = self.roster.path(BlockId(block)).take_while(|&each| each != id).last();
            if let Some(child) = child.filter(|_| of_children) {
                self.update_excluded(child);
                if self.scopes[child.index()].excluded {
                    continue;
                }
            }
            let common = self.common_miss_rate(BlockId(block));
            let of_block = self.holds_back_block(BlockId(block), now);
            for target in self.roster.blocks[block as usize].targets.clone() {
                let known = self.targets[target as usize];
                if !known.is_usable() || self.may_be_held_back(TargetId(target), of_block, now) {
                    continue;
                }
                let weight = known.miss_weight(common);
                let part = child.map_or(target, |child| child.0);
                let newest = [known.previous_miss, known.last_miss];
                for sent in newest.into_iter().filter(|&sent| sent > life) {
                    let gain = child.map_or(weight, |child| self.contribute(child, id, weight));
                    let miss = Miss { sent, weight, part, usual_rtt: Duration::ZERO };
                    self.scopes[id.index()].silence.add(miss, gain);
                }
            }
        }
    }

    /// A dark scope answered: it is back, or the answer is old and only moves the begin.
    fn answer_in_darkness(&mut self, id: ScopeId, answer: &Answer, now: Time) {
        let is_parent_dark = self.parent_of(id).is_some_and(ScopeState::is_dark);
        if is_parent_dark || answer.may_be_old && self.is_still_silent(id, answer, now) {
            let scope = &mut self.scopes[id.index()];
            let latest = scope.silence.onset(scope.life, rules::EDGE_RISK, now);
            let began = scope.silence.onset(scope.life, rules::BEGAN_RISK, now);
            if let Some(darkness) = &mut scope.darkness {
                darkness.edge.earliest = Some(answer.sent);
                darkness.edge.latest = latest.unwrap_or(darkness.edge.latest).max(answer.sent);
                darkness.began = began.unwrap_or(darkness.edge.latest);
                // It is no outage any more if it is too short for one.
                let due = darkness.counted_since() + self.rules.outage_after;
                darkness.outage &= now >= due;
            }
            return;
        }
        self.end_darkness(id, answer, now);
    }

    /// Is a dark scope silent after this answer too, or all of which it consists?
    fn is_still_silent(&self, id: ScopeId, answer: &Answer, now: Time) -> bool {
        let is_answering = |child| self.roster.path(answer.block).any(|each| each == child);
        let are_children_dark = || {
            self.roster.children(id).all(|child| {
                self.scopes[child.index()].is_dark()
                    && (!is_answering(child) || self.is_still_silent(child, answer, now))
            })
        };
        self.is_silent(id, now) || self.has_children(id) && are_children_dark()
    }

    fn end_darkness(&mut self, id: ScopeId, answer: &Answer, now: Time) {
        let common = self.common_miss_rate(answer.block);
        let begun_below = self.last_begin_below(id).unwrap_or_default();
        let scope = &mut self.scopes[id.index()];
        let Some(darkness) = scope.darkness.take() else { return };
        let is_delay = answer.may_be_old && answer.sent <= darkness.edge.latest.max(begun_below);
        let latest = answer.sent + answer.rtt;
        scope.begin_recovery(Recovery::new(&darkness, latest, now));
        scope.recovery.life_before = scope.previous_life;
        scope.recovery.common_miss_rate = common;
        scope.recovery.answered = answer.sent;
        scope.recovery.told_as = Some(scope.state).filter(|state| state.is_dark_or_flapping());
        self.release_below(id, answer, now);
        let scope = &mut self.scopes[id.index()];
        if is_delay {
            // It was alive when it was thought to have gone: a delay, and no darkness.
            scope.flaps.retract_down();
            scope.recovery.length = Duration::ZERO;
            scope.recovery.take_back();
            return;
        }
        scope.flaps.record_up(latest);
        let before = answer.before.filter(|before| scope.recovery.was_dark_at(before.last_miss));
        let own_misses =
            before.map_or(0.0, |before| f32::from(before.misses) * before.miss_weight(common));
        let is_witnessed = own_misses >= rules::WITNESS_ODDS || darkness.outage && own_misses > 0.0;
        if darkness.proof == Proof::Recalled {
            // Between two runs nobody watched: most of that edge is no time of it.
            Arc::make_mut(&mut scope.totals).dark += std::mem::take(&mut scope.recovery.length);
        } else {
            scope.recovery.begin_check(is_witnessed);
        }
        scope.darknesses_before = scope.darknesses;
        if scope.state == State::Flapping {
            let one = Darknesses::one(darkness.whole_length(latest), darkness.edge, None);
            scope.darknesses = scope.darknesses.then(one);
        }
        self.narrow_recovery(id, answer);
        self.narrow_by_parent(id);
        // It was told with the return.
        self.scopes[id.index()].recovery.narrowed = false;
        if is_witnessed
            && let Some(parent) = self.roster.parent(id)
            && self.scopes[parent.index()].recovery.answered <= answer.sent
        {
            self.scopes[parent.index()].recovery.witness();
        }
        self.ask_whether_back(id, answer);
    }

    /// A scope is back: what only shared its darkness stands by itself again, and of what was never
    /// heard, and is not by this answer, nobody knows anything.
    fn release_below(&mut self, top: ScopeId, answer: &Answer, now: Time) {
        // Children first: of whom they shared the darkness still stands with their parents.
        for id in self.roster.below(top).rev() {
            let shares = |id: ScopeId| {
                matches!(
                    self.scopes[id.index()].darkness,
                    Some(Darkness { proof: Proof::Parent, .. })
                )
            };
            if !self.roster.path_from(id).take_while(|&id| id != top).all(shares) {
                continue;
            }
            let scope = &mut self.scopes[id.index()];
            let Some(darkness) = &mut scope.darkness else { continue };
            darkness.proof = Proof::Own;
            if scope.life.is_none() && !self.roster.path(answer.block).any(|each| each == id) {
                let mut recovery = Recovery::new(darkness, answer.sent + answer.rtt, now);
                recovery.answered = answer.sent;
                scope.keep_dark_time(now);
                scope.begin_recovery(recovery);
                scope.darkness = None;
                scope.flaps.retract_down();
                self.narrow_by_parent(id);
                self.report(id);
                self.evaluate_soon(id, now);
            }
        }
    }

    /// A host is back: what it missed in the darkness tells when that ended.
    fn narrow_recovery(&mut self, id: ScopeId, answer: &Answer) {
        let recovery = &mut self.scopes[id.index()].recovery;
        let Some(before) = answer.back_from(recovery).filter(TargetState::is_heard) else { return };
        let weight = before.miss_weight(recovery.common_miss_rate);
        let part = answer.target.0;
        let miss = |sent: Time| Miss { sent, weight, part, usual_rtt: Duration::ZERO };
        // Of a host only its newest two misses are known, and how many they were: the others lay
        // evenly between them and the begin.
        let mut known = vec![before.last_miss, before.previous_miss];
        known.retain(|&sent| recovery.was_dark_at(sent));
        let others = (before.misses as usize).saturating_sub(known.len());
        let oldest = known[known.len() - 1];
        let step = oldest.since(recovery.dark_from) / others.max(1) as u32;
        let guessed = (1..=others.min(rules::EDGE_MISSES) as u32).map(|nth| oldest - step * nth);
        let misses: Vec<Miss> = known.into_iter().chain(guessed).map(miss).collect();
        recovery.narrow(misses.into_iter());
    }

    /// As long as what it lies in was dark, a scope was dark too.
    pub(super) fn narrow_by_parent(&mut self, id: ScopeId) {
        let Some(parent) = self.parent_of(id) else { return };
        let &Recovery { answered, edge, .. } = &parent.recovery;
        let recovery = &mut self.scopes[id.index()].recovery;
        if recovery.dark_from <= answered
            && answered <= recovery.answered
            && let Some(dark) = edge.earliest
            && dark >= recovery.dark_from
        {
            recovery.narrow_to(dark);
        }
    }
}

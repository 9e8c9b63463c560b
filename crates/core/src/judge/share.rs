//! How many of a scope's hosts answer, how many usually do, and what each scope tells the one above
//! it.

use super::{
    HostCounts, Judge, State, TargetState, rules,
    scope_state::{Children, Report},
};
use crate::{
    scopes::{Scope, ScopeId, TargetId},
    time::Time,
};

/// How many hosts answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Presence {
    /// That answer, as far as we know.
    pub present: u32,
    /// That may have gone.
    pub suspects: u32,
    /// Of these, that missed again when no answer could be under way any more.
    pub likely_gone: u32,
    /// The sum of their shares of presence.
    pub usual: f64,
    /// That the plan lists.
    pub listed: u32,
}

impl Presence {
    /// Of the host with these targets: it answers when one of them does.
    fn of(targets: &[TargetState]) -> Self {
        let is_present = targets.iter().any(TargetState::is_present);
        let is_suspect = !is_present && targets.iter().any(TargetState::is_suspect);
        let mut suspects = targets.iter().filter(|target| target.is_suspect());
        let is_likely_gone =
            is_suspect && suspects.all(|target| target.gone_odds > rules::LIKELY_GONE_ODDS);
        Self {
            present: u32::from(is_present),
            suspects: u32::from(is_suspect),
            likely_gone: u32::from(is_likely_gone),
            usual: targets.iter().map(|target| target.presence).fold(0.0, f32::max).into(),
            listed: 1,
        }
    }

    /// A part of these counts has changed.
    fn update(&mut self, old: &Self, new: &Self) {
        self.present = self.present + new.present - old.present;
        self.suspects = self.suspects + new.suspects - old.suspects;
        self.likely_gone = self.likely_gone + new.likely_gone - old.likely_gone;
        self.usual += new.usual - old.usual;
        self.listed = self.listed + new.listed - old.listed;
    }
}

impl Judge {
    /// How many hosts of a scope answer, usually answer, and are listed.
    pub(super) fn host_counts(&self, id: ScopeId) -> HostCounts {
        let scope = &self.scopes[id.index()];
        let Presence { present, usual, listed, .. } = scope.hosts;
        let now = if scope.is_dark() { 0 } else { present };
        HostCounts { now, usual: (usual.round() as u32).max(now), listed }
    }

    /// Share of the usual hosts that answers now; 1 where too few usually do.
    pub(super) fn share(&self, id: ScopeId) -> f32 {
        let hosts = &self.scopes[id.index()].hosts;
        if (hosts.usual as f32) < rules::PARTIAL_HOSTS - rules::HALF_HOST {
            return 1.0;
        }
        hosts.present as f32 / hosts.usual as f32
    }

    /// Do clearly fewer targets answer than usual, and is that no chance?
    pub(super) fn are_few(&self, id: ScopeId) -> bool {
        let scope = &self.scopes[id.index()];
        let least = if scope.few { rules::WHOLE_SHARE } else { rules::PARTIAL_SHARE };
        let Presence { present, suspects, likely_gone, usual, .. } = scope.hosts;
        let gone = usual as f32 - (present + suspects) as f32;
        let odds = gone * rules::GONE_ODDS
            + likely_gone as f32 * rules::LIKELY_GONE_ODDS
            + (suspects - likely_gone) as f32 * rules::SUSPECT_ODDS;
        // One miss or two of those that are left must not decide, nor answers that are all late.
        let doubtful = if scope.few { 0 } else { suspects.min(rules::DOUBTFUL_SUSPECTS) };
        self.share(id) + doubtful as f32 / (usual as f32).max(1.0) < least
            && (scope.few
                || gone + likely_gone as f32 >= rules::HALF_HOST && odds >= rules::PARTIAL_ODDS)
    }

    /// Moves a target's presence on to the time of an outcome, by what was known of it until then.
    /// In a darkness nobody is forgotten.
    pub(super) fn update_presence(&mut self, target: TargetId, now: Time) {
        let id = ScopeId::from(self.roster.target(target).block);
        let known = &self.targets[target.0 as usize];
        let present = known.is_usable();
        if self.scopes[id.index()].is_dark()
            || !known.is_heard()
            || present && known.presence == 1.0
        {
            return;
        }
        let share = self.share(id);
        self.change_target(target, |known| known.update_presence(present, share, now));
    }

    /// Changes what is known of a target: so may change how many hosts answer.
    pub(super) fn change_target<T>(
        &mut self,
        target: TargetId,
        change: impl FnOnce(&mut TargetState) -> T,
    ) -> T {
        let block = self.roster.target(target).block;
        let ids = self.roster.targets_of_host(target);
        let targets = &mut self.targets[ids.start as usize..ids.end as usize];
        let old = Presence::of(targets);
        let result = change(&mut targets[(target.0 - ids.start) as usize]);
        let new = Presence::of(targets);
        if new != old {
            self.scopes[ScopeId::from(block).index()].hosts.update(&old, &new);
            for id in self.roster.path(block) {
                self.report(id);
            }
        }
        result
    }

    /// Tells the scope above what has changed in this one, children before parents.
    pub(super) fn report(&mut self, id: ScopeId) {
        let is_unseen = self.is_unseen(id);
        let is_block = !self.has_children(id);
        let back_above = self.parent_of(id).map(|parent| parent.recovery.edge.latest);
        let scope = &mut self.scopes[id.index()];
        let dark = scope.is_dark();
        let troubled = match scope.state {
            State::Down | State::Outage => true,
            State::Partial => is_block,
            // The series of a whole may end before those of its parts, which were dark with it.
            State::Flapping => dark || scope.flaps.last_down() > back_above,
            State::Up | State::Degraded | State::Unknown => false,
        };
        let Presence { usual, listed, .. } = scope.hosts;
        // What nobody sees says nothing more of the whole than that it was dark.
        let heard = scope.life.is_some() && (dark || !is_unseen);
        let below = &scope.children;
        let heard_blocks = if is_block { u32::from(heard) } else { below.heard_blocks };
        let silent = Presence { usual, listed, ..Presence::default() };
        let new = Report {
            heard,
            dark,
            outage: scope.is_in_outage(),
            has_outage: scope.is_in_outage() || below.with_outage > 0,
            excluded: scope.excluded,
            heard_blocks,
            troubled_blocks: if troubled { heard_blocks } else { below.troubled_blocks },
            hosts: if dark { silent } else { scope.hosts },
        };
        if new == scope.reported {
            return;
        }
        let old = std::mem::replace(&mut scope.reported, new);
        if let Some(parent) = self.roster.parent(id) {
            let above = &mut self.scopes[parent.index()];
            above.children.update(&old, &new);
            above.hosts.update(&old.hosts, &new.hosts);
        }
    }

    /// Counts anew what each scope knows of those below it.
    pub(super) fn count_children(&mut self) {
        for id in self.roster.scope_ids() {
            let all = self.roster.children(id).count() as u32;
            let scope = &mut self.scopes[id.index()];
            scope.children = Children { all, ..Children::default() };
            scope.reported = Report::default();
            scope.hosts = Presence::default();
            if let Scope::Block(block) = self.roster.scope(id) {
                for targets in self.roster.targets_by_host(block) {
                    let targets = &self.targets[targets.start as usize..targets.end as usize];
                    scope.hosts.update(&Presence::default(), &Presence::of(targets));
                }
            }
        }
        for id in self.roster.scope_ids() {
            self.report(id);
        }
    }
}

//! How many of a scope's hosts answer, how many usually do, and what each scope tells the one above
//! it.

use super::{
    HostCounts, HostState, Judge, rules,
    scope_state::{Children, Report},
};
use crate::{
    scopes::{BlockId, Scope, ScopeId, TargetId},
    time::Time,
};

/// What one host adds to the counts of its block.
#[derive(Clone, Copy, Debug, PartialEq)]
struct HostShare {
    present: u32,
    suspects: u32,
    presence: f32,
}

impl HostShare {
    fn of(targets: &[HostState]) -> Self {
        let is_present = targets.iter().any(HostState::is_present);
        let is_suspect = !is_present && targets.iter().any(HostState::is_suspect);
        Self {
            present: u32::from(is_present),
            suspects: u32::from(is_suspect),
            presence: targets.iter().map(|target| target.presence).fold(0.0, f32::max),
        }
    }
}

impl Judge {
    /// How many hosts of a scope answer, usually answer, and are listed.
    pub(super) fn host_counts(&self, id: ScopeId) -> HostCounts {
        let scope = &self.scopes[id.index()];
        let now = if scope.is_dark() { 0 } else { scope.present };
        let blocks = self.roster.blocks_of(self.roster.scope(id));
        let hosts = blocks.map(|block| self.roster.targets_by_host(BlockId(block)).count() as u32);
        HostCounts { now, usual: (scope.usual.round() as u32).max(now), listed: hosts.sum() }
    }

    /// Share of the usual hosts that answers now; 1 where too few usually do.
    pub(super) fn share(&self, id: ScopeId) -> f32 {
        let scope = &self.scopes[id.index()];
        if (scope.usual as f32) < rules::PARTIAL_HOSTS - 0.5 {
            return 1.0;
        }
        scope.present as f32 / scope.usual as f32
    }

    /// Do clearly fewer targets answer than usual, and is that no chance?
    pub(super) fn are_few(&self, id: ScopeId) -> bool {
        let scope = &self.scopes[id.index()];
        let least = if scope.few { rules::WHOLE_SHARE } else { rules::PARTIAL_SHARE };
        let gone = scope.usual as f32 - (scope.present + scope.suspects) as f32;
        let odds = gone * rules::GONE_ODDS + scope.suspects as f32 * rules::SUSPECT_ODDS;
        // One miss or two of those that are left must not decide.
        let doubtful = if scope.few { 0 } else { scope.suspects.min(rules::DOUBTFUL_SUSPECTS) };
        self.share(id) + doubtful as f32 / (scope.usual as f32).max(1.0) < least && (scope.few || odds >= rules::DOWN_ODDS - 0.5)
    }

    /// Moves a target's presence on to the time of an outcome, by what was known of it until then.
    /// In a darkness nobody is forgotten.
    pub(super) fn update_presence(&mut self, target: TargetId, now: Time) {
        let id = ScopeId(self.roster.target(target).block.0);
        let host = &self.hosts[target.0 as usize];
        let present = host.is_usable();
        if self.scopes[id.index()].is_dark() || !host.is_heard() || present && host.presence == 1.0
        {
            return;
        }
        let before = *host;
        let share = self.share(id);
        self.hosts[target.0 as usize].update_presence(present, share, now);
        self.recount(target, &before);
    }

    /// What is known of a target has changed: so may have how many hosts answer. A host answers when
    /// one of its targets does.
    pub(super) fn recount(&mut self, target: TargetId, before: &HostState) {
        let block = self.roster.target(target).block;
        let targets = self.roster.targets_of_host(target);
        let targets = &mut self.hosts[targets.start as usize..targets.end as usize];
        let after = HostShare::of(targets);
        let index = (target.0 - self.roster.targets_of_host(target).start) as usize;
        let now = std::mem::replace(&mut targets[index], *before);
        let old = HostShare::of(targets);
        targets[index] = now;
        let block = &mut self.scopes[block.0 as usize];
        block.present = block.present + after.present - old.present;
        block.suspects = block.suspects + after.suspects - old.suspects;
        block.usual += f64::from(after.presence) - f64::from(old.presence);
    }

    /// Tells the scope above what has changed in this one, children before parents.
    pub(super) fn report(&mut self, id: ScopeId) {
        let scope = &self.scopes[id.index()];
        let new = Report {
            heard: scope.life.is_some(),
            dark: scope.is_dark(),
            outage: scope.is_in_outage(),
            excluded: scope.excluded,
            state: Some(scope.state),
            present: if scope.is_dark() { 0 } else { scope.present },
            suspects: if scope.is_dark() { 0 } else { scope.suspects },
            usual: scope.usual,
        };
        let old = std::mem::replace(&mut self.scopes[id.index()].reported, new);
        if new == old {
            return;
        }
        if let Some(parent) = self.roster.parent(id) {
            let above = &mut self.scopes[parent.index()];
            above.children.update(&old, &new);
            above.present = above.present + new.present - old.present;
            above.suspects = above.suspects + new.suspects - old.suspects;
            above.usual += new.usual - old.usual;
        }
    }

    /// Counts anew what each scope knows of those below it.
    pub(super) fn count_children(&mut self) {
        for id in self.roster.scope_ids() {
            let all = self.roster.children(id).count() as u32;
            let scope = &mut self.scopes[id.index()];
            scope.children = Children { all, ..Children::default() };
            scope.reported = Report::default();
            scope.present = 0;
            scope.suspects = 0;
            scope.usual = 0.0;
            if let Scope::Block(block) = self.roster.scope(id) {
                for targets in self.roster.targets_by_host(block) {
                    let targets = &self.hosts[targets.start as usize..targets.end as usize];
                    let host = HostShare::of(targets);
                    scope.present += host.present;
                    scope.suspects += host.suspects;
                    scope.usual += f64::from(host.presence);
                }
            }
        }
        for id in self.roster.scope_ids() {
            self.report(id);
        }
    }
}

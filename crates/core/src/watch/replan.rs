//! A new plan without a new begin. In: the new roster and settings. Out: who in the new roster was
//! there before. Each stage carries over what it keeps of whoever stays: counts, windows, beliefs,
//! edges, open probes, turns. It never reads a plan.

use super::{ControlView, History, PlanView, Record, Settings, Watch};
use crate::{
    outcome::Event,
    schedule::Budget,
    scopes::{Roster, RosterMapping},
    time::Time,
};
use std::sync::Arc;

impl Watch {
    /// Goes on with another roster and other settings. Take [`Watch::poll_change`] and
    /// [`Watch::poll_record`] before: they speak of the old numbers. Events from now on must speak of
    /// the new ones.
    ///
    /// With the roster and settings that it has already, this changes nothing.
    pub fn replan(&mut self, roster: Arc<Roster>, settings: &Settings, now: Time) -> RosterMapping {
        self.judge.handle_timeout(now);
        let map = RosterMapping::between(&self.roster, &roster);
        let budget = settings.budget.unwrap_or(Budget::DEFAULT);
        self.schedule.replan(roster.clone(), &map, budget, settings.seed, now);
        self.open.replan(&map.targets);
        self.aggregate.replan(&roster, &map);
        let gap = |scope| self.schedule.gap(scope);
        let controls = !settings.controls.is_empty();
        self.judge.replan(roster.clone(), &map, settings.rules, controls, gap, now);
        let control = |&address| {
            let known = self.controls.iter().find(|view| view.address == address);
            known.cloned().unwrap_or(ControlView { address, asked: 0, silent: 0, up: false })
        };
        self.controls = settings.controls.iter().map(control).collect();
        self.history =
            map.scopes.carry(std::mem::take(&mut self.history), |_| Arc::new(History::new(now)));
        self.roster = roster;
        self.plan = PlanView { refused: false, since: now };
        if let Some(records) = &mut self.records {
            records.push_back(Record { seen: now, event: Event::Replan, was_overdue: false });
        }
        self.obey(now);
        self.promised = self.poll_timeout().max(now);
        map
    }

    /// A new plan was wrong, and the old one goes on.
    pub fn refuse(&mut self) {
        self.plan.refused = true;
    }
}

//! A new plan, or a new run, without a new beginning: each stage carries over what it knows of
//! whoever stays.

use super::{ControlView, EventRecord, History, PlanView, Settings, Watch};
use crate::{
    judge::Memory,
    outcome::Event,
    schedule::Budget,
    scopes::{Family, Roster, RosterMapping},
    time::{Time, WallOffset},
};
use std::sync::Arc;

impl Watch {
    /// Goes on with another roster and other settings. Take [`Watch::poll_change`],
    /// [`Watch::poll_return_path_change`] and [`Watch::poll_record`] before: they speak of the old
    /// ids. Events from now on must speak of
    /// the new ones.
    ///
    /// With the roster and settings that it has already, this changes nothing.
    pub fn replan(&mut self, roster: Arc<Roster>, settings: &Settings, now: Time) -> RosterMapping {
        self.judge.handle_timeout(now);
        let map = RosterMapping::between(&self.roster, &roster);
        let budget = settings.budget.unwrap_or(Budget::DEFAULT);
        self.schedule.replan(roster.clone(), &map, budget, settings.seed, now);
        self.open.replan(&map.targets);
        self.replayed.replan(&map.targets);
        self.aggregate.replan(roster.clone(), &map);
        self.aggregate.keep_histograms(settings.histograms);
        let interval = |scope| self.schedule.interval(scope);
        let controls = Family::of_each(&settings.controls);
        self.judge.replan(roster.clone(), &map, settings.rules, &controls, interval, now);
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
            records.push_back(EventRecord { seen: now, event: Event::Replan, was_overdue: false });
        }
        self.apply_directives(now);
        self.last_call = now;
        map
    }

    /// What the next run should know: counts, windows and turns begin anew. `wall_offset` is
    /// `Clock::wall_offset`.
    pub fn remember(&self, now: Time, wall_offset: impl Into<WallOffset>) -> Memory {
        let mut memory = Memory::new(self.roster.clone(), now, wall_offset.into());
        self.remember_more(&mut memory, self.roster.scope_count());
        memory
    }

    /// Adds to one of this roster what is known now of so many scopes more, each with its hosts;
    /// true if nothing is left to add.
    pub fn remember_more(&self, memory: &mut Memory, scopes: usize) -> bool {
        // Blocks are the first scopes.
        let from = memory.tokens.len();
        let blocks = from..self.roster.blocks.len().min(from + scopes);
        memory.tokens.extend(self.schedule.tokens(blocks, memory.taken));
        let targets = self.judge.remember_more(memory, scopes);
        memory.floors.extend(self.aggregate.floors(targets));
        memory.is_whole()
    }

    /// Goes on from what an earlier run knew, before anything has happened; false if that is of no
    /// use any more.
    pub fn recall(&mut self, memory: Memory, now: Time) -> bool {
        let recalled = self.judge.recall(memory, now);
        self.apply_directives(now);
        let is_recalled = recalled.is_some();
        let (floors, tokens) = recalled.unwrap_or_default();
        self.schedule.recall_tokens(&tokens, now);
        self.aggregate.recall_floors(&floors);
        is_recalled
    }

    /// A new plan was wrong, and the old one goes on.
    pub fn refuse(&mut self) {
        self.plan.refused = true;
    }
}

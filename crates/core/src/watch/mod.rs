//! The core's stages, joined. The same events at the same times give the same verdicts: that is
//! what makes a recorded night a test.

mod history;
mod replan;
mod replay;
mod snapshot;
#[cfg(test)]
mod tests;

pub use history::{HISTORY_LENGTH, History, StateSpan};
pub use snapshot::*;

use crate::{
    aggregate::{Aggregate, Believed, Evidence},
    judge::{Change, Judge, Rules},
    outcome::{Due, Event, Found, Outcome, Reject, SYN_REPEATED_AFTER, Stray},
    schedule::{Budget, Extra, OpenProbes, Rank, Schedule, Slot},
    scopes::{BlockId, Family, Roster, Scope, TargetId},
    sharing::share_each,
    time::{Time, WallOffset},
};
use replay::ReplayedOverdue;
use std::{collections::VecDeque, net::IpAddr, ops::Range, sync::Arc, time::Duration};

/// When something that was due is handled this much too late, nobody has watched meanwhile. It is
/// shorter than the judge's span of 5 s: nothing may be called down because we were not there.
const GAP: Duration = Duration::from_secs(2);

/// It is called so often that it can tell, also where nothing is due.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// What the plan says to the core.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How much may be sent.
    pub budget: Option<Budget>,
    /// The delays after which the judge calls a darkness down, and an outage.
    pub rules: Rules,
    /// Hosts that answer whenever our own network works.
    pub controls: Vec<IpAddr>,
    /// Seed of the schedule's order.
    pub seed: u64,
    /// Keep histograms of round-trip times, for who shows them: they cost memory, and time in each
    /// snapshot.
    pub histograms: bool,
}

/// An event and when it was taken in: what a journal needs to replay it with the same result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventRecord {
    /// When it was taken in.
    pub seen: Time,
    /// What was taken in, from the network or from ourselves.
    pub event: Event,
    /// The probe had been overdue before: this takes that back, or confirms it.
    pub was_overdue: bool,
}

/// The watch over a whole plan.
#[derive(Debug)]
pub struct Watch {
    roster: Arc<Roster>,
    schedule: Schedule,
    open: OpenProbes,
    aggregate: Aggregate,
    judge: Judge,
    history: Vec<Arc<History>>,
    controls: Vec<ControlView>,
    lag: Histogram,
    started: Time,
    plan: PlanView,
    /// When it was called last; never yet at first.
    last_call: Time,
    records: Option<VecDeque<EventRecord>>,
    replayed: ReplayedOverdue,
}

impl Watch {
    /// A watch that begins now.
    pub fn new(roster: Arc<Roster>, settings: &Settings, now: Time) -> Self {
        let budget = settings.budget.unwrap_or(Budget::DEFAULT);
        let schedule = Schedule::new(roster.clone(), budget, settings.seed, now);
        let interval = |scope| schedule.interval(scope);
        let control = |&address: &IpAddr| ControlView { address, asked: 0, silent: 0, up: false };
        let unknown = Arc::new(History::new(now));
        let mut aggregate = Aggregate::new(roster.clone());
        aggregate.keep_histograms(settings.histograms);
        Self {
            judge: Judge::new(
                roster.clone(),
                settings.rules,
                &Family::of_each(&settings.controls),
                interval,
                now,
            ),
            schedule,
            open: OpenProbes::new(roster.targets.len()),
            aggregate,
            history: vec![unknown; roster.scope_count()],
            controls: settings.controls.iter().map(control).collect(),
            lag: Histogram::new(Grid::Delays),
            started: now,
            plan: PlanView { refused: false, since: now },
            last_call: Time::NEVER,
            records: None,
            replayed: ReplayedOverdue::default(),
            roster,
        }
    }

    /// From now on, keeps a record of every event for [`Watch::poll_record`].
    pub fn keep_records(&mut self) {
        self.records = Some(VecDeque::new());
    }

    /// The next record that nobody has taken yet, if they are kept.
    pub fn poll_record(&mut self) -> Option<EventRecord> {
        self.records.as_mut()?.pop_front()
    }

    /// The next change of verdict that nobody has taken yet.
    #[inline]
    pub fn poll_change(&mut self) -> Option<Change> {
        let change = self.judge.poll_change()?;
        self.history(change.scope).record_change(&change);
        Some(change)
    }

    /// The next return path that has moved and that nobody has taken yet.
    pub fn poll_return_path_change(&mut self) -> Option<ReturnPathChange> {
        self.aggregate.poll_return_path_change()
    }

    /// The next block that is doubted, or doubted more, and that nobody has taken yet: its path may
    /// tell where it breaks.
    pub fn poll_doubt(&mut self) -> Option<BlockId> {
        self.schedule.poll_doubt()
    }

    /// Does this outcome, which the watch has taken in, prove that its host is alive?
    pub fn is_life(&self, outcome: &Outcome) -> bool {
        outcome.found.rtt_if_alive().is_some()
            && self.schedule.answered(outcome.target) >= outcome.sent
    }

    /// A scope's history, for whoever knows what an earlier run saw ([`History::recall`]).
    pub fn history(&mut self, scope: Scope) -> &mut History {
        Arc::make_mut(&mut self.history[self.roster.scope_id(scope).index()])
    }

    /// The countries, blocks and targets that are watched, by id.
    pub fn roster(&self) -> &Arc<Roster> {
        &self.roster
    }

    /// When to call [`Watch::handle_timeout`] next, at the latest.
    pub fn poll_timeout(&self) -> Time {
        let due = self.schedule.poll_timeout().min(self.open.poll_timeout());
        due.min(self.judge.poll_timeout()).min(self.last_call + LONGEST_SLEEP)
    }

    /// Does what time alone demands by `now`; then take the probes that are due
    /// ([`Watch::poll_probe`]). Every event that came by `received_until` should have been handled,
    /// since a verdict that has been told cannot be taken back; a miss can be, by an answer whose
    /// round-trip time is below its patience.
    pub fn handle_timeout(&mut self, now: Time, received_until: Time) {
        self.note_call(now);
        while let Some(outcome) = self.open.poll_expired(received_until) {
            let missed_at = (outcome.found == Found::Lost).then_some(outcome.sent);
            self.take_in(now, &Event::Outcome(outcome), missed_at);
        }
        self.judge.handle_timeout(now);
        self.apply_directives(now);
    }

    /// The next probe to send now. Call it until there is none.
    #[inline]
    pub fn poll_probe(&mut self, now: Time) -> Option<Due> {
        self.schedule.poll_target(now, &self.open).map(|slot| self.give_out(slot, now))
    }

    fn give_out(&mut self, slot: Slot, now: Time) -> Due {
        let patience = self.aggregate.patience(slot.target);
        let seq = self.open.next_seq(slot.target);
        let trap = self.aggregate.wants_trap(slot.target, seq, now);
        let repeat = self.schedule.pay_repeat(slot.target, seq, trap, now);
        let started = self.open.start(slot.target, now, patience, trap, repeat);
        let probe = started.due;
        if started.displaced_lost {
            // The lost probe is an older one, of which only its target is known any more: it stands
            // under the number and time of the probe that took its place.
            let lost = Due { trap: false, ..probe }.outcome(now, Found::Lost);
            self.take_in(now, &Event::Outcome(lost), Some(now));
        }
        self.aggregate.handle_sent(&probe);
        self.lag.add(slot.lag);
        probe
    }

    /// The name of a target's host has other addresses than those it was asked at: what was learned
    /// of the path to them is forgotten.
    pub fn forget_path(&mut self, target: TargetId) {
        self.aggregate.forget_path(target);
    }

    /// May this be sent to a block now, beside its probes? If so, it is paid for.
    pub fn pay_extra(&mut self, block: BlockId, extra: Extra, now: Time) -> bool {
        self.schedule.pay_extra(block, extra, now)
    }

    /// Takes in what the network reports. Outcomes, strays, controls, gaps and new plans are one
    /// enum, because the journal records and replays them as one sequence.
    pub fn handle_event(&mut self, now: Time, event: &Event) {
        self.note_call(now);
        match event {
            Event::Outcome(outcome) => self.handle_outcome(now, *outcome),
            _ => self.take_in(now, event, None),
        }
        self.apply_directives(now);
    }

    fn handle_outcome(&mut self, now: Time, outcome: Outcome) {
        if let Found::Neighbour { from, .. } = outcome.found
            && !self.lies_in_block(outcome.target, from)
        {
            return self.reject(now, outcome.target, Some(from), Reject::WrongSource);
        }
        let Some(Believed { first }) = self.aggregate.believe(&outcome) else {
            // The probe stays open: for all that is known, it was not the host that answered it.
            return self.reject(now, outcome.target, None, Reject::Implausible);
        };
        first.into_iter().chain([outcome]).for_each(|outcome| self.settle(now, outcome));
    }

    fn settle(&mut self, now: Time, outcome: Outcome) {
        if let Some((outcome, missed_at)) = self.open.settle(outcome) {
            if outcome.found.ended_after().is_some_and(|after| after < SYN_REPEATED_AFTER) {
                self.schedule.pay_back_repeat(outcome.target, outcome.seq, now);
            }
            self.take_in(now, &Event::Outcome(outcome), missed_at);
        } else {
            self.reject(now, outcome.target, None, Reject::Stale);
        }
    }

    fn reject(&mut self, now: Time, target: TargetId, from: Option<IpAddr>, reason: Reject) {
        let stray = Stray { seen: now, from, target: Some(target), reason };
        self.take_in(now, &Event::Stray(stray), None);
    }

    fn lies_in_block(&self, target: TargetId, address: IpAddr) -> bool {
        let target = self.roster.targets.get(target.0 as usize);
        target.is_some_and(|target| self.roster.block(target.block).prefix.contains(address))
    }

    /// Were we called when something was due? If not, nobody has watched since the last call.
    #[inline]
    fn note_call(&mut self, now: Time) {
        // What had been due for long at the last call is no other gap.
        let is_late = || now.since(self.poll_timeout().max(self.last_call)) > GAP;
        if now.since(self.last_call) > GAP && is_late() {
            self.take_in(now, &Event::Gap(self.last_call), None);
        }
        self.last_call = now;
    }

    /// `missed_at`: when the outcome's probe was given out, if it was overdue until now.
    fn take_in(&mut self, now: Time, event: &Event, missed_at: Option<Time>) {
        // What time alone would have demanded in a gap, nobody was there to see.
        self.judge.handle_timeout(if let Event::Gap(from) = event { *from } else { now });
        match event {
            Event::Outcome(outcome) => {
                let summary = self.aggregate.handle_outcome(outcome, missed_at);
                match summary.evidence {
                    Evidence::Life { is_measured, .. } => {
                        self.schedule.record_answer(summary.target, summary.sent, !is_measured);
                    }
                    Evidence::Miss { .. } => {
                        self.schedule.record_miss(summary.target, summary.sent);
                    }
                    _ => {}
                }
                self.judge.handle_summary(&summary, now);
            }
            Event::Stray(stray) => self.aggregate.handle_stray(stray),
            Event::Control(control) => {
                if let Some(view) = self.controls.get_mut(control.control as usize) {
                    view.asked += 1;
                    view.silent += u64::from(!control.answered);
                    view.up = control.answered;
                }
                self.judge.handle_control(control, now);
            }
            Event::Gap(from) => self.judge.handle_gap(*from, now),
            // What it changes, the new plan says.
            Event::Replan => {}
        }
        if let Some(records) = &mut self.records {
            let was_overdue = missed_at.is_some();
            records.push_back(EventRecord { seen: now, event: *event, was_overdue });
        }
    }

    fn apply_directives(&mut self, now: Time) {
        while let Some(directive) = self.judge.poll_directive() {
            self.schedule.handle_directive(directive, now);
        }
    }

    /// Everything that readers may know. `offset` is `Clock::wall_offset`, `drops` is what the
    /// kernel dropped before the ICMP sockets could be read.
    pub fn snapshot(&self, now: Time, offset: impl Into<WallOffset>, drops: u64) -> Snapshot {
        self.renew_snapshot(None, now, offset, drops)
    }

    /// The same in the place of one that nobody reads any more: in it, what has not changed since
    /// stays as it is. So do its paths, which are the driver's.
    pub fn renew_snapshot(
        &self,
        old: Option<Snapshot>,
        now: Time,
        wall_offset: impl Into<WallOffset>,
        receive_drops: u64,
    ) -> Snapshot {
        let old = old.filter(|old| Arc::ptr_eq(&old.roster, &self.roster));
        let lists =
            old.map(|old| (old.scopes, old.kinds, old.return_paths, old.reasons, old.paths));
        let (mut scopes, mut kinds, mut return_paths, mut reasons, paths) =
            lists.unwrap_or_default();
        // Nothing is allocated where they are there: glibc tidies up all that was freed since when
        // it is asked for room like theirs, which takes milliseconds.
        if scopes.is_empty() {
            scopes.resize(self.roster.scope_count(), ScopeView::default());
            kinds.extend_from_slice(self.aggregate.kinds());
            return_paths.resize(self.roster.blocks.len(), ReturnPathView::default());
            reasons.resize(return_paths.len(), Arc::default());
        }
        self.judge.renew_verdicts(scopes.iter_mut().map(|view| &mut view.verdict), now);
        self.aggregate.renew_windows(scopes.iter_mut().map(|view| &mut view.windows), now);
        share_each(scopes.iter_mut().map(|view| &mut view.history).zip(&self.history));
        for (kind, newest) in kinds.iter_mut().zip(self.aggregate.kinds()) {
            kind.counts = newest.counts;
        }
        let rtts = kinds.iter_mut().flat_map(|kind| &mut kind.rtt);
        share_each(rtts.zip(self.aggregate.kinds().iter().flat_map(|kind| &kind.rtt)));
        for (id, path) in (0..).map(BlockId).zip(&mut return_paths) {
            *path = self.aggregate.return_path(id);
        }
        share_each(reasons.iter_mut().zip(self.aggregate.reasons()));
        let skipped = self.schedule.skipped();
        Snapshot {
            time: now,
            started: self.started,
            plan: self.plan,
            wall_offset: wall_offset.into(),
            roster: self.roster.clone(),
            scopes,
            kinds,
            return_paths,
            paths,
            reasons,
            controls: self.controls.clone(),
            blindness: self.judge.blindness(now),
            vantage: self.aggregate.vantage().clone(),
            lag: self.lag.view(),
            slots_missed: skipped.missed,
            slots_over_budget: skipped.over_budget,
            open: self.open.waiting(),
            receive_drops,
            lines_lost: LinesLost::default(),
            store: None,
        }
    }

    /// The own numbers of these targets.
    pub fn target_views(&self, targets: Range<u32>) -> Vec<TargetView> {
        targets.map(|id| self.target_view(TargetId(id))).collect()
    }

    fn target_view(&self, id: TargetId) -> TargetView {
        let stats = self.aggregate.target(id);
        let (miss_rate, rank) = self.judge.target(id);
        TargetView {
            address: None,
            counts: stats.counts(),
            recent_loss: stats.recent_loss(),
            srtt: stats.rtt.smoothed(),
            min_rtt: stats.rtt.lowest(),
            last_life: stats.last_life(),
            up: self.judge.answers(id),
            miss_rate,
            gone: rank.is_gone(),
            retired: rank == Rank::Retired,
            accepts_all: stats.accepts_all(),
        }
    }
}

//! The judge: from evidence to verdicts. In: [`Summary`]s, answers of controls, gaps in the watch,
//! and time as an argument. Out: [`Change`]s of verdict, each with the interval in which it really
//! happened, and [`Directive`]s: where to ask more closely. It never sees the network, a clock or
//! rng; the same input gives the same output.
//!
//! # How it judges
//!
//! *Every scope alike.* A block and a country are the same thing to it: hosts that share a fate. An
//! outcome counts for its block and for its country.
//!
//! *Life* (`belief`). A valid answer proves that the scope was alive when its probe came by.
//! Whatever was missed before that was chance, and teaches the judge how often each host misses
//! while its block is up (q).
//!
//! *Silence* (`belief`). Since the newest answered probe, each miss adds ln(1/q) to the log odds of
//! "down"; q joins the host's own learned miss rate with what its block or country has lately lost
//! beyond those rates, so that a country that begins to lose packets is not called down for it. At
//! odds of 10^6, with misses that span 5 s, the scope is **down**. In probes this is k =
//! ln(10^6)/ln(1/q): 4 at 2 % loss, 9 at 20 %, 20 at 50 %: Wald's bound, up to rounding. A country
//! needs misses from at least three of four blocks: one block's silence says nothing of the others.
//! A block of a country that is down is down with it.
//!
//! *Sight* (`sight`). A miss counts once somebody answered a question sent no earlier. So our own
//! blindness can never look like an outage: nothing is vouched for. While blind, every verdict is
//! **unknown**, and the misses of that stretch are forgotten.
//!
//! *Length.* Down without proof of life for `outage_after` is an **outage**. Of the time before the
//! first miss at most 12 s count, since time in which nobody asked is no silence; and misses go on
//! for two fifths of `outage_after` beyond those that proved it.
//!
//! *Restlessness* (`flaps`). The third time down of a series is **flapping**, until a calm of three
//! of its own mean cycles, or two of its longest. A long darkness after it is an outage all the
//! same, and sooner believed.
//!
//! *Quality* (`quality`). Alive but clearly worse than usual is **degraded**; a country with some
//! blocks in outage is **partial**.
//!
//! *Edges.* A change lies between the last proof of the old state and the first *sufficient* proof
//! of the new one: the miss beyond which it lies in less than one case of 2,000, and the time that
//! an answer needs to come, since a cut takes those that are under way. Late answers move the edge:
//! they are proof of life at the time their probe was sent, and can take a `down` back altogether.
//!
//! *Looking closer* (`closer`). A doubt (odds of 2) is resolved at once, by as many other hosts of
//! the block as a verdict needs; a second miss also asks every other block. The budget has the last
//! word.
//!
//! Constants, each with its origin: `rules`. Formulas: A. Wald, "Sequential Tests of Statistical
//! Hypotheses" (1945); A. N. Shiryaev, "On optimum methods in quickest detection problems" (1963);
//! L. Quan et al., "Trinocular" (SIGCOMM 2013).

mod belief;
mod escalation;
mod flaps;
mod host;
mod memory;
mod misses;
mod quality;
mod replan;
mod rules;
mod scope;
mod sight;
mod state;
mod view;
mod weigh;

pub use memory::Memory;
pub use rules::Rules;
pub use state::{Change, Edge, State};
pub use view::Verdict;

use crate::{
    aggregate::{Evidence, Summary},
    outcome::Control,
    schedule::{Directive, Doubt, Rank},
    scopes::{BlockId, CountryId, Kind, Roster, Scope as Name, ScopeId, TargetId},
    time::Time,
};
use belief::lasted_until;
use host::Host;
use misses::Miss;
use scope::Scope;
use sight::{Shift, Sight};
use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

/// The judge of a whole plan.
#[derive(Debug)]
pub struct Judge {
    roster: Arc<Roster>,
    rules: Rules,
    hosts: Vec<Host>,
    /// By [`ScopeId`].
    scopes: Vec<Scope>,
    /// By country: how many of its blocks are in each state.
    tally: Vec<[u32; 7]>,
    /// How far apart the even probes of each scope are.
    gaps: Vec<Duration>,
    sight: Sight,
    timers: BinaryHeap<Reverse<(Time, ScopeId)>>,
    /// Scopes whose misses wait to be vouched for.
    waiting: Vec<ScopeId>,
    changes: Vec<Change>,
    directives: Vec<Directive>,
}

impl Judge {
    /// A judge who knows nothing yet. `gap` tells how far apart a scope's even probes are.
    pub fn new(
        roster: Arc<Roster>,
        rules: Rules,
        controls: bool,
        gap: impl Fn(Name) -> Duration,
        now: Time,
    ) -> Self {
        let gaps: Vec<Duration> = roster.scope_ids().map(|id| gap(roster.scope(id))).collect();
        let mut tally = vec![[0; 7]; roster.countries.len()];
        for block in &roster.blocks {
            tally[block.country.0 as usize][State::Unknown as usize] += 1;
        }
        let longest = gaps[roster.blocks.len()..].iter().copied().max().unwrap_or_default();
        Self {
            rules,
            hosts: vec![Host::new(now); roster.targets.len()],
            scopes: vec![Scope::new(now); gaps.len()],
            tally,
            gaps,
            sight: Sight::new(controls, longest, now),
            timers: BinaryHeap::new(),
            waiting: Vec::new(),
            changes: Vec::new(),
            directives: Vec::new(),
            roster,
        }
    }

    /// When [`Judge::advance`] next has something to do.
    pub fn poll_timeout(&self) -> Time {
        self.timers.peek().map_or(Time::NEVER, |timer| timer.0.0).min(self.sight.deadline())
    }

    /// Does what time alone demands, each thing at its own time: silence is an event.
    pub fn handle_timeout(&mut self, now: Time) {
        loop {
            let at = self.poll_timeout();
            if at > now {
                return;
            }
            if at == self.sight.deadline() {
                let shift = self.sight.silence(at);
                self.shift(shift, at);
            } else if let Some(Reverse((_, id))) = self.timers.pop()
                && self.scopes[id.index()].armed == at
            {
                self.scopes[id.index()].armed = Time::NEVER;
                self.weigh(id, at);
            }
        }
    }

    /// Takes in what an outcome says. Call [`Judge::advance`] first.
    pub fn observe(&mut self, summary: &Summary, now: Time) {
        match summary.evidence {
            Evidence::Life { rtt, late } => self.life(summary, rtt, late, now),
            Evidence::Miss { usual } => self.miss(summary, usual, now),
            Evidence::Fault => self.fault(summary.target, now),
            Evidence::Nothing => {}
        }
    }

    /// Takes in a control's answer or silence. Call [`Judge::advance`] first.
    pub fn control(&mut self, control: &Control, now: Time) {
        if control.answered {
            let shift = self.sight.answer(control.sent, true, now);
            self.shift(shift, now);
            for id in std::mem::take(&mut self.waiting) {
                self.weigh(id, now);
            }
        }
    }

    /// Takes in that nobody watched from then to now.
    pub fn gap(&mut self, from: Time, now: Time) {
        let shift = self.sight.gap(from, now);
        self.shift(shift, now);
    }

    /// The changes of verdict since the last call, in order.
    pub fn changes(&mut self) -> std::vec::Drain<'_, Change> {
        self.changes.drain(..)
    }

    /// Where to look since the last call, in order.
    pub fn poll_directives(&mut self) -> std::vec::Drain<'_, Directive> {
        self.directives.drain(..)
    }

    fn life(&mut self, summary: &Summary, rtt: Duration, late: bool, now: Time) {
        let shift = self.sight.answer(summary.sent, false, now);
        self.shift(shift, now);
        let slower = self.hosts[summary.target.0 as usize].answer(rtt, now);
        self.teach(summary.target, false);
        let block = self.block_id(summary.block);
        let country = self.country_id(summary.country);
        for id in [country, block] {
            let scope = &mut self.scopes[id.index()];
            scope.heard = now;
            scope.answer(slower);
            let newest = scope.belief.life.is_none_or(|life| summary.sent > life);
            let chance = scope.belief.life(summary.sent);
            if let Some(dark) = self.scopes[id.index()].dark {
                self.light(id, dark, &chance, summary, (rtt, late), now);
            } else if id == block {
                for miss in &chance {
                    self.explain(TargetId(miss.target), block, country, now);
                }
            }
            // The common case, an answer to a scope in good order, needs no further thought.
            let scope = &self.scopes[id.index()];
            if !(newest
                && scope.state == State::Up
                && scope.looking.is_none()
                && !scope.quality.is_degraded())
            {
                self.weigh(id, now);
            }
        }
    }

    /// A dark scope answered.
    fn light(
        &mut self,
        id: ScopeId,
        dark: Edge,
        refuted: &[Miss],
        summary: &Summary,
        (rtt, late): (Duration, bool),
        now: Time,
    ) {
        let parts = self.parts(id);
        let with_country = self.inherited(id).is_some();
        let needed = self.scopes[id.index()].needed(rules::DOWN, now);
        let scope = &mut self.scopes[id.index()];
        if with_country || scope.belief.odds(Time::NEVER, needed, parts).log >= needed {
            // An old answer: it was alive later than we knew, and is dark all the same.
            let latest = scope.belief.onset(parts, rules::EDGE, now).unwrap_or(dark.latest);
            scope.began = scope.belief.onset(parts, rules::BEGAN, now).unwrap_or(latest);
            scope.dark = Some(Edge { earliest: dark.earliest.max(Some(summary.sent)), latest });
            return;
        }
        scope.dark = None;
        scope.recalled = false;
        scope.long = false;
        let latest = summary.sent + rtt;
        let earliest = lasted_until(refuted, dark.latest, summary.sent, parts)
            .or(dark.earliest)
            .map(|at| at.min(latest));
        scope.back = Edge { earliest, latest };
        if late && summary.sent <= dark.latest {
            // It was alive when it was thought to have gone: a delay, and no darkness.
            scope.flaps.refute();
        } else {
            scope.flaps.up(latest);
        }
        if self.is_country(id) && self.rules.confirm {
            let doubt = if self.scopes[id.index()].flaps.flapping(now) {
                Doubt::Vague
            } else {
                Doubt::Strong
            };
            self.directives.push(Directive::AskSiblings(summary.block, doubt));
        }
    }

    fn miss(&mut self, summary: &Summary, usual: Duration, now: Time) {
        // Of a SYN the kernel does not say whether it left: what a local firewall drops, it sends
        // again and again.
        if summary.kind != Kind::Tcp {
            self.sight.sent();
        }
        if self.sight.is_blind() {
            return;
        }
        let block = self.block_id(summary.block);
        let country = self.country_id(summary.country);
        let host = &self.hosts[summary.target.0 as usize];
        let (own, common) = (
            host.likely_to_miss(),
            self.scopes[block.index()].chance.max(self.scopes[country.index()].chance),
        );
        let rate = (own + common - own * common).clamp(rules::FLOOR, rules::CEILING);
        let (target, sent) = (summary.target.0, summary.sent);
        let miss = Miss { sent, weight: -rate.ln(), target, part: block.0, usual };
        for id in [block, country] {
            let scope = &mut self.scopes[id.index()];
            scope.heard = now;
            if scope.belief.miss(miss) {
                self.weigh(id, now);
            } else if scope.dark.is_none() && id == block {
                self.explain(summary.target, block, country, now);
            }
        }
    }

    /// A miss turned out to be chance, since its block answered a later probe: a lesson. What a
    /// block in the dark misses teaches nothing, neither of its hosts nor of its country.
    fn explain(&mut self, target: TargetId, block: ScopeId, country: ScopeId, now: Time) {
        let host = &self.hosts[target.0 as usize];
        if !host.has_vanished() {
            let own = host.miss_rate;
            self.scopes[block.index()].explain_miss(own);
            self.scopes[country.index()].explain_miss(own);
        }
        self.teach(target, true);
        if now.since(self.hosts[target.0 as usize].heard) > rules::RETIRE_AFTER {
            self.rank(target, Rank::Retired);
        }
    }

    /// Our sight changed: every verdict with it.
    fn shift(&mut self, shift: Shift, now: Time) {
        match shift {
            Shift::None => return,
            Shift::Blind => {}
            Shift::Sighted(from, to) => {
                for scope in &mut self.scopes {
                    scope.belief.void(from, to);
                    scope.overlook(from, to);
                    scope.heard = scope.heard.max(now);
                }
            }
        }
        for id in self.roster.scope_ids().rev() {
            self.weigh(id, now);
        }
    }

    /// A lesson on a target's miss rate.
    fn teach(&mut self, target: TargetId, missed: bool) {
        let host = &mut self.hosts[target.0 as usize];
        let rank = host.teach(missed);
        // A retired host comes back by an answer only.
        if !missed || host.rank == Rank::Good {
            self.rank(target, rank);
        }
    }

    fn rank(&mut self, target: TargetId, rank: Rank) {
        let host = &mut self.hosts[target.0 as usize];
        if host.rank != rank {
            host.rank = rank;
            self.directives.push(Directive::Rank(target, rank));
        }
    }

    /// Of how many parts a scope's evidence must come.
    fn parts(&self, id: ScopeId) -> usize {
        match self.roster.scope(id) {
            Name::Block(_) => 1,
            Name::Country(country) => self.roster.country(country).blocks.len().min(rules::PARTS),
        }
    }

    fn is_country(&self, id: ScopeId) -> bool {
        matches!(self.roster.scope(id), Name::Country(_))
    }

    fn block_id(&self, block: BlockId) -> ScopeId {
        self.roster.scope_id(Name::Block(block))
    }

    fn country_id(&self, country: CountryId) -> ScopeId {
        self.roster.scope_id(Name::Country(country))
    }

    /// How many blocks of a country are in outage, and how many it has.
    fn outages(&self, id: ScopeId) -> (u32, u32) {
        match self.roster.scope(id) {
            Name::Block(_) => (0, 0),
            Name::Country(country) => {
                let tally = &self.tally[country.0 as usize];
                (tally[State::Outage as usize], tally.iter().sum())
            }
        }
    }
}

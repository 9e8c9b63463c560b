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
    outcome::ControlOutcome,
    schedule::{Directive, Doubt, Rank},
    scopes::{BlockId, CountryId, Kind, Roster, Scope as Name, TargetId},
    time::Time,
};
use belief::lasted_until;
use host::Host;
use misses::Miss;
use scope::Scope;
use sight::{Shift, Sight};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// The judge of a whole plan.
#[derive(Debug)]
pub struct Judge {
    roster: Arc<Roster>,
    rules: Rules,
    hosts: Vec<Host>,
    /// Blocks first, then countries.
    scopes: Vec<Scope>,
    /// By country: how many of its blocks are in each state.
    tally: Vec<[u32; 7]>,
    /// How far apart the even probes of each scope are.
    gaps: Vec<Duration>,
    sight: Sight,
    timers: BinaryHeap<Reverse<(Time, u32)>>,
    /// Scopes whose misses wait to be vouched for.
    waiting: Vec<u32>,
    changes: VecDeque<Change>,
    directives: VecDeque<Directive>,
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
        let blocks = (0..roster.blocks.len() as u32).map(|id| Name::Block(BlockId(id)));
        let countries = (0..roster.countries.len() as u32).map(|id| Name::Country(CountryId(id)));
        let gaps: Vec<Duration> = blocks.chain(countries).map(gap).collect();
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
            changes: VecDeque::new(),
            directives: VecDeque::new(),
            roster,
        }
    }

    /// When [`Judge::handle_timeout`] next has something to do.
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
            } else if let Some(Reverse((_, place))) = self.timers.pop()
                && self.scopes[place as usize].armed == at
            {
                self.scopes[place as usize].armed = Time::NEVER;
                self.weigh(place, at);
            }
        }
    }

    /// Takes in what an outcome says. Call [`Judge::handle_timeout`] first.
    pub fn handle_summary(&mut self, summary: &Summary, now: Time) {
        match summary.evidence {
            Evidence::Life { rtt, late } => self.life(summary, rtt, late, now),
            Evidence::Miss { usual } => self.miss(summary, usual, now),
            Evidence::Fault => self.fault(summary.target, now),
            Evidence::Nothing => {}
        }
    }

    /// Takes in a control's answer or silence. Call [`Judge::handle_timeout`] first.
    pub fn handle_control(&mut self, control: &ControlOutcome, now: Time) {
        if control.answered {
            let shift = self.sight.answer(control.sent, true, now);
            self.shift(shift, now);
            for place in std::mem::take(&mut self.waiting) {
                self.weigh(place, now);
            }
        }
    }

    /// Takes in that nobody watched from then to now.
    pub fn handle_gap(&mut self, from: Time, now: Time) {
        let shift = self.sight.gap(from, now);
        self.shift(shift, now);
    }

    /// The next change of verdict that nobody has taken yet.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// The next wish of the judge that nobody has taken yet.
    pub fn poll_directive(&mut self) -> Option<Directive> {
        self.directives.pop_front()
    }

    fn life(&mut self, summary: &Summary, rtt: Duration, late: bool, now: Time) {
        let shift = self.sight.answer(summary.sent, false, now);
        self.shift(shift, now);
        let slower = self.hosts[summary.target.0 as usize].answer(rtt, now);
        self.teach(summary.target, false);
        let (block, country) = (summary.block.0, self.country_place(summary.country));
        for place in [country, block] {
            let scope = &mut self.scopes[place as usize];
            scope.heard = now;
            scope.answer(slower);
            let newest = scope.belief.life.is_none_or(|life| summary.sent > life);
            let chance = scope.belief.life(summary.sent);
            if let Some(dark) = self.scopes[place as usize].dark {
                self.light(place, dark, &chance, summary, (rtt, late), now);
            } else if place == block {
                for miss in &chance {
                    self.explain(TargetId(miss.target), block, country, now);
                }
            }
            // The common case, an answer to a scope in good order, needs no further thought.
            let scope = &self.scopes[place as usize];
            if !(newest
                && scope.state == State::Up
                && scope.looking.is_none()
                && !scope.quality.is_degraded())
            {
                self.weigh(place, now);
            }
        }
    }

    /// A dark scope answered.
    fn light(
        &mut self,
        place: u32,
        dark: Edge,
        refuted: &[Miss],
        summary: &Summary,
        (rtt, late): (Duration, bool),
        now: Time,
    ) {
        let parts = self.parts(place);
        let with_country = self.inherited(place).is_some();
        let needed = self.scopes[place as usize].needed(rules::DOWN, now);
        let scope = &mut self.scopes[place as usize];
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
        if place >= self.blocks() && self.rules.confirm {
            let doubt = if self.scopes[place as usize].flaps.flapping(now) {
                Doubt::Vague
            } else {
                Doubt::Strong
            };
            self.directives.push_back(Directive::AskSiblings(summary.block, doubt));
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
        let (block, country) = (summary.block.0, self.country_place(summary.country));
        let host = &self.hosts[summary.target.0 as usize];
        let (own, common) = (
            host.likely_to_miss(),
            self.scopes[block as usize].chance.max(self.scopes[country as usize].chance),
        );
        let rate = (own + common - own * common).clamp(rules::FLOOR, rules::CEILING);
        let (target, sent) = (summary.target.0, summary.sent);
        let miss = Miss { sent, weight: -rate.ln(), target, part: block, usual };
        for place in [block, country] {
            let scope = &mut self.scopes[place as usize];
            scope.heard = now;
            if scope.belief.miss(miss) {
                self.weigh(place, now);
            } else if scope.dark.is_none() && place == block {
                self.explain(summary.target, block, country, now);
            }
        }
    }

    /// A miss turned out to be chance, since its block answered a later probe: a lesson. What a
    /// block in the dark misses teaches nothing, neither of its hosts nor of its country.
    fn explain(&mut self, target: TargetId, block: u32, country: u32, now: Time) {
        let host = &self.hosts[target.0 as usize];
        if !host.has_vanished() {
            let own = host.miss_rate;
            self.scopes[block as usize].explain_miss(own);
            self.scopes[country as usize].explain_miss(own);
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
        for place in (0..self.scopes.len() as u32).rev() {
            self.weigh(place, now);
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
            self.directives.push_back(Directive::Rank(target, rank));
        }
    }

    fn blocks(&self) -> u32 {
        self.roster.blocks.len() as u32
    }

    fn country_place(&self, country: CountryId) -> u32 {
        self.blocks() + country.0
    }

    /// Of how many parts a scope's evidence must come.
    fn parts(&self, place: u32) -> usize {
        place.checked_sub(self.blocks()).map_or(1, |country| {
            let blocks = self.roster.countries[country as usize].blocks.len();
            blocks.min(rules::PARTS)
        })
    }

    fn name(&self, place: u32) -> Name {
        match place.checked_sub(self.blocks()) {
            Some(country) => Name::Country(CountryId(country)),
            None => Name::Block(BlockId(place)),
        }
    }
}

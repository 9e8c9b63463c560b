//! The judge: from evidence to verdicts. In: [`Summary`]s, answers of controls, gaps in the watch, and time as
//! an argument. Out: [`Change`]s of verdict, each with the interval in which it really happened, and [`Look`]s:
//! where to ask more closely. It never sees the network, a clock or dice; the same input gives the same output.
//!
//! # How it judges
//!
//! *Every scope alike.* A block and a country are the same thing to it: hosts that share a fate. An outcome
//! counts for its block and for its country.
//!
//! *Life* (`belief`). A valid answer proves that the scope was alive when its probe came by. Whatever was
//! missed before that was chance, and teaches the judge how often each host misses while its block is up (q).
//!
//! *Silence* (`belief`). Since the newest answered probe, each miss adds ln(1/q) to the log odds of "down";
//! q is the largest of what host, block and country have shown lately, so that a country that begins to lose
//! packets is not called down for it. At odds of 10^6, with misses that span 5 s, the scope is **down**. In
//! probes this is k = ln(10^6)/ln(1/q): 4 at 2 % loss, 9 at 20 %, 20 at 50 %: Wald's bound, up to rounding. A
//! country needs misses from four of its blocks (or all): one block's silence says nothing of the others. A
//! block of a country that is down is down with it.
//!
//! *Sight* (`sight`). A miss counts once somebody answered a question sent no earlier. So our own blindness
//! can never look like an outage: nothing is vouched for. While blind, every verdict is **unknown**, and the
//! misses of that stretch are forgotten.
//!
//! *Length.* Down without proof of life for `outage_after` is an **outage**.
//!
//! *Restlessness* (`flaps`). The third time down of a series is **flapping**, until a calm of three of its
//! own cycles. A long darkness after it is an outage all the same.
//!
//! *Quality* (`quality`). Alive but clearly worse than usual is **degraded**; a country with some blocks in
//! outage is **partial**.
//!
//! *Edges.* A change lies between the last proof of the old state and the first *sufficient* proof of the new
//! one: as many misses as it takes for chance to explain them in less than one case of 2,000, and the time that
//! an answer needs to come, since a cut takes those that are under way. Late answers move the edge: they are
//! proof of life at the time their probe was sent, and can take a `down` back altogether.
//!
//! *Looking closer.* A doubt (odds of 20) is resolved at once, by other hosts of the block, about one probe a
//! second; a second miss also asks every other block. The budget has the last word.
//!
//! Constants, each with its origin: `rules`. Formulas: A. Wald, "Sequential Tests of Statistical Hypotheses"
//! (1945); L. Quan et al., "Trinocular" (SIGCOMM 2013).

mod belief;
mod flaps;
mod quality;
mod rules;
mod scope;
mod sight;
mod state;
mod view;

pub use rules::Rules;
pub use state::{Change, Edge, State};
pub use view::Standing;

use crate::{
    aggregate::{Evidence, Summary},
    clock::Time,
    outcome::Control,
    schedule::{Look, Rank},
    target::{BlockId, CountryId, Roster, Scope as Name, TargetId},
};
use belief::{Miss, lasted_until};
use scope::{Facts, Scope, verdict};
use sight::{Shift, Sight};
use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

/// What the judge knows of one target.
#[derive(Clone, Copy, Debug)]
struct Host {
    /// Learned miss rate while its block is up.
    miss_rate: f32,
    /// Probes that taught it, up to the memory's length.
    taught: u16,
    /// ln of its usual round-trip time in seconds; NaN before the first.
    usual: f32,
    rank: Rank,
    /// When it last answered; at first, when the watch began.
    heard: Time,
}

/// Memory of a host's usual round-trip time, in answers.
const USUAL_MEMORY: f32 = 1024.0;

impl Host {
    /// Takes in an answer; gives back the logarithm of its time over the usual one.
    fn answer(&mut self, rtt: Duration, now: Time) -> f32 {
        self.heard = now;
        let time = rtt.as_secs_f32().max(1e-6).ln();
        if self.usual.is_nan() {
            self.usual = time;
        }
        let slower = time - self.usual;
        self.usual += slower / (f32::from(self.taught) + 1.0).clamp(2.0, USUAL_MEMORY);
        slower
    }
}

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
    stale: Vec<Duration>,
    sight: Sight,
    timers: BinaryHeap<Reverse<(Time, u32)>>,
    /// Scopes whose misses wait to be vouched for.
    waiting: Vec<u32>,
    changes: Vec<Change>,
    looks: Vec<Look>,
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
        let host =
            Host { miss_rate: rules::UNKNOWN_HOST, taught: 0, usual: f32::NAN, rank: Rank::Good, heard: now };
        let longest = gaps[roster.blocks.len()..].iter().copied().max().unwrap_or_default();
        Self {
            rules,
            hosts: vec![host; roster.targets.len()],
            scopes: vec![Scope::new(now); gaps.len()],
            tally,
            stale: gaps.iter().map(|&gap| (gap * rules::STALE_GAPS).max(rules::STALE_FLOOR)).collect(),
            sight: Sight::new(controls, longest, now),
            timers: BinaryHeap::new(),
            waiting: Vec::new(),
            changes: Vec::new(),
            looks: Vec::new(),
            roster,
        }
    }

    /// When [`Judge::advance`] next has something to do.
    pub fn next_wake(&self) -> Time {
        self.timers.peek().map_or(Time::NEVER, |timer| timer.0.0).min(self.sight.deadline())
    }

    /// Does what time alone demands, each thing at its own time: silence is an event.
    pub fn advance(&mut self, now: Time) {
        loop {
            let at = self.next_wake();
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

    /// Takes in what an outcome says. Call [`Judge::advance`] first.
    pub fn observe(&mut self, summary: &Summary, now: Time) {
        match summary.evidence {
            Evidence::Life { rtt, late } => self.life(summary, rtt, late, now),
            Evidence::Miss { usual } => self.miss(summary, usual, now),
            Evidence::Fault => {
                self.rank(summary.target, Rank::Poor);
                let shift = self.sight.fault(now);
                self.shift(shift, now);
            }
            Evidence::Nothing => {}
        }
    }

    /// Takes in a control's answer or silence. Call [`Judge::advance`] first.
    pub fn control(&mut self, control: &Control, now: Time) {
        if control.answered {
            let shift = self.sight.answer(control.sent, true, now);
            self.shift(shift, now);
            for place in std::mem::take(&mut self.waiting) {
                self.weigh(place, now);
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
    pub fn looks(&mut self) -> std::vec::Drain<'_, Look> {
        self.looks.drain(..)
    }

    fn life(&mut self, summary: &Summary, rtt: Duration, late: bool, now: Time) {
        let shift = self.sight.answer(summary.sent, false, now);
        self.shift(shift, now);
        let slower = self.hosts[summary.target.0 as usize].answer(rtt, now);
        self.teach(summary.target, 0.0);
        let (block, country) = (summary.block.0, self.country_place(summary.country));
        for place in [country, block] {
            let scope = &mut self.scopes[place as usize];
            scope.heard = now;
            scope.chance += (0.0 - scope.chance) / rules::SCOPE_MEMORY;
            scope.quality.answer(slower);
            let newest = scope.belief.life.is_none_or(|life| summary.sent > life);
            let chance = scope.belief.life(summary.sent);
            if let Some(dark) = self.scopes[place as usize].dark {
                self.light(place, dark, &chance, summary, rtt, late);
            } else {
                for miss in &chance {
                    self.scopes[place as usize].explain_miss();
                    if place == block {
                        self.teach(TargetId(miss.target), 1.0);
                        self.retire(TargetId(miss.target), now);
                    }
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
        rtt: Duration,
        late: bool,
    ) {
        let parts = self.parts(place);
        let scope = &mut self.scopes[place as usize];
        if scope.belief.odds(Time::NEVER, rules::DOWN, parts).log >= rules::DOWN {
            // An old answer: it was alive later than we knew, and is dark all the same.
            let earliest = dark.earliest.max(Some(summary.sent));
            scope.dark = Some(Edge { earliest, latest: dark.latest.max(summary.sent) });
            return;
        }
        scope.dark = None;
        let latest = summary.sent + rtt;
        let earliest = lasted_until(refuted, parts).or(dark.earliest).map(|at| at.min(latest));
        scope.back = Edge { earliest, latest };
        if late {
            scope.flaps.refute();
        } else {
            scope.flaps.up(latest);
        }
        if place >= self.blocks() && self.rules.confirm {
            self.looks.push(Look::Around(summary.block));
        }
    }

    fn miss(&mut self, summary: &Summary, usual: Duration, now: Time) {
        self.sight.sent();
        let (block, country) = (summary.block.0, self.country_place(summary.country));
        let host = &self.hosts[summary.target.0 as usize];
        let rate = host
            .miss_rate
            .max(self.scopes[block as usize].chance)
            .max(self.scopes[country as usize].chance)
            .clamp(rules::FLOOR, rules::CEILING);
        let (target, sent) = (summary.target.0, summary.sent);
        let miss = Miss { sent, weight: -rate.ln(), target, part: block, usual };
        for place in [block, country] {
            let scope = &mut self.scopes[place as usize];
            scope.heard = now;
            if scope.belief.miss(miss) {
                self.weigh(place, now);
            } else if scope.dark.is_none() {
                // Life has been proved since it was sent: chance, and a lesson.
                scope.explain_miss();
                if place == block {
                    self.teach(summary.target, 1.0);
                    self.retire(summary.target, now);
                }
            }
        }
    }

    /// Weighs a scope's facts, and says what follows: its verdict, its timer, and where to look.
    fn weigh(&mut self, place: u32, now: Time) {
        let parts = self.parts(place);
        let is_country = place >= self.blocks();
        let blind = self.sight.is_blind();
        let vouched = self.sight.vouched();
        let country_dark = if is_country || !self.rules.pooled {
            None
        } else {
            let country =
                &self.scopes[self.country_place(self.roster.blocks[place as usize].country) as usize];
            country.dark.filter(|_| country.belief.life >= self.scopes[place as usize].belief.life)
        };
        let scope = &mut self.scopes[place as usize];
        let quiet = scope.belief.is_quiet();
        if scope.dark.is_none() && !blind {
            let mut found = None;
            if !quiet {
                let odds = scope.belief.odds(vouched, rules::DOWN, parts);
                if odds.log >= rules::DOWN && odds.span() >= self.rules.span {
                    found = scope.belief.onset(parts);
                } else if scope.belief.odds(Time::NEVER, rules::DOWN, parts).log >= rules::DOWN
                    && !self.waiting.contains(&place)
                {
                    self.waiting.push(place);
                }
            }
            let latest = found.into_iter().chain(country_dark.map(|edge| edge.latest)).min();
            if let Some(latest) = latest {
                let earliest = scope.belief.life;
                scope.dark = Some(Edge { earliest, latest: latest.max(earliest.unwrap_or(latest)) });
                scope.flaps.down(latest);
            }
        }
        let fresh_dark =
            scope.dark.is_some() && !matches!(scope.state, State::Down | State::Outage | State::Flapping);
        let facts = self.facts(place, country_dark.is_some(), now);
        let state = verdict(facts);
        if state != self.scopes[place as usize].state {
            self.enter(place, state, facts, now);
        }
        self.look(place, facts);
        self.arm(place, facts, now);
        if is_country && fresh_dark && self.rules.pooled {
            for block in self.roster.countries[(place - self.blocks()) as usize].blocks.clone() {
                self.weigh(block, now);
            }
        }
    }

    fn facts(&mut self, place: u32, country_dark: bool, now: Time) -> Facts {
        let parts = self.parts(place);
        let partial = place.checked_sub(self.blocks()).is_some_and(|country| {
            let tally = &self.tally[country as usize];
            let out = tally[State::Outage as usize];
            out > 0 && out < tally.iter().sum::<u32>()
        });
        let stale = self.stale[place as usize];
        let (outage_after, renewed, blind) =
            (self.rules.outage_after, self.sight.renewed, self.sight.is_blind());
        let scope = &mut self.scopes[place as usize];
        let dark = scope.dark.is_some();
        let known = !blind
            && now < scope.heard + stale
            && (dark || scope.belief.life.is_some_and(|life| life >= renewed));
        let elapsed = scope.silent_since().is_some_and(|since| now >= since + outage_after);
        let sure = country_dark
            || scope.state == State::Outage
            || elapsed && scope.belief.odds(Time::NEVER, rules::OUTAGE, parts).log >= rules::OUTAGE;
        Facts {
            known,
            dark,
            long: dark && elapsed && sure,
            flapping: scope.flaps.flapping(now),
            partial: partial && !dark,
            degraded: scope.quality.is_degraded() && !dark,
        }
    }

    fn enter(&mut self, place: u32, state: State, facts: Facts, now: Time) {
        let scope = &self.scopes[place as usize];
        let from = scope.state;
        let edge = match state {
            _ if facts.known && facts.dark => scope.dark.unwrap_or(scope.edge),
            State::Unknown => Edge { earliest: Some(scope.heard.min(now)), latest: now },
            State::Partial => self.newest_block_edge(place),
            _ if matches!(
                from,
                State::Down | State::Outage | State::Flapping | State::Unknown | State::Partial
            ) && scope.back.latest > scope.edge.latest =>
            {
                scope.back
            }
            _ if from == State::Unknown => Edge { earliest: scope.edge.earliest, latest: now },
            _ => Edge { earliest: scope.belief.life.map(|life| life.min(now)), latest: now },
        };
        let evidence = self.evidence(place, state, facts);
        let scope = &mut self.scopes[place as usize];
        scope.enter(state, edge, evidence.clone(), now);
        let name = self.name(place);
        self.changes.push(Change { time: now, scope: name, from, to: state, edge, evidence });
        if let Name::Block(block) = name {
            let country = self.roster.block(block).country;
            let tally = &mut self.tally[country.0 as usize];
            tally[from as usize] -= 1;
            tally[state as usize] += 1;
            if from == State::Outage || state == State::Outage {
                self.weigh(self.country_place(country), now);
            }
        }
    }

    /// When a country becomes partial: when the last of its blocks to do so went dark.
    fn newest_block_edge(&self, place: u32) -> Edge {
        let blocks = self.roster.countries[(place - self.blocks()) as usize].blocks.clone();
        blocks
            .filter_map(|block| self.scopes[block as usize].dark)
            .max_by_key(|edge| edge.latest)
            .unwrap_or(self.scopes[place as usize].edge)
    }

    /// On what evidence, in one line for people.
    fn evidence(&self, place: u32, state: State, facts: Facts) -> String {
        let scope = &self.scopes[place as usize];
        let last = match scope.belief.life {
            Some(life) => format!("last answer to a probe of {life}"),
            None => "no answer since the watch began".into(),
        };
        let misses = || {
            let odds = scope.belief.odds(Time::NEVER, f32::MAX, 1);
            format!(
                "{} misses of {} hosts in {:.1} s",
                odds.count,
                scope.belief.hosts(),
                odds.span().as_secs_f32()
            )
        };
        match state {
            State::Unknown if self.sight.is_blind() => {
                "we are blind: nobody answers, controls included".into()
            }
            State::Unknown => "nothing has been heard of it for too long".into(),
            State::Down | State::Outage if scope.belief.is_quiet() => format!("its country is down; {last}"),
            State::Down | State::Outage => format!("{}; {last}", misses()),
            State::Flapping if facts.dark => format!("down for the third time in a series; {last}"),
            State::Flapping => format!("between two times down; {last}"),
            State::Partial => {
                let tally = &self.tally[(place - self.blocks()) as usize];
                format!("{} of {} blocks in outage", tally[State::Outage as usize], tally.iter().sum::<u32>())
            }
            State::Degraded => scope.quality.describe(),
            State::Up => last,
        }
    }

    /// Asks for a closer look, or for no more of it.
    fn look(&mut self, place: u32, facts: Facts) {
        if !self.rules.confirm {
            return;
        }
        let is_country = place >= self.blocks();
        let scope = &self.scopes[place as usize];
        let doubt = if is_country { rules::WIDE_DOUBT } else { rules::DOUBT };
        let wanted = if self.sight.is_blind() || facts.long || scope.belief.is_quiet() {
            None
        } else if facts.dark {
            Some(rules::CONFIRM_DOWN)
        } else {
            let odds = scope.belief.odds(Time::NEVER, f32::MAX, 1).log;
            (odds >= doubt).then_some(rules::CONFIRM)
        };
        if wanted == scope.looking {
            return;
        }
        let first = scope.looking.is_none();
        let newest = scope.belief.newest_part().map(BlockId);
        let name = self.name(place);
        self.scopes[place as usize].looking = wanted;
        self.looks.push(wanted.map_or(Look::Enough(name), |every| Look::Closer(name, every)));
        if is_country && first && wanted == Some(rules::CONFIRM) {
            self.looks.extend(newest.map(Look::Around));
        }
    }

    /// Sets the scope's timer, unless an earlier one is set: that one will set the next.
    fn arm(&mut self, place: u32, facts: Facts, now: Time) {
        let stale = self.stale[place as usize];
        let scope = &mut self.scopes[place as usize];
        let mut at = if facts.known { scope.heard + stale } else { Time::NEVER };
        if facts.dark && !facts.long {
            let due = scope.silent_since().unwrap_or(now) + self.rules.outage_after;
            if due > now {
                at = at.min(due);
            }
        }
        if facts.flapping && !facts.dark {
            at = at.min(scope.flaps.calm());
        }
        if at < scope.armed && at != Time::NEVER {
            scope.armed = at.max(now);
            self.timers.push(Reverse((scope.armed, place)));
        }
    }

    /// Our sight changed: every verdict with it.
    fn shift(&mut self, shift: Shift, now: Time) {
        match shift {
            Shift::None => return,
            Shift::Blind(_) => {}
            Shift::Sighted(from, to) => {
                for scope in &mut self.scopes {
                    scope.belief.void(from, to);
                    scope.heard = scope.heard.max(now);
                }
            }
        }
        for place in (0..self.scopes.len() as u32).rev() {
            self.weigh(place, now);
        }
    }

    /// A lesson on a target's miss rate.
    fn teach(&mut self, target: TargetId, missed: f32) {
        let host = &mut self.hosts[target.0 as usize];
        host.taught = host.taught.saturating_add(1);
        host.miss_rate += (missed - host.miss_rate) / (f32::from(host.taught) + 1.0).min(rules::HOST_MEMORY);
        let rank = if host.miss_rate > rules::POOR { Rank::Poor } else { Rank::Good };
        if missed == 0.0 || host.rank == Rank::Good {
            self.rank(target, rank);
        }
    }

    /// Retires a target that has been silent for a day while its block lives.
    fn retire(&mut self, target: TargetId, now: Time) {
        if now.since(self.hosts[target.0 as usize].heard) > rules::RETIRE_AFTER {
            self.rank(target, Rank::Retired);
        }
    }

    fn rank(&mut self, target: TargetId, rank: Rank) {
        let host = &mut self.hosts[target.0 as usize];
        if host.rank != rank {
            host.rank = rank;
            self.looks.push(Look::Rank(target, rank));
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
            if self.rules.pooled { blocks.min(rules::PARTS) } else { blocks }
        })
    }

    fn name(&self, place: u32) -> Name {
        match place.checked_sub(self.blocks()) {
            Some(country) => Name::Country(CountryId(country)),
            None => Name::Block(BlockId(place)),
        }
    }
}

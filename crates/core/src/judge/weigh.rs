//! From facts to a verdict, for one scope. In: a scope's evidence as it stands. Out: its state, the
//! edge and the evidence of a change, and its timer. It never takes in evidence.

use super::{
    Change, Edge, Judge, Name, State, rules,
    scope::{Facts, verdict},
};
use crate::{schedule::Rank, scopes::TargetId, time::Time};
use std::{cmp::Reverse, time::Duration};

impl Judge {
    /// Weighs a scope's facts, and says what follows: its verdict, its timer, and where to look.
    pub(super) fn weigh(&mut self, place: u32, now: Time) {
        let parts = self.parts(place);
        let is_country = place >= self.blocks();
        let blind = self.sight.is_blind();
        let (vouched, renewed) = (self.sight.vouched(), self.sight.renewed);
        let country_dark = self.inherited(place);
        let all_dark = if is_country && !self.rules.pooled { self.all_dark(place) } else { None };
        let scope = &mut self.scopes[place as usize];
        let quiet = scope.belief.is_quiet();
        let was_dark = scope.dark.is_some();
        let was_recalled = scope.recalled;
        if was_recalled && !blind {
            let needed = scope.needed(rules::DOWN, now);
            let odds = scope.belief.since(renewed).odds(vouched, needed, parts);
            let proved = odds.log >= needed && odds.span() >= self.rules.span;
            scope.recalled = !proved && country_dark.is_none() && all_dark.is_none();
        }
        if !was_dark && !blind {
            let mut found = all_dark;
            if !quiet && (self.rules.pooled || !is_country) {
                let needed = scope.needed(rules::DOWN, now);
                let odds = scope.belief.odds(vouched, needed, parts);
                if odds.log >= needed && odds.span() >= self.rules.span {
                    let began = scope.belief.onset(parts, rules::BEGAN, now);
                    found = scope.belief.onset(parts, rules::EDGE, now).zip(began);
                } else if scope.belief.odds(Time::NEVER, needed, parts).log >= needed
                    && !self.waiting.contains(&place)
                {
                    self.waiting.push(place);
                }
            }
            if let Some((latest, began)) = found.into_iter().chain(country_dark).min() {
                let earliest = scope.belief.life;
                scope.dark =
                    Some(Edge { earliest, latest: latest.max(earliest.unwrap_or(latest)) });
                scope.began = began;
                scope.unseen = Duration::ZERO;
                scope.flaps.down(latest);
            }
        }
        let fell = (!was_dark || was_recalled) && scope.dark.is_some() && !scope.recalled;
        let was_long = self.scopes[place as usize].long;
        let facts = self.facts(place, country_dark.is_some(), now);
        let fell = fell || facts.long && !was_long;
        let state = verdict(facts);
        if state != self.scopes[place as usize].state {
            self.enter(place, state, facts, now);
        }
        self.look(place, facts, now);
        self.arm(place, facts, now);
        if fell && self.rules.pooled && is_country {
            for block in self.roster.countries[(place - self.blocks()) as usize].blocks.clone() {
                self.weigh(block, now);
            }
        } else if fell && !self.rules.pooled && !is_country {
            self.weigh(self.country_place(self.roster.blocks[place as usize].country), now);
        }
    }

    /// The darkness that a block shares with its country: by when it had begun, for sure and most
    /// likely.
    pub(super) fn inherited(&self, place: u32) -> Option<(Time, Time)> {
        if place >= self.blocks() || !self.rules.pooled {
            return None;
        }
        let country = self.country_place(self.roster.blocks[place as usize].country);
        let scope = &self.scopes[country as usize];
        scope.dark.filter(|_| !scope.recalled).map(|edge| (edge.latest, scope.began))
    }

    /// By when all blocks of a country were dark, each on its own evidence.
    fn all_dark(&self, place: u32) -> Option<(Time, Time)> {
        let blocks = self.roster.countries[(place - self.blocks()) as usize].blocks.clone();
        let (mut latest, mut began) = (Time::default(), Time::default());
        for block in blocks {
            let scope = &self.scopes[block as usize];
            (latest, began) = (latest.max(scope.dark?.latest), began.max(scope.began));
        }
        Some((latest, began))
    }

    /// How long a scope may be silent on both sides before it is unknown.
    pub(super) fn stale(&self, place: u32) -> Duration {
        (self.gaps[place as usize] * rules::STALE_GAPS).max(rules::STALE_FLOOR)
    }

    fn facts(&mut self, place: u32, country_dark: bool, now: Time) -> Facts {
        let parts = self.parts(place);
        let partial = place.checked_sub(self.blocks()).is_some_and(|country| {
            let tally = &self.tally[country as usize];
            let out = tally[State::Outage as usize];
            out > 0 && out < tally.iter().sum::<u32>()
        });
        let stale = self.stale(place);
        let (outage_after, renewed, blind) =
            (self.rules.outage_after, self.sight.renewed, self.sight.is_blind());
        let shared =
            country_dark
                && self.roster.blocks.get(place as usize).is_some_and(|block| {
                    self.scopes[self.country_place(block.country) as usize].long
                });
        let scope = &mut self.scopes[place as usize];
        let dark = scope.dark.is_some();
        let known = !blind
            && now < scope.heard + stale
            && (dark && !scope.recalled || scope.belief.life.is_some_and(|life| life >= renewed));
        let elapsed = scope.silent_since().is_some_and(|since| now >= since + outage_after);
        let flapping = scope.flaps.flapping(now);
        if dark && elapsed && known && !scope.long {
            scope.long = shared || scope.has_lasted(outage_after, parts, now);
        }
        Facts {
            known,
            dark,
            long: scope.long,
            flapping,
            partial: partial && !dark && now >= scope.back.latest + rules::SETTLE,
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
            _ if from == State::Partial => self.newest_return(place, now),
            _ if from == State::Unknown => Edge { earliest: scope.edge.earliest, latest: now },
            _ => Edge { earliest: scope.belief.life.map(|life| life.min(now)), latest: now },
        };
        let evidence = self.evidence(place, state, facts);
        let scope = &mut self.scopes[place as usize];
        scope.enter(state, edge, evidence.clone(), now);
        let name = self.name(place);
        self.changes.push_back(Change { time: now, scope: name, from, to: state, edge, evidence });
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

    /// A probe could not leave.
    pub(super) fn fault(&mut self, target: TargetId, now: Time) {
        self.rank(target, Rank::Poor);
        if self.hosts[target.0 as usize].has_answered() {
            let shift = self.sight.fault(now);
            self.shift(shift, now);
        }
    }

    /// When a country becomes partial: when the last of its blocks to do so went dark, or when it
    /// came back itself after that, since before it was dark as a whole.
    fn newest_block_edge(&self, place: u32) -> Edge {
        let blocks = self.roster.countries[(place - self.blocks()) as usize].blocks.clone();
        let country = &self.scopes[place as usize];
        let newest = blocks
            .filter_map(|block| self.scopes[block as usize].dark)
            .max_by_key(|edge| edge.latest);
        newest.map_or(country.edge, |edge| {
            if country.back.latest > edge.latest { country.back } else { edge }
        })
    }

    /// When a country is no longer partial: when the last of its blocks came back; or now, if none
    /// did and a new plan took the dark ones away.
    fn newest_return(&self, place: u32, now: Time) -> Edge {
        let blocks = self.roster.countries[(place - self.blocks()) as usize].blocks.clone();
        let became = self.scopes[place as usize].edge.latest;
        blocks
            .map(|block| self.scopes[block as usize].back)
            .max_by_key(|edge| edge.latest)
            .filter(|edge| edge.latest > became)
            .unwrap_or(Edge { earliest: Some(became), latest: now })
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
                "{} misses of {} targets in {:.1} s",
                odds.count,
                scope.belief.targets(),
                odds.span().as_secs_f32()
            )
        };
        match state {
            State::Unknown if self.sight.is_blind() => {
                "we are blind: nobody answers, controls included".into()
            }
            State::Unknown => "nothing has been heard of it for too long".into(),
            State::Down | State::Outage if scope.belief.is_quiet() => {
                format!("its country is down; {last}")
            }
            State::Down | State::Outage => format!("{}; {last}", misses()),
            State::Flapping if facts.dark => format!("down for the third time in a series; {last}"),
            State::Flapping => format!("between two times down; {last}"),
            State::Partial => {
                let tally = &self.tally[(place - self.blocks()) as usize];
                format!(
                    "{} of {} blocks in outage",
                    tally[State::Outage as usize],
                    tally.iter().sum::<u32>()
                )
            }
            State::Degraded => scope.quality.describe(),
            State::Up => last,
        }
    }

    /// Sets the scope's timer, unless an earlier one is set: that one will set the next.
    fn arm(&mut self, place: u32, facts: Facts, now: Time) {
        let stale = self.stale(place);
        let scope = &mut self.scopes[place as usize];
        let mut at = if facts.known { scope.heard + stale } else { Time::NEVER };
        if facts.dark && !facts.long {
            let due = scope.silent_since().unwrap_or(now) + self.rules.outage_after;
            if due > now {
                at = at.min(due);
            }
        }
        let settled = scope.back.latest + rules::SETTLE;
        if settled > now {
            at = at.min(settled);
        }
        if facts.flapping && !facts.dark {
            at = at.min(scope.flaps.calm());
        }
        if at < scope.armed && at != Time::NEVER {
            scope.armed = at.max(now);
            self.timers.push(Reverse((scope.armed, place)));
        }
    }
}

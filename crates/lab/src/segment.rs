//! One segment of the path to a host (ours, a country's, a block's or a host's), as its conditions
//! change over time.

use super::{
    event::Effect,
    event_scope::EventScope,
    impairment::{ByScope, Impairment, span_at},
};
use lifesign_core::{outcome::IcmpCode, scopes::Kind, time::Time};
use std::collections::HashMap;

/// What holds from a time on, until the next conditions begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conditions {
    pub from: Time,
    pub dark: bool,
    /// How a router says that it is dark, if one does.
    pub router_code: Option<IcmpCode>,
    /// Our own uplink is dead, our sending fails, our resolver fails.
    pub uplink_dead: bool,
    pub sending_fails: bool,
    pub resolver_fails: bool,
    pub loss: f64,
    pub slowdown: f64,
    /// Answers are held until then; the beginning of time if they are not.
    pub held_until: Time,
    /// When darkness next begins, after these conditions.
    pub next_darkness: Time,
}

impl Conditions {
    pub fn nothing_passes(&self) -> bool {
        self.dark || self.uplink_dead
    }
}

/// All conditions of one segment. Looked up at times that never go back, so a cursor finds them.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    conditions: Vec<Conditions>,
    cursor: usize,
    /// When the conditions under the cursor end.
    pub until: Time,
}

impl Segment {
    pub fn new(impairments: &[&Impairment]) -> Self {
        let bounds = impairments.iter().flat_map(|impairment| &impairment.spans);
        let mut times: Vec<Time> =
            bounds.flat_map(|span| [span.0, span.1]).chain([Time::default()]).collect();
        times.sort_unstable();
        times.dedup();
        let mut conditions: Vec<Conditions> =
            times.into_iter().map(|from| conditions_from(impairments, from)).collect();
        let mut next_darkness = Time::NEVER;
        for index in (0..conditions.len()).rev() {
            conditions[index].next_darkness = next_darkness;
            let passed_before = index > 0 && !conditions[index - 1].nothing_passes();
            if conditions[index].nothing_passes() && passed_before {
                next_darkness = conditions[index].from;
            }
        }
        let until = conditions.get(1).map_or(Time::NEVER, |next| next.from);
        Self { conditions, cursor: 0, until }
    }

    /// Moves on to this time. Times must not go back.
    #[inline]
    pub fn advance(&mut self, time: Time) -> &Conditions {
        while time >= self.until {
            self.cursor += 1;
            self.until = self.conditions.get(self.cursor + 1).map_or(Time::NEVER, |next| next.from);
        }
        self.now()
    }

    /// What holds at the time that it was moved to.
    pub fn now(&self) -> &Conditions {
        &self.conditions[self.cursor]
    }

    /// What will hold at a time that is not before the cursor's.
    pub fn later(&self, time: Time) -> &Conditions {
        let begun = self.conditions[self.cursor..].partition_point(|next| next.from <= time);
        &self.conditions[self.cursor + begun.max(1) - 1]
    }
}

fn conditions_from(impairments: &[&Impairment], from: Time) -> Conditions {
    let mut conditions = Conditions {
        from,
        dark: false,
        router_code: None,
        uplink_dead: false,
        sending_fails: false,
        resolver_fails: false,
        loss: 0.0,
        slowdown: 1.0,
        held_until: Time::default(),
        next_darkness: Time::NEVER,
    };
    for impairment in impairments {
        let Some((_, end)) = span_at(&impairment.spans, from) else { continue };
        match impairment.effect {
            Effect::Dark { router_code } => {
                conditions.dark = true;
                conditions.router_code = conditions.router_code.or(router_code);
            }
            Effect::Flap { .. } => conditions.dark = true,
            Effect::Lossy(loss) => conditions.loss = 1.0 - (1.0 - conditions.loss) * (1.0 - loss),
            Effect::Slow(factor) => conditions.slowdown *= factor,
            Effect::Late => conditions.held_until = conditions.held_until.max(end),
            Effect::Uplink => conditions.uplink_dead = true,
            Effect::Resolver => conditions.resolver_fails = true,
            Effect::Send => conditions.sending_fails = true,
            Effect::Clock | Effect::Stall | Effect::Step | Effect::OtherPath => {}
        }
    }
    conditions
}

/// The segments that something ever happens to: one for each scope, or one for each kind of probe
/// if an event on the scope befalls one kind alone.
pub(super) struct Segments<'a> {
    impairments: &'a ByScope<'a>,
    numbers: HashMap<(EventScope, Option<Kind>), u32>,
    pub all: Vec<Segment>,
}

/// Nothing ever happens there, as with most hosts and blocks: it costs them no memory.
pub(super) const NO_SEGMENT: u32 = u32::MAX;

impl<'a> Segments<'a> {
    pub fn new(impairments: &'a ByScope<'a>) -> Self {
        Self { impairments, numbers: HashMap::new(), all: Vec::new() }
    }

    /// The index of the segment that probes of this kind pass, or [`NO_SEGMENT`].
    pub fn index(&mut self, scope: EventScope, kind: Kind) -> u32 {
        let here = self.impairments.of(scope);
        if here.is_empty() {
            return NO_SEGMENT;
        }
        let differs = here.iter().any(|impairment| impairment.only.is_some());
        let next = self.all.len() as u32;
        let all = &mut self.all;
        *self.numbers.entry((scope, differs.then_some(kind))).or_insert_with(|| {
            let befalls =
                |impairment: &&&Impairment| impairment.only.is_none_or(|only| only == kind);
            let here: Vec<&Impairment> = here.iter().filter(befalls).copied().collect();
            all.push(Segment::new(&here));
            next
        })
    }
}

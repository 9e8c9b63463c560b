//! The `[[event]]` tables of a scenario file, with indices of the roster for names.

use super::{
    event_kind::EventKind,
    event_scope::{EventScope, scopes},
    road::{self, Road, RoadEffect, RoadEvent},
};
use lifesign_core::{
    outcome::IcmpCode,
    scopes::{Kind, Roster},
    time::Time,
};
use lifesign_document::{Table, Value, parse_duration};
use std::{ops::RangeInclusive, time::Duration};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Effect {
    /// Gone; a router may say so, in this way.
    Dark { router_code: Option<IcmpCode> },
    /// Gone and back again and again; mean dwell times in seconds.
    Flap { down: f64, up: f64, drawn: bool },
    /// Loses this share more.
    Lossy(f64),
    /// Takes this many times as long.
    Slow(f64),
    /// Answers are held, and come all at once when it ends.
    Late,
    /// Our own uplink is dead: nothing is answered, neither by targets nor by controls.
    Uplink,
    /// Names do not resolve.
    Resolver,
    /// Nothing can be sent, though controls, which have a socket of their own, answer.
    Send,
    /// The machine stands still, and what arrives meanwhile is lost.
    Clock,
    /// The process stands still, and what arrives meanwhile is read afterwards.
    Stall,
    /// Hosts notice nothing: their path leads over other routers.
    OtherPath,
    /// The wall clock is set. Our own time goes on evenly, so the core must not notice.
    Step,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ScenarioEvent {
    pub from: Time,
    pub to: Time,
    pub scope: EventScope,
    pub effect: Effect,
    /// It befalls probes of this kind alone.
    pub only: Option<Kind>,
    /// It befalls some hosts of the scope, each by itself.
    pub sample: Option<Sample>,
}

/// Which hosts of a scope an event befalls, and when each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub pick: Pick,
    /// Each at its own time within this span.
    pub over: Duration,
    pub course: Course,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Pick {
    /// So many of each block, of those that are there.
    Count(usize),
    /// Each with this probability.
    Share(f64),
}

/// What a host does that an event befalls.
#[derive(Clone, Copy, Debug)]
pub(super) enum Course {
    /// What the event says.
    Once,
    /// Is not there before.
    Appear,
    /// Goes and returns by chance; mean times in seconds, and it begins there.
    Churn { down: f64, up: f64 },
    /// Goes for good, and a listed host that was not there comes instead, if there is one.
    Renumber,
}

/// ICMP destination unreachable, host unreachable (RFC 792).
pub(super) const HOST_UNREACHABLE: IcmpCode = IcmpCode { kind: 3, code: 1 };

pub(super) fn events(
    root: Table<'_>,
    start: Time,
    duration: Duration,
    roster: &Roster,
    controls: u16,
    roads: &[Road],
) -> (Vec<ScenarioEvent>, Vec<RoadEvent>) {
    let end = start + duration;
    let mut events = Vec::new();
    let mut road_events = Vec::new();
    for table in root.tables("event", "event") {
        table.only(&[
            "kind", "at", "for", "on", "down", "up", "dwell", "loss", "factor", "what", "code",
            "probe", "hosts", "share", "over", "after", "way", "hops", "longer", "asn", "network",
        ]);
        let kind = table.need("kind", "\"dark\"").and_then(|value| {
            value.one_of(&EventKind::ALL.map(EventKind::label)).and_then(EventKind::from_label)
        });
        let at = table.need("at", "\"+1h\"").and_then(|value| {
            let at = value
                .parsed("a time, or a duration from the start such as \"+1h\"", |text| {
                    time(text, start)
                })?;
            if at < start || at >= end {
                value.note(&format!(
                    "the scenario runs from {start} to {end}; write a time within it"
                ));
            }
            Some(at)
        });
        let Some((kind, at)) = kind.zip(at) else { continue };
        let Some(effect) = effect(table, kind) else { continue };
        let sample = sample(table, kind);
        let only = table.get("probe").and_then(|value| value.one_of(&Kind::ALL.map(Kind::label)));
        let only = only.and_then(Kind::from_label);
        let length = match table.get("for") {
            Some(value) if !kind.lasts() => {
                value.note(&format!("{:?} happens once and for all; drop \"for\"", kind.label()));
                None
            }
            Some(value) => value.duration(LENGTH),
            None if kind.lasts() => {
                table.missing("\"for\" is missing here; write for = \"9h31m\"");
                None
            }
            None => None,
        };
        let (from, to) = match (kind, length) {
            (EventKind::Appear, _) => (start, at),
            (_, Some(length)) => (at, (at + length).min(end)),
            _ => (at, end),
        };
        let scopes = match table.get("on") {
            Some(value) => scopes(value, roster, controls),
            None if kind.is_ours() => vec![EventScope::Us],
            None => {
                table.missing("\"on\" is missing here; write on = \"KP\"");
                Vec::new()
            }
        };
        if let Some(of_path) = kind.is_on_path().then(|| of_path(table, kind, effect)) {
            let Some((blocks, after, is_ours)) = road::befallen(table, &scopes, roads, roster)
            else {
                continue;
            };
            road_events.push(RoadEvent { from, to, blocks, after, effect: of_path });
            if is_ours && effect != Effect::OtherPath {
                // What we share with the controls is our own way out.
                let (scope, effect) = (EventScope::Us, Effect::Uplink);
                events.push(ScenarioEvent { from, to, scope, effect, only, sample });
                continue;
            }
        }
        for scope in scopes {
            if fits(kind, scope, sample.is_some(), only.is_some()) {
                events.push(ScenarioEvent { from, to, scope, effect, only, sample });
            } else if let Some(value) = table.get("on") {
                let right = if kind.is_ours() {
                    "\"us\""
                } else if sample.is_some() || kind == EventKind::Renumber {
                    "hosts of a country or a prefix"
                } else if matches!(kind, EventKind::Vanish | EventKind::Appear) {
                    "a host"
                } else {
                    "a country or a prefix"
                };
                value.note(&format!("{:?} applies to {right}; write that", kind.label()));
            }
        }
    }
    (events, road_events)
}

/// What an event on a path does to it.
fn of_path(table: Table<'_>, kind: EventKind, effect: Effect) -> RoadEffect {
    match (kind, effect) {
        (EventKind::Reroute, _) => road::reroute(table),
        (EventKind::Loop, _) => RoadEffect::Loop,
        (_, Effect::Dark { router_code: Some(code) }) => RoadEffect::Says(code),
        _ => RoadEffect::Cut(road::way(table)),
    }
}

/// Can an event of this kind be on this scope?
fn fits(kind: EventKind, scope: EventScope, is_sample: bool, has_probe: bool) -> bool {
    use EventKind::{Appear, Dark, Flap, Late, Lossy, Renumber, Slow, Vanish};
    match scope {
        EventScope::Us => kind.is_ours() || !is_sample && matches!(kind, Lossy | Slow | Late),
        _ if kind.is_ours() => false,
        EventScope::Control(_) => {
            !is_sample && !has_probe && matches!(kind, Dark | Flap | Lossy | Slow)
        }
        EventScope::Host(_) => !is_sample && !kind.is_on_path() && !matches!(kind, Flap | Renumber),
        EventScope::Country(_) | EventScope::Block(_) => {
            is_sample || !matches!(kind, Vanish | Appear | Renumber)
        }
    }
}

/// Which hosts, if the event is about some of a scope's.
fn sample(table: Table<'_>, kind: EventKind) -> Option<Sample> {
    let number = table.get("hosts").map(|value| (value, value.integer(1..=200)));
    let share = table.get("share").map(|value| (value, value.number(0.0..=1.0)));
    let over = table.get("over");
    let dwell = |key| table.get(key).and_then(|value| value.duration(DWELL)).unwrap_or_default();
    let course = match kind {
        EventKind::Churn => {
            Course::Churn { down: dwell("down").as_secs_f64(), up: dwell("up").as_secs_f64() }
        }
        EventKind::Renumber => Course::Renumber,
        EventKind::Appear => Course::Appear,
        _ => Course::Once,
    };
    let pick = match (number, share) {
        (Some((value, _)), Some(_)) => {
            value
                .note("either so many hosts of each block or a share; drop \"hosts\" or \"share\"");
            return None;
        }
        (Some((_, number)), None) => Pick::Count(number? as usize),
        (None, Some((_, share))) => Pick::Share(share?),
        (None, None) if kind == EventKind::Churn => Pick::Share(1.0),
        (None, None) => {
            if let Some(over) = over {
                over.note("\"over\" is for several hosts; write hosts = 5 or share = 0.5 too");
            }
            return None;
        }
    };
    let over = over.and_then(|value| value.duration(Duration::ZERO..=Duration::MAX));
    Some(Sample { pick, over: over.unwrap_or_default(), course })
}

/// Keys that only some kinds have.
const FURTHER: &[&str] =
    &["down", "up", "dwell", "loss", "factor", "what", "code", "probe", "hosts", "share", "over"];
/// What a router says of a link that is cut: network unreachable (RFC 792).
const NETWORK_UNREACHABLE: IcmpCode = IcmpCode { kind: 3, code: 0 };
/// The longest time that a scenario may name.
pub(super) const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);
const LENGTH: RangeInclusive<Duration> = Duration::from_millis(1)..=LONGEST;
const DWELL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 86_400);

fn effect(table: Table<'_>, kind: EventKind) -> Option<Effect> {
    for &key in FURTHER.iter().chain(road::KEYS) {
        if let (Some(value), false) = (table.get(key), kind.keys().contains(&key)) {
            value.note(&format!("{:?} has no {key:?}; drop it", kind.label()));
        }
    }
    let dwell = |key| Some(table.need(key, "\"60s\"")?.duration(DWELL)?.as_secs_f64());
    Some(match kind {
        EventKind::Dark | EventKind::Vanish | EventKind::Appear | EventKind::Renumber => {
            Effect::Dark { router_code: None }
        }
        EventKind::Cut | EventKind::Loop => Effect::Dark { router_code: None },
        EventKind::Says => {
            let code = table.get("code").map_or(Some(NETWORK_UNREACHABLE), router_code)?;
            Effect::Dark { router_code: Some(code) }
        }
        EventKind::Reroute => Effect::OtherPath,
        EventKind::Churn => {
            let down = dwell("down");
            let up = dwell("up");
            down.and(up).map(|_| Effect::Dark { router_code: None })?
        }
        EventKind::Unreachable => {
            let code = table.get("code").map_or(Some(HOST_UNREACHABLE), router_code)?;
            Effect::Dark { router_code: Some(code) }
        }
        EventKind::Flap => {
            let drawn = table.get("dwell").and_then(|value| value.one_of(&["fixed", "drawn"]))
                == Some("drawn");
            let down = dwell("down");
            let up = dwell("up");
            Effect::Flap { down: down?, up: up?, drawn }
        }
        EventKind::Lossy => Effect::Lossy(table.need("loss", "0.2")?.number(0.0..=1.0)?),
        EventKind::Slow => Effect::Slow(table.need("factor", "3.0")?.number(1.0..=1000.0)?),
        EventKind::Late => Effect::Late,
        EventKind::Stall => Effect::Stall,
        EventKind::ClockStep => Effect::Step,
        EventKind::Blind => match table
            .need("what", "\"uplink\"")?
            .one_of(&["uplink", "resolver", "clock", "send"])?
        {
            "uplink" => Effect::Uplink,
            "resolver" => Effect::Resolver,
            "clock" => Effect::Clock,
            _ => Effect::Send,
        },
    })
}

/// How a router says no: an ICMP type and code (RFC 792, RFC 1812 §5.2.7.1), as a pair. Not [11,
/// 1]: by it a host says that a fragment is missing, and Linux passes it on to no program.
fn router_code(value: Value<'_>) -> Option<IcmpCode> {
    let list = value.list("an ICMP type and code such as [3, 1]")?;
    let numbers: Vec<i64> = list.iter().filter_map(|value| value.integer(0..=255)).collect();
    match numbers[..] {
        [kind @ 3, code @ 0..=15] | [kind @ 11, code @ 0] => {
            Some(IcmpCode { kind: kind as u8, code: code as u8 })
        }
        _ if numbers.len() < list.len() => None,
        _ => {
            value.note(
                "a router says no by ICMP type 3 with a code up to 15, or [11, 0]; write [3, 1]",
            );
            None
        }
    }
}

fn time(text: &str, start: Time) -> Result<Time, String> {
    match text.strip_prefix('+') {
        Some(rest) => Ok(start + parse_duration(rest)?),
        None => text
            .parse()
            .map_err(|_| format!("{text:?} is no time; write 2014-12-22T16:15:00Z or +1h30m")),
    }
}

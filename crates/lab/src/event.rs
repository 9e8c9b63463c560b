//! The `[[event]]` tables of a scenario file, with indices of the roster for names.

use lifesign_core::{
    outcome::IcmpCode,
    scopes::{Host, Roster},
    time::Time,
};
use lifesign_document::{Table, Value};
use std::time::Duration;

/// What an event affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventScope {
    /// Our own network or machine.
    Us,
    Country(u32),
    Block(u32),
    /// The host whose first target this is.
    Host(u32),
}

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
    /// The wall clock is set. Our own time goes on evenly, so the core must not notice.
    Step,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ScenarioEvent {
    pub from: Time,
    pub to: Time,
    pub scope: EventScope,
    pub effect: Effect,
}

const KINDS: &[&str] = &[
    "dark",
    "flap",
    "lossy",
    "slow",
    "late",
    "blind",
    "clock_step",
    "vanish",
    "appear",
    "unreachable",
    "stall",
];
/// ICMP destination unreachable, host unreachable (RFC 792).
pub(super) const HOST_UNREACHABLE: IcmpCode = IcmpCode { kind: 3, code: 1 };

const SCOPES: &str = "\"us\", country codes, prefixes or hosts, apart by spaces";

pub(super) fn events(
    root: Table<'_>,
    start: Time,
    duration: Duration,
    roster: &Roster,
) -> Vec<ScenarioEvent> {
    let end = start + duration;
    let mut events = Vec::new();
    for table in root.tables("event", "event") {
        table.only(&[
            "kind", "at", "for", "on", "down", "up", "dwell", "loss", "factor", "what", "code",
        ]);
        let kind = table.need("kind", "\"dark\"").and_then(|value| value.one_of(KINDS));
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
        let lasts = !matches!(kind, "vanish" | "appear" | "clock_step");
        let length = match table.get("for") {
            Some(value) if !lasts => {
                value.note(&format!("{kind:?} happens once and for all; drop \"for\""));
                None
            }
            Some(value) => value.parsed("a duration such as \"9h31m\"", duration_of),
            None if lasts => {
                table.missing("\"for\" is missing here; write for = \"9h31m\"");
                None
            }
            None => None,
        };
        let (from, to) = match (kind, length) {
            ("appear", _) => (start, at),
            (_, Some(length)) => (at, (at + length).min(end)),
            _ => (at, end),
        };
        let ours = matches!(kind, "blind" | "stall" | "clock_step");
        let scopes = match table.get("on") {
            Some(value) => scopes(value, roster),
            None if ours => vec![EventScope::Us],
            None => {
                table.missing("\"on\" is missing here; write on = \"KP\"");
                Vec::new()
            }
        };
        let of_hosts = matches!(kind, "vanish" | "appear");
        for scope in scopes {
            let fits = match scope {
                EventScope::Us => ours || matches!(kind, "lossy" | "slow" | "late"),
                EventScope::Host(_) => !ours && kind != "flap",
                _ => !ours && !of_hosts,
            };
            if fits {
                events.push(ScenarioEvent { from, to, scope, effect });
            } else if let Some(value) = table.get("on") {
                let right = if ours {
                    "\"us\""
                } else if of_hosts {
                    "a host"
                } else {
                    "a country or a prefix"
                };
                value.note(&format!("{kind:?} applies to {right}; write that"));
            }
        }
    }
    events
}

fn effect(table: Table<'_>, kind: &str) -> Option<Effect> {
    let given = match kind {
        "flap" => &["down", "up", "dwell"][..],
        "lossy" => &["loss"],
        "slow" => &["factor"],
        "blind" => &["what"],
        "unreachable" => &["code"],
        _ => &[],
    };
    for key in ["down", "up", "dwell", "loss", "factor", "what", "code"] {
        if let (Some(value), false) = (table.get(key), given.contains(&key)) {
            value.note(&format!("{kind:?} has no {key:?}; drop it"));
        }
    }
    let dwell = |key| {
        let range = Duration::from_secs(1)..=Duration::from_secs(7 * 86_400);
        Some(table.need(key, "\"60s\"")?.duration(range)?.as_secs_f64())
    };
    Some(match kind {
        "dark" | "vanish" | "appear" => Effect::Dark { router_code: None },
        "unreachable" => {
            let code = table.get("code").map_or(Some(HOST_UNREACHABLE), router_code)?;
            Effect::Dark { router_code: Some(code) }
        }
        "flap" => {
            let drawn = table.get("dwell").and_then(|value| value.one_of(&["fixed", "drawn"]))
                == Some("drawn");
            let down = dwell("down");
            let up = dwell("up");
            Effect::Flap { down: down?, up: up?, drawn }
        }
        "lossy" => Effect::Lossy(table.need("loss", "0.2")?.number(0.0..=1.0)?),
        "slow" => Effect::Slow(table.need("factor", "3.0")?.number(1.0..=1000.0)?),
        "late" => Effect::Late,
        "stall" => Effect::Stall,
        "clock_step" => Effect::Step,
        _ => match table
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

fn scopes(value: Value<'_>, roster: &Roster) -> Vec<EventScope> {
    let text = value.text(SCOPES).unwrap_or_default();
    let named = text.split_whitespace().filter_map(|name| {
        let found = find(name, roster);
        if found.is_none() {
            value.note(&format!(
                "{name:?} is neither \"us\" nor a country, prefix or host of this file; \
                 write one of these"
            ));
        }
        found
    });
    named.collect()
}

fn find(name: &str, roster: &Roster) -> Option<EventScope> {
    if name == "us" {
        return Some(EventScope::Us);
    }
    if let Some(index) = roster.countries.iter().position(|country| country.code == name) {
        return Some(EventScope::Country(index as u32));
    }
    if let Ok(address) = name.parse() {
        let host = Host::Address(address);
        return roster
            .targets
            .iter()
            .position(|target| target.host == host)
            .map(|index| EventScope::Host(index as u32));
    }
    let prefix = name.parse().ok()?;
    roster
        .blocks
        .iter()
        .position(|block| block.prefix == prefix)
        .map(|index| EventScope::Block(index as u32))
}

fn time(text: &str, start: Time) -> Result<Time, String> {
    match text.strip_prefix('+') {
        Some(rest) => Ok(start + duration_of(rest)?),
        None => text
            .parse()
            .map_err(|_| format!("{text:?} is no time; write 2014-12-22T16:15:00Z or +1h30m")),
    }
}

/// A duration of several units, largest first: `9h31m`, `90s`, `250ms`.
fn duration_of(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "{text:?} is no duration; write whole numbers and units, such as 9h31m, 90s or 250ms"
        )
    };
    let mut rest = text;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (digits, tail) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        let (unit, tail) = tail.split_at(tail.bytes().take_while(u8::is_ascii_lowercase).count());
        let millis = match unit {
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1000,
            "ms" => 1,
            _ => return Err(wrong()),
        };
        let part = digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(millis))
            .ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = tail;
    }
    if total == 0 { Err(wrong()) } else { Ok(Duration::from_millis(total)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_may_have_several_units() {
        assert_eq!(duration_of("9h31m"), Ok(Duration::from_secs(34_260)));
        assert_eq!(duration_of("250ms"), Ok(Duration::from_millis(250)));
        for text in
            ["", "1", "h", "-1h", "1h ", "0s", "99999999999999999999h", "18446744073709551615ms1ms"]
        {
            assert!(duration_of(text).is_err(), "{text:?}");
        }
    }
}

//! Verdict lines, of which every [`Change`] makes one: as JSON for programs (docs/verdicts.md), or
//! for people.

use crate::{
    judge::Change,
    scopes::{Roster, Scope},
    time::Time,
};
use serde::Serialize;

#[derive(Serialize)]
struct VerdictLine<'a> {
    time: String,
    scope: &'a str,
    name: String,
    country: &'a str,
    from: &'a str,
    to: &'a str,
    earliest: Option<String>,
    latest: String,
}

/// The change as one JSON object, without its line feed. `offset` is `Clock::wall_offset`.
pub fn json(change: &Change, roster: &Roster, offset: i64) -> String {
    let written = |time: Time| time.shifted(offset).exact();
    let line = VerdictLine {
        time: written(change.time),
        scope: change.scope.level().label(),
        name: roster.name_of(change.scope),
        country: &roster.country_of(change.scope).code,
        from: change.from.label(),
        to: change.to.label(),
        earliest: change.edge.earliest.map(written),
        latest: written(change.edge.latest),
    };
    // A struct of strings can always be written.
    serde_json::to_string(&line).unwrap_or_default()
}

/// The change as one line for people, without its line feed.
pub fn text(change: &Change, roster: &Roster, offset: i64) -> String {
    let written = |time: Time| time.shifted(offset).to_string();
    let name = match change.scope {
        Scope::Block(_) | Scope::Network(_) => {
            format!("{} {}", roster.country_of(change.scope).code, roster.name_of(change.scope))
        }
        Scope::Country(_) => roster.country_of(change.scope).code.clone(),
    };
    let since = match change.edge.earliest {
        Some(earliest) => {
            format!("since between {} and {}", written(earliest), written(change.edge.latest))
        }
        None => format!("since before {}", written(change.edge.latest)),
    };
    format!(
        "{} {name} {} → {}, {since}: {}",
        written(change.time),
        change.from,
        change.to,
        change.evidence
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        judge::{Edge, State},
        scopes::NetworkId,
    };

    #[test]
    fn a_network_is_named_within_its_country() {
        let mut roster = Roster::default();
        roster.add_country("KP", "North Korea");
        roster.add_network("Star JV", Some(131_279));
        let change = Change {
            time: Time::default(),
            scope: Scope::Network(NetworkId(0)),
            from: State::Up,
            to: State::Outage,
            edge: Edge { earliest: None, latest: Time::default() },
            evidence: "nobody answers".into(),
        };
        let json: serde_json::Value =
            serde_json::from_str(&json(&change, &roster, 0)).expect("JSON");
        assert_eq!([&json["scope"], &json["name"], &json["country"]], ["network", "Star JV", "KP"]);
        let text = text(&change, &roster, 0);
        assert!(text.contains("Z KP Star JV up → outage, since before"), "{text}");
    }
}

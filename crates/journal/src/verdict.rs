//! Verdict lines, of which every [`Change`] makes one, a narrower edge and a darkness that was none
//! as well: as JSON for programs (docs/verdicts.md), or for people; and lines in their style for
//! what is no verdict.

use lifesign_core::{
    judge::Change,
    scopes::{Roster, Scope},
    time::{Time, WallOffset},
    watch::ReturnPathChange,
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    retracted: bool,
}

/// The change as one JSON object, without its line feed. `offset` is `Clock::wall_offset`.
pub fn json(change: &Change, roster: &Roster, offset: impl Into<WallOffset>) -> String {
    let offset = offset.into();
    let written = |time: Time| offset.written(time).exact();
    let line = VerdictLine {
        time: written(change.time),
        scope: change.scope.level().label(),
        name: roster.name_of(change.scope),
        country: &roster.country_of(change.scope).code,
        from: change.from.label(),
        to: change.to.label(),
        earliest: change.edge.earliest.map(written),
        latest: written(change.edge.latest),
        retracted: change.retracts(),
    };
    // A struct of strings can always be written.
    serde_json::to_string(&line).unwrap_or_default()
}

/// The change as one line for people, without its line feed.
pub fn text(change: &Change, roster: &Roster, offset: impl Into<WallOffset>) -> String {
    let offset = offset.into();
    let written = |time: Time| offset.written(time).to_string();
    let name = match change.scope {
        Scope::Block(_) | Scope::Network(_) => {
            format!("{} {}", roster.country_of(change.scope).code, roster.name_of(change.scope))
        }
        Scope::Country(_) => roster.country_of(change.scope).code.clone(),
    };
    let when = match change.edge.earliest {
        Some(earliest) => {
            format!("between {} and {}", written(earliest), written(change.edge.latest))
        }
        None => format!("before {}", written(change.edge.latest)),
    };
    let what = if change.retracts() {
        format!("was not dark before it came back {when}")
    } else if change.narrows() {
        format!("came back {when}")
    } else {
        format!("{} → {}, since {when}", change.from, change.to)
    };
    format!("{} {name} {what}: {}", written(change.time), change.evidence.text(offset))
}

/// A return path that moved, as one line for people, without its line feed.
pub fn return_path(
    change: &ReturnPathChange,
    roster: &Roster,
    offset: impl Into<WallOffset>,
) -> String {
    let &ReturnPathChange { time, block, before, after } = change;
    let scope = Scope::Block(block);
    format!(
        "{} {} {} return path moved: replies come with hop limit {after}, before with {before}",
        offset.into().written(time),
        roster.country_of(scope).code,
        roster.name_of(scope)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::{
        judge::{Darknesses, Edge, State},
        scopes::{CountryId, NetworkId},
    };
    use std::time::Duration;

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
            darknesses: Darknesses::default(),
        };
        let json: serde_json::Value =
            serde_json::from_str(&json(&change, &roster, 0)).expect("JSON");
        assert_eq!([&json["scope"], &json["name"], &json["country"]], ["network", "Star JV", "KP"]);
        let text = text(&change, &roster, 0);
        assert!(text.contains("Z KP Star JV up → outage, since before"), "{text}");
    }

    #[test]
    fn a_narrower_edge_is_a_line_of_its_own_and_so_is_a_darkness_that_was_none() {
        let mut roster = Roster::default();
        roster.add_country("KP", "North Korea");
        let at =
            |seconds: u64| Time::from_nanos(1_419_299_000_000_000_000 + seconds * 1_000_000_000);
        let change = Change {
            time: at(290),
            scope: Scope::Country(CountryId(0)),
            from: State::Up,
            to: State::Up,
            edge: Edge { earliest: Some(at(162)), latest: at(170) },
            evidence: "narrowed down by all that came back since".into(),
            darknesses: Darknesses::default(),
        };
        assert_eq!(
            text(&change, &roster, 0),
            "2014-12-23T01:48:10.000Z KP came back between 2014-12-23T01:46:02.000Z and \
             2014-12-23T01:46:10.000Z: narrowed down by all that came back since"
        );
        let json: serde_json::Value =
            serde_json::from_str(&json(&change, &roster, 0)).expect("JSON");
        assert_eq!((&json["from"], &json["to"]), (&"up".into(), &"up".into()));
        assert_eq!(json.get("retracted"), None);
        let darknesses = Darknesses::one(Duration::from_secs(8), Edge::at(at(162)), None);
        let none = Change { evidence: "only some had gone".into(), darknesses, ..change };
        assert_eq!(
            text(&none, &roster, 0),
            "2014-12-23T01:48:10.000Z KP was not dark before it came back between \
             2014-12-23T01:46:02.000Z and 2014-12-23T01:46:10.000Z: only some had gone"
        );
        let json: serde_json::Value =
            serde_json::from_str(&super::json(&none, &roster, 0)).expect("JSON");
        assert_eq!(json["retracted"], true);
    }
}

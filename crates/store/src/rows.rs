//! What programs read of the past: an incident, a phase and an episode as rows of JSON and CSV,
//! with one meaning of each key (docs/api.md), on the command line and in the API.

use super::{PlaceOf, Places};
use lifesign_core::{scopes::FullName, time::Time};
use lifesign_incident::{Episode, Incident, Phase, Span};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// A row of CSV.
pub trait Row: Serialize {
    /// Its keys, in their order.
    const COLUMNS: &'static [&'static str];
}

#[derive(Clone, Copy, Debug, Serialize)]
struct ScopeKeys<'a> {
    scope: &'a str,
    level: &'static str,
    name: &'a str,
    country: &'a str,
}

impl<'a> ScopeKeys<'a> {
    fn new(country: &'a str, scope: &'a str) -> Self {
        let full_name = FullName::new(country, scope);
        Self { scope, level: full_name.level().label(), name: full_name.name(), country }
    }
}

#[derive(Clone, Debug, Serialize)]
struct SpanKeys {
    begin_earliest: Option<String>,
    begin_latest: String,
    end_earliest: Option<String>,
    end_latest: Option<String>,
    seconds: f64,
    uncertain_seconds: f64,
}

impl SpanKeys {
    fn new(span: Span, now: Time) -> Self {
        let Span { begin, end } = span;
        let text = |time: Time| time.to_string();
        Self {
            begin_earliest: begin.earliest.map(text),
            begin_latest: text(begin.latest),
            end_earliest: end.and_then(|end| end.earliest).map(text),
            end_latest: end.map(|end| text(end.latest)),
            seconds: seconds(span.length(now)),
            uncertain_seconds: seconds(span.uncertainty()),
        }
    }
}

/// An episode.
#[derive(Clone, Debug, Serialize)]
pub struct EpisodeRow<'a> {
    #[serde(flatten)]
    scope: ScopeKeys<'a>,
    state: &'static str,
    #[serde(flatten)]
    span: SpanKeys,
    unseen_seconds: f64,
    left: bool,
    found: String,
    evidence: &'a str,
    planned_from: Option<String>,
    planned_to: Option<String>,
    planned_reason: Option<&'a str>,
}

impl<'a> EpisodeRow<'a> {
    /// An open one has been observed up to `now`.
    pub fn new(episode: &'a Episode, now: Time) -> Self {
        let window = episode.planned.as_ref();
        Self {
            scope: ScopeKeys::new(&episode.country, &episode.scope),
            state: episode.state.label(),
            span: SpanKeys::new(episode.span(), now),
            unseen_seconds: seconds(episode.unseen_by(now)),
            left: episode.is_left(),
            found: episode.found.to_string(),
            evidence: &episode.evidence,
            planned_from: window.map(|window| window.from.to_string()),
            planned_to: window.map(|window| window.to.to_string()),
            planned_reason: window.and_then(|window| window.reason.as_deref()),
        }
    }
}

impl Row for EpisodeRow<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "scope",
        "level",
        "name",
        "country",
        "state",
        "begin_earliest",
        "begin_latest",
        "end_earliest",
        "end_latest",
        "seconds",
        "uncertain_seconds",
        "unseen_seconds",
        "left",
        "found",
        "evidence",
        "planned_from",
        "planned_to",
        "planned_reason",
    ];
}

#[derive(Clone, Debug, Serialize)]
struct IncidentKeys<'a> {
    #[serde(flatten)]
    scope: ScopeKeys<'a>,
    id: String,
    over: bool,
}

#[derive(Clone, Debug, Serialize)]
struct PhaseKeys {
    phase: &'static str,
    #[serde(flatten)]
    span: SpanKeys,
    darknesses: u32,
    dark_seconds: f64,
    unseen_seconds: f64,
    left: bool,
    place: Option<&'static str>,
    place_sentence: Option<String>,
}

impl PhaseKeys {
    fn new(phase: &Phase, place: Option<PlaceOf>, now: Time) -> Self {
        Self {
            phase: phase.kind.label(),
            span: SpanKeys::new(phase.span(), now),
            darknesses: phase.darknesses,
            dark_seconds: seconds(phase.dark),
            unseen_seconds: seconds(phase.unseen),
            left: phase.is_left,
            place: place.as_ref().map(|place| place.place.label()),
            place_sentence: place.map(|place| place.words),
        }
    }
}

/// An incident with its phases.
#[derive(Clone, Debug, Serialize)]
pub struct IncidentRow<'a> {
    #[serde(flatten)]
    incident: IncidentKeys<'a>,
    dark_seconds: f64,
    phases: Vec<PhaseKeys>,
}

impl<'a> IncidentRow<'a> {
    /// What is open has been observed up to `now`.
    pub fn new(incident: &'a Incident, places: &Places, now: Time) -> Self {
        let scope = ScopeKeys::new(&incident.country, &incident.scope);
        let phase = |phase: &Phase| PhaseKeys::new(phase, places.of_phase(incident, phase), now);
        Self {
            incident: IncidentKeys { scope, id: incident.id(), over: incident.is_over },
            dark_seconds: seconds(incident.dark()),
            phases: incident.phases.iter().map(phase).collect(),
        }
    }

    /// The same for CSV: a row for each phase.
    pub fn phases(self) -> impl Iterator<Item = PhaseRow<'a>> {
        let Self { incident, phases, dark_seconds: _ } = self;
        phases.into_iter().map(move |phase| PhaseRow { incident: incident.clone(), phase })
    }
}

/// A phase, behind the incident that it is of.
#[derive(Clone, Debug, Serialize)]
pub struct PhaseRow<'a> {
    #[serde(flatten)]
    incident: IncidentKeys<'a>,
    #[serde(flatten)]
    phase: PhaseKeys,
}

impl Row for PhaseRow<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "scope",
        "level",
        "name",
        "country",
        "id",
        "over",
        "phase",
        "begin_earliest",
        "begin_latest",
        "end_earliest",
        "end_latest",
        "seconds",
        "uncertain_seconds",
        "darknesses",
        "dark_seconds",
        "unseen_seconds",
        "left",
        "place",
        "place_sentence",
    ];
}

/// In seconds, to the millisecond, as all times are.
pub fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// JSON Lines, one row a line.
pub fn json_lines<T: Serialize>(rows: impl IntoIterator<Item = T>) -> serde_json::Result<String> {
    rows.into_iter().map(|row| Ok(serde_json::to_string(&row)? + "\n")).collect()
}

/// CSV (RFC 4180) with a header; what is not known is empty.
pub fn csv<T: Row>(rows: impl IntoIterator<Item = T>) -> serde_json::Result<String> {
    let mut text = T::COLUMNS.join(",") + "\r\n";
    for row in rows {
        let row = serde_json::to_value(row)?;
        let cells = T::COLUMNS.iter().map(|column| match &row[column] {
            Value::Null => String::new(),
            Value::String(text) => cell(text),
            other => other.to_string(),
        });
        text += &cells.collect::<Vec<_>>().join(",");
        text += "\r\n";
    }
    Ok(text)
}

/// A text as a cell of CSV, in quotes if it needs them. An apostrophe goes before what a
/// spreadsheet would take for a formula.
fn cell(text: &str) -> String {
    let text =
        if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::scopes::Maintenance;
    use lifesign_incident::{
        fixtures::{at, outage},
        fold,
    };
    use std::collections::BTreeSet;

    fn value(row: impl Serialize) -> Value {
        serde_json::to_value(row).unwrap()
    }

    fn csv_of(episode: &Episode) -> String {
        csv([EpisodeRow::new(episode, at(0))]).unwrap()
    }

    /// The columns of CSV are the keys of JSON.
    fn keys<T: Row>(row: &T) -> BTreeSet<String> {
        let value = value(row);
        let keys: BTreeSet<String> = value.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, T::COLUMNS.iter().map(|&column| column.to_owned()).collect());
        keys
    }

    #[test]
    fn programs_get_every_edge_and_cells_are_what_they_are() {
        let over = outage("KP", Some(34_270));
        let row = EpisodeRow::new(&over, at(0));
        keys(&row);
        let value = value(&row);
        assert_eq!(value["begin_latest"], "2014-12-22T16:15:04.000Z");
        assert_eq!(
            (&value["seconds"], &value["uncertain_seconds"]),
            (&34_266.0.into(), &4.0.into())
        );
        let csv = csv_of(&over);
        assert!(
            csv.contains(
                ",34266.0,4.0,90.0,false,2014-12-22T16:16:10.000Z,\"\"\"9\"\" misses, <b>all</b>\",,,\r\n"
            ),
            "{csv}"
        );
        assert_eq!(cell("=1+1"), "'=1+1");
    }

    #[test]
    fn an_incident_and_its_phases_have_the_keys_of_an_episode_where_they_mean_the_same() {
        let episodes = [outage("KP/Star JV", Some(34_270))];
        let incidents = fold(&episodes, &[], at(200_000));
        let row = IncidentRow::new(&incidents[0], &Places::default(), at(200_000));
        let incident = value(&row);
        assert_eq!(incident["over"], true);
        let phase = row.phases().next().unwrap();
        let of_episode = EpisodeRow::new(&episodes[0], at(200_000));
        let shared: Vec<String> = keys(&phase).intersection(&keys(&of_episode)).cloned().collect();
        assert_eq!(shared.len(), 12, "{shared:?}");
        let (phase, of_episode) = (value(&phase), value(&of_episode));
        for key in &shared {
            assert_eq!(phase[key], of_episode[key], "{key}");
            let in_json = incident.get(key).or_else(|| incident["phases"][0].get(key));
            assert_eq!(in_json, Some(&phase[key]), "{key}");
        }
    }

    #[test]
    fn an_episode_that_ended_because_nobody_watched_says_so() {
        let mut block = outage("127.45.176.0/24", None);
        assert_eq!(value(EpisodeRow::new(&block, at(900)))["left"], false);
        block.leave(at(600));
        assert_eq!(value(EpisodeRow::new(&block, at(900)))["left"], true);
    }

    #[test]
    fn seconds_are_written_to_the_millisecond() {
        for (nanos, written) in [(2_562_000_000, "2.562"), (2_561_999_700, "2.562")] {
            let unseen = Duration::from_nanos(nanos);
            let csv = csv_of(&Episode { unseen, ..outage("KP", Some(34_270)) });
            assert!(csv.contains(&format!(",34266.0,4.0,{written},false,2014-")), "{csv}");
        }
    }

    #[test]
    fn what_was_planned_says_when_and_why() {
        let mut planned = Maintenance { from: at(0), to: at(3600), reason: Some("a, b".into()) };
        let episode = Episode { planned: Some(planned.clone()), ..outage("KP", Some(34_270)) };
        assert!(
            csv_of(&episode)
                .ends_with(",2014-12-22T16:15:00.000Z,2014-12-22T17:15:00.000Z,\"a, b\"\r\n")
        );
        planned.reason = None;
        let row = value(EpisodeRow::new(&Episode { planned: Some(planned), ..episode }, at(0)));
        assert_eq!(row["planned_to"], "2014-12-22T17:15:00.000Z");
        assert_eq!(row["planned_reason"], Value::Null);
    }

    #[test]
    fn a_network_is_named_within_its_country() {
        let network = outage("KP/Star JV", Some(34_270));
        let row = value(EpisodeRow::new(&network, at(0)));
        let told = ["scope", "level", "name", "country"].map(|key| row[key].clone());
        assert_eq!(told, ["KP/Star JV", "network", "Star JV", "KP"]);
        assert!(csv_of(&network).contains("\r\nKP/Star JV,network,Star JV,KP,outage,"));
    }
}

//! Episodes as a table for people, or as JSON Lines or CSV for programs. An open episode is listed
//! up to when it was observed ([`super::StoreReader::observed_until`]).

pub(super) use lifesign_core::duration::duration_text;
use lifesign_core::{scopes::Maintenance, time::Time};
use lifesign_incident::{
    Episode,
    story::{edge_text, length_text, time_text},
};
use serde::Serialize;
use std::fmt::Write as _;

/// A table for people, one episode a line; times in UTC.
pub fn text(episodes: &[Episode], observed_until: Time) -> String {
    let mut rows = vec![
        ["SCOPE", "STATE", "BEGAN (UTC)", "ENDED (UTC)", "LASTED", "NOT SEEN", "PLANNED"]
            .map(str::to_owned),
    ];
    rows.extend(episodes.iter().map(|episode| {
        let unseen =
            if episode.unseen.is_zero() { "-".into() } else { duration_text(episode.unseen) };
        let end = match (episode.end, episode.paused) {
            (Some(end), _) => edge_text(end),
            (None, None) => format!("still so at {}", time_text(observed_until)),
            (None, Some(paused)) => format!("not seen since {}", time_text(paused)),
        };
        [
            episode.full_name().to_string(),
            episode.state.to_string(),
            edge_text(episode.begin),
            end,
            length_text(episode.begin, episode.end, observed_until),
            unseen,
            episode.planned.as_ref().map_or("-", planned_text).to_owned(),
        ]
    }));
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    rows.iter().fold(String::new(), |mut text, row| {
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(text, "{cell:width$}  ");
        }
        text.truncate(text.trim_end().len());
        text + "\n"
    })
}

/// What was planned; `yes` if no reason was given.
pub(super) fn planned_text(window: &Maintenance) -> &str {
    window.reason.as_deref().unwrap_or("yes")
}

/// JSON Lines. Times are RFC 3339 in UTC, durations are seconds; what is not known is null.
pub fn json(episodes: &[Episode], observed_until: Time) -> String {
    #[derive(Serialize)]
    struct EpisodeLine<'a> {
        scope: &'a str,
        name: &'a str,
        country: &'a str,
        state: &'static str,
        begin_earliest: Option<String>,
        begin_latest: String,
        end_earliest: Option<String>,
        end_latest: Option<String>,
        seconds: f64,
        uncertain_seconds: f64,
        unseen_seconds: f64,
        found: String,
        evidence: &'a str,
        planned: Option<&'a Maintenance>,
    }
    episodes.iter().fold(String::new(), |text, episode| {
        let (length, uncertainty) = episode.length(observed_until);
        let line = EpisodeLine {
            scope: episode.full_name().level().label(),
            name: episode.full_name().name(),
            country: &episode.country,
            state: episode.state.label(),
            begin_earliest: episode.begin.earliest.map(|time| time.to_string()),
            begin_latest: episode.begin.latest.to_string(),
            end_earliest: episode.end.and_then(|end| end.earliest).map(|time| time.to_string()),
            end_latest: episode.end.map(|end| end.latest.to_string()),
            seconds: length.as_secs_f64(),
            uncertain_seconds: uncertainty.as_secs_f64(),
            unseen_seconds: episode.unseen.as_secs_f64(),
            found: episode.found.to_string(),
            evidence: &episode.evidence,
            planned: episode.planned.as_ref(),
        };
        // Strings and finite numbers can always be serialized.
        text + &serde_json::to_string(&line).unwrap_or_default() + "\n"
    })
}

/// CSV (RFC 4180) with a header; what is not known is empty.
pub fn csv(episodes: &[Episode], observed_until: Time) -> String {
    let mut text = String::from(
        "scope,country,state,begin_earliest,begin_latest,end_earliest,end_latest,seconds,\
         uncertain_seconds,unseen_seconds,evidence,planned\r\n",
    );
    for episode in episodes {
        let (length, uncertainty) = episode.length(observed_until);
        let time = |time: Option<Time>| time.map(|time| time.to_string()).unwrap_or_default();
        let cells = [
            episode.scope.clone(),
            episode.country.clone(),
            episode.state.to_string(),
            time(episode.begin.earliest),
            time(Some(episode.begin.latest)),
            time(episode.end.and_then(|end| end.earliest)),
            time(episode.end.map(|end| end.latest)),
            format!("{:.3}", length.as_secs_f64()),
            format!("{:.3}", uncertainty.as_secs_f64()),
            format!("{:.3}", episode.unseen.as_secs_f64()),
            episode.evidence.clone(),
            episode.planned.as_ref().map(planned_text).unwrap_or_default().to_owned(),
        ];
        text += &cells.map(|cell| quoted(&cell)).join(",");
        text += "\r\n";
    }
    text
}

/// A cell of CSV, in quotes if it needs them. An apostrophe goes before what a spreadsheet would
/// take for a formula.
pub fn quoted(cell: &str) -> String {
    let cell =
        if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::judge::Edge;
    use lifesign_incident::fixtures::{at, outage};

    fn over() -> Episode {
        outage("KP", Some(34_270))
    }

    #[test]
    fn an_episode_is_a_line_that_says_how_sure_it_is() {
        let table = text(&[over()], at(0));
        let line = table.lines().nth(1).unwrap_or_default();
        for part in [
            "KP",
            "outage",
            "2014-12-22 16:15:02 ± 2 s",
            "01:46:08 ± 2 s",
            "9 h 31 min ± 4 s",
            "1 min 30 s",
        ] {
            assert!(line.contains(part), "{part}: {table}");
        }
        let open = Episode { end: None, begin: Edge { earliest: None, latest: at(4) }, ..over() };
        let table = text(&[open], at(64));
        assert!(
            table.contains(
                "before 2014-12-22 16:15:04  still so at 2014-12-22 16:16:04  over 1 min so far"
            ),
            "{table}"
        );
    }

    #[test]
    fn programs_get_every_edge_and_cells_are_what_they_are() {
        let line = json(&[over()], at(0));
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["begin_latest"], "2014-12-22T16:15:04.000Z");
        assert_eq!((&line["seconds"], &line["uncertain_seconds"]), (&34_266.0.into(), &4.0.into()));
        assert!(
            csv(&[over()], at(0))
                .ends_with(",34266.000,4.000,90.000,\"\"\"9\"\" misses, <b>all</b>\",\r\n")
        );
        assert_eq!(quoted("=1+1"), "'=1+1");
    }

    #[test]
    fn what_was_planned_says_so_and_why() {
        let mut planned =
            Maintenance { from: at(0), to: at(3600), reason: Some("new cable".into()) };
        let episode = [Episode { planned: Some(planned.clone()), ..over() }];
        assert!(text(&episode, at(0)).ends_with("1 min 30 s  new cable\n"));
        assert!(csv(&episode, at(0)).ends_with(",new cable\r\n"));
        let line: serde_json::Value = serde_json::from_str(&json(&episode, at(0))).unwrap();
        assert_eq!(line["planned"]["to"], "2014-12-22T17:15:00.000Z");
        assert_eq!(line["planned"]["reason"], "new cable");
        planned.reason = None;
        let episode = Episode { planned: Some(planned), ..over() };
        assert!(text(&[episode], at(0)).ends_with("  yes\n"));
        assert!(text(&[over()], at(0)).ends_with("  -\n"));
        let line: serde_json::Value = serde_json::from_str(&json(&[over()], at(0))).unwrap();
        assert_eq!(line["planned"], serde_json::Value::Null);
    }

    #[test]
    fn a_network_is_named_within_its_country() {
        let network = [outage("KP/Star JV", Some(34_270))];
        assert!(text(&network, at(0)).contains("\nKP Star JV  outage"));
        let line: serde_json::Value = serde_json::from_str(&json(&network, at(0))).unwrap();
        assert_eq!((&line["scope"], &line["name"]), (&"network".into(), &"Star JV".into()));
        assert!(csv(&network, at(0)).contains("\r\nKP/Star JV,KP,outage,"));
    }
}

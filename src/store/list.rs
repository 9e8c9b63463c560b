//! Episodes as lines. In: episodes, and up to when they were seen ([`super::StoreReader::seen`]).
//! Out: a table for people, JSON Lines or CSV (RFC 4180) for programs. It never leaves out how sure
//! a time is.

use super::{Episode, episode::middle};
use lifesign_core::{judge::Edge, time::Time};
use serde::Serialize;
use std::{fmt::Write as _, time::Duration};

/// A table for people, one episode a line; times in UTC.
pub fn text(episodes: &[Episode], seen: Time) -> String {
    let mut rows = vec![
        ["SCOPE", "STATE", "BEGAN (UTC)", "ENDED (UTC)", "LASTED", "NOT SEEN"].map(str::to_owned),
    ];
    rows.extend(episodes.iter().map(|episode| {
        let scope = if episode.is_country() {
            episode.scope.clone()
        } else {
            format!("{} {}", episode.country, episode.scope)
        };
        let unseen = if episode.unseen.is_zero() { "-".into() } else { span(episode.unseen) };
        let end = match (episode.end, episode.paused) {
            (Some(end), _) => moment(end),
            (None, None) => format!("still so at {}", second(seen)),
            (None, Some(paused)) => format!("not seen since {}", second(paused)),
        };
        [
            scope,
            episode.state.to_string(),
            moment(episode.begin),
            end,
            length(episode, seen),
            unseen,
        ]
    }));
    let mut wide = [0; 6];
    for row in &rows {
        for (wide, cell) in wide.iter_mut().zip(row) {
            *wide = cell.chars().count().max(*wide);
        }
    }
    rows.iter().fold(String::new(), |mut text, row| {
        for (cell, wide) in row.iter().zip(wide) {
            let _ = write!(text, "{cell:wide$}  ");
        }
        text.truncate(text.trim_end().len());
        text + "\n"
    })
}

/// One object a line. Times are RFC 3339 in UTC, spans are seconds; what is not known is null.
pub fn json(episodes: &[Episode], seen: Time) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
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
    }
    episodes.iter().fold(String::new(), |text, episode| {
        let (length, unsure) = episode.length(seen);
        let line = Line {
            scope: if episode.is_country() { "country" } else { "block" },
            name: &episode.scope,
            country: &episode.country,
            state: episode.state.label(),
            begin_earliest: episode.begin.earliest.map(|time| time.to_string()),
            begin_latest: episode.begin.latest.to_string(),
            end_earliest: episode.end.and_then(|end| end.earliest).map(|time| time.to_string()),
            end_latest: episode.end.map(|end| end.latest.to_string()),
            seconds: length.as_secs_f64(),
            uncertain_seconds: unsure.as_secs_f64(),
            unseen_seconds: episode.unseen.as_secs_f64(),
            found: episode.found.to_string(),
            evidence: &episode.evidence,
        };
        // A struct of strings and finite numbers can always be written.
        text + &serde_json::to_string(&line).unwrap_or_default() + "\n"
    })
}

/// The same with a line of names first; what is not known is empty.
pub fn csv(episodes: &[Episode], seen: Time) -> String {
    let mut text = String::from(
        "scope,country,state,begin_earliest,begin_latest,end_earliest,end_latest,seconds,uncertain_seconds,\
         unseen_seconds,evidence\r\n",
    );
    for episode in episodes {
        let (length, unsure) = episode.length(seen);
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
            format!("{:.3}", unsure.as_secs_f64()),
            format!("{:.3}", episode.unseen.as_secs_f64()),
            episode.evidence.clone(),
        ];
        text += &cells.map(|cell| quoted(&cell)).join(",");
        text += "\r\n";
    }
    text
}

/// A cell with a comma, a quote or a line's end in it stands in quotes. One that a spreadsheet
/// would take for a formula begins with an apostrophe.
fn quoted(cell: &str) -> String {
    let cell =
        if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

/// An edge as its middle and how sure that is: `2014-12-22 16:15:02 ± 2 s`.
pub fn moment(edge: Edge) -> String {
    let (at, half) = middle(edge);
    match edge.earliest {
        Some(_) => format!("{} ± {}", second(at), sure(half)),
        None => format!("before {}", second(at)),
    }
}

/// A time to the second, in UTC, as people write it: `2014-12-22 16:15:02`.
pub fn second(time: Time) -> String {
    let text = (time + Duration::from_millis(500)).to_string();
    text.chars().take(19).map(|sign| if sign == 'T' { ' ' } else { sign }).collect()
}

/// How long an episode lasted, and how sure that is.
pub fn length(episode: &Episode, seen: Time) -> String {
    let (length, unsure) = episode.length(seen);
    let so_far = if episode.end.is_none() { " so far" } else { "" };
    match episode.begin.earliest {
        Some(_) => format!("{} ± {}{so_far}", span(length), sure(unsure)),
        None => format!("over {}{so_far}", span(length)),
    }
}

/// Seconds, rounded up: who is sure to half a second is not sure to none.
fn sure(half: Duration) -> String {
    span(Duration::from_secs(half.as_secs() + u64::from(half.subsec_nanos() > 0)))
}

/// A length of time in its two greatest units: `9 h 31 min`.
pub fn span(span: Duration) -> String {
    // As sharp as it is told: to the second, the minute or the hour. Two days are 48 hours to most
    // people.
    let unit = match span.as_secs() {
        0..3600 => 1,
        3600..172_800 => 60,
        _ => 3600,
    };
    let seconds = (span + Duration::from_millis(500 * unit)).as_secs() / unit * unit;
    let days = if seconds < 2 * 86_400 { 0 } else { seconds / 86_400 };
    let (hours, minutes) = (seconds / 3600 - days * 24, seconds / 60 % 60);
    match (days, hours, minutes, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, 0) => format!("{minutes} min"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, 0, _) => format!("{hours} h"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, 0, ..) => format!("{days} d"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::judge::State;

    fn at(seconds: u64) -> Time {
        Time::from_nanos((1_419_264_900 + seconds) * 1_000_000_000)
    }

    fn outage() -> Episode {
        Episode {
            scope: "KP".into(),
            country: "KP".into(),
            state: State::Outage,
            found: at(70),
            begin: Edge { earliest: Some(at(0)), latest: at(4) },
            end: Some(Edge { earliest: Some(at(34_266)), latest: at(34_270) }),
            evidence: "\"9\" misses, all".into(),
            unseen: Duration::from_secs(90),
            paused: None,
        }
    }

    #[test]
    fn an_episode_is_a_line_that_says_how_sure_it_is() {
        let table = text(&[outage()], at(0));
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
        let open = Episode { end: None, begin: Edge { earliest: None, latest: at(4) }, ..outage() };
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
        let line = json(&[outage()], at(0));
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["begin_latest"], "2014-12-22T16:15:04.000Z");
        assert_eq!((&line["seconds"], &line["uncertain_seconds"]), (&34_266.0.into(), &4.0.into()));
        assert!(
            csv(&[outage()], at(0))
                .ends_with(",34266.000,4.000,90.000,\"\"\"9\"\" misses, all\"\r\n")
        );
        assert_eq!(quoted("=1+1"), "'=1+1");
    }

    #[test]
    fn spans_have_their_two_greatest_units() {
        let found = [0, 59, 60, 61, 3599, 3629, 34_258, 86_400, 200_000]
            .map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(
            found,
            [
                "0 s",
                "59 s",
                "1 min",
                "1 min 1 s",
                "59 min 59 s",
                "1 h",
                "9 h 31 min",
                "24 h",
                "2 d 8 h"
            ]
        );
    }
}

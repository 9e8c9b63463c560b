//! The comparison as JSON Lines (docs/import.md).

use super::{Ours, Row, difference};
use lifesign_core::{judge::Edge, time::Time};
use lifesign_incident::Statement;
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    country: Option<&'a str>,
    phase: Option<&'a str>,
    begin: Option<EdgeText>,
    end: Option<EdgeText>,
    left: Option<bool>,
    unseen_seconds: Option<f64>,
    statements: Vec<TheirLine<'a>>,
}

#[derive(Serialize)]
struct EdgeText {
    earliest: Option<String>,
    latest: String,
}

impl EdgeText {
    fn of(edge: Edge) -> Self {
        Self { earliest: edge.earliest.map(Time::exact), latest: edge.latest.exact() }
    }
}

#[derive(Serialize)]
struct TheirLine<'a> {
    who: &'a str,
    begin: String,
    end: Option<String>,
    what: &'a str,
    begin_difference_seconds: Option<f64>,
    end_difference_seconds: Option<f64>,
}

impl<'a> TheirLine<'a> {
    fn of(statement: &'a Statement, ours: Option<&Ours>) -> Self {
        let Statement { who, begin, end, what, .. } = statement;
        Self {
            who,
            begin: begin.exact(),
            end: end.map(Time::exact),
            what,
            begin_difference_seconds: ours.map(|ours| difference(*begin, ours.begin)),
            end_difference_seconds: ours
                .and_then(|ours| Some(difference((*end)?, ours.came_back()?))),
        }
    }
}

/// The rows as JSON Lines.
pub fn json_lines(rows: &[Row<'_>]) -> String {
    let mut text = String::new();
    for Row { ours, theirs, unseen } in rows {
        let line = Line {
            country: match (ours, &theirs[..]) {
                (Some(ours), _) => Some(&*ours.country),
                (None, [first, ..]) => first.country.as_deref(),
                (None, []) => None,
            },
            phase: ours.map(|ours| ours.kind.label()),
            begin: ours.map(|ours| EdgeText::of(ours.begin)),
            end: ours.and_then(|ours| ours.end.map(EdgeText::of)),
            left: ours.map(|ours| ours.is_left),
            unseen_seconds: unseen.map(|unseen| unseen.length.as_secs_f64()),
            statements: theirs.iter().map(|statement| TheirLine::of(statement, *ours)).collect(),
        };
        // A struct of strings and numbers can always be written.
        text += &serde_json::to_string(&line).unwrap_or_default();
        text.push('\n');
    }
    text
}

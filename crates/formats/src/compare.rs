//! Others' statements beside ours: which are of the same event, and by how much they differ.

mod json;

pub use json::json_lines;

use lifesign_core::{duration::duration_text, judge::Edge, time::Time};
use lifesign_incident::{
    Incident, Period, Phase, PhaseKind, Statement,
    story::{edge_text, time_text},
};
use std::{cmp::Reverse, fmt::Write as _, time::Duration};

/// A statement this long before ours begins or after it ends may be of the same event: others look
/// every ten minutes, and round.
const NEAR: Duration = Duration::from_secs(1200);

/// What we say of a country: a phase in which it could not be reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Ours {
    /// Its code.
    pub country: String,
    /// What happened in it.
    pub kind: PhaseKind,
    /// When it began.
    pub begin: Edge,
    /// When it ended; None while it lasts.
    pub end: Option<Edge>,
    /// It ended because nobody watched any more, which is no return.
    pub is_left: bool,
}

impl Ours {
    /// What we say of the country of an incident.
    pub fn of_incident(incident: Incident) -> impl Iterator<Item = Self> {
        let Incident { country, phases, .. } = incident;
        phases.into_iter().filter(Phase::is_bad).map(move |phase| Self {
            country: country.clone(),
            kind: phase.kind,
            begin: phase.begin,
            end: phase.end,
            is_left: phase.is_left,
        })
    }

    /// When it came back; None if it did not, or nobody watched.
    fn came_back(&self) -> Option<Edge> {
        self.end.filter(|_| !self.is_left)
    }
}

/// By how much a time lies beside an edge, in seconds: 0 within it, less than 0 before it.
fn difference(time: Time, edge: Edge) -> f64 {
    let before = edge.earliest.map_or(Duration::ZERO, |earliest| earliest.since(time));
    if before > Duration::ZERO {
        -before.as_secs_f64()
    } else {
        time.since(edge.latest).as_secs_f64()
    }
}

/// What nobody of us saw of a time that only others speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnseenPart {
    /// How long that is.
    pub length: Duration,
    /// It is all of the time.
    pub is_all: bool,
}

/// One of our statements with those that others made of the same event, or theirs alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    /// None where nobody but others says so.
    pub ours: Option<&'a Ours>,
    /// In the order in which theirs begin.
    pub theirs: Vec<&'a Statement>,
    /// Of theirs alone; None if the record has no such country.
    pub unseen: Option<UnseenPart>,
}

/// Puts statements beside ours. Each is of the event that it has most time in common with, or, if
/// there is none, of the nearest that is near enough. Those that name no country are of any.
/// `unseen` says for how much of which time nobody of us saw a country, or all of them if none is
/// named; None if the record has no such country.
pub fn rows<'a>(
    ours: &'a [Ours],
    theirs: &'a [Statement],
    until: Time,
    unseen: impl Fn(Option<&str>, Period) -> Option<Duration>,
) -> Vec<Row<'a>> {
    let row = |ours| Row { ours: Some(ours), theirs: Vec::new(), unseen: None };
    let mut rows: Vec<Row<'a>> = ours.iter().map(row).collect();
    let mut alone = Vec::new();
    for statement in theirs {
        let likeness = |ours: &Ours| {
            let end = ours.end.map_or(until, |end| end.latest);
            let their_end = end_of(statement, until);
            let common = end.min(their_end).since(ours.begin.latest.max(statement.begin));
            let apart = ours.begin.latest.since(their_end).max(statement.begin.since(end));
            let is_of_it = statement.is_of(&ours.country) && apart <= NEAR;
            is_of_it.then_some((common, Reverse(apart)))
        };
        let best = (0..).zip(ours).filter_map(|(place, ours)| Some((likeness(ours)?, place)));
        let best = best.max_by_key(|&(likeness, place)| (likeness, Reverse(place)));
        if let Some((_, place)) = best {
            rows[place].theirs.push(statement);
        } else {
            let (from, to) = period(statement, until);
            let unseen = unseen(statement.country.as_deref(), (from, to))
                .map(|length| UnseenPart { length, is_all: length >= to.since(from) });
            alone.push(Row { ours: None, theirs: vec![statement], unseen });
        }
    }
    rows.extend(alone);
    for row in &mut rows {
        row.theirs.sort_by_key(|statement| statement.begin);
    }
    let begin = |row: &Row<'_>| {
        row.ours
            .map_or_else(|| row.theirs.first().map(|one| one.begin), |one| Some(one.begin.latest))
    };
    rows.sort_by_key(begin);
    rows
}

/// Until when a statement is; what is open lasts until then.
fn end_of(statement: &Statement, until: Time) -> Time {
    statement.end.unwrap_or(until.max(statement.begin))
}

/// From when to when a statement is; a moment of it at least.
fn period(statement: &Statement, until: Time) -> Period {
    (statement.begin, end_of(statement, until).max(statement.begin + Duration::from_secs(1)))
}

/// What the differences are from, before rows that have some.
const DIFFERENCES: &str = "\
times in UTC; theirs begins or ends by so much before or after the whole interval in which ours did
(its middle is told, ± half of it), and \"with ours\" within it
";

/// The rows for people. What is open in ours was so at `until`, when the record ends; None while it
/// goes on.
pub fn text(rows: &[Row<'_>], until: Option<Time>) -> String {
    let has_both = |row: &Row<'_>| row.ours.is_some() && !row.theirs.is_empty();
    let mut text = if rows.iter().any(has_both) { DIFFERENCES.to_owned() } else { String::new() };
    for Row { ours, theirs, unseen } in rows {
        if let Some(Ours { country, kind, begin, end, is_left }) = ours {
            let (kind, begin) = (kind.label(), edge_text(*begin));
            let end = match (end, until) {
                (Some(end), _) => edge_text(*end),
                (None, Some(until)) => format!("{}, where the record ends", time_text(until)),
                (None, None) => "now".into(),
            };
            let left = if *is_left { ", then not watched" } else { "" };
            let _ = writeln!(text, "{country} {kind} from {begin} to {end}{left}");
            if theirs.is_empty() {
                text.push_str("  nobody else\n");
            }
        } else if let [statement] = &theirs[..] {
            let country = statement.country.as_deref().unwrap_or("?");
            let why = match unseen {
                None => ", for the record has no such country".into(),
                Some(UnseenPart { length: Duration::ZERO, .. }) => String::new(),
                Some(UnseenPart { is_all: true, .. }) => ", for we did not see it then".into(),
                Some(UnseenPart { length, .. }) => {
                    format!("; {} of it we did not see", duration_text(*length))
                }
            };
            let _ = writeln!(text, "{country} nothing of ours{why}");
        }
        for statement in theirs {
            let _ = write!(text, "  {} from {}", statement.who, statement.told());
            if let Some(ours) = ours {
                let begin = in_words("begins", difference(statement.begin, ours.begin));
                let end = statement.end.zip(ours.came_back());
                let end = end.map(|(time, edge)| in_words("ends", difference(time, edge)));
                let _ = write!(text, "; {begin}");
                if let Some(end) = end {
                    let _ = write!(text, ", {end}");
                }
            }
            text.push('\n');
        }
    }
    text
}

fn in_words(what: &str, seconds: f64) -> String {
    let length = duration_text(Duration::from_secs_f64(seconds.abs()));
    match seconds {
        ..0.0 => format!("{what} {length} earlier"),
        0.0 => format!("{what} with ours"),
        _ => format!("{what} {length} later"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: u64) -> Time {
        Time::from_nanos(1_419_264_000_000_000_000 + minutes * 60_000_000_000)
    }

    fn edge(minutes: u64) -> Edge {
        Edge { earliest: Some(at(minutes) - Duration::from_secs(10)), latest: at(minutes) }
    }

    fn ours(begin: u64, end: Option<u64>) -> Ours {
        let country = "KP".into();
        let (kind, begin, end) = (PhaseKind::Outage, edge(begin), end.map(edge));
        Ours { country, kind, begin, end, is_left: false }
    }

    fn theirs(who: &str, country: Option<&str>, begin: u64, end: Option<u64>) -> Statement {
        Statement {
            who: who.into(),
            country: country.map(str::to_owned),
            begin: at(begin),
            end: end.map(at),
            what: String::new(),
        }
    }

    #[test]
    fn statements_stand_beside_the_event_that_they_are_of() {
        let ours = [ours(60, Some(600)), ours(900, None), ours(1200, Some(1210))];
        let theirs = [
            theirs("late", Some("KP"), 65, Some(590)),
            theirs("within", None, 60, Some(600)),
            theirs("open", Some("KP"), 890, None),
            theirs("elsewhere", Some("TO"), 60, Some(600)),
            theirs("alone", Some("KP"), 700, Some(720)),
        ];
        let small = theirs.clone().map(|one| Statement {
            country: one.country.map(|code| code.to_ascii_lowercase()),
            ..one
        });
        // There is no TO, and nobody saw KP for the last half of what they say alone.
        let unseen = |country: Option<&str>, (from, to): Period| match country {
            Some("TO" | "to") => None,
            _ => Some(to.since(at(710).max(from))),
        };
        let whose = |all: &[Statement]| {
            let all = rows(&ours, all, at(1000), unseen);
            all.iter().map(|row| (row.ours.is_some(), row.theirs.len())).collect::<Vec<_>>()
        };
        assert_eq!(whose(&small), whose(&theirs), "a code is the same in small letters");
        let told = |until| text(&rows(&ours, &theirs, at(1000), unseen), until);
        let (now, of_past) = (told(None), told(Some(at(1000))));
        let end = "to 2014-12-23 08:40:00, where the record ends\n";
        assert_eq!(of_past, now.replace("to now\n", end));
        let rows = now.strip_prefix(DIFFERENCES).expect("what they are from");
        assert_eq!(
            rows,
            "\
KP outage from 2014-12-22 16:59:55 ± 5 s to 2014-12-23 01:59:55 ± 5 s
  within from 2014-12-22 17:00:00 to 2014-12-23 02:00:00; begins with ours, ends with ours
  late from 2014-12-22 17:05:00 to 2014-12-23 01:50:00; begins 5 min later, ends 9 min 50 s earlier
TO nothing of ours, for the record has no such country
  elsewhere from 2014-12-22 17:00:00 to 2014-12-23 02:00:00
KP nothing of ours; 10 min of it we did not see
  alone from 2014-12-23 03:40:00 to 2014-12-23 04:00:00
KP outage from 2014-12-23 06:59:55 ± 5 s to now
  open from 2014-12-23 06:50:00, no end told; begins 9 min 50 s earlier
KP outage from 2014-12-23 11:59:55 ± 5 s to 2014-12-23 12:09:55 ± 5 s
  nobody else
"
        );
    }

    /// Which of ours a statement stands beside.
    fn beside(ours: &[Ours], statement: Statement, until: u64) -> Option<u64> {
        let theirs = [statement];
        let rows = rows(ours, &theirs, at(until), |_, _| Some(Duration::ZERO));
        let mut with_it = rows.iter().filter(|row| !row.theirs.is_empty());
        let begin = with_it.next().expect("a row of it").ours?.begin.latest;
        Some(begin.since(at(0)).as_secs() / 60)
    }

    #[test]
    fn to_have_time_in_common_is_more_than_to_be_near() {
        let open = |begin| theirs("open", Some("KP"), begin, None);
        let closed = |begin, end| theirs("closed", Some("KP"), begin, Some(end));
        let two = [ours(60, Some(100)), ours(105, Some(110))];
        assert_eq!(beside(&two, open(101), 106), Some(105), "what it is near has lasted longer");
        assert_eq!(beside(&two, closed(90, 106), 200), Some(60), "most time in common");
        assert_eq!(beside(&two, closed(101, 101), 200), Some(60), "the nearest of two");
        assert_eq!(beside(&two, closed(104, 104), 200), Some(105), "the nearest of two");
        assert_eq!(beside(&two, closed(130, 140), 200), Some(105), "20 minutes after it");
        assert_eq!(beside(&two, closed(131, 140), 200), None);
        assert_eq!(beside(&two, closed(39, 39), 200), None);
    }

    #[test]
    fn what_nobody_of_us_saw_is_some_of_it_or_all() {
        let theirs = [theirs("alone", None, 60, Some(70))];
        let told = |unseen: Option<u64>| {
            let unseen = unseen.map(|minutes| Duration::from_secs(60 * minutes));
            let rows = rows(&[], &theirs, at(1000), |_, _| unseen);
            let line: serde_json::Value = serde_json::from_str(&json_lines(&rows)).expect("JSON");
            let text = text(&rows, None);
            let (first, _) = text.split_once('\n').expect("two lines");
            (first.to_owned(), line["unseen_seconds"].as_f64())
        };
        let nothing = |why: &str| format!("? nothing of ours{why}");
        assert_eq!(told(None), (nothing(", for the record has no such country"), None));
        assert_eq!(told(Some(0)), (nothing(""), Some(0.0)));
        assert_eq!(told(Some(5)), (nothing("; 5 min of it we did not see"), Some(300.0)));
        assert_eq!(told(Some(10)), (nothing(", for we did not see it then"), Some(600.0)));
    }

    #[test]
    fn to_be_watched_no_more_is_no_return() {
        let ours = [Ours { is_left: true, ..ours(60, Some(600)) }];
        let theirs = [theirs("IODA bgp", Some("KP"), 60, Some(700))];
        let rows = rows(&ours, &theirs, at(1000), |_, _| Some(Duration::ZERO));
        assert_eq!(
            text(&rows, None).replace(DIFFERENCES, ""),
            "\
KP outage from 2014-12-22 16:59:55 ± 5 s to 2014-12-23 01:59:55 ± 5 s, then not watched
  IODA bgp from 2014-12-22 17:00:00 to 2014-12-23 03:40:00; begins with ours
"
        );
        let line: serde_json::Value = serde_json::from_str(&json_lines(&rows)).expect("JSON");
        assert_eq!(line["left"], true);
        assert!(line["statements"][0]["end_difference_seconds"].is_null());
    }

    #[test]
    fn a_program_reads_the_differences() {
        let ours = [ours(60, Some(600))];
        let theirs = [theirs("IODA bgp", Some("KP"), 65, Some(590))];
        let lines = json_lines(&rows(&ours, &theirs, at(1000), |_, _| Some(Duration::ZERO)));
        let line: serde_json::Value = serde_json::from_str(&lines).expect("JSON");
        assert_eq!(line["phase"], "outage");
        assert!(line["unseen_seconds"].is_null(), "of theirs alone");
        assert_eq!(line["begin"]["latest"], "2014-12-22T17:00:00Z");
        let statement = &line["statements"][0];
        assert_eq!(statement["who"], "IODA bgp");
        assert_eq!(statement["begin_difference_seconds"], 300.0);
        assert_eq!(statement["end_difference_seconds"], -590.0);
    }
}

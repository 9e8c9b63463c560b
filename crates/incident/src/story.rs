//! An incident in words: one sentence for people who were not there, and a few words for each of
//! its phases.

use crate::{Incident, Phase, PhaseKind, middle};
use lifesign_core::{duration::duration_text, judge::Edge, time::Time};
use std::time::Duration;

/// Times are told to the minute, and lengths from this one on.
const HALF_MINUTE: Duration = Duration::from_secs(30);
const IN_MINUTES: Duration = Duration::from_secs(600);
/// So many relapses are told one by one.
const MOST_TOLD: usize = 4;

/// What happened to `name` in an incident, seen up to `now`: its worst phase, what came before it,
/// and how often it came again. Times are UTC.
pub fn sentence(name: &str, incident: &Incident, now: Time) -> String {
    let bad: Vec<&Phase> = incident.bad_phases().collect();
    let Some(worst) = incident.worst(now) else { return String::new() };
    let at = bad.iter().position(|phase| phase.begin == worst.begin).unwrap_or_default();
    let before = bad[..at].iter().max_by_key(|phase| phase.length(now).0);
    let after = &bad[at + 1..];
    let mut text = match before {
        Some(first) => {
            let told = told(first, None, now);
            format!("{name} {told}, then {}", told_without_verb(worst, first, now))
        }
        None => format!("{name} {}", told(worst, None, now)),
    };
    text += &again(after, worst, now);
    text
}

/// A phase with its verb: `was unstable from … to …`.
fn told(phase: &Phase, date_of: Option<Time>, now: Time) -> String {
    let verb = if phase.end.is_some() { "was" } else { "has been" };
    format!("{verb} {}", predicate(phase, date_of, now))
}

/// The same after another, whose date needs not be told again.
fn told_without_verb(phase: &Phase, before: &Phase, now: Time) -> String {
    let date_of = before.end.map(|end| middle(end).0);
    match phase.end {
        Some(_) => predicate(phase, date_of, now),
        None => format!("has been {}", predicate(phase, date_of, now)),
    }
}

/// What it was, from when to when, and how long.
fn predicate(phase: &Phase, date_of: Option<Time>, now: Time) -> String {
    let (length, half) = phase.length(now);
    let begin = begin_text(phase.begin, date_of);
    let length = length_text(length);
    let half = if phase.begin.earliest.is_some() {
        format!(" ± {}", rounded_up(half))
    } else {
        String::new()
    };
    let begin_time = middle(phase.begin).0;
    match (phase.kind, phase.end) {
        (PhaseKind::Unstable, Some(end)) => format!(
            "unstable from {begin} to {} UTC ({length}{})",
            minute_text(middle(end).0, Some(begin_time)),
            dark_words(phase, now)
        ),
        (PhaseKind::Unstable, None) => {
            format!("unstable since {begin} UTC ({length} so far{})", dark_words(phase, now))
        }
        (PhaseKind::Outage | PhaseKind::Down | PhaseKind::Up, Some(end)) => format!(
            "unreachable from {begin} for {length}{half}, until {} UTC",
            minute_text(middle(end).0, Some(begin_time))
        ),
        (PhaseKind::Outage | PhaseKind::Down | PhaseKind::Up, None) => {
            format!("unreachable since {begin} UTC, for {length} so far")
        }
    }
}

/// An uncertainty, rounded up to the second.
pub fn rounded_up(half: Duration) -> String {
    duration_text(Duration::from_secs(half.as_secs() + u64::from(half.subsec_nanos() > 0)))
}

/// A length in whole minutes, if it is ten or more.
fn length_text(length: Duration) -> String {
    if length < IN_MINUTES {
        return duration_text(length);
    }
    duration_text(Duration::from_secs((length + HALF_MINUTE).as_secs() / 60 * 60))
}

/// How often and for how much of it a phase was dark: `, dark 213 times, 24 % of it`; nothing if
/// its darknesses were not counted.
pub fn dark_words(phase: &Phase, now: Time) -> String {
    let times = match phase.darknesses {
        0 => return String::new(),
        1 => "once".into(),
        2 => "twice".into(),
        times => format!("{times} times"),
    };
    let share = phase.dark_share(now) * 100.0;
    let share = if share < 10.0 { format!("{share:.1}") } else { format!("{share:.0}") };
    format!(", dark {times}, {share} % of it")
}

/// What came after the worst: `, and again for 35 min and 30 min on the same day`.
fn again(after: &[&Phase], worst: &Phase, now: Time) -> String {
    let Some(last) = after.last() else { return String::new() };
    let all: Duration = after.iter().map(|phase| phase.dark).sum();
    let is_short_list =
        after.len() <= MOST_TOLD && after.iter().all(|phase| phase.kind != PhaseKind::Unstable);
    let what = if is_short_list {
        let lengths: Vec<String> =
            after.iter().map(|phase| length_text(phase.length(now).0)).collect();
        let (last, others) =
            lengths.split_last().map_or(("", &[][..]), |(last, all)| (&**last, all));
        let others =
            if others.is_empty() { String::new() } else { format!("{} and ", others.join(", ")) };
        format!("again for {others}{last}")
    } else {
        let darknesses: u32 = after.iter().map(|phase| phase.darknesses).sum();
        format!("again {darknesses} times, for {} in all", duration_text(all))
    };
    let until = match last.end {
        None => "; it still is".into(),
        Some(end) => {
            let time = middle(end).0;
            let is_same_day = worst.end.is_some_and(|end| {
                (middle(end).0 + HALF_MINUTE).utc("%F") == (time + HALF_MINUTE).utc("%F")
            });
            if is_same_day {
                " on the same day".into()
            } else {
                format!(", until {} UTC", minute_text(time, worst.end.map(|end| middle(end).0)))
            }
        }
    };
    format!(", and {what}{until}")
}

/// When something began; what was so before anybody watched, began by then.
fn begin_text(begin: Edge, date_of: Option<Time>) -> String {
    let text = minute_text(middle(begin).0, date_of);
    if begin.earliest.is_some() { text } else { format!("{text} or earlier") }
}

/// A time in UTC, to the nearest minute: `22 Dec 2014 16:15`; the time alone where it is of the
/// same day as one that was told before, and the date without a year where it is of the same year.
pub fn minute_text(time: Time, told: Option<Time>) -> String {
    let time = time + HALF_MINUTE;
    let told = told.map(|told| told + HALF_MINUTE);
    let is_same = |format| told.is_some_and(|told| told.utc(format) == time.utc(format));
    if is_same("%F") {
        time.utc("%H:%M")
    } else if is_same("%Y") {
        time.utc("%-d %b %H:%M")
    } else {
        time.utc("%-d %b %Y %H:%M")
    }
}

//! An incident in words: one sentence for people who were not there, a few words for a list, and how
//! a time, an edge and a length are told, wherever that is.

use crate::{Incident, Phase, PhaseKind, middle};
use lifesign_core::{duration::duration_text, judge::Edge, time::Time, time_zone::TimeZone};
use std::time::Duration;

/// Times in sentences are told to the minute, and lengths from this one on.
const HALF_MINUTE: Duration = Duration::from_secs(30);
const HALF_SECOND: Duration = Duration::from_millis(500);
const IN_MINUTES: Duration = Duration::from_secs(600);
/// Times that are nearer than this are told to the second.
const NEAR: Duration = Duration::from_secs(3600);
/// So many relapses are told one by one.
const MOST_TOLD: usize = 4;
/// In few words, of more bad phases only the worst is told.
const MOST_PHASES: usize = 4;

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
    let length = about_text(length);
    let half = if phase.begin.earliest.is_some() {
        format!(" ± {}", rounded_up(half))
    } else {
        String::new()
    };
    let begin_time = middle(phase.begin).0;
    let what = adjective(phase.kind);
    match (phase.kind, phase.end) {
        (PhaseKind::Unstable, Some(end)) => format!(
            "{what} from {begin} to {} UTC ({length}{})",
            minute_text(middle(end).0, Some(begin_time)),
            dark_words(phase, now)
        ),
        (PhaseKind::Unstable, None) => {
            format!("{what} since {begin} UTC ({length} so far{})", dark_words(phase, now))
        }
        (PhaseKind::Outage | PhaseKind::Down | PhaseKind::Up, Some(end)) => format!(
            "{what} from {begin} for {length}{half}, until {} UTC",
            minute_text(middle(end).0, Some(begin_time))
        ),
        (PhaseKind::Outage | PhaseKind::Down | PhaseKind::Up, None) => {
            format!("{what} since {begin} UTC, for {length} so far")
        }
    }
}

/// A length in whole minutes, if it is ten or more.
fn about_text(length: Duration) -> String {
    if length < IN_MINUTES {
        return duration_text(length);
    }
    duration_text(Duration::from_secs((length + HALF_MINUTE).as_secs() / 60 * 60))
}

/// What a scope is in such a phase.
pub const fn adjective(kind: PhaseKind) -> &'static str {
    match kind {
        PhaseKind::Up => "reachable",
        PhaseKind::Down | PhaseKind::Outage => "unreachable",
        PhaseKind::Unstable => "unstable",
    }
}

/// How often it was dark: `dark 213 times`; None if its darknesses were not counted.
pub fn dark_times(darknesses: u32) -> Option<String> {
    let times = match darknesses {
        0 => return None,
        1 => "once".into(),
        2 => "twice".into(),
        times => format!("{times} times"),
    };
    Some(format!("dark {times}"))
}

/// How often and for how much of it a phase was dark: `, dark 213 times, 24 % of it`; nothing if
/// its darknesses were not counted.
pub fn dark_words(phase: &Phase, now: Time) -> String {
    let Some(times) = dark_times(phase.darknesses) else { return String::new() };
    let share = phase.dark_share(now) * 100.0;
    let share = if share < 10.0 { format!("{share:.1}") } else { format!("{share:.0}") };
    format!(", {times}, {share} % of it")
}

/// What happened in an incident, without when: `unstable for 26 h 15 min (dark 31 times), then
/// unreachable for 9 h 31 min`.
pub fn in_short(incident: &Incident, now: Time) -> String {
    let bad: Vec<&Phase> = incident.bad_phases().collect();
    if bad.len() <= MOST_PHASES {
        let told: Vec<String> = bad.iter().map(|phase| phase_in_short(phase, now)).collect();
        return told.join(", then ");
    }
    let worst = incident.worst(now).map(|phase| phase_in_short(phase, now)).unwrap_or_default();
    format!("{worst}; {} times of trouble beside that", bad.len() - 1)
}

fn phase_in_short(phase: &Phase, now: Time) -> String {
    let what = adjective(phase.kind);
    let length = about_text(phase.length(now).0);
    let so_far = if phase.end.is_none() { " so far" } else { "" };
    let dark = dark_times(phase.darknesses).filter(|_| phase.kind == PhaseKind::Unstable);
    let dark = dark.map(|times| format!(" ({times})")).unwrap_or_default();
    format!("{what} for {length}{so_far}{dark}")
}

/// What came after the worst: `, and again for 35 min and 30 min on the same day`.
fn again(after: &[&Phase], worst: &Phase, now: Time) -> String {
    let Some(last) = after.last() else { return String::new() };
    let all: Duration = after.iter().map(|phase| phase.dark).sum();
    let is_short_list =
        after.len() <= MOST_TOLD && after.iter().all(|phase| phase.kind != PhaseKind::Unstable);
    let what = if is_short_list {
        let lengths: Vec<String> =
            after.iter().map(|phase| about_text(phase.length(now).0)).collect();
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

/// When something began; what was so when the watching began, began before.
fn begin_text(begin: Edge, date_of: Option<Time>) -> String {
    before(begin) + &minute_text(middle(begin).0, date_of)
}

/// An edge that nobody saw lies before its time.
fn before(edge: Edge) -> String {
    if edge.earliest.is_some() { String::new() } else { "before ".into() }
}

/// A time in UTC, to the nearest minute: `22 Dec 2014 16:15`; the time alone where it is of the
/// same day as one that was told before, and the date without a year where it is of the same year.
pub fn minute_text(time: Time, told: Option<Time>) -> String {
    beside(time, told, None, HALF_MINUTE, "%H:%M")
}

/// A time as somebody wants to know it who knows what time it is: to the second if it is near, else
/// to the minute, and with as much of the date as is not that of now. By the clocks of a zone, or in
/// UTC.
pub fn moment_text(time: Time, now: Time, zone: Option<&TimeZone>) -> String {
    if now.since(time).max(time.since(now)) < NEAR {
        beside(time, Some(now), zone, HALF_SECOND, "%H:%M:%S")
    } else {
        beside(time, Some(now), zone, HALF_MINUTE, "%H:%M")
    }
}

/// A time of day, rounded by adding half of what it is told to, behind as much of its date as is not
/// that of a time that was told before.
fn beside(
    time: Time,
    told: Option<Time>,
    zone: Option<&TimeZone>,
    half: Duration,
    clock: &str,
) -> String {
    let written = |time, format: &str| written(time + half, zone, format);
    let is_same = |format| told.is_some_and(|told| written(told, format) == written(time, format));
    let date = if is_same("%F") {
        ""
    } else if is_same("%Y") {
        "%-d %b "
    } else {
        "%-d %b %Y "
    };
    written(time, &format!("{date}{clock}"))
}

fn written(time: Time, zone: Option<&TimeZone>, format: &str) -> String {
    zone.map_or_else(|| time.utc(format), |zone| zone.written(time, format))
}

/// A time in UTC, to the nearest second: `2014-12-22 16:15:02`.
pub fn time_text(time: Time) -> String {
    time_text_in(time, None)
}

/// The same by the clocks of a zone, or in UTC.
pub fn time_text_in(time: Time, zone: Option<&TimeZone>) -> String {
    written(time + HALF_SECOND, zone, "%F %T")
}

/// An edge, in UTC, as its middle and half its width: `2014-12-22 16:15:02 ± 2 s`.
pub fn edge_text(edge: Edge) -> String {
    let (middle, half) = middle(edge);
    let width = edge.earliest.map(|_| format!(" ± {}", rounded_up(half))).unwrap_or_default();
    format!("{}{}{width}", before(edge), time_text(middle))
}

/// How long something lasted: `9 h 31 min ± 4 s`. What is open lasts up to `now`.
pub fn length_text(begin: Edge, end: Option<Edge>, now: Time) -> String {
    let (from, begin_half) = middle(begin);
    let (to, end_half) = end.map_or((now, Duration::ZERO), middle);
    let length = duration_text(to.since(from));
    let so_far = if end.is_none() { " so far" } else { "" };
    match begin.earliest {
        Some(_) => format!("{length} ± {}{so_far}", rounded_up(begin_half + end_half)),
        None => format!("over {length}{so_far}"),
    }
}

/// An uncertainty, rounded up to the second.
fn rounded_up(half: Duration) -> String {
    duration_text(Duration::from_secs(half.as_secs() + u64::from(half.subsec_nanos() > 0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::at;

    #[test]
    fn a_time_is_the_same_wherever_it_is_told() {
        let time = at(0) - Duration::from_millis(300);
        let now = at(7200);
        assert_eq!(time_text(time), "2014-12-22 16:15:00");
        assert_eq!(minute_text(time, None), "22 Dec 2014 16:15");
        assert_eq!(moment_text(time, now, None), "16:15");
        assert_eq!(moment_text(time, at(60), None), "16:15:00");
        let zone = TimeZone::named("Asia/Pyongyang").unwrap();
        assert_eq!(moment_text(time, at(86_400), Some(&zone)), "23 Dec 01:15");
        assert_eq!(time_text_in(time, Some(&zone)), "2014-12-23 01:15:00");
        let seen = Edge { earliest: Some(time - Duration::from_millis(3400)), latest: time };
        assert_eq!(edge_text(seen), "2014-12-22 16:14:58 ± 2 s");
        assert_eq!(length_text(seen, None, at(60)), "1 min 2 s ± 2 s so far");
        let unseen = Edge { earliest: None, latest: time };
        assert_eq!(edge_text(unseen), "before 2014-12-22 16:15:00");
        assert_eq!(begin_text(unseen, None), "before 22 Dec 2014 16:15");
        assert_eq!(length_text(unseen, Some(seen), now), "over 0 s");
    }
}

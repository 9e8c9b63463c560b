//! An incident in words: one sentence for people who were not there, a few words for a list, and
//! how a time, an edge and a length are told, wherever that is.

use crate::{Incident, Period, Phase, PhaseKind, Span, half_width, middle};
use lifesign_core::{duration::duration_text, judge::Edge, time::Time, time_zone::TimeZone};
use std::{fmt::Write as _, time::Duration};

/// Times in sentences are told to the minute.
const HALF_MINUTE: Duration = Duration::from_secs(30);
const HALF_SECOND: Duration = Duration::from_millis(500);
/// To the minute.
const MINUTE: Precision = Precision { half: HALF_MINUTE, clock: "%H:%M" };
/// To the second.
const SECOND: Precision = Precision { half: HALF_SECOND, clock: "%H:%M:%S" };
/// Times that are nearer than this are told to the second, and those of what is shorter, as its
/// length is.
const NEAR: Duration = Duration::from_secs(3600);
/// An edge that is wider is told with its uncertainty, also among few words.
const WIDE: Duration = Duration::from_secs(10);
/// So many relapses are told one by one.
const MOST_TOLD: usize = 4;
/// In few words, of more bad phases only the main ones are told.
const MOST_PHASES: usize = 4;

/// What happened to `name` in an incident, seen up to `now`: its main phases, how often it came
/// again, and what else came before. Times are UTC.
pub fn sentence(name: &str, incident: &Incident, now: Time) -> String {
    let main = incident.main_phases(now);
    let (Some(first), Some(last), Some(worst)) = (main.first(), main.last(), incident.worst(now))
    else {
        return String::new();
    };
    let mut text = format!("{name} {}", told(first, None, now));
    for pair in main.windows(2) {
        let _ = write!(text, ", then {}", told_without_verb(pair[1], pair[0], now));
    }
    let others = incident.bad_phases().filter(|phase| !main.contains(phase));
    let (before, after): (Vec<&Phase>, Vec<&Phase>) =
        others.partition(|phase| phase.begin.latest < last.begin.latest);
    text += &again(&after, last, now);
    let until = after.last().and_then(|phase| phase.end);
    let until = until.map(|until| middle(until) + MINUTE.half);
    let date_of = until.or_else(|| Some(last_told(last, now)));
    match before[..] {
        [] => {}
        [one] => {
            let _ = write!(text, "; before that it was {}", predicate(one, date_of, now));
        }
        [first, ..] => {
            let since = begin_text(first.begin, date_of, first.length(now));
            let more = if main.first() == Some(&worst) { "" } else { " more" };
            let told = dark_in_all(&before, more);
            let _ = write!(text, "; before that it was dark {told}, since {since} UTC");
        }
    }
    text
}

/// How often and how long it was dark in several phases: `40 times, for 13 min 20 s in all`.
fn dark_in_all(phases: &[&Phase], more: &str) -> String {
    let dark: Duration = phases.iter().map(|phase| phase.dark).sum();
    let times = phases.iter().map(|phase| phase.darknesses).fold(0, u32::saturating_add);
    let times = times_text(times).map(|times| times + more + ", ").unwrap_or_default();
    format!("{times}for {} in all", duration_text(dark))
}

/// A phase with its verb: `was unstable from … to …`.
fn told(phase: &Phase, date_of: Option<Time>, now: Time) -> String {
    let verb = if phase.end.is_some() { "was" } else { "has been" };
    format!("{verb} {}", predicate(phase, date_of, now))
}

/// The same after another, whose date needs not be told again.
fn told_without_verb(phase: &Phase, before: &Phase, now: Time) -> String {
    let date_of = Some(last_told(before, now));
    match phase.end {
        Some(_) => predicate(phase, date_of, now),
        None => format!("has been {}", predicate(phase, date_of, now)),
    }
}

/// What it was, from when to when, and how long.
fn predicate(phase: &Phase, date_of: Option<Time>, now: Time) -> String {
    let length = phase.length(now);
    let begin = begin_text(phase.begin, date_of, length);
    let told = middle(phase.begin) + of_length(length).half;
    let end_text = |end| clock_text(middle(end), Some(told), length);
    let over = if phase.begin.earliest.is_some() { "" } else { "over " };
    let length = over.to_owned() + &duration_text(length);
    // The edges of what was unstable are told where they are wide.
    let uncertainty = phase.span().uncertainty();
    let is_told = phase.kind != PhaseKind::Unstable || uncertainty > HALF_MINUTE * 2;
    let half = if phase.begin.earliest.is_some() && is_told {
        format!(" ± {}", rounded_up(uncertainty))
    } else {
        String::new()
    };
    let what = adjective(phase.kind);
    let left = left_text(phase);
    match (phase.kind, phase.end) {
        (PhaseKind::Unstable, Some(end)) => format!(
            "{what} from {begin} to {} UTC{left} ({length}{half}{})",
            end_text(end),
            dark_words(phase, now)
        ),
        (PhaseKind::Unstable, None) => {
            format!("{what} since {begin} UTC ({length}{half} so far{})", dark_words(phase, now))
        }
        (PhaseKind::Outage | PhaseKind::Down | PhaseKind::Up, Some(end)) => {
            format!("{what} from {begin} for {length}{half}, until {} UTC{left}", end_text(end))
        }
        (PhaseKind::Outage | PhaseKind::Down | PhaseKind::Up, None) => {
            format!("{what} since {begin} UTC, for {length} so far")
        }
    }
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
    Some(format!("dark {}", times_text(darknesses)?))
}

/// How often: `once`, `213 times`; None if it was never.
pub fn times_text(times: u32) -> Option<String> {
    match times {
        0 => None,
        1 => Some("once".into()),
        2 => Some("twice".into()),
        times => Some(format!("{times} times")),
    }
}

/// How often and for how much of it a phase was dark: `, dark 213 times, 24 % of it`; nothing if
/// its darknesses were not counted.
pub fn dark_words(phase: &Phase, now: Time) -> String {
    let Some(times) = dark_times(phase.darknesses) else { return String::new() };
    format!(", {times}, {} of it", dark_share_text(phase, now))
}

/// For how much of it a phase was dark: `24 %`, `2.4 %`.
pub fn dark_share_text(phase: &Phase, now: Time) -> String {
    let share = phase.dark_share(now) * 100.0;
    if share < 10.0 { format!("{share:.1} %") } else { format!("{share:.0} %") }
}

/// What happened in an incident, without when: `unstable for 26 h 15 min (dark 31 times), reachable
/// for 52 min, unreachable for 9 h 31 min`.
pub fn in_short(incident: &Incident, now: Time) -> String {
    let bad = incident.bad_phases().count();
    if bad <= MOST_PHASES {
        let up_to_last = incident.phases.iter().rposition(Phase::is_bad).map_or(0, |last| last + 1);
        let phases = incident.phases.iter().take(up_to_last);
        return phases.map(|phase| phase_in_short(phase, now)).collect::<Vec<_>>().join(", ");
    }
    let main = incident.main_phases(now);
    let told = main.iter().map(|phase| phase_in_short(phase, now)).collect::<Vec<_>>().join(", ");
    match bad - main.len() {
        0 => told,
        1 => format!("{told}; once more trouble beside that"),
        more => format!("{told}; {more} times of trouble beside that"),
    }
}

fn phase_in_short(phase: &Phase, now: Time) -> String {
    let what = adjective(phase.kind);
    let length = duration_text(phase.length(now));
    let so_far = if phase.end.is_none() { " so far" } else { "" };
    let dark = dark_times(phase.darknesses).filter(|_| phase.kind == PhaseKind::Unstable);
    let dark = dark.map(|times| format!(" ({times})")).unwrap_or_default();
    format!("{what} for {length}{so_far}{dark}")
}

/// What came after the last of the main phases, which this is: `, and again for 35 min and 30 min
/// on the same day`.
fn again(after: &[&Phase], main: &Phase, now: Time) -> String {
    let Some(last) = after.last() else { return String::new() };
    let is_short_list =
        after.len() <= MOST_TOLD && after.iter().all(|phase| phase.kind != PhaseKind::Unstable);
    let is_again = main.kind != PhaseKind::Unstable;
    let what = if is_short_list {
        let lengths: Vec<String> =
            after.iter().map(|phase| duration_text(phase.length(now))).collect();
        let (last, others) =
            lengths.split_last().map_or(("", &[][..]), |(last, all)| (&**last, all));
        let others =
            if others.is_empty() { String::new() } else { format!("{} and ", others.join(", ")) };
        format!("{} for {others}{last}", if is_again { "again" } else { "unreachable" })
    } else {
        format!("{} {}", if is_again { "again" } else { "dark" }, dark_in_all(after, ""))
    };
    let until = match last.end {
        None => format!("; it is still {}", adjective(last.kind)),
        Some(end) => {
            let time = middle(end);
            let told = last_told(main, now);
            if is_same(time + MINUTE.half, told, None, "%F") {
                " on the same day".into()
            } else {
                format!(", until {} UTC", beside(time, Some(told), None, MINUTE))
            }
        }
    };
    format!(", and {what}{until}{}", left_text(last))
}

/// The time that its words end with, rounded as they tell it.
fn last_told(phase: &Phase, now: Time) -> Time {
    middle(phase.end.unwrap_or(phase.begin)) + of_length(phase.length(now)).half
}

/// That a phase ended as nobody watched any more, and not by a return.
pub fn left_text(phase: &Phase) -> &'static str {
    if phase.is_left { ", then not watched" } else { "" }
}

/// When something began; what was so when the watching began, began before.
fn begin_text(begin: Edge, date_of: Option<Time>, length: Duration) -> String {
    before(begin) + &clock_text(middle(begin), date_of, length)
}

/// When something of this length began or ended.
fn clock_text(time: Time, told: Option<Time>, length: Duration) -> String {
    beside(time, told, None, of_length(length))
}

/// An edge that nobody saw lies before its time.
fn before(edge: Edge) -> String {
    if edge.earliest.is_some() { String::new() } else { "before ".into() }
}

/// A time in UTC, to the nearest minute: `22 Dec 2014 16:15`; the time alone where it is of the
/// same day as one that was told before, and the date without a year where it is of the same year.
pub fn minute_text(time: Time, told: Option<Time>) -> String {
    beside(time, told.map(|told| told + MINUTE.half), None, MINUTE)
}

/// From when to when: `22 Dec 2014 16:15 to 23:59 UTC`.
pub fn period_text((from, to): Period) -> String {
    format!("{} to {} UTC", minute_text(from, None), minute_text(to, Some(from)))
}

/// A time as somebody wants to know it who knows what time it is: to the second if it is near, else
/// to the minute, and with its date unless that is today's and need not be said. By the clocks of a
/// zone, or in UTC.
pub fn moment_text(time: Time, now: Time, zone: Option<&TimeZone>, has_date: bool) -> String {
    let to = precision(time, now);
    let told = Some(now + to.half);
    if has_date { dated(time, told, zone, to) } else { beside(time, told, zone, to) }
}

/// Is this a time of today, by the clocks of a zone, or in UTC?
pub fn is_today(time: Time, now: Time, zone: Option<&TimeZone>) -> bool {
    let half = precision(time, now).half;
    is_same(time + half, now + half, zone, "%F")
}

/// How precisely a time of day is told.
#[derive(Clone, Copy)]
struct Precision {
    /// Half of what it is told to: rounded by adding it.
    half: Duration,
    clock: &'static str,
}

fn precision(time: Time, now: Time) -> Precision {
    of_length(now.since(time).max(time.since(now)))
}

/// To the second where it is short.
fn of_length(length: Duration) -> Precision {
    if length < NEAR { SECOND } else { MINUTE }
}

/// A time of day, behind as much of its date as is not that of a time that was told before, which
/// is rounded as it was told.
fn beside(time: Time, told: Option<Time>, zone: Option<&TimeZone>, to: Precision) -> String {
    if told.is_some_and(|told| is_same(time + to.half, told, zone, "%F")) {
        return written(time + to.half, zone, to.clock);
    }
    dated(time, told, zone, to)
}

/// A time of day behind its date, which has no year where that is the one of another time.
fn dated(time: Time, told: Option<Time>, zone: Option<&TimeZone>, to: Precision) -> String {
    let is_same_year = told.is_some_and(|told| is_same(time + to.half, told, zone, "%Y"));
    let date = if is_same_year { "%-d %b" } else { "%-d %b %Y" };
    written(time + to.half, zone, &format!("{date} {}", to.clock))
}

fn is_same(time: Time, other: Time, zone: Option<&TimeZone>, format: &str) -> bool {
    written(time, zone, format) == written(other, zone, format)
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
    let width = edge.earliest.map(|_| format!(" ± {}", rounded_up(half_width(edge))));
    format!("{}{}{}", before(edge), time_text(middle(edge)), width.unwrap_or_default())
}

/// By how much the time of an edge may be wrong, in few words: ` ± 40 s`; nothing if that is hardly
/// worth a word.
pub fn uncertainty_text(edge: Edge) -> String {
    let half = half_width(edge);
    if half * 2 > WIDE { format!(" ± {}", rounded_up(half)) } else { String::new() }
}

/// For how long something has been so, in few words: `9 h 31 min`, `3 min ± 40 s`.
pub fn age_text(begin: Edge, now: Time) -> String {
    let over = if begin.earliest.is_some() { "" } else { "over " };
    let length = duration_text(now.since(middle(begin)));
    format!("{over}{length}{}", uncertainty_text(begin))
}

/// How long something lasted: `9 h 31 min ± 4 s`. What is open lasts up to `now`.
pub fn length_text(span: Span, now: Time) -> String {
    let length = duration_text(span.length(now));
    let so_far = if span.end.is_none() { " so far" } else { "" };
    match span.begin.earliest {
        Some(_) => format!("{length} ± {}{so_far}", rounded_up(span.uncertainty())),
        None => format!("over {length}{so_far}"),
    }
}

/// An uncertainty, rounded up to the second.
fn rounded_up(half: Duration) -> String {
    duration_text(Duration::from_secs(half.as_secs() + u64::from(half.subsec_nanos() > 0)))
}

/// Seconds as milliseconds with two significant digits at least: within one building, whole
/// milliseconds would all be zero.
pub fn milliseconds(seconds: f64) -> String {
    let millis = seconds * 1e3;
    let decimals = (1.0 - millis.log10().floor()).clamp(0.0, 3.0) as usize;
    format!("{millis:.decimals$} ms")
}

#[cfg(test)]
mod tests;

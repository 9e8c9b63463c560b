//! What was, of one scope: its spells of the last seven days, and how much was lost and how long
//! answers took. In: changes of verdict, and a measurement a minute. Out: [`History`], which
//! readers share by reference count. It never grows beyond a few kilobytes per scope, and never
//! corrects a minute that has been measured: an answer that comes more than a minute late counts in
//! totals and verdicts, not here.

use super::WindowView;
use crate::{
    judge::{Change, Edge, State},
    time::Time,
};
use std::{collections::VecDeque, time::Duration};

/// How far back the history goes.
pub const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// A measurement is taken so often, and kept so fine for a day.
pub const MINUTE: Duration = Duration::from_secs(60);
/// Of the days before, it is the mean of so many minutes.
const TEN: u64 = 10;
const MINUTES: usize = 24 * 60;
const TENS: usize = 7 * 24 * 6;
/// More spells than a restless week has: flapping is one spell.
const SPELLS: usize = 1000;

/// One stay in a state. It lasts until the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateSpan {
    /// Which.
    pub state: State,
    /// When it begins here: at the end of its edge, but not within what was unknown.
    pub from: Time,
    /// When it really began.
    pub edge: Edge,
}

/// Share lost (0 to 1) and median round-trip time (seconds) of one stretch of time, in two bytes:
/// to 0.4 %, and to 5 %. None where nothing was resolved, or nothing answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    loss: u8,
    median: u8,
}

impl Measurement {
    const NONE: u8 = u8::MAX;
    /// Nothing is known.
    const BLANK: Measurement = Measurement { loss: Measurement::NONE, median: Measurement::NONE };
    const LOSS_STEPS: f64 = 250.0;
    /// Steps of an eighth of an octave, from 30 µs to 190 s and more.
    const LOWEST: f64 = 30e-6;
    const OCTAVE: f64 = 8.0;
    const HIGHEST: f64 = 200.0;

    /// Of these measurements.
    pub fn new(loss: Option<f64>, median: Option<f64>) -> Self {
        let step = |seconds: f64| {
            ((seconds / Self::LOWEST).log2() * Self::OCTAVE).clamp(0.0, Self::HIGHEST)
        };
        Self {
            loss: loss.map_or(Self::NONE, |share| {
                (share.clamp(0.0, 1.0) * Self::LOSS_STEPS).round() as u8
            }),
            median: median.map_or(Self::NONE, |seconds| step(seconds).round() as u8),
        }
    }

    /// Share lost, 0 to 1.
    pub fn loss(self) -> Option<f64> {
        (self.loss != Self::NONE).then(|| f64::from(self.loss) / Self::LOSS_STEPS)
    }

    /// Median round-trip time in seconds.
    pub fn median(self) -> Option<f64> {
        (self.median != Self::NONE)
            .then(|| Self::LOWEST * (f64::from(self.median) / Self::OCTAVE).exp2())
    }

    /// The mean of several.
    pub fn mean(marks: &[Measurement]) -> Self {
        let mean = |values: Vec<f64>| {
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let losses = marks.iter().filter_map(|mark| mark.loss()).collect();
        Self::new(mean(losses), mean(marks.iter().filter_map(|mark| mark.median()).collect()))
    }
}

impl From<&WindowView> for Measurement {
    fn from(window: &WindowView) -> Self {
        Self::new(window.loss, window.median)
    }
}

/// What was, of one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    spells: VecDeque<StateSpan>,
    minutes: Line,
    tens: Line,
}

impl History {
    /// Nothing is known before now.
    pub fn new(now: Time) -> Self {
        let edge = Edge { earliest: None, latest: now };
        let (minutes, tens) = (Line::new(MINUTES), Line::new(TENS));
        Self {
            spells: [StateSpan { state: State::Unknown, from: now, edge }].into(),
            minutes,
            tens,
        }
    }

    /// Its spells, oldest first; at least one.
    pub fn state_spans(&self) -> impl DoubleEndedIterator<Item = &StateSpan> {
        self.spells.iter()
    }

    /// The marks of `parts` stretches of equal length that end at `now` and are `span` long in all,
    /// oldest first: of minutes, if the span is a day at most, else of ten minutes.
    pub fn marks(&self, now: Time, span: Duration, parts: u64) -> Vec<Measurement> {
        let (line, unit) =
            if span <= MINUTE * MINUTES as u32 { (&self.minutes, 1) } else { (&self.tens, TEN) };
        let each = (minute(Time::default() + span) / unit / parts).max(1);
        let end = minute(now) / unit;
        let first = |part: u64| end.saturating_sub(each * (parts - part));
        (0..parts)
            .map(|part| Measurement::mean(&line.between(first(part), first(part) + each)))
            .collect()
    }

    /// For what earlier runs saw, to be filled and then given to [`History::recall`]: nothing yet.
    pub fn blank() -> Self {
        Self { spells: VecDeque::new(), minutes: Line::new(MINUTES), tens: Line::new(TENS) }
    }

    /// A spell that begins after those before; what was then unknown, or not watched, is one too.
    pub fn tell(&mut self, spell: StateSpan) {
        self.spells.push_back(spell);
        if self.spells.len() > SPELLS {
            self.spells.pop_front();
        }
    }

    /// What was measured in the minute of this moment, which is later than those before.
    pub fn mark(&mut self, at: Time, mark: Measurement) {
        self.put(minute(at), mark);
    }

    /// What earlier runs saw comes before what this one did; its last spell ends where this watch
    /// began.
    pub fn recall(&mut self, earlier: History) {
        let own = std::mem::replace(self, earlier);
        let again = self.spells.back().map(|spell| spell.state);
        let begun = |spell: &StateSpan| Some(spell.state) == again;
        let known = usize::from(own.spells.front().is_some_and(begun));
        own.spells.into_iter().skip(known).for_each(|spell| self.tell(spell));
        for (at, mark) in (own.minutes.first()..).zip(own.minutes.marks) {
            self.put(at, mark);
        }
    }

    /// A verdict changed. What it says of the time since its edge stands in place of what was
    /// thought before; but what was unknown stays so.
    pub(super) fn note(&mut self, change: &Change) {
        let mut from = change.edge.latest;
        while let Some(last) = self.spells.back().filter(|last| last.from >= from) {
            if last.state == State::Unknown {
                from = change.time;
                break;
            }
            self.spells.pop_back();
        }
        if self.spells.back().is_none_or(|last| last.state != change.to) {
            self.spells.push_back(StateSpan { state: change.to, from, edge: change.edge });
        }
        if self.spells.len() > SPELLS {
            self.spells.pop_front();
        }
    }

    /// The minute that ended last, measured now.
    pub(super) fn measure(&mut self, now: Time, window: &WindowView) {
        self.put(minute(now).saturating_sub(1), window.into());
        let oldest = now - KEPT;
        while self.spells.get(1).is_some_and(|second| second.from <= oldest) {
            self.spells.pop_front();
        }
    }

    fn put(&mut self, minute: u64, mark: Measurement) {
        // The last ten minutes are whole when a minute of later ones comes.
        let ten = self.minutes.next.saturating_sub(1) / TEN;
        if minute / TEN > ten && !self.minutes.marks.is_empty() {
            let mean = Measurement::mean(&self.minutes.between(ten * TEN, ten * TEN + TEN));
            self.tens.put(ten, mean);
        }
        self.minutes.put(minute, mark);
    }
}

/// Minutes since the epoch.
fn minute(time: Time) -> u64 {
    time.as_nanos() / MINUTE.as_nanos() as u64
}

/// Marks of stretches of equal length, without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    /// The stretch after the last, counted from the epoch.
    next: u64,
    marks: VecDeque<Measurement>,
    most: usize,
}

impl Line {
    fn new(most: usize) -> Self {
        Self { next: 0, marks: VecDeque::new(), most }
    }

    fn put(&mut self, at: u64, mark: Measurement) {
        if at < self.next {
            return;
        }
        if !self.marks.is_empty() {
            let blank = (at - self.next).min(self.most as u64) as usize;
            self.marks.extend(std::iter::repeat_n(Measurement::BLANK, blank));
        }
        self.marks.push_back(mark);
        self.next = at + 1;
        let surplus = self.marks.len().saturating_sub(self.most);
        self.marks.drain(..surplus);
    }

    /// The stretch that its first mark is of.
    fn first(&self) -> u64 {
        self.next - self.marks.len() as u64
    }

    /// Those of the stretches from the first to before the second; what is not there is left out.
    fn between(&self, from: u64, to: u64) -> Vec<Measurement> {
        let first = self.first();
        let place = |at: u64| at.clamp(first, self.next).saturating_sub(first) as usize;
        self.marks.range(place(from)..place(to.max(from))).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scopes::{BlockId, Scope};

    fn at(seconds: u64) -> Time {
        Time::from_nanos(1_419_120_000_000_000_000) + Duration::from_secs(seconds)
    }

    fn change(found: u64, latest: u64, from: State, to: State) -> Change {
        let edge = Edge { earliest: Some(at(latest.saturating_sub(4))), latest: at(latest) };
        Change {
            time: at(found),
            scope: Scope::Block(BlockId(0)),
            from,
            to,
            edge,
            evidence: String::new(),
        }
    }

    fn spells(past: &History) -> Vec<(State, u64)> {
        past.state_spans().map(|spell| (spell.state, spell.from.since(at(0)).as_secs())).collect()
    }

    #[test]
    fn a_spell_begins_where_it_really_began_and_what_was_unknown_stays_unknown() {
        use State::{Down, Flapping, Outage, Unknown, Up};
        let mut past = History::new(at(0));
        past.note(&change(2, 0, Unknown, Up));
        past.note(&change(106, 102, Up, Down));
        past.note(&change(162, 102, Down, Outage));
        assert_eq!(spells(&past), [(Unknown, 0), (Up, 2), (Outage, 102)]);
        // Blind for a while, and the outage goes on.
        past.note(&change(200, 200, Outage, Unknown));
        past.note(&change(210, 102, Unknown, Outage));
        past.note(&change(300, 299, Outage, Up));
        assert_eq!(spells(&past)[2..], [(Outage, 102), (Unknown, 200), (Outage, 210), (Up, 299)]);
        // A down that a late answer took back, and one that belonged to a series.
        past.note(&change(406, 402, Up, Down));
        past.note(&change(410, 402, Down, Up));
        past.note(&change(506, 502, Up, Down));
        past.note(&change(512, 502, Down, Flapping));
        assert_eq!(spells(&past)[5..], [(Up, 299), (Flapping, 502)]);
    }

    #[test]
    fn what_is_older_than_a_week_is_forgotten_and_memory_is_bounded() {
        let mut past = History::new(at(0));
        let window = WindowView { resolved: 10, loss: Some(0.5), median: Some(0.2), p95: None };
        let states = [State::Up, State::Down];
        for step in 0..30 * 24 * 60 {
            past.note(&change(
                step * 60,
                step * 60,
                states[step as usize % 2],
                states[(step as usize + 1) % 2],
            ));
            past.measure(at(step * 60), &window);
        }
        let now = at(30 * 24 * 3600);
        assert_eq!((past.minutes.marks.len(), past.tens.marks.len()), (MINUTES, TENS));
        assert_eq!(past.spells.len(), SPELLS);
        past.measure(now + KEPT * 2, &window);
        assert_eq!(past.spells.len(), 1, "the one that goes on is kept");
    }

    #[test]
    fn marks_are_as_fine_as_promised() {
        for loss in [0.0, 0.003, 0.5, 0.998, 1.0] {
            let kept = Measurement::new(Some(loss), None);
            assert!(
                (kept.loss().unwrap() - loss).abs() < 0.0021 && kept.median().is_none(),
                "{loss}"
            );
        }
        for seconds in [0.000_05, 0.2, 3.0, 149.0] {
            let kept = Measurement::new(None, Some(seconds)).median().unwrap();
            assert!((kept / seconds - 1.0).abs() < 0.05, "{seconds}: {kept}");
        }
    }

    #[test]
    fn minutes_stand_at_their_time_and_a_gap_is_blank() {
        let mut past = History::new(at(0));
        let window =
            |loss| WindowView { resolved: 10, loss: Some(loss), median: Some(0.2), p95: None };
        // Minutes 0 to 19 without loss, then nobody there until minute 40, which loses all.
        for minute in 1..=20 {
            past.measure(at(minute * 60), &window(0.0));
        }
        past.measure(at(41 * 60 + 7), &window(1.0));
        let hour = past.marks(at(41 * 60 + 7), Duration::from_secs(3600), 60);
        let losses: Vec<_> = hour.iter().map(|mark| mark.loss()).collect();
        let expected =
            [vec![None; 19], vec![Some(0.0); 20], vec![None; 20], vec![Some(1.0)]].concat();
        assert_eq!(losses, expected);
        // In parts of ten minutes, which begin 19 minutes before the first minute.
        let parts = past.marks(at(41 * 60), Duration::from_secs(3600), 6);
        let losses: Vec<_> = parts.iter().map(|mark| mark.loss()).collect();
        assert_eq!(losses, [None, Some(0.0), Some(0.0), Some(0.0), None, Some(1.0)]);
        // Of a week, the ten minutes that are over.
        let week = past.marks(at(41 * 60), KEPT, TENS as u64);
        let known = week.iter().filter_map(|mark| mark.loss()).collect::<Vec<_>>();
        assert_eq!((week.len(), known), (TENS, vec![0.0, 0.0]));
    }

    #[test]
    fn an_earlier_run_is_recalled_before_this_one() {
        let mut whole = History::new(at(0));
        let window = |minute: u64| WindowView {
            loss: Some((minute % 7) as f64 / 10.0),
            ..WindowView::default()
        };
        let mut now = History::new(at(1800));
        for minute in 1..=60 {
            whole.measure(at(minute * 60), &window(minute));
            if minute > 30 {
                now.measure(at(minute * 60), &window(minute));
            }
        }
        let edge = Edge { earliest: None, latest: at(5) };
        let spell = |state, from| StateSpan { state, from, edge };
        let mut earlier = History::blank();
        (0..30).for_each(|minute| {
            earlier.mark(at(minute * 60 + 30), Measurement::from(&window(minute + 1)));
        });
        earlier.tell(spell(State::Up, at(5)));
        earlier.tell(spell(State::Unknown, at(1700)));
        // It may come when this run knows something already. What was unknown goes on to be.
        now.note(&change(1806, 1804, State::Unknown, State::Up));
        now.recall(earlier);
        assert_eq!(spells(&now), [(State::Up, 5), (State::Unknown, 1700), (State::Up, 1804)]);
        assert_eq!((&now.minutes, &now.tens), (&whole.minutes, &whole.tens));
        // Of nothing, nothing is changed.
        let before = now.clone();
        let mut blank = History::blank();
        std::mem::swap(&mut now, &mut blank);
        now.recall(blank);
        assert_eq!(now, before);
    }
}

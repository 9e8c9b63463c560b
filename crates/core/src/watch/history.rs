//! A scope's last seven days, for readers: its state spans, and a measurement a minute. A minute
//! that has been measured stays as it is: an answer that comes more than a minute late counts in
//! totals and verdicts, not here.

use super::WindowView;
use crate::{
    judge::{Change, Edge, State},
    time::Time,
};
use std::{collections::VecDeque, time::Duration};

/// How far back the history goes.
pub const HISTORY_LENGTH: Duration = Duration::from_secs(7 * 24 * 3600);
/// The length of a fine period. Fine measurements are kept for a day.
pub const MINUTE: Duration = Duration::from_secs(60);
/// How many minutes a coarse period has. Of the days before the last, only means of them are kept.
const COARSE_MINUTES: u64 = 10;
const FINE_PERIODS: usize = 24 * 60;
const COARSE_PERIODS: usize = 7 * 24 * 6;
/// More state spans than a restless week has: flapping is one.
const MOST_SPANS: usize = 1000;

/// One stay in a state. It lasts until the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateSpan {
    /// The state that the scope was in.
    pub state: State,
    /// When it begins here: at the end of its edge, but not within what was unknown.
    pub from: Time,
    /// When it really began.
    pub edge: Edge,
}

/// Share lost (0 to 1) and median round-trip time (seconds) of one period, in two bytes:
/// to 0.4 %, and to 5 %. None where nothing was resolved, or nothing answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    loss: u8,
    median: u8,
}

impl Measurement {
    const NONE: u8 = u8::MAX;
    const NOTHING: Measurement = Measurement { loss: Measurement::NONE, median: Measurement::NONE };
    const LOSS_STEPS: f64 = 250.0;
    /// Steps of an eighth of an octave, from 30 µs to 190 s and more.
    const LOWEST: f64 = 30e-6;
    const OCTAVE: f64 = 8.0;
    const HIGHEST: f64 = 200.0;

    /// Share lost (0 to 1) and median round-trip time (seconds), rounded to what is kept.
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
    pub fn mean(measurements: &[Measurement]) -> Self {
        let mean = |values: Vec<f64>| {
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let losses = measurements.iter().filter_map(|each| each.loss()).collect();
        Self::new(
            mean(losses),
            mean(measurements.iter().filter_map(|each| each.median()).collect()),
        )
    }
}

impl From<&WindowView> for Measurement {
    fn from(window: &WindowView) -> Self {
        Self::new(window.loss, window.median)
    }
}

/// The last seven days of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    spans: VecDeque<StateSpan>,
    fine: Series,
    coarse: Series,
}

impl History {
    /// Nothing is known before now.
    pub fn new(now: Time) -> Self {
        let edge = Edge { earliest: None, latest: now };
        let spans = [StateSpan { state: State::Unknown, from: now, edge }].into();
        Self { spans, ..Self::empty() }
    }

    /// Its state spans, oldest first; at least one.
    pub fn state_spans(&self) -> impl DoubleEndedIterator<Item = &StateSpan> {
        self.spans.iter()
    }

    /// The measurements of `parts` periods of equal length that end at `now` and are `span` long in
    /// all, oldest first: of minutes, if the span is a day at most, else of ten minutes.
    pub fn measurements(&self, now: Time, span: Duration, parts: u64) -> Vec<Measurement> {
        let (series, unit) = if span <= MINUTE * FINE_PERIODS as u32 {
            (&self.fine, 1)
        } else {
            (&self.coarse, COARSE_MINUTES)
        };
        let each = (minute(Time::default() + span) / unit / parts).max(1);
        let end = minute(now) / unit;
        let first = |part: u64| end.saturating_sub(each * (parts - part));
        (0..parts)
            .map(|part| Measurement::mean(&series.between(first(part), first(part) + each)))
            .collect()
    }

    /// For what earlier runs saw, to be filled and then given to [`History::recall`]: nothing yet.
    pub fn empty() -> Self {
        Self {
            spans: VecDeque::new(),
            fine: Series::new(FINE_PERIODS),
            coarse: Series::new(COARSE_PERIODS),
        }
    }

    /// Adds a span that begins after those before; what was then unknown, or not watched, is one
    /// too.
    pub fn push_span(&mut self, span: StateSpan) {
        self.spans.push_back(span);
        if self.spans.len() > MOST_SPANS {
            self.spans.pop_front();
        }
    }

    /// Adds what was measured in the minute of this moment, which is later than those before.
    pub fn add_measurement(&mut self, at: Time, measurement: Measurement) {
        self.put(minute(at), measurement);
    }

    /// What earlier runs saw comes before what this one did; its last span ends where this watch
    /// began.
    pub fn recall(&mut self, earlier: History) {
        let own = std::mem::replace(self, earlier);
        let last = self.spans.back().map(|span| span.state);
        let goes_on = |span: &StateSpan| Some(span.state) == last;
        let known = usize::from(own.spans.front().is_some_and(goes_on));
        own.spans.into_iter().skip(known).for_each(|span| self.push_span(span));
        for (at, measurement) in (own.fine.first()..).zip(own.fine.measurements) {
            self.put(at, measurement);
        }
    }

    /// A verdict changed. What it says of the time since its edge stands in place of what was
    /// thought before; but what was unknown stays so.
    pub(super) fn record_change(&mut self, change: &Change) {
        if change.narrows() {
            let with_this_edge = |span: &&mut StateSpan| span.edge.latest == change.edge.latest;
            for span in self.spans.iter_mut().filter(with_this_edge) {
                span.edge = change.edge;
            }
            return;
        }
        let mut from = change.edge.latest;
        while let Some(last) = self.spans.back().filter(|last| last.from >= from) {
            if last.state == State::Unknown {
                from = change.time;
                break;
            }
            self.spans.pop_back();
        }
        if self.spans.back().is_none_or(|last| last.state != change.to) {
            self.spans.push_back(StateSpan { state: change.to, from, edge: change.edge });
        }
        if self.spans.len() > MOST_SPANS {
            self.spans.pop_front();
        }
    }

    /// The minute that ended last, measured now.
    pub(super) fn measure(&mut self, now: Time, window: &WindowView) {
        self.put(minute(now).saturating_sub(1), window.into());
        let oldest = now - HISTORY_LENGTH;
        while self.spans.get(1).is_some_and(|second| second.from <= oldest) {
            self.spans.pop_front();
        }
    }

    fn put(&mut self, minute: u64, measurement: Measurement) {
        // The last ten minutes are whole when a minute of later ones comes.
        let coarse = self.fine.next.saturating_sub(1) / COARSE_MINUTES;
        if minute / COARSE_MINUTES > coarse && !self.fine.measurements.is_empty() {
            let mean = Measurement::mean(
                &self.fine.between(coarse * COARSE_MINUTES, (coarse + 1) * COARSE_MINUTES),
            );
            self.coarse.put(coarse, mean);
        }
        self.fine.put(minute, measurement);
    }
}

/// Minutes since the epoch.
fn minute(time: Time) -> u64 {
    time.as_nanos() / MINUTE.as_nanos() as u64
}

/// Measurements of periods of equal length, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Series {
    /// The period after the last, counted from the epoch.
    next: u64,
    measurements: VecDeque<Measurement>,
    most: usize,
}

impl Series {
    fn new(most: usize) -> Self {
        Self { next: 0, measurements: VecDeque::new(), most }
    }

    fn put(&mut self, at: u64, measurement: Measurement) {
        if at < self.next {
            return;
        }
        if !self.measurements.is_empty() {
            let missing = (at - self.next).min(self.most as u64) as usize;
            self.measurements.extend(std::iter::repeat_n(Measurement::NOTHING, missing));
        }
        self.measurements.push_back(measurement);
        self.next = at + 1;
        let surplus = self.measurements.len().saturating_sub(self.most);
        self.measurements.drain(..surplus);
    }

    /// The period of its first measurement.
    fn first(&self) -> u64 {
        self.next - self.measurements.len() as u64
    }

    /// Those of the periods from the first to before the second; what is not there is left out.
    fn between(&self, from: u64, to: u64) -> Vec<Measurement> {
        let first = self.first();
        let index = |at: u64| at.clamp(first, self.next).saturating_sub(first) as usize;
        self.measurements.range(index(from)..index(to.max(from))).copied().collect()
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

    fn spans(history: &History) -> Vec<(State, u64)> {
        history.state_spans().map(|span| (span.state, span.from.since(at(0)).as_secs())).collect()
    }

    #[test]
    fn a_state_span_begins_where_it_really_began_and_what_was_unknown_stays_unknown() {
        use State::{Down, Flapping, Outage, Unknown, Up};
        let mut history = History::new(at(0));
        history.record_change(&change(2, 0, Unknown, Up));
        history.record_change(&change(106, 102, Up, Down));
        history.record_change(&change(162, 102, Down, Outage));
        assert_eq!(spans(&history), [(Unknown, 0), (Up, 2), (Outage, 102)]);
        // Blind for a while, and the outage goes on.
        history.record_change(&change(200, 200, Outage, Unknown));
        history.record_change(&change(210, 102, Unknown, Outage));
        history.record_change(&change(300, 299, Outage, Up));
        assert_eq!(spans(&history)[2..], [(Outage, 102), (Unknown, 200), (Outage, 210), (Up, 299)]);
        // A down that a late answer took back, and one that belonged to a series.
        history.record_change(&change(406, 402, Up, Down));
        history.record_change(&change(410, 402, Down, Up));
        history.record_change(&change(506, 502, Up, Down));
        history.record_change(&change(512, 502, Down, Flapping));
        assert_eq!(spans(&history)[5..], [(Up, 299), (Flapping, 502)]);
    }

    #[test]
    fn a_narrower_edge_replaces_the_one_that_was_told_first() {
        use State::{Outage, Partial, Unknown, Up};
        let mut history = History::new(at(0));
        history.record_change(&change(2, 0, Unknown, Up));
        history.record_change(&change(162, 102, Up, Outage));
        let wide = Edge { earliest: Some(at(102)), latest: at(300) };
        history.record_change(&Change { edge: wide, ..change(300, 300, Outage, Up) });
        history.record_change(&Change { edge: wide, ..change(310, 300, Up, Partial) });
        history.record_change(&change(360, 355, Partial, Up));
        let before = spans(&history);
        history.record_change(&change(420, 300, Up, Up));
        let earliest: Vec<_> = history.state_spans().map(|span| span.edge.earliest).collect();
        let seconds = [None, Some(98), Some(296), Some(351)];
        assert_eq!(earliest[0], seconds[0].map(at));
        assert_eq!(earliest[2..], [seconds[1], seconds[2], seconds[3]].map(|each| each.map(at)));
        assert_eq!(spans(&history), before);
    }

    #[test]
    fn what_is_older_than_a_week_is_forgotten_and_memory_is_bounded() {
        let mut history = History::new(at(0));
        let window = WindowView { resolved: 10, loss: Some(0.5), median: Some(0.2), p95: None };
        let states = [State::Up, State::Down];
        for step in 0..30 * 24 * 60 {
            history.record_change(&change(
                step * 60,
                step * 60,
                states[step as usize % 2],
                states[(step as usize + 1) % 2],
            ));
            history.measure(at(step * 60), &window);
        }
        let now = at(30 * 24 * 3600);
        assert_eq!(
            (history.fine.measurements.len(), history.coarse.measurements.len()),
            (FINE_PERIODS, COARSE_PERIODS)
        );
        assert_eq!(history.spans.len(), MOST_SPANS);
        history.measure(now + HISTORY_LENGTH * 2, &window);
        assert_eq!(history.spans.len(), 1, "the one that goes on is kept");
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
    fn minutes_stand_at_their_time_and_what_nobody_watched_is_unknown() {
        let mut history = History::new(at(0));
        let window =
            |loss| WindowView { resolved: 10, loss: Some(loss), median: Some(0.2), p95: None };
        // Minutes 0 to 19 without loss, then nobody there until minute 40, which loses all.
        for minute in 1..=20 {
            history.measure(at(minute * 60), &window(0.0));
        }
        history.measure(at(41 * 60 + 7), &window(1.0));
        let hour = history.measurements(at(41 * 60 + 7), Duration::from_secs(3600), 60);
        let losses: Vec<_> = hour.iter().map(|each| each.loss()).collect();
        let expected =
            [vec![None; 19], vec![Some(0.0); 20], vec![None; 20], vec![Some(1.0)]].concat();
        assert_eq!(losses, expected);
        // In parts of ten minutes, which begin 19 minutes before the first minute.
        let parts = history.measurements(at(41 * 60), Duration::from_secs(3600), 6);
        let losses: Vec<_> = parts.iter().map(|each| each.loss()).collect();
        assert_eq!(losses, [None, Some(0.0), Some(0.0), Some(0.0), None, Some(1.0)]);
        // Of a week, the ten minutes that are over.
        let week = history.measurements(at(41 * 60), HISTORY_LENGTH, COARSE_PERIODS as u64);
        let known = week.iter().filter_map(|each| each.loss()).collect::<Vec<_>>();
        assert_eq!((week.len(), known), (COARSE_PERIODS, vec![0.0, 0.0]));
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
        let span = |state, from| StateSpan { state, from, edge };
        let mut earlier = History::empty();
        (0..30).for_each(|minute| {
            earlier.add_measurement(at(minute * 60 + 30), Measurement::from(&window(minute + 1)));
        });
        earlier.push_span(span(State::Up, at(5)));
        earlier.push_span(span(State::Unknown, at(1700)));
        // It may come when this run knows something already. What was unknown goes on to be.
        now.record_change(&change(1806, 1804, State::Unknown, State::Up));
        now.recall(earlier);
        assert_eq!(spans(&now), [(State::Up, 5), (State::Unknown, 1700), (State::Up, 1804)]);
        assert_eq!((&now.fine, &now.coarse), (&whole.fine, &whole.coarse));
        // Of nothing, nothing is changed.
        let before = now.clone();
        let mut nothing = History::empty();
        std::mem::swap(&mut now, &mut nothing);
        now.recall(nothing);
        assert_eq!(now, before);
    }
}

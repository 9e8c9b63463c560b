//! A scope's last seven days, for readers: its state spans, and a measurement a minute. A minute
//! that has been measured stays as it is: an answer that comes more than a minute late counts in
//! totals and verdicts, not here.

use super::WindowView;
use crate::{
    judge::{Change, Darknesses, Edge, State},
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
    /// Of a flapping: the darknesses from which it is dated; once it is over, those that ended in it
    /// too.
    pub darknesses: Darknesses,
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
        Self::new(window.loss, window.median())
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
        let darknesses = Darknesses::default();
        let spans = [StateSpan { state: State::Unknown, from: now, edge, darknesses }].into();
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
        if let Some(last) = self.spans.back_mut().filter(|last| last.state == State::Flapping) {
            last.darknesses = last.darknesses.then(change.darknesses);
        }
        let keep = self.spans.partition_point(|span| span.from < change.edge.latest);
        let replaced = self.spans.split_off(keep);
        let is_unknown = |span: &StateSpan| span.state == State::Unknown;
        let begin = match replaced.front().filter(|_| keep == 0) {
            Some(first) if is_unknown(first) => None,
            Some(first) => Some(first.from),
            None => Some(change.edge.latest),
        };
        let known = replaced.iter().skip_while(|span| !is_unknown(span));
        let ends = known.clone().skip(1).map(|span| span.from).chain([change.time]);
        let unknown = known.zip(ends).filter(|(span, _)| is_unknown(span));
        self.begin_state(change, begin, darknesses_in(&replaced));
        for (&span, end) in unknown {
            self.push_span(span);
            self.begin_state(change, Some(end), Darknesses::default());
        }
    }

    /// The state of this change begins at this time, if it is not there already.
    fn begin_state(&mut self, change: &Change, from: Option<Time>, before: Darknesses) {
        if let Some(from) = from
            && self.spans.back().is_none_or(|last| last.state != change.to)
        {
            let darknesses =
                if change.to == State::Flapping { before } else { Darknesses::default() };
            self.push_span(StateSpan { state: change.to, from, edge: change.edge, darknesses });
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

/// The darknesses that ended in these spans.
fn darknesses_in(spans: &VecDeque<StateSpan>) -> Darknesses {
    let pairs = spans.iter().zip(spans.iter().skip(1));
    pairs.filter(|(span, _)| matches!(span.state, State::Down | State::Outage)).fold(
        Darknesses::default(),
        |before, (span, next)| {
            let length = next.from.since(span.from);
            before.then(Darknesses::one(length, span.edge, Some(next.edge)))
        },
    )
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
mod tests;

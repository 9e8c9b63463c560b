//! A timeline in columns, as people see it: each shows the gravest state in it, so that no short
//! outage is hidden.

use crate::{Period, Stretch, Timeline};
use lifesign_core::{
    judge::{PerState, State},
    time::Time,
};
use std::{ops::Range, time::Duration};

/// More columns are no picture any more.
const MOST_COLUMNS: u32 = 120;
/// A column is at least as long as a sample.
const SHORTEST: Duration = Duration::from_secs(60);

/// A period in columns of equal length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// When the first begins.
    pub from: Time,
    /// When the last ends.
    pub to: Time,
    /// How many there are; at least one.
    pub count: usize,
}

impl Columns {
    /// As many as the period has room for, of a page.
    pub fn of(period: Period) -> Self {
        Self::at_most(MOST_COLUMNS, period)
    }

    /// As many as the period has room for, up to so many.
    pub fn at_most(most: u32, (from, to): Period) -> Self {
        let room = to.since(from).as_nanos() / SHORTEST.as_nanos();
        let count = room.clamp(1, u128::from(most)) as usize;
        Self { from, to: to.max(from + Duration::from_secs(1)), count }
    }

    /// The time of all columns.
    pub fn length(&self) -> Duration {
        self.to.since(self.from)
    }

    /// When a column begins.
    pub fn begin(&self, column: usize) -> Time {
        self.from + self.length() * column as u32 / self.count as u32
    }

    /// The columns in which some of this period lies.
    fn of_period(&self, (from, to): Period) -> Range<usize> {
        let place = |time: Time| {
            time.since(self.from).as_secs_f64() / self.length().as_secs_f64() * self.count as f64
        };
        let first = place(from).floor() as usize;
        first.min(self.count)..(place(to).ceil() as usize).clamp(first, self.count)
    }
}

/// What a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The gravest state in it; but flapping where it flapped, unless over half of it was an
    /// outage.
    pub state: State,
    /// There was an outage in its flapping.
    pub has_outage: bool,
    /// Somebody watched; else it is an outage that was there before and had not ended.
    pub is_watched: bool,
}

impl Timeline {
    /// What each column shows; None where nobody watched.
    pub fn columns(&self, columns: &Columns) -> Vec<Option<Column>> {
        let mut times = vec![PerState::<Duration>::default(); columns.count];
        let mut watched = vec![PerState::<bool>::default(); columns.count];
        for Stretch { state, is_watched, period: (from, to) } in
            self.within((columns.from, columns.to))
        {
            let Some(state) = state else { continue };
            for column in columns.of_period((from, to)) {
                let first = columns.begin(column).max(from);
                let time = columns.begin(column + 1).min(to).since(first);
                times[column][state] += time;
                watched[column][state] |= is_watched && !time.is_zero();
            }
        }
        let width = columns.length() / columns.count as u32;
        let shown = times.iter().zip(watched).map(|(time, watched)| {
            let column = column(time, width)?;
            Some(Column { is_watched: watched[column.state], ..column })
        });
        shown.collect()
    }
}

fn column(time: &PerState<Duration>, width: Duration) -> Option<Column> {
    let seen = State::ALL.into_iter().filter(|&state| !time[state].is_zero());
    let gravest = seen.max_by_key(|&state| gravity(state))?;
    let flapped = !time[State::Flapping].is_zero();
    let is_dark = gravest == State::Outage && time[State::Outage] > width / 2;
    let state = if flapped && !is_dark { State::Flapping } else { gravest };
    Some(Column {
        state,
        has_outage: state == State::Flapping && gravest == State::Outage,
        is_watched: true,
    })
}

/// The higher, the worse is what happened: that nothing is known of it is worse than that it is up.
pub const fn gravity(state: State) -> u8 {
    match state {
        State::Up => 0,
        State::Unknown => 1,
        State::Degraded => 2,
        State::Partial => 3,
        State::Down => 4,
        State::Flapping => 5,
        State::Outage => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_flapping_says_that_there_was_an_outage_and_no_short_outage_is_hidden() {
        use State::{Degraded, Flapping, Outage, Unknown, Up};
        let seconds = Duration::from_secs;
        let shown = |times: &[(State, u64)]| {
            let mut all = PerState::<Duration>::default();
            for &(state, time) in times {
                all[state] = seconds(time);
            }
            column(&all, seconds(100)).map(|column| (column.state, column.has_outage))
        };
        assert_eq!(shown(&[]), None);
        assert_eq!(shown(&[(Up, 99), (Outage, 1)]), Some((Outage, false)));
        assert_eq!(shown(&[(Flapping, 60), (Outage, 40)]), Some((Flapping, true)));
        assert_eq!(shown(&[(Flapping, 40), (Outage, 60)]), Some((Outage, false)));
        assert_eq!(shown(&[(Unknown, 99), (Degraded, 1)]), Some((Degraded, false)));
        assert_eq!(shown(&[(Up, 99), (Unknown, 1)]), Some((Unknown, false)));
    }

    #[test]
    fn a_column_of_an_outage_that_nobody_watched_says_so() {
        use crate::fixtures::{at, outage};
        let outage_until = |end| outage("KP", Some(end));
        let mut timeline = Timeline::new([(at(0), at(400))], &[outage_until(300)]);
        timeline.unwatch(at(150), at(400));
        let columns = Columns { from: at(0), to: at(400), count: 4 };
        let shown = |timeline: &Timeline| -> Vec<_> {
            let shown = timeline.columns(&columns).into_iter();
            shown.map(|column| column.map(|column| (column.state, column.is_watched))).collect()
        };
        let outage = |is_watched| Some((State::Outage, is_watched));
        assert_eq!(shown(&timeline), [outage(true), outage(true), outage(false), None]);

        // That it was up was watched, the outage was not.
        let mut timeline = Timeline::new([(at(0), at(400))], &[outage_until(250)]);
        timeline.unwatch(at(100), at(250));
        let up = Some((State::Up, true));
        assert_eq!(shown(&timeline), [outage(true), outage(false), outage(false), up]);
    }

    #[test]
    fn columns_cover_their_period() {
        let at = |minutes: u64| Time::default() + Duration::from_secs(60 * minutes);
        let day = Columns::of((at(0), at(1440)));
        assert_eq!((day.count, day.begin(120)), (120, at(1440)));
        assert_eq!(day.of_period((at(0), at(12))), 0..1);
        assert_eq!(day.of_period((at(11), at(13))), 0..2);
        assert_eq!(day.of_period((at(1439), at(9999))), 119..120);
        assert_eq!(Columns::of((at(5), at(5))).count, 1);
    }
}

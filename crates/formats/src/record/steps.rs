//! Are samples of Prometheus what it has stored, or what `query_range` made of that? It repeats the
//! last sample at each step for five minutes after the scraper died.
//!
//! Exact steps are no mark of it: Prometheus itself writes the times of scrapes that are late by
//! 2 ms or less as if they were not (`--scrape.adjust-timestamps`, on by default). Its mark is that
//! all series of a file stand on one grid, that of the question, while each target is scraped at a
//! moment of its own in the interval. Of fewer than three targets that is sure of whole seconds
//! alone, on which people and programs begin a question: one target in a thousand is scraped there
//! too, and is refused in error. Of others it is not sure, and said.

/// Fewer samples of a series tell nothing.
const FEWEST: usize = 10;
/// So many targets have their scrapes at the same millisecond by chance less than once in a million
/// files.
const TARGETS: usize = 3;

/// The times of one series, in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Series {
    first: u64,
    last: u64,
    count: usize,
    shortest: u64,
    /// The greatest that all times between two samples are multiples of.
    divisor: u64,
}

impl Series {
    pub fn add(&mut self, millis: u64) {
        self.count += 1;
        if self.count == 1 {
            self.first = millis;
        } else {
            let span = millis.saturating_sub(self.last);
            self.shortest = if self.count == 2 { span } else { self.shortest.min(span) };
            self.divisor = common_divisor(self.divisor, span);
        }
        self.last = millis;
    }

    /// How far behind the epoch its grid is, and its step; None if it stands on none.
    fn grid(&self) -> Option<(u64, u64)> {
        let phase = self.first.checked_rem(self.shortest)?;
        (self.shortest == self.divisor).then_some((phase, self.shortest))
    }
}

fn common_divisor(of: u64, and: u64) -> u64 {
    if and == 0 { of } else { common_divisor(and, of % and) }
}

/// The grid on which all series of a file stand so far.
#[derive(Debug, Default)]
pub(super) struct Steps {
    grid: Option<(u64, u64)>,
    targets: Vec<u32>,
    is_uneven: bool,
}

impl Steps {
    /// A series of this target has ended.
    pub fn add(&mut self, target: u32, series: &Series) {
        if series.count < FEWEST || self.is_uneven {
            return;
        }
        let Some(grid) = series.grid() else {
            self.is_uneven = true;
            return;
        };
        self.is_uneven |= *self.grid.get_or_insert(grid) != grid;
        if self.targets.len() < TARGETS && !self.targets.contains(&target) {
            self.targets.push(target);
        }
    }

    /// May they have been? So are many scrapes of one or two targets, too.
    pub fn may_be_made(&self) -> bool {
        !self.is_uneven && self.grid.is_some()
    }

    /// Were these samples made by `query_range`?
    pub fn are_made(&self) -> bool {
        let is_whole = |(phase, step): (u64, u64)| phase % 1000 == 0 && step % 1000 == 0;
        self.may_be_made()
            && self.grid.is_some_and(|grid| is_whole(grid) || self.targets.len() >= TARGETS)
    }
}

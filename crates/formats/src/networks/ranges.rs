//! Ranges that cover all addresses of a family without overlap, each with a number. Where those
//! that are added overlap, the one that begins later counts, which is the longer of two prefixes.

/// An address as a number.
pub(super) trait Bits: Copy + Ord {
    /// None behind the last.
    fn next(self) -> Option<Self>;
}

impl Bits for u32 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

impl Bits for u128 {
    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }
}

/// Where each range begins, ascending, and its number, which counts up to the next. Addresses
/// before the first have 0.
#[derive(Clone, Debug)]
pub(super) struct Ranges<T> {
    starts: Vec<T>,
    numbers: Vec<u32>,
}

impl<T> Default for Ranges<T> {
    fn default() -> Self {
        Self { starts: Vec::new(), numbers: Vec::new() }
    }
}

impl<T: Bits> Ranges<T> {
    pub fn of(&self, address: T) -> u32 {
        let behind = self.starts.partition_point(|&start| start <= address);
        behind.checked_sub(1).map_or(0, |at| self.numbers[at])
    }

    /// How many have a number.
    pub fn len(&self) -> usize {
        self.numbers.iter().filter(|&&number| number > 0).count()
    }

    /// From here on it is this number.
    fn begin(&mut self, start: T, number: u32) {
        if self.starts.last() == Some(&start) {
            self.starts.pop();
            self.numbers.pop();
        }
        if self.numbers.last().copied().unwrap_or(0) != number {
            self.starts.push(start);
            self.numbers.push(number);
        }
    }
}

/// Ranges as they come.
#[derive(Debug)]
pub(super) struct Builder<T> {
    rows: Vec<(T, T)>,
    numbers: Vec<u32>,
}

impl<T> Default for Builder<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), numbers: Vec::new() }
    }
}

impl<T: Bits> Builder<T> {
    /// Adds a range; `end` is its last address.
    pub fn add(&mut self, start: T, end: T, number: u32) {
        self.rows.push((start, end));
        self.numbers.push(number);
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn finish(self) -> Ranges<T> {
        let mut ranges = Ranges::default();
        // Those that are open, the one that counts last.
        let mut open: Vec<(T, u32)> = Vec::new();
        let mut take = |at: usize| {
            let (start, end) = self.rows[at];
            close(&mut open, &mut ranges, Some(start));
            open.push((end, self.numbers[at]));
            ranges.begin(start, self.numbers[at]);
        };
        let is_in_order =
            |one: &(T, T), next: &(T, T)| one.0 < next.0 || (one.0 == next.0 && one.1 >= next.1);
        if self.rows.is_sorted_by(is_in_order) {
            for at in 0..self.rows.len() {
                take(at);
            }
        } else {
            let mut order: Vec<u32> = (0..self.rows.len() as u32).collect();
            order.sort_by_key(|&at| {
                let (start, end) = self.rows[at as usize];
                (start, std::cmp::Reverse(end))
            });
            for at in order {
                take(at as usize);
            }
        }
        close(&mut open, &mut ranges, None);
        ranges.starts.shrink_to_fit();
        ranges.numbers.shrink_to_fit();
        ranges
    }
}

/// Ends those that end before `start`, or all; what they lay in goes on behind them.
fn close<T: Bits>(open: &mut Vec<(T, u32)>, ranges: &mut Ranges<T>, start: Option<T>) {
    while let Some(&(end, _)) = open.last() {
        if start.is_some_and(|start| end >= start) {
            return;
        }
        while open.last().is_some_and(|&(other, _)| other <= end) {
            open.pop();
        }
        if let Some(next) = end.next() {
            ranges.begin(next, open.last().map_or(0, |&(_, number)| number));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIRST: u32 = u32::MAX - 70;

    proptest! {
        #[test]
        fn the_one_that_begins_last_counts(
            rows in prop::collection::vec((0_u32..60, 0_u32..20, 0_u32..4), 0..12),
            is_sorted in any::<bool>(),
        ) {
            let mut rows: Vec<(u32, u32, u32)> = rows
                .into_iter()
                .map(|(start, length, number)| (start, start + length, number))
                .map(|(start, end, number)| (FIRST + start, FIRST + end.min(70), number))
                .collect();
            if is_sorted {
                rows.sort_by_key(|&(start, end, _)| (start, std::cmp::Reverse(end)));
            }
            let mut builder = Builder::default();
            for &(start, end, number) in &rows {
                builder.add(start, end, number);
            }
            let ranges = builder.finish();
            for address in FIRST - 10..=u32::MAX {
                // Of those that begin together the narrowest, of the same the last.
                let best = rows.iter().enumerate()
                    .filter(|(_, (start, end, _))| (*start..=*end).contains(&address))
                    .max_by_key(|(at, (start, end, _))| (*start, std::cmp::Reverse(*end), *at));
                prop_assert_eq!(ranges.of(address), best.map_or(0, |(_, row)| row.2));
            }
        }
    }
}

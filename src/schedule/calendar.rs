//! What is due when. In: things with their times. Out: the same, earliest first, and those of one time in their own
//! order. It never reads a clock.
//!
//! A calendar queue (Brown 1988, doi:10.1145/63039.63045): a few things are simply kept in order; of many, what lies
//! further ahead waits unsorted on the page of its day, and most of it matters no more when that comes. So a timer among
//! thousands costs what one among few does: few ever go through the heap, and that is small.

use crate::clock::Time;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, binary_heap::PeekMut},
    time::Duration,
};

/// Pages of a calendar. What lies beyond the last is kept in order from the beginning.
const PAGES: u64 = 256;
/// So many are a few.
const FEW: usize = 32;

/// Things that are due, each at its time.
#[derive(Debug)]
pub(super) struct Calendar<T> {
    /// In order: everything up to `day`, and all while there are few. The first of all is always here.
    near: BinaryHeap<Reverse<(Time, T)>>,
    /// By day: what is not.
    pages: Vec<Vec<(Time, T)>>,
    /// Room of turned pages, for those to come: most of a calendar is empty, and room for all of it would be wasted.
    blank: Vec<Vec<(Time, T)>>,
    /// How many are on pages.
    later: usize,
    day: u64,
    /// Nanoseconds.
    length: u64,
}

impl<T: Ord> Calendar<T> {
    /// Nothing is due. `most` is how far ahead things mostly lie.
    pub fn new(most: Duration) -> Self {
        let length = (most.as_nanos() as u64).div_ceil(PAGES - 1).max(1);
        let pages = (0..PAGES).map(|_| Vec::new()).collect();
        Self { near: BinaryHeap::new(), pages, blank: Vec::new(), later: 0, day: 0, length }
    }

    /// When the first is due; [`Time::NEVER`] if nothing is.
    pub fn next(&self) -> Time {
        self.near.peek().map_or(Time::NEVER, |first| first.0.0)
    }

    /// One more.
    pub fn push(&mut self, at: Time, thing: T) {
        let day = self.day_of(at);
        if self.later == 0 {
            // Nothing lies on a page, so today may be any day.
            self.day = self.near.peek().map_or(day, |first| self.day_of(first.0.0));
        }
        if self.later == 0 && self.near.len() < FEW || day <= self.day || day - self.day >= PAGES {
            self.near.push(Reverse((at, thing)));
        } else {
            let page = &mut self.pages[(day % PAGES) as usize];
            if page.capacity() == 0 {
                *page = self.blank.pop().unwrap_or_default();
            }
            page.push((at, thing));
            self.later += 1;
        }
    }

    /// The first of all, if it is due by `now`. What does not matter when its day comes is thrown away unsorted.
    pub fn pop(&mut self, now: Time, matters: impl Fn(&T) -> bool) -> Option<(Time, T)> {
        let first = self.near.peek_mut().filter(|first| first.0.0 <= now)?;
        let Reverse(due) = PeekMut::pop(first);
        self.turn(matters);
        Some(due)
    }

    /// Takes everything out, in no order.
    pub fn drain(&mut self) -> impl Iterator<Item = (Time, T)> + '_ {
        self.later = 0;
        let near = self.near.drain().map(|Reverse(entry)| entry);
        near.chain(self.pages.iter_mut().flat_map(|page| page.drain(..)))
    }

    /// Turns pages until the first of all is in order.
    fn turn(&mut self, matters: impl Fn(&T) -> bool) {
        while self.later > 0 && self.day_of(self.next()) > self.day {
            self.day += 1;
            let mut page = std::mem::take(&mut self.pages[(self.day % PAGES) as usize]);
            self.later -= page.len();
            self.near.extend(page.drain(..).filter(|(_, thing)| matters(thing)).map(Reverse));
            if page.capacity() > 0 {
                self.blank.push(page);
            }
        }
    }

    fn day_of(&self, at: Time) -> u64 {
        at.as_nanos() / self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Against a set in order, with times close by, far ahead and long past. What does not matter may come out or
        /// not; what does, comes out when it is due.
        #[test]
        fn the_first_comes_first(
            steps in proptest::collection::vec((0..4u8, 0..2_000u64, any::<bool>()), 1..2_000),
            share in 1..=4usize,
        ) {
            let matters = |number: &usize| number.is_multiple_of(share);
            let mut calendar = Calendar::new(Duration::from_micros(1));
            let (mut toy, mut now) = (BTreeSet::new(), 5_000);
            for (number, (what, span, far)) in steps.into_iter().enumerate() {
                match what {
                    0 | 1 => {
                        let at = Time::from_nanos(now + if far { span * 300 } else { span } - 300);
                        calendar.push(at, number);
                        toy.insert((at, number));
                    }
                    2 => {
                        now += span / 16;
                        while let Some(first) = calendar.pop(Time::from_nanos(now), matters) {
                            prop_assert!(toy.remove(&first));
                            let passed: Vec<_> = toy.range(..first).copied().collect();
                            for gone in passed {
                                prop_assert!(!matters(&gone.1), "{gone:?} comes before {first:?}");
                                toy.remove(&gone);
                            }
                        }
                        let due = toy.iter().find(|&&(at, number)| at.as_nanos() <= now && matters(&number));
                        prop_assert_eq!(due, None);
                    }
                    _ if span < 20 => {
                        let all: BTreeSet<_> = calendar.drain().collect();
                        prop_assert_eq!(calendar.next(), Time::NEVER);
                        prop_assert!(all.is_subset(&toy) && !toy.difference(&all).any(|gone| matters(&gone.1)));
                        for &(at, thing) in &all {
                            calendar.push(at, thing);
                        }
                        toy = all;
                    }
                    _ => {}
                }
                let first = toy.iter().find(|entry| matters(&entry.1)).map_or(Time::NEVER, |first| first.0);
                prop_assert!(calendar.next() <= first);
                prop_assert!(share > 1 || calendar.next() == first);
            }
        }
    }
}

//! Flap detection by a ring of checks, as Nagios and Icinga 2 do it.

use std::collections::VecDeque;

/// A ring of the last checks, the newer the heavier.
#[derive(Clone, Debug)]
pub struct Ring {
    /// Whether each of the last checks changed the state, the oldest first.
    changes: VecDeque<bool>,
    last: bool,
    /// Weight of the oldest change, and how much heavier each newer one is.
    weights: (f64, f64),
    /// Flapping ends at or below the first and begins at or above the second, in percent.
    thresholds: (f64, f64),
    flapping: bool,
}

impl Ring {
    const LENGTH: usize = 20;

    /// Nagios: 21 states and so 20 changes, weights from 0.75 to 1.25 (`base/flapping.c`).
    pub fn nagios(low: f64, high: f64) -> Self {
        Self::new((0.75, 0.5 / 19.0), (low, high))
    }

    /// Icinga 2: weights 0.8 + 0.02 i, thresholds 25 and 30 percent.
    pub fn icinga() -> Self {
        Self::new((0.8, 0.02), (25.0, 30.0))
    }

    fn new(weights: (f64, f64), thresholds: (f64, f64)) -> Self {
        let changes = VecDeque::from(vec![false; Self::LENGTH]);
        Self { changes, last: true, weights, thresholds, flapping: false }
    }

    /// A check found this state: is it flapping now?
    pub fn check(&mut self, ok: bool) -> bool {
        self.changes.pop_front();
        self.changes.push_back(ok != self.last);
        self.last = ok;
        let (first, step) = self.weights;
        let weight = |(index, _): (usize, &bool)| first + step * index as f64;
        let sum: f64 =
            self.changes.iter().enumerate().filter(|(_, changed)| **changed).map(weight).sum();
        let percent = sum / Self::LENGTH as f64 * 100.0;
        if percent <= self.thresholds.0 {
            self.flapping = false;
        } else if percent >= self.thresholds.1 {
            self.flapping = true;
        }
        self.flapping
    }
}

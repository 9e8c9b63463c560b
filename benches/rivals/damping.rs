//! Route flap damping: which routes are suppressed, from the times of their withdrawals.

/// Seconds in which a penalty halves (Cisco).
const HALF_LIFE: f64 = 900.0;
/// Added for each withdrawal.
const WITHDRAWAL: f64 = 1000.0;
/// Suppression ends below this.
const REUSE: f64 = 750.0;

/// The penalty of one route.
#[derive(Clone, Copy, Debug)]
pub struct Penalty {
    value: f64,
    /// Seconds at which it was counted.
    at: f64,
    suppress: f64,
    most: f64,
    suppressed: bool,
}

impl Penalty {
    /// RFC 2439 with Cisco's constants: above 2000, for 60 minutes at most, which is what a cap of
    /// 750 × 2^(60/15) comes to.
    pub fn cisco() -> Self {
        Self { value: 0.0, at: 0.0, suppress: 2000.0, most: 12_000.0, suppressed: false }
    }

    /// RFC 7196: above 6000, with a higher cap.
    pub fn rfc7196() -> Self {
        Self { suppress: 6000.0, most: 50_000.0, ..Self::cisco() }
    }

    /// The route was withdrawn at this time, in seconds.
    pub fn withdraw(&mut self, at: f64) {
        self.decay(at);
        self.value = (self.value + WITHDRAWAL).min(self.most);
        self.suppressed |= self.value > self.suppress;
    }

    /// When suppression ends if nothing more is withdrawn; None if there is none.
    pub fn reusable_at(&self) -> Option<f64> {
        self.suppressed.then(|| self.at + HALF_LIFE * (self.value / REUSE).log2())
    }

    fn decay(&mut self, at: f64) {
        if self.reusable_at().is_some_and(|reuse| reuse <= at) {
            self.suppressed = false;
        }
        self.value *= (-(at - self.at) / HALF_LIFE).exp2();
        self.at = at;
    }
}

//! Trinocular's belief that a block is up, from hits and misses of probes to its ever-active
//! addresses, and how many probes a round may take.

/// Share of packets lost (paper §4.2, "a reasonable but arbitrary value").
const LOSS: f64 = 0.01;
/// Addresses in a block.
const ADDRESSES: f64 = 256.0;
/// Belief is never nearer to certainty than this.
const CAP: f64 = 0.01;
/// A block is down when the belief that it is up is below this, and up above its mirror.
const DOWN: f64 = 0.1;

/// One round, in seconds.
pub const ROUND: f64 = 660.0;
/// One periodic probe and up to 14 adaptive ones.
pub const PROBES: u32 = 15;

/// What is believed of one block.
#[derive(Clone, Copy, Debug)]
pub struct Belief {
    /// Mean share of probes that its ever-active addresses answer while it is up.
    availability: f64,
    up: f64,
}

impl Belief {
    /// A block that is surely up.
    pub fn new(availability: f64) -> Self {
        Self { availability, up: 1.0 - CAP }
    }

    /// Bayes' rule, with `P(hit | down) = (1 - loss) / addresses`.
    pub fn learn(&mut self, hit: bool) {
        let hit_if_up = self.availability;
        let hit_if_down = (1.0 - LOSS) / ADDRESSES;
        let up = self.up * if hit { hit_if_up } else { 1.0 - hit_if_up };
        let down = (1.0 - self.up) * if hit { hit_if_down } else { 1.0 - hit_if_down };
        self.up = (up / (up + down)).clamp(CAP, 1.0 - CAP);
    }

    /// Surely up or surely down; None in between.
    pub fn verdict(&self) -> Option<bool> {
        if self.up > 1.0 - DOWN {
            Some(true)
        } else if self.up < DOWN {
            Some(false)
        } else {
            None
        }
    }

    /// A round's probes are used up without a verdict: nothing is believed any more.
    pub fn exhaust(&mut self) {
        self.up = 0.5;
    }

    /// Probes that a block in the dark gets in a round, so that a return is missed in one case of
    /// five at most; one, in the rounds in which it backs off.
    pub fn recovery_probes(&self, rounds_down: u32) -> u32 {
        let eligible = rounds_down <= 4 || rounds_down == 8 || rounds_down.is_multiple_of(16);
        let missed = (1.0 - self.availability).max(1e-9);
        if eligible { ((0.2_f64.ln() / missed.ln()).ceil() as u32).clamp(1, PROBES) } else { 1 }
    }
}

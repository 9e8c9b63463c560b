//! Bursts of loss: a Gilbert–Elliott channel, one for each country's upstream.

use super::{BurstLoss, Scenario};
use lifesign_core::{rng::Rng, time::Time};
use std::time::Duration;

/// A channel that is now good, now bad; its own rng, so that no probe changes its course.
#[derive(Clone, Debug)]
pub(super) struct BurstChannel {
    rng: Rng,
    bad: bool,
    until: Time,
}

impl BurstChannel {
    pub fn new(scenario: &Scenario, seed: u64, country: u32) -> Self {
        let mut rng = Rng::new(seed ^ (0xb0_0515 + u64::from(country)));
        let until = scenario.normal.bursts.map_or(Time::NEVER, |bursts| {
            scenario.start + Duration::from_secs_f64(rng.exponential(bursts.mean_interval))
        });
        Self { rng, bad: false, until }
    }

    /// The loss at this time; times that go back a little see the newest.
    pub fn loss(&mut self, bursts: BurstLoss, time: Time) -> f64 {
        while self.until <= time {
            self.bad = !self.bad;
            let mean = if self.bad { bursts.mean_length } else { bursts.mean_interval };
            self.until = self.until + Duration::from_secs_f64(self.rng.exponential(mean));
        }
        if self.bad { bursts.loss } else { 0.0 }
    }
}

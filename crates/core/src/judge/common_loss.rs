//! The loss that the hosts of a scope have in common, beyond each one's own, while it is alive.

use super::{rules, target_state::either};

/// What is learned of it.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct CommonLoss {
    rates: MissRates,
    /// What it was before a router was found to let few answers through.
    without_limit: Option<MissRates>,
}

#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct MissRates {
    recent: f32,
    /// The same with a longer memory.
    steady: f32,
    /// Outcomes that they are learned from.
    observed: u16,
}

impl Default for CommonLoss {
    fn default() -> Self {
        let rate = rules::MIN_MISS_RATE;
        let rates = MissRates { recent: rate, steady: rate, observed: 0 };
        Self { rates, without_limit: None }
    }
}

impl CommonLoss {
    pub fn rate(&self) -> f32 {
        let MissRates { recent, steady, .. } = self.rates;
        recent.max(steady * rules::STEADY_MARGIN).min(rules::MAX_MISS_RATE)
    }

    /// Learns from an outcome while the scope was alive; `own` is the host's own miss rate. What
    /// that does not explain of a miss is the scope's.
    pub fn learn(&mut self, miss: Option<f32>) {
        let common = self.rate();
        self.rates.learn(match miss {
            Some(own) => common / either(own, common),
            None => rules::MIN_MISS_RATE,
        });
    }

    /// Learns that few answers are let through.
    pub fn learn_limit(&mut self) {
        self.without_limit.get_or_insert(self.rates);
        for _ in 0..rules::LIMITED_LESSONS {
            self.rates.learn(1.0);
        }
    }

    pub fn is_limited(&self) -> bool {
        self.without_limit.is_some()
    }

    /// There was no limit: what was learned since it was found is forgotten.
    pub fn forget_limit(&mut self) {
        self.rates = self.without_limit.take().unwrap_or(self.rates);
    }

    /// Can it be so? What was read from a file may say anything.
    pub fn is_consistent(&self) -> bool {
        let all = [Some(self.rates), self.without_limit];
        let mut rates = all.into_iter().flatten().flat_map(|one| [one.recent, one.steady]);
        rates.all(|rate| rules::SHARE.contains(&rate))
    }
}

impl MissRates {
    fn learn(&mut self, sample: f32) {
        if self.observed == 0 {
            self.recent = rules::INITIAL_COMMON_MISS_RATE;
        }
        self.observed = self.observed.saturating_add(1);
        let memory = (f32::from(self.observed) + 1.0).min(rules::SCOPE_MEMORY);
        self.recent += (sample - self.recent) / memory;
        self.steady += (sample - self.steady) / rules::STEADY_MEMORY;
    }
}

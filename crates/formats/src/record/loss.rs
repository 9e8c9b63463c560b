//! A ratio of losses, which is of the last few probes: what each sample of it says of the newest.

/// Further from each other two samples say nothing of how often a probe is sent.
const FURTHEST: usize = 8;

/// How many samples are read for one probe, where a prober is read more often than it asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Rises {
    ratio: Option<f64>,
    /// Since the last rise, if the ratio did not fall behind it.
    samples: Option<usize>,
    /// By samples from one rise to the next.
    counts: [u32; FURTHEST],
}

impl Rises {
    pub fn add(&mut self, ratio: f64) {
        let Some(before) = self.ratio.replace(ratio) else { return };
        let samples = self.samples.take().map(|samples| samples + 1);
        if ratio == before {
            self.samples = samples;
        } else if ratio > before {
            if let Some(count) = samples.and_then(|samples| self.counts.get_mut(samples - 1)) {
                *count = count.saturating_add(1);
            }
            self.samples = Some(0);
        }
    }

    /// The fewest between two rises of which there are some: 1 if each sample may be of a probe of
    /// its own.
    pub fn samples_of_one(&self) -> u32 {
        let all: u64 = self.counts.iter().map(|&count| u64::from(count)).sum();
        let is_usual = |&count: &u32| count > 0 && u64::from(count) * 10 >= all;
        self.counts.iter().position(is_usual).map_or(1, |samples| samples as u32 + 1)
    }
}

/// What is known of a ratio of losses, and the probes that it stands for.
#[derive(Default)]
pub(super) struct Loss {
    ratio: Option<f64>,
    has_risen: bool,
    /// Samples since the ratio changed.
    stays: u32,
    /// What of a ratio that stays is not told yet, in probes.
    untold: f64,
    pub sent: u64,
    pub answered: u64,
}

impl Loss {
    /// Takes in a sample; true if it says something of a probe. Where the ratio rises the newest
    /// was lost, where it falls it was not, and where it stays, that share of the probes was. Soon
    /// after a rise there may be no newer one than that.
    pub fn add(&mut self, ratio: f64, samples_of_one: u32) -> bool {
        let Some(before) = self.ratio.replace(ratio) else { return true };
        let is_lost = if before == ratio {
            self.stays = self.stays.saturating_add(1);
            let is_old = self.has_risen && ratio < 1.0 && self.stays <= samples_of_one;
            if is_old || !self.stays.is_multiple_of(samples_of_one) {
                return false;
            }
            self.untold += ratio;
            let is_lost = self.untold >= 1.0;
            self.untold -= f64::from(u8::from(is_lost));
            is_lost
        } else {
            (self.untold, self.stays) = (0.0, 0);
            self.has_risen = ratio > before;
            self.has_risen
        };
        self.sent += 1;
        self.answered += u64::from(!is_lost);
        true
    }
}

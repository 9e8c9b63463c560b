//! How often a target was asked, from the times between its samples.

use lifesign_core::time::Time;
use std::{collections::BTreeMap, time::Duration};

/// Of the times between two samples, this share is no longer than the interval: the rest are
/// samples that are missing, and times in which nobody watched.
const SHARE: f64 = 0.9;
/// A plan's interval is no shorter and no longer.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The times between the samples of one target.
#[derive(Clone, Debug, Default)]
pub(super) struct Cadence {
    newest: Option<Time>,
    /// Times between samples, in milliseconds, by classes an eighth of an octave wide: how many,
    /// and their sum.
    spans: BTreeMap<u16, (u64, u64)>,
}

impl Cadence {
    /// There is a sample of this time. One that is no newer than another says nothing: files may
    /// tell the same samples again, or backwards.
    pub fn add(&mut self, at: Time) {
        if let Some(newest) = self.newest.filter(|&newest| newest < at) {
            let millis = at.since(newest).as_millis() as u64;
            let (count, sum) = self.spans.entry(class(millis)).or_default();
            *count += 1;
            *sum += millis;
        }
        self.newest = self.newest.max(Some(at));
    }

    /// How long usually passes between two samples; None of fewer than two.
    pub fn interval(&self) -> Option<Duration> {
        let all: u64 = self.spans.values().map(|(count, _)| count).sum();
        let mut passed = 0;
        let usual = self.spans.values().find(|(count, _)| {
            passed += count;
            passed as f64 >= all as f64 * SHARE
        });
        let (count, sum) = usual?;
        let mean = Duration::from_millis(sum / count);
        let step = Duration::from_millis(if mean < Duration::from_secs(5) { 10 } else { 1000 });
        let steps = (mean.as_secs_f64() / step.as_secs_f64()).round() as u32;
        Some((step * steps).clamp(SHORTEST, LONGEST))
    }
}

fn class(millis: u64) -> u16 {
    let octave = 64 - millis.leading_zeros();
    let eighth = if octave > 4 { millis >> (octave - 4) & 7 } else { millis & 7 };
    (octave * 8) as u16 + eighth as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(spans: &[(u64, usize)]) -> Option<Duration> {
        let mut at = Time::from_nanos(1_795_633_778_369_000_000);
        let mut cadence = Cadence::default();
        cadence.add(at);
        for &(millis, count) in spans {
            for _ in 0..count {
                at = at + Duration::from_millis(millis);
                cadence.add(at);
            }
        }
        cadence.interval()
    }

    #[test]
    fn an_interval_is_what_most_samples_keep_to() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(interval(&[]), None);
        assert_eq!(interval(&[(15_000, 40), (30_000, 2), (900_000, 1)]), seconds(15));
        assert_eq!(interval(&[(14_998, 40), (15_003, 40)]), seconds(15));
        assert_eq!(interval(&[(15_000, 400), (60_000, 100)]), seconds(60), "the longer of two");
        assert_eq!(interval(&[(240_000, 50)]), seconds(240));
        assert_eq!(interval(&[(500, 50)]), Some(Duration::from_millis(500)));
        assert_eq!(interval(&[(1, 50)]), Some(SHORTEST));
        assert_eq!(interval(&[(1_000, 2), (238_000, 1), (1_000, 2), (238_000, 1)]), seconds(238));
    }
}

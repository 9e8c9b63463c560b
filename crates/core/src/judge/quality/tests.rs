//! Loss and round-trip times that rise, fall and drift.

use super::*;
use crate::rng::Rng;
use std::time::Duration;

fn degraded_probes(
    quality: &mut Quality,
    (rng, now): &mut (Rng, Time),
    loss: f64,
    slowdown: f32,
    probes: u32,
) -> u32 {
    (0..probes)
        .filter(|_| {
            let missed = rng.chance(loss);
            if !missed {
                quality.record_answer(slowdown);
            }
            *now = *now + Duration::from_secs(1);
            quality.learn_outcome(missed, *now);
            quality.is_degraded()
        })
        .count() as u32
}

#[test]
fn steady_loss_is_normal_a_rise_is_not_and_neither_is_a_slowdown() {
    for steady in [0.0, 0.05, 0.2, 0.4] {
        let mut quality = Quality::default();
        let mut rng = (Rng::new(7), Time::from_nanos(1));
        let false_alarms = degraded_probes(&mut quality, &mut rng, steady, 0.0, 100_000);
        assert_eq!(false_alarms, 0, "{steady}: {false_alarms}");
        let degraded = degraded_probes(&mut quality, &mut rng, steady + 0.4, 0.0, 300);
        assert!(degraded > 150, "{steady}: {degraded}");
        degraded_probes(&mut quality, &mut rng, steady, 0.0, 1000);
        assert!(!quality.is_degraded(), "{steady}");
        assert!(degraded_probes(&mut quality, &mut rng, steady, 1.5, 300) > 150, "{steady}");
    }
}

//! A snapshot in the place of an older one is the same as a new one.

use crate::{
    fixtures::{of_sizes, start},
    judge::State,
    outcome::{Event, Found},
    rng::Rng,
    watch::{Settings, Snapshot, Watch},
};
use std::{sync::Arc, time::Duration};

#[test]
fn what_is_renewed_is_as_what_is_new_and_what_has_not_changed_is_still_shared() {
    let mut rng = Rng::new(1);
    let settings = Settings { histograms: true, ..Settings::default() };
    let mut watch = Watch::new(of_sizes(&[vec![2, 3], vec![1]]).into(), &settings, start());
    let mut last: Option<Snapshot> = None;
    let mut before = None;
    let (mut shared, mut is_out) = (0, false);
    for second in 1..1200 {
        let now = start() + Duration::from_secs(second);
        // The first country is dark for a while.
        let is_dark = (300..600).contains(&second);
        watch.handle_timeout(now, now);
        while let Some(due) = watch.poll_probe(now) {
            let rtt = Duration::from_millis(rng.below(200) as u64);
            let is_missed = is_dark && due.target.0 < 5 || rng.chance(0.05);
            if !is_missed {
                let found = Found::Refused { rtt };
                watch.handle_event(now, &Event::Outcome(due.outcome(now, found)));
            }
        }
        while watch.poll_change().is_some() {}
        let newest = watch.renew_snapshot(before.take(), now, 0, second);
        let fresh = watch.snapshot(now, 0, second);
        assert_eq!(newest.scopes, fresh.scopes, "second {second}");
        assert_eq!(newest.kinds, fresh.kinds, "second {second}");
        assert_eq!(newest.return_paths, fresh.return_paths, "second {second}");
        assert_eq!(newest.reasons, fresh.reasons, "second {second}");
        assert_eq!((newest.time, newest.receive_drops), (now, second));
        if let Some(last) = &last {
            let pairs = newest.scopes.iter().zip(&last.scopes);
            shared += pairs.filter(|(new, old)| Arc::ptr_eq(&new.history, &old.history)).count();
        }
        is_out |= newest.scopes.iter().any(|scope| scope.verdict.state == State::Outage);
        before = last.replace(newest);
    }
    assert!(shared > 5000 && is_out, "{shared}");
}

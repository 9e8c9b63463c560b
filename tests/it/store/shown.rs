//! The page of the next run shows what this one showed: what the store keeps of it is enough.

use crate::support::{
    TempDir,
    dark_periods::{any_dark, at, records, scopes, settings},
    roster::of_sizes,
};
use lifesign_core::{
    judge::State,
    scopes::{CountryId, Roster, Scope},
    time::{Time, WallOffset},
    watch::{EventRecord, History, Watch},
};
use lifesign_store::{PreviousRun, Store};
use proptest::prelude::*;
use std::{iter::from_fn, path::Path, sync::Arc, thread, time::Duration};

const END: f64 = 600.0;

/// What was shown at this moment. A darkness that became an outage is one in the store from its
/// begin.
fn shown(history: &History, at: Time) -> Option<State> {
    let state =
        history.state_spans().take_while(|span| span.from <= at).last().map(|span| span.state);
    if state == Some(State::Down) { Some(State::Outage) } else { state }
}

/// A run that writes in this directory what it sees.
fn seen(directory: &Path, roster: &Arc<Roster>, records: &[EventRecord]) -> Watch {
    let (mut store, _) = Store::open(directory, "test", at(0.0)).expect("a thread");
    let mut watch = Watch::new(roster.clone(), &settings(), at(0.0));
    store.resume(PreviousRun::default(), false, roster, at(0.0), WallOffset::default());
    for record in records {
        watch.replay(record);
        let changes: Vec<_> = from_fn(|| watch.poll_change()).collect();
        let snapshot = watch.snapshot(record.seen, WallOffset::default(), 0);
        store.handle_changes(&changes, &snapshot, &watch);
    }
    assert_eq!(store.view().lost, 0);
    store.finish(&watch, at(END), WallOffset::default());
    watch
}

/// What the page of the next run shows of the one before.
fn recalled(directory: &Path, roster: &Arc<Roster>, now: f64) -> Watch {
    let (store, _) = Store::open(directory, "test", at(now)).expect("a thread");
    let mut watch = Watch::new(roster.clone(), &settings(), at(now));
    for _ in 0..2000 {
        store.restore_history(&mut watch);
        if watch.history(Scope::Country(CountryId(0))).state_spans().count() > 1 {
            return watch;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("nothing was read within 20 s");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn the_next_run_shows_what_this_one_showed(
        dark in any_dark(),
        blind in proptest::option::of(80.0..400.0_f64),
        loss in 0.0..0.2_f64,
    ) {
        let directory = TempDir::new("shown");
        let roster = Arc::new(of_sizes(&[&[5, 5, 5, 4]]));
        let blind = blind.map(|from| from..from + 60.0);
        let records = records(&roster, &dark, blind.as_ref(), loss, 0.0..END);
        let mut before = seen(&directory, &roster, &records);
        let mut after = recalled(&directory, &roster, 700.0);
        drop(directory);
        for scope in scopes(&roster) {
            let live = before.history(scope).clone();
            let told = after.history(scope).clone();
            let mut unsure = 0;
            let mut other = 0;
            for second in 60..600 {
                let now = at(f64::from(second));
                let pair = [shown(&live, now), shown(&told, now)];
                let differs = u32::from(pair[0] != pair[1]);
                if pair.contains(&Some(State::Unknown)) {
                    unsure += differs;
                } else {
                    other += differs;
                }
            }
            // After blindness the store knows that it is still dark from the first word on it, not
            // from the last.
            prop_assert!(
                unsure <= 60 && other <= 10,
                "{:?}: {} s, {} s\n{:#?}\n{:#?}",
                scope,
                unsure,
                other,
                live,
                told
            );
            for second in [601.0, 699.0] {
                prop_assert_eq!(shown(&told, at(second)), Some(State::Unknown));
            }
        }
    }
}

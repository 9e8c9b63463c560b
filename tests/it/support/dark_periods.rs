//! Worlds in which blocks go dark, as the records of a watch, in virtual time.

use lifesign_core::{
    outcome::{ControlOutcome, Event, Found, Outcome},
    rng::Rng,
    scopes::{Roster, Scope, TargetId},
    time::Time,
    watch::{EventRecord, Settings},
};
use proptest::prelude::*;
use std::{ops::Range, time::Duration};

const RTT: Duration = Duration::from_millis(120);

/// Begin and end, in seconds.
pub type Period = Range<f64>;

/// So many seconds after the worlds begin.
pub fn at(seconds: f64) -> Time {
    "2014-12-22T16:15:00Z".parse::<Time>().expect("a time") + Duration::from_secs_f64(seconds)
}

/// The settings of a watch over these worlds: they have one control.
pub fn settings() -> Settings {
    Settings { controls: vec!["127.0.0.1".parse().expect("an address")], ..Settings::default() }
}

/// Every block and every country.
pub fn scopes(roster: &Roster) -> Vec<Scope> {
    roster.scope_ids().map(|id| roster.scope(id)).collect()
}

/// In which periods each of four blocks is dark. In half of all worlds, all of them are dark for
/// one period more.
pub fn any_dark() -> impl Strategy<Value = Vec<Vec<Period>>> {
    let period = (60.0..300.0, 10.0..200.0).prop_map(|(from, long): (f64, f64)| from..from + long);
    let blocks = proptest::collection::vec(proptest::collection::vec(period, 0..4), 4);
    (blocks, proptest::option::of(80.0..280.0_f64)).prop_map(|(mut blocks, all)| {
        for periods in &mut blocks {
            periods.extend(all.map(|from| from..from + 150.0));
        }
        blocks
    })
}

/// What happens within `span`: each target is asked in turn, four questions a second. A block is
/// dark in each of its periods, the control is silent while it is `blind`, and of all other answers
/// the share `loss` is lost.
pub fn records(
    roster: &Roster,
    dark: &[Vec<Period>],
    blind: Option<&Period>,
    loss: f64,
    span: Period,
) -> Vec<EventRecord> {
    let mut records = Vec::new();
    let mut rng = Rng::new(span.start as u64);
    let mut seqs = vec![0; roster.targets.len()];
    let mut record = |seen: f64, event| {
        if seen < span.end {
            records.push(EventRecord { seen: at(seen), event, was_overdue: false });
        }
    };
    for step in (span.start * 4.0) as u32..(span.end * 4.0) as u32 {
        let now = f64::from(step) / 4.0;
        if step.is_multiple_of(4) {
            let answered = !blind.is_some_and(|blind| blind.contains(&now));
            let control = ControlOutcome { control: 0, sent: at(now), answered };
            record(now + 0.02, Event::Control(control));
        }
        // A step that no number of targets divides, so that blocks take turns.
        let id = (step as usize * 7) % roster.targets.len();
        let periods = &dark[roster.targets[id].block.0 as usize];
        let gone = periods.iter().any(|dark| dark.contains(&now)) || rng.chance(loss);
        let (found, after) = if gone {
            (Found::Overdue, 1.0)
        } else {
            (Found::Reply { rtt: RTT, rcode: None, unexpected: false }, RTT.as_secs_f64())
        };
        let target = TargetId(id as u32);
        let outcome =
            Outcome { target, seq: seqs[id], sent: at(now), trap: false, found, hop_limit: None };
        seqs[id] += 1;
        record(now + after, Event::Outcome(outcome));
    }
    records.sort_by_key(|record| record.seen);
    records
}

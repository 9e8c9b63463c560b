//! One probe by a prober, and what it reports.

use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{Due, Event, Found, Outcome, Repeat},
    scopes::TargetId,
};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

/// The probe that all of these are about, due now.
pub fn due(clock: Clock, trap: bool) -> Due {
    Due {
        target: TargetId(3),
        seq: 9,
        sent: clock.now(),
        patience: Duration::from_secs(1),
        trap,
        repeat: Repeat::Never,
    }
}

/// Everything that one probe reports; the channel closes when its task ends.
pub async fn all(mut events: UnboundedReceiver<Event>) -> Vec<Event> {
    let mut heard = Vec::new();
    while let Some(event) = events.recv().await {
        heard.push(event);
    }
    heard
}

/// What became of it, report by report.
pub fn found(events: &[Event]) -> Vec<Found> {
    let outcome = |event: &Event| match event {
        Event::Outcome(Outcome { target: TargetId(3), seq: 9, found, .. }) => *found,
        other => panic!("no outcome of our probe: {other:?}"),
    };
    events.iter().map(outcome).collect()
}

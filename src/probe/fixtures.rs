//! What the tests of several probers share.

use lifesign_core::{
    outcome::{Due, Repeat},
    scopes::TargetId,
    time::Time,
};
use std::time::Duration;

/// A probe of the first target.
pub(super) fn due(seq: u32, sent: Time) -> Due {
    let patience = Duration::from_secs(1);
    Due { target: TargetId(0), seq, sent, patience, trap: false, repeat: Repeat::Never }
}

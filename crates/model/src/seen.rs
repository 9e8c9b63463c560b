//! What is seen at one moment of a plan, of its controls and of the hosts of a scope.

use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Which plan is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanView {
    /// Since when this plan has been watched.
    pub since: Time,
    /// A newer one was read, but was wrong.
    pub refused: bool,
}

/// How often a control was asked, and whether it answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ControlView {
    /// The control's address, as the plan has it.
    pub address: IpAddr,
    /// How often it was asked.
    pub asked: u64,
    /// How often it did not answer.
    pub silent: u64,
    /// Did it answer last time?
    pub up: bool,
}

/// How many of a scope's hosts answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostCounts {
    /// That answer now.
    pub now: u32,
    /// That usually answer.
    pub usual: u32,
    /// That the plan lists.
    pub listed: u32,
}

impl HostCounts {
    /// The share of the usual hosts that answers now; None if none usually does.
    pub fn share(self) -> Option<f64> {
        (self.usual > 0).then(|| f64::from(self.now) / f64::from(self.usual))
    }
}

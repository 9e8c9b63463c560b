//! Verdicts as lifesign tells them on standard output.

use lifesign_core::time::Time;
use std::time::Duration;

/// A verdict line as people read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub time: Time,
    /// `KP`, or `KP 127.45.176.0/24`.
    pub scope: String,
    pub from: String,
    pub to: String,
    pub earliest: Option<Time>,
    pub latest: Time,
    pub evidence: String,
}

impl Verdict {
    /// The verdict in this line, if it is one.
    pub fn read(line: &str) -> Option<Self> {
        let (left, right) = line.split_once(" → ")?;
        let (time, left) = left.split_once(' ')?;
        let (scope, from) = left.rsplit_once(' ')?;
        let (to, right) = right.split_once(", since ")?;
        let (since, evidence) = right.split_once(": ")?;
        let (earliest, latest) = match since.strip_prefix("between ") {
            Some(since) => {
                let (earliest, latest) = since.split_once(" and ")?;
                (Some(earliest.parse().ok()?), latest)
            }
            None => (None, since.strip_prefix("before ")?),
        };
        Some(Self {
            time: time.parse().ok()?,
            scope: scope.into(),
            from: from.into(),
            to: to.into(),
            earliest,
            latest: latest.parse().ok()?,
            evidence: evidence.into(),
        })
    }

    /// Did the change lie in its edge, if it happened between these two moments? Times are written
    /// to the millisecond.
    pub fn covers(&self, before: Time, after: Time) -> bool {
        let rounding = Duration::from_millis(1);
        self.earliest.is_none_or(|earliest| earliest <= after + rounding)
            && self.latest + rounding >= before
    }
}

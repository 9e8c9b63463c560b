//! The whole core in virtual time, in small worlds of its own.

use super::{Record, Settings, Snapshot, TargetView, Watch};

mod counts;
mod halts;
mod recall;
mod replan;
mod verdicts;

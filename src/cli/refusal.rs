//! Why a command ends before it has done what it was asked for.

use super::{
    exit,
    output::wait_if_ended,
    stderr::{print_error, shown},
};
use crate::daemon::Failure;
use lifesign_document::Problems;
use lifesign_store::{DirectoryError, StoreError};
use std::fmt::Display;

/// What is said on standard error, and the exit code.
pub(super) struct Refusal {
    text: String,
    code: u8,
}

impl Refusal {
    /// The whole line that is said.
    pub fn new(text: impl Into<String>, code: u8) -> Self {
        Self { text: text.into(), code }
    }

    /// The same after our name.
    pub fn of_us(why: impl Display, code: u8) -> Self {
        Self::new(format!("lifesign: {why}"), code)
    }

    /// What is read is not as it should be, or not there.
    pub fn data(why: impl Display) -> Self {
        Self::of_us(why, exit::DATA)
    }

    /// What is asked for cannot be written.
    pub fn cannot_create(why: impl Display) -> Self {
        Self::of_us(why, exit::CANNOT_CREATE)
    }

    /// A file of data that was given is wrong.
    pub fn of_data(problems: &Problems) -> Self {
        Self::new(problems.to_string(), exit::DATA)
    }

    /// A plan that was given is wrong, or a file that it names.
    pub fn of_plan(problems: &Problems) -> Self {
        Self::new(problems.to_string(), exit::CONFIG)
    }

    /// Why, without our name.
    pub fn text(&self) -> String {
        shown(self.text.trim_start_matches("lifesign: "))
    }

    /// Says it; returns the exit code.
    pub fn tell(self) -> u8 {
        wait_if_ended();
        print_error(&self.text);
        self.code
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::data(format!("cannot read the store: {error}"))
    }
}

/// Why nothing can be kept in a state directory.
impl From<DirectoryError> for Refusal {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::InUse(_) => Self::of_us(error, exit::UNAVAILABLE),
            DirectoryError::HasStore(_)
            | DirectoryError::Played(_)
            | DirectoryError::Store { .. } => Self::cannot_create(error),
        }
    }
}

/// Why there is no run.
impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            _ if failure.is_denied() => Self::of_us(failure, exit::PERMISSION),
            Failure::Web(_) => Self::new(failure.to_string(), exit::CONFIG),
            Failure::Listen(_) => Self::of_us(failure, exit::UNAVAILABLE),
            Failure::Directory(error) => Self::from(error),
            Failure::Journal { .. } => Self::cannot_create(failure),
            Failure::Ended(_) | Failure::System(_) => Self::of_us(failure, exit::SOFTWARE),
        }
    }
}

//! Why a command ends before it has done what it was asked for.

use super::{exit, output::wait_if_ended, stderr::print_error};
use lifesign_document::Problems;
use lifesign_store::StoreError;

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

    /// What was asked for contradicts itself.
    pub fn usage(why: &str) -> Self {
        Self::new(format!("lifesign: {why}"), exit::USAGE)
    }

    /// A file of data that was given is wrong.
    pub fn of_data(problems: &Problems) -> Self {
        Self::new(problems.to_string(), exit::DATA)
    }

    /// A plan that was given is wrong, or a file that it names.
    pub fn of_plan(problems: &Problems) -> Self {
        Self::new(problems.to_string(), exit::CONFIG)
    }

    /// Says it; returns the exit code.
    pub fn tell(self) -> u8 {
        wait_if_ended();
        print_error(&self.text);
        self.code
    }
}

/// What is read is not as it should be, or not there.
impl From<String> for Refusal {
    fn from(why: String) -> Self {
        Self::new(format!("lifesign: {why}"), exit::DATA)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::from(format!("cannot read the store: {error}"))
    }
}

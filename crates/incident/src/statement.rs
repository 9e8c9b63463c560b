//! What others say of a country, beside what we do.

use lifesign_core::time::Time;

/// That somebody said there was an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Statement {
    /// Who says so, such as `IODA bgp`.
    pub who: String,
    /// Of which country, by its code; None if they did not say.
    pub country: Option<String>,
    /// When it began.
    pub begin: Time,
    /// When it ended; None if it had not.
    pub end: Option<Time>,
    /// In their words; may be empty.
    pub what: String,
}

impl Statement {
    /// May it be of the country with this code, in whatever letters? It is if it names none.
    pub fn is_of(&self, country: &str) -> bool {
        self.country.as_ref().is_none_or(|code| code.eq_ignore_ascii_case(country))
    }
}

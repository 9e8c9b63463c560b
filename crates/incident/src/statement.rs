//! What others say of a country, beside what we do.

use crate::story::time_text;
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
    /// When it ended; None if they told no end.
    pub end: Option<Time>,
    /// In their words; may be empty.
    pub what: String,
}

impl Statement {
    /// May it be of the country with this code, in whatever letters? It is if it names none.
    pub fn is_of(&self, country: &str) -> bool {
        self.country.as_ref().is_none_or(|code| code.eq_ignore_ascii_case(country))
    }

    /// From when to when, and what they say, in UTC: `2014-12-22 16:15:00 to 2014-12-23 01:46:00`.
    pub fn told(&self) -> String {
        let end = self.end.map_or(", no end told".into(), |end| format!(" to {}", time_text(end)));
        let what = if self.what.is_empty() { "" } else { ": " };
        format!("{}{end}{what}{}", time_text(self.begin), self.what)
    }
}

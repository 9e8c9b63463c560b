//! What scopes are called in the store, where one text must name one scope: by their full name in
//! the roster. Who asks for a name that is none is told of those that are.

use super::reader::StoreReader;
use lifesign_document::by_likeness;
use std::fmt::Write as _;

/// How many countries and other scopes are told.
const MOST_COUNTRIES: usize = 10;
const MOST_NEAREST: usize = 3;

impl StoreReader {
    /// The scope of this name, in whatever case. The error says what the store knows instead.
    pub fn scope(&self, name: &str) -> Result<String, String> {
        let columns = ["country.code", "episode.country", "episode.scope", "sample.scope"];
        self.named(&columns, name)
    }

    /// The country of this code, in whatever case. The error says what the store knows instead.
    pub fn country(&self, code: &str) -> Result<String, String> {
        self.named(&["country.code", "episode.country", "sample.country"], code)
    }

    fn named(&self, columns: &[&str], name: &str) -> Result<String, String> {
        let found = self.find(columns, name).map_err(|error| error.to_string())?;
        found.ok_or_else(|| self.nothing_of(name).unwrap_or_else(|error| error.to_string()))
    }

    /// That there is nothing of this name; which countries there are, and the names nearest to it.
    fn nothing_of(&self, name: &str) -> rusqlite::Result<String> {
        let countries = by_likeness(name, self.countries()?);
        if countries.is_empty() {
            return Ok(format!("nothing is known of {name:?}, nor of anything else yet"));
        }
        let (told, more) = countries.split_at(MOST_COUNTRIES.min(countries.len()));
        let mut text = format!("nothing is known of {name:?}; there are {}", told.join(", "));
        if !more.is_empty() {
            let _ = write!(text, " and {} more", more.len());
        }
        let parts = self.scopes()?.into_iter().filter(|scope| !countries.contains(scope));
        let nearest = by_likeness(name, parts);
        if !nearest.is_empty() {
            let told = &nearest[..MOST_NEAREST.min(nearest.len())];
            let _ = write!(text, "; of what is in them, the nearest are {}", told.join(", "));
        }
        Ok(text)
    }
}

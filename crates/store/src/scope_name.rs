//! What scopes are called in the store, where one text must name one scope: by their full name in
//! the roster. Who asks for a name that is none is told of those that are.

use super::reader::StoreReader;
use lifesign_document::by_likeness;
use std::fmt::Write as _;

/// How many countries and other scopes are told.
const MOST_COUNTRIES: usize = 10;
const MOST_NEAREST: usize = 3;

/// Why there is no scope of a name.
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    /// There is none; and what there is instead.
    #[error("{0}")]
    Unknown(String),
    /// The store cannot be read.
    #[error("{0}")]
    Unreadable(#[from] rusqlite::Error),
}

impl StoreReader {
    /// The scope of this name, in whatever case. The error says what the store knows instead.
    pub fn scope(&self, name: &str) -> Result<String, ScopeError> {
        let columns = ["country.code", "episode.country", "episode.scope", "sample.scope"];
        self.find(&columns, name)?.map_or_else(|| Err(self.nothing_of(name)?), Ok)
    }

    /// The country of this code, in whatever case. The error says what the store knows instead; of
    /// what lies in a country, which that is.
    pub fn country(&self, code: &str) -> Result<String, ScopeError> {
        let columns = ["country.code", "episode.country", "sample.country"];
        self.find(&columns, code)?.map_or_else(|| Err(self.no_country(code)?), Ok)
    }

    fn no_country(&self, name: &str) -> rusqlite::Result<ScopeError> {
        let lies_in = |scope: &str, country: &str| {
            ScopeError::Unknown(format!(
                "{scope} lies in {country}, and reports are of countries: ask for {country}"
            ))
        };
        if let Some(scope) = self.find(&["episode.scope", "sample.scope"], name)?
            && let Some(country) = self.country_of_any(&scope)?
        {
            return Ok(lies_in(&scope, &country));
        }
        let asns = self.remarks()?.asns;
        let network = asns.iter().find(|(_, asn)| name.eq_ignore_ascii_case(&format!("as{asn}")));
        match network.and_then(|(network, _)| network.split_once('/')) {
            Some((country, network)) => Ok(lies_in(&format!("{network} ({name})"), country)),
            None => self.nothing_of(name),
        }
    }

    /// That there is nothing of this name; which countries there are, and the names nearest to it.
    fn nothing_of(&self, name: &str) -> rusqlite::Result<ScopeError> {
        let countries = by_likeness(name, self.countries()?);
        if countries.is_empty() {
            let text = format!("nothing is known of {name:?}, nor of anything else yet");
            return Ok(ScopeError::Unknown(text));
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
        Ok(ScopeError::Unknown(text))
    }
}

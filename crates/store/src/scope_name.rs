//! What scopes are called in the store, where one text must name one scope: by their full name in
//! the roster. Who asks for a name that is none is told of those that are.

use super::{
    opening::StoreError,
    reader::{FINE_MS, Rows, StoreReader},
    row::{LATEST_MS, text},
};
use lifesign_core::scopes::{CalledScope, FullName};
use lifesign_document::by_likeness;
use std::{collections::BTreeSet, fmt::Write as _};

/// How many countries and other scopes are told, and of those that there are not.
const MOST_COUNTRIES: usize = 10;
const MOST_NEAREST: usize = 3;

/// Why there is no scope of a name.
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    /// There is none; and what there is instead.
    #[error("{0}")]
    Unknown(String),
    /// The store cannot be read.
    #[error(transparent)]
    Unreadable(#[from] StoreError),
}

impl From<rusqlite::Error> for ScopeError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unreadable(error.into())
    }
}

/// The scopes that a store knows, to look up several.
#[derive(Debug)]
pub struct KnownScopes<'a> {
    reader: &'a StoreReader,
    scopes: Vec<KnownScope>,
}

#[derive(Debug)]
struct KnownScope {
    /// Its full name.
    name: String,
    /// The code of the country that it is, or lies in.
    country: String,
}

impl KnownScope {
    fn is_country(&self) -> bool {
        self.name == self.country
    }
}

impl StoreReader {
    /// The full name of the scope that is called so ([`CalledScope`]). The error says what the
    /// store knows instead.
    pub fn scope(&self, name: &str) -> Result<String, ScopeError> {
        Ok(self.known_scopes()?.called(name)?.name.clone())
    }

    /// The code of the country that is called so. The error says what the store knows instead; of
    /// what lies in a country, which that is.
    pub fn country(&self, code: &str) -> Result<String, ScopeError> {
        self.known_scopes()?.country(code)
    }

    /// The scopes that the store knows: the countries by their codes, and then all else that any
    /// plan had, had episodes or was watched last. A store that an earlier lifesign wrote has no
    /// table of scopes. The other samples, which are many and have no index for it, are not looked
    /// through.
    pub fn known_scopes(&self) -> rusqlite::Result<KnownScopes<'_>> {
        let has_scopes = self.0.prepare("SELECT name FROM scope").is_ok();
        let of_plans = if has_scopes { "UNION SELECT name, country FROM scope" } else { "" };
        let mut statement = self.0.prepare(&format!(
            "SELECT name, country FROM (
               SELECT code AS name, code AS country FROM country
               UNION SELECT country, country FROM episode
               UNION SELECT scope, country FROM episode {of_plans}
               UNION SELECT scope, country FROM sample WHERE span = ?1
                 AND time = (SELECT max(time) FROM sample WHERE span = ?1 AND time <= ?2))
             ORDER BY name != country, name"
        ))?;
        let scopes = statement.query_map([FINE_MS, LATEST_MS], |row| {
            Ok(KnownScope { name: text(row, 0)?, country: text(row, 1)? })
        })?;
        Ok(KnownScopes { reader: self, scopes: Rows::collect(scopes)?.read })
    }
}

impl KnownScopes<'_> {
    /// The codes of the countries, in alphabetic order.
    pub fn countries(&self) -> impl Iterator<Item = &String> {
        self.scopes.iter().filter(|scope| scope.is_country()).map(|scope| &scope.name)
    }

    /// As [`StoreReader::country`].
    pub fn country(&self, code: &str) -> Result<String, ScopeError> {
        let KnownScope { name, country } = self.called(code)?;
        if name == country {
            return Ok(country.clone());
        }
        Err(ScopeError::Unknown(format!(
            "{name} lies in {country}, and reports are of countries: ask for {country}"
        )))
    }

    /// Writes codes of countries as the store does; returns what is to be said of those that it
    /// does not have.
    pub fn spell<'a>(&self, codes: impl Iterator<Item = &'a mut String>) -> Option<String> {
        let mut others = BTreeSet::new();
        for code in codes {
            match self.countries().find(|known| known.eq_ignore_ascii_case(code)) {
                Some(known) => code.clone_from(known),
                None => {
                    others.insert(code.to_ascii_uppercase());
                }
            }
        }
        let first = others.first().filter(|_| self.countries().next().is_some())?;
        let told: Vec<&str> = others.iter().take(MOST_COUNTRIES).map(String::as_str).collect();
        let more = match others.len() - told.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let known = other_scopes(first, self.countries().cloned(), []);
        Some(format!("no such country in the record: {}{more}; {known}", told.join(", ")))
    }

    fn called(&self, text: &str) -> Result<&KnownScope, ScopeError> {
        let known = &self.scopes;
        let called = CalledScope::new(text);
        let full_name = |scope: &KnownScope| called.is(FullName::new(&scope.country, &scope.name));
        let mut named = known.iter().find(|scope| full_name(scope));
        if named.is_none() {
            let asns = self.reader.remarks()?.asns;
            let mut numbered = known.iter().filter(|scope| {
                let asn = asns.get(&scope.name).copied();
                called.is_number_of(FullName::new(&scope.country, &scope.name), asn)
            });
            named = numbered.next().filter(|_| numbered.next().is_none());
        }
        match named {
            Some(scope) => Ok(scope),
            None if known.is_empty() => Err(ScopeError::Unknown(format!(
                "nothing is known of {text:?}, nor of anything else yet"
            ))),
            None => {
                let parts = known.iter().filter(|scope| !scope.is_country());
                let parts = parts.map(|scope| scope.name.clone());
                let others = other_scopes(text, self.countries().cloned(), parts);
                Err(ScopeError::Unknown(format!("nothing is known of {text:?}; {others}")))
            }
        }
    }
}

/// What there is where nothing is called so: the countries, and of their parts the names most like
/// it.
pub fn other_scopes(
    name: &str,
    countries: impl IntoIterator<Item = String>,
    parts: impl IntoIterator<Item = String>,
) -> String {
    let countries = by_likeness(name, countries);
    let (told, more) = countries.split_at(MOST_COUNTRIES.min(countries.len()));
    let mut text = format!("there are {}", told.join(", "));
    if !more.is_empty() {
        let _ = write!(text, " and {} more", more.len());
    }
    let nearest = by_likeness(name, parts);
    if !nearest.is_empty() {
        let told = &nearest[..MOST_NEAREST.min(nearest.len())];
        let _ = write!(text, "; of what is in them, the nearest are {}", told.join(", "));
    }
    text
}

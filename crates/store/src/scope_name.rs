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

/// A scope that the store knows.
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
        Ok(self.called(name)?.name)
    }

    /// The code of the country that is called so. The error says what the store knows instead; of
    /// what lies in a country, which that is.
    pub fn country(&self, code: &str) -> Result<String, ScopeError> {
        let scope = self.called(code)?;
        if scope.is_country() {
            return Ok(scope.country);
        }
        let KnownScope { name, country } = scope;
        Err(ScopeError::Unknown(format!(
            "{name} lies in {country}, and reports are of countries: ask for {country}"
        )))
    }

    /// The codes of the countries that the store knows, in alphabetic order.
    pub fn countries(&self) -> rusqlite::Result<Vec<String>> {
        let known = self.known_scopes()?.into_iter();
        Ok(known.filter(KnownScope::is_country).map(|scope| scope.name).collect())
    }

    /// Writes codes of countries as the store does; returns what is to be said of those that it
    /// does not have.
    pub fn spell<'a>(
        &self,
        codes: impl Iterator<Item = &'a mut String>,
    ) -> rusqlite::Result<Option<String>> {
        let known = self.countries()?;
        let mut others = BTreeSet::new();
        for code in codes {
            match known.iter().find(|known| known.eq_ignore_ascii_case(code)) {
                Some(known) => code.clone_from(known),
                None => {
                    others.insert(code.to_ascii_uppercase());
                }
            }
        }
        let Some(first) = others.first().filter(|_| !known.is_empty()) else { return Ok(None) };
        let told: Vec<&str> = others.iter().take(MOST_COUNTRIES).map(String::as_str).collect();
        let more = match others.len() - told.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (told, known) = (told.join(", "), other_scopes(first, known, []));
        Ok(Some(format!("no such country in the record: {told}{more}; {known}")))
    }

    fn called(&self, text: &str) -> Result<KnownScope, ScopeError> {
        let mut known = self.known_scopes()?;
        let called = CalledScope::new(text);
        let full_name = |scope: &KnownScope| called.is(FullName::new(&scope.country, &scope.name));
        let mut named = known.iter().position(full_name);
        if named.is_none() {
            let asns = self.remarks()?.asns;
            let mut numbered = known.iter().enumerate().filter(|(_, scope)| {
                let asn = asns.get(&scope.name).copied();
                called.is_number_of(FullName::new(&scope.country, &scope.name), asn)
            });
            named = numbered.next().filter(|_| numbered.next().is_none()).map(|(index, _)| index);
        }
        match named {
            Some(index) => Ok(known.swap_remove(index)),
            None if known.is_empty() => Err(ScopeError::Unknown(format!(
                "nothing is known of {text:?}, nor of anything else yet"
            ))),
            None => {
                let (countries, parts): (Vec<_>, Vec<_>) =
                    known.into_iter().partition(KnownScope::is_country);
                let names = |scopes: Vec<KnownScope>| scopes.into_iter().map(|scope| scope.name);
                let others = other_scopes(text, names(countries), names(parts));
                Err(ScopeError::Unknown(format!("nothing is known of {text:?}; {others}")))
            }
        }
    }

    /// The countries by their codes, and then all else that any plan had, had episodes or was
    /// watched last. A store that an earlier lifesign wrote has no table of scopes. The other
    /// samples, which are many and have no index for it, are not looked through.
    fn known_scopes(&self) -> rusqlite::Result<Vec<KnownScope>> {
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
        Ok(Rows::collect(scopes)?.read)
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

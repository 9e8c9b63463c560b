//! What the plan says of scopes beyond their names: a report is made without the plan.

use super::{reader::StoreReader, scope_name::stored_name};
use lifesign_core::scopes::{Labels, Roster};
use rusqlite::{Connection, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Made where it is not there yet; who does not know it is not disturbed by it.
pub(super) const TABLE: &str = "
CREATE TABLE IF NOT EXISTS plan (
    one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL
) STRICT;
";

/// What the last plan said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct StoredPlan {
    /// Who runs the vantage.
    pub contact: Option<String>,
    /// The IANA names of time zones, by country code.
    pub timezones: BTreeMap<String, String>,
    /// By what the scope is called in the store; those without any are not here.
    pub labels: BTreeMap<String, Labels>,
}

impl StoredPlan {
    pub fn of(roster: &Roster, contact: Option<&str>) -> Self {
        let labelled = roster.scopes().filter(|&scope| !roster.labels_of(scope).is_empty());
        let labels =
            labelled.map(|scope| (stored_name(roster, scope), roster.labels_of(scope).clone()));
        let timezones = roster.countries.iter().filter_map(|country| {
            Some((country.code.clone(), country.timezone.as_ref()?.name().to_owned()))
        });
        Self {
            contact: contact.map(str::to_owned),
            timezones: timezones.collect(),
            labels: labels.collect(),
        }
    }

    pub fn write(&self, connection: &Connection) -> Result<()> {
        let text = serde_json::to_string(self)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        connection.execute("INSERT OR REPLACE INTO plan VALUES (1, ?)", [text])?;
        Ok(())
    }
}

impl StoreReader {
    /// What the last plan said; nothing, if that was written by an earlier lifesign or cannot be
    /// read.
    pub(super) fn plan(&self) -> Result<StoredPlan> {
        if !self.has_table("plan")? {
            return Ok(StoredPlan::default());
        }
        let mut statement = self.0.prepare("SELECT text FROM plan")?;
        let text: Option<String> = statement.query_map([], |row| row.get(0))?.next().transpose()?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    fn has_table(&self, name: &str) -> Result<bool> {
        self.0.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?")?.exists([name])
    }
}

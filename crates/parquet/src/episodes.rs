//! Episodes: a row is what JSON and CSV have of one, and a column is a key of it, with the same
//! meaning (docs/api.md).

use super::{
    column::{Cell, Column, Kind},
    hourly::{ExportError, HourlyFiles, Written},
};
use lifesign_core::time::Time;
use lifesign_store::{Episode, rows::EpisodeRow};
use serde_json::Value;
use std::path::Path;

/// In the order of [`EpisodeRow`]'s own.
const COLUMNS: [Column; 17] = [
    Column::of("scope", Kind::Text),
    Column::of("level", Kind::Text),
    Column::of("name", Kind::Text),
    Column::of("country", Kind::Text),
    Column::of("state", Kind::Text),
    Column::nullable("begin_earliest", Kind::Time),
    Column::of("begin_latest", Kind::Time),
    Column::nullable("end_earliest", Kind::Time),
    Column::nullable("end_latest", Kind::Time),
    Column::of("seconds", Kind::Number),
    Column::of("uncertain_seconds", Kind::Number),
    Column::of("unseen_seconds", Kind::Number),
    Column::of("found", Kind::Time),
    Column::of("evidence", Kind::Text),
    Column::nullable("planned_from", Kind::Time),
    Column::nullable("planned_to", Kind::Time),
    Column::nullable("planned_reason", Kind::Text),
];

/// The table of episodes, in `episodes/`.
pub struct Episodes {
    files: HourlyFiles,
    observed_until: Time,
}

impl Episodes {
    /// In this directory, which is made. It is an error if episodes are there already. Those that
    /// are open have been observed up to this time.
    pub fn create(directory: &Path, observed_until: Time) -> Result<Self, ExportError> {
        let files = HourlyFiles::create(directory, "episodes", &COLUMNS)?;
        Ok(Self { files, observed_until })
    }

    /// Adds an episode, found no earlier than those before.
    pub fn add(&mut self, episode: &Episode) -> Result<(), ExportError> {
        // A struct of strings and numbers can always be written.
        let row = serde_json::to_value(EpisodeRow::new(episode, self.observed_until));
        let row = row.unwrap_or_default();
        self.files.add(episode.found, COLUMNS.map(|column| cell(&row[column.name], column.kind)))
    }

    /// Ends the last file.
    pub fn finish(self) -> Result<Written, ExportError> {
        self.files.finish()
    }
}

fn cell(value: &Value, kind: Kind) -> Cell<'_> {
    match (value, kind) {
        (Value::String(text), Kind::Time) => Cell::Time(text.parse().unwrap_or(Time::NEVER)),
        (Value::String(text), _) => Cell::Text(text),
        (Value::Number(number), _) => number.as_f64().map_or(Cell::Null, Cell::Number),
        _ => Cell::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_store::rows::Row as _;

    #[test]
    fn the_columns_are_those_of_csv() {
        assert_eq!(COLUMNS.map(|column| column.name), EpisodeRow::COLUMNS);
    }
}

//! Episodes: a row is what JSON and CSV have of one, and a column is a key of it, with the same
//! meaning (docs/api.md).

use super::{
    column::{Cell, Column, Kind},
    hourly::{ExportError, HourlyFiles},
};
use lifesign_core::{scopes::FullName, time::Time};
use lifesign_store::{Episode, rows::seconds};
use std::path::Path;

/// In the order of [`lifesign_store::rows::EpisodeRow`]'s own.
const COLUMNS: [Column; 18] = [
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
    Column::of("left", Kind::Flag),
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
        let Episode { country, scope, state, begin, end, evidence, found, planned, .. } = episode;
        let name = FullName::new(country, scope);
        let time = |time: Option<Time>| time.map_or(Cell::Null, Cell::Time);
        let window = planned.as_ref();
        let row = [
            Cell::Text(scope),
            Cell::Text(name.level().label()),
            Cell::Text(name.name()),
            Cell::Text(country),
            Cell::Text(state.label()),
            time(begin.earliest),
            Cell::Time(begin.latest),
            time(end.and_then(|end| end.earliest)),
            time(end.map(|end| end.latest)),
            Cell::Number(seconds(episode.length(self.observed_until))),
            Cell::Number(seconds(episode.span().uncertainty())),
            Cell::Number(seconds(episode.unseen_by(self.observed_until))),
            Cell::Flag(episode.is_left()),
            Cell::Time(*found),
            Cell::Text(evidence),
            time(window.map(|window| window.from)),
            time(window.map(|window| window.to)),
            window.and_then(|window| window.reason.as_deref()).into(),
        ];
        self.files.add(*found, row)
    }

    /// Ends the last file.
    pub fn end(mut self) -> Result<HourlyFiles, ExportError> {
        self.files.close()?;
        Ok(self.files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_store::rows::{EpisodeRow, Row as _};

    #[test]
    fn the_columns_are_those_of_csv() {
        assert_eq!(COLUMNS.map(|column| column.name), EpisodeRow::COLUMNS);
    }
}

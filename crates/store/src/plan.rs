//! What plans said, since episodes and reports are read without them: the remarks of the last, and
//! the windows of maintenance of all so far. An episode that overlaps a window was planned, also
//! when the window has long gone from the plan.

use super::{
    Episode,
    reader::{Rows, StoreReader},
    row::{self, millis},
};
use lifesign_core::{
    scopes::{Maintenance, Remarks},
    time::Time,
};
use rusqlite::{Connection, Result, params};
use std::collections::HashMap;

/// Made where they are not there yet; who does not know them is not disturbed by them.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS plan (
    one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS maintenance (
    scope TEXT NOT NULL, begin INTEGER NOT NULL, until INTEGER NOT NULL, reason TEXT,
    PRIMARY KEY (scope, begin, until)
) STRICT, WITHOUT ROWID;
";

/// By the full name of their scope; those of a network for each of its blocks too.
pub(super) type Windows = Vec<(String, Maintenance)>;

pub(super) fn write_remarks(connection: &Connection, remarks: &Remarks) -> Result<()> {
    let text = serde_json::to_string(remarks)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    connection.execute("INSERT OR REPLACE INTO plan VALUES (1, ?)", [text])?;
    Ok(())
}

/// Writes the windows of a new plan. Of those that are not in it any more, what has been of them
/// by now stays.
pub(super) fn write_windows(connection: &Connection, windows: &Windows, now: Time) -> Result<()> {
    let now = millis(now);
    let mut renew =
        connection.prepare_cached("DELETE FROM maintenance WHERE scope = ? AND begin = ?")?;
    for (scope, window) in windows {
        renew.execute(params![scope, millis(window.from)])?;
    }
    connection.execute("DELETE FROM maintenance WHERE begin >= ?", [now])?;
    connection.execute("UPDATE OR REPLACE maintenance SET until = ?1 WHERE until > ?1", [now])?;
    let mut insert =
        connection.prepare_cached("INSERT OR REPLACE INTO maintenance VALUES (?, ?, ?, ?)")?;
    for (scope, Maintenance { from, to, reason }) in windows {
        insert.execute(params![scope, millis(*from), millis(*to), reason])?;
    }
    Ok(())
}

impl StoreReader {
    /// What the last plan said; nothing, if an earlier lifesign wrote the store, without that
    /// table, or it cannot be read.
    pub(super) fn remarks(&self) -> Result<Remarks> {
        let Ok(mut statement) = self.0.prepare("SELECT text FROM plan") else {
            return Ok(Remarks::default());
        };
        let text: Option<String> = statement.query_map([], |row| row.get(0))?.next().transpose()?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// The windows of maintenance. A store that an earlier lifesign wrote has no such table.
    pub(super) fn windows(&self) -> Result<PlannedWindows> {
        let mut windows = PlannedWindows {
            by_scope: HashMap::new(),
            written: self.last_written()?.unwrap_or_default(),
            broken: 0,
        };
        let sql = "SELECT scope, begin, until, reason FROM maintenance";
        let Ok(mut statement) = self.0.prepare(sql) else { return Ok(windows) };
        let rows = statement.query_map([], |row| {
            let from = row::time(row, 1)?;
            let window =
                Maintenance { from, to: row::time(row, 2)?, reason: row::optional_text(row, 3)? };
            Ok((row.get(0)?, window))
        })?;
        let rows: Rows<(String, Maintenance)> = Rows::collect(rows)?;
        windows.broken = rows.broken;
        for (scope, window) in rows.read {
            windows.by_scope.entry(scope).or_default().push(window);
        }
        Ok(windows)
    }
}

/// The windows of maintenance of all plans so far.
pub(super) struct PlannedWindows {
    by_scope: HashMap<String, Vec<Maintenance>>,
    /// When the last run last wrote.
    written: Time,
    /// How many others cannot be read.
    pub broken: usize,
}

impl PlannedWindows {
    /// Says of each episode which window it overlaps, if it does. One that is open lasts up to when
    /// the last run last wrote.
    pub fn mark_planned(&self, episodes: &mut [Episode]) {
        for episode in episodes {
            let begin = episode.begin.start();
            let end = episode.end.map_or(self.written, |end| end.latest).max(begin);
            let own = self.by_scope.get(&episode.scope);
            let of_country = self.by_scope.get(&episode.country);
            let all = own.into_iter().chain(of_country).flatten();
            let planned = all.filter(|window| window.overlaps(begin, end));
            episode.planned = planned.min_by_key(|window| window.from).cloned();
        }
    }
}

//! The tables of docs/store.md. In: rows. Out: a SQLite file in WAL mode, one transaction for all
//! that is written together, so that a crash at any moment leaves the last whole state. It never
//! decides what is worth a row.

use super::{
    Episode, PreviousRun, Sample,
    backlog::Backlog,
    history::{self, Histories},
    reader::{self, COARSE, FINE, VERSION, millis},
};
use lifesign_core::{judge::State, time::Time};
use rusqlite::{Connection, Result, Transaction, params};
use std::{fs, path::Path, time::Duration};

const TABLES: &str = "
CREATE TABLE run (
    began INTEGER PRIMARY KEY, lasted INTEGER NOT NULL, ended INTEGER NOT NULL, vantage TEXT NOT NULL,
    version TEXT NOT NULL
) STRICT;
CREATE TABLE country (code TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE episode (
    scope TEXT NOT NULL, found INTEGER NOT NULL, country TEXT NOT NULL, state TEXT NOT NULL,
    begin_earliest INTEGER, begin_latest INTEGER NOT NULL, end_earliest INTEGER, end_latest INTEGER,
    unseen INTEGER NOT NULL, paused INTEGER, evidence TEXT NOT NULL,
    PRIMARY KEY (scope, found)
) STRICT, WITHOUT ROWID;
CREATE INDEX episode_open ON episode (found) WHERE end_latest IS NULL;
CREATE TABLE sample (
    span INTEGER NOT NULL, scope TEXT NOT NULL, time INTEGER NOT NULL, country TEXT NOT NULL, state TEXT NOT NULL,
    probes INTEGER NOT NULL, loss REAL, rtt_median REAL, rtt_p95 REAL,
    PRIMARY KEY (span, time, scope)
) STRICT, WITHOUT ROWID;
CREATE TABLE memory (one INTEGER PRIMARY KEY CHECK (one = 1), taken INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
";

/// How long summaries are kept.
const DAY: i64 = 86_400_000;
const KEEP_FINE: i64 = 8 * DAY;
const KEEP_COARSE: i64 = 400 * DAY;
/// Summaries that could not be written are made coarser up to so late.
const LATE: i64 = 7_200_000;

/// The file, open for writing.
#[derive(Debug)]
pub(super) struct File {
    base: Connection,
    /// Until when summaries have been made coarser.
    coarse: i64,
}

impl File {
    /// Opens or makes it.
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(directory) = path.parent() {
            // If this fails, so does opening, and says why.
            let _ = fs::create_dir_all(directory);
        }
        let mut base = Connection::open(path)?;
        // A reader may hold it up for a moment.
        base.busy_timeout(Duration::from_secs(2))?;
        base.pragma_update(None, "journal_mode", "wal")?;
        // A power cut may take the last moments, never the whole.
        base.pragma_update(None, "synchronous", "normal")?;
        // What is written is hardly ever read here.
        base.pragma_update(None, "cache_size", -512)?;
        let version: i64 = base.pragma_query_value(None, "user_version", |row| row.get(0))?;
        match version {
            0 => {
                let change = base.transaction()?;
                change.execute_batch(TABLES)?;
                change.pragma_update(None, "user_version", VERSION)?;
                change.commit()?;
            }
            VERSION => {}
            _ => return Err(reader::newer(version)),
        }
        Ok(Self { base, coarse: 0 })
    }

    /// What the last run left.
    pub fn past(&self) -> Result<PreviousRun> {
        let mut found = self.base.prepare("SELECT text FROM memory")?;
        let text: Option<String> = found.query_map([], |row| row.get(0))?.next().transpose()?;
        let open = format!(
            "SELECT {} FROM episode WHERE end_latest IS NULL ORDER BY found",
            reader::EPISODE
        );
        let mut open = self.base.prepare(&open)?;
        // What makes no sense is told of with the history.
        let open =
            open.query_map([], reader::episode)?.filter_map(Result::ok).collect::<Vec<Episode>>();
        let lasted: Option<i64> =
            self.base.query_row("SELECT max(lasted) FROM run", [], |row| row.get(0))?;
        let memory = text.and_then(|text| {
            let read = serde_json::from_str(&text);
            read.inspect_err(|error| {
                tracing::warn!("what an earlier run learned cannot be read: {error}")
            })
            .ok()
        });
        Ok(PreviousRun { memory, open, lasted: lasted.map(reader::time) })
    }

    /// What earlier runs saw, before this one writes; nothing, if that cannot be read.
    pub fn history(&self, now: Time) -> Histories {
        history::read(&self.base, now).unwrap_or_else(|error| {
            tracing::warn!("what earlier runs saw cannot be read: {error}");
            Histories::new()
        })
    }

    /// Writes all of it, or nothing.
    pub fn write(&mut self, backlog: &Backlog, vantage: &str, began: Time) -> Result<()> {
        let at = millis(backlog.at);
        let change = self.base.transaction()?;
        change
            .prepare_cached(
                "INSERT INTO run VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET lasted = excluded.lasted, ended = excluded.ended",
            )?
            .execute(params![
                millis(began),
                at,
                backlog.ended,
                vantage,
                env!("CARGO_PKG_VERSION")
            ])?;
        for (code, name) in &backlog.countries {
            change
                .prepare_cached("INSERT OR REPLACE INTO country VALUES (?, ?)")?
                .execute([code, name])?;
        }
        for episode in backlog.episodes.values() {
            write_episode(&change, episode)?;
        }
        for sample in &backlog.samples {
            write_sample(&change, sample)?;
        }
        if let Some(memory) = &backlog.memory {
            let text = serde_json::to_string(memory)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            change
                .prepare_cached("INSERT OR REPLACE INTO memory VALUES (1, ?, ?)")?
                .execute(params![millis(memory.taken()), text])?;
        }
        let whole = at - at % COARSE;
        let is_due = whole > self.coarse && !backlog.samples.is_empty();
        if is_due {
            condense(&change, whole)?;
        }
        change.commit()?;
        if is_due {
            self.coarse = whole;
        }
        Ok(())
    }
}

fn write_episode(change: &Transaction, episode: &Episode) -> Result<()> {
    let Episode { scope, country, state, found, begin, end, evidence, unseen, paused } = episode;
    change
        .prepare_cached("INSERT OR REPLACE INTO episode VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            scope,
            millis(*found),
            country,
            state.label(),
            begin.earliest.map(millis),
            millis(begin.latest),
            end.and_then(|end| end.earliest).map(millis),
            end.map(|end| millis(end.latest)),
            unseen.as_millis() as i64,
            paused.map(millis),
            evidence,
        ])?;
    Ok(())
}

fn write_sample(change: &Transaction, sample: &Sample) -> Result<()> {
    let Sample { scope, country, time, state, probes, loss, median, p95 } = sample;
    change
        .prepare_cached("INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            FINE,
            scope,
            millis(*time),
            country,
            state.label(),
            *probes as i64,
            loss,
            median,
            p95
        ])?;
    Ok(())
}

/// Makes coarser summaries of the fine ones before this time, and forgets what is too old.
fn condense(change: &Transaction, whole: i64) -> Result<()> {
    let grave = (0..).zip(State::ALL).fold(String::new(), |text, (grave, state)| {
        text + &format!(" WHEN '{state}' THEN '{grave}{state}'")
    });
    let condensed = format!(
        "INSERT OR REPLACE INTO sample
         SELECT {COARSE}, scope, (time / {COARSE} + 1) * {COARSE} AS until, country,
                substr(max(CASE state{grave} END), 2), sum(probes), sum(loss * probes) / sum(probes),
                avg(rtt_median), max(rtt_p95)
         FROM sample WHERE span = {FINE} AND time >= ? AND time < ? GROUP BY scope, until"
    );
    change.prepare_cached(&condensed)?.execute([whole - LATE, whole])?;
    let mut forget = change.prepare_cached("DELETE FROM sample WHERE span = ? AND time < ?")?;
    forget.execute([FINE, whole - KEEP_FINE])?;
    forget.execute([COARSE, whole - KEEP_COARSE])?;
    Ok(())
}

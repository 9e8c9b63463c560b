//! The tables of docs/store.md, in a SQLite file in WAL mode. What is written together is one
//! transaction, so a crash at any moment leaves the last whole state.

use super::{
    Episode, PreviousRun, Sample,
    backlog::Backlog,
    correction::Correction,
    history::{self, Histories},
    memory,
    opening::{self, PLAYED, StoreError, VERSION, connect},
    place, plan,
    reader::{self, COARSE_MS, FINE_MS},
    row::{self, EPISODE_COLUMNS, LATEST_MS, millis},
    series::{LOSS, MEANS, PROBES, makes_sense},
    tables::{LATER_TABLES, TABLES, make_newest},
};
use lifesign_core::{judge::State, time::Time};
use lifesign_incident::gravity;
use rusqlite::{Connection, ErrorCode, OpenFlags, Result, Transaction, params};
use std::{collections::HashMap, fs, net::IpAddr, path::Path, time::Duration};

const DAY_MS: i64 = 86_400_000;
/// How long samples are kept.
const KEEP_FINE_MS: i64 = 8 * DAY_MS;
const KEEP_COARSE_MS: i64 = 400 * DAY_MS;
/// How far back each condensing looks: samples may be written late, after the disk failed.
const CONDENSE_MS: i64 = 7_200_000;

/// The file, open for writing.
#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
    /// Up to when samples have been condensed, in milliseconds since the Unix epoch.
    condensed_until: i64,
}

impl Database {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(directory) = path.parent() {
            // If this fails, so does opening, and says why.
            let _ = fs::create_dir_all(directory);
        }
        let mut connection = connect(path, None, OpenFlags::default())?;
        // A reader may hold a lock for a moment.
        connection.busy_timeout(Duration::from_secs(2))?;
        let version = opening::version(&connection)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // A power cut may lose the last transactions, but never corrupts the file.
        connection.pragma_update(None, "synchronous", "normal")?;
        // Rows are hardly ever read here: 512 KiB are enough.
        connection.pragma_update(None, "cache_size", -512)?;
        let transaction = connection.transaction()?;
        if version == 0 {
            transaction.execute_batch(TABLES)?;
        }
        if version != VERSION {
            make_newest(&transaction)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        transaction.commit()?;
        connection.execute_batch(LATER_TABLES)?;
        connection.execute_batch(plan::TABLES)?;
        Ok(Self { connection, condensed_until: 0 })
    }

    /// Says in the file that it holds what was played.
    pub fn mark_played(&self) -> Result<()> {
        self.connection.pragma_update(None, "application_id", PLAYED)
    }

    /// The same with what the last run left. A file that is damaged is moved aside, and a new one
    /// made.
    pub fn open_whole(path: &Path, at: Time) -> Result<(Self, PreviousRun), StoreError> {
        let open = || {
            let database = Self::open(path)?;
            let previous = database.previous_run()?;
            Ok::<_, StoreError>((database, previous))
        };
        open().or_else(|error| {
            if !is_damage(&error) {
                return Err(error);
            }
            move_aside(path, at, &error);
            open()
        })
    }

    /// What the last run left.
    pub fn previous_run(&self) -> Result<PreviousRun> {
        let mut open = self.connection.prepare(&format!(
            "SELECT {EPISODE_COLUMNS} FROM episode WHERE end_latest IS NULL ORDER BY found"
        ))?;
        // Unreadable rows are logged when the history is read.
        let open_episodes = open
            .query_map([], row::episode_from_row)?
            .filter_map(Result::ok)
            .collect::<Vec<Episode>>();
        let last_write = reader::last_written(&self.connection)?;
        let memory = memory::text(&self.connection)?.and_then(|text| {
            memory::parse(&text)
                .inspect_err(|error| {
                    tracing::warn!("what an earlier run learned cannot be read: {error}");
                })
                .ok()
        });
        Ok(PreviousRun { memory, names: self.names()?, open_episodes, last_write })
    }

    /// The last known addresses of names. What is no address is passed over.
    fn names(&self) -> Result<HashMap<String, Vec<IpAddr>>> {
        let mut statement = self.connection.prepare("SELECT name, address FROM name")?;
        let mut names: HashMap<String, Vec<IpAddr>> = HashMap::new();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let address = row.get_ref(1)?.as_str().ok().and_then(|text| text.parse().ok());
            if let (Ok(name), Some(address)) = (row.get(0), address) {
                names.entry(name).or_default().push(address);
            }
        }
        Ok(names)
    }

    /// What earlier runs saw; nothing, if that cannot be read. Call it before this run writes.
    pub fn history(&self, now: Time) -> Histories {
        history::read(&self.connection, now).unwrap_or_else(|error| {
            tracing::warn!("what earlier runs saw cannot be read: {}", opening::words(&error));
            Histories::new()
        })
    }

    /// Writes all of the backlog, or nothing.
    pub fn write(&mut self, backlog: &Backlog, vantage: &str, began: Time) -> Result<()> {
        let at = millis(backlog.at);
        let transaction = self.connection.transaction()?;
        for &correction in &backlog.essentials.corrections {
            correct(&transaction, correction)?;
        }
        for (scope, found) in &backlog.essentials.superseded {
            transaction
                .prepare_cached("DELETE FROM episode WHERE scope = ? AND found = ?")?
                .execute(params![scope, millis(*found)])?;
        }
        transaction
            .prepare_cached(
                "INSERT INTO run VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET lasted = excluded.lasted, ended = excluded.ended",
            )?
            .execute(params![
                millis(began),
                at,
                backlog.essentials.ended,
                vantage,
                env!("CARGO_PKG_VERSION")
            ])?;
        for (code, name) in &backlog.essentials.countries {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO country VALUES (?, ?)")?
                .execute([code, name])?;
        }
        for (name, country) in &backlog.essentials.scopes {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO scope VALUES (?, ?)")?
                .execute([name, country])?;
        }
        if let Some(remarks) = &backlog.essentials.remarks {
            plan::write_remarks(&transaction, remarks)?;
        }
        for (windows, time) in &backlog.essentials.maintenance {
            plan::write_windows(&transaction, windows, *time)?;
        }
        for (name, addresses) in &backlog.essentials.names {
            transaction.prepare_cached("DELETE FROM name WHERE name = ?")?.execute([name])?;
            for address in addresses {
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO name VALUES (?, ?)")?
                    .execute([name, &address.to_string()])?;
            }
        }
        for episode in backlog.episodes.values() {
            write_episode(&transaction, episode)?;
        }
        for place in &backlog.places {
            place::write(&transaction, place)?;
        }
        for sample in &backlog.samples {
            write_sample(&transaction, sample)?;
        }
        if let Some(memory) = &backlog.essentials.memory {
            memory::write(&transaction, memory)?;
        }
        let until = at - at % COARSE_MS;
        let is_due = until > self.condensed_until && !backlog.samples.is_empty();
        if is_due {
            condense(&transaction, until)?;
        }
        transaction.commit()?;
        if is_due {
            self.condensed_until = until;
        }
        Ok(())
    }
}

/// Does it say that the file is none of SQLite's any more?
pub(super) fn is_damage(error: &StoreError) -> bool {
    let StoreError::Sqlite(error) = error else { return false };
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Moves the file aside, which nobody may have open, and says so.
pub(super) fn move_aside(path: &Path, at: Time, error: &StoreError) {
    let aside = format!("{}.broken-{at}", path.display());
    for suffix in ["", "-wal", "-shm"] {
        // There may be none but the first; if that fails, opening says why.
        let _ = fs::rename(format!("{}{suffix}", path.display()), format!("{aside}{suffix}"));
    }
    tracing::error!(
        "the store {} is damaged ({error}): it is {aside} now, and a new one is begun",
        path.display()
    );
}

/// Moves all that this run has written. A key would meet that of a row which is not yet moved, so
/// what moves goes below zero first. A row with a number that is no time stays, and is passed over
/// by whoever reads it.
fn correct(transaction: &Transaction, correction: Correction) -> Result<()> {
    let parameters = params![millis(correction.since), correction.millis];
    let moved = |column: &str| format!("{column} = {column} + ?2 * ({column} >= ?1)");
    let columns = [
        "begin_earliest",
        "begin_latest",
        "end_earliest",
        "end_latest",
        "paused",
        "first_earliest",
        "first_latest",
        "last_earliest",
        "last_latest",
    ];
    transaction.execute(
        &format!(
            "UPDATE episode SET
                unseen = max(0, unseen + ?2 * (found < ?1 AND coalesce(paused, ?1) >= ?1)),
                found = iif(found >= ?1, -(found + ?2), found), {}
             WHERE coalesce(end_latest, ?1) >= ?1 AND max(found, unseen, {}) <= {LATEST_MS}",
            columns.map(moved).join(", "),
            columns.map(|column| format!("coalesce({column}, 0)")).join(", ")
        ),
        parameters,
    )?;
    // They are made again.
    transaction.execute(
        "DELETE FROM sample WHERE span = ? AND time >= ?",
        params![COARSE_MS, millis(correction.since)],
    )?;
    transaction.execute(
        &format!("UPDATE sample SET time = -(time + ?2) WHERE time BETWEEN ?1 AND {LATEST_MS}"),
        parameters,
    )?;
    // Only a row of an earlier run can have the key by now.
    transaction.execute("UPDATE OR REPLACE episode SET found = -found WHERE found < 0", [])?;
    transaction.execute("UPDATE OR REPLACE sample SET time = -time WHERE time < 0", [])?;
    place::correct(transaction, correction)?;
    transaction.execute(
        &format!(
            "UPDATE run SET began = began + ?2, lasted = lasted + ?2
             WHERE began >= ?1 AND max(began, lasted) <= {LATEST_MS}"
        ),
        parameters,
    )?;
    Ok(())
}

fn write_episode(transaction: &Transaction, episode: &Episode) -> Result<()> {
    let Episode {
        scope,
        country,
        state,
        found,
        begin,
        end,
        evidence,
        unseen,
        last_unseen: _,
        paused,
        darknesses,
        of_stay,
        planned: _,
    } = episode;
    transaction
        .prepare_cached(&format!(
            "INSERT OR REPLACE INTO episode ({EPISODE_COLUMNS})
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ))?
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
            darknesses.count,
            darknesses.length.as_millis() as i64,
            darknesses.first_begin.and_then(|begin| begin.earliest).map(millis),
            darknesses.first_begin.map(|begin| millis(begin.latest)),
            darknesses.last_end.and_then(|end| end.earliest).map(millis),
            darknesses.last_end.map(|end| millis(end.latest)),
            of_stay.count,
            of_stay.length.as_millis() as i64,
        ])?;
    Ok(())
}

fn write_sample(transaction: &Transaction, sample: &Sample) -> Result<()> {
    let Sample { scope, country, time, state, probes, loss, round_trips } = sample;
    let spread = round_trips.and_then(|times| times.spread);
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            FINE_MS,
            scope,
            millis(*time),
            country,
            state.label(),
            *probes as i64,
            loss,
            round_trips.map(|times| times.median),
            round_trips.map(|times| times.p95),
            spread.map(|spread| spread.min),
            spread.map(|spread| spread.p10),
            spread.map(|spread| spread.p90),
            spread.map(|spread| spread.max),
        ])?;
    Ok(())
}

/// Makes coarse samples of the fine ones that end before `until`, and deletes those that are too
/// old. Of episodes as old as that only the outages stay.
fn condense(transaction: &Transaction, until: i64) -> Result<()> {
    let ranks = State::ALL.into_iter().fold(String::new(), |text, state| {
        text + &format!(" WHEN '{state}' THEN '{}{state}'", gravity(state))
    });
    let insert = format!(
        "INSERT OR REPLACE INTO sample
         SELECT {COARSE_MS}, scope, (time / {COARSE_MS} + 1) * {COARSE_MS} AS until, country,
                substr(max(CASE state{ranks} END), 2), {PROBES}, {LOSS}, {MEANS}
         FROM sample WHERE span = {FINE_MS} AND time >= ? AND time < ? AND {}
         GROUP BY scope, until",
        makes_sense()
    );
    transaction.prepare_cached(&insert)?.execute([until - CONDENSE_MS, until])?;
    let mut delete =
        transaction.prepare_cached("DELETE FROM sample WHERE span = ? AND time < ?")?;
    delete.execute([FINE_MS, until - KEEP_FINE_MS])?;
    delete.execute([COARSE_MS, until - KEEP_COARSE_MS])?;
    let mut forget = transaction
        .prepare_cached("DELETE FROM episode WHERE end_latest < ? AND state != 'outage'")?;
    forget.execute([until - KEEP_COARSE_MS])?;
    place::forget(transaction, until - KEEP_COARSE_MS)
}

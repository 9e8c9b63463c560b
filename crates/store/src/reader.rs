//! Reads the store and never changes it: the file may be written at the same time, or be a copy
//! from another machine.

use super::{
    Episode,
    opening::{self, PLAYED, StoreError, VERSION, connect},
    place::Places,
    row::{EPISODE_COLUMNS, episode_from_row, is_run, millis, optional_time, text, time},
    run::unwatched_until,
    tables::show_as_newest,
};
use lifesign_core::{
    judge::{Edge, State},
    time::Time,
    watch::Snapshot,
};
use lifesign_incident::{Incident, Period, UnseenByScope, WELL_AFTER, count_darknesses, fold};
use rusqlite::{
    Connection, Error, ErrorCode, OpenFlags, Params, Result, Row, params, params_from_iter,
};
use std::{fs, path::Path, time::Duration};

/// A run writes each minute. One that has written nothing for this long is over.
pub const RUN_TIMEOUT: Duration = Duration::from_secs(150);

/// How long a period a sample covers, in milliseconds.
pub(super) const FINE_MS: i64 = 60_000;
pub(super) const COARSE_MS: i64 = 600_000;

/// Incidents are a day apart at least, and what belongs together in one an hour at most.
const APART: Duration = WELL_AFTER.saturating_add(Duration::from_secs(3600));

/// Which episodes to read; all of them by default.
#[derive(Clone, Debug, Default)]
pub struct EpisodeFilter {
    /// Those that were not over before this time.
    pub since: Option<Time>,
    /// Those that began before this time.
    pub until: Option<Time>,
    /// A country's code, for the country and all in it; a block's prefix; or a network's name
    /// behind its country's code and a slash.
    pub scope: Option<String>,
    /// Those in this state; None for all states.
    pub state: Option<State>,
}

impl EpisodeFilter {
    /// Does something of this scope pass that lasted from `begin` to `end`, in whatever state?
    fn passes(&self, country: &str, scope: &str, begin: Edge, end: Option<Time>) -> bool {
        let is_named = |name: &String| name == scope || name == country;
        self.scope.as_ref().is_none_or(is_named)
            && self.until.is_none_or(|until| begin.start() < until)
            && self.is_reached(end)
    }

    /// Does what lasted until `end` reach the begin of the time that is asked for?
    fn is_reached(&self, end: Option<Time>) -> bool {
        end.is_none_or(|end| self.since.is_none_or(|since| end >= since))
    }

    /// Does it pass?
    pub(super) fn passes_episode(&self, episode: &Episode) -> bool {
        let Episode { country, scope, state, begin, end, .. } = episode;
        let end = end.map(|end| end.latest);
        self.state.is_none_or(|only| only == *state) && self.passes(country, scope, *begin, end)
    }

    /// Does an incident pass? It lasts until it is over, and not only while it is dark.
    pub(super) fn passes_incident(&self, incident: &Incident) -> bool {
        let Incident { country, scope, .. } = incident;
        self.passes(country, scope, incident.begin(), incident.was_over_at())
    }
}

/// What was read of a table.
#[derive(Debug, PartialEq)]
pub struct Rows<T> {
    /// The rows that can be read.
    pub read: Vec<T>,
    /// How many others there are: somebody else wrote them, or the file is damaged.
    pub broken: usize,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { read: Vec::new(), broken: 0 }
    }
}

impl<T> Rows<T> {
    /// An error only if the file itself cannot be read on.
    pub(super) fn collect(rows: impl Iterator<Item = Result<T>>) -> Result<Self> {
        let mut all = Self::default();
        for row in rows {
            match row {
                Ok(row) => all.read.push(row),
                Err(error @ Error::SqliteFailure(..)) => return Err(error),
                Err(_) => all.broken += 1,
            }
        }
        Ok(all)
    }
}

/// Incidents that were read.
#[derive(Debug, Default)]
pub struct ToldIncidents {
    /// Those that were asked for.
    pub rows: Rows<Incident>,
    /// The country with which the scope that was asked for shared others, so that they are told
    /// with it.
    pub told_with: Option<String>,
    /// Where paths broke meanwhile.
    pub places: Places,
}

/// The file, open for reading.
#[derive(Debug)]
pub struct StoreReader(pub(super) Connection);

impl StoreReader {
    /// Opens the file. It is an error if it is no store of lifesign, or one of a later version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = connect(path, None, flags).and_then(Self::check_version);
        // Who may not write in the directory needs the index that a writer makes (WAL mode,
        // https://sqlite.org/wal.html#readonly). Where there is none, nobody writes, and SQLite
        // opens the file as immutable; but then it would not see what only the log has.
        opened.or_else(|error| {
            // One that is locked is being written.
            let is_locked =
                |code| matches!(code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked);
            match &error {
                StoreError::Sqlite(error) if !error.sqlite_error_code().is_some_and(is_locked) => {}
                _ => return Err(error),
            }
            let length = |suffix| {
                let beside = format!("{}{suffix}", path.display());
                fs::metadata(beside).ok().map(|file| file.len())
            };
            match (length("-wal"), length("-shm")) {
                (None | Some(0), _) => {}
                (Some(_), None) => return Err(StoreError::Log),
                (Some(_), Some(_)) => return Err(error),
            }
            // What a writer without a log has begun and not ended.
            if length("-journal").is_some_and(|length| length > 0) {
                return Err(error);
            }
            let name =
                path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            let address = format!("file:{name}?immutable=1");
            connect(path, Some(&address), flags | OpenFlags::SQLITE_OPEN_URI)
                .and_then(Self::check_version)
        })
    }

    /// The same of a file that the first write of a run makes; None before that.
    pub fn open_if_made(path: &Path) -> Result<Option<Self>, StoreError> {
        match Self::open(path) {
            Err(StoreError::Missing | StoreError::Empty) => Ok(None),
            opened => opened.map(Some),
        }
    }

    fn check_version(connection: Connection) -> Result<Self, StoreError> {
        connection.busy_timeout(Duration::from_secs(5))?;
        match opening::version(&connection)? {
            0 => return Err(StoreError::Empty),
            VERSION => {}
            _ => show_as_newest(&connection)?,
        }
        Ok(Self(connection))
    }

    /// Does it hold what was played, and not what was seen?
    pub fn was_played(&self) -> bool {
        let id = self.0.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0));
        id.is_ok_and(|id| id == PLAYED)
    }

    /// What is now for its reader: of what was played, when that ended.
    pub fn now(&self, wall: Time) -> Result<Time> {
        let played = if self.was_played() { self.last_written()? } else { None };
        Ok(played.unwrap_or(wall))
    }

    /// The episodes that pass the filter, by when they began, oldest first.
    pub fn episodes(&self, filter: &EpisodeFilter) -> Result<Rows<Episode>> {
        let mut episodes = self.episodes_as_written(filter)?;
        self.unseen(&self.unknown_of(None)?.read)?.add_to(&mut episodes.read);
        Ok(episodes)
    }

    /// The same with what they say themselves of what nobody saw.
    fn episodes_as_written(&self, filter: &EpisodeFilter) -> Result<Rows<Episode>> {
        let since = filter.since.map_or(0, millis);
        let until = filter.until.map_or(i64::MAX, millis);
        self.episodes_where(
            "coalesce(end_latest, 9e18) >= ?1 AND coalesce(begin_earliest, begin_latest) < ?2
             AND (?3 IS NULL OR scope = ?3 OR country = ?3) AND (?4 IS NULL OR state = ?4)",
            params![since, until, filter.scope, filter.state.map(State::label)],
        )
    }

    /// Those of these scopes without what lies in them, or of each country alone.
    pub fn episodes_alone(&self, scopes: Option<&[String]>) -> Result<Rows<Episode>> {
        match scopes {
            Some(scopes) => {
                let places = vec!["?"; scopes.len()].join(", ");
                self.episodes_where(&format!("scope IN ({places})"), params_from_iter(scopes))
            }
            None => self.episodes_where("scope = country", []),
        }
    }

    /// What was unknown of a country and all in it, or of all countries.
    pub(super) fn unknown_of(&self, country: Option<&str>) -> Result<Rows<Episode>> {
        let condition = "state = 'unknown' AND (?1 IS NULL OR country = ?1)";
        self.episodes_where(condition, params![country])
    }

    fn episodes_where(&self, condition: &str, parameters: impl Params) -> Result<Rows<Episode>> {
        let sql = format!(
            "SELECT {EPISODE_COLUMNS} FROM episode WHERE {condition}
             ORDER BY begin_latest, country, scope != country, scope"
        );
        let mut statement = self.0.prepare(&sql)?;
        let mut episodes = Rows::collect(statement.query_map(parameters, episode_from_row)?)?;
        let windows = self.windows()?;
        windows.mark_planned(&mut episodes.read);
        episodes.broken += windows.broken + self.broken_runs()?;
        Ok(episodes)
    }

    /// The incidents of a country and all in it, or of one scope, that were not over before `since`
    /// and began before `until`; up to when they were observed is `now`, and what a `snapshot` of
    /// then knows of them is in it, which the file does not say.
    pub fn incidents(
        &self,
        filter: &EpisodeFilter,
        now: Time,
        snapshot: Option<&Snapshot>,
    ) -> Result<ToldIncidents> {
        let mut all = EpisodeFilter::default();
        if let Some(scope) = &filter.scope {
            let Some(country) = self.country_of(scope)? else {
                return Ok(ToldIncidents::default());
            };
            all.scope = Some(country);
        }
        let folded = EpisodeFilter { since: filter.since, ..all.clone() };
        let watched = self.watched_until(now, snapshot)?;
        let unwatched = unwatched_until(now, &watched.read);
        let (Rows { read: mut episodes, broken }, folded) =
            self.folded(&folded, &unwatched, now, |episodes| {
                if let Some(snapshot) = snapshot {
                    count_darknesses(episodes, snapshot);
                }
            })?;
        // What the country had in this time.
        let of_country = EpisodeFilter { scope: all.scope.clone(), ..filter.clone() };
        let country_had =
            |incident: &Incident| incident.is_of_country() && of_country.passes_incident(incident);
        let may_be_told_with = all.scope != filter.scope && folded.iter().any(country_had);
        let mut incidents = folded;
        incidents.retain(|incident| filter.passes_incident(incident));
        let (places, broken_places) = self.places(&incidents, &episodes)?;
        // And what the scope had alone but for that.
        let has_more_alone = may_be_told_with && {
            let scope = filter.scope.as_deref().unwrap_or_default();
            episodes.retain(|episode| episode.tells_of(scope, &episode.country));
            let mut alone = fold(&episodes, &unwatched, now);
            alone.retain(|incident| filter.passes_incident(incident));
            alone != incidents
        };
        let rows = Rows { read: incidents, broken: broken + watched.broken + broken_places };
        Ok(ToldIncidents { rows, told_with: all.scope.filter(|_| has_more_alone), places })
    }

    /// The episodes of a country or of all from which incidents that are not over before `since`
    /// are folded whole, after `change`, and all that these are folded to: an incident may have
    /// begun long before, but what lies further back than a calm of a day that was seen belongs to
    /// another.
    pub(super) fn folded(
        &self,
        filter: &EpisodeFilter,
        unwatched: &[Period],
        now: Time,
        change: impl Fn(&mut [Episode]),
    ) -> Result<(Rows<Episode>, Vec<Incident>)> {
        let unknown = self.unknown_of(filter.scope.as_deref())?;
        let unseen = UnseenByScope::new(&unknown.read, unwatched, now);
        let mut back = 2 * APART;
        loop {
            let each = unseen.each_country();
            let from =
                filter.since.and_then(|since| each.map(|it| it.seen_since(back, since)).min());
            let from = from.unwrap_or_default();
            let all = EpisodeFilter { since: Some(from), ..filter.clone() };
            let mut episodes = self.episodes_as_written(&all)?;
            change(&mut episodes.read);
            let incidents = fold(&episodes.read, unwatched, now);
            let is_cut = |incident: &Incident| {
                let unseen = unseen.of(&incident.country, &incident.scope);
                filter.is_reached(incident.was_over_at())
                    && incident.begin().latest < unseen.seen_for(APART, from)
            };
            if from == Time::default() || !incidents.iter().any(is_cut) {
                return Ok((episodes, incidents));
            }
            back *= 4;
        }
    }

    /// The code of the country that a scope is, or lies in; None if it never was in an episode.
    fn country_of(&self, scope: &str) -> Result<Option<String>> {
        let mut statement = self.0.prepare(
            "SELECT country FROM episode WHERE scope = ?1 OR country = ?1 ORDER BY found DESC LIMIT 1",
        )?;
        statement.query_map([scope], |row| row.get(0))?.next().transpose()
    }

    /// Up to when an open episode was observed: now while a run is under way, else when the last
    /// run wrote last.
    pub fn observed_until(&self, now: Time) -> Result<Time> {
        let sql = format!(
            "SELECT lasted, ended FROM run WHERE {} ORDER BY lasted DESC LIMIT 1",
            is_run()
        );
        let mut statement = self.0.prepare(&sql)?;
        let run = |row: &Row| Ok((time(row, 0)?, row.get(1)?));
        Ok(match statement.query_map([], run)?.next().transpose()? {
            Some((last_write, ended)) if ended || last_write + RUN_TIMEOUT < now => last_write,
            _ => now,
        })
    }

    /// When the first run began, and when the last one last wrote; None if there was none.
    pub fn covered(&self) -> Result<Option<(Time, Time)>> {
        let sql = format!("SELECT min(began), max(lasted) FROM run WHERE {}", is_run());
        let times = |row: &Row| Ok((optional_time(row, 0)?, optional_time(row, 1)?));
        let (began, last_write) = self.0.query_row(&sql, [], times)?;
        Ok(began.zip(last_write))
    }

    /// When the last run last wrote; None if there was none.
    pub fn last_written(&self) -> Result<Option<Time>> {
        last_written(&self.0)
    }

    /// The name of a country; its code, if no name is stored.
    pub fn country_name(&self, code: &str) -> Result<String> {
        let mut statement = self.0.prepare("SELECT name FROM country WHERE code = ?")?;
        let name = statement.query_map([code], |row| text(row, 0))?.next().transpose()?;
        Ok(name.unwrap_or_else(|| code.to_owned()))
    }

    /// How many rows of runs make no sense, so that nothing else reads them.
    pub(super) fn broken_runs(&self) -> Result<usize> {
        let sql = format!("SELECT count(*) FROM run WHERE NOT ({})", is_run());
        Ok(self.0.query_row(&sql, [], |row| row.get::<_, u32>(0))? as usize)
    }
}

/// Episodes that ended at `since` or later, or are open, in the order in which they were found.
/// Each row has an error of its own.
pub(super) fn episodes_since(connection: &Connection, since: Time) -> Result<Vec<Result<Episode>>> {
    let sql = format!(
        "SELECT {EPISODE_COLUMNS} FROM episode WHERE coalesce(end_latest, 9e18) >= ?
         ORDER BY found, scope"
    );
    Ok(connection.prepare(&sql)?.query_map([millis(since)], episode_from_row)?.collect())
}

/// When the last run last wrote; None if there was none.
pub(super) fn last_written(connection: &Connection) -> Result<Option<Time>> {
    let sql = format!("SELECT max(lasted) FROM run WHERE {}", is_run());
    connection.query_row(&sql, [], |row| optional_time(row, 0))
}

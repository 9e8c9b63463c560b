//! What was measured over time, in so many periods of equal length.

use super::{
    reader::{COARSE_MS, FINE_MS, Rows, StoreReader},
    row::{LATEST_MS, millis, text},
};
use lifesign_core::{
    judge::State,
    time::Time,
    watch::{RoundTrips, Spread},
};
use lifesign_page::Point;
use rusqlite::{Result, Row, params};

/// The round-trip times of several samples, in the order of the table's columns.
pub(super) const MEANS: &str = "avg(rtt_median) AS median, avg(rtt_p95) AS p95, \
    min(rtt_min) AS shortest, avg(rtt_p10) AS p10, avg(rtt_p90) AS p90, max(rtt_max) AS longest";

/// The loss of several samples: of the probes of those that have one. Unlike `sum`, `total` takes
/// any number.
pub(super) const LOSS: &str = "total(loss * probes) / total(iif(loss IS NULL, 0, probes))";

/// How many probes several samples are of.
pub(super) const PROBES: &str = "CAST(total(probes) AS INTEGER)";

/// Does a sample make sense? Others are of somebody else, or damaged.
pub(super) fn makes_sense() -> String {
    let states = State::ALL.map(|state| format!("'{state}'")).join(", ");
    let times = ["rtt_median", "rtt_p95", "rtt_min", "rtt_p10", "rtt_p90", "rtt_max"]
        .map(|column| format!(" AND coalesce({column}, 0) BETWEEN 0 AND {LONGEST}"));
    format!(
        "(probes BETWEEN 0 AND {MOST_PROBES} AND coalesce(loss, 0) BETWEEN 0 AND 1
         AND state IN ({states}){})",
        times.concat()
    )
}

/// So many are not sent in ten minutes.
const MOST_PROBES: i64 = 1_000_000_000_000;
/// So many seconds are no round trip.
const LONGEST: i64 = 3600;

/// What was measured of a scope in one of the periods.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The prefix, the country's code, or the code, a slash and the network's name.
    pub scope: String,
    /// Which of the periods, from 0.
    pub period: usize,
    /// The first of the periods that its samples reach back into.
    pub first: usize,
    /// Nothing was known of it in all of it.
    pub is_unknown: bool,
    /// How many probes were answered or missed.
    pub probes: u64,
    /// Share of these that were missed, 0 to 1.
    pub loss: Option<f64>,
    /// None without an answer. The shortest and the longest of the minutes', and the means of their
    /// quantiles.
    pub round_trips: Option<RoundTrips>,
}

/// Of which scopes to read the measurements.
#[derive(Clone, Copy, Debug)]
pub enum Measurements<'a> {
    /// Of each country.
    Countries,
    /// Of the country of this code and all in it.
    AllOf(&'a str),
    /// Of one scope, by its full name.
    Of(&'a str),
}

impl StoreReader {
    /// What was measured from `from` to `to`, in `count` periods. A sample counts where it ends.
    pub fn measured(
        &self,
        which: Measurements,
        (from, to): (Time, Time),
        count: usize,
    ) -> Result<Rows<Measured>> {
        let name = match which {
            Measurements::Countries => None,
            Measurements::AllOf(name) | Measurements::Of(name) => Some(name),
        };
        let (from, to) = (millis(from), millis(to));
        if to <= from || count == 0 {
            return Ok(Rows::default());
        }
        let whole = to - to % COARSE_MS;
        let coarse_until = self.coarse_until((to - from) / count as i64, to)?;
        let coarse_until = coarse_until.min(whole).max(from);
        let sql = format!(
            "SELECT scope, min((time - ?1 - 1) * ?4 / (?3 - ?1), ?4 - 1) AS period,
                    max(min(time - span) - ?1, 0) * ?4 / (?3 - ?1) AS first_period,
                    min(state = 'unknown') AS is_unknown, {PROBES} AS all_probes,
                    {LOSS} AS mean_loss, {MEANS}, makes_sense, count(*) AS samples
             FROM (SELECT *, {} AS makes_sense FROM ({} UNION ALL {}))
             GROUP BY scope, period, makes_sense",
            makes_sense(),
            samples(which, COARSE_MS, "?1", "?2"),
            samples(which, FINE_MS, "max(?1, ?2 - 1)", "?3"),
        );
        let mut statement = self.0.prepare(&sql)?;
        let parameters = params![from, coarse_until, to, count as i64, name];
        let mut all = Rows::default();
        let mut rows = statement.query(parameters)?;
        while let Some(row) = rows.next()? {
            match row.get("makes_sense").and_then(|is_sound| Ok((is_sound, measured(row)?))) {
                Ok((true, measured)) => all.read.push(measured),
                Ok((false, _)) | Err(_) => all.broken += row.get::<_, i64>("samples")? as usize,
            }
        }
        Ok(all)
    }

    /// Up to when coarse samples are read, which hold fine ones of before their time: as far as
    /// there are any, if a period is as long as one; else up to the first fine ones.
    fn coarse_until(&self, period: i64, to: i64) -> Result<i64> {
        let (value, span, times) = if period >= COARSE_MS {
            ("coalesce(max(time), 0)", COARSE_MS, (0, to))
        } else {
            ("coalesce(min(time) - 1, 9e15)", FINE_MS, (0, LATEST_MS))
        };
        let sql = format!("SELECT {value} FROM sample WHERE span = ? AND time BETWEEN ? AND ?");
        let row = |row: &Row| row.get::<_, f64>(0);
        Ok(self.0.query_row(&sql, [span, times.0, times.1], row)? as i64)
    }
}

/// The samples after one time up to another, among which are those asked for. They lie in the order
/// of time and scope: those of one scope are looked up at each time, without all of the others.
fn samples(which: Measurements, span: i64, after: &str, until: &str) -> String {
    let next = |after: &str| {
        format!(
            "SELECT min(time) FROM sample WHERE span = {span} AND time > {after} AND time <= {until}"
        )
    };
    let all =
        format!("SELECT * FROM sample WHERE span = {span} AND time > {after} AND time <= {until}");
    match which {
        Measurements::Countries => all + " AND scope = country AND ?5 IS NULL",
        Measurements::AllOf(_) => all + " AND country = ?5",
        Measurements::Of(_) => format!(
            "SELECT sample.* FROM (
                 WITH RECURSIVE moment(at) AS (
                     {} UNION ALL SELECT ({}) FROM moment WHERE at IS NOT NULL
                 ) SELECT at FROM moment
             ) CROSS JOIN sample ON span = {span} AND time = at AND scope = ?5",
            next(after),
            next("at"),
        ),
    }
}

impl Measured {
    /// Enters it into the points of a picture, one a period, after those of earlier periods. Where
    /// periods are shorter than samples, or as long but not in step, some have none of their own:
    /// they show the one that reaches back into them.
    pub fn draw(&self, points: &mut [Point]) {
        let Self { period, first, is_unknown, probes, loss, round_trips, .. } = *self;
        for (at, point) in points.iter_mut().enumerate().take(period + 1).skip(first) {
            if at == period || *point == Point::default() {
                *point = Point { is_unknown, probes, loss, round_trips };
            }
        }
    }
}

fn measured(row: &Row) -> Result<Measured> {
    Ok(Measured {
        scope: text(row, "scope")?,
        period: row.get::<_, i64>("period")?.max(0) as usize,
        first: row.get::<_, i64>("first_period")?.max(0) as usize,
        is_unknown: row.get("is_unknown")?,
        probes: row.get::<_, i64>("all_probes")?.max(0) as u64,
        loss: row.get("mean_loss")?,
        round_trips: round_trips(row)?,
    })
}

/// From the columns of [`MEANS`].
fn round_trips(row: &Row) -> Result<Option<RoundTrips>> {
    let time = |column| row.get::<_, Option<f64>>(column);
    let spread = match (time("shortest")?, time("p10")?, time("p90")?, time("longest")?) {
        (Some(min), Some(p10), Some(p90), Some(max)) => Some(Spread { min, p10, p90, max }),
        _ => None,
    };
    let (Some(median), Some(p95)) = (time("median")?, time("p95")?) else { return Ok(None) };
    Ok(Some(RoundTrips { median, p95, spread }))
}

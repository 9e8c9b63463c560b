//! The tables of docs/store.md, in the words of SQL.

use rusqlite::{Connection, Result};

/// Of a new file, before [`make_newest`]: those of version 1.
pub const TABLES: &str = "
CREATE TABLE run (
    began INTEGER PRIMARY KEY, lasted INTEGER NOT NULL, ended INTEGER NOT NULL,
    vantage TEXT NOT NULL, version TEXT NOT NULL
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
    span INTEGER NOT NULL, scope TEXT NOT NULL, time INTEGER NOT NULL, country TEXT NOT NULL,
    state TEXT NOT NULL, probes INTEGER NOT NULL, loss REAL, rtt_median REAL, rtt_p95 REAL,
    PRIMARY KEY (span, time, scope)
) STRICT, WITHOUT ROWID;
CREATE TABLE memory (
    one INTEGER PRIMARY KEY CHECK (one = 1), taken INTEGER NOT NULL, text TEXT NOT NULL
) STRICT;
";

/// They came later than the others; who does not know them is not disturbed by them.
pub const LATER_TABLES: &str = "
CREATE TABLE IF NOT EXISTS name (
    name TEXT NOT NULL, address TEXT NOT NULL, PRIMARY KEY (name, address)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scope (
    name TEXT PRIMARY KEY, country TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS place (
    scope TEXT NOT NULL, told INTEGER NOT NULL, network TEXT, country TEXT NOT NULL,
    place TEXT NOT NULL, words TEXT NOT NULL,
    PRIMARY KEY (scope, told)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS place_told ON place (told, country);
CREATE TABLE IF NOT EXISTS memory_rest (
    part INTEGER PRIMARY KEY, taken INTEGER NOT NULL, text TEXT NOT NULL
) STRICT;
";

/// A column that a table of an earlier version may lack.
struct Column {
    table: &'static str,
    name: &'static str,
    kind: &'static str,
    /// What it is in a row that lacks it, from the columns before it.
    value: &'static str,
}

const fn column(
    table: &'static str,
    name: &'static str,
    kind: &'static str,
    value: &'static str,
) -> Column {
    Column { table, name, kind, value }
}

const COUNT: &str = "INTEGER NOT NULL DEFAULT 0";

/// Version 1 had none of them; files of version 2 were written with the first four, with six, and
/// with all but the last two. Of old rows nobody kept what they say: a flapping that is over was
/// dark from its begin to its end.
const LATER_COLUMNS: [Column; 12] = [
    column("episode", "darknesses", COUNT, "0"),
    column("episode", "dark", COUNT, "0"),
    column("episode", "last_earliest", "INTEGER", "iif(state = 'flapping', end_earliest, NULL)"),
    column("episode", "last_latest", "INTEGER", "iif(state = 'flapping', end_latest, NULL)"),
    column("episode", "first_earliest", "INTEGER", "iif(last_latest, begin_earliest, NULL)"),
    column("episode", "first_latest", "INTEGER", "iif(last_latest, begin_latest, NULL)"),
    column("sample", "rtt_min", "REAL", "NULL"),
    column("sample", "rtt_p10", "REAL", "NULL"),
    column("sample", "rtt_p90", "REAL", "NULL"),
    column("sample", "rtt_max", "REAL", "NULL"),
    column("episode", "stay_darknesses", COUNT, "0"),
    column("episode", "stay_dark", COUNT, "0"),
];

/// Those of a table that the file lacks.
fn lacking(connection: &Connection, table: &str) -> Result<Vec<&'static Column>> {
    let mut statement =
        connection.prepare("SELECT count(*) FROM pragma_table_info(?) WHERE name = ?")?;
    let mut lacking = Vec::new();
    for column in LATER_COLUMNS.iter().filter(|column| column.table == table) {
        if statement.query_row([table, column.name], |row| row.get::<_, i64>(0))? == 0 {
            lacking.push(column);
        }
    }
    Ok(lacking)
}

/// Makes the tables of an earlier version those of the newest.
pub fn make_newest(connection: &Connection) -> Result<()> {
    for table in ["episode", "sample"] {
        for Column { name, kind, value, .. } in lacking(connection, table)? {
            connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {name} {kind}"))?;
            // A column that is added has its default in every row, without a row being written.
            if !["0", "NULL"].contains(value) {
                let only = "WHERE state = 'flapping'";
                connection.execute_batch(&format!("UPDATE {table} SET {name} = {value} {only}"))?;
            }
        }
    }
    Ok(())
}

/// Shows them so to who may not write.
pub fn show_as_newest(connection: &Connection) -> Result<()> {
    for table in ["episode", "sample"] {
        let rows = lacking(connection, table)?
            .into_iter()
            .fold(format!("main.{table}"), |rows, Column { name, value, .. }| {
                format!("(SELECT *, {value} AS {name} FROM {rows})")
            });
        connection.execute_batch(&format!("CREATE TEMP VIEW {table} AS SELECT * FROM {rows}"))?;
    }
    Ok(())
}

//! The tables of docs/store.md, in the words of SQL.

/// Of a new file.
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
    darknesses INTEGER NOT NULL DEFAULT 0, dark INTEGER NOT NULL DEFAULT 0,
    first_earliest INTEGER, first_latest INTEGER, last_earliest INTEGER, last_latest INTEGER,
    PRIMARY KEY (scope, found)
) STRICT, WITHOUT ROWID;
CREATE INDEX episode_open ON episode (found) WHERE end_latest IS NULL;
CREATE TABLE sample (
    span INTEGER NOT NULL, scope TEXT NOT NULL, time INTEGER NOT NULL, country TEXT NOT NULL,
    state TEXT NOT NULL, probes INTEGER NOT NULL, loss REAL, rtt_median REAL, rtt_p95 REAL,
    rtt_min REAL, rtt_p10 REAL, rtt_p90 REAL, rtt_max REAL,
    PRIMARY KEY (span, time, scope)
) STRICT, WITHOUT ROWID;
CREATE TABLE memory (
    one INTEGER PRIMARY KEY CHECK (one = 1), taken INTEGER NOT NULL, text TEXT NOT NULL
) STRICT;
";

/// From version 1 to 2: the darknesses of a flapping, and how far round-trip times lay apart. Of
/// the old ones nobody kept them.
pub const FROM_VERSION_1: &str = "
ALTER TABLE episode ADD COLUMN darknesses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE episode ADD COLUMN dark INTEGER NOT NULL DEFAULT 0;
ALTER TABLE episode ADD COLUMN first_earliest INTEGER;
ALTER TABLE episode ADD COLUMN first_latest INTEGER;
ALTER TABLE episode ADD COLUMN last_earliest INTEGER;
ALTER TABLE episode ADD COLUMN last_latest INTEGER;
ALTER TABLE sample ADD COLUMN rtt_min REAL;
ALTER TABLE sample ADD COLUMN rtt_p10 REAL;
ALTER TABLE sample ADD COLUMN rtt_p90 REAL;
ALTER TABLE sample ADD COLUMN rtt_max REAL;
UPDATE episode SET first_earliest = begin_earliest, first_latest = begin_latest,
    last_earliest = end_earliest, last_latest = end_latest
    WHERE state = 'flapping' AND end_latest IS NOT NULL;
";

/// It came later than the others; who does not know it is not disturbed by it.
pub const NAMES: &str = "
CREATE TABLE IF NOT EXISTS name (
    name TEXT NOT NULL, address TEXT NOT NULL, PRIMARY KEY (name, address)
) STRICT, WITHOUT ROWID;
";

/// What version 1 did not know, beside what it did.
pub const VERSION_1_AS_2: &str = "CREATE TEMP VIEW episode AS SELECT *, 0 AS darknesses, \
    0 AS dark, \
    iif(state = 'flapping' AND end_latest, begin_earliest, NULL) AS first_earliest, \
    iif(state = 'flapping' AND end_latest, begin_latest, NULL) AS first_latest, \
    iif(state = 'flapping', end_earliest, NULL) AS last_earliest, \
    iif(state = 'flapping', end_latest, NULL) AS last_latest FROM main.episode;
CREATE TEMP VIEW sample AS SELECT *, NULL AS rtt_min, NULL AS rtt_p10, NULL AS rtt_p90, \
    NULL AS rtt_max FROM main.sample";

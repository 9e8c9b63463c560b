//! The judge's memory as rows. That of a large plan is hundreds of megabytes of JSON: a row holds a
//! part, so that neither we nor SQLite hold all of it.

use super::row::millis;
use lifesign_core::judge::Memory;
use rusqlite::{Connection, Error, Result, Transaction, params};
use serde::Deserialize;
use std::io::{self, Write};

/// About how many bytes of it a row holds.
const PART: usize = 1 << 20;

/// Writes it in the place of the one before.
pub(super) fn write(transaction: &Transaction, memory: &Memory) -> Result<()> {
    transaction.execute("DELETE FROM memory_rest", [])?;
    let taken = millis(memory.taken());
    let mut parts = Parts { transaction, taken, written: 0, text: Vec::new() };
    serde_json::to_writer(&mut parts, memory)
        .map_err(|error| {
            let error = io::Error::from(error).downcast::<Error>();
            error.unwrap_or_else(|error| Error::ToSqlConversionFailure(error.into()))
        })
        .and_then(|()| parts.write_part())
}

/// Cuts what is written to it into rows: the first in its old place, where earlier versions of
/// lifesign had all of it.
struct Parts<'a> {
    transaction: &'a Transaction<'a>,
    taken: i64,
    /// How many rows.
    written: u32,
    /// Of the next row.
    text: Vec<u8>,
}

impl Parts<'_> {
    fn write_part(&mut self) -> Result<()> {
        let text = str::from_utf8(&self.text)?;
        if self.written == 0 {
            self.transaction
                .prepare_cached("INSERT OR REPLACE INTO memory VALUES (1, ?, ?)")?
                .execute(params![self.taken, text])?;
        } else {
            self.transaction
                .prepare_cached("INSERT INTO memory_rest VALUES (?, ?, ?)")?
                .execute(params![self.written, self.taken, text])?;
        }
        self.written += 1;
        self.text.clear();
        Ok(())
    }
}

impl Write for Parts<'_> {
    /// Nobody but serde_json writes, and that only whole characters.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend(bytes);
        if self.text.len() >= PART {
            self.write_part().map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Its whole text; None if nothing was learned yet. Bytes, since a text may be damaged and be none.
pub(super) fn text(connection: &Connection) -> Result<Option<Vec<u8>>> {
    // A run may write another between two reads that are not of one moment.
    let moment = connection.unchecked_transaction()?;
    let mut first = moment.prepare("SELECT CAST(text AS BLOB) FROM memory")?;
    let Some(mut text) = first.query_map([], |row| row.get::<_, Vec<u8>>(0))?.next().transpose()?
    else {
        return Ok(None);
    };
    // In a store of an earlier lifesign there is no rest, nor one of what that has written since.
    if moment.table_exists(None, "memory_rest")? {
        let mut rest = moment.prepare(
            "SELECT CAST(rest.text AS BLOB) FROM memory_rest AS rest JOIN memory USING (taken)
             ORDER BY part",
        )?;
        let mut rows = rest.query([])?;
        while let Some(row) = rows.next()? {
            text.extend(row.get_ref(0)?.as_blob()?);
        }
    }
    Ok(Some(text))
}

/// The words of a parser say no more.
const DAMAGED: &str = "it is damaged";

/// Only of the format that this lifesign writes: another version's may parse and mean something
/// else.
pub(super) fn parse(text: &[u8]) -> std::result::Result<Memory, String> {
    #[derive(Deserialize)]
    struct Format {
        #[serde(default)]
        format: u32,
    }
    let Format { format } = serde_json::from_slice(text).map_err(|_| DAMAGED.to_owned())?;
    if format != Memory::FORMAT {
        return Err(format!("it has format {format}, and this lifesign reads {}", Memory::FORMAT));
    }
    serde_json::from_slice(text).map_err(|_| DAMAGED.to_owned())
}

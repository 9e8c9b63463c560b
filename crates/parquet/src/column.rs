//! The columns of a table, and the rows of it that wait to be written.

use lifesign_core::time::Time;
use parquet::{
    data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type},
    errors::{ParquetError, Result},
    file::writer::SerializedColumnWriter,
};
use std::collections::HashMap;

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub is_nullable: bool,
}

impl Column {
    /// A column in which every row has a value.
    pub const fn of(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, is_nullable: false }
    }

    /// A column in which there may be nulls.
    pub const fn nullable(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, is_nullable: true }
    }

    /// Its line in a schema of Parquet.
    pub fn schema(self) -> String {
        let repetition = if self.is_nullable { "optional" } else { "required" };
        let (physical, logical) = match self.kind {
            Kind::Time => ("int64", " (timestamp(micros,true))"),
            Kind::Text => ("byte_array", " (string)"),
            Kind::Number => ("double", ""),
            Kind::Whole => ("int32", " (integer(16,false))"),
            Kind::Flag => ("boolean", ""),
        };
        format!("{repetition} {physical} {}{logical};", self.name)
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A moment in UTC, to the microsecond.
    Time,
    Text,
    Number,
    /// A whole number from 0 to 65535.
    Whole,
    Flag,
}

/// A value of a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell<'a> {
    Null,
    Time(Time),
    Text(&'a str),
    Number(f64),
    Whole(u16),
    Flag(bool),
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::Text)
    }
}

/// The values of a column that wait to be written.
#[derive(Debug)]
pub(super) struct Buffer {
    is_nullable: bool,
    /// 1 for each row with a value, 0 for each null: the definition levels of Parquet.
    levels: Vec<i16>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Times(Vec<i64>),
    /// Most rows have a text that others have too: each is in memory once.
    Texts(Vec<ByteArray>, HashMap<Box<str>, ByteArray>),
    Numbers(Vec<f64>),
    Wholes(Vec<i32>),
    Flags(Vec<bool>),
}

impl Buffer {
    pub fn new(column: Column) -> Self {
        let values = match column.kind {
            Kind::Time => Values::Times(Vec::new()),
            Kind::Text => Values::Texts(Vec::new(), HashMap::new()),
            Kind::Number => Values::Numbers(Vec::new()),
            Kind::Whole => Values::Wholes(Vec::new()),
            Kind::Flag => Values::Flags(Vec::new()),
        };
        Self { is_nullable: column.is_nullable, levels: Vec::new(), values }
    }

    /// Adds the value of one more row. It is an error if it is not of the column's kind.
    pub fn push(&mut self, cell: Cell) -> Result<()> {
        let is_value = !matches!(cell, Cell::Null);
        if self.is_nullable {
            self.levels.push(is_value.into());
        }
        match (&mut self.values, cell) {
            (Values::Times(times), Cell::Time(time)) => times.push((time.as_nanos() / 1000) as i64),
            (Values::Texts(texts, known), Cell::Text(text)) => texts.push(match known.get(text) {
                Some(known) => known.clone(),
                None => known.entry(text.into()).or_insert(text.into()).clone(),
            }),
            (Values::Numbers(numbers), Cell::Number(number)) => numbers.push(number),
            (Values::Wholes(wholes), Cell::Whole(whole)) => wholes.push(whole.into()),
            (Values::Flags(flags), Cell::Flag(flag)) => flags.push(flag),
            (_, Cell::Null) if self.is_nullable => {}
            (_, cell) => {
                return Err(ParquetError::General(format!("{cell:?} is of another kind")));
            }
        }
        Ok(())
    }

    /// Writes the values, and forgets them.
    pub fn flush(&mut self, mut writer: SerializedColumnWriter) -> Result<()> {
        let levels = self.is_nullable.then_some(&self.levels[..]);
        match &mut self.values {
            Values::Times(times) => {
                writer.typed::<Int64Type>().write_batch(times, levels, None)?;
                times.clear();
            }
            Values::Texts(texts, known) => {
                writer.typed::<ByteArrayType>().write_batch(texts, levels, None)?;
                texts.clear();
                known.clear();
            }
            Values::Numbers(numbers) => {
                writer.typed::<DoubleType>().write_batch(numbers, levels, None)?;
                numbers.clear();
            }
            Values::Wholes(wholes) => {
                writer.typed::<Int32Type>().write_batch(wholes, levels, None)?;
                wholes.clear();
            }
            Values::Flags(flags) => {
                writer.typed::<BoolType>().write_batch(flags, levels, None)?;
                flags.clear();
            }
        }
        self.levels.clear();
        writer.close()
    }
}

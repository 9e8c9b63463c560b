//! Files of an hour each, in a directory of a table.

use super::column::{Buffer, Cell, Column, Kind};
use lifesign_core::time::Time;
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    errors::ParquetError,
    file::{
        properties::{WriterProperties, WriterPropertiesPtr},
        writer::SerializedFileWriter,
    },
    schema::{parser::parse_message_type, types::TypePtr},
};
use std::{
    error::Error,
    fmt,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// So many rows are in memory at a time, and in a group of a file.
const GROUP_ROWS: usize = 1 << 16;
/// At level 9 files are a twentieth smaller, and writing them takes three times as long.
const ZSTD_LEVEL: i32 = 3;
const HOUR_NANOS: u64 = 3_600_000_000_000;

/// Why a table cannot be written.
#[derive(Debug)]
pub struct ExportError {
    /// Which file or directory.
    path: PathBuf,
    why: Why,
}

#[derive(Debug)]
enum Why {
    NotEmpty,
    Io(io::Error),
    Parquet(ParquetError),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.why {
            Why::NotEmpty => write!(
                f,
                "{path} holds another export; give another directory, or delete that, to write it \
                 again"
            ),
            Why::Io(error) => write!(f, "cannot write {path}: {error}"),
            Why::Parquet(error) => write!(f, "cannot write {path}: {error}"),
        }
    }
}

impl Error for ExportError {}

/// What was written of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows in all.
    pub rows: u64,
    /// Files, of an hour each.
    pub files: u64,
}

/// A table under way. A file has its name once it is whole. Nothing stays of a table that is not
/// finished, nor the directory of one without rows.
pub struct HourlyFiles {
    directory: PathBuf,
    /// It was not there before.
    is_own_directory: bool,
    is_finished: bool,
    /// Those that have their names.
    whole: Vec<PathBuf>,
    schema: TypePtr,
    properties: WriterPropertiesPtr,
    buffers: Vec<Buffer>,
    /// Rows in the buffers.
    waiting: usize,
    file: Option<OpenFile>,
    written: Written,
}

struct OpenFile {
    /// Since the epoch.
    hour: u64,
    path: PathBuf,
    writer: SerializedFileWriter<File>,
}

impl HourlyFiles {
    /// A table with these columns in the directory `name` below `parent`, which is made. It is an
    /// error if anything is in there.
    pub(super) fn create(
        parent: &Path,
        name: &str,
        columns: &[Column],
    ) -> Result<Self, ExportError> {
        let directory = parent.join(name);
        let failed = |why| ExportError { path: directory.clone(), why };
        let is_own_directory = !directory.exists();
        fs::create_dir_all(&directory).map_err(|error| failed(Why::Io(error)))?;
        let mut entries = fs::read_dir(&directory).map_err(|error| failed(Why::Io(error)))?;
        if entries.next().is_some() {
            return Err(failed(Why::NotEmpty));
        }
        let fields: String = columns.iter().map(|column| column.schema()).collect();
        let parquet = |error| failed(Why::Parquet(error));
        let schema = parse_message_type(&format!("message {name} {{ {fields} }}"));
        let schema = Arc::new(schema.map_err(parquet)?);
        let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(parquet)?;
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_created_by(concat!("lifesign ", env!("CARGO_PKG_VERSION")).into());
        for column in columns.iter().filter(|column| column.kind == Kind::Time) {
            // They hardly ever repeat, and each is a little later than the one before.
            properties = properties
                .set_column_dictionary_enabled(column.name.into(), false)
                .set_column_encoding(column.name.into(), Encoding::DELTA_BINARY_PACKED);
        }
        let properties = Arc::new(properties.build());
        let buffers = columns.iter().map(|&column| Buffer::new(column)).collect();
        Ok(Self {
            directory,
            is_own_directory,
            is_finished: false,
            whole: Vec::new(),
            schema,
            properties,
            buffers,
            waiting: 0,
            file: None,
            written: Written::default(),
        })
    }

    /// Adds a row of this time. A file begins with the first row of a later hour than any before: a
    /// clock that was set back makes no second file of an hour.
    pub(super) fn add<const N: usize>(
        &mut self,
        time: Time,
        row: [Cell; N],
    ) -> Result<(), ExportError> {
        let hour = time.as_nanos() / HOUR_NANOS;
        if self.file.as_ref().is_none_or(|file| hour > file.hour) {
            self.close()?;
            self.file = Some(self.open(hour)?);
        }
        debug_assert_eq!(row.len(), self.buffers.len());
        for (buffer, cell) in self.buffers.iter_mut().zip(row) {
            let pushed = buffer.push(cell).map_err(Why::Parquet);
            pushed.map_err(|why| ExportError { path: self.directory.clone(), why })?;
        }
        self.waiting += 1;
        self.written.rows += 1;
        if self.waiting == GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    /// Ends the last file.
    pub fn finish(mut self) -> Result<Written, ExportError> {
        self.close()?;
        self.is_finished = true;
        Ok(self.written)
    }

    fn open(&self, hour: u64) -> Result<OpenFile, ExportError> {
        let name = Time::from_nanos(hour * HOUR_NANOS).utc("%Y-%m-%dT%HZ.parquet");
        let path = self.directory.join(name);
        let part = part_of(&path);
        let failed = |why| ExportError { path: part.clone(), why };
        let file = File::create_new(&part).map_err(|error| failed(Why::Io(error)))?;
        let schema = self.schema.clone();
        let writer = SerializedFileWriter::new(file, schema, self.properties.clone());
        Ok(OpenFile { hour, writer: writer.map_err(|error| failed(Why::Parquet(error)))?, path })
    }

    /// Writes what waits as one group.
    fn flush(&mut self) -> Result<(), ExportError> {
        let Some(file) = self.file.as_mut().filter(|_| self.waiting > 0) else { return Ok(()) };
        let mut write = || {
            let mut group = file.writer.next_row_group()?;
            for buffer in &mut self.buffers {
                if let Some(column) = group.next_column()? {
                    buffer.flush(column)?;
                }
            }
            group.close()
        };
        write()
            .map_err(|error| ExportError { path: file.path.clone(), why: Why::Parquet(error) })?;
        self.waiting = 0;
        Ok(())
    }

    fn close(&mut self) -> Result<(), ExportError> {
        self.flush()?;
        let Some(OpenFile { path, writer, .. }) = self.file.take() else { return Ok(()) };
        let closed = writer.close().map_err(Why::Parquet);
        let named = closed.and_then(|_| fs::rename(part_of(&path), &path).map_err(Why::Io));
        if let Err(why) = named {
            return Err(ExportError { path, why });
        }
        self.whole.push(path);
        self.written.files += 1;
        Ok(())
    }
}

impl Drop for HourlyFiles {
    /// What cannot be removed stays: there is nobody to be told.
    fn drop(&mut self) {
        if !self.is_finished {
            let part = self.file.take().map(|file| part_of(&file.path));
            for path in self.whole.iter().chain(&part) {
                let _ = fs::remove_file(path);
            }
        }
        if self.is_own_directory && (!self.is_finished || self.written.rows == 0) {
            let _ = fs::remove_dir(&self.directory);
        }
    }
}

/// Where a file is written until it is whole.
fn part_of(path: &Path) -> PathBuf {
    path.with_extension("parquet.part")
}

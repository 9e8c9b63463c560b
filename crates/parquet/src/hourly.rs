//! Files of an hour each, in a directory of a table. Until the table is whole its directory has
//! another name, which the next try replaces.

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
    fs::{self, File, TryLockError},
    io::{self, ErrorKind},
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
    Link,
    Busy,
    /// Not of an export: it is no directory.
    InTheWay(PathBuf),
    /// In place of a directory of the path.
    File(PathBuf),
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
            Why::Link => write!(f, "{path} is a link; give another directory, or delete it"),
            Why::Busy => write!(f, "another export is writing {path}"),
            Why::InTheWay(part) => write!(
                f,
                "{} is in the way of {path}, and no directory; move it away",
                part.display()
            ),
            Why::File(file) => {
                let file = file.display();
                write!(f, "cannot write {path}: {file} is a file; give a directory")
            }
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

/// A table under way. Nothing stays of a table that is not finished, nor the directory of one
/// without rows.
pub struct HourlyFiles {
    directory: PathBuf,
    /// Where it is until it is whole.
    part: PathBuf,
    /// Held, so that nobody takes it for what a killed export left.
    _lock: File,
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
    /// A table with these columns, which will be the directory `name` below `parent`, which is
    /// made. It is an error if anything is in there.
    pub(super) fn create(
        parent: &Path,
        name: &str,
        columns: &[Column],
    ) -> Result<Self, ExportError> {
        let directory = parent.join(name);
        let failed = |why| ExportError { path: directory.clone(), why };
        if let Some(file) = parent.ancestors().find(|path| path.is_file()) {
            return Err(failed(Why::File(file.to_owned())));
        }
        // No directory takes the place of one.
        if directory.is_symlink() {
            return Err(failed(Why::Link));
        }
        let is_empty = match fs::read_dir(&directory) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == ErrorKind::NotFound => true,
            Err(error) => return Err(failed(Why::Io(error))),
        };
        if !is_empty {
            return Err(failed(Why::NotEmpty));
        }
        fs::create_dir_all(parent).map_err(|error| failed(Why::Io(error)))?;
        let part = part_of(parent, name);
        let lock = begin(&part).map_err(failed)?;
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
            part,
            _lock: lock,
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

    /// Gives the table its name, whose last file has ended. One without rows has none.
    pub fn finish(self) -> Result<Written, ExportError> {
        if self.written.rows > 0 {
            // It replaces nothing but an empty directory.
            fs::rename(&self.part, &self.directory).map_err(|error| ExportError {
                path: self.directory.clone(),
                why: Why::Io(error),
            })?;
        }
        Ok(self.written)
    }

    fn open(&self, hour: u64) -> Result<OpenFile, ExportError> {
        let name = Time::from_nanos(hour * HOUR_NANOS).utc("%Y-%m-%dT%HZ.parquet");
        let path = self.part.join(name);
        let failed = |why| ExportError { path: path.clone(), why };
        let file = File::create_new(&path).map_err(|error| failed(Why::Io(error)))?;
        let schema = self.schema.clone();
        let writer = SerializedFileWriter::new(file, schema, self.properties.clone());
        let writer = writer.map_err(|error| failed(Why::Parquet(error)))?;
        Ok(OpenFile { hour, path, writer })
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

    /// Ends the last file.
    pub(super) fn close(&mut self) -> Result<(), ExportError> {
        self.flush()?;
        let Some(OpenFile { path, writer, .. }) = self.file.take() else { return Ok(()) };
        if let Err(error) = writer.close() {
            return Err(ExportError { path, why: Why::Parquet(error) });
        }
        self.written.files += 1;
        Ok(())
    }
}

impl Drop for HourlyFiles {
    /// What cannot be removed stays: there is nobody to be told, and it is called what it is.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.part);
    }
}

/// Where the table `name` below `parent` is until it is whole.
pub fn part_of(parent: &Path, name: &str) -> PathBuf {
    parent.join(format!(".{name}.part"))
}

/// Makes that directory, in place of what a killed export left; returns its lock. Nothing else is
/// touched, and no link is followed.
fn begin(part: &Path) -> Result<File, Why> {
    match fs::create_dir(part) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if !part.symlink_metadata().map_err(Why::Io)?.is_dir() {
                return Err(Why::InTheWay(part.to_owned()));
            }
            let old = File::open(part).map_err(Why::Io)?;
            if matches!(old.try_lock(), Err(TryLockError::WouldBlock)) {
                return Err(Why::Busy);
            }
            fs::remove_dir_all(part).and_then(|()| fs::create_dir(part)).map_err(Why::Io)?;
        }
        made => made.map_err(Why::Io)?,
    }
    File::open(part).map_err(Why::Io).inspect(|lock| {
        // A file system without locks has none to respect.
        let _ = lock.try_lock();
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_export_left_is_replaced_and_no_link_is_followed() {
        let temp_dir = tempfile::tempdir().expect("a directory");
        let begun = || HourlyFiles::create(temp_dir.path(), "outcomes", &[]);
        let part = part_of(temp_dir.path(), "outcomes");
        fs::create_dir(&part).expect("a directory");
        fs::write(part.join("left"), "").expect("a file");
        let first = begun().expect("a table");
        assert!(!part.join("left").exists());
        let told = |why: Option<ExportError>| why.expect("an error").to_string();
        assert!(told(begun().err()).starts_with("another export is writing "));
        drop(first);
        assert!(!part.exists());
        let elsewhere = temp_dir.path().join("elsewhere");
        fs::create_dir(&elsewhere).expect("a directory");
        for target in [&*elsewhere, Path::new("nowhere")] {
            std::os::unix::fs::symlink(target, &part).expect("a link");
            let why = told(begun().err());
            assert!(why.ends_with("outcomes, and no directory; move it away"), "{why}");
            assert!(part.is_symlink() && elsewhere.is_dir());
            fs::remove_file(&part).expect("a link");
        }
    }
}

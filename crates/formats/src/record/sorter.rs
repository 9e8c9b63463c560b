//! Sorts more entries than memory holds: in parts, which lie on disk and are merged at the end.

use super::entry::Entry;
use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, Write},
};

/// Entries of a part: 64 MiB, and half as much again while it is sorted.
const PART: usize = 2 << 20;
/// What is read of a part at a time.
const BUFFER: usize = 256 << 10;

/// Makes an empty file that can be written and read, and that is gone when it is closed.
pub(super) type MakeFile = Box<dyn FnMut() -> io::Result<File>>;

pub(super) struct Sorter {
    make_file: MakeFile,
    present: Vec<Entry>,
    parts: Vec<File>,
}

impl Sorter {
    pub fn new(make_file: MakeFile) -> Self {
        Self { make_file, present: Vec::new(), parts: Vec::new() }
    }

    pub fn push(&mut self, entry: Entry) -> io::Result<()> {
        self.present.push(entry);
        if self.present.len() < PART {
            return Ok(());
        }
        self.present.sort_by(Entry::order);
        let mut file = BufWriter::with_capacity(BUFFER, (self.make_file)()?);
        for entry in self.present.drain(..) {
            file.write_all(&entry.to_bytes())?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.parts.push(file);
        Ok(())
    }

    /// All entries, in order.
    pub fn finish(mut self) -> io::Result<Merged> {
        self.present.sort_by(Entry::order);
        let mut sources = vec![Source::Memory(self.present, 0)];
        for file in self.parts {
            sources.push(Source::Disk(BufReader::with_capacity(BUFFER, file)));
        }
        let mut merged = Merged { sources, heads: BinaryHeap::new() };
        merged.begin()?;
        Ok(merged)
    }
}

enum Source {
    /// And how many of them were taken.
    Memory(Vec<Entry>, usize),
    Disk(BufReader<File>),
}

impl Source {
    fn begin(&mut self) -> io::Result<()> {
        match self {
            Source::Memory(_, taken) => *taken = 0,
            Source::Disk(file) => file.rewind()?,
        }
        Ok(())
    }

    fn next(&mut self) -> io::Result<Option<Entry>> {
        match self {
            Source::Memory(entries, taken) => {
                *taken += 1;
                Ok(entries.get(*taken - 1).copied())
            }
            Source::Disk(file) => {
                let mut bytes = [0; Entry::LENGTH];
                match file.read_exact(&mut bytes) {
                    Ok(()) => Ok(Some(Entry::from_bytes(&bytes))),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }
}

/// The next entry of a source.
struct Head {
    entry: Entry,
    source: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        self.entry.order(&other.entry).then(self.source.cmp(&other.source))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}

/// All entries, in order.
pub(super) struct Merged {
    sources: Vec<Source>,
    heads: BinaryHeap<Reverse<Head>>,
}

impl Merged {
    /// From the first on.
    pub fn begin(&mut self) -> io::Result<()> {
        self.heads.clear();
        for source in 0..self.sources.len() {
            self.sources[source].begin()?;
            if let Some(entry) = self.sources[source].next()? {
                self.heads.push(Reverse(Head { entry, source }));
            }
        }
        Ok(())
    }

    pub fn next(&mut self) -> io::Result<Option<Entry>> {
        let Some(mut head) = self.heads.peek_mut() else { return Ok(None) };
        let first = head.0.entry;
        match self.sources[head.0.source].next()? {
            Some(entry) => head.0.entry = entry,
            None => drop(std::collections::binary_heap::PeekMut::pop(head)),
        }
        Ok(Some(first))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::entry::Fact, *};
    use lifesign_core::{rng::Rng, time::Time};

    #[test]
    fn more_than_a_part_comes_out_in_order() {
        let mut sorter = Sorter::new(Box::new(tempfile::tempfile));
        let mut rng = Rng::new(1);
        let count = PART + PART / 2;
        for _ in 0..count {
            let at = Time::from_nanos((rng.unit() * 1e15) as u64);
            let target = (rng.unit() * 9.0) as u32;
            sorter
                .push(Entry { at, target, fact: Fact::Answered, goes_on: false })
                .expect("a disk");
        }
        let mut merged = sorter.finish().expect("a disk");
        for _ in 0..2 {
            let mut last =
                Entry { at: Time::default(), target: 0, fact: Fact::Missed, goes_on: false };
            for _ in 0..count {
                let next = merged.next().expect("a disk").expect("an entry");
                assert_ne!(last.order(&next), Ordering::Greater);
                last = next;
            }
            assert_eq!(merged.next().expect("a disk"), None);
            merged.begin().expect("a disk");
        }
    }
}

//! Files in, a journal and a plan out.

use super::{
    Fault, Format, Map, Only, atlas, fping,
    join::Join,
    journal::JournalWriter,
    plan, prometheus,
    recognise::{HEAD, recognise},
    scamper,
    sink::{Sink, Stop},
    targets::Targets,
    victoria,
};
use lifesign_core::time::Time;
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
};

/// What the user has chosen.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which address a name stands for, and where it belongs.
    pub map: Map,
    /// What is taken alone.
    pub only: Vec<Only>,
}

/// An import of one or more files.
pub struct Import {
    sink: Sink,
    formats: BTreeSet<Format>,
    sources: Vec<String>,
}

/// What became of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Probes.
    pub outcomes: u64,
    /// Of these, nobody answered.
    pub missed: u64,
    /// Times in which nobody watched.
    pub gaps: u64,
    /// Hosts, each asked in one way.
    pub targets: usize,
    /// The first probe and the last.
    pub span: Option<(Time, Time)>,
    /// What was counted only, and so is not exact.
    pub is_inexact: bool,
    /// The text of a plan that fits the journal.
    pub plan: String,
}

impl Import {
    /// `make_file` makes empty files for what memory does not hold, each gone when it is closed.
    pub fn new(
        options: Options,
        make_file: impl FnMut() -> io::Result<File> + 'static,
    ) -> Self {
        let targets = Targets::new(options.map, options.only);
        let sink = Sink::new(targets, Box::new(make_file));
        Self { sink, formats: BTreeSet::new(), sources: Vec::new() }
    }

    /// Reads a file. Returns its format, and what was left out of it: each reason with its first
    /// place and how often.
    pub fn read(
        &mut self,
        name: &str,
        mut input: impl BufRead,
    ) -> io::Result<Result<(Format, Vec<(Fault, usize)>), Fault>> {
        let mut head = Vec::new();
        (&mut input).take(HEAD as u64).read_to_end(&mut head)?;
        let format = match recognise(&head) {
            Ok(format) => format,
            Err(fault) => return Ok(Err(fault)),
        };
        let mark = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let whole = BufReader::with_capacity(HEAD, (&head[mark..]).chain(input));
        let samples = self.sink.samples;
        let sink = &mut self.sink;
        let read = match format {
            Format::Prometheus => prometheus::read(whole, true, sink),
            Format::VictoriaMetrics => victoria::read(whole, sink),
            Format::FpingJson => fping::read_json(whole, sink),
            Format::FpingText => fping::read_text(whole, sink),
            Format::Atlas => atlas::read(whole, sink),
            Format::Scamper => scamper::read(whole, sink),
        };
        let notes = self.sink.take_notes();
        match read {
            Err(Stop::Io(error)) => return Err(error),
            Err(Stop::Fault(fault)) => return Ok(Err(fault)),
            Ok(()) if self.sink.samples == samples => {
                let why = notes.into_iter().next().map(|(fault, _)| fault);
                let why = why.unwrap_or_else(|| Fault::whole(format!("it has {format}")));
                return Ok(Err(Fault { text: format!("no outcome in it: {}", why.text), ..why }));
            }
            Ok(()) => {}
        }
        if let Some(clash) = self.sink.targets.clash() {
            return Ok(Err(Fault::whole(clash)));
        }
        self.formats.insert(format);
        self.sources.push(format!("{}: {format}", printable(name)));
        Ok(Ok((format, notes)))
    }

    /// Reads one page of a server's samples; there may be none in it.
    pub fn read_page(&mut self, page: &str) -> io::Result<Result<Vec<(Fault, usize)>, Fault>> {
        match prometheus::read(page.as_bytes(), false, &mut self.sink) {
            Err(Stop::Io(error)) => Err(error),
            Err(Stop::Fault(fault)) => Ok(Err(fault)),
            Ok(()) => Ok(match self.sink.targets.clash() {
                Some(clash) => Err(Fault::whole(clash)),
                None => Ok(self.sink.take_notes()),
            }),
        }
    }

    /// All pages of a server have been read.
    pub fn end_pages(&mut self, server: &str) {
        self.formats.insert(Format::Prometheus);
        self.sources.push(format!("{}: {}", printable(server), Format::Prometheus));
    }

    /// How many numbers were read so far.
    pub fn samples(&self) -> u64 {
        self.sink.samples
    }

    /// Writes the journal. `progress` is told how many of those numbers are done.
    pub fn finish(
        self,
        journal: impl Write,
        mut progress: impl FnMut(u64),
    ) -> io::Result<Summary> {
        let is_inexact = self.sink.has_counters;
        let (targets, sorter) = self.sink.finish();
        let mut sorted = sorter.finish()?;
        let mut join = Join::new(&targets.list, is_inexact);
        let mut writer = JournalWriter::new(journal, &targets.list);
        let mut done = 0;
        let mut span: Option<(Time, Time)> = None;
        while let Some(entry) = sorted.next()? {
            span = Some((span.map_or(entry.at, |(first, _)| first), entry.at));
            join.add(entry);
            while let Some((seen, event)) = join.next() {
                writer.write(seen, event)?;
            }
            done += 1;
            if done % 65_536 == 0 {
                progress(done);
            }
        }
        join.end();
        while let Some((seen, event)) = join.next() {
            writer.write(seen, event)?;
        }
        let writer = writer.finish()?;
        Ok(Summary {
            outcomes: writer.outcomes,
            missed: writer.missed,
            gaps: writer.gaps,
            targets: targets.list.len(),
            span,
            is_inexact,
            plan: plan::plan(&targets.list, &targets.map, &self.sources),
        })
    }
}

/// A name of a file as a comment can have it.
fn printable(name: &str) -> String {
    name.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

//! Files in, a journal and a plan out.

use super::{
    Fault, Format, Map, Only, atlas,
    entry::{Entry, Fact},
    fping,
    join::Join,
    journal::JournalWriter,
    plan, prometheus,
    recognise::{HEAD, recognise},
    scamper,
    sink::{Notes, ReadError, Sink},
    targets::{Target, Targets},
    victoria,
};
use lifesign_core::time::Time;
use lifesign_document::{Problems, mark_length, plain};
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
    /// Samples of a target and a time of which there was one already: they are counted once, and as
    /// a miss if one of them is.
    pub repeated: u64,
    /// Times in which nobody watched.
    pub gaps: u64,
    /// Hosts, each asked in one way.
    pub targets: usize,
    /// The first probe and the last.
    pub span: Option<(Time, Time)>,
    /// What was counted only, and so is not exact.
    pub is_inexact: bool,
    /// What was put together though the data tell it apart: series of one target under other
    /// labels or names.
    pub joined: Vec<String>,
    /// Who is left out, since nothing says whether they answered.
    pub unasked: Option<String>,
    /// The lines of the map that say nothing of what was recorded, if there are any.
    pub unused: Option<Problems>,
    /// The text of a plan that fits the journal.
    pub plan: String,
}

impl Summary {
    /// A line for each thing that is worth telling.
    pub fn lines(&self) -> Vec<String> {
        let count = |number: u64, what: &str| {
            format!("{number} {what}{}", if number == 1 { "" } else { "s" })
        };
        let mut lines = Vec::new();
        if let Some((first, last)) = self.span {
            lines.push(format!(
                "{} of {} between {first} and {last}: {} missed, {} in which nobody watched",
                count(self.outcomes, "probe"),
                count(self.targets as u64, "target"),
                self.missed,
                count(self.gaps, "time"),
            ));
        }
        if self.repeated > 0 {
            let samples = count(self.repeated, "sample");
            lines.push(format!("of a target and a time that had one already: {samples}"));
        }
        lines.extend_from_slice(&self.joined);
        lines.extend(self.unasked.clone());
        if self.is_inexact {
            let why = "of counted probes nobody knows which were lost";
            lines.push(format!("inexact: {why}"));
        }
        lines
    }
}

impl Import {
    /// `make_file` makes empty files for what memory does not hold, each gone when it is closed.
    pub fn new(options: Options, make_file: impl FnMut() -> io::Result<File> + 'static) -> Self {
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
    ) -> Result<(Format, Notes), ReadError> {
        let mut head = Vec::new();
        (&mut input).take(HEAD as u64).read_to_end(&mut head)?;
        let format = recognise(&head)?;
        let mark = mark_length(&head);
        let whole = BufReader::with_capacity(HEAD, (&head[mark..]).chain(input));
        let samples = self.sink.samples;
        let sink = &mut self.sink;
        sink.targets.begin();
        let read = match format {
            Format::Prometheus => prometheus::read(whole, true, sink),
            Format::VictoriaMetrics => victoria::read(whole, sink),
            Format::FpingJson => fping::read_json(whole, sink),
            Format::FpingText => fping::read_text(whole, sink),
            Format::Atlas => atlas::read(whole, sink),
            Format::Scamper => scamper::read(whole, sink),
        };
        let notes = self.sink.take_notes();
        read?;
        if self.sink.samples == samples {
            if let Some(unmet) = self.unmet() {
                return Err(Fault::whole(unmet).into());
            }
            let why = notes.into_iter().next().map(|(fault, _)| fault);
            let why = why.unwrap_or_else(|| Fault::whole(format!("it has {format}")));
            return Err(Fault { text: format!("no outcome in it: {}", why.text), ..why }.into());
        }
        self.one_vantage()?;
        self.formats.insert(format);
        self.sources.push(format!("{}: {format}", plain(name)));
        Ok((format, notes))
    }

    /// The pages of a server begin.
    pub fn begin_pages(&mut self) {
        self.sink.targets.begin();
    }

    /// Reads one page of a server's samples; there may be none in it.
    pub fn read_page(&mut self, page: &str) -> Result<Notes, ReadError> {
        prometheus::read(page.as_bytes(), false, &mut self.sink)?;
        self.one_vantage()?;
        Ok(self.sink.take_notes())
    }

    fn one_vantage(&self) -> Result<(), Fault> {
        self.sink.targets.clash().map_or(Ok(()), |clash| Err(Fault::whole(clash)))
    }

    /// That nothing of a file or of a server is of the labels that are taken alone, and which
    /// others it has; None if something is.
    pub fn unmet(&self) -> Option<String> {
        self.sink.targets.unmet()
    }

    /// All pages of a server have been read.
    pub fn end_pages(&mut self, server: &str) {
        self.formats.insert(Format::Prometheus);
        self.sources.push(format!("{}: {}", plain(server), Format::Prometheus));
    }

    /// How many numbers were read so far.
    pub fn samples(&self) -> u64 {
        self.sink.samples
    }

    /// Writes the journal. `progress` is told how many of those numbers are done.
    pub fn finish(self, journal: impl Write, mut progress: impl FnMut(u64)) -> io::Result<Summary> {
        let is_inexact = self.sink.is_inexact;
        let (mut targets, sorter) = self.sink.finish();
        let mut sorted = sorter.finish()?;
        // How often each was asked says what a gap is: that is known first.
        while let Some(Entry { at, target, fact, goes_on }) = sorted.next()? {
            if let Some(target) = targets.list.get_mut(target as usize) {
                target.cadence.add(at, goes_on);
                if let Fact::LossRatio(ratio) = fact {
                    target.rises.add(ratio);
                }
            }
        }
        targets.list.iter_mut().for_each(|target| target.cadence.end());
        sorted.begin()?;
        let mut join = Join::new(&targets.list);
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
        let (writer, repeated) = (writer.finish()?, join.repeated);
        // Of whom there is no outcome, nobody knows that they were asked.
        let mut has_outcomes = writer.has_outcomes.iter();
        let (kept, unasked) =
            targets.list.into_iter().partition(|_| has_outcomes.next() == Some(&true));
        targets.list = kept;
        Ok(Summary {
            outcomes: writer.outcomes,
            missed: writer.missed,
            repeated,
            gaps: writer.gaps,
            targets: targets.list.len(),
            span,
            is_inexact,
            joined: targets.joined(),
            unasked: unasked_in_words(&unasked),
            unused: targets.map.unused(targets.list.iter().map(|target| &target.host)),
            plan: plan::plan(&targets.list, &targets.map, &self.sources, is_inexact),
        })
    }
}

fn unasked_in_words(targets: &[Target]) -> Option<String> {
    let Target { host, probe, .. } = targets.first()?;
    let and_more = match targets.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!("left out: nothing says whether {host} {probe}{and_more} answered"))
}

//! Reads a file of any kind that is known.

use super::{Fact, Format, json, lists, nmap, registry, table, zone};
use crate::{Skipped, input::Input};
use jiff::civil::Date;
use lifesign_document::Problems;
use std::io::Read;

const WANTED: &str = "a registry's file, a scan, a hit list, a zone or a list of addresses";

/// What a file was, and how much there was in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it was recognised as.
    pub format: Format,
    /// Lines or objects that said something.
    pub rows: usize,
    /// How many of them said that a host did not answer.
    pub silent: usize,
    /// What could not be read.
    pub skipped: Skipped,
    /// It ends within something, as that of a scan which was stopped.
    pub is_torn: bool,
    /// Its last line, if that has no end: of rows, nothing else says that it is whole.
    pub unended: Option<usize>,
    /// The day of the whole, for what has none of its own.
    pub day: Option<Date>,
}

/// Where facts go.
pub(super) struct Sink<'s> {
    take: &'s mut dyn FnMut(Fact<'_>),
    /// The code of the country that is looked for, if there is one.
    pub country: Option<String>,
    pub source: Source,
}

impl Sink<'_> {
    pub fn take(&mut self, fact: Fact<'_>) {
        (self.take)(fact);
    }

    pub fn skip(&mut self, line: usize, col: usize, fault: &str) {
        self.source.skipped.add(line, col, fault);
    }
}

/// A file whose kind is known.
pub struct Opened<R: Read> {
    name: String,
    input: Input<R>,
    format: Format,
    country: Option<String>,
}

/// Recognises a file by what it begins with; `name` is its in problems. An error if it is of
/// another kind.
pub fn open<R: Read>(name: &str, reader: R) -> Result<Opened<R>, Problems> {
    let input = Input::open(name, reader, WANTED)?;
    let format = Format::of(input.head())
        .map_err(|what| Problems::single(name, (1, 1), &format!("{what}; give {WANTED}")))?;
    Ok(Opened { name: name.to_owned(), input, format, country: None })
}

impl<R: Read> Opened<R> {
    /// What it was recognised as.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Of a country, given by its code: what is wholly of another one is an error.
    #[must_use]
    pub fn of(self, country: &str) -> Self {
        Self { country: Some(country.to_owned()), ..self }
    }

    /// Reads it, and passes to `take` what it says, in its order. Memory does not grow with its
    /// length. What cannot be read is left out and counted; an error if there is nothing else.
    pub fn read(self, take: &mut dyn FnMut(Fact<'_>)) -> Result<Source, Problems> {
        let Self { name, input, format, country } = self;
        let source = Source {
            format,
            rows: 0,
            silent: 0,
            skipped: Skipped::default(),
            is_torn: false,
            unended: None,
            day: None,
        };
        let mut sink = Sink { take, country, source };
        match format {
            Format::Delegated => registry::delegated(input, &mut sink),
            Format::CountryResources => registry::country_resources(input, &mut sink),
            Format::Pfx2as => registry::announced(input, &mut sink),
            Format::ZmapJson => json::zmap(input, &mut sink),
            Format::MasscanJson => json::masscan(input, &mut sink),
            Format::MasscanList => lists::masscan(input, &mut sink),
            Format::Hitlist => lists::hitlist(input, &mut sink),
            Format::NmapXml => nmap::xml(input, &mut sink),
            Format::NmapGrepable => nmap::grepable(input, &mut sink),
            Format::Zone => zone::zone(input, &mut sink),
            Format::Table => table::table(input, &mut sink),
        }?;
        let source = sink.source;
        if source.rows == 0
            && let Some((first, _)) = source.skipped.told().next()
        {
            return Err(Problems::single(&name, (first.line, first.col), &first.text));
        }
        Ok(source)
    }
}

/// Opens a stream and reads it.
pub fn read(
    name: &str,
    reader: impl Read,
    take: &mut dyn FnMut(Fact<'_>),
) -> Result<Source, Problems> {
    open(name, reader)?.read(take)
}

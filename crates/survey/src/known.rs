//! What is known of one address.

use jiff::civil::Date;
use lifesign_formats::survey::Seen;

/// With so many open ports it is no host: a firewall answers for it (KP's 175.45.176.10 accepted
/// 65,073 in 2014).
const ALL_PORTS: usize = 64;
/// More days, and more names, say no more.
const MAX_DAYS: usize = 8;
const MAX_NAMES: usize = 8;

/// When what a file says was so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// As it says itself.
    Said(Date),
    /// It was changed then: who has copied it since has changed that too.
    Changed(Date),
    /// Nothing tells.
    Unknown,
}

impl Day {
    /// The day, however it is known.
    pub fn date(self) -> Option<Date> {
        match self {
            Day::Said(date) | Day::Changed(date) => Some(date),
            Day::Unknown => None,
        }
    }
}

/// What is known of an address.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Bit for bit the files that have it, and those of them that do not say when.
    pub sources: u64,
    undated: u64,
    days: Vec<Date>,
    /// It answered an echo request, or a question.
    pub echo: bool,
    pub dns: bool,
    pub accepts_all: bool,
    /// Ascending.
    pub open: Vec<u16>,
    pub closed: Option<u16>,
    /// Ids of its names.
    pub names: Vec<u32>,
}

impl Known {
    pub fn see(&mut self, source: u32, seen: Seen, day: Option<Date>) {
        self.note(source, day);
        match seen {
            Seen::Echo => self.echo = true,
            Seen::Dns => self.dns = true,
            Seen::Listed => {}
            Seen::AllPorts => self.accepts_all = true,
            Seen::Port { port, is_open: false } => self.closed = self.closed.or(Some(port)),
            Seen::Port { port, is_open: true } => {
                if let Err(at) = self.open.binary_search(&port)
                    && self.open.len() < ALL_PORTS
                {
                    self.open.insert(at, port);
                }
                self.accepts_all |= self.open.len() >= ALL_PORTS;
            }
        }
    }

    pub fn name(&mut self, source: u32, id: Option<u32>) {
        self.note(source, None);
        if let Some(id) = id
            && !self.names.contains(&id)
            && self.names.len() < MAX_NAMES
        {
            self.names.push(id);
        }
    }

    fn note(&mut self, source: u32, day: Option<Date>) {
        self.sources |= 1 << source;
        match day {
            None => self.undated |= 1 << source,
            Some(day) if self.days.len() < MAX_DAYS && !self.days.contains(&day) => {
                self.days.push(day);
            }
            Some(_) => {}
        }
    }

    /// When it was there, ascending. Where nothing says so, the first day of a file that has it.
    pub fn days(&self, files: &[Day]) -> Vec<Date> {
        let of_files = || files.iter().enumerate().filter(|(at, _)| self.undated >> at & 1 == 1);
        let mut all = self.days.clone();
        all.extend(of_files().filter_map(|(_, day)| match day {
            Day::Said(day) => Some(*day),
            _ => None,
        }));
        if all.is_empty() {
            all.extend(
                of_files()
                    .filter_map(|(_, day)| match day {
                        Day::Changed(day) => Some(*day),
                        _ => None,
                    })
                    .min(),
            );
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

//! Which kind of file it is, by what it begins with.

use super::{table, zone};
use crate::networks::row;
use std::{fmt, net::IpAddr};

/// What can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A registry's delegated file, plain or extended.
    Delegated,
    /// RIPEstat's country-resource-list.
    CountryResources,
    /// CAIDA's prefixes with the numbers of who announces them.
    Pfx2as,
    /// ZMap's rows as JSON.
    ZmapJson,
    /// masscan's `-oJ`.
    MasscanJson,
    /// masscan's `-oL`.
    MasscanList,
    /// nmap's `-oX`.
    NmapXml,
    /// nmap's `-oG`.
    NmapGrepable,
    /// A hit list of ISI's ANT project.
    Hitlist,
    /// A zone, as a file or as `dig` shows it.
    Zone,
    /// Rows of hosts: ZMap's, any with names of columns, or addresses alone.
    Table,
}

/// As a sentence has it.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delegated => "a registry's delegations",
            Self::CountryResources => "RIPEstat's list of a country's resources",
            Self::Pfx2as => "prefixes with their origins (pfx2as)",
            Self::ZmapJson => "ZMap's rows (JSON)",
            Self::MasscanJson => "masscan's list (-oJ)",
            Self::MasscanList => "masscan's list (-oL)",
            Self::NmapXml => "nmap's scan (-oX)",
            Self::NmapGrepable => "nmap's scan (-oG)",
            Self::Hitlist => "a hit list of ISI's",
            Self::Zone => "a zone",
            Self::Table => "a list of hosts",
        })
    }
}

impl Format {
    /// Does it say where a country is, rather than which hosts there are?
    pub fn is_of_prefixes(self) -> bool {
        matches!(self, Self::Delegated | Self::CountryResources | Self::Pfx2as)
    }

    /// Does it tell the prefixes of networks, whose numbers must be known before?
    pub fn is_of_announcements(self) -> bool {
        self == Self::Pfx2as
    }

    /// Recognises a file by its begin, or says what it is instead.
    pub(super) fn of(head: &[u8]) -> Result<Self, &'static str> {
        let text = String::from_utf8_lossy(head);
        match text.trim_start().chars().next() {
            None => return Err("this is empty"),
            Some('<') if text.contains("<nmaprun") => return Ok(Self::NmapXml),
            Some('<') => return Err("this is XML, but not nmap's"),
            Some('{' | '[') if !is_ini(&text) => return of_json(&text),
            Some(_) => {}
        }
        of_lines(&text)
    }
}

/// A word in brackets on a line of its own is no JSON.
fn is_ini(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or_default();
    let within = first.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    within.is_some_and(|within| within.starts_with(|letter: char| letter.is_alphabetic()))
}

fn of_json(text: &str) -> Result<Format, &'static str> {
    let has = |key: &str| text.contains(key);
    Ok(if has("\"saddr\"") {
        Format::ZmapJson
    } else if has("\"ip\"") && has("\"ports\"") || is_empty_list(text) {
        Format::MasscanJson
    } else if has("\"resources\"") || has("country-resource-list") {
        Format::CountryResources
    } else if has("\"prb_id\"") || has("\"hops\"") || has("\"resultType\"") || has("\"metric\"") {
        return Err("this is a record of measurements, which `lifesign import` may read");
    } else {
        return Err("this is JSON of a kind that is not known here");
    })
}

/// masscan writes one where nobody answers.
fn is_empty_list(text: &str) -> bool {
    text.chars().filter(|letter| !letter.is_whitespace()).eq("[]".chars())
}

fn of_lines(text: &str) -> Result<Format, &'static str> {
    if text.starts_with("#masscan") {
        return Ok(Format::MasscanList);
    }
    if text.starts_with("# Nmap ") {
        return Ok(Format::NmapGrepable);
    }
    if text.starts_with("#fsdb") {
        return Ok(Format::Hitlist);
    }
    let whole = text.rfind('\n').map_or(text, |end| &text[..end]);
    let mut has_zone_comments = false;
    for line in whole.lines().filter(|line| !line.trim().is_empty()).take(200) {
        if line.starts_with(';') {
            has_zone_comments = true;
            continue;
        }
        if line.starts_with('#') {
            continue;
        }
        if let Some(format) = of_line(line) {
            return Ok(format);
        }
        if row(line).is_ok() {
            return Err("this is a table of networks, for the key `networks` of a plan");
        }
        if table::is_row(line) {
            return Ok(Format::Table);
        }
    }
    if has_zone_comments {
        Ok(Format::Zone)
    } else {
        Err("this is of a kind that is not known here")
    }
}

fn of_line(line: &str) -> Option<Format> {
    if line.starts_with("Host: ") {
        return Some(Format::NmapGrepable);
    }
    if line.contains('|') && line.split('|').count() >= 6 {
        return Some(Format::Delegated);
    }
    let words: Vec<&str> = line.split_ascii_whitespace().take(6).collect();
    let is_address = |word: &str| word.parse::<IpAddr>().is_ok();
    match words[..] {
        ["open" | "closed", _, port, address, ..]
            if port.parse::<u16>().is_ok() && is_address(address) =>
        {
            return Some(Format::MasscanList);
        }
        [first, length, _]
            if line.contains('\t') && is_address(first) && length.parse::<u8>().is_ok() =>
        {
            return Some(Format::Pfx2as);
        }
        _ => {}
    }
    zone::is_record(line).then_some(Format::Zone)
}

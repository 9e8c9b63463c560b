//! Where a country is: the registries' files of delegations (RIR statistics exchange format), what
//! RIPEstat makes of them, and which networks announce what.

use super::{Fact, addresses::cidrs, days, read::Sink};
use crate::{
    input::{Input, Line, Lines, column, unreadable},
    networks::{Ends, row},
};
use lifesign_document::{Problems, fault_of_json};
use lifesign_model::scopes::Prefix;
use serde::Deserialize;
use serde_json::Value;
use std::{
    io::Read,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// RIPEstat's list of the largest country has two mebibytes.
const MAX_JSON: u64 = 16 << 20;
/// No registry gives out more at once.
const MOST_ASNS: u32 = 65_536;

/// Passes each line with text to `take`, which says the column and what would be right where it is
/// wrong.
pub(super) fn each_line<R: Read>(
    input: Input<R>,
    sink: &mut Sink<'_>,
    mut take: impl FnMut(&str, usize, &mut Sink<'_>) -> Result<(), (usize, String)>,
) -> Result<(), Problems> {
    let mut lines = Lines::new(input);
    while let Some(line) = lines.next()? {
        let Line { number, .. } = line;
        let read = line.text().and_then(|text| take(text, number, sink));
        if let Err((col, fault)) = read {
            sink.skip(number, col, &fault);
        }
    }
    sink.source.unended = lines.unended();
    Ok(())
}

/// Lines of `registry|country|type|start|value|date|status[|id]`.
pub(super) fn delegated<R: Read>(input: Input<R>, sink: &mut Sink<'_>) -> Result<(), Problems> {
    each_line(input, sink, |line, _, sink| {
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let cells: Vec<&str> = line.trim().split('|').collect();
        // The version line begins with a number, and has the day as its third or sixth cell.
        if cells[0].starts_with(|letter: char| letter.is_ascii_digit()) {
            let days = [5, 2].map(|at| cells.get(at).copied().and_then(days::of_text));
            sink.source.day = sink.source.day.or(days[0]).or(days[1]);
            return Ok(());
        }
        if cells.last() == Some(&"summary") {
            return Ok(());
        }
        let [_, country, kind, start, value, _, status, ..] = cells[..] else {
            let text = "a row has registry|country|type|start|value|date|status";
            return Err((1, text.to_owned()));
        };
        if !["allocated", "assigned"].contains(&status) {
            return Ok(());
        }
        let country = Some(country);
        let wrong =
            |cell: &str, wanted: &str| (column(line, cell), format!("{cell:?} is not {wanted}"));
        match kind {
            "ipv4" => {
                let first: Ipv4Addr =
                    start.parse().map_err(|_| wrong(start, "an address of IPv4"))?;
                let count: u32 =
                    value.parse().map_err(|_| wrong(value, "a number of addresses"))?;
                let last = count.checked_sub(1).and_then(|more| first.to_bits().checked_add(more));
                let last = last.ok_or_else(|| {
                    wrong(value, "the number of addresses from there on; write 1 to 4294967295")
                })?;
                let prefixes = cidrs(first.into(), Ipv4Addr::from_bits(last).into());
                for prefix in prefixes.into_iter().flatten() {
                    sink.take(Fact::Registered { country, prefix });
                }
            }
            "ipv6" => {
                let first: Ipv6Addr =
                    start.parse().map_err(|_| wrong(start, "an address of IPv6"))?;
                let length = value.parse().ok().filter(|length| (1..=128).contains(length));
                let length = length.ok_or_else(|| wrong(value, "a length from 1 to 128"))?;
                let prefix = Prefix::around(first.into(), length);
                if prefix.address() != first {
                    let text = format!("the begin of a prefix of that length, such as {prefix}");
                    return Err(wrong(start, &text));
                }
                sink.take(Fact::Registered { country, prefix });
            }
            "asn" => {
                let first: u32 = start.parse().map_err(|_| wrong(start, "the number of an AS"))?;
                let count: u32 = value.parse().map_err(|_| wrong(value, "a number of networks"))?;
                let last = count.checked_sub(1).and_then(|more| first.checked_add(more));
                let last = last.filter(|_| count <= MOST_ASNS).ok_or_else(|| {
                    wrong(value, "the number of networks from there on; write 1 to 65536")
                })?;
                for asn in first..=last {
                    sink.take(Fact::Numbered { country, asn });
                }
            }
            _ => return Err(wrong(kind, "ipv4, ipv6 or asn")),
        }
        sink.source.rows += 1;
        Ok(())
    })
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
    time: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    resources: Resources,
    query_time: Option<String>,
    #[serde(default)]
    resource: Value,
    #[serde(default)]
    parameters: Value,
}

impl Data {
    /// The code of the country that was asked about, which few answers say: its documentation has
    /// it as a key, and others of RIPEstat's answers as one of their parameters.
    fn country(&self) -> Option<&str> {
        self.resource.as_str().or(self.parameters["resource"].as_str())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resources {
    asn: Vec<Asn>,
    ipv4: Vec<String>,
    ipv6: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Asn {
    Number(u32),
    Text(String),
}

/// RIPEstat's `country-resource-list`, in one object.
pub(super) fn country_resources<R: Read>(
    input: Input<R>,
    sink: &mut Sink<'_>,
) -> Result<(), Problems> {
    let name = input.name().to_owned();
    let mut json = Vec::new();
    input.take(MAX_JSON).read_to_end(&mut json).map_err(|why| unreadable(&name, 0, &why))?;
    let answer: Answer = serde_json::from_slice(&json).map_err(|error| {
        let text = fault_of_json(&error, "RIPEstat's list, fetched again");
        Problems::single(&name, (error.line(), error.column().max(1)), &text)
    })?;
    let country = answer.data.country();
    if let (Some(named), Some(wanted)) = (country, &sink.country)
        && !named.eq_ignore_ascii_case(wanted)
    {
        let text = format!("this is the list of {named}, and --country is {wanted}");
        return Err(Problems::single(&name, (0, 0), &text));
    }
    let Data { resources, query_time, .. } = &answer.data;
    let time = query_time.as_ref().or(answer.time.as_ref());
    sink.source.day = time.and_then(|time| days::of_text(time));
    for asn in &resources.asn {
        let number = match asn {
            Asn::Number(number) => Ok(*number),
            Asn::Text(text) => text.trim_start_matches("AS").parse().map_err(|_| text),
        };
        match number {
            Ok(asn) => {
                sink.take(Fact::Numbered { country, asn });
                sink.source.rows += 1;
            }
            Err(text) => {
                let (line, col) = place_of_first(&json, "asn", text, sink);
                sink.skip(line, col, &format!("{text:?} in \"asn\" is no number of an AS"));
            }
        }
    }
    let all = resources.ipv4.iter().map(|text| ("ipv4", text));
    for (key, text) in all.chain(resources.ipv6.iter().map(|text| ("ipv6", text))) {
        match range(text) {
            Ok(prefixes) => {
                for prefix in prefixes {
                    sink.take(Fact::Registered { country, prefix });
                }
                sink.source.rows += 1;
            }
            Err(fault) => {
                let (line, col) = place_of_first(&json, key, text, sink);
                sink.skip(line, col, &fault);
            }
        }
    }
    Ok(())
}

/// Where this text is in the list of this key, if it is the first that is wrong: no other is told.
fn place_of_first(json: &[u8], key: &str, text: &str, sink: &Sink) -> (usize, usize) {
    if sink.source.skipped.first.is_none() { place(json, key, text) } else { (0, 0) }
}

/// The line and the column of this text in the list of this key; 0 of one that is written with
/// escapes.
fn place(json: &[u8], key: &str, text: &str) -> (usize, usize) {
    let json = String::from_utf8_lossy(json);
    let find =
        |from: usize, text: &str| Some(from + json.get(from..)?.find(&format!("\"{text}\""))?);
    let found = find(0, key).and_then(|list| find(list + key.len() + 2, text));
    let Some(before) = found.and_then(|at| json.get(..at)) else { return (0, 0) };
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// A prefix, or `first-last`.
fn range(text: &str) -> Result<Vec<Prefix>, String> {
    if let Some((first, last)) = text.split_once('-') {
        let ends = first.trim().parse::<IpAddr>().ok().zip(last.trim().parse().ok());
        let prefixes = ends.and_then(|(first, last)| cidrs(first, last));
        return prefixes
            .map(Iterator::collect)
            .ok_or_else(|| format!("{text:?} is no range, such as 192.0.2.0-192.0.2.255"));
    }
    text.parse().map(|prefix| vec![prefix])
}

/// Lines of `prefix⇥length⇥origin`.
pub(super) fn announced<R: Read>(input: Input<R>, sink: &mut Sink<'_>) -> Result<(), Problems> {
    each_line(input, sink, |line, _, sink| {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let row = row(line)?;
        let (first, last): (IpAddr, IpAddr) = match row.ends {
            Ends::V4(first, last) => (Ipv4Addr::from(first).into(), Ipv4Addr::from(last).into()),
            Ends::V6(first, last) => (Ipv6Addr::from(first).into(), Ipv6Addr::from(last).into()),
        };
        for prefix in cidrs(first, last).into_iter().flatten() {
            sink.take(Fact::Announced { prefix, origins: row.origins });
        }
        sink.source.rows += 1;
        Ok(())
    })
}

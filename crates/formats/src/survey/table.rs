//! Rows of hosts: ZMap's with the names of its columns, old and new, any other with a header that
//! names a column of addresses, or addresses alone.

use super::{Fact, Seen, days, json::zmap_seen, read::Sink, registry::each_line};
use crate::input::Input;
use lifesign_document::{Cell, Problems, RowReader};
use std::{io::Read, net::IpAddr};

/// Names of a column of addresses; of several, the first here counts. A host is often a name.
const ADDRESS: [&str; 10] =
    ["saddr", "ip", "addr", "address", "ip_address", "ipaddr", "ipv4", "ipv6", "ip_str", "host"];
const PORT: [&str; 2] = ["sport", "port"];
const TRANSPORT: [&str; 3] = ["transport", "protocol", "proto"];
const STATE: [&str; 2] = ["state", "port_state"];
/// What a column `status` has of who did not answer. Of other words of it nothing is known.
const SILENT: [&str; 8] =
    ["down", "dead", "filtered", "inactive", "offline", "timeout", "unreachable", "no response"];
const TIME: [&str; 9] = [
    "timestamp_str",
    "timestamp-str",
    "timestamp_ts",
    "timestamp-ts",
    "timestamp",
    "time",
    "date",
    "day",
    "last_seen",
];

/// Where what stands.
#[derive(Clone, Copy)]
struct Columns {
    address: usize,
    port: Option<usize>,
    transport: Option<usize>,
    state: Option<usize>,
    status: Option<usize>,
    classification: Option<usize>,
    success: Option<usize>,
    time: Option<usize>,
}

impl Columns {
    /// Those that say whether somebody answered.
    fn answers(&self) -> impl Iterator<Item = usize> {
        [self.classification, self.success, self.state].into_iter().flatten()
    }

    /// What a header names; None if it names no addresses.
    fn named(cells: &[Cell<'_>]) -> Option<Self> {
        let named =
            |name: &&str| cells.iter().position(|cell| cell.text.eq_ignore_ascii_case(name));
        let at = |names: &[&str]| names.iter().find_map(named);
        Some(Self {
            address: at(&ADDRESS)?,
            port: at(&PORT),
            transport: at(&TRANSPORT),
            state: at(&STATE),
            status: at(&["status"]),
            classification: at(&["classification"]),
            success: at(&["success"]),
            time: at(&TIME),
        })
    }

    /// Of rows without a header: where the first has an address.
    fn guessed(cells: &[Cell<'_>]) -> Option<Self> {
        let address = cells.iter().position(|cell| address(cell.text).is_some())?;
        Some(Self {
            address,
            port: None,
            transport: None,
            state: None,
            status: None,
            classification: None,
            success: None,
            time: None,
        })
    }
}

/// An address; of a prefix that is just one, that.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_suffix("/32").or_else(|| text.strip_suffix("/128")).unwrap_or(text);
    bare.parse().ok()
}

/// A line that begins with an address, without the comment behind it.
fn uncommented(line: &str) -> &str {
    let text = line.trim_start();
    let (begin, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    let is_commented = rest.trim_start().starts_with(['#', ';']) && address(begin).is_some();
    if is_commented { begin } else { line }
}

/// Is this line a row of addresses, or the names of columns?
pub(super) fn is_row(line: &str) -> bool {
    let line = uncommented(line);
    let mut found = false;
    let _ = RowReader::default().read(line, 1, |cells| {
        found = Columns::named(cells).or_else(|| Columns::guessed(cells)).is_some();
    });
    found
}

pub(super) fn table<R: Read>(input: Input<R>, sink: &mut Sink<'_>) -> Result<(), Problems> {
    let mut columns: Option<Columns> = None;
    let mut rows = RowReader::default();
    each_line(input, sink, |line, number, sink| {
        let begin = line.trim_start();
        if begin.is_empty() || begin.starts_with(['#', ';']) {
            return Ok(());
        }
        let line = uncommented(line);
        // Most lists have a line of nothing but an address.
        let is_list = columns
            .is_some_and(|columns| columns.address == 0 && columns.answers().next().is_none());
        if let Some(address) = address(line.trim()).filter(|_| is_list) {
            sink.take(Fact::Seen { address, seen: Seen::Listed, day: None });
            sink.source.rows += 1;
            return Ok(());
        }
        let mut result = Ok(());
        let line_number = u32::try_from(number).unwrap_or(u32::MAX);
        let read = rows.read(line, line_number, |cells| {
            let Some(columns) = columns else {
                columns = Columns::named(cells);
                if columns.is_none() {
                    columns = Columns::guessed(cells);
                    let none = || Err((1, "no address; write one in each row, or a header".into()));
                    result = columns.map_or_else(none, |columns| row(columns, cells, sink));
                }
                return;
            };
            result = row(columns, cells, sink);
        });
        read.map_err(|(position, fault)| (position.col as usize, fault.to_owned()))?;
        result
    })
}

fn row(columns: Columns, cells: &[Cell<'_>], sink: &mut Sink<'_>) -> Result<(), (usize, String)> {
    let text = |at: Option<usize>| at.and_then(|at| cells.get(at)).map(|cell| cell.text);
    let Some(cell) = cells.get(columns.address) else {
        let wanted = columns.address + 1;
        return Err((1, format!("{} cells; the address is the {wanted}th", cells.len())));
    };
    let Some(address) = address(cell.text) else {
        let text = format!("{:?} is no address; write one in each row", cell.text);
        return Err((cell.position.col as usize, text));
    };
    if columns.answers().any(|at| at >= cells.len()) {
        return Err((1, "the row ends before it says whether the host answered".into()));
    }
    let success =
        text(columns.success).map(|text| text == "1" || text.eq_ignore_ascii_case("true"));
    let classification = text(columns.classification);
    // What is wrong with a port or a day is said, and its host was there all the same.
    let cell = |at: Option<usize>| at.and_then(|at| cells.get(at));
    let mut told = |cell: &Cell<'_>, fault: String| {
        sink.skip(cell.position.line as usize, cell.position.col as usize, &fault);
    };
    let port = cell(columns.port).filter(|cell| !cell.text.is_empty()).and_then(|cell| {
        let port = cell.text.parse::<u16>().ok();
        // ZMap writes 0 for what has none.
        let is_none = port == Some(0) && classification.is_some();
        let port = port.filter(|&port| port > 0);
        if port.is_none() && !is_none {
            told(cell, format!("{:?} is no port; write 1 to 65535", cell.text));
        }
        port
    });
    let day = cell(columns.time).and_then(|cell| {
        days::of_cell(cell.text).unwrap_or_else(|fault| {
            told(cell, fault);
            None
        })
    });
    let is_silent = text(columns.status)
        .is_some_and(|text| SILENT.iter().any(|word| word.eq_ignore_ascii_case(text)));
    let seen = if is_silent {
        None
    } else if classification.is_some() || success.is_some() {
        zmap_seen(classification, success, port)
    } else if let Some(is_open) = is_open(cell(columns.state))? {
        let transport = cell(columns.transport);
        Some(at_port(transport, port, is_open).unwrap_or_else(|(cell, fault)| {
            told(cell, fault);
            Seen::Listed
        }))
    } else {
        None
    };
    match seen {
        Some(seen) => sink.take(Fact::Seen { address, seen, day }),
        None => sink.source.silent += 1,
    }
    sink.source.rows += 1;
    Ok(())
}

/// Does a port in this state accept, or has it answered that it does not? None if nobody answered.
fn is_open(state: Option<&Cell<'_>>) -> Result<Option<bool>, (usize, String)> {
    let Some(cell) = state else { return Ok(Some(true)) };
    match cell.text.to_ascii_lowercase().as_str() {
        "" | "open" => Ok(Some(true)),
        "closed" | "unfiltered" => Ok(Some(false)),
        "filtered" | "open|filtered" | "closed|filtered" => Ok(None),
        _ => {
            let text = format!("{:?} is no state; write open, closed or filtered", cell.text);
            Err((cell.position.col as usize, text))
        }
    }
}

/// How a list shows a host that answered at a port, of TCP where nothing says of what. The error
/// has the cell that says of what, if that is not known.
fn at_port<'c, 'a>(
    transport: Option<&'c Cell<'a>>,
    port: Option<u16>,
    is_open: bool,
) -> Result<Seen, (&'c Cell<'a>, String)> {
    let of_tcp = || port.map_or(Seen::Listed, |port| Seen::Port { port, is_open });
    let Some(cell) = transport else { return Ok(of_tcp()) };
    match cell.text.to_ascii_lowercase().as_str() {
        "" | "tcp" | "6" => Ok(of_tcp()),
        "udp" | "17" if port == Some(53) && is_open => Ok(Seen::Dns),
        "udp" | "17" | "sctp" | "132" => Ok(Seen::Listed),
        "icmp" | "1" | "icmp6" | "icmpv6" | "ipv6-icmp" | "58" => Ok(Seen::Echo),
        _ => {
            let text =
                format!("{:?} is neither tcp, udp nor icmp; its port is not taken", cell.text);
            Err((cell, text))
        }
    }
}

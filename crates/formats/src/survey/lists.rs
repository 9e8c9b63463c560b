//! Lists of a line each: masscan's `-oL`, and the hit lists of ISI's ANT project (fsdb).

use super::{Fact, Seen, days, json::masscan_seen, read::Sink, registry::each_line};
use crate::input::Input;
use lifesign_document::Problems;
use std::{io::Read, net::IpAddr};

/// `open tcp 80 203.0.113.67 1795632940`; banners are other lines.
pub(super) fn masscan<R: Read>(input: Input<R>, sink: &mut Sink<'_>) -> Result<(), Problems> {
    each_line(input, sink, |line, number, sink| {
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let words: Vec<&str> = line.split_ascii_whitespace().take(5).collect();
        let wrong = || {
            let text = "no row of masscan's, such as \"open tcp 80 192.0.2.1 1795632940\"";
            (1, text.to_owned())
        };
        let [status, proto, port, address, rest @ ..] = &words[..] else { return Err(wrong()) };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let port = port.parse().map_err(|_| wrong())?;
        let is_open = match *status {
            "open" | "banner" => true,
            "closed" => false,
            _ => return Err(wrong()),
        };
        let seen = masscan_seen(proto, port, is_open).map_err(|fault| (1, fault))?;
        let day = days::of_cell(rest.first().unwrap_or(&"")).unwrap_or_else(|fault| {
            sink.skip(number, 1, &fault);
            None
        });
        sink.take(Fact::Seen { address, seen, day });
        sink.source.rows += 1;
        Ok(())
    })
}

/// `hexip⇥score⇥ip`, the columns named in the first line. A score of 0 or less means that nobody
/// answered there.
pub(super) fn hitlist<R: Read>(input: Input<R>, sink: &mut Sink<'_>) -> Result<(), Problems> {
    let mut columns: Option<(usize, usize)> = None;
    each_line(input, sink, |line, _, sink| {
        if let Some(header) = line.strip_prefix("#fsdb") {
            let names: Vec<&str> = header
                .split_ascii_whitespace()
                .scan(false, |is_option, word| {
                    // `-F t` says that tabs are between.
                    let skip = std::mem::replace(is_option, word == "-F") || word.starts_with('-');
                    Some((!skip).then_some(word))
                })
                .flatten()
                .collect();
            let at = |name: &str| names.iter().position(|known| *known == name);
            columns = at("ip").zip(at("score"));
            let text = "no columns ip and score; give the list of addresses with their scores";
            return columns.map(|_| ()).ok_or((1, text.to_owned()));
        }
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let Some((ip, score)) = columns else {
            return Err((1, "no line \"#fsdb\" with the names of columns before it".to_owned()));
        };
        let cells: Vec<&str> = line.split('\t').collect();
        let wrong = |cell: usize, wanted: &str| {
            let col =
                1 + cells.iter().take(cell).map(|cell| cell.chars().count() + 1).sum::<usize>();
            let text = cells.get(cell).copied().unwrap_or_default();
            (col, format!("{text:?} is not {wanted}"))
        };
        let address = cells.get(ip).and_then(|cell| cell.parse().ok());
        let address: IpAddr = address.ok_or_else(|| wrong(ip, "an address"))?;
        let value = cells.get(score).and_then(|cell| cell.trim().parse().ok());
        let value: i32 = value.ok_or_else(|| wrong(score, "a score, such as 99"))?;
        if value > 0 {
            sink.take(Fact::Seen { address, seen: Seen::Echo, day: None });
        } else {
            sink.source.silent += 1;
        }
        sink.source.rows += 1;
        Ok(())
    })
}

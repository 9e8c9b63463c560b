//! Zones: master files (RFC 1035 §5), and what `dig` shows of a transfer or a question.

use super::{Fact, Role, days, read::Sink, registry::each_line};
use crate::input::Input;
use lifesign_document::Problems;
use std::{
    io::Read,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

const CLASSES: [&str; 3] = ["IN", "CH", "HS"];
/// Types that say nothing of a host here.
const OTHERS: [&str; 32] = [
    "SOA",
    "TXT",
    "CNAME",
    "DNAME",
    "SRV",
    "DS",
    "DNSKEY",
    "RRSIG",
    "NSEC",
    "NSEC3",
    "NSEC3PARAM",
    "CAA",
    "HINFO",
    "RP",
    "SPF",
    "LOC",
    "NAPTR",
    "TLSA",
    "SSHFP",
    "CDS",
    "CDNSKEY",
    "SVCB",
    "HTTPS",
    "WKS",
    "KEY",
    "CERT",
    "URI",
    "SMIMEA",
    "ZONEMD",
    "AFSDB",
    "OPENPGPKEY",
    "CSYNC",
];
/// A name has at most so many bytes (RFC 1035 §2.3.4).
const MAX_NAME: usize = 255;
/// A record has at most 65,535 bytes (RFC 1035 §3.2.1), which are twice as many digits.
const MAX_RECORD: usize = 256 << 10;
const UNCLOSED: &str = "a parenthesis that is not closed; what is behind it is no record";
const LONG: &str = "a name of more than 255 bytes, which no name has";

/// One record.
struct Record<'a> {
    /// As written; empty if it is that of the record before.
    owner: &'a str,
    kind: &'a str,
    data: Vec<&'a str>,
}

/// Is this line a record with its owner?
pub(super) fn is_record(line: &str) -> bool {
    ["$ORIGIN", "$TTL", "$INCLUDE", "$GENERATE"].iter().any(|name| line.starts_with(name))
        || record(line).is_some_and(|record| !record.owner.is_empty())
}

fn record(line: &str) -> Option<Record<'_>> {
    let mut words = line.split_ascii_whitespace();
    let owner = if line.starts_with([' ', '\t']) { "" } else { words.next()? };
    let mut kind = words.next()?;
    // The time to live and the class may come in either order, or be left out.
    for _ in 0..2 {
        let is_ttl = kind.starts_with(|letter: char| letter.is_ascii_digit());
        if is_ttl || CLASSES.iter().any(|class| kind.eq_ignore_ascii_case(class)) {
            kind = words.next()?;
        }
    }
    let known = ["A", "AAAA", "NS", "MX", "PTR"].iter().chain(&OTHERS);
    let kind = known.copied().find(|known| kind.eq_ignore_ascii_case(known))?;
    Some(Record { owner, kind, data: words.take(2).collect() })
}

/// The line without its comment, and how many parentheses are open behind it, of so many before.
/// Within quotes, and behind a backslash (`\X`, `\DDD`), neither is one (RFC 1035 §5.1). Quotes
/// that are open at the end of a line end there, as in BIND: one is forgotten, and not a zone.
fn without_comment(line: &str, mut depth: usize) -> (&str, usize) {
    let mut is_text = false;
    let mut bytes = line.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b';' => return (&line[..at], depth),
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    (line, depth)
}

/// What a directive says whose records stand elsewhere: much may be missing then.
fn elsewhere(name: &str) -> Option<&'static str> {
    match name.to_ascii_uppercase().as_str() {
        "INCLUDE" => Some("$INCLUDE: the file that it names is not read; give that one too"),
        "GENERATE" => Some(
            "$GENERATE: the records that it makes are not read; named-compilezone writes them out",
        ),
        _ => None,
    }
}

/// What `dig` and `host` say in a comment of what they did not get. What is missing may exist all
/// the same.
fn failure(comment: &str) -> Option<&'static str> {
    const FAILURES: [(&str, &str); 5] = [
        (
            "; Transfer failed",
            "; Transfer failed: of this zone there may be more; ask for it again",
        ),
        (
            ";; communications error",
            ";; communications error: what was asked here may be missing; ask for it again",
        ),
        (
            ";; connection timed out",
            ";; connection timed out: what was asked here is missing; ask for it again",
        ),
        (
            ";; no servers could be reached",
            ";; no servers could be reached: what was asked here is missing; ask for it again",
        ),
        (
            ";; Connection to",
            ";; Connection … failed: what was asked here is missing; ask for it again",
        ),
    ];
    FAILURES.iter().find(|(begin, _)| comment.starts_with(begin)).map(|(_, text)| *text)
}

/// A name in small letters with its origin, without the dot at its end.
fn absolute(name: &str, origin: &str) -> String {
    let name = match (name, name.strip_suffix('.')) {
        ("@", _) => origin.to_owned(),
        (_, Some(whole)) => whole.to_owned(),
        _ if origin.is_empty() => name.to_owned(),
        _ => format!("{name}.{origin}"),
    };
    name.to_ascii_lowercase()
}

/// The address whose name in `in-addr.arpa` or `ip6.arpa` this is.
fn of_arpa(name: &str) -> Option<IpAddr> {
    if let Some(octets) = name.strip_suffix(".in-addr.arpa") {
        let octets: Vec<u8> =
            octets.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let [d, c, b, a] = octets[..] else { return None };
        return Some(Ipv4Addr::new(a, b, c, d).into());
    }
    let digits: Vec<u32> = name
        .strip_suffix(".ip6.arpa")?
        .split('.')
        .map(|part| part.parse::<char>().ok()?.to_digit(16))
        .collect::<Option<_>>()?;
    let bits = digits.iter().rev().fold(0_u128, |bits, digit| bits << 4 | u128::from(*digit));
    (digits.len() == 32).then(|| Ipv6Addr::from_bits(bits).into())
}

pub(super) fn zone<R: Read>(input: Input<R>, sink: &mut Sink<'_>) -> Result<(), Problems> {
    let mut origin = String::new();
    let mut owner = String::new();
    // How many parentheses are open: a record goes on over lines. And where the first is.
    let mut depth = 0_usize;
    let mut begin = 0;
    let mut length = 0;
    each_line(input, sink, |line, number, sink| {
        if let Some(when) = line.strip_prefix(";; WHEN:") {
            sink.source.day = days::of_words(when).or(sink.source.day);
            return Ok(());
        }
        if let Some(text) = failure(line) {
            sink.source.skipped.add_apart(number, text);
            return Ok(());
        }
        // Some comment out records with a `#`.
        if line.starts_with('#') {
            return Ok(());
        }
        let was_open = depth > 0;
        if !was_open {
            (begin, length) = (number, 0);
        }
        let (line, behind) = without_comment(line, depth);
        depth = behind;
        length += line.len();
        if length > MAX_RECORD {
            depth = 0;
            sink.skip(begin, 1, UNCLOSED);
            return Ok(());
        }
        if was_open || line.trim().is_empty() {
            return Ok(());
        }
        if let Some(line) = line.strip_prefix('$') {
            let mut words = line.split_ascii_whitespace();
            let name = words.next().unwrap_or_default();
            if let (true, Some(of)) = (name.eq_ignore_ascii_case("ORIGIN"), words.next()) {
                origin = absolute(of, &origin);
                if origin.len() > MAX_NAME {
                    origin.clear();
                    return Err((1, LONG.to_owned()));
                }
            }
            if let Some(text) = elsewhere(name) {
                sink.source.skipped.add_apart(number, text);
            } else if !["ORIGIN", "TTL"].iter().any(|known| name.eq_ignore_ascii_case(known)) {
                let name: String = name.chars().take(20).collect();
                let what = "no directive that is known; known are $ORIGIN and $TTL";
                return Err((1, format!("${name}: {what}")));
            }
            return Ok(());
        }
        let Some(Record { owner: written, kind, data }) = record(line) else {
            // What follows without an owner is of this one all the same.
            let written = line.split_ascii_whitespace().next();
            if let Some(written) = written.filter(|_| !line.starts_with([' ', '\t'])) {
                owner = absolute(written, &origin);
            }
            let text = "no record, such as \"ns1.example.net. 3600 IN A 192.0.2.1\"";
            return Err((1, text.to_owned()));
        };
        if !written.is_empty() {
            owner = absolute(written, &origin);
        }
        if OTHERS.contains(&kind) {
            return Ok(());
        }
        if owner.len() > MAX_NAME || data.iter().any(|word| word.len() > MAX_NAME) {
            return Err((1, LONG.to_owned()));
        }
        let last = if kind == "MX" { data.get(1) } else { data.first() };
        let Some(last) = last else {
            return Err((1, format!("a record {kind} without its data")));
        };
        let address = last.parse::<IpAddr>().ok();
        match (kind, address) {
            ("A", Some(address @ IpAddr::V4(_))) | ("AAAA", Some(address @ IpAddr::V6(_))) => {
                sink.take(Fact::Named { name: &owner, address });
            }
            ("A" | "AAAA", _) => {
                return Err((1, format!("{last:?} is no address, which a record {kind} has")));
            }
            ("PTR", _) => match of_arpa(&owner) {
                Some(address) => sink.take(Fact::Named { name: &absolute(last, &origin), address }),
                // One of a service or of a prefix.
                None => return Ok(()),
            },
            _ => {
                let role = if kind == "NS" { Role::NameServer } else { Role::Mail };
                sink.take(Fact::Serves { name: &absolute(last, &origin), role, zone: &owner });
            }
        }
        sink.source.rows += 1;
        Ok(())
    })?;
    if depth > 0 {
        sink.skip(begin, 1, UNCLOSED);
    }
    Ok(())
}

//! Which format a file has, by how it begins.

use super::Fault;
use lifesign_document::{foreign, mark_length};
use std::fmt;

/// How much of a file is looked at.
pub(super) const HEAD: usize = 64 << 10;

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names of programs")]
pub enum Format {
    Prometheus,
    VictoriaMetrics,
    FpingJson,
    FpingText,
    Atlas,
    Scamper,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Prometheus => "samples of Prometheus",
            Format::VictoriaMetrics => "an export of VictoriaMetrics",
            Format::FpingJson => "fping -J -D",
            Format::FpingText => "fping -D -l",
            Format::Atlas => "ping results of RIPE Atlas",
            Format::Scamper => "scamper's JSON",
        })
    }
}

const KNOWN: &str = "known are samples of Prometheus (/api/v1/query of a range vector), exports of \
                     VictoriaMetrics, fping -D -l and -J -D, ping results of RIPE Atlas, and the \
                     JSON of scamper";

/// What a text that is none of these begins with, and what it is.
const OTHERS: [(&[u8], &str); 3] = [
    (b"<", "this is HTML or XML, perhaps an error page of a server"),
    (b"#masscan", SCAN),
    (b"# Nmap", SCAN),
];
const SCAN: &str = "this is a scan of one moment, which is no record of a time";

/// JSON without the white space between its parts, of which programs write as much as they like
/// (RFC 8259 §2).
fn without_blanks(text: &str) -> String {
    let mut is_text = false;
    let mut is_escaped = false;
    let is_kept = |letter: &char| {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = is_text,
            '"' => is_text = !is_text,
            _ => {}
        }
        is_text || !letter.is_ascii_whitespace()
    };
    text.chars().filter(is_kept).collect()
}

/// The format of a file that begins so. The error says what it is instead.
pub(super) fn recognise(head: &[u8]) -> Result<Format, Fault> {
    let head = &head[mark_length(head)..];
    if let Some(what) = foreign(head) {
        return Err(Fault::whole(format!("this is {what}; {KNOWN}")));
    }
    let head = head.trim_ascii_start();
    if let Some((_, what)) = OTHERS.iter().find(|(begin, _)| head.starts_with(begin)) {
        return Err(Fault::whole(*what));
    }
    if head.is_empty() {
        return Err(Fault::whole(format!("nothing in it; {KNOWN}")));
    }
    let text = String::from_utf8_lossy(head);
    let packed = without_blanks(&text);
    let has = |key: &str| packed.contains(key);
    if packed.starts_with('{') || packed.starts_with("[{") {
        if packed.starts_with("{\"sent\":\"") {
            return Err(Fault::whole("this is a journal already: lifesign replay judges it"));
        }
        if has("\"prb_id\"") || has("\"msm_id\"") {
            return Ok(Format::Atlas);
        }
        let is_sorted = packed.starts_with("{\"data\":{\"result\":[");
        if has("\"resultType\"") || has("\"errorType\"") || is_sorted {
            return Ok(Format::Prometheus);
        }
        if has("outages.") || has("\"annotations\"") {
            return Err(Fault::whole("these are events, which lifesign compare takes (--events)"));
        }
        if has("\"metric\"") && has("\"values\":[[") {
            return Err(Fault::whole(
                "series of Prometheus without the answer that they stood in; save the whole of it",
            ));
        }
        if has("\"metric\"") && has("\"values\"") {
            return Ok(Format::VictoriaMetrics);
        }
        if ["resp", "timeout", "summary", "vSum", "intSum"]
            .iter()
            .any(|key| has(&format!("{{\"{key}\"")))
        {
            return Ok(Format::FpingJson);
        }
        let types = ["cycle-start", "ping", "trace"];
        if types.iter().any(|name| has(&format!("\"type\":\"{name}\""))) {
            return Ok(Format::Scamper);
        }
    }
    let is_fping = |line: &str| line.contains(" : [") && line.contains("], ");
    match text.lines().take(200).find(|line| is_fping(line)) {
        Some(line) if line.starts_with('[') => Ok(Format::FpingText),
        Some(_) => Err(Fault::whole("fping without times; let it write them: fping -D -l …")),
        None => Err(Fault::whole(format!("nothing that is known here; {KNOWN}"))),
    }
}

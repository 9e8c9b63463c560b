//! Standard error, for the log and for what the commands complain of. Nobody waits for its reader.

use super::has_colour;
use crate::line_writer::LineWriter;
use lifesign_document::plain_lines;
use std::{
    io::{self, Write},
    sync::OnceLock,
};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// None if there is no thread for it: then everybody waits for the reader.
static STDERR: OnceLock<LineWriter> = OnceLock::new();
/// How many lines of standard error may wait for a slow reader.
const STDERR_QUEUE: usize = 1024;

/// Begins to take lines.
pub(super) fn open() {
    if let Ok(stderr) = LineWriter::open("stderr", STDERR_QUEUE, io::stderr()) {
        STDERR.get_or_init(|| stderr);
    }
}

/// Begins the log.
pub(super) fn open_log() {
    let lines = tracing_subscriber::fmt::layer()
        .with_target(false)
        .with_writer(|| Log)
        .with_ansi(has_colour(&io::stderr()));
    tracing_subscriber::registry().with(lines).with(log_levels()).init();
}

/// How much is told of ourselves; of libraries, errors at most.
fn log_levels() -> Targets {
    let asked = std::env::var_os("LIFESIGN_LOG").map(|asked| {
        let asked = asked.to_string_lossy();
        asked.parse().unwrap_or_else(|_| {
            print_error(&format!(
                "LIFESIGN_LOG: {asked:?} is no level; known are error, warn, info, debug, trace; \
                 going on with info"
            ));
            LevelFilter::INFO
        })
    });
    let own = asked.unwrap_or(LevelFilter::INFO);
    Targets::new().with_default(own.min(LevelFilter::ERROR)).with_target("lifesign", own)
}

/// Waits for the reader to take the last lines, not for long.
pub(super) fn end() {
    if let Some(stderr) = STDERR.get() {
        stderr.end();
    }
}

/// A line on standard error. A reader that has gone away is no error of ours.
pub(super) fn print_error(line: &str) {
    let line = shown(line);
    match STDERR.get() {
        Some(stderr) => stderr.write(line),
        None => drop(writeln!(io::stderr(), "{line}")),
    }
}

/// What is seen of a line of errors: nothing in it moves a terminal's cursor.
pub(super) fn shown(line: &str) -> String {
    plain_lines(&without_numbers(line))
}

/// The line without the numbers of the system's errors, which its words say already.
fn without_numbers(line: &str) -> String {
    let mut parts = line.split(" (os error ");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain +=
            part.trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start_matches(')');
    }
    plain
}

/// Where the log goes: a whole line at a time.
pub(super) struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        print_error(String::from_utf8_lossy(line).trim_end());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_have_no_numbers() {
        for (line, plain) in [
            ("a: File exists (os error 17)", "a: File exists"),
            ("a: b (os error 2): c (os error 13); d", "a: b: c; d"),
            ("a (b)", "a (b)"),
        ] {
            assert_eq!(without_numbers(line), plain);
        }
    }
}

//! The export of VictoriaMetrics (`/api/v1/export`): a line for each series, or for each part of
//! one, with times in milliseconds.

use super::{
    Fault,
    lines::Lines,
    metric::{self, Labels},
    sink::{ReadError, Sink, time},
};
use lifesign_document::fault_of_json;
use std::io::BufRead;

/// Of a series that is exported in one line: a year of samples, one in 15 s.
const LONGEST: usize = 64 << 20;

#[derive(serde::Deserialize)]
struct Line {
    metric: Labels,
    values: Vec<Option<f64>>,
    timestamps: Vec<f64>,
}

pub(super) fn read(input: impl BufRead, sink: &mut Sink) -> Result<(), ReadError> {
    let mut lines = Lines::new(input, LONGEST);
    let mut is_any_read = false;
    let mut last = None;
    loop {
        let line = match lines.next()? {
            None => break,
            Some(Err(Fault { line, text, .. })) => {
                let hint = "; or export with max_rows_per_line=10000";
                sink.note(line, 0, &format!("{text}{hint}"));
                continue;
            }
            Some(Ok([])) => continue,
            Some(Ok(line)) => line,
        };
        let read: Result<Line, _> = serde_json::from_slice(line);
        let number = lines.number;
        match read {
            Ok(series) => {
                is_any_read = true;
                take(number, &series, sink)?;
            }
            Err(error) if error.is_eof() => sink.note(number, error.column(), "torn off here"),
            Err(error) => {
                let text = fault_of_json(&error, "a series a line, as /api/v1/export has it");
                sink.note(number, error.column(), &text);
                last = Some(Fault { line: number, col: error.column(), text });
            }
        }
    }
    match last {
        Some(fault) if !is_any_read => Err(fault.into()),
        _ => Ok(()),
    }
}

fn take(number: usize, series: &Line, sink: &mut Sink) -> Result<(), ReadError> {
    let (target, metric) = match metric::series(&series.metric, sink) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(()),
        Err(why) => {
            sink.note(number, 0, &why);
            return Ok(());
        }
    };
    if series.values.len() != series.timestamps.len() {
        let text = format!(
            "{} values, but {} timestamps; one belongs to each",
            series.values.len(),
            series.timestamps.len()
        );
        sink.note(number, 0, &text);
        return Ok(());
    }
    for (value, millis) in series.values.iter().zip(&series.timestamps) {
        match time(millis / 1e3) {
            Ok(at) => {
                // JSON has no other word for what is not a number.
                let value = value.unwrap_or(f64::NAN);
                if let Some(fact) = metric.fact(value) {
                    sink.push(target, at, fact)?;
                } else if let Some(why) = metric.fault(value) {
                    sink.note(number, 0, &why);
                }
            }
            Err(why) => sink.note(number, 0, &why),
        }
    }
    Ok(())
}

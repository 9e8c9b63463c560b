//! The answer of Prometheus' `/api/v1/query` to a range vector: raw samples, a series each.

use super::{
    Fault,
    bounded::{Allowance, Bounded},
    metric::{self, Labels},
    sink::{ReadError, Sink, time},
    steps::{Series, Steps},
};
use lifesign_document::fault_of_json;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};
use std::{fmt, io::BufRead};

/// What is on the way into the sink.
struct Reading<'a> {
    sink: &'a mut Sink,
    allowance: Allowance,
    steps: Steps,
    /// What the disk said, which the parser cannot pass on.
    failure: Option<std::io::Error>,
    /// What the server said instead of samples.
    refusal: Option<String>,
}

/// Reads one answer. Of a torn one, what came before is taken. `is_file` if nobody knows how it was
/// asked for.
pub(super) fn read(input: impl BufRead, is_file: bool, sink: &mut Sink) -> Result<(), ReadError> {
    let allowance = Allowance::new();
    let bounded = std::io::BufReader::with_capacity(64 << 10, Bounded::new(input, &allowance));
    let mut json = serde_json::Deserializer::from_reader(bounded);
    let steps = Steps::default();
    let mut reading = Reading { sink, allowance, steps, failure: None, refusal: None };
    let read = Answer(&mut reading).deserialize(&mut json).and_then(|()| json.end());
    if let Some(error) = reading.failure {
        return Err(ReadError::Io(error));
    }
    if let Some(refusal) = reading.refusal {
        return Err(Fault::whole(refusal).into());
    }
    let steps = reading.steps;
    if let Err(error) = read {
        torn_or(&error, sink)?;
    }
    if is_file && steps.are_made() {
        return Err(Fault::whole(
            "made by query_range, which repeats the last sample for five minutes after a scraper \
             died: all stand on one grid of times; ask for the samples themselves: \
             /api/v1/query?query=probe_success[24h], or let lifesign ask (--prometheus)",
        )
        .into());
    }
    if is_file && steps.may_be_made() {
        sink.part = None;
        sink.note(
            0,
            0,
            "all of it stands on one grid of times, as samples of so few targets may, and as \
             query_range makes them, which repeats the last for five minutes after a scraper died; \
             see that it is an answer of /api/v1/query",
        );
    }
    Ok(())
}

/// A file that ends too early is noted; anything else ends the reading.
pub(super) fn torn_or(error: &serde_json::Error, sink: &mut Sink) -> Result<(), ReadError> {
    let (line, col) = (error.line(), error.column());
    if error.is_eof() {
        sink.note(line, col, "torn off here; what came before is taken");
        return Ok(());
    }
    let text = fault_of_json(error, "what the program wrote");
    Err(Fault { line, col, text }.into())
}

struct Answer<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for Answer<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

/// The outer object, and `data` in it: both are maps of a few keys.
impl<'de> Visitor<'de> for Answer<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer of /api/v1/query")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match &*key {
                "data" => map.next_value_seed(Answer(self.0))?,
                "result" => map.next_value_seed(SeriesList(self.0))?,
                "resultType" => {
                    let kind: String = map.next_value()?;
                    if kind != "matrix" {
                        let text = format!(
                            "a {kind}, which is of one moment; ask for a range vector: \
                             probe_success[24h]"
                        );
                        return Err(A::Error::custom(text));
                    }
                }
                "error" => {
                    let why: String = map.next_value()?;
                    self.0.refusal = Some(format!("the server had an error: {why}"));
                }
                // Then some of it is missing, and what is missing is no silence of a host.
                "warnings" => {
                    self.0.sink.part = None;
                    for warning in map.next_value::<Vec<String>>()? {
                        self.0.sink.note(0, 0, &format!("the server warns: {warning}"));
                    }
                }
                "isPartial" => {
                    self.0.sink.part = None;
                    if map.next_value()? {
                        self.0.sink.note(0, 0, IN_PART);
                    }
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// VictoriaMetrics' cluster has this mark.
const IN_PART: &str = "the server says that this is a part of what it has (isPartial)";

struct SeriesList<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for SeriesList<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for SeriesList<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of series")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut series: A) -> Result<(), A::Error> {
        let mut number = 1;
        self.0.sink.part = Some(("series", number));
        while series.next_element_seed(OneSeries(self.0))?.is_some() {
            number += 1;
            self.0.sink.part = Some(("series", number));
        }
        Ok(())
    }
}

struct OneSeries<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for OneSeries<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneSeries<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a series, with its metric and its values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut meaning = None;
        let mut is_named = false;
        while let Some(key) = map.next_key::<String>()? {
            match &*key {
                "metric" => {
                    let labels: Labels = map.next_value()?;
                    is_named = true;
                    match metric::series(&labels, self.0.sink) {
                        Ok(found) => meaning = found,
                        Err(why) => self.0.sink.note(0, 0, &why),
                    }
                }
                "values" if !is_named => {
                    return Err(A::Error::custom("values before their metric; write that first"));
                }
                "values" => {
                    let mut times = Series::default();
                    let reading = &mut *self.0;
                    map.next_value_seed(Values { reading, meaning, times: &mut times })?;
                    if let Some((target, _)) = meaning {
                        self.0.steps.add(target, &times);
                    }
                }
                "value" => {
                    return Err(A::Error::custom(
                        "a value of one moment; ask for a range vector: probe_success[24h]",
                    ));
                }
                _ => {
                    // Histograms of a series of another kind.
                    map.next_value_seed(Values {
                        reading: self.0,
                        meaning: None,
                        times: &mut Series::default(),
                    })?;
                }
            }
            self.0.allowance.renew();
        }
        Ok(())
    }
}

/// The samples of a series.
struct Values<'a, 'b> {
    reading: &'a mut Reading<'b>,
    meaning: Option<(u32, metric::Metric)>,
    times: &'a mut Series,
}

impl<'de> DeserializeSeed<'de> for Values<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Values<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of samples")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let Self { reading, meaning, times } = self;
        let Some((target, metric)) = meaning else {
            while values.next_element::<IgnoredAny>()?.is_some() {
                reading.allowance.renew();
            }
            return Ok(());
        };
        while let Some(sample) = values.next_element_seed(Sample)? {
            reading.allowance.renew();
            let at = time(sample.0).map_err(A::Error::custom)?;
            times.add(at.as_nanos() / 1_000_000);
            let Some(fact) = metric.fact(sample.1) else {
                if let Some(why) = metric.fault(sample.1) {
                    reading.sink.note(0, 0, &why);
                }
                continue;
            };
            if let Err(error) = reading.sink.push(target, at, fact) {
                reading.failure = Some(error);
                return Err(A::Error::custom("the disk"));
            }
        }
        Ok(())
    }
}

/// A time in seconds, and a number in quotes.
struct Sample;

impl<'de> DeserializeSeed<'de> for Sample {
    type Value = (f64, f64);
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(f64, f64), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Sample {
    type Value = (f64, f64);
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sample, such as [1795633778.369,\"1\"]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(f64, f64), A::Error> {
        let short = |length| A::Error::invalid_length(length, &self);
        let time = seq.next_element()?.ok_or_else(|| short(0))?;
        let value = seq.next_element_seed(Number)?.ok_or_else(|| short(1))?;
        match seq.next_element::<IgnoredAny>()? {
            None => Ok((time, value)),
            Some(_) => Err(short(3)),
        }
    }
}

struct Number;

impl<'de> DeserializeSeed<'de> for Number {
    type Value = f64;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<f64, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Number {
    type Value = f64;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number in quotes, such as \"1\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        match text {
            "1" => Ok(1.0),
            "0" => Ok(0.0),
            // NaN and +Inf are numbers of Prometheus and of Rust alike.
            _ => text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

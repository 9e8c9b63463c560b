//! What others said as JSON: events of IODA, annotations of Cloudflare Radar.

use lifesign_core::time::Time;
use lifesign_document::{Position, Sheet, fault_of_json};
use lifesign_incident::Statement;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};
use serde_json::value::RawValue;
use std::{fmt, time::Duration};

/// What there may be as JSON.
const KNOWN: &str =
    "events of IODA (\"data\") and annotations of Cloudflare Radar (\"annotations\")";

/// What IODA or Cloudflare answers: events, annotations, annotations in a result, or an error.
#[derive(Deserialize)]
struct Answer<'a> {
    error: Option<String>,
    errors: Option<Vec<ServerError>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    annotations: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ServerError {
    message: String,
}

/// An event as IODA's `/outages/events` has it.
#[derive(Deserialize)]
struct Event {
    location: String,
    start: Seconds,
    duration: Seconds,
    datasource: Option<String>,
    method: Option<String>,
    /// What overlaps the end of the question may go on.
    overlaps_window: Option<bool>,
}

/// An annotation as Cloudflare Radar's `/radar/annotations/outages` has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Annotation {
    start_date: Moment,
    end_date: Option<Moment>,
    locations: Option<Vec<String>>,
    outage: Option<Outage>,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outage {
    outage_cause: Option<String>,
}

/// A number of seconds that a time on the wall clock can have.
#[derive(Clone, Copy)]
struct Seconds(u64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Wanted;

        impl Visitor<'_> for Wanted {
            type Value = Seconds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds from 0 on and below 8589934592")
            }

            fn visit_u64<E: Error>(self, seconds: u64) -> Result<Seconds, E> {
                let wrong = || E::invalid_value(Unexpected::Unsigned(seconds), &self);
                Some(Seconds(seconds)).filter(|_| seconds < 1 << 33).ok_or_else(wrong)
            }
        }

        deserializer.deserialize_u64(Wanted)
    }
}

struct Moment(Time);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Wanted;

        impl Visitor<'_> for Wanted {
            type Value = Moment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time in quotes such as \"2014-12-22T16:15:00Z\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Moment, E> {
                text.parse().map(Moment).map_err(|fault: String| E::custom(fault))
            }
        }

        deserializer.deserialize_str(Wanted)
    }
}

/// A text of JSON, whose parts know where they begin in it.
struct Json<'a> {
    text: &'a str,
    sheet: Sheet,
}

/// The statements of a text; a problem for each thing that is wrong.
pub(super) fn statements(file: &str, text: &str) -> Result<Vec<Statement>, String> {
    let json = Json { text, sheet: Sheet::new(file) };
    let statements = json.answer().unwrap_or_default();
    match json.sheet.into_problems() {
        Some(problems) => Err(problems.to_string()),
        None => Ok(statements),
    }
}

impl<'a> Json<'a> {
    /// Where a part of the text begins.
    fn position(&self, part: &str) -> Position {
        let begin = part.as_ptr() as usize - self.text.as_ptr() as usize;
        Position::behind(&self.text.as_bytes()[..begin])
    }

    /// Reads a part of the text; what is wrong is noted where it ends, or where the part begins
    /// that lacks something.
    fn read<T: Deserialize<'a>>(&self, part: &'a str) -> Option<T> {
        let fault = match serde_json::from_str(part) {
            Ok(read) => return Some(read),
            Err(fault) => fault,
        };
        let mut position = self.position(part);
        let is_of_whole = fault.is_data() && fault.to_string().starts_with("missing field");
        if !is_of_whole {
            let (line, col) = (fault.line().max(1) as u32, fault.column().max(1) as u32);
            let before = if line == 1 { position.col - 1 } else { 0 };
            position = Position { line: position.line + line - 1, col: before + col };
        }
        self.sheet.note(position, &fault_of_json(&fault, KNOWN));
        None
    }

    fn answer(&self) -> Option<Vec<Statement>> {
        if self.text.trim_start().starts_with('[') {
            return self.each(self.text, Self::of_radar);
        }
        let answer: Answer<'a> = self.read(self.text)?;
        let of_server = answer.errors.unwrap_or_default().into_iter().map(|error| error.message);
        if let Some(why) = answer.error.into_iter().chain(of_server).next() {
            self.note_of_whole(&format!("the server had an error: {why}"));
            return None;
        }
        if let Some(events) = answer.data {
            return self.each(events.get(), Self::of_ioda);
        }
        let result: Option<Answer<'a>> = match answer.result {
            Some(result) => Some(self.read(result.get())?),
            None => None,
        };
        let Some(annotations) = answer.annotations.or(result.and_then(|result| result.annotations))
        else {
            self.note_of_whole(&format!("nothing that is known here; known are {KNOWN}"));
            return None;
        };
        self.each(annotations.get(), Self::of_radar)
    }

    fn note_of_whole(&self, text: &str) {
        self.sheet.note(Position { line: 0, col: 0 }, text);
    }

    fn each(
        &self,
        list: &'a str,
        read: impl Fn(&Self, &'a str) -> Option<Vec<Statement>>,
    ) -> Option<Vec<Statement>> {
        let items: Vec<&RawValue> = self.read(list)?;
        // To say where a problem is takes a look at all that is before it.
        let items = items.into_iter().take_while(|_| !self.sheet.is_full());
        Some(items.filter_map(|item| read(self, item.get())).flatten().collect())
    }

    /// Those of regions and networks are left out.
    fn of_ioda(&self, item: &'a str) -> Option<Vec<Statement>> {
        let event: Event = self.read(item)?;
        let Some(country) = event.location.strip_prefix("country/") else {
            return Some(Vec::new());
        };
        let begin = Time::default() + Duration::from_secs(event.start.0);
        let end = begin + Duration::from_secs(event.duration.0);
        let is_open = event.overlaps_window == Some(true);
        Some(vec![Statement {
            who: format!("IODA {}", event.datasource.unwrap_or_default()),
            country: Some(country.to_owned()),
            begin,
            end: (!is_open).then_some(end),
            what: event.method.unwrap_or_default(),
        }])
    }

    fn of_radar(&self, item: &'a str) -> Option<Vec<Statement>> {
        let annotation: Annotation = self.read(item)?;
        let (begin, end) = (annotation.start_date.0, annotation.end_date.map(|end| end.0));
        if end.is_some_and(|end| end < begin) {
            let fault = "\"endDate\" lies before \"startDate\"; it is null while it goes on";
            self.sheet.note(self.position(item), fault);
            return None;
        }
        let cause = annotation.outage.and_then(|outage| outage.outage_cause);
        let cause = cause.filter(|cause| !cause.is_empty());
        let what = cause.or(annotation.description).unwrap_or_default();
        let statement = |country: Option<String>| Statement {
            who: "Cloudflare Radar".into(),
            country,
            begin,
            end,
            what: what.clone(),
        };
        let countries = annotation.locations.unwrap_or_default();
        if countries.is_empty() {
            return Some(vec![statement(None)]);
        }
        Some(countries.into_iter().map(|country| statement(Some(country))).collect())
    }
}

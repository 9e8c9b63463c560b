//! What others said of a country: events of IODA, annotations of Cloudflare Radar, or a table.

use lifesign_core::time::Time;
use lifesign_document::{Cell, Position, Sheet, fault_of_json, plain};
use lifesign_incident::Statement;
use serde_json::Value;
use std::time::Duration;

const COLUMNS: [&str; 5] = ["begin", "end", "who", "country", "what"];

/// What there may be as JSON.
const KNOWN: &str =
    "events of IODA (\"data\") and annotations of Cloudflare Radar (\"annotations\")";

/// So many letters of what they say are taken.
const LONGEST_WORDS: usize = 200;

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statements {
    /// In the order of the file.
    pub list: Vec<Statement>,
    /// It is a table, of which nothing but the end of its last line says that it is whole.
    pub is_table: bool,
}

/// The statements of a file. The error has a line for each thing that is wrong.
pub fn read(file: &str, text: &str) -> Result<Statements, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_table = !text.trim_start().starts_with(['{', '[']);
    let statements = if is_table {
        of_table(file, text)?
    } else {
        let value: Value = serde_json::from_str(text).map_err(|error| {
            let (line, col) = (error.line(), error.column().max(1));
            format!("{file}:{line}:{col}: {}", fault_of_json(&error, KNOWN))
        })?;
        of_json(&value).map_err(|why| format!("{file}: {why}"))?
    };
    if statements.is_empty() {
        return Err(format!("{file}: no event in it"));
    }
    let list = statements.into_iter().map(printable).collect();
    Ok(Statements { list, is_table })
}

/// Nothing in it moves a terminal's cursor, and no word is endless.
fn printable(statement: Statement) -> Statement {
    let shown = |text: String| plain(&text).chars().take(LONGEST_WORDS).collect();
    Statement {
        who: shown(statement.who),
        country: statement.country.map(shown),
        what: shown(statement.what),
        ..statement
    }
}

fn of_json(value: &Value) -> Result<Vec<Statement>, String> {
    if let Some(why) = value["error"].as_str() {
        return Err(format!("the server had an error: {why}"));
    }
    if let Some(items) = value["data"].as_array() {
        return each(items, "data", of_ioda);
    }
    let annotations = [&value["result"]["annotations"], &value["annotations"], value];
    if let Some(items) = annotations.iter().find_map(|items| items.as_array()) {
        return each(items, "annotations", of_radar);
    }
    Err(format!("nothing that is known here; known are {KNOWN}"))
}

fn each(
    items: &[Value],
    name: &str,
    read: impl Fn(&Value) -> Result<Vec<Statement>, String>,
) -> Result<Vec<Statement>, String> {
    let mut statements = Vec::new();
    for (number, item) in items.iter().enumerate() {
        statements.extend(read(item).map_err(|why| format!("{name}[{number}]: {why}"))?);
    }
    Ok(statements)
}

fn text<'a>(item: &'a Value, key: &str) -> &'a str {
    item[key].as_str().unwrap_or_default()
}

/// Events as IODA's `/outages/events` has them: begin and length in seconds. Those of regions and
/// networks are left out.
fn of_ioda(item: &Value) -> Result<Vec<Statement>, String> {
    let location = item["location"].as_str().ok_or("\"location\" is missing")?;
    let Some(country) = location.strip_prefix("country/") else { return Ok(Vec::new()) };
    let seconds = |key: &str| {
        let found = item[key].as_u64().filter(|&seconds| seconds < 1 << 33);
        found.ok_or_else(|| format!("{key:?} is no number of seconds"))
    };
    let begin = Time::from_nanos(seconds("start")? * 1_000_000_000);
    let end = begin + Duration::from_secs(seconds("duration")?);
    // What overlaps the end of the question may go on.
    let is_open = item["overlaps_window"] == true;
    Ok(vec![Statement {
        who: format!("IODA {}", text(item, "datasource")),
        country: Some(country.to_owned()),
        begin,
        end: (!is_open).then_some(end),
        what: text(item, "method").to_owned(),
    }])
}

/// Annotations as Cloudflare Radar's `/radar/annotations/outages` has them.
fn of_radar(item: &Value) -> Result<Vec<Statement>, String> {
    let begin = item["startDate"].as_str().ok_or("\"startDate\" is missing")?.parse()?;
    let end = item["endDate"].as_str().map(str::parse).transpose()?;
    let cause = text(&item["outage"], "outageCause");
    let statement = |country: Option<&str>| Statement {
        who: "Cloudflare Radar".into(),
        country: country.map(str::to_owned),
        begin,
        end,
        what: if cause.is_empty() { text(item, "description") } else { cause }.to_owned(),
    };
    let countries = item["locations"].as_array().map(Vec::as_slice).unwrap_or_default();
    let countries: Vec<_> = countries.iter().filter_map(Value::as_str).collect();
    if countries.is_empty() {
        return Ok(vec![statement(None)]);
    }
    Ok(countries.into_iter().map(|country| statement(Some(country))).collect())
}

/// Comma-separated values: `begin,end,who`, and `country` and `what` if they are known.
fn of_table(file: &str, text: &str) -> Result<Vec<Statement>, String> {
    let sheet = Sheet::new(file);
    let mut header: Option<Vec<usize>> = None;
    let mut statements = Vec::new();
    sheet.rows(text, |cells| match &header {
        None => header = Some(sheet.columns(cells, &COLUMNS)),
        // Rows below wrong names are wrong for no reason of theirs.
        Some(columns) if columns.contains(&COLUMNS.len()) => {}
        Some(columns) => statements.extend(row(&sheet, columns, cells)),
    });
    if header.is_none() {
        sheet.note(Position { line: 1, col: 1 }, "nothing here; begin with begin,end,who");
    }
    match sheet.into_problems() {
        Some(problems) => Err(problems.to_string()),
        None => Ok(statements),
    }
}

fn row(sheet: &Sheet, columns: &[usize], cells: &[Cell<'_>]) -> Option<Statement> {
    let cell = |column: usize| {
        let at = columns.iter().position(|&each| each == column)?;
        cells.get(at).filter(|cell| !cell.text.is_empty())
    };
    let time = |cell: &Cell<'_>| match cell.text.parse::<Time>() {
        Ok(time) => Some(time),
        Err(why) => {
            sheet.note(cell.position, &why);
            None
        }
    };
    let words = |column: usize| cell(column).map(|cell| cell.text.to_owned());
    let missing = |column: usize| {
        sheet.note(cells[0].position, &format!("{:?} is missing", COLUMNS[column]));
        None
    };
    let begin = cell(0).map_or_else(|| missing(0), time)?;
    let end = match cell(1) {
        Some(cell) => Some(time(cell).filter(|&end| {
            let is_later = end >= begin;
            if !is_later {
                sheet.note(cell.position, "it ends before it begins");
            }
            is_later
        })?),
        None => None,
    };
    let Some(who) = words(2) else {
        missing(2)?;
        return None;
    };
    Some(Statement { who, country: words(3), begin, end, what: words(4).unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let one = |statement: Statement| {
            let Statement { who, country, begin, end, what } = statement;
            let end = end.map(|end| end.to_string()).unwrap_or_default();
            format!("{who}|{}|{begin}|{end}|{what}", country.unwrap_or_default())
        };
        read("f", text).expect("statements").list.into_iter().map(one).collect()
    }

    #[test]
    fn events_of_ioda_are_those_of_countries() {
        let text = r#"{"type":"outages.events","error":null,"data":[
            {"location":"region/1906","start":1788354900,"duration":1209900,"datasource":"bgp"},
            {"location":"country/TO","start":1788422700,"duration":3600,"method":"median",
             "datasource":"ping-slash24","overlaps_window":false},
            {"location":"country/TO","start":1788422700,"duration":3600,"datasource":"bgp",
             "overlaps_window":true}]}"#;
        assert_eq!(
            told(text),
            [
                "IODA ping-slash24|TO|2026-09-03T08:05:00.000Z|2026-09-03T09:05:00.000Z|median",
                "IODA bgp|TO|2026-09-03T08:05:00.000Z||",
            ]
        );
    }

    #[test]
    fn annotations_of_radar_may_be_of_several_countries() {
        let text = r#"{"success":true,"result":{"annotations":[
            {"startDate":"2026-09-03T08:00:00Z","endDate":null,"locations":["TO","WS"],"asns":[],
             "outage":{"outageCause":"CABLE_CUT","outageType":"NATIONWIDE"}}]}}"#;
        assert_eq!(
            told(text),
            ["TO", "WS"].map(|country| format!(
                "Cloudflare Radar|{country}|2026-09-03T08:00:00.000Z||CABLE_CUT"
            ))
        );
    }

    #[test]
    fn a_table_has_a_begin_an_end_and_who_says_so() {
        let text = "\u{feff}begin,end,who,what\r\n\
                    2014-12-22T16:15:00Z,2014-12-23T01:46:00Z,Dyn,\"dark, at last\"\r\n\
                    2014-12-22T16:15:00Z,,a newspaper\r\n";
        assert_eq!(
            told(text),
            [
                "Dyn||2014-12-22T16:15:00.000Z|2014-12-23T01:46:00.000Z|dark, at last",
                "a newspaper||2014-12-22T16:15:00.000Z||",
            ]
        );
    }

    #[test]
    fn words_of_others_move_no_cursor() {
        let text = r#"{"data":[{"location":"country/TO","start":1,"duration":1,"datasource":"\u001b[2Jx"}]}"#;
        assert!(told(text)[0].starts_with("IODA [2Jx|TO|"), "{:?}", told(text));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, wanted) in [
            ("", "f:1:1: nothing here; begin with begin,end,who"),
            ("begin,end,who\n", "f: no event in it"),
            ("begin,ende,who\nx,y,z\n", "f:1:7: \"ende\" is no column; did you mean \"end\"?"),
            ("begin,end,who\nyesterday,,x\n", "f:2:1: \"yesterday\" is no time"),
            ("begin,end,who\n2014-12-22T16:15:00Z,2013-12-22T16:15:00Z,x\n", "f:2:22: it ends"),
            ("begin,end,who\n2014-12-22T16:15:00Z,,\n", "f:2:1: \"who\" is missing"),
            ("{\"data\":[{\"start\":1}]}", "f: data[0]: \"location\" is missing"),
            ("{\"data\":[{\"location\":\"country/TO\",\"start\":-1}]}", "f: data[0]: \"start\" is"),
            ("{\"annotations\":[{\"startDate\":\"x\"}]}", "f: annotations[0]: \"x\" is no time"),
            ("{\"error\":\"no such entity\"}", "f: the server had an error: no such entity"),
            ("{\"data\":[", "f:1:9: the JSON ends within something; is all of the file there?"),
            ("{}", "f: nothing that is known here; known are events of IODA"),
            ("begin,end,who,end\n", "f:1:15: a second column \"end\""),
        ] {
            let why = read("f", text).expect_err(text);
            assert!(why.starts_with(wanted) && !why.contains('\n'), "{wanted}: {why}");
        }
    }
}

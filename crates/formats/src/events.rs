//! What others said of a country: events of IODA, annotations of Cloudflare Radar, or a table.

mod json;

use lifesign_core::time::Time;
use lifesign_document::{Cell, Position, Sheet, behind_mark, plain};
use lifesign_incident::Statement;
use std::collections::HashSet;

const COLUMNS: [&str; 5] = ["begin", "end", "who", "country", "what"];

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
    let text = behind_mark(text);
    let is_table = !text.trim_start().starts_with(['{', '[']);
    let statements = if is_table { of_table(file, text)? } else { json::statements(file, text)? };
    if statements.is_empty() {
        return Err(format!("{file}: no event in it"));
    }
    let list = statements.into_iter().map(printable).collect();
    Ok(Statements { list, is_table })
}

/// Leaves out what is said for a second time.
pub fn once(statements: &mut Vec<Statement>) {
    let mut told = HashSet::new();
    statements.retain(|statement| told.insert(statement.clone()));
}

/// Nothing in it moves a terminal's cursor, and no word is endless.
fn printable(statement: Statement) -> Statement {
    let shown = |text: String| plain(&text).chars().take(LONGEST_WORDS).collect();
    Statement {
        who: shown(statement.who),
        country: statement.country.map(|code| shown(code).to_ascii_uppercase()),
        what: shown(statement.what),
        ..statement
    }
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
        let example = ["2014-12-22T16:15:00Z", "", "IODA bgp"][column];
        let text = format!("{:?} is missing; write it as {example}", COLUMNS[column]);
        sheet.note(cells[0].position, &text);
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
            ("begin,end,who\n2014-12-22T16:15:00Z,,\n", "f:2:1: \"who\" is missing; write it as"),
            (
                "begin,end,who\n,,Dyn\n",
                "f:2:1: \"begin\" is missing; write it as 2014-12-22T16:15:00Z",
            ),
            ("{\"error\":\"no such entity\"}", "f: the server had an error: no such entity"),
            ("{\"data\":[", "f:1:9: the JSON ends within something; is all of the file there?"),
            ("{}", "f: nothing that is known here; known are events of IODA"),
            ("begin,end,who,end\n", "f:1:15: a second column \"end\""),
            ("begin,END,who\nx,y,z\n", "f:1:7: \"END\" is no column; did you mean \"end\"?"),
        ] {
            let why = read("f", text).expect_err(text);
            assert!(why.starts_with(wanted) && !why.contains('\n'), "{wanted}: {why}");
        }
    }

    #[test]
    fn what_is_wrong_in_an_event_of_ioda_is_told_with_its_line_and_column() {
        let good = "\"start\":1,\"duration\":2";
        for (item, wanted) in [
            ("{\"start\":1}", "f:2:1: \"location\" is missing; give events of IODA"),
            ("{\n\"location\":7}", "f:3:12: a text in quotes is wanted here"),
            (
                "{\"location\":\"country/TO\",\n\"start\":1,\n\"start\":1}",
                "f:4:7: a second \"start\"",
            ),
            ("{\"start\":-1}", "f:2:11: a number of seconds from 0 on and below 8589934592"),
            ("{\"start\":1.5}", "f:2:12: a number of seconds from 0 on"),
            ("{\"start\":\"1\"}", "f:2:12: a number of seconds from 0 on"),
            ("{\"duration\":8589934592}", "f:2:22: a number of seconds from 0 on"),
            (&format!("{{{good},\"overlaps_window\":\"no\"}}"), "f:2:46: a boolean is wanted here"),
            (&format!("{{{good},\"method\":[]}}"), "f:2:33: a text in quotes is wanted here"),
            ("[]", "f:2:"),
        ] {
            let why = read("f", &format!("{{\"data\":[\n{item}\n]}}")).expect_err(item);
            assert!(why.starts_with(wanted) && !why.contains('\n'), "{item}: {why}");
        }
        let why = read("f", "{\"data\":\n{}}").expect_err("no list");
        assert_eq!(why, "f:2:1: a list is wanted here");
    }

    #[test]
    fn what_is_wrong_in_an_annotation_of_radar_is_told_with_its_line_and_column() {
        let time = "2026-09-03T08:00:00Z";
        let begin = format!("\"startDate\":\"{time}\"");
        for (item, wanted) in [
            ("{}", "f:2:3: \"startDate\" is missing; give events of IODA"),
            ("{\"startDate\":\"x\"}", "f:2:18: \"x\" is no time"),
            ("{\"startDate\":5}", "f:2:16: a time in quotes such as"),
            (&format!("{{{begin},\n\"locations\":\"TO\"}}"), "f:3:16: a list is wanted here"),
            (&format!("{{{begin},\n\"locations\":[1]}}"), "f:3:14: a text in quotes is wanted"),
            (&format!("{{{begin},\n\"outage\":\"x\"}}"), "f:3:"),
            (
                &format!("{{\"endDate\":\"2025-09-03T08:00:00Z\",{begin}}}"),
                "f:2:3: \"endDate\" lies before \"startDate\"; it is null while it goes on",
            ),
        ] {
            let text = format!("{{\"result\":{{\"annotations\":[\n  {item}\n]}}}}");
            let why = read("f", &text).expect_err(item);
            assert!(why.starts_with(wanted) && !why.contains('\n'), "{item}: {why}");
        }
        let two = format!("[{{}},\n{{{begin}}},\n 5]");
        let why = read("f", &two).expect_err("two that are wrong");
        assert!(why.starts_with("f:1:2: \"startDate\"") && why.contains("\nf:3:2: "), "{why}");
        let refused = "{\"success\":false,\"errors\":[{\"code\":1,\"message\":\"no token\"}],\"result\":null}";
        assert_eq!(read("f", refused).expect_err("none"), "f: the server had an error: no token");
    }

    #[test]
    fn a_code_in_small_letters_is_the_same_country() {
        let rows = ["KP", "kp"].map(|code| format!("2014-12-22T16:15:00Z,,Dyn,{code}\n"));
        let text = format!("begin,end,who,country\n{}", rows.concat());
        let mut statements = read("f", &text).expect("statements").list;
        once(&mut statements);
        let codes: Vec<_> = statements.into_iter().map(|one| one.country).collect();
        assert_eq!(codes, [Some("KP".to_owned())]);
    }

    #[test]
    fn what_is_said_twice_counts_once() {
        let row = "2014-12-22T16:15:00Z,,Dyn\n";
        let radar =
            "[{\"startDate\":\"2026-09-03T08:00:00Z\",\"locations\":[\"TO\",\"WS\",\"TO\"]}]";
        for (text, wanted) in [(&*format!("begin,end,who\n{row}{row}"), 1), (radar, 2)] {
            let mut statements = read("f", text).expect("statements").list;
            once(&mut statements);
            assert_eq!(statements.len(), wanted, "{text}");
        }
    }
}

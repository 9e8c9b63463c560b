//! Records of each format, written here in the shape that the programs give them.

mod bad;
mod counters;
mod edges;
mod formats;
mod gaps;
mod told;

use super::{Format, Import, Map, Only, Options, Summary};

/// The lines of the journal and the rest of what an import makes of files.
struct Imported {
    lines: Vec<String>,
    summary: Summary,
    notes: Vec<String>,
}

fn import_with(options: Options, files: &[&str]) -> Result<Imported, String> {
    let mut import = Import::new(options, tempfile::tempfile);
    let mut notes = Vec::new();
    for file in files {
        let (_, noted) = import.read("a file", file.as_bytes()).map_err(|why| why.to_string())?;
        notes.extend(noted.iter().map(|(fault, count)| format!("{fault} ×{count}")));
    }
    let mut journal = Vec::new();
    let summary = import.finish(&mut journal, |_| ()).expect("memory");
    let journal = String::from_utf8(journal).expect("UTF-8");
    Ok(Imported { lines: journal.lines().map(str::to_owned).collect(), summary, notes })
}

fn import(files: &[&str]) -> Imported {
    import_with(Options::default(), files).expect("a record")
}

fn refused(file: &str) -> String {
    import_with(Options::default(), &[file]).err().unwrap_or_else(|| panic!("{file} is taken"))
}

/// Of a journal without the misses that stand twice: when, whom, and what.
fn short(imported: &Imported) -> Vec<String> {
    let lines = imported.lines.iter().filter(|line| !line.contains("\"lost\""));
    lines
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            let rtt = line["rtt_ms"].as_f64().map_or(String::new(), |rtt| format!(" {rtt}"));
            let limit = line["hop_limit"].as_u64().map_or(String::new(), |hop| format!(" /{hop}"));
            let time = text("sent");
            let time = time.split_once('T').map_or("", |(_, time)| time);
            format!("{time} {} {} {}{rtt}{limit}", text("host"), text("probe"), text("result"))
        })
        .collect()
}

fn only(text: &str) -> Options {
    Options { only: vec![text.parse().expect("a label")], ..Options::default() }
}

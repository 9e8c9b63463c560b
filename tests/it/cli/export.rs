//! Journals and episodes as Parquet, as `lifesign export` writes them and DuckDB reads them.

use crate::support::{LAB, LIFESIGN, TempDir, done, lifesign, quiet};
use lifesign_clock::Clock;
use lifesign_core::time::Time;
use std::{
    fmt::Write as _,
    fs,
    io::{BufWriter, Write},
    path::Path,
    process::{Command, Stdio},
};

const DECEMBER: &str = "tests/data/scenarios/december-2014.toml";
const JOURNAL: &str = r#"{"sent":"2014-12-22T16:59:58.120Z","host":"127.45.176.15","probe":"icmp","result":"reply","rtt_ms":203.4,"hop_limit":52}
{"sent":"2014-12-22T17:00:01.120Z","host":"127.45.177.74","probe":"icmp","result":"unreachable","rtt_ms":12.5,"from":"127.0.0.2","code":[3,1]}
{"sent":"2014-12-22T17:00:05Z","seen":"2014-12-22T17:00:35Z","probe":"watch","result":"gap"}
{"sent":"2014-12-22T17:00:40Z","host":"127.45.176.15","pro"#;

/// The names of the files in a directory.
fn files(directory: impl AsRef<Path>) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_torn_journal_is_exported_up_to_there_and_nothing_is_overwritten() {
    let temp_dir = TempDir::new("export");
    let journal = temp_dir.put("journal", JOURNAL);
    let out = temp_dir.path("out");
    let export = ["export", &journal, "--config", LAB, "--parquet", &out];
    let torn = format!("{journal}:4:58: the line is torn off; the line is skipped");
    let said = format!("3 outcomes in 2 files in {out}/outcomes");
    assert_eq!(done(lifesign(&export)), (0, said, torn));
    let names = ["2014-12-22T16Z.parquet", "2014-12-22T17Z.parquet"];
    assert_eq!(files(temp_dir.join("out/outcomes")), names);
    let refused = format!(
        "lifesign: {out}/outcomes holds another export; give another directory, or delete that, to \
         write it again"
    );
    assert_eq!(done(lifesign(&export)), (73, String::new(), refused));
    let one = temp_dir.put("one", JOURNAL.lines().next().unwrap());
    let out = temp_dir.path("out-of-one");
    let said = format!("1 outcome in 1 file in {out}/outcomes");
    let export = ["export", &one, "--config", LAB, "--parquet", &out];
    assert_eq!(done(lifesign(&export)), (0, said, String::new()));
}

/// A directory takes the place of no link: that is told before the first row is written.
#[test]
fn an_export_takes_no_links_place() {
    let temp_dir = TempDir::new("export-link");
    let journal = temp_dir.put("journal", JOURNAL.lines().next().unwrap());
    let out = temp_dir.path("out");
    fs::create_dir_all(temp_dir.join("elsewhere")).unwrap();
    fs::create_dir_all(&out).unwrap();
    for target in ["../elsewhere", "nowhere"] {
        std::os::unix::fs::symlink(target, temp_dir.join("out/outcomes")).unwrap();
        let export = ["export", &journal, "--config", LAB, "--parquet", &out];
        let (code, _, err) = done(lifesign(&export));
        let said =
            format!("lifesign: {out}/outcomes is a link; give another directory, or delete it");
        assert_eq!((code, err), (73, said));
        assert!(files(temp_dir.join("elsewhere")).is_empty());
        fs::remove_file(temp_dir.join("out/outcomes")).unwrap();
    }
}

/// The next try would be refused for what is left of it.
#[test]
fn nothing_is_left_of_an_export_that_failed_or_has_no_rows() {
    let temp_dir = TempDir::new("export-failed");
    let out = temp_dir.path("deep/out");
    let junk = temp_dir.put("junk", "torn");
    let empty = temp_dir.put("empty", "");
    let whole = temp_dir.put("whole", JOURNAL);
    let nowhere = temp_dir.path("nowhere");
    let other = fs::read_to_string(LAB).unwrap().replace("127.45.", "127.46.");
    let other = temp_dir.put("other.toml", other);
    for (journals, plan, code, said) in [
        (&[&junk][..], LAB, 65, format!("{junk}: no line of it can be read; is it a journal?")),
        (
            &[&whole],
            &other,
            65,
            format!(
                "{whole}: not one line of it is of a target of {other}; give the plan that it was \
                 recorded with by --config"
            ),
        ),
        (
            // Its first two hours are written by then.
            &[&whole, &nowhere],
            LAB,
            65,
            format!("{nowhere}: no such file; give the path of one that exists"),
        ),
        (&[&empty], LAB, 0, String::new()),
    ] {
        let mut arguments = vec!["export", "--config", plan, "--parquet", &out];
        arguments.extend(journals.iter().map(|path| path.as_str()));
        let found = done(lifesign(&arguments));
        assert!(*plan != *other || found.2.lines().count() == 1, "{}", found.2);
        assert_eq!((found.0, found.2.lines().last().unwrap_or_default()), (code, &*said));
        assert!(!temp_dir.join("deep").exists(), "{arguments:?}");
        if code == 0 {
            assert_eq!(found.1, "no outcomes, so no file of them is written");
        }
    }
}

#[test]
fn what_is_exported_must_be_named() {
    let temp_dir = TempDir::new("export-nothing");
    let out = temp_dir.path("out");
    let (code, _, err) = done(lifesign(&["export", "--parquet", &out]));
    assert!(code == 2 && err.contains("required"), "{code}: {err}");
    let state = temp_dir.path("state");
    let (code, _, err) = done(lifesign(&["export", "--parquet", &out, "--state-dir", &state]));
    let wanted = format!(
        "lifesign: cannot read the store {state}/lifesign.db: there is no such file; give the \
             directory that the run keeps its state in with --state-dir"
    );
    assert_eq!((code, err), (65, wanted));
}

/// What DuckDB answers to a query, as CSV without a header.
fn asked(query: &str) -> String {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("duckdb/bin/python3");
    let code = "import duckdb, sys\n\
                duckdb.sql(\"set timezone = 'UTC'; set enable_progress_bar = false\")\n\
                for row in duckdb.sql(sys.argv[1]).fetchall():\n    \
                print(*['' if cell is None else cell for cell in row], sep=',')";
    let (code, out, err) = done(quiet(Command::new(python), &["-c", code, query]));
    assert_eq!((code, err.as_str()), (0, ""), "{query}");
    out
}

#[test]
#[ignore = "needs DuckDB for Python; run by tests/run"]
fn duckdb_reads_the_episodes_that_csv_has() {
    let temp_dir = TempDir::new("export-episodes");
    let state = temp_dir.path("state");
    assert_eq!(done(lifesign(&["simulate", DECEMBER, "--state-dir", &state])).0, 0);
    let out = temp_dir.path("out");
    let export = ["export", "--parquet", &out, "--state-dir", &state];
    let (code, said, err) = done(lifesign(&export));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(
        said.contains(" episodes in ") && said.trim_end().ends_with(", and not incidents"),
        "{said}"
    );
    let listed = ["episodes", "--all", "--since", "2014-12-01", "--csv", "--state-dir", &state];
    let csv = temp_dir.put("episodes.csv", done(lifesign(&listed)).1);
    // In CSV an apostrophe may stand before a text; there is none here.
    let [exported, listed] = [format!("'{out}/episodes/*.parquet'"), format!("'{csv}'")];
    let count = asked(&format!("SELECT count(*) > 10 FROM {exported}"));
    assert_eq!(count, "True");
    let [there, here] = [(&exported, &listed), (&listed, &exported)].map(|(one, other)| {
        asked(&format!("SELECT count(*) FROM (FROM {one} EXCEPT ALL FROM {other})"))
    });
    assert_eq!((there.as_str(), here.as_str()), ("0", "0"));
}

const ROWS: usize = 10_000_000;
/// Between two probes, one after the other to a host of each block.
const STEP_NANOS: u64 = 2_000_000;
const HOSTS: [(&str, &str); 4] = [
    ("127.45.176.8", "127.45.176.0/24"),
    ("127.45.177.74", "127.45.177.0/24"),
    ("127.45.178.102", "127.45.178.0/24"),
    ("127.45.179.67", "127.45.179.0/24"),
];

/// What is known of a block's minute.
#[derive(Default)]
struct Minute {
    lost: usize,
    times: Vec<f64>,
}

/// Writes a journal of so many lines; returns the loss and the median of each block and minute.
fn write_journal(mut to: impl Write) -> String {
    let begin: Time = "2014-12-22T12:00:00Z".parse().unwrap();
    let mut truth = Vec::new();
    let mut tell = |minute: u64, blocks: &mut [Minute; 4]| {
        for ((_, block), Minute { lost, times }) in HOSTS.iter().zip(std::mem::take(blocks)) {
            let share = lost as f64 / (lost + times.len()) as f64;
            let mut times = times;
            times.sort_by(f64::total_cmp);
            let [low, high] = [(times.len() - 1) / 2, times.len() / 2].map(|at| times[at]);
            let median = f64::midpoint(low, high);
            let minute = Time::from_nanos(minute * 60_000_000_000).utc("%Y-%m-%d %H:%M");
            truth.push(format!("{block},{minute},{share:.6},{median:.6}"));
        }
    };
    let mut blocks = <[Minute; 4]>::default();
    let mut last_minute = begin.as_nanos() / 60_000_000_000;
    let mut line = String::new();
    for number in 0..ROWS {
        let sent = Time::from_nanos(begin.as_nanos() + number as u64 * STEP_NANOS);
        let minute = sent.as_nanos() / 60_000_000_000;
        if minute != last_minute {
            tell(last_minute, &mut blocks);
            last_minute = minute;
        }
        let (host, _) = HOSTS[number % 4];
        let block = &mut blocks[number % 4];
        // Neither is the same in two minutes.
        let is_lost = number % 37 == 5 || number % 3001 < minute as usize % 97;
        line.clear();
        let _ = write!(line, "{{\"sent\":\"{sent}\",\"host\":\"{host}\",\"probe\":\"icmp\",");
        if is_lost {
            block.lost += 1;
            line += "\"result\":\"lost\"}\n";
        } else {
            let rtt = 20_000 + (number * 7919 + minute as usize) % 10_007;
            let [whole, part] = [rtt / 100, rtt % 100];
            let _ = writeln!(line, "\"result\":\"reply\",\"rtt_ms\":{whole}.{part:02}}}");
            block.times.push(rtt as f64 / 100.0);
        }
        to.write_all(line.as_bytes()).unwrap();
    }
    tell(last_minute, &mut blocks);
    to.flush().unwrap();
    truth.sort();
    truth.join("\n")
}

#[test]
#[ignore = "needs DuckDB for Python; run by tests/run"]
fn duckdb_tells_loss_and_median_per_block_and_minute_over_ten_million_rows() {
    let temp_dir = TempDir::new("export-many");
    let out = temp_dir.path("out");
    let arguments = ["export", "-", "--config", LAB, "--parquet", &out];
    let mut export = quiet(Command::new(LIFESIGN), &arguments);
    let mut export = export.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let clock = Clock::start();
    let begun = clock.now();
    let truth = write_journal(BufWriter::with_capacity(1 << 16, export.stdin.take().unwrap()));
    let said = String::from_utf8(export.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(said.trim(), format!("{ROWS} outcomes in 6 files in {out}/outcomes"));
    let exported = clock.now();
    let told = asked(&format!(
        "SELECT block, strftime(date_trunc('minute', sent), '%Y-%m-%d %H:%M'),
           printf('%.6f', avg((result = 'lost')::int)), printf('%.6f', median(rtt_ms))
         FROM '{out}/outcomes/*.parquet' WHERE result IN ('reply', 'lost') GROUP BY ALL ORDER BY ALL"
    ));
    let answered = clock.now();
    for (told, truth) in told.lines().zip(truth.lines()) {
        assert_eq!(told, truth);
    }
    assert_eq!(told.len(), truth.len());
    let files = fs::read_dir(temp_dir.join("out/outcomes")).unwrap();
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    println!(
        "{ROWS} rows: made and exported in {:.0?}, {:.1} MB; answered in {:.1?}",
        exported.since(begun),
        bytes as f64 / 1e6,
        answered.since(exported)
    );
}

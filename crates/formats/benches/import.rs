//! What an import costs beside jq: a month of a hundred hosts, as Prometheus gives it, made a
//! journal; the same file through `jq -c .`, if jq is there; and the journal judged again.
//!
//! `cargo bench -p lifesign-formats --bench import -- [HOSTS [DAYS]]`; the last line is JSON. The
//! files lie in $TMPDIR while it runs: 2.7 GB of them.

use lifesign_clock::Clock;
use lifesign_core::{
    schedule::Budget,
    scopes::{Host, Kind, Roster},
    watch::{Settings, Watch},
};
use lifesign_formats::record::{Import, Options};
use lifesign_journal::{Reader, begun};
use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Read, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

const STEP: u64 = 15_000;
const BUFFER: usize = 1 << 20;

/// Samples of blackbox_exporter: each host is scraped at a time of its own, and missed at times.
fn generate(path: &Path, hosts: u64, days: f64) -> std::io::Result<()> {
    let mut file = BufWriter::with_capacity(BUFFER, File::create(path)?);
    let samples = (days * 86_400_000.0) as u64 / STEP;
    write!(file, r#"{{"status":"success","data":{{"resultType":"matrix","result":["#)?;
    for host in 0..hosts {
        let comma = if host == 0 { "" } else { "," };
        let address = format!("198.18.{}.{}", host / 20, host % 20 + 1);
        write!(
            file,
            r#"{comma}{{"metric":{{"__name__":"probe_success","instance":"{address}","job":"ping"}},"values":["#
        )?;
        let offset = host * 7919 % STEP;
        for sample in 0..samples {
            let comma = if sample == 0 { "" } else { "," };
            let millis = 1_795_633_778_000 + offset + sample * STEP;
            // Half an hour of nobody each week, and one miss in 500.
            let is_dark = sample % 40_320 >= 40_200;
            let value = u8::from(!is_dark && (sample * 31 + host) % 500 != 0);
            write!(file, "{comma}[{}.{:03},\"{value}\"]", millis / 1000, millis % 1000)?;
        }
        write!(file, "]}}")?;
    }
    write!(file, "]}}}}")?;
    file.flush()
}

/// Judges the journal again, with a plan as the import writes it; returns how many verdicts there
/// were.
fn replay(path: &Path, hosts: u64) -> std::io::Result<usize> {
    let mut roster = Roster::default();
    roster.add_country("XX", "XX");
    for host in 0..hosts {
        if host % 20 == 0 {
            let prefix = format!("198.18.{}.0/24", host / 20).parse();
            roster.add_block(prefix.map_err(std::io::Error::other)?);
        }
        let [block, number] = [host / 20, host % 20 + 1].map(|octet| octet as u8);
        roster.add_target(Host::Address([198, 18, block, number].into()), "icmp", Kind::Icmp);
        if let Some(target) = roster.targets.last_mut() {
            target.set_interval(Duration::from_millis(STEP));
        }
    }
    let reader = Reader::new(&roster, &[]);
    let roster = Arc::new(roster);
    let budget = Some(Budget::of(20_000.0 / STEP as f64));
    let mut watch: Option<Watch> = None;
    let mut verdicts = 0;
    for line in BufReader::with_capacity(BUFFER, File::open(path)?).lines() {
        let record = reader.read(&line?);
        let record = record.map_err(|error| std::io::Error::other(error.to_string()))?;
        let watch = watch.get_or_insert_with(|| {
            let settings = Settings { budget, ..Settings::default() };
            Watch::new(roster.clone(), &settings, begun(&record))
        });
        watch.replay(&record);
        verdicts += std::iter::from_fn(|| watch.poll_change()).count();
    }
    Ok(verdicts)
}

/// The most memory that this process ever had, in MiB.
fn peak() -> u64 {
    let mut status = String::new();
    let _ = File::open("/proc/self/status").and_then(|mut file| file.read_to_string(&mut status));
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

fn main() -> std::io::Result<()> {
    let numbers: Vec<f64> = env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let hosts = numbers.first().map_or(100, |&hosts| hosts as u64);
    let days = numbers.get(1).copied().unwrap_or(30.0);
    let directory = env::temp_dir().join(format!("lifesign-import-{}", std::process::id()));
    fs::create_dir(&directory)?;
    let record = directory.join("record.json");
    generate(&record, hosts, days)?;
    let bytes = fs::metadata(&record)?.len();
    println!("{hosts} hosts, {days} days, one sample in 15 s: {} MiB", bytes >> 20);

    let clock = Clock::start();
    let begin = clock.now();
    let since = |begin| clock.now().since(begin).as_secs_f64();
    let spill = directory.clone();
    let mut parts = 0;
    let mut import = Import::new(Options::default(), move || {
        parts += 1;
        File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(spill.join(format!("part-{parts}")))
    });
    let file = BufReader::with_capacity(BUFFER, File::open(&record)?);
    import.read("record.json", file).map_err(std::io::Error::other)?;
    let read = since(begin);
    let journal_path = directory.join("journal.jsonl");
    let journal = File::create(&journal_path)?;
    let summary = import.finish(BufWriter::with_capacity(BUFFER, journal), |_| {})?;
    let import = since(begin);
    let memory = peak();
    println!(
        "import: {} outcomes in {import:.2} s, of which reading took {read:.2} s; {memory} MiB",
        summary.outcomes
    );

    let begin = clock.now();
    let verdicts = replay(&journal_path, hosts)?;
    let replay = since(begin);
    println!("replay: {verdicts} verdicts in {replay:.2} s");

    let begin = clock.now();
    let jq = Command::new("jq").args(["-c", "."]).arg(&record).stdout(Stdio::null()).status();
    let jq = jq.is_ok_and(|status| status.success()).then(|| since(begin));
    match jq {
        Some(jq) => println!("jq -c . : {jq:.2} s; import takes {:.2} of it", import / jq),
        None => println!("jq -c . : there is no jq here"),
    }
    fs::remove_dir_all(&directory)?;
    let or_null =
        |number: Option<f64>| number.map_or("null".into(), |number| format!("{number:.3}"));
    println!(
        r#"{{"outcomes":{},"bytes":{bytes},"import_seconds":{import:.3},"replay_seconds":{replay:.3},"jq_seconds":{},"share":{},"memory_mib":{memory}}}"#,
        summary.outcomes,
        or_null(jq),
        or_null(jq.map(|jq| import / jq)),
    );
    Ok(())
}

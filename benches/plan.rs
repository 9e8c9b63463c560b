//! What it costs to read a plan of every address of a country: 5,030 blocks of 256 hosts, as
//! ranges, as a host file and a line each. `cargo bench --bench plan`; the last line is JSON.

#[path = "lab/table.rs"]
#[expect(dead_code, reason = "a plan has only goals of one kind")]
mod table;

use lifesign::{config::Plan, probe::trim_memory};
use lifesign_clock::processor_time;
use std::{fmt::Write as _, fs, path::Path};
use table::{Goal, Table};

const BLOCKS: u32 = 5030;
const HOSTS: u32 = 256;

fn main() {
    let directory = std::env::temp_dir().join(format!("lifesign-plan-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join("plan.toml");
    let mut table = Table::default();
    fs::write(directory.join("hosts.csv"), host_file()).expect("a file");
    // The smallest first: the most that is held is that of all so far.
    for (name, text) in [
        ("ranges", plan("", |block| format!("hosts = [\"{block}.0-255\"]\n"))),
        ("a host file", plan("hosts_from = \"hosts.csv\"\n", |_| String::new())),
        ("a host a line", plan("", a_line_each)),
    ] {
        let bytes = text.len();
        fs::write(&path, text).expect("a file");
        measure(name, bytes, &path, &mut table);
    }
    fs::remove_dir_all(&directory).expect("it is there");
    table.print();
}

/// Reads the plan, and tells how long that took and what it holds of memory.
fn measure(name: &str, bytes: usize, path: &Path, table: &mut Table) {
    trim_memory();
    let before = resident("VmRSS:");
    let start = processor_time();
    let plan = Plan::load(path).unwrap_or_else(|problems| panic!("{problems}"));
    let seconds = processor_time().saturating_sub(start).as_secs_f64();
    let peak = resident("VmHWM:");
    trim_memory();
    let held = resident("VmRSS:") - before;
    let hosts = plan.roster.targets.len();
    let n = format!("{hosts} hosts, {bytes} bytes");
    table.add(name, "lifesign", n.clone(), seconds, "s", Some(Goal::AtMost(8.0)));
    table.add("of that a host", "lifesign", n.clone(), held * 1024.0 / hosts as f64, "B", None);
    table.add("at most so far", "lifesign", n, peak / 1024.0, "MB", None);
}

/// The first three numbers of each block's addresses.
fn blocks() -> impl Iterator<Item = String> {
    (0..BLOCKS).map(|number| format!("127.{}.{}", number / 256, number % 256))
}

/// A plan with these lines in its country, and in each block.
fn plan(country: &str, hosts: impl Fn(&str) -> String) -> String {
    let mut text = format!(
        "vantage = \"a bench\"\n\n[[country]]\ncode = \"TW\"\nprobes = [\"icmp\"]\n{country}\n"
    );
    for block in blocks() {
        let hosts = hosts(&block);
        let _ = write!(text, "[[country.block]]\nprefix = \"{block}.0/24\"\n{hosts}\n");
    }
    text
}

fn a_line_each(block: &str) -> String {
    let mut text = "hosts = [\n".to_owned();
    for host in 0..HOSTS {
        let _ = writeln!(text, "  {{ host = \"{block}.{host}\", probes = [\"icmp\"] }},");
    }
    text + "]\n"
}

fn host_file() -> String {
    let mut text = "host,probes\n".to_owned();
    for block in blocks() {
        for host in 0..HOSTS {
            let _ = writeln!(text, "{block}.{host},icmp");
        }
    }
    text
}

/// What this process holds of memory, now or at most, in kilobytes (proc_pid_status(5)).
fn resident(key: &str) -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok());
    number.unwrap_or(f64::NAN)
}

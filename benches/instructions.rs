//! How many instructions the core executes for each probe: `lifesign simulate` plays december-2014
//! under valgrind's callgrind, and other programs do not change that at all. It fails where they
//! are 2 % more or fewer than they were: then say why, and write down what they are now.
//! `cargo bench --bench instructions`; the last line is JSON.

#[path = "lab/table.rs"]
#[expect(dead_code, reason = "there is one goal")]
mod table;

use std::{path::Path, process::Command};
use table::{Goal, Table};

const DECEMBER: &str = "tests/data/scenarios/december-2014.toml";
/// What they were last, by Rust 1.95 on x86-64.
const KNOWN: f64 = 6_892.0;
const TOLERANCE: f64 = 0.02;

fn main() {
    let (instructions, probes) = instructions_of_december();
    let per_probe = instructions as f64 / probes as f64;
    let n = format!("{instructions} instructions, {probes} probes");
    let mut table = Table::default();
    let goal = Some(Goal::AtMost(7000.0));
    table.add("december-2014, a probe", "lifesign", n.clone(), per_probe, "instructions", goal);
    let change = per_probe / KNOWN;
    table.add("of what they were", "lifesign", n, change, "×", Some(Goal::AtMost(1.0 + TOLERANCE)));
    table.print();
    assert!((change - 1.0).abs() <= TOLERANCE, "{per_probe} instructions a probe, not {KNOWN}");
}

/// Instructions that `lifesign simulate` executes for december-2014, and its probes.
fn instructions_of_december() -> (u64, u64) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(DECEMBER);
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args([env!("CARGO_BIN_EXE_lifesign"), "simulate"])
        .arg(&file)
        .output()
        .expect("valgrind runs (Debian: apt install valgrind)");
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    // "==42== Collected : 2190000000" of callgrind, and "probes    123456, per block" of ours.
    let number_after = |text: &str, words: &str| {
        let rest = text.split_once(words)?.1.trim_start();
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    let instructions = number_after(&err, "Collected :");
    let probes = number_after(&out, "\nprobes ");
    instructions.zip(probes).unwrap_or_else(|| panic!("{out}{err}"))
}

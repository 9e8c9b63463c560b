//! How many instructions the core executes for each probe: `lifesign simulate` plays december-2014
//! under valgrind's callgrind, and other programs do not change that at all. It fails where they
//! are 2 % more or fewer than they were: then say why, and write down what they are now.
//! `cargo bench --bench instructions`; the last line is JSON.
//!
//! What is held to the goal has one control, asked each second beside one probe a second, as the
//! goal was set when the laboratory asked one control a second however many there were. The second
//! row has the three controls that a scenario has by default.

#[path = "lab/table.rs"]
#[expect(dead_code, reason = "there is one goal")]
mod table;

use std::{
    io::Write,
    process::{Command, Stdio},
};
use table::{Goal, Table};

const DECEMBER: &str = include_str!("../tests/data/scenarios/december-2014.toml");
/// What they were last, with one control, by Rust 1.95 on x86-64.
const KNOWN: f64 = 6_892.0;
const TOLERANCE: f64 = 0.02;

fn main() {
    let mut table = Table::default();
    let goals = [(1, Some(Goal::AtMost(7000.0))), (3, None)];
    let [per_probe, _] = goals.map(|(controls, goal)| {
        let (instructions, probes) = instructions_of_december(controls);
        let per_probe = instructions as f64 / probes as f64;
        let n = format!("{instructions} instructions, {probes} probes");
        let what = format!("december-2014, a probe; controls: {controls}");
        table.add(&what, "lifesign", n, per_probe, "instructions", goal);
        per_probe
    });
    let change = per_probe / KNOWN;
    let goal = Some(Goal::AtMost(1.0 + TOLERANCE));
    table.add("of what they were", "lifesign", format!("{KNOWN}"), change, "×", goal);
    table.print();
    assert!((change - 1.0).abs() <= TOLERANCE, "{per_probe} instructions a probe, not {KNOWN}");
}

/// Instructions that `lifesign simulate` executes for december-2014 with so many controls, and its
/// probes.
fn instructions_of_december(controls: u16) -> (u64, u64) {
    let mut child = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args([env!("CARGO_BIN_EXE_lifesign"), "simulate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("valgrind runs (Debian: apt install valgrind)");
    let scenario = format!("controls = {controls}\n{DECEMBER}");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(scenario.as_bytes()).expect("the scenario is read");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
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

//! Where darkness begins and ends in what was counted: what is told must hold the truth.

use super::*;
use lifesign_core::{rng::Rng, time::Time};
use std::ops::Range;

/// In seconds.
const BEGIN: f64 = 1_795_633_800.0;

/// A prober that asks one host, and how often that is read.
#[derive(Clone, Copy, Debug)]
struct Prober {
    every: f64,
    read_every: f64,
    /// It tells the share of the last ten that was lost, and no counters.
    is_ratio: bool,
}

impl Prober {
    /// What it tells within 3,600 s, as Prometheus has it.
    fn record(self, dark: &Range<f64>, rng: &mut Rng) -> String {
        let first = rng.unit() * self.every;
        let probes: Vec<f64> = (0..3600)
            .map(|n| first + self.every * f64::from(n))
            .take_while(|at| *at < 3600.0)
            .collect();
        let (mut sent, mut answered, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
        let mut at = rng.unit() * self.read_every;
        while at < 3600.0 {
            let told: Vec<bool> = probes
                .iter()
                .filter(|probe| **probe <= at)
                .map(|probe| !dark.contains(probe))
                .collect();
            let count = |answers: &[bool]| answers.iter().filter(|is| **is).count();
            let newest = &told[told.len().saturating_sub(10)..];
            let lost = 1.0 - count(newest) as f64 / newest.len().max(1) as f64;
            let value = |value: String| format!("[{:.3},\"{value}\"]", BEGIN + at);
            sent.push(value(told.len().to_string()));
            answered.push(value(count(&told).to_string()));
            ratio.push(value(format!("{lost:.1}")));
            at += self.read_every;
        }
        let series = |name: &str, values: &[String]| {
            format!(
                r#"{{"metric":{{"__name__":"{name}","ip":"203.0.113.8"}},"values":[{}]}}"#,
                values.join(",")
            )
        };
        let series = if self.is_ratio {
            series("ping_loss_ratio", &ratio)
        } else {
            let counters =
                ["smokeping_requests_total", "smokeping_response_duration_seconds_count"];
            [series(counters[0], &sent), series(counters[1], &answered)].join(",")
        };
        format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}"#)
    }
}

/// When probes were sent, and whether each was answered.
fn outcomes(imported: &Imported) -> Vec<(f64, bool)> {
    let lines = imported.lines.iter().filter(|line| !line.contains("\"lost\""));
    let mut all: Vec<(f64, bool)> = lines
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let sent: Time = line["sent"].as_str().expect("a time").parse().expect("a time");
            (sent.as_nanos() as f64 / 1e9 - BEGIN, line["result"] == "reply")
        })
        .collect();
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    all
}

#[test]
fn edges_of_what_was_counted_hold_the_truth() {
    let mut rng = Rng::new(3);
    for (every, read_every, is_ratio) in [
        (1.0, 15.0, false),
        (1.0, 60.0, false),
        (10.0, 5.0, false),
        (30.0, 15.0, false),
        (5.0, 15.0, true),
        (1.0, 15.0, true),
        (15.0, 15.0, true),
        (30.0, 15.0, true),
        (60.0, 15.0, true),
    ] {
        let prober = Prober { every, read_every, is_ratio };
        for _ in 0..40 {
            let begin = 1800.0 + rng.unit() * 100.0;
            // A ratio is of the last ten.
            let length =
                if is_ratio { every.max(read_every) * 12.0 } else { read_every.max(every) * 3.0 };
            let dark = begin..begin + length + rng.unit() * 60.0;
            let all = outcomes(&import(&[&prober.record(&dark, &mut rng)]));
            let first = all.iter().position(|(_, is_answer)| !is_answer).expect("a miss");
            let last = all.iter().rposition(|(_, is_answer)| !is_answer).expect("a miss");
            let context = || format!("{prober:?} dark {dark:?}: {:?}", &all[first - 1..last + 2]);
            assert!(all[first..=last].iter().all(|(_, is_answer)| !is_answer), "{}", context());
            // To the microsecond of the data's times, and by which two are kept apart.
            let slack = 0.001 + 2e-3;
            let (light, miss) = (all[first - 1].0, all[first].0);
            assert!(light <= dark.start + slack && dark.start <= miss + slack, "{}", context());
            let (miss, light) = (all[last].0, all[last + 1].0);
            assert!(miss <= dark.end + slack && dark.end <= light + slack, "{}", context());
            let widest = if is_ratio { 2.0 * every.max(read_every) } else { every.max(read_every) };
            assert!(light - miss <= widest + every + slack, "wide: {}", context());
        }
    }
}

#[test]
fn what_was_counted_is_said_to_be_inexact_in_the_plan_too() {
    let prober = Prober { every: 1.0, read_every: 15.0, is_ratio: false };
    let mut rng = Rng::new(1);
    let plan = import(&[&prober.record(&(0.0..0.0), &mut rng)]).summary.plan;
    assert!(
        plan.contains("; hosts asked every 15 s; inexact, as losses were counted\"\n"),
        "{plan}"
    );
    let sums = |rcvd: u32| {
        let plan = import(&[&format!(
            r#"{{"type":"ping","prb_id":1,"timestamp":1795633800,"addr":"203.0.113.8","sent":3,"rcvd":{rcvd},"avg":4.5}}"#
        )])
        .summary
        .plan;
        plan.contains("inexact")
    };
    assert_eq!([0, 2, 3].map(sums), [false, true, false], "which of a result's packets");
}

/// Each probe has a moment of its own, in the order in which they were counted.
#[test]
fn no_two_probes_of_one_host_are_told_of_one_moment() {
    let mut rng = Rng::new(9);
    for _ in 0..50 {
        let (mut sent, mut answered) = (0, 0);
        let readings = (0..40_u64).map(|n| {
            let count = rng.below(5) as u64;
            sent += count;
            answered += [0, count, rng.below(count as usize + 1) as u64][rng.below(3)];
            (n, sent, answered)
        });
        let lines: Vec<String> = readings
            .map(|(n, sent, answered)| {
                let time = 1_795_633_800 + 15 * n;
                [("smokeping_requests_total", sent), ("smokeping_response_duration_seconds_count", answered)]
                    .map(|(name, value)| {
                        format!(
                            r#"{{"metric":{{"__name__":"{name}","ip":"203.0.113.8"}},"values":[{value}],"timestamps":[{time}000]}}"#
                        )
                    })
                    .join("\n")
            })
            .collect();
        let all = outcomes(&import(&[&lines.join("\n")]));
        assert!(all.windows(2).all(|two| two[0].0 < two[1].0), "{all:?}");
    }
}

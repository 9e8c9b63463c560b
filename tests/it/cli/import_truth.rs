//! Records whose probes come in bursts, or are counted, through `import` and `replay`: what is said
//! must hold the truth that they were made from.

use crate::support::{TempDir, done, lifesign};
use lifesign_core::{rng::Rng, time::Time};
use std::{fmt::Write as _, ops::Range};

fn begin() -> f64 {
    let time: Time = "2026-11-25T19:00:00Z".parse().unwrap();
    time.as_nanos() as f64 / 1e9
}

/// When four hosts are dark, and all time, in seconds.
#[derive(Clone, Debug)]
struct Truth {
    dark: Vec<Range<f64>>,
    all: f64,
}

impl Truth {
    fn is_dark(&self, second: f64) -> bool {
        self.dark.iter().any(|dark| dark.contains(&second))
    }

    /// Asks what is said of this record, which must be one darkness for each of ours, whose edges
    /// hold it, and nothing unknown. Returns what import said.
    fn check(&self, context: &str, record: &str, options: &[&str]) -> String {
        let temp_dir = TempDir::new("import-truth");
        let record = temp_dir.put("record", record);
        let [journal, plan] = ["journal.jsonl", "plan.toml"].map(|name| temp_dir.path(name));
        let import = [&["import", &record, "-o", &journal, "--plan", &plan], options].concat();
        let (code, said, err) = done(lifesign(&import));
        assert_eq!((code, err.as_str()), (0, ""), "{context}");
        let (code, out, err) = done(lifesign(&["replay", &journal, "--config", &plan, "--json"]));
        assert_eq!((code, err.as_str()), (0, ""), "{context}");
        let lines =
            out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let lines: Vec<_> = lines.filter(|line| line["scope"] == "country").collect();
        let is_dark = |state: &serde_json::Value| state == "down" || state == "outage";
        let edges = |begins: bool| {
            let is_edge = move |line: &&serde_json::Value| {
                is_dark(&line["from"]) != is_dark(&line["to"]) && is_dark(&line["to"]) == begins
            };
            let time = |line: &serde_json::Value, key: &str| {
                let time: Time = line[key].as_str().unwrap().parse().unwrap();
                time.as_nanos() as f64 / 1e9 - begin()
            };
            let edge = move |line| (time(line, "earliest"), time(line, "latest"));
            lines.iter().filter(is_edge).map(edge).collect::<Vec<_>>()
        };
        let (begins, ends) = (edges(true), edges(false));
        let context = || format!("{context}: {self:?}\n{begins:?}\n{ends:?}\n{lines:#?}");
        assert!(lines.iter().all(|line| line["to"] != "unknown"), "{}", context());
        assert_eq!((begins.len(), ends.len()), (self.dark.len(), self.dark.len()), "{}", context());
        for (dark, (begin, end)) in self.dark.iter().zip(begins.iter().zip(&ends)) {
            let slack = 2e-3;
            let holds = |edge: &(f64, f64), at: f64| edge.0 <= at + slack && at <= edge.1 + slack;
            assert!(holds(begin, dark.start) && holds(end, dark.end), "{}", context());
        }
        said
    }
}

const HOSTS: usize = 4;

fn host(host: usize) -> String {
    format!("127.45.176.{}", host + 1)
}

/// Bursts of so many packets, one a second, each `every` seconds.
#[derive(Clone, Copy, Debug)]
struct Bursts {
    packets: usize,
    every: f64,
}

impl Bursts {
    /// The hosts and begins of all, in the order of time; `apart` as parts of a whole.
    fn all(self, truth: &Truth, apart: f64) -> Vec<(usize, f64)> {
        let rounds = (truth.all / self.every) as usize;
        let of_host = |host: usize| {
            (0..rounds).map(move |round| {
                (host, (round as f64 + apart * host as f64 / HOSTS as f64) * self.every)
            })
        };
        let mut all: Vec<_> = (0..HOSTS).flat_map(of_host).collect();
        all.sort_by(|one, other| one.1.total_cmp(&other.1));
        all
    }

    /// Of `fping -D -l -c`, whose numbers begin again each time, to one host after the other.
    fn fping(self, truth: &Truth) -> String {
        let mut lines = Vec::new();
        for (host_number, at) in self.all(truth, 0.0) {
            for packet in 0..self.packets {
                let sent = at + packet as f64 + 0.02 * host_number as f64;
                let (printed, what) = if truth.is_dark(sent) {
                    (sent + 0.5, "timed out (NaN avg, 100% loss)")
                } else {
                    (sent + 0.02, "64 bytes, 20.0 ms (20.0 avg, 0% loss)")
                };
                let host = host(host_number);
                let stamp = begin() + printed;
                lines.push((printed, format!("[{stamp:.5}] {host} : [{packet}], {what}")));
            }
        }
        lines.sort_by(|one, other| one.0.total_cmp(&other.0));
        lines.into_iter().map(|(_, line)| line + "\n").collect()
    }

    fn atlas(self, truth: &Truth) -> String {
        let mut text = String::new();
        for (number, at) in self.all(truth, 0.7) {
            let at = at.floor();
            let packet = |packet: usize| {
                let is_lost = truth.is_dark(at + packet as f64);
                if is_lost { r#"{"x":"*"}"# } else { r#"{"rtt":20.5}"# }
            };
            let packets: Vec<_> = (0..self.packets).map(packet).collect();
            let (time, host, packets) = (begin() + at, host(number), packets.join(","));
            let _ = writeln!(
                text,
                r#"{{"type":"ping","prb_id":1,"timestamp":{time},"dst_addr":"{host}","result":[{packets}]}}"#
            );
        }
        text
    }

    fn scamper(self, truth: &Truth) -> String {
        let mut text = String::new();
        for (number, at) in self.all(truth, 0.9) {
            let moment = |second: f64| {
                let time = begin() + second;
                let (sec, usec) = (time.floor(), (time.fract() * 1e6).round());
                format!(r#"{{"sec":{sec},"usec":{usec}}}"#)
            };
            let host = host(number);
            let response = |packet: usize| {
                let at = at + packet as f64;
                let tx = moment(at);
                (!truth.is_dark(at)).then(|| {
                    format!(
                        r#"{{"from":"{host}","seq":{packet},"tx":{tx},"rtt":20.1,"icmp_type":0,"icmp_code":0}}"#
                    )
                })
            };
            let responses: Vec<_> = (0..self.packets).filter_map(response).collect();
            let (start, sent, responses) = (moment(at), self.packets, responses.join(","));
            let _ = writeln!(
                text,
                r#"{{"type":"ping","method":"icmp-echo","src":"10.0.0.1","dst":"{host}","start":{start},"ping_sent":{sent},"wait":1,"responses":[{responses}]}}"#
            );
        }
        text
    }
}

#[test]
fn packets_in_bursts_are_one_cadence_and_never_unknown() {
    let none = Truth { dark: Vec::new(), all: 4.0 * 3600.0 };
    let one = |length: f64| {
        let begin = 7207.3;
        Truth { dark: vec![begin..begin + length], ..none.clone() }
    };
    for packets in [2, 3, 5, 6, 8, 10, 20] {
        let bursts = Bursts { packets, every: 60.0 };
        for truth in [&none, &one(600.0)] {
            let context = format!("{bursts:?}");
            truth.check(&format!("fping {context}"), &bursts.fping(truth), &[]);
            truth.check(&format!("scamper {context}"), &bursts.scamper(truth), &[]);
        }
    }
    for packets in [3, 16] {
        let bursts = Bursts { packets, every: 240.0 };
        for truth in [&none, &one(2400.0)] {
            truth.check(&format!("Atlas {bursts:?}"), &bursts.atlas(truth), &[]);
        }
    }
}

/// What smokeping_prober counts, which asks each host each second, scraped so often.
fn counted(truth: &Truth, scrape: f64, rng: &mut Rng) -> String {
    let mut series = Vec::new();
    for number in 0..HOSTS {
        let first = rng.unit();
        let (mut sent, mut answered) = (Vec::new(), Vec::new());
        let (mut all, mut heard, mut next) = (1000_u64, 1000_u64, first);
        let mut at = rng.unit() * scrape;
        while at < truth.all {
            while next <= at {
                all += 1;
                heard += u64::from(!truth.is_dark(next));
                next += 1.0;
            }
            sent.push(format!("[{:.3},\"{all}\"]", begin() + at));
            answered.push(format!("[{:.3},\"{heard}\"]", begin() + at));
            at += scrape;
        }
        let host = host(number);
        for (name, values) in [
            ("smokeping_requests_total", sent),
            ("smokeping_response_duration_seconds_count", answered),
        ] {
            series.push(format!(
                r#"{{"metric":{{"__name__":"{name}","ip":"{host}","host":"{host}"}},"values":[{}]}}"#,
                values.join(",")
            ));
        }
    }
    let series = series.join(",");
    format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}"#)
}

#[test]
fn what_was_counted_has_edges_that_hold_the_truth() {
    let truth = Truth { dark: vec![1800.0..2100.0, 3600.0..3645.0], all: 7200.0 };
    for seed in 0..4 {
        let record = counted(&truth, 15.0, &mut Rng::new(seed));
        let said = truth.check(&format!("seed {seed}"), &record, &[]);
        assert!(said.contains("inexact: of counted probes nobody knows which were lost"), "{said}");
    }
}

#[test]
fn a_report_of_what_was_counted_says_that_it_is_inexact() {
    let temp_dir = TempDir::new("import-inexact");
    let truth = Truth { dark: std::iter::once(1800.0..2100.0).collect(), all: 3600.0 };
    let record = temp_dir.put("record", counted(&truth, 15.0, &mut Rng::new(1)));
    let [journal, plan, state] =
        ["journal.jsonl", "plan.toml", "state"].map(|name| temp_dir.path(name));
    for command in [
        &["import", &record, "-o", &journal, "--plan", &plan][..],
        &["replay", &journal, "--config", &plan, "--state-dir", &state],
    ] {
        let (code, _, err) = done(lifesign(command));
        assert_eq!((code, err.as_str()), (0, ""));
    }
    let (code, page, err) =
        done(lifesign(&["report", "XX", "--state-dir", &state, "--since", "2h"]));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(page.contains("; inexact, as losses were counted"), "{page}");
}

/// Samples of blackbox_exporter of so many hosts, asked one after the other each round.
#[derive(Clone, Copy, Debug)]
struct InTurn {
    hosts: usize,
    every: f64,
    /// Each is late by up to this part of a round.
    jitter: f64,
    loss: f64,
}

impl InTurn {
    fn record(self, truth: &Truth, rng: &mut Rng) -> String {
        let Self { hosts, every, jitter, loss } = self;
        let rounds = (truth.all / every) as u32;
        let series: Vec<_> = (0..hosts)
            .map(|number| {
                let samples: Vec<_> = (0..rounds)
                    .map(|round| {
                        let turn = number as f64 * every / 100.0;
                        let at = f64::from(round) * every + turn + rng.unit() * jitter * every;
                        let success = !truth.is_dark(at) && rng.unit() >= loss;
                        format!("[{:.3},\"{}\"]", begin() + at, u8::from(success))
                    })
                    .collect();
                let host = host(number);
                format!(
                    r#"{{"metric":{{"__name__":"probe_success","instance":"{host}"}},"values":[{}]}}"#,
                    samples.join(",")
                )
            })
            .collect();
        let series = series.join(",");
        format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}"#)
    }
}

#[test]
fn hosts_in_turn_and_late_samples_make_nothing_unknown() {
    let mut rng = Rng::new(5);
    for every in [2.0, 15.0, 60.0, 240.0, 360.0] {
        for hosts in [2, 4, 12] {
            for jitter in [0.0, 0.1, 0.3] {
                let in_turn = InTurn { hosts, every, jitter, loss: 0.0 };
                let dark = every * 60.4..every * 66.9;
                let truth = Truth { dark: std::iter::once(dark).collect(), all: every * 120.0 };
                let record = in_turn.record(&truth, &mut rng);
                truth.check(&format!("{in_turn:?}"), &record, &[]);
            }
        }
    }
}

#[test]
fn two_hosts_that_lose_a_twentieth_are_down_when_they_are() {
    let mut rng = Rng::new(6);
    for every in [15.0, 60.0, 240.0] {
        for _ in 0..4 {
            let in_turn = InTurn { hosts: 2, every, jitter: 0.01, loss: 0.05 };
            let dark = every * 200.4..every * 210.9;
            let truth = Truth { dark: std::iter::once(dark).collect(), all: every * 400.0 };
            let record = in_turn.record(&truth, &mut rng);
            truth.check(&format!("{in_turn:?}"), &record, &[]);
        }
    }
}

//! `lifesign import`: what others recorded, judged by `replay` with the plan that is written too.

use crate::support::{TempDir, done, lifesign};
use lifesign_core::{rng::Rng, time::Time};
use std::{fmt::Write as _, fs, time::Duration};

/// The lines of verdicts on the country, as JSON.
type Verdicts = Vec<serde_json::Value>;

/// A record of blackbox_exporter: hosts that are asked each `cadence`, dark for six rounds.
struct Record {
    cadence: Duration,
    hosts: u64,
    /// All are asked at once, and not spread over the cadence.
    together: bool,
    /// The share of answers that is lost.
    loss: f64,
}

const ROUNDS: u32 = 60;
const DARK: std::ops::Range<u32> = 30..36;

fn start() -> Time {
    "2026-11-25T19:00:00.123Z".parse().unwrap()
}

impl Record {
    fn dark(&self) -> (Time, Time) {
        (start() + self.cadence * DARK.start, start() + self.cadence * DARK.end)
    }

    /// As Prometheus tells its samples.
    fn text(&self, rng: &mut Rng) -> String {
        let (dark, light) = self.dark();
        let series = (0..self.hosts).map(|host| {
            let offset = if self.together { 0.0 } else { rng.unit() };
            let samples: Vec<_> = (0..ROUNDS)
                .map(|round| {
                    // The scraper is late by some milliseconds.
                    let jitter = Duration::from_millis((rng.unit() * 3.0) as u64);
                    let at = start() + self.cadence * round + self.cadence.mul_f64(offset) + jitter;
                    let missed = (dark..light).contains(&at) || rng.unit() < self.loss;
                    let millis = at.as_nanos() / 1_000_000;
                    format!("[{}.{:03},\"{}\"]", millis / 1000, millis % 1000, u8::from(!missed))
                })
                .collect();
            let labels = format!(r#""instance":"127.45.176.{}""#, host + 1);
            let samples = samples.join(",");
            format!(r#"{{"metric":{{"__name__":"probe_success",{labels}}},"values":[{samples}]}}"#)
        });
        let series = series.collect::<Vec<_>>().join(",");
        format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}"#)
    }

    fn verdicts(&self, seed: u64) -> Verdicts {
        let temp_dir = TempDir::new("import");
        let record = temp_dir.put("record.json", self.text(&mut Rng::new(seed)));
        let [journal, plan] = ["journal.jsonl", "plan.toml"].map(|name| temp_dir.path(name));
        let (code, _, err) = done(lifesign(&["import", &record, "-o", &journal, "--plan", &plan]));
        assert_eq!((code, err.as_str()), (0, ""));
        let (code, _, err) = done(lifesign(&["check", &plan]));
        assert_eq!((code, err.as_str()), (0, ""));
        let (code, out, err) = done(lifesign(&["replay", &journal, "--config", &plan, "--json"]));
        assert_eq!((code, err.as_str()), (0, ""));
        let all = out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let all: Verdicts = all.collect();
        assert!(all.iter().all(|verdict| verdict["to"] != "unknown"), "{out}");
        all.into_iter().filter(|verdict| verdict["scope"] == "country").collect()
    }
}

fn is_dark(state: &serde_json::Value) -> bool {
    ["down", "outage"].contains(&state.as_str().unwrap())
}

/// An edge holds the truth, to the millisecond of the samples.
fn holds(verdict: &serde_json::Value, truth: Time) -> bool {
    let time = |key: &str| verdict[key].as_str().unwrap().parse::<Time>().unwrap();
    let slack = Duration::from_millis(1);
    time("earliest") <= truth + slack && truth <= time("latest") + slack
}

#[test]
fn at_any_cadence_of_an_import_six_rounds_are_one_outage_and_nothing_is_unknown() {
    let mut failures = String::new();
    for (seed, seconds) in (0..).zip([1, 2, 5, 15, 60, 240, 360]) {
        for hosts in [2, 3, 4, 12] {
            let cadence = Duration::from_secs(seconds);
            let record = Record { cadence, hosts, together: hosts == 3, loss: 0.0 };
            let (dark, light) = record.dark();
            let verdicts = record.verdicts(seed);
            let begins: Vec<_> = verdicts
                .iter()
                .filter(|verdict| is_dark(&verdict["to"]) && !is_dark(&verdict["from"]))
                .collect();
            let ends: Vec<_> = verdicts
                .iter()
                .filter(|verdict| is_dark(&verdict["from"]) && !is_dark(&verdict["to"]))
                .collect();
            let has_outage = verdicts.iter().any(|verdict| verdict["to"] == "outage");
            let is_right = begins.len() == 1
                && ends.len() == 1
                && has_outage == (cadence * (DARK.end - DARK.start) > Duration::from_secs(60))
                && holds(begins[0], dark)
                && holds(ends[0], light);
            if !is_right {
                let _ = writeln!(failures, "{hosts} hosts each {seconds} s: {verdicts:#?}");
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn loss_of_a_tenth_is_no_outage_of_an_import() {
    for (seed, seconds) in (0..).zip([15, 60, 240]) {
        let cadence = Duration::from_secs(seconds);
        let record = Record { cadence, hosts: 4, together: false, loss: 0.1 };
        let (dark, light) = record.dark();
        let verdicts = record.verdicts(seed);
        let outages: Vec<_> = verdicts.iter().filter(|verdict| verdict["to"] == "outage").collect();
        assert_eq!(outages.len(), 1, "each {seconds} s: {verdicts:#?}");
        assert!(holds(outages[0], dark), "each {seconds} s: {:#?}", outages[0]);
        let ends: Vec<_> = verdicts.iter().filter(|verdict| verdict["from"] == "outage").collect();
        assert!(holds(ends[0], light), "each {seconds} s: {:#?}", ends[0]);
    }
}

/// Samples of four hosts, at 15 s, then 300 s, then 60 s, dark in some of them; none in others.
fn changing(dark: std::ops::Range<u64>, unwatched: std::ops::Range<u64>) -> String {
    let spans = [(15, 400), (300, 60), (60, 120)];
    let spans = spans.into_iter().flat_map(|(seconds, count)| std::iter::repeat_n(seconds, count));
    let seconds = spans.scan(0, |now, span| {
        *now += span;
        Some(*now)
    });
    let seconds: Vec<u64> = seconds.filter(|second| !unwatched.contains(second)).collect();
    let series = (1..=4).map(|host| {
        let samples: Vec<_> = seconds
            .iter()
            .map(|second| {
                let millis = start().as_nanos() / 1_000_000 + second * 1000 + host * 1234;
                let success = u8::from(!dark.contains(second));
                format!("[{}.{:03},\"{success}\"]", millis / 1000, millis % 1000)
            })
            .collect();
        let samples = samples.join(",");
        format!(
            r#"{{"metric":{{"__name__":"probe_success","instance":"127.45.176.{host}"}},"values":[{samples}]}}"#
        )
    });
    let series = series.collect::<Vec<_>>().join(",");
    format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}"#)
}

#[test]
fn a_cadence_that_changes_is_followed_and_makes_nothing_unknown() {
    // It changes at 6,000 s and at 24,000 s.
    for (dark, unwatched, outages) in [
        (0..0, 0..0, 0),
        (5_000..5_600, 0..0, 1),
        (5_500..7_500, 0..0, 1),
        (23_000..25_000, 0..0, 1),
        (26_000..27_000, 0..0, 1),
        (0..0, 5_000..7_900, 0),
        (3_000..3_600, 12_000..15_000, 1),
    ] {
        let temp_dir = TempDir::new("import-changing");
        let record = temp_dir.put("record.json", changing(dark.clone(), unwatched.clone()));
        let [journal, plan] = ["journal.jsonl", "plan.toml"].map(|name| temp_dir.path(name));
        let (code, out, err) =
            done(lifesign(&["import", &record, "-o", &journal, "--plan", &plan]));
        assert_eq!((code, err.as_str()), (0, ""));
        let gaps = usize::from(!unwatched.is_empty());
        assert!(out.contains(&format!("{gaps} time")), "{dark:?} {unwatched:?}: {out}");
        let (code, out, err) = done(lifesign(&["replay", &journal, "--config", &plan, "--json"]));
        assert_eq!((code, err.as_str()), (0, ""));
        let all = out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let all: Verdicts = all.filter(|verdict| verdict["scope"] == "country").collect();
        let count = |state: &str| all.iter().filter(|verdict| verdict["to"] == state).count();
        assert_eq!((count("outage"), count("unknown")), (outages, gaps), "{dark:?}: {all:#?}");
    }
}

const PING: &str = r#"{"type":"ping","prb_id":1000,"timestamp":1795633778,"dst_addr":"127.45.176.8","result":[{"rtt":4.5},{"x":"*"}]}"#;

#[test]
fn an_import_overwrites_nothing_and_says_what_it_left_out() {
    let temp_dir = TempDir::new("import-again");
    let record = temp_dir.put("record", format!("{PING}\nno JSON\n"));
    let [journal, plan] = ["journal", "plan"].map(|name| temp_dir.path(name));
    let import = ["import", &record, "-o", &journal, "--plan", &plan];
    let (code, out, err) = done(lifesign(&import));
    assert_eq!(
        (code, err),
        (0, format!("{record}:2:2: no JSON from here on; give a result a line"))
    );
    assert!(out.starts_with("2 probes of 1 target between 2026-11-25T19:09:38.000Z and"), "{out}");
    assert!(out.ends_with("lifesign report writes it up"), "{out}");
    let again = format!("lifesign: {plan} is there already; name another file");
    assert_eq!(done(lifesign(&import)), (73, String::new(), again));
    let nothing = temp_dir.put("nothing", "a,b\n");
    let other = temp_dir.path("other");
    let (code, _, err) = done(lifesign(&["import", &nothing, "-o", &other]));
    assert!(code == 65 && err.contains("nothing: nothing that is known here"), "{code}: {err}");
    assert!(!temp_dir.join("other").exists());
    let names: Vec<_> = std::fs::read_dir(&*temp_dir).unwrap().collect();
    assert_eq!(names.len(), 4, "{names:?}");
}

#[test]
fn what_is_imported_must_be_named() {
    let (code, _, err) = done(lifesign(&["import", "-o", "x"]));
    assert!(code == 2 && err.contains("required"), "{code}: {err}");
    let (code, _, err) = done(lifesign(&["import", "--prometheus", "prom:9090", "-o", "x"]));
    assert!(code == 2 && err.contains("such as http://127.0.0.1:9090"), "{code}: {err}");
    let (code, _, err) =
        done(lifesign(&["import", "--prometheus", "http://127.0.0.1:1", "-o", "-"]));
    assert!(code == 69 && err.contains("no word from 127.0.0.1:1"), "{code}: {err}");
}

#[test]
fn what_others_said_stands_beside_what_an_import_says() {
    let temp_dir = TempDir::new("compare");
    let cadence = Duration::from_secs(15);
    let dark = Record { cadence, hosts: 4, together: false, loss: 0.0 };
    let record = temp_dir.put("record.json", dark.text(&mut Rng::new(1)));
    let [journal, plan, state] =
        ["journal.jsonl", "plan.toml", "state"].map(|name| temp_dir.path(name));
    let (code, _, err) = done(lifesign(&["import", &record, "-o", &journal, "--plan", &plan]));
    assert_eq!((code, err.as_str()), (0, ""));
    let events = temp_dir.put(
        "events.csv",
        "begin,end,who,country,what\n\
         2026-11-25T19:07:00Z,2026-11-25T19:09:30Z,A paper,XX,cut\n\
         2026-11-25T19:07:35Z,,Another,,\n\
         2026-11-25T19:07:00Z,2026-11-25T19:09:30Z,Elsewhere,TO,\n\
         2026-11-24T19:07:00Z,2026-11-24T19:09:30Z,Before,XX,\n\
         2026-11-26T19:07:00Z,2026-11-26T19:09:30Z,After,XX,\n",
    );
    let compare = ["compare", &journal, "--config", &plan, "--events", &events];
    let (code, of_journal, err) = done(lifesign(&compare));
    assert_eq!((code, err.as_str()), (0, "no such country in the record: TO; there are XX"));
    let lines: Vec<&str> = of_journal.lines().collect();
    assert!(of_journal.starts_with("times in UTC; theirs begins or ends by so much before or "));
    let (before, lines) = lines[2..].split_at(2);
    assert_eq!(before[0], "XX nothing of ours, for we did not see it then", "{of_journal}");
    assert_eq!(
        lines[..2],
        [
            "TO nothing of ours, for the record has no such country",
            "  Elsewhere from 2026-11-25 19:07:00 to 2026-11-25 19:09:30"
        ]
    );
    assert!(lines[2].starts_with("XX outage from 2026-11-25 19:07:"), "{of_journal}");
    let [paper, another] = [lines[3], lines[4]];
    let [.., not_yet, _] = lines else { panic!("{of_journal}") };
    assert_eq!(*not_yet, "XX nothing of ours, for we did not see it then", "{of_journal}");
    assert!(paper.contains("A paper from 2026-11-25 19:07:00 to 2026-11-25 19:09:30: cut; begins"));
    assert!(paper.ends_with(" later") && paper.contains(" earlier, ends "), "{paper}");
    assert!(
        another.contains("Another from 2026-11-25 19:07:35, no end told; begins "),
        "{another}"
    );

    let replay = ["replay", &journal, "--config", &plan, "--state-dir", &state];
    assert_eq!(done(lifesign(&replay)).0, 0);
    let of_store = ["compare", &state, "--events", &events, "--country", "XX", "--json"];
    let (code, out, err) = done(lifesign(&of_store));
    let left_out = "events of other countries than XX, left out: 1";
    assert_eq!((code, err.as_str()), (0, left_out));
    let small = temp_dir.put("small.csv", fs::read_to_string(&events).unwrap().replace("XX", "xx"));
    for events in [&events, &small] {
        let in_small = ["compare", &state, "--events", events, "--country", "xx", "--json"];
        assert_eq!(done(lifesign(&in_small)), (0, out.clone(), left_out.into()), "{events}");
    }
    let nosuch = ["compare", "nosuch", "--events", &events];
    let (code, _, err) = done(lifesign(&nosuch));
    assert!(code == 65 && err.starts_with("nosuch: ") && !err.contains("plan"), "{code}: {err}");
    let [before, told, after] = out.lines().collect::<Vec<_>>()[..] else { panic!("{out}") };
    for alone in [before, after] {
        assert!(alone.contains(r#""phase":null"#) && alone.contains(r#""unseen_seconds":150.0"#));
    }
    let told: serde_json::Value = serde_json::from_str(told).unwrap();
    assert_eq!((&told["country"], &told["phase"]), (&"XX".into(), &"outage".into()));
    let whose: Vec<_> =
        told["statements"].as_array().unwrap().iter().map(|one| &one["who"]).collect();
    assert_eq!(whose, ["A paper", "Another"]);
    assert!(told["statements"][0]["begin_difference_seconds"].as_f64().unwrap() < 0.0);

    let report = ["report", "XX", "--state-dir", &state, "--since", "1h", "--events", &events];
    let (code, page, err) = done(lifesign(&report));
    assert_eq!((code, err.as_str()), (0, left_out));
    assert!(page.contains("What others said") && page.contains("<span>A paper</span>"));
    let recorded = "record.json: samples of Prometheus; hosts asked every 15 s";
    assert_eq!(page.matches(recorded).count(), 2, "{page}");
    assert!(page.contains(", seen from another prober.") && !page.contains("but played"), "{page}");
    assert!(!page.contains("Elsewhere"), "of another country");

    let wrong = temp_dir.put("wrong.csv", "begin,end,who\nlately,,x\n");
    let (code, _, err) = done(lifesign(&["compare", &state, "--events", &wrong]));
    assert!(code == 65 && err.contains("wrong.csv:2:1: \"lately\" is no time"), "{code}: {err}");
}

/// The code, standard error, and whether a journal was written.
fn imported(test: &str, name: &str, values: &str) -> (i32, String, bool) {
    let temp_dir = TempDir::new(test);
    let record = temp_dir.put(
        "record.json",
        format!(
            r#"{{"status":"success","data":{{"resultType":"matrix","result":[
            {{"metric":{{"__name__":"{name}","instance":"127.45.176.1"}},"values":[{values}]}}]}}}}"#
        ),
    );
    let journal = temp_dir.path("journal.jsonl");
    let (code, _, err) = done(lifesign(&["import", &record, "--output", &journal]));
    (code, err, std::path::Path::new(&journal).exists())
}

#[test]
fn what_is_neither_success_nor_failure_is_told_and_left_out() {
    let values = r#"[1795633778.369,"1"],[1795633793.369,"+Inf"],[1795633808.371,"2"]"#;
    let (code, err, is_there) = imported("import-odd", "probe_success", values);
    assert_eq!((code, is_there), (0, true));
    assert!(err.contains("probe_success is 0 or 1, and not inf; left out"), "{err}");
    assert!(err.contains("not 2; left out"), "{err}");
}

#[test]
fn a_record_without_outcomes_makes_no_journal() {
    let values = r#"[1795633778.369,"57"],[1795633793.371,"57"]"#;
    let (code, err, is_there) = imported("import-none", "probe_icmp_reply_hop_limit", values);
    assert_eq!((code, is_there), (65, false));
    let wanted =
        "/record.json: nothing in it says whether a host answered; give probe_success, or ";
    assert!(err.starts_with('/') && err.contains(wanted), "{err}");
}

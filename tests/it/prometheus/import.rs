//! What a real blackbox_exporter and Prometheus recorded of real outages, imported and judged,
//! beside the lifesign that watched the same hosts.
//!
//! `LIFESIGN_IMPORT=long` takes ten outages of 20 s to 10 min, at one scrape in 15 s, and so three
//! quarters of an hour; without it, it takes two minutes.

use crate::support::{
    LIFESIGN, Program, TIMEOUT, done,
    namespace::{World, plan},
    prometheus::Prometheus,
    quiet,
    verdict::Verdict,
    watched_world::{EVERYTHING, WatchedWorld},
};
use lifesign_core::time::Time;
use std::{fmt::Write as _, time::Duration};

/// Seconds between two scrapes, and how long each outage is.
const SHORT: (u64, &[u64]) = (5, &[15, 30]);
const LONG: (u64, &[u64]) = (15, &[20, 30, 45, 75, 90, 120, 180, 300, 420, 600]);

const MODULES: &str = "modules: {ping: {prober: icmp}}\n";

/// Two hosts of each block, scraped by way of blackbox_exporter.
fn settings(scrape: u64) -> String {
    let mut hosts = String::new();
    for block in 176..180 {
        let _ = write!(hosts, "10.45.{block}.15, 10.45.{block}.67, ");
    }
    format!(
        "global: {{scrape_interval: {scrape}s, scrape_timeout: {}s}}\n\
         scrape_configs:\n  - job_name: ping\n    metrics_path: /probe\n    \
         params: {{module: [ping]}}\n    static_configs: [{{targets: [{hosts}]}}]\n    \
         relabel_configs:\n      \
         - {{source_labels: [__address__], target_label: __param_target}}\n      \
         - {{source_labels: [__param_target], target_label: instance}}\n      \
         - {{target_label: __address__, replacement: '127.0.0.1:9115'}}\n",
        scrape.min(10)
    )
}

/// When it was done, and when that was over.
type Moment = (Time, Time);

/// From when to when the country was dark, in verdicts on it.
fn stretches(verdicts: &[Verdict]) -> Vec<(&Verdict, Option<&Verdict>)> {
    // Ten outages in an hour are flapping, in which a long one is an outage all the same.
    let is_dark = |state: &str| ["down", "outage"].contains(&state);
    let mut found = Vec::new();
    for verdict in verdicts.iter().filter(|verdict| !verdict.scope.contains(' ')) {
        match (is_dark(&verdict.from), is_dark(&verdict.to)) {
            (false, true) => found.push((verdict, None)),
            (true, false) => found.last_mut().into_iter().for_each(|last| last.1 = Some(verdict)),
            _ => {}
        }
    }
    found
}

#[test]
#[ignore = "needs root, prometheus and prometheus-blackbox-exporter; run by tests/run"]
fn what_blackbox_exporter_recorded_of_outages_is_judged_as_they_were() {
    let is_long = std::env::var("LIFESIGN_IMPORT").is_ok_and(|value| value == "long");
    let (scrape, lengths) = if is_long { LONG } else { SHORT };
    let every = Duration::from_secs(scrape);
    let mut watched = WatchedWorld::open("import-live", &plan("60s"), &[], &[], |_| {});
    watched.all("up");
    let modules = watched.temp_dir.put("modules.yml", MODULES);
    let config = format!("--config.file={modules}");
    let listen = "--web.listen-address=127.0.0.1:9115";
    let mut exporter = Program::start(quiet(
        watched.world.vantage.command(&["prometheus-blackbox-exporter"]),
        &[&config, listen],
    ));
    exporter.error_line(TIMEOUT, "blackbox_exporter ready", |line| {
        line.contains("Listening on").then_some(())
    });
    let config = watched.temp_dir.put("prometheus.yml", settings(scrape));
    let data = watched.temp_dir.path("data");
    let server = Prometheus::start(Some(&watched.world.vantage), &config, &data);
    watched.program.listen(every * 6);
    let mut truth: Vec<(Moment, Moment)> = Vec::new();
    for &seconds in lengths {
        let cut = watched.at(|world| world.cut(EVERYTHING, "drop"));
        watched.program.listen(Duration::from_secs(seconds));
        let mended = watched.at(World::mend);
        truth.push((cut, mended));
        watched.program.listen(every * 4);
    }

    let url = format!("http://{}", server.address());
    let [journal, imported] =
        ["journal.jsonl", "imported.toml"].map(|name| watched.temp_dir.path(name));
    let import = [LIFESIGN, "import", "--prometheus", &url, "--since", "1d", "-o", &journal];
    let import = [&import[..], &["--plan", &imported]].concat();
    let (code, out, err) = done(watched.world.vantage.command(&import));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    println!("{out}");
    let begin = watched.program.now();
    let replay = [LIFESIGN, "replay", &journal, "--config", &imported];
    let (code, out, err) = done(watched.world.vantage.command(&replay));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    println!("the replay took {:.3} s", watched.program.now().since(begin).as_secs_f64());
    let verdicts: Vec<_> = out.lines().filter_map(Verdict::read).collect();
    let theirs = stretches(&verdicts);
    let own_verdicts = watched.program.verdicts();
    let own = stretches(&own_verdicts);

    let mut missed = Vec::new();
    for (&seconds, &(cut, mended)) in lengths.iter().zip(&truth) {
        let of = |found: &[(&Verdict, Option<&Verdict>)]| {
            let overlaps = |(begin, end): &&(&Verdict, Option<&Verdict>)| {
                begin.latest < mended.1 + every && end.is_none_or(|end| end.latest > cut.0)
            };
            let overlapping: Vec<_> = found.iter().filter(overlaps).collect();
            let told = overlapping.first().map(|(begin, end)| {
                let is_true = begin.covers(cut.0, cut.1)
                    && end.is_some_and(|end| end.covers(mended.0, mended.1));
                let width = |verdict: &Verdict| {
                    verdict.earliest.map_or(f64::NAN, |earliest| {
                        verdict.latest.since(earliest).as_secs_f64()
                    })
                };
                let text = format!(
                    "told after {:.1} s, edges {:.1} s and {:.1} s wide, the truth in both: {is_true}",
                    begin.time.since(cut.1).as_secs_f64(),
                    width(begin),
                    end.map_or(f64::NAN, width)
                );
                (is_true, text)
            });
            (overlapping.len(), told)
        };
        let (count, told) = of(&theirs);
        let is_right = count == 1 && told.as_ref().is_some_and(|(is_true, _)| *is_true);
        let text = |told: Option<(bool, String)>| told.map_or("not told".into(), |(_, text)| text);
        println!("{seconds} s: imported {}; lifesign {}", text(told), text(of(&own).1));
        if seconds >= 2 * scrape && !is_right {
            missed.push(seconds);
        }
    }
    let wrong = theirs.len().saturating_sub(lengths.len());
    assert!(missed.is_empty() && wrong == 0, "{missed:?}, {wrong} too many:\n{out}");
}

//! Probes that were counted, of which nobody knows the order.

use super::*;
use lifesign_core::{rng::Rng, time::Time};
use std::time::Duration;

/// Samples of smokeping_prober: when, how many were sent, and how many answered.
fn smokeping(samples: &[(u64, u64, u64)]) -> String {
    smokeping_at("a:9374", samples)
}

/// The same of the prober whose metrics Prometheus reads there.
fn smokeping_at(instance: &str, samples: &[(u64, u64, u64)]) -> String {
    smokeping_of("www.example.net", instance, samples)
}

fn smokeping_of(host: &str, instance: &str, samples: &[(u64, u64, u64)]) -> String {
    let series = |name: &str, value: &dyn Fn(&(u64, u64, u64)) -> u64| {
        let values: Vec<_> = samples
            .iter()
            .map(|sample| format!("[{}.5,\"{}\"]", 1_795_633_800 + sample.0, value(sample)))
            .collect();
        format!(
            r#"{{"metric":{{"__name__":"{name}","instance":"{instance}","job":"smokeping","host":"{host}","ip":"203.0.113.8","source":""}},"values":[{}]}}"#,
            values.join(",")
        )
    };
    format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{},{}]}}}}"#,
        series("smokeping_requests_total", &|sample| sample.1),
        series("smokeping_response_duration_seconds_count", &|sample| sample.2),
    )
}

fn counts(imported: &Imported) -> (u64, u64) {
    (imported.summary.outcomes, imported.summary.missed)
}

#[test]
fn counted_probes_are_spread_over_the_time_in_which_they_were_counted() {
    let imported = import(&[&smokeping(&[(0, 100, 98), (4, 104, 102), (8, 108, 102)])]);
    assert_eq!(counts(&imported), (8, 4));
    assert!(imported.summary.is_inexact);
    let lines = short(&imported);
    assert_eq!(lines[0], "19:10:01Z 203.0.113.8 icmp reply 0");
    assert_eq!(lines[3], "19:10:03.5Z 203.0.113.8 icmp reply 0");
    assert_eq!(lines[4], "19:10:05.5Z 203.0.113.8 icmp overdue");
    assert_eq!(lines[7], "19:10:08Z 203.0.113.8 icmp overdue");
}

#[test]
fn a_probe_on_its_way_is_not_lost() {
    let samples: Vec<_> =
        (0..10).map(|n| (15 * n, 15 * n, 15 * n - u64::from(n % 2 == 1))).collect();
    assert_eq!(counts(&import(&[&smokeping(&samples)])), (135, 1), "the last is not known");
}

/// Nothing else waits for it, and what it had counted is no miss.
#[test]
fn a_counter_that_stands_still_is_told_all_the_same() {
    let samples: Vec<_> = (0..200).map(|n| (15 * n, 15 * n.min(3), 15 * n.min(3))).collect();
    let imported = import(&[&smokeping(&samples)]);
    assert_eq!((counts(&imported), imported.summary.gaps), ((45, 0), 0));
}

/// It is no outage of a thousand probes.
#[test]
fn a_counter_that_rises_faster_than_anybody_asks_is_left_out() {
    for wrong in [(30, 9_000_000_000_000_000, 30), (30, 30, 9_000_000_000_000_000)] {
        let samples = [(0, 0, 0), (15, 15, 15), wrong, (45, 45, 45), (60, 60, 60), (75, 75, 75)];
        assert_eq!(counts(&import(&[&smokeping(&samples)])), (45, 0), "{wrong:?}");
    }
}

#[test]
fn what_a_reset_leaves_unknown_is_left_out() {
    let imported = import(&[&smokeping(&[(0, 90, 90), (15, 105, 105), (30, 4, 4), (45, 19, 15)])]);
    assert_eq!(counts(&imported), (30, 4));
}

#[test]
fn what_was_counted_while_nobody_read_it_is_left_out() {
    let samples = (0..20).map(|n| (15 * n, 15 * n, 15 * n));
    let later = [(900, 900, 300), (915, 915, 300), (930, 930, 315)];
    let samples: Vec<_> = samples.chain(later).collect();
    let imported = import(&[&smokeping(&samples)]);
    assert_eq!((counts(&imported), imported.summary.gaps), ((19 * 15 + 30, 15), 1));
}

#[test]
fn hostile_counters_make_no_flood() {
    let imported = import(&[&smokeping(&[(0, 0, 0), (15, 1 << 23, 1 << 22), (30, 1 << 23, 0)])]);
    assert_eq!(counts(&imported), (1000, 500));
}

#[test]
fn a_loss_that_rises_is_a_miss_and_of_one_that_stays_its_share_is() {
    for (values, wanted) in [
        (vec!["0", "0.2", "0.4", "1", "1", "0.8", "0.2", "0", "0"], vec![1, 2, 3, 4]),
        (["0.75"; 9].into(), vec![2, 3, 4, 6, 7, 8]),
        (["0.25"; 9].into(), vec![4, 8]),
        (["1"; 3].into(), vec![1, 2]),
    ] {
        assert_eq!(missed_of(&values), wanted, "{values:?}");
    }
}

/// The numbers of the samples that are taken for misses.
fn missed_of(values: &[&str]) -> Vec<usize> {
    let values: Vec<_> = (0..)
        .zip(values)
        .map(|(n, value)| format!("[{}.5,\"{value}\"]", 1_795_633_800 + 15 * n))
        .collect();
    let file = format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{"__name__":"ping_loss_ratio","target":"h","ip":"203.0.113.8","ip_version":"4"}},"values":[{}]}}]}}}}"#,
        values.join(",")
    );
    let told = short(&import(&[&file]));
    // The first says nothing of a probe of its own.
    (1..=told.len()).filter(|&sample| told[sample - 1].ends_with("overdue")).collect()
}

#[test]
fn two_probers_of_one_host_are_two_vantages() {
    let one = smokeping_at("a:9374", &[(0, 1000, 1000), (15, 1015, 1015), (30, 1030, 1030)]);
    let other = smokeping_at("b:9374", &[(7, 500, 500), (22, 515, 500), (37, 530, 500)]);
    let why = import_with(Options::default(), &[&one, &other]).err().expect("refused");
    assert!(why.contains("203.0.113.8 icmp was asked by host=www.example.net instance=a"), "{why}");
    assert!(why.contains("take one of them, such as --only instance=a:9374"), "{why}");
    let taken = import_with(only("instance=b:9374"), &[&other]).expect("one of them");
    assert_eq!(counts(&taken), (30, 30));
    let loss = |instance: &str, second: u64| {
        format!(
            r#"{{"metric":{{"__name__":"ping_loss_ratio","instance":"{instance}","target":"h","ip":"203.0.113.8"}},"values":[[{}.5,"0"],[{}.5,"1"]]}}"#,
            1_795_633_800 + second,
            1_795_633_815 + second
        )
    };
    let [one, other] = [("a:9427", 0), ("b:9427", 7)].map(|(name, second)| loss(name, second));
    let both = format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{one},{other}]}}}}"#
    );
    let why = refused(&both);
    assert!(why.contains("was asked by instance=a:9427 target=h and by instance=b:9427"), "{why}");
}

#[test]
fn a_prober_that_has_moved_is_joined() {
    let one = smokeping_at("a:9374", &[(0, 100, 100), (15, 115, 115), (30, 130, 130)]);
    let other = smokeping_at("b:9374", &[(45, 4, 4), (60, 19, 19)]);
    let imported = import(&[&one, &other]);
    assert_eq!(counts(&imported), (45, 0));
    let joined = imported.summary.joined;
    assert!(joined[0].contains(" and later by host=www.example.net instance=b:9374"), "{joined:?}");
}

/// It may have counted before: what is between its numbers and those of another says nothing.
#[test]
fn what_two_probers_counted_is_not_compared() {
    let one = smokeping_at("a:9374", &[(0, 100, 100), (15, 115, 115), (30, 130, 130)]);
    let other = smokeping_at("b:9374", &[(45, 500, 130), (60, 515, 145)]);
    assert_eq!(counts(&import(&[&one, &other])), (45, 0));
}

/// Each has counters of its own.
#[test]
fn two_names_of_one_host_are_not_counted_as_one() {
    let one = smokeping_of("www.example.net", "a:9374", &[(0, 90, 90), (15, 105, 105)]);
    let other = smokeping_of("ftp.example.net", "a:9374", &[(0, 9000, 90), (15, 9015, 105)]);
    let why = import_with(Options::default(), &[&one, &other]).err().expect("refused");
    assert!(why.contains("such as --only host=www.example.net"), "{why}");
}

/// Counters that are read no more must not be told when others are further on.
#[test]
fn a_journal_is_in_order_whatever_is_read_how_often() {
    let mut rng = Rng::new(7);
    let mut between = |low: u64, high: u64| low + rng.below((high - low) as usize) as u64;
    for _ in 0..200 {
        let mut lines = Vec::new();
        for host in 1..=between(2, 6) {
            let mut second = 1_795_633_770 + between(0, 100_000);
            let step = between(1, 20_000);
            for seq in 0..between(1, 40) {
                second += step + if between(0, 10) == 0 { between(0, 200_000) } else { 0 };
                lines.push(if host % 2 == 0 {
                    let rcv = between(0, 11);
                    format!(
                        r#"{{"intSum":{{"time":{second},"host":"203.0.113.{host}","xmt":10,"rcv":{rcv}}}}}"#
                    )
                } else {
                    format!(
                        r#"{{"resp":{{"timestamp":{second}.5,"host":"203.0.113.{host}","seq":{seq},"rtt":44.5}}}}"#
                    )
                });
            }
        }
        let lines = lines.join("\n");
        let imported = import(&[&lines]);
        let seen = |line: &String| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let time = |key: &str| line[key].as_str().map(|text| text.parse().expect("a time"));
            let rtt = Duration::from_secs_f64(line["rtt_ms"].as_f64().unwrap_or(0.0) / 1e3);
            let sent: Time = time("sent").expect("when it was sent");
            time("seen").unwrap_or(sent + rtt)
        };
        assert!(imported.lines.iter().map(seen).is_sorted(), "{lines}");
    }
}

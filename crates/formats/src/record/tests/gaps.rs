//! When nobody watched, and samples that nobody took.

use super::*;

/// Samples of hosts, each with its offset in milliseconds, at these steps of 15 s.
fn scraped(offsets: &[u64], steps: impl IntoIterator<Item = u64>) -> String {
    let steps: Vec<u64> = steps.into_iter().collect();
    let series = |(host, offset): (usize, &u64)| {
        let values: Vec<_> = steps
            .iter()
            .map(|step| {
                let millis = 1_795_633_770_000 + offset + step * 15_000;
                format!("[{}.{:03},\"1\"]", millis / 1000, millis % 1000)
            })
            .collect();
        format!(
            r#"{{"metric":{{"__name__":"probe_success","instance":"203.0.113.{}"}},"values":[{}]}}"#,
            host + 1,
            values.join(",")
        )
    };
    let all: Vec<_> = offsets.iter().enumerate().map(series).collect();
    format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}}"#,
        all.join(",")
    )
}

#[test]
fn a_time_without_any_sample_is_a_gap() {
    let steps = (0..40).chain(60..100);
    let imported = import(&[&scraped(&[3_456, 9_123], steps)]);
    let gaps: Vec<_> = imported.lines.iter().filter(|line| line.contains("gap")).collect();
    assert_eq!(
        gaps,
        [
            r#"{"sent":"2026-11-25T19:19:24.123Z","seen":"2026-11-25T19:24:33.456Z","probe":"watch","result":"gap"}"#
        ]
    );
}

#[test]
fn one_missing_scrape_or_one_host_that_is_watched_no_more_is_no_gap() {
    let steps = (0..100).filter(|step| step % 10 != 7);
    assert_eq!(import(&[&scraped(&[3_456], steps)]).summary.gaps, 0);
    let [short, long] = [0..20, 0..100].map(|steps| scraped(&[3_456], steps));
    let long = long.replace("113.1", "113.2");
    assert_eq!(import(&[&short, &long]).summary.gaps, 0);
}

#[test]
fn what_query_range_made_is_refused() {
    for made in [
        scraped(&[0], 0..40),
        scraped(&[0, 0], 0..40),
        scraped(&[3_456, 3_456, 3_456], 0..40),
        scraped(&[5_000, 5_000], (0..20).chain(24..40)),
        scraped(&[0], (0..1).chain(4..40)),
        scraped(&[0], (0..1).chain(3..4).chain(8..40)),
    ] {
        assert!(refused(&made).contains("made by query_range"), "{made}");
    }
    for (scraped, is_said) in [
        (scraped(&[3_456], 0..40), true),
        (scraped(&[3_500, 3_500], 0..40), true),
        (scraped(&[0], 0..40).replace(".000", ".001"), true),
        (scraped(&[0, 3_456], 0..40), false),
        (scraped(&[3_456, 3_457, 3_458], 0..40), false),
        (scraped(&[0], 0..5), false),
    ] {
        let imported = import(&[&scraped]);
        let said = [" all of it stands on one grid of times, as samples of so few targets may"];
        let is_of_it = |note: &String| note.starts_with(said[0]);
        assert_eq!(
            imported.notes.iter().filter(|note| is_of_it(note)).count(),
            usize::from(is_said)
        );
        assert_eq!((imported.notes.len(), imported.summary.missed), (usize::from(is_said), 0));
    }
}

/// Samples of one host: so many spans of so many seconds each, from an offset on.
fn spaced(labels: &str, begin: u64, spans: &[(u64, usize)]) -> String {
    let mut millis = 1_795_633_770_456 + begin * 1000;
    let mut values = vec![format!("[{}.456,\"1\"]", millis / 1000)];
    for &(seconds, count) in spans {
        for _ in 0..count {
            millis += seconds * 1000;
            values.push(format!("[{}.{:03},\"1\"]", millis / 1000, millis % 1000));
        }
    }
    format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{"__name__":"probe_success","instance":"203.0.113.8"{labels}}},"values":[{}]}}]}}}}"#,
        values.join(",")
    )
}

#[test]
fn a_cadence_that_changes_makes_no_gap_and_hides_none() {
    let changes = [(15, 2000), (300, 60), (60, 500)];
    assert_eq!(import(&[&spaced("", 0, &changes)]).summary.gaps, 0);
    let backwards = [(60, 500), (300, 60), (15, 2000)];
    assert_eq!(import(&[&spaced("", 0, &backwards)]).summary.gaps, 0);
    for (spans, gaps) in [
        (&[(15, 1000), (90, 1), (15, 1000), (300, 60), (60, 500)][..], 1),
        (&[(15, 2000), (3600, 1), (300, 60), (60, 500)], 1),
        (&[(15, 2000), (300, 30), (1200, 1), (300, 30), (60, 500)], 1),
        (&[(15, 2000), (300, 60), (3600, 1), (60, 250), (240, 1), (60, 250)], 2),
        (&[(15, 500), (600, 1), (15, 8), (1500, 1), (15, 500)], 2),
        // A time without samples that either of both cadences may have is none.
        (&[(15, 2000), (600, 1), (300, 60)], 0),
    ] {
        assert_eq!(import(&[&spaced("", 0, spans)]).summary.gaps, gaps, "{spans:?}");
    }
}

#[test]
fn files_in_any_order_have_the_same_cadence() {
    let slow = spaced("", 0, &[(300, 100)]);
    let fast = spaced("", 30_015, &[(15, 500)]);
    let [forwards, backwards] = [[&slow, &fast], [&fast, &slow]].map(|files| {
        let imported = import(&files.map(String::as_str));
        (imported.lines, imported.summary.gaps)
    });
    assert_eq!(forwards, backwards);
    assert_eq!(forwards.1, 0);
}

#[test]
fn what_is_given_twice_is_counted_once_and_that_is_said() {
    let record = spaced("", 0, &[(15, 40)]);
    let once = import(&[&record]);
    let twice = import(&[&record, &record]);
    assert_eq!(twice.lines, once.lines);
    assert_eq!((once.summary.repeated, twice.summary.repeated), (0, once.summary.outcomes));
}

#[test]
fn series_of_one_target_that_follow_each_other_are_joined() {
    let of_pod = |labels: &str, begin| spaced(labels, begin, &[(15, 40)]);
    for (one, other, begin, is_joined) in [
        (r#","job":"ping","pod":"a""#, r#","job":"ping","pod":"b""#, 615, true),
        (r#","job":"ping","pod":"b""#, r#","job":"ping","pod":"a""#, 615, true),
        (r#","job":"ping","pod":"a""#, r#","job":"ping","pod":"b""#, 585, false),
        (r#","job":"ping""#, r#","job":"other""#, 615, false),
        (r#","pod":"a""#, r#","job":"ping""#, 615, false),
    ] {
        let files = [of_pod(one, 0), of_pod(other, begin)];
        for order in [[0, 1], [1, 0]] {
            let files = order.map(|file| files[file].as_str());
            match import_with(Options::default(), &files) {
                Ok(imported) => {
                    assert!(is_joined, "{one} {other} {begin}");
                    assert_eq!((imported.summary.gaps, imported.summary.targets), (0, 1));
                    let joined = imported.summary.joined;
                    assert!(joined[0].contains("and later by job=ping pod="), "{joined:?}");
                }
                Err(why) => {
                    assert!(!is_joined && why.contains("was asked by"), "{one} {other}: {why}");
                }
            }
        }
    }
    assert_eq!(import(&[&of_pod("", 0)]).summary.joined, [""; 0]);
}

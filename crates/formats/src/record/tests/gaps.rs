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
    ] {
        assert!(refused(&made).contains("made by query_range"), "{made}");
    }
    for scraped in [
        scraped(&[3_456], 0..40),
        scraped(&[0, 3_456], 0..40),
        scraped(&[3_456, 3_457, 3_458], 0..40),
        scraped(&[0], 0..5),
    ] {
        assert_eq!(import(&[&scraped]).summary.missed, 0);
    }
}

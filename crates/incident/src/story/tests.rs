//! The sentences of incidents that a country may have.

use super::*;
use crate::fixtures::at;

fn phase(kind: PhaseKind, begin: u64, length: u64, darknesses: u32) -> Phase {
    let edge = |second: u64| Edge {
        earliest: Some(at(second) - Duration::from_secs(2)),
        latest: at(second) + Duration::from_secs(2),
    };
    Phase {
        is_left: false,
        kind,
        begin: edge(begin),
        end: Some(edge(begin + length)),
        darknesses,
        dark: Duration::from_secs(length.min(u64::from(darknesses) * 60)),
        unseen: Duration::ZERO,
    }
}

#[test]
fn all_that_happened_is_in_the_sentence() {
    use PhaseKind::{Down, Outage, Unstable};
    let hour = 3600;
    let told = |phases: &[Phase]| {
        let incident = Incident {
            scope: "XA".into(),
            country: "XA".into(),
            phases: phases.to_vec(),
            is_over: true,
        };
        sentence("XA", &incident, at(90 * hour))
    };
    let unstable = |begin, length| phase(Unstable, begin, length, 20);
    let nights = [
        unstable(0, hour),
        unstable(3 * hour, 2 * hour),
        unstable(6 * hour, hour),
        phase(Outage, 12 * hour, 1800, 1),
        unstable(13 * hour, hour),
    ];
    assert_eq!(
        told(&nights),
        "XA was unstable from 22 Dec 2014 19:15 to 21:15 UTC (2 h, dark 20 times, 17 % of it), \
         then unreachable from 23 Dec 04:15 for 30 min ± 4 s, until 04:45 UTC, and again 20 \
         times, for 20 min in all on the same day; before that it was dark 40 times \
         more, for 40 min in all, since 22 Dec 16:15 UTC"
    );
    let once = [phase(Outage, 0, 1800, 1), phase(Down, hour, 30, 1)];
    assert_eq!(
        told(&once),
        "XA was unreachable from 22 Dec 2014 16:15 for 30 min ± 4 s, until 16:45 UTC, and again \
         for 30 s on the same day"
    );
    let open = Phase { end: None, ..unstable(2 * hour, 0) };
    let still = [phase(Outage, 0, 1800, 1), open];
    assert!(told(&still).ends_with("; it is still unstable"), "{}", told(&still));
    let mut before = phase(Outage, 0, 1800, 1);
    before.begin.earliest = None;
    let told_before = "XA was unreachable from before 22 Dec 2014 16:15 for over 30 min, until \
                       16:45 UTC";
    assert_eq!(told(&[before]), told_before);
    let short = [phase(Outage, 70, 90, 1)];
    assert_eq!(
        told(&short),
        "XA was unreachable from 22 Dec 2014 16:16:10 for 1 min 30 s ± 4 s, until 16:17:40 UTC"
    );
}

#[test]
fn a_time_is_the_same_wherever_it_is_told() {
    let time = at(0) - Duration::from_millis(300);
    let now = at(7200);
    assert_eq!(time_text(time), "2014-12-22 16:15:00");
    assert_eq!(minute_text(time, None), "22 Dec 2014 16:15");
    assert_eq!(moment_text(time, now, None), "16:15");
    assert_eq!(moment_text(time, at(60), None), "16:15:00");
    let zone = TimeZone::named("Asia/Pyongyang").unwrap();
    assert_eq!(moment_text(time, at(86_400), Some(&zone)), "23 Dec 01:15");
    assert_eq!(time_text_in(time, Some(&zone)), "2014-12-23 01:15:00");
    let seen = Edge { earliest: Some(time - Duration::from_millis(3400)), latest: time };
    assert_eq!(edge_text(seen), "2014-12-22 16:14:58 ± 2 s");
    assert_eq!(length_text(seen, None, at(60)), "1 min 2 s ± 2 s so far");
    assert_eq!(age_text(seen, at(60)), "1 min 2 s");
    let wide = Edge { earliest: Some(at(0)), latest: at(80) };
    assert_eq!(uncertainty_text(wide), " ± 40 s");
    assert_eq!(age_text(wide, at(300)), "4 min 20 s ± 40 s");
    let unseen = Edge { earliest: None, latest: time };
    assert_eq!(age_text(unseen, now), "over 2 h");
    assert_eq!(edge_text(unseen), "before 2014-12-22 16:15:00");
    assert_eq!(begin_text(unseen, None, IN_MINUTES), "before 22 Dec 2014 16:15");
    assert_eq!(length_text(unseen, Some(seen), now), "over 0 s");
}

#[test]
fn no_round_trip_time_is_called_zero() {
    for (seconds, text) in [
        (0.000_031_4, "0.031 ms"),
        (0.000_46, "0.46 ms"),
        (0.003_14, "3.1 ms"),
        (0.014, "14 ms"),
        (1.234, "1234 ms"),
    ] {
        assert_eq!(milliseconds(seconds), text);
    }
}

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
        dark: Duration::from_secs(match kind {
            PhaseKind::Unstable => length.min(u64::from(darknesses) * 60),
            PhaseKind::Up | PhaseKind::Down | PhaseKind::Outage => length,
        }),
        unseen: Duration::ZERO,
        dark_unseen: Duration::ZERO,
    }
}

/// An incident of XA that is over.
fn over(phases: &[Phase]) -> Incident {
    Incident {
        scope: "XA".into(),
        country: "XA".into(),
        phases: phases.to_vec(),
        is_over: true,
        well_at: None,
    }
}

#[test]
fn all_that_happened_is_in_the_sentence() {
    use PhaseKind::{Down, Outage, Unstable};
    let hour = 3600;
    let told = |phases: &[Phase]| sentence("XA", &over(phases), at(90 * hour));
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
        "XA was unstable from 22 Dec 2014 16:15 to 17:15 UTC (1 h, dark 20 times, 33 % of it), \
         then unstable from 19:15 to 21:15 UTC (2 h, dark 20 times, 17 % of it), \
         then unstable from 22:15 to 23:15 UTC (1 h, dark 20 times, 33 % of it), \
         then unreachable from 23 Dec 04:15:00 for 30 min ± 4 s, until 04:45:00 UTC, and again 20 \
         times, for 20 min in all on the same day"
    );
    let mut wide = unstable(0, hour);
    wide.begin.earliest = Some(at(0) - Duration::from_secs(598));
    assert_eq!(
        told(&[wide]),
        "XA was unstable from 22 Dec 2014 16:10 to 17:15 UTC (1 h 5 min ± 5 min 2 s, dark 20 times, \
         31 % of it)"
    );
    let once = [phase(Outage, 0, 1800, 1), phase(Down, hour, 30, 1)];
    assert_eq!(
        told(&once),
        "XA was unreachable from 22 Dec 2014 16:15:00 for 30 min ± 4 s, until 16:45:00 UTC, and again \
         for 30 s on the same day"
    );
    let open = Phase { end: None, ..unstable(2 * hour, 0) };
    let still = [phase(Outage, 0, 1800, 1), open];
    assert_eq!(
        told(&still),
        "XA was unreachable from 22 Dec 2014 16:15:00 for 30 min ± 4 s, until 16:45:00 UTC, then has \
         been unstable since 18:15 UTC (3 d 16 h so far, dark 20 times, 0.0 % of it)"
    );
    let open = Phase { end: None, ..phase(Down, 90 * hour - 30, 0, 1) };
    let still = [phase(Outage, 0, 1800, 1), open];
    assert!(told(&still).ends_with("; it is still unreachable"), "{}", told(&still));
    let mut before = phase(Outage, 0, 1800, 1);
    before.begin.earliest = None;
    let told_before = "XA was unreachable from before 22 Dec 2014 16:15:02 for over 29 min 58 s, \
                       until 16:45:00 UTC";
    assert_eq!(told(&[before]), told_before);
    let short = [phase(Outage, 70, 90, 1)];
    assert_eq!(
        told(&short),
        "XA was unreachable from 22 Dec 2014 16:16:10 for 1 min 30 s ± 4 s, until 16:17:40 UTC"
    );
}

/// What was dark for longest leads, whatever it is called.
#[test]
fn a_minute_of_outage_hides_no_day_of_flapping() {
    use PhaseKind::{Outage, Unstable};
    let hour = 3600;
    let flapping = |begin: u64, hours: u64, darknesses: u32| {
        let dark = Duration::from_secs(240) * darknesses;
        Phase { dark, ..phase(Unstable, begin * hour, hours * hour, darknesses) }
    };
    let story = |phases: &[Phase]| {
        let incident = over(phases);
        let now = at(40 * hour);
        (sentence("XA", &incident, now), in_short(&incident, now))
    };
    let minute = |begin: u64| phase(Outage, begin, 66, 1);
    let open = Phase { end: None, ..flapping(26, 0, 84) };
    assert_eq!(
        story(&[minute(23 * hour), open]).0,
        "XA has been unstable since 23 Dec 2014 18:15 UTC (14 h so far, dark 84 times, 40 % of \
         it); before that it was unreachable from 15:15:00 for 1 min 6 s ± 4 s, until 15:16:06 UTC"
    );
    let after = [minute(3 * hour), flapping(6, 25, 108), minute(34 * hour)];
    assert_eq!(
        story(&after).0,
        "XA was unstable from 22 Dec 2014 22:15 to 23 Dec 23:15 UTC (25 h, dark 108 times, 29 % \
         of it), and unreachable for 1 min 6 s, until 24 Dec 02:16 UTC; before that it was \
         unreachable from 22 Dec 19:15:00 for 1 min 6 s ± 4 s, until 19:16:06 UTC"
    );
    let often = [0, 2, 4, 6].map(|hours| minute(hours * hour));
    let (sentence, in_short) = story(&[&often[..], &[flapping(10, 10, 12)]].concat());
    assert_eq!(
        sentence,
        "XA was unstable from 23 Dec 2014 02:15 to 12:15 UTC (10 h, dark 12 times, 8.0 % of it); \
         before that it was dark 4 times, for 4 min 24 s in all, since 22 Dec 16:15:00 UTC"
    );
    assert_eq!(in_short, "unstable for 10 h (dark 12 times); 4 times of trouble beside that");
    // It was dark for less than in the outage, but it was unstable for long.
    let outage = phase(Outage, 0, 9 * hour, 1);
    let then = [outage, flapping(10, 10, 12), minute(21 * hour), minute(22 * hour)];
    assert_eq!(
        story(&then).0,
        "XA was unreachable from 22 Dec 2014 16:15 for 9 h ± 4 s, until 23 Dec 01:15 UTC, then \
         unstable from 02:15 to 12:15 UTC (10 h, dark 12 times, 8.0 % of it), and unreachable for \
         1 min 6 s and 1 min 6 s on the same day"
    );
}

/// A time without a date is of the day that was told last, as that was told.
#[test]
fn a_date_is_left_out_only_where_the_last_one_is_its_own() {
    use PhaseKind::{Down, Outage};
    let hour = 3600;
    let told = |phases: &[Phase]| sentence("XA", &over(phases), at(90 * hour));
    let relapse = phase(Outage, 14 * hour, 2100, 1);
    let three = [phase(Down, 0, 300, 1), phase(Outage, 2 * hour, 2 * hour, 1), relapse.clone()];
    assert_eq!(
        told(&three),
        "XA was unreachable from 22 Dec 2014 18:15 for 2 h ± 4 s, until 20:15 UTC, and again for \
         35 min, until 23 Dec 06:50 UTC; before that it was unreachable from 22 Dec 16:15:00 for \
         5 min ± 4 s, until 16:20:00 UTC"
    );
    let more = [phase(Down, 0, 60, 1), three[0].clone(), three[1].clone(), relapse];
    assert!(told(&more).ends_with("since 22 Dec 16:15:00 UTC"), "{}", told(&more));
    // 7 h 45 min after 16:15 is midnight.
    let midnight = 7 * hour + 2700;
    let late = |then: Phase| told(&[phase(Outage, midnight - 1815, 1800, 1), then]);
    let begin = "XA was unreachable from 22 Dec 2014 23:29:45 for 30 min ± 4 s, until 23:59:45 UTC";
    assert_eq!(
        late(phase(Outage, midnight + 600, 1200, 1)),
        format!("{begin}, and again for 20 min, until 23 Dec 00:30 UTC")
    );
    assert_eq!(
        late(phase(Outage, midnight + 600, 2 * hour, 1)),
        format!("{begin}, then unreachable from 23 Dec 00:10 for 2 h ± 4 s, until 02:10 UTC")
    );
    // What is told to the minute is of the day that it is rounded to.
    let long = phase(Outage, midnight - 15 - 2 * hour, 2 * hour, 1);
    assert_eq!(
        told(&[long, phase(Outage, midnight + 600, 1200, 1)]),
        "XA was unreachable from 22 Dec 2014 22:00 for 2 h ± 4 s, until 23 Dec 00:00 UTC, and \
         again for 20 min on the same day"
    );
}

#[test]
fn a_time_is_the_same_wherever_it_is_told() {
    let time = at(0) - Duration::from_millis(300);
    let now = at(7200);
    assert_eq!(time_text(time), "2014-12-22 16:15:00");
    assert_eq!(minute_text(time, None), "22 Dec 2014 16:15");
    assert_eq!(moment_text(time, now, None, false), "16:15");
    assert_eq!(moment_text(time, at(60), None, false), "16:15:00");
    let zone = TimeZone::named("Asia/Pyongyang").unwrap();
    assert_eq!(moment_text(time, at(86_400), Some(&zone), false), "23 Dec 01:15");
    assert_eq!(moment_text(time, now, None, true), "22 Dec 16:15");
    let of_today = |now| (is_today(time, now, None), is_today(time, now, Some(&zone)));
    assert_eq!((of_today(now), of_today(at(43_200))), ((true, true), (false, true)));
    assert_eq!(time_text_in(time, Some(&zone)), "2014-12-23 01:15:00");
    let seen = Edge { earliest: Some(time - Duration::from_millis(3400)), latest: time };
    assert_eq!(edge_text(seen), "2014-12-22 16:14:58 ± 2 s");
    assert_eq!(length_text(Span { begin: seen, end: None }, at(60)), "1 min 2 s ± 2 s so far");
    assert_eq!(age_text(seen, at(60)), "1 min 2 s");
    let wide = Edge { earliest: Some(at(0)), latest: at(80) };
    assert_eq!(uncertainty_text(wide), " ± 40 s");
    assert_eq!(age_text(wide, at(300)), "4 min 20 s ± 40 s");
    let unseen = Edge { earliest: None, latest: time };
    assert_eq!(age_text(unseen, now), "over 2 h");
    assert_eq!(edge_text(unseen), "before 2014-12-22 16:15:00");
    assert_eq!(begin_text(unseen, None, NEAR), "before 22 Dec 2014 16:15");
    assert_eq!(length_text(Span { begin: unseen, end: Some(seen) }, now), "over 0 s");
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

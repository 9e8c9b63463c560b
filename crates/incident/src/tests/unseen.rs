//! Stories of what nobody could see in part.

use super::*;

/// What was unknown of the country.
fn unknown(begin: f64, end: Option<f64>) -> Episode {
    let edge = |minute| Edge::at(at(minute));
    Episode { begin: edge(begin), end: end.map(edge), ..episode("KP", State::Unknown, begin, None) }
}

/// Nobody saw whether it was well.
#[test]
fn what_nobody_saw_is_no_day_of_being_well() {
    let hours = |hours: f64| hours * 60.0;
    let told = |episodes: &[Episode], unwatched: &[(f64, f64)], now: f64| {
        let unwatched: Vec<Period> =
            unwatched.iter().map(|&(from, to)| (at(from), at(to))).collect();
        let incidents = fold(episodes, &unwatched, at(now));
        let told = incidents.into_iter().map(|incident| {
            let up = incident.phases.iter().filter(|phase| !phase.is_bad());
            let unseen: Duration = up.map(|phase| phase.unseen).sum();
            let minutes = |time: Time| time.since(at(0.0)).as_secs() / 60;
            let over = [incident.over_at(), incident.was_over_at()].map(|time| time.map(minutes));
            (incident.phases.len(), unseen.as_secs() / 60, over[0], over[1])
        });
        told.collect::<Vec<_>>()
    };
    // Ten minutes dark, 50 well, and then blind for 30 h.
    let outage = dark(0.0, 10.0);
    let blind = unknown(60.0, Some(60.0 + hours(30.0)));
    let over = 10 + 24 * 60 + 30 * 60;
    let both = [outage.clone(), blind.clone()];
    let is_open =
        |now: f64, unseen| assert_eq!(told(&both, &[], now), [(2, unseen, Some(over), None)]);
    is_open(hours(40.0), 30 * 60);
    is_open(hours(54.0), 30 * 60);
    assert_eq!(told(&both, &[], hours(54.2)), [(1, 0, None, Some(over))]);
    // While it is blind, that goes on.
    let still = [outage.clone(), unknown(60.0, None)];
    let now = 60.0 + hours(30.0);
    assert_eq!(told(&still, &[], now), [(2, 30 * 60, Some(over), None)]);
    // Nobody watched for days, in the midst of which nobody could see either.
    let gap = [(60.0, 60.0 + hours(40.0))];
    let later = over + 10 * 60;
    assert_eq!(told(&both, &gap, hours(50.0)), [(2, 40 * 60, Some(later), None)]);
    // It goes dark again, of which the blind time is none.
    let again = [outage.clone(), blind.clone(), dark(hours(50.0), hours(50.0) + 5.0)];
    assert_eq!(told(&again, &[], hours(100.0))[0].1, 30 * 60);
    assert_eq!(told(&again, &[], hours(100.0)).len(), 1);
    let apart = [outage, blind, dark(hours(56.0), hours(56.0) + 5.0)];
    assert_eq!(told(&apart, &[], hours(100.0)).len(), 2);
    // What was unknown of the country was so of a block.
    let block = Episode { scope: "10.0.0.0/24".into(), ..dark(0.0, 10.0) };
    assert_eq!(told(&[block, both[1].clone()], &[], hours(40.0))[0].1, 30 * 60);
}

/// As its edges are told in the end, whatever they were when it ended.
#[test]
fn what_was_not_seen_of_a_darkness_is_all_between_its_edges() {
    let outage = |end: Edge| Episode {
        end: Some(end),
        unseen: Duration::from_secs(319 * 60),
        ..dark(0.0, 365.0)
    };
    let unseen = |end: Edge| {
        let incidents = fold(&[outage(end), unknown(2.0, Some(362.0))], &[], at(9000.0));
        incidents[0].phases[0].unseen.as_secs() / 60
    };
    assert_eq!(unseen(edge(365.0)), 360);
    // Of what nobody saw, no more than lies in what is told.
    assert_eq!(unseen(Edge { earliest: Some(at(345.0)), latest: at(365.0) }), 353);
}

/// Two hours of an outage, then no run for six days; and blind hours in a flapping.
#[test]
fn what_nobody_watched_of_a_darkness_is_told() {
    let day = 24.0 * 60.0;
    let gap = (at(120.0), at(6.0 * day + 120.0));
    let mut outage = dark(0.0, 120.0);
    outage.end = Some(Edge { earliest: Some(gap.0), latest: gap.1 });
    let told = |episodes: &[Episode], unwatched: &[Period]| {
        let phase = fold(episodes, unwatched, at(9.0 * day))[0].phases[0].clone();
        let minutes = |length: Duration| (length.as_secs() + 30) / 60;
        let share = (phase.dark_share(at(9.0 * day)) * 100.0).round();
        (phase.kind, minutes(phase.dark), minutes(phase.unseen), share)
    };
    let half = 3 * 24 * 60;
    assert_eq!(told(&[outage], &[gap]), (PhaseKind::Outage, 120 + half, half, 100.0));
    // Three minutes of every twelve; blind from one darkness to another three hours later.
    let flaps = (0..10_u32).map(|cycle| {
        let begin = f64::from(cycle) * 12.0 + if cycle > 5 { 180.0 } else { 0.0 };
        dark(begin, begin + if cycle == 5 { 183.0 } else { 3.0 })
    });
    let all: Vec<Episode> = flaps.chain([unknown(61.0, Some(241.0))]).collect();
    let seen: f64 = 9.0 * 12.0 + 3.0;
    let share = (30.0 / seen * 100.0).round();
    assert_eq!(told(&all, &[]), (PhaseKind::Unstable, 30 + 180, 180, share));
}

/// A darkness that ended while nobody saw it may have been as short as the others.
#[test]
fn what_nobody_saw_makes_no_darkness_long() {
    let blind = |seconds| {
        let mut third = dark(20.0, 85.0);
        third.unseen = Duration::from_secs(seconds);
        [dark(0.0, 5.0), dark(10.0, 15.0), third, dark(90.0, 95.0), dark(100.0, 105.0)]
    };
    assert_eq!(story(&blind(3600), 3000.0), ["KP: unstable 0-105 ×5"]);
    assert_eq!(story(&blind(0), 3000.0)[0].matches("outage 20-85").count(), 1);
    let mut wide = [dark(0.0, 2.0), dark(5.0, 7.0), dark(10.0, 30.0), dark(35.0, 37.0)];
    wide[2].end = Some(Edge { earliest: Some(at(12.0)), latest: at(30.0) });
    assert_eq!(story(&wide, 3000.0), ["KP: unstable 0-37 ×4"]);
}

/// Of a blind spell over the end, that part is not seen of it which lies before the end that is
/// told; and of an open one, all since then.
#[test]
fn what_nobody_saw_is_never_more_than_what_is_told() {
    let mut episode = episode("KP", State::Outage, 0.0, None);
    episode.paused = Some(at(30.0));
    assert_eq!(episode.unseen_by(at(90.0)), Duration::from_secs(3600));
    let open = &fold(&[episode.clone()], &[], at(90.0))[0].phases[0];
    assert_eq!(open.unseen, Duration::from_secs(3600));
    episode.close(Edge { earliest: Some(at(30.0)), latest: at(90.0) });
    assert_eq!(episode.unseen, Duration::from_secs(1800));
    episode.unseen = Duration::from_secs(9000);
    episode.paused = Some(at(80.0));
    episode.close(edge(90.0));
    assert_eq!(episode.unseen, episode.length(at(90.0)));
    let mut flaps = flapping(0.0, 100.0, 30, 30.0, (0.0, 100.0));
    flaps.unseen = Duration::from_secs(40 * 60);
    let incidents = fold(&[flaps, unknown(20.0, Some(60.0))], &[], at(3000.0));
    assert!((incidents[0].phases[0].dark_share(at(3000.0)) - 0.5).abs() < 0.01);
}

/// Two outages of 70 min with 8 blind minutes each, and darknesses half an hour after them, of
/// which all was seen. The judge dates their flapping from the first outage.
#[test]
fn what_nobody_saw_of_an_outage_is_none_of_the_flapping_dated_from_it() {
    let blind = Duration::from_secs(8 * 60);
    let outage = |begin| Episode { unseen: blind, ..dark(begin, begin + 70.0) };
    let darknesses = flapping(320.0, 331.0, 3, 1.0, (320.0, 331.0)).darknesses;
    let flapping = Episode { darknesses, unseen: blind * 2, ..flapping_without(120.0, 331.0) };
    let unknown = [150.0, 240.0].map(|begin| unknown(begin, Some(begin + 8.0)));
    let outages = [outage(120.0), outage(210.0), flapping];
    let incidents = fold(&[&outages[..], &unknown].concat(), &[], at(9000.0));
    let bad: Vec<_> =
        incidents[0].bad_phases().map(|phase| (phase.kind, phase.unseen.as_secs() / 60)).collect();
    assert_eq!(bad, [(PhaseKind::Outage, 8), (PhaseKind::Outage, 8), (PhaseKind::Unstable, 0)]);
    let unstable = incidents[0].bad_phases().last().unwrap();
    assert!((unstable.dark_share(at(9000.0)) - 1.0 / 11.0).abs() < 0.01);
}

/// It was seen again while the outage went on, as it seemed: it had ended in between.
#[test]
fn a_blind_spell_in_which_an_outage_ended_lies_in_it_in_part() {
    let mut episode = episode("KP", State::Outage, 0.0, None);
    episode.pause(at(90.0));
    episode.see_again(at(150.0));
    assert_eq!(episode.unseen_by(at(150.0)), Duration::from_secs(3600));
    let mut narrower = episode.clone();
    episode.close(Edge { earliest: Some(at(90.0)), latest: at(150.0) });
    assert_eq!(episode.unseen, Duration::from_secs(1800));
    narrower.close(Edge { earliest: Some(at(130.0)), latest: at(150.0) });
    assert_eq!(narrower.unseen, Duration::from_secs(3000));
    let incidents = fold(&[episode, unknown(90.0, Some(150.0))], &[], at(300.0));
    let unseen: Vec<u64> =
        incidents[0].phases.iter().map(|phase| phase.unseen.as_secs() / 60).collect();
    assert_eq!(unseen, [30, 30]);
}

/// Blind for an hour, in the midst of a flapping.
#[test]
fn what_nobody_saw_parts_no_flapping() {
    let dark = |minute: u32| dark(f64::from(minute), f64::from(minute) + 4.0);
    let before = (0..60).step_by(10).map(dark);
    let after = (120..180).step_by(10).map(dark);
    let mut all: Vec<Episode> = before.chain(after).collect();
    assert_eq!(story(&all, 9000.0)[0].matches("unstable").count(), 2);
    all.push(unknown(60.0, Some(119.0)));
    assert_eq!(story(&all, 9000.0), ["KP: unstable 0-174 ×12"]);
    // What is further apart than two hours is no series.
    all.retain(|episode| episode.begin.latest < at(119.0));
    all.extend((180..240).step_by(10).map(dark).chain([unknown(60.0, Some(179.0))]));
    assert_eq!(story(&all, 9000.0)[0].matches("unstable").count(), 2);
}

//! What no run watched.

use super::*;

const DAY: u64 = 86_400;

/// Ten minutes dark and an hour well; then no run for four days, and dark again in the next one.
#[test]
fn no_incident_is_over_because_no_run_watched() {
    let directory = TempDir::new("no-run");
    let mut database = Database::open(&directory.file()).unwrap();
    let mut write = |began: u64, time: u64, episodes: Vec<Episode>| {
        let mut waiting = Backlog::default();
        waiting.add(Batch { at: at(time), episodes, ..Batch::default() });
        database.write(&waiting, "lab", at(began)).unwrap();
    };
    let dark = Episode { unseen: Duration::ZERO, ..outage("KP", Some(600)) };
    write(0, 4200, vec![dark.clone()]);
    let edge = |time| Edge { earliest: Some(at(time - 4)), latest: at(time) };
    let again = Episode {
        found: at(4 * DAY + 2000),
        begin: edge(4 * DAY + 1900),
        end: Some(edge(4 * DAY + 2500)),
        ..dark.clone()
    };
    write(4 * DAY, 4 * DAY + 3600, vec![again]);
    let reader = StoreReader::open(&directory.file()).unwrap();
    let now = at(4 * DAY + 3600);
    // However much of it is asked for.
    for since in [None, Some(at(0)), Some(at(3 * DAY)), Some(at(4 * DAY + 2000))] {
        let filter = EpisodeFilter { since, ..EpisodeFilter::default() };
        let told = reader.incidents(&filter, now, None).unwrap().rows.read;
        let [incident] = &told[..] else { panic!("{since:?}: {told:#?}") };
        let [_, up, _, _] = &incident.phases[..] else { panic!("{incident:#?}") };
        assert_eq!(up.unseen.as_secs(), 4 * DAY - 4200);
        assert_eq!((incident.is_over, incident.over_at()), (false, Some(at(5 * DAY + 2500))));
    }
}

/// The same where nothing was known of a block alone, in a run that goes on.
#[test]
fn no_incident_of_a_block_is_over_while_nothing_is_known_of_it() {
    let directory = TempDir::new("block-unknown");
    let mut database = Database::open(&directory.file()).unwrap();
    let block = "127.45.176.0/24";
    let edge = |time| Edge { earliest: Some(at(time - 4)), latest: at(time) };
    let of_block = |state, begin: u64, end: u64| Episode {
        scope: block.into(),
        state,
        found: at(begin),
        begin: edge(begin),
        end: Some(edge(end)),
        unseen: Duration::ZERO,
        ..outage("KP", None)
    };
    let episodes = vec![
        of_block(State::Outage, 1000, 1600),
        of_block(State::Unknown, 5000, 4 * DAY),
        of_block(State::Outage, 4 * DAY + 1900, 4 * DAY + 2500),
    ];
    let mut waiting = Backlog::default();
    waiting.add(Batch { at: at(4 * DAY + 3600), episodes, ..Batch::default() });
    database.write(&waiting, "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    for since in [None, Some(at(0)), Some(at(3 * DAY)), Some(at(4 * DAY + 2000))] {
        let filter = EpisodeFilter { since, ..EpisodeFilter::default() };
        let told = reader.incidents(&filter, at(4 * DAY + 3600), None).unwrap().rows.read;
        let [incident] = &told[..] else { panic!("{since:?}: {told:#?}") };
        assert_eq!((incident.begin(), incident.is_over), (edge(1000), false), "{since:?}");
    }
}

/// Two runs, and an outage whose begin nobody saw: no run watched, or nothing was known of its
/// country.
#[test]
fn what_nobody_saw_of_an_outage_is_as_long_in_its_episode_as_in_its_incident() {
    let directory = TempDir::new("unseen-begin");
    let mut database = Database::open(&directory.file()).unwrap();
    let of = |scope: &str, state, begin: (u64, u64), end: Option<u64>| Episode {
        scope: scope.into(),
        state,
        found: at(begin.1 + 60),
        begin: Edge { earliest: Some(at(begin.0)), latest: at(begin.1) },
        end: end.map(|end| Edge::at(at(end))),
        unseen: Duration::ZERO,
        ..outage("KP", None)
    };
    let [first, second, third] = [1, 2, 3].map(|block| format!("127.45.{block}.0/24"));
    let mut write = |began: u64, time: u64, episodes: Vec<Episode>| {
        let mut waiting = Backlog::default();
        waiting.add(Batch { at: at(time), episodes, ..Batch::default() });
        database.write(&waiting, "lab", at(began)).unwrap();
    };
    write(0, 1000, Vec::new());
    let paused =
        Episode { paused: Some(at(8000)), ..of(&third, State::Outage, (1000, 5000), None) };
    let episodes = vec![
        of(&first, State::Outage, (1000, 5000), Some(7000)),
        of("KP", State::Unknown, (10_000, 10_000), Some(10_400)),
        of(&second, State::Outage, (9996, 10_404), Some(11_000)),
        paused,
        of(&third, State::Unknown, (8000, 8000), None),
    ];
    write(5000, 12_000, episodes);
    let reader = StoreReader::open(&directory.file()).unwrap();
    let filter = EpisodeFilter::default();
    let incidents = reader.incidents(&filter, at(12_000), None).unwrap().rows.read;
    let mut whole = Vec::new();
    let take = |episode: &Episode| {
        whole.push(episode.clone());
        Ok::<_, StoreError>(())
    };
    assert_eq!(reader.for_each_episode(take).unwrap(), 0);
    for (scope, unseen) in [(&first, 2000), (&second, 200), (&third, 2000 + 4000)] {
        let alone = EpisodeFilter { scope: Some(scope.clone()), ..filter.clone() };
        for listed in [&whole, &reader.episodes(&filter).unwrap().read] {
            let of_scope = listed.iter().find(|episode| episode.scope == *scope).unwrap();
            assert_eq!(of_scope.unseen_by(at(12_000)), Duration::from_secs(unseen), "{scope}");
        }
        let [episode, ..] = &reader.episodes(&alone).unwrap().read[..] else { panic!("{scope}") };
        let of_scope = |incident: &&lifesign_incident::Incident| incident.scope == *scope;
        let phase = &incidents.iter().find(of_scope).unwrap().phases[0];
        let told = [episode.unseen_by(at(12_000)), phase.unseen].map(|length| length.as_secs());
        assert_eq!(told, [unseen; 2], "{scope}");
    }
}

/// It was added to a plan while a run went on.
#[test]
fn of_a_country_that_nobody_watched_yet_nothing_is_known() {
    let directory = TempDir::new("added-later");
    let mut database = Database::open(&directory.file()).unwrap();
    let of = |country: &str, time| Sample {
        country: country.into(),
        ..sample(country, time, State::Up, Some(0.0))
    };
    let samples = vec![of("KP", 100 * DAY), of("KP", 150 * DAY), of("TO", 150 * DAY + 60)];
    database.write(&backlog(150 * DAY + 3600, Vec::new(), samples), "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let sentence = |from: u64, to: u64| {
        let period = (at(from), at(to));
        let data = report::ReportData::read(&reader, "TO", period, at(151 * DAY)).unwrap();
        data.map(|data| report::sentence(&data))
    };
    assert_eq!(sentence(100 * DAY, 100 * DAY + 120), None);
    // Between two samples, and just after the last.
    for from in [150 * DAY + 10, 150 * DAY + 70] {
        let told = sentence(from, from + 30).expect("it was watched");
        assert!(told.starts_with("Little is known of TO in this time: it was watched for 30 s"));
    }
    drop(reader);
    // A run has just begun, and has written nothing of it.
    database.write(&backlog(201 * DAY + 60, Vec::new(), Vec::new()), "lab", at(201 * DAY)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let period = (at(201 * DAY), at(201 * DAY + 90));
    let data = report::ReportData::read(&reader, "TO", period, at(201 * DAY + 90)).unwrap();
    assert!(report::sentence(&data.expect("it begins")).starts_with("Little is known of TO"));
}

/// It was flapping and dark when the last run ended; of the darkness before that it is known only
/// that it was over by then.
#[test]
fn no_darkness_is_dated_to_the_begin_of_the_next_run() {
    let directory = TempDir::new("last-darkness");
    let mut database = Database::open(&directory.file()).unwrap();
    let edge = |time| Edge { earliest: None, latest: at(time) };
    let darknesses =
        Darknesses { count: 3, ..Darknesses::one(Duration::from_secs(90), edge(500), None) };
    let flapping = Episode { darknesses, ..episode(State::Flapping, 410, 400, None) };
    let samples = (1..=15).map(|minute| sample("KP", minute * 60, State::Up, Some(0.0)));
    let waiting = backlog(900, vec![flapping], samples.collect());
    database.write(&waiting, "lab", at(0)).unwrap();
    let mut history = database.history(at(DAY));
    let (_, history) = history.remove("KP").unwrap();
    let flapping: Vec<_> =
        history.state_spans().filter(|span| span.state == State::Flapping).collect();
    let [flapping] = &flapping[..] else { panic!("{flapping:#?}") };
    assert_eq!((flapping.darknesses.count, flapping.darknesses.last_end), (2, Some(edge(900))));
}

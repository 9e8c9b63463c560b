//! Snapshots after a week of watching, for the page: its strips are full.

use lifesign_core::{
    judge::{Darknesses, Edge, State},
    scopes::{BlockId, CountryId, Host, Kind, NetworkId, Roster, Scope},
    time::Time,
    watch::{History, RoundTrips, Settings, Snapshot, Spread, StateSpan, Watch},
};
use lifesign_incident::{Episode, StayCount, count_darknesses, fold};
use lifesign_page::{Columns, Past, Point, Range};
use lifesign_store::{FILE_NAME, Store};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// When the snapshots are taken: 2014-12-24T00:00:00Z.
pub const NOW: Time = Time::from_nanos(1_419_379_200_000_000_000);
pub const HOUR: u64 = 3600;

/// A roster of this many countries, blocks in each, and hosts in each block, which are asked by
/// ICMP and TCP.
pub fn roster(countries: u32, blocks: u32, hosts: u32) -> Roster {
    let mut roster = Roster::default();
    for country in 0..countries {
        roster.add_country(format!("X{country}"), format!("Country {country}"));
        for number in country * blocks..(country + 1) * blocks {
            let net = format!("127.{}.{}", 60 + number / 256, number % 256);
            roster.add_block(format!("{net}.0/24").parse().unwrap());
            for host in 0..hosts {
                let host = Host::Address(format!("{net}.{}", 10 + host).parse().unwrap());
                roster.add_target(host.clone(), "icmp", Kind::Icmp);
                roster.add_target(host, "tcp/443", Kind::Tcp);
            }
        }
    }
    roster
}

/// A snapshot in which every scope has had these states, each from so many seconds before now.
pub fn snapshot(roster: Roster, spans: impl Fn(Scope) -> Vec<(State, u64)>) -> Snapshot {
    let roster = Arc::new(roster);
    let mut watch = Watch::new(roster.clone(), &Settings::default(), NOW);
    for scope in roster.scopes() {
        let mut history = History::empty();
        for (state, before) in spans(scope) {
            let from = NOW - Duration::from_secs(before);
            let edge = Edge { earliest: Some(from - Duration::from_secs(2)), latest: from };
            history.push_span(StateSpan { state, from, edge, darknesses: Darknesses::default() });
        }
        watch.history(scope).recall(history);
    }
    let mut snapshot = watch.snapshot(NOW, 0, 0);
    for view in &mut snapshot.scopes {
        // The last span but that with which the watch began.
        let present = *view.history.state_spans().rfind(|span| span.from < NOW).unwrap();
        view.verdict.state = present.state;
        view.verdict.edge = present.edge;
        Arc::make_mut(&mut view.verdict.totals).evidence = "7 misses of 7 targets in 5.0 s".into();
    }
    snapshot
}

/// What the store would remember of these weeks, as a page asks for it.
pub fn past(snapshot: &Snapshot, range: Range) -> Past {
    let (from, to) = range.period(NOW);
    let began = NOW - Duration::from_secs(160 * HOUR);
    let columns = Columns::of((from.max(began), to));
    let mut episodes = episodes(snapshot);
    count_darknesses(&mut episodes, snapshot);
    let point = |column: usize| {
        let noise = (column * 7919 % 97) as f64 / 97.0;
        let median = 0.2 + noise / 20.0;
        Point {
            is_unknown: false,
            probes: 60,
            loss: Some(noise / 10.0),
            round_trips: Some(round_trips(median)),
        }
    };
    let points: Vec<Point> = (0..columns.count).map(point).collect();
    let roster = &snapshot.roster;
    Past {
        range,
        columns,
        watched: vec![(began, NOW)],
        incidents: fold(&episodes, &[], NOW),
        episodes,
        points: roster.scopes().map(|scope| (roster.full_name_of(scope), points.clone())).collect(),
        unreadable_rows: 0,
        problem: None,
    }
}

/// Every stay in a state other than up.
pub fn episodes(snapshot: &Snapshot) -> Vec<Episode> {
    let roster = &snapshot.roster;
    let of_scope = |scope: Scope| {
        let spans: Vec<StateSpan> = snapshot
            .scope(scope)
            .history
            .state_spans()
            .filter(|span| span.from < NOW)
            .copied()
            .collect();
        let ends =
            spans.iter().skip(1).map(|span| Some(span.edge)).chain([None]).collect::<Vec<_>>();
        let told = spans.into_iter().zip(ends).filter(|(span, _)| span.state != State::Up);
        let episodes = told.map(|(span, end)| Episode {
            scope: roster.full_name_of(scope),
            country: roster.country_of(scope).code.clone(),
            state: span.state,
            found: span.from,
            begin: span.edge,
            end,
            evidence: "7 misses of 7 targets in 5.0 s".into(),
            unseen: Duration::ZERO,
            last_unseen: None,
            paused: None,
            darknesses: Darknesses::default(),
            of_stay: StayCount::default(),
            planned: None,
        });
        episodes.collect::<Vec<_>>()
    };
    let mut all: Vec<Episode> = roster.scopes().flat_map(of_scope).collect();
    all.sort_by_key(|episode| episode.found);
    all
}

fn round_trips(median: f64) -> RoundTrips {
    let [min, p10, p90, p95, max] = [0.8, 0.9, 1.15, 1.2, 1.5].map(|share| median * share);
    RoundTrips { median, p95, spread: Some(Spread { min, p10, p90, max }) }
}

fn millis(time: Time) -> i64 {
    (time.as_nanos() / 1_000_000) as i64
}

/// The file of a store that remembers it.
pub fn store(snapshot: &Snapshot, directory: &Path) -> PathBuf {
    let began = NOW - Duration::from_secs(160 * HOUR);
    let samples = Samples { span: Duration::from_secs(60), count: 24 * 60 };
    store_of(snapshot, &episodes(snapshot), began, samples, directory)
}

/// How often each scope was measured up to now.
#[derive(Clone, Copy)]
pub struct Samples {
    pub span: Duration,
    pub count: u32,
}

/// The file of a store that remembers these episodes, and these samples of all scopes.
pub fn store_of(
    snapshot: &Snapshot,
    episodes: &[Episode],
    began: Time,
    samples: Samples,
    directory: &Path,
) -> PathBuf {
    drop(Store::open(directory, "the lab", NOW).unwrap());
    let file = directory.join(FILE_NAME);
    let mut base = rusqlite::Connection::open(&file).unwrap();
    let base = base.transaction().unwrap();
    base.execute(
        "INSERT OR REPLACE INTO run VALUES (?, ?, 0, 'the lab', '')",
        [millis(began), millis(NOW)],
    )
    .unwrap();
    for episode in episodes {
        base.execute(
            "INSERT INTO episode (scope, found, country, state, begin_earliest, begin_latest, \
             end_earliest, end_latest, unseen, evidence, darknesses, dark, stay_darknesses, \
             stay_dark) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)",
            rusqlite::params![
                episode.scope,
                millis(episode.found),
                episode.country,
                episode.state.label(),
                episode.begin.earliest.map(millis),
                millis(episode.begin.latest),
                episode.end.and_then(|end| end.earliest).map(millis),
                episode.end.map(|end| millis(end.latest)),
                episode.evidence,
                episode.darknesses.count,
                episode.darknesses.length.as_millis() as i64,
                episode.of_stay.count,
                episode.of_stay.length.as_millis() as i64,
            ],
        )
        .unwrap();
    }
    let roster = &snapshot.roster;
    let mut insert = base
        .prepare("INSERT INTO sample VALUES (?, ?, ?, ?, 'up', 60, ?, ?, ?, ?, ?, ?, ?)")
        .unwrap();
    let scopes: Vec<(String, String)> = roster
        .scopes()
        .map(|scope| (roster.full_name_of(scope), roster.country_of(scope).code.clone()))
        .collect();
    for number in 0..samples.count {
        let noise = f64::from(number * 7919 % 97) / 97.0;
        let time = NOW - samples.span * number;
        for (scope, country) in &scopes {
            insert
                .execute(rusqlite::params![
                    samples.span.as_millis() as i64,
                    scope,
                    millis(time),
                    country,
                    noise / 10.0,
                    0.2 + noise / 20.0,
                    0.25 + noise / 10.0,
                    0.15,
                    0.18 + noise / 20.0,
                    0.24 + noise / 10.0,
                    0.3 + noise / 5.0,
                ])
                .unwrap();
        }
    }
    drop(insert);
    base.commit().unwrap();
    file
}

/// A week of everything, and at the end the last state.
pub fn restless(last: State) -> Vec<(State, u64)> {
    let mut spans =
        vec![(State::Up, 160 * HOUR), (State::Outage, 100 * HOUR), (State::Up, 90 * HOUR)];
    let day = [
        (State::Flapping, 20),
        (State::Up, 17),
        (State::Outage, 15),
        (State::Up, 14),
        (State::Degraded, 12),
        (State::Unknown, 9),
        (State::Partial, 7),
        (State::Down, 5),
    ];
    spans.extend(day.map(|(state, hours)| (state, hours * HOUR)));
    spans.push((last, 2 * HOUR));
    spans
}

/// Seven countries, each in a state of its own.
pub fn every_state() -> Snapshot {
    snapshot(roster(7, 1, 3), |scope| match scope {
        Scope::Country(CountryId(number))
        | Scope::Network(NetworkId(number))
        | Scope::Block(BlockId(number)) => restless(State::ALL[number as usize]),
    })
}

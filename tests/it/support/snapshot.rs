//! A hand-made snapshot in which every field says something.

use lifesign_core::{
    judge::{Blindness, Darknesses, Edge, HostCounts, PerState, State, Verdict, VerdictTotals},
    outcome::{Cause, Fault, IcmpCode, Oddity, Reject},
    scopes::{BlockId, CountryId, Host, Kind, Labels, Maintenance, PerFamily, Roster, Scope},
    time::Time,
    watch::{
        BlockReasons, ControlView, Counts, Grid, Histogram, HistogramView, History, KindView,
        LinesLost, PerWindow, PlanView, ReturnPathView, RoundTrips, ScopeView, Snapshot, StateSpan,
        StoreView, TargetView, TargetViews, VantageStats, Window, WindowView,
    },
};
use lifesign_path::{
    HopSeen, HopView, NetworkOf, PathView, Paths, Place, PlaceView, ProbeOutcomes, Word,
};
use std::{collections::BTreeMap, ops::Range, sync::Arc, time::Duration};

/// A name that would run if it were not escaped.
pub const NASTY: &str = "<script>alert(\"x\")</script>";

/// One country in partial outage: a block that is up, and one that is not, asked in three ways. The
/// wall clock is one second ahead of lifesign's own line.
pub fn every_field() -> Snapshot {
    let mut roster = Roster::default();
    roster.add_country("KP", NASTY);
    roster.add_block("127.45.176.0/24".parse().unwrap());
    roster.add_target(Host::Address("127.45.176.15".parse().unwrap()), "icmp", Kind::Icmp);
    roster.add_target(Host::Address("127.45.176.15".parse().unwrap()), "tcp/443", Kind::Tcp);
    roster.add_block("127.45.177.0/24".parse().unwrap());
    roster.add_target(Host::Name("ns\\1.\"kp\"".into()), "dns/kptc.kp/SOA", Kind::Dns);
    Snapshot {
        time: at(600),
        started: at(0),
        plan: PlanView { since: at(0), refused: true },
        wall_offset: 1_000_000_000.into(),
        roster: Arc::new(roster),
        scopes: vec![
            scope(State::Up, 0.999_999),
            scope(State::Outage, 1e-7),
            scope(State::Partial, 0.75),
        ],
        kinds: vec![
            counted(BlockId(0), Kind::Icmp, 1),
            counted(BlockId(0), Kind::Tcp, 2),
            counted(BlockId(1), Kind::Dns, 3),
        ],
        return_paths: vec![
            ReturnPathView { hop_limit: Some(52), changes: 1 },
            ReturnPathView::default(),
        ],
        paths: Arc::new(paths()),
        reasons: vec![
            Arc::new(BlockReasons {
                rejected: BTreeMap::from([(Reject::WrongSource, 2), (Reject::Stale, 1)]),
                not_sent: BTreeMap::from([(Fault::NoRoute, 4)]),
            }),
            Arc::default(),
        ],
        controls: vec![
            ControlView { address: "127.0.0.2".parse().unwrap(), asked: 60, silent: 1, up: true },
            ControlView { address: "::1".parse().unwrap(), asked: 60, silent: 60, up: false },
        ],
        blindness: blindness(false),
        vantage: VantageStats {
            rejected: BTreeMap::from([(Reject::WrongToken, 3)]),
            not_sent: BTreeMap::from([(Fault::NoRoute, 4)]),
            unreachable: BTreeMap::from([
                ((false, IcmpCode { kind: 3, code: 1 }), 5),
                ((true, IcmpCode { kind: 1, code: 6 }), 6),
            ]),
            rcodes: BTreeMap::from([(0, 7), (9, 8)]),
            odd: BTreeMap::from([(Oddity::WrongCase, 9)]),
        },
        lag: lag(),
        slots_missed: 9,
        slots_over_budget: 10,
        open: 11,
        receive_drops: 12,
        lines_lost: LinesLost { journal: Some(3), stdout: 0 },
        store: Some(StoreView { failing: true, failures: 13, waiting: 14, lost: 15 }),
    }
}

/// Both blocks are reached by the same network, behind which the path to the second breaks.
fn paths() -> Paths {
    let network = NetworkOf { asn: 64_496, name: format!("NEAR {NASTY}").into() };
    let seen = |hop_limit: u8, network: Option<&NetworkOf>, heard| HopSeen {
        hop_limit,
        address: [192, 0, 2, hop_limit].into(),
        network: network.cloned(),
        heard: at(heard),
    };
    let hop = |hop: HopSeen, answers| HopView {
        hop_limit: hop.hop_limit,
        addresses: vec![hop.address],
        network: hop.network,
        answers,
        heard: Some(hop.heard),
    };
    let silent =
        HopView { hop_limit: 2, addresses: Vec::new(), network: None, answers: 0.02, heard: None };
    let hops = vec![hop(seen(1, Some(&network), 590), 0.98), silent, hop(seen(3, None, 480), 0.96)];
    let place = PlaceView {
        place: Place::OnTheWay,
        found: at(492),
        since: at(487),
        last: Some(seen(1, Some(&network), 491)),
        first_silent: Some(seen(3, None, 480)),
        said: Some(([192, 0, 2, 1].into(), Word::Unreachable(IcmpCode { kind: 3, code: 13 }))),
        probes: 24,
    };
    let upstreams = vec![network];
    let up = PathView { place: None, hops, upstreams, changes: 2 };
    let dark = PathView { place: Some(place.clone()), ..up.clone() };
    let mut probes = ProbeOutcomes::default();
    for (count, each) in (16..).zip(probes.values_mut()) {
        *each = count;
    }
    Paths {
        blocks: vec![Arc::new(up), Arc::new(dark)],
        networks: Vec::new(),
        countries: vec![Some(place.clone())],
        own: PerFamily::new(|_| Some(place.clone())),
        probes,
    }
}

/// The same, with the block in outage in a network of the country.
pub fn in_a_network() -> Snapshot {
    let mut snapshot = every_field();
    let mut roster = Roster::default();
    roster.add_country("KP", NASTY);
    for (index, block) in snapshot.roster.blocks.iter().enumerate() {
        if index == 1 {
            roster.add_network(format!("Star {NASTY}"), Some(131_279));
        }
        roster.add_block(block.prefix);
        for target in
            &snapshot.roster.targets[block.targets.start as usize..][..block.targets.len()]
        {
            roster.add_target(target.host.clone(), target.probe.clone(), target.kind);
        }
    }
    snapshot.scopes.insert(2, scope(State::Degraded, 0.5));
    snapshot.roster = Arc::new(roster);
    snapshot
}

/// The same, with labels of the plan's own on the country, the network, its block and one target.
pub fn labelled() -> Snapshot {
    let mut snapshot = in_a_network();
    let roster = Arc::make_mut(&mut snapshot.roster);
    let labels = Labels::from(BTreeMap::from([("operator".into(), NASTY.into())]));
    roster.countries[0].labels = labels.clone();
    roster.networks[0].labels = labels.clone();
    roster.blocks[1].labels = labels.clone();
    roster.targets[0].set_labels(labels);
    let window = Maintenance { from: at(0), to: at(1), reason: None };
    roster.maintenance.push((Scope::Country(CountryId(0)), window));
    snapshot
}

/// This many seconds after the watch began, at 2014-12-22T16:05:00Z.
fn at(seconds: u64) -> Time {
    Time::from_nanos(1_419_264_300_000_000_000) + Duration::from_secs(seconds)
}

fn scope(state: State, belief: f64) -> ScopeView {
    let alive = state != State::Outage;
    let spent = PerState::new(|state| match state {
        State::Up => 400.0,
        State::Degraded => 0.0,
        State::Partial => 10.0,
        State::Down => 20.5,
        State::Flapping => 30.0,
        State::Outage => 40.0,
        State::Unknown => 99.5,
    });
    let mut totals = VerdictTotals::default();
    totals.changed = at(505);
    totals.evidence = format!("evidence of {NASTY}").into();
    totals.first_cause = Some(Cause::NotSent(Fault::NoRoute));
    totals.entered = PerState::new(|state| match state {
        State::Up => 1,
        State::Degraded => 0,
        State::Partial => 2,
        State::Down => 3,
        State::Flapping => 4,
        State::Outage => 5,
        State::Unknown => 6,
    });
    totals.spent = spent.map(Duration::from_secs_f64);
    let verdict = Verdict {
        state,
        edge: Edge { earliest: alive.then(|| at(500)), latest: at(504) },
        cause: Some(Cause::NotSent(Fault::NoRoute)),
        belief,
        last_life: alive.then(|| at(598)),
        darknesses: Darknesses::default(),
        calm_at: None,
        hosts: HostCounts { now: 6, usual: 8, listed: 20 },
        together: state == State::Outage,
        time: totals.changed,
        dark_of_late: Duration::from_secs_f64(70.5),
        totals: Arc::new(totals),
    };
    ScopeView {
        verdict,
        windows: PerWindow::new(|window| match window {
            Window::Minute => WindowView {
                resolved: 60,
                loss: Some(0.05),
                round_trips: Some(RoundTrips { median: 0.2, p95: 0.31, spread: None }),
            },
            Window::FiveMinutes => WindowView {
                resolved: 300,
                loss: Some(1.0),
                round_trips: Some(RoundTrips { median: 0.21, p95: 0.32, spread: None }),
            },
            Window::Hour => WindowView { resolved: 0, loss: None, round_trips: None },
        })
        .into(),
        history: Arc::new(history(state)),
    }
}

/// Up, a short outage, up again, and then the present state.
fn history(state: State) -> History {
    let mut history = History::empty();
    let span = |state, from: u64| {
        let edge = Edge { earliest: Some(at(from) - Duration::from_secs(4)), latest: at(from) };
        StateSpan { state, from: at(from), edge, darknesses: Darknesses::default() }
    };
    for (state, from) in [(State::Up, 0), (State::Outage, 100), (State::Up, 250), (state, 504)] {
        history.push_span(span(state, from));
    }
    history
}

fn lag() -> HistogramView {
    let mut lag = Histogram::new(Grid::Delays);
    for (micros, times) in [(1000, 90), (10_000, 9), (90_000_000, 1)] {
        (0..times).for_each(|_| lag.add(Duration::from_micros(micros)));
    }
    lag.view()
}

fn counted(block: BlockId, kind: Kind, scale: u64) -> KindView {
    let counts = Counts {
        sent: 100 * scale,
        reply: 70 * scale,
        unexpected: 2 * scale,
        refused: 3 * scale,
        late: 4 * scale,
        lost: 15 * scale,
        unreachable: 5 * scale,
        taken_back: scale,
        neighbour: 9 * scale,
        duplicate: 6 * scale,
        rejected: 7 * scale,
        not_sent: 8 * scale,
        overdue: scale,
    };
    let mut rtt = Histogram::default();
    for (millis, times) in [(250, 60), (1000, 16), (8000, 1)] {
        (0..times * scale).for_each(|_| rtt.add(Duration::from_millis(millis)));
    }
    KindView { block, kind, counts, rtt: Some(Arc::new(rtt)) }
}

/// The numbers of targets that go with it: the third is gone.
pub struct SeenTargets;

impl TargetViews for SeenTargets {
    fn of(&self, targets: Range<u32>) -> Option<Vec<TargetView>> {
        Some(targets.map(|id| seen(id != 2)).collect())
    }
}

fn seen(alive: bool) -> TargetView {
    TargetView {
        address: None,
        counts: Counts { sent: 20, reply: 15, lost: 3, unreachable: 1, ..Counts::default() },
        recent_loss: alive.then_some(0.125),
        srtt: alive.then_some(0.25),
        min_rtt: alive.then_some(0.1875),
        last_life: alive.then(|| at(598)),
        up: alive,
        miss_rate: 0.005,
        gone: !alive,
        retired: !alive,
        accepts_all: false,
    }
}

/// Both families are watched, and we are blind in both or in neither.
pub fn blindness(is_blind: bool) -> PerFamily<Option<Blindness>> {
    PerFamily::new(|_| Some(Blindness { is_blind, seconds: 12.5, spells: 2 }))
}

//! From changes of verdict to rows, in virtual time.

use super::*;
use lifesign_core::{
    judge::{Darknesses, EvidenceText},
    scopes::{BlockId, CountryId, Scope},
};
use lifesign_incident::fixtures::at;
use std::time::Duration;

fn edge(earliest: u64, latest: u64) -> Edge {
    Edge { earliest: Some(at(earliest)), latest: at(latest) }
}

fn roster() -> Roster {
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    roster.add_block("127.45.176.0/24".parse().unwrap());
    roster
}

fn told(time: u64, from: State, to: State, edge: Edge, darknesses: Darknesses) -> Change {
    let scope = Scope::Country(CountryId(0));
    let evidence = EvidenceText::default();
    Change { time: at(time), scope, from, to, edge, evidence, darknesses }
}

/// A tracker, and the last version of every episode, by when it was found.
#[derive(Default)]
struct Tracked {
    tracker: EpisodeTracker,
    state: Option<State>,
    episodes: BTreeMap<Time, Episode>,
}

impl Tracked {
    fn change(&mut self, time: u64, to: State, edge: Edge) {
        self.leave(time, to, edge, Darknesses::default());
    }

    /// The state that ends had these darknesses in it.
    fn leave(&mut self, time: u64, to: State, edge: Edge, darknesses: Darknesses) {
        let from = self.state.replace(to).unwrap_or(State::Unknown);
        self.take(&told(time, from, to, edge, darknesses), WallOffset::default());
    }

    /// A narrower edge; the wall clock has been set an hour ahead since.
    fn narrow(&mut self, time: u64, state: State, edge: Edge) {
        let change = told(time, state, state, edge, Darknesses::default());
        self.take(&change, 3_600_000_000_000.into());
    }

    fn take(&mut self, change: &Change, offset: WallOffset) {
        let mut changed = Vec::new();
        self.tracker.handle_change(change, &roster(), offset, &mut changed);
        self.store(changed);
    }

    fn store(&mut self, changed: Vec<Episode>) {
        self.episodes.extend(changed.into_iter().map(|episode| (episode.found, episode)));
    }

    /// A restart, with the episodes that were open.
    fn restart(&mut self, memory_restored: bool, last_write: u64, now: u64) {
        let open =
            self.episodes.values().filter(|episode| episode.end.is_none()).cloned().collect();
        let mut changed = Vec::new();
        self.tracker =
            EpisodeTracker::resume(open, memory_restored, at(last_write), at(now), &mut changed);
        self.state = None;
        self.store(changed);
    }

    /// State, begin and end, and seconds not seen, oldest first.
    fn all(&self) -> Vec<(State, Edge, Option<Edge>, u64)> {
        let row = |episode: &Episode| {
            (episode.state, episode.begin, episode.end, episode.unseen.as_secs())
        };
        self.episodes.values().map(row).collect()
    }
}

use State::{Down, Flapping, Outage, Unknown, Up};

#[test]
fn a_darkness_is_one_episode_from_down_to_its_end() {
    let mut tracked = Tracked::default();
    tracked.change(0, Up, edge(0, 0));
    tracked.change(20, Down, edge(10, 12));
    tracked.change(70, Outage, edge(10, 12));
    tracked.change(200, Up, edge(195, 199));
    assert_eq!(tracked.all(), [(Outage, edge(10, 12), Some(edge(195, 199)), 0)]);
}

/// Its answers come late, each after it was found to be down: then it goes dark.
#[test]
fn what_answered_since_it_was_down_is_another_darkness() {
    let begun = |outage: Edge| {
        let mut tracked = Tracked::default();
        tracked.change(20, Down, edge(10, 12));
        tracked.change(1900, Outage, outage);
        tracked.change(3000, Up, edge(2990, 2995));
        tracked.all()
    };
    let end = Some(edge(2990, 2995));
    assert_eq!(
        begun(edge(1778, 1781)),
        [(Down, edge(10, 12), Some(edge(1778, 1781)), 0), (Outage, edge(1778, 1781), end, 0)]
    );
    // One that was sent before it was found moves the begin.
    assert_eq!(begun(edge(15, 18)), [(Outage, edge(15, 18), end, 0)]);
    // Nobody saw it in between.
    let mut tracked = Tracked::default();
    tracked.change(20, Down, edge(10, 12));
    tracked.change(30, Unknown, edge(30, 30));
    tracked.change(90, Outage, edge(40, 50));
    assert_eq!(tracked.all()[0], (Outage, edge(10, 12), None, 60));
}

#[test]
fn the_darknesses_of_a_flapping_are_counted_over_a_blind_period() {
    let darknesses = |count: u32, end: u64| Darknesses {
        count,
        length: Duration::from_secs(u64::from(count) * 30),
        first_begin: Some(edge(100, 102)),
        last_end: Some(edge(end - 2, end)),
    };
    let mut tracked = Tracked::default();
    tracked.change(70, Flapping, edge(10, 12));
    tracked.leave(300, Unknown, edge(295, 300), darknesses(2, 250));
    tracked.change(330, Flapping, edge(10, 12));
    tracked.leave(900, Up, edge(890, 900), darknesses(3, 700));
    let flapping = tracked.episodes.values().find(|one| one.state == Flapping).unwrap();
    assert_eq!(flapping.darknesses, darknesses(5, 700));
}

#[test]
fn what_is_true_again_after_a_blind_period_never_ended() {
    let mut tracked = Tracked::default();
    tracked.change(70, Outage, edge(10, 12));
    tracked.change(100, Unknown, edge(95, 100));
    tracked.change(130, Outage, edge(10, 12));
    tracked.change(200, Up, edge(195, 199));
    let blind = (Unknown, edge(95, 100), Some(edge(130, 130)), 0);
    assert_eq!(tracked.all(), [(Outage, edge(10, 12), Some(edge(195, 199)), 30), blind]);
}

#[test]
fn a_narrower_edge_ends_one_episode_and_begins_the_next() {
    let began = [Up, State::Partial, State::Partial];
    let ended = [None, None, Some(edge(330, 340))];
    for (began, ended) in began.into_iter().zip(ended) {
        let mut tracked = Tracked::default();
        tracked.change(70, Outage, edge(10, 12));
        tracked.change(300, Up, edge(180, 299));
        if began != Up {
            tracked.change(310, began, edge(180, 299));
        }
        if let Some(ended) = ended {
            tracked.change(350, Up, ended);
        }
        // Of another return, it changes nothing.
        let before = tracked.all();
        tracked.narrow(415, Up, edge(200, 250));
        assert_eq!(tracked.all(), before);
        tracked.narrow(420, Up, edge(295, 299));
        assert_eq!(tracked.all()[0], (Outage, edge(10, 12), Some(edge(295, 299)), 0));
        let second = (began != Up).then_some((began, edge(295, 299), ended, 0));
        assert_eq!(tracked.all().get(1), second.as_ref());
        assert_eq!(tracked.all().len(), before.len());
    }
}

/// Only some hosts had gone, as was found half a minute later.
#[test]
fn a_darkness_that_was_none_is_no_episode() {
    let was_none = |time, state, edge: Edge| {
        let length = Duration::from_secs(8);
        let one = Darknesses::one(length, Edge::at(at(time - 28)), Some(edge));
        told(time, state, state, edge, one)
    };
    let mut tracked = Tracked::default();
    tracked.change(20, Down, edge(10, 12));
    tracked.change(21, Up, edge(16, 20));
    let first = tracked.all();
    tracked.change(110, Down, edge(100, 102));
    tracked.change(111, Up, edge(106, 110));
    tracked.change(115, State::Partial, edge(112, 114));
    // Of another return, and of the last.
    tracked.take(&was_none(130, Up, edge(100, 109)), WallOffset::default());
    assert_eq!(tracked.tracker.retracted, []);
    tracked.take(&was_none(130, State::Partial, edge(106, 110)), WallOffset::default());
    assert_eq!(std::mem::take(&mut tracked.tracker.retracted), [("KP".to_owned(), at(110))]);
    assert_eq!(tracked.all()[..1], first);
    // One that would have made a series; what comes next is as if it had never been.
    let mut tracked = Tracked::default();
    tracked.change(1000, Flapping, edge(10, 12));
    let none = was_none(1027, Flapping, edge(1003, 1007));
    tracked.take(&none, WallOffset::default());
    assert_eq!(std::mem::take(&mut tracked.tracker.retracted), [("KP".to_owned(), at(1000))]);
    tracked.episodes.clear();
    tracked.change(1028, Up, edge(1003, 1007));
    assert_eq!(tracked.all(), []);
    // It was flapping before, and an outage stays one.
    for state in [Flapping, Outage] {
        let mut tracked = Tracked::default();
        tracked.change(900, state, edge(10, 12));
        if state == Outage {
            tracked.change(1008, Up, edge(1003, 1007));
        }
        tracked.take(&none, WallOffset::default());
        assert_eq!(tracked.tracker.retracted, []);
    }
}

#[test]
fn a_restart_within_an_outage_is_no_end_of_it() {
    for after in [vec![Outage], vec![Down, Outage]] {
        let mut tracked = Tracked::default();
        tracked.change(70, Outage, edge(10, 12));
        tracked.restart(true, 100, 150);
        for (index, state) in (0..).zip(after) {
            tracked.change(160 + index * 50, state, edge(10, 12));
        }
        let seen_again =
            tracked.tracker.open["KP"].known.as_ref().map(|episode| episode.unseen.as_secs());
        tracked.change(300, Up, edge(295, 299));
        let [(Outage, begin, Some(end), unseen)] = tracked.all()[..] else {
            panic!("{:?}", tracked.all())
        };
        assert_eq!((begin, end, Some(unseen)), (edge(10, 12), edge(295, 299), seen_again));
        assert!(unseen >= 60);
    }
}

#[test]
fn what_came_back_meanwhile_ended_in_the_gap() {
    let mut tracked = Tracked::default();
    tracked.change(70, Outage, edge(10, 12));
    tracked.restart(true, 100, 150);
    tracked.change(151, Up, edge(97, 151));
    assert_eq!(tracked.all(), [(Outage, edge(10, 12), Some(edge(97, 151)), 24)]);
    // Down again for less than an outage, and then up: it was never proved to be over.
    let mut tracked = Tracked::default();
    tracked.change(70, Outage, edge(10, 12));
    tracked.restart(true, 100, 150);
    tracked.change(160, Down, edge(10, 12));
    tracked.change(170, Up, edge(165, 169));
    assert_eq!(tracked.all(), [(Outage, edge(10, 12), Some(edge(165, 169)), 60)]);
}

/// Dark for five minutes, blind from the second on, and dark when it could be seen again.
#[test]
fn a_narrower_edge_gives_back_what_was_not_seen() {
    for seen_as in [Down, Outage] {
        let mut tracked = Tracked::default();
        tracked.change(70, Outage, edge(10, 12));
        tracked.change(120, State::Unknown, edge(120, 120));
        tracked.change(21_720, seen_as, edge(10, 12));
        tracked.change(21_900, Up, edge(120, 21_900));
        let outage = |tracked: &Tracked| {
            let all = tracked.all();
            let outage = all.iter().find(|row| row.0 == Outage).copied();
            outage.map(|(_, _, end, unseen)| (end, unseen))
        };
        // Up to the middle of the edge, at 11,010 s.
        assert_eq!(outage(&tracked), Some((Some(edge(120, 21_900)), 10_890)));
        tracked.narrow(22_020, Up, edge(21_892, 21_900));
        assert_eq!(outage(&tracked), Some((Some(edge(21_892, 21_900)), 21_600)));
    }
}

#[test]
fn what_nobody_remembers_ends_in_the_gap_and_what_is_watched_no_more_ends_now() {
    let mut tracked = Tracked::default();
    tracked.change(70, Flapping, edge(10, 12));
    tracked.restart(false, 100, 90_000);
    tracked.change(90_060, Outage, edge(90_001, 90_002));
    // Up to the middle of the gap nobody watched.
    let gap = (Flapping, edge(10, 12), Some(edge(100, 90_000)), 44_950);
    assert_eq!(tracked.all(), [gap, (Outage, edge(90_001, 90_002), None, 0)]);
    let mut changed = Vec::new();
    tracked.tracker.retain(&roster(), at(90_100), &mut changed);
    assert_eq!(changed, []);
    tracked.tracker.retain(&Roster::default(), at(90_100), &mut changed);
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].end, Some(edge(90_100, 90_100)));
    assert!(changed[0].is_left());
    assert_eq!(changed[0].unseen_by(at(99_999)), Duration::ZERO);
}

#[test]
fn no_end_lies_before_its_begin_and_wall_clocks_move_all_times() {
    let mut tracked = Tracked::default();
    tracked.change(70, State::Partial, edge(50, 60));
    tracked.change(80, Outage, edge(10, 12));
    assert_eq!(tracked.all()[0].2, Some(edge(50, 60)));
    let change = Change {
        time: at(0),
        scope: Scope::Block(BlockId(0)),
        from: Up,
        to: Down,
        edge: Edge { earliest: None, latest: at(0) },
        evidence: "why".into(),
        darknesses: Darknesses::default(),
    };
    let mut changed = Vec::new();
    EpisodeTracker::default().handle_change(&change, &roster(), 5_000_000_000.into(), &mut changed);
    let found = &changed[0];
    assert_eq!(
        (found.scope.as_str(), found.country.as_str(), found.full_name().level()),
        ("127.45.176.0/24", "KP", Level::Block)
    );
    assert_eq!(
        (found.found, found.begin, &*found.evidence),
        (at(5), Edge { earliest: None, latest: at(5) }, "why")
    );
    let length = (found.length(at(65)), found.span().uncertainty());
    assert_eq!(length, (Duration::from_secs(60), Duration::ZERO));
}

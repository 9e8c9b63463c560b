//! What is kept of states, and how they are recalled.

use super::*;
use crate::judge::{Darknesses, EvidenceText};
use crate::scopes::{BlockId, Scope};

fn at(seconds: u64) -> Time {
    Time::from_nanos(1_419_120_000_000_000_000) + Duration::from_secs(seconds)
}

fn change(found: u64, latest: u64, from: State, to: State) -> Change {
    let edge = Edge { earliest: Some(at(latest.saturating_sub(4))), latest: at(latest) };
    Change {
        time: at(found),
        scope: Scope::Block(BlockId(0)),
        from,
        to,
        edge,
        evidence: EvidenceText::default(),
        darknesses: Darknesses::default(),
    }
}

fn spans(history: &History) -> Vec<(State, u64)> {
    history.state_spans().map(|span| (span.state, span.from.since(at(0)).as_secs())).collect()
}

#[test]
fn a_state_span_begins_where_it_really_began_and_what_was_unknown_stays_unknown() {
    use State::{Down, Flapping, Outage, Unknown, Up};
    let mut history = History::new(at(0));
    history.record_change(&change(2, 0, Unknown, Up));
    history.record_change(&change(106, 102, Up, Down));
    history.record_change(&change(162, 102, Down, Outage));
    assert_eq!(spans(&history), [(Unknown, 0), (Up, 2), (Outage, 102)]);
    // Blind for a while, and the outage goes on.
    history.record_change(&change(200, 200, Outage, Unknown));
    history.record_change(&change(210, 102, Unknown, Outage));
    history.record_change(&change(300, 299, Outage, Up));
    assert_eq!(spans(&history)[2..], [(Outage, 102), (Unknown, 200), (Outage, 210), (Up, 299)]);
    // A down that a late answer took back, and one that belonged to a series.
    history.record_change(&change(406, 402, Up, Down));
    history.record_change(&change(410, 402, Down, Up));
    history.record_change(&change(506, 502, Up, Down));
    history.record_change(&change(512, 502, Down, Flapping));
    assert_eq!(spans(&history)[5..], [(Up, 299), (Flapping, 502)]);
    // Blind in a series: it was flapping before that too.
    history.record_change(&change(700, 700, Flapping, Up));
    history.record_change(&change(806, 802, Up, Down));
    history.record_change(&change(850, 850, Down, Unknown));
    history.record_change(&change(860, 855, Unknown, Up));
    history.record_change(&change(906, 802, Up, Flapping));
    let expected = [(Up, 700), (Flapping, 802), (Unknown, 850), (Flapping, 855)];
    assert_eq!(spans(&history)[7..], expected);
}

#[test]
fn a_narrower_edge_replaces_the_one_that_was_told_first() {
    use State::{Outage, Partial, Unknown, Up};
    let mut history = History::new(at(0));
    history.record_change(&change(2, 0, Unknown, Up));
    history.record_change(&change(162, 102, Up, Outage));
    let wide = Edge { earliest: Some(at(102)), latest: at(300) };
    history.record_change(&Change { edge: wide, ..change(300, 300, Outage, Up) });
    history.record_change(&Change { edge: wide, ..change(310, 300, Up, Partial) });
    history.record_change(&change(360, 355, Partial, Up));
    let before = spans(&history);
    history.record_change(&change(420, 300, Up, Up));
    let earliest: Vec<_> = history.state_spans().map(|span| span.edge.earliest).collect();
    let seconds = [None, Some(98), Some(296), Some(351)];
    assert_eq!(earliest[0], seconds[0].map(at));
    assert_eq!(earliest[2..], [seconds[1], seconds[2], seconds[3]].map(|each| each.map(at)));
    assert_eq!(spans(&history), before);
}

#[test]
fn a_darkness_that_was_none_goes_and_no_other() {
    use State::{Down, Partial, Unknown, Up};
    for (after, then) in [(Up, &[][..]), (Partial, &[(Partial, 120)])] {
        let mut history = History::new(at(0));
        history.record_change(&change(2, 0, Unknown, Up));
        history.record_change(&change(26, 22, Up, Down));
        history.record_change(&change(30, 30, Down, Up));
        let before = spans(&history);
        history.record_change(&change(106, 102, Up, Down));
        history.record_change(&change(121, 120, Down, after));
        let was_none = |latest| {
            let told = change(150, latest, after, after);
            let begin = Edge::at(at(102));
            Change { darknesses: Darknesses::one(Duration::from_secs(18), begin, None), ..told }
        };
        history.record_change(&was_none(119));
        assert_eq!(spans(&history).len(), before.len() + 2);
        history.record_change(&was_none(120));
        assert_eq!(spans(&history), [&before, then].concat());
    }
}

#[test]
fn what_is_older_than_a_week_is_forgotten_and_memory_is_bounded() {
    let mut history = History::new(at(0));
    let states = [State::Up, State::Down];
    for step in 0..30 * 24 * 60 {
        history.record_change(&change(
            step * 60,
            step * 60,
            states[step as usize % 2],
            states[(step as usize + 1) % 2],
        ));
    }
    assert_eq!(history.spans.len(), MOST_SPANS);
    let later = 60 * 24 * 3600;
    history.record_change(&change(later, later, State::Up, State::Down));
    assert_eq!(spans(&history), [(State::Up, 2_591_940), (State::Down, later)]);
}

#[test]
fn an_earlier_run_is_recalled_before_this_one() {
    let mut now = History::new(at(1800));
    let edge = Edge { earliest: None, latest: at(5) };
    let span = |state, from| StateSpan { state, from, edge, darknesses: Darknesses::default() };
    let mut earlier = History::empty();
    earlier.push_span(span(State::Up, at(5)));
    earlier.push_span(span(State::Unknown, at(1700)));
    // It may come when this run knows something already. What was unknown goes on to be.
    now.record_change(&change(1806, 1804, State::Unknown, State::Up));
    now.recall(earlier);
    assert_eq!(spans(&now), [(State::Up, 5), (State::Unknown, 1700), (State::Up, 1804)]);
    // Of nothing, nothing is changed.
    let before = now.clone();
    let mut nothing = History::empty();
    std::mem::swap(&mut now, &mut nothing);
    now.recall(nothing);
    assert_eq!(now, before);
}

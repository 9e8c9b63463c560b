//! A timeline for a terminal: two rows for each scope, truth above verdict, one letter for each
//! period, and an axis.

use super::Simulation;
use lifesign_core::{
    judge::{Edge, State},
    scopes::{BlockId, CountryId, NetworkId, Roster, Scope},
    time::Time,
};
use lifesign_incident::{Columns, Timeline};
use std::{fmt::Write as _, time::Duration};

/// Letters in a row.
const WIDTH: usize = 96;

/// A state's letter, and its colour (ECMA-48 SGR).
const fn letter(state: State) -> (char, u8) {
    match state {
        State::Up => ('.', 32),
        State::Degraded => ('d', 33),
        State::Partial => ('p', 35),
        State::Down => ('x', 91),
        State::Flapping => ('~', 36),
        State::Outage => ('#', 31),
        State::Unknown => ('?', 90),
    }
}

/// Draws countries, their networks and as many of each one's blocks as given, over the time
/// simulated since `start`.
pub fn timeline(simulation: &Simulation, start: Time, most_blocks: usize, colour: bool) -> String {
    let roster = simulation.watch().roster().clone();
    let columns = Columns { from: start, to: simulation.now(), count: WIDTH };
    let mut text = String::new();
    for (id, country) in (0..).map(CountryId).zip(&roster.countries) {
        let networks = country.networks.clone().map(|id| Scope::Network(NetworkId(id)));
        let blocks = country.blocks.clone().take(most_blocks).map(|id| Scope::Block(BlockId(id)));
        for scope in std::iter::once(Scope::Country(id)).chain(networks).chain(blocks) {
            scope_rows(&mut text, simulation, &roster, scope, &columns, colour);
        }
        let hidden = country.blocks.len().saturating_sub(most_blocks);
        if hidden > 0 {
            let _ = writeln!(text, "{:>18} ({hidden} more blocks)", "");
        }
    }
    axis(&mut text, &columns);
    text
}

fn scope_rows(
    text: &mut String,
    simulation: &Simulation,
    roster: &Roster,
    scope: Scope,
    columns: &Columns,
    colour: bool,
) {
    let truth = simulation.truth().state_spans(scope);
    let truth = truth.iter().map(|span| (span.from, span.state)).collect();
    let verdicts = simulation.verdicts(scope);
    let name = roster.name_of(scope);
    for (name, row, states) in [(name.as_str(), "truth", truth), ("", "verdict", verdicts)] {
        let _ = write!(text, "{name:>18} {row:<7} ");
        let mut last = None;
        for state in shown(&states, columns) {
            let (letter, code) = letter(state);
            if colour && last != Some(code) {
                let _ = write!(text, "\x1b[{code}m");
                last = Some(code);
            }
            text.push(letter);
        }
        text.push_str(if colour { "\x1b[0m\n" } else { "\n" });
    }
}

/// What each column shows of states that begin at these times, in order. Unknown it is only if that
/// fills the column.
fn shown(states: &[(Time, State)], columns: &Columns) -> Vec<State> {
    let mut timeline = Timeline::default();
    for &(from, state) in states {
        let known = (state != State::Unknown).then_some((state, Edge::default()));
        timeline.set(from, Time::NEVER, known);
    }
    let columns = timeline.columns(columns).into_iter();
    columns.map(|column| column.map_or(State::Unknown, |column| column.state)).collect()
}

fn axis(text: &mut String, columns: &Columns) {
    const TICKS: usize = 6;
    let _ = write!(text, "{:>27}", "");
    for tick in 0..TICKS {
        let at = columns.begin(tick * WIDTH / TICKS).to_string();
        let is_long = columns.length() > Duration::from_secs(86_400);
        let label = if is_long { &at[5..16] } else { &at[11..19] };
        let _ = write!(text, "|{label:<15}");
    }
    let legend = State::ALL.map(|state| format!("{} {state}", letter(state).0)).join("  ");
    let _ = writeln!(text, "\n{:>27}{legend}", "");
    let _ = writeln!(
        text,
        "{:>27}each letter is the gravest state of its part of the time, or ~ where it flapped, \
         unless # fills over half",
        ""
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scenario;

    fn at(seconds: u64) -> Time {
        Time::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn a_flapping_is_shown_unless_an_outage_lasts_longer_than_half_of_the_column() {
        use State::{Down, Flapping, Outage, Unknown, Up};
        let flapped = [(0, Up), (10, Flapping), (40, Outage), (90, Flapping)];
        let blind = [(0, Unknown), (50, Up)];
        let dark = [(0, Up), (98, Down)];
        for (states, to, wanted) in [
            (&flapped[..], 100, Flapping),
            (&flapped, 99, Outage),
            (&flapped, 50, Flapping),
            (&blind, 50, Unknown),
            (&blind, 100, Up),
            (&dark, 100, Down),
        ] {
            let states: Vec<_> = states.iter().map(|&(from, state)| (at(from), state)).collect();
            let columns = Columns { from: at(0), to: at(to), count: 1 };
            assert_eq!(shown(&states, &columns), [wanted], "{states:?} {to}");
        }
    }

    #[test]
    fn the_flapping_day_of_december_2014_is_shown_as_one_and_the_darkness_after_it_as_an_outage() {
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/scenarios/december-2014.toml");
        let scenario = Scenario::load(path.as_ref()).unwrap();
        let mut simulation =
            Simulation::new(&scenario, scenario.seed, &scenario.settings(scenario.seed));
        simulation.run_until(scenario.end(), &mut |_| {});
        let text = timeline(&simulation, scenario.start, 1, false);
        let strips: Vec<&str> =
            text.lines().take(2).map(|row| row.get(27..).unwrap_or_default()).collect();
        let flapping = "~".repeat(34);
        let outage = "#".repeat(13);
        let relapses = ".......##........##..........";
        // Between the flapping and the darkness lies a calm, in which both are right.
        let truth = format!("..................x{flapping}#{outage}{relapses}");
        let verdict = format!("..................x{flapping}~{outage}{relapses}");
        assert_eq!(strips, [truth, verdict]);
    }
}

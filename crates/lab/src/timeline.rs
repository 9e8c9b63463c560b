//! A timeline for a terminal: two rows for each scope, truth above verdict, one letter for each
//! period, and an axis.

use super::Simulation;
use lifesign_core::{
    judge::{PerState, State},
    scopes::{BlockId, CountryId, NetworkId, Roster, Scope},
    time::Time,
};
use std::{fmt::Write as _, time::Duration};

/// Letters in a row.
const WIDTH: u32 = 96;

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
    let end = simulation.now();
    let mut text = String::new();
    for (id, country) in (0..).map(CountryId).zip(&roster.countries) {
        let networks = country.networks.clone().map(|id| Scope::Network(NetworkId(id)));
        let blocks = country.blocks.clone().take(most_blocks).map(|id| Scope::Block(BlockId(id)));
        for scope in std::iter::once(Scope::Country(id)).chain(networks).chain(blocks) {
            scope_rows(&mut text, simulation, &roster, scope, (start, end), colour);
        }
        let hidden = country.blocks.len().saturating_sub(most_blocks);
        if hidden > 0 {
            let _ = writeln!(text, "{:>18} ({hidden} more blocks)", "");
        }
    }
    axis(&mut text, start, end);
    text
}

fn scope_rows(
    text: &mut String,
    simulation: &Simulation,
    roster: &Roster,
    scope: Scope,
    (start, end): (Time, Time),
    colour: bool,
) {
    let truth = simulation.truth().state_spans(scope);
    let truth = truth.iter().map(|span| (span.from, span.state)).collect();
    let verdicts = simulation.verdicts(scope);
    let name = roster.name_of(scope);
    for (name, row, states) in [(name.as_str(), "truth", truth), ("", "verdict", verdicts)] {
        let _ = write!(text, "{name:>18} {row:<7} ");
        let mut last = None;
        for column in 0..WIDTH {
            let from = column_start(start, end, column);
            let to = column_start(start, end, column + 1);
            let (letter, code) = letter(shown(&states, from, to));
            if colour && last != Some(code) {
                let _ = write!(text, "\x1b[{code}m");
                last = Some(code);
            }
            text.push(letter);
        }
        text.push_str(if colour { "\x1b[0m\n" } else { "\n" });
    }
}

fn column_start(start: Time, end: Time, column: u32) -> Time {
    start + (end.since(start) / WIDTH) * column
}

/// The gravest state of a period, so that a short darkness is not lost; `unknown` only if it fills
/// the period. What flapped is in outage only if that lasted longer than half of the period.
/// `states` is sorted by the time at which each begins.
fn shown(states: &[(Time, State)], from: Time, to: Time) -> State {
    let first = states.partition_point(|state| state.0 <= from).max(1) - 1;
    let mut lasted = PerState::<Duration>::default();
    for (index, &(begin, state)) in states.iter().enumerate().skip(first) {
        if begin >= to {
            break;
        }
        let end = states.get(index + 1).map_or(to, |next| next.0.min(to));
        lasted[state] += end.since(begin.max(from));
    }
    let flapped = !lasted[State::Flapping].is_zero();
    if flapped && lasted[State::Outage] * 2 <= to.since(from) {
        return State::Flapping;
    }
    let is_seen = |state: &State| *state != State::Unknown && !lasted[*state].is_zero();
    State::ALL.into_iter().filter(is_seen).max().unwrap_or(State::Unknown)
}

fn axis(text: &mut String, start: Time, end: Time) {
    const TICKS: u32 = 6;
    let _ = write!(text, "{:>27}", "");
    for tick in 0..TICKS {
        let at = column_start(start, end, tick * WIDTH / TICKS).to_string();
        let label =
            if end.since(start) > Duration::from_secs(86_400) { &at[5..16] } else { &at[11..19] };
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
            assert_eq!(shown(&states, at(0), at(to)), wanted, "{states:?} {to}");
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

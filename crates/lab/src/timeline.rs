//! A timeline for a terminal: two rows for each scope, truth above verdict, one letter for each
//! period, and an axis.

use super::Simulation;
use lifesign_core::{
    judge::State,
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
            let (letter, code) = letter(gravest(&states, from, to));
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
/// the period. `states` is sorted by the time at which each begins.
fn gravest(states: &[(Time, State)], from: Time, to: Time) -> State {
    let first = states.partition_point(|state| state.0 <= from).max(1) - 1;
    let within = states[first..].iter().take_while(|state| state.0 < to).map(|state| state.1);
    within.filter(|&state| state != State::Unknown).max().unwrap_or(State::Unknown)
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
    let _ = writeln!(text, "{:>27}each letter is the gravest state of its part of the time", "");
}

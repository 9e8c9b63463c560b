//! A picture for a terminal. In: the truth and the verdicts of a simulation. Out: two rows per
//! scope, truth above verdict, a letter for each stretch of time, an axis. It never decides which
//! of them is right.

use super::Simulation;
use lifesign_core::{
    judge::State,
    scopes::{BlockId, CountryId, Roster, Scope},
    time::Time,
};
use std::{fmt::Write as _, time::Duration};

/// Letters in a row.
const WIDTH: u32 = 96;

/// One letter per state, in the order of [`State::ALL`], and its colour (ECMA-48 SGR).
const LETTERS: [(char, u8); 7] =
    [('.', 32), ('d', 33), ('p', 35), ('x', 91), ('~', 36), ('#', 31), ('?', 90)];

/// Draws countries and as many of each one's blocks as given, over the time simulated since
/// `start`.
pub fn timeline(simulation: &Simulation, start: Time, most_blocks: usize, colour: bool) -> String {
    let roster = simulation.watch().roster().clone();
    let end = simulation.now();
    let mut picture = String::new();
    for (number, country) in roster.countries.iter().enumerate() {
        let blocks = country.blocks.clone().take(most_blocks).map(|id| Scope::Block(BlockId(id)));
        for scope in std::iter::once(Scope::Country(CountryId(number as u32))).chain(blocks) {
            scope_rows(&mut picture, simulation, &roster, scope, (start, end), colour);
        }
        let hidden = country.blocks.len().saturating_sub(most_blocks);
        if hidden > 0 {
            let _ = writeln!(picture, "{:>18} ({hidden} more blocks)", "");
        }
    }
    axis(&mut picture, start, end);
    picture
}

fn scope_rows(
    picture: &mut String,
    simulation: &Simulation,
    roster: &Roster,
    scope: Scope,
    (start, end): (Time, Time),
    colour: bool,
) {
    let truth =
        simulation.truth().spells(scope).iter().map(|spell| (spell.from, spell.state)).collect();
    let verdicts = simulation.verdicts(scope);
    let name = roster.name_of(scope);
    for (name, what, stays) in [(name.as_str(), "truth", truth), ("", "verdict", verdicts)] {
        let _ = write!(picture, "{name:>18} {what:<7} ");
        let mut last = None;
        for column in 0..WIDTH {
            let (from, to) = (column_at(start, end, column), column_at(start, end, column + 1));
            let (letter, shade) = LETTERS[shown(&stays, from, to) as usize];
            if colour && last != Some(shade) {
                let _ = write!(picture, "\x1b[{shade}m");
                last = Some(shade);
            }
            picture.push(letter);
        }
        picture.push_str(if colour { "\x1b[0m\n" } else { "\n" });
    }
}

fn column_at(start: Time, end: Time, column: u32) -> Time {
    start + (end.since(start) / WIDTH) * column
}

/// The gravest state of a stretch, so that a short darkness is not lost; `unknown` only if it fills
/// it.
fn shown(stays: &[(Time, State)], from: Time, to: Time) -> State {
    let first = stays.partition_point(|stay| stay.0 <= from).max(1) - 1;
    let within = stays[first..].iter().take_while(|stay| stay.0 < to).map(|stay| stay.1);
    within.filter(|&state| state != State::Unknown).max().unwrap_or(State::Unknown)
}

fn axis(picture: &mut String, start: Time, end: Time) {
    const TICKS: u32 = 6;
    let _ = write!(picture, "{:>27}", "");
    for tick in 0..TICKS {
        let at = column_at(start, end, tick * WIDTH / TICKS).to_string();
        let label =
            if end.since(start) > Duration::from_secs(86_400) { &at[5..16] } else { &at[11..19] };
        let _ = write!(picture, "|{label:<15}");
    }
    let _ = writeln!(
        picture,
        "\n{:>27}. up  d degraded  p partial  x down  ~ flapping  # outage  ? unknown",
        ""
    );
}

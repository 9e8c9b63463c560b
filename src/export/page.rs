//! The page for people. In: a snapshot. Out: HTML that needs no script, fits a telephone, and tells states by
//! word and sign as well as by colour. It never shows a text from outside unescaped (maud escapes them all).

use crate::{
    clock::Time,
    judge::{Edge, State},
    watch::{BlockView, Counts, ScopeView, Snapshot, WindowView},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The whole page. It asks for itself again every ten seconds.
pub fn of(snapshot: &Snapshot, vantage: &str) -> Markup {
    let roster = &snapshot.roster;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="refresh" content="10";
                title { "lifesign: " (vantage) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "lifesign" }
                    p { "Seen from " b { (vantage) } " at " (written(snapshot, snapshot.time)) ". "
                        "Watching since " (written(snapshot, snapshot.started)) "." }
                    (ourselves(snapshot))
                }
                @for (country, view) in roster.countries.iter().zip(&snapshot.countries) {
                    section {
                        h2 { (country.name) " (" (country.code) ") " (sign(view.standing.state)) }
                        table {
                            thead { tr { @for title in COLUMNS { th scope="col" { (title) } } } }
                            tbody {
                                (row(snapshot, &country.code, view, None))
                                @for number in country.blocks.clone() {
                                    @let block = &snapshot.blocks[number as usize];
                                    @let name = roster.blocks[number as usize].prefix.to_string();
                                    (row(snapshot, &name, &block.scope, Some(block)))
                                }
                            }
                        }
                    }
                }
                footer { a href="/metrics" { "metrics" } " · " a href="/api/v1/state" { "JSON" } }
            }
        }
    }
}

const COLUMNS: [&str; 7] = [
    "scope",
    "state",
    "since",
    "loss 1m / 5m / 1h",
    "median rtt 1m / 5m / 1h",
    "sent / answered / failed",
    "evidence",
];

/// What may be wrong with us rather than with them.
fn ourselves(snapshot: &Snapshot) -> Markup {
    html! {
        @if snapshot.blind {
            p.blind role="alert" { b { "We are blind" } ": our own network fails, so nothing is called down." }
        }
        p { "Blind " (snapshot.blind_spells) " times so far, " (format!("{:.0}", snapshot.blind_seconds))
            " s in all. Controls: "
            @if snapshot.controls.is_empty() { "none" }
            @for (i, control) in snapshot.controls.iter().enumerate() {
                @if i > 0 { ", " }
                (control.address) " " @if control.up { "answers" } @else { b { "is silent" } }
                " (" (control.silent) " of " (control.asked) " unanswered)"
            }
            "." }
    }
}

fn row(snapshot: &Snapshot, name: &str, view: &ScopeView, block: Option<&BlockView>) -> Markup {
    let kinds = block.iter().flat_map(|block| block.kinds.iter().flatten());
    let sum = |of: fn(&Counts) -> u64| kinds.clone().map(|kind| of(&kind.counts)).sum::<u64>();
    let counts = [sum(|c| c.sent), sum(|c| c.reply + c.refused + c.late), sum(|c| c.lost + c.unreachable)];
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let milliseconds = |seconds: f64| format!("{:.1} ms", seconds * 1e3);
    let cells = [
        since(snapshot, view.standing.edge),
        windows(view, |window| window.loss.map(percent)),
        windows(view, |window| window.median.map(milliseconds)),
        block.map_or_else(String::new, |_| counts.map(|count| count.to_string()).join(" / ")),
        view.standing.evidence.clone(),
    ];
    html! {
        tr {
            th scope="row" { (name) }
            td data-title=(COLUMNS[1]) { (sign(view.standing.state)) }
            @for (title, cell) in COLUMNS[2..].iter().zip(cells) { td data-title=(title) { (cell) } }
        }
    }
}

fn windows(view: &ScopeView, value: impl Fn(&WindowView) -> Option<String>) -> String {
    view.windows.each_ref().map(|window| value(window).unwrap_or_else(|| "–".into())).join(" / ")
}

fn since(snapshot: &Snapshot, edge: Edge) -> String {
    let latest = written(snapshot, edge.latest);
    match edge.earliest {
        Some(earliest) => format!("between {} and {latest}", written(snapshot, earliest)),
        None => format!("before {latest}"),
    }
}

fn written(snapshot: &Snapshot, time: Time) -> String {
    time.shifted(snapshot.wall_offset).to_string()
}

fn sign(state: State) -> Markup {
    let shape = match state {
        State::Up => "●",
        State::Degraded => "◐",
        State::Partial => "◔",
        State::Down => "▼",
        State::Flapping => "≈",
        State::Outage => "✖",
        State::Unknown => "?",
    };
    html! { span class={ "state " (state.label()) } { (shape) " " (state.label()) } }
}

const STYLE: &str = "
:root { color-scheme: light dark; --good: #17692f; --poor: #8a5200; --bad: #b3140f; --dull: #5c5c5c }
@media (prefers-color-scheme: dark) { :root { --good: #6fcf87; --poor: #f0b24a; --bad: #ff8078; --dull: #aaa } }
body { font: 1rem/1.4 system-ui, sans-serif; margin: 1rem; max-width: 90rem }
h1 { font-size: 1.3rem } h2 { font-size: 1.1rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; vertical-align: top }
.state { font-weight: bold; white-space: nowrap }
.up { color: var(--good) } .degraded, .partial, .flapping { color: var(--poor) }
.down, .outage { color: var(--bad) } .unknown { color: var(--dull) }
.blind { border: 2px solid var(--bad); padding: .5rem }
@media (max-width: 50rem) {
  thead { display: none } tr, th, td { display: block } tr { margin-bottom: 1rem } td { border: 0 }
  td::before { content: attr(data-title) ': '; color: var(--dull) } td:empty { display: none }
}
";

//! What others said, below our timeline: a lane for each of them.

use super::ReportData;
use lifesign_core::time::Time;
use lifesign_incident::Statement;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// So many lanes are drawn.
const MOST_LANES: usize = 12;

impl ReportData {
    /// What others said of the country, of which that in the report's time is drawn too.
    pub fn add_statements(&mut self, statements: impl IntoIterator<Item = Statement>) {
        let is_shown = |statement: &Statement| {
            let ends_late = statement.end.is_none_or(|end| end >= self.since);
            ends_late && statement.begin < self.until
        };
        let mut shown: Vec<_> = statements.into_iter().filter(is_shown).collect();
        shown.sort_by_key(|statement| statement.begin);
        self.statements = shown;
    }

    /// A time as a share of the timeline, in per cent.
    fn percent(&self, time: Time) -> f64 {
        let (from, to) = (self.columns.from, self.columns.to);
        let share = time.since(from).as_secs_f64() / to.since(from).as_secs_f64().max(1e-9);
        (share * 100.0).clamp(0.0, 100.0)
    }
}

pub(super) fn others(data: &ReportData) -> Markup {
    let mut lanes: BTreeMap<&str, Vec<&Statement>> = BTreeMap::new();
    for statement in &data.statements {
        lanes.entry(&statement.who).or_default().push(statement);
    }
    html! {
        @if !lanes.is_empty() {
            h3 { "What others said" }
            div.lanes {
                @for (who, statements) in lanes.iter().take(MOST_LANES) {
                    span { (who) }
                    (lane(data, who, statements))
                }
            }
            @if let Some(more) = lanes.len().checked_sub(MOST_LANES).filter(|&more| more > 0) {
                p { "And " (more) " more." }
            }
        }
    }
}

fn lane(data: &ReportData, who: &str, statements: &[&Statement]) -> Markup {
    let told: Vec<_> = statements.iter().map(|statement| statement.told()).collect();
    let description = format!("{who}: {}", told.join("; "));
    html! {
        svg.others role="img" aria-label=(description) {
            @for (statement, told) in statements.iter().zip(&told) {
                @let from = data.percent(statement.begin);
                @let to = data.percent(statement.end.unwrap_or(data.until));
                // What is shorter than a hair is seen all the same.
                @let width = (to - from).max(0.15);
                rect x=(format!("{from:.2}%")) width=(format!("{width:.2}%")) height="100%" {
                    title { (told) }
                }
            }
        }
    }
}

//! The `[[maintenance]]` tables of the plan: when which scope is expected not to be reachable.

use lifesign_core::scopes::{Maintenance, Roster, Scope};
use lifesign_document::{Table, label, nearest};

/// Each costs a little at every reading; more would be a calendar.
const MAX_WINDOWS: usize = 256;
/// Of so many scopes at most the nearest name is looked for.
const MAX_NAMED: usize = 1000;

/// Call it once all scopes have been read.
pub(super) fn maintenance(root: Table<'_>, roster: &Roster) -> Vec<(Scope, Maintenance)> {
    let tables = root.tables("maintenance", "maintenance");
    if tables.len() > MAX_WINDOWS {
        let count = tables.len();
        tables[MAX_WINDOWS].note(&format!("{count} windows are too many; {MAX_WINDOWS} at most"));
    }
    tables.into_iter().take(MAX_WINDOWS).filter_map(|table| window(table, roster)).collect()
}

fn window(table: Table<'_>, roster: &Roster) -> Option<(Scope, Maintenance)> {
    table.only(&["scope", "from", "to", "reason"]);
    let example = "2026-03-01T02:00:00Z";
    let scope = table.need("scope", "\"KP\"").and_then(|value| {
        let want = "a country's code, a prefix, or a network such as \"KP/Star JV\"";
        value.parsed(want, |name| scope(name, roster))
    });
    let from = table.need("from", example).and_then(|value| value.moment(str::parse));
    let end = table.need("to", example);
    let to = end.and_then(|value| value.moment(str::parse));
    let reason = table.get("reason").and_then(|value| label(value, "what is done, in a few words"));
    let window = Maintenance { from: from?, to: to?, reason: reason.map(str::to_owned) };
    if window.to <= window.from {
        let when = if window.to == window.from { "when" } else { "before" };
        end?.note(&format!("the window ends {when} it begins; write a time after {}", window.from));
    }
    Some((scope?, window))
}

/// From the top down, since countries and networks are few.
fn scope(name: &str, roster: &Roster) -> Result<Scope, String> {
    roster.scope_named(name).ok_or_else(|| {
        let names = roster.scopes().rev().take(MAX_NAMED).map(|scope| roster.full_name_of(scope));
        let meant = nearest(name, names).map(|name| format!("; did you mean {name:?}?"));
        let meant = meant.unwrap_or_default();
        format!("{name:?} is no country, network or prefix of this plan{meant}")
    })
}

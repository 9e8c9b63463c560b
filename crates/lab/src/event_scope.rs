//! What an event is on: names of the file become indices of the roster.

use lifesign_core::scopes::{Host, Roster, Scope};
use lifesign_document::Value;

/// What an event affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum EventScope {
    /// Our own network or machine.
    Us,
    /// One control.
    Control(u16),
    Country(u32),
    Block(u32),
    /// The host whose first target this is.
    Host(u32),
}

const SCOPES: &str = "\"us\", \"controls\", country codes, prefixes or hosts, apart by spaces";

/// The scopes that a value names, apart by spaces.
pub(super) fn scopes(value: Value<'_>, roster: &Roster, controls: u16) -> Vec<EventScope> {
    let Some(text) = value.text(SCOPES) else { return Vec::new() };
    if text.trim().is_empty() {
        value.note("\"on\" names nothing; write on = \"KP\"");
    }
    let named = text.split_whitespace().flat_map(|name| {
        let found = find(name, roster, controls);
        if found.is_empty() {
            value.note(&format!(
                "{name:?} is neither \"us\" nor \"controls\", a country, prefix or host of this \
                 file; write one of these"
            ));
        }
        found
    });
    named.collect()
}

fn find(name: &str, roster: &Roster, controls: u16) -> Vec<EventScope> {
    if name == "controls" {
        return (0..controls).map(EventScope::Control).collect();
    }
    find_one(name, roster, controls).into_iter().collect()
}

fn find_one(name: &str, roster: &Roster, controls: u16) -> Option<EventScope> {
    if name == "us" {
        return Some(EventScope::Us);
    }
    if let Some(number) = name.strip_prefix("control/") {
        let number = number.parse().ok().filter(|number| (1..=controls).contains(number))?;
        return Some(EventScope::Control(number - 1));
    }
    if let Ok(address) = name.parse() {
        let host = Host::Address(address);
        return roster
            .targets
            .iter()
            .position(|target| target.host == host)
            .map(|index| EventScope::Host(index as u32));
    }
    match roster.scope_named(name)? {
        Scope::Country(id) => Some(EventScope::Country(id.0)),
        Scope::Block(id) => Some(EventScope::Block(id.0)),
        Scope::Network(_) => None,
    }
}

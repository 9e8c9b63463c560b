//! What scopes are called in the store, where one text must name one scope.

use lifesign_core::scopes::{Roster, Scope};

/// What a scope is called in the store: its prefix or country code, or, as in `KP/Star JV`, its
/// country's code and its name, since a network's name is its own in one country only. A code has no
/// dot and no colon, so that no prefix looks like this.
pub(super) fn stored_name(roster: &Roster, scope: Scope) -> String {
    let name = roster.name_of(scope);
    match scope {
        Scope::Block(_) | Scope::Country(_) => name,
        Scope::Network(_) => format!("{}/{name}", roster.country_of(scope).code),
    }
}

/// The name of the network that the store calls so; None if it is no network.
pub(super) fn network_name<'a>(country: &str, scope: &'a str) -> Option<&'a str> {
    scope.strip_prefix(country)?.strip_prefix('/')
}

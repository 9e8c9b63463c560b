//! What scopes are called in the store, where one text must name one scope: by their full name in
//! the roster.

/// The name of the network that the store calls so; None if it is no network.
pub(super) fn network_name<'a>(country: &str, scope: &'a str) -> Option<&'a str> {
    scope.strip_prefix(country)?.strip_prefix('/')
}

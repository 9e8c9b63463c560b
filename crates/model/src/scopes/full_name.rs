//! Full names of scopes: one text names one scope, wherever there are no ids: in the store, in the
//! API and on the command line. It is made and taken apart here alone.

use super::{Level, Roster, Scope};
use std::{collections::HashMap, fmt};

/// A full name, of a scope in a known country: the country's code, a block's prefix, or, as in
/// `KP/Star JV`, a country's code and a network's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FullName<'a> {
    country: &'a str,
    text: &'a str,
}

impl<'a> FullName<'a> {
    /// Of this country's code and this full name.
    pub const fn new(country: &'a str, text: &'a str) -> Self {
        Self { country, text }
    }

    /// The level of the scope.
    pub fn level(self) -> Level {
        match self.network() {
            _ if self.text == self.country => Level::Country,
            Some(_) => Level::Network,
            None => Level::Block,
        }
    }

    /// The name of the network; None if it is none. A code has no slash, and no prefix begins with
    /// one.
    pub fn network(self) -> Option<&'a str> {
        self.text.strip_prefix(self.country)?.strip_prefix('/')
    }

    /// What people call the scope beside its country: the network's name, else the full name.
    pub fn name(self) -> &'a str {
        self.network().unwrap_or(self.text)
    }
}

/// As people read it: `KP`, `KP Star JV`, `KP 175.45.176.0/24`.
impl fmt::Display for FullName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.level() {
            Level::Country => f.write_str(self.country),
            Level::Network | Level::Block => write!(f, "{} {}", self.country, self.name()),
        }
    }
}

impl Roster {
    /// The scope of this full name.
    pub fn scope_named(&self, name: &str) -> Option<Scope> {
        let prefix = name.parse().ok();
        self.scopes().find(|&scope| match scope {
            Scope::Block(id) => Some(self.block(id).prefix) == prefix,
            Scope::Country(id) => self.country(id).code == name,
            Scope::Network(id) => {
                let name = FullName::new(&self.country_of(scope).code, name);
                name.network() == Some(&*self.network(id).name)
            }
        })
    }

    /// All scopes by their full names, for who looks up many.
    pub fn by_full_name(&self) -> HashMap<String, Scope> {
        self.scopes().map(|scope| (self.full_name_of(scope), scope)).collect()
    }

    /// The full name of a scope.
    pub fn full_name_of(&self, scope: Scope) -> String {
        let name = self.name_of(scope);
        match scope {
            Scope::Block(_) | Scope::Country(_) => name,
            Scope::Network(_) => format!("{}/{name}", self.country_of(scope).code),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scopes::tests::networks_of_one_name as roster;

    #[test]
    fn each_scope_is_found_by_its_full_name_and_nothing_else_is() {
        let roster = roster();
        for scope in roster.scopes() {
            let name = roster.full_name_of(scope);
            assert_eq!(roster.scope_named(&name), Some(scope));
            assert_eq!(roster.by_full_name().get(&name), Some(&scope));
        }
        for name in ["", "K", "kp", "KP/", "KP/Star", "Star/JV", "192.0.2.0/25", "192.0.2.1"] {
            assert_eq!(roster.scope_named(name), None, "{name}");
        }
    }

    #[test]
    fn a_full_name_is_taken_apart_as_it_was_made() {
        let roster = roster();
        for scope in roster.scopes() {
            let text = roster.full_name_of(scope);
            let name = FullName::new(&roster.country_of(scope).code, &text);
            assert_eq!((name.level(), name.name()), (scope.level(), &*roster.name_of(scope)));
        }
        for (text, told) in [
            ("KP", "KP"),
            ("KP/Star/JV", "KP Star/JV"),
            ("192.0.2.0/24", "KP 192.0.2.0/24"),
            ("KPX", "KP KPX"),
        ] {
            assert_eq!(FullName::new("KP", text).to_string(), told);
        }
    }
}

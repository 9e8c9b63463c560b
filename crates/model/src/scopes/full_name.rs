//! Full names of scopes: one text names one scope, wherever there are no ids: in the store, in the
//! API and on the command line. It is made and taken apart here alone; and what people write for it
//! is understood here alone.

use super::{Level, Prefix, Roster, Scope};
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

/// A scope as somebody calls it: by its full name, in whatever case and notation; or a network by
/// its number, as `as64500` or `KP/as64500`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalledScope {
    prefix: Option<Prefix>,
    /// In lower case; of a prefix, as it is written in full names.
    text: String,
}

impl CalledScope {
    /// Whatever is called so.
    pub fn new(text: &str) -> Self {
        let prefix: Option<Prefix> = text.parse().ok();
        let text = prefix.map_or_else(|| text.to_lowercase(), |prefix| prefix.to_string());
        Self { prefix, text }
    }

    /// Is this its full name?
    pub fn is(&self, name: FullName<'_>) -> bool {
        name.text.to_lowercase() == self.text
    }

    /// Is it the network of this full name, by its number?
    pub fn is_number_of(&self, name: FullName<'_>, asn: Option<u32>) -> bool {
        let (country, number) = match self.text.split_once('/') {
            Some((country, number)) => (Some(country), number),
            None => (None, &*self.text),
        };
        country.is_none_or(|country| name.country.eq_ignore_ascii_case(country))
            && name.network().is_some()
            && number.strip_prefix("as").is_some_and(|number| number.parse().ok() == asn)
            && asn.is_some()
    }
}

impl Roster {
    /// The scope that is called so ([`CalledScope`]). A number that several networks have names
    /// none of them.
    pub fn scope_named(&self, name: &str) -> Option<Scope> {
        let called = CalledScope::new(name);
        let of_network = |scope: Scope, is: &dyn Fn(FullName<'_>) -> bool| {
            is(FullName::new(&self.country_of(scope).code, &self.full_name_of(scope)))
        };
        let named = self.scopes().find(|&scope| match scope {
            Scope::Block(id) => Some(self.block(id).prefix) == called.prefix,
            Scope::Country(id) => self.country(id).code.eq_ignore_ascii_case(name),
            Scope::Network(_) => of_network(scope, &|name| called.is(name)),
        });
        let by_number = || {
            let mut found = self.scopes().filter(|&scope| match scope {
                Scope::Network(id) => {
                    let asn = self.network(id).asn;
                    of_network(scope, &|name| called.is_number_of(name, asn))
                }
                Scope::Block(_) | Scope::Country(_) => false,
            });
            found.next().filter(|_| found.next().is_none())
        };
        named.or_else(by_number)
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
        for name in ["", "K", "KP/", "KP/Star", "Star/JV", "192.0.2.0/25", "192.0.2.1", "as"] {
            assert_eq!(roster.scope_named(name), None, "{name}");
        }
    }

    #[test]
    fn the_case_does_not_matter_and_a_network_has_a_number_too() {
        let mut roster = Roster::default();
        for code in ["KP", "XA"] {
            roster.add_country(code, "");
            roster.add_network("Ånga JV", Some(64_500));
            roster.add_block(format!("2001:db8:{}::/48", code.len()).parse().expect("a prefix"));
        }
        roster.add_network("as64501", Some(64_502));
        roster.add_network("Other", Some(64_501));
        let called = |name: &str| roster.scope_named(name).map(|scope| roster.full_name_of(scope));
        for (name, wanted) in [
            ("kp", "KP"),
            ("kp/ånga jv", "KP/Ånga JV"),
            ("2001:DB8:0002:0::/48", "2001:db8:2::/48"),
            ("KP/AS64500", "KP/Ånga JV"),
            ("xa/as64500", "XA/Ånga JV"),
            ("as64502", "XA/as64501"),
            ("XA/as64501", "XA/as64501"),
            ("as64501", "XA/Other"),
        ] {
            assert_eq!(called(name).as_deref(), Some(wanted), "{name}");
        }
        for name in ["as64500", "AS", "asx", "XB/as64500", "64501"] {
            assert_eq!(called(name), None, "{name}");
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

//! Addresses of pages: which one is asked for, and links to others. All links are relative, so that
//! the pages also work below a path of a reverse proxy.

use crate::query::{Query, decoded, encoded};
use lifesign_core::scopes::{CountryId, Roster, Scope};

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// All countries.
    Overview,
    /// What the words mean.
    Meaning,
    /// A country, a network or a block.
    Scope(Scope),
    /// An incident of a scope, by its id.
    Incident(Scope, String),
    /// The incidents of a country as a feed.
    Feed(CountryId),
    /// A scope's state as a small picture.
    Badge(Scope),
}

impl Page {
    /// The scope that it is about.
    pub fn scope(&self) -> Option<Scope> {
        match *self {
            Self::Overview | Self::Meaning => None,
            Self::Feed(country) => Some(Scope::Country(country)),
            Self::Scope(scope) | Self::Incident(scope, _) | Self::Badge(scope) => Some(scope),
        }
    }

    /// Its media type.
    pub const fn media_type(&self) -> &'static str {
        match self {
            Self::Feed(_) => "application/atom+xml; charset=utf-8",
            Self::Badge(_) => "image/svg+xml",
            Self::Overview | Self::Meaning | Self::Scope(_) | Self::Incident(..) => {
                "text/html; charset=utf-8"
            }
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Which page.
    pub page: Page,
    /// How much of it.
    pub query: Query,
    /// How many folders deep it is.
    depth: usize,
}

impl Address {
    /// Of a page at this path, which begins with a slash; None if there is no such page.
    pub fn find(path: &str, query: Query, roster: &Roster) -> Option<Self> {
        let parts: Vec<String> = path.split('/').skip(1).map(decoded).collect();
        let depth = parts.len().saturating_sub(1);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let page = match parts[..] {
            [""] => Page::Overview,
            ["-", "meaning"] => Page::Meaning,
            [ref of @ .., "incident", id] => Page::Incident(scope_at(of, roster)?, id.to_owned()),
            [ref of @ .., "badge.svg"] => Page::Badge(scope_at(of, roster)?),
            [code, "feed.atom"] => match scope_at(&[code], roster)? {
                Scope::Country(id) => Page::Feed(id),
                Scope::Network(_) | Scope::Block(_) => return None,
            },
            ref of => Page::Scope(scope_at(of, roster)?),
        };
        Some(Self { page, query, depth })
    }

    /// The path of the page of the scope that it is about, below the root.
    pub fn path_of_scope(&self, roster: &Roster) -> Option<String> {
        self.page.scope().map(|scope| path_of(roster, scope))
    }

    /// The path of each scope's page, below the root.
    pub fn paths(roster: &Roster) -> impl Iterator<Item = String> {
        roster.scopes().rev().map(|scope| path_of(roster, scope))
    }

    /// Up to the root of all pages.
    fn up(&self) -> String {
        "../".repeat(self.depth)
    }

    /// A link to a path below the root.
    pub(crate) fn to(&self, path: &str) -> String {
        match self.up() + path {
            here if here.is_empty() => "./".into(),
            there => there,
        }
    }

    /// A link to the page of a scope, with the range that was chosen.
    pub(crate) fn to_scope(&self, roster: &Roster, scope: Scope) -> String {
        let query = Query { range: self.query.range, hold: self.query.hold, ..Query::default() };
        self.up() + &path_of(roster, scope) + &query.text()
    }

    /// A link to an incident of a scope.
    pub(crate) fn to_incident(&self, roster: &Roster, scope: Scope, id: &str) -> String {
        format!("{}{}/incident/{}", self.up(), path_of(roster, scope), encoded(id, ""))
    }

    /// The same for all ways to write it.
    pub fn canonical(&self, roster: &Roster) -> String {
        self.with(roster, &self.query)
    }

    /// A link to the same page with another query.
    pub(crate) fn with(&self, roster: &Roster, query: &Query) -> String {
        self.to_page(roster, &self.page) + &query.text()
    }

    /// A link to a page as it is without a query.
    pub(crate) fn to_page(&self, roster: &Roster, page: &Page) -> String {
        match page {
            Page::Overview => self.to(""),
            Page::Meaning => self.to("-/meaning"),
            Page::Scope(scope) => self.up() + &path_of(roster, *scope),
            Page::Badge(scope) => format!("{}{}/badge.svg", self.up(), path_of(roster, *scope)),
            Page::Feed(id) => {
                format!("{}{}/feed.atom", self.up(), path_of(roster, Scope::Country(*id)))
            }
            Page::Incident(scope, id) => self.to_incident(roster, *scope, id),
        }
    }
}

/// The scope that these parts of a path name: `KP`, `KP/175.45.176.0/24`, `KP/as131279`,
/// `KP/Star JV`. The case of letters does not matter.
fn scope_at(parts: &[&str], roster: &Roster) -> Option<Scope> {
    let (code, rest) = parts.split_first()?;
    let name = rest.join("/");
    let in_country = |&scope: &Scope| roster.country_of(scope).code.eq_ignore_ascii_case(code);
    if name.is_empty() {
        let is_country = |scope: &Scope| matches!(scope, Scope::Country(_));
        return roster.scopes().filter(in_country).find(is_country).filter(|_| rest.is_empty());
    }
    let of_prefix = || roster.scope_named(&name).filter(|scope| matches!(scope, Scope::Block(_)));
    let named = roster.scope_named(&format!("{code}/{name}")).or_else(of_prefix);
    named.filter(in_country)
}

/// The path of a scope's page below the root.
fn path_of(roster: &Roster, scope: Scope) -> String {
    let country = roster.country_of(scope);
    let code = encoded(&country.code, "");
    match scope {
        Scope::Country(_) => code,
        Scope::Block(_) => format!("{code}/{}", roster.name_of(scope)),
        Scope::Network(id) => {
            let network = roster.network(id);
            let namesakes = country
                .networks
                .clone()
                .filter(|&other| roster.networks[other as usize].asn == network.asn);
            match network.asn {
                Some(asn) if namesakes.count() == 1 => format!("{code}/as{asn}"),
                _ => format!("{code}/{}", encoded(&network.name, "")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::{
        scopes::{BlockId, NetworkId},
        time::Time,
    };
    use std::collections::BTreeSet;

    fn roster() -> Roster {
        let mut roster = Roster::default();
        roster.add_country("KP", "North Korea");
        roster.add_network("Star/JV", Some(131_279));
        roster.add_block("175.45.176.0/24".parse().unwrap());
        roster.add_network("Other", None);
        roster.add_block("2001:db8::/32".parse().unwrap());
        roster
    }

    #[test]
    fn every_scope_has_an_address_that_leads_to_it() {
        let roster = roster();
        for (scope, path) in [
            (Scope::Country(CountryId(0)), "KP"),
            (Scope::Network(NetworkId(0)), "KP/as131279"),
            (Scope::Network(NetworkId(1)), "KP/Other"),
            (Scope::Block(BlockId(0)), "KP/175.45.176.0/24"),
            (Scope::Block(BlockId(1)), "KP/2001:db8::/32"),
        ] {
            assert_eq!(path_of(&roster, scope), path);
            let found = Address::find(&format!("/{path}"), Query::default(), &roster).unwrap();
            assert_eq!(found.page, Page::Scope(scope));
            let lower = format!("/{}/incident/1", path.to_lowercase());
            let found = Address::find(&lower, Query::default(), &roster).unwrap();
            assert_eq!(found.page, Page::Incident(scope, "1".into()));
            assert!(found.to("style.css").ends_with("../style.css"));
        }
        let by_name = Address::find("/KP/Star%2FJV", Query::default(), &roster).unwrap();
        assert_eq!(by_name.page, Page::Scope(Scope::Network(NetworkId(0))));
        for none in ["/XX", "/KP/", "/KP/10.0.0.0/8", "/favicon.ico", "/-/", "/-/x"] {
            assert_eq!(Address::find(none, Query::default(), &roster), None, "{none}");
        }
    }

    #[test]
    fn what_is_the_same_has_one_address_and_what_is_not_has_another() {
        let roster = roster();
        let canonical = |path: &str, query: &str| {
            let query = Query::parse(query, &Query::OF_PAGES, Time::default()).unwrap();
            Address::find(path, query, &roster).unwrap().canonical(&roster)
        };
        let same =
            [("/KP", "range=6h&hold"), ("/kp", "hold&range=6h"), ("/%4bP", "&range=6h&&hold=1")];
        assert_eq!(same.map(|(path, query)| canonical(path, query)), ["KP?range=6h&hold"; 3]);
        let others = [
            "/",
            "/-/meaning",
            "/KP",
            "/KP/as131279",
            "/KP/badge.svg",
            "/KP/feed.atom",
            "/KP/as131279/badge.svg",
            "/KP/incident/2014-12-22T1614Z",
        ];
        let all: BTreeSet<String> = others.iter().map(|path| canonical(path, "")).collect();
        assert_eq!(all.len(), others.len(), "{all:?}");
    }
}

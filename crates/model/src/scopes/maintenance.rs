//! Maintenance that was announced: in which windows of time a scope is expected not to be
//! reachable. No verdict depends on it; it says which darkness was planned.

use super::{Level, Roster, Scope};
use crate::time::Time;
use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use std::fmt;

/// One window of maintenance, by the wall clock: from its first moment up to its last, which is no
/// part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// When it begins.
    pub from: Time,
    /// When it ends; later than it begins.
    pub to: Time,
    /// What is done, for people.
    pub reason: Option<String>,
}

impl Maintenance {
    /// Is it open at this time?
    pub fn is_open(&self, time: Time) -> bool {
        (self.from..self.to).contains(&time)
    }

    /// Is it open at any time from `begin` to `end`, both included?
    pub fn overlaps(&self, begin: Time, end: Time) -> bool {
        self.from <= end && begin < self.to
    }
}

/// For people: `planned: a new cable`.
impl fmt::Display for Maintenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("planned")?;
        self.reason.as_ref().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

/// With its times in RFC 3339.
impl Serialize for Maintenance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Maintenance", 3)?;
        fields.serialize_field("from", &self.from.to_string())?;
        fields.serialize_field("to", &self.to.to_string())?;
        fields.serialize_field("reason", &self.reason)?;
        fields.end()
    }
}

impl Roster {
    /// All windows, by the full name of their scope. One of a network is here once more for each of
    /// its blocks, for whoever does not know what lies in a network.
    pub fn named_maintenance(&self) -> Vec<(String, Maintenance)> {
        let windows = self.maintenance.iter().flat_map(|(scope, window)| {
            let is_network = scope.level() == Level::Network;
            let blocks = self.below(self.scope_id(*scope)).filter(move |_| is_network);
            let scopes = blocks.map(|id| self.scope(id)).chain([*scope]);
            scopes.map(|scope| (self.full_name_of(scope), window.clone()))
        });
        windows.collect()
    }

    /// The windows of a scope, and of all that it lies in.
    pub fn maintenance_of(&self, scope: Scope) -> impl Iterator<Item = &Maintenance> {
        let windows = self.maintenance.iter().filter(move |(other, _)| self.lies_in(scope, *other));
        windows.map(|(_, window)| window)
    }

    /// The window that is open for a scope at this time; if there are several, that which lasts
    /// longest.
    pub fn maintenance_at(&self, scope: Scope, time: Time) -> Option<&Maintenance> {
        self.maintenance_of(scope).filter(|window| window.is_open(time)).max_by_key(|w| w.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scopes::{BlockId, CountryId, NetworkId, tests::networks_of_one_name as roster};
    use proptest::prelude::*;

    const BLOCK: Scope = Scope::Block(BlockId(0));
    const OF_NETWORK: Scope = Scope::Block(BlockId(1));
    const NETWORK: Scope = Scope::Network(NetworkId(0));
    const COUNTRY: Scope = Scope::Country(CountryId(0));
    const OTHER: Scope = Scope::Country(CountryId(1));

    fn at(second: u64) -> Time {
        Time::from_nanos(second * 1_000_000_000)
    }

    fn window(from: u64, to: u64) -> Maintenance {
        Maintenance { from: at(from), to: at(to), reason: None }
    }

    #[test]
    fn a_window_is_open_for_its_scope_and_all_that_lies_in_it() {
        for (of, open) in [
            (COUNTRY, vec![BLOCK, OF_NETWORK, NETWORK, COUNTRY]),
            (NETWORK, vec![OF_NETWORK, NETWORK]),
            (BLOCK, vec![BLOCK]),
        ] {
            let roster = Roster { maintenance: vec![(of, window(10, 20))], ..roster() };
            let found =
                roster.scopes().filter(|&each| roster.maintenance_at(each, at(15)).is_some());
            assert_eq!(found.collect::<Vec<_>>(), open, "{of:?}");
            assert!(roster.maintenance_at(OTHER, at(15)).is_none());
        }
    }

    #[test]
    fn a_window_begins_with_its_first_moment_and_has_ended_at_its_last() {
        let windows = vec![(COUNTRY, window(10, 20)), (BLOCK, window(18, 30))];
        let roster = Roster { maintenance: windows, ..roster() };
        let until = |time| roster.maintenance_at(BLOCK, at(time)).map(|window| window.to);
        assert_eq!(
            [9, 10, 18, 29, 30].map(until),
            [None, Some(at(20)), Some(at(30)), Some(at(30)), None]
        );
        assert!(window(10, 20).overlaps(at(0), at(10)) && window(10, 20).overlaps(at(19), at(99)));
        assert!(!window(10, 20).overlaps(at(0), at(9)) && !window(10, 20).overlaps(at(20), at(99)));
    }

    proptest! {
        #[test]
        fn a_time_overlaps_a_window_just_if_it_is_open_at_some_second_of_it(
            from in 0..50_u64, length in 1..50_u64, begin in 0..100_u64, lasted in 0..50_u64,
        ) {
            let window = window(from, from + length);
            let open = (begin..=begin + lasted).any(|second| window.is_open(at(second)));
            prop_assert_eq!(window.overlaps(at(begin), at(begin + lasted)), open);
        }
    }
}

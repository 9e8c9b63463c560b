//! The tree of scopes, in rosters of every shape.

use super::{CountryId, Level, Roster, RosterMapping, Scope, ScopeId};
use proptest::prelude::*;

/// KP with a block of its own and one in a network, and a network of the same name elsewhere.
pub fn networks_of_one_name() -> Roster {
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    roster.add_block("192.0.2.0/24".parse().unwrap());
    roster.add_network("Star/JV", None);
    roster.add_block("198.51.100.0/24".parse().unwrap());
    roster.add_country("TW", "Taiwan");
    roster.add_network("Star/JV", None);
    roster.add_block("2001:db8::/48".parse().unwrap());
    roster
}

/// By country: how many blocks belong to no network, and how many to each of its networks.
fn roster(countries: &[(u32, Vec<u32>)]) -> Roster {
    let mut roster = Roster::default();
    let mut number = 0_u32;
    let mut add_blocks = |roster: &mut Roster, count: u32| {
        for _ in 0..count {
            roster
                .add_block(format!("127.{}.{}.0/24", number / 256, number % 256).parse().unwrap());
            number += 1;
        }
    };
    for (country, (direct, networks)) in countries.iter().enumerate() {
        roster.add_country(format!("C{country}"), "Country");
        add_blocks(&mut roster, *direct);
        for (network, blocks) in (0..).zip(networks) {
            roster.add_network(format!("N{network}"), Some(network + 1));
            add_blocks(&mut roster, *blocks);
        }
    }
    roster
}

fn any_countries() -> impl Strategy<Value = Vec<(u32, Vec<u32>)>> {
    let country = (0_u32..4, proptest::collection::vec(0_u32..4, 0..4));
    proptest::collection::vec(country, 0..4)
}

proptest! {
    #[test]
    fn scopes_are_a_tree_whose_children_come_before_their_parents(countries in any_countries()) {
        let roster = roster(&countries);
        let mut seen_as_child = vec![0; roster.scope_count()];
        for id in roster.scope_ids() {
            let scope = roster.scope(id);
            prop_assert_eq!(roster.scope_id(scope), id);
            prop_assert_eq!(roster.level(id), scope.level());
            for child in roster.children(id) {
                prop_assert!(child < id);
                prop_assert!(roster.level(child) < roster.level(id));
                prop_assert_eq!(roster.parent(child), Some(id));
                seen_as_child[child.index()] += 1;
            }
            let below: Vec<u32> = match scope {
                Scope::Block(block) => vec![block.0],
                Scope::Network(_) | Scope::Country(_) => roster
                    .children(id)
                    .flat_map(|child| roster.blocks_of(roster.scope(child)))
                    .collect(),
            };
            prop_assert_eq!(roster.blocks_of(scope).collect::<Vec<_>>(), below);
            let mut expected: Vec<ScopeId> = roster.scope_ids().collect();
            expected.retain(|&other| roster.path_from(other).skip(1).any(|above| above == id));
            let mut below: Vec<ScopeId> = roster.below(id).collect();
            prop_assert!(below.is_sorted_by_key(|&id| std::cmp::Reverse(roster.level(id))));
            below.sort_unstable();
            prop_assert_eq!(below, expected);
            if let Scope::Block(block) = scope {
                let upwards: Vec<ScopeId> = roster.path_from(id).collect();
                prop_assert_eq!(roster.path(block).collect::<Vec<_>>(), upwards);
            }
        }
        for id in roster.scope_ids() {
            let parents = u32::from(roster.level(id) != Level::Country);
            prop_assert_eq!(seen_as_child[id.index()], parents);
        }
    }

    #[test]
    fn a_new_plan_knows_networks_by_country_and_name(
        before in any_countries(),
        after in any_countries(),
    ) {
        let old = roster(&before);
        let new = roster(&after);
        let map = RosterMapping::between(&old, &new);
        let name = |roster: &Roster, scope| {
            (scope, roster.country_of(scope).code.clone(), roster.name_of(scope))
        };
        for id in new.scope_ids() {
            let scope = new.scope(id);
            let (_, country, own) = name(&new, scope);
            let twin = old.scope_ids().find(|&old_id| {
                let (other, its_country, its_own) = name(&old, old.scope(old_id));
                other.level() == scope.level() && its_country == country && its_own == own
            });
            prop_assert_eq!(map.scopes.old_id(id.0).map(ScopeId), twin);
        }
    }
}

#[test]
fn what_was_written_before_there_were_networks_can_still_be_read() {
    let old = r#"{
        "countries": [{ "code": "KP", "name": "North Korea", "blocks": { "start": 0, "end": 1 } }],
        "blocks": [{
            "prefix": "127.45.176.0/24", "country": 0, "targets": { "start": 0, "end": 0 }
        }],
        "targets": []
    }"#;
    let read: Roster = serde_json::from_str(old).unwrap();
    let mut expected = Roster::default();
    expected.add_country("KP", "North Korea");
    expected.add_block("127.45.176.0/24".parse().unwrap());
    assert_eq!(read, expected);
    assert_eq!(read.direct_blocks(CountryId(0)), 0..1);
}

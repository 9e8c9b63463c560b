//! What a reader may call a scope.

use super::*;

#[test]
fn a_scope_is_found_in_whatever_case_and_the_others_are_named() {
    let directory = TempDir::new("found");
    let mut database = Database::open(&directory.file()).unwrap();
    let episodes = vec![outage("KP", None), outage("KP/Star JV", Some(500))];
    let mut backlog = backlog(600, episodes, vec![sample("2001:db8::/48", 600, State::Up, None)]);
    backlog.countries.insert("TW".into(), "Taiwan".into());
    database.write(&backlog, "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    for (name, scope, country) in [
        ("KP", Some("KP"), Some("KP")),
        ("kp", Some("KP"), Some("KP")),
        ("tw", Some("TW"), Some("TW")),
        ("kp/star jv", Some("KP/Star JV"), None),
        ("2001:DB8::/48", Some("2001:db8::/48"), None),
        ("JP", None, None),
    ] {
        assert_eq!(reader.scope(name).unwrap().as_deref(), scope);
        assert_eq!(reader.country(name).unwrap().as_deref(), country);
    }
    assert_eq!(reader.countries().unwrap(), ["KP", "TW"]);
    assert_eq!(reader.scopes().unwrap(), ["KP", "TW", "2001:db8::/48", "KP/Star JV"]);
}

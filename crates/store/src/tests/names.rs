//! What a reader may call a scope.

use super::*;

#[test]
fn the_last_known_addresses_of_a_name_are_read_again() {
    let directory = TempDir::new("addresses");
    let known = |addresses: &[&str]| {
        addresses.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>()
    };
    // A store of an earlier version has no table of names.
    drop(Database::open(&directory.file()).unwrap());
    Connection::open(directory.file()).unwrap().execute("DROP TABLE name", []).unwrap();
    let mut database = Database::open(&directory.file()).unwrap();
    for addresses in [&["10.0.0.1", "10.0.0.2"][..], &["10.0.0.2", "2001:db8::1"]] {
        let names = HashMap::from([("host.example".to_owned(), known(addresses))]);
        let mut waiting = Backlog::default();
        waiting.add(Essentials { names, ..Essentials::default() }.at(at(1)));
        database.write(&waiting, "lab", at(0)).unwrap();
        let names = database.previous_run().unwrap().names;
        assert_eq!(names, HashMap::from([("host.example".to_owned(), known(addresses))]));
    }
}

#[test]
fn a_scope_is_found_in_whatever_case_and_the_others_are_named() {
    let directory = TempDir::new("found");
    let mut database = Database::open(&directory.file()).unwrap();
    let episodes = vec![outage("KP", None), outage("KP/Star JV", Some(500))];
    let mut backlog = backlog(600, episodes, vec![sample("2001:db8::/48", 600, State::Up, None)]);
    backlog.essentials.countries.insert("TW".into(), "Taiwan".into());
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    roster.add_network("Star JV", Some(131_279));
    backlog.essentials.remarks = Some(Remarks::on(&roster, None));
    database.write(&backlog, "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    for (name, scope, country) in [
        ("KP", Some("KP"), Some("KP")),
        ("kp", Some("KP"), Some("KP")),
        ("tw", Some("TW"), Some("TW")),
        ("kp/star jv", Some("KP/Star JV"), None),
        ("2001:DB8:0::/48", Some("2001:db8::/48"), None),
        ("as131279", Some("KP/Star JV"), None),
        ("KP/AS131279", Some("KP/Star JV"), None),
        ("as131280", None, None),
        ("JP", None, None),
    ] {
        assert_eq!(reader.scope(name).ok().as_deref(), scope);
        assert_eq!(reader.country(name).ok().as_deref(), country);
    }
    let spelled = |codes: [&str; 3]| {
        let mut codes = codes.map(str::to_owned);
        (reader.known_scopes().unwrap().spell(codes.iter_mut()), codes)
    };
    assert_eq!(spelled(["tw", "KP", "kp"]), (None, ["TW", "KP", "KP"].map(str::to_owned)));
    let told = "no such country in the record: JP, XX; there are KP, TW".to_owned();
    assert_eq!(spelled(["xx", "Kp", "JP"]), (Some(told), ["xx", "KP", "JP"].map(str::to_owned)));
    let nearest = |names| format!("there are TW, KP; of what is in them, the nearest are {names}");
    for (name, told) in [
        ("tv", nearest("2001:db8::/48, KP/Star JV")),
        ("twstar jf", nearest("KP/Star JV, 2001:db8::/48")),
    ] {
        let error = reader.scope(name).unwrap_err().to_string();
        assert_eq!(error, format!("nothing is known of {name:?}; {told}"));
        assert_eq!(reader.country(name).unwrap_err().to_string(), error);
    }
    for (name, lies) in [
        ("kp/star jv", "KP/Star JV lies in KP"),
        ("2001:DB8::/48", "2001:db8::/48 lies in KP"),
        ("AS131279", "KP/Star JV lies in KP"),
    ] {
        let error = reader.country(name).unwrap_err().to_string();
        assert_eq!(error, format!("{lies}, and reports are of countries: ask for KP"));
    }
}

#[test]
fn what_a_plan_has_is_known_before_anything_is_measured() {
    let directory = TempDir::new("planned");
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    roster.add_block("192.0.2.0/24".parse().unwrap());
    let mut played =
        PlayedStore::create(&directory, "lab", &roster, Remarks::on(&roster, None), at(0)).unwrap();
    let watch = Watch::new(Arc::new(roster), &Settings::default(), at(0));
    played.handle_changes(&[], &watch, at(1)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    assert_eq!(reader.scope("192.0.2.0/24").unwrap(), "192.0.2.0/24");
    let error = reader.country("192.0.2.0/24").unwrap_err().to_string();
    assert!(error.starts_with("192.0.2.0/24 lies in KP"), "{error}");
    // An earlier version knows no scopes but those that it wrote something of.
    Connection::open(directory.file()).unwrap().execute("DROP TABLE scope", []).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    assert!(reader.scope("192.0.2.0/24").is_err() && reader.scope("kp").is_ok());
}

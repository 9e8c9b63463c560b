//! What a plan said, in a report that is made without it.

use super::*;
use lifesign_core::{scopes::Labels, time_zone::TimeZone};
use std::collections::BTreeMap;

fn labels(operator: &str) -> Labels {
    BTreeMap::from([("operator".to_owned(), operator.to_owned())]).into()
}

fn roster() -> Roster {
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    roster.add_network("Star JV", None);
    roster.add_block("175.45.176.0/24".parse().unwrap());
    roster
}

/// Keeps this plan, and these episodes of it; returns the report.
fn reported(directory: &TempDir, roster: &Roster, contact: Option<&str>) -> String {
    let (mut store, previous) = Store::open(directory, "lab", at(0)).unwrap();
    store.resume(previous, false, roster, at(0), WallOffset::default());
    store.keep_plan(roster, contact, at(40_000));
    // The network was away for longer than its country.
    let episodes = vec![outage("KP", Some(34_270)), outage("KP/Star JV", Some(39_000))];
    store.writer.write(Batch { at: at(40_000), episodes, ..Batch::default() });
    drop(store);
    read(directory)
}

fn read(directory: &TempDir) -> String {
    let reader = StoreReader::open(&directory.file()).unwrap();
    let period = (at(0), at(40_000));
    let data = report::ReportData::read(&reader, "KP", period, at(40_000)).unwrap().unwrap();
    report::page(&data).into_string()
}

#[test]
fn a_report_has_the_labels_the_contact_and_the_local_time_of_the_last_plan() {
    let directory = TempDir::new("plan");
    let mut roster = roster();
    let without = reported(&directory, &roster, None);
    for part in ["<small>", "run by", " in Asia/"] {
        assert!(!without.contains(part), "{part}: {without}");
    }
    roster.countries[0].labels = labels("Star <i>JV");
    roster.countries[0].timezone = TimeZone::named("Asia/Pyongyang");
    roster.networks[0].labels = labels("Loxley");
    let page = reported(&directory, &roster, Some("noc@example.net"));
    let country = "<small>operator: Star &lt;i&gt;JV</small>";
    assert_eq!(page.matches(country).count(), 1, "beside the title: {page}");
    for part in [
        "<td>Star JV <small>operator: Loxley</small></td>",
        " The vantage is run by <a href=\"mailto:noc@example.net\"",
        "The outage was from 2014-12-23 01:15:02 to 2014-12-23 10:46:08 in Asia/Pyongyang.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    roster.networks[0].labels = Labels::default();
    assert!(!reported(&directory, &roster, None).contains("Loxley"));
}

#[test]
fn a_report_of_what_another_prober_recorded_says_so() {
    let told = |recorded: Option<&str>| {
        let directory = TempDir::new("recorded");
        let roster = roster();
        let recorded = recorded.map(str::to_owned);
        let remarks = Remarks { recorded, ..Remarks::on(&roster, None) };
        PlayedStore::create(&directory, "a paper", &roster, remarks, at(0))
            .and_then(|store| {
                let watch = Watch::new(Arc::new(roster), &Settings::default(), at(0));
                store.finish(&watch, at(60))
            })
            .unwrap();
        read(&directory)
    };
    let played = told(None);
    let recorded = told(Some("month.json: samples of Prometheus; hosts asked every 4 min"));
    for (words, is_of_played) in [
        ("Not seen, but played", true),
        ("every few seconds, by ICMP echo, TCP or DNS", true),
        ("Runs in this time", true),
        ("Not asked by lifesign, but imported", false),
        (
            "lifesign judged what it recorded: month.json: samples of Prometheus; hosts asked \
             every 4 min.",
            false,
        ),
    ] {
        assert_eq!(played.contains(words), is_of_played, "{words}: {played}");
        assert_eq!(recorded.contains(words), !is_of_played, "{words}: {recorded}");
    }
    assert!(recorded.contains("Seen from: a paper. "), "{recorded}");
}

#[test]
fn the_worst_phase_is_called_what_it_was() {
    let mut roster = roster();
    roster.countries[0].timezone = TimeZone::named("Asia/Pyongyang");
    for (state, end, what) in [
        (State::Outage, 34_270, "outage"),
        (State::Down, 40, "darkness"),
        (State::Flapping, 5000, "unstable phase"),
    ] {
        let directory = TempDir::new("worst");
        let (mut store, previous) = Store::open(&directory, "lab", at(0)).unwrap();
        store.resume(previous, false, &roster, at(0), WallOffset::default());
        store.keep_plan(&roster, None, at(40_000));
        let episodes = vec![Episode { state, ..outage("KP", Some(end)) }];
        store.writer.write(Batch { at: at(40_000), episodes, ..Batch::default() });
        drop(store);
        let page = read(&directory);
        assert!(page.contains(&format!(" The {what} was from 2014-12-23 01:15:02 to ")), "{page}");
    }
}

#[test]
fn a_store_of_before_and_a_plan_that_cannot_be_read_say_nothing_of_it() {
    let directory = TempDir::new("before");
    let mut roster = roster();
    roster.countries[0].labels = labels("Loxley");
    assert!(reported(&directory, &roster, None).contains("Loxley"));
    let connection = Connection::open(directory.file()).unwrap();
    for sql in ["UPDATE plan SET text = '[1'", "DROP TABLE plan"] {
        connection.execute(sql, []).unwrap();
        assert!(!read(&directory).contains("Loxley"), "{sql}");
    }
}

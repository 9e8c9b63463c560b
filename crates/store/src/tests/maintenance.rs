//! Which episodes were planned.

use super::*;
use lifesign_core::scopes::Maintenance;

/// KP with a network of one block, and a block of its own; TW with one block.
fn roster(windows: &[(&str, u64, u64)]) -> Roster {
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    roster.add_block("192.0.2.0/24".parse().unwrap());
    roster.add_network("Star JV", None);
    roster.add_block("175.45.176.0/24".parse().unwrap());
    roster.add_country("TW", "Taiwan");
    roster.add_block("198.51.100.0/24".parse().unwrap());
    roster.maintenance = windows
        .iter()
        .map(|&(name, from, to)| {
            let reason = Some(format!("{name} {from}"));
            let window = Maintenance { from: at(from), to: at(to), reason };
            (roster.scope_named(name).unwrap(), window)
        })
        .collect();
    roster
}

/// A store of two blocks, their network, and their country, each in outage from 0 to 500 s.
fn store(directory: &TempDir) -> Store {
    let (mut store, previous) = Store::open(directory, "lab", at(0)).unwrap();
    store.resume(previous, false, &roster(&[]), at(0), WallOffset::default());
    let names = ["192.0.2.0/24", "175.45.176.0/24", "KP/Star JV", "KP"];
    let episodes = names.map(|scope| outage(scope, Some(500))).into();
    store.writer.write(Batch { at: at(600), episodes, ..Batch::default() });
    store
}

/// Of each episode that was planned: its scope, and why.
fn planned(directory: &TempDir) -> Vec<(String, String)> {
    let reader = StoreReader::open(&directory.file()).unwrap();
    let episodes = reader.episodes(&EpisodeFilter::default()).unwrap().read;
    assert_eq!(episodes.len(), 4);
    let mut planned: Vec<_> = episodes
        .into_iter()
        .filter_map(|episode| Some((episode.scope, episode.planned?.reason?)))
        .collect();
    planned.sort();
    planned
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(scope, reason)| (scope.into(), reason.into())).collect()
}

#[test]
fn an_episode_was_planned_if_it_overlaps_a_window_of_its_scope_or_of_what_that_lies_in() {
    for (window, expected) in [
        (
            ("KP", 499, 900),
            &[
                ("175.45.176.0/24", "KP 499"),
                ("192.0.2.0/24", "KP 499"),
                ("KP", "KP 499"),
                ("KP/Star JV", "KP 499"),
            ][..],
        ),
        (
            ("KP/Star JV", 500, 900),
            &[("175.45.176.0/24", "KP/Star JV 500"), ("KP/Star JV", "KP/Star JV 500")],
        ),
        (("192.0.2.0/24", 100, 200), &[("192.0.2.0/24", "192.0.2.0/24 100")]),
        (("KP", 501, 900), &[]),
        (("TW", 0, 900), &[]),
    ] {
        let directory = TempDir::new("planned");
        let mut store = store(&directory);
        store.keep_plan(&roster(&[window]), None, at(600));
        drop(store);
        assert_eq!(planned(&directory), pairs(expected), "{window:?}");
    }
}

#[test]
fn what_has_been_of_a_window_stays_when_it_goes_from_the_plan_and_no_more() {
    let directory = TempDir::new("kept");
    let mut store = store(&directory);
    // One is over, one is open and one is to come, as the second plan is read.
    let windows = [("192.0.2.0/24", 10, 90), ("KP/Star JV", 50, 900), ("KP", 450, 900)];
    store.keep_plan(&roster(&windows), None, at(0));
    store.keep_plan(&roster(&windows), None, at(90));
    store.keep_plan(&roster(&[]), None, at(100));
    drop(store);
    assert_eq!(
        planned(&directory),
        pairs(&[
            ("175.45.176.0/24", "KP/Star JV 50"),
            ("192.0.2.0/24", "192.0.2.0/24 10"),
            ("KP/Star JV", "KP/Star JV 50"),
        ])
    );
    let kept = Connection::open(directory.file()).unwrap();
    let mut kept = kept.prepare("SELECT scope, until FROM maintenance ORDER BY scope").unwrap();
    let kept: Vec<(String, i64)> = kept
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let until = |seconds| (at(seconds).as_nanos() / 1_000_000) as i64;
    let expected = [("175.45.176.0/24", 100), ("192.0.2.0/24", 90), ("KP/Star JV", 100)];
    assert_eq!(kept, expected.map(|(scope, end)| (scope.to_owned(), until(end))));
}

#[test]
fn an_open_episode_is_planned_once_a_window_has_begun() {
    let directory = TempDir::new("open");
    for (written, expected) in [(400, false), (600, true)] {
        let (mut store, previous) = Store::open(&directory, "lab", at(written)).unwrap();
        let roster = roster(&[("KP", 500, 900)]);
        store.resume(previous, true, &roster, at(written), WallOffset::default());
        store.keep_plan(&roster, None, at(written));
        let episodes = vec![outage("KP", None)];
        store.writer.write(Batch { at: at(written), episodes, ..Batch::default() });
        drop(store);
        let reader = StoreReader::open(&directory.file()).unwrap();
        let episodes = reader.episodes(&EpisodeFilter::default()).unwrap().read;
        assert_eq!(episodes[0].planned.is_some(), expected, "{written}");
        let period = (at(0), at(1000));
        let data = report::ReportData::read(&reader, "KP", period, at(written)).unwrap().unwrap();
        let page = report::page(&data).into_string();
        for part in ["<small>planned: KP 500</small>", " It was planned: KP 500."] {
            assert_eq!(page.contains(part), expected, "{part}: {page}");
        }
    }
}

//! The timeline of a report.

use super::*;

/// The strip of the country in a report.
fn country_strip(page: &str) -> &str {
    let strip = page.split("class=\"strip large\"").nth(1).unwrap();
    strip.split("</svg>").next().unwrap()
}

#[test]
fn a_bar_tells_what_no_other_bar_shows_and_nothing_that_another_tells() {
    let directory = TempDir::new("wide");
    let mut database = Database::open(&directory.file()).unwrap();
    let dark = |begin, end| episode(State::Outage, begin + 60, begin, Some((end, end)));
    let flapping = episode(State::Flapping, 110_000, 100_000, Some((200_000, 200_000)));
    let episodes =
        vec![dark(36_602, 37_800), dark(39_002, 41_000), flapping, dark(150_002, 151_000)];
    let end = 240 * 3600;
    database.write(&backlog(end, episodes, Vec::new()), "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let period = (at(0), at(end));
    let data = report::ReportData::read(&reader, "KP", period, at(end)).unwrap().unwrap();
    let page = report::page(&data).into_string();
    let titles = country_strip(&page).split("<title>").skip(1);
    let told: Vec<&str> = titles.map(|title| title.split("</title>").next().unwrap()).collect();
    let expected = [
        "up, 22 Dec 2014 16:15 to 23 Dec 02:25 UTC (10 h 10 min)",
        "outage, 2 times, 23 Dec 2014 02:25 to 03:38 UTC (53 min 20 s in all), and up for 20 min",
        "up, 23 Dec 2014 03:38 to 20:02 UTC (16 h 23 min)",
        "flapping, 23 Dec 2014 20:02 to 24 Dec 09:15 UTC (13 h 13 min)",
        "flapping, with outages, 24 Dec 2014 09:15 to 10:15 UTC (1 h)",
        "flapping, 24 Dec 2014 10:15 to 23:48 UTC (13 h 33 min)",
        "up, 24 Dec 2014 23:48 to 1 Jan 2015 16:15 UTC (7 d 16 h)",
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_outage_that_was_open_while_nobody_watched_stays_drawn_and_is_hatched() {
    let directory = TempDir::new("timeline");
    let mut database = Database::open(&directory.file()).unwrap();
    let outage = episode(State::Outage, 1070, 1004, Some((9000, 9600)));
    // In the midst of columns of 100 s.
    database.write(&backlog(3650, vec![outage], Vec::new()), "lab", at(0)).unwrap();
    database.write(&backlog(12_000, Vec::new(), Vec::new()), "lab", at(7250)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let period = (at(0), at(12_000));
    let data = report::ReportData::read(&reader, "KP", period, at(12_000)).unwrap().unwrap();
    let page = report::page(&data).into_string();
    let told: Vec<(&str, &str, bool)> = country_strip(&page)
        .split("<rect ")
        .skip(1)
        .filter(|bar| bar.contains("<title>"))
        .map(|bar| {
            let title = bar.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
            (bar.split('"').nth(1).unwrap(), title, bar.contains("url(#unwatched)"))
        })
        .collect();
    let expected = [
        ("up", "up, 22 Dec 2014 16:15 to 16:32 UTC (16 min 42 s)", false),
        ("outage", "outage, 22 Dec 2014 16:32 to 17:16 UTC (44 min 8 s)", false),
        ("outage", "outage, not watched, 22 Dec 2014 17:16 to 18:16 UTC (1 h)", true),
        ("outage", "outage, 22 Dec 2014 18:16 to 18:50 UTC (34 min 10 s)", false),
        ("up", "up, 22 Dec 2014 18:50 to 19:35 UTC (45 min)", false),
    ];
    assert_eq!(told, expected);
    assert_eq!(page.matches("<svg class=\"patterns\"").count(), 1);
}

#[test]
fn an_outage_is_as_long_in_the_sentence_as_in_the_table_and_in_the_picture() {
    let directory = TempDir::new("lengths");
    let mut database = Database::open(&directory.file()).unwrap();
    let outage = Episode {
        begin: Edge { earliest: Some(at(990)), latest: at(1010) },
        unseen: Duration::ZERO,
        ..episode(State::Outage, 1070, 1010, Some((2486, 2494)))
    };
    database.write(&backlog(3600, vec![outage], Vec::new()), "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let period = (at(0), at(3600));
    let data = report::ReportData::read(&reader, "KP", period, at(3600)).unwrap().unwrap();
    let page = report::page(&data).into_string();
    for told in [
        "KP was unreachable from 22 Dec 2014 16:31:40 for 24 min 50 s ± 14 s, until 16:56:30 UTC",
        "<td>24 min 50 s ± 14 s</td>",
        "<title>outage, 22 Dec 2014 16:32 to 16:57 UTC (24 min 50 s)</title>",
        "outage 24 min 50 s\"",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
}

#[test]
fn as_many_parts_are_drawn_as_are_listed() {
    let directory = TempDir::new("many-parts");
    let mut database = Database::open(&directory.file()).unwrap();
    let of = |part: u64| Episode {
        scope: format!("127.45.{part}.0/24"),
        ..episode(State::Outage, 1070, 1004, Some((2000, 2004)))
    };
    let all = (0..70).map(of).chain([episode(State::Partial, 1070, 1004, Some((2000, 2004)))]);
    database.write(&backlog(3600, all.collect(), Vec::new()), "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let period = (at(0), at(3600));
    let data = report::ReportData::read(&reader, "KP", period, at(3600)).unwrap().unwrap();
    let page = report::page(&data).into_string();
    assert_eq!(page.matches("<svg class=\"strip").count(), 61);
    assert!(page.contains("<p>And 10 more.</p>"), "{page}");
    assert!(page.contains("And 10 more, which"), "{page}");
}

#[test]
fn of_what_began_before_the_time_of_the_report_only_that_time_counts() {
    let directory = TempDir::new("part-of-a-time");
    let mut database = Database::open(&directory.file()).unwrap();
    let long_ago = at(0) - Duration::from_secs(7200);
    let partial = Episode {
        begin: Edge::at(long_ago),
        ..episode(State::Partial, 10, 10, Some((1800, 1800)))
    };
    let episodes = vec![partial];
    database.write(&backlog(9000, episodes, Vec::new()), "lab", long_ago).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let told = |until| {
        let period = (at(0), at(until));
        let data = report::ReportData::read(&reader, "KP", period, at(9000)).unwrap().unwrap();
        let page = report::page(&data).into_string();
        let others = page.split("The country was also ").nth(1).unwrap();
        (report::sentence(&data), others.split('<').next().unwrap().to_owned())
    };
    for (until, length) in [(3600, "30 min"), (600, "10 min")] {
        let (sentence, others) = told(until);
        let longest = format!("from 2014-12-22 16:15:00 for {length} of this time, seen from lab.");
        assert_eq!(sentence, format!("KP was reachable in part only, at the longest {longest}"));
        assert_eq!(others, format!("partial once, for {length}."));
    }
}

#[test]
fn a_country_that_was_never_dark_was_reachable_for_as_long_as_it_was_watched() {
    let directory = TempDir::new("seldom-watched");
    let mut database = Database::open(&directory.file()).unwrap();
    let samples = vec![sample("KP", 60, State::Up, Some(0.0))];
    database.write(&backlog(82, Vec::new(), samples), "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let told = |since, until| {
        let data = report::ReportData::read(&reader, "KP", (since, until), at(9000)).unwrap();
        report::sentence(&data.unwrap())
    };
    let hour = Duration::from_secs(3600);
    assert_eq!(
        told(at(82) - hour, at(82)),
        "KP was reachable whenever it was watched in this time, which was for 1 min 22 s of 1 h, \
         seen from lab."
    );
    assert_eq!(told(at(0), at(82)), "KP was reachable all this time, seen from lab.");
}

/// An incident that began long before is read whole, and what was before that calm is not.
#[test]
fn incidents_of_a_time_are_those_of_the_whole_store() {
    let directory = TempDir::new("bounded");
    let mut database = Database::open(&directory.file()).unwrap();
    let dark = |hour: u64| Episode {
        found: at(hour * 3600 + 1),
        begin: Edge { earliest: None, latest: at(hour * 3600) },
        ..outage("KP", Some(hour * 3600 + 600))
    };
    // Each 20 hours, for 50 days; then calm; and once more.
    let mut episodes: Vec<Episode> = (0..60).map(|turn| dark(200 + turn * 20)).collect();
    episodes.extend([dark(0), dark(1700)]);
    let now = at(1800 * 3600);
    database.write(&backlog(1800 * 3600, episodes, vec![]), "lab", at(0)).unwrap();
    drop(database);
    let reader = StoreReader::open(&directory.file()).unwrap();
    let all = reader.incidents(&EpisodeFilter::default(), now, None).unwrap().rows.read;
    assert_eq!(all.iter().map(|each| each.phases.len()).collect::<Vec<_>>(), [1, 119, 1]);
    // One that was not over at the begin of the time that is asked for is told too.
    for hour in [1, 24, 25, 100, 300, 1300, 1380, 1381, 1404, 1405, 1690, 1723, 1725, 1750] {
        let since = at(hour * 3600);
        let filter = EpisodeFilter { since: Some(since), ..EpisodeFilter::default() };
        let told = reader.incidents(&filter, now, None).unwrap().rows.read;
        let wanted: Vec<_> = all
            .iter()
            .filter(|each| each.was_over_at().is_some_and(|over| over >= since))
            .collect();
        assert!(told.iter().eq(wanted.iter().copied()), "{hour}");
    }
    let filter = EpisodeFilter { since: Some(at(1690 * 3600)), ..EpisodeFilter::default() };
    assert_eq!(reader.folded(&filter, &[], now, |_| {}).unwrap().0.read.len(), 1);
}

#[test]
fn the_sentence_of_a_report_tells_what_was_in_its_time() {
    let directory = TempDir::new("narrow");
    let mut database = Database::open(&directory.file()).unwrap();
    let dark = |from: u64, to: u64| episode(State::Outage, from + 60, from, Some((to, to + 4)));
    let episodes = vec![dark(3600, 7200), dark(18_000, 32_400)];
    let samples = vec![sample("KP", 8500, State::Up, Some(0.0))];
    database.write(&backlog(40_000, episodes, samples), "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let told = |since, until| {
        let period = (at(since), at(until));
        let data = report::ReportData::read(&reader, "KP", period, at(40_000)).unwrap().unwrap();
        report::sentence(&data)
    };
    let (first, second) = (told(4000, 4600), told(20_000, 21_000));
    assert!(first.contains("unreachable from 22 Dec 2014 17:15 for 1 h"), "{first}");
    assert!(!first.contains("again") && !first.contains("then"), "{first}");
    assert!(second.contains("unreachable from 22 Dec 2014 21:15 for 4 h"), "{second}");
    assert!(!second.contains("before"), "{second}");
    let not_over = "KP was reachable all this time, seen from lab. The incident that began at \
                    22 Dec 2014 17:15 UTC is not over before 24 Dec 01:15 UTC: it must have been \
                    well for a day.";
    assert_eq!(told(8000, 9000), not_over);
}

/// In whatever way it is asked for: a list, a report, an answer of the API.
#[test]
fn an_incident_that_is_not_over_is_one_of_a_time_in_which_it_was_not_dark() {
    let directory = TempDir::new("not-over");
    let mut database = Database::open(&directory.file()).unwrap();
    let dark = episode(State::Outage, 70, 4, Some((600, 604)));
    let hours = |hours: u64| 3600 * hours;
    database.write(&backlog(hours(40), vec![dark], Vec::new()), "lab", at(0)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    for (now, since, is_told, is_over) in
        [(10, 7, true, false), (24, 23, true, false), (40, 24, true, true), (40, 25, false, true)]
    {
        let (now, since) = (at(hours(now)), at(hours(since)));
        let filter = EpisodeFilter { since: Some(since), ..EpisodeFilter::default() };
        let listed = reader.incidents(&filter, now, None).unwrap().rows.read;
        let told: Vec<_> = listed.iter().map(|incident| incident.is_over).collect();
        assert_eq!(told, if is_told { vec![is_over] } else { vec![] }, "{since}");
        if is_told {
            let data = report::ReportData::read(&reader, "KP", (since, now), now).unwrap().unwrap();
            let sentence = report::sentence(&data);
            assert!(sentence.contains("The incident that began at 22 Dec 2014"), "{sentence}");
            let page = report::page(&data).into_string();
            assert!(!page.contains("None of the whole country"), "{page}");
        }
    }
}

//! The timeline of a report.

use super::*;

#[test]
fn an_outage_that_was_open_while_nobody_watched_stays_drawn_and_is_hatched() {
    let directory = TempDir::new("timeline");
    let mut database = Database::open(&directory.file()).unwrap();
    let outage = episode(State::Outage, 1070, 1004, Some((9000, 9600)));
    database.write(&backlog(3600, vec![outage], Vec::new()), "lab", at(0)).unwrap();
    database.write(&backlog(12_000, Vec::new(), Vec::new()), "lab", at(7200)).unwrap();
    let reader = StoreReader::open(&directory.file()).unwrap();
    let period = (at(0), at(12_000));
    let data = report::ReportData::read(&reader, "KP", period, at(12_000)).unwrap().unwrap();
    let page = report::page(&data).into_string();
    let timeline = page.split("Timeline of each scope").nth(1).unwrap();
    let timeline = timeline.split("</svg>").next().unwrap();
    let told: Vec<(&str, &str)> = timeline
        .split("<rect ")
        .skip(2)
        .map(|bar| {
            let title = bar.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
            (bar.split('"').nth(1).unwrap(), title)
        })
        .collect();
    let unwatched = "outage, not watched, 22 Dec 2014 17:15 to 18:15 UTC";
    assert_eq!(told[0], ("up", "up, 22 Dec 2014 16:15 to 16:32 UTC"));
    assert_eq!(told[1], ("up", "up, 22 Dec 2014 18:55 to 19:35 UTC"));
    assert_eq!(told[2], ("outage", "outage, 22 Dec 2014 16:32 to 17:15 UTC"));
    assert_eq!(told[3], ("outage", unwatched));
    assert_eq!(told[4].1, unwatched, "it is hatched");
    assert_eq!(told[5], ("outage", "outage, 22 Dec 2014 18:15 to 18:55 UTC"));
    assert_eq!(told.len(), 6, "{told:?}");
}

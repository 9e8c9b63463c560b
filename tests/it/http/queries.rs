//! What stands behind the question mark, of pages and for programs alike: what is wrong is said,
//! and what is shown is the time that was asked for.

use crate::support::{
    TempDir,
    page_server::{PageServer, settings},
    week,
};
use lifesign_core::judge::State;
use serde_json::Value;

/// Watched since 17 Dec 2014 08:00, a week before now, and measured for a day.
fn start(temp_dir: &TempDir) -> PageServer {
    let snapshot = week::snapshot(week::roster(1, 1, 1), |_| vec![(State::Up, 160 * week::HOUR)]);
    let store = week::store(&snapshot, temp_dir);
    PageServer::with_past(Some(snapshot), settings(None), Some(store))
}

#[test]
fn what_contradicts_itself_or_is_unknown_is_refused_in_a_line() {
    let temp_dir = TempDir::new("queries-wrong");
    let server = start(&temp_dir);
    let pages = "there are range, from, to, open, hold\n";
    let rows = "there are range, from, to, scope\n";
    for (query, said) in [
        ("rang=1h", "\"rang\" is no query here; "),
        ("range=2h", "\"2h\" is no range: 1h, 6h, 24h, 7d, 30d or 400d\n"),
        ("range=1h&range=1h", "range is there twice; write it once\n"),
        ("from=1h&from=2h", "from is there twice; write it once\n"),
        ("range=1h&from=2h", "range is there beside from or to; write the one or the others\n"),
        ("to=1h&range=1h", "range is there beside from or to; write the one or the others\n"),
        ("to=1h", "to needs a from, as in from=2014-12-22T16:15:00Z&to=…\n"),
        ("from=2015-01-01", "from must lie before now, which is 2014-12-24T00:00:00.000Z\n"),
    ] {
        for path in ["/", "/X0", "/X0/feed.atom", "/api/v1/incidents", "/api/v1/series.csv"] {
            let of_kind = if path.starts_with("/api") { rows } else { pages };
            let said = if said.ends_with('\n') { said.into() } else { said.to_owned() + of_kind };
            let answer = server.ask("GET", &format!("{path}?{query}"));
            assert_eq!((answer.code, answer.body), (400, said), "{path}?{query}");
        }
    }
    for path in ["/X0?scope=X0", "/api/v1/episodes?hold", "/api/v1/state?range=1h"] {
        assert_eq!(server.ask("GET", path).code, 400, "{path}");
    }
    // Prometheus may be told to send what it likes.
    assert_eq!(server.ask("GET", "/metrics?x=1").code, 200);
}

#[test]
fn a_period_is_shown_as_it_was_asked_for_as_far_as_it_can_be_known() {
    let temp_dir = TempDir::new("queries-period");
    let server = start(&temp_dir);
    for (query, shown) in [
        ("from=2014-12-23&to=2014-12-30", "23 Dec 2014 00:00 to 24 Dec 00:00 UTC<"),
        ("from=1970-01-01", "17 Dec 2014 08:00 to 24 Dec 00:00 UTC; nobody watched before<"),
        ("range=30d", "17 Dec 2014 08:00 to 24 Dec 00:00 UTC; nobody watched before<"),
        (
            "from=2014-12-01&to=2014-12-02",
            "1 Dec 2014 00:00 to 2 Dec 00:00 UTC; nobody watched yet<",
        ),
    ] {
        for path in ["/", "/X0"] {
            let page = server.ask("GET", &format!("{path}?{query}")).body;
            assert!(page.contains(shown), "{path}?{query}: {page}");
        }
    }
    let period = |query: &str| {
        let answer = server.ask("GET", &format!("/api/v1/series?{query}")).body;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let first = answer["series"].get(0).map(|row| row["from"].clone());
        assert!(first.is_none_or(|first| first.as_str() >= answer["from"].as_str()));
        ["from", "to"].map(|key| answer[key].as_str().unwrap().to_owned())
    };
    let [began, now] = ["2014-12-17T08:00:00.000Z", "2014-12-24T00:00:00.000Z"];
    assert_eq!(period("from=2014-12-23T12:00Z&to=2015-12-30"), ["2014-12-23T12:00:00.000Z", now]);
    assert_eq!(period("from=1970-01-01"), [began, now]);
    assert_eq!(
        period("from=2014-12-01&to=2014-12-02"),
        ["2014-12-01T00:00:00.000Z", "2014-12-02T00:00:00.000Z"]
    );
}

/// Without a word the page would look as if there had been nothing.
#[test]
fn a_page_says_how_many_rows_it_leaves_out() {
    let temp_dir = TempDir::new("queries-broken");
    let server = start(&temp_dir);
    let said = "Rows of the store that cannot be read and are left out: ";
    assert!(!server.ask("GET", "/X0").body.contains(said));
    let base = rusqlite::Connection::open(temp_dir.join(lifesign_store::FILE_NAME)).unwrap();
    let large = "UPDATE sample SET probes = 9223372036854775807 WHERE scope = 'X0' AND time IN
        (SELECT time FROM sample WHERE scope = 'X0' ORDER BY time DESC LIMIT 3)";
    assert_eq!(base.execute(large, []).unwrap(), 3);
    for path in ["/?range=1h", "/X0?range=1h"] {
        let page = server.ask("GET", path);
        assert!(page.code == 200 && page.body.contains(&format!("{said}3<")), "{}", page.body);
    }
    // A window of maintenance is one row, of however many scopes episodes are read.
    let endless = "INSERT INTO maintenance VALUES ('X0', 0, 9223372036854775807, NULL)";
    assert_eq!(base.execute(endless, []).unwrap(), 1);
    for path in ["/?range=30d", "/X0/127.60.0.0/24?range=30d"] {
        let page = server.ask("GET", path).body;
        let said = format!("{said}{}<", if path.starts_with("/X0") { 1 } else { 4 });
        assert!(page.contains(&said), "{path}: {page}");
    }
    let answer = server.ask("GET", "/api/v1/series?range=1h");
    assert!(
        answer.code == 200 && answer.body.contains("\"unreadable_rows\":3}"),
        "{}",
        answer.body
    );
}

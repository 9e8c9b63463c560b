//! The page as text: how large it is and how long it takes, and that no name in it can become
//! markup.

use crate::support::{page_server::settings, week};
use lifesign::export::{
    ExportSettings,
    page::{self, Refresh},
};
use lifesign_core::{
    judge::State,
    scopes::{BlockId, Host, Scope},
    watch::Snapshot,
};
use std::{fs, time::Duration};

/// A page's bytes, and how long the processor takes for it, on average: others who share the
/// machine do not count.
fn rendered(snapshot: &Snapshot) -> (usize, Duration) {
    const TIMES: u32 = 20;
    let on_processor = || {
        let spent = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        Duration::from_nanos(spent.split(' ').next().unwrap().parse().unwrap())
    };
    let begun = on_processor();
    let pages = (0..TIMES)
        .map(|_| page::render(snapshot, &settings(None), Refresh::Auto).into_string().len());
    let bytes = pages.max().unwrap();
    (bytes, on_processor().saturating_sub(begun) / TIMES)
}

#[test]
fn four_blocks_in_full_are_below_200_kilobytes_and_50_milliseconds() {
    // Each strip as broken as it can be: another state in every column.
    let restless = (1..480)
        .rev()
        .map(|column| (State::ALL[column as usize % 3], column * 1260))
        .collect::<Vec<_>>();
    for (name, spans) in [("a restless week", restless), ("a week", week::restless(State::Up))] {
        let (bytes, time) = rendered(&week::snapshot(week::roster(1, 4, 16), |_| spans.clone()));
        println!("{name}: {bytes} bytes, {time:?}");
        assert!(bytes < 200_000, "{name}: {bytes} bytes");
        assert!(!time.is_zero() && time < Duration::from_millis(50), "{name}: {time:?}");
    }
}

#[test]
fn a_country_of_370_blocks_is_below_a_megabyte_and_its_blocks_are_closed() {
    let snapshot = week::snapshot(week::roster(1, 370, 6), |scope| match scope {
        Scope::Block(BlockId(number)) if number % 10 > 0 => vec![(State::Up, 160 * week::HOUR)],
        Scope::Block(_) | Scope::Network(_) | Scope::Country(_) => week::restless(State::Partial),
    });
    let (bytes, time) = rendered(&snapshot);
    println!("{bytes} bytes, {time:?}");
    assert!(bytes < 1_000_000, "{bytes} bytes");
    let page = page::render(&snapshot, &settings(None), Refresh::Auto).into_string();
    assert_eq!(page.matches("<details").count(), 370);
    assert!(!page.contains(" open>"), "a block is open");
    // Each is one sign at the top, which leads to it.
    for number in [0, 369] {
        assert!(page.contains(&format!("href=\"#block-{number}\"")), "{number}");
        assert!(page.contains(&format!("id=\"block-{number}\"")), "{number}");
    }
    assert!(page.contains("<span>333 <span class=\"badge up\">"), "the tally");
}

#[test]
fn what_is_up_names_its_newest_answer_and_all_else_why_it_was_found() {
    let mut snapshot = week::snapshot(week::roster(1, 2, 2), |_| vec![(State::Up, week::HOUR)]);
    let time = snapshot.time;
    for scope in &mut snapshot.scopes {
        scope.verdict.state = State::Up;
        scope.verdict.evidence = "last answer to a probe of long ago".into();
        scope.verdict.last_life = Some(time);
    }
    let render =
        |snapshot: &Snapshot| page::render(snapshot, &settings(None), Refresh::Auto).into_string();
    let page = render(&snapshot);
    assert!(!page.contains("long ago"), "{page}");
    assert_eq!(page.matches("last answer to a probe of <time datetime").count(), 3);
    for scope in &mut snapshot.scopes {
        scope.verdict.state = State::Outage;
    }
    assert_eq!(render(&snapshot).matches("long ago").count(), 3);
}

#[test]
fn episodes_that_parts_had_with_the_whole_are_counted() {
    let outage = || vec![(State::Up, 3 * week::HOUR), (State::Outage, week::HOUR)];
    let render = |of_parts: Vec<(State, _)>| {
        let snapshot = week::snapshot(week::roster(1, 2, 2), |scope| match scope {
            Scope::Country(_) => outage(),
            Scope::Block(_) | Scope::Network(_) => of_parts.clone(),
        });
        page::render(&snapshot, &settings(None), Refresh::Auto).into_string()
    };
    let told = "2 of parts not listed: the whole had the same at the same time.";
    assert!(render(outage()).contains(told));
    assert!(!render(vec![(State::Up, 3 * week::HOUR)]).contains("not listed"));
}

#[test]
fn no_name_can_become_markup_anywhere() {
    let nasty = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;";
    let mut roster = week::roster(1, 2, 2);
    roster.countries[0].name = nasty.into();
    roster.countries[0].code = nasty.into();
    for target in &mut roster.targets {
        target.host = Host::Name(nasty.into());
        target.probe = nasty.into();
    }
    let mut snapshot = week::snapshot(roster, |_| week::restless(State::Down));
    for scope in &mut snapshot.scopes {
        scope.verdict.evidence = nasty.into();
    }
    let settings = ExportSettings {
        vantage: nasty.into(),
        contact: Some(nasty.into()),
        per_host: true,
        per_block_reasons: true,
        simulation: Some(nasty.into()),
    };
    let page = page::render(&snapshot, &settings, Refresh::Paused).into_string();
    for part in ["<script", "<img", "\"'>"] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(page.matches("&lt;script&gt;").count() > 10);
}

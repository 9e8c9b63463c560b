//! `lifesign demo` as a visitor starts it: the real program, its page, its metrics, its end.

use crate::support::{self, Program, TIMEOUT, TempDir, get, lifesign, signal, until, values};

#[test]
fn the_demo_plays_the_story_to_page_and_metrics_and_says_that_it_is_one() {
    let mut demo =
        Program::start(lifesign(&["demo", "--speed", "20000", "--listen", "127.0.0.1:0"]));
    demo.line(TIMEOUT, "first words", |line| {
        line.contains("plays a simulation: North Korea").then_some(())
    });
    let address = demo.address();
    demo.verdict(TIMEOUT, "KP", "up");
    demo.verdict(TIMEOUT, "KP", "down");
    // The first verdicts are told before the first picture is there.
    let page = until(TIMEOUT, "picture", || match get(address, "/") {
        answer if answer.code == 200 => Ok(answer.body),
        answer => Err(answer.body),
    });
    assert!(page.contains("<b>Simulation</b> North Korea"), "{page}");
    assert!(page.contains("Played 20000 times as fast as it happened; nothing is sent."), "{page}");
    let metrics = get(address, "/metrics").body;
    assert_eq!(values(&metrics, "lifesign_simulation", &[]), [1.0]);
    assert_eq!(values(&metrics, "lifesign_block_state", &["state=\"up\""]).len(), 4);
    assert_eq!(get(address, "/-/ready").code, 200);
    let answer = support::ask(address, "POST", "/-/reload");
    let said = "this is a simulation, which has no plan that could be read again\n";
    assert_eq!((answer.code, answer.body.as_str()), (409, said));
    signal("INT", demo.id());
    assert_eq!(demo.end(TIMEOUT).code(), Some(0), "{}", demo.said());
}

#[test]
fn the_demo_listens_or_says_why_not() {
    let mut first = Program::start(lifesign(&["demo", "--listen", "127.0.0.1:0"]));
    let address = first.address().to_string();
    let (code, _, err) = support::done(lifesign(&["demo", "--listen", &address]));
    assert_eq!(code, 69, "{err}");
    assert!(err.contains(&format!("cannot listen on {address}")), "{err}");
    let (code, _, err) = support::done(lifesign(&["demo", "--speed", "0"]));
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("a speed is a number from 1 to 1000000"), "{err}");
}

#[test]
fn the_demo_invites_nobody_before_it_can_keep_what_it_plays() {
    let temp_dir = TempDir::new("demo-kept");
    temp_dir.put("lifesign.db", "of another run");
    let state = temp_dir.path("");
    let demo = ["demo", "--listen", "127.0.0.1:0", "--state-dir", &state];
    let (code, out, err) = support::done(lifesign(&demo));
    assert_eq!((code, out.as_str(), err.lines().count()), (73, "", 1), "{err}");
}

#[test]
fn a_speed_that_is_none_is_refused_by_whatever_plays() {
    let scenario = "tests/data/scenarios/refusing.toml";
    for speed in ["0", "-1", "nan", "inf", "1e308", "fast"] {
        let argument = format!("--speed={speed}");
        for command in [&["demo", &argument][..], &["simulate", &argument, scenario]] {
            let (code, _, err) = support::done(lifesign(command));
            assert_eq!(code, 2, "{command:?}: {err}");
            assert!(err.contains("a speed is a number from 1 to 1000000"), "{err}");
        }
    }
}

//! The HTTP server as a client meets it: plain HTTP/1.1 over a loopback socket, with a hand-made
//! snapshot.

use crate::support::{
    Answer, ask,
    http::ask_with,
    page_server::{PageServer, settings},
    snapshot,
};
use lifesign_core::{judge::State, watch::Snapshot};
use lifesign_export::{ExportSettings, metric_sets::MetricSets};
use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

/// The server with a snapshot in which every field says something.
fn start() -> PageServer {
    PageServer::start(Some(snapshot::every_field()), settings(None))
}

/// It is what it says it is, and nobody keeps it.
fn is_guarded(answer: &Answer) {
    for line in ["x-content-type-options: nosniff", "cache-control: no-store", "connection: close"]
    {
        assert!(
            answer.head.lines().any(|found| found == line),
            "{line} is missing in {}",
            answer.head
        );
    }
}

#[test]
fn every_page_is_there_on_every_listener() {
    let server = start();
    for address in &server.addresses {
        for (path, kind, mark) in [
            ("/", "text/html; charset=utf-8", "<a href=\"KP\">"),
            (
                "/KP",
                "text/html; charset=utf-8",
                "<a href=\"KP/127.45.176.0/24\">127.45.176.0/24</a>",
            ),
            ("/kp/127.45.176.0/24", "text/html; charset=utf-8", "<a href=\"../../KP\">KP</a>"),
            ("/-/meaning", "text/html; charset=utf-8", "What it cannot say"),
            (
                "/metrics",
                "text/plain; version=0.0.4",
                "lifesign_country_state{country=\"KP\",state=\"partial\"} 1\n",
            ),
            ("/api/v1/state", "application/json", "\"vantage\":\"the lab\""),
            ("/-/healthy", "text/plain; charset=utf-8", "healthy\n"),
            ("/-/ready", "text/plain; charset=utf-8", "ready\n"),
        ] {
            let answer = ask(*address, "GET", path);
            assert_eq!(answer.code, 200, "{path}");
            assert!(
                answer.head.contains(&format!("content-type: {kind}")),
                "{path}: {}",
                answer.head
            );
            assert!(answer.body.contains(mark), "{path}: {}", answer.body);
            is_guarded(&answer);

            let head = ask(*address, "HEAD", path);
            assert_eq!((head.code, head.body.as_str()), (200, ""), "{path}");
            assert!(head.head.contains(&format!("content-type: {kind}")), "{path}: {}", head.head);
        }
    }
}

#[test]
fn other_paths_and_methods_are_refused_in_plain_text() {
    let server = start();
    for path in [
        "/metrics/",
        "/favicon.ico",
        "/-/",
        "/api/v1",
        "/api/v1/incident",
        "/kpp",
        "/%3Cscript%3E",
        "/KP/10.0.0.0/8",
        "/KP/incident/2014-12-21T1359Z",
    ] {
        let answer = server.ask("GET", path);
        assert_eq!(answer.code, 404, "{path}");
        let said = match path {
            "/metrics/" => "no such page; the nearest are /metrics, ",
            "/api/v1/incident" => "no such page; the nearest are /api/v1/incidents, ",
            "/kpp" => "no such page; the nearest are /KP, ",
            "/KP/10.0.0.0/8" => "no such page; the nearest are /KP",
            path if path.contains("/incident/") => {
                "no such incident; /KP lists the incidents of KP\n"
            }
            _ => "no such page; the nearest are /",
        };
        assert!(answer.body.starts_with(said), "{path}: {}", answer.body);
        assert!(answer.head.contains("content-type: text/plain"), "{}", answer.head);
        is_guarded(&answer);
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = server.ask(method, "/metrics");
        assert_eq!(
            (answer.code, answer.body.as_str()),
            (405, "this method is not for this page\n"),
            "{method}"
        );
        assert!(answer.head.contains("allow: get,head"), "{}", answer.head);
        is_guarded(&answer);
    }
}

#[test]
fn the_page_escapes_names_and_tells_states_by_word_and_sign() {
    let page = start().ask("GET", "/KP?open=why,127.45.176.0/24,127.45.177.0/24");
    assert!(!page.body.contains("<script"), "{}", page.body);
    assert!(
        page.body.contains("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; <small>KP"),
        "{}",
        page.body
    );
    let policy = "content-security-policy: default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                  form-action 'none'; frame-ancestors 'none'";
    assert!(page.head.lines().any(|line| line == policy), "{}", page.head);
    for part in [
        "<span class=\"badge partial\"><span aria-hidden=\"true\">◔</span> partial</span>",
        "<span class=\"badge outage\"><span aria-hidden=\"true\">✕</span> outage</span>",
        // The edge as an interval, with the wall clock's second ahead.
        "<time datetime=\"2014-12-22T16:13:21.000Z\">2014-12-22 16:13:21</time> to \
         <time datetime=\"2014-12-22T16:13:25.000Z\">16:13:25</time>",
        "before <time datetime=\"2014-12-22T16:13:25.000Z\">2014-12-22 16:13:25</time>",
        "<td>5.0 %</td><td>100.0 %</td><td>–</td>",
        "<td>200 ms</td><td>210 ms</td><td>–</td>",
        "300 probes, 231 answered",
        "icmp 250 ms",
        "dns/kptc.kp/SOA gone for a day",
        "::1 <b>is silent</b> (60 of 60 unanswered)",
        "aria-label=\"10 min: ",
        "over 5m: 100.0 % lost",
    ] {
        assert!(page.body.contains(part), "{part} is missing in {}", page.body);
    }
    assert!(!page.body.contains("We are blind"));
    let blind = Snapshot { blindness: snapshot::blindness(true), ..snapshot::every_field() };
    assert!(
        PageServer::start(Some(blind), settings(None))
            .ask("GET", "/")
            .body
            .contains("We are blind")
    );
}

#[test]
fn the_page_follows_or_holds_still() {
    let server = start();
    let follows = server.ask("GET", "/");
    let holds = server.ask("GET", "/?hold");
    assert!(follows.head.lines().any(|line| line == "refresh: 10"), "{}", follows.head);
    assert!(follows.body.contains("<a href=\"./?hold\">hold still</a>"), "{}", follows.body);
    assert!(!holds.head.contains("refresh:"), "{}", holds.head);
    assert!(holds.body.contains("<a href=\"./\">follow again</a>"), "{}", holds.body);
}

#[test]
fn a_query_that_is_wrong_says_what_would_be_right() {
    let server = start();
    for path in ["/?range=2d", "/KP?range=2d"] {
        let answer = server.ask("GET", path);
        let said = (answer.code, answer.body.as_str());
        assert_eq!(said, (400, "\"2d\" is no range: 1h, 6h, 24h, 7d, 30d or 400d\n"));
    }
}

/// Of each page, every link to another leads to one.
#[test]
fn every_link_is_relative_and_leads_somewhere() {
    let server = PageServer::start(Some(snapshot::in_a_network()), settings(None));
    let resolve = |from: &str, link: &str| {
        let link = link.replace("&amp;", "&");
        let link = link.split('#').next().unwrap_or_default();
        let mut folders: Vec<&str> = from.split('?').next().unwrap().split('/').collect();
        folders.pop();
        let (path, query) = link.split_once('?').unwrap_or((link, ""));
        for part in path.split('/') {
            match part {
                "." => {}
                ".." => drop(folders.pop()),
                part => folders.push(part),
            }
        }
        let mut path = folders.join("/");
        if link.ends_with("./") || path.is_empty() {
            path = format!("{}/", path.trim_end_matches('/'));
        }
        if query.is_empty() { path } else { format!("{path}?{query}") }
    };
    let mut waiting = vec!["/".to_owned()];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if seen.len() > 200 || !seen.insert(path.clone()) {
            continue;
        }
        let answer = server.ask("GET", &path);
        assert_eq!(answer.code, 200, "{path}: {}", answer.body);
        for part in answer.body.split("href=\"").skip(1) {
            let link = part.split('"').next().unwrap();
            assert!(!link.starts_with('/') && !link.contains("://"), "{path}: {link}");
            waiting.push(resolve(&path, link));
        }
    }
    assert!(seen.iter().any(|path| path.starts_with("/KP/as131279")), "{seen:?}");
    assert!(seen.iter().any(|path| path.starts_with("/KP/127.45.177.0/24")), "{seen:?}");
}

#[test]
fn a_simulation_says_so_everywhere() {
    let server = start();
    let told = || ["/", "/metrics", "/api/v1/state"].map(|path| server.ask("GET", path).body);
    let [page, metrics, json] = told();
    assert!(!page.contains("Simulation"), "{page}");
    assert!(metrics.contains("\nlifesign_simulation 0\n"), "{metrics}");
    assert!(json.contains("\"simulation\":false"), "{json}");
    server.settings.send_modify(|settings| settings.simulation = Some("of a test".into()));
    server.snapshots.send_replace(Some(Arc::new(snapshot::every_field())));
    let [page, metrics, json] = told();
    assert!(page.contains("<b>Simulation</b> of a test"), "{page}");
    assert!(metrics.contains("\nlifesign_simulation 1\n"), "{metrics}");
    assert!(json.contains("\"simulation\":true"), "{json}");
    assert!(server.ask("GET", "/").head.lines().any(|line| line == "refresh: 2"));
}

#[test]
fn the_style_sheet_may_be_kept_and_the_page_names_it() {
    let server = start();
    let page = server.ask("GET", "/").body;
    let address =
        page.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let address = &format!("/{address}");
    let style = server.ask("GET", address);
    assert_eq!(style.code, 200, "{address}");
    for line in [
        "content-type: text/css; charset=utf-8",
        "cache-control: public, max-age=31536000, immutable",
    ] {
        assert!(
            style.head.lines().any(|found| found == line),
            "{line} is missing in {}",
            style.head
        );
    }
    // Nothing in it leads elsewhere.
    assert!(!style.body.contains("url(") && !style.body.contains("@import"), "{}", style.body);
    let icon = server.ask("GET", "/icon.svg");
    assert!(icon.head.contains("content-type: image/svg+xml"), "{}", icon.head);
}

#[test]
fn most_countries_at_once_may_be_us() {
    let mut snapshot = snapshot::every_field();
    let words = "It may be us: most countries fell silent together.";
    for together in [false, true] {
        snapshot.scopes[2].verdict.together = together;
        let server = PageServer::start(Some(snapshot.clone()), settings(None));
        assert_eq!(server.ask("GET", "/").body.contains(words), together);
        let state: serde_json::Value =
            serde_json::from_str(&server.ask("GET", "/api/v1/state").body).unwrap();
        assert_eq!(state["countries"][0]["together"], together);
    }
}

#[test]
fn the_state_is_whole_in_json() {
    let answer = start().ask("GET", "/api/v1/state");
    let state: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    for (pointer, wanted) in [
        ("/time", "2014-12-22T16:15:01.000Z".into()),
        ("/started", "2014-12-22T16:05:01.000Z".into()),
        ("/blind", false.into()),
        ("/countries/0/unknown_reason", "no_route".into()),
        ("/sight/1/family", "ipv6".into()),
        ("/sight/1/blind_seconds", 12.5.into()),
        ("/controls/1/address", "::1".into()),
        ("/controls/1/silent", 60.into()),
        ("/countries/0/code", "KP".into()),
        ("/countries/0/name", snapshot::NASTY.into()),
        ("/countries/0/state", "partial".into()),
        ("/countries/0/blocks/0/edge/earliest", "2014-12-22T16:13:21.000Z".into()),
        ("/countries/0/blocks/0/windows/1m/rtt_p95_seconds", 0.31.into()),
        ("/countries/0/blocks/0/counts/tcp/sent", 200.into()),
        ("/countries/0/blocks/0/targets/1/probe", "tcp/443".into()),
        ("/countries/0/blocks/1/state", "outage".into()),
        ("/countries/0/blocks/1/belief", 1e-7.into()),
        ("/countries/0/blocks/1/edge/earliest", serde_json::Value::Null),
        ("/countries/0/blocks/1/targets/0/host", "ns\\1.\"kp\"".into()),
        ("/countries/0/blocks/1/targets/0/retired", true.into()),
        ("/countries/0/blocks/1/targets/0/gone", true.into()),
        ("/countries/0/together", false.into()),
        ("/countries/0/blocks/1/together", true.into()),
    ] {
        assert_eq!(state.pointer(pointer), Some(&wanted), "{pointer} in {}", answer.body);
    }
    assert_eq!(state["countries"][0]["blocks"][0]["targets"].as_array().unwrap().len(), 2);
}

#[test]
fn a_network_stands_between_its_country_and_its_block() {
    let snapshot = snapshot::in_a_network();
    let name = snapshot.roster.networks[0].name.clone();
    let server = PageServer::start(Some(snapshot), settings(None));
    let json = server.ask("GET", "/api/v1/state").body;
    let state: serde_json::Value = serde_json::from_str(&json).unwrap();
    for (pointer, wanted) in [
        ("/countries/0/networks/0/name", name.as_str().into()),
        ("/countries/0/networks/0/asn", 131_279.into()),
        ("/countries/0/networks/0/state", "degraded".into()),
        ("/countries/0/networks/0/hosts/now", 6.into()),
        ("/countries/0/blocks/0/network", serde_json::Value::Null),
        ("/countries/0/blocks/1/network", name.as_str().into()),
        ("/countries/0/hosts/usual", 8.into()),
        ("/countries/0/hosts/listed", 20.into()),
    ] {
        assert_eq!(state.pointer(pointer), Some(&wanted), "{pointer} in {json}");
    }
    let page = server.ask("GET", "/KP").body;
    let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part} is missing in {page}"));
    let rows = [
        "<h1>",
        "6 of 8 usual hosts answer, of 20 listed",
        "1 network, 2 blocks",
        "id=\"block-0\"",
        "id=\"network-0\"",
        "(AS131279)</a>",
        "id=\"block-1\"",
    ];
    assert!(rows.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{page}");
    assert!(!page.contains("<script"), "{page}");
    assert!(!start().ask("GET", "/KP").body.contains("class=\"network"));
}

#[test]
fn ready_means_that_every_country_has_had_a_verdict() {
    let server = PageServer::start(None, settings(None));
    for path in ["/", "/api/v1/state", "/-/ready"] {
        let answer = server.ask("GET", path);
        assert_eq!(
            (answer.code, answer.body.as_str()),
            (503, "the watch has not begun\n"),
            "{path}"
        );
    }
    assert_eq!(server.ask("GET", "/-/healthy").code, 200);
    assert_eq!(server.ask("GET", "/metrics").code, 200);

    let mut snapshot = snapshot::every_field();
    snapshot.scopes[2].verdict.state = State::Unknown;
    let had_a_verdict = std::mem::take(&mut snapshot.scopes[2].verdict.totals);
    for (blind, reason) in
        [(false, "no verdict yet on KP\n"), (true, "no verdict yet on KP; we are blind\n")]
    {
        let blindness = snapshot::blindness(blind);
        server.snapshots.send_replace(Some(Arc::new(Snapshot { blindness, ..snapshot.clone() })));
        let answer = server.ask("GET", "/-/ready");
        assert_eq!((answer.code, answer.body.as_str()), (503, reason));
    }
    snapshot.scopes[2].verdict.totals = had_a_verdict;
    snapshot.blindness = snapshot::blindness(true);
    server.snapshots.send_replace(Some(Arc::new(snapshot)));
    assert_eq!(server.ask("GET", "/-/ready").code, 200);
}

#[test]
fn a_reload_is_asked_for_by_post_and_answered_with_what_came_of_it() {
    let mut server = start();
    let refused = server.ask("GET", "/-/reload");
    assert_eq!(refused.code, 405);
    assert!(refused.head.contains("allow: post"), "{}", refused.head);
    let address = server.addresses[1];
    for (result, code, body) in [
        (Ok("watches anew\ntwo lines".to_owned()), 200, "watches anew\ntwo lines\n"),
        (Err("plan.toml:3:5: wrong".to_owned()), 400, "plan.toml:3:5: wrong\n"),
    ] {
        let asker = std::thread::spawn(move || ask(address, "POST", "/-/reload"));
        server.reload_requests.blocking_recv().unwrap().send(result).unwrap();
        let answer = asker.join().unwrap();
        assert_eq!((answer.code, answer.body.as_str()), (code, body));
    }
    // Nobody answers any more.
    let asker = std::thread::spawn(move || ask(address, "POST", "/-/reload"));
    drop(server.reload_requests.blocking_recv().unwrap());
    assert_eq!(asker.join().unwrap().code, 503);
}

#[test]
fn no_page_of_another_site_has_the_plan_read_again() {
    let mut server = start();
    let address = server.addresses[0];
    for more in [
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: \u{e9}\r\n",
        "Sec-Fetch-Site: cross-site\r\nOrigin: http://localhost\r\n",
        "Sec-Fetch-Site: none\r\nOrigin: http://elsewhere\r\n",
        "Origin: http://elsewhere\r\n",
        "Origin: http://localhost:17545\r\n",
        "Origin: http://localhost.elsewhere\r\n",
        "Origin: null\r\n",
        "Origin: localhost\r\n",
        "Origin:\r\n",
    ] {
        let answer = ask_with(address, "POST", "/-/reload", more);
        let said = (answer.code, answer.body.as_str());
        assert_eq!(said, (403, "no page of another site may ask for that\n"), "{more}");
        assert!(server.reload_requests.try_recv().is_err(), "{more}");
    }
    for more in [
        "",
        "Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost\r\n",
        "Sec-Fetch-Site: none\r\n",
        "Origin: https://LOCALHOST\r\n",
    ] {
        let asker = std::thread::spawn(move || ask_with(address, "POST", "/-/reload", more));
        server.reload_requests.blocking_recv().unwrap().send(Ok("watches anew".into())).unwrap();
        assert_eq!(asker.join().unwrap().code, 200, "{more}");
    }
    // What only reads is shown to everybody.
    assert_eq!(ask_with(address, "GET", "/-/healthy", "Sec-Fetch-Site: cross-site\r\n").code, 200);
}

/// Who came through a proxy is not known to be on this machine.
#[test]
fn nobody_behind_a_proxy_has_the_plan_read_again() {
    let mut server = start();
    for more in [
        "Forwarded: for=192.0.2.1\r\n",
        "Via: 1.1 proxy.example\r\n",
        "X-Forwarded-For: 127.0.0.1\r\n",
        "X-Real-IP: 127.0.0.1\r\n",
    ] {
        let answer = ask_with(server.addresses[0], "POST", "/-/reload", more);
        let said = (answer.code, answer.body.as_str());
        assert_eq!(said, (403, "only this machine may ask for that, and by no proxy\n"), "{more}");
        assert!(server.reload_requests.try_recv().is_err(), "{more}");
        assert_eq!(ask_with(server.addresses[0], "GET", "/-/healthy", more).code, 200);
    }
}

/// A page of another site whose name leads to our address is no page of ours, and cannot read ours.
#[test]
fn only_an_address_and_localhost_are_names_of_ours() {
    let mut server = start();
    let address = server.addresses[0];
    let asked = |line: &str, hosts: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{line} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    let others = [
        "rebound.example",
        "rebound.example:17545",
        "localhost.example",
        "127.0.0.1.example",
        "1.2.3",
        "",
        "[::1",
        "a b",
        "\u{e9}",
    ];
    for line in ["GET /", "GET /metrics", "GET /api/v1/state", "GET /none", "POST /-/reload"] {
        for host in others {
            let text = asked(line, &format!("Host: {host}\r\n"));
            assert!(text.starts_with("HTTP/1.1 421 "), "{line} {host}: {text}");
            assert!(text.ends_with("\r\n\r\nnot a name of this server; ask by its address, or list the name in the web configuration\n"), "{text}");
        }
    }
    let text = asked("GET /", "Host: localhost\r\nHost: rebound.example\r\n");
    assert!(text.starts_with("HTTP/1.1 4"), "{text}");
    let text = asked("GET http://rebound.example/", "Host: localhost\r\n");
    assert!(text.starts_with("HTTP/1.1 421 "), "{text}");
    assert!(server.reload_requests.try_recv().is_err());
    for host in [
        "127.0.0.1",
        "192.0.2.1:80",
        "[::1]",
        "[2001:db8::1]:1",
        "localhost:17545",
        "LOCALHOST",
        "localhost.",
    ] {
        let text = asked("GET /-/healthy", &format!("Host: {host}\r\n"));
        assert!(text.starts_with("HTTP/1.1 200 "), "{host}: {text}");
    }
    // No browser sends none.
    assert!(asked("GET /-/healthy", "").starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_new_plan_may_call_the_vantage_otherwise_and_hide_hosts_and_reasons() {
    let server = start();
    let metrics = server.ask("GET", "/metrics").body;
    assert!(metrics.contains("lifesign_host_probes_total{"));
    assert!(metrics.contains("lifesign_block_rejected_total{"));
    assert!(metrics.contains("lifesign_block_not_sent_total{"));
    server.settings.send_replace(ExportSettings {
        vantage: "elsewhere".into(),
        contact: None,
        metrics: MetricSets::new(),
        simulation: None,
    });
    server.snapshots.send_replace(Some(Arc::new(snapshot::every_field())));
    let metrics = server.ask("GET", "/metrics").body;
    assert!(metrics.contains("\nlifesign_vantage_info{vantage=\"elsewhere\"} 1\n"), "{metrics}");
    for hidden in
        ["the lab", "lifesign_host_", "lifesign_block_rejected_", "lifesign_block_not_sent_"]
    {
        assert!(!metrics.contains(hidden), "{hidden}: {metrics}");
    }
    assert!(server.ask("GET", "/").body.contains("<b>elsewhere</b>"));
}

#[test]
fn an_idle_reader_holds_up_nobody_and_the_thread_ends_with_the_watch() {
    let server = start();
    let mut idle = TcpStream::connect(server.addresses[0]).unwrap();
    idle.write_all(b"GET /metrics HTTP/1.1\r\nHost: l").unwrap();
    assert_eq!(server.ask("GET", "/metrics").code, 200);
    drop(server.snapshots);
    server.thread.join().unwrap();
}

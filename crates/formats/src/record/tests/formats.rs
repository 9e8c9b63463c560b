//! What is read of each format.

use super::*;

type Series<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

/// An answer of Prometheus: of each series its name, its other labels, and its samples.
fn matrix(series: &[Series<'_>]) -> String {
    let one = |(name, labels, samples): &Series<'_>| {
        let samples: Vec<_> =
            samples.iter().map(|(at, value)| format!("[{at},\"{value}\"]")).collect();
        format!(r#"{{"metric":{{"__name__":"{name}",{labels}}},"values":[{}]}}"#, samples.join(","))
    };
    let all: Vec<_> = series.iter().map(one).collect();
    format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}}"#,
        all.join(",")
    )
}

const PING: &str = r#""instance":"203.0.113.8","job":"ping""#;

#[test]
fn what_blackbox_exporter_says_of_one_probe_is_one_outcome() {
    let file = matrix(&[
        ("probe_success", PING, &[("1795633778.369", "1"), ("1795633793.369", "0")]),
        (
            "probe_icmp_duration_seconds",
            r#""instance":"203.0.113.8","job":"ping","phase":"rtt""#,
            &[("1795633778.369", "0.000238551"), ("1795633793.369", "0")],
        ),
        (
            "probe_icmp_duration_seconds",
            r#""instance":"203.0.113.8","job":"ping","phase":"setup""#,
            &[("1795633778.369", "7"), ("1795633793.369", "7")],
        ),
        ("probe_icmp_reply_hop_limit", PING, &[("1795633778.369", "57")]),
        ("probe_duration_seconds", PING, &[("1795633793.369", "9.5")]),
        ("go_goroutines", PING, &[("1795633793.369", "9")]),
    ]);
    let imported = import(&[&file]);
    let of_host = [
        "19:09:38.369Z 203.0.113.8 icmp reply 0.238551 /57",
        "19:09:53.369Z 203.0.113.8 icmp overdue",
    ];
    assert_eq!(short(&imported), of_host);
    assert!(imported.lines[1].contains(r#""seen":"2026-11-25T19:10:02.869Z""#), "9.5 s later");
    assert!(imported.lines[2].ends_with("\"lost\"}"));
    assert_eq!(imported.notes.len(), 1, "{:?}", imported.notes);
    assert!(imported.notes[0].contains("a series of another metric than probe_success, "));
    assert_eq!((imported.summary.outcomes, imported.summary.missed), (2, 1));
    let plan = &imported.summary.plan;
    assert!(plan.contains("probes = [{ probe = \"icmp\", interval = \"15s\" }]"), "{plan}");
    // A copy of the same samples changes nothing.
    assert_eq!(import(&[&file, &file]).lines, imported.lines);
}

#[test]
fn a_round_trip_time_of_zero_is_a_miss() {
    let rtt = r#""instance":"203.0.113.8","phase":"rtt""#;
    let samples = [("1795633778.369", "0.25"), ("1795633793.369", "0")];
    let file = matrix(&[("probe_icmp_duration_seconds", rtt, &samples)]);
    let of_host =
        ["19:09:38.369Z 203.0.113.8 icmp reply 250", "19:09:53.369Z 203.0.113.8 icmp overdue"];
    assert_eq!(short(&import(&[&file])), of_host);
}

#[test]
fn hosts_by_name_port_or_url_are_asked_so_in_the_plan() {
    let of = |instance: &str| format!(r#""instance":"{instance}""#);
    let labels: Vec<_> =
        ["https://www.example.net/x", "203.0.113.8:25", "ns1.example.net", "the router"]
            .map(of)
            .into();
    let samples = [("1795633778.369", "1")];
    let series: Vec<_> =
        labels.iter().map(|labels| ("probe_success", &**labels, &samples[..])).collect();
    let map = "name,host,country\nthe router,198.51.100.1,TO\n";
    let options = Options { map: Map::parse("map", map).expect("a map"), only: Vec::new() };
    let imported = import_with(options, &[&matrix(&series)]).expect("a record");
    let plan = &imported.summary.plan;
    for wanted in [
        "code = \"TO\"\n\n[[country.block]]\nprefix = \"198.51.100.0/24\"",
        "\"www.example.net\"",
        "probe = \"tcp/443\"",
        "probe = \"tcp/25\"",
        "prefix = \"2001:db8:1::/48\"",
        "prefix = \"2001:db8:2::/48\"",
        "--map tells their addresses",
    ] {
        assert!(plan.contains(wanted), "{wanted}\n{plan}");
    }
    let unmapped = import(&[&matrix(&series)]);
    assert!(unmapped.notes[0].contains("\"the router\" is no host; say with --map"));
}

#[test]
fn two_jobs_that_ask_one_host_are_two_records() {
    let samples = [("1795633778.369", "1")];
    let other = r#""instance":"203.0.113.8","job":"other""#;
    let file = matrix(&[("probe_success", PING, &samples), ("probe_success", other, &samples)]);
    let why = refused(&file);
    assert!(why.contains("was asked by job=ping and by job=other"), "{why}");
    assert!(why.contains("--only job=ping"), "{why}");
    let one = import_with(only("job=other"), &[&file]).expect("one of them");
    assert_eq!(one.summary.outcomes, 1);
    // The first word of both is the same.
    let spaced = file.replace("\"ping\"", "\"my ping\"").replace("\"other\"", "\"my http\"");
    assert!(refused(&spaced).contains("such as --only 'job=my ping'"), "{}", refused(&spaced));
}

#[test]
fn victoria_metrics_exports_milliseconds() {
    let line = |values: &str| {
        format!(
            r#"{{"metric":{{"__name__":"probe_success",{PING}}},"values":[{values}],"timestamps":[1795633778369,1795633793369]}}"#
        )
    };
    let imported = import(&[&format!("{}\r\n\n{}\n", line("1,0"), line("1"))]);
    let of_host =
        ["19:09:38.369Z 203.0.113.8 icmp reply 0", "19:09:53.369Z 203.0.113.8 icmp overdue"];
    assert_eq!(short(&imported), of_host);
    assert_eq!(imported.notes, ["3: 1 values, but 2 timestamps; one belongs to each ×1"]);
}

#[test]
fn fping_tells_when_it_printed_and_so_when_it_sent() {
    let text = "[1795716363.54450] 127.0.0.1 : [0], 64 bytes, 44.5 ms (44.5 avg, 0% loss)\n\
                [1795716364.54450] 127.0.0.1 : [1], 64 bytes, 44.5 ms (44.5 avg, 0% loss)\n\
                [1795716366.00000] 127.0.0.1 : [2], timed out (44.5 avg, 33% loss)\n\
                ICMP Host Unreachable from 10.0.0.1 for ICMP Echo sent to 127.0.0.1\n\
                [1795716366.54450] 127.0.0.1 : [3], 64 bytes, 44.5 ms (44.5 avg, 25% loss)\n\
                [1795716366.54950] 127.0.0.1 : [3], 64 bytes, 49.5 ms (44.5 avg, 25% loss)\n\
                127.0.0.1 : xmt/rcv/%loss = 4/3/25%, min/avg/max = 44.5/44.5/44.5\n";
    let wanted = [
        "18:06:03.5Z 127.0.0.1 icmp reply 44.5",
        "18:06:04.5Z 127.0.0.1 icmp reply 44.5",
        "18:06:05.5Z 127.0.0.1 icmp overdue",
        "18:06:06.5Z 127.0.0.1 icmp reply 44.5",
    ];
    assert_eq!(short(&import(&[text])), wanted);
    let json = r#"{"resp": {"timestamp": "1795716363.54450", "host": "127.0.0.1", "seq": 0, "size": 64, "rtt": 44.5}}
{"resp": {"timestamp": "1795716364.54450", "host": "127.0.0.1", "seq": 1, "size": 64, "rtt": 44.5}}
{"timeout": {"timestamp": "1795716366.00000", "host": "127.0.0.1", "seq": 2}}
{"resp": {"timestamp": "1795716366.54450", "host": "127.0.0.1", "seq": 3, "size": 64, "rtt": 44.5}}
{"new": {"host": "127.0.0.1"}}
{"vSum": {"host": "127.0.0.1", "values": [44.5, null]}}
"#;
    let imported = import(&[json]);
    assert_eq!(short(&imported), wanted);
    for one in [text, json] {
        let both = one.to_owned() + &one.replace("127.0.0.1", "127.0.0.2");
        let taken = import_with(only("host=127.0.0.1"), &[&both]).expect("one of them");
        assert_eq!(short(&taken), wanted);
    }
    // A run each minute, each of one probe.
    let run = |minute: u64, what: &str| {
        format!("[{}.5] 127.0.0.1 : [0], {what} (44.5 avg, 0% loss)\n", 1_795_716_363 + 60 * minute)
    };
    let runs = run(0, "64 bytes, 44.5 ms") + &run(1, "timed out") + &run(2, "64 bytes, 44.5 ms");
    let summary = import(&[&runs]).summary;
    assert_eq!((summary.outcomes, summary.missed), (3, 1));
    for (from, to, told) in [
        ("[1], 64 bytes, 44.5 ms", "[1], 64 bytes, 44", "2: \"44\" is no round-trip time in ms"),
        (
            "[1], 64 bytes, 44.5 ms",
            "[1], 64 by",
            "2: neither an answer nor \"timed out\"; see that it is whole",
        ),
        ("[1]", "[18446744073709551616]", "2: [18446744073709551616] is no number of a probe"),
        (
            "[1795716364.54450]",
            "[2026-11-25 18:06:04]",
            "2: [2026-11-25 18:06:04] is no time in seconds; leave out --timestamp-format",
        ),
    ] {
        assert_eq!(import(&[&text.replace(from, to)]).notes, [format!("{told} ×1")]);
    }
    assert!(imported.notes[0].contains("a summary at the end"), "{:?}", imported.notes);
    // Of probes between two answers of which no line tells, nobody answered, where timeouts have no
    // lines; where they have, nobody saw.
    let elsewhere = "[1795716363.00000] 127.0.0.9 : [0], timed out (NaN avg, 100% loss)\n";
    let text = text.replace("[1795716366.00000] 127.0.0.1 : [2], timed", "#");
    assert_eq!(short(&import(&[&text])), wanted);
    // Wherever the line of the timeout stands, and whoever is asked for.
    for file in [elsewhere.to_owned() + &text, text.clone() + elsewhere] {
        for options in [Options::default(), only("host=127.0.0.1")] {
            let told = short(&import_with(options, &[&file]).expect("a log"));
            let is_miss = |line: &String| line.contains("127.0.0.1 icmp overdue");
            assert!(!told.iter().any(is_miss), "{told:?}");
        }
    }
}

/// A result of RIPE Atlas at a time of one host.
fn atlas(rest: &str) -> String {
    format!(r#"{{"type":"ping","prb_id":1000,"timestamp":1795633778,"msm_id":1,{rest}}}"#)
}

#[test]
fn atlas_results_of_all_firmwares_are_read() {
    let reply = |second: u64, rtt: &str| format!("19:09:{second}Z 203.0.113.8 icmp reply {rtt}");
    let miss = |second: u64| format!("19:09:{second}Z 203.0.113.8 icmp overdue");
    for (rest, wanted) in [
        // 0: all in quotes, and sums alone.
        (
            r#""fw":0,"dst_addr":"203.0.113.8","sent":"3","rcvd":"2","avg":"58.0","dup":"0""#,
            vec![miss(38), reply(39, "58"), reply(40, "58")],
        ),
        // 1: another name of the address.
        (
            r#""fw":1,"addr":"203.0.113.8","name":"h.example","sent":1,"rcvd":1,"avg":58.25"#,
            vec![reply(38, "58.25")],
        ),
        (
            r#""fw":4460,"dst_addr":"203.0.113.8","result":[{"rtt":4.5},{"x":"*"},{"rtt":5}]"#,
            vec![reply(38, "4.5"), miss(39), reply(40, "5")],
        ),
        (
            r#""fw":4610,"lts":38,"dst_addr":"203.0.113.8","ttl":54,
               "result":[{"srcaddr":"10.0.0.1","x":"*"},{"dup":1,"rtt":36.4,"ttl":54},
                         {"dup":1,"rtt":37.7},{"rtt":27.75}]"#,
            vec![miss(38), format!("{} /54", reply(39, "27.75"))],
        ),
        // Second answers of a probe are no reply.
        (
            r#""fw":4600,"lts":130,"avg":-1,"dst_addr":"203.0.113.8","sent":1,"rcvd":0,
               "result":[{"x":"*"},{"dup":1,"rtt":1635.4,"ttl":55},{"dup":1,"rtt":1800.5}]"#,
            vec![miss(38)],
        ),
        // What could not be sent is no miss.
        (
            r#""fw":4650,"dst_addr":"203.0.113.8","result":[{"error":"sendto"},{"rtt":5}]"#,
            vec![reply(39, "5")],
        ),
    ] {
        let rest = rest.replace('\n', " ");
        assert_eq!(short(&import(&[&atlas(&rest)])), wanted, "{rest}");
        let array = format!("[{}]", atlas(&rest));
        assert_eq!(short(&import(&[&array])), wanted, "an array: {rest}");
    }
}

#[test]
fn atlas_results_of_two_probes_are_two_vantages() {
    let one = atlas(r#""dst_addr":"203.0.113.8","result":[{"rtt":5}]"#);
    let other = one.replace("1000", "1001").replace("113.8", "113.9");
    let both = format!("{one}\n{other}\n");
    let why = refused(&both);
    assert!(why.contains("several vantages: prb_id=1000, prb_id=1001"), "{why}");
    let taken = import_with(only("prb_id=1001"), &[&both]).expect("one of them");
    assert_eq!(short(&taken), ["19:09:38Z 203.0.113.9 icmp reply 5"]);
}

#[test]
fn an_atlas_probe_without_a_clock_is_not_trusted() {
    for lts in ["-1", "1001"] {
        let line =
            atlas(&format!(r#""lts":{lts},"dst_addr":"203.0.113.8","result":[{{"rtt":5}}]"#));
        assert!(refused(&line).contains("clock was not known to be right"), "{lts}");
    }
}

#[test]
fn scamper_answers_are_those_of_whom_was_asked() {
    let ping = r#"{"type":"ping", "version":"0.4", "method":"icmp-echo", "src":"10.0.0.1", "dst":"203.0.113.8", "start":{"sec":1795633778,"usec":500000}, "ping_sent":4, "probe_size":84, "wait":2, "timeout":1, "responses":[
{"from":"203.0.113.8", "seq":0, "reply_size":84, "reply_ttl":52, "tx":{"sec":1795633778,"usec":500100}, "rtt":20.5, "icmp_type":0, "icmp_code":0},
{"from":"10.7.7.7", "seq":1, "reply_ttl":60, "tx":{"sec":1795633780,"usec":500200}, "rtt":3.5, "icmp_type":11, "icmp_code":0},
{"from":"203.0.113.9", "seq":2, "reply_ttl":60, "rtt":3.5, "icmp_type":0, "icmp_code":0}]}"#;
    let file = format!(
        "{}\n{}\n{}\n",
        r#"{"type":"cycle-start", "id":0, "start_time":1795632907}"#,
        ping.replace('\n', ""),
        r#"{"type":"trace", "src":"10.0.0.1", "dst":"203.0.113.8"}"#,
    );
    let imported = import(&[&file]);
    assert_eq!(
        short(&imported),
        [
            "19:09:38.5001Z 203.0.113.8 icmp reply 20.5 /52",
            "19:09:40.5002Z 203.0.113.8 icmp overdue",
            "19:09:42.5Z 203.0.113.8 icmp overdue",
            "19:09:44.5Z 203.0.113.8 icmp overdue",
        ]
    );
    assert_eq!(imported.notes, ["3: a trace and no ping is left out ×1"]);
}

/// A ping of one probe, by this method, with this response.
fn scamper(method: &str, response: &str) -> String {
    format!(
        r#"{{"type":"ping","method":"{method}","src":"10.0.0.1","dst":"203.0.113.8","dport":443,"start":{{"sec":1795633778,"usec":0}},"ping_sent":1,"wait":1,"responses":[{{"seq":0,"rtt":5,{response}}}]}}"#
    )
}

#[test]
fn scamper_takes_whatever_the_asked_address_says_for_life() {
    let (same, other) = (r#""from":"203.0.113.8""#, r#""from":"10.7.7.7""#);
    for (method, from, what, probe, is_alive) in [
        ("icmp-echo", same, r#""icmp_type":0,"icmp_code":0"#, "icmp", true),
        ("icmp-echo", same, r#""icmp_type":129,"icmp_code":0"#, "icmp", true),
        ("icmp-echo", same, r#""icmp_type":3,"icmp_code":10"#, "icmp", true),
        ("icmp-echo", other, r#""icmp_type":3,"icmp_code":1"#, "icmp", false),
        ("icmp-echo", other, r#""icmp_type":0,"icmp_code":0"#, "icmp", false),
        ("icmp-time", same, r#""icmp_type":14,"icmp_code":0"#, "icmp", true),
        ("icmp-time", other, r#""icmp_type":11,"icmp_code":0"#, "icmp", false),
        // Its loop sends it back, or it has run out of fragments: it has answered no probe.
        ("icmp-echo", same, r#""icmp_type":11,"icmp_code":0"#, "icmp", false),
        ("tcp-syn", same, r#""icmp_type":11,"icmp_code":1"#, "tcp/443", false),
        ("tcp-syn", same, r#""tcp_flags":18"#, "tcp/443", true),
        ("tcp-syn", same, r#""tcp_flags":20"#, "tcp/443", true),
        ("tcp-ack", same, r#""tcp_flags":4"#, "tcp/443", true),
        ("tcp-ack-sport", same, r#""icmp_type":3,"icmp_code":13"#, "tcp/443", true),
        ("tcp-synack", other, r#""icmp_type":3,"icmp_code":13"#, "tcp/443", false),
    ] {
        let imported = import(&[&scamper(method, &format!("{from},{what}"))]);
        let result = if is_alive { "reply 5" } else { "overdue" };
        let wanted = format!("19:09:38Z 203.0.113.8 {probe} {result}");
        assert_eq!(short(&imported), [wanted], "{method} {from} {what}");
    }
    // Of ICMPv6 the numbers are others (RFC 4443).
    for (kind, result) in [(1, "reply 5"), (3, "overdue"), (11, "reply 5")] {
        let ping = scamper("icmp-echo", &format!(r#"{same},"icmp_type":{kind},"icmp_code":0"#));
        let wanted = format!("19:09:38Z 2001:db8::8 icmp {result}");
        assert_eq!(short(&import(&[&ping.replace("203.0.113.8", "2001:db8::8")])), [wanted]);
    }
}

#[test]
fn scamper_pings_that_a_plan_cannot_ask_are_refused_in_a_line() {
    let answer = r#""from":"203.0.113.8","icmp_type":3,"icmp_code":3"#;
    for (method, wanted) in [
        ("udp", "pings by udp, a probe that no plan has, are left out"),
        ("udp-dport", "pings by udp, a probe that no plan has, are left out"),
        ("tcp-rst", "pings by tcp-rst, which nobody answers, are left out"),
        ("sctp", "pings by the method \"sctp\", which is not known here, are left out"),
    ] {
        let file = scamper(method, answer);
        assert_eq!(refused(&file), format!("1: no outcome in it: {wanted}"));
    }
    let portless = scamper("tcp-syn", answer).replace("\"dport\":443,", "");
    assert!(refused(&portless).contains("a ping by tcp-syn without \"dport\""));
}

#[test]
fn json_is_known_whatever_white_space_is_in_it() {
    let matrix = matrix(&[("probe_success", PING, &[("1795633778.369", "1")])]);
    for (text, wanted) in [
        (matrix.as_str(), Format::Prometheus),
        (
            r#"{"metric":{"__name__":"probe_success","instance":"203.0.113.8"},"values":[1],"timestamps":[1795633778369]}"#,
            Format::VictoriaMetrics,
        ),
        (
            r#"{"resp":{"timestamp":1795633778.5,"host":"203.0.113.8","seq":0,"rtt":1,"size":64}}"#,
            Format::FpingJson,
        ),
        (
            r#"{"type":"ping","prb_id":1,"timestamp":1795633778,"dst_addr":"203.0.113.8","result":[{"rtt":1}]}"#,
            Format::Atlas,
        ),
        (
            r#"[{"type":"ping","prb_id":1,"timestamp":1795633778,"dst_addr":"203.0.113.8","result":[{"rtt":1}]}]"#,
            Format::Atlas,
        ),
        (
            r#"{"type":"ping","method":"icmp-echo","src":"10.0.0.1","dst":"203.0.113.8","start":{"sec":1795633778,"usec":0},"ping_sent":1,"responses":[]}"#,
            Format::Scamper,
        ),
    ] {
        for blank in ["", " ", "\t", "  \r"] {
            let spaced: String = text
                .chars()
                .map(|letter| match letter {
                    '{' | '[' | ':' | ',' => format!("{letter}{blank}"),
                    '}' | ']' => format!("{blank}{letter}"),
                    _ => letter.to_string(),
                })
                .collect();
            let spaced = spaced.replace("\":", &format!("\"{blank}:"));
            let mut import = Import::new(Options::default(), tempfile::tempfile);
            let read = import.read("x", spaced.as_bytes());
            assert_eq!(read.expect("a record").0, wanted, "{spaced:?}");
        }
    }
    assert!(refused("{ \"sent\" : \"2014").contains("a journal already"));
}

#[test]
fn each_format_is_known_by_its_content() {
    let file = matrix(&[("probe_success", PING, &[("1795633778.369", "1")])]);
    let mut import = Import::new(Options::default(), tempfile::tempfile);
    let with_mark = format!("\u{feff}\r\n {file}");
    let read = import.read("x", with_mark.as_bytes()).expect("a record");
    assert_eq!(read.0, Format::Prometheus);
    let _: Only = "a=b".parse().expect("a label");
}

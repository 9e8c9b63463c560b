//! What is wrong with a file is told, with its place, and what would be right.

use super::*;

#[test]
fn a_file_of_another_kind_is_named() {
    for (begin, wanted) in [
        (&b""[..], "nothing in it"),
        (b" \r\n\t", "nothing in it"),
        (b"\x1f\x8b\x08\0", "packed with gzip; unpack it by gunzip"),
        (b"\xd4\xc3\xb2\xa1\x02\0", "this is a packet capture (pcap"),
        (b"\x0a\x0d\x0d\x0a\0", "this is a packet capture (pcap"),
        (b"\x12\x05\0\x0b", "sc_warts2json"),
        (b"\xff\xfe{\0", "save it as UTF-8"),
        (b"<html>", "error page"),
        (b"{\"sent\":\"2014", "a journal already"),
        (b"RRD\x000003\0", "round robin"),
        (b"203.0.113.8 : [0], 64 bytes, 1 ms", "fping -D -l"),
        (b"{\"type\":\"outages.events\",\"error\":null}", "lifesign compare"),
        (b"a,b,c\n1,2,3\n", "nothing that is known here; known are"),
        (b"[[[[", "nothing that is known here"),
        (b"\xff\xfb\xfa", "nothing that is known here"),
    ] {
        let mut import = Import::new(Options::default(), tempfile::tempfile);
        let why = import.read("x", begin).expect_err("no record").to_string();
        assert!(why.contains(wanted), "{wanted}: {why}");
    }
}

/// Then nobody knows whether anybody answered.
#[test]
fn what_has_a_wrong_type_is_told_and_is_no_silence() {
    let scamper = r#"{"type":"ping","method":"icmp-echo","src":"10.0.0.1","dst":"203.0.113.8","start":{"sec":1795633778,"usec":0},"ping_sent":1,"responses":[]}"#;
    let atlas = r#"{"type":"ping","prb_id":1,"timestamp":1795633778,"dst_addr":"203.0.113.8","sent":3,"rcvd":0}"#;
    let fping = r#"{"intSum":{"timestamp":1795633778.5,"host":"203.0.113.8","xmt":2,"rcv":0}}"#;
    for (good, part, bad, wanted) in [
        (scamper, "[]", "\"none\"", "\"responses\" is no list"),
        (scamper, "\"ping_sent\":1", "\"ping_sent\":\"1\"", "\"ping_sent\" is no number"),
        (atlas, "\"rcvd\":0", "\"rcvd\":[]", "\"result\" is no list, and \"sent\" and"),
        (atlas, "\"sent\":3", "\"result\":{}", "\"result\" is no list, and \"sent\" and"),
        (fping, "\"rcv\":0", "\"rcv\":\"0\"", "\"xmt\" or \"rcv\" is no number"),
        (fping, "\"xmt\":2", "\"xmt\":9000000000", "xmt 9000000000 is more than fping counts"),
        (scamper, "\"ping_sent\":1", "\"ping_sent\":65536", "65536 is more than a ping has"),
        (
            scamper,
            "\"ping_sent\":1",
            "\"ping_sent\":1,\"wait\":1e300",
            "are no span of time; left out",
        ),
        (scamper, ":0}", ":1000000}", "usec 1000000 is not within 0 to 999999; left out"),
        (scamper, ":0}", ":-1}", "usec -1 is not within 0 to 999999; left out"),
        (scamper, ",\"usec\":0", "", "\"start\" has no number \"usec\"; left out"),
        (scamper, ":0}", ":\"x\"}", "\"start\" has no number \"usec\"; left out"),
        (atlas, ":3", ":\"3000000000\"", "sent 3000000000 is more than a ping result has; left"),
        (atlas, ":0", ":\"3000000000\"", "rcvd 3000000000 is more than sent 3; left out"),
        (atlas, ":0", ":-1", "sent 3 and rcvd -1 are no counts; left out"),
    ] {
        let why = refused(&good.replace(part, bad));
        assert!(why.contains(wanted), "{wanted}: {why}");
    }
    for good in [scamper, atlas] {
        let summary = import(&[good]).summary;
        assert_eq!(summary.missed, summary.outcomes, "{good}");
    }
}

/// Whatever its round-trip time, the answer came.
#[test]
fn an_answer_with_an_odd_round_trip_time_is_an_answer() {
    let text = |seq: u32, rtt: &str| {
        format!("[179563370{seq}.5] 203.0.113.9 : [{seq}], 64 bytes, {rtt} ms (1 avg, 0% loss)\n")
    };
    let json = |seq: u32, rtt: &str| {
        let begin = format!(r#""timestamp":179563370{seq}.5,"host":"203.0.113.9""#);
        format!("{{\"resp\":{{{begin},\"seq\":{seq},\"rtt\":{rtt}}}}}\n")
    };
    let below = "a round-trip time below 0 or above an hour is left out";
    for (make, rtt, wanted) in [
        (&text as &dyn Fn(u32, &str) -> String, "-0.8", below),
        (&text, "inf", below),
        (&text, "abc", "\"abc\" is no round-trip time in ms"),
        (&json, "-0.8", below),
        (&json, "\"abc\"", "\"abc\" is no round-trip time in ms"),
        (&json, "null", "null is no round-trip time in ms"),
    ] {
        let imported = import(&[&(make(0, "1.0") + &make(1, rtt) + &make(2, "1.0"))]);
        assert_eq!(imported.notes, [format!("2: {wanted} ×1")]);
        assert_eq!((imported.summary.outcomes, imported.summary.missed), (3, 0), "{rtt}");
    }
}

/// Then it was sent when its turn was.
#[test]
fn a_time_of_one_probe_that_cannot_be_is_told() {
    let ping = r#"{"type":"ping","method":"icmp-echo","src":"10.0.0.1","dst":"203.0.113.8","start":{"sec":1795633778,"usec":0},"ping_sent":2,"responses":[{"from":"203.0.113.8","seq":1,"rtt":1.5,"tx":{"sec":1795633779,"usec":999999999999}}]}"#;
    let imported = import(&[ping]);
    assert_eq!(
        imported.notes,
        ["1: usec 999999999999 is not within 0 to 999999; its probe is dated by its number ×1"]
    );
    let last = imported.lines.iter().find(|line| line.contains("reply"));
    assert!(last.is_some_and(|line| line.contains("2026-11-25T19:09:39")), "{last:?}");
}

fn prometheus(values: &str) -> String {
    format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{{"metric":{{"__name__":"probe_success","instance":"203.0.113.8"}},"values":[{values}]}}]}}}}"#
    )
}

#[test]
fn a_wrong_sample_is_told_with_its_place() {
    for (values, wanted) in [
        ("[1795633778.369,1]", "1:152: a number in quotes, such as \"1\" is wanted here"),
        ("[\"x\",\"1\"]", "a number is wanted here"),
        ("[1795633778.369]", "a sample, such as [1795633778.369,\"1\"] is wanted here"),
        ("[1795633778.369,\"1\",2]", "a sample, such as [1795633778.369,\"1\"] is wanted here"),
        ("[1795633778.369,\"one\"]", "a number in quotes, such as \"1\" is wanted here"),
        ("[1795633778369,\"1\"]", "1795633778369 is no time in seconds between 1980 and 2200"),
        ("[-1,\"1\"]", "-1 is no time"),
        ("[1e999,\"1\"]", "a number out of range"),
        ("7", "a sample, such as [1795633778.369,\"1\"] is wanted here"),
    ] {
        let why = refused(&prometheus(values));
        assert!(why.contains(wanted) && why.starts_with("1:"), "{wanted}: {why}");
    }
    let nan = format!("{},[1795633793.4,\"1\"]", r#"[1795633778.4,"NaN"]"#);
    assert_eq!(import(&[&prometheus(&nan)]).summary.outcomes, 1);
}

/// None of them is a silence, nor an answer.
#[test]
fn a_number_that_says_nothing_is_counted_and_told() {
    let metric = |name: &str, values: &str| {
        prometheus(&format!(r#"[1795633778.4,"1"],{values}"#)).replace("probe_success", name)
    };
    let icmp = "probe_icmp_duration_seconds";
    let export = r#"{"metric":{"__name__":"probe_success","instance":"203.0.113.8"},"values":[1,null,null],"timestamps":[1795633778400,1795633793400,1795633808400]}"#;
    let atlas = r#"{"type":"ping","prb_id":1,"timestamp":1795633778,"dst_addr":"203.0.113.8","result":[{"rtt":1},{"rtt":-1},{"error":"sendto failed"},{"error":"x"},{"dup":1,"rtt":2}]}"#;
    let fping = "[1795633778.5] 203.0.113.8 : [0], 64 bytes, 1.0 ms (1.0 avg, 0% loss)\n\
                 [1795633779.5] 203.0.113.8 : [1], 64 bytes, -1.0 ms (1.0 avg, 0% loss)\n\
                 [1795633780.5] 203.0.113.8 : [2], timed out (NaN avg, 33% loss)\n";
    let json = r#"{"resp":{"timestamp":1795633778.5,"host":"203.0.113.8","seq":0,"rtt":1.0}}"#;
    let json =
        format!("{json}\n{}\n", json.replace("1.0", "-1.0").replace("\"seq\":0", "\"seq\":1"));
    let scamper = r#"{"type":"ping","method":"icmp-echo","src":"10.0.0.1","dst":"203.0.113.8","start":{"sec":1795633778,"usec":0},"ping_sent":1,"responses":[{"from":"203.0.113.8","seq":0,"rtt":-0.5}]}"#;
    let below = "a round-trip time below 0 or above an hour is left out";
    for (file, outcomes, wanted) in [
        (
            metric("probe_success", r#"[1795633793.4,"NaN"],[1795633808.4,"NaN"]"#).as_str(),
            1,
            &[" series 1: probe_success that is not a number (NaN) is left out ×2"][..],
        ),
        (
            &metric(icmp, r#"[1795633793.4,"-1"],[1795633808.4,"NaN"]"#),
            1,
            &[
                &*format!(" series 1: {icmp} that is not a number (NaN) is left out ×1"),
                &format!(" series 1: {icmp} below 0 is left out ×1"),
            ],
        ),
        (
            &metric("ping_loss_ratio", r#"[1795633793.4,"1"],[1795633808.4,"2"]"#)
                .replace("instance", "ip"),
            1,
            &[" series 1: ping_loss_ratio that is more than can be is left out ×1"],
        ),
        (export, 1, &["1: probe_success that is not a number (NaN) is left out ×2"]),
        (
            atlas,
            1,
            &[
                "1: a packet that could not be sent (error) is left out ×2",
                &format!("1: {below} ×1"),
            ],
        ),
        (fping, 3, &[&format!("2: {below} ×1")]),
        (&json, 2, &[&format!("2: {below} ×1")]),
        (scamper, 1, &[&format!("1: {below} ×1")]),
    ] {
        let imported = import(&[file]);
        let mut notes = imported.notes;
        notes.sort();
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        assert_eq!(
            (notes, imported.summary.outcomes),
            (wanted.iter().map(ToString::to_string).collect(), outcomes),
            "{file}"
        );
    }
    // A hop limit of 0 is what the exporter has where nobody answered.
    assert_eq!(
        import(&[&metric("probe_icmp_reply_hop_limit", r#"[1795633793.4,"0"]"#)]).notes,
        [""; 0]
    );
}

#[test]
fn what_the_server_says_instead_of_samples_is_told() {
    let error = r#"{"status":"error","errorType":"bad_data","error":"parse error at char 3"}"#;
    assert!(refused(error).contains("the server had an error: parse error at char 3"));
    let vector = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    assert!(refused(vector).contains("ask for a range vector: probe_success[24h]"));
    let empty = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
    assert!(refused(empty).contains("no outcome in it"));
}

#[test]
fn of_a_torn_file_what_came_before_is_taken() {
    let whole = prometheus(r#"[1795633778.369,"1"],[1795633793.369,"0"]"#);
    let torn = &whole[..whole.len() - 12];
    let imported = import(&[torn]);
    assert_eq!(imported.summary.outcomes, 1);
    assert!(imported.notes[0].contains("torn off here; what came before is taken"));
    let atlas = r#"[{"type":"ping","prb_id":1,"timestamp":1795633778,"dst_addr":"203.0.113.8","result":[{"rtt":1}]},{"type""#;
    assert_eq!(import(&[atlas]).summary.outcomes, 1);
}

#[test]
fn a_value_without_end_is_not_held_in_memory() {
    let mut long = prometheus("").replace("203.0.113.8", &"x".repeat(4 << 20));
    assert!(refused(&long).contains("a value of more than a MiB"), "labels");
    long = format!("{{\"prb_id\":1,\"x\":\"{}\"}}\n", "x".repeat(4 << 20));
    assert!(refused(&long).contains("longer than 1 MiB"), "a line");
    long = format!("[{{\"prb_id\":1,\"x\":\"{}\"}}]", "x".repeat(4 << 20));
    assert!(refused(&long).contains("a value of more than a MiB"), "an array's");
    let deep = format!("{{\"prb_id\":{}", "[".repeat(100_000));
    assert!(refused(&deep).contains("nested 128 deep"), "{}", refused(&deep));
}

#[test]
fn a_line_that_is_none_is_left_out() {
    let good = r#"{"type":"ping","prb_id":1,"timestamp":1795633778,"dst_addr":"203.0.113.8","result":[{"rtt":1}]}"#;
    let file = format!("{good}\n{{\"prb_id\" 1}}\n[]\n{{\"prb_id\":1}}\n{good}");
    let imported = import(&[&file]);
    assert_eq!(imported.summary.outcomes, 1);
    assert_eq!(
        imported.notes,
        [
            "2:11: no JSON from here on; give a result a line ×1",
            "3: no prb_id, which says whose result it is ×1",
            "4: no timestamp ×1"
        ]
    );
}

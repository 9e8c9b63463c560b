//! What an import says of what it took and left out.

use super::*;

fn atlas(rest: &str) -> String {
    format!(r#"{{"type":"ping","prb_id":1000,"timestamp":1795633778,{rest}}}"#)
}

/// An answer of Prometheus: of each series its labels and its values, a quarter of a minute apart.
fn matrix(series: &[(&str, &[&str])]) -> String {
    let one = |(labels, values): &(&str, &[&str])| {
        let samples = (0..).zip(*values);
        let samples: Vec<_> = samples
            .map(|(step, value)| format!("[{}.369,\"{value}\"]", 1_795_633_778 + step * 15))
            .collect();
        format!(r#"{{"metric":{{{labels}}},"values":[{}]}}"#, samples.join(","))
    };
    let all: Vec<_> = series.iter().map(one).collect();
    format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}}"#,
        all.join(",")
    )
}

#[test]
fn who_was_never_asked_is_no_target_and_stands_in_no_plan() {
    let asked = atlas(r#""dst_addr":"203.0.113.8","result":[{"rtt":5}]"#);
    let unresolved = atlas(r#""dst_name":"h.example","result":[{"error":"dns"}],"dnserr":"x""#);
    let empty = r#"{"type":"ping","method":"icmp-echo","src":"10.0.0.1","dst":"198.51.100.7","start":{"sec":1795633778,"usec":0},"ping_sent":0,"responses":[]}"#;
    let ping = empty.replace("51.100", "0.2").replace("_sent\":0", "_sent\":1");
    let success = r#""__name__":"probe_success","instance":"203.0.113.8""#;
    let series =
        |values| matrix(&[(success, values), (&success.replace("113.8", "114.9"), &["7"])]);
    let took = r#""__name__":"probe_duration_seconds","instance":"203.0.114.9""#;
    for (file, wanted, unwanted) in [
        (format!("{unresolved}\n{asked}\n"), "203.0.113.8", "h.example"),
        (format!("{empty}\n{ping}\n"), "198.0.2.7", "198.51.100"),
        (series(&["1"]), "203.0.113.8", "203.0.114"),
        (matrix(&[(took, &["0.5"]), (success, &["1"])]), "203.0.113.8", "203.0.114"),
    ] {
        let Summary { targets, plan, .. } = import(&[&file]).summary;
        assert_eq!(targets, 1, "{plan}");
        assert!(plan.contains(wanted) && !plan.contains(unwanted), "{plan}");
    }
}

#[test]
fn of_whom_nothing_says_whether_they_answered_is_told() {
    let success = r#""__name__":"probe_success","instance":"203.0.113.8""#;
    let took = r#""__name__":"probe_duration_seconds","instance":"203.0.114.9""#;
    let summary = import(&[&matrix(&[(took, &["0.5"]), (success, &["1"])])]).summary;
    let wanted = "left out: nothing says whether 203.0.114.9 icmp answered";
    assert!(summary.lines().iter().any(|line| line == wanted), "{:?}", summary.lines());
}

#[test]
fn one_address_that_was_asked_under_two_names_is_told() {
    let success = |instance: &str| format!(r#""__name__":"probe_success","instance":"{instance}""#);
    let joined = |names: &[&str]| {
        let labels: Vec<_> = names.iter().map(|name| success(name)).collect();
        let series: Vec<_> = labels.iter().map(|labels| (&**labels, &["1", "1"][..])).collect();
        let map = "name,host\nmail,198.51.100.7\nwww,198.51.100.7\n";
        let options = Options { map: Map::parse("map", map).expect("a map"), only: Vec::new() };
        import_with(options, &[&matrix(&series)]).expect("a record").summary.joined
    };
    let pages = ["https://198.51.100.7/", "https://198.51.100.7/health"];
    let told = "joined: 198.51.100.7 tcp/443 was asked as https://198.51.100.7/ and as \
                https://198.51.100.7/health, which are taken for one";
    assert_eq!(joined(&pages), [told]);
    let more = joined(&["mail", "www", "198.51.100.8:1", "http://198.51.100.8:1", pages[0]]);
    let told = "joined: 198.51.100.7 icmp was asked as mail and as www, which are taken for one, \
                and so are those of 1 more";
    assert_eq!(more, [told]);
    assert_eq!(joined(&["198.51.100.7", pages[0], "198.51.100.8"]), [""; 0]);
}

#[test]
fn what_is_left_out_of_an_array_is_told_with_its_place_in_it() {
    let good = atlas(r#""dst_addr":"203.0.113.8","result":[{"rtt":5}]"#);
    let unsent = atlas(r#""dst_addr":"203.0.113.8","result":[{"error":"sendto"},{"rtt":5}]"#);
    let nameless = atlas(r#""result":[{"rtt":5}]"#);
    let notes = import(&[&format!("[{good},\n{unsent},{unsent},{nameless},[1]]")]).notes;
    assert_eq!(
        notes,
        [
            " result 2: a packet that could not be sent (error) is left out ×2",
            " result 4: no address that was asked (dst_addr) ×1",
            " result 5: no prb_id, which says whose result it is ×1",
        ]
    );
    assert_eq!(
        refused(&format!("[{nameless}]")),
        " no outcome in it: result 1: no address that was asked (dst_addr)"
    );
    let torn = import(&[&format!("[{good},{unsent},{{\"type\"")]).notes;
    assert!(torn[0].starts_with(" result 2: a packet "), "{torn:?}");
    assert!(torn[1].starts_with("1:") && torn[1].contains(": torn off here"), "{torn:?}");
    let success = |host: u8| format!(r#""__name__":"probe_success","instance":"203.0.113.{host}""#);
    let [one, other] = [8, 9].map(success);
    let answer = matrix(&[
        (&one, &["1", "0"]),
        (r#""__name__":"go_goroutines""#, &["1"]),
        (&other, &["1", "NaN"]),
        (&other.replace('9', "10"), &["NaN"]),
    ]);
    let notes = import(&[&answer]).notes;
    assert!(notes[0].starts_with(" series 2: a series of another metric than "), "{notes:?}");
    let wanted = " series 3: probe_success that is not a number (NaN) is left out ×2";
    assert_eq!((notes[1].as_str(), notes.len()), (wanted, 2));
    // A file of lines has lines.
    let array = format!("[{unsent}]");
    let notes = import(&[&array, &format!("{good}\n{unsent}\n")]).notes;
    assert_eq!(notes[1], "2: a packet that could not be sent (error) is left out ×1");
}

#[test]
fn a_mean_of_the_first_firmwares_that_is_none_is_told() {
    let sums = |answered: u8, mean: &str| {
        let rest = format!(
            r#""fw":1,"addr":"203.0.113.8","sent":3,"rcvd":{answered},"avg":{mean},"dup":0"#
        );
        import(&[&atlas(&rest)])
    };
    let imported = sums(2, "-1");
    assert_eq!(imported.notes, ["1: a round-trip time below 0 or above an hour is left out ×1"]);
    assert_eq!((imported.summary.outcomes, imported.summary.missed), (3, 1));
    assert_eq!(short(&imported)[1], "19:09:39Z 203.0.113.8 icmp reply 0");
    for (answered, mean) in [(0, "-1"), (2, "58.25"), (2, "null")] {
        assert_eq!(sums(answered, mean).notes, [""; 0], "{answered} {mean}");
    }
}

#[test]
fn what_nobody_asked_for_is_not_what_is_wrong() {
    let result = |probe: u32, rest: &str| {
        let about = format!(r#"{rest}"dst_addr":"203.0.113.8","result":[{{"rtt":5}}]"#);
        atlas(&about).replace("1000", &probe.to_string())
    };
    let lines: Vec<_> = (1000..1002).map(|probe| result(probe, "")).collect();
    let file = format!("{}\n{}\n", lines.join("\n"), result(1003, r#""lts":-1,"#));
    let refused = |label: &str, file: &str| import_with(only(label), &[file]).err();
    let wanted = " nothing has prb_id=1; there are prb_id=1000, prb_id=1001, prb_id=1003";
    assert_eq!(refused("prb_id=1", &file).as_deref(), Some(wanted));
    assert_eq!(import_with(only("prb_id=1000"), &[&file]).expect("one").notes, [""; 0]);
    let why = refused("prb_id=1003", &file).expect("it has no clock");
    assert!(why.contains("clock was not known to be right"), "{why}");
    let wanted = " nothing has job=x, nor anything else by that label";
    assert_eq!(refused("job=x", &file).as_deref(), Some(wanted));
    let many: Vec<_> = (1000..1009).map(|probe| result(probe, "")).collect();
    let why = refused("prb_id=1", &many.join("\n")).expect("another probe");
    assert!(why.ends_with("prb_id=1004, …"), "{why}");
    let labels = r#""instance":"203.0.113.8","job":"ping","__name__":"#;
    let [success, up] = ["probe_success", "up"].map(|name| format!("{labels}\"{name}\""));
    let file = matrix(&[(&success, &["1"]), (&up, &["1"])]);
    let wanted = " nothing has job=nope; there are job=ping";
    assert_eq!(refused("job=nope", &file).as_deref(), Some(wanted));
    let trace = r#"{"type":"trace","version":"0.1","src":"10.0.0.1","dst":"203.0.113.8"}"#;
    let why = refused("src=10.0.0.2", &format!("{trace}\n")).expect("another source");
    assert_eq!(why, " nothing has src=10.0.0.2; there are src=10.0.0.1");
}

/// What a server leaves out is no silence of a host.
#[test]
fn a_server_that_warns_or_gives_a_part_is_told() {
    let whole = matrix(&[(r#""__name__":"probe_success","instance":"203.0.113.8""#, &["1"])]);
    let with = |more: &str| whole.replacen('{', &format!("{{{more},"), 1);
    let imported =
        import(&[&with(r#""warnings":["no word from a store"],"isPartial":true,"infos":["x"]"#)]);
    let wanted = [
        " the server says that this is a part of what it has (isPartial) ×1",
        " the server warns: no word from a store ×1",
    ];
    assert_eq!(imported.notes, wanted);
    assert!(import(&[&with(r#""isPartial":false"#)]).notes.is_empty());
}

#[test]
fn an_answer_whose_keys_are_sorted_is_read_and_a_part_of_one_is_named() {
    let metric = r#"{"__name__":"probe_success","instance":"203.0.113.8"}"#;
    let series = format!(r#"{{"metric":{metric},"values":[[1795633778.369,"1"]]}}"#);
    let sorted =
        format!(r#"{{"data":{{"result":[{series}],"resultType":"matrix"}},"status":"success"}}"#);
    assert_eq!(import(&[&sorted]).summary.outcomes, 1);
    for part in [series.clone(), format!("[{series}]")] {
        assert!(refused(&part).contains("save the whole of it"), "{part}");
    }
}

#[test]
fn more_notes_than_are_kept_are_counted() {
    let odd = |at: u32| format!("[1795633770.5] 203.0.113.9 : [{at}], 64 bytes, x{at} ms ()\n");
    let text: String = (0..60).map(odd).collect();
    let notes = import(&[&text]).notes;
    assert_eq!(notes.len(), 51);
    assert_eq!(notes.last().map(String::as_str), Some(" 10 more, of other kinds; left out ×1"));
}

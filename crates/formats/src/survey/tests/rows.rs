//! Rows whose words may be taken for others: those of ports, and of zones.

use super::*;

#[test]
fn a_port_is_taken_for_what_its_row_says() {
    let header = "ip,port,transport,state";
    for (header, cells, wanted, skipped) in [
        ("ip,port", "80", "80 open", 0),
        (header, "80,tcp,open", "80 open", 0),
        (header, "80,TCP,closed", "80 closed", 0),
        (header, "80,tcp,filtered", "", 0),
        (header, "80,tcp,open|filtered", "", 0),
        (header, "80,,", "80 open", 0),
        (header, "161,udp,open", "Listed", 0),
        (header, "161,udp,filtered", "", 0),
        (header, "53,udp,open", "Dns", 0),
        (header, "80,tcp,ajar", "", 1),
        ("ip,port,protocol", "123,udp", "Listed", 0),
        ("ip,port,protocol", "80,http", "Listed", 1),
        ("ip,proto", "icmp", "Echo", 0),
        ("ip,state", "filtered", "", 0),
    ] {
        let (source, text) = facts(&format!("{header}\n192.0.2.1,{cells}\n192.0.2.9\n"));
        let is_silent = wanted.is_empty() && skipped == 0;
        let first = if wanted.is_empty() { String::new() } else { format!("192.0.2.1 {wanted}\n") };
        let wanted = first + "192.0.2.9 Listed\n";
        assert_eq!((text, source.skipped.count), (wanted, skipped), "{header}: {cells}");
        assert_eq!(source.silent, usize::from(is_silent), "{header}: {cells}");
    }
}

#[test]
fn quotes_and_backslashes_hide_what_would_end_a_record() {
    for text in [
        "\"open (\"",
        "\"closed )\" ( \"x\" )",
        "\"a ; b (\"",
        "\"a \\\" ( b\"",
        "\"a \\\\\" ; (",
        "a\\;b\\(c",
        "\\040(\n \"x ) ( ;\" ; ( of a comment\n)",
        "a\\\"b ; (\"",
        "x ; \"of a comment (",
        "\"without its end (",
    ] {
        let zone = format!("$ORIGIN e.\na IN TXT {text}\nb IN A 192.0.2.1\nc IN A 192.0.2.2\n");
        let (source, found) = facts(&zone);
        assert_eq!(found, "192.0.2.1 is b.e\n192.0.2.2 is c.e\n", "{text}");
        assert_eq!(source.skipped.count, 0, "{text}");
    }
}

#[test]
fn records_of_a_zone_that_stand_elsewhere_are_said_beside_what_is_wrong() {
    let zone = "$TTL 1d\n$ORIGIN e.\na IN A 192.0.2.1\nno record\n$include sub.zone\n\
                $GENERATE 1-9 h$ A 192.0.2.$\n$X\nb IN A 192.0.2.2\n$INCLUDE more.zone\n";
    let (source, text) = facts(zone);
    assert_eq!(text, "192.0.2.1 is a.e\n192.0.2.2 is b.e\n");
    let told: Vec<(usize, usize, &str)> = source
        .skipped
        .told()
        .map(|(first, count)| (first.line, count, first.text.split(';').next().unwrap()))
        .collect();
    let wanted = [
        (4, 2, "no record, such as \"ns1.example.net. 3600 IN A 192.0.2.1\""),
        (5, 2, "$INCLUDE: the file that it names is not read"),
        (6, 1, "$GENERATE: the records that it makes are not read"),
    ];
    assert_eq!(told, wanted);
    let why = crate::survey::read("z", &b"$TTL 1d\n$INCLUDE sub.zone\n"[..], &mut |_| {});
    assert!(why.unwrap_err().to_string().starts_with("z:2:1: $INCLUDE: the file"));
}

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
        ("ip,port,protocol", "123,udp", "Listed", 0),
        ("ip,port,protocol", "80,http", "Listed", 1),
        ("ip,proto", "icmp", "Echo", 0),
        ("ip,state", "filtered", "", 0),
        ("ip,status", "up", "Listed", 0),
        ("ip,status", "DOWN", "", 0),
        ("ip,status", "404", "Listed", 0),
        ("ip,status", "allocated", "Listed", 0),
        ("ip,port,status", "80,Timeout", "", 0),
    ] {
        let (source, text) = facts(&format!("{header}\n192.0.2.1,{cells}\n192.0.2.9\n"));
        let is_silent = wanted.is_empty() && skipped == 0;
        let first = if wanted.is_empty() { String::new() } else { format!("192.0.2.1 {wanted}\n") };
        // Where a row says whether somebody answered, one that ends before it is torn.
        let (last, torn) =
            if header.contains("state") { ("", 1) } else { ("192.0.2.9 Listed\n", 0) };
        let wanted = (first + last, skipped + torn);
        assert_eq!((text, source.skipped.count), wanted, "{header}: {cells}");
        assert_eq!(source.silent, usize::from(is_silent), "{header}: {cells}");
    }
    let why = told(format!("{header}\n192.0.2.1,80,tcp,ajar\n").as_bytes()).expect_err("no state");
    assert_eq!(why, "f:2:18: \"ajar\" is no state; write open, closed or filtered");
}

/// As its documentation has it; most answers do not name the country.
#[test]
fn a_list_of_ripestats_that_names_a_country_is_of_that() {
    let list = r#"{"data": {"resources": {"asn": ["64496"], "ipv4": ["192.0.2.0/24"]}, X}}"#;
    for (named, country) in [
        (r#""query_time": "2026-11-20T00:00:00""#, "?"),
        (r#""resource": "to""#, "to"),
        (r#""parameters": {"resource": "TO"}"#, "TO"),
        (r#""resource": ["TO"], "parameters": []"#, "?"),
    ] {
        let wanted = format!("{country} has AS64496\n{country} has 192.0.2.0/24\n");
        assert_eq!(facts(&list.replace('X', named)).1, wanted, "{named}");
        for (code, is_refused) in [("KP", country != "?"), ("To", false)] {
            let file = list.replace('X', named);
            let opened = open("f", file.as_bytes()).expect("a list").of(code);
            let why = opened.read(&mut |_| {}).err().map(|why| why.to_string());
            let wanted = format!("f: this is the list of {country}, and --country is KP");
            assert_eq!(why, is_refused.then_some(wanted), "{named}");
        }
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

/// With `-Pn` nmap calls every address up, and asks all of them: only ports tell who has answered.
#[test]
fn a_host_that_nmap_was_told_to_take_for_up_has_answered_at_ports_alone() {
    let rows = "Host: 192.0.2.1 ()\tStatus: Up\n\
                Host: 192.0.2.1 ()\tPorts: 22/filtered/tcp//ssh///\tIgnored State: filtered (9)\n\
                Host: 192.0.2.2 ()\tStatus: Up\n\
                Host: 192.0.2.2 ()\tPorts: 25/open/tcp//smtp///, 53/closed/tcp//domain///\n\
                Host: 192.0.2.3 ()\tStatus: Up\n\
                Host: 192.0.2.3 ()\tPorts: \tIgnored State: closed (9)\n";
    let head = |args: &str| {
        format!("# Nmap 7.93 scan initiated Wed Nov 25 18:57:38 2026 as: {args} 192.0.2.0/30\n")
    };
    let ports = "192.0.2.2 25 open\n192.0.2.2 53 closed\n";
    let seen = ports.to_owned() + "192.0.2.3 Listed\n";
    for flag in ["-Pn", "-P0", "-PN"] {
        let (source, text) = facts(&(head(&format!("/usr/bin/nmap -n {flag} -oG x")) + rows));
        assert_eq!((&text, source.silent), (&seen, 1), "{flag}");
    }
    let up = format!("192.0.2.1 Listed\n192.0.2.2 Listed\n{ports}192.0.2.3 Listed\n");
    for args in ["nmap -PE", "nmap -oG scan-Pn"] {
        let (source, text) = facts(&(head(args) + rows));
        assert_eq!((&text, source.silent), (&up, 0), "{args}");
    }
    // Of files that were put together, each has its own.
    let (_, text) = facts(&(head("nmap -Pn") + rows + &head("nmap") + rows));
    assert_eq!(text, seen + &up);
    let xml = |state: &str| {
        format!(
            "<nmaprun><host><status state=\"up\" reason=\"user-set\"/><address \
             addr=\"192.0.2.3\" addrtype=\"ipv4\"/><ports><extraports state=\"{state}\" \
             count=\"9\"/></ports></host></nmaprun>"
        )
    };
    assert_eq!(facts(&xml("closed")).1, "192.0.2.3 Listed\n");
    let (source, text) = facts(&xml("filtered"));
    assert_eq!((text.as_str(), source.silent), ("", 1));
}

#[test]
fn of_columns_that_may_have_addresses_the_one_that_is_named_so_is_read() {
    for header in ["host,ip,port", "host,ip_address,port", "Host,IP,port", "host,addr,port"] {
        let (source, text) = facts(&format!("{header}\nwww.example.net,192.0.2.1,443\n"));
        assert_eq!((text.as_str(), source.skipped.count), ("192.0.2.1 443 open\n", 0), "{header}");
    }
    assert_eq!(facts("host,port\n192.0.2.1,443\n").1, "192.0.2.1 443 open\n");
}

#[test]
fn what_stands_behind_an_address_as_a_comment_is_no_part_of_it() {
    let listed = "192.0.2.1 Listed\n192.0.2.2 Listed\n2001:db8::1 Listed\n";
    for list in [
        "192.0.2.1  # ns1\n192.0.2.2\t; mail, and web\n2001:db8::1 # \"here\n",
        "# hosts\n192.0.2.1\n192.0.2.2 #\n  2001:db8::1 ;x\n",
        "ip\n192.0.2.1 # ns1\n192.0.2.2\n2001:db8::1 ; a\n",
    ] {
        let (source, text) = facts(list);
        assert_eq!((text.as_str(), source.skipped.count), (listed, 0), "{list}");
    }
    // Within other cells it may mean something.
    let (_, text) = facts("ip,name,port\n192.0.2.1,a # b,443\n");
    assert_eq!(text, "192.0.2.1 443 open\n");
}

#[test]
fn a_name_server_is_what_answers_at_port_53() {
    for (file, wanted) in [
        ("open udp 53 192.0.2.1 1795632940\n", "192.0.2.1 Dns 2026-11-25\n"),
        ("closed udp 53 192.0.2.1 1795632940\n", "192.0.2.1 Listed 2026-11-25\n"),
        (
            "Host: 192.0.2.1 ()\tPorts: 53/closed/udp//domain///, 123/open/udp//ntp///\n",
            "192.0.2.1 Listed\n192.0.2.1 Listed\n",
        ),
        ("Host: 192.0.2.1 ()\tPorts: 53/open/udp//domain///\n", "192.0.2.1 Dns\n"),
        (
            r#"[{"ip": "192.0.2.1", "ports": [{"port": 53, "proto": "udp", "status": "closed"}]}]"#,
            "192.0.2.1 Listed\n",
        ),
    ] {
        assert_eq!(facts(file).1, wanted, "{file}");
    }
}

/// What was not had is no less there for that.
#[test]
fn a_transfer_that_failed_is_no_whole_zone() {
    let header = "; <<>> DiG 9.18 <<>> AXFR example.net\n;; global options: +cmd\n";
    let record = "ns1.example.net. 3600 IN A 192.0.2.1\n";
    for (comment, wanted) in [
        (
            "; Transfer failed.\n",
            "; Transfer failed: of this zone there may be more; ask for it again",
        ),
        (
            ";; communications error to 192.0.2.53#53: end of file\n",
            ";; communications error: what was asked here may be missing; ask for it again",
        ),
        (
            ";; connection timed out; no servers could be reached\n",
            ";; connection timed out: what was asked here is missing; ask for it again",
        ),
        (
            ";; no servers could be reached\n",
            ";; no servers could be reached: what was asked here is missing; ask for it again",
        ),
    ] {
        let (source, text) = facts(&format!("{header}{record}{comment}{comment}"));
        assert_eq!(text, "192.0.2.1 is ns1.example.net\n");
        let told: Vec<_> =
            source.skipped.told().map(|(first, count)| (first.line, &*first.text, count)).collect();
        assert_eq!(told, [(4, wanted, 2)]);
        let problem = told_alone(&format!("{header}{comment}"));
        assert_eq!(problem, format!("f:3:1: {wanted}"));
    }
}

fn told_alone(text: &str) -> String {
    told(text.as_bytes()).map(|(source, _)| source).unwrap_err()
}

#[test]
fn what_is_wrong_in_ripestats_list_has_its_place() {
    let list = |asn: &str, v4: &str, v6: &str| {
        format!(
            "{{\"data_call_name\": \"country-resource-list\", \"see\": \"\", \"data\": {{\"resources\": {{\n \
             \"asn\": [{asn}],\n \"ipv4\": [{v4}],\n \"ipv6\": [{v6}]}}}}}}"
        )
    };
    for (list, wanted) in [
        (list("\"x\"", "", ""), "f:2:10: \"x\" in \"asn\" is no number of an AS"),
        (list("", "\"\"", ""), "f:3:11: \"\" is no prefix; write it as 175.45.176.0/24 or "),
        (list("", "\"9-\"", ""), "f:3:11: \"9-\" is no range, such as "),
        (list("", "", "\"2001:db9::1/32\""), "f:4:11: "),
        (list("", "", "\"\\u0041\""), "f: \"A\" is no prefix; "),
    ] {
        let problem = told_alone(&list);
        assert!(problem.starts_with(wanted), "{wanted}: {problem}");
    }
}

/// As `--prefix` refuses it.
#[test]
fn a_prefix_with_bits_behind_its_length_is_wrong_wherever_it_stands() {
    let version = "2.3|apnic|20110113|1|19850701|20110112|+1000\n";
    let row = "apnic|XA|ipv6|2001:db9::1|32|20100122|assigned\n";
    let problem = told_alone(&format!("{version}{row}"));
    let wanted =
        "\"2001:db9::1\" is not the begin of a prefix of that length, such as 2001:db9::/32";
    assert_eq!(problem, format!("f:2:15: {wanted}"));
    let problem = told_alone("192.0.2.1\t24\t64496\n");
    assert_eq!(problem, "f:1:11: 192.0.2.1 is not the begin of a prefix of the length 24");
}

//! Files as they are found, and as they should not be.

use super::*;

mod rows;

/// What a file says, a fact each line; and what it was.
fn told(bytes: &[u8]) -> Result<(Source, String), String> {
    let mut text = String::new();
    let source = read("f", bytes, &mut |fact| text += &(words(fact) + "\n"));
    source.map(|source| (source, text)).map_err(|problems| problems.to_string())
}

fn facts(text: &str) -> (Source, String) {
    told(text.as_bytes()).unwrap_or_else(|problem| panic!("{problem}"))
}

fn words(fact: Fact<'_>) -> String {
    let day = |day: Option<jiff::civil::Date>| day.map(|day| format!(" {day}")).unwrap_or_default();
    match fact {
        Fact::Registered { country, prefix } => format!("{} has {prefix}", country.unwrap_or("?")),
        Fact::Numbered { country, asn } => format!("{} has AS{asn}", country.unwrap_or("?")),
        Fact::Announced { prefix, origins } => {
            format!("{prefix} by {:?}", origins.iter().collect::<Vec<_>>())
        }
        Fact::Seen { address, seen, day: at } => match seen {
            Seen::Port { port, is_open } => {
                let how = if is_open { "open" } else { "closed" };
                format!("{address} {port} {how}{}", day(at))
            }
            seen => format!("{address} {seen:?}{}", day(at)),
        },
        Fact::Named { name, address } => format!("{address} is {name}"),
        Fact::Serves { name, role, zone } => format!("{name} {role:?} of {zone}"),
    }
}

const DELEGATED: &str = "\
2.3|apnic|20110113|23486|19850701|20110112|+1000
# a comment
apnic|*|ipv4|*|17947|summary

apnic|XA|ipv4|203.0.113.0|1024|20100122|assigned
apnic|XA|ipv4|198.51.100.0|768|20100122|allocated|A91872ED
apnic|XA|ipv6|2001:db8::|32|20100122|assigned
apnic|XA|asn|64496|2|20100122|assigned
apnic||ipv4|192.0.2.0|256||reserved
2|ripencc|1295000000|5|19830705|20110114|+0100
ripencc|XB|ipv4|192.0.2.0|0|20090225|assigned
ripencc|XB|ipv4|255.255.255.0|512|20090225|assigned
ripencc|XB|ipv4|192.0.2|256|20090225|assigned
ripencc|XB|asn|64496|65537|20090225|assigned
";

#[test]
fn delegations_are_prefixes_even_where_their_count_is_no_power_of_two() {
    let (source, text) = facts(DELEGATED);
    assert_eq!(
        text,
        "XA has 203.0.113.0/24\nXA has 203.0.114.0/23\nXA has 203.0.116.0/24\n\
         XA has 198.51.100.0/23\nXA has 198.51.102.0/24\nXA has 2001:db8::/32\n\
         XA has AS64496\nXA has AS64497\n"
    );
    assert_eq!((source.format, source.rows, source.skipped.count), (Format::Delegated, 4, 4));
    assert_eq!(source.day.unwrap().to_string(), "2011-01-12");
    let first = source.skipped.first.unwrap();
    assert_eq!((first.line, first.col), (11, 27));
    assert!(first.text.starts_with("\"0\" is not the number of addresses"), "{}", first.text);
}

#[test]
fn ripestats_list_has_prefixes_and_ranges() {
    let (source, text) = facts(
        r#"{"data_call_name": "country-resource-list", "data": {"resources": {
            "asn": ["64496", 64497, "x"], "ipv4": ["203.0.113.0/24", "192.0.2.0-192.0.2.191", "9"],
            "ipv6": ["2001:db8::/32"]}, "query_time": "2026-11-20T00:00:00"}, "time": "2026"}"#,
    );
    assert_eq!(
        text,
        "? has AS64496\n? has AS64497\n? has 203.0.113.0/24\n? has 192.0.2.0/25\n\
         ? has 192.0.2.128/26\n? has 2001:db8::/32\n"
    );
    assert_eq!((source.format, source.skipped.count), (Format::CountryResources, 2));
    assert_eq!(source.day.unwrap().to_string(), "2026-11-20");
    let torn = r#"{"data_call_name": "country-resource-list", "data": {"resources": {"asn": ["#;
    let problem = told(torn.as_bytes()).unwrap_err();
    assert!(
        problem.starts_with("f:1:75: the JSON ends within something; is all of the file there?"),
        "{problem}"
    );
}

#[test]
fn announced_prefixes_have_all_their_origins() {
    let (source, text) =
        facts("192.0.2.0\t24\t64496_64497\n198.51.100.0\t24\t64498,64499\n203.0.113.0\t99\t1\n");
    assert_eq!(text, "192.0.2.0/24 by [64496, 64497]\n198.51.100.0/24 by [64498, 64499]\n");
    assert_eq!((source.format, source.skipped.count), (Format::Pfx2as, 1));
}

#[test]
fn zmap_is_read_bare_and_with_the_columns_of_both_versions() {
    assert_eq!(
        facts("203.0.113.9\r\n203.0.113.7\r\n").1,
        "203.0.113.9 Listed\n203.0.113.7 Listed\n"
    );
    let old = "saddr,sport,classification,success,ttl,timestamp-str\n\
               203.0.113.70,80,rst,0,57,2026-11-25T18:57:39.927+0000\n\
               203.0.113.67,80,synack,1,57,2026-11-25T18:57:39.928+0000\n\
               203.0.113.1,0,unreach,0,57,2026-11-25T18:57:39.928+0000\n";
    let wanted = "203.0.113.70 80 closed 2026-11-25\n203.0.113.67 80 open 2026-11-25\n";
    let (source, text) = facts(old);
    assert_eq!((text.as_str(), source.rows, source.silent), (wanted, 3, 1));
    let (source, text) = facts("203.0.113.0/28\n203.0.113.9\n");
    assert_eq!((text.as_str(), source.skipped.count), ("203.0.113.9 Listed\n", 1));
    assert_eq!(facts(&old.replace("timestamp-str", "timestamp_str")).1, wanted);
    // An error is no life of it, nor is a row that is torn before it says what it was.
    let errors = "saddr,classification\n203.0.113.1,icmp\n203.0.113.2\n203.0.113.3,synack\n";
    let (source, text) = facts(errors);
    assert_eq!((text.as_str(), source.skipped.count), ("203.0.113.3 Listed\n", 1));
    let echo = "saddr,saddr-raw,classification,success,repeat,timestamp-ts\n\
                203.0.113.71,1198588107,echoreply,1,1,1795632946\n";
    assert_eq!(facts(echo).1, "203.0.113.71 Echo 2026-11-25\n");
    let json = r#"{ "saddr": "203.0.113.67", "sport": 80, "classification": "synack", "success": 1, "timestamp_str": "2026-11-25T18:57:42.408+0000" }
{ "saddr": "203.0.113.71", "classification": "rst", "sport": 80, "success": 0 }
{ "saddr": "x" }
{ "saddr": "203.0.1"#;
    let (source, text) = facts(json);
    assert_eq!(text, "203.0.113.67 80 open 2026-11-25\n203.0.113.71 80 closed\n");
    assert_eq!((source.format, source.skipped.count), (Format::ZmapJson, 2));
    assert!(source.is_torn);
    let first = source.skipped.first.unwrap();
    assert_eq!((first.line, first.text.as_str()), (3, "\"x\" is no address"));
}

#[test]
fn masscan_is_read_whole_and_torn() {
    let row = |ip: &str, port: u16, proto: &str| {
        format!(
            "{{   \"ip\": \"{ip}\",   \"timestamp\": \"1795632920\", \"ports\": [ {{\"port\": \
             {port}, \"proto\": \"{proto}\", \"status\": \"open\", \"reason\": \"none\"}} ] }}\n"
        )
    };
    let [one, two] = [row("203.0.113.70", 0, "icmp"), row("203.0.113.67", 80, "tcp")];
    let wanted = "203.0.113.70 Echo 2026-11-25\n203.0.113.67 80 open 2026-11-25\n";
    let (source, text) = facts(&format!("[\n{one},\n{two}]\n"));
    assert_eq!((text.as_str(), source.is_torn, source.skipped.count), (wanted, false, 0));
    let (source, text) = facts(&format!("[\n{one},\n{two},\n{}", &one[..60]));
    assert_eq!((text.as_str(), source.is_torn, source.skipped.count), (wanted, true, 1));
    let (source, text) = facts(&format!("[\n{one},\n{two},\n{{finished: 1}}\n]\n"));
    assert_eq!((text.as_str(), source.skipped.count), (wanted, 0));
    assert_eq!(facts("[\n]\n").1, "");
    let list = "#masscan\nopen tcp 80 203.0.113.67 1795632940\nclosed tcp 25 203.0.113.67 1795632940\n\
                open icmp 0 203.0.113.70 1795632940\nopen tcp 99999 203.0.113.9 1\n# end\n";
    let (source, text) = facts(list);
    assert_eq!(
        text,
        "203.0.113.67 80 open 2026-11-25\n203.0.113.67 25 closed 2026-11-25\n\
         203.0.113.70 Echo 2026-11-25\n"
    );
    assert_eq!((source.format, source.skipped.count), (Format::MasscanList, 1));
}

const NMAP: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<nmaprun scanner="nmap" start="1795633058" version="7.93">
<hosthint><status state="up" reason="unknown-response"/>
<address addr="203.0.113.67" addrtype="ipv4"/></hosthint>
<host starttime="1795633058"><status state="up" reason="echo-reply" reason_ttl="57"/>
<address addr="203.0.113.67" addrtype="ipv4"/><address addr="02:00:00:00:00:01" addrtype="mac"/>
<hostnames><hostname name="Mail.Example.net" type="PTR"/></hostnames>
<ports><port protocol="tcp" portid="25"><state state="open" reason="syn-ack"/></port>
<port protocol="tcp" portid="53"><state state="closed" reason="reset"/></port>
<port protocol="udp" portid="53"><state state="open" reason="udp-response"/></port>
<port protocol="tcp" portid="80"><state state="filtered" reason="no-response"/></port></ports></host>
<host><status state="up" reason="user-set"/><address addr="203.0.113.68" addrtype="ipv4"/>
<ports><extraports state="filtered" count="1000"></extraports></ports></host>
<host><status state="up" reason="syn-ack"/><address addr="203.0.113.69" addrtype="ipv4"/>
<ports><extraports state="open" count="65000"></extraports></ports></host>
<host><status state="down" reason="no-response"/><address addr="203.0.113.70" addrtype="ipv4"/></host>
</nmaprun>
"#;

#[test]
fn nmap_counts_a_host_once_and_takes_what_is_closed_for_alive() {
    let (source, text) = facts(NMAP);
    let wanted = "203.0.113.67 is mail.example.net\n203.0.113.67 Echo 2026-11-25\n\
                  203.0.113.67 25 open 2026-11-25\n203.0.113.67 53 closed 2026-11-25\n\
                  203.0.113.67 Dns 2026-11-25\n203.0.113.69 Listed 2026-11-25\n\
                  203.0.113.69 AllPorts 2026-11-25\n";
    assert_eq!(text, wanted);
    assert_eq!((source.format, source.rows, source.silent), (Format::NmapXml, 4, 2));
    assert!(!source.is_torn);
    let torn = &NMAP[..NMAP.find("203.0.113.69").unwrap()];
    let (source, text) = facts(torn);
    assert!(source.is_torn && text.lines().count() == 5, "{text}");
    let grepable = "# Nmap 7.93 scan initiated Wed Nov 25 18:57:38 2026 as: nmap -n\n\
                    Host: 203.0.113.67 (mail.example.net)\tStatus: Up\n\
                    Host: 203.0.113.67 (mail.example.net)\tPorts: 25/open/tcp//smtp///, \
                    53/closed/tcp//domain///, 80/filtered/tcp/////\tIgnored State: closed (996)\n\
                    Host: 203.0.113.70 ()\tStatus: Down\nHost: x\n# Nmap done\n";
    let (source, text) = facts(grepable);
    assert_eq!(
        text,
        "203.0.113.67 is mail.example.net\n203.0.113.67 Listed\n203.0.113.67 is mail.example.net\n\
         203.0.113.67 25 open\n203.0.113.67 53 closed\n"
    );
    assert_eq!((source.silent, source.skipped.count), (1, 1));
    assert_eq!(source.day.unwrap().to_string(), "2026-11-25");
}

#[test]
fn hit_lists_have_those_that_answered() {
    let (source, text) = facts(
        "#fsdb -F t hexip score ip\n# a comment\ncb007101\t99\t203.0.113.1\n\
         cb007200\t-2\t203.0.114.0\ncb007301\tx\t203.0.115.1\n",
    );
    assert_eq!((text.as_str(), source.silent), ("203.0.113.1 Echo\n", 1));
    let first = source.skipped.first.unwrap();
    assert_eq!((first.line, first.col), (5, 10), "{first:?}");
    assert_eq!(facts("2001:db8::1\n2001:db8::2\n").1, "2001:db8::1 Listed\n2001:db8::2 Listed\n");
}

#[test]
fn lists_may_have_names_of_columns() {
    let (source, text) =
        facts("name,IP,last_seen,port\na,203.0.113.1,2026-11-01,443\nb,\"203.0.113.2\",,\nc,x\n");
    assert_eq!(text, "203.0.113.1 443 open 2026-11-01\n203.0.113.2 Listed\n");
    let first = source.skipped.first.unwrap();
    assert_eq!((first.line, first.col), (4, 3));
    assert_eq!(first.text, "\"x\" is no address; write one in each row");
    assert_eq!(facts("a,203.0.113.1\nb,203.0.113.2/32\n").1.lines().count(), 2);
}

#[test]
fn zones_tell_names_and_who_serves_them() {
    let dig = "\n; <<>> DiG 9.8.3-P1 <<>> AXFR example.net. @ns1.example.net\n\
               ;; global options: +cmd\n\
               example.net.\t\t432000\tIN\tSOA\tns1.example.net. root.example.net. 1 2 3 4 5\n\
               example.net.\t\t432000\tIN\tNS\tns1.example.net.\n\
               Example.net.\t\t432000\tIN\tMX\t10 mail.Example.net.\n\
               ns1.example.net.\t432000\tIN\tA\t203.0.113.15\n\
               ns1.example.net.\t432000\tIN\tAAAA\t2001:db8::15\n\
               #10.113.0.203.in-addr.arpa. 432000 IN PTR old.example.net.\n\
               67.113.0.203.in-addr.arpa. 432000 IN\tPTR\twww.example.net.\n\
               example.net. 1 IN TXT \"a; b\" \"c\"\n\
               ;; connection timed out; no servers could be reached\n\
               ;; WHEN: Mon Sep 19 22:28:46 2016\n";
    let wanted = "ns1.example.net NameServer of example.net\nmail.example.net Mail of example.net\n\
                  203.0.113.15 is ns1.example.net\n2001:db8::15 is ns1.example.net\n\
                  203.0.113.67 is www.example.net\n";
    let (source, text) = facts(dig);
    assert_eq!((text.as_str(), source.skipped.count), (wanted, 0), "{source:?}");
    assert_eq!(source.day.unwrap().to_string(), "2016-09-19");
    // What follows a record of another type is of its owner.
    let (source, text) = facts(
        "$ORIGIN example.net.\n@ NS ns1\nns1 A 203.0.113.30\npool TYPE65534 x\n A 203.0.113.31\n",
    );
    assert!(text.ends_with("203.0.113.31 is pool.example.net\n"), "{text}");
    assert_eq!(source.skipped.count, 1);
    let master = "$ORIGIN example.net.\n$TTL 3600\n@ IN SOA ns1 root (\n 1 ; serial\n 2 3 4 5 )\n\
                  @ NS ns1 ; ours\n\tMX 10 mail\nns1 IN 3600 A 203.0.113.15\n A 203.0.113.300\n\
                  b A\n";
    let (source, text) = facts(master);
    assert_eq!(
        text,
        "ns1.example.net NameServer of example.net\nmail.example.net Mail of example.net\n\
         203.0.113.15 is ns1.example.net\n"
    );
    assert_eq!(source.skipped.count, 2);
    let six =
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR a.b.\n";
    assert_eq!(facts(six).1, "2001:db8::1 is a.b\n");
}

#[test]
fn other_files_are_called_what_they_are() {
    for (bytes, wanted) in [
        (&b""[..], "f:1:1: this is empty; give a registry's file, a scan, "),
        (b"\xef\xbb\xbf\r\n", "f:1:1: this is empty; give "),
        (
            b"\xd4\xc3\xb2\xa1\x02\0",
            "f:1:1: this is a packet capture (pcap), packets and no results; give ",
        ),
        (b"<html>", "f:1:1: this is XML, but not nmap's; give "),
        (b"{\"prb_id\": 1}", "f:1:1: this is a record of measurements, which `lifesign import` "),
        (b"{\"a\": 1}", "f:1:1: this is JSON of a kind that is not known here; give "),
        (b"[budget]\npace = 1", "f:1:1: this is of a kind that is not known here; give "),
        (b"1.0.0.0\t1.0.0.255\t13335\tUS\tX\n", "f:1:1: this is a table of networks, for the key "),
        (b"To whom it may concern\n", "f:1:1: this is of a kind that is not known here; give "),
        (b"<nmaprun><<<", "f: no XML from byte "),
        (b"saddr\nx\n", "f:2:1: \"x\" is no address; write one in each row"),
    ] {
        let problem = told(bytes).unwrap_err();
        assert!(problem.starts_with(wanted), "{problem}");
    }
}

#[test]
fn no_line_and_no_object_takes_more_memory_than_a_few_mebibytes() {
    use std::io::Read as _;
    let endless =
        |begin: &'static [u8], rest: u8| begin.chain(std::io::repeat(rest)).take(64 << 20);
    for (begin, rest) in [
        (&b"[\n{\"ip\": \"1.2.3.4\", \"ports\": ["[..], b' '),
        (b"{\"saddr\": \"", b'['),
        (b"<nmaprun ", b'a'),
        (b"saddr,a\n", b'"'),
        (b"# Nmap ", b'a'),
        (b"a. IN A 192.0.2.1\n", b'('),
    ] {
        let _ = read("f", endless(begin, rest), &mut |_| {});
    }
}

#[test]
fn what_is_left_open_is_said_where_it_begins() {
    let open = "a. IN A 192.0.2.1\nb. IN SOA x y (\n 1 2 3\nc. IN A 192.0.2.3\n";
    let (source, text) = facts(open);
    assert_eq!(text, "192.0.2.1 is a\n");
    let first = source.skipped.first.unwrap();
    assert_eq!((first.line, source.skipped.count), (2, 1));
    assert!(first.text.starts_with("a parenthesis that is not closed"), "{}", first.text);
    // What comes a record's length later is read again.
    let long = open.replace("c.", &format!("{}c.", " 4\n".repeat(200_000)));
    assert_eq!(facts(&long).1, "192.0.2.1 is a\n192.0.2.3 is c\n");
    let endless = format!("{{\"saddr\": \"192.0.2.1\"}}\n{{\"saddr\": [{}", " ".repeat(5 << 20));
    let problem = told(endless.as_bytes()).unwrap_err();
    assert!(problem.starts_with("f:2:1: an object of more than 4 MiB begins here"), "{problem}");
}

#[test]
fn a_port_or_a_day_that_is_none_is_said_and_its_host_taken() {
    for (text, wanted, count) in [
        (
            "ip,port\n192.0.2.1,0\n192.0.2.2,99999\n192.0.2.3,-1\n192.0.2.4,\n",
            "\"0\" is no port",
            3,
        ),
        ("ip,day\n192.0.2.1,2014-13-45\n192.0.2.2,9999-01-01\n", "\"2014-13-45\" is no day", 2),
        ("open tcp 80 192.0.2.1 99999999999\n", "\"99999999999\" is no day", 1),
        (r#"[{"ip": "192.0.2.1", "timestamp": "x", "ports": []}]"#, "\"x\" is no day", 1),
        (
            "{\"saddr\": \"192.0.2.1\", \"sport\": 99999}\n{\"saddr\": \"192.0.2.1\"}\n",
            "a number from 0",
            1,
        ),
        ("Host: 192.0.2.1 ()\tPorts: 99999/open/tcp//x///\n", "\"99999\" is no port", 1),
    ] {
        let (source, _) = facts(text);
        let first = source.skipped.first.unwrap_or_else(|| panic!("{text}"));
        assert!(first.text.starts_with(wanted), "{}", first.text);
        assert_eq!((source.skipped.count, source.rows > 0), (count, true), "{text}");
    }
    // ZMap writes 0 for what has no port.
    let echo = "saddr,sport,classification\n192.0.2.1,0,echoreply\n";
    assert_eq!(facts(echo).0.skipped.count, 0);
}

//! Tables of networks as they are found.

use super::*;

fn table(text: &str) -> (Networks, Skipped) {
    Networks::read("t", text.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// What the table says of an address, in words.
fn of(networks: &Networks, address: &str) -> String {
    match networks.lookup(address.parse().unwrap()) {
        Some(Network { asn, name }) => format!("{asn} {}", name.unwrap_or("-")),
        None => "nobody".to_owned(),
    }
}

#[test]
fn a_table_has_as_many_ranges_as_networks_lie_apart_and_says_that_its_end_is_torn() {
    let one = "203.0.113.0\t203.0.113.255\t64496\tXA\tONE\n";
    let apart = format!("{one}198.51.100.0\t198.51.100.255\t64496\tXA\tONE\n");
    let besides = format!("{one}203.0.114.0\t203.0.114.255\t64497\tXA\tTWO\n");
    for (text, ranges, unended) in [
        (one, 1, None),
        (one.trim_end(), 1, Some(1)),
        (apart.as_str(), 2, None),
        (besides.as_str(), 2, None),
        (besides.trim_end(), 2, Some(2)),
    ] {
        let (networks, _) = Networks::read("t", text.as_bytes()).unwrap();
        assert_eq!((networks.len(), networks.unended()), (ranges, unended), "{text}");
    }
}

#[test]
fn ip2asn_gives_numbers_and_names_and_says_which_lines_are_broken() {
    let (networks, skipped) = table(
        "203.0.112.0\t203.0.112.255\t64496\tXA\tEXAMPLE-AS Example Telecom\r\n\
         203.0.113.0\t203.0.113.255\t0\tNone\tNot routed\n\
         198.51.100.0\t198.51.101.255\tAS64497\tXB\t\n\
         a line without tabs\n\
         192.0.2.9\t192.0.2.0\t64499\tXA\tBACKWARDS\n\
         2001:db8::\t2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\t64498\tXC\tSIX\n\
         # a comment\n\n\
         203.0.114.0\t203.0.114.255\tNone\tNone\tNone",
    );
    for (address, wanted) in [
        ("203.0.112.0", "64496 EXAMPLE-AS Example Telecom"),
        ("203.0.112.255", "64496 EXAMPLE-AS Example Telecom"),
        ("203.0.113.1", "nobody"),
        ("203.0.114.1", "nobody"),
        ("198.51.101.255", "64497 -"),
        ("198.51.102.0", "nobody"),
        ("2001:db8::1", "64498 SIX"),
        ("2001:db9::", "nobody"),
        ("::ffff:203.0.112.7", "64496 EXAMPLE-AS Example Telecom"),
        ("0.0.0.0", "nobody"),
        ("255.255.255.255", "nobody"),
    ] {
        assert_eq!(of(&networks, address), wanted, "{address}");
    }
    let first = skipped.first.unwrap();
    assert_eq!((skipped.count, first.line, first.col), (2, 4, 1));
    assert!(first.text.starts_with("\"a line without tabs\" is no address; write "), "{first:?}");
}

#[test]
fn of_prefixes_the_longest_counts_whatever_their_order() {
    let rows = [
        "203.0.112.0\t20\t64496",
        "203.0.113.0\t24\t64497_64498_64499",
        "203.0.113.128\t25\t64500,64501",
        "203.0.113.129\t32\t{64502}",
        "2001:db8::\t32\t64503",
        "0.0.0.0\t0\t64504",
    ];
    let sorted = table(&rows.join("\n")).0;
    let reversed: Vec<&str> = rows.into_iter().rev().collect();
    let reversed = table(&reversed.join("\n")).0;
    for networks in [sorted, reversed] {
        for (address, wanted) in [
            ("203.0.112.1", "64496 -"),
            ("203.0.113.1", "64497 -"),
            ("203.0.113.128", "64500 -"),
            ("203.0.113.129", "64502 -"),
            ("203.0.113.130", "64500 -"),
            ("203.0.114.0", "64496 -"),
            ("203.0.128.0", "64504 -"),
            ("2001:db8:1::", "64503 -"),
        ] {
            assert_eq!(of(&networks, address), wanted, "{address}");
        }
    }
}

#[test]
fn rows_that_mean_nothing_say_what_would_be_right() {
    for (line, wanted) in [
        ("x", "t:1:1: \"x\" is no address; write "),
        ("192.0.2.0\t33\t1", "t:1:11: \"33\" is no last address and no length from 0 to 32"),
        ("2001:db8::\t129\t1", "t:1:12: \"129\" is no last address and no length from 0 to 128"),
        ("192.0.2.1\t24\t1", "t:1:11: 192.0.2.1 is not the begin of a prefix of the length 24"),
        ("2001:db9::1\t32\t1", "t:1:13: 2001:db9::1 is not the begin of a prefix of the length 32"),
        ("192.0.2.0\t2001:db8::\t1", "t:1:11: 192.0.2.0 and 2001:db8:: are not of one family"),
        ("192.0.2.9\t192.0.2.1\t1", "t:1:11: 192.0.2.1 comes before 192.0.2.9; write "),
        ("192.0.2.0\t24\t", "t:1:14: \"\" is not the number of an autonomous system"),
        ("192.0.2.0\t24\t4294967296", "t:1:14: \"4294967296\" is not the number of an "),
        ("", "t: no row; give a table of networks: ip2asn TSV"),
    ] {
        let problems = Networks::read("t", line.as_bytes()).unwrap_err().to_string();
        assert!(problems.starts_with(wanted), "{problems}");
    }
}

#[test]
fn names_are_plain_text_of_bounded_length() {
    let name = format!("\u{1b}[31mRED\u{202e} {}", "x".repeat(500));
    let (networks, _) = table(&format!("192.0.2.0\t192.0.2.255\t64496\tXA\t{name}"));
    let name = networks.lookup("192.0.2.1".parse().unwrap()).unwrap().name.unwrap();
    assert!(name.starts_with("[31mRED xxx") && name.chars().count() == MAX_NAME, "{name}");
}

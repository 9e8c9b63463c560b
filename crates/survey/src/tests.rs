//! From facts to plans, and from plans to better ones.

use super::{
    review::{Finding, Review, review},
    *,
};
use jiff::civil::date;
use lifesign_formats::survey::{AddressSet, Fact, Role, Seen};
use std::{collections::BTreeMap, net::IpAddr};

/// A survey of 203.0.113.0/24 and 2001:db8::/48, in which two files have been begun.
fn survey(deny: &str) -> Survey {
    let deny = AddressSet::parse("deny", deny).unwrap();
    let mut survey = Survey::new("XA", vec![], vec![64496], deny);
    let place = survey.begin().unwrap();
    for prefix in ["203.0.113.0/25", "203.0.113.128/25", "2001:db8::/47"] {
        let fact = Fact::Registered { country: Some("xa"), prefix: prefix.parse().unwrap() };
        survey.take_place(place, fact);
    }
    let other = Fact::Registered { country: Some("XB"), prefix: "192.0.2.0/24".parse().unwrap() };
    survey.take_place(place, other);
    survey.take_place(place, Fact::Numbered { country: Some("XA"), asn: 64497 });
    let wanted = Counts { prefixes: 3, networks: 1, ..Counts::default() };
    assert_eq!(survey.end(place, Day::Unknown), wanted);
    survey.finish_places();
    survey.begin().unwrap();
    survey.begin().unwrap();
    survey
}

fn seen(survey: &mut Survey, source: usize, address: &str, seen: Seen) {
    let fact = Fact::Seen { address: address.parse().unwrap(), seen, day: None };
    survey.take(source, fact);
}

fn open(port: u16) -> Seen {
    Seen::Port { port, is_open: true }
}

/// The plan, and the lines of it that name this key's hosts.
fn plan(survey: Survey) -> String {
    let source = |name: &str| MadeFrom { name: name.to_owned(), what: String::new(), day: None };
    let sources = ["delegated", "one", "two"].map(source).to_vec();
    let heading =
        Heading { country: "XA".to_owned(), day: date(2026, 11, 26), deny: None, sources };
    survey.propose().to_toml(&heading)
}

/// The lines of a list.
fn list<'a>(plan: &'a str, key: &str) -> Vec<&'a str> {
    let begin = format!("{key} = [\n");
    let lists = plan.split(&begin).skip(1).filter_map(|rest| rest.split("\n]").next());
    lists.flat_map(str::lines).map(str::trim).collect()
}

#[test]
fn ten_of_a_block_are_chosen_and_ten_wait() {
    let mut survey = survey("");
    for host in 1..=30 {
        seen(&mut survey, 1, &format!("203.0.113.{host}"), Seen::Echo);
    }
    for host in 200..=203 {
        seen(&mut survey, 1, &format!("203.0.113.{host}"), Seen::Echo);
    }
    let plan = plan(survey);
    let [hosts, reserve] = ["hosts", "reserve"].map(|key| list(&plan, key));
    assert_eq!((hosts.len(), reserve.len()), (10, 10));
    // They are spread over the parts of the block.
    assert!(hosts.iter().filter(|line| line.contains("\"203.0.113.20")).count() >= 3, "{hosts:?}");
    assert!(plan.contains("#   its block has enough without it:\n"), "{plan}");
    assert!(plan.contains("prefix = \"203.0.113.0/24\"\nprobes = [\"icmp\"]\n"), "{plan}");
}

#[test]
fn who_is_seen_more_often_and_serves_comes_first() {
    let mut survey = survey("");
    for host in 1..=20 {
        seen(&mut survey, 1, &format!("203.0.113.{host}"), Seen::Echo);
    }
    seen(&mut survey, 2, "203.0.113.20", Seen::Echo);
    survey.take(1, Fact::Serves { name: "ns1.a.b", role: Role::NameServer, zone: "a.b" });
    let named = |name, address: &str| Fact::Named { name, address: address.parse().unwrap() };
    survey.take(1, named("ns1.a.b", "203.0.113.19"));
    survey.take(1, named("ns1.a.b", "192.0.2.1"));
    survey.take(1, named("mail.a.b", "203.0.113.18"));
    seen(&mut survey, 1, "203.0.113.17", open(443));
    seen(&mut survey, 1, "203.0.113.16", Seen::Port { port: 22, is_open: false });
    seen(&mut survey, 1, "2001:db8:0:7::1", Seen::Listed);
    seen(&mut survey, 1, "2001:db8:1::1", Seen::Listed);
    let days = [date(2026, 1, 1), date(2026, 1, 3)];
    for day in days {
        let address = "203.0.113.15".parse().unwrap();
        survey.take(1, Fact::Seen { address, seen: Seen::Echo, day: Some(day) });
    }
    let wanted = Counts { hosts: 22, elsewhere: 1, ..Counts::default() };
    assert_eq!(survey.end(1, Day::Changed(days[0])), wanted);
    let plan = plan(survey);
    let hosts = list(&plan, "hosts");
    for wanted in [
        "\"203.0.113.20\",  # one two; 2026-01-01",
        "{ host = \"203.0.113.19\", probes = [\"icmp\", \"dns/a.b/SOA\"] },  # name server; ns1.a.b; one; 2026-01-01",
        "{ host = \"203.0.113.18\", probes = [\"icmp\", \"tcp/25\"] },  # mail; mail.a.b; one; 2026-01-01",
        "{ host = \"203.0.113.17\", probes = [\"icmp\", \"tcp/443\"] },  # web; one; 2026-01-01",
        "{ host = \"203.0.113.16\", probes = [\"icmp\", \"tcp/22\"] },  # one; 2026-01-01",
        "\"203.0.113.15\",  # one; 2026-01-01 to 2026-01-03, 2 days",
        "\"2001:db8:0:7::1\",  # one; 2026-01-01",
    ] {
        assert!(hosts.contains(&wanted), "{wanted} is not in {hosts:#?}");
    }
    assert_eq!(plan.matches("[[country.block]]").count(), 3, "{plan}");
}

#[test]
fn firewalls_pools_and_whom_nobody_may_ask_are_left_out() {
    let mut survey = survey("203.0.113.4/31\n2001:db8::/64");
    seen(&mut survey, 1, "203.0.113.1", Seen::Echo);
    for port in 1..=200 {
        seen(&mut survey, 1, "203.0.113.2", open(port));
    }
    seen(&mut survey, 1, "203.0.113.3", Seen::AllPorts);
    for address in ["203.0.113.4", "203.0.113.5", "2001:db8::1", "203.0.113.0", "192.0.2.9"] {
        seen(&mut survey, 1, address, Seen::Echo);
    }
    for (name, address) in [("203-0-113-6.dyn.a.b", 6), ("x.akamai.net", 7), ("pool.a.b", 8)] {
        let address = IpAddr::from([203, 0, 113, address]);
        survey.take(1, Fact::Named { name, address });
    }
    // A name server is steady, whatever it is called.
    survey.take(1, Fact::Serves { name: "pool.a.b", role: Role::NameServer, zone: "a.b" });
    let proposal = survey.propose();
    assert_eq!((proposal.hosts(), proposal.blocks(), proposal.known), ((2, 0), 1, 10));
    let left_out: Vec<usize> = proposal.left_out().into_iter().map(|(_, count)| count).collect();
    assert_eq!(left_out, [3, 2, 1, 1, 1], "{:?}", proposal.left_out());
}

#[test]
fn a_given_prefix_is_one_block_and_the_only_place() {
    let given = vec!["203.0.113.0/26".parse().unwrap(), "198.51.100.0/22".parse().unwrap()];
    let mut survey = Survey::new("XA", given, vec![], AddressSet::default());
    let source = survey.begin().unwrap();
    let prefix = "203.0.113.0/24".parse().unwrap();
    survey.take_place(source, Fact::Registered { country: Some("XA"), prefix });
    survey.finish_places();
    for address in ["203.0.113.9", "203.0.113.99", "198.51.100.1", "198.51.103.1"] {
        seen(&mut survey, source, address, Seen::Echo);
    }
    let plan = plan(survey);
    assert!(plan.contains("prefix = \"203.0.113.0/26\"") && plan.contains("\"198.51.100.0/22\""));
    assert_eq!(list(&plan, "hosts").len(), 3, "{plan}");
}

#[test]
fn announcements_count_for_the_networks_of_the_country() {
    let mut survey = Survey::new("XA", vec![], vec![64496], AddressSet::default());
    let source = survey.begin().unwrap();
    survey.take_place(source, Fact::Numbered { country: Some("XA"), asn: 64497 });
    survey.take_place(source, Fact::Numbered { country: Some("XB"), asn: 64498 });
    assert_eq!(survey.asns(), [64496, 64497]);
    survey.finish_places();
    assert!(!survey.has_place());
}

const PLAN: &str = r#"vantage = "lab"
[[country]]
code = "XA"

[[country.block]]
prefix = "203.0.113.0/24"
probes = ["icmp"]
hosts = [
  "203.0.113.1",  # one
  "203.0.113.11",  # eleven
  { host = "203.0.113.2", probes = ["icmp", "tcp/25"] },  # two
  "203.0.113.3",  # three
]
reserve = [
  "203.0.113.8",  # eight
  "203.0.113.9",  # nine
]

[[country.block]]
prefix = "198.51.100.0/24"
hosts = ["198.51.100.1", "198.51.100.2"]
"#;

#[test]
fn a_review_is_a_diff_that_patch_can_apply() {
    let finding = |block: &str, host: &str| Finding {
        block: block.to_owned(),
        host: host.to_owned(),
        why: "silent for 2 days".to_owned(),
    };
    let findings = [
        finding("203.0.113.0/24", "203.0.113.1"),
        finding("203.0.113.0/24", "203.0.113.2"),
        finding("203.0.113.0/24", "203.0.113.3"),
        finding("198.51.100.0/24", "198.51.100.1"),
    ];
    let reserve = ["203.0.113.8", "203.0.113.9"].map(str::to_owned).to_vec();
    let reserve = BTreeMap::from([("203.0.113.0/24".to_owned(), reserve)]);
    let Review { diff, notes } = review("plan.toml", PLAN, &findings, &reserve);
    assert_eq!(
        diff,
        r#"--- plan.toml
+++ plan.toml
@@ -6,14 +6,11 @@
 prefix = "203.0.113.0/24"
 probes = ["icmp"]
 hosts = [
-  "203.0.113.1",  # one
+  "203.0.113.8",  # eight
   "203.0.113.11",  # eleven
-  { host = "203.0.113.2", probes = ["icmp", "tcp/25"] },  # two
+  "203.0.113.9",  # nine
-  "203.0.113.3",  # three
 ]
 reserve = [
-  "203.0.113.8",  # eight
-  "203.0.113.9",  # nine
 ]
 
 [[country.block]]
"#
    );
    assert_eq!(
        notes,
        [
            "203.0.113.0/24: drop 203.0.113.1, silent for 2 days; take 203.0.113.8 from the reserve \
             instead",
            "203.0.113.0/24: drop 203.0.113.2, silent for 2 days; take 203.0.113.9 from the reserve \
             instead",
            "203.0.113.0/24: drop 203.0.113.3, silent for 2 days; nobody is left in the reserve",
            "198.51.100.0/24: drop 198.51.100.1, silent for 2 days; nobody is left in the reserve \
             (by hand: it has no line of its own)",
        ]
    );
}

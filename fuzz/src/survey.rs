//! What people have: tables of networks, lists, registries, scans, hit lists and zones.

use jiff::civil::date;
use lifesign::config::Plan;
use lifesign_document::Problems;
use lifesign_formats::{
    networks::Networks,
    survey::{AddressSet, Fact, cidrs, read},
};
use lifesign_survey::{Day, Heading, MadeFrom, Survey};

/// The bytes of a file of any kind, which is recognised: whatever it says makes a plan that can be
/// read. The same as a table of networks, and as a deny list.
pub fn survey(bytes: &[u8]) {
    let given = ["203.0.113.0/24", "2001:db8::/32"].map(|text| text.parse().expect("a prefix"));
    for given in [given.to_vec(), Vec::new()] {
        let is_given = !given.is_empty();
        let mut survey = Survey::new("XA", given, vec![64496], AddressSet::default());
        let Some(place) = survey.begin() else { return };
        let read_places = read("f", bytes, &mut |fact| survey.take_place(place, fact));
        survey.finish_places();
        let Some(source) = survey.begin() else { return };
        let read_hosts = read("f", bytes, &mut |fact| {
            if let Fact::Named { name, .. } | Fact::Serves { name, .. } = fact {
                assert!(name.len() <= 600, "a name of {} bytes", name.len());
            }
            survey.take(source, fact);
        });
        assert_eq!(read_places, read_hosts, "it is read in two ways");
        match read_hosts {
            Err(problems) => one_line(&problems),
            Ok(found) => {
                assert!(found.silent <= found.rows + found.skipped.count);
                let day = found.day.map_or(Day::Unknown, Day::Said);
                let counts = survey.end(source, day);
                let proposal = survey.propose();
                let (hosts, reserve) = proposal.hosts();
                assert!(hosts + reserve <= proposal.known && proposal.known <= counts.hosts);
                assert!(!is_given || proposal.blocks() <= 2);
                let from = |name: &str| MadeFrom {
                    name: name.to_owned(),
                    what: found.format.to_string(),
                    day: found.day,
                };
                let heading = Heading {
                    country: "XA".to_owned(),
                    day: date(2026, 11, 26),
                    deny: None,
                    sources: vec![from("places"), from("hosts\n\"")],
                };
                let plan = proposal.to_toml(&heading);
                if hosts > 0
                    && let Err(problems) = Plan::parse("plan", &plan)
                {
                    panic!("{problems}\n{plan}");
                }
            }
        }
    }
    match Networks::read("f", bytes) {
        Err(problems) => one_line(&problems),
        Ok((networks, _)) => {
            for address in ["0.0.0.0", "203.0.113.9", "255.255.255.255", "::", "2001:db8::1"] {
                let network = networks.lookup(address.parse().expect("an address"));
                assert!(network.is_none_or(|network| network.asn > 0));
            }
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match AddressSet::parse("f", text) {
        Err(problems) => one_line(&problems),
        Ok(set) => {
            for (first, last) in set.ranges().take(20) {
                assert!(set.contains(first) && set.contains(last));
                let prefixes: Vec<_> = cidrs(first, last).expect("a range").take(256).collect();
                assert_eq!(prefixes[0].address(), first, "it begins elsewhere");
                assert!(prefixes.iter().all(|prefix| set.contains(prefix.last())));
            }
        }
    }
}

fn one_line(problems: &Problems) {
    assert_eq!(problems.list.len(), 1, "{problems}");
    let text = &problems.list[0].text;
    assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
}

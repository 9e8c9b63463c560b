//! Hosts of a plan: ranges, probes for many of them, and host files.

use crate::support::TempDir;
use lifesign::config::Plan;
use lifesign_document::Problems;
use proptest::prelude::*;
use std::{fmt::Write as _, fs};

/// The plan of this text, with this host file.
fn plan(text: &str, file: &str) -> Result<Plan, Problems> {
    Plan::parse_with("p", text, &|path| Ok((path.to_owned(), file.to_owned())))
}

fn read(text: &str, file: &str) -> Plan {
    plan(text, file).unwrap_or_else(|problems| panic!("{problems}\n{text}\n{file}"))
}

/// A plan of 127.45.176.0/24 and the block after it, with these lines in the country, and in each
/// block.
fn text(country: &str, blocks: [&str; 2]) -> String {
    let [one, other] = blocks;
    format!(
        "vantage = \"lab\"\n[[country]]\ncode = \"XA\"\n{country}\n\
         [[country.block]]\nprefix = \"127.45.176.0/24\"\n{one}\n\
         [[country.network]]\nname = \"N\"\n\
         [[country.network.block]]\nprefix = \"127.45.177.0/24\"\n{other}\n"
    )
}

/// Hosts as tables of the plan, each with these probes.
fn tables(hosts: impl IntoIterator<Item = String>, probes: &str) -> String {
    let mut text = "hosts = [\n".to_owned();
    for host in hosts {
        let _ = writeln!(text, "  {{ host = \"{host}\", probes = {probes} }},");
    }
    text + "]\n"
}

fn address(block: u8, last: u8) -> String {
    format!("127.45.{}.{last}", 176 + block)
}

/// As many as in the plan itself.
#[test]
fn a_host_of_a_file_has_sixteen_labels_at_most() {
    let blocks =
        ["hosts_from = \"f\"", "hosts = [{ host = \"127.45.177.1\", probes = [\"icmp\"] }]"];
    let told = |labels: usize, probes: &str| {
        let names: Vec<_> = (0..labels).map(|nth| format!("labels.l{nth}")).collect();
        let file = format!("host{probes},{}\n127.45.176.1\n", names.join(","));
        let text = format!("probes = [\"icmp\"]\n{}", text("", blocks));
        plan(&text, &file).err().map(|problems| problems.to_string())
    };
    for probes in ["", ",probes"] {
        assert_eq!(told(16, probes), None);
        let wrong = told(17, probes).expect("17 labels");
        assert!(wrong.ends_with(": a label too many; 16 at most"), "{wrong}");
    }
}

#[test]
fn the_nearest_probes_are_those_of_a_host() {
    let root = "probes = [\"icmp\"]\n";
    let plan = |country: &str, block: &str, host: &str| {
        let other = "hosts = [\"127.45.177.1\"]";
        let block = format!("{block}\nhosts = [{host}]");
        let plan = read(&format!("{root}{}", text(country, [&block, other])), "");
        let probes: Vec<String> =
            plan.roster.targets.iter().map(|target| target.probe.to_string()).collect();
        probes.join(" ")
    };
    let string = "\"127.45.176.1\"";
    let table = "{ host = \"127.45.176.1\", probes = [\"tcp/3\"] }";
    assert_eq!(plan("", "", string), "icmp icmp");
    assert_eq!(plan("probes = [\"tcp/1\"]", "", string), "tcp/1 tcp/1");
    assert_eq!(plan("probes = [\"tcp/1\"]", "probes = [\"tcp/2\"]", string), "tcp/2 tcp/1");
    assert_eq!(plan("", "probes = [\"tcp/2\"]", table), "tcp/3 icmp");
}

#[test]
fn a_range_with_labels_and_intervals_gives_them_to_each() {
    let host = "{ host = \"127.45.176.0/30\", labels.role = \"mail\", \
                probes = [{ probe = \"icmp\", interval = \"1m\" }, \"tcp/25\"] }";
    let one = format!("hosts = [{host}]");
    let plan = read(&text("probes = [\"icmp\"]", [&one, "hosts = [\"127.45.177.1\"]"]), "");
    let targets: Vec<String> = plan.roster.targets[..4]
        .iter()
        .map(|each| format!("{} {} {:?} {}", each.host, each.probe, each.interval(), each.labels()))
        .collect();
    assert_eq!(
        targets,
        [
            "127.45.176.1 icmp Some(60s) role: mail",
            "127.45.176.1 tcp/25 None role: mail",
            "127.45.176.2 icmp Some(60s) role: mail",
            "127.45.176.2 tcp/25 None role: mail",
        ]
    );
}

#[test]
fn a_host_file_lies_beside_the_plan_and_is_counted() {
    let temp_dir = TempDir::new("host-file");
    let path = temp_dir.join("plan.toml");
    let csv = temp_dir.join("kp.csv");
    let blocks = ["hosts = [\"127.45.176.9\"]", ""];
    let country = "probes = [\"icmp\"]\nhosts_from = \"kp.csv\"";
    fs::write(&path, text(country, blocks)).unwrap();
    fs::write(&csv, "host,probes\r\n127.45.176.0/29\r\n127.45.177.1,icmp tcp/443\r\n").unwrap();
    let plan = Plan::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
    let summary = plan.to_string();
    assert!(summary.contains("127.45.176.0/24: 7 hosts, 7 targets (7 icmp)"), "{summary}");
    assert!(summary.contains("127.45.177.0/24: 1 host, 2 targets (1 icmp, 1 tcp)"), "{summary}");
    assert!(summary.ends_with(&format!("\n{}: 7 hosts", csv.display())), "{summary}");
    fs::write(&csv, "127.45.176.1\n127.45.178.1\n").unwrap();
    let problems = Plan::load(&path).unwrap_err().to_string();
    assert_eq!(
        problems.replace(&temp_dir.display().to_string(), "."),
        "./plan.toml:12:10: no host of 127.45.177.0/24 is in ./kp.csv; add one, or drop the block\n\
         ./kp.csv:2:1: 127.45.178.1 lies in no block of this country; add a block that holds it, \
         or drop the line"
    );
}

/// All that follows would be wrong for the same reason.
#[test]
fn a_wrong_first_line_of_a_host_file_is_told_once() {
    let by_comma = "columns are parted by commas, as in host,probes; save the file so";
    for (first, row, wanted) in [
        (
            "host;probes",
            "127.45.176.{};icmp",
            format!("\"host;probes\" is no host and no name of a column; {by_comma}"),
        ),
        (
            "127.45.176.1\ticmp",
            "127.45.176.{}\ticmp",
            format!("\"127.45.176.1\\ticmp\" is no host and no name of a column; {by_comma}"),
        ),
        (
            "Host,probes",
            "127.45.176.{},icmp",
            "\"Host\" is no name of a column; write \"host\"".into(),
        ),
        (
            "address,probes",
            "127.45.176.{},icmp",
            "\"address\" is no host and no name of the column of hosts; write \"host\", or a host \
             with its domain"
                .into(),
        ),
    ] {
        let rows: String =
            (2..200).map(|last| row.replace("{}", &last.to_string()) + "\n").collect();
        let file = format!("{first}\n{rows}");
        for (country, block) in [("hosts_from = \"f\"", ""), ("", "hosts_from = \"f\"")] {
            let other = "hosts = [{ host = \"127.45.177.1\", probes = [\"icmp\"] }]";
            let problems = plan(&text(country, [block, other]), &file).unwrap_err();
            assert_eq!(problems.to_string(), format!("f:1:1: {wanted}"));
        }
    }
}

#[test]
fn a_host_file_that_is_named_twice_accuses_the_second_name_and_no_line_of_itself() {
    let file = "127.45.176.1\n127.45.177.1\n";
    let named = |country, blocks: [&str; 2]| {
        plan(&text(&format!("probes = [\"icmp\"]\n{country}"), blocks), file)
            .map_or_else(|problems| problems.to_string(), |plan| plan.to_string())
    };
    let once = named("hosts_from = \"f\"", ["", ""]);
    assert!(once.ends_with("\nf: 2 hosts"), "{once}");
    let twice = named("hosts_from = \"f\"", ["hosts_from = \"./f\"", ""]);
    assert_eq!(
        twice,
        "p:8:14: ./f is named on line 5 already; name it once, in the country if it has hosts of \
         several blocks"
    );
}

#[test]
fn what_a_host_file_has_too_many_errors_for_is_said_to_be_of_that_file() {
    let wrong = |lines: usize| {
        let file = "127.45.176.1\n127.45.177.1\n".to_owned() + &"192.0.2.1\n".repeat(lines);
        let text = text("probes = [\"icmp\"]\nhosts_from = \"f\"", ["", ""]);
        plan(&text, &file).unwrap_err().to_string()
    };
    for (lines, last) in [(21, "f: and 1 more"), (10_001, "f: and more than 9980 more")] {
        let problems = wrong(lines);
        assert_eq!((problems.lines().count(), problems.lines().last()), (21, Some(last)));
    }
    assert!(!wrong(20).contains(" more"));
}

proptest! {
    #[test]
    fn ranges_are_the_same_plan_as_their_hosts_written_out(
        cuts in proptest::collection::btree_set(0..=255_u8, 1..12),
        probes in prop_oneof![Just("[\"icmp\"]"), Just("[\"tcp/443\", \"icmp\"]")],
    ) {
        let cuts: Vec<u8> = cuts.into_iter().collect();
        let ranges: Vec<(u8, u8)> =
            cuts.chunks(2).map(|pair| (pair[0], *pair.last().unwrap())).collect();
        let short = ranges.iter().map(|(first, last)| format!("\"127.45.176.{first}-{last}\""));
        let short = short.collect::<Vec<_>>().join(", ");
        let long = ranges.iter().flat_map(|&(first, last)| first..=last);
        let long = tables(long.map(|last| address(0, last)), probes);
        let other = "hosts = [{ host = \"127.45.177.0/29\", probes = [\"icmp\"] }]";
        let written_out = tables((1..=6).map(|last| address(1, last)), "[\"icmp\"]");
        let short = format!("probes = {probes}\nhosts = [{short}]");
        let short = read(&text("", [&short, other]), "");
        let long = read(&text("", [&long, &written_out]), "");
        prop_assert_eq!(&short, &long);
    }

    #[test]
    fn a_host_file_is_the_same_plan_as_its_hosts(
        hosts in proptest::collection::hash_set((0..2_u8, any::<u8>()), 2..40),
        with_probes in any::<bool>(),
        noise in "[ \t#]{0,2}\n?",
    ) {
        let hosts: Vec<(u8, u8)> = hosts.into_iter().collect();
        let of_block = |block: u8| {
            let hosts = hosts.iter().filter(move |host| host.0 == block);
            hosts.map(|&(block, last)| address(block, last))
        };
        prop_assume!(of_block(0).next().is_some() && of_block(1).next().is_some());
        let probes = if with_probes { "[\"tcp/80\", \"icmp\"]" } else { "[\"icmp\"]" };
        let all = read(&text("", [0, 1].map(|block| tables(of_block(block), probes)).each_ref().map(String::as_str)), "");
        let file = |hosts: &mut dyn Iterator<Item = String>| {
            let mut text = "\u{feff}# comment, \"\n\nlabels.role, host ,probes\n".to_owned();
            for host in hosts {
                let probes = if with_probes { "\"tcp/80  icmp\"" } else { "" };
                let blank = if noise.ends_with('\n') { noise.as_str() } else { "" };
                let _ = writeln!(text, "{blank}, {host},{probes}");
            }
            text
        };
        let of_country = file(&mut hosts.iter().map(|&(block, last)| address(block, last)));
        let of_country = read(&text("probes = [\"icmp\"]\nhosts_from = \"f\"", ["", ""]), &of_country);
        prop_assert_eq!(&of_country.roster, &all.roster);
        prop_assert_eq!(&of_country.specs, &all.specs);
        let of_block_alone = file(&mut of_block(0));
        let other = tables(of_block(1), probes);
        let of_block_alone =
            read(&text("probes = [\"icmp\"]", ["hosts_from = \"f\"", &other]), &of_block_alone);
        prop_assert_eq!(&of_block_alone.roster, &all.roster);
        prop_assert_eq!(&of_block_alone.specs, &all.specs);
    }
}

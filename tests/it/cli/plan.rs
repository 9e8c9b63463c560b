//! `lifesign plan`: plans from what people have, and their review.

use crate::support::{
    TempDir, done, golden::text, lifesign, namespace::Namespace, program::LIFESIGN,
};
use lifesign::config::Plan;
use lifesign_core::{
    time::{Time, WallOffset},
    watch::{Settings, Watch},
};
use lifesign_store::Store;
use std::{collections::BTreeSet, fs, path::Path};

const ZONE: &str = "tests/data/survey/kp-2016.zone";
const DELEGATED: &str = "tests/data/survey/delegated.txt";

/// The hosts of the plan of a real country, as a plain list.
fn kp_hosts() -> String {
    let plan = text("deploy/targets/kp.toml");
    let hosts = plan.split("host = \"").skip(1).filter_map(|rest| rest.split('"').next());
    let hosts: Vec<&str> = hosts.collect();
    assert_eq!(hosts.len(), 21);
    hosts.join("\n")
}

/// How many packets have left, or tried to, by the counters of the namespace.
fn sent(namespace: &Namespace) -> Vec<String> {
    let counters = "cat /proc/net/snmp /proc/net/snmp6 | \
                    awk '/OutRequests|OutDatagrams|OutMsgs|ActiveOpens/'; \
                    awk '/^Ip:|^Udp:|^Tcp:|^Icmp:/' /proc/net/snmp";
    namespace.sh(counters).lines().map(str::to_owned).collect()
}

fn kp_plan(temp_dir: &TempDir) -> (String, Vec<String>) {
    let hosts = temp_dir.put("hosts.txt", kp_hosts());
    let plan = temp_dir.path("plan.toml");
    let arguments = ["plan", "--country", "KP", "--from", ZONE, &hosts, DELEGATED, "-o", &plan];
    (plan.clone(), arguments.map(str::to_owned).to_vec())
}

/// What must hold of the plan of KP.
fn is_good(path: &str) {
    let plan = Plan::load(Path::new(path)).unwrap_or_else(|problems| panic!("{problems}"));
    let roster = &plan.roster;
    let prefixes: Vec<String> =
        roster.blocks.iter().map(|block| block.prefix.to_string()).collect();
    let wanted = [176, 177, 178, 179].map(|third| format!("175.45.{third}.0/24"));
    assert_eq!(prefixes, wanted);
    let mut known = BTreeSet::new();
    for (block, prefix) in roster.blocks.iter().zip(&prefixes) {
        let targets = &roster.targets[block.targets.start as usize..block.targets.end as usize];
        let hosts: BTreeSet<String> =
            targets.iter().map(|target| target.host.to_string()).collect();
        assert!((1..=10).contains(&hosts.len()), "{prefix}: {hosts:?}");
        known.extend(hosts);
    }
    known.extend(plan.reserve.iter().map(|(_, host)| host.to_string()));
    assert!(known.len() >= 21, "{known:?}");
    for host in kp_hosts().lines() {
        assert!(known.contains(host), "{host} is not in {known:?}");
    }
    // Each has its reason: a file and a day.
    let text = fs::read_to_string(path).unwrap();
    let hosts = text.lines().filter(|line| line.trim().starts_with(['"', '{']));
    let reasons = hosts.filter(|line| line.contains("# ") && line.contains("; 20"));
    assert_eq!(reasons.count(), known.len(), "{text}");
}

#[test]
fn one_command_makes_the_plan_of_kp_from_its_zones_and_a_list() {
    let temp_dir = TempDir::new("plan-kp");
    let (path, arguments) = kp_plan(&temp_dir);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (code, out, err) = done(lifesign(&arguments));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let wanted =
        "KP: 175.45.176.0/22\n4 blocks, 33 hosts known: 23 chosen, 10 in reserve, 0 left out";
    assert!(out.contains(wanted), "{out}");
    is_good(&path);
    let (code, out, err) = done(lifesign(&["check", &path]));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("\n10 hosts in reserve, not asked\n"), "{out}");
    // It is never written over.
    let (code, _, err) = done(lifesign(&arguments));
    let wanted = format!("lifesign: {path} is there already; name another file for the plan");
    assert_eq!((code, err), (73, wanted));
    // Without a file to write, the plan is what comes out, and nothing else.
    let (code, out, err) = done(lifesign(&arguments[..arguments.len() - 2]));
    assert_eq!((code, out + "\n"), (0, fs::read_to_string(&path).unwrap()));
    assert!(err.contains("33 hosts known"), "{err}");
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn no_packet_is_sent_to_make_a_plan() {
    let temp_dir = TempDir::new("plan-silent");
    let namespace = Namespace::new();
    // Whoever would ask could: there is a way to everybody.
    namespace.sh("ip link add out type veth peer name in; ip link set in up; ip addr add 10.45.0.2/30 dev out; ip link set out up
         ip route add default via 10.45.0.1
         for each in out in; do echo 1 > /proc/sys/net/ipv6/conf/$each/disable_ipv6; done");
    let (path, arguments) = kp_plan(&temp_dir);
    let command: Vec<&str> =
        std::iter::once(LIFESIGN).chain(arguments.iter().map(String::as_str)).collect();
    let before = sent(&namespace);
    let (code, out, err) = done(namespace.command(&command));
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!(sent(&namespace), before);
    is_good(&path);
    // The counters do count.
    let ask = "echo x > /dev/udp/175.45.176.15/53 || true";
    done(namespace.command(&["bash", "-c", ask]));
    assert_ne!(sent(&namespace), before);
}

#[test]
fn a_file_of_another_kind_is_one_line_and_torn_ones_are_read_as_far_as_they_go() {
    let temp_dir = TempDir::new("plan-files");
    let pcap = temp_dir.put("a.pcap", b"\xd4\xc3\xb2\xa1\x02\0\x04\0");
    let place = ["plan", "--country", "XA", "--prefix", "203.0.113.0/24", "--from"];
    let with = |files: &[&str]| done(lifesign(&[&place, files].concat()));
    let (code, out, err) = with(&[&pcap]);
    let wanted = format!(
        "{pcap}:1:1: this is a packet capture (pcap), packets and no results; give a registry's \
         file, a scan, a hit list, a zone or a list of addresses"
    );
    assert_eq!((code, out.as_str(), err), (65, "", wanted));
    let (code, _, err) = with(&["nowhere"]);
    let wanted = "nowhere: no such file; give the path of one that exists";
    assert_eq!((code, err.as_str()), (65, wanted));
    let list = temp_dir.put("to", r#"{"data": {"resource": "TO", "resources": {}}}"#);
    let wanted = format!("{list}: this is the list of TO, and --country is XA");
    assert_eq!(with(&[&list]), (65, String::new(), wanted));
    let torn = "[\n{\"ip\": \"203.0.113.7\", \"timestamp\": \"1795632920\", \"ports\": [{\"port\": \
                0, \"proto\": \"icmp\", \"status\": \"open\"}]},\n{\"ip\": \"203.0.1";
    let torn = temp_dir.put("torn.json", torn);
    let (code, out, err) = with(&[&torn]);
    assert_eq!(code, 0, "{err}");
    let wanted = format!(
        "{torn}: masscan's list (-oJ) of 2026-11-25, 1 row; 1 host here; its end is missing"
    );
    // Its rows say when; the day of the file is none of theirs.
    let day = err.split(" of ").nth(1).and_then(|rest| rest.get(..10)).unwrap_or_default();
    assert!(err.contains(&wanted.replace("2026-11-25", day)), "{err}");
    let wanted =
        format!("  {torn}:3:1: the file ends within this object; was the scan stopped?; left out");
    assert!(err.contains(&wanted), "{err}");
    assert!(out.contains("\"203.0.113.7\",  # torn.json; 2026-11-25\n"), "{out}");
    let (code, _, err) = done(lifesign(&["plan", "--country", "XA", "--from", &torn]));
    let wanted = "lifesign: these files do not say which prefixes belong to XA; give them with \
                  --prefix, or add a registry's delegated file to --from";
    assert_eq!((code, err.as_str()), (65, wanted));
}

#[test]
fn the_deny_list_is_kept_out_and_named_in_the_plan() {
    let temp_dir = TempDir::new("plan-deny");
    let hosts = temp_dir.put("hosts", "203.0.113.1\r\n203.0.113.2\r\n203.0.113.3\r\n");
    let deny = temp_dir.put("deny.txt", "# asked us not to\n203.0.113.2/31\n");
    let path = temp_dir.path("plan.toml");
    let (code, out, err) = done(lifesign(&[
        "plan",
        "--country",
        "XA",
        "--prefix",
        "203.0.113.0/24",
        "--from",
        &hosts,
        "--deny",
        &deny,
        "-o",
        &path,
    ]));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("\n  2 left out: in the deny list\n"), "{out}");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("deny = \"deny.txt\"\n"), "{text}");
    assert!(text.contains("# Left out:\n#   in the deny list:\n#     203.0.113.2 203.0.113.3\n"));
    // Who is in it by hand is left out by `check` and `run` too, and said.
    fs::write(&path, text.replace("\"203.0.113.1\",", "\"203.0.113.1\", \"203.0.113.3\","))
        .unwrap();
    let (code, out, err) = done(lifesign(&["check", &path]));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("  203.0.113.0/24: 1 host, 1 target (1 icmp)\n"), "{out}");
    let wanted = "note: 203.0.113.3: left out, for the deny list has them\n";
    assert!((out.clone() + "\n").contains(wanted), "{out}");
}

#[test]
fn check_says_what_is_denied_in_the_reserve_and_what_its_table_of_networks_is() {
    let temp_dir = TempDir::new("plan-check");
    temp_dir.put("deny.txt", "203.0.113.8\n203.0.113.64/26\n");
    let plan = temp_dir.put(
        "plan.toml",
        "vantage = \"lab\"\ndeny = \"deny.txt\"\nnetworks = \"net.tsv\"\n\
         [[country]]\ncode = \"XA\"\n[[country.block]]\nprefix = \"203.0.113.0/24\"\n\
         probes = [\"icmp\"]\nhosts = [\"203.0.113.1-2\"]\n\
         reserve = [\"203.0.113.7-8\", { host = \"203.0.113.70\" }]\n",
    );
    let row = "203.0.113.0\t203.0.113.255\t64496\tXA\tONE\n";
    for (table, ranges, is_torn) in [
        (row.to_owned(), "networks named by 1 range of net.tsv", false),
        (row.trim_end().to_owned(), "networks named by 1 range of net.tsv", true),
        (format!("{row}{}", row.replace("113", "115")), "named by 2 ranges of net.tsv", false),
    ] {
        temp_dir.put("net.tsv", &table);
        let (code, out, err) = done(lifesign(&["check", &plan]));
        let all = format!("{out}{err}");
        assert_eq!(code, 0, "{all}");
        assert!(all.contains("203.0.113.8, 203.0.113.70: left out, for the deny list"), "{all}");
        assert!(all.contains("1 host in reserve") && all.contains(ranges), "{all}");
        assert_eq!(all.contains("net.tsv:1: the last line has no end"), is_torn, "{all}");
    }
    let reserve = Plan::load(Path::new(&plan)).unwrap().reserve;
    let reserve: Vec<_> = reserve.iter().map(|(_, host)| host.to_string()).collect();
    assert_eq!(reserve, ["203.0.113.7"], "of which a review takes");
}

const WATCHED: &str = r#"vantage = "lab"
[[country]]
code = "XA"
[[country.block]]
prefix = "127.45.176.0/24"
probes = ["icmp"]
hosts = [
  "127.45.176.1",  # steady
  "127.45.176.2",  # gone
  { host = "127.45.176.3", probes = ["icmp", "tcp/80"] },  # no web any more
  "127.45.176.4",  # never there
]
reserve = [
  "127.45.176.9",  # first
  "127.45.176.8",  # second
]
"#;

/// Of each target: the host, its rank, whether it was ever heard, and for how many hours it is
/// silent.
const LEARNED: [(&str, &str, bool, u64); 5] = [
    ("127.45.176.1", "Good", true, 0),
    ("127.45.176.2", "Retired", true, 50),
    ("127.45.176.3", "Good", true, 0),
    ("127.45.176.3", "Retired", true, 30),
    ("127.45.176.4", "Gone", false, 49),
];

#[test]
fn a_review_says_who_to_drop_and_whom_to_take_and_changes_nothing() {
    let temp_dir = TempDir::new("plan-review");
    let path = temp_dir.put("plan.toml", WATCHED);
    let state = temp_dir.path("state");
    fs::create_dir(&state).unwrap();
    let arguments = ["plan", "--review", &path, "--state-dir", &state];
    let (code, _, err) = done(lifesign(&arguments));
    assert_eq!(code, 65);
    assert!(err.contains("cannot read the store"), "{err}");

    let plan = Plan::load(Path::new(&path)).unwrap();
    let begin = Time::from_nanos(1_795_632_946_000_000_000);
    let settings = Settings { rules: plan.rules, ..Settings::default() };
    let watch = Watch::new(plan.roster.clone(), &settings, begin);
    let (mut store, previous) = Store::open(Path::new(&state), "lab", begin).unwrap();
    store.resume(previous, false, &plan.roster, begin, WallOffset::default());
    store.finish(&watch, begin, WallOffset::default());
    let file = Path::new(&state).join(lifesign_store::FILE_NAME);
    let connection = rusqlite::Connection::open(file).unwrap();
    let text: String =
        connection.query_row("SELECT text FROM memory", [], |row| row.get(0)).unwrap();
    let mut memory: serde_json::Value = serde_json::from_str(&text).unwrap();
    let taken = memory["taken"].clone();
    let nanos = |value: &serde_json::Value| value.as_u64();
    for ((_, rank, heard, hours), host) in
        LEARNED.iter().zip(memory["hosts"].as_array_mut().unwrap())
    {
        host["rank"] = (*rank).into();
        host["usual_log_rtt"] = if *heard { (-1.0).into() } else { serde_json::Value::Null };
        let silent = nanos(&taken).map(|taken| taken - hours * 3_600_000_000_000);
        host["last_life"] = silent.map_or(taken.clone(), Into::into);
    }
    connection.execute("UPDATE memory SET text = ?", [memory.to_string()]).unwrap();
    drop(connection);

    let (code, out, err) = done(lifesign(&arguments));
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        out,
        format!(
            r#"# 127.45.176.0/24: drop 127.45.176.2, silent for 2 days while its block lives; take 127.45.176.9 from the reserve instead
# 127.45.176.0/24: drop 127.45.176.4, no answer of its own in 2 days; take 127.45.176.8 from the reserve instead
# 127.45.176.0/24: 127.45.176.3 answers, but not to tcp/80; leave that probe out
--- {path}
+++ {path}
@@ -6,11 +6,9 @@
 probes = ["icmp"]
 hosts = [
   "127.45.176.1",  # steady
-  "127.45.176.2",  # gone
+  "127.45.176.9",  # first
   {{ host = "127.45.176.3", probes = ["icmp", "tcp/80"] }},  # no web any more
-  "127.45.176.4",  # never there
+  "127.45.176.8",  # second
 ]
 reserve = [
-  "127.45.176.9",  # first
-  "127.45.176.8",  # second
 ]"#
        )
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), WATCHED);
    Plan::parse(
        "patched",
        &WATCHED.replace("\"127.45.176.9\",", "").replace("\"127.45.176.8\",", ""),
    )
    .unwrap_or_else(|problems| panic!("an empty reserve is no error: {problems}"));
}

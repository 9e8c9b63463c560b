//! A probe kind is one new file and two lines; what else must be told of it, the compiler names. A
//! copy of the program is given one more kind.

use crate::support::{TempDir, quiet};
use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// What is added, and behind which text: the file is `PROBER`.
const TWO_LINES: [(&str, &str, &str); 2] = [
    ("crates/model/src/scopes.rs", "Dns => \"dns\",", "/// Network time.\nNtp => \"ntp\","),
    ("src/probe/mod.rs", "Dns(Box<dns::DnsSpec>),", "/// Network time.\nNtp(ntp::NtpSpec),"),
];

const PROBER: &str = r#"//! A kind that asks nobody.
use std::fmt;
/// Nothing to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NtpSpec;
impl NtpSpec {
    pub(super) fn parse(rest: Option<&str>) -> Result<Self, String> {
        rest.map_or(Ok(Self), |rest| Err(rest.to_owned()))
    }
}
impl fmt::Display for NtpSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ntp")
    }
}
"#;

/// What the compiler asks for: the file, an arm that is there, and the one to add before it.
const ARMS: [(&str, &str, &str); 9] = [
    ("crates/model/src/scopes.rs", "Kind::Dns => \"dns/NAME/TYPE\",", "Kind::Ntp => \"ntp\","),
    (
        "crates/model/src/scopes.rs",
        "Kind::Tcp => KindTraits {",
        "Kind::Ntp => Kind::Icmp.traits(),",
    ),
    ("crates/lab/src/host.rs", "Kind::Dns => true,", "Kind::Ntp => true,"),
    (
        "src/probe/mod.rs",
        "Kind::Dns => dns::",
        "Kind::Ntp => ntp::NtpSpec::parse(rest).map(ProbeSpec::Ntp),",
    ),
    ("src/probe/mod.rs", "Kind::Dns => &dns::OPTIONS,", "Kind::Ntp => &[],"),
    ("src/probe/mod.rs", "ProbeSpec::Dns(spec) => ProbeSpec::", "ProbeSpec::Ntp(_) => self,"),
    ("src/probe/mod.rs", "ProbeSpec::Dns(_) => Kind::Dns,", "ProbeSpec::Ntp(_) => Kind::Ntp,"),
    (
        "src/probe/mod.rs",
        "ProbeSpec::Dns(spec) => spec.fmt(f),",
        "ProbeSpec::Ntp(spec) => spec.fmt(f),",
    ),
    (
        "src/daemon/network.rs",
        "(Ok(address), ProbeSpec::Dns(spec)) =>",
        "(Ok(_), ProbeSpec::Ntp(_)) => out.push(not_sent(due, Fault::Socket)),",
    ),
];

/// A watch of one target of the new kind, which answers once.
const WATCHED: &str = r#"
use lifesign_core::{
    outcome::{Event, Found},
    scopes::{Host, Kind, Roster},
    time::Time,
    watch::{Settings, Watch},
};
use std::{sync::Arc, time::Duration};

#[test]
fn it_is_counted() {
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    roster.add_block("127.45.176.0/24".parse().unwrap());
    roster.add_target(Host::Address([127, 45, 176, 15].into()), "ntp", Kind::Ntp);
    let mut now: Time = "2014-12-22T16:15:00Z".parse().unwrap();
    let mut watch = Watch::new(Arc::new(roster), &Settings::default(), now);
    let due = loop {
        now = watch.poll_timeout();
        watch.handle_timeout(now, now);
        if let Some(due) = watch.poll_probe(now) {
            break due;
        }
    };
    let found = Found::Refused { rtt: Duration::ZERO };
    watch.handle_event(now, &Event::Outcome(due.outcome(now, found)));
    let snapshot = watch.snapshot(now, 0, 0);
    let used: Vec<Kind> =
        snapshot.kinds.iter().map(|view| view.kind).collect();
    assert_eq!(used, [Kind::Ntp]);
    assert_eq!(snapshot.kinds.iter().find(|view| view.kind == Kind::Ntp).unwrap().counts.refused, 1);
}
"#;

/// With the features that the lints have compiled the libraries with.
const CHECK: [&str; 5] =
    ["check", "--workspace", "--bin=lifesign", "--test=ntp", "--message-format=short"];

struct Copy {
    folder: TempDir,
}

impl Copy {
    fn new() -> Self {
        let folder = TempDir::new("kinds");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in ["Cargo.toml", "Cargo.lock", "crates", "src", "benches", "tests"] {
            copy(&root.join(name), &folder.join(name));
        }
        fs::create_dir(folder.join("crates/core/tests")).unwrap();
        // Of another version, or cargo takes what it compiles here for the program itself.
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let version = concat!("version = \"", env!("CARGO_PKG_VERSION"), "\"");
        assert!(manifest.contains(version));
        let other = manifest.replace(version, "version = \"0.0.0\"");
        fs::write(folder.join("Cargo.toml"), other).unwrap();
        Self { folder }
    }

    /// Adds `text` before or behind the one place where `near` stands.
    fn add(&self, file: &str, near: &str, text: &str, behind: bool) {
        let path = self.folder.join(file);
        let old = fs::read_to_string(&path).unwrap();
        assert_eq!(old.matches(near).count(), 1, "{file}: {near}");
        let both = if behind { format!("{near}\n{text}") } else { format!("{text}\n{near}") };
        fs::write(path, old.replace(near, &both)).unwrap();
    }

    /// What cargo says. The libraries are compiled already, beside this test.
    fn cargo(&self, arguments: &[&str]) -> (bool, String) {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut command = quiet(Command::new(env!("CARGO")), arguments);
        command.current_dir(&*self.folder).env("CARGO_TARGET_DIR", target);
        command.args(["--offline", "--quiet"]);
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    }
}

fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

#[test]
#[ignore = "compiles a copy of the program, which takes minutes"]
fn the_compiler_names_whatever_a_new_kind_lacks() {
    let program = Copy::new();
    fs::write(program.folder.join("src/probe/ntp.rs"), PROBER).unwrap();
    program.add("src/probe/mod.rs", "pub mod dns;", "pub mod ntp;", true);
    for (file, near, line) in TWO_LINES {
        program.add(file, near, line, true);
    }
    program.folder.put("crates/core/tests/ntp.rs", WATCHED);
    let mut open: Vec<_> = ARMS.to_vec();
    loop {
        let (well, said) = program.cargo(&CHECK);
        if well {
            break;
        }
        let missing = said.lines().filter(|line| line.contains("error[E0004]"));
        let named: BTreeSet<&str> = missing.filter_map(|line| line.split(':').next()).collect();
        let (now, later): (Vec<_>, _) =
            open.into_iter().partition(|(file, ..)| named.contains(file));
        assert!(!now.is_empty(), "the compiler names no place that is known: {said}");
        let wanted: usize = now.len();
        assert_eq!(said.matches("error[E0004]").count(), wanted, "{said}");
        for (file, near, arm) in now {
            program.add(file, near, arm, false);
        }
        open = later;
    }
    assert!(open.is_empty(), "the compiler did not ask for {open:?}");

    let (well, said) = program.cargo(&["test", "--workspace", "--test", "ntp"]);
    assert!(well, "{said}");
}

//! The shape of the source: who imports whom, and how long files are. It reads src/ as text, so
//! that a forbidden import is named with its file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The modules of the crate. One imports only from rows above its own; none from its own row.
const FLOORS: &[&[&str]] = &[
    &["clock", "rng", "target"],
    &["outcome"],
    &["schedule", "probe", "aggregate"],
    &["judge"],
    &["watch"],
    &["journal", "export", "store", "scenario"],
    &["config", "systemd"],
    &["daemon"],
    &["demo"],
    &["cli"],
    &["main"],
];

/// The pure core, and what it must not name: whatever reads a clock, a socket, a file or another
/// thread.
const CORE: &[&str] = &["schedule", "aggregate", "judge", "watch"];
const IMPURE: &[&str] =
    &["Clock", "tokio", "socket2", "fs", "thread", "TcpStream", "UdpSocket", "process"];

/// Lines in a file at most.
const LONGEST: usize = 400;
/// Lines of code in all at most: without comments, blank lines and tests, and without the scripted
/// worlds, which are a laboratory and no part of the prober.
const IN_ALL: usize = 12_000;

/// A file of src/: its path there, the module that it is, and its text.
struct File {
    path: String,
    module: Vec<String>,
    text: String,
}

impl File {
    fn new(path: &str, text: String) -> Self {
        let module =
            path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').map(str::to_owned);
        Self { module: module.collect(), path: path.to_owned(), text }
    }

    fn stage(&self) -> &str {
        &self.module[0]
    }

    /// Its lines without comments.
    fn code(&self) -> impl Iterator<Item = &str> {
        self.text.lines().map(|line| line.split("//").next().unwrap_or_default())
    }

    /// Every path that it names by way of `crate`, `lifesign` or `super`, written from the crate's
    /// root.
    fn named(&self) -> Vec<Vec<String>> {
        let code: String = self.code().collect::<Vec<_>>().join("\n");
        let words = words(&code);
        let mut paths = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let base = match words[at] {
                "crate" | "lifesign" => Some(Vec::new()),
                "super" => {
                    let mut base = self.module.clone();
                    base.pop();
                    while words.get(at + 2) == Some(&"super") {
                        base.pop();
                        at += 2;
                    }
                    Some(base)
                }
                _ => None,
            };
            at += 1;
            if let Some(base) = base.filter(|_| words.get(at) == Some(&"::")) {
                at = tree(&words, at + 1, &base, &mut paths);
            }
        }
        paths
    }
}

/// Words and signs; two colons are one sign.
fn words(code: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let length = match first {
            _ if rest.starts_with("::") => 2,
            _ if word(first) => rest.find(|letter| !word(letter)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        words.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    words
}

/// Adds the paths of a use tree that begins at `at`, below `base`; where it ends.
fn tree(words: &[&str], mut at: usize, base: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    if words.get(at) == Some(&"{") {
        at += 1;
        while at < words.len() && words[at] != "}" {
            at = tree(words, at, base, paths);
            while words.get(at).is_some_and(|&word| word != "," && word != "}") {
                at += 1;
            }
            at += usize::from(words.get(at) == Some(&","));
        }
        return at + 1;
    }
    let mut path = base.to_vec();
    path.extend(words.get(at).map(|&word| word.to_owned()));
    if words.get(at + 1) == Some(&"::") {
        return tree(words, at + 2, &path, paths);
    }
    paths.push(path);
    at + 1
}

fn floor(stage: &str) -> Option<usize> {
    FLOORS.iter().position(|row| row.contains(&stage))
}

/// Every import that goes up or sideways, and every module that has no floor.
fn forbidden(files: &[File]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for file in files.iter().filter(|file| file.stage() != "lib") {
        let Some(own) = floor(file.stage()) else {
            found.insert(format!("{}: {} has no floor", file.path, file.stage()));
            continue;
        };
        for path in file.named() {
            let Some(name) = path.first().filter(|&name| name != file.stage()) else { continue };
            if floor(name).is_some_and(|other| other >= own) {
                found.insert(format!("{} imports {name}", file.path));
            }
        }
    }
    found.into_iter().collect()
}

/// Imports among files, but for those between a module and the modules inside it, which are one
/// thing.
fn edges(files: &[File]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in files {
        for path in file.named() {
            let holder = (files.iter().filter(|other| path.starts_with(&other.module)))
                .max_by_key(|other| other.module.len());
            let Some(other) = holder else { continue };
            if !other.module.starts_with(&file.module) && !file.module.starts_with(&other.module) {
                edges.entry(&file.path).or_default().insert(&other.path);
            }
        }
    }
    edges
}

/// A file that leads back to itself, if there is one.
fn cycle(files: &[File]) -> Option<String> {
    let mut edges = edges(files);
    // Whoever imports nothing more is in no cycle.
    loop {
        let open: BTreeSet<&str> = edges.keys().copied().collect();
        let before = open.len();
        for others in edges.values_mut() {
            others.retain(|other| open.contains(other));
        }
        edges.retain(|_, others| !others.is_empty());
        if edges.len() == before {
            return (before > 0).then(|| edges.keys().copied().collect::<Vec<_>>().join(", "));
        }
    }
}

fn source() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src can be listed") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(&root).expect("below src").display().to_string();
                files.push(File::new(&name, fs::read_to_string(&path).expect("text")));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

#[test]
fn each_module_imports_only_from_the_floors_below() {
    let files = source();
    assert!(
        files.iter().map(|file| file.named().len()).sum::<usize>() > 300,
        "the imports were not found"
    );
    assert_eq!(forbidden(&files), [""; 0]);
}

#[test]
fn no_imports_go_in_a_circle() {
    assert_eq!(cycle(&source()), None);
}

#[test]
fn modules_are_declared_in_the_order_in_which_the_data_passes() {
    let files = source();
    let lib = files.iter().find(|file| file.path == "lib.rs").expect("a lib.rs");
    let declared: Vec<&str> =
        lib.code().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let order: Vec<&str> =
        FLOORS.concat().into_iter().filter(|module| declared.contains(module)).collect();
    assert_eq!(declared, order);
}

#[test]
fn the_core_names_no_clock_socket_or_file() {
    for file in source().iter().filter(|file| CORE.contains(&file.stage())) {
        let code: Vec<&str> = file.code().collect();
        let found = words(&code.join("\n"))
            .into_iter()
            .find(|word| IMPURE.contains(word))
            .map(str::to_owned);
        assert_eq!(found, None, "{}", file.path);
    }
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let files = source();
    let mut lengths = Vec::new();
    let mut code = 0;
    for file in &files {
        let lines = file.text.lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", file.path);
        let inside = file.path.ends_with("tests.rs");
        assert!(
            inside || file.text.starts_with("//!"),
            "{} does not say what it is for",
            file.path
        );
        lengths.push(lines);
        if !inside && file.stage() != "scenario" {
            let production = file.code().take_while(|line| !line.starts_with("#[cfg(test)]"));
            code += production.filter(|line| !line.trim().is_empty()).count();
        }
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!((75..=200).contains(&median), "the median file has {median} lines");
    assert!(code < IN_ALL, "{code} lines of code");
}

#[test]
fn a_forbidden_import_is_found_however_it_is_written() {
    for (path, text, found) in [
        ("aggregate/mod.rs", "use lifesign_core::judge::State;", "aggregate/mod.rs imports judge"),
        (
            "aggregate/rtt.rs",
            "use crate::{clock::Time,\n    schedule::{Open, Look}};",
            "aggregate/rtt.rs imports schedule",
        ),
        ("judge/belief.rs", "use super::super::watch as w;", "judge/belief.rs imports watch"),
        ("outcome.rs", "use super::probe::icmp;", "outcome.rs imports probe"),
        (
            "clock.rs",
            "fn f() -> lifesign_core::scopes::Roster { loop {} }",
            "clock.rs imports target",
        ),
        ("weather.rs", "", "weather.rs: weather has no floor"),
    ] {
        assert_eq!(forbidden(&[File::new(path, text.into())]), [found]);
    }
    for (path, text) in [
        ("judge/mod.rs", "use crate::{aggregate::Summary, schedule::{Look, Rank}, clock::Time};"),
        (
            "judge/mod.rs",
            "//! [`lifesign_core::watch`] asks it.\nuse lifesign_core::judge::rules; // not crate::daemon",
        ),
        ("judge/view.rs", "use super::{Judge, watch};"),
        ("main.rs", "fn main() { lifesign::cli::main() }"),
    ] {
        assert_eq!(forbidden(&[File::new(path, text.into())]), [""; 0]);
    }
}

#[test]
fn a_circle_is_found() {
    let file = |path, text: &str| File::new(path, text.into());
    let one = [
        file("judge/a.rs", "use super::b::B;"),
        file("judge/b.rs", "use lifesign_core::judge::{c::C, X};"),
    ];
    assert_eq!(cycle(&one), None);
    let two = one.into_iter().chain([file("judge/c.rs", "use super::a;")]).collect::<Vec<_>>();
    assert_eq!(cycle(&two).as_deref(), Some("judge/a.rs, judge/b.rs, judge/c.rs"));
}

//! The properties of `fuzz/` on everything that the fuzzer has found worth keeping, and on copies
//! with some bytes changed: no fuzzer needed, and the same bytes each time.

#[path = "../../../fuzz/src/lib.rs"]
mod properties;

use lifesign_core::rng::Rng;
use std::{fs, path::Path};

/// Changed copies of each file.
const COPIES: usize = 20;

/// The property of this name holds for every file of its corpus, and for the copies.
fn holds(name: &str) {
    let (_, property) =
        properties::PROPERTIES.into_iter().find(|(property, _)| *property == name).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 10, "only {} files", files.len());
    // The order of a directory is any.
    files.sort();
    for (number, path) in files.iter().enumerate() {
        let whole = fs::read(path).unwrap();
        property(&whole);
        let mut rng = Rng::new(number as u64);
        for _ in 0..COPIES {
            let copy = changed(&whole, &mut rng);
            let _shown = Shown(path, &copy);
            property(&copy);
        }
    }
}

/// A copy with one to four changes: a byte overwritten, a piece left out, repeated, or cut off
/// behind.
fn changed(whole: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut copy = whole.to_vec();
    for _ in 0..=rng.below(4) {
        let at = rng.below(copy.len());
        let end = (at + 1 + rng.below(16)).min(copy.len());
        match rng.below(5) {
            0 => copy.truncate(at),
            1 => drop(copy.drain(at..end)),
            2 => copy.extend_from_within(at..end),
            _ if at < end => copy[at] = rng.bits() as u8,
            _ => {}
        }
    }
    copy
}

/// Says for which bytes a property does not hold.
struct Shown<'a>(&'a Path, &'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("a change of {}: b\"{}\"", self.0.display(), self.1.escape_ascii());
        }
    }
}

macro_rules! tests {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            holds(stringify!($name));
        })*

        #[test]
        fn every_property_has_its_test_and_its_fuzz_target() {
            let names = properties::PROPERTIES.map(|(name, _)| name);
            assert_eq!(names, [$(stringify!($name)),*]);
            let manifest = include_str!("../../../fuzz/Cargo.toml");
            let targets = manifest.lines().filter_map(|line| {
                line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\"")
            });
            assert_eq!(targets.collect::<Vec<_>>(), names);
            // What each reads, and how it was run.
            let readme = include_str!("../../../fuzz/README.md");
            let (reads, runs) = readme.split_once("## Runs").unwrap();
            for table in [reads, runs] {
                let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
                assert_eq!(rows.collect::<Vec<_>>(), names, "in fuzz/README.md");
            }
        }
    };
}

tests! { icmp icmp_error trace dns journal plan scenario survey record }

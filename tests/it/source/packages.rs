//! The crates as `cargo package` packs them: each says what it is, names its siblings by version,
//! and holds its source and little else.

use super::shape::files_below;
use crate::support::{done, golden::text, quiet};
use std::process::Command;

fn cargo(arguments: &[&str]) -> String {
    let mut command = quiet(Command::new(env!("CARGO")), arguments);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let (code, out, err) = done(command);
    assert_eq!(code, 0, "{arguments:?}: {err}");
    out
}

#[test]
fn every_crate_says_what_it_is_and_names_its_siblings_by_version() {
    let text = cargo(&["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 15, "{}", packages.len());
    for package in packages {
        let name = package["name"].as_str().unwrap();
        assert_eq!(package["version"], env!("CARGO_PKG_VERSION"), "{name}");
        let described = package["description"].as_str().unwrap_or_default();
        assert!(described.len() > 20, "{name}: {described}");
        assert_eq!(package["license"], "MIT OR Apache-2.0", "{name}");
        for needed in package["dependencies"].as_array().unwrap() {
            let is_ours = !needed["path"].is_null() && needed["kind"] != "dev";
            let wanted = concat!("^", env!("CARGO_PKG_VERSION"));
            assert!(!is_ours || needed["req"] == wanted, "{name}: {}", needed["name"]);
        }
    }
}

/// The registry takes a crate once all are there that it needs, also for its tests.
#[test]
fn each_crate_is_published_after_those_that_it_needs() {
    let contributing = text("CONTRIBUTING.md");
    let (_, list) = contributing.split_once("it is this order:").unwrap();
    let list = list.split('.').next().unwrap();
    let order: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    let text = cargo(&["metadata", "--no-deps", "--offline", "--format-version", "1"]);
    let metadata: serde_json::Value = serde_json::from_str(&text).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(order.len(), packages.len());
    let place = |name: &serde_json::Value| order.iter().position(|one| name == one);
    for package in packages {
        let needed = package["dependencies"].as_array().unwrap();
        for needed in needed.iter().filter(|needed| !needed["path"].is_null()) {
            let (name, own) = (&needed["name"], &package["name"]);
            assert!(place(name).is_some() && place(name) < place(own), "{own} needs {name}");
        }
    }
}

#[test]
fn packages_hold_their_source_and_no_corpora() {
    let text = cargo(&["package", "--workspace", "--list", "--offline", "--allow-dirty"]);
    let files: Vec<&str> = text.lines().collect();
    assert!(files.len() > 300, "{}", files.len());
    let included = included_from_outside();
    assert!(!included.is_empty());
    for wanted in included.iter().map(String::as_str).chain(["targets.toml", "README.md"]) {
        assert!(files.contains(&wanted), "{wanted}");
    }
    // Each has both licences, as whoever takes one alone must have them.
    let manifests = files.iter().filter(|file| **file == "Cargo.toml").count();
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        let packed = files.iter().filter(|file| **file == licence).count();
        assert!(manifests > 15 && packed == manifests, "{licence}: {packed} of {manifests}");
    }
    let is_ballast = |file: &&&str| {
        let is_included = included.iter().any(|included| included == **file);
        let folders = ["fuzz/", "tests/", "benches/", "proptest-regressions/"];
        folders.iter().any(|folder| file.starts_with(folder)) && !is_included
    };
    let ballast: Vec<_> = files.iter().filter(is_ballast).collect();
    assert!(ballast.is_empty(), "{ballast:?}");
}

/// Of what a release builds, only what is off the path of a probe and of a scrape is small rather
/// than fast.
#[test]
fn the_path_of_a_probe_is_built_for_speed() {
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    let release = &manifest["profile"]["release"];
    assert!(release.get("opt-level").is_none(), "{release}");
    let level =
        |name: &str| release["package"].get(name).and_then(|profile| profile.get("opt-level"));
    assert_eq!(level("lifesign"), None);
    for name in ["core", "model", "schedule", "path", "wire", "journal", "export", "exposition"] {
        assert_eq!(level(&format!("lifesign-{name}")), None, "{name}");
    }
    for name in ["tokio", "flate2", "zlib-rs", "serde_json"] {
        assert_eq!(level(name).and_then(toml::Value::as_integer), Some(3), "{name}");
    }
}

/// What the program's source takes in at compile time from beside `src`.
fn included_from_outside() -> Vec<String> {
    let mut included = Vec::new();
    for file in files_below("src") {
        let text = &file.text;
        for part in text.split("include_str!(\"").chain(text.split("include_bytes!(\"")).skip(1) {
            let path = part.split('"').next().unwrap_or_default();
            if path.starts_with("../") {
                included.push(path.trim_start_matches("../").to_owned());
            }
        }
    }
    included
}

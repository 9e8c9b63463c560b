//! What is made from the program and shipped beside it: man pages, completions, the unit and the
//! list of what the package holds. Each is made again here and compared.

use crate::support::{
    golden::{path, same_as_file, text},
    manual,
};
use lifesign::{cli, config::Plan};
use std::{fs, path::Path};

#[test]
fn the_manual_of_the_program_is_that_of_its_command_line() {
    let made = manual::program(cli::command(), &text("docs/running.md"));
    same_as_file("deploy/man/lifesign.1", &made);
}

/// Each exit code that the page of the docs knows, and no mark of a page of the docs.
#[test]
fn the_manual_of_the_program_knows_every_exit_code_and_its_name_is_a_line() {
    let manual = text("deploy/man/lifesign.1");
    let (_, codes) = manual.split_once(".SH \"EXIT STATUS\"\n").unwrap();
    let codes = codes.split(".SH ").next().unwrap();
    for code in ["0", "0 to 3", "65", "69", "73", "130, 143"] {
        assert!(codes.contains(&format!(".TP\n\\fB{code}\\fR\n")), "{code}: {codes}");
    }
    for word in ["import", "\\-\\-events", "resolver", "NO_COLOR"] {
        assert!(manual.contains(word), "{word}");
    }
    let name = ".SH NAME\nlifesign \\- watch whether networks can be reached\n.";
    assert!(manual.contains(name), "{manual}");
    assert!(!manual.contains('`'), "{manual}");
}

#[test]
fn the_manual_of_the_plan_is_the_page_of_the_docs() {
    same_as_file("deploy/man/lifesign-targets.5", &manual::plan(&text("docs/plan.md")));
}

#[test]
fn completions_are_those_of_the_command_line() {
    for (shell, name) in
        [("bash", "lifesign.bash"), ("zsh", "_lifesign"), ("fish", "lifesign.fish")]
    {
        let script = cli::script(shell).expect("a shell that is known");
        same_as_file(&format!("deploy/completions/{name}"), &script);
    }
}

/// Each key of the example is in the manual, in bold, and is a key: with one letter more it is
/// none.
#[test]
fn the_manual_of_the_plan_knows_every_key_of_a_plan() {
    let plan = manual::example(&text("docs/plan.md"));
    assert!(Plan::parse("docs", &plan).is_ok());
    let manual = text("deploy/man/lifesign-targets.5");
    let bold = manual.split("\\fB").skip(1).filter_map(|rest| rest.split("\\fR").next());
    let bold: Vec<&str> = bold.flat_map(|text| text.split(|sign: char| !is_of_key(sign))).collect();
    let keys: Vec<&str> = plan
        .split(['\n', '{', ','])
        .filter_map(|part| Some(part.split_once('=')?.0.trim()))
        .filter(|key| !key.is_empty() && key.chars().all(is_of_key))
        .collect();
    assert!(keys.len() > 15, "{keys:?}");
    for key in keys {
        assert!(bold.contains(&key), "{key} is not in {bold:?}");
        let wrong = plan.replacen(&format!("{key} ="), &format!("{key}x ="), 1);
        let problems = Plan::parse("docs", &wrong).unwrap_err().to_string();
        assert!(problems.contains(&format!("unknown key \"{key}x\"")), "{problems}");
    }
}

#[test]
fn the_inventory_names_the_package_of_this_version() {
    let inventory = text("deploy/ansible/inventory.example.yml");
    let name = concat!("/lifesign_", env!("CARGO_PKG_VERSION"), "_amd64.deb");
    let deb = inventory.lines().find(|line| line.trim_start().starts_with("lifesign_deb: "));
    assert!(deb.is_some_and(|line| line.ends_with(name)), "{deb:?} is not {name}");
}

fn is_of_key(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

/// Every file that the package's metadata name is there, but for the program itself, and the unit
/// starts that.
#[test]
fn the_package_names_files_that_are_there() {
    let metadata: toml::Table = text("Cargo.toml").parse().unwrap();
    let package = &metadata["package"]["metadata"]["deb"];
    let mut installed = Vec::new();
    for asset in package["assets"].as_array().unwrap() {
        let [from, to] = [0, 1].map(|part| asset[part].as_str().unwrap());
        let folder = path(from).parent().unwrap().to_owned();
        let name = from.rsplit('/').next().unwrap();
        let there = match name.strip_prefix('*') {
            Some(end) => {
                let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{from}: {error}"));
                files
                    .map(|file| file.unwrap().file_name())
                    .any(|file| file.to_string_lossy().ends_with(end))
            }
            None => from == "target/release/lifesign" || path(from).is_file(),
        };
        assert!(there, "{from} is not there");
        installed.push(if to.ends_with('/') { format!("/{to}{name}") } else { format!("/{to}") });
    }
    for kept in package["conf-files"].as_array().unwrap() {
        assert!(
            installed.iter().any(|file| file == kept.as_str().unwrap()),
            "{kept} in {installed:?}"
        );
    }
    let unit = text("deploy/systemd/lifesign.service");
    let started = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let words: Vec<&str> = started.split(' ').filter(|word| word.starts_with('/')).collect();
    assert_eq!(words.len(), 2, "{started}");
    assert!(
        words.iter().all(|word| installed.iter().any(|file| file == word)),
        "{started}: {installed:?}"
    );
}

/// All pages that are packed.
fn pages() -> impl Iterator<Item = String> {
    let docs = fs::read_dir(path("docs")).unwrap();
    let docs = docs.map(|entry| format!("docs/{}", entry.unwrap().file_name().display()));
    let others = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
    docs.filter(|name| name.strip_suffix(".md").is_some()).chain(others.map(str::to_owned))
}

/// In the deb, in the rpm and in the crate.
#[test]
fn what_a_packed_page_links_to_is_packed() {
    let metadata: toml::Table = text("Cargo.toml").parse().unwrap();
    let packages = &metadata["package"]["metadata"];
    let debs = packages["deb"]["assets"].as_array().unwrap().iter().map(|asset| &asset[0]);
    let rpms = packages["generate-rpm"]["assets"].as_array().unwrap().iter();
    let crates = metadata["package"]["include"].as_array().unwrap().iter();
    let lists =
        [debs.collect::<Vec<_>>(), rpms.map(|asset| &asset["source"]).collect(), crates.collect()];
    for list in lists {
        let packed = list.iter().map(|from| from.as_str().unwrap().trim_start_matches('/'));
        let packed: Vec<&str> = packed.collect();
        let is_packed = |file: &str| {
            packed.iter().any(|from| match from.split_once('*') {
                Some((begin, end)) => file.starts_with(begin) && file.ends_with(end),
                None => Path::new(file).starts_with(from),
            })
        };
        for page in pages() {
            assert!(is_packed(&page), "{page}");
            let text = text(&page);
            for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
                let file = match link.strip_prefix("../") {
                    Some(link) => link.to_owned(),
                    None if page.starts_with("docs/") => format!("docs/{link}"),
                    None => link.to_owned(),
                };
                let is_ours = !link.is_empty() && !link.starts_with("https://");
                assert!(!is_ours || is_packed(&file), "{page} links to {link}: {packed:?}");
            }
        }
    }
}

/// A file of the source that a command names is there, and the paragraph before says that it is in
/// the source: whoever has a package does not have it at this path.
#[test]
fn what_commands_name_is_there_and_said_to_be_in_the_source() {
    let folders = ["deploy/", "tests/", "benches/", "crates/", "fuzz/", "src/"];
    let mut named = 0;
    for page in pages().filter(|page| page != "CONTRIBUTING.md") {
        let text = text(&page);
        let (mut before, mut is_fenced) = ("", false);
        for block in text.split("\n\n") {
            let is_code = is_fenced || block.starts_with("    ") || block.starts_with("```");
            is_fenced ^= block.matches("```").count() % 2 == 1;
            if !is_code {
                before = block;
                continue;
            }
            let words = block.split_whitespace().map(|word| word.trim_matches(['(', ')', '"']));
            for word in words.filter(|word| folders.iter().any(|folder| word.starts_with(folder))) {
                let file = word.split('*').next().unwrap_or_default();
                assert!(path(file).exists(), "{page}: {word}");
                let is_said = before.contains("source") || before.contains("tarball");
                assert!(is_said, "{page}: {word} is not said to be in the source");
                named += 1;
            }
        }
    }
    assert!(named > 10, "{named}");
}

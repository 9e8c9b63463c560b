//! The shape of the source: how long files are, how much code there is, and that inside a crate a
//! module imports only from those declared before it. What a crate may import, Cargo.toml says.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// Lines of a file at most, and of the median file.
const LONGEST_FILE: usize = 400;
const MEDIAN_FILE: usize = 150;
/// Lines of code at most, without tests, comments and blank lines.
const CORE: usize = 5_500;
const PROGRAM: usize = 9_000;
/// Crates that the core and what it is made of may name: none of them has a runtime, a socket, a
/// file or a clock.
const OF_THE_CORE: [(&str, &[&str]); 4] = [
    ("crates/core", &["lifesign-model", "lifesign-path", "lifesign-schedule", "serde"]),
    ("crates/schedule", &["lifesign-model", "serde"]),
    ("crates/path", &["lifesign-model", "serde"]),
    ("crates/model", &["jiff", "serde", "smallvec"]),
];

pub(super) struct File {
    /// Below the crate's src/.
    path: PathBuf,
    pub text: String,
}

impl File {
    fn is_test(&self) -> bool {
        self.path
            .iter()
            .any(|part| ["tests", "tests.rs", "fixtures.rs"].map(OsStr::new).contains(&part))
    }

    /// Its lines without comments and blank ones, up to the tests inside it.
    fn code(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.lines().take_while(|line| *line != "mod tests {");
        let code = lines.map(|line| line.split("//").next().unwrap_or_default());
        code.filter(|line| !line.trim().is_empty())
    }

    /// The module of the crate's root that it is, or lies in.
    fn module(&self) -> String {
        let first = self.path.iter().next().expect("a file has a name");
        first.to_string_lossy().trim_end_matches(".rs").to_owned()
    }

    /// The modules of the crate's root that it names.
    fn named(&self) -> BTreeSet<String> {
        let code: String = self.code().collect();
        let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
        let word = |rest: &str| -> String {
            rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
        };
        let mut named = BTreeSet::new();
        for rest in code.split("crate::").skip(1) {
            let Some(group) = rest.strip_prefix('{') else {
                named.insert(word(rest));
                continue;
            };
            let mut depth = 0;
            let mut begin = true;
            for (at, letter) in group.char_indices() {
                if begin && depth == 0 {
                    named.insert(word(&group[at..]));
                }
                begin = letter == ',';
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    _ => {}
                }
            }
        }
        named.remove("");
        named
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of the crate in this folder.
fn source(folder: &str) -> Vec<File> {
    files_below(&format!("{folder}/src"))
}

/// The files below this folder, with their paths in it.
pub(super) fn files_below(folder: &str) -> Vec<File> {
    let source = root().join(folder.trim_start_matches('/'));
    let mut folders = vec![source.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).expect("text");
                let path = path.strip_prefix(&source).expect("below it").to_owned();
                files.push(File { path, text });
            }
        }
    }
    files
}

/// The program's folder and those of its crates.
fn crates() -> Vec<String> {
    let entries = fs::read_dir(root().join("crates")).expect("crates/");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut all: Vec<String> = names.map(|name| format!("crates/{}", name.display())).collect();
    all.push(String::new());
    all
}

fn lines_of_code(folder: &str) -> usize {
    let files = source(folder);
    files.iter().filter(|file| !file.is_test()).map(|file| file.code().count()).sum()
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut lengths = Vec::new();
    for folder in crates() {
        for file in source(&folder) {
            let name = Path::new(&folder).join("src").join(&file.path);
            let lines = file.text.lines().count();
            assert!(lines <= LONGEST_FILE, "{} has {lines} lines", name.display());
            let says = file.is_test() || file.text.starts_with("//!");
            assert!(says, "{} does not say what it is for", name.display());
            lengths.extend((!file.is_test()).then_some(lines));
        }
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= MEDIAN_FILE, "the median file has {median} lines");
}

/// Tables and drawings may be wider.
#[test]
fn comments_have_a_hundred_columns_at_most() {
    let mut comments = 0;
    let tests = files_below("tests").into_iter().chain(files_below("benches"));
    let sources = crates().into_iter().flat_map(|folder| source(&folder));
    for File { path, text } in sources.chain(tests) {
        for (line, number) in text.lines().zip(1..) {
            let is_comment = line.trim_start().starts_with("//");
            comments += usize::from(is_comment);
            let may_be_wide = !is_comment || line.contains(['|', '─']);
            let length = line.chars().count();
            assert!(may_be_wide || length <= 100, "{}:{number}: {length}", path.display());
        }
    }
    assert!(comments > 3_000, "only {comments} comments");
}

#[test]
fn there_is_no_more_code_than_the_design_allows() {
    let core = lines_of_code("crates/core");
    assert!((1_000..=CORE).contains(&core), "the core has {core} lines of code");
    let program = lines_of_code("");
    assert!((1_000..=PROGRAM).contains(&program), "the program has {program} lines of code");
}

#[test]
fn the_core_names_no_runtime_socket_file_or_clock() {
    // What the standard library has of these, no manifest can keep out.
    let impure = ["std::fs", "std::net::Tcp", "std::net::Udp", "std::thread", "std::process"];
    for (folder, crates) in OF_THE_CORE {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml"));
        let manifest: toml::Table = manifest.expect("a manifest").parse().expect("TOML");
        let named = manifest["dependencies"].as_table().expect("dependencies");
        assert_eq!(named.keys().map(String::as_str).collect::<Vec<_>>(), crates, "{folder}");
        for file in source(folder).iter().filter(|file| !file.is_test()) {
            let found = impure.iter().find(|path| file.code().any(|line| line.contains(**path)));
            assert_eq!(found, None, "{}", file.path.display());
        }
    }
}

#[test]
fn a_module_imports_only_from_those_declared_before_it() {
    let mut imports = 0;
    for folder in crates() {
        let files = source(&folder);
        let lib = files.iter().find(|file| file.path == Path::new("lib.rs")).expect("a lib.rs");
        let module = |line: &str| Some(line.split_once("mod ")?.1.strip_suffix(';')?.to_owned());
        let order: Vec<String> = lib.code().filter_map(module).collect();
        for file in files.iter().filter(|file| !file.is_test()) {
            let Some(own) = order.iter().position(|module| *module == file.module()) else {
                continue;
            };
            for named in file.named() {
                let other = order.iter().position(|module| *module == named);
                imports += usize::from(other.is_some());
                let is_below = other.is_none_or(|other| other <= own);
                assert!(is_below, "{folder}/src/{} imports {named}", file.path.display());
            }
        }
    }
    assert!(imports > 50, "only {imports} imports were found");
}

#[test]
fn imports_are_found_however_they_are_written() {
    let file = |text: &str| File { path: "judge/mod.rs".into(), text: text.into() };
    let text = "use crate::{\n    time::Time,\n    scopes::{Scope, a::{B, c}},\n    rng,\n};\n\
                fn f() { crate::watch::g() } // crate::journal\nmod tests {\nuse crate::outcome;";
    let named = file(text).named().into_iter().collect::<Vec<_>>();
    assert_eq!(named, ["rng", "scopes", "time", "watch"]);
    assert_eq!(file(text).module(), "judge");
}

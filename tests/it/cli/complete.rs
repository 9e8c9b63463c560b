//! What shells complete, by the scripts that are shipped: commands, states, and the countries and
//! blocks of the plan that is here.

use crate::support::{LAB, LIFESIGN, TempDir, done, golden::path, quiet};
use std::{fs, path::Path, process::Command};

/// A directory with a plan and the program by its name.
fn place() -> TempDir {
    let temp_dir = TempDir::new("complete");
    fs::copy(LAB, temp_dir.join("targets.toml")).unwrap();
    std::os::unix::fs::symlink(LIFESIGN, temp_dir.join("lifesign")).unwrap();
    temp_dir
}

fn inside(temp_dir: &Path, mut command: Command) -> Vec<String> {
    command.current_dir(temp_dir).env("PATH", format!("{}:/usr/bin:/bin", temp_dir.display()));
    let (code, out, err) = done(command);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    out.lines().map(str::to_owned).collect()
}

/// What a real bash offers for the last of these words.
fn bash(temp_dir: &Path, words: &[&str]) -> Vec<String> {
    let script = path("deploy/completions/lifesign.bash");
    let line = r#"source "$1"; shift
        spec=$(complete -p lifesign); function=${spec##*-F }; function=${function%% *}
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9
        "$function" lifesign "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let mut command = quiet(Command::new("bash"), &["--norc", "-c", line, "bash"]);
    command.arg(script).args(words);
    inside(temp_dir, command)
}

#[test]
fn bash_completes_states_countries_and_blocks() {
    let here = place();
    let blocks = [176, 177, 178, 179].map(|block| format!("127.45.{block}.0/24"));
    assert_eq!(bash(&here, &["lifesign", "epi"]), ["episodes"]);
    let states = bash(&here, &["lifesign", "episodes", "--all", "--state", ""]);
    assert!(states.len() == 7 && states.contains(&"flapping".into()), "{states:?}");
    assert_eq!(bash(&here, &["lifesign", "episodes", "--state", "o"]), ["outage"]);
    assert_eq!(bash(&here, &["lifesign", "episodes", "--scope", "127."]), blocks);
    let scopes = bash(&here, &["lifesign", "episodes", "--scope", ""]);
    assert_eq!((scopes[0].as_str(), &scopes[1..]), ("KP", &blocks[..]));
    assert_eq!(bash(&here, &["lifesign", "report", "K"]), ["KP"]);
    assert_eq!(bash(&here, &["lifesign", "compare", "x", "--country", ""]), ["KP"]);
    // Nothing is said where there is nothing to read.
    fs::write(here.join("targets.toml"), "nonsense").unwrap();
    assert_eq!(bash(&here, &["lifesign", "report", "K"]), [""; 0]);
}

/// Zsh and fish ask by the same variable, each in its way; the scripts name it.
#[test]
fn zsh_and_fish_are_answered_alike() {
    let here = place();
    let words = ["--", "lifesign", "episodes", "--scope", ""];
    for (shell, name, index) in [("zsh", "_lifesign", "3"), ("fish", "lifesign.fish", "")] {
        let script = fs::read_to_string(path(&format!("deploy/completions/{name}"))).unwrap();
        assert!(script.contains("LIFESIGN_COMPLETE=") && script.contains(shell), "{script}");
        let mut command = quiet(Command::new("lifesign"), &words);
        command.env("LIFESIGN_COMPLETE", shell).env("_CLAP_IFS", "\n");
        if !index.is_empty() {
            command.env("_CLAP_COMPLETE_INDEX", index);
        }
        let found = inside(&here, command);
        assert_eq!(found.len(), 5, "{shell}: {found:?}");
        assert!(found[0].starts_with("KP") && found[4].starts_with("127.45.179.0/24"), "{found:?}");
    }
}

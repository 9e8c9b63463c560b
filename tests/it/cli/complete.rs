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
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_TYPE=9; COMP_LINE=$*
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
    assert!(states.len() == 6 && states.contains(&"flapping".into()), "{states:?}");
    assert_eq!(bash(&here, &["lifesign", "episodes", "--state", "o"]), ["outage"]);
    assert_eq!(bash(&here, &["lifesign", "episodes", "--scope", "127."]), blocks);
    let scopes = bash(&here, &["lifesign", "episodes", "--scope", ""]);
    assert_eq!((scopes[0].as_str(), &scopes[1..]), ("KP", &blocks[..]));
    assert_eq!(bash(&here, &["lifesign", "report", "k"]), ["KP"]);
    assert_eq!(bash(&here, &["lifesign", "episodes", "--all", "--state", "OU"]), ["outage"]);
    assert_eq!(bash(&here, &["lifesign", "compare", "x", "--country", ""]), ["KP"]);
    // Nothing is said where there is nothing to read.
    fs::write(here.join("targets.toml"), "nonsense").unwrap();
    assert_eq!(bash(&here, &["lifesign", "report", "K"]), [""; 0]);
}

/// Only the text of the plan is read: a host file and a table of networks that are not there, and
/// a host that is none, are not missed.
#[test]
fn nothing_is_read_but_the_plan() {
    let here = place();
    let plan = "networks = \"nowhere.tsv\"\n[[country]]\ncode = \"KP\"\nhosts_from = \"nowhere.csv\"\n\
        [[country.block]]\nprefix = \"192.0.2.0/24\"\nhosts = [\"nonsense/\"]\n\
        [[country.network]]\nname = \"One\"\n[[country.network.block]]\n\
        prefix = \"2001:DB8::/32\"\n[[country]]\ncode = \"mz\"\n";
    fs::write(here.join("targets.toml"), plan).unwrap();
    let scopes = ["KP", "mz", "192.0.2.0/24", "2001:db8::/32"];
    assert_eq!(bash(&here, &["lifesign", "episodes", "--scope", ""]), scopes);
    assert_eq!(bash(&here, &["lifesign", "report", "MZ"]), ["mz"]);
}

/// What is on the line of a shell after Tab, and what was typed before.
const TYPED: [(&str, &str); 9] = [
    ("lifesign epi", "lifesign episodes"),
    ("lifesign report k", "lifesign report KP"),
    ("lifesign compare x --country K", "lifesign compare x --country KP"),
    ("lifesign episodes --all --state O", "lifesign episodes --all --state outage"),
    ("lifesign episodes --scope 127.45.179", "lifesign episodes --scope 127.45.179.0/24"),
    ("lifesign episodes --scope=127.45.179", "lifesign episodes --scope=127.45.179.0/24"),
    ("lifesign episodes --scope 2001:db8:1", "lifesign episodes --scope 2001:db8:1::/48"),
    ("lifesign episodes --scope=2001:db8:1", "lifesign episodes --scope=2001:db8:1::/48"),
    ("lifesign episodes --scope 2001:db8:2:", "lifesign episodes --scope 2001:db8:2::/48"),
];

/// The same with two blocks of IPv6.
fn place_of_both_families() -> TempDir {
    let here = place();
    let blocks = ["2001:db8:1::/48", "2001:db8:2::/48"]
        .map(|prefix| format!("[[country.block]]\nprefix = \"{prefix}\"\nhosts = [\"::1\"]\n"));
    let lab = fs::read_to_string(LAB).unwrap();
    here.put("targets.toml", format!("{lab}\n[[country]]\ncode = \"XX\"\n{}", blocks.concat()));
    here
}

/// In a terminal, where bash itself finds out what the words are.
#[test]
fn bash_completes_at_tab() {
    let here = place_of_both_families();
    let script = path("deploy/completions/lifesign.bash");
    let shown = format!(
        "PS1=; source {}; shown() {{ echo \"<<$READLINE_LINE>>\"; READLINE_LINE=; }}\n\
         bind -x '\"\\C-o\": shown'\n",
        script.display()
    );
    let typed = TYPED.map(|(typed, _)| format!("{typed}\t\x0f"));
    here.put("bashrc", shown);
    here.put("typed", typed.concat() + "exit\n");
    let line = "script -qec 'bash --rcfile bashrc -i' /dev/null <typed";
    let mut command = quiet(Command::new("sh"), &["-c", line]);
    command.env("TERM", "dumb").env("HISTFILE", "");
    let lines = inside(&here, command);
    let completed = lines.iter().filter_map(|line| line.strip_prefix("<<")?.strip_suffix(">>"));
    let completed: Vec<&str> = completed.map(str::trim_end).collect();
    assert_eq!(completed, TYPED.map(|(_, completed)| completed), "{lines:#?}");
}

/// In a terminal, with the script where packages put it: in a folder of `fpath`.
#[test]
#[ignore = "needs zsh; run by tests/run"]
fn zsh_completes_at_tab() {
    let here = place_of_both_families();
    let folder = path("deploy/completions");
    let zshrc = format!(
        "PS1=\nfpath=({} $fpath)\nautoload -Uz compinit\ncompinit -u -D\n\
         tab() {{ zle complete-word; print -r -- \"<<$BUFFER>>\" }}\nzle -N tab\nbindkey '^I' tab\n",
        folder.display()
    );
    here.put(".zshrc", zshrc);
    let line = r#"zmodload zsh/zpty
        for typed in "$@"; do
            zpty terminal zsh -d -i
            zpty -w -n terminal "$typed"$'\t'
            zpty -r terminal said '*>>*'
            zpty -d terminal
            print -r -- "${${said##*<<}%%>>*}"
        done"#;
    let mut command = quiet(Command::new("zsh"), &["-f", "-c", line, "zsh"]);
    command.args(TYPED.map(|(typed, _)| typed)).env("ZDOTDIR", &*here).env("TERM", "dumb");
    let lines = inside(&here, command);
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    assert_eq!(lines, TYPED.map(|(_, completed)| completed));
}

#[test]
#[ignore = "needs fish; run by tests/run"]
fn fish_completes() {
    let here = place_of_both_families();
    let script = path("deploy/completions/lifesign.fish");
    let line = "source $argv[1]; for typed in $argv[2..]; complete --do-complete $typed; end";
    let mut command = quiet(Command::new("fish"), &["--no-config", "-c", line]);
    command.arg(script).args(TYPED.map(|(typed, _)| typed)).env("HOME", &*here);
    let words = inside(&here, command);
    // Each with a word on what it is, behind a tab.
    let words: Vec<&str> = words.iter().filter_map(|word| word.split('\t').next()).collect();
    let wanted = TYPED.map(|(_, completed)| completed.rsplit(' ').next().unwrap());
    assert_eq!(words, wanted);
}

/// That of the library is changed for it, which a later one may have written otherwise.
#[test]
fn the_script_of_zsh_takes_letters_of_any_case() {
    let script = lifesign::cli::script("zsh").expect("a shell that is known");
    assert!(script.contains("'values' other -M 'm:{a-zA-Z}={A-Za-z}'"), "{script}");
}

/// Whoever has the program alone has the script of it.
#[test]
fn the_program_says_its_script() {
    let here = place();
    for (shell, name) in
        [("bash", "lifesign.bash"), ("zsh", "_lifesign"), ("fish", "lifesign.fish")]
    {
        let mut command = quiet(Command::new("lifesign"), &[]);
        command.env("LIFESIGN_COMPLETE", shell);
        let script = fs::read_to_string(path(&format!("deploy/completions/{name}"))).unwrap();
        assert_eq!(inside(&here, command).join("\n").trim_end(), script.trim_end(), "{shell}");
    }
}

//! What README and docs/ say, against the program: every plan and every journal line in them is
//! read, and the words in their tables are the words of the code.

use crate::support::golden::{path, text};
use lifesign::config::Plan;
use lifesign_core::{
    judge::State,
    outcome::{Fault, Reject},
};
use lifesign_journal::Reader;
use lifesign_lab::{EventKind, Expect, Scenario};
use std::{collections::BTreeSet, fs};

/// The fenced blocks of this language.
fn fenced<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).filter_map(|rest| rest.split("\n```").next()).collect()
}

/// The words in code marks of a table's first column, for the table under this heading.
fn first_column(page: &str, heading: &str) -> Vec<String> {
    let section = page.split(&format!("## {heading}\n")).nth(1).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    section
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned()))
        .collect()
}

fn lab() -> Plan {
    Plan::parse("targets.toml", &text("targets.toml")).expect("the lab's plan")
}

#[test]
fn every_plan_in_the_docs_is_a_plan() {
    let plans = text("docs/plan.md") + &text("README.md");
    let plans = fenced(&plans, "toml");
    assert!(!plans.is_empty());
    for text in plans {
        let problems = Plan::parse("docs", text).err().map(|problems| problems.to_string());
        assert_eq!(problems, None, "{text}");
    }
}

#[test]
fn every_scenario_in_the_docs_is_a_scenario() {
    let text = text("docs/scenario.md");
    let scenarios = fenced(&text, "toml");
    assert!(!scenarios.is_empty());
    for text in scenarios {
        let problems = Scenario::parse("docs", text).err().map(|problems| problems.to_string());
        assert_eq!(problems, None, "{text}");
    }
}

#[test]
fn the_scenario_page_lists_every_kind_of_event_and_every_expectation() {
    let page = text("docs/scenario.md");
    assert_eq!(first_column(&page, "Expectations"), Expect::KEYS);
    // A row may be of several kinds.
    let (_, events) = page.split_once("| kind | what happens").expect("the table of kinds");
    let table = events.split("\n\n").next().unwrap_or_default();
    let cells = table.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let kinds: BTreeSet<&str> =
        cells.flat_map(|cell| cell.split(", ")).map(|word| word.trim_matches('`')).collect();
    assert_eq!(kinds, BTreeSet::from(EventKind::ALL.map(EventKind::label)));
}

#[test]
fn every_journal_line_in_the_docs_can_be_read() {
    let plan = lab();
    let reader = Reader::new(&plan.roster, &plan.controls);
    let journal = text("docs/journal.md");
    let lines: Vec<&str> = fenced(&journal, "json").into_iter().flat_map(str::lines).collect();
    assert!(lines.len() > 5);
    for line in lines {
        assert_eq!(reader.read(line).err(), None, "{line}");
    }
}

#[test]
fn every_reason_is_in_the_journal_page() {
    let journal = text("docs/journal.md");
    let reasons = Reject::ALL
        .iter()
        .map(|reason| reason.label())
        .chain(Fault::ALL.iter().map(|why| why.label()));
    let missing: Vec<&str> =
        reasons.filter(|reason| !journal.contains(&format!("`{reason}`"))).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_states_are_those_of_the_judge_in_its_order() {
    let states = State::ALL.map(State::label);
    assert_eq!(first_column(&text("docs/verdicts.md"), "States"), states);
}

#[test]
fn every_list_of_states_in_the_docs_is_complete() {
    for (name, begin, end) in
        [("docs/metrics.md", "- `state` is one of", "\n- "), ("docs/words.md", "| state |", "\n")]
    {
        let page = text(name);
        let (_, list) = page.split_once(begin).expect(name);
        let list = list.split(end).next().unwrap_or_default();
        let words: Vec<&str> = list.split(|sign: char| !sign.is_ascii_lowercase()).collect();
        for state in State::ALL {
            assert!(words.contains(&state.label()), "{name}: {state} is missing in {list:?}");
        }
    }
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let docs = fs::read_dir(path("docs")).unwrap();
    let docs = docs.map(|entry| format!("docs/{}", entry.unwrap().file_name().display()));
    let pages = docs.filter(|name| name.strip_suffix(".md").is_some());
    let others = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
    for name in others.map(str::to_owned).into_iter().chain(pages) {
        let name = name.as_str();
        let text = text(name);
        let folder = path(name);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = folder.with_file_name(link.split('#').next().unwrap_or_default());
            assert!(link.starts_with("https://") || target.exists(), "{name} links to {link}");
        }
    }
}

/// Tables and what is quoted may be wider; so may an address.
#[test]
fn the_pages_have_a_hundred_columns() {
    let docs = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
    let docs = docs.map(|entry| format!("docs/{}", entry.unwrap().file_name().display()));
    let names = docs.filter(|name| name.strip_suffix(".md").is_some());
    let mut lines = 0;
    for name in names.chain(["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(str::to_owned)) {
        let mut is_fenced = false;
        for (line, number) in text(&name).lines().zip(1..) {
            is_fenced ^= line.starts_with("```");
            let is_quoted = is_fenced || line.starts_with("    ");
            let may_be_wide = is_quoted || line.starts_with('|') || line.contains("](http");
            let length = line.chars().count();
            assert!(may_be_wide || length <= 100, "{name}:{number} has {length} columns");
            lines += 1;
        }
    }
    assert!(lines > 2000, "only {lines} lines");
}

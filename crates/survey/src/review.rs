//! A plan against what its run has learned: who to drop, and whom of the reserve to take, as a diff
//! of the plan's text. Nobody's plan is changed by it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
    ops::Range,
};

/// Lines around a change that a diff shows.
const CONTEXT: usize = 3;

/// What was learned of one host of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its block.
    pub block: String,
    /// As the plan names it.
    pub host: String,
    /// Why it should go.
    pub why: String,
}

/// What is proposed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// A unified diff of the plan; empty if nothing in it can be changed so.
    pub diff: String,
    /// A line for each host: why, and who comes instead.
    pub notes: Vec<String>,
}

/// What becomes of a line of the plan.
#[derive(Clone, Debug)]
enum Edit {
    Drop,
    /// Other lines, in its place.
    Replace(String),
}

/// The lines of one block: those of its lists.
#[derive(Default)]
struct Block {
    hosts: Range<usize>,
    reserve: Range<usize>,
}

/// Reviews a plan, whose file is called `name`. `reserve` has the hosts of each block's reserve in
/// their order, as the plan writes them.
pub fn review(
    name: &str,
    plan: &str,
    findings: &[Finding],
    reserve: &BTreeMap<String, Vec<String>>,
) -> Review {
    let lines: Vec<&str> = plan.lines().collect();
    let blocks = blocks(&lines);
    let mut edits: HashMap<usize, Edit> = HashMap::new();
    let mut notes = Vec::new();
    let mut taken: HashMap<&str, usize> = HashMap::new();
    for Finding { block, host, why } in findings {
        let next = taken.entry(block).or_default();
        let other = reserve.get(block).and_then(|all| all.get(*next));
        *next += usize::from(other.is_some());
        let place = blocks.get(block.as_str());
        let from = place.and_then(|block| line_of(&lines, &block.hosts, host));
        let to =
            other.and_then(|other| place.and_then(|block| line_of(&lines, &block.reserve, other)));
        let is_by_hand = from.is_none() || (other.is_some() && to.is_none());
        let instead = match other {
            Some(other) => format!("; take {other} from the reserve instead"),
            None => "; nobody is left in the reserve".to_owned(),
        };
        let by_hand = if is_by_hand { " (by hand: it has no line of its own)" } else { "" };
        notes.push(format!("{block}: drop {host}, {why}{instead}{by_hand}"));
        if is_by_hand {
            continue;
        }
        if let Some(from) = from {
            let edit = to.map_or(Edit::Drop, |to| Edit::Replace(lines[to].to_owned()));
            edits.insert(from, edit);
        }
        edits.extend(to.map(|to| (to, Edit::Drop)));
    }
    Review { diff: diff(name, &lines, &edits), notes }
}

/// Where the lists of each block are.
fn blocks(lines: &[&str]) -> HashMap<String, Block> {
    let mut blocks: HashMap<String, Block> = HashMap::new();
    let mut prefix: Option<String> = None;
    // The list that is open, and where it began.
    let mut open: Option<(bool, usize)> = None;
    for (at, line) in lines.iter().enumerate() {
        let text = line.split('#').next().unwrap_or_default().trim();
        if let Some((is_reserve, begin)) = open {
            if text.starts_with(']') {
                if let Some(block) = prefix.as_ref().and_then(|prefix| blocks.get_mut(prefix)) {
                    let list = if is_reserve { &mut block.reserve } else { &mut block.hosts };
                    *list = begin..at;
                }
                open = None;
            }
            continue;
        }
        if text.starts_with("[[") {
            prefix = None;
        }
        let Some((key, value)) = text.split_once('=') else { continue };
        let value = value.trim();
        match key.trim() {
            "prefix" => {
                let name = value.trim_matches(['"', '\'']).to_owned();
                blocks.entry(name.clone()).or_default();
                prefix = Some(name);
            }
            "hosts" | "reserve" if value == "[" => {
                open = Some((key.trim() == "reserve", at + 1));
            }
            _ => {}
        }
    }
    blocks
}

/// The line of a host, if it has one of its own.
fn line_of(lines: &[&str], range: &Range<usize>, host: &str) -> Option<usize> {
    let quoted = format!("\"{host}\"");
    range.clone().find(|&at| {
        let text = lines[at].trim();
        let entry = text.split('#').next().unwrap_or_default();
        let is_alone = (text.starts_with('"') && entry.matches('"').count() == 2)
            || (text.starts_with('{')
                && entry.matches('{').count() == entry.matches('}').count()
                && entry.matches("host").count() == 1);
        is_alone && entry.contains(&quoted)
    })
}

/// A unified diff.
fn diff(name: &str, lines: &[&str], edits: &HashMap<usize, Edit>) -> String {
    let mut changed: Vec<usize> = edits.keys().copied().collect();
    changed.sort_unstable();
    let mut text = String::new();
    if changed.is_empty() {
        return text;
    }
    // Writing to a text cannot fail.
    let _ = writeln!(text, "--- {name}\n+++ {name}");
    let mut moved = 0_isize;
    for part in changed.chunk_by(|one, other| other - one <= 2 * CONTEXT) {
        let begin = part[0].saturating_sub(CONTEXT);
        let end = (part[part.len() - 1] + 1 + CONTEXT).min(lines.len());
        let dropped = part.iter().filter(|at| matches!(edits[*at], Edit::Drop)).count();
        let (old, new) = (end - begin, end - begin - dropped);
        let _ = writeln!(
            text,
            "@@ -{},{old} +{},{new} @@",
            begin + 1,
            (begin + 1).saturating_add_signed(moved)
        );
        moved -= dropped as isize;
        for (at, line) in (begin..end).zip(&lines[begin..end]) {
            let _ = match edits.get(&at) {
                None => writeln!(text, " {line}"),
                Some(Edit::Drop) => writeln!(text, "-{line}"),
                Some(Edit::Replace(other)) => writeln!(text, "-{line}\n+{other}"),
            };
        }
    }
    text
}

//! The figures of the README, the lines of the demo in docs/verdicts.md and its pages in
//! docs/running.md, against the laboratory and the demo.

use crate::support::{
    Program, TIMEOUT,
    golden::{same_as_file, text},
    http, lifesign,
};

/// The width of a page.
const COLUMNS: usize = 100;

/// A line of a verdict on the country up to its minute and what it says: which it is.
fn key(line: &str) -> Option<(&str, &str)> {
    let (time, rest) = line.split_once(' ')?;
    let what = rest.split([',', ':']).next()?.split(" between").next()?;
    Some((time.get(..16)?, what))
}

/// In an indented block, with what does not fit into the line on the next, indented further.
fn wrapped(line: &str) -> String {
    let mut all = String::new();
    let mut column = 0;
    for word in line.split(' ') {
        let length = word.chars().count();
        if column == 0 {
            all += "    ";
            column = 4 + length;
        } else if column + 1 + length <= COLUMNS {
            all.push(' ');
            column += 1 + length;
        } else {
            all += "\n      ";
            column = 6 + length;
        }
        all += word;
    }
    all
}

/// The figures beside other programs are those of the laboratory's table.
#[test]
fn the_table_of_others_is_that_of_the_laboratory() {
    let laboratory = text("docs/laboratory.md");
    let (mut delays, mut missed) = (Vec::new(), Vec::new());
    for prober in ["default", "Trinocular", "Nagios 5/20", "Prometheus recipe"] {
        let start = format!("| delay to down, mean | {prober} | ");
        let row = laboratory.lines().find_map(|line| line.strip_prefix(&start)).expect(prober);
        let [counts, delay] = [0, 1].map(|at| row.split(" | ").nth(at).expect("a column"));
        let (outages, rest) = counts.split_once(" outages, ").expect("how many");
        let delay: f64 = delay.trim_end_matches(" s").parse().expect("seconds");
        let digits = usize::from(delay < 10.0);
        delays.push(format!("{delay:.digits$} s"));
        missed.push(format!("{} of {outages}", rest.trim_end_matches(" missed")));
    }
    let readme = text("README.md");
    for cells in [delays, missed] {
        let row = format!(" | {} |", cells.join(" | "));
        assert!(readme.contains(&row), "README.md has no row that ends so: {row}");
    }
}

#[test]
fn the_lines_of_the_demo_in_the_docs_are_lines_of_the_demo() {
    let mut demo =
        Program::start(lifesign(&["demo", "--speed", "1000000", "--listen", "127.0.0.1:0"]));
    demo.line(TIMEOUT, "end", |line| line.starts_with("the story is over").then_some(()));
    let page = text("docs/verdicts.md");
    let begin = page.find("    2014-12-21T14:00").expect("the demo's lines");
    let length = page[begin..].find("\n\n").expect("an end");
    let block = &page[begin..begin + length];
    let lines = block.replace("\n      ", " ");
    let lines: Vec<&str> = lines.lines().map(str::trim).collect();
    assert!(lines.len() >= 5, "{lines:?}");
    let printed = lines.iter().map(|line| {
        let same = demo.out.iter().find(|printed| key(printed) == key(line));
        wrapped(same.unwrap_or_else(|| panic!("the demo prints nothing like {line}")))
    });
    let printed: Vec<String> = printed.collect();
    same_as_file("docs/verdicts.md", &page.replace(block, &printed.join("\n")));
    // What it names of the demo is there.
    let place = demo.out.iter().find_map(|line| line.split("look at http://").nth(1)).unwrap();
    let place = place.split('/').next().unwrap().parse().unwrap();
    let running = text("docs/running.md");
    let paths: Vec<&str> = running
        .lines()
        .filter(|line| line.starts_with("| `/"))
        .flat_map(|line| line.split('`').filter(|part| part.starts_with('/')))
        .filter(|path| !path.starts_with("/XX/"))
        .collect();
    assert!(paths.len() >= 10 && paths.contains(&"/KP/feed.atom"), "{paths:?}");
    for path in paths {
        let answer = http::get(place, path);
        assert_eq!(answer.code, 200, "{path}: {}", answer.body);
    }
}

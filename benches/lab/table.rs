//! The table of figures, as Markdown and as JSON.

use serde::Serialize;
use std::fmt;

/// What a figure has to be.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    fn met(self, figure: f64) -> bool {
        match self {
            Goal::AtMost(most) => figure <= most,
            Goal::AtLeast(least) => figure >= least,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Goal::AtMost(most) => write!(f, "≤ {most}"),
            Goal::AtLeast(least) => write!(f, "≥ {least}"),
        }
    }
}

/// One figure of one prober.
#[derive(Serialize)]
pub struct Row {
    pub what: String,
    pub who: String,
    /// Of how many it is, such as `1000 outages`.
    pub n: String,
    pub unit: &'static str,
    /// NaN (null in JSON) where there is none.
    pub figure: f64,
    pub goal: Option<Goal>,
    pub met: Option<bool>,
}

/// Rows in the order in which they were made.
#[derive(Default, Serialize)]
pub struct Table {
    pub quick: bool,
    pub rows: Vec<Row>,
}

impl Table {
    /// Adds a row, and shows it on the error stream as it comes.
    pub fn add(
        &mut self,
        what: &str,
        who: &str,
        n: String,
        figure: f64,
        unit: &'static str,
        goal: Option<Goal>,
    ) {
        let met = goal.map(|goal| goal.met(figure));
        let row = Row { what: what.into(), who: who.into(), n, unit, figure, goal, met };
        eprintln!("{row}");
        self.rows.push(row);
    }

    /// The whole table for people, and as the last line for programs.
    pub fn print(&self) {
        println!("{self}");
        println!("{}", serde_json::to_string(self).expect("a table of numbers and texts is JSON"));
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { what, who, n, unit, figure, .. } = self;
        let figure =
            if figure.is_nan() { "none".into() } else { format!("{} {unit}", short(*figure)) };
        let goal = self.goal.map(|goal| goal.to_string()).unwrap_or_default();
        let met = self.met.map(|met| if met { "met" } else { "MISSED" }).unwrap_or_default();
        write!(f, "| {what} | {who} | {n} | {figure} | {goal} | {met} |")
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| figure | prober | n | value | goal | |\n|---|---|---|---|---|---|")?;
        // All probers of one figure stand together.
        let mut shown = std::collections::HashSet::new();
        for Row { what, .. } in &self.rows {
            if shown.insert(what) {
                self.rows
                    .iter()
                    .filter(|row| row.what == *what)
                    .try_for_each(|row| writeln!(f, "{row}"))?;
            }
        }
        Ok(())
    }
}

/// At most four significant digits, but for larger whole numbers.
fn short(figure: f64) -> String {
    if figure.fract() == 0.0 || figure.abs() >= 1000.0 {
        format!("{figure:.0}")
    } else if figure.abs() >= 100.0 {
        format!("{figure:.1}")
    } else {
        format!("{figure:.2}")
    }
}

//! `[expect]` of a scenario file: what it demands of the verdicts, and whether that was so.

use super::{LevelScore, PlaceScore, Score, event::LONGEST};
use lifesign_core::judge::State;
use lifesign_document::{Table, format_duration};
use std::{collections::BTreeSet, fmt, time::Duration};

/// What a scenario demands of the verdicts.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// How much of it is judged, from its start; all, if not given.
    pub slice: Option<Duration>,
    /// Least share of time with the right state.
    right_share: Option<f64>,
    /// States that some scope must enter.
    seen: Vec<State>,
    /// States that no scope may enter.
    no: Vec<State>,
    /// Longest delay from a true darkness to `down`; there must be a darkness.
    max_down: Option<Duration>,
    /// Edges beside the truth are allowed up to this number, of begins and of ends at each level.
    edges_beside: u64,
    /// False downs of living countries are allowed up to this number. If it is not given, none are,
    /// or any number if `seen` holds `down`.
    false_downs: Option<u64>,
    /// False outages and flappings are allowed up to this number at each level.
    false_verdicts: u64,
    /// Least share of broken paths whose place held the truth, and of those with the right word;
    /// one must break.
    right_places: Option<f64>,
}

/// One thing that was demanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The key, and what it demands.
    pub demand: String,
    /// Whether it was so.
    pub is_met: bool,
    /// What was instead of it.
    pub was: String,
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { demand, is_met, was } = self;
        write!(f, "expected {demand}: {}, was {was}", if *is_met { "met" } else { "not met" })
    }
}

impl Expect {
    /// The keys of `[expect]`.
    pub const KEYS: [&str; 9] = [
        "slice",
        "right_share",
        "seen",
        "no",
        "max_down",
        "edges_beside",
        "false_downs",
        "false_verdicts",
        "right_places",
    ];

    /// What the file demands; None if it has no `[expect]`.
    pub(super) fn read(root: Table<'_>) -> Option<Self> {
        let table = root.section("expect", &Self::KEYS)?;
        let duration = |key| table.get(key)?.duration(Duration::from_secs(1)..=LONGEST);
        let number = |key| Some(table.get(key)?.integer(0..=1000)? as u64);
        let share = |key| table.get(key)?.number(0.0..=1.0);
        let states = |key| {
            let labels = State::ALL.map(State::label);
            let list = table.get(key).and_then(|value| value.list("states such as [\"outage\"]"));
            let label = list.into_iter().flatten().filter_map(|value| value.one_of(&labels));
            label.filter_map(State::from_label).collect()
        };
        Some(Self {
            slice: duration("slice"),
            right_share: share("right_share"),
            seen: states("seen"),
            no: states("no"),
            max_down: duration("max_down"),
            edges_beside: number("edges_beside").unwrap_or_default(),
            false_downs: number("false_downs"),
            false_verdicts: number("false_verdicts").unwrap_or_default(),
            right_places: share("right_places"),
        })
    }

    /// Holds scores, and the states that scopes entered, against each demand. There are places if
    /// the file has paths.
    pub fn check(
        &self,
        score: &Score,
        places: Option<&PlaceScore>,
        entered: &BTreeSet<State>,
    ) -> Vec<Expectation> {
        let mut all = Vec::new();
        let mut add = |demand: String, is_met: bool, was: String| {
            all.push(Expectation { demand, is_met, was });
        };
        let levels = [&score.countries, &score.blocks];
        let of_levels = |text: &dyn Fn(&LevelScore) -> String| {
            format!("countries {}, blocks {}", text(levels[0]), text(levels[1]))
        };
        if let Some(least) = self.right_share {
            add(
                format!("right_share of at least {least}"),
                !levels.iter().any(|level| level.right_share < least),
                of_levels(&|level| format!("{:.5}", level.right_share)),
            );
        }
        if !self.seen.is_empty() {
            let is_met = self.seen.iter().all(|state| entered.contains(state));
            add(format!("seen {}", words(&self.seen)), is_met, words(entered));
        }
        if !self.no.is_empty() {
            let is_met = !self.no.iter().any(|state| entered.contains(state));
            add(format!("no {}", words(&self.no)), is_met, words(entered));
        }
        if let Some(most) = self.max_down {
            let has_darkness = |level: &&LevelScore| {
                !level.down.seconds.is_empty() || !level.down.missed.is_empty()
            };
            let is_met = |level: &&LevelScore| {
                level.down.missed.is_empty()
                    && level.down.seconds.last().is_none_or(|&last| last <= most.as_secs_f64())
            };
            let is_tested = levels.iter().any(has_darkness);
            add(
                format!("max_down of at most {}", format_duration(most)),
                is_tested && levels.iter().all(is_met),
                if is_tested {
                    of_levels(&|level| {
                        let slowest = level.down.seconds.last();
                        let slowest =
                            slowest.map_or("none".into(), |slowest| format!("{slowest:.1} s"));
                        format!("{slowest} and {} missed", level.down.missed.len())
                    })
                } else {
                    "no darkness".into()
                },
            );
        }
        let beside = |level: &LevelScore| {
            [&level.begins, &level.ends].map(|edges| edges.before + edges.after)
        };
        add(
            format!("edges_beside of at most {}", self.edges_beside),
            levels.iter().all(|level| beside(level).iter().all(|&n| n <= self.edges_beside)),
            of_levels(&|level| {
                let [begins, ends] = beside(level);
                format!("{begins} begins and {ends} ends")
            }),
        );
        // A file that expects darkness has countries down.
        let unless_given = (!self.seen.contains(&State::Down)).then_some(0);
        if let Some(most) = self.false_downs.or(unless_given) {
            let false_downs = score.countries.false_downs;
            add(
                format!("false_downs of at most {most}"),
                false_downs <= most,
                format!("countries {false_downs}"),
            );
        }
        let wrong = |level: &LevelScore| level.false_outages + level.false_flappings;
        add(
            format!("false_verdicts of at most {}", self.false_verdicts),
            levels.iter().all(|level| wrong(level) <= self.false_verdicts),
            of_levels(&|level| wrong(level).to_string()),
        );
        if let Some(least) = self.right_places {
            let of = |count: fn(&PlaceScore) -> u64| places.map_or(0, count);
            let breaks = of(|places| places.breaks);
            let (inside, right) = (of(|places| places.inside), of(|places| places.right));
            add(
                format!("right_places of at least {least}"),
                breaks > 0 && inside.min(right) as f64 >= least * breaks as f64,
                format!("of {breaks} breaks {inside} held, {right} in the right word"),
            );
        }
        all
    }
}

fn words<'a>(states: impl IntoIterator<Item = &'a State>) -> String {
    let words: Vec<&str> = states.into_iter().map(|state| state.label()).collect();
    if words.is_empty() { "no change".into() } else { words.join(", ") }
}

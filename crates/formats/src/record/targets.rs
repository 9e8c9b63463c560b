//! Whom the data is about: each host and probe, how often it was asked, and by whom.

use super::{cadence::Cadence, host::host_and_probe, loss::Rises, map::Map};
use lifesign_core::{scopes::Host, time::Time};
use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    str::FromStr,
};

/// So many a plan of one record has at most.
const MOST: usize = 1_000_000;

/// So many have recorded one target at most.
const MOST_ORIGINS: usize = 1000;

/// So many vantages are told of at most.
const MOST_VANTAGES: usize = 20;

/// So many labels that are not asked for are told of at most.
const MOST_OTHERS: usize = 5;

/// Only what has this label is taken: `job=ping`, `prb_id=1000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Only {
    label: String,
    value: String,
}

impl fmt::Display for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.label, self.value)
    }
}

impl FromStr for Only {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (label, value) =
            text.split_once('=').ok_or("a label and its value, such as job=ping or prb_id=1000")?;
        Ok(Self { label: label.to_owned(), value: value.to_owned() })
    }
}

/// One host, asked in one way.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub host: Host,
    pub probe: String,
    /// What the data call it, and what else they do.
    name: String,
    other_name: Option<String>,
    /// Who recorded it; the one of them whose samples come now.
    origins: Vec<Origin>,
    present: usize,
    pub cadence: Cadence,
    pub rises: Rises,
}

/// Between two labels of an origin: what neither a name nor a usual value of one has.
pub const BETWEEN_LABELS: char = '\u{1f}';

/// Labels as a shell takes them.
fn shown(labels: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "=:/._-".contains(letter);
    let quoted = |label: &str| {
        if label.chars().all(is_plain) || !label.contains('=') {
            label.to_owned()
        } else {
            format!("'{}'", label.replace('\'', r"'\''"))
        }
    };
    labels.split(BETWEEN_LABELS).map(quoted).collect::<Vec<_>>().join(" ")
}

/// Who recorded a target, in words of the data, and from when to when.
#[derive(Clone, Debug)]
struct Origin {
    labels: String,
    span: Option<(Time, Time)>,
}

impl Origin {
    fn label(&self, name: &str) -> Option<&str> {
        let is_it = |label: &&str| label.split_once('=').is_some_and(|(each, _)| each == name);
        self.labels.split(BETWEEN_LABELS).find(is_it)
    }

    /// May what it recorded be put together with that of another, who came later? A restart changes
    /// such labels as `pod`, while the job is the same.
    fn goes_on(&self, later: &Origin) -> bool {
        let (Some((_, last)), Some((first, _))) = (self.span, later.span) else { return true };
        last < first && self.label("job") == later.label("job")
    }
}

impl Target {
    /// The samples that come now are of these labels. False if there are too many.
    fn told_by(&mut self, labels: &str) -> bool {
        let known = self.origins.iter().position(|origin| origin.labels == labels);
        self.present = known.unwrap_or(self.origins.len());
        if known.is_none() && self.origins.len() < MOST_ORIGINS {
            self.origins.push(Origin { labels: labels.to_owned(), span: None });
        }
        self.present < self.origins.len()
    }

    /// There is a sample of this time.
    pub fn see(&mut self, at: Time) {
        if let Some(origin) = self.origins.get_mut(self.present) {
            let (first, last) = origin.span.unwrap_or((at, at));
            origin.span = Some((first.min(at), last.max(at)));
        }
    }

    /// Did one and the same record it at both times?
    pub fn is_of_one(&self, earlier: Time, later: Time) -> bool {
        let mut spans = self.origins.iter().filter_map(|origin| origin.span);
        self.origins.len() == 1 || spans.any(|(first, last)| first <= earlier && later <= last)
    }

    /// Two after each other, in the order of time.
    fn neighbours(&self) -> Vec<(&Origin, &Origin)> {
        let mut all: Vec<_> = self.origins.iter().filter(|origin| origin.span.is_some()).collect();
        all.sort_by_key(|origin| origin.span);
        all.windows(2).map(|two| (two[0], two[1])).collect()
    }

    /// Two have recorded it who cannot be one.
    fn clash(&self) -> Option<String> {
        let neighbours = self.neighbours();
        let (one, other) = neighbours.into_iter().find(|(one, other)| !one.goes_on(other))?;
        let (Self { host, probe, .. }, Origin { labels: one, .. }) = (self, one);
        let Origin { labels: other, .. } = other;
        let lacks =
            |labels: &str, label: &str| !labels.split(BETWEEN_LABELS).any(|each| each == label);
        let of_one = one.split(BETWEEN_LABELS).filter(|label| lacks(other, label));
        let of_other = other.split(BETWEEN_LABELS).filter(|label| lacks(one, label));
        let differing = of_one.chain(of_other).find(|label| label.contains('='));
        let advice = match differing.map(shown) {
            Some(label) => format!("take one of them, such as --only {label}"),
            None => "import one of them alone".to_owned(),
        };
        let [one, other] = [one, other].map(|labels| shown(labels));
        Some(format!("{host} {probe} was asked by {one} and by {other}; {advice}"))
    }
}

pub(super) struct Targets {
    pub map: Map,
    only: Vec<Only>,
    /// Of the labels that are asked for, other values that a file has; is there more of them?
    others: BTreeSet<String>,
    has_more_others: bool,
    /// Something in the file is asked for.
    has_wanted: bool,
    pub list: Vec<Target>,
    ids: HashMap<(Host, String), u32>,
    /// Who recorded what can be of one vantage alone.
    vantages: BTreeSet<String>,
}

impl Targets {
    pub fn new(map: Map, only: Vec<Only>) -> Self {
        Self {
            map,
            only,
            others: BTreeSet::new(),
            has_more_others: false,
            has_wanted: false,
            list: Vec::new(),
            ids: HashMap::new(),
            vantages: BTreeSet::new(),
        }
    }

    /// Is what has these labels asked for?
    pub fn is_wanted<'a>(&mut self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        let is_met = |only: &&Only| label(&only.label) == Some(&only.value);
        let Some(unmet) = self.only.iter().find(|only| !is_met(only)) else {
            self.has_wanted = true;
            return true;
        };
        if let Some(value) = label(&unmet.label) {
            let other = format!("{}={value}", unmet.label);
            if self.others.len() < MOST_OTHERS {
                self.others.insert(other);
            } else {
                self.has_more_others |= !self.others.contains(&other);
            }
        }
        false
    }

    /// A file begins, or the pages of a server.
    pub fn begin(&mut self) {
        self.others.clear();
        (self.has_more_others, self.has_wanted) = (false, false);
    }

    /// That nothing since the begin is asked for, and what there is instead; None if something is.
    pub fn unmet(&self) -> Option<String> {
        if self.has_wanted || self.only.is_empty() {
            return None;
        }
        let wanted: Vec<_> = self.only.iter().map(Only::to_string).collect();
        let wanted = wanted.join(" and ");
        let mut others: Vec<&str> = self.others.iter().map(String::as_str).collect();
        if self.has_more_others {
            others.push("…");
        }
        Some(if others.is_empty() {
            format!("nothing has {wanted}, nor anything else by that label")
        } else {
            format!("nothing has {wanted}; there are {}", others.join(", "))
        })
    }

    /// The target that a name in the data stands for, asked by this probe, or else as the name
    /// says. `origin` says who recorded it. The error says what is wrong, and what would be right.
    pub fn id(&mut self, name: &str, probe: Option<&str>, origin: &str) -> Result<u32, String> {
        let (host, named) = match self.map.host(name) {
            Some(host) => {
                let named = host_and_probe(name).map(|(_, probe)| probe);
                let (host, usual) = host_and_probe(host)?;
                (host, named.unwrap_or(usual))
            }
            None => host_and_probe(name)?,
        };
        let key = (host, probe.map_or(named, str::to_owned));
        if let Some(&id) = self.ids.get(&key) {
            let target = &mut self.list[id as usize];
            if target.name != name && target.other_name.is_none() {
                target.other_name = Some(name.to_owned());
            }
            if !target.told_by(origin) {
                let (host, probe) = key;
                return Err(format!(
                    "{host} {probe} was asked by more than {MOST_ORIGINS}; take one with --only"
                ));
            }
            return Ok(id);
        }
        if self.list.len() == MOST {
            return Err(format!("more than {MOST} targets; take some of them with --only"));
        }
        let id = self.list.len() as u32;
        let (host, probe) = key.clone();
        let origins = vec![Origin { labels: origin.to_owned(), span: None }];
        self.list.push(Target {
            host,
            probe,
            name: name.to_owned(),
            other_name: None,
            origins,
            present: 0,
            cadence: Cadence::default(),
            rises: Rises::default(),
        });
        self.ids.insert(key, id);
        Ok(id)
    }

    /// What follows is seen from this vantage, and there can be one alone.
    pub fn vantage(&mut self, origin: &str) {
        if self.vantages.len() < MOST_VANTAGES && !self.vantages.contains(origin) {
            self.vantages.insert(origin.to_owned());
        }
    }

    /// Why this cannot be one journal: several have recorded it, and see different things.
    pub fn clash(&self) -> Option<String> {
        let several = || {
            let all: Vec<_> = self.vantages.iter().map(String::as_str).collect();
            let first = all.first().filter(|_| all.len() > 1)?;
            Some(format!(
                "seen from several vantages: {}; take one for each journal, such as --only {first}",
                all.join(", ")
            ))
        };
        several().or_else(|| self.list.iter().find_map(Target::clash))
    }

    /// What was put together though the data tell it apart: series of one target under other
    /// labels, and under other names.
    pub fn joined(&self) -> Vec<String> {
        let told = |find: &dyn Fn(&Target) -> Option<String>| {
            let mut found = self.list.iter().filter_map(|target| Some((target, find(target)?)));
            let (Target { host, probe, .. }, how) = found.next()?;
            let more = match found.count() {
                0 => String::new(),
                more => format!(", and so are those of {more} more"),
            };
            Some(format!("joined: {host} {probe} was asked {how}, which are taken for one{more}"))
        };
        let by_labels = told(&|target| {
            let (one, other) = target.neighbours().into_iter().next()?;
            Some(format!("by {} and later by {}", shown(&one.labels), shown(&other.labels)))
        });
        let by_names = told(&|target| {
            let other = target.other_name.as_ref()?;
            Some(format!("as {} and as {other}", target.name))
        });
        by_labels.into_iter().chain(by_names).collect()
    }
}

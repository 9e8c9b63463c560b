//! On what evidence a verdict stands, in one line for people. A time in it is written down with it,
//! since the wall clock may be set in between.

use crate::time::{Time, WallOffset};
use std::sync::Arc;

/// On what evidence a verdict stands, for people. Readers share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvidenceText(Arc<Vec<Clause>>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Clause {
    Words(String),
    /// The newest answered probe was sent then.
    LastAnswer(Time),
}

impl EvidenceText {
    /// The newest answered probe was sent then.
    pub(super) fn last_answer(sent: Time) -> Self {
        Self(vec![Clause::LastAnswer(sent)].into())
    }

    /// This, and then the other.
    pub(super) fn and(mut self, other: impl Into<Self>) -> Self {
        Arc::make_mut(&mut self.0).extend_from_slice(&other.into().0);
        self
    }

    /// The line, with its times as they are written down.
    pub fn text(&self, offset: impl Into<WallOffset>) -> String {
        let offset = offset.into();
        let clause = |clause: &Clause| match clause {
            Clause::Words(words) => words.clone(),
            Clause::LastAnswer(sent) => {
                format!("last answer to a probe of {}", offset.written(*sent))
            }
        };
        self.0.iter().map(clause).collect::<Vec<_>>().join("; ")
    }
}

impl From<&str> for EvidenceText {
    fn from(words: &str) -> Self {
        words.to_owned().into()
    }
}

impl From<String> for EvidenceText {
    fn from(words: String) -> Self {
        Self(vec![Clause::Words(words)].into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_it_is_written_by_the_wall_clock_like_an_edge() {
        let began: Time = "2014-12-22T16:15:00Z".parse().unwrap();
        let hour = WallOffset::new(3_600_000_000_000, began);
        let at = |sent| EvidenceText::from("3 misses").and(EvidenceText::last_answer(sent));
        let text = at(began).text(hour);
        assert_eq!(text, "3 misses; last answer to a probe of 2014-12-22T17:15:00.000Z");
        let earlier: Time = "2014-12-22T16:14:59Z".parse().unwrap();
        let text = at(earlier).text(hour);
        assert!(text.ends_with("2014-12-22T16:14:59.000Z"), "an earlier run's: {text}");
    }
}

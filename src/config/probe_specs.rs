//! How each target is probed. Most are probed alike, and there may be a million.

use crate::probe::ProbeSpec;
use lifesign_core::scopes::TargetId;

/// More than one host is asked in, as a rule.
const WAYS_OF_A_HOST: usize = 8;

/// How each target is probed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProbeSpecs {
    /// Those that follow each other are different.
    all: Vec<ProbeSpec>,
    /// By [`TargetId`]: an index into `all`.
    of_targets: Vec<u32>,
}

impl ProbeSpecs {
    /// Of the next target.
    pub(super) fn push(&mut self, spec: &ProbeSpec) {
        let begin = self.all.len().saturating_sub(WAYS_OF_A_HOST);
        let known = self.all[begin..].iter().position(|each| each == spec);
        let id = known.map_or(self.all.len(), |at| begin + at);
        if known.is_none() {
            self.all.push(spec.clone());
        }
        self.of_targets.push(id as u32);
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.all.shrink_to_fit();
        self.of_targets.shrink_to_fit();
    }

    /// Of each target, by `TargetId`.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &ProbeSpec> {
        self.of_targets.iter().map(|&id| &self.all[id as usize])
    }

    /// Of this target.
    pub fn of(&self, target: TargetId) -> &ProbeSpec {
        &self.all[self.of_targets[target.0 as usize] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_kept_once() {
        let mut specs = ProbeSpecs::default();
        let ways = ["icmp", "tcp/443", "tcp/80"].map(|text| ProbeSpec::parse(text).unwrap());
        let asked = [0_usize, 1, 0, 1, 2, 0, 1];
        for way in asked {
            specs.push(&ways[way]);
        }
        assert_eq!(specs.all.len(), 3);
        for (id, way) in (0..).zip(asked) {
            assert_eq!(specs.of(TargetId(id)), &ways[way]);
        }
    }
}

//! Who comes next. In: whose turn it is in a large country. Out: who most likely comes some turns later, so that what
//! they need can be read ahead (`ahead`). It never takes a turn from anybody.

use super::{FAN_OUT, Key, Schedule};
use crate::{
    ahead::fetch,
    target::{BlockId, TargetId},
};

/// In so many turns memory has answered: a turn takes half a microsecond, a line of memory a sixth of one.
const AHEAD: u32 = 4;

/// Whose turns come soon, most likely: for nothing but reading ahead, in two steps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Soon {
    /// Whose own places are to be read ahead now.
    pub later: Option<(TargetId, BlockId)>,
    /// Whose own places are there by now: what those point to is next.
    pub sooner: Option<(TargetId, BlockId)>,
}

impl Schedule {
    /// Whose turns come soon after this one, so that what they need can be read ahead. A small country needs none of
    /// that.
    pub(super) fn soon(&self, key: Key) -> Soon {
        let Key::Beat(country) = key else { return Soon::default() };
        let (blocks, at) = (&self.roster.countries[country as usize].blocks, self.beats[country as usize].at);
        let count = blocks.len() as u32;
        if count <= FAN_OUT {
            return Soon::default();
        }
        let block = |turns: u32| blocks.start + (at + turns) % count;
        let farthest = &self.blocks[block(3 * AHEAD) as usize];
        fetch(&farthest.rotation);
        fetch(&farthest.credit);
        let turn = |turns: u32| {
            let target = self.blocks[block(turns) as usize].rotation.likely()?;
            Some((TargetId(target), BlockId(block(turns))))
        };
        Soon { later: turn(2 * AHEAD), sooner: turn(AHEAD) }
    }
}

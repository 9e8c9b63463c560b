//! What a tracer found.

use super::{NetworkOf, PlaceView};
use lifesign_model::{
    scopes::{BlockId, Family},
    time::Time,
};

/// Something about a path was found, or has changed.
#[derive(Clone, Debug, PartialEq)]
pub enum PathEvent {
    /// A block that is down: where its path breaks, for the first time or anew.
    Place {
        /// Whose.
        block: BlockId,
        /// Where.
        place: PlaceView,
    },
    /// We are blind, and this is where our own way out breaks: no block is meant.
    OwnPlace {
        /// Of the controls of this family.
        family: Family,
        /// Where.
        place: PlaceView,
    },
    /// The network before theirs is another one: up, perhaps, but by another way.
    Upstream {
        /// When it was found.
        at: Time,
        /// Whose.
        block: BlockId,
        /// The one until now.
        before: NetworkOf,
        /// The one that is seen now.
        after: NetworkOf,
    },
    /// The way to a block has become longer or shorter.
    Hops {
        /// When it was found.
        at: Time,
        /// Whose.
        block: BlockId,
        /// How many hops away its target was.
        before: u8,
        /// How many hops away it is.
        after: u8,
    },
    /// Replies of several hosts of a block have passed more or fewer hops than before: the way back
    /// has moved. A sweep follows at once.
    ReturnPath {
        /// When it was found.
        at: Time,
        /// Whose.
        block: BlockId,
        /// The hop limit that replies of the newest of these hosts arrived with.
        before: u8,
        /// The one that they arrive with now.
        after: u8,
    },
}

impl PathEvent {
    /// Whose path it is about; None if it is our own.
    pub fn block(&self) -> Option<BlockId> {
        match self {
            Self::Place { block, .. }
            | Self::Upstream { block, .. }
            | Self::Hops { block, .. }
            | Self::ReturnPath { block, .. } => Some(*block),
            Self::OwnPlace { .. } => None,
        }
    }

    pub(crate) fn block_mut(&mut self) -> Option<&mut BlockId> {
        match self {
            Self::Place { block, .. }
            | Self::Upstream { block, .. }
            | Self::Hops { block, .. }
            | Self::ReturnPath { block, .. } => Some(block),
            Self::OwnPlace { .. } => None,
        }
    }
}

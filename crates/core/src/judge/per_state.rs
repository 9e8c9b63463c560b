//! A list with one entry for each state.

use super::State;
use std::ops::{Index, IndexMut};

/// One of something for each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerState<T>([T; State::ALL.len()]);

impl<T> PerState<T> {
    /// What `value` says of each state.
    pub fn new(value: impl FnMut(State) -> T) -> Self {
        Self(State::ALL.map(value))
    }
}

impl<T> Index<State> for PerState<T> {
    type Output = T;

    fn index(&self, state: State) -> &T {
        &self.0[state as usize]
    }
}

impl<T> IndexMut<State> for PerState<T> {
    fn index_mut(&mut self, state: State) -> &mut T {
        &mut self.0[state as usize]
    }
}

//! A list with one entry for each variant of a labelled enum: the compiler counts them.

use crate::labels::Labelled;
use std::{
    array,
    marker::PhantomData,
    ops::{Index, IndexMut},
};

/// One of something for each variant of `E`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerLabel<E, T, const N: usize> {
    values: [T; N],
    variants: PhantomData<E>,
}

impl<E: Labelled<N>, T, const N: usize> PerLabel<E, T, N> {
    /// What `value` says of each variant.
    pub fn new(value: impl FnMut(E) -> T) -> Self {
        Self { values: E::EACH.map(value), variants: PhantomData }
    }

    /// What `value` makes of each entry.
    pub fn map<U>(self, value: impl FnMut(T) -> U) -> PerLabel<E, U, N> {
        PerLabel { values: self.values.map(value), variants: PhantomData }
    }

    /// The entries, in the order of the variants.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.values.iter()
    }

    /// The same, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.values.iter_mut()
    }

    /// Every variant with its entry.
    pub fn iter(&self) -> impl Iterator<Item = (E, &T)> {
        E::EACH.into_iter().zip(&self.values)
    }
}

impl<E, T: Default, const N: usize> Default for PerLabel<E, T, N> {
    fn default() -> Self {
        Self { values: array::from_fn(|_| T::default()), variants: PhantomData }
    }
}

impl<E: Labelled<N>, T, const N: usize> Index<E> for PerLabel<E, T, N> {
    type Output = T;

    fn index(&self, variant: E) -> &T {
        &self.values[variant.index()]
    }
}

impl<E: Labelled<N>, T, const N: usize> IndexMut<E> for PerLabel<E, T, N> {
    fn index_mut(&mut self, variant: E) -> &mut T {
        &mut self.values[variant.index()]
    }
}

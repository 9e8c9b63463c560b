//! A reader that gives up where one value is longer than any that means something: what reads
//! behind it may hold a whole value in memory.

use std::{
    cell::Cell,
    io::{self, BufRead, Read},
    rc::Rc,
};

/// The longest value, such as a line or the labels of a series.
const LONGEST: usize = 1 << 20;

/// What is left of the present value. It is shared with who reads values, and told of each.
#[derive(Clone, Debug)]
pub(super) struct Allowance(Rc<Cell<usize>>);

impl Allowance {
    pub fn new() -> Self {
        Self(Rc::new(Cell::new(LONGEST)))
    }

    /// A value has ended.
    pub fn renew(&self) {
        self.0.set(LONGEST);
    }
}

pub(super) struct Bounded<R> {
    inner: R,
    allowance: Allowance,
}

impl<R> Bounded<R> {
    pub fn new(inner: R, allowance: &Allowance) -> Self {
        Self { inner, allowance: allowance.clone() }
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.0.get();
        if left == 0 {
            return Err(io::Error::other("a value of more than a MiB here; there is none so long"));
        }
        let most = into.len().min(left);
        let read = self.inner.read(&mut into[..most])?;
        self.allowance.0.set(left - read);
        Ok(read)
    }
}

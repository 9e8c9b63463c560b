//! What those who watch share with readers, and replace when it changes.

use std::{hint::black_box, sync::Arc};

/// Keeps what is newest. Where it is what was kept already, nobody touches the count of those who
/// share it: of thousands, each would be another line of memory to wait for.
pub fn share<T>(kept: &mut Arc<T>, newest: &Arc<T>) {
    if !Arc::ptr_eq(kept, newest) {
        kept.clone_from(newest);
    }
}

/// How many are prefetched at once.
pub const PREFETCH_BATCH: usize = 64;

/// Touches these, so that the processor waits for all their cache misses at once, and not for one
/// after the other when each is used.
pub fn prefetch<T>(these: impl Iterator<Item = T>) {
    these.for_each(|each| {
        black_box(each);
    });
}

/// [`share`] for thousands.
pub fn share_each<'a, 'b, T: 'a + 'b>(all: impl Iterator<Item = (&'a mut Arc<T>, &'b Arc<T>)>) {
    let mut changed = Vec::with_capacity(PREFETCH_BATCH);
    let mut all = all.filter(|(kept, newest)| !Arc::ptr_eq(kept, newest)).peekable();
    while all.peek().is_some() {
        changed.extend(all.by_ref().take(PREFETCH_BATCH));
        let counts = |(kept, new): &(&mut Arc<T>, &Arc<T>)| {
            (Arc::strong_count(kept), Arc::strong_count(new))
        };
        prefetch(changed.iter().map(counts));
        for (kept, newest) in changed.drain(..) {
            kept.clone_from(newest);
        }
    }
}

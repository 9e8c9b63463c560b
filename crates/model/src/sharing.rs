//! What those who watch share with readers, and replace when it changes.

use std::{hint::black_box, sync::Arc};

/// Keeps what is newest. Where it is what was kept already, nobody touches the count of those who
/// share it: of thousands, each would be another line of memory to wait for.
pub fn share<T>(kept: &mut Arc<T>, newest: &Arc<T>) {
    if !Arc::ptr_eq(kept, newest) {
        kept.clone_from(newest);
    }
}

/// How many are waited for at once.
pub const TOGETHER: usize = 64;

/// Reads these. What lies in memory that was not read for long has to be waited for: who reads of
/// many first, and only then does something with each, waits once, and not for each.
pub fn read<T>(these: impl Iterator<Item = T>) {
    these.for_each(|each| {
        black_box(each);
    });
}

/// [`share`] for thousands.
pub fn share_each<'a, 'b, T: 'a + 'b>(all: impl Iterator<Item = (&'a mut Arc<T>, &'b Arc<T>)>) {
    let mut changed = Vec::with_capacity(TOGETHER);
    let mut all = all.filter(|(kept, newest)| !Arc::ptr_eq(kept, newest)).peekable();
    while all.peek().is_some() {
        changed.extend(all.by_ref().take(TOGETHER));
        read(changed.iter().map(|(kept, new)| (Arc::strong_count(kept), Arc::strong_count(new))));
        for (kept, newest) in changed.drain(..) {
            kept.clone_from(newest);
        }
    }
}

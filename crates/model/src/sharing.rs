//! What those who watch share with readers, and replace when it changes.

use std::sync::Arc;

/// Keeps what is newest. Where it is what was kept already, nobody touches the count of those who
/// share it: of thousands, each would be another line of memory to wait for.
pub fn share<T>(kept: &mut Arc<T>, newest: &Arc<T>) {
    if !Arc::ptr_eq(kept, newest) {
        kept.clone_from(newest);
    }
}

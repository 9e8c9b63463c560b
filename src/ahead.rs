//! Reading ahead. In: a place in memory that will be needed soon. Out: nothing but time saved. In a plan of thousands of
//! blocks whatever a probe needs has left the near cache since its block's last turn, and waiting for one thing after
//! the other takes longer than the work. The schedule knows whose turns come next, so all of it is asked for some
//! turns before, at once. It never waits, and never changes what anything says.

/// Asks for the first cache line of a place. It takes no time, and need not be followed by anything.
#[inline]
pub fn fetch<T>(place: &T) {
    prefetch_index::prefetch_index(std::slice::from_ref(place), 0);
}

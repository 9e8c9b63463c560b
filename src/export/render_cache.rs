//! Renderings that are kept. In: a snapshot, and how it is rendered. Out: bytes that all who ask
//! while it is the newest share, so that a crowd of readers costs hardly more time and memory than
//! one. It never shows a snapshot that is not the newest.

use axum::body::Bytes;
use lifesign_core::watch::Snapshot;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The newest rendering of one kind. Its lock is for the thread that answers alone; the watch knows
/// nothing of it.
#[derive(Default)]
pub(super) struct RenderCache(Mutex<(Weak<Snapshot>, Bytes)>);

impl RenderCache {
    /// The rendering of this snapshot, made anew if it is another than last time. The error is
    /// `make`'s.
    pub(super) fn of<T: Into<Bytes>, E>(
        &self,
        snapshot: &Arc<Snapshot>,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Bytes, E> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A place in memory is given to no other snapshot as long as a weak reference to it is
        // left.
        if kept.0.as_ptr() != Arc::as_ptr(snapshot) {
            *kept = (Arc::downgrade(snapshot), make()?.into());
        }
        Ok(kept.1.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::{
        scopes::Roster,
        time::Time,
        watch::{Settings, Watch},
    };
    use std::convert::Infallible;

    #[test]
    fn a_snapshot_is_rendered_once_and_the_next_one_anew() {
        let watch = Watch::new(Arc::new(Roster::default()), &Settings::default(), Time::default());
        let snapshot = || Arc::new(watch.snapshot(Time::default(), 0, 0));
        let kept = RenderCache::default();
        let shown =
            |snapshot, text: &'static str| kept.of(snapshot, || Ok::<_, Infallible>(text)).unwrap();
        let first = snapshot();
        assert_eq!([shown(&first, "a"), shown(&first, "b")], ["a", "a"]);
        assert_eq!(kept.of(&snapshot(), || Err::<Bytes, _>("no")), Err("no"));
        assert_eq!(shown(&first, "c"), "a", "what could not be rendered takes no place");
        let next = snapshot();
        assert_eq!([shown(&next, "d"), shown(&next, "e")], ["d", "d"]);
    }
}

//! Renderings of the newest snapshot, shared by all who ask for them, so that a crowd of readers
//! costs hardly more time and memory than one.

use axum::body::Bytes;
use lifesign_core::watch::Snapshot;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The newest rendering of one kind.
#[derive(Default)]
pub(super) struct RenderCache(Mutex<(Weak<Snapshot>, Bytes)>);

impl RenderCache {
    /// The rendering of this snapshot, which `render` makes if the last one was of another. The
    /// error is that of `render`.
    pub(super) fn get_or_render<T: Into<Bytes>, E>(
        &self,
        snapshot: &Arc<Snapshot>,
        render: impl FnOnce() -> Result<T, E>,
    ) -> Result<Bytes, E> {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // No other snapshot is allocated at this address while a weak reference to it is left.
        if cached.0.as_ptr() != Arc::as_ptr(snapshot) {
            *cached = (Arc::downgrade(snapshot), render()?.into());
        }
        Ok(cached.1.clone())
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
        let cache = RenderCache::default();
        let shown = |snapshot, text: &'static str| {
            cache.get_or_render(snapshot, || Ok::<_, Infallible>(text)).unwrap()
        };
        let first = snapshot();
        assert_eq!([shown(&first, "a"), shown(&first, "b")], ["a", "a"]);
        assert_eq!(cache.get_or_render(&snapshot(), || Err::<Bytes, _>("no")), Err("no"));
        assert_eq!(shown(&first, "c"), "a", "what could not be rendered is not cached");
        let next = snapshot();
        assert_eq!([shown(&next, "d"), shown(&next, "e")], ["d", "d"]);
    }
}

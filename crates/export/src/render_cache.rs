//! Renderings of the newest snapshots, shared by all who ask for them, so that a crowd of readers
//! costs hardly more time and memory than one. A reader who is slow keeps no rendering: there are
//! two of each kind at most, and who still reads an older one is cut off.

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use lifesign_core::{time::Time, watch::Snapshot};
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll},
    time::Duration,
};

/// How much of a rendering a connection holds at a time.
const CHUNK_BYTES: usize = 64 << 10;
/// While the rendering before is still being read, the newest is shown for at least this long.
const PATIENCE: Duration = Duration::from_secs(5);
/// So many answers are kept at a time.
const MOST_KEPT: usize = 16;

/// The caches of what may be asked for in several ways. Those that nobody needs any more are not
/// kept, and of the others only those that were asked for last.
pub(crate) struct RenderCaches<K>(Mutex<Vec<(K, Arc<RenderCache>)>>);

impl<K> Default for RenderCaches<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: PartialEq> RenderCaches<K> {
    /// The renderings of this.
    pub(crate) fn of(&self, asked: K) -> Arc<RenderCache> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().position(|(other, _)| *other == asked);
        let cache = known.map(|at| kept.remove(at).1).unwrap_or_default();
        kept.retain(|(_, other)| other.is_needed());
        if kept.len() >= MOST_KEPT {
            kept.remove(0);
        }
        kept.push((asked, cache.clone()));
        cache
    }
}

/// How many rows of the store cannot be read and are left out; on an answer where there are any.
const UNREADABLE_ROWS: &str = "lifesign-unreadable-rows";

/// What is answered.
#[derive(Default)]
pub(crate) struct Rendering {
    pub bytes: Vec<u8>,
    pub unreadable_rows: usize,
}

impl<T: Into<Vec<u8>>> From<T> for Rendering {
    fn from(bytes: T) -> Self {
        Self { bytes: bytes.into(), unreadable_rows: 0 }
    }
}

/// The newest renderings of one kind.
#[derive(Default)]
pub(crate) struct RenderCache(Mutex<Cached>);

#[derive(Default)]
struct Cached {
    /// What the newest was made of.
    snapshot: Weak<Snapshot>,
    time: Time,
    newest: Arc<Rendering>,
    /// For those who have not read it to its end.
    before: Arc<Rendering>,
}

impl RenderCache {
    /// Is it of the newest snapshot, or being made or read?
    fn is_needed(&self) -> bool {
        let Ok(cached) = self.0.try_lock() else { return true };
        let is_read = |rendering: &Arc<Rendering>| Arc::weak_count(rendering) > 0;
        cached.snapshot.strong_count() > 0 || is_read(&cached.newest) || is_read(&cached.before)
    }

    /// The rendering of this snapshot, which `render` makes if the last one was of another; or, if
    /// that is seconds old at most and the one before is still being read, the last one. The error
    /// is that of `render`.
    pub(crate) fn get_or_render<T: Into<Rendering>, E>(
        &self,
        snapshot: &Arc<Snapshot>,
        render: impl FnOnce() -> Result<T, E>,
    ) -> Result<Response, E> {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_read = Arc::weak_count(&cached.before) > 0;
        let is_young = snapshot.time.since(cached.time) < PATIENCE;
        // No other snapshot is allocated at this address while a weak reference to it is left.
        if cached.snapshot.as_ptr() != Arc::as_ptr(snapshot) && !(is_read && is_young) {
            let rendering = Arc::new(render()?.into());
            let before = std::mem::replace(&mut cached.newest, rendering);
            // Who has read it to its end, or went away, needs it no more.
            cached.before = if Arc::weak_count(&before) > 0 { before } else { Arc::default() };
            cached.snapshot = Arc::downgrade(snapshot);
            cached.time = snapshot.time;
        }
        let mut response = Response::new(Body::new(Reader {
            rendering: Arc::downgrade(&cached.newest),
            length: cached.newest.bytes.len(),
            at: 0,
        }));
        if cached.newest.unreadable_rows > 0 {
            response.headers_mut().insert(UNREADABLE_ROWS, cached.newest.unreadable_rows.into());
        }
        Ok(response)
    }
}

/// A response that is being read.
struct Reader {
    rendering: Weak<Rendering>,
    length: usize,
    at: usize,
}

impl HttpBody for Reader {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        let Some(rendering) = self.rendering.upgrade() else {
            return Poll::Ready(Some(Err(io::Error::other("too slow"))));
        };
        let end = self.length.min(self.at + CHUNK_BYTES);
        let chunk = Bytes::copy_from_slice(&rendering.bytes[self.at..end]);
        self.at = end;
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.at == self.length
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact((self.length - self.at) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use lifesign_core::{
        scopes::Roster,
        watch::{Settings, Watch},
    };
    use std::convert::Infallible;

    /// The snapshot of this second.
    fn snapshot(second: u64) -> Arc<Snapshot> {
        let watch = Watch::new(Arc::new(Roster::default()), &Settings::default(), Time::default());
        Arc::new(watch.snapshot(Time::default() + Duration::from_secs(second), 0, 0))
    }

    fn shown(cache: &RenderCache, snapshot: &Arc<Snapshot>, text: &str) -> Body {
        cache.get_or_render(snapshot, || Ok::<_, Infallible>(text)).unwrap().into_body()
    }

    async fn read(body: Body) -> Result<String, axum::Error> {
        Ok(String::from_utf8(to_bytes(body, usize::MAX).await?.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_snapshot_is_rendered_once_and_the_next_one_anew() {
        let cache = RenderCache::default();
        let first = snapshot(0);
        for text in ["a", "b"] {
            assert_eq!(read(shown(&cache, &first, text)).await.unwrap(), "a");
        }
        assert!(cache.get_or_render(&snapshot(1), || Err::<&str, _>("no")).is_err());
        let read_again = read(shown(&cache, &first, "c")).await.unwrap();
        assert_eq!(read_again, "a", "what could not be rendered is not cached");
        let next = snapshot(1);
        for text in ["d", "e"] {
            assert_eq!(read(shown(&cache, &next, text)).await.unwrap(), "d");
        }
    }

    #[tokio::test]
    async fn what_is_asked_for_once_is_not_kept_and_nobody_loses_what_they_read() {
        let caches = RenderCaches::default();
        let newest = snapshot(0);
        let asked = |key: usize, snapshot: &Arc<Snapshot>| {
            let make = || Ok::<_, Infallible>(key.to_string());
            caches.of(key).get_or_render(snapshot, make).unwrap()
        };
        let kept = || caches.0.lock().unwrap().iter().map(|(key, _)| *key).collect::<Vec<_>>();
        let reader = asked(0, &newest);
        for key in 1..MOST_KEPT {
            asked(key, &newest);
        }
        // Asked again, it is not the one that gives way.
        asked(0, &newest);
        asked(MOST_KEPT, &newest);
        assert_eq!((kept().len(), kept()[0], kept().contains(&1)), (MOST_KEPT, 2, false));
        assert_eq!(read(reader.into_body()).await.unwrap(), "0");
        drop(newest);
        asked(5, &snapshot(1));
        assert_eq!(kept(), [5]);
    }

    #[tokio::test]
    async fn slow_readers_keep_two_renderings_at_most_and_the_newest_is_never_old() {
        let cache = RenderCache::default();
        let text = |second: u64| second.to_string().repeat(CHUNK_BYTES);
        let mut readers: Vec<Body> = Vec::new();
        let mut kept = Vec::new();
        for second in 10..60 {
            readers.push(shown(&cache, &snapshot(second), &text(second)));
            let cached = cache.0.lock().unwrap();
            let newest = String::from_utf8_lossy(&cached.newest.bytes[..2]).parse::<u64>().unwrap();
            assert!(second - newest <= 5, "{newest} at {second}");
            kept.push(Arc::downgrade(&cached.newest));
            let mut alive: Vec<_> = kept.iter().filter_map(Weak::upgrade).collect();
            alive.dedup_by(|a, b| Arc::ptr_eq(a, b));
            assert!(alive.len() <= 2, "{} at {second}", alive.len());
        }
        // Who is slow, but not that slow, has it whole; the others are told that they have not.
        let last = readers.pop().unwrap();
        let whole = read(last).await.unwrap();
        assert_eq!(whole.len(), 2 * CHUNK_BYTES);
        assert!(read(readers.swap_remove(0)).await.is_err());
    }
}

//! The table of routers has room for [`MOST`], whoever answers by however many addresses. When it
//! is full, all are forgotten that are at no hop of any path, are asked nothing just now, and may
//! be asked as much as if they had never been heard. Whoever is still new then is not taken in, and
//! what it says tells nothing: nobody who is in use gives way to it.

use super::{
    Tracer,
    path::Hop,
    routers::{Key, MOST, RouterId},
    sweep::Found,
};
use lifesign_model::time::Time;
use std::time::Duration;

/// A full table is gone through so often at most.
const GONE_THROUGH_EVERY: Duration = Duration::from_secs(60);

impl Tracer {
    /// The router of this key; [`RouterId::NONE`] if there is no room for a new one.
    pub(crate) fn router(&mut self, key: Key, now: Time) -> RouterId {
        let router = self.routers.id(key, now);
        if router.is_some() || now.since(self.gone_through) < GONE_THROUGH_EVERY {
            return router;
        }
        self.gone_through = now;
        self.forget_routers(now);
        self.routers.id(key, now)
    }

    fn forget_routers(&mut self, now: Time) {
        let found = |found: Found| match found {
            Found::Hop(router) | Found::Unreachable(router, _) => router,
            Found::Pending | Found::Target | Found::Silent | Found::Void => RouterId::NONE,
        };
        let hops = self.paths.iter().flat_map(|path| path.hops.iter().flat_map(Hop::known));
        let sweeps = self.paths.iter().filter_map(|path| path.sweep.as_ref());
        let asks = sweeps.flat_map(|sweep| &sweep.asks);
        let asked = asks.flat_map(|ask| [ask.expected, found(ask.found)]);
        let open = self.open.values().flat_map(|open| [open.expected, found(open.found)]);
        let trunk = self.trunk.values().flatten().map(|hop| hop.router);
        let mut in_use = vec![false; MOST];
        for router in hops.chain(asked).chain(open).chain(trunk) {
            if let Some(is) = in_use.get_mut(router.0 as usize) {
                *is = true;
            }
        }
        self.routers.forget(&in_use, now);
    }
}

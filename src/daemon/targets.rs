//! The own numbers of targets, for readers who ask.

use super::Daemon;
use crate::export::target_queries::TargetQuery;
use lifesign_core::scopes::TargetId;

impl Daemon {
    /// Answers a question for them.
    pub(super) fn answer(&self, query: TargetQuery) {
        query.answer(&self.plan.roster, |targets| {
            let mut views = self.watch.target_views(targets.clone());
            for (view, id) in views.iter_mut().zip(targets) {
                view.address = self.network.newest_address(TargetId(id));
            }
            views
        });
    }
}

//! The own numbers of targets, for readers who ask.

use super::Daemon;
use lifesign_core::scopes::TargetId;
use lifesign_export::target_queries::TargetQuery;

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

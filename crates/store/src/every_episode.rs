//! All episodes, read a few at a time: a store of a year may hold more than fit into memory. What
//! was unknown is few, since the country's is its parts'.

use super::{
    Episode, Rows, StoreError, StoreReader,
    row::{EPISODE_COLUMNS, episode_from_row},
};

/// So many episodes are in memory at a time.
const BATCH: usize = 4096;

impl StoreReader {
    /// Passes on every episode, in the order in which they were found. Returns how many rows cannot
    /// be read, those of windows of maintenance too; the error is that of the file, or that with
    /// which `take` ends it.
    pub fn for_each_episode<E: From<StoreError>>(
        &self,
        mut take: impl FnMut(&Episode) -> Result<(), E>,
    ) -> Result<usize, E> {
        let sql = format!("SELECT {EPISODE_COLUMNS} FROM episode ORDER BY found, scope");
        let read = |error| E::from(StoreError::Sqlite(error));
        let mut statement = self.0.prepare(&sql).map_err(read)?;
        let mut rows = statement.query_map([], episode_from_row).map_err(read)?;
        let windows = self.windows().map_err(read)?;
        let unknown = self.unknown_of(None).map_err(read)?;
        let unseen = self.unseen(&unknown.read).map_err(read)?;
        let mut broken = windows.broken + self.broken_runs().map_err(read)?;
        loop {
            let Rows { read: mut episodes, broken: more } =
                Rows::collect(rows.by_ref().take(BATCH)).map_err(read)?;
            broken += more;
            if episodes.is_empty() && more == 0 {
                return Ok(broken);
            }
            windows.mark_planned(&mut episodes);
            unseen.add_to(&mut episodes);
            episodes.iter().try_for_each(&mut take)?;
        }
    }
}

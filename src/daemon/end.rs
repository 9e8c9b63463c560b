//! The end of a run: a signal asks for it, or a fault of ours makes it; and it is over soon,
//! whatever a disk or a reader does.

use super::{Daemon, JournalWriter};
use crate::exit;
use lifesign_store::Store;
use std::{
    io, process,
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

/// How long the end may take; then whatever is still to be written is given up.
const TIMEOUT: Duration = Duration::from_secs(4);
/// For the line that says so.
const LAST_LINE_TIMEOUT: Duration = Duration::from_millis(200);

/// Handles SIGINT and SIGTERM from now on, in a thread of its own: whatever holds up the run does
/// not hold up its end. What is returned says when one of them has come.
pub(crate) fn handle_signals() -> io::Result<oneshot::Receiver<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let context = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    drop(context);
    let (sender, receiver) = oneshot::channel();
    thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        // Dropped if the run ends by itself just now.
        let _ = sender.send(());
        exit_later(exit::OK);
    })?;
    Ok(receiver)
}

/// The same for a run that a fault of ours has ended.
pub(super) fn exit_soon() -> io::Result<()> {
    thread::Builder::new().name("end".into()).spawn(|| exit_later(exit::SOFTWARE)).map(drop)
}

/// Ends the process with this code, unless it has ended by itself by then.
fn exit_later(code: u8) {
    thread::sleep(TIMEOUT);
    tracing::error!("a disk or a reader holds up the end; what it has not taken is given up");
    thread::sleep(LAST_LINE_TIMEOUT);
    process::exit(code.into());
}

impl Daemon {
    /// What has ended, by a fault of ours, that a run cannot do without.
    pub(super) fn ended_thread(&mut self, http: &JoinHandle<()>) -> Option<&'static str> {
        [
            ("pages and metrics", http.is_finished()),
            ("the journal", self.journal.as_ref().is_some_and(JournalWriter::has_ended)),
            ("the store", self.store.as_ref().is_some_and(Store::has_ended)),
            ("the resolution of names", self.network.names.have_ended()),
        ]
        .into_iter()
        .find_map(|(name, has_ended)| has_ended.then_some(name))
    }
}

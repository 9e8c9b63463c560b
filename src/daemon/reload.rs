//! Reading the plan again. In: SIGHUP, and requests over HTTP. Out: what the plan's file says now,
//! or what is wrong with it, for each time that somebody asked. It never holds up the watch: a
//! thread of its own reads the file, and it never changes anything itself.

use crate::{
    config::Plan,
    export::{ReloadRequest, ReloadRequests},
};
use lifesign_document::Problems;
use std::{io, path::PathBuf, thread};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

/// What was read, and who waits for an answer.
pub(super) struct Loaded {
    pub plan: Result<Plan, Problems>,
    pub request: Option<ReloadRequest>,
}

/// Who may ask, and what is being read.
pub(super) struct Reload {
    path: PathBuf,
    hangup: Signal,
    requests: ReloadRequests,
    reading: Option<Reading>,
}

/// The file is being read, for this one.
struct Reading {
    plan: oneshot::Receiver<Result<Plan, Problems>>,
    request: Option<ReloadRequest>,
}

impl Reload {
    /// Ready to be asked. Call it within a tokio runtime.
    pub fn new(path: PathBuf, requests: ReloadRequests) -> io::Result<Self> {
        Ok(Self { path, hangup: signal(SignalKind::hangup())?, requests, reading: None })
    }

    /// Waits until somebody has asked and the file has been read. One after another: who asks while
    /// the file is being read gets what it says afterwards. Cancel safe.
    pub async fn next(&mut self) -> Loaded {
        loop {
            if let Some(reading) = &mut self.reading {
                let read = (&mut reading.plan).await;
                let request = self.reading.take().and_then(|reading| reading.request);
                // An error means that the thread could not be had, or has failed and said so.
                if let Ok(plan) = read {
                    return Loaded { plan, request };
                }
                tracing::error!("cannot read the plan again: no thread for it");
            }
            let request = tokio::select! {
                _ = self.hangup.recv() => None,
                Some(request) = self.requests.recv() => Some(request),
            };
            let (sender, plan) = oneshot::channel();
            let path = self.path.clone();
            let thread = thread::Builder::new().name("plan".into());
            let _ = thread.spawn(move || drop(sender.send(Plan::load(&path))));
            self.reading = Some(Reading { plan, request });
        }
    }
}

//! A new plan: read again on SIGHUP or on request over HTTP, in a thread of its own that holds up
//! no probe; then applied, or rejected if it is wrong.

use super::{
    Daemon,
    network::open_controls,
    path::PathTracer,
    settings::{core_settings, export_settings},
    write_warnings,
};
use crate::config::Plan;
use lifesign_core::time::Time;
use lifesign_document::Problems;
use lifesign_export::{ReloadRequest, ReloadRequests};
use std::{io, path::PathBuf, thread};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

/// The plan that was read, and the request that waits for an answer.
pub(super) struct Loaded {
    plan: Result<Plan, Problems>,
    request: Option<ReloadRequest>,
}

/// Waits for SIGHUP and for requests, and reads the plan.
pub(super) struct Reload {
    path: PathBuf,
    hangup: Signal,
    requests: ReloadRequests,
    reading: Option<Reading>,
}

/// A plan that is being read, and the request for it.
struct Reading {
    plan: oneshot::Receiver<Result<Plan, Problems>>,
    request: Option<ReloadRequest>,
}

impl Reload {
    /// Call it within a tokio runtime.
    pub fn new(path: PathBuf, requests: ReloadRequests) -> io::Result<Self> {
        Ok(Self { path, hangup: signal(SignalKind::hangup())?, requests, reading: None })
    }

    /// Waits for a signal or a request, and until the file has been read for it. A request that
    /// comes in the meantime is served by the next call, which reads the file anew. Cancel safe.
    pub async fn next(&mut self) -> Loaded {
        loop {
            if let Some(reading) = &mut self.reading {
                let read = (&mut reading.plan).await;
                let request = self.reading.take().and_then(|reading| reading.request);
                // An error means that the thread was not started, or has panicked.
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

impl Daemon {
    /// Changes to the plan that was read, or keeps the one before if that is wrong; and answers the
    /// request.
    pub(super) fn replan(&mut self, Loaded { plan, request }: Loaded, now: Time) {
        self.systemd.reloading();
        if let Some(journal) = &self.journal {
            journal.reopen();
        }
        let answer = match plan {
            Ok(plan) => Ok(self.apply(plan, now)),
            Err(problems) => Err(self.reject(&problems)),
        };
        self.publish(now);
        if let Some(request) = request {
            // The client may have gone away.
            let _ = request.send(answer);
        }
    }

    /// Changes to this plan, and returns what is watched from now on.
    fn apply(&mut self, plan: Plan, now: Time) -> String {
        if plan.controls != self.plan.controls
            || plan.control_options != self.plan.control_options
            || self.controls.is_none()
        {
            // The old ones end first. All that they reported has been handled, since no task has
            // run meanwhile: none of it is taken for an answer of the new.
            self.controls = None;
            self.controls = open_controls(&plan, self.clock, &self.sender, &self.stdout_writer);
        }
        let settings = core_settings(&plan, self.controls.is_some());
        let mapping = self.watch.replan(plan.roster.clone(), &settings, now);
        self.network.replan(&plan, &mapping.targets);
        self.publishers.export_settings.send_replace(export_settings(&plan));
        self.plan = plan;
        match &mut self.paths {
            Some(paths) if self.plan.path.is_traced => {
                paths.replan(&self.plan, &self.watch, &self.network, now);
            }
            _ => self.paths = PathTracer::new(&self.plan, &self.watch, &self.network, now),
        }
        if let Some(store) = &mut self.store {
            let wall = self.clock.wall_offset().written(now);
            store.replan(&self.plan.roster, wall);
            store.keep_plan(&self.plan.roster, self.plan.contact.as_deref(), wall);
        }
        let text = format!("watches by the new plan, from {}: {}", self.plan.vantage, self.plan);
        self.stdout_writer.write(text.clone());
        write_warnings(&self.plan, now, &self.stdout_writer);
        text
    }

    /// Keeps the plan, and returns what is wrong with the new one, a line for each problem.
    fn reject(&mut self, problems: &Problems) -> String {
        self.watch.refuse();
        let text = problems.to_string();
        for line in text.lines() {
            tracing::error!("{line}");
        }
        tracing::error!("the new plan is wrong; the one before goes on");
        text
    }
}

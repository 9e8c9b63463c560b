//! The real HTTP server, in this process, with snapshots that a test gives it.

use super::{
    http::{Answer, ask},
    snapshot::SeenTargets,
};
use lifesign_core::watch::{Snapshot, TargetViews};
use lifesign_export::metric_sets::MetricSet;
use lifesign_export::{
    ExportSettings, ReloadRequest, Sources, http::serve, listener::Listener,
    target_queries::TargetAsker,
};
use lifesign_web_config::WebConfig;
use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};
use tokio::sync::{mpsc, watch};

type Overtaking = (watch::Sender<Option<Arc<Snapshot>>>, Arc<Snapshot>);

pub struct PageServer {
    pub addresses: Vec<SocketAddr>,
    pub snapshots: watch::Sender<Option<Arc<Snapshot>>>,
    pub settings: watch::Sender<ExportSettings>,
    pub reload_requests: mpsc::Receiver<ReloadRequest>,
    /// Replaces the snapshot when targets are asked for next.
    pub overtaking: Arc<Mutex<Option<Overtaking>>>,
    pub thread: JoinHandle<()>,
}

impl PageServer {
    /// Two listeners, and this snapshot to begin with; no past.
    pub fn start(snapshot: Option<Snapshot>, settings: ExportSettings) -> Self {
        Self::with_past(snapshot, settings, None)
    }

    /// The same with the file of a store.
    pub fn with_past(
        snapshot: Option<Snapshot>,
        settings: ExportSettings,
        store: Option<PathBuf>,
    ) -> Self {
        Self::embedded(snapshot, settings, store, &[])
    }

    /// The same, and pages of these origins may show it in frames.
    pub fn embedded(
        snapshot: Option<Snapshot>,
        settings: ExportSettings,
        store: Option<PathBuf>,
        embed: &[&str],
    ) -> Self {
        let embed = embed.iter().map(|origin| origin.parse().unwrap()).collect();
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        let listeners = listeners.map(Listener::Tcp);
        let (snapshots, source) = watch::channel(snapshot.map(Arc::new));
        let (settings, settings_receiver) = watch::channel(settings);
        let (reload_sender, reload_requests) = mpsc::channel(1);
        let (targets, mut queries) = TargetAsker::channel();
        let overtaking = Arc::new(Mutex::new(None::<Overtaking>));
        let pending = overtaking.clone();
        std::thread::spawn(move || {
            while let Some(query) = queries.blocking_recv() {
                let mut roster = query.roster.clone();
                if let Some((snapshots, snapshot)) = pending.lock().unwrap().take() {
                    roster = snapshot.roster.clone();
                    snapshots.send_replace(Some(snapshot));
                }
                query.answer(&roster, |targets| SeenTargets.of(targets).unwrap());
            }
        });
        let thread = serve(
            listeners.into(),
            Sources { snapshots: source, targets, settings: settings_receiver, store, embed },
            reload_sender,
            WebConfig::unprotected(),
        )
        .unwrap();
        Self { addresses, snapshots, settings, reload_requests, overtaking, thread }
    }

    pub fn ask(&self, method: &str, path: &str) -> Answer {
        ask(self.addresses[0], method, path)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addresses[0])
    }
}

/// Of the lab, with everything shown.
pub fn settings(simulation: Option<&str>) -> ExportSettings {
    ExportSettings {
        vantage: "the lab".into(),
        contact: None,
        metrics: MetricSet::ALL.into(),
        simulation: simulation.map(Into::into),
    }
}

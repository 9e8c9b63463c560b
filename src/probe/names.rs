//! The addresses of hosts that the plan gives by name. Each name is resolved again when its records
//! expire; a failure is retried and keeps the known addresses, also those of an earlier run: a
//! country may be dark with its resolver in it. However many names there are, few are asked for at
//! once, and many failures are one line. The system's configuration is read
//! anew for each resolution, without a cache, so that lifesign may start before the network does.

use super::lookup::resolver_of;
use hickory_resolver::{net::NetError, proto::rr::RecordType};
use lifesign_core::{
    outcome::Fault,
    rng::Rng,
    scopes::{Family, PerFamily, Prefix},
};
use lifesign_formats::survey::AddressSet;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    iter::{from_fn, once},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{
        Semaphore,
        mpsc::{self, UnboundedReceiver, UnboundedSender},
        watch,
    },
    task::{AbortHandle, JoinSet},
    time::{sleep, timeout},
};

/// A record's time to live sets when its name is resolved again, but never sooner than this…
const MIN_REFRESH: Duration = Duration::from_secs(60);
/// … and never later than this.
const MAX_REFRESH: Duration = Duration::from_secs(3600);
/// How soon a failed resolution is retried; doubles with each failure…
const FIRST_RETRY: Duration = Duration::from_secs(1);
const MAX_RETRY: Duration = Duration::from_secs(300);
/// Each wait is shortened by up to this share, so that names that were asked for together are not
/// for ever.
const JITTER: f64 = 0.25;
/// How many lookups may be under way at once: a resolver is not ours alone.
const MAX_LOOKUPS: usize = 32;
/// For A and for AAAA.
const LOOKUPS_OF_A_NAME: u32 = 2;
/// How long failures are gathered before one line tells of them…
const GATHER: Duration = Duration::from_secs(1);
/// … and how long after it until the next line.
const QUIET: Duration = Duration::from_secs(60);
/// While a scope is dark, its resolver may be in it and come back with it.
const MAX_RETRY_IN_DARKNESS: Duration = Duration::from_secs(10);

/// Names, and the families of the blocks in which each is asked: nobody needs others of it.
pub type Needed = BTreeMap<String, PerFamily<bool>>;

/// The addresses of every name in the plan, kept up to date until this is dropped.
#[derive(Debug)]
pub struct Names {
    entries: HashMap<String, Entry>,
    servers: Vec<SocketAddr>,
    lookups: Arc<Semaphore>,
    failures: UnboundedSender<Failure>,
    dark: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// A resolution that failed.
#[derive(Debug)]
struct Failure {
    name: String,
    error: String,
}

/// A name's addresses, and the task that resolves it.
#[derive(Debug)]
struct Entry {
    families: PerFamily<bool>,
    addresses: watch::Receiver<Vec<IpAddr>>,
    task: AbortHandle,
}

impl Names {
    /// Starts to resolve each name, in a task of its own; call it within a tokio runtime. Asks
    /// `servers`, or those of the system (and its hosts file) if there are none. Names are taken as
    /// fully qualified, whether or not they end with a dot: the system's search domains never
    /// apply.
    pub fn open(names: Needed, servers: &[SocketAddr]) -> Self {
        let (failures, failed) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(report(failed, |line| tracing::warn!("{line}")));
        let mut opened = Self {
            entries: HashMap::new(),
            servers: servers.to_vec(),
            lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)),
            failures,
            dark: watch::Sender::new(false),
            tasks,
        };
        opened.replan(names, servers);
        opened
    }

    /// Changes to other names or servers. A name that stays keeps its addresses; if the servers
    /// have changed, or the families that are needed, it is resolved again at once.
    pub fn replan(&mut self, names: Needed, servers: &[SocketAddr]) {
        let same_servers = self.servers == servers;
        self.servers = servers.to_vec();
        let mut before = std::mem::take(&mut self.entries);
        for (name, families) in names {
            let entry = match before.remove(&name) {
                Some(entry) if same_servers && entry.families == families => entry,
                Some(entry) => {
                    entry.task.abort();
                    self.spawn(&name, families, entry.addresses.borrow().clone())
                }
                None => self.spawn(&name, families, Vec::new()),
            };
            self.entries.insert(name, entry);
        }
        for entry in before.into_values() {
            entry.task.abort();
        }
    }

    /// Has a task ended that was not told to, by a fault of ours?
    pub fn have_ended(&mut self) -> bool {
        from_fn(|| self.tasks.try_join_next()).any(|end| end.is_err_and(|error| error.is_panic()))
    }

    /// Takes what an earlier run knew of names that have not been resolved yet.
    pub fn recall(&mut self, known: HashMap<String, Vec<IpAddr>>) {
        for (name, addresses) in known {
            let Some(entry) = self.entries.get(&name) else { continue };
            if entry.addresses.borrow().is_empty() {
                entry.task.abort();
                let entry = self.spawn(&name, entry.families, addresses);
                self.entries.insert(name, entry);
            }
        }
    }

    /// The names with other addresses than when this was called last, for the next run.
    pub fn changes(&mut self) -> Vec<(String, Vec<IpAddr>)> {
        let is_new = |entry: &Entry| entry.addresses.has_changed().unwrap_or(false);
        let changed = self.entries.iter_mut().filter(|(_, entry)| is_new(entry));
        let new = changed
            .map(|(name, entry)| (name.clone(), entry.addresses.borrow_and_update().clone()));
        new.collect()
    }

    /// Is anything dark? Then failures are retried soon.
    pub fn set_dark(&self, dark: bool) {
        self.dark.send_if_modified(|before| std::mem::replace(before, dark) != dark);
    }

    fn spawn(&mut self, name: &str, families: PerFamily<bool>, known: Vec<IpAddr>) -> Entry {
        let (sender, addresses) = watch::channel(known);
        let name = name.to_owned();
        let servers = self.servers.clone();
        let dark = self.dark.subscribe();
        let failures = self.failures.clone();
        let lookups = Arc::clone(&self.lookups);
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let mut rng = Rng::new(hasher.finish());
        let jitter = move |wait: Duration| wait.mul_f64(1.0 - JITTER * rng.unit());
        let asked = name.clone();
        let lookup = move || {
            let lookup = resolve(asked.clone(), families, servers.clone());
            let lookups = Arc::clone(&lookups);
            async move {
                // It is never closed.
                let _permits = lookups.acquire_many(LOOKUPS_OF_A_NAME).await;
                lookup.await
            }
        };
        let task = self.tasks.spawn(resolve_forever(name, sender, failures, dark, jitter, lookup));
        Entry { families, addresses, task }
    }

    /// Is this one of the addresses of the name?
    pub fn has(&self, name: &str, address: IpAddr) -> bool {
        self.entries.get(name).is_some_and(|entry| entry.addresses.borrow().contains(&address))
    }

    /// The address that probe `seq` of this name goes to: round robin over those within the block.
    /// `Unresolved` if no address is known yet, or the name is not one of these; `OutsideBlock` if
    /// none of the name's addresses lies within the block and may be asked.
    pub fn next(
        &self,
        name: &str,
        block: &Prefix,
        deny: &AddressSet,
        seq: u32,
    ) -> Result<IpAddr, Fault> {
        let addresses = self.entries.get(name).ok_or(Fault::Unresolved)?.addresses.borrow();
        choose(&addresses, block, deny, seq)
    }
}

fn choose(
    addresses: &[IpAddr],
    block: &Prefix,
    deny: &AddressSet,
    seq: u32,
) -> Result<IpAddr, Fault> {
    if addresses.is_empty() {
        return Err(Fault::Unresolved);
    }
    let is_inside = |address: &IpAddr| block.contains(*address) && !deny.contains(*address);
    let inside = || addresses.iter().copied().filter(is_inside);
    let index = (seq as usize).checked_rem(inside().count()).ok_or(Fault::OutsideBlock)?;
    inside().nth(index).ok_or(Fault::OutsideBlock)
}

/// What one resolution gave: the addresses by family, None if the question failed. A name without
/// addresses of a family has an empty list, which is no failure.
#[derive(Debug, Default)]
struct Resolved {
    found: PerFamily<Option<Vec<IpAddr>>>,
    /// The shortest time to live of its records.
    ttl: Duration,
    /// Why a question failed.
    failure: Option<NetError>,
}

/// Resolves one name again and again, until nobody reads its addresses any more.
async fn resolve_forever<F>(
    name: String,
    sender: watch::Sender<Vec<IpAddr>>,
    failures: UnboundedSender<Failure>,
    mut dark: watch::Receiver<bool>,
    mut jitter: impl FnMut(Duration) -> Duration,
    mut resolve: impl FnMut() -> F,
) where
    F: Future<Output = Result<Resolved, NetError>>,
{
    let mut retry = FIRST_RETRY;
    while !sender.is_closed() {
        let resolved = resolve().await.unwrap_or_else(|error| Resolved {
            ttl: MAX_REFRESH,
            failure: Some(error),
            ..Resolved::default()
        });
        let addresses = merged(&sender.borrow(), &resolved);
        sender.send_if_modified(|known| std::mem::replace(known, addresses) != *known);
        let ttl = resolved.ttl.clamp(MIN_REFRESH, MAX_REFRESH);
        let Some(error) = resolved.failure else {
            retry = FIRST_RETRY;
            sleep(jitter(ttl)).await;
            continue;
        };
        let _ = failures.send(Failure { name: name.clone(), error: error.to_string() });
        let longest = if *dark.borrow() { MAX_RETRY_IN_DARKNESS } else { MAX_RETRY };
        let wait = jitter(retry.min(longest).min(ttl));
        retry = (retry * 2).min(MAX_RETRY);
        if timeout(wait, falls_dark(&mut dark)).await.is_ok() {
            sleep(wait.min(FIRST_RETRY)).await;
        }
    }
}

/// Tells of failures, many in one line: the first soon, the next a minute later.
async fn report(mut failures: UnboundedReceiver<Failure>, mut write: impl FnMut(String)) {
    while let Some(first) = failures.recv().await {
        sleep(GATHER).await;
        let error = first.error.clone();
        let all = once(first).chain(from_fn(|| failures.try_recv().ok()));
        let names: BTreeSet<String> = all.map(|failure| failure.name).collect();
        let one = names.first().cloned().unwrap_or_default();
        write(match names.len() {
            1 => format!("cannot resolve {one}: {error}; known addresses stay"),
            many => {
                format!("cannot resolve {many} names, such as {one}: {error}; known addresses stay")
            }
        });
        sleep(QUIET).await;
    }
}

/// Something falls dark that was not.
async fn falls_dark(dark: &mut watch::Receiver<bool>) {
    while dark.changed().await.is_ok() {
        if *dark.borrow_and_update() {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// The new addresses; of a family whose question failed, the old ones. Sorted, so that a server
/// that shuffles its answers does not disturb the round robin.
fn merged(old: &[IpAddr], resolved: &Resolved) -> Vec<IpAddr> {
    let mut addresses = Vec::new();
    for family in Family::ALL {
        let known = || old.iter().copied().filter(|&known| Family::of(known) == family).collect();
        addresses.append(&mut resolved.found[family].clone().unwrap_or_else(known));
    }
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// Asks for A and AAAA at once. An error if neither brought an address; what is missing of one of
/// these families alone is told with the other.
async fn resolve(
    name: String,
    families: PerFamily<bool>,
    servers: Vec<SocketAddr>,
) -> Result<Resolved, NetError> {
    let mut builder = resolver_of(&servers)?;
    builder.options_mut().cache_size = 0;
    let resolver = builder.build()?;
    let name = format!("{}.", name.trim_end_matches('.'));
    let (a, aaaa) = tokio::join!(
        resolver.lookup(&name, RecordType::A),
        resolver.lookup(&name, RecordType::AAAA)
    );
    let mut resolved = Resolved { ttl: MAX_REFRESH, ..Resolved::default() };
    let mut failure = None;
    for (lookup, family) in [(a, Family::V4), (aaaa, Family::V6)] {
        let found = &mut resolved.found[family];
        match lookup {
            Ok(lookup) => {
                let records = lookup.answers();
                *found = Some(records.iter().filter_map(|record| record.data.ip_addr()).collect());
                let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
                resolved.ttl = resolved.ttl.min(Duration::from_secs(ttl.into()));
            }
            Err(error) => {
                *found = error.is_no_records_found().then(Vec::new);
                if failure.is_none() || families[family] && !error.is_no_records_found() {
                    failure = Some((family, error));
                }
            }
        }
    }
    let any = resolved.found.values().flatten().any(|found| !found.is_empty());
    match failure {
        Some((_, error)) if !any => return Err(error),
        Some((family, error)) if families[family] && !error.is_no_records_found() => {
            resolved.failure = Some(error);
        }
        _ => {}
    }
    Ok(resolved)
}

#[cfg(test)]
mod tests;

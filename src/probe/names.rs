//! Names in the plan. In: names, as fully qualified ones. Out: for each probe the address that it
//! asks, turn and turn about through all that the name has. Each name is resolved again and again
//! for as long as the [`Names`] lives; a failure keeps the addresses that were known, and is never
//! an end. No cache stands between: each time the system's configuration is read anew and the
//! question asked anew, so that lifesign may start before the network does.

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::RecordType,
};
use lifesign_core::{outcome::Fault, scopes::Prefix};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::sleep,
};

/// A record's time to live sets when its name is resolved again, but never sooner than this…
const SOONEST: Duration = Duration::from_secs(60);
/// … and never later than this.
const LATEST: Duration = Duration::from_secs(3600);
/// How soon a failed resolution is tried again; doubles with each failure…
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// … up to this.
const LAST_RETRY: Duration = Duration::from_secs(300);

/// The addresses of every name in the plan. Dropping it ends the resolving.
#[derive(Debug)]
pub struct Names {
    pages: HashMap<String, Page>,
    servers: Vec<SocketAddr>,
    tasks: JoinSet<()>,
}

/// A name's addresses, and the task that resolves it.
#[derive(Debug)]
struct Page {
    reader: watch::Receiver<Vec<IpAddr>>,
    task: AbortHandle,
}

impl Names {
    /// Begins to resolve each name, in a task of its own; call it within a tokio runtime. Asks
    /// `servers`, or those of the system (and its hosts file) if there are none. Names are taken as
    /// fully qualified, whether or not they end with a dot: the system's search domains never
    /// apply.
    pub fn open(names: impl IntoIterator<Item = String>, servers: &[SocketAddr]) -> Self {
        let mut book =
            Self { pages: HashMap::new(), servers: servers.to_vec(), tasks: JoinSet::new() };
        book.replan(names, servers);
        book
    }

    /// Goes on with other names or servers. A name that stays keeps its addresses, and where the
    /// servers are others, it is resolved anew at once.
    pub fn replan(&mut self, names: impl IntoIterator<Item = String>, servers: &[SocketAddr]) {
        let same_servers = self.servers == servers;
        self.servers = servers.to_vec();
        let mut before = std::mem::take(&mut self.pages);
        for name in names {
            if self.pages.contains_key(&name) {
                continue;
            }
            let page = match before.remove(&name) {
                Some(page) if same_servers => page,
                Some(page) => {
                    page.task.abort();
                    self.begin(&name, page.reader.borrow().clone())
                }
                None => self.begin(&name, Vec::new()),
            };
            self.pages.insert(name, page);
        }
        for page in before.into_values() {
            page.task.abort();
        }
        while self.tasks.try_join_next().is_some() {}
    }

    fn begin(&mut self, name: &str, known: Vec<IpAddr>) -> Page {
        let (page, reader) = watch::channel(known);
        let (name, servers) = (name.to_owned(), self.servers.clone());
        let task = self
            .tasks
            .spawn(keep(name.clone(), page, move || resolve(name.clone(), servers.clone())));
        Page { reader, task }
    }

    /// Whom to ask next under this name: the addresses of the block take turns, and `turn` (a
    /// probe's `seq`) says whose it is. `Unresolved` if no address is known yet, or the name is not
    /// in the book; `OutsideBlock` if none of the name's addresses lies within the block.
    pub fn next(&self, name: &str, block: &Prefix, turn: u32) -> Result<IpAddr, Fault> {
        let page = self.pages.get(name).ok_or(Fault::Unresolved)?.reader.borrow();
        choose(&page, block, turn)
    }
}

fn choose(addresses: &[IpAddr], block: &Prefix, turn: u32) -> Result<IpAddr, Fault> {
    if addresses.is_empty() {
        return Err(Fault::Unresolved);
    }
    let inside = || addresses.iter().copied().filter(|address| block.contains(*address));
    let turn = (turn as usize).checked_rem(inside().count()).ok_or(Fault::OutsideBlock)?;
    inside().nth(turn).ok_or(Fault::OutsideBlock)
}

/// What one resolution brought: the addresses by family, None where the question failed. A name
/// without addresses of a family has an empty list, which is no failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    v4: Option<Vec<IpAddr>>,
    v6: Option<Vec<IpAddr>>,
    /// The shortest time to live of its records.
    ttl: Duration,
}

/// Resolves one name for ever.
async fn keep<F>(name: String, page: watch::Sender<Vec<IpAddr>>, mut resolve: impl FnMut() -> F)
where
    F: Future<Output = Result<Entry, NetError>>,
{
    let mut retry = FIRST_RETRY;
    while !page.is_closed() {
        let wait = match resolve().await {
            Ok(entry) => {
                let addresses = renewed(&page.borrow(), &entry);
                page.send_replace(addresses);
                retry = FIRST_RETRY;
                entry.ttl.clamp(SOONEST, LATEST)
            }
            Err(error) => {
                let known = page.borrow().len();
                tracing::warn!(%name, %error, known, retry_in = ?retry, "cannot resolve; known addresses stay");
                let wait = retry;
                retry = (retry * 2).min(LAST_RETRY);
                wait
            }
        };
        sleep(wait).await;
    }
}

/// The new addresses; of a family whose question failed, the old ones. In order, so that a server
/// that shuffles its answers does not disturb the turns.
fn renewed(old: &[IpAddr], entry: &Entry) -> Vec<IpAddr> {
    let family = |new: &Option<Vec<IpAddr>>, v4: bool| {
        new.clone().unwrap_or_else(|| {
            old.iter().copied().filter(|address| address.is_ipv4() == v4).collect()
        })
    };
    let mut addresses = [family(&entry.v4, true), family(&entry.v6, false)].concat();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// Asks for A and AAAA at once. An error if neither brought an address.
async fn resolve(name: String, servers: Vec<SocketAddr>) -> Result<Entry, NetError> {
    let mut builder = if servers.is_empty() {
        TokioResolver::builder_tokio()?
    } else {
        let servers = servers.into_iter().map(server).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    builder.options_mut().cache_size = 0;
    let resolver = builder.build()?;
    let name = format!("{}.", name.trim_end_matches('.'));
    let (a, aaaa) = tokio::join!(
        resolver.lookup(&name, RecordType::A),
        resolver.lookup(&name, RecordType::AAAA)
    );
    let mut entry = Entry { ttl: LATEST, ..Entry::default() };
    let mut failure = None;
    for (lookup, family) in [(a, &mut entry.v4), (aaaa, &mut entry.v6)] {
        match lookup {
            Ok(lookup) => {
                let records = lookup.answers();
                *family = Some(records.iter().filter_map(|record| record.data.ip_addr()).collect());
                let ttl = records.iter().map(|record| record.ttl).min().unwrap_or_default();
                entry.ttl = entry.ttl.min(Duration::from_secs(ttl.into()));
            }
            Err(error) => {
                *family = error.is_no_records_found().then(Vec::new);
                failure = Some(error);
            }
        }
    }
    let any = [&entry.v4, &entry.v6].into_iter().flatten().any(|addresses| !addresses.is_empty());
    match failure {
        Some(error) if !any => Err(error),
        _ => Ok(entry),
    }
}

fn server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_addresses_of_the_block_take_turns() {
        let known = addresses(&["10.0.0.1", "10.0.1.1", "10.0.0.2", "2001:db8::1"]);
        let chosen = |block: &str, turn| {
            choose(&known, &block.parse().unwrap(), turn).map(|address| address.to_string())
        };
        for (turn, expected) in
            [(0, "10.0.0.1"), (1, "10.0.0.2"), (2, "10.0.0.1"), (u32::MAX, "10.0.0.2")]
        {
            assert_eq!(chosen("10.0.0.0/24", turn).as_deref(), Ok(expected));
        }
        assert_eq!(chosen("2001:db8::/32", 5).as_deref(), Ok("2001:db8::1"));
        assert_eq!(chosen("10.9.0.0/24", 0), Err(Fault::OutsideBlock));
        assert_eq!(choose(&[], &"10.0.0.0/24".parse().unwrap(), 0), Err(Fault::Unresolved));
    }

    #[test]
    fn a_family_that_failed_keeps_its_old_addresses() {
        let old = addresses(&["10.0.0.1", "2001:db8::1"]);
        let entry = |v4, v6| Entry { v4, v6, ttl: SOONEST };
        let shuffled = Some(addresses(&["10.0.0.3", "10.0.0.2", "10.0.0.3"]));
        let new = addresses(&["10.0.0.2", "10.0.0.3"]);
        assert_eq!(renewed(&old, &entry(shuffled.clone(), Some(vec![]))), new);
        assert_eq!(
            renewed(&old, &entry(shuffled, None)),
            [new, addresses(&["2001:db8::1"])].concat()
        );
        assert_eq!(renewed(&old, &entry(None, None)), old);
    }

    fn entry(address: &str, ttl: u64) -> Entry {
        Entry { v4: Some(addresses(&[address])), v6: None, ttl: Duration::from_secs(ttl) }
    }

    /// Each resolution, and for how many seconds its outcome must stand before the next.
    #[tokio::test(start_paused = true)]
    async fn failures_are_retried_ever_slower_and_lifetimes_are_kept_in_bounds() {
        let mut script = vec![(Ok(entry("10.0.0.1", 0)), 60), (Ok(entry("10.0.0.2", 90)), 90)];
        script.extend(
            [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map(|wait| (Err("no".into()), wait)),
        );
        script.extend([(Ok(entry("10.0.0.3", 86_400)), 3600), (Err(NetError::from("no")), 1)]);
        let waits: Vec<u64> = script.iter().map(|(_, wait)| *wait).collect();
        let mut outcomes = script.into_iter().map(|(outcome, _)| outcome);
        let (asked, mut asks) = watch::channel(0);
        let (page, reader) = watch::channel(Vec::new());
        tokio::spawn(keep("name.example".into(), page, move || {
            asked.send_modify(|count| *count += 1);
            std::future::ready(outcomes.next().unwrap_or_else(|| Err("the script is over".into())))
        }));
        for (n, wait) in waits.into_iter().enumerate() {
            asks.changed().await.unwrap();
            assert_eq!(*asks.borrow_and_update(), n + 1);
            let known = ["10.0.0.1", "10.0.0.2", "10.0.0.3"][if n >= 13 { 2 } else { n.min(1) }];
            assert_eq!(*reader.borrow(), addresses(&[known]), "after question {n}");
            let early = Duration::from_millis(wait * 1000 - 2);
            assert!(
                timeout(early, asks.changed()).await.is_err(),
                "question {n} was repeated too soon"
            );
            let due = timeout(Duration::from_millis(4), asks.changed()).await;
            assert!(due.is_ok(), "question {n} was not repeated after {wait} s");
            asks.mark_changed();
        }
    }
}

//! What the user's own resolver says of names: who serves their domains, and at which addresses.
//! One question after the other, and few a second: a resolver is not ours alone.

use hickory_resolver::{
    ResolverBuilder, TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::{Name, RData, RecordType},
};
use lifesign_formats::survey::{Fact, Role};
use std::{
    collections::{BTreeSet, HashSet},
    net::SocketAddr,
    time::Duration,
};
use tokio::time::sleep;

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(100);
/// After so many questions in a row that no resolver answered in any way, none is asked any more,
/// where no answer was heard before and where one was: each takes a quarter of a minute.
const MOST_UNHEARD: [usize; 2] = [4, 20];
/// At most so many names are asked for, with those of servers that are found: it takes an hour.
const MAX_NAMES: usize = 10_000;

/// How many questions there were, and how many had no answer because of a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// All of them.
    pub questions: usize,
    /// Those without an answer.
    pub failures: usize,
}

/// A resolver that asks these servers, or those of the system if there are none.
pub(super) fn resolver_of(
    servers: &[SocketAddr],
) -> Result<ResolverBuilder<TokioRuntimeProvider>, NetError> {
    if servers.is_empty() {
        return TokioResolver::builder_tokio();
    }
    let servers = servers.iter().copied().map(server).collect();
    let config = ResolverConfig::from_parts(None, Vec::new(), servers);
    Ok(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()))
}

/// A name server, asked over UDP, and over TCP where an answer is too long for that.
fn server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

/// Asks for the name servers, the mail servers and the addresses of each name and of its apex, and
/// for the addresses of these servers. Passes on what it learns as it comes, and once that no
/// resolver answers, and that it gives up.
pub async fn look_up(
    names: Vec<String>,
    servers: &[SocketAddr],
    take: impl FnMut(Result<Fact<'_>, &str>),
) -> Result<Asked, NetError> {
    let resolver = resolver_of(servers)?.build()?;
    let (asked, done) = (Asked::default(), HashSet::new());
    let mut lookup = Lookup { resolver, take, asked, unheard: 0, done };
    let mut found = BTreeSet::new();
    for name in names {
        let name = plain(&name);
        lookup.addresses(&name).await;
        // The apex is the first that has name servers; the labels above it are of others.
        let mut domain = name.as_str();
        loop {
            let has_servers = lookup.servers(domain, &mut found).await;
            let above = domain.split_once('.').map_or("", |(_, above)| above);
            if has_servers || !above.contains('.') {
                break;
            }
            domain = above;
        }
        if domain != name {
            lookup.addresses(domain).await;
        }
    }
    for name in found {
        lookup.addresses(&name).await;
    }
    Ok(lookup.asked)
}

struct Lookup<T> {
    resolver: TokioResolver,
    take: T,
    asked: Asked,
    /// Questions in a row that no resolver answered in any way.
    unheard: usize,
    /// What was asked already.
    done: HashSet<(String, RecordType)>,
}

impl<T: FnMut(Result<Fact<'_>, &str>)> Lookup<T> {
    async fn ask(&mut self, name: &str, kind: RecordType) -> Vec<RData> {
        let most = MOST_UNHEARD[usize::from(self.asked.questions > self.unheard)];
        let is_new = self.done.len() < MAX_NAMES * 4 && self.done.insert((name.to_owned(), kind));
        if !is_new || name.is_empty() || self.unheard == most {
            return Vec::new();
        }
        if self.asked.questions > 0 {
            sleep(PAUSE).await;
        }
        self.asked.questions += 1;
        let answer = self.resolver.lookup(format!("{name}."), kind).await;
        let is_heard = matches!(answer, Ok(_) | Err(NetError::Dns(_)));
        self.unheard = if is_heard { 0 } else { self.unheard + 1 };
        match answer {
            Ok(lookup) => lookup.answers().iter().map(|record| record.data.clone()).collect(),
            Err(error) => {
                self.asked.failures += usize::from(!error.is_no_records_found());
                if self.unheard == 1 {
                    (self.take)(Err(&format!("no answer about {name} ({kind}): {error}")));
                } else if self.unheard == most {
                    let text = format!("no answer to {most} questions in a row; no more are asked");
                    (self.take)(Err(&text));
                }
                Vec::new()
            }
        }
    }

    async fn addresses(&mut self, name: &str) {
        for kind in [RecordType::A, RecordType::AAAA] {
            for data in self.ask(name, kind).await {
                if let Some(address) = data.ip_addr() {
                    (self.take)(Ok(Fact::Named { name, address }));
                }
            }
        }
    }

    /// Has this domain name servers? It and its mail servers are added to `servers`.
    async fn servers(&mut self, zone: &str, servers: &mut BTreeSet<String>) -> bool {
        let known = self.done.contains(&(zone.to_owned(), RecordType::NS));
        let mut all: Vec<(Role, String)> = Vec::new();
        for data in self.ask(zone, RecordType::NS).await {
            if let RData::NS(name) = data {
                all.push((Role::NameServer, of_dns(&name.0)));
            }
        }
        let has_servers = known || !all.is_empty();
        for data in self.ask(zone, RecordType::MX).await {
            if let RData::MX(mail) = data {
                all.push((Role::Mail, of_dns(&mail.exchange)));
            }
        }
        for (role, name) in all {
            (self.take)(Ok(Fact::Serves { name: &name, role, zone }));
            servers.insert(name);
        }
        has_servers
    }
}

fn of_dns(name: &Name) -> String {
    plain(&name.to_ascii())
}

/// In small letters, without the dot at its end.
fn plain(name: &str) -> String {
    name.trim().trim_end_matches('.').to_ascii_lowercase()
}

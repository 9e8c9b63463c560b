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
/// for the addresses of these servers. Passes on what it learns as it comes.
pub async fn look_up(
    names: Vec<String>,
    servers: &[SocketAddr],
    mut take: impl FnMut(Fact<'_>),
) -> Result<Asked, NetError> {
    let resolver = resolver_of(servers)?.build()?;
    let mut lookup = Lookup { resolver, asked: Asked::default(), done: HashSet::new() };
    let mut found = BTreeSet::new();
    for name in names {
        let name = plain(&name);
        lookup.addresses(&name, &mut take).await;
        // The apex is the first that has name servers; the labels above it are of others.
        let mut domain = name.as_str();
        loop {
            let has_servers = lookup.servers(domain, &mut found, &mut take).await;
            let above = domain.split_once('.').map_or("", |(_, above)| above);
            if has_servers || !above.contains('.') {
                break;
            }
            domain = above;
        }
        if domain != name {
            lookup.addresses(domain, &mut take).await;
        }
    }
    for name in found {
        lookup.addresses(&name, &mut take).await;
    }
    Ok(lookup.asked)
}

struct Lookup {
    resolver: TokioResolver,
    asked: Asked,
    /// What was asked already.
    done: HashSet<(String, RecordType)>,
}

impl Lookup {
    async fn ask(&mut self, name: &str, kind: RecordType) -> Vec<RData> {
        let is_new = self.done.len() < MAX_NAMES * 4 && self.done.insert((name.to_owned(), kind));
        if !is_new || name.is_empty() {
            return Vec::new();
        }
        if self.asked.questions > 0 {
            sleep(PAUSE).await;
        }
        self.asked.questions += 1;
        match self.resolver.lookup(format!("{name}."), kind).await {
            Ok(lookup) => lookup.answers().iter().map(|record| record.data.clone()).collect(),
            Err(error) => {
                self.asked.failures += usize::from(!error.is_no_records_found());
                Vec::new()
            }
        }
    }

    async fn addresses(&mut self, name: &str, take: &mut impl FnMut(Fact<'_>)) {
        for kind in [RecordType::A, RecordType::AAAA] {
            for data in self.ask(name, kind).await {
                if let Some(address) = data.ip_addr() {
                    take(Fact::Named { name, address });
                }
            }
        }
    }

    /// Has this domain name servers? It and its mail servers are added to `servers`.
    async fn servers(
        &mut self,
        zone: &str,
        servers: &mut BTreeSet<String>,
        take: &mut impl FnMut(Fact<'_>),
    ) -> bool {
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
            take(Fact::Serves { name: &name, role, zone });
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

//! A host as a candidate: what it is for, how to ask it, and how much it would tell.

use super::{
    known::{Day, Known},
    names::Names,
};
use jiff::civil::Date;
use lifesign_formats::survey::{Pool, Role, pool_of, role_of};
use std::net::IpAddr;

/// Services that people keep up, the best first.
const STEADY: [u16; 16] =
    [443, 80, 25, 22, 53, 179, 110, 143, 587, 993, 995, 465, 8080, 8443, 21, 23];
/// Asking one host in more ways takes probes from others.
const MOST_PROBES: usize = 3;

/// Why a host is not for a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfit {
    /// The deny list has it.
    Denied,
    /// So many ports are open that a firewall answers for it.
    AcceptsAll,
    /// Its name is that of a dynamic pool, whose addresses are given to others soon.
    Dynamic,
    /// Its name is that of a network for content.
    Cdn,
    /// It is the address of no host, or may be that of a network or of broadcasts.
    NoHost,
    /// There are better ones in its block.
    Enough,
}

impl Unfit {
    /// As a sentence has it.
    pub fn words(self) -> &'static str {
        match self {
            Unfit::Denied => "in the deny list",
            Unfit::AcceptsAll => "accepts every port, so a firewall answers for it",
            Unfit::Dynamic => "by its name an address of a dynamic pool",
            Unfit::Cdn => "by its name of a network for content",
            Unfit::NoHost => "no address of a host, or that of a network or of broadcasts",
            Unfit::Enough => "its block has enough without it",
        }
    }
}

/// A host that may be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    pub address: IpAddr,
    pub role: Option<Role>,
    /// The name that says most.
    pub name: Option<String>,
    pub probes: Vec<String>,
    /// Bit for bit the files that have it.
    pub sources: u64,
    /// When it was there, ascending.
    pub days: Vec<Date>,
    /// How much it would tell.
    pub points: u32,
    /// More of it answers than echo requests.
    pub serves: bool,
}

impl Host {
    pub fn of(address: IpAddr, known: &Known, names: &Names, files: &[Day]) -> Self {
        let days = known.days(files);
        let mut all: Vec<&str> = known.names.iter().map(|&id| names.name(id)).collect();
        all.sort_by_key(|name| (name.len(), *name));
        let served = || all.iter().filter_map(|name| Some((*name, names.served(name)?)));
        let zone = served()
            .filter_map(|(name, served)| Some((served.zone.as_deref()?, name)))
            .min_by_key(|(zone, name)| (zone.len(), *zone, *name));
        let mail = served().find(|(_, served)| served.is_mail).map(|(name, _)| name);
        let by_custom = all.iter().filter_map(|name| Some((role_of(name)?, *name))).min();
        let has = |ports: &[u16]| ports.iter().any(|port| known.open.contains(port));
        let by_port = if has(&[53]) || known.dns {
            Some(Role::NameServer)
        } else if has(&[25, 465, 587, 110, 143, 993, 995]) {
            Some(Role::Mail)
        } else if has(&[80, 443, 8080, 8443]) {
            Some(Role::Web)
        } else {
            has(&[179]).then_some(Role::Router)
        };
        let by_name = by_custom.map(|(role, _)| role);
        let role = if zone.is_some() {
            Some(Role::NameServer)
        } else if mail.is_some() {
            Some(Role::Mail)
        } else {
            by_name.into_iter().chain(by_port).min()
        };
        let name = zone.map(|(_, name)| name).or(mail);
        let name = name.or(by_custom.map(|(_, name)| name)).or(all.first().copied());
        let probes = probes(known, zone.map(|(zone, _)| zone), role);
        let sources = known.sources.count_ones();
        let points = 32 * u32::from(days.len() > 1)
            + 24 * u32::from(sources > 1)
            + match role {
                Some(Role::NameServer) => 8,
                Some(Role::Mail) => 6,
                Some(Role::Web) => 4,
                Some(Role::Router) => 3,
                None => 0,
            }
            + u32::from(known.echo)
            + u32::from(!known.open.is_empty());
        Self {
            address,
            role,
            name: name.map(str::to_owned),
            serves: probes.len() > 1,
            probes,
            sources: known.sources,
            days,
            points,
        }
    }
}

/// How to ask it: by ICMP, and by what it serves; where nobody has seen that, by what it is for.
fn probes(known: &Known, zone: Option<&str>, role: Option<Role>) -> Vec<String> {
    let mut probes = vec!["icmp".to_owned()];
    if let Some(zone) = zone.filter(|zone| is_askable(zone)) {
        probes.push(format!("dns/{zone}/SOA"));
    }
    let place =
        |port: &u16| STEADY.iter().position(|steady| steady == port).unwrap_or(STEADY.len());
    let mut open = known.open.clone();
    open.sort_by_key(|port| (place(port), *port));
    probes.extend(open.iter().filter(|&&port| port > 0).map(|port| format!("tcp/{port}")));
    // A refusal is an answer, and needs no service.
    if probes.len() == 1
        && let Some(port) = known.closed.filter(|&port| port > 0)
    {
        probes.push(format!("tcp/{port}"));
    }
    let usual = match role {
        Some(Role::NameServer) => 53,
        Some(Role::Mail) => 25,
        Some(Role::Web) => 80,
        Some(Role::Router) | None => 0,
    };
    if probes.len() == 1 && usual > 0 {
        probes.push(format!("tcp/{usual}"));
    }
    probes.truncate(MOST_PROBES);
    probes
}

/// May a plan ask for this zone?
fn is_askable(zone: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    zone.len() <= 200 && zone.split('.').all(is_label)
}

/// Why an address is not for a plan, whatever else is known of it.
pub(super) fn unfit(address: IpAddr, known: &Known, names: &Names) -> Option<Unfit> {
    if known.accepts_all {
        return Some(Unfit::AcceptsAll);
    }
    // As a plan refuses them, and those that a /24 has at its ends.
    let is_none = match address {
        IpAddr::V4(v4) => {
            [0, 255].contains(&v4.octets()[3]) || v4.octets()[0] == 0 || v4.octets()[0] >= 224
        }
        IpAddr::V6(v6) => v6.is_multicast() || v6.is_unspecified() || v6.is_unicast_link_local(),
    };
    if is_none {
        return Some(Unfit::NoHost);
    }
    // One that serves a domain is steady, whatever else its names say.
    if known.names.iter().any(|&id| names.served(names.name(id)).is_some()) {
        return None;
    }
    known.names.iter().find_map(|&id| {
        pool_of(names.name(id)).map(|pool| match pool {
            Pool::Dynamic => Unfit::Dynamic,
            Pool::Cdn => Unfit::Cdn,
        })
    })
}

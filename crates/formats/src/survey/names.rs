//! What the name of a host says of it.

use super::Role;

/// A pool that a name is of: such a host tells little of its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Addresses of dynamic pools, which are given to others soon.
    Dynamic,
    /// A network for content, which is everywhere.
    Cdn,
}

/// Words that stand in the names of dynamic pools.
const DYNAMIC: [&str; 15] = [
    "dyn",
    "dynamic",
    "dynamicip",
    "pool",
    "dhcp",
    "dsl",
    "adsl",
    "vdsl",
    "xdsl",
    "ppp",
    "pppoe",
    "dialup",
    "dial",
    "broadband",
    "mobile",
];
/// Domains whose hosts are caches of others' content.
const CDN: [&str; 10] = [
    "akamaitechnologies.com",
    "akamaiedge.net",
    "akamai.net",
    "edgekey.net",
    "edgesuite.net",
    "cloudfront.net",
    "fastly.net",
    "llnwd.net",
    "azureedge.net",
    "cdn77.org",
];

/// The pool that this name is of.
pub fn pool_of(name: &str) -> Option<Pool> {
    let is_below = |domain: &str| {
        let front = name.strip_suffix(domain);
        front.is_some_and(|front| front.is_empty() || front.ends_with('.'))
    };
    if CDN.into_iter().any(is_below) || words(name).any(|word| word == "cdn") {
        return Some(Pool::Cdn);
    }
    words(name).any(|word| DYNAMIC.contains(&word)).then_some(Pool::Dynamic)
}

/// What a host of this name is for, by the custom of its first label.
pub fn role_of(name: &str) -> Option<Role> {
    let label = name.split('.').next()?;
    let word = label.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '-');
    Some(match word {
        "ns" | "dns" | "nameserver" => Role::NameServer,
        "mail" | "smtp" | "mx" | "imap" | "pop" | "webmail" | "relay" => Role::Mail,
        "www" | "web" | "http" => Role::Web,
        "gw" | "gateway" | "rtr" | "router" | "core" | "edge" | "border" | "bgp" | "lo" => {
            Role::Router
        }
        _ => return None,
    })
}

/// The words of all labels, without the numbers at their ends.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.map(|word| word.trim_matches(|letter: char| letter.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_roles_and_pools() {
        for (name, role) in [
            ("ns1.kptc.kp", Some(Role::NameServer)),
            ("mail.star.edu.kp", Some(Role::Mail)),
            ("mx-2.example.net", Some(Role::Mail)),
            ("www.example.net", Some(Role::Web)),
            ("gw3.example.net", Some(Role::Router)),
            ("naenara.com.kp", None),
            ("", None),
        ] {
            assert_eq!(role_of(name), role, "{name}");
        }
        for (name, pool) in [
            ("203-0-113-9.dyn.example.net", Some(Pool::Dynamic)),
            ("pool1-9.example.net", Some(Pool::Dynamic)),
            ("adsl2.example.net", Some(Pool::Dynamic)),
            ("a203-0-113-9.deploy.akamaitechnologies.com", Some(Pool::Cdn)),
            ("cdn3.example.net", Some(Pool::Cdn)),
            ("notcloudfront.net", None),
            ("carpool.example.net", None),
            ("www.example.net", None),
        ] {
            assert_eq!(pool_of(name), pool, "{name}");
        }
    }
}

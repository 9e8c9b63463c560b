//! A road of routers: namespaces in a row, from a vantage to a country, in both address families.

use super::namespace::{Namespace, join};
use std::fmt::Write as _;

/// ```text
/// vantage .1.1 ─ .1.2 router 1 .2.1 ─ .2.2 router 2 … router n .n+1.1 ─ .n+1.2 country 10.45.176.0/22
///                10.77.0.53 (control)                                           fd45:176::/64
/// ```
/// Links are 10.77.i.0/24 and fd77:i::/64.
pub struct Chain {
    pub vantage: Namespace,
    /// Router 1 is the first.
    pub routers: Vec<Namespace>,
    pub country: Namespace,
    /// Stands beside router 3, where there are two equal ways past it.
    pub beside: Option<Namespace>,
}

/// The address of router `hop`, as the vantage sees it.
pub fn router_v4(hop: usize) -> String {
    format!("10.77.{hop}.2")
}

/// The same for IPv6.
pub fn router_v6(hop: usize) -> String {
    format!("fd77:{hop}::2")
}

/// What keeps every address usable at once (RFC 4862 §5.4 would have it wait).
const NO_DETECTION: &str = "for one in all default; do
    echo 0 > /proc/sys/net/ipv6/conf/$one/accept_dad; done";

impl Chain {
    /// All is well on it. The vantage is a namespace that has no network yet.
    pub fn new(vantage: Namespace, routers: usize) -> Self {
        let chain = Self {
            vantage,
            routers: (0..routers).map(|_| router()).collect(),
            country: Namespace::new(),
            beside: None,
        };
        let last = routers + 1;
        chain.vantage.sh(NO_DETECTION);
        chain.country.sh(NO_DETECTION);
        for link in 1..=last {
            let [near, far] = [chain.node(link - 1), chain.node(link)];
            let [left, right] = [1, 2].map(|end| format!("10.77.{link}.{end}/24"));
            let device = format!("on{link}");
            let peer = format!("back{link}");
            join([(near, &device, &left), (far, &peer, &right)]);
            near.sh(&format!("ip -6 addr add fd77:{link}::1/64 dev {device} nodad"));
            far.sh(&format!("ip -6 addr add fd77:{link}::2/64 dev {peer} nodad"));
        }
        chain.vantage.sh("ip route add default via 10.77.1.2
             ip -6 route add default via fd77:1::2");
        for hop in 1..=routers {
            let mut lines = format!(
                "ip route add default via 10.77.{0}.2; ip -6 route add default via fd77:{0}::2\n",
                hop + 1
            );
            for link in 1..hop {
                let _ = writeln!(
                    lines,
                    "ip route add 10.77.{link}.0/24 via 10.77.{hop}.1
                     ip -6 route add fd77:{link}::/64 via fd77:{hop}::1"
                );
            }
            chain.router(hop).sh(&lines);
        }
        chain.router(1).sh("ip addr add 10.77.0.53/32 dev lo");
        chain.country.sh(&format!(
            "ip route add default via 10.77.{last}.1; ip -6 route add default via fd77:{last}::1
             ip route add local 10.45.176.0/22 dev lo
             ip -6 route add local fd45:176::/64 dev lo"
        ));
        chain
    }

    /// The same with two equal ways past router 3, by nexthop groups (ip-nexthop(8)).
    pub fn balanced(vantage: Namespace, routers: usize) -> Self {
        let mut chain = Self::new(vantage, routers);
        let beside = router();
        join([(chain.router(2), "side", "10.78.3.1/24"), (&beside, "back", "10.78.3.2/24")]);
        join([(&beside, "on", "10.78.4.1/24"), (chain.router(4), "side", "10.78.4.2/24")]);
        beside.sh("ip route add default via 10.78.4.2; ip route add 10.77.0.0/16 via 10.78.3.1");
        chain.router(2).sh("ip nexthop add id 1 via 10.77.3.2 dev on3
             ip nexthop add id 2 via 10.78.3.2 dev side
             ip nexthop add id 3 group 1/2
             ip route replace default nhid 3");
        chain.beside = Some(beside);
        chain
    }

    /// A namespace of the row: 0 is the vantage, and behind the last router is the country.
    fn node(&self, hop: usize) -> &Namespace {
        match hop.checked_sub(1) {
            None => &self.vantage,
            Some(index) => self.routers.get(index).unwrap_or(&self.country),
        }
    }

    /// Router 1 is the first.
    pub fn router(&self, hop: usize) -> &Namespace {
        &self.routers[hop - 1]
    }

    /// From now on this router does this with what it forwards: `ip daddr 10.45.176.0/22 drop`.
    pub fn rule(&self, hop: usize, rule: &str) {
        self.router(hop).sh(&format!("nft add rule inet lab forward {rule}"));
    }

    /// The same, until this command is run on it, which is returned.
    pub fn broken(&self, hop: usize, rule: &str) -> String {
        let told =
            self.router(hop).sh(&format!("nft --echo --handle add rule inet lab forward {rule}"));
        let (_, handle) = told.trim().rsplit_once("# handle ").expect("a handle");
        format!("nft delete rule inet lab forward handle {handle}")
    }

    /// This router says nothing of its own any more.
    pub fn silence(&self, hop: usize) {
        self.router(hop).sh(
            "nft add rule inet lab output icmp type '{ time-exceeded, destination-unreachable }' drop
             nft add rule inet lab output icmpv6 type '{ time-exceeded, destination-unreachable }' drop",
        );
    }

    /// All routers speak again and let everything pass.
    pub fn mend(&self) {
        for router in &self.routers {
            router.sh("nft flush table inet lab");
        }
    }
}

fn router() -> Namespace {
    let router = Namespace::new();
    router.sh(NO_DETECTION);
    router.sh("echo 1 > /proc/sys/net/ipv4/ip_forward
         echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
         nft add table inet lab
         nft add chain inet lab forward '{ type filter hook forward priority 0; }'
         nft add chain inet lab output '{ type filter hook output priority 0; }'");
    router
}

//! Where a path breaks, and what is known of its hops.

use lifesign_model::{outcome::IcmpCode, time::Time};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, sync::Arc};

lifesign_model::labelled! {
    /// Where on the way a path breaks.
    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    Place {
        /// Within the hops that it shares with the paths to the controls, which are silent too.
        NearUs => "near_us",
        /// Between networks that are not theirs.
        OnTheWay => "on_the_way",
        /// The last answer comes from outside their networks, the first silence is inside.
        AtTheirBorder => "at_their_border",
        /// Their own routers answer.
        Inside => "inside",
        /// Too many hops are silent, or nothing was known of the path.
        Unknown => "unknown",
    }
}

/// The network that an address belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NetworkOf {
    /// Its autonomous system number.
    pub asn: u32,
    /// Its name; empty if the table has none.
    pub name: Arc<str>,
}

/// As people read it: `AS4837 China Unicom`.
impl fmt::Display for NetworkOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.name.is_empty() { "" } else { " " };
        write!(f, "AS{}{space}{}", self.asn, self.name)
    }
}

/// Which network has an address, from a table that the user gives.
#[derive(Clone)]
pub struct Networks(Arc<dyn Fn(IpAddr) -> Option<NetworkOf> + Send + Sync>);

impl Networks {
    /// What `find` says of each address.
    pub fn new(find: impl Fn(IpAddr) -> Option<NetworkOf> + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }

    /// The network of an address, if it is known.
    pub fn of(&self, address: IpAddr) -> Option<NetworkOf> {
        (self.0)(address)
    }
}

/// No network is known.
impl Default for Networks {
    fn default() -> Self {
        Self::new(|_| None)
    }
}

impl fmt::Debug for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Networks")
    }
}

/// A router or target that was heard.
#[derive(Clone, Debug, PartialEq)]
pub struct HopSeen {
    /// How many hops away it is: 1 is our own router.
    pub hop_limit: u8,
    /// Its address; of several that share the load, the one heard last.
    pub address: IpAddr,
    /// Its network, if the table has it.
    pub network: Option<NetworkOf>,
    /// When it was heard last.
    pub heard: Time,
}

/// What a router said. It is evidence, not truth: routers err, and paths move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// ICMP destination unreachable.
    Unreachable(IcmpCode),
    /// Packets come back to a router that they have passed.
    Loop,
}

/// Where a path breaks: beyond `last`, before or at `first_silent`.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceView {
    /// The place in a word.
    pub place: Place,
    /// When it was found.
    pub found: Time,
    /// When the doubt began in which it was found.
    pub since: Time,
    /// The last hop that answers; None if not even the first does.
    pub last: Option<HopSeen>,
    /// The first hop behind it that used to answer and does not.
    pub first_silent: Option<HopSeen>,
    /// What a router said, and which.
    pub said: Option<(IpAddr, Word)>,
    /// How many probes the paths of this scope got for it.
    pub probes: u32,
}

/// One hop of a block's path.
#[derive(Clone, Debug, PartialEq)]
pub struct HopView {
    /// How many hops away it is.
    pub hop_limit: u8,
    /// The addresses that answer there, newest first: several where routers share the load.
    /// Nothing if it is silent.
    pub addresses: Vec<IpAddr>,
    /// The network of the newest address.
    pub network: Option<NetworkOf>,
    /// How often it answers when asked, from 0 to 1.
    pub answers: f64,
    /// When it was heard last; never, if that is None.
    pub heard: Option<Time>,
}

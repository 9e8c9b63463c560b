//! Paths in the state: where one breaks, and its hops.

use lifesign_core::{
    scopes::{BlockId, Scope},
    time::{Time, WallOffset},
    watch::Snapshot,
};
use lifesign_path::{HopSeen, HopView, NetworkOf, PathView, PlaceView, Word};
use serde::Serialize;
use std::net::IpAddr;

/// Where the path to a scope breaks.
#[derive(Serialize)]
pub(crate) struct PlaceJson {
    /// One of `near_us on_the_way at_their_border inside unknown`.
    place: &'static str,
    found: String,
    /// When the doubt began.
    since: String,
    /// The last hop that answers.
    last: Option<HopSeenJson>,
    /// The first behind it that used to answer and does not.
    first_silent: Option<HopSeenJson>,
    /// What a router says.
    said: Option<SaidJson>,
    /// How many trace probes it took.
    probes: u32,
    /// For people.
    sentence: String,
}

#[derive(Serialize)]
struct HopSeenJson {
    hop: u8,
    address: IpAddr,
    asn: Option<u32>,
    network: Option<String>,
    heard: String,
}

#[derive(Serialize)]
struct SaidJson {
    from: IpAddr,
    /// `unreachable` or `loop`.
    what: &'static str,
    icmp_type: Option<u8>,
    icmp_code: Option<u8>,
}

/// The path to a block.
#[derive(Serialize)]
pub(crate) struct PathJson {
    hops: Vec<HopJson>,
    /// The networks before theirs that were seen, the present one first.
    upstreams: Vec<NetworkJson>,
    /// How often it was found to have moved.
    changes: u64,
}

#[derive(Serialize)]
struct HopJson {
    hop: u8,
    /// Newest first; none if it is silent.
    addresses: Vec<IpAddr>,
    asn: Option<u32>,
    network: Option<String>,
    /// How often it answers when asked, 0 to 1.
    answers: f64,
    heard: Option<String>,
}

#[derive(Serialize)]
struct NetworkJson {
    asn: u32,
    network: Option<String>,
}

/// None while it lives, and until it is known.
pub(crate) fn place(snapshot: &Snapshot, scope: Scope) -> Option<PlaceJson> {
    let offset = snapshot.wall_offset;
    let view: &PlaceView = snapshot.paths.place(scope)?;
    Some(PlaceJson {
        place: view.place.label(),
        found: written(offset, view.found),
        since: written(offset, view.since),
        last: view.last.as_ref().map(|hop| seen(hop, offset)),
        first_silent: view.first_silent.as_ref().map(|hop| seen(hop, offset)),
        said: view.said.map(said),
        probes: view.probes,
        sentence: view.sentence(|time| offset.written(time)) + ".",
    })
}

/// None if no path is traced, or nothing of it is known.
pub(crate) fn path(snapshot: &Snapshot, block: BlockId) -> Option<PathJson> {
    let view: &PathView = snapshot.paths.blocks.get(block.0 as usize)?;
    let offset = snapshot.wall_offset;
    let hop = |hop: &HopView| HopJson {
        hop: hop.hop_limit,
        addresses: hop.addresses.clone(),
        asn: hop.network.as_ref().map(|network| network.asn),
        network: hop.network.as_ref().and_then(name),
        answers: (hop.answers * 1000.0).round() / 1000.0,
        heard: hop.heard.map(|heard| written(offset, heard)),
    };
    let network = |of: &NetworkOf| NetworkJson { asn: of.asn, network: name(of) };
    (!view.hops.is_empty()).then(|| PathJson {
        hops: view.hops.iter().map(hop).collect(),
        upstreams: view.upstreams.iter().map(network).collect(),
        changes: view.changes,
    })
}

fn seen(hop: &HopSeen, offset: WallOffset) -> HopSeenJson {
    HopSeenJson {
        hop: hop.hop_limit,
        address: hop.address,
        asn: hop.network.as_ref().map(|network| network.asn),
        network: hop.network.as_ref().and_then(name),
        heard: written(offset, hop.heard),
    }
}

fn said((from, word): (IpAddr, Word)) -> SaidJson {
    let (what, code) = match word {
        Word::Unreachable(code) => ("unreachable", Some(code)),
        Word::Loop => ("loop", None),
    };
    let icmp_type = code.map(|code| code.kind);
    SaidJson { from, what, icmp_type, icmp_code: code.map(|code| code.code) }
}

fn name(network: &NetworkOf) -> Option<String> {
    (!network.name.is_empty()).then(|| network.name.to_string())
}

fn written(offset: WallOffset, time: Time) -> String {
    offset.written(time).to_string()
}

//! Paths in the state: where one breaks, and its hops.

use lifesign_core::{
    scopes::{BlockId, Family, Scope},
    time::{Time, WallOffset},
    watch::Snapshot,
};
use lifesign_journal::path::PlaceJson;
use lifesign_path::{HopView, NetworkOf, PathView, PlaceView};
use serde::Serialize;
use std::net::IpAddr;

/// Where the path to a scope breaks, and the same for people.
#[derive(Serialize)]
pub(crate) struct PathBreak {
    #[serde(flatten)]
    place: PlaceJson,
    place_sentence: String,
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
pub(crate) fn path_break(snapshot: &Snapshot, scope: Scope) -> Option<PathBreak> {
    Some(told(snapshot, snapshot.paths.place(scope)?))
}

/// Where our own way out breaks; None while we are not blind, and until it is known.
pub(crate) fn own_break(snapshot: &Snapshot, family: Family) -> Option<PathBreak> {
    Some(told(snapshot, snapshot.paths.own[family].as_ref()?))
}

fn told(snapshot: &Snapshot, view: &PlaceView) -> PathBreak {
    let offset = snapshot.wall_offset;
    let now = offset.written(snapshot.time);
    let place_sentence = view.sentence(|time| offset.written(time), Some(now)) + ".";
    PathBreak { place: PlaceJson::new(view, offset), place_sentence }
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

fn name(network: &NetworkOf) -> Option<String> {
    (!network.name.is_empty()).then(|| network.name.to_string())
}

fn written(offset: WallOffset, time: Time) -> String {
    offset.written(time).to_string()
}

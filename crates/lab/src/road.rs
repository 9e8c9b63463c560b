//! The `[[path]]` tables of a scenario file: which hops lie on the way to whom, and what befalls
//! them.

use super::event_scope::{EventScope, scopes};
use lifesign_core::{
    outcome::IcmpCode,
    scopes::{BlockId, Roster, Scope},
    time::Time,
};
use lifesign_document::{LinesByName, Table, network_name};

/// The most hops of a path, and the most equal routers of a hop.
const MOST_HOPS: usize = 30;
const MOST_BALANCED: i64 = 4;
/// The most paths of a file.
const MOST_PATHS: usize = 200;

/// The path to some blocks, hop by hop from us.
#[derive(Clone, Debug)]
pub(super) struct Road {
    /// Whose.
    pub blocks: Vec<u32>,
    pub hops: Vec<RoadHop>,
    /// So many of its first hops lie on the paths to the controls, and on all other paths, too.
    pub shared: usize,
}

#[derive(Clone, Debug)]
pub(super) struct RoadHop {
    /// Number and name of its network.
    pub network: Option<(u32, String)>,
    /// It belongs to those who are watched.
    pub is_inside: bool,
    /// Each block has a router of its own here.
    pub is_own: bool,
    /// How often it answers when asked.
    pub answers: f64,
    /// How many answers it gives per second.
    pub limit: Option<f64>,
    /// So many equal routers share the load.
    pub balanced: u8,
    /// They do so packet by packet, rather than flow by flow.
    pub is_by_packet: bool,
}

/// Which packets a cut takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Both,
    Forward,
    Back,
}

/// What befalls a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum RoadEffect {
    /// Nothing passes, without a word.
    Cut(Way),
    /// The last hop before it says that nothing passes.
    Says(IcmpCode),
    /// The last hop before it sends everything back.
    Loop,
    /// So many hops behind it are others, and there are so many more, perhaps of another network.
    Reroute { hops: usize, longer: usize, network: Option<(u32, String)> },
}

#[derive(Clone, Debug)]
pub(super) struct RoadEvent {
    pub from: Time,
    pub to: Time,
    pub blocks: Vec<u32>,
    /// Behind this hop; 0 is ourselves.
    pub after: usize,
    pub effect: RoadEffect,
}

/// The blocks of a country or a prefix.
pub(super) fn blocks_of(scope: EventScope, roster: &Roster) -> Vec<u32> {
    match scope {
        EventScope::Country(id) => roster.countries[id as usize].blocks.clone().collect(),
        EventScope::Block(id) => vec![id],
        EventScope::Us | EventScope::Control(_) | EventScope::Host(_) => Vec::new(),
    }
}

/// Number and name of a network, if a table has them.
pub(super) fn network(table: Table<'_>) -> Option<(u32, String)> {
    let asn = table.get("asn").and_then(|value| value.integer(1..=u32::MAX.into()));
    let name = table.get("network");
    if let (Some(value), None) = (name, asn) {
        value.note("a network has a number too; write asn = 4837");
    }
    let name = name.and_then(|value| network_name(value, &mut LinesByName::new()));
    asn.map(|asn| (asn as u32, name.unwrap_or_default().to_owned()))
}

/// All paths of a file.
pub(super) fn roads(root: Table<'_>, roster: &Roster) -> Vec<Road> {
    let mut roads: Vec<Road> = Vec::new();
    for table in root.tables("path", "path") {
        table.only(&["on", "shared", "hop"]);
        if roads.len() >= MOST_PATHS {
            table.note(&format!("this is more than {MOST_PATHS} paths; write fewer"));
            break;
        }
        let hops: Vec<RoadHop> = table.tables("hop", "path.hop").into_iter().map(hop).collect();
        if hops.is_empty() || hops.len() > MOST_HOPS {
            table.note(&format!(
                "a path has 1 to {MOST_HOPS} hops; write [[path.hop]] for each, with answers = 0.9"
            ));
        }
        let on = table.need("on", "\"KP\"");
        let mut blocks = Vec::new();
        for scope in on.map_or_else(Vec::new, |value| scopes(value, roster, 0)) {
            blocks.extend(blocks_of(scope, roster));
        }
        if let (Some(value), true) = (on, blocks.is_empty()) {
            value.note("a path leads to a country or a prefix; write on = \"KP\"");
        }
        let taken = |block: &&u32| roads.iter().any(|road| road.blocks.contains(block));
        if let (Some(value), Some(&block)) = (on, blocks.iter().find(taken)) {
            let prefix = roster.block(BlockId(block)).prefix;
            value.note(&format!("{prefix} has a path already; keep one of them"));
        }
        let most = hops.len().saturating_sub(1) as i64;
        let shared = table.get("shared").and_then(|value| value.integer(0..=most)).unwrap_or(0);
        let shared = shared as usize;
        if hops.iter().take(shared).any(|hop| hop.is_own || hop.is_inside) {
            table.note("a hop that all share is nobody's own; write a smaller \"shared\"");
        }
        roads.push(Road { blocks, hops, shared });
    }
    roads
}

fn hop(table: Table<'_>) -> RoadHop {
    table.only(&[
        "asn",
        "network",
        "inside",
        "own",
        "answers",
        "hidden",
        "limit",
        "balanced",
        "by_packet",
    ]);
    let flag = |key| table.get(key).and_then(lifesign_document::Value::flag).unwrap_or(false);
    let answers = table.get("answers").and_then(|value| value.number(0.0..=1.0)).unwrap_or(1.0);
    let is_hidden = flag("hidden");
    if let (true, Some(value)) = (is_hidden, table.get("answers")) {
        value.note("a hidden hop never answers; drop \"answers\" or \"hidden\"");
    }
    let balanced = table.get("balanced").and_then(|value| value.integer(1..=MOST_BALANCED));
    RoadHop {
        network: network(table),
        is_own: flag("own"),
        is_inside: flag("inside") || flag("own"),
        answers: if is_hidden { 0.0 } else { answers },
        limit: table.get("limit").and_then(|value| value.rate(1000.0)),
        balanced: balanced.unwrap_or(1) as u8,
        is_by_packet: flag("by_packet"),
    }
}

/// The keys of events that befall a path.
pub(super) const KEYS: &[&str] = &["after", "way", "hops", "longer", "asn", "network"];

/// Where on the path, and in which way.
pub(super) fn way(table: Table<'_>) -> Way {
    match table.get("way").and_then(|value| value.one_of(&["both", "forward", "back"])) {
        Some("forward") => Way::Forward,
        Some("back") => Way::Back,
        _ => Way::Both,
    }
}

/// Other hops from here on.
pub(super) fn reroute(table: Table<'_>) -> RoadEffect {
    let number = |key, least: i64, default: i64| {
        table.get(key).and_then(|value| value.integer(least..=8)).unwrap_or(default) as usize
    };
    RoadEffect::Reroute {
        hops: number("hops", 1, 1),
        longer: number("longer", 0, 0),
        network: network(table),
    }
}

/// The blocks that an event on a path befalls, with its hop; what is wrong with it is noted.
pub(super) fn befallen(
    table: Table<'_>,
    scopes: &[EventScope],
    roads: &[Road],
    roster: &Roster,
) -> Option<(Vec<u32>, usize, bool)> {
    let value = table.need("after", "3")?;
    let after = value.integer(0..=MOST_HOPS as i64)? as usize;
    let blocks: Vec<u32> = scopes.iter().flat_map(|&scope| blocks_of(scope, roster)).collect();
    let mut is_ours = false;
    for block in &blocks {
        let Some(road) = roads.iter().find(|road| road.blocks.contains(block)) else {
            let prefix = roster.name_of(Scope::Block(BlockId(*block)));
            value.note(&format!("nothing is known of the path to {prefix}; write [[path]] for it"));
            return None;
        };
        if after > road.hops.len() {
            value.note(&format!(
                "the path has {} hops; write 0 to {}",
                road.hops.len(),
                road.hops.len()
            ));
            return None;
        }
        is_ours |= after < road.shared;
    }
    Some((blocks, after, is_ours))
}

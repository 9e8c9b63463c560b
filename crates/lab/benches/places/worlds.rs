//! The worlds of the table, as texts of scenario files.

use lifesign_core::rng::Rng;
use lifesign_lab::Scenario;
use std::fmt::Write as _;

/// A kind of break.
pub struct Kind {
    pub name: &'static str,
    event: &'static str,
    /// Keys of the event.
    keys: &'static str,
    /// Lines of `[weather]`.
    weather: &'static str,
    /// Keys of a hop, by its number.
    hop: fn(usize) -> &'static str,
}

impl Kind {
    /// A router gets what was to go on.
    pub fn is_turned_back(&self) -> bool {
        matches!(self.event, "says" | "loop")
    }
}

const MOSTLY: &str = "answers = 0.98";

fn mostly(_: usize) -> &'static str {
    MOSTLY
}

fn silent(hop: usize) -> &'static str {
    if hop.is_multiple_of(3) { "hidden = true" } else { MOSTLY }
}

fn very_silent(hop: usize) -> &'static str {
    if (3..=6).contains(&hop) { "hidden = true" } else { MOSTLY }
}

fn equal(hop: usize) -> &'static str {
    if (3..=4).contains(&hop) { "answers = 0.98\nbalanced = 2" } else { MOSTLY }
}

fn by_packet(hop: usize) -> &'static str {
    if (3..=4).contains(&hop) { "answers = 0.98\nbalanced = 2\nby_packet = true" } else { MOSTLY }
}

fn limited(_: usize) -> &'static str {
    "limit = \"1/s\""
}

fn often(_: usize) -> &'static str {
    "answers = 0.7"
}

const fn plain(name: &'static str, event: &'static str, keys: &'static str) -> Kind {
    Kind { name, event, keys, weather: "", hop: mostly }
}

const fn cut(name: &'static str, hop: fn(usize) -> &'static str) -> Kind {
    Kind { name, event: "cut", keys: "", weather: "", hop }
}

pub const KINDS: &[Kind] = &[
    plain("both ways", "cut", "way = \"both\""),
    plain("forward", "cut", "way = \"forward\""),
    plain("return", "cut", "way = \"back\""),
    plain("unreachable", "says", ""),
    Kind { weather: "loss = 0.1", ..cut("10 % loss", mostly) },
    cut("every third router silent", silent),
    cut("routers 3 to 6 silent", very_silent),
    cut("two equal paths", equal),
    cut("two equal paths, by packet", by_packet),
    cut("1/s limit", limited),
    cut("answers in 7 of 10", often),
    plain("loop", "loop", ""),
];

/// So many hops are ours, and shared with the controls.
const SHARED: usize = 2;

/// A path of so many routers, of which the last two are theirs, and the one before these
/// upstream's.
fn path(hops: usize, each: fn(usize) -> &'static str) -> String {
    let mut text = format!("[[path]]\non = \"KP\"\nshared = {SHARED}\n");
    for hop in 1..=hops {
        let network = match hop {
            _ if hop <= SHARED => "asn = 64496\nnetwork = \"Us\"",
            _ if hop == hops => "own = true",
            _ if hop == hops - 1 => "inside = true",
            _ if hop >= hops - 3 => "asn = 4837\nnetwork = \"China Unicom\"",
            _ => "asn = 3356\nnetwork = \"Level 3\"",
        };
        let _ = writeln!(text, "[[path.hop]]\n{network}\n{}", each(hop));
    }
    text
}

fn world(hours: u64, weather: &str, more: &str) -> Scenario {
    let text = format!(
        "story = \"a world of the laboratory\"\nstart = \"2024-03-01T00:00:00Z\"\n\
         duration = \"{hours}h\"\n[weather]\n{weather}\n[[country]]\ncode = \"KP\"\n\
         blocks = [\"127.45.176.0/24\", \"127.45.177.0/24\", \"127.45.178.0/24\", \
         \"127.45.179.0/24\"]\nhosts = 5\nprobes = [\"icmp\"]\n{more}"
    );
    Scenario::parse("world", &text).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

fn event(text: &mut String, kind: &str, seconds: u64, length: u64, on: &str, keys: &str) {
    let _ = write!(
        text,
        "[[event]]\nkind = \"{kind}\"\nat = \"+{seconds}s\"\nfor = \"{length}s\"\non = \"{on}\"\n\
         {keys}\n"
    );
}

const BLOCKS: [&str; 4] =
    ["127.45.176.0/24", "127.45.177.0/24", "127.45.178.0/24", "127.45.179.0/24"];

/// Breaks behind each hop that is not ours, now of the country, now of one block.
pub fn breaks(kind: &Kind, seed: u64) -> Scenario {
    let mut rng = Rng::new(seed);
    let hops = 7 + rng.below(6);
    let mut text = path(hops, kind.hop);
    let mut at = 4 * 3600;
    for after in SHARED..=hops {
        at += 3 * 3600 + rng.below(3600) as u64;
        let keys = format!("after = {after}\n{}", kind.keys);
        let on = if rng.chance(0.5) { "KP" } else { BLOCKS[rng.below(4)] };
        event(&mut text, kind.event, at, 90 + rng.below(120) as u64, on, &keys);
    }
    world(at / 3600 + 2, kind.weather, &text)
}

/// How often paths move in [`moves`], for each block.
pub const MOVES: usize = 4 * 4;

/// Paths that move to another upstream and back, for half a day each.
pub fn moves(seed: u64) -> Scenario {
    let mut rng = Rng::new(seed);
    let hops = 7 + rng.below(6);
    let mut text = path(hops, mostly);
    for number in 0..2 {
        let at = (12 + 24 * number) * 3600 + rng.below(3600) as u64;
        let after = hops - 3;
        let keys =
            format!("after = {after}\nhops = 1\nlonger = 1\nasn = 22351\nnetwork = \"Intelsat\"\n");
        event(&mut text, "reroute", at, 12 * 3600, "KP", &keys);
    }
    world(72, "", &text)
}

/// How often our own way out breaks in [`near_us`].
pub const SPELLS: usize = 4;

pub fn near_us(seed: u64) -> Scenario {
    let mut rng = Rng::new(seed);
    let mut text = path(8, mostly);
    for number in 0..SPELLS as u64 {
        let at = (4 + 4 * number) * 3600 + rng.below(3600) as u64;
        let keys = format!("after = {}\n", 1 + rng.below(SHARED - 1));
        event(&mut text, "cut", at, 120, "KP", &keys);
    }
    world(24, "", &text)
}

/// Equal paths, packet by packet, some loss, paths that move three times a week, and a break every
/// ten days.
pub fn year(days: u32) -> Scenario {
    let mut rng = Rng::new(1);
    let mut text = path(9, by_packet);
    let seconds = u64::from(days) * 86_400;
    let mut at = 86_400;
    while at < seconds - 86_400 {
        let after = 1 + rng.below(6);
        let keys =
            format!("after = {after}\nhops = {}\nlonger = {}\n", 1 + rng.below(2), rng.below(2));
        event(&mut text, "reroute", at, 6 * 3600 + rng.below(86_400) as u64, "KP", &keys);
        at += 2 * 86_400 + rng.below(86_400) as u64;
    }
    let mut at = 5 * 86_400;
    while at < seconds - 86_400 {
        let keys = format!("after = {}", SHARED + rng.below(8));
        event(&mut text, "cut", at, 120 + rng.below(600) as u64, "KP", &keys);
        at += 8 * 86_400 + rng.below(4 * 86_400) as u64;
    }
    world(u64::from(days) * 24, "loss = 0.01", &text)
}

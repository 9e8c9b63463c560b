//! Where paths break, as JSON: in the journal, in lines of their own, and in `/api/v1/state`.

use lifesign_core::{
    outcome::IcmpCode,
    scopes::{BlockId, Roster, Scope},
    time::{Time, WallOffset},
};
use lifesign_document::plain;
use lifesign_path::{HopSeen, NetworkOf, PathEvent, Place, PlaceView, Word};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Where a path breaks, with the times of the wall clock.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceJson {
    place: Place,
    found: String,
    /// When the doubt began.
    since: String,
    /// The last hop that answers.
    last: Option<HopJson>,
    /// The first behind it that used to answer and does not.
    first_silent: Option<HopJson>,
    /// What a router says.
    said: Option<SaidJson>,
    /// How many trace probes it took.
    probes: u32,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HopJson {
    hop: u8,
    address: IpAddr,
    asn: Option<u32>,
    network: Option<String>,
    heard: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidJson {
    from: IpAddr,
    what: What,
    icmp_type: Option<u8>,
    icmp_code: Option<u8>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Unreachable,
    Loop,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkJson {
    asn: u32,
    network: Option<String>,
}

/// A line of the journal about a path; no other line has the key `path`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PathLine {
    seen: String,
    /// The prefix of the block whose path it is.
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<PlaceJson>,
    /// The network before theirs, until now and from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upstream: Option<[NetworkJson; 2]>,
}

impl PlaceJson {
    /// `offset` is `Clock::wall_offset`.
    pub fn new(view: &PlaceView, offset: WallOffset) -> Self {
        let written = |time: Time| offset.written(time).exact();
        let hop = |hop: &HopSeen| HopJson {
            hop: hop.hop_limit,
            address: hop.address,
            asn: hop.network.as_ref().map(|network| network.asn),
            network: hop.network.as_ref().and_then(name),
            heard: written(hop.heard),
        };
        Self {
            place: view.place,
            found: written(view.found),
            since: written(view.since),
            last: view.last.as_ref().map(hop),
            first_silent: view.first_silent.as_ref().map(hop),
            said: view.said.map(|(from, word)| match word {
                Word::Unreachable(IcmpCode { kind, code }) => SaidJson {
                    from,
                    what: What::Unreachable,
                    icmp_type: Some(kind),
                    icmp_code: Some(code),
                },
                Word::Loop => SaidJson { from, what: What::Loop, icmp_type: None, icmp_code: None },
            }),
            probes: view.probes,
        }
    }

    fn view(self) -> Option<PlaceView> {
        let hop = |hop: HopJson| {
            Some(HopSeen {
                hop_limit: hop.hop,
                address: hop.address,
                network: hop.asn.map(|asn| network(asn, hop.network)),
                heard: hop.heard.parse().ok()?,
            })
        };
        let said = self.said.map(|said| {
            let word = match (said.what, said.icmp_type, said.icmp_code) {
                (What::Unreachable, Some(kind), Some(code)) => {
                    Word::Unreachable(IcmpCode { kind, code })
                }
                _ => Word::Loop,
            };
            (said.from, word)
        });
        Some(PlaceView {
            place: self.place,
            found: self.found.parse().ok()?,
            since: self.since.parse().ok()?,
            last: self.last.and_then(hop),
            first_silent: self.first_silent.and_then(hop),
            said,
            probes: self.probes,
        })
    }
}

/// What was found on a path as a line, without its line feed; None if it is not recorded.
pub fn write(event: &PathEvent, roster: &Roster, offset: impl Into<WallOffset>) -> Option<String> {
    let offset = offset.into();
    let named = |of: &NetworkOf| NetworkJson { asn: of.asn, network: name(of) };
    let (seen, block, place, upstream) = match event {
        PathEvent::Place { block, place } => {
            (place.found, block, Some(PlaceJson::new(place, offset)), None)
        }
        PathEvent::Upstream { at, block, before, after } => {
            (*at, block, None, Some([named(before), named(after)]))
        }
        PathEvent::OwnPlace { .. } | PathEvent::Hops { .. } | PathEvent::ReturnPath { .. } => {
            return None;
        }
    };
    let path = roster.block(*block).prefix.to_string();
    let line = PathLine { seen: offset.written(seen).exact(), path, place, upstream };
    // A struct of strings and numbers can always be written.
    serde_json::to_string(&line).ok()
}

/// Is a line about a path?
pub fn is_one(line: &str) -> bool {
    serde_json::from_str::<PathLine>(line).is_ok()
}

/// The event of a line about a path; None of any other line, and of one about a block that is not
/// watched.
pub fn read(line: &str, roster: &Roster) -> Option<PathEvent> {
    let line: PathLine = serde_json::from_str(line).ok()?;
    let prefix = line.path.parse().ok()?;
    let index = roster.blocks.iter().position(|block| block.prefix == prefix)?;
    let block = BlockId(index as u32);
    match (line.place, line.upstream) {
        (Some(place), None) => Some(PathEvent::Place { block, place: place.view()? }),
        (None, Some(upstream)) => {
            let [before, after] = upstream.map(|of| network(of.asn, of.network));
            Some(PathEvent::Upstream { at: line.seen.parse().ok()?, block, before, after })
        }
        _ => None,
    }
}

/// What was found on a path, as one line for people, without its line feed; None if it is no news
/// for them.
pub fn text(event: &PathEvent, roster: &Roster, offset: impl Into<WallOffset>) -> Option<String> {
    let offset = offset.into();
    let line = |time: Time, block: BlockId, what: &str| {
        let scope = Scope::Block(block);
        let country = &roster.country_of(scope).code;
        format!("{} {country} {} {what}", offset.written(time), roster.name_of(scope))
    };
    let sentence = |place: &PlaceView| {
        place.sentence(|time| offset.written(time), Some(offset.written(place.found)))
    };
    Some(match event {
        PathEvent::Place { block, place } => line(place.found, *block, &sentence(place)),
        PathEvent::OwnPlace { family, place } => {
            let time = offset.written(place.found);
            format!("{time} our own {}: {}", family.name(), sentence(place))
        }
        PathEvent::Upstream { at, block, before, after } => {
            line(*at, *block, &format!("is reached by {after}, before by {before}"))
        }
        PathEvent::Hops { .. } | PathEvent::ReturnPath { .. } => return None,
    })
}

fn network(asn: u32, name: Option<String>) -> NetworkOf {
    NetworkOf { asn, name: plain(&name.unwrap_or_default()).into() }
}

fn name(network: &NetworkOf) -> Option<String> {
    (!network.name.is_empty()).then(|| network.name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_it_was_written_and_says_the_same() {
        let mut roster = Roster::default();
        roster.add_country("KP", "North Korea");
        roster.add_block("175.45.176.0/24".parse().unwrap());
        roster.add_block("175.45.177.0/24".parse().unwrap());
        let at = |text: &str| format!("2014-12-22T{text}Z").parse().unwrap();
        let seen = |hop_limit, address: [u8; 4], asn: Option<u32>| HopSeen {
            hop_limit,
            address: address.into(),
            network: asn.map(|asn| network(asn, Some("China \"Unicom\"".into()))),
            heard: at("16:14:58.123456789"),
        };
        let place = PlaceView {
            place: Place::AtTheirBorder,
            found: at("16:15:05.5"),
            since: at("16:15:01"),
            last: Some(seen(7, [219, 158, 0, 1], Some(4837))),
            first_silent: Some(seen(8, [175, 45, 176, 1], None)),
            said: None,
            probes: 32,
        };
        let from = [219, 158, 0, 1].into();
        let block = BlockId(1);
        let code = IcmpCode { kind: 3, code: 0 };
        for event in [
            PathEvent::Place { block, place: place.clone() },
            PathEvent::Place {
                block,
                place: PlaceView { said: Some((from, Word::Loop)), ..place.clone() },
            },
            PathEvent::Place {
                block,
                place: PlaceView {
                    last: None,
                    first_silent: None,
                    said: Some((from, Word::Unreachable(code))),
                    ..place.clone()
                },
            },
            PathEvent::Upstream {
                at: at("16:20:00"),
                block,
                before: network(4837, None),
                after: network(22_351, Some("Intelsat".into())),
            },
        ] {
            let line = write(&event, &roster, 0).unwrap();
            assert!(crate::Reader::new(&roster, &[]).read(&line).is_err(), "{line}");
            assert!(is_one(&line));
            assert_eq!(read(&line, &roster).as_ref(), Some(&event), "{line}");
            assert!(text(&event, &roster, 0).unwrap().contains(" KP 175.45.177.0/24 "));
            let other = line.replace("177.0/24", "178.0/24");
            assert_eq!(read(&other, &roster), None);
        }
        for line in ["", "{}", "[]", r#"{"seen":"x","path":"175.45.176.0/24"}"#] {
            assert_eq!(read(line, &roster), None, "{line}");
        }
    }
}

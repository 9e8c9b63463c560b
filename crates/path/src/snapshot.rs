//! What readers may know of all paths at one moment, and where a path breaks in a sentence.

use super::{HopSeen, HopView, NetworkOf, Place, PlaceView, ProbeOutcomes, Tracer, Word};
use lifesign_model::{
    outcome::IcmpCode,
    scopes::{BlockId, PerFamily, Scope},
    time::Time,
};
use std::{fmt::Write as _, net::IpAddr, sync::Arc};

/// All paths.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paths {
    /// By `BlockId`; none if no path is traced.
    pub blocks: Vec<Arc<PathView>>,
    /// By `NetworkId`: where the paths to its blocks break.
    pub networks: Vec<Option<PlaceView>>,
    /// By `CountryId`: the same.
    pub countries: Vec<Option<PlaceView>>,
    /// While we are blind in a family: where our own way out breaks.
    pub own: PerFamily<Option<PlaceView>>,
    /// What became of the probes.
    pub probes: ProbeOutcomes<u64>,
}

impl Paths {
    /// Where the path to a scope breaks; None while it lives, and until that is known.
    pub fn place(&self, scope: Scope) -> Option<&PlaceView> {
        match scope {
            Scope::Block(id) => self.blocks.get(id.0 as usize)?.place.as_ref(),
            Scope::Network(id) => self.networks.get(id.0 as usize)?.as_ref(),
            Scope::Country(id) => self.countries.get(id.0 as usize)?.as_ref(),
        }
    }
}

/// The path to a block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PathView {
    /// Where it breaks; None while the block lives, and until that is known.
    pub place: Option<PlaceView>,
    /// Hop by hop.
    pub hops: Vec<HopView>,
    /// The networks before theirs that were seen, the present one first.
    pub upstreams: Vec<NetworkOf>,
    /// How often it was found to have moved.
    pub changes: u64,
}

impl Tracer {
    /// What readers may know of the path to a block.
    pub fn path_view(&self, block: BlockId) -> PathView {
        PathView {
            place: self.place(block).cloned(),
            hops: self.hops(block),
            upstreams: self.upstreams(block),
            changes: self.changes(block),
        }
    }
}

impl PathView {
    /// How many hops away the target is; None until it is found.
    pub fn length(&self) -> Option<u8> {
        Some(self.hops.last()?.hop_limit)
    }
}

impl Place {
    /// For people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Place::NearUs => "near us",
            Place::OnTheWay => "on the way",
            Place::AtTheirBorder => "at their border",
            Place::Inside => "inside",
            Place::Unknown => "place unknown",
        }
    }
}

impl PlaceView {
    /// Who is named when several blocks break behind the same: the network of the last hop that
    /// answers.
    pub fn network(&self) -> Option<&NetworkOf> {
        self.last.as_ref()?.network.as_ref()
    }

    fn is_from_the_first(&self) -> bool {
        self.first_silent.as_ref().is_some_and(|hop| hop.hop_limit == 1)
    }

    /// One sentence without its stop, behind its word: `on the way: dark beyond 192.0.2.1 (AS64496
    /// Example, answered 16:15:03); first silent 198.51.100.1, heard until 16:14:58`. `wall` gives
    /// the time by the wall clock. Each time has its date if one of them is of another day than
    /// `now`, by the wall clock, or without one.
    pub fn sentence(&self, wall: impl Fn(Time) -> Time, now: Option<Time>) -> String {
        let day = |time: Time| time.utc("%F");
        let heard = [&self.last, &self.first_silent].into_iter().flatten().map(|hop| hop.heard);
        let is_of_now = |time| now.is_some_and(|now| day(now) == day(wall(time)));
        let format = if heard.into_iter().all(is_of_now) { "%H:%M:%S" } else { "%-d %b %H:%M:%S" };
        let written = |time| wall(time).utc(format);
        let mut text = match &self.last {
            Some(HopSeen { address, network, heard, .. }) => {
                let answered = written(*heard);
                match network {
                    Some(network) => {
                        format!("dark beyond {address} ({network}, answered {answered})")
                    }
                    None => format!("dark beyond {address} (answered {answered})"),
                }
            }
            None if self.is_from_the_first() => "dark from the first hop on".into(),
            None => "dark; no one router is known as the last that answers".into(),
        };
        if let Some(HopSeen { address, network, heard, .. }) = &self.first_silent {
            let network = network.as_ref().map_or_else(String::new, |of| format!(" ({of})"));
            let _ =
                write!(text, "; first silent {address}{network}, heard until {}", written(*heard));
        }
        if let Some((from, word)) = self.said {
            let _ = match word {
                Word::Unreachable(code) => write!(text, "; {from} says {}", in_words(from, code)),
                Word::Loop => write!(text, "; packets turn in circles at {from}"),
            };
        }
        format!("{}: {text}", self.place.in_words())
    }
}

/// What a router says (RFC 792, RFC 1812 §5.2.7.1, RFC 4443 §3.1).
fn in_words(from: IpAddr, IcmpCode { kind, code }: IcmpCode) -> String {
    let words = match (from, kind, code) {
        (IpAddr::V4(_), 3, 0) | (IpAddr::V6(_), 1, 0) => "no route",
        (IpAddr::V4(_), 3, 1) | (IpAddr::V6(_), 1, 3) => "host unreachable",
        (IpAddr::V4(_), 3, 9 | 10 | 13) | (IpAddr::V6(_), 1, 1) => "prohibited",
        (IpAddr::V6(_), 1, 6) => "route rejected",
        _ => return format!("unreachable ({kind}/{code})"),
    };
    words.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_in_one_sentence() {
        let seen = |address: &str, network, heard: &str| {
            let heard = format!("2014-12-22T{heard}Z").parse().unwrap();
            Some(HopSeen { hop_limit: 3, address: address.parse().unwrap(), network, heard })
        };
        let unicom = NetworkOf { asn: 4837, name: "China Unicom".into() };
        let mut view = PlaceView {
            place: Place::AtTheirBorder,
            found: Time::default(),
            since: Time::default(),
            last: seen("219.158.0.1", Some(unicom), "16:15:03"),
            first_silent: seen("175.45.176.1", None, "16:14:58"),
            said: None,
            probes: 32,
        };
        let day = "2014-12-22T23:00:00Z".parse().unwrap();
        let told = |view: &PlaceView| view.sentence(|time| time, Some(day));
        assert_eq!(
            told(&view),
            "at their border: dark beyond 219.158.0.1 (AS4837 China Unicom, answered 16:15:03); first silent \
             175.45.176.1, heard until 16:14:58"
        );
        view.first_silent = None;
        view.last.as_mut().unwrap().network = None;
        let from = "219.158.0.1".parse().unwrap();
        view.said = Some((from, Word::Unreachable(IcmpCode { kind: 3, code: 13 })));
        assert_eq!(
            told(&view),
            "at their border: dark beyond 219.158.0.1 (answered 16:15:03); 219.158.0.1 says prohibited"
        );
        view.last = None;
        view.said = Some((from, Word::Loop));
        assert_eq!(
            told(&view),
            "at their border: dark; no one router is known as the last that answers; packets turn in \
             circles at 219.158.0.1"
        );
        view.said = None;
        view.place = Place::NearUs;
        view.first_silent = seen("192.0.2.1", None, "16:14:58");
        view.first_silent.as_mut().unwrap().hop_limit = 1;
        assert_eq!(
            told(&view),
            "near us: dark from the first hop on; first silent 192.0.2.1, heard until 16:14:58"
        );
        for now in [None, Some("2014-12-23T01:00:00Z".parse().unwrap())] {
            assert_eq!(
                view.sentence(|time| time, now),
                "near us: dark from the first hop on; first silent 192.0.2.1, heard until 22 Dec \
                 16:14:58"
            );
        }
    }
}

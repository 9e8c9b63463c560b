//! What readers may know: paths, places, and how many probes there were.

use super::{
    HopSeen, HopView, NetworkOf, Place, PlaceView, ProbeOutcomes, Settings, Traced, Tracer,
    episode::Interval,
};
use lifesign_model::{
    scopes::{BlockId, Family},
    time::Time,
};
use std::{collections::BTreeMap, net::IpAddr, ops::Range};

impl Tracer {
    /// Where the path to a block breaks; None while it lives, and until that is known.
    pub fn place(&self, block: BlockId) -> Option<&PlaceView> {
        self.places.get(&self.path_of(block)?).map(|told| &told.view)
    }

    /// The same of a network or a country, from its blocks: what nine of ten of those that have a
    /// place agree on. Hops are named if they agree on these too.
    pub fn place_of(&self, blocks: Range<u32>) -> Option<PlaceView> {
        let views: Vec<&PlaceView> =
            blocks.filter_map(|block| self.place(BlockId(block))).collect();
        let is_most = |count: usize| count * 10 >= views.len() * 9;
        let newest = views.iter().max_by_key(|view| view.found)?;
        let probes = views.iter().map(|view| view.probes).sum();
        let since = views.iter().map(|view| view.since).min()?;
        let mut places: BTreeMap<Place, usize> = BTreeMap::new();
        let mut hops: BTreeMap<_, (usize, &PlaceView)> = BTreeMap::new();
        for view in &views {
            *places.entry(view.place).or_default() += 1;
            let address = |hop: &Option<HopSeen>| hop.as_ref().map(|hop| hop.address);
            let key = (view.place, address(&view.last), address(&view.first_silent));
            hops.entry(key).or_insert((0, view)).0 += 1;
        }
        let whole = hops.into_values().find(|(count, _)| is_most(*count));
        if let Some((_, view)) = whole {
            return Some(PlaceView { since, probes, found: newest.found, ..view.clone() });
        }
        let word = places.into_iter().find(|(_, count)| is_most(*count));
        let place = word.map_or(Place::Unknown, |(place, _)| place);
        let last = self.agreed(&views, |view| view.last.as_ref());
        let first_silent = self.agreed(&views, |view| view.first_silent.as_ref());
        Some(PlaceView {
            place,
            found: newest.found,
            since,
            last,
            first_silent,
            said: None,
            probes,
        })
    }

    /// The hop that nine of ten views have.
    #[allow(clippy::unused_self, reason = "a method beside the one that needs it")]
    fn agreed(
        &self,
        views: &[&PlaceView],
        hop: impl Fn(&PlaceView) -> Option<&HopSeen>,
    ) -> Option<HopSeen> {
        let mut counts: BTreeMap<IpAddr, (usize, &HopSeen)> = BTreeMap::new();
        for seen in views.iter().filter_map(|view| hop(view)) {
            counts.entry(seen.address).or_insert((0, seen)).0 += 1;
        }
        let most = counts.into_values().find(|(count, _)| count * 10 >= views.len() * 9);
        most.map(|(_, seen)| seen.clone())
    }

    /// While we are blind in this family: where the path to a control breaks.
    pub fn own_place(&self, family: Family) -> Option<&PlaceView> {
        self.controls(family).find_map(|index| self.places.get(&index)).map(|told| &told.view)
    }

    /// The path to a block as it is known, hop by hop; the last is the target, if it was found.
    pub fn hops(&self, block: BlockId) -> Vec<HopView> {
        let Some(index) = self.path_of(block) else { return Vec::new() };
        let path = &self.paths[index as usize];
        let view = |(index, hop): (usize, &super::path::Hop)| {
            let addresses: Vec<IpAddr> =
                hop.known().filter_map(|id| self.routers.address(id)).collect();
            HopView {
                hop_limit: index as u8 + 1,
                network: addresses.first().and_then(|&address| self.networks.of(address)),
                addresses,
                answers: hop.share(&self.routers),
                heard: hop.heard(&self.routers),
            }
        };
        path.hops.iter().enumerate().map(view).collect()
    }

    /// How many hops away a block's target is, if it was found.
    pub fn length(&self, block: BlockId) -> Option<u8> {
        let path = &self.paths[self.path_of(block)? as usize];
        (path.length > 0).then_some(path.length)
    }

    /// The networks before theirs that were seen, the present one first.
    pub fn upstreams(&self, block: BlockId) -> Vec<NetworkOf> {
        let Some(index) = self.path_of(block) else { return Vec::new() };
        let upstreams = self.paths[index as usize].upstreams.iter();
        upstreams.map(|upstream| upstream.network.clone()).collect()
    }

    /// How often the path to a block was found to have moved.
    pub fn changes(&self, block: BlockId) -> u64 {
        self.path_of(block).map_or(0, |index| self.paths[index as usize].changes)
    }

    /// What became of all probes so far.
    pub fn counts(&self) -> &ProbeOutcomes<u64> {
        &self.counts
    }

    /// Of all probes so far, those that were to reach their target.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Probes per second in calm: one sweep of every path per interval. Before paths are known
    /// they are taken to have sixteen hops.
    pub fn calm_rate(&self) -> f64 {
        let length = |path: &super::path::Path| match path.length {
            _ if path.targets.is_empty() => 0.0,
            0 => 16.0,
            length => f64::from(length),
        };
        let probes: f64 = self.paths.iter().map(length).sum();
        probes / self.settings.calm_interval.as_secs_f64()
    }

    /// How it was set.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many addresses it remembers.
    pub fn routers(&self) -> usize {
        self.routers.len()
    }

    /// Does an address belong to the country of a block, or to its network?
    pub(crate) fn is_theirs(&self, block: BlockId, address: IpAddr) -> bool {
        let block = &self.blocks[block.0 as usize];
        let prefixes = self.theirs.get(&block.country.0).map_or(&[][..], Vec::as_slice);
        let next = prefixes.partition_point(|prefix| prefix.address() <= address);
        if next > 0 && prefixes[next - 1].contains(address) {
            return true;
        }
        let Some(network) = self.networks.of(address) else { return false };
        let own = || self.networks.of(block.prefix.address()).map(|network| network.asn);
        block.asn == Some(network.asn) || own() == Some(network.asn)
    }

    /// How many hops from us a path shares with those to the controls of its family; for a control,
    /// with those to blocks.
    pub(crate) fn shared_hops(&self, index: u32) -> u8 {
        let path = &self.paths[index as usize];
        let others: Vec<u32> = match path.of {
            Traced::Block(_) => self.controls(path.family).collect(),
            Traced::Control(_) => (0..self.blocks.len().min(16) as u32)
                .filter(|&block| self.paths[block as usize].family == path.family)
                .collect(),
        };
        let shared = others.into_iter().map(|other| {
            let other = &self.paths[other as usize];
            let mut shared = 0;
            for (index, (mine, theirs)) in path.hops.iter().zip(&other.hops).enumerate() {
                let mut known = mine.known().peekable();
                if known.peek().is_none() || theirs.newest() == super::routers::RouterId::NONE {
                    continue;
                }
                if !known.any(|router| theirs.holds(router)) {
                    break;
                }
                shared = index as u8 + 1;
            }
            shared
        });
        shared.max().unwrap_or(0)
    }

    fn seen(&self, index: u32, hop_limit: u8) -> Option<HopSeen> {
        let path = &self.paths[index as usize];
        let hop = path.hop(hop_limit)?;
        let newest = hop.known().max_by_key(|&id| self.routers.heard(id))?;
        let address = self.routers.address(newest)?;
        let network = self.networks.of(address);
        Some(HopSeen { hop_limit, address, network, heard: self.routers.heard(newest) })
    }

    pub(crate) fn view(&self, index: u32, interval: Interval, now: Time) -> PlaceView {
        let path = &self.paths[index as usize];
        let last = (interval.last > 0).then(|| self.seen(index, interval.last)).flatten();
        let first_silent = interval.first_silent.and_then(|hop| self.seen(index, hop));
        let place = self.word(index, interval, last.as_ref(), first_silent.as_ref());
        let episode = path.episode.as_ref();
        PlaceView {
            place,
            found: now,
            since: path.since,
            last,
            first_silent,
            said: episode.and_then(|episode| episode.said),
            probes: episode.map_or(0, |episode| episode.probes),
        }
    }

    fn word(
        &self,
        index: u32,
        interval: Interval,
        last: Option<&HopSeen>,
        first_silent: Option<&HopSeen>,
    ) -> Place {
        let path = &self.paths[index as usize];
        let Some(silent) = first_silent else { return Place::Unknown };
        let is_near = silent.hop_limit <= self.shared_hops(index);
        let block = match path.of {
            Traced::Control(_) if is_near => return Place::NearUs,
            Traced::Control(_) => return Place::Unknown,
            Traced::Block(block) => block,
        };
        if is_near {
            let controls = self.controls_heard[path.family];
            let started = path.since;
            let are_silent = controls.asked >= started && controls.heard < started;
            if are_silent && interval.is_narrow {
                return Place::NearUs;
            }
        }
        self.between(block, last, first_silent)
    }

    /// In a word, whose hops the path breaks between.
    pub(crate) fn between(
        &self,
        block: BlockId,
        last: Option<&HopSeen>,
        first_silent: Option<&HopSeen>,
    ) -> Place {
        let (Some(last), Some(silent)) = (last, first_silent) else { return Place::Unknown };
        let is_theirs = |hop: &HopSeen| self.is_theirs(block, hop.address);
        match (is_theirs(last), is_theirs(silent)) {
            (true, _) => Place::Inside,
            (false, true) => Place::AtTheirBorder,
            (false, false) => Place::OnTheWay,
        }
    }
}

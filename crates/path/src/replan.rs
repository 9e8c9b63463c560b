//! Who is watched changes, and what names networks: what is known of a path that stays is kept.

use super::{
    NetworkOf, Networks, Place, Traced, TracedBlock, Tracer,
    path::{Candidate, Path, UPSTREAMS, Upstream},
    return_path::ReturnPath,
    tracer::LEARNING_INTERVAL,
};
use lifesign_model::{
    scopes::{BlockId, Family, Prefix},
    time::Time,
};
use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

/// By what a path is found again.
#[derive(PartialEq, Eq, Hash)]
enum Known {
    Block(Prefix),
    Control(IpAddr),
}

impl Tracer {
    /// Who is watched from now on. The path to a prefix that stays is kept with all that is known
    /// and under way, under its new id; so are events that nobody has taken yet.
    pub fn set_blocks(&mut self, blocks: Vec<TracedBlock>, now: Time) {
        let controls = self.control_addresses();
        self.replace(blocks, &controls, now);
    }

    fn control_addresses(&self) -> Vec<IpAddr> {
        self.paths[self.blocks.len()..].iter().map(|path| path.targets[0]).collect()
    }

    /// The hosts that answer whenever our own network works. The path to one that stays is kept.
    pub fn set_controls(&mut self, controls: &[IpAddr], now: Time) {
        if self.control_addresses() != controls {
            self.replace(self.blocks.clone(), controls, now);
        }
    }

    /// Whom to trace of this block from now on. All other paths go on as they are; this one keeps
    /// its hops and its place, and what is under way, if who was traced until now is among them.
    pub fn set_targets(&mut self, block: BlockId, targets: Vec<IpAddr>, now: Time) {
        let Some(index) = self.path_of(block) else { return };
        let spread = self.learning_interval(self.blocks.len());
        let calm_at = now + spread.mul_f64(self.rng.unit());
        self.paths[index as usize].set_targets(targets.clone(), calm_at);
        self.blocks[index as usize].targets = targets;
        if self.paths[index as usize].targets.is_empty() {
            self.end_episode(index, now);
        }
        self.set_timer(index);
    }

    /// Who is watched, by id.
    pub fn blocks(&self) -> &[TracedBlock] {
        &self.blocks
    }

    fn replace(&mut self, blocks: Vec<TracedBlock>, controls: &[IpAddr], now: Time) {
        while let Some(probe) = self.due.pop_front() {
            self.handle_not_sent(probe.id, now);
        }
        let mut known: HashMap<Known, (u32, Path)> = HashMap::new();
        for (index, path) in (0..).zip(std::mem::take(&mut self.paths)) {
            let key = match path.of {
                Traced::Block(block) => Known::Block(self.blocks[block.0 as usize].prefix),
                Traced::Control(_) => Known::Control(path.targets[0]),
            };
            known.insert(key, (index, path));
        }
        let spread = self.learning_interval(blocks.len());
        let mut moved = HashMap::new();
        let mut add = |key, family, of, targets: Vec<IpAddr>, calm_at| {
            let path = match known.remove(&key) {
                Some((before, mut path)) => {
                    moved.insert(before, self.paths.len() as u32);
                    path.of = of;
                    path.set_targets(targets, calm_at);
                    // Its hosts have other ids in another plan.
                    path.way_back = ReturnPath::default();
                    path
                }
                None => Path::new(of, family, targets, calm_at),
            };
            self.paths.push(path);
        };
        for (id, block) in (0..).zip(&blocks) {
            let calm_at = now + spread.mul_f64(self.rng.unit());
            let family = Family::of(block.prefix.address());
            let of = Traced::Block(BlockId(id));
            add(Known::Block(block.prefix), family, of, block.targets.clone(), calm_at);
        }
        for (number, &address) in (0..).zip(controls) {
            let calm_at = now + LEARNING_INTERVAL.mul_f64(self.rng.unit());
            let of = Traced::Control(number);
            add(Known::Control(address), Family::of(address), of, vec![address], calm_at);
        }
        self.theirs.clear();
        for block in &blocks {
            self.theirs.entry(block.country.0).or_default().push(block.prefix);
        }
        for prefixes in self.theirs.values_mut() {
            prefixes.sort_unstable_by_key(Prefix::address);
        }
        self.blocks = blocks;
        self.renumber(&moved, now);
    }

    /// Paths have other ids from here on: `moved` has the new id of each that stays.
    fn renumber(&mut self, moved: &HashMap<u32, u32>, now: Time) {
        let renumbered = |id: &mut u32| match moved.get(id) {
            Some(new) => {
                *id = *new;
                true
            }
            None => false,
        };
        self.open.retain(|_, open| {
            open.sharers.retain_mut(|(path, _)| renumbered(path));
            renumbered(&mut open.path)
        });
        for path in &mut self.paths {
            if let Some(sweep) = &mut path.sweep {
                sweep.asks.retain_mut(|ask| renumbered(&mut ask.by));
            }
            if let Some(episode) = &mut path.episode {
                episode.observations.retain_mut(|one| renumbered(&mut one.by));
            }
        }
        self.events
            .retain_mut(|event| event.block_mut().is_none_or(|block| renumbered(&mut block.0)));
        self.queued.retain_mut(renumbered);
        let places = std::mem::take(&mut self.places).into_iter();
        self.places = places.filter_map(|(id, told)| Some((*moved.get(&id)?, told))).collect();
        let is_active = |path: &&Path| path.episode.as_ref().is_some_and(|one| !one.is_queued);
        self.active = self.paths.iter().filter(is_active).count();
        self.timers = BTreeSet::new();
        self.timer_of = vec![Time::NEVER; self.paths.len()];
        for index in 0..self.paths.len() as u32 {
            if self.paths[index as usize].targets.is_empty() {
                self.end_episode(index, now);
            }
            self.set_timer(index);
        }
        self.begin_queued(now);
        for family in Family::ALL {
            if self.blind[family] {
                self.trace_controls(family, now);
            }
        }
    }

    /// Which networks addresses belong to, from now on: what was named by another table is named
    /// anew. That is no news of a path.
    pub fn set_networks(&mut self, networks: Networks) {
        self.networks = networks;
        for index in 0..self.blocks.len() as u32 {
            let path = &mut self.paths[index as usize];
            path.candidate_upstream = Candidate::default();
            let known = std::mem::take(&mut path.upstreams);
            let named = known.into_iter().filter_map(|known| self.upstream(known.address));
            let present = self.upstream_of(index, BlockId(index)).into_iter();
            let mut upstreams: Vec<Upstream> = Vec::new();
            for upstream in present.chain(named) {
                if upstreams.iter().all(|other| other.network.asn != upstream.network.asn) {
                    upstreams.push(upstream);
                }
            }
            upstreams.truncate(UPSTREAMS);
            self.paths[index as usize].upstreams = upstreams;
        }
        let mut places = std::mem::take(&mut self.places);
        for (&index, told) in &mut places {
            let view = &mut told.view;
            for hop in view.last.iter_mut().chain(&mut view.first_silent) {
                hop.network = self.networks.of(hop.address);
            }
            if let (Traced::Block(block), false) =
                (self.paths[index as usize].of, matches!(view.place, Place::NearUs))
            {
                view.place = self.between(block, view.last.as_ref(), view.first_silent.as_ref());
            }
        }
        self.places = places;
    }

    /// The network that an address on the way names.
    pub(crate) fn upstream(&self, address: IpAddr) -> Option<Upstream> {
        let network: NetworkOf = self.networks.of(address)?;
        Some(Upstream { address, network })
    }
}

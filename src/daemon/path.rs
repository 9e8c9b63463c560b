//! Where paths break, beside the watch: it says whom it doubts and what it found, and its trace
//! probes leave by the same sockets.

use super::{Daemon, network::Network, random_bits};
use crate::{config::Plan, probe::icmp::TraceEvent};
use lifesign_core::{
    judge::{Change, State},
    outcome::{Event, Found},
    schedule::Extra,
    scopes::{BlockId, Family, Host, Kind, PerFamily, Prefix, Roster, Scope, TargetId},
    sharing::share,
    time::Time,
    watch::{Snapshot, Watch},
};
use lifesign_journal::path;
use lifesign_path::{PathEvent, Paths, TraceProbe, Traced, Tracer};
use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    ops::Range,
    sync::Arc,
    time::Duration,
};

/// A block's trace targets are chosen anew so often, at first sooner, and each time later.
const CHOSEN_EVERY: Duration = Duration::from_secs(600);
const CHOSEN_FIRST: Duration = Duration::from_secs(60);
/// So many targets of a block are looked at to find the steadiest.
const LOOKED_AT: u32 = 16;
/// One to trace, and one in reserve.
const TRACED: usize = 2;
/// Views that are made anew with each snapshot, in turns: of what paths share, each learns by the
/// others' probes.
const RENEWED: u32 = 64;
/// After its last probe, a path's view may change for so long.
const CHANGES_FOR: Duration = Duration::from_secs(4);

/// The paths of a run.
pub(super) struct PathTracer {
    tracer: Tracer,
    chosen: Time,
    chosen_every: Duration,
    /// The next block whose view is made anew in its turn.
    turn: u32,
    /// Blocks whose view may be another by now, and since when.
    changed: BTreeMap<BlockId, Time>,
    views: Paths,
    /// What was found and is not told yet.
    pub events: Vec<PathEvent>,
}

impl PathTracer {
    /// None if the plan wants none, or none can be traced.
    pub fn new(plan: &Plan, watch: &Watch, network: &Network, now: Time) -> Option<Self> {
        if !plan.path.is_traced || !network.has_icmp() {
            return None;
        }
        let mut paths = Self {
            tracer: Tracer::new(plan.path_settings(), random_bits(), now),
            chosen: now,
            chosen_every: CHOSEN_FIRST,
            turn: 0,
            changed: BTreeMap::new(),
            views: Paths::default(),
            events: Vec::new(),
        };
        paths.replan(plan, watch, network, now);
        Some(paths)
    }

    /// Follows a new plan. What was found by the one before is told by now.
    pub fn replan(&mut self, plan: &Plan, watch: &Watch, network: &Network, now: Time) {
        self.tracer.set_settings(plan.path_settings());
        let blocks = self.tracer.blocks().iter();
        let mut traced: HashMap<Prefix, Vec<IpAddr>> =
            blocks.map(|block| (block.prefix, block.targets.clone())).collect();
        let targets = plan.traced_blocks(|id| {
            let chosen = steadiest(plan, watch, network, id);
            // Which address a name has is not known before it is asked by the new plan.
            let block = plan.roster.block(BlockId(id));
            let has_names = || {
                let mut targets = block.targets.clone().map(|id| plan.roster.target(TargetId(id)));
                targets.any(|target| matches!(target.host, Host::Name(_)))
            };
            let until_now = traced.remove(&block.prefix).unwrap_or_default();
            if !chosen.is_empty() || !has_names() {
                return chosen;
            }
            until_now.into_iter().filter(|&address| !plan.deny.contains(address)).collect()
        });
        self.tracer.set_blocks(targets, now);
        self.tracer.set_controls(&plan.controls, now);
        self.tracer.set_networks(plan.path.networks());
        (self.chosen, self.chosen_every) = (now, CHOSEN_FIRST);
        self.changed.clear();
        self.turn = 0;
        let blocks = 0..plan.roster.blocks.len() as u32;
        let view = |id| Arc::new(self.tracer.path_view(BlockId(id)));
        self.views = Paths { blocks: blocks.map(view).collect(), ..self.places(&plan.roster) };
    }

    /// Chooses whom to trace: of each block those that answer most steadily. Who is steady cannot
    /// be told in the dark.
    fn choose(&mut self, plan: &Plan, watch: &Watch, network: &Network, now: Time) {
        for id in 0..plan.roster.blocks.len() as u32 {
            let block = BlockId(id);
            if self.tracer.is_down(block) {
                continue;
            }
            let targets = steadiest(plan, watch, network, id);
            if targets != self.tracer.blocks()[id as usize].targets {
                self.tracer.set_targets(block, targets, now);
            }
        }
    }

    /// Where the paths of networks and countries break.
    fn places(&self, roster: &Roster) -> Paths {
        let place = |blocks: &Range<u32>| self.tracer.place_of(blocks.clone());
        Paths {
            networks: roster.networks.iter().map(|of| place(&of.blocks)).collect(),
            countries: roster.countries.iter().map(|of| place(&of.blocks)).collect(),
            ..Paths::default()
        }
    }

    /// An outcome of an ordinary probe, which the watch has taken in. What proves no life says
    /// nothing of the path.
    pub fn handle_event(&mut self, event: &Event, watch: &Watch, now: Time) {
        let Event::Outcome(outcome) = event else { return };
        if !watch.is_life(outcome) {
            return;
        }
        let block = watch.roster().target(outcome.target).block;
        self.tracer.handle_host_answer(block, outcome.sent, now);
        if let (Some(limit), Found::Reply { .. }) = (outcome.hop_limit, outcome.found) {
            self.tracer.handle_reply_hop_limit(block, outcome.target, limit, now);
        }
    }

    /// What came of trace probes.
    pub fn handle_trace(&mut self, event: TraceEvent, now: Time) {
        match event {
            TraceEvent::Answer(answer) => self.tracer.handle_answer(answer, now),
            TraceEvent::NotSent(id) => self.tracer.handle_not_sent(id, now),
        }
    }

    /// What the judge says.
    pub fn handle_changes(&mut self, changes: &[Change], now: Time) {
        for change in changes.iter().filter(|change| !change.narrows()) {
            let Scope::Block(block) = change.scope else { continue };
            match change.to {
                State::Down | State::Outage => self.tracer.handle_down(block, now),
                State::Up | State::Degraded | State::Partial => {
                    self.tracer.handle_life(block, now);
                }
                State::Flapping | State::Unknown => {}
            }
            self.changed.insert(block, now);
        }
    }

    /// What no change says: whether a block that flaps is dark just now, and, behind a new plan,
    /// what is dark by it.
    fn handle_darkness(&mut self, snapshot: &Snapshot, now: Time) {
        for block in (0..snapshot.roster.blocks.len() as u32).map(BlockId) {
            let verdict = &snapshot.scope(Scope::Block(block)).verdict;
            let is_dark = match verdict.state {
                State::Down | State::Outage => true,
                State::Flapping => verdict.calm_at.is_none(),
                State::Up | State::Degraded | State::Partial => false,
                State::Unknown => continue,
            };
            match (is_dark, self.tracer.is_down(block)) {
                (true, false) => self.tracer.handle_down(block, now),
                (false, true) => self.tracer.handle_life(block, now),
                _ => continue,
            }
            self.changed.insert(block, now);
        }
    }

    /// Takes the doubts of the watch, does what time demands, and returns what is to be sent now.
    pub fn poll_probes(
        &mut self,
        plan: &Plan,
        watch: &mut Watch,
        network: &Network,
        now: Time,
    ) -> Vec<TraceProbe> {
        while let Some(block) = watch.poll_doubt() {
            self.tracer.handle_doubt(block, now);
        }
        if now.since(self.chosen) >= self.chosen_every {
            self.chosen_every = CHOSEN_EVERY;
            self.chosen = now;
            self.choose(plan, watch, network, now);
        }
        self.tracer.handle_timeout(now);
        let mut probes = Vec::new();
        while let Some(probe) = self.tracer.poll_probe(now) {
            if let Traced::Block(block) = probe.of {
                self.changed.insert(block, now);
                if probe.reaches_block && !watch.pay_extra(block, Extra::Trace, now) {
                    self.tracer.handle_not_sent(probe.id, now);
                    continue;
                }
            }
            probes.push(probe);
        }
        probes
    }

    /// When to call [`PathTracer::poll_probes`] next, at the latest.
    pub fn poll_timeout(&self) -> Time {
        self.tracer.poll_timeout().min(self.chosen + self.chosen_every)
    }

    /// Adds to a snapshot what is known of paths. While we are blind, nothing is said of blocks.
    pub fn add_to(&mut self, snapshot: &mut Snapshot, now: Time) {
        let is_blind = PerFamily::new(|family| {
            snapshot.blindness[family].is_some_and(|blindness| blindness.is_blind)
        });
        for family in Family::ALL {
            self.tracer.handle_blind(family, is_blind[family], now);
        }
        self.handle_darkness(snapshot, now);
        while let Some(event) = self.tracer.poll_event() {
            self.changed.extend(event.block().map(|block| (block, now)));
            self.events.push(event);
        }
        let places = (!self.changed.is_empty()).then(|| self.places(&snapshot.roster));
        let views = &mut self.views;
        let count = views.blocks.len() as u32;
        let renewed = (0..RENEWED.min(count)).map(|index| BlockId((self.turn + index) % count));
        for block in renewed.chain(self.changed.keys().copied()) {
            let view = self.tracer.path_view(block);
            // A view that is the same stays, since readers share it.
            if *views.blocks[block.0 as usize] != view {
                views.blocks[block.0 as usize] = Arc::new(view);
            }
        }
        self.turn = (self.turn + RENEWED) % count.max(1);
        if let Some(Paths { networks, countries, .. }) = places {
            (views.networks, views.countries) = (networks, countries);
        }
        views.own = PerFamily::new(|family| self.tracer.own_place(family).cloned());
        views.probes = *self.tracer.counts();
        self.changed.retain(|_, since| now.since(*since) <= CHANGES_FOR);
        let paths = Arc::make_mut(&mut snapshot.paths);
        paths.blocks.resize(views.blocks.len(), Arc::default());
        for (kept, newest) in paths.blocks.iter_mut().zip(&views.blocks) {
            share(kept, newest);
        }
        let Paths { blocks: _, networks, countries, own, probes } = views;
        paths.networks.clone_from(networks);
        paths.countries.clone_from(countries);
        paths.own.clone_from(own);
        paths.probes = *probes;
    }
}

impl Daemon {
    /// Sends the trace probes that are due, after what the judge said.
    pub(super) fn trace(&mut self, changes: &[Change], out: &mut Vec<Event>, now: Time) {
        let Some(paths) = &mut self.paths else { return };
        while let Some(event) = self.network.poll_trace() {
            paths.handle_trace(event, now);
        }
        paths.handle_changes(changes, now);
        let probes = paths.poll_probes(&self.plan, &mut self.watch, &self.network, now);
        self.network.trace(&probes, &self.plan, out);
    }

    /// Writes what was found on paths to standard output, to the journal and to the store.
    pub(super) fn tell_paths(&mut self, now: Time) {
        let Some(paths) = &mut self.paths else { return };
        let offset = self.clock.wall_offset();
        if let Some(store) = &mut self.store {
            store.keep_places(&paths.events, &self.plan.roster, now, offset);
        }
        for event in paths.events.drain(..) {
            if let Some(text) = path::text(&event, &self.plan.roster, offset) {
                self.stdout_writer.write(text);
            }
            let line = path::write(&event, &self.plan.roster, offset);
            if let (Some(journal), Some(line)) = (&mut self.journal, line) {
                journal.write(line);
            }
        }
    }
}

/// The addresses of a block that answer most steadily, those that are pinged first. A host by name
/// has the address that was asked last.
fn steadiest(plan: &Plan, watch: &Watch, network: &Network, block: u32) -> Vec<IpAddr> {
    let roster = &plan.roster;
    let block = roster.block(BlockId(block));
    let of_kind = |is_pinged| {
        block
            .targets
            .clone()
            .filter(move |&id| (roster.targets[id as usize].kind == Kind::Icmp) == is_pinged)
    };
    let mut rated = Vec::new();
    for id in of_kind(true).chain(of_kind(false)).take(LOOKED_AT as usize) {
        let target = &roster.targets[id as usize];
        let address = match target.host {
            Host::Address(address) => Some(address),
            Host::Name(_) => network.newest_address(TargetId(id)),
        };
        // What was asked last may be denied since.
        let allowed = address.filter(|&address| !plan.deny.contains(address));
        let Some(address) = allowed else { continue };
        for view in watch.target_views(id..id + 1) {
            let is_bad = view.gone || view.accepts_all;
            let order = (is_bad, target.kind != Kind::Icmp, (view.miss_rate * 20.0) as u32, id);
            rated.push((order, address));
        }
    }
    rated.sort_unstable();
    let mut addresses: Vec<IpAddr> = Vec::with_capacity(TRACED);
    for (_, address) in rated {
        if addresses.len() < TRACED && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

//! The state machine: whom to ask when, for all paths.

use super::{
    Networks, PathEvent, PlaceView, ProbeOutcome, ProbeOutcomes, Settings, TraceProbe, TracedBlock,
    episode::Interval,
    path::Path,
    routers::{RouterId, Routers},
    sweep::Found,
};
use lifesign_model::{
    rng::Rng,
    scopes::{BlockId, Family, PerFamily, Prefix, TargetId},
    time::Time,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Duration,
};

/// How long a probe is open.
const OPEN: Duration = Duration::from_secs(3);
/// After life returned, or a way back moved, the path is looked at so much later.
pub(crate) const SOON: Duration = Duration::from_secs(2);
/// Calm sweeps per second at most while paths are being learned.
pub(crate) const LEARNING_RATE: f64 = 20.0;
pub(crate) const LEARNING_INTERVAL: Duration = Duration::from_secs(30);
/// So many sweeps are made at that pace.
pub(crate) const LEARNING_SWEEPS: u32 = 12;

/// A probe that may still be answered.
#[derive(Debug)]
pub(crate) struct Open {
    pub path: u32,
    pub hop_limit: u8,
    pub slot: u32,
    pub sent: Time,
    pub expected: RouterId,
    /// Other paths for which its answer counts too, and the slots of their sweeps.
    pub sharers: Vec<(u32, u32)>,
    pub found: Found,
}

/// What all paths of a family have in common at a hop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrunkHop {
    pub router: RouterId,
    pub agree: u32,
    pub differ: u32,
}

/// So many paths in a row go through the same router: the next is taken to do so too.
const TRUNK: u32 = 8;

impl TrunkHop {
    pub fn is_sure(&self) -> bool {
        self.agree >= TRUNK && self.differ * 50 <= self.agree
    }
}

/// Who answers whenever our own network works.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ControlsHeard {
    pub asked: Time,
    pub heard: Time,
}

/// A place that was told, and the interval that it names.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub view: PlaceView,
    pub interval: Interval,
}

/// Where the paths to all blocks break (see the crate).
#[derive(Debug)]
pub struct Tracer {
    pub(crate) settings: Settings,
    pub(crate) rng: Rng,
    pub(crate) networks: Networks,
    pub(crate) blocks: Vec<TracedBlock>,
    /// By country: its prefixes, by their first address.
    pub(crate) theirs: HashMap<u32, Vec<Prefix>>,
    /// First those of the blocks, then those of the controls.
    pub(crate) paths: Vec<Path>,
    pub(crate) routers: Routers,
    /// When its table was full last, and was gone through.
    pub(crate) gone_through: Time,
    pub(crate) trunk: PerFamily<Vec<TrunkHop>>,
    pub(crate) blind: PerFamily<bool>,
    pub(crate) controls_heard: PerFamily<ControlsHeard>,
    pub(crate) open: BTreeMap<u64, Open>,
    pub(crate) next_id: u64,
    pub(crate) next_slot: u32,
    pub(crate) timers: BTreeSet<(Time, u32)>,
    /// By path: its entry among the timers.
    pub(crate) timer_of: Vec<Time>,
    pub(crate) due: VecDeque<TraceProbe>,
    pub(crate) events: VecDeque<PathEvent>,
    pub(crate) places: HashMap<u32, Told>,
    pub(crate) queued: VecDeque<u32>,
    pub(crate) active: usize,
    /// The next path in doubt is looked into no earlier.
    pub(crate) next_begin: Time,
    pub(crate) counts: ProbeOutcomes<u64>,
    pub(crate) arrived: u64,
}

impl Tracer {
    /// One that knows no path yet. The seed spreads the sweeps.
    pub fn new(settings: Settings, seed: u64, _now: Time) -> Self {
        Self {
            rng: Rng::new(seed),
            networks: Networks::default(),
            blocks: Vec::new(),
            theirs: HashMap::new(),
            paths: Vec::new(),
            routers: Routers::new(&settings),
            gone_through: Time::default(),
            trunk: PerFamily::default(),
            blind: PerFamily::default(),
            controls_heard: PerFamily::default(),
            open: BTreeMap::new(),
            next_id: 1,
            next_slot: 0,
            timers: BTreeSet::new(),
            timer_of: Vec::new(),
            due: VecDeque::new(),
            events: VecDeque::new(),
            places: HashMap::new(),
            queued: VecDeque::new(),
            active: 0,
            next_begin: Time::default(),
            counts: ProbeOutcomes::default(),
            arrived: 0,
            settings,
        }
    }

    /// How much may be asked from now on: another pace. What a router may be asked stays.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    pub(crate) fn learning_interval(&self, blocks: usize) -> Duration {
        LEARNING_INTERVAL
            .max(Duration::from_secs_f64(blocks as f64 / LEARNING_RATE))
            .min(self.settings.calm_interval)
    }

    /// From one calm sweep of a path to the next.
    pub(crate) fn calm_interval(&mut self, index: u32) -> Duration {
        let interval = if self.paths[index as usize].sweeps < LEARNING_SWEEPS {
            self.learning_interval(self.blocks.len())
        } else {
            self.settings.calm_interval
        };
        // Sweeps of two paths that fell together once do not go on doing so.
        interval.mul_f64(0.9 + 0.2 * self.rng.unit())
    }

    /// Moves a path's timer to what is due first.
    pub(crate) fn set_timer(&mut self, index: u32) {
        let path = &self.paths[index as usize];
        let at = path.next_timeout();
        let timer = &mut self.timer_of[index as usize];
        if *timer != at {
            self.timers.remove(&(*timer, index));
            *timer = at;
            if at < Time::NEVER {
                self.timers.insert((at, index));
            }
        }
    }

    pub(crate) fn path_of(&self, block: BlockId) -> Option<u32> {
        ((block.0 as usize) < self.blocks.len()).then_some(block.0)
    }

    /// A path was found to have moved.
    pub(crate) fn tell_move(&mut self, index: u32, event: PathEvent) {
        self.paths[index as usize].changes += 1;
        self.events.push_back(event);
    }

    /// An echo reply of a host (one of its targets, always the same) arrived with this hop limit.
    pub fn handle_reply_hop_limit(
        &mut self,
        block: BlockId,
        host: TargetId,
        hop_limit: u8,
        now: Time,
    ) {
        let Some(index) = self.path_of(block) else { return };
        let path = &mut self.paths[index as usize];
        if path.targets.is_empty() {
            return;
        }
        if let Some((before, after)) = path.way_back.record(host, hop_limit, now) {
            path.calm_at = path.calm_at.min(now);
            self.tell_move(index, PathEvent::ReturnPath { at: now, block, before, after });
            self.set_timer(index);
        }
    }

    /// Does what time demands by `now`; then take the probes that are due.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(entry) = self.open.first_entry().filter(|open| open.get().sent + OPEN <= now)
        {
            let open = entry.remove();
            self.counts[ProbeOutcome::Silent] += u64::from(open.found == Found::Pending);
        }
        while let Some(&(at, index)) = self.timers.first() {
            if at > now {
                break;
            }
            self.advance(index, now);
            self.set_timer(index);
        }
    }

    /// Does what is due on one path.
    fn advance(&mut self, index: u32, now: Time) {
        let path = &mut self.paths[index as usize];
        if path.sweep.as_ref().is_some_and(|sweep| sweep.close_at <= now) {
            self.close_sweep(index, now);
        }
        let path = &mut self.paths[index as usize];
        if path.sweep.is_some() {
            return;
        }
        if path.episode.as_ref().is_some_and(|episode| episode.next_at <= now) {
            self.doubt_sweep(index, now);
        } else if path.calm_at <= now {
            let is_blind = self.blind[path.family];
            path.calm_at = now + self.settings.calm_interval / 10;
            if is_blind || path.episode.is_some() {
                return;
            }
            if path.is_down {
                path.calm_at = now + self.settings.calm_interval;
                self.begin_episode(index, now);
            } else {
                self.calm_sweep(index, now);
            }
        }
    }

    /// When to call [`Tracer::handle_timeout`] next, at the latest.
    pub fn poll_timeout(&self) -> Time {
        self.timers.first().map_or(Time::NEVER, |timer| timer.0)
    }

    /// The next probe to send now.
    pub fn poll_probe(&mut self, _now: Time) -> Option<TraceProbe> {
        self.due.pop_front()
    }

    /// The next event that nobody has taken yet.
    pub fn poll_event(&mut self) -> Option<PathEvent> {
        self.events.pop_front()
    }

    /// The families of all paths, for whoever wants to know of which there are controls.
    pub(crate) fn controls(&self, family: Family) -> impl Iterator<Item = u32> {
        let first = self.blocks.len();
        let paths = self.paths.iter().enumerate().skip(first);
        paths.filter(move |(_, path)| path.family == family).map(|(index, _)| index as u32)
    }
}

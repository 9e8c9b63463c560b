//! Scripted hosts: probes go in, and [`Event`]s come out at the time at which they reach us.
//!
//! A path to a host has four segments: ours, the country's, the block's and the host's. Darkness
//! takes what is under way: a probe sent at s with round-trip time r is answered only if no
//! darkness begins in (s, s + r]. What is dark when the probe is sent may be back when it arrives:
//! it reaches its host at s + r/2, and it is enough that the segments pass it then.

use super::{
    NormalConditions, Scenario,
    channel::BurstChannel,
    event::HOST_UNREACHABLE,
    event_scope::EventScope,
    host::{WorldHost, draw_hosts},
    impairment::{ByScope, Impairment, Span},
    segment::{NO_SEGMENT, Segment, Segments},
};
use lifesign_core::{
    bucket::Bucket,
    outcome::{ControlOutcome, Due, Event, Fault, Found, IcmpCode, Outcome, Reject, Stray},
    rng::Rng,
    scopes::{BlockId, Kind, Roster, TargetId},
    time::Time,
};
use std::{cmp::Reverse, collections::BinaryHeap, f64::consts::TAU, sync::Arc, time::Duration};

/// Round-trip time to a control, and the share of probes that it misses of itself.
const CONTROL_RTT: Duration = Duration::from_millis(20);
const CONTROL_LOSS: f64 = 0.005;
/// How long a control is waited for.
const CONTROL_PATIENCE: Duration = Duration::from_secs(1);
/// How many ICMP answers a rate-limiting router lets pass at once.
const LIMIT_BURST: f64 = 6.0;

/// Ordered by time, then as put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrival {
    at: Time,
    order: u64,
    sent: Time,
    /// Index of a target, or of a control.
    target: u32,
    seq: u32,
    trap: bool,
    kind: ArrivalKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ArrivalKind {
    Reply,
    Refused,
    Unreachable(IcmpCode),
    NoBuffers,
    Unresolved,
    Forged,
    Corrupt,
    Truncated,
    Control(bool),
}

/// Indices of the segments that a probe passes: ours, the country's, the block's, the host's.
type Path = [u32; 4];

/// Scripted hosts under way (see the module).
#[derive(Debug)]
pub struct World {
    roster: Arc<Roster>,
    normal: NormalConditions,
    router_answers: bool,
    /// One entry for each target.
    hosts: Vec<WorldHost>,
    /// One for each target, and one for each control.
    paths: Vec<Path>,
    control_paths: Vec<Path>,
    segments: Vec<Segment>,
    channels: Vec<BurstChannel>,
    /// Of each block's router; none where they limit nothing.
    buckets: Vec<Bucket>,
    arrivals: BinaryHeap<Reverse<Arrival>>,
    arrivals_made: u64,
    rng: Rng,
    /// That of all controls but the first, so that hosts fare the same however many there are.
    control_rng: Rng,
}

impl World {
    pub(super) fn new(scenario: &Scenario, impairments: &[Impairment], seed: u64) -> Self {
        let roster = scenario.roster.clone();
        let mut rng = Rng::new(seed);
        let hosts = draw_hosts(scenario, &mut rng);
        let impairments = ByScope::new(impairments);
        let mut segments = Segments::new(&impairments);
        let paths = target_paths(&roster, &mut segments);
        let control_path = |number| {
            let mut index = |scope| segments.index(scope, Kind::Icmp);
            [index(EventScope::Us), index(EventScope::Control(number)), NO_SEGMENT, NO_SEGMENT]
        };
        let control_paths = (0..scenario.controls.max(1)).map(control_path).collect();
        let countries = 0..roster.countries.len() as u32;
        let bucket = |rate| Bucket::new(rate, LIMIT_BURST, LIMIT_BURST, scenario.start);
        let buckets =
            scenario.host_mix.rate_limit.map(|rate| vec![bucket(rate); roster.blocks.len()]);
        Self {
            hosts,
            paths,
            control_paths,
            segments: segments.all,
            router_answers: scenario.host_mix.router_answers,
            channels: countries.map(|n| BurstChannel::new(scenario, seed, n)).collect(),
            buckets: buckets.unwrap_or_default(),
            arrivals: BinaryHeap::new(),
            arrivals_made: 0,
            rng,
            control_rng: Rng::new(seed ^ 0xc0_4701),
            normal: scenario.normal.clone(),
            roster,
        }
    }

    /// When something next reaches us.
    #[inline]
    pub fn next_arrival(&self) -> Time {
        self.arrivals.peek().map_or(Time::NEVER, |arrival| arrival.0.at)
    }

    /// What reaches us by `now`.
    pub fn poll_event(&mut self, now: Time) -> Option<Event> {
        self.poll_arrival(now).map(|arrival| self.event(&arrival))
    }

    /// The same, and the number of the probe ([`Due::seq`]) that it is about: for whoever must
    /// still make a packet of it.
    pub fn poll_event_and_seq(&mut self, now: Time) -> Option<(Event, u32)> {
        self.poll_arrival(now).map(|arrival| (self.event(&arrival), arrival.seq))
    }

    fn poll_arrival(&mut self, now: Time) -> Option<Arrival> {
        let arrival = self.arrivals.peek().filter(|arrival| arrival.0.at <= now)?.0;
        self.arrivals.pop();
        Some(arrival)
    }

    /// What would reach us in this span never does.
    pub(super) fn drop_arrivals(&mut self, (from, to): Span) {
        self.arrivals.retain(|arrival| arrival.0.at < from || arrival.0.at >= to);
    }

    /// Takes a probe to a control, by its index in [`Scenario::settings`]. What befalls a control
    /// befalls that of the same number in each family.
    pub fn handle_control_probe(&mut self, control: u16, now: Time) {
        let path = self.control_paths[usize::from(control) % self.control_paths.len()];
        let mut dead = false;
        let mut cut = false;
        let mut kept = 1.0 - CONTROL_LOSS;
        let mut rtt = CONTROL_RTT;
        let mut held_until = Time::default();
        for &segment in &path {
            let Some(segment) = self.segments.get_mut(segment as usize) else { continue };
            let conditions = segment.advance(now);
            dead |= conditions.nothing_passes();
            cut |= conditions.next_darkness <= now + CONTROL_RTT;
            kept *= 1.0 - conditions.loss;
            rtt = rtt.mul_f64(conditions.slowdown);
            held_until = held_until.max(conditions.held_until);
        }
        let rng = if control == 0 { &mut self.rng } else { &mut self.control_rng };
        let silent = dead || rng.chance(1.0 - kept) || cut;
        let answer = (now + rtt).max(held_until);
        let answered = !silent && answer <= now + CONTROL_PATIENCE;
        let at = if answered { answer } else { now + CONTROL_PATIENCE };
        self.push_arrival(Arrival {
            at,
            order: 0,
            sent: now,
            target: control.into(),
            seq: 0,
            trap: false,
            kind: ArrivalKind::Control(answered),
        });
    }

    /// Takes a probe.
    pub fn handle_probe(&mut self, due: &Due) {
        let sent = due.sent;
        let host = self.hosts[due.target.0 as usize];
        let path = self.paths[due.target.0 as usize];
        let mut slowdown = 1.0;
        for &segment in &path {
            // Most hosts and blocks have none, since nothing ever happens there.
            if let Some(segment) = self.segments.get_mut(segment as usize) {
                slowdown *= segment.advance(sent).slowdown;
            }
        }
        let ours = self.segments.get(path[0] as usize).map(Segment::now);
        let sending_fails = ours.is_some_and(|ours| ours.sending_fails);
        let resolver_fails = ours.is_some_and(|ours| ours.resolver_fails);
        if self.normal.forged > 0.0 && self.rng.chance(self.normal.forged) {
            self.answer(due, Duration::from_millis(500), ArrivalKind::Forged);
        }
        if sending_fails {
            return self.answer(due, Duration::ZERO, ArrivalKind::NoBuffers);
        }
        if host.named && resolver_fails {
            return self.answer(due, Duration::ZERO, ArrivalKind::Unresolved);
        }
        let load = self.load(sent);
        let seconds = self.normal_rtt(&host, load) * slowdown;
        // Worked out only where something changes while a probe is under way.
        let at_host = || sent + Duration::from_secs_f64(seconds / 2.0);
        let rtt = Duration::from_secs_f64(seconds);
        let back = sent + rtt;

        let mut effect = PathEffect::default();
        let mut kept = (1.0 - host.miss) * (1.0 - (self.normal.loss * load).min(1.0));
        for (place, &segment) in path.iter().enumerate() {
            let Some(segment) = self.segments.get(segment as usize) else { continue };
            effect.pass(segment, at_host, back);
            kept *= 1.0 - segment.now().loss;
            if place == 0 && (effect.dark || effect.cut) {
                return; // Our own uplink: nothing at all comes back.
            }
        }
        let channel = &mut self.channels[host.country as usize];
        let burst = self.normal.bursts.map_or(0.0, |bursts| channel.loss(bursts, at_host()));
        if self.rng.unit() < kept * (1.0 - burst) {
            self.answer_what_arrived(due, &host, &effect, at_host, rtt);
        }
    }

    /// A probe and its answer that no loss took: what answers, if anything does.
    fn answer_what_arrived(
        &mut self,
        due: &Due,
        host: &WorldHost,
        path: &PathEffect,
        at_host: impl Fn() -> Time,
        rtt: Duration,
    ) {
        if host.accepts_all && host.kind.traits().has_trap {
            // The firewall stands outside: it answers for a dead host too.
            self.answer(due, at_host().since(due.sent), ArrivalKind::Reply);
        } else if path.dark || path.cut {
            let code = path.router_code.or(self.router_answers.then_some(HOST_UNREACHABLE));
            if let Some(code) = code.filter(|_| path.dark) {
                self.answer(due, at_host().since(due.sent), ArrivalKind::Unreachable(code));
            }
        } else if host.answers && (host.kind != Kind::Icmp || self.router_passes(host, at_host)) {
            let refused = due.trap || host.refuses;
            let kind = if refused { ArrivalKind::Refused } else { ArrivalKind::Reply };
            let kind = self.damaged(kind);
            let wait = rtt.max(path.held_until.since(due.sent));
            self.answer(due, wait, kind);
            if self.normal.duplicates > 0.0 && self.rng.chance(self.normal.duplicates) {
                self.answer(due, wait + Duration::from_millis(1), kind);
            }
        }
    }

    /// A round-trip time, in seconds, when nothing happens.
    fn normal_rtt(&mut self, host: &WorldHost, load: f64) -> f64 {
        let NormalConditions { tail, tail_range: (from, to), jitter, .. } = self.normal;
        if tail > 0.0 && self.rng.chance(tail) {
            from * (to / from).powf(self.rng.unit())
        } else {
            host.rtt + self.rng.exponential(jitter * load)
        }
    }

    /// Some answers are damaged on the way, and some are cut short.
    fn damaged(&mut self, kind: ArrivalKind) -> ArrivalKind {
        let NormalConditions { corrupt, truncated, .. } = self.normal;
        if corrupt + truncated == 0.0 {
            return kind;
        }
        match self.rng.unit() {
            drawn if drawn < corrupt => ArrivalKind::Corrupt,
            drawn if drawn < corrupt + truncated => ArrivalKind::Truncated,
            _ => kind,
        }
    }

    fn answer(&mut self, due: &Due, after: Duration, kind: ArrivalKind) {
        self.push_arrival(Arrival {
            at: due.sent + after,
            order: 0,
            sent: due.sent,
            target: due.target.0,
            seq: due.seq,
            trap: due.trap,
            kind,
        });
    }

    fn push_arrival(&mut self, arrival: Arrival) {
        self.arrivals_made += 1;
        self.arrivals.push(Reverse(Arrival { order: self.arrivals_made, ..arrival }));
    }

    /// How much of the usual jitter and loss there is at this time of day.
    fn load(&self, time: Time) -> f64 {
        if self.normal.diurnal == 0.0 {
            return 1.0;
        }
        1.0 + self.normal.diurnal * (time.as_secs_f64() / 86_400.0 * TAU).sin()
    }

    /// Does the rate limit of the host's block let an ICMP answer pass?
    fn router_passes(&mut self, host: &WorldHost, now: impl Fn() -> Time) -> bool {
        self.buckets.get_mut(host.block as usize).is_none_or(|bucket| bucket.take(0.0, now()))
    }

    fn event(&self, arrival: &Arrival) -> Event {
        let rtt = arrival.at.since(arrival.sent);
        let target = TargetId(arrival.target);
        let stray = |reason| {
            Event::Stray(Stray { seen: arrival.at, from: None, target: Some(target), reason })
        };
        let found = match arrival.kind {
            ArrivalKind::Reply => Found::Reply { rtt, rcode: None, unexpected: false },
            ArrivalKind::Refused => Found::Refused { rtt },
            ArrivalKind::Unreachable(code) => {
                let from = self.roster.block(self.roster.target(target).block).prefix.address();
                Found::Unreachable { from, code, rtt }
            }
            ArrivalKind::NoBuffers => Found::NotSent(Fault::NoBuffers),
            ArrivalKind::Unresolved => Found::NotSent(Fault::Unresolved),
            ArrivalKind::Forged => return stray(Reject::WrongToken),
            ArrivalKind::Corrupt => return stray(Reject::Corrupt),
            ArrivalKind::Truncated => return stray(Reject::Truncated),
            ArrivalKind::Control(answered) => {
                return Event::Control(ControlOutcome {
                    control: arrival.target as u16,
                    sent: arrival.sent,
                    answered,
                });
            }
        };
        Event::Outcome(Outcome {
            target,
            seq: arrival.seq,
            sent: arrival.sent,
            trap: arrival.trap,
            found,
            hop_limit: None,
        })
    }
}

/// What the segments that a probe has passed did to it.
#[derive(Default)]
struct PathEffect {
    /// Darkness began while it was under way.
    cut: bool,
    /// Dark when it came by.
    dark: bool,
    router_code: Option<IcmpCode>,
    held_until: Time,
}

impl PathEffect {
    #[inline]
    fn pass(&mut self, segment: &Segment, at_host: impl Fn() -> Time, back: Time) {
        let now = segment.now();
        let (then, on_return) = if back < segment.until {
            (now, now)
        } else {
            (segment.later(at_host()), segment.later(back))
        };
        self.dark |= then.nothing_passes();
        self.router_code = self.router_code.or(then.router_code);
        self.cut |= now.next_darkness <= back;
        self.held_until = self.held_until.max(on_return.held_until);
    }
}

fn target_paths(roster: &Roster, segments: &mut Segments<'_>) -> Vec<Path> {
    let mut paths = Vec::with_capacity(roster.targets.len());
    for (number, block) in roster.blocks.iter().enumerate() {
        for host in roster.targets_by_host(BlockId(number as u32)) {
            let scopes = [
                EventScope::Us,
                EventScope::Country(block.country.0),
                EventScope::Block(number as u32),
                EventScope::Host(host.start),
            ];
            for target in &roster.targets[host.start as usize..host.end as usize] {
                paths.push(scopes.map(|scope| segments.index(scope, target.kind)));
            }
        }
    }
    paths
}

//! Scripted hosts. In: probes ([`Due`]) and questions to controls. Out: [`Event`]s at the time at
//! which they reach us. It never knows a verdict, and never allocates for a probe once its queue
//! has grown.
//!
//! A cut takes what is under way: a probe sent at s with round-trip time r is answered only if no
//! darkness begins in (s, s + r]. A return serves what arrives: the probe reaches its host at s +
//! r/2, and it is enough that there is light by then. Four lanes make a road: ours, the country's,
//! the block's, the host's.

use super::{
    Bursts, Scenario, Weather,
    event::{HOST_UNREACHABLE, On},
    host::{Host, hosts},
    lane::{Lane, Stretch},
    script::{Play, Span},
};
use lifesign_core::{
    outcome::{ControlOutcome, Due, Event, Fault, Found, IcmpCode, Outcome, Reject, Stray},
    rng::Rng,
    scopes::{Kind, Roster, TargetId},
    time::Time,
};
use std::{cmp::Reverse, collections::BinaryHeap, f64::consts::TAU, sync::Arc, time::Duration};

/// Round-trip time to a control, in seconds, and the share of questions that it misses of itself.
const CONTROL_RTT: f64 = 0.02;
const CONTROL_LOSS: f64 = 0.005;
/// How long a control is waited for.
const CONTROL_PATIENCE: Duration = Duration::from_secs(1);
/// How many ICMP answers a rate-limiting router lets pass at once.
const LIMIT_BURST: f64 = 6.0;
/// Nothing ever befalls it alone: most hosts and blocks, so that they cost no memory to look up.
const NO_LANE: u32 = u32::MAX;

/// Ordered by time, then as put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrival {
    at: Time,
    number: u64,
    sent: Time,
    target: u32,
    seq: u32,
    trap: bool,
    what: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
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

/// A channel that is now good, now bad; its own rng, so that no probe changes its course.
#[derive(Clone, Debug)]
struct Channel {
    rng: Rng,
    bad: bool,
    until: Time,
}

/// Scripted hosts under way (see the module).
#[derive(Debug)]
pub struct World {
    roster: Arc<Roster>,
    weather: Weather,
    router: bool,
    rate_limit: Option<f64>,
    hosts: Vec<Host>,
    ours: Lane,
    countries: Vec<Lane>,
    /// Of those blocks, and of those hosts, that an event befalls alone.
    blocks: Vec<Lane>,
    own: Vec<Lane>,
    channels: Vec<Channel>,
    /// Tokens of each block's router, and when they were counted.
    buckets: Vec<(f64, Time)>,
    queue: BinaryHeap<Reverse<Arrival>>,
    number: u64,
    rng: Rng,
    controls: u16,
}

impl World {
    pub(super) fn new(scenario: &Scenario, plays: &[Play], seed: u64) -> Self {
        let roster = scenario.roster.clone();
        let mut rng = Rng::new(seed);
        let of = |on: On| Lane::new(plays.iter().filter(move |play| play.on == on));
        let mut own = Vec::new();
        let mut lanes = vec![NO_LANE; roster.targets.len()];
        for (place, target) in roster.targets.iter().enumerate() {
            let first = place as u32;
            if plays.iter().any(|play| play.on == On::Host(first)) {
                for other in roster.block(target.block).targets.clone() {
                    if roster.targets[other as usize].host == target.host {
                        lanes[other as usize] = own.len() as u32;
                    }
                }
                own.push(of(On::Host(first)));
            }
        }
        let mut blocks = Vec::new();
        let mut block_lanes = vec![NO_LANE; roster.blocks.len()];
        for (place, lane) in block_lanes.iter_mut().enumerate() {
            let on = On::Block(place as u32);
            if plays.iter().any(|play| play.on == on) {
                *lane = blocks.len() as u32;
                blocks.push(of(on));
            }
        }
        let channel = |n: usize| {
            let mut rng = Rng::new(seed ^ (0xb0_0515 + n as u64));
            let until = scenario.weather.bursts.map_or(Time::NEVER, |bursts| {
                scenario.start + Duration::from_secs_f64(rng.exponential(bursts.gap))
            });
            Channel { rng, bad: false, until }
        };
        Self {
            hosts: hosts(scenario, &lanes, &block_lanes, &mut rng),
            router: scenario.classes.unreachable,
            rate_limit: scenario.classes.rate_limit,
            ours: of(On::Us),
            countries: (0..roster.countries.len() as u32).map(|n| of(On::Country(n))).collect(),
            blocks,
            own,
            channels: (0..roster.countries.len()).map(channel).collect(),
            buckets: vec![(LIMIT_BURST, scenario.start); roster.blocks.len()],
            queue: BinaryHeap::new(),
            number: 0,
            rng,
            weather: scenario.weather.clone(),
            controls: scenario.controls,
            roster,
        }
    }

    /// When something next reaches us.
    #[inline]
    pub fn next_arrival(&self) -> Time {
        self.queue.peek().map_or(Time::NEVER, |arrival| arrival.0.at)
    }

    /// What reaches us by `now`.
    pub fn arrive(&mut self, now: Time) -> Option<Event> {
        self.arrive_about(now).map(|(event, _)| event)
    }

    /// The same, and the number of the probe ([`Due::seq`]) that it is about: for whoever must
    /// still make a packet of it.
    pub fn arrive_about(&mut self, now: Time) -> Option<(Event, u32)> {
        let arrival = self.queue.peek().filter(|arrival| arrival.0.at <= now)?.0;
        self.queue.pop();
        Some((self.event(&arrival), arrival.seq))
    }

    /// What would reach us in this span never does.
    pub(super) fn drop_arrivals(&mut self, (from, to): Span) {
        self.queue.retain(|arrival| arrival.0.at < from || arrival.0.at >= to);
    }

    /// Asks the next control in turn.
    pub fn ask_control(&mut self, number: u64, now: Time) {
        let ours = self.ours.advance(now);
        let silent = ours.uplink
            || self.rng.chance(1.0 - (1.0 - CONTROL_LOSS) * (1.0 - ours.loss))
            || ours.cut <= now + Duration::from_secs_f64(CONTROL_RTT);
        let rtt = Duration::from_secs_f64(CONTROL_RTT * ours.factor);
        let answer = (now + rtt).max(ours.held);
        let answered = !silent && answer <= now + CONTROL_PATIENCE;
        let at = if answered { answer } else { now + CONTROL_PATIENCE };
        let control = number % u64::from(self.controls.max(1));
        self.put(at, now, control as u32, 0, false, Word::Control(answered));
    }

    /// Takes a probe.
    pub fn ask(&mut self, due: &Due) {
        let s = due.sent;
        let host = self.hosts[due.target.0 as usize];
        let ours = self.ours.advance(s);
        let country = self.countries[host.country as usize].advance(s);
        let block = self.blocks.get_mut(host.block_lane as usize).map(|lane| lane.advance(s));
        let own = self.own.get_mut(host.lane as usize).map(|lane| lane.advance(s));
        if self.weather.forged > 0.0 && self.rng.chance(self.weather.forged) {
            self.answer(due, 0.5, Word::Forged);
        }
        if ours.send || ours.resolver && host.named {
            self.answer(due, 0.0, if ours.send { Word::NoBuffers } else { Word::Unresolved });
            return;
        }
        let load = self.load(s);
        let weather = &self.weather;
        let tail = weather.tail > 0.0 && self.rng.chance(weather.tail);
        let mut rtt = if tail {
            let (from, to) = weather.tail_range;
            from * (to / from).powf(self.rng.unit())
        } else {
            host.rtt + self.rng.exponential(weather.jitter * load)
        };
        rtt *= ours.factor
            * country.factor
            * block.map_or(1.0, |block| block.factor)
            * own.map_or(1.0, |own| own.factor);
        let (half, whole) =
            (s + Duration::from_secs_f64(rtt / 2.0), s + Duration::from_secs_f64(rtt));

        let mut road = Road { lost: false, dark: false, router: None, held: Time::default() };
        road.pass(&self.ours, &ours, half, whole);
        if road.dark || road.lost {
            return; // Our own uplink: nothing at all comes back.
        }
        road.pass(&self.countries[host.country as usize], &country, half, whole);
        if let (Some(lane), Some(block)) = (self.blocks.get(host.block_lane as usize), &block) {
            road.pass(lane, block, half, whole);
        }
        if let (Some(lane), Some(own)) = (self.own.get(host.lane as usize), &own) {
            road.pass(lane, own, half, whole);
        }
        let kept = (1.0 - host.miss)
            * (1.0 - (weather.loss * load).min(1.0))
            * (1.0 - ours.loss)
            * (1.0 - country.loss)
            * (1.0 - block.map_or(0.0, |block| block.loss))
            * (1.0 - own.map_or(0.0, |own| own.loss));
        let burst = self.channels[host.country as usize].loss(weather.bursts, half);
        let passes = self.rng.unit() < kept * (1.0 - burst);
        if host.accepts_all && host.kind == Kind::Tcp {
            // The firewall stands outside: it answers for the dead as for the living.
            if passes {
                self.answer(due, rtt / 2.0, Word::Reply);
            }
        } else if road.dark || road.lost {
            let code = road.router.or(self.router.then_some(HOST_UNREACHABLE));
            if let Some(code) = code.filter(|_| passes && road.dark) {
                self.answer(due, rtt / 2.0, Word::Unreachable(code));
            }
        } else if passes
            && host.answers
            && (host.kind != Kind::Icmp || self.let_pass(host.block, half))
        {
            let word =
                self.on_the_way(if due.trap || host.refuses { Word::Refused } else { Word::Reply });
            let wait = rtt.max(road.held.since(s).as_secs_f64());
            self.answer(due, wait, word);
            if self.weather.duplicates > 0.0 && self.rng.chance(self.weather.duplicates) {
                self.answer(due, wait + 0.001, word);
            }
        }
    }

    /// Some answers are damaged on the way, and some are cut short.
    fn on_the_way(&mut self, word: Word) -> Word {
        let Weather { corrupt, truncated, .. } = self.weather;
        if corrupt + truncated == 0.0 {
            return word;
        }
        match self.rng.unit() {
            part if part < corrupt => Word::Corrupt,
            part if part < corrupt + truncated => Word::Truncated,
            _ => word,
        }
    }

    fn answer(&mut self, due: &Due, seconds: f64, what: Word) {
        let at = due.sent + Duration::from_secs_f64(seconds);
        self.put(at, due.sent, due.target.0, due.seq, due.trap, what);
    }

    fn put(&mut self, at: Time, sent: Time, target: u32, seq: u32, trap: bool, what: Word) {
        self.number += 1;
        self.queue.push(Reverse(Arrival {
            at,
            number: self.number,
            sent,
            target,
            seq,
            trap,
            what,
        }));
    }

    fn load(&self, time: Time) -> f64 {
        if self.weather.diurnal == 0.0 {
            return 1.0;
        }
        1.0 + self.weather.diurnal * (time.as_secs_f64() / 86_400.0 * TAU).sin()
    }

    /// Does the block's router let an ICMP answer pass?
    fn let_pass(&mut self, block: u32, now: Time) -> bool {
        let Some(rate) = self.rate_limit else { return true };
        let (tokens, counted) = &mut self.buckets[block as usize];
        *tokens = (*tokens + now.since(*counted).as_secs_f64() * rate).min(LIMIT_BURST);
        *counted = now.max(*counted);
        let pass = *tokens >= 1.0;
        *tokens -= f64::from(u8::from(pass));
        pass
    }

    fn event(&self, arrival: &Arrival) -> Event {
        let rtt = arrival.at.since(arrival.sent);
        let target = TargetId(arrival.target);
        let found = match arrival.what {
            Word::Reply => Found::Reply { rtt, rcode: None, unexpected: false },
            Word::Refused => Found::Refused { rtt },
            Word::Unreachable(code) => {
                let from = self.roster.block(self.roster.target(target).block).prefix.address();
                Found::Unreachable { from, code, rtt }
            }
            Word::NoBuffers => Found::NotSent(Fault::NoBuffers),
            Word::Unresolved => Found::NotSent(Fault::Unresolved),
            Word::Forged | Word::Corrupt | Word::Truncated => {
                let reason = match arrival.what {
                    Word::Corrupt => Reject::Corrupt,
                    Word::Truncated => Reject::Truncated,
                    _ => Reject::WrongToken,
                };
                return Event::Stray(Stray {
                    seen: arrival.at,
                    from: None,
                    target: Some(target),
                    reason,
                });
            }
            Word::Control(answered) => {
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
        })
    }
}

/// What the lanes do to one probe.
struct Road {
    /// Cut while under way.
    lost: bool,
    /// Dark when it came by.
    dark: bool,
    router: Option<IcmpCode>,
    held: Time,
}

impl Road {
    #[inline]
    fn pass(&mut self, lane: &Lane, now: &Stretch, half: Time, whole: Time) {
        let (then, back) =
            if whole < lane.until { (*now, *now) } else { (lane.later(half), lane.later(whole)) };
        self.dark |= then.dark || then.uplink;
        self.router = self.router.or(then.router);
        self.lost |= now.cut <= whole;
        self.held = self.held.max(back.held);
    }
}

impl Channel {
    /// The loss at this time; times that go back a little see the newest.
    fn loss(&mut self, bursts: Option<Bursts>, time: Time) -> f64 {
        let Some(bursts) = bursts else { return 0.0 };
        while self.until <= time {
            self.bad = !self.bad;
            let mean = if self.bad { bursts.mean } else { bursts.gap };
            self.until = self.until + Duration::from_secs_f64(self.rng.exponential(mean));
        }
        if self.bad { bursts.loss } else { 0.0 }
    }
}

//! Routers: trace probes go in, and answers come out at the time at which they reach us.
//!
//! A packet passes one link after another until its hop limit is used up. The first link loses as
//! many as the weather says.

use super::{
    Scenario,
    road::{Road, RoadEffect, RoadEvent, RoadHop, Way},
};
use lifesign_core::{bucket::Bucket, rng::Rng, scopes::Roster, time::Time};
use lifesign_path::{Answer, TraceAnswer, TraceProbe, Traced};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

/// How far behind what all share a control is.
const CONTROL_HOPS: usize = 3;
/// A packet that is sent back and forth is given up after so many links.
const MOST_LINKS: usize = 64;
/// What a router address may get: packets per second, and at once.
const RATE: f64 = 0.5;
const BURST: f64 = 5.0;

/// One router on a path, as it is at the time.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Of each of its equal routers.
    pub addresses: Vec<IpAddr>,
    pub answers: f64,
    limit: Option<f64>,
    pub is_inside: bool,
    is_by_packet: bool,
}

/// What a router address got.
#[derive(Clone, Copy, Debug)]
struct Account {
    allowed: Bucket,
    packets: u64,
    beyond: f64,
}

/// All paths.
#[derive(Debug)]
pub(super) struct Roads {
    pub(super) roster: Arc<Roster>,
    all: Vec<Road>,
    pub(super) events: Vec<RoadEvent>,
    controls: Vec<IpAddr>,
    /// By block: its road.
    road_of: Vec<Option<u16>>,
    loss: f64,
    rtt: f64,
    rng: Rng,
    now: Time,
    limits: HashMap<IpAddr, Bucket>,
    accounts: HashMap<IpAddr, Account>,
    arrivals: BinaryHeap<Reverse<(Time, u64)>>,
    answers: HashMap<u64, TraceAnswer>,
}

/// Of which path, which hop and which of its equal routers: an address of the network that RFC 2544
/// sets aside for tests, or of RFC 3849's.
fn address(is_v6: bool, road: usize, hop: usize, which: usize, is_other: bool) -> IpAddr {
    let number = (road * 32 + hop) * 4 + which + (usize::from(is_other) << 16);
    if is_v6 {
        let first = Ipv6Addr::new(0x2001, 0xdb8, 0xfffe, 0, 0, 0, 0, 1).to_bits();
        IpAddr::V6(Ipv6Addr::from_bits(first + number as u128))
    } else {
        IpAddr::V4(Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + number as u32))
    }
}

/// The paths to the controls, and what all paths share.
const NEAR: usize = 255;

impl Roads {
    /// None if the file has no path.
    pub fn new(scenario: &Scenario, controls: &[IpAddr], seed: u64) -> Option<Self> {
        if scenario.roads.is_empty() {
            return None;
        }
        let mut road_of = vec![None; scenario.roster.blocks.len()];
        for (number, road) in (0..).zip(&scenario.roads) {
            for &block in &road.blocks {
                road_of[block as usize] = Some(number);
            }
        }
        Some(Self {
            roster: scenario.roster.clone(),
            all: scenario.roads.clone(),
            events: scenario.road_events.clone(),
            controls: controls.to_vec(),
            road_of,
            loss: scenario.normal.loss,
            rtt: scenario.normal.rtt,
            rng: Rng::new(seed ^ 0x70a7_50ad),
            now: scenario.start,
            limits: HashMap::new(),
            accounts: HashMap::new(),
            arrivals: BinaryHeap::new(),
            answers: HashMap::new(),
        })
    }

    pub fn road_of(&self, block: u32) -> Option<&Road> {
        self.road_of[block as usize].map(|road| &self.all[usize::from(road)])
    }

    /// What befalls the path to a block now, but for reroutes.
    pub fn break_of(&self, block: u32, now: Time) -> Option<&RoadEvent> {
        self.events.iter().find(|event| {
            event.from <= now
                && now < event.to
                && !matches!(event.effect, RoadEffect::Reroute { .. })
                && event.blocks.contains(&block)
        })
    }

    fn reroute_of(&self, block: u32, now: Time) -> Option<&RoadEvent> {
        self.events.iter().find(|event| {
            event.from <= now
                && now < event.to
                && matches!(event.effect, RoadEffect::Reroute { .. })
                && event.blocks.contains(&block)
        })
    }

    /// The routers on the way to a block, from us.
    pub fn nodes(&self, block: u32, now: Time) -> Vec<Node> {
        let Some(number) = self.road_of[block as usize] else { return Vec::new() };
        let number = usize::from(number);
        let road = &self.all[number];
        let prefix = self.roster.blocks[block as usize].prefix.address();
        let node = |(index, hop): (usize, &RoadHop)| {
            let number = if index < road.shared { NEAR } else { number };
            let addresses = (0..usize::from(hop.balanced))
                .map(|which| match (hop.is_own, prefix) {
                    (false, _) => address(prefix.is_ipv6(), number, index, which, false),
                    (true, IpAddr::V4(first)) => {
                        IpAddr::V4((first.to_bits() + 254 - (index * 4 + which) as u32).into())
                    }
                    (true, IpAddr::V6(first)) => {
                        IpAddr::V6((first.to_bits() + 0xff00 + (index * 4 + which) as u128).into())
                    }
                })
                .collect();
            Node {
                addresses,
                answers: hop.answers,
                limit: hop.limit,
                is_inside: hop.is_inside,
                is_by_packet: hop.is_by_packet,
            }
        };
        let mut nodes: Vec<Node> = road.hops.iter().enumerate().map(node).collect();
        let Some(event) = self.reroute_of(block, now) else { return nodes };
        if let RoadEffect::Reroute { hops, longer, .. } = event.effect {
            let last = (event.after + hops).min(nodes.len());
            let replaced = nodes.drain(event.after..last).collect::<Vec<_>>();
            let like = replaced.first().cloned();
            let count = replaced.len() + longer;
            let other = |index: usize| {
                let at = event.after + index;
                let which = |which| address(prefix.is_ipv6(), number, at, which, true);
                let like = replaced.get(index).or(like.as_ref());
                Node {
                    addresses: vec![which(0)],
                    answers: like.map_or(1.0, |node| node.answers),
                    limit: like.and_then(|node| node.limit),
                    is_inside: like.is_some_and(|node| node.is_inside),
                    is_by_packet: false,
                }
            };
            let others: Vec<Node> = (0..count).map(other).collect();
            nodes.splice(event.after..event.after, others);
        }
        nodes
    }

    /// How many hops away a block's hosts are.
    pub fn length(&self, block: u32, now: Time) -> Option<u8> {
        let road = self.road_of(block)?;
        let longer = self.reroute_of(block, now).map_or(0, |event| match event.effect {
            RoadEffect::Reroute { longer, .. } => longer,
            _ => 0,
        });
        Some((road.hops.len() + longer + 1) as u8)
    }

    /// Behind how many of the routers on the way now an event lies.
    pub fn position(&self, block: u32, event: &RoadEvent, now: Time) -> usize {
        let longer = self.reroute_of(block, now).map_or(0, |reroute| match reroute.effect {
            RoadEffect::Reroute { longer, .. } if event.after > reroute.after => longer,
            _ => 0,
        });
        event.after + longer
    }

    /// When something next reaches us.
    pub fn next_arrival(&self) -> Time {
        self.arrivals.peek().map_or(Time::NEVER, |arrival| arrival.0.0)
    }

    /// What reaches us by `now`.
    pub fn poll_answer(&mut self, now: Time) -> Option<TraceAnswer> {
        let &Reverse((_, id)) = self.arrivals.peek().filter(|arrival| arrival.0.0 <= now)?;
        self.arrivals.pop();
        self.answers.remove(&id)
    }

    /// Takes a trace probe. `answers` says whether a target would answer now, `is_us` whether our
    /// own way out works.
    pub fn handle_probe(&mut self, probe: &TraceProbe, answers: bool, is_us: bool, now: Time) {
        if !is_us {
            return;
        }
        self.now = now;
        let (nodes, event, position, target) = match probe.of {
            Traced::Block(block) => {
                let event = self.break_of(block.0, now).cloned();
                let position = event.as_ref().map(|event| self.position(block.0, event, now));
                (self.nodes(block.0, now), event, position, probe.target)
            }
            Traced::Control(number) => {
                (self.control_nodes(number), None, None, self.controls[usize::from(number)])
            }
        };
        let cut = position.zip(event.map(|event| event.effect));
        let Some((from, answer, hops)) = self.answer(&nodes, cut.as_ref(), probe, target, answers)
        else {
            return;
        };
        let share = hops as f64 / (nodes.len() + 1) as f64;
        let rtt = self.rtt * share * (0.9 + 0.2 * self.rng.unit());
        let at = now + Duration::from_secs_f64(rtt);
        self.arrivals.push(Reverse((at, probe.id)));
        self.answers.insert(probe.id, TraceAnswer { id: probe.id, from, answer, at });
    }

    /// Asks one hop at once, as another tracer would: who answers, and what.
    pub fn ask(
        &mut self,
        block: u32,
        target: IpAddr,
        hop_limit: u8,
        answers: bool,
        now: Time,
    ) -> Option<(IpAddr, Answer)> {
        self.now = now;
        let event = self.break_of(block, now).cloned();
        let position = event.as_ref().map(|event| self.position(block, event, now));
        let cut = position.zip(event.map(|event| event.effect));
        let probe = TraceProbe {
            id: 0,
            of: Traced::Block(lifesign_core::scopes::BlockId(block)),
            target,
            hop_limit,
            slot: 0,
            reaches_block: false,
        };
        let nodes = self.nodes(block, now);
        let answer = self.answer(&nodes, cut.as_ref(), &probe, target, answers)?;
        Some((answer.0, answer.1))
    }

    fn control_nodes(&self, number: u16) -> Vec<Node> {
        let Some(road) = self.all.iter().max_by_key(|road| road.shared) else {
            return Vec::new();
        };
        let block = road.blocks.first().copied().unwrap_or(0);
        let mut nodes = self.nodes(block, Time::default());
        nodes.truncate(road.shared);
        let is_v6 = self.controls[usize::from(number)].is_ipv6();
        for hop in 0..CONTROL_HOPS {
            let at = 16 + usize::from(number % 4) * CONTROL_HOPS + hop;
            nodes.push(Node {
                addresses: vec![address(is_v6, NEAR, at, 0, false)],
                answers: 1.0,
                limit: None,
                is_inside: false,
                is_by_packet: false,
            });
        }
        nodes
    }

    /// Who answers, what, and how many hops away that is.
    fn answer(
        &mut self,
        nodes: &[Node],
        cut: Option<&(usize, RoadEffect)>,
        probe: &TraceProbe,
        target: IpAddr,
        answers: bool,
    ) -> Option<(IpAddr, Answer, usize)> {
        if self.rng.chance(self.loss) {
            return None;
        }
        let mut at = 0;
        let mut left = usize::from(probe.hop_limit).min(MOST_LINKS);
        let comes_back = |at: usize| match cut {
            Some((after, RoadEffect::Cut(Way::Both | Way::Back))) => at <= *after,
            _ => true,
        };
        while left > 0 {
            match cut.filter(|(after, _)| *after == at).map(|cut| &cut.1) {
                Some(RoadEffect::Cut(Way::Both | Way::Forward)) => return None,
                Some(RoadEffect::Says(code)) => {
                    return self.router(nodes, at, Answer::Unreachable(*code), probe);
                }
                Some(RoadEffect::Loop) => at = at.checked_sub(1)?,
                _ => at += 1,
            }
            left -= 1;
            if at > nodes.len() {
                return (answers && comes_back(at)).then_some((target, Answer::Reply, at));
            }
        }
        comes_back(at).then(|| self.router(nodes, at, Answer::TimeExceeded, probe))?
    }

    fn router(
        &mut self,
        nodes: &[Node],
        at: usize,
        answer: Answer,
        probe: &TraceProbe,
    ) -> Option<(IpAddr, Answer, usize)> {
        let node = nodes.get(at.checked_sub(1)?)?;
        let flow = match probe.target {
            IpAddr::V4(target) => target.to_bits() as usize,
            IpAddr::V6(target) => target.to_bits() as usize,
        };
        let count = node.addresses.len();
        let which = if node.is_by_packet { self.rng.below(count) } else { (flow >> 8) % count };
        let address = node.addresses[which];
        let now = self.now;
        let account = self.accounts.entry(address).or_insert(Account {
            allowed: Bucket::new(RATE, BURST, BURST, now),
            packets: 0,
            beyond: 0.0,
        });
        account.packets += 1;
        if !account.allowed.take(0.0, now) {
            account.beyond += 1.0;
        }
        if let Some(rate) = node.limit {
            let limit = self.limits.entry(address);
            if !limit.or_insert_with(|| Bucket::new(rate, 1.0, 1.0, now)).take(0.0, now) {
                return None;
            }
        }
        self.rng.chance(node.answers).then_some((address, answer, at))
    }

    /// How many packets the router address got that got most, and how many beyond what any may get.
    pub fn busiest(&self) -> (u64, f64) {
        let packets = self.accounts.values().map(|account| account.packets).max().unwrap_or(0);
        let beyond = self.accounts.values().map(|account| account.beyond).fold(0.0, f64::max);
        (packets, beyond)
    }
}

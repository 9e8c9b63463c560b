//! A toy internet: one chain of routers to each target, with which everything can be done that
//! paths suffer from.

use crate::{Answer, TraceAnswer, TraceProbe, TracedBlock, Tracer};
use lifesign_model::{bucket::Bucket, outcome::IcmpCode, rng::Rng, scopes::CountryId, time::Time};
use std::{
    cmp::Reverse, collections::BinaryHeap, collections::HashMap, net::IpAddr, time::Duration,
};

pub const NETWORK_UNREACHABLE: IcmpCode = IcmpCode { kind: 3, code: 0 };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Both,
    Forward,
    Back,
    Says,
    Loop,
}

impl Way {
    pub const ALL: [Way; 5] = [Way::Both, Way::Forward, Way::Back, Way::Says, Way::Loop];
}

#[derive(Clone, Debug)]
pub struct ToyHop {
    pub addresses: Vec<IpAddr>,
    pub answers: f64,
    pub limit: Option<(f64, f64)>,
}

#[derive(Clone, Debug)]
pub struct Chain {
    pub hops: Vec<ToyHop>,
    pub target: IpAddr,
    pub cut: Option<(usize, Way)>,
    /// Of packets on the first link, each way.
    pub loss: f64,
    /// Two equal routers share the load packet by packet, not flow by flow.
    pub by_packet: bool,
}

/// What a router address was sent, and whether that kept to the budget.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    tokens: f64,
    at: Time,
    pub packets: u32,
    pub worst: f64,
}

pub struct Toy {
    pub now: Time,
    pub tracer: Tracer,
    pub chains: Vec<Chain>,
    pub sent: Vec<u32>,
    /// Of those that arrived, the ones that were not said to.
    pub unpaid: u32,
    /// The blocks have tokens for what arrives.
    pub is_paid: bool,
    pub accounts: HashMap<IpAddr, Account>,
    limits: HashMap<IpAddr, Bucket>,
    arrivals: BinaryHeap<Reverse<(Time, u64)>>,
    answers: HashMap<u64, (IpAddr, Answer)>,
    rng: Rng,
}

pub fn start() -> Time {
    "2014-12-22T16:15:00Z".parse().unwrap()
}

pub fn router(number: u8) -> IpAddr {
    [198, 18, number, 1].into()
}

pub fn hop(number: u8) -> ToyHop {
    ToyHop { addresses: vec![router(number)], answers: 0.98, limit: None }
}

/// So many hops, and then a target in a block of its own.
pub fn chain(block: u8, hops: u8) -> Chain {
    let mut hops: Vec<ToyHop> = (1..=hops).map(hop).collect();
    // The last router is theirs.
    hops.last_mut().unwrap().addresses = vec![[175, 45, 176 + block, 254].into()];
    let target = [175, 45, 176 + block, 15].into();
    Chain { hops, target, cut: None, loss: 0.0, by_packet: false }
}

/// The block that a chain leads to.
pub fn block(chain: &Chain) -> TracedBlock {
    TracedBlock {
        prefix: match chain.target {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("{a}.{b}.{c}.0/24").parse().unwrap()
            }
            IpAddr::V6(_) => "2001:db8::/48".parse().unwrap(),
        },
        country: CountryId(0),
        asn: None,
        targets: vec![chain.target],
    }
}

impl Toy {
    pub fn new(mut tracer: Tracer, chains: Vec<Chain>, seed: u64) -> Self {
        tracer.set_blocks(chains.iter().map(block).collect(), start());
        Self {
            now: start(),
            tracer,
            sent: vec![0; chains.len()],
            unpaid: 0,
            is_paid: true,
            chains,
            accounts: HashMap::new(),
            limits: HashMap::new(),
            arrivals: BinaryHeap::new(),
            answers: HashMap::new(),
            rng: Rng::new(seed),
        }
    }

    /// One more path, to nobody that the tracer has been told of.
    pub fn add(&mut self, chain: Chain) {
        self.chains.push(chain);
        self.sent.push(0);
    }

    /// A router that got more than half a packet per second after five at once, and more than so
    /// many beside.
    pub fn over_budget(&self, most: f64) -> Option<String> {
        let over = self.accounts.iter().find(|(_, account)| account.worst < -most - 0.001);
        over.map(|(address, account)| format!("{address} {account:?}"))
    }

    pub fn run(&mut self, seconds: f64) {
        let until = self.now + Duration::from_secs_f64(seconds);
        loop {
            let arrival = self.arrivals.peek().map_or(Time::NEVER, |next| next.0.0);
            let wake = self.tracer.poll_timeout().min(arrival);
            if wake >= until {
                self.now = until;
                return;
            }
            self.now = self.now.max(wake);
            while let Some(&Reverse((at, id))) = self.arrivals.peek() {
                if at > self.now {
                    break;
                }
                self.arrivals.pop();
                let (from, answer) = self.answers.remove(&id).unwrap();
                self.tracer.handle_answer(TraceAnswer { id, from, answer, at }, self.now);
            }
            self.tracer.handle_timeout(self.now);
            self.send();
        }
    }

    pub fn send(&mut self) {
        while let Some(probe) = self.tracer.poll_probe(self.now) {
            let chain = self.chains.iter().position(|chain| chain.target == probe.target);
            let Some(index) = chain else { continue };
            if probe.reaches_block && !self.is_paid {
                self.tracer.handle_not_sent(probe.id, self.now);
                continue;
            }
            self.sent[index] += 1;
            if let Some((from, answer, rtt)) = self.answer(index, &probe) {
                self.arrivals.push(Reverse((self.now + Duration::from_secs_f64(rtt), probe.id)));
                self.answers.insert(probe.id, (from, answer));
            }
        }
    }

    /// Who answers, what, and after how many seconds.
    fn answer(&mut self, index: usize, probe: &TraceProbe) -> Option<(IpAddr, Answer, f64)> {
        let chain = self.chains[index].clone();
        let mut at = 0;
        let mut forward = true;
        for step in 1..=usize::from(probe.hop_limit) {
            let next = if forward { at + 1 } else { at - 1 };
            if step == 1 && self.rng.chance(chain.loss) {
                return None;
            }
            if let Some((after, way)) = chain.cut.filter(|cut| forward && cut.0 == at) {
                match way {
                    Way::Both | Way::Forward => return None,
                    Way::Back => {}
                    Way::Says => {
                        let answer = Answer::Unreachable(NETWORK_UNREACHABLE);
                        return self.router_says(&chain, after, answer);
                    }
                    Way::Loop => {
                        // It is sent back by one hop, which sends it here again.
                        at = at.saturating_sub(1);
                        forward = false;
                        if step == usize::from(probe.hop_limit) {
                            return self.router_says(&chain, at, Answer::TimeExceeded);
                        }
                        forward = !forward;
                        continue;
                    }
                }
            }
            at = next;
            if at > chain.hops.len() {
                self.unpaid += u32::from(!probe.reaches_block);
                let back = self.comes_back(&chain, at)?;
                return Some((chain.target, Answer::Reply, back));
            }
        }
        self.router_says(&chain, at, Answer::TimeExceeded)
    }

    fn comes_back(&mut self, chain: &Chain, at: usize) -> Option<f64> {
        let is_cut = chain
            .cut
            .is_some_and(|(after, way)| at > after && matches!(way, Way::Both | Way::Back));
        if is_cut || self.rng.chance(chain.loss) {
            return None;
        }
        Some(0.01 * at as f64 + 0.02 * self.rng.unit())
    }

    fn router_says(
        &mut self,
        chain: &Chain,
        at: usize,
        answer: Answer,
    ) -> Option<(IpAddr, Answer, f64)> {
        let hop = chain.hops.get(at.checked_sub(1)?)?;
        let which = if chain.by_packet {
            self.rng.below(hop.addresses.len())
        } else {
            at % hop.addresses.len()
        };
        let address = hop.addresses[which];
        let now = self.now;
        if answer == Answer::TimeExceeded {
            self.account(address);
        }
        if let Some((rate, burst)) = hop.limit {
            let bucket = self.limits.entry(address);
            let bucket = bucket.or_insert_with(|| Bucket::new(rate, burst, burst, now));
            if !bucket.take(0.0, now) {
                return None;
            }
        }
        if !self.rng.chance(hop.answers) {
            return None;
        }
        if answer != Answer::TimeExceeded {
            self.account(address);
        }
        let back = self.comes_back(chain, at)?;
        Some((address, answer, back))
    }

    /// The router got a packet that ends there, or says so of one that was to go on.
    fn account(&mut self, address: IpAddr) {
        let now = self.now;
        let account = self.accounts.entry(address).or_insert(Account {
            tokens: 5.0,
            at: now,
            packets: 0,
            worst: 5.0,
        });
        account.tokens =
            (account.tokens + now.since(account.at).as_secs_f64() * 0.5).min(5.0) - 1.0;
        account.at = now;
        account.packets += 1;
        account.worst = account.worst.min(account.tokens);
    }
}

//! Records of others, of few hosts that are seldom asked, played again.

use super::{EventRecord, Settings, Watch};
use crate::{
    fixtures::{of_sizes, start},
    outcome::{Event, Found, Outcome},
    rng::Rng,
    scopes::TargetId,
};
use std::{sync::Arc, time::Duration};

const DAYS: u32 = 20;

/// So many hosts, asked in turn, each once in `every` seconds, of whose answers this share is lost.
#[derive(Clone, Copy, Debug)]
struct Record {
    hosts: u32,
    every: u32,
    loss: f64,
}

impl Record {
    /// How often anything was found to be dark.
    fn darknesses(self, seed: u64) -> usize {
        let every = Duration::from_secs(self.every.into());
        let mut roster = of_sizes(&[vec![self.hosts]]);
        roster.targets.iter_mut().for_each(|target| target.set_interval(every));
        let mut watch = Watch::new(Arc::new(roster), &Settings::default(), start());
        let mut rng = Rng::new(seed);
        let mut events = Vec::new();
        for round in 0..DAYS * 86_400 / self.every {
            for host in 0..self.hosts {
                let sent = start() + every * round + every * host / self.hosts;
                let rtt = Duration::from_millis(200);
                let found = if rng.chance(self.loss) {
                    Found::Overdue
                } else {
                    Found::Reply { rtt, rcode: None, unexpected: false }
                };
                let target = TargetId(host);
                let outcome =
                    Outcome { target, seq: round, sent, trap: false, found, hop_limit: None };
                let seen =
                    sent + if found == Found::Overdue { Duration::from_secs(5) } else { rtt };
                events.push(EventRecord {
                    seen,
                    event: Event::Outcome(outcome),
                    was_overdue: false,
                });
            }
        }
        events.sort_by_key(|record| record.seen);
        let mut dark = 0;
        for record in &events {
            watch.replay(record);
            let changes = std::iter::from_fn(|| watch.poll_change());
            dark += changes.filter(|change| change.to.is_dark() && !change.narrows()).count();
        }
        dark
    }
}

#[test]
fn loss_is_no_darkness_however_seldom_hosts_are_asked() {
    for (hosts, every, loss) in
        [(2, 15, 0.1), (2, 60, 0.1), (4, 240, 0.1), (2, 240, 0.05), (2, 360, 0.05)]
    {
        let record = Record { hosts, every, loss };
        let dark: usize = (0..3).map(|seed| record.darknesses(seed)).sum();
        assert_eq!(dark, 0, "{record:?}");
    }
}

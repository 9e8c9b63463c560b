//! How often one block is asked: the worst minute and the worst hour.

use lifesign_core::time::Time;
use std::{collections::VecDeque, time::Duration};

const MINUTE: Duration = Duration::from_secs(60);

/// Probes of one block.
#[derive(Clone, Debug)]
pub(super) struct BlockLoad {
    pub total: u64,
    last_minute: VecDeque<Time>,
    pub worst_minute: usize,
    /// Probes in each of the last 60 whole minutes, at the minute's number modulo 60.
    minutes: [u16; 60],
    minute: u64,
    worst_hour: u32,
}

impl BlockLoad {
    pub fn new(start: Time) -> Self {
        Self {
            total: 0,
            last_minute: VecDeque::with_capacity(32),
            worst_minute: 0,
            minutes: [0; 60],
            minute: minute_of(start),
            worst_hour: 0,
        }
    }

    pub fn add(&mut self, sent: Time) {
        self.total += 1;
        while self.last_minute.front().is_some_and(|&old| sent.since(old) >= MINUTE) {
            self.last_minute.pop_front();
        }
        self.last_minute.push_back(sent);
        self.worst_minute = self.worst_minute.max(self.last_minute.len());
        let minute = minute_of(sent);
        if minute > self.minute {
            self.worst_hour = self.worst_hour();
            for empty in self.minute + 1..=minute.min(self.minute + 60) {
                self.minutes[(empty % 60) as usize] = 0;
            }
            self.minute = minute;
        }
        self.minutes[(minute % 60) as usize] += 1;
    }

    /// Probes in the worst 60 whole minutes, those of the last minute included.
    pub fn worst_hour(&self) -> u32 {
        self.worst_hour.max(self.minutes.iter().map(|&probes| u32::from(probes)).sum())
    }
}

fn minute_of(time: Time) -> u64 {
    time.as_nanos() / 60_000_000_000
}

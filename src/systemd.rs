//! Notifies systemd (sd_notify(3)) that we are ready, alive, reloading or stopping, and what the
//! verdicts are. The task that owns the watch does it, so that a watch that is stuck misses the
//! watchdog and is restarted. Without `NOTIFY_SOCKET` in the environment nothing is sent.

use lifesign_core::{
    judge::{PerState, State},
    scopes::{BlockId, Scope},
    watch::Snapshot,
};
use sd_notify::NotifyState;
use std::cmp::Reverse;

/// How many countries the status line names, the worst first.
const MAX_NAMED: usize = 8;

/// What systemd was told last.
#[derive(Debug, Default)]
pub struct Systemd {
    ready: bool,
    status_line: String,
}

impl Systemd {
    /// Says that we are alive, and the first time also that we are ready. To be called more often
    /// than `WatchdogSec=`.
    pub fn alive(&mut self, snapshot: &Snapshot) {
        let status_line = status_line(snapshot);
        let mut states = vec![NotifyState::Watchdog];
        if !self.ready {
            states.push(NotifyState::Ready);
        }
        if status_line != self.status_line {
            states.push(NotifyState::Status(&status_line));
        }
        notify(&states);
        self.ready = true;
        self.status_line = status_line;
    }

    /// Says that a new plan has been read and is about to be adopted: the unit is `reloading` until
    /// the next [`Systemd::alive`].
    pub fn reloading(&mut self) {
        // `Type=notify-reload` asks for the time, so as to know that this answers its own signal.
        if let Ok(time) = NotifyState::monotonic_usec_now() {
            notify(&[NotifyState::Reloading, time]);
            self.ready = false;
        }
    }

    /// Says that the run ends and saves what it knows.
    pub fn stopping(&self) {
        notify(&[NotifyState::Stopping]);
    }
}

/// A failure is not fatal: systemd may be away for a moment, as when it re-executes itself.
fn notify(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("systemd does not hear us: {error}");
    }
}

/// The verdicts in one line: `KP partial (3 outage, 1 up); TV up (2 up)`.
fn status_line(snapshot: &Snapshot) -> String {
    let mut countries: Vec<_> = snapshot.countries().collect();
    countries.sort_by_key(|(_, view)| Reverse(view.verdict.state));
    let mut parts: Vec<String> =
        snapshot.is_blind().then(|| "blind".to_owned()).into_iter().collect();
    for (country, view) in countries.iter().take(MAX_NAMED) {
        let mut blocks = PerState::<usize>::default();
        for id in country.blocks.clone() {
            blocks[snapshot.scope(Scope::Block(BlockId(id))).verdict.state] += 1;
        }
        let count = |state| {
            let count = blocks[state];
            (count > 0).then(|| format!("{count} {state}"))
        };
        let counts: Vec<String> = State::ALL.into_iter().rev().filter_map(count).collect();
        parts.push(format!("{} {} ({})", country.code, view.verdict.state, counts.join(", ")));
    }
    if let more @ 1.. = countries.len().saturating_sub(MAX_NAMED) {
        parts.push(format!("{more} more, none worse"));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::{
        judge::Blindness,
        scopes::{CountryId, Family, Host, Kind, Roster},
        time::Time,
        watch::{Settings, Watch},
    };

    /// Countries of one block and one host each, which have just begun to be watched.
    fn snapshot(count: u32) -> Snapshot {
        let mut roster = Roster::default();
        for number in 0..count {
            let code = format!("C{number}");
            roster.add_country(code.clone(), code);
            roster.add_block(format!("127.0.{number}.0/24").parse().unwrap());
            let host = Host::Address(format!("127.0.{number}.1").parse().unwrap());
            roster.add_target(host, "icmp", Kind::Icmp);
        }
        let now = Time::from_nanos(1);
        Watch::new(roster.into(), &Settings::default(), now).snapshot(now, 0, 0)
    }

    #[test]
    fn the_worst_come_first_and_not_all_are_named() {
        let mut snapshot = snapshot(10);
        for view in &mut snapshot.scopes[10..19] {
            view.verdict.state = State::Up;
        }
        for scope in [Scope::Country(CountryId(9)), Scope::Block(BlockId(9))] {
            let id = snapshot.roster.scope_id(scope);
            snapshot.scopes[id.index()].verdict.state = State::Outage;
        }
        let line = status_line(&snapshot);
        assert!(line.starts_with("C9 outage (1 outage); C0 up (1 unknown); C1 up"), "{line}");
        assert!(line.ends_with("; C6 up (1 unknown); 2 more, none worse"), "{line}");
    }

    #[test]
    fn blindness_is_told_first() {
        let mut snapshot = snapshot(1);
        snapshot.blindness[Family::V4] = Some(Blindness { is_blind: true, ..Blindness::default() });
        assert_eq!(status_line(&snapshot), "blind; C0 unknown (1 unknown)");
    }
}

//! The word to systemd (sd_notify(3)). In: pictures of the watch, from the fold itself, so that a
//! fold that is stuck goes quiet and is restarted. Out: datagrams that say ready, alive, and what
//! the verdicts are. Without `NOTIFY_SOCKET` in the environment it says nothing. It never decides
//! anything.

use lifesign_core::{judge::State, watch::Snapshot};
use sd_notify::NotifyState;
use std::cmp::Reverse;

/// So many countries are named in the line of state; those that are worst off come first.
const NAMED: usize = 8;

/// What systemd has been told.
#[derive(Debug, Default)]
pub struct Systemd {
    ready: bool,
    line: String,
}

impl Systemd {
    /// We are alive, and this is the picture; the first time also: we are ready. To be called by
    /// the fold more often than `WatchdogSec=`.
    pub fn alive(&mut self, picture: &Snapshot) {
        let line = line(picture);
        let mut words = vec![NotifyState::Watchdog];
        if !self.ready {
            words.push(NotifyState::Ready);
        }
        if line != self.line {
            words.push(NotifyState::Status(&line));
        }
        tell(&words);
        self.ready = true;
        self.line = line;
    }

    /// A new plan has been read, and is about to be taken over: the unit is `reloading` until the
    /// next [`Systemd::alive`].
    pub fn reloading(&mut self) {
        // `Type=notify-reload` asks for the time, so as to know that this answers its own signal.
        if let Ok(time) = NotifyState::monotonic_usec_now() {
            tell(&[NotifyState::Reloading, time]);
            self.ready = false;
        }
    }

    /// The run ends, and writes down what it knows.
    pub fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }
}

/// Systemd may be gone for a moment, as when it starts itself again. It hears the next word.
fn tell(words: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(words) {
        tracing::debug!("systemd does not hear us: {error}");
    }
}

/// The verdicts in one line: `KP partial (3 outage, 1 up); TV up (2 up)`.
fn line(picture: &Snapshot) -> String {
    let mut countries: Vec<_> = picture.roster.countries.iter().zip(&picture.countries).collect();
    countries.sort_by_key(|(_, view)| Reverse(view.verdict.state));
    let mut parts: Vec<String> = picture.blind.then(|| "blind".to_owned()).into_iter().collect();
    for (country, view) in countries.iter().take(NAMED) {
        let blocks = picture.blocks.get(country.blocks.start as usize..country.blocks.end as usize);
        let count = |state| {
            let among = blocks.unwrap_or_default().iter();
            let count = among.filter(|block| block.scope.verdict.state == state).count();
            (count > 0).then(|| format!("{count} {state}"))
        };
        let counts: Vec<String> = State::ALL.into_iter().rev().filter_map(count).collect();
        parts.push(format!("{} {} ({})", country.code, view.verdict.state, counts.join(", ")));
    }
    if let more @ 1.. = countries.len().saturating_sub(NAMED) {
        parts.push(format!("{more} more, none worse"));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::{
        judge::Rules,
        scopes::{Host, Kind, Roster},
        time::Time,
        watch::{Settings, Watch},
    };

    /// So many countries of one block and one host each, which have just begun to be watched.
    fn picture(count: u32) -> Snapshot {
        let mut roster = Roster::default();
        for number in 0..count {
            let code = format!("C{number}");
            roster.add_country(code.clone(), code);
            roster.add_block(format!("127.0.{number}.0/24").parse().unwrap());
            let host = Host::Address(format!("127.0.{number}.1").parse().unwrap());
            roster.add_target(host, "icmp", Kind::Icmp);
        }
        let settings =
            Settings { budget: None, rules: Rules::default(), controls: Vec::new(), seed: 1 };
        let now = Time::from_nanos(1);
        Watch::new(roster.into(), &settings, now).snapshot(now, 0, 0)
    }

    #[test]
    fn the_worst_come_first_and_not_all_are_named() {
        let mut picture = picture(10);
        for (place, view) in picture.countries.iter_mut().enumerate() {
            view.verdict.state = if place < 9 { State::Up } else { State::Outage };
        }
        picture.blocks[9].scope.verdict.state = State::Outage;
        let line = line(&picture);
        assert!(line.starts_with("C9 outage (1 outage); C0 up (1 unknown); C1 up"), "{line}");
        assert!(line.ends_with("; C6 up (1 unknown); 2 more, none worse"), "{line}");
    }

    #[test]
    fn blindness_is_told_first() {
        let mut picture = picture(1);
        picture.blind = true;
        assert_eq!(line(&picture), "blind; C0 unknown (1 unknown)");
    }
}

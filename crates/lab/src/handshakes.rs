//! What a kernel makes of TCP probes: it repeats an unanswered SYN where it may, reports the first
//! answer to either, and gives up. The world knows single packets alone.

use lifesign_core::{
    outcome::{
        Due, Event, Found, Outcome, Repeat, SYN_MARGIN, SYN_REPEATED_AFTER,
        SYN_REPEATED_AGAIN_AFTER,
    },
    scopes::{Roster, TargetId},
    time::Time,
};
use std::{collections::VecDeque, sync::Arc};

/// The connections that are being opened.
#[derive(Debug)]
pub(super) struct Handshakes {
    roster: Arc<Roster>,
    /// In the order of their first SYN; those that were reported leave when they are the oldest.
    open: VecDeque<Handshake>,
    /// Those whose SYN is still to be repeated, the oldest first.
    to_repeat: VecDeque<Due>,
}

#[derive(Debug)]
struct Handshake {
    /// When the first SYN was sent.
    sent: Time,
    target: TargetId,
    seq: u32,
    repeat: Repeat,
    is_reported: bool,
}

impl Handshakes {
    pub fn new(roster: Arc<Roster>) -> Self {
        Self { roster, open: VecDeque::new(), to_repeat: VecDeque::new() }
    }

    /// A probe was sent.
    pub fn handle_probe(&mut self, due: &Due) {
        if self.roster.target(due.target).kind.traits().is_repeated {
            let Due { sent, target, seq, repeat, .. } = *due;
            self.open.push_back(Handshake { sent, target, seq, repeat, is_reported: false });
            if due.repeat == Repeat::Once {
                self.to_repeat.push_back(*due);
            }
        }
    }

    /// When to call [`Handshakes::poll_repeat`] next.
    pub fn poll_timeout(&self) -> Time {
        self.to_repeat.front().map_or(Time::NEVER, |due| due.sent + SYN_REPEATED_AFTER)
    }

    /// The next SYN that is sent once more by `now`.
    pub fn poll_repeat(&mut self, now: Time) -> Option<Due> {
        while self.poll_timeout() <= now {
            let due = self.to_repeat.pop_front()?;
            if self.find(due.sent, due.target, due.seq).is_some() {
                return Some(Due { sent: due.sent + SYN_REPEATED_AFTER, ..due });
            }
        }
        None
    }

    /// Makes of what reached us what is reported; false for what nobody waits for any more.
    pub fn report(&mut self, event: &mut Event) -> bool {
        let Event::Outcome(outcome) = event else { return true };
        let &mut Outcome { target, seq, sent, .. } = outcome;
        if !self.roster.target(target).kind.traits().is_repeated {
            return true;
        }
        while let Some(oldest) = self.open.front()
            && (oldest.is_reported || oldest.sent + SYN_REPEATED_AGAIN_AFTER <= sent)
        {
            self.open.pop_front();
        }
        let firsts = [sent, sent - SYN_REPEATED_AFTER];
        let place = firsts.iter().find_map(|&first| self.find(first, target, seq));
        let Some(handshake) = place.map(|place| &mut self.open[place]) else { return false };
        handshake.is_reported = true;
        let given_up_after = match handshake.repeat {
            Repeat::Never => SYN_REPEATED_AFTER,
            Repeat::Once => SYN_REPEATED_AGAIN_AFTER,
        }
        .saturating_sub(SYN_MARGIN);
        outcome.sent = handshake.sent;
        if let Found::Reply { rtt, .. } | Found::Refused { rtt } | Found::Unreachable { rtt, .. } =
            &mut outcome.found
        {
            *rtt += sent.since(outcome.sent);
        }
        outcome.found.ended_after().is_none_or(|after| after < given_up_after)
    }

    /// The place of that of a probe which was sent then, unless it was reported.
    fn find(&self, sent: Time, target: TargetId, seq: u32) -> Option<usize> {
        let first = self.open.partition_point(|open| open.sent < sent);
        let of_then = self.open.range(first..).take_while(|open| open.sent == sent);
        let is_it =
            |open: &Handshake| !open.is_reported && (open.target, open.seq) == (target, seq);
        (first..).zip(of_then).find(|(_, open)| is_it(open)).map(|(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::scopes::{Host, Kind};
    use std::time::Duration;

    /// As a kernel of 6.5 or later, whose prober gives up before the second repetition at 2 s.
    #[test]
    fn an_answer_after_the_second_repetition_would_have_left_is_not_heard() {
        let mut roster = Roster::default();
        roster.add_country("KP", "KP");
        roster.add_block("127.45.176.0/24".parse().unwrap());
        let host = Host::Address("127.45.176.7".parse().unwrap());
        roster.add_target(host, "tcp/80", Kind::Tcp);
        let roster = Arc::new(roster);
        let is_heard = |repeat, millis| {
            let mut handshakes = Handshakes::new(roster.clone());
            let sent: Time = "2014-12-22T16:15:00Z".parse().unwrap();
            let patience = Duration::from_secs(3);
            let due = Due { target: TargetId(0), seq: 0, sent, patience, trap: false, repeat };
            handshakes.handle_probe(&due);
            let rtt = Duration::from_millis(millis);
            let found = Found::Reply { rtt, rcode: None, unexpected: false };
            handshakes.report(&mut Event::Outcome(due.outcome(sent, found)))
        };
        for (repeat, last_heard) in [(Repeat::Never, 949), (Repeat::Once, 1949)] {
            assert!(is_heard(repeat, last_heard), "{repeat:?}");
            assert!(!is_heard(repeat, last_heard + 1), "{repeat:?}");
        }
    }
}

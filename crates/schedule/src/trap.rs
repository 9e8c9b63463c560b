//! The trap question: does a firewall answer for the host, on every port?

use lifesign_model::{outcome::Found, time::Time};
use std::time::Duration;

/// What the trap question (`Due::trap`) has found of a TCP target's port that nobody uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrapPort {
    /// No answer yet, after this many times.
    Undecided(u8),
    /// A firewall answers on every port.
    AcceptsAll(Unmasked),
    /// It refuses, as a host does, and the service has answered.
    Refuses,
    /// It refuses too, but the service was never heard, in so many questions: a firewall may drop
    /// what is for it.
    RefusesUnheard(u8),
}

/// What was learned since a firewall was found to answer on every port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unmasked {
    /// When the trap question was asked last.
    pub asked: Time,
    /// The service answered since.
    served: bool,
    /// How often the service answered, and how often it did not.
    answered: u16,
    missed: u16,
    /// So many trap questions in a row found silence while the service answered.
    silent: u8,
}

impl Unmasked {
    /// It begins with an answer to a trap question sent then.
    pub fn since(asked: Time) -> Self {
        Self { asked, ..Self::default() }
    }

    /// A trap question was answered late.
    pub fn answered_late(self) -> TrapPort {
        TrapPort::AcceptsAll(Self { silent: 0, ..self })
    }

    /// A firewall that answered on every port was asked again in vain. That says nothing unless the
    /// service answers meanwhile: it may be dark as a whole.
    pub fn silent_again(self) -> TrapPort {
        let silent = self.silent.saturating_add(u8::from(self.served));
        if silent < TrapPort::SILENT || self.loss().powi(silent.into()) > TrapPort::CHANCE {
            TrapPort::AcceptsAll(Unmasked { served: false, silent, ..self })
        } else {
            TrapPort::default()
        }
    }

    /// What a question to the service itself found.
    pub fn record_service(&mut self, found: &Found) {
        if found.rtt_if_alive().is_some() {
            self.served = true;
            self.answered = self.answered.saturating_add(1);
        } else if is_silence(found) {
            self.missed = self.missed.saturating_add(1);
        }
    }

    /// The share of its questions that the service misses; Laplace's estimate, as they are few.
    fn loss(&self) -> f32 {
        (f32::from(self.missed) + 1.0) / (f32::from(self.answered) + f32::from(self.missed) + 2.0)
    }
}

/// Did nothing come from the host itself? A router's no is not its word.
pub fn is_silence(found: &Found) -> bool {
    matches!(found, Found::Overdue | Found::Unreachable { .. })
}

impl Default for TrapPort {
    fn default() -> Self {
        Self::Undecided(0)
    }
}

impl TrapPort {
    /// How often every second probe asks; then every sixteenth does, since many a host drops what
    /// it does not serve.
    const TRIES: u8 = 8;
    /// Of a host that is known to refuse, one probe in this many asks again.
    const AGAIN: u32 = 4096;
    /// While a firewall answers on every port, it is asked again so often ...
    const AGAIN_AFTER: Duration = Duration::from_secs(60);
    /// ... and after so much silence in a row it does not any more: the host drops what it does not
    /// serve.
    const SILENT: u8 = 3;
    /// More of it, where chance explains three: the service is silent often, or has answered fewer
    /// than twenty times, so that it may be. A target that is asked each quarter of a minute needs
    /// four; to take three then would call a firewall behind 10 % loss a host once in a thousand
    /// times, and believe its answers in an outage.
    const CHANCE: f32 = 1e-4;

    /// It was silent once more.
    pub fn asked_in_vain(self) -> Self {
        match self {
            Self::Undecided(times) => Self::Undecided(times.saturating_add(1)),
            other => other,
        }
    }

    /// Does it refuse, as a host does?
    pub fn refuses(self) -> bool {
        matches!(self, Self::Refuses | Self::RefusesUnheard(_))
    }

    /// Does it refuse, but for its service, of which nothing was ever heard? That its service is
    /// silent says nothing then.
    pub fn is_service_dropped(self) -> bool {
        matches!(self, Self::RefusesUnheard(times) if times >= 2)
    }

    /// What a question to the service itself found.
    pub fn record_service(self, found: &Found) -> Self {
        match self {
            Self::RefusesUnheard(_) if found.rtt_if_alive().is_some() => Self::Refuses,
            Self::RefusesUnheard(times) if is_silence(found) => {
                Self::RefusesUnheard(times.saturating_add(1))
            }
            other => other,
        }
    }

    /// Should the target's next probe, with this number, be the trap question?
    pub fn is_due(self, seq: u32, now: Time) -> bool {
        match self {
            Self::Undecided(times) if times < Self::TRIES => seq.is_multiple_of(2),
            Self::Undecided(_) => seq.is_multiple_of(16),
            Self::Refuses => seq.is_multiple_of(Self::AGAIN),
            // The trap port alone tells of life then.
            Self::RefusesUnheard(_) => self.is_service_dropped() && !seq.is_multiple_of(16),
            // However seldom a target is asked, its service is in between.
            Self::AcceptsAll(unmasked) => {
                seq.is_multiple_of(2) && now.since(unmasked.asked) >= Self::AGAIN_AFTER
            }
        }
    }
}

//! Can we see at all? Whether we are blind in one family of addresses, up to when misses are
//! confirmed, and the periods whose misses count for nothing.
//!
//! One rule does most of the work: a miss is evidence only once somebody of its family has answered
//! a probe that was sent *no earlier* than it, but for a quarter of a second. When our own uplink
//! dies, nobody answers any more, so no miss is ever confirmed and nothing is called down, however
//! long it takes to notice that we are blind.
//!
//! A lossy uplink of our own is no blindness: what controls miss is learned as loss that all scopes
//! have in common, and the more they miss, the longer nobody may answer before we call ourselves
//! blind. We see again only after some answers in a row, so that verdicts do not flicker.

use super::rules::{
    BLIND_AFTER, BLIND_AT_LAST, BLIND_ODDS, CONFIRM_WITHIN, CONTROL_MEMORY, CONTROLS_DEAD_AFTER,
    LONGEST_PATIENCE, MAX_MISS_RATE, MIN_MISS_RATE, RECENT_CONTROLS, SEEING_ANSWERS, SEND_FAILURES,
    SEND_FAILURES_FOR, SEND_FAILURES_WITHIN, STEADY_MARGIN,
};
use crate::{
    outcome::{ControlOutcome, Fault},
    time::Time,
};
use std::time::Duration;

#[derive(Clone, Copy, Debug, Default)]
struct ControlState {
    /// How often it misses while we see: learned from the first miss after an answer, so that a
    /// blindness teaches one.
    miss_rate: f32,
    /// Which of its newest probes were missed, the newest in the lowest bit: none while it is dead,
    /// since its silence says nothing then.
    recent: u32,
    is_silent: bool,
    last_answered: Option<Time>,
}

impl ControlState {
    fn learn(&mut self, outcome: &ControlOutcome, now: Time) {
        let missed = u8::from(!outcome.answered);
        if !self.is_silent {
            self.miss_rate += (f32::from(missed) - self.miss_rate) / CONTROL_MEMORY;
        }
        self.is_silent = !outcome.answered;
        if outcome.answered {
            self.last_answered = self.last_answered.max(Some(outcome.sent));
        }
        self.recent = if self.is_alive(now) { self.recent << 1 | u32::from(missed) } else { 0 };
    }

    fn is_alive(&self, now: Time) -> bool {
        self.last_answered.is_some_and(|last| now.since(last) <= CONTROLS_DEAD_AFTER)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    /// Those of this family, each with its place in the plan.
    controls: Vec<(u16, ControlState)>,
    /// Does the plan have controls, of whichever family? Then a miss needs to be confirmed.
    is_checked: bool,
    /// Is anything of this family watched?
    pub is_watched: bool,
    /// How long nobody may answer.
    blind_after: Duration,
    /// What our own uplink loses: the miss rate of the best control.
    pub own_loss: f32,
    /// Answers in a row while we are blind.
    answers: u32,
    /// The longest regular probe interval of any country.
    interval: Duration,
    /// When the newest answered probe, of target or control, was sent.
    last_answered: Time,
    /// The same, of controls alone; the epoch while none has ever answered.
    last_control_answered: Time,
    send_failures: u32,
    failing_since: Time,
    failed_last: Time,
    blind_since: Option<Time>,
    /// What kept our probes from leaving, if we are blind for that.
    pub fault: Option<Fault>,
    /// We are blind since nobody watches.
    pub is_unwatched: bool,
    /// The last time without sight began then, and with it its misses count for nothing.
    pub unseen_from: Time,
    /// We see since then: no probe sent before tells the present state.
    pub restored: Time,
    pub blind_spells: u64,
    /// How long all finished blind spells lasted.
    blind_for: Duration,
    /// When silence alone will make us blind. It is asked for at each step, and changes with
    /// answers.
    pub timeout: Time,
}

/// How our sight changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SightChange {
    None,
    Lost,
    /// We see again: misses sent between these times count for nothing.
    Restored(Time, Time),
}

impl Sight {
    /// `controls` are the places of this family's; `is_checked` if the plan has any.
    pub fn new(
        controls: impl Iterator<Item = u16>,
        is_checked: bool,
        is_watched: bool,
        interval: Duration,
        now: Time,
    ) -> Self {
        let mut sight = Self {
            controls: controls.map(|place| (place, ControlState::default())).collect(),
            is_checked,
            is_watched,
            blind_after: BLIND_AFTER,
            interval,
            last_answered: now,
            failing_since: now,
            unseen_from: now,
            restored: now,
            ..Self::default()
        };
        sight.update_timeout();
        sight
    }

    /// Goes on with the controls and the interval of `fresh`. Controls at the same places keep what
    /// is known of them and by them; those where there were none, or where nothing was watched,
    /// cannot have been silent.
    pub fn replan(&self, fresh: &Self, now: Time) -> Self {
        let mut both = self.controls.iter().zip(&fresh.controls);
        let same = self.controls.len() == fresh.controls.len() && both.all(|(a, b)| a.0 == b.0);
        let known = if same { self } else { fresh };
        let &Self { is_checked, is_watched, interval, .. } = fresh;
        let mut next = Self {
            controls: known.controls.clone(),
            last_control_answered: known.last_control_answered,
            own_loss: known.own_loss,
            blind_after: known.blind_after,
            is_checked,
            is_watched,
            interval,
            ..self.clone()
        };
        let has_begun = is_checked && !self.is_checked || is_watched && !self.is_watched;
        if has_begun || !next.controls.is_empty() && self.controls.is_empty() {
            next.last_answered = now;
        }
        next.update_timeout();
        next
    }

    /// A blindness ends that nothing is left to end, or to suffer from.
    pub fn end_unchecked(&mut self, now: Time) -> SightChange {
        let is_over = !self.is_watched || !self.is_checked && self.fault.is_none();
        let Some(from) = self.blind_from().filter(|_| is_over) else { return SightChange::None };
        self.restore(from, now, now)
    }

    /// While we are blind: when anything was seen last. Without controls every miss before nothing
    /// could be sent was seen.
    pub fn blind_from(&self) -> Option<Time> {
        let is_unsent = !self.is_checked && self.fault.is_some();
        let seen = if is_unsent { self.failing_since } else { self.last_answered };
        self.blind_since.map(|since| since.min(seen))
    }

    pub fn is_blind(&self) -> bool {
        self.blind_since.is_some()
    }

    /// Misses sent up to this time are evidence. In a plan without controls nothing can confirm
    /// them, and all are.
    pub fn confirmed_until(&self) -> Time {
        if self.is_checked { self.last_answered + CONFIRM_WITHIN } else { Time::NEVER }
    }

    /// How long we have been blind in all, by now.
    pub fn blind_total(&self, now: Time) -> Duration {
        self.blind_for + self.blind_since.map_or(Duration::ZERO, |since| now.since(since))
    }

    fn update_timeout(&mut self) {
        self.timeout = if !self.is_checked || !self.is_watched || self.is_blind() {
            Time::NEVER
        } else {
            let controls_are_dead =
                self.last_answered.since(self.last_control_answered) > CONTROLS_DEAD_AFTER;
            let dead = if controls_are_dead { self.interval * 3 } else { Duration::ZERO };
            self.last_answered + self.blind_after + dead
        };
    }

    fn alive(&self, now: Time) -> impl Iterator<Item = &ControlState> {
        self.controls.iter().map(|(_, control)| control).filter(move |each| each.is_alive(now))
    }

    /// While we see: the share of its probes that the best control missed just now, if that is more
    /// than chance.
    pub fn recent_loss(&self, now: Time) -> Option<f32> {
        let newest = (1 << RECENT_CONTROLS) - 1;
        let missed = self.alive(now).map(|each| (each.recent & newest).count_ones()).min()?;
        (missed > 1 && !self.is_blind()).then(|| missed as f32 / RECENT_CONTROLS as f32)
    }

    /// What our own uplink loses is the miss rate of the best control. The more it is, the longer
    /// nobody may answer: as many misses of controls, one a second, as chance does not explain.
    fn update_own_loss(&mut self, now: Time) {
        let best = self.alive(now).map(|control| control.miss_rate).reduce(f32::min);
        let before = self.own_loss;
        self.own_loss = best.map_or(0.0, |rate| (rate * STEADY_MARGIN).min(MAX_MISS_RATE));
        if before.max(self.own_loss) <= MIN_MISS_RATE {
            return;
        }
        let misses = BLIND_ODDS / -self.own_loss.max(MIN_MISS_RATE).ln();
        let chance = Duration::from_secs_f32(misses.min(BLIND_AT_LAST.as_secs_f32()));
        self.blind_after = chance.max(BLIND_AFTER);
        self.update_timeout();
    }

    /// A control answered, or did not.
    pub fn record_control(&mut self, outcome: &ControlOutcome, now: Time) -> SightChange {
        let at = self.controls.iter_mut().find(|(place, _)| *place == outcome.control);
        let Some((_, control)) = at else {
            return SightChange::None;
        };
        control.learn(outcome, now);
        let is_alive = control.is_alive(now);
        self.update_own_loss(now);
        if !outcome.answered {
            self.answers *= u32::from(!is_alive);
            return SightChange::None;
        }
        self.last_control_answered = self.last_control_answered.max(outcome.sent);
        self.answered(outcome.sent, now)
    }

    /// A target or a control answered a probe sent then.
    pub fn answered(&mut self, sent: Time, now: Time) -> SightChange {
        self.send_failures = 0;
        let before = self.last_answered;
        self.last_answered = self.last_answered.max(sent);
        self.update_timeout();
        let Some(since) = self.blind_since.filter(|&since| sent >= since) else {
            return SightChange::None;
        };
        self.answers += 1;
        if self.answers < SEEING_ANSWERS && !self.controls.is_empty() {
            return SightChange::None;
        }
        self.restore(since.min(before), sent, now)
    }

    /// A probe that was sent then left, as far as the kernel says of its kind, whatever became of
    /// it. Without controls, that ends a blindness for want of sending: what is dark now will not
    /// answer.
    pub fn probe_sent(&mut self, sent: Time, reports_held_back: bool, now: Time) -> SightChange {
        if reports_held_back {
            self.send_failures = 0;
        }
        // What a firewall of ours drops is said of no SYN; that there is no route is.
        let has_left = match self.fault {
            Some(Fault::Permission) => reports_held_back,
            Some(_) => true,
            None => false,
        };
        let is_over = !self.is_checked && has_left && sent > self.failed_last;
        let Some(from) = self.blind_from().filter(|_| is_over) else { return SightChange::None };
        self.restore(from, sent, now)
    }

    /// A probe could not leave.
    pub fn send_failed(&mut self, fault: Fault, now: Time) -> SightChange {
        if now.since(self.failed_last) > SEND_FAILURES_WITHIN {
            self.send_failures = 0;
        }
        if self.send_failures == 0 {
            self.failing_since = now;
        }
        self.failed_last = now;
        self.send_failures = self.send_failures.saturating_add(1);
        if self.send_failures >= SEND_FAILURES
            && now.since(self.failing_since) >= SEND_FAILURES_FOR
            && !self.is_blind()
        {
            self.fault = Some(fault);
            return self.lose(now);
        }
        SightChange::None
    }

    /// Nobody has watched since then: we were stopped, starved or suspended.
    pub fn begin_gap(&mut self, from: Time) -> SightChange {
        self.is_unwatched = true;
        self.lose(from)
    }

    /// Somebody watches again. Whoever was blind before is so until somebody answers.
    pub fn end_gap(&mut self, from: Time, now: Time) -> SightChange {
        self.is_unwatched = false;
        if self.blind_since < Some(from) {
            return SightChange::None;
        }
        self.last_answered = self.last_answered.max(now);
        self.restore(from - LONGEST_PATIENCE, now, now)
    }

    /// From now on we are blind.
    pub fn lose(&mut self, now: Time) -> SightChange {
        if self.is_blind() {
            return SightChange::None;
        }
        self.blind_spells += 1;
        self.blind_since = Some(now);
        self.answers = 0;
        self.update_timeout();
        SightChange::Lost
    }

    fn restore(&mut self, from: Time, to: Time, now: Time) -> SightChange {
        if let Some(since) = self.blind_since.take() {
            self.blind_for += now.since(since);
        }
        self.fault = None;
        self.unseen_from = from;
        self.restored = to;
        self.update_timeout();
        SightChange::Restored(from, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_that_hardly_ever_answer_are_a_loss_of_our_own_and_no_more() {
        let start = Time::from_nanos(1_000_000_000);
        let mut sight = Sight::new(0..1, true, true, Duration::from_secs(1), start);
        for second in 0..3000 {
            let now = start + Duration::from_secs(second);
            let answered = second % 40 == 0;
            sight.record_control(&ControlOutcome { control: 0, sent: now, answered }, now);
            assert!((0.0..=MAX_MISS_RATE).contains(&sight.own_loss), "{}", sight.own_loss);
        }
        assert!(sight.own_loss > 0.9 && sight.blind_after == BLIND_AT_LAST);
    }
}

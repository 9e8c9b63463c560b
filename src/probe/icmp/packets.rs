//! Whose a packet is that arrives. Ordinary probes are asked for first: what is theirs costs
//! nothing for trace probes.

use super::{
    SocketKind,
    codec::Codec,
    newest::NewestProbes,
    trace::{Answered, LENGTH, TraceEcho, Traces},
};
use crate::probe::{kernel::IcmpError, own_addresses};
use lifesign_core::time::Time;
use lifesign_path::{Answer, TraceAnswer, TraceProbe};
use std::{collections::VecDeque, net::IpAddr};

/// What became of a trace probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceEvent {
    /// It was answered.
    Answer(TraceAnswer),
    /// The probe of this id was not sent, or our own stack said no.
    NotSent(u64),
}

/// Makes and reads the packets of one process.
pub struct Packets {
    pub codec: Codec,
    pub newest: NewestProbes,
    traces: Traces,
    trace_events: VecDeque<TraceEvent>,
}

/// What the error queue holds: an error, and the packet to `to` that it quotes.
pub struct Quoted<'a> {
    pub packet: &'a [u8],
    pub to: IpAddr,
    pub error: IcmpError,
}

impl Packets {
    pub fn new(key: [u8; 16], id: u16) -> Self {
        Self {
            codec: Codec::new(key, id),
            newest: NewestProbes::default(),
            traces: Traces::new(key),
            trace_events: VecDeque::new(),
        }
    }

    /// The packet of a trace probe, which is sent now.
    pub fn trace(&mut self, probe: &TraceProbe, kind: SocketKind, now: Time) -> [u8; LENGTH] {
        self.traces.open(echo(probe), kind, now)
    }

    /// This trace probe was not sent after all; a packet was made of it if it has a kind.
    pub fn trace_not_sent(&mut self, probe: &TraceProbe, kind: Option<SocketKind>) {
        if let Some(kind) = kind {
            self.traces.close(&echo(probe), kind);
        }
        self.trace_events.push_back(TraceEvent::NotSent(probe.id));
    }

    /// Takes in an echo reply, if it answers a trace probe. `received` says when it arrived, after
    /// this time of sending.
    pub fn is_trace_reply(
        &mut self,
        packet: &[u8],
        from: IpAddr,
        kind: SocketKind,
        received: impl FnOnce(Time) -> Time,
    ) -> bool {
        let answered = self.traces.reply(packet, from, kind);
        answered.is_some_and(|Answered { id, sent }| {
            let answer = TraceAnswer { id, from, answer: Answer::Reply, at: received(sent) };
            self.trace_events.push_back(TraceEvent::Answer(answer));
            true
        })
    }

    /// Takes in an ICMP error, if it is about a trace probe. One of the target itself means that
    /// the probe has reached it (see [`IcmpError::found`]), and one of our own that it has not
    /// left.
    pub fn is_trace_error(
        &mut self,
        quoted: &Quoted<'_>,
        kind: SocketKind,
        received: impl FnOnce(Time) -> Time,
    ) -> bool {
        let &Quoted { packet, to, error } = quoted;
        let Some(Answered { id, sent }) = self.traces.quoted(packet, to, error.from, kind) else {
            return false;
        };
        let at = received(sent);
        let answer = if error.is_time_exceeded() {
            Answer::TimeExceeded
        } else if error.from == to {
            Answer::Reply
        } else {
            Answer::Unreachable(error.code)
        };
        let is_our_own = error.from != to && own_addresses::contain(error.from, at);
        self.trace_events.push_back(if is_our_own {
            TraceEvent::NotSent(id)
        } else {
            TraceEvent::Answer(TraceAnswer { id, from: error.from, answer, at })
        });
        true
    }

    pub fn poll_trace(&mut self) -> Option<TraceEvent> {
        self.trace_events.pop_front()
    }
}

fn echo(&TraceProbe { id, target, hop_limit, slot, .. }: &TraceProbe) -> TraceEcho {
    TraceEcho { id, target, hop_limit, slot }
}

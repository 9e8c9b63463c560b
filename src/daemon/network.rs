//! The probers of all kinds: each probe goes to the one of its kind, with the address and the wire
//! id of its target.

use super::random_bits;
use crate::{
    config::Plan,
    line_writer::LineWriter,
    probe::{
        self, ProbeSpec,
        controls::Controls,
        dns::{DnsProber, TcpQuestion},
        icmp::{IcmpProber, SocketKind, TraceEvent},
        names::{Names, Needed},
        send_options::SendOptions,
        tcp::TcpProber,
    },
};
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{Due, Event, Fault, Found},
    schedule::Extra,
    scopes::{Family, Host, IdMapping, TargetId},
    time::Time,
    watch::Watch,
};
use lifesign_path::{TraceProbe, Traced};
use lifesign_wire::{asked::AskedAddresses, ids::WireIds, kernel::IcmpError};
use std::{net::IpAddr, sync::Arc};
use tokio::sync::mpsc::UnboundedSender;

/// The probers of all kinds.
pub(super) struct Network {
    clock: Clock,
    icmp: Option<IcmpProber>,
    tcp: TcpProber,
    dns: DnsProber,
    pub names: Names,
    asked: AskedAddresses,
    wire_ids: WireIds,
    /// ICMP probes of one call of `send`, all with the same options.
    echoes: Vec<(Due, IpAddr)>,
    echo_options: Arc<SendOptions>,
}

impl Network {
    /// Opens what can be opened, and prints what cannot. Call it within a tokio runtime.
    pub fn open(
        plan: &Plan,
        clock: Clock,
        events: UnboundedSender<Event>,
        stdout_writer: &LineWriter,
    ) -> Self {
        probe::read_own_addresses(clock.now());
        let key = (u128::from(random_bits()) << 64) | u128::from(random_bits());
        let id = random_bits();
        let icmp = match IcmpProber::open(key.to_le_bytes(), id as u16) {
            Ok(prober) => {
                let kinds = Family::ALL.map(|family| {
                    let kind = prober.socket_kind(family).map_or("none", SocketKind::label);
                    format!("{kind} ({})", family.name())
                });
                stdout_writer.write(format!("ICMP by {}", kinds.join(", ")));
                Some(prober)
            }
            Err(error) => {
                stdout_writer.write(format!(
                    "note: {error}; TCP and DNS go on without ICMP, and no path is traced"
                ));
                None
            }
        };
        Self {
            clock,
            icmp,
            tcp: TcpProber::new(clock, events.clone()),
            dns: DnsProber::new(clock, events),
            names: Names::open(names(plan), &plan.resolver),
            asked: AskedAddresses::default(),
            wire_ids: WireIds::new(plan.roster.targets.len()),
            echoes: Vec::new(),
            echo_options: Arc::default(),
        }
    }

    /// Sends what is due; what cannot be sent is reported at once. Where the name of a host has
    /// lost the address that was asked last, what was learned of the path to that is forgotten.
    pub fn send(&mut self, watch: &mut Watch, plan: &Plan, now: Time, out: &mut Vec<Event>) {
        while let Some(due) = watch.poll_probe(now) {
            let spec = plan.specs.of(due.target);
            let target = plan.roster.target(due.target);
            let options = &plan.send_options[target.block.0 as usize];
            let address = self.address(&due, plan, options);
            let host = &target.host;
            let wire = self.wire_ids.on_wire(due.target);
            if let (Ok(address), Host::Name(name)) = (address, host) {
                let before = self.asked.record(wire, due.seq, address, due.sent);
                if before.is_some_and(|before| !self.names.has(name, before)) {
                    watch.forget_path(due.target);
                }
            }
            let due = Due { target: wire, ..due };
            match (address, spec) {
                (Err(fault), _) => out.push(not_sent(due, fault)),
                (Ok(address), ProbeSpec::Tcp(spec)) => {
                    self.tcp.send(due, address, spec, &options.socket);
                }
                (Ok(address), ProbeSpec::Dns(spec)) => {
                    self.dns.send(due, address, spec, &options.socket);
                }
                (Ok(address), ProbeSpec::Icmp(_)) if self.icmp.is_some() => {
                    if *options != self.echo_options {
                        self.send_echoes(out);
                        self.echo_options = options.clone();
                    }
                    self.echoes.push((due, address));
                }
                (Ok(_), ProbeSpec::Icmp(_)) => out.push(not_sent(due, Fault::NoPrivilege)),
            }
        }
        self.send_echoes(out);
    }

    fn send_echoes(&mut self, out: &mut Vec<Event>) {
        if let Some(icmp) = &mut self.icmp {
            icmp.send(&self.echoes, &self.echo_options, &self.clock, out);
        }
        self.echoes.clear();
    }

    /// Sends trace probes, those to a block as its ordinary ones leave.
    pub fn trace(&mut self, probes: &[TraceProbe], plan: &Plan, out: &mut Vec<Event>) {
        let Some(icmp) = &mut self.icmp else { return };
        for of_path in probes.chunk_by(|a, b| a.of == b.of) {
            let Some(first) = of_path.first() else { continue };
            let options = match first.of {
                Traced::Block(block) => &plan.send_options[block.0 as usize].socket,
                Traced::Control(_) => &plan.control_options,
            };
            icmp.trace(of_path, options, &self.clock, out);
        }
    }

    /// The next of what became of trace probes.
    pub fn poll_trace(&mut self) -> Option<TraceEvent> {
        self.icmp.as_mut()?.poll_trace()
    }

    /// Pays for DNS questions that want to be asked over TCP, if the blocks of their targets can.
    pub fn pay_tcp_questions(&mut self, watch: &mut Watch, plan: &Plan, now: Time) {
        while let Some(TcpQuestion { target, paid }) = self.dns.poll_tcp_question() {
            let block = self.wire_ids.target(target).map(|id| plan.roster.target(id).block);
            if block.is_some_and(|block| watch.pay_extra(block, Extra::DnsOverTcp, now)) {
                // Who asks is gone if its place was needed for another.
                let _ = paid.send(());
            }
        }
    }

    /// Can anything be traced?
    pub fn has_icmp(&self) -> bool {
        self.icmp.is_some()
    }

    /// The event with the target id of this plan; None if the target is gone. A probe that the plan
    /// makes larger and that does not fit through the path is a fault of ours (RFC 1191 §4, RFC
    /// 4443 §3.2); any other fits (RFC 791 §3.1), and a router that denies it says no.
    pub fn translate(&self, event: Event, plan: &Plan) -> Option<Event> {
        let mut event = self.wire_ids.translate(event)?;
        if let Event::Outcome(outcome) = &mut event
            && let Found::Unreachable { from, code, .. } = outcome.found
            && (IcmpError { from, code }).is_too_large()
        {
            let target = plan.roster.target(outcome.target);
            let is_larger = plan.send_options[target.block.0 as usize].size > 0;
            if target.kind.traits().has_size && is_larger {
                outcome.found = Found::NotSent(Fault::TooLarge);
            }
        }
        Some(event)
    }

    /// Changes to another plan. Open probes stay open.
    pub fn replan(&mut self, plan: &Plan, targets: &IdMapping) {
        if !targets.is_same() {
            self.asked.clear();
        }
        self.wire_ids.replan(targets, plan.roster.targets.len(), self.clock.now());
        self.names.replan(names(plan), &plan.resolver);
    }

    /// The address that the probe of this outcome went to, if its host has a name.
    pub fn asked(&self, event: &Event) -> Option<IpAddr> {
        let Event::Outcome(outcome) = event else { return None };
        self.asked.of_probe(self.wire_ids.on_wire(outcome.target), outcome.seq)
    }

    /// The address that the newest probe of a target went to, if its host has a name.
    pub fn newest_address(&self, target: TargetId) -> Option<IpAddr> {
        self.asked.newest(self.wire_ids.on_wire(target))
    }

    /// The address to ask, if there is what the block is asked from.
    fn address(&self, due: &Due, plan: &Plan, options: &SendOptions) -> Result<IpAddr, Fault> {
        let TargetId(id) = due.target;
        let target = &plan.roster.targets[id as usize];
        let address = match &target.host {
            Host::Address(address) => *address,
            Host::Name(name) => {
                let block = &plan.roster.block(target.block).prefix;
                self.names.next(name, block, &plan.deny, due.seq)?
            }
        };
        let has_source = options.socket.has_source(Family::of(address), due.sent);
        if has_source { Ok(address) } else { Err(Fault::NoSource) }
    }

    pub fn icmp_receive(&mut self, out: &mut Vec<Event>) {
        if let Some(icmp) = &mut self.icmp {
            icmp.receive(&self.clock, out);
        }
    }

    pub async fn icmp_readable(&mut self) {
        match &mut self.icmp {
            Some(icmp) => icmp.readable().await,
            None => std::future::pending().await,
        }
    }

    pub fn receive_drops(&mut self) -> u64 {
        self.icmp.as_mut().map_or(0, IcmpProber::drops)
    }
}

fn names(plan: &Plan) -> Needed {
    let mut names = Needed::new();
    for target in &plan.roster.targets {
        if let Host::Name(name) = &target.host {
            names.entry(name.to_string()).or_default()[plan.roster.family(target.block)] = true;
        }
    }
    names
}

fn not_sent(due: Due, fault: Fault) -> Event {
    Event::Outcome(due.outcome(due.sent, Found::NotSent(fault)))
}

/// Starts to ping the controls, and prints why some cannot be asked.
pub(super) fn open_controls(
    plan: &Plan,
    clock: Clock,
    events: &UnboundedSender<Event>,
    stdout_writer: &LineWriter,
) -> Option<Controls> {
    let (controls, errors) = Controls::open(&plan.controls, &plan.control_options, clock, events);
    for error in errors {
        stdout_writer.write(format!(
            "note: {error}; until then an outage cannot be told from blindness of our own"
        ));
    }
    controls
}

//! The table of metrics: for each its name, kind, own labels, help, and how its series are made of
//! a snapshot.
//!
//! Where the set of a counter's labels is known, all its series stand at 0 from the beginning, so
//! that `increase()` sees the first event.

use crate::metric_sets::MetricSet;
use crate::series::{Collect, Definition, Series};
use lifesign_core::{
    judge::{Blindness, HostCounts},
    outcome::{Fault, IcmpCode, Oddity, Reject},
    scopes::{Kind, Level},
    watch::{ControlView, Counts, LinesLost, Snapshot, WindowView},
};
use lifesign_incident::PhaseKind;
use lifesign_path::{NetworkOf, PathView};
use prometheus::proto::MetricType;
use std::collections::{BTreeMap, BTreeSet};

/// One line for what a metric is, with the set that it belongs to, and one for how it is made.
macro_rules! definitions {
    (@set) => { None };
    (@set $set:ident) => { Some(MetricSet::$set) };
    ($($kind:ident $(of $set:ident)? $name:literal [$($label:ident),*] $help:literal
        $collect:ident $add:expr;)*) => {
        /// Every metric but the two `_info` of ourselves, `lifesign_simulation` and the process's
        /// own.
        pub(crate) const DEFINITIONS: &[Definition] = &[$(Definition {
            name: concat!("lifesign_", $name),
            kind: MetricType::$kind,
            labels: &[$(stringify!($label)),*],
            set: definitions!(@set $($set)?),
            help: $help,
            collect: Collect::$collect($add),
        },)*];
    };
}

definitions! {
    // Verdicts.
    GAUGE "*_state" [state] "1 for the state that the * is found in, 0 for every other."
        PerScope |view, out| out.add_per_state(|state| one_if(view.verdict.state == state));
    COUNTER of States "*_state_seconds_total" [state] "Seconds that the * spent in the state."
        PerScope |view, out| out.add_per_state(|state| view.verdict.state_seconds()[state]);
    COUNTER of States "*_state_changes_total" [state] "How often the * entered the state."
        PerScope |view, out| out.add_per_state(|state| view.verdict.totals.entered[state] as f64);
    COUNTER "*_unreachable_seconds_total" []
        "Seconds for which the * could not be reached: each darkness from edge to edge, also in \
         flapping."
        PerScope |view, out| out.add(&[], view.verdict.dark_seconds());
    GAUGE of States "*_state_since_timestamp_seconds" [] "When the present state of the * was found."
        PerScope |view, out| out.add_time(Some(view.verdict.totals.changed));
    GAUGE "*_state_since_earliest_timestamp_seconds" []
        "The present state of the * really began no earlier: the last proof of the one before; \
         absent without one."
        PerScope |view, out| out.add_time(view.verdict.edge.earliest);
    GAUGE "*_state_since_latest_timestamp_seconds" []
        "The present state of the * really began no later: the first sufficient proof of it."
        PerScope |view, out| out.add_time(Some(view.verdict.edge.latest));
    GAUGE "*_unknown_info" [reason] "Why nothing is known of the *; 1 while it is unknown, else absent."
        PerScope |view, out|
            view.verdict.cause.iter().for_each(|cause| out.add(&[cause.label()], 1.0));
    GAUGE "*_reachable_probability" [] "Belief that the * is reachable, 0 to 1."
        PerScope |view, out| out.add(&[], view.verdict.belief);
    GAUGE "*_last_life_timestamp_seconds" []
        "When the newest answered probe to the * was sent; absent before the first."
        PerScope |view, out| out.add_time(view.verdict.last_life);
    GAUGE "*_hosts" [answer]
        "Hosts of the *: those that answer now, those that usually do, and those that the plan lists."
        PerScope |view, out| {
            let HostCounts { now, usual, listed } = view.verdict.hosts;
            out.add(&["now"], now.into());
            out.add(&["usual"], usual.into());
            if out.has(MetricSet::Hosts) {
                out.add(&["listed"], listed.into());
            }
        };

    GAUGE "*_info" []
        "The labels that the plan gives the *; always 1, absent where it gives none."
        PerScope |_, out| out.add_info();

    GAUGE "country_dark_together" []
        "1 while the country is dark, and most countries, at least five, fell silent together with \
         it: it may be us."
        PerCountry |view, out| out.add(&[], one_if(view.verdict.together));

    GAUGE "country_incident_since_timestamp_seconds" []
        "When the first darkness of the country's present incident began, as far as the last 7 days \
         tell; absent once it has been seen to be well for a day."
        PerIncident |incident, out|
            out.add_known(&[], incident.map(|incident| incident.begin().latest.as_secs_f64()));
    GAUGE "country_incident_phase" [phase]
        "1 for the present phase of the country's incident; 0 for every other, and in no incident."
        PerIncident |incident, out| {
            let phase = incident.and_then(|incident| Some(incident.phases.last()?.kind));
            for kind in PhaseKind::ALL {
                out.add(&[kind.label()], one_if(phase == Some(kind)));
            }
        };

    GAUGE "maintenance" [country, network, block]
        "1 while a window of maintenance is open for the scope or what it lies in; absent in a plan \
         without any. A country has no network and no block, and a block no network."
        Once add_maintenance;

    // Measurements.
    GAUGE "*_loss_ratio" [window]
        "Share of the window's probes to the * that were missed, 0 to 1; absent without any."
        PerScope |view, out| out.add_per_window(&view.windows, |window| window.loss);
    GAUGE "*_rtt_median_seconds" [window]
        "Median round-trip time of the *'s answers in the window; absent without any."
        PerScope |view, out| out.add_per_window(&view.windows, WindowView::median);
    GAUGE "*_rtt_p95_seconds" [window]
        "95th percentile of the round-trip times of the *'s answers in the window; absent without \
         any."
        PerScope |view, out| out.add_per_window(&view.windows, WindowView::p95);

    // Return paths.
    GAUGE of Paths "block_reply_hop_limit" []
        "What was left of the hop limit (TTL) of echo replies when they arrived here: that of most \
         of the block's hosts; absent before the first."
        PerReturnPath |view, out| out.add_known(&[], view.hop_limit.map(f64::from));
    COUNTER of Paths "return_path_changes_total" []
        "How often the path back from the block moved: its echo replies pass more hops than before, \
         or fewer, and go on doing so."
        PerReturnPath |view, out| out.add(&[], view.changes as f64);

    GAUGE "path_info" [place, asn, network]
        "The network by which the block is reached, as far as the plan's table names it, and an \
         empty place; while its path breaks, the place, and the network of the last hop that \
         answers. Always 1; absent until the path is known."
        PerPath add_path_info;
    GAUGE of Paths "path_hops" []
        "How many hops away the block's trace target is; absent until it is found."
        PerPath |view, out| out.add_known(&[], view.length().map(f64::from));
    COUNTER of Paths "path_changes_total" []
        "How often the path to the block, or the one back, was found to have moved."
        PerPath |view, out| out.add(&[], view.changes as f64);
    COUNTER "path_probes_total" [outcome]
        "Trace probes, which end on the way to a block; none of them is evidence on a host."
        Once |snapshot, out| for (outcome, count) in snapshot.paths.probes.iter() {
            out.add(&[outcome.label()], *count as f64);
        };

    // Probes.
    COUNTER "probes_total" [] "Probes sent."
        PerKind |view, out| out.add(&[], view.counts.sent as f64);
    COUNTER "probes_failed_total" [] "Probes sent that found no life: lost or unreachable."
        PerKind |view, out| out.add(&[], (view.counts.lost + view.counts.unreachable) as f64);
    COUNTER "probe_outcomes_total" [outcome]
        "What probes learned; rejected and duplicate packets, and probes not sent, are no evidence, and a neighbour is of its block alone."
        PerKind |view, out| add_outcomes(view.kind, &view.counts, out);
    COUNTER of Outcomes "probes_unexpected_total" []
        "Valid answers that are not the one the plan expects; they are also counted as reply or \
         late."
        PerKind |view, out| out.add(&[], view.counts.unexpected as f64);
    GAUGE of Outcomes "probes_overdue" []
        "Probes whose patience has run out, but not yet the 150 s after which they are lost."
        PerKind |view, out| out.add(&[], view.counts.overdue as f64);
    HISTOGRAM of Buckets "probe_rtt_seconds" [] "Round-trip times of all answers, late ones too."
        PerKind |view, out| view.rtt.iter().for_each(|rtt| out.add_histogram(&rtt.view()));

    COUNTER of Reasons "block_rejected_total" [reason]
        "Packets about the block that were no answer to a question of ours; absent for a reason \
         that has not happened."
        PerBlockReasons |view, out|
            view.rejected.iter().for_each(|(reason, &count)| out.add(&[reason.label()], count as f64));
    COUNTER of Reasons "block_not_sent_total" [reason]
        "Probes to the block that could not be sent, by our own fault; absent for a reason that has \
         not happened."
        PerBlockReasons |view, out|
            view.not_sent.iter().for_each(|(reason, &count)| out.add(&[reason.label()], count as f64));

    // Hosts.
    COUNTER of Hosts "host_probes_total" [] "Probes sent to the host."
        PerHost |view, out| out.add(&[], view.counts.sent as f64);
    COUNTER of Hosts "host_probes_failed_total" []
        "Probes sent to the host that found no life: lost or unreachable."
        PerHost |view, out|
            out.add(&[], f64::from(view.counts.lost) + f64::from(view.counts.unreachable));
    GAUGE of Hosts "host_loss_ratio" []
        "Share of the host's last 64 probes that were missed, 0 to 1; absent without any."
        PerHost |view, out| out.add_known(&[], view.recent_loss.map(f64::from));
    GAUGE of Hosts "host_rtt_smoothed_seconds" []
        "Smoothed round-trip time of the host (RFC 6298); absent before the first answer."
        PerHost |view, out| out.add_known(&[], view.srtt.map(f64::from));
    GAUGE of Hosts "host_rtt_lowest_seconds" []
        "Lowest round-trip time of the host; absent before the first answer."
        PerHost |view, out| out.add_known(&[], view.min_rtt.map(f64::from));
    GAUGE of Hosts "host_last_life_timestamp_seconds" []
        "When the newest answered probe to the host was sent; absent before the first."
        PerHost |view, out| out.add_time(view.last_life);
    GAUGE of Hosts "host_up" [] "1 if the host answers, as far as we know; 0 while its block is dark."
        PerHost |view, out| out.add(&[], one_if(view.up));
    GAUGE of Hosts "host_gone" []
        "1 if the host is silent while its block lives, be it retired or not: no evidence."
        PerHost |view, out| out.add(&[], one_if(view.gone));
    GAUGE of Hosts "host_retired" []
        "1 if the host was silent for a day while its block lived: asked hourly, no evidence."
        PerHost |view, out| out.add(&[], one_if(view.retired));
    GAUGE of Hosts "host_accepts_all" []
        "1 if a firewall answers for the host on every port: its TCP answers are no evidence."
        PerHost |view, out| out.add(&[], one_if(view.accepts_all));

    GAUGE of Hosts "target_info" []
        "The labels that the plan gives the host; always 1, absent where it gives none."
        PerHost |_, out| out.add_info();

    // Ourselves.
    GAUGE "blind" [family]
        "1 while we cannot see in the family for reasons of our own, and call nothing of it down; \
         absent where nothing of it is watched."
        Once |snapshot, out| add_per_family(snapshot, out, |sight| one_if(sight.is_blind));
    COUNTER "blind_seconds_total" [family] "Seconds spent blind in the family."
        Once |snapshot, out| add_per_family(snapshot, out, |sight| sight.seconds);
    COUNTER "blind_spells_total" [family] "How often we went blind in the family."
        Once |snapshot, out| add_per_family(snapshot, out, |sight| sight.spells as f64);
    GAUGE "control_up" [control] "1 if the control answered last time."
        Once |snapshot, out| add_per_control(snapshot, out, |control| one_if(control.up));
    COUNTER "control_asked_total" [control] "How often the control was asked."
        Once |snapshot, out| add_per_control(snapshot, out, |control| control.asked as f64);
    COUNTER "control_silent_total" [control] "How often the control did not answer."
        Once |snapshot, out| add_per_control(snapshot, out, |control| control.silent as f64);
    COUNTER "rejected_total" [reason] "Packets that were no answer to a question of ours."
        Once |snapshot, out|
            Reject::ALL.iter().for_each(|r| out.add(&[r.label()], count_of(&snapshot.vantage.rejected, r)));
    COUNTER "odd_answers_total" [oddity] "What was odd about answers; they prove life all the same."
        Once |snapshot, out|
            Oddity::ALL.iter().for_each(|o| out.add(&[o.label()], count_of(&snapshot.vantage.odd, o)));
    COUNTER "not_sent_total" [reason] "Probes that could not be sent, by our own fault."
        Once |snapshot, out|
            Fault::ALL.iter().for_each(|f| out.add(&[f.label()], count_of(&snapshot.vantage.not_sent, f)));
    COUNTER "unreachable_total" [family, icmp_type, icmp_code]
        "ICMP errors that routers sent about our probes."
        Once |snapshot, out| add_icmp_errors(&snapshot.vantage.unreachable, out);
    COUNTER "dns_answers_total" [rcode]
        "Answers to DNS probes by response code; RCODEn where the number n has no common name."
        Once |snapshot, out| add_rcodes(&snapshot.vantage.rcodes, out);
    HISTOGRAM "schedule_lag_seconds" []
        "How late probes left, behind the time that the schedule meant."
        Once |snapshot, out| out.add_histogram(&snapshot.lag);
    COUNTER "slots_skipped_total" [reason]
        "Probes that the schedule gave up: after a stall of ours, or because a budget was spent."
        Once |snapshot, out| {
            out.add(&["budget"], snapshot.slots_over_budget as f64);
            out.add(&["stall"], snapshot.slots_missed as f64);
        };
    GAUGE "probes_open" [] "Probes that wait for an answer within their patience."
        Once |snapshot, out| out.add(&[], snapshot.open as f64);
    COUNTER "receive_drops_total" []
        "Packets that the kernel dropped because our receive buffer was full."
        Once |snapshot, out| out.add(&[], snapshot.receive_drops as f64);
    COUNTER "lines_lost_total" [output]
        "Lines that were lost, because a disk or a reader did not take them; of the journal only \
         where there is one."
        Once |snapshot, out| {
            let LinesLost { journal, stdout } = snapshot.lines_lost;
            out.add_known(&["journal"], journal.map(|lines| lines as f64));
            out.add(&["stdout"], stdout as f64);
        };
    GAUGE "store_failing" []
        "1 while the store cannot be written; absent without a state directory, as all of the \
         store."
        Once |snapshot, out| out.add_known(&[], snapshot.store.map(|store| one_if(store.failing)));
    COUNTER "store_failures_total" []
        "How often writing the store failed; it is tried again until it does not."
        Once |snapshot, out| out.add_known(&[], snapshot.store.map(|store| store.failures as f64));
    GAUGE "store_waiting" [] "Rows that wait to be written to the store."
        Once |snapshot, out| out.add_known(&[], snapshot.store.map(|store| store.waiting as f64));
    COUNTER "store_lost_total" []
        "Rows that were never written to the store, since too many waited."
        Once |snapshot, out| out.add_known(&[], snapshot.store.map(|store| store.lost as f64));
    GAUGE "config_last_reload_successful" []
        "1 unless the plan was read again and was wrong: then the one before goes on."
        Once |snapshot, out| out.add(&[], one_if(!snapshot.plan.refused));
    GAUGE "config_last_reload_success_timestamp_seconds" []
        "Since when the present plan has been watched."
        Once |snapshot, out| out.add_time(Some(snapshot.plan.since));
    GAUGE "snapshot_timestamp_seconds" []
        "When the numbers on this page were taken; if it stands still, so does the watch."
        Once |snapshot, out| out.add_time(Some(snapshot.time));
}

fn one_if(condition: bool) -> f64 {
    f64::from(u8::from(condition))
}

fn count_of<K: Ord>(counts: &BTreeMap<K, u64>, key: &K) -> f64 {
    counts.get(key).copied().unwrap_or(0) as f64
}

fn add_maintenance(snapshot: &Snapshot, out: &mut Series) {
    let roster = &snapshot.roster;
    if roster.maintenance.is_empty() {
        return;
    }
    let now = snapshot.wall_offset.written(snapshot.time);
    for scope in roster.scopes() {
        let name = roster.name_of(scope);
        let name_at = |level| if scope.level() == level { &*name } else { "" };
        let is_open = roster.maintenance_at(scope, now).is_some();
        let code = &*roster.country_of(scope).code;
        out.add(&[code, name_at(Level::Network), name_at(Level::Block)], one_if(is_open));
    }
}

fn add_per_family(snapshot: &Snapshot, out: &mut Series, value: impl Fn(&Blindness) -> f64) {
    for (family, sight) in snapshot.blindness.iter() {
        out.add_known(&[family.label()], sight.as_ref().map(&value));
    }
}

fn add_per_control(snapshot: &Snapshot, out: &mut Series, value: impl Fn(&ControlView) -> f64) {
    for control in &snapshot.controls {
        out.add(&[&control.address.to_string()], value(control));
    }
}

fn add_path_info(view: &PathView, out: &mut Series) {
    let (place, network) = match &view.place {
        Some(place) => (place.place.label(), place.network()),
        None if view.hops.is_empty() => return,
        None => ("", view.upstreams.first()),
    };
    let asn = network.map_or_else(String::new, |network| network.asn.to_string());
    let name = network.map_or("", |NetworkOf { name, .. }| name);
    out.add(&[place, &asn, name], 1.0);
}

fn add_outcomes(kind: Kind, counts: &Counts, out: &mut Series) {
    let &Counts {
        sent: _,
        reply,
        unexpected: _,
        refused,
        late,
        lost,
        unreachable,
        taken_back: _,
        neighbour,
        duplicate,
        rejected,
        not_sent,
        overdue: _,
    } = counts;
    for (outcome, count, is_shown) in [
        ("reply", reply, true),
        ("refused", refused, kind == Kind::Tcp),
        ("late", late, true),
        ("lost", lost, true),
        ("unreachable", unreachable, true),
        ("neighbour", neighbour, false),
        ("rejected", rejected, false),
        ("duplicate", duplicate, false),
        ("not_sent", not_sent, false),
    ] {
        if is_shown || out.has(MetricSet::Outcomes) {
            out.add(&[outcome], count as f64);
        }
    }
}

fn add_icmp_errors(counts: &BTreeMap<(bool, IcmpCode), u64>, out: &mut Series) {
    let usual = USUAL_ICMP_ERRORS.iter().flat_map(|&(v6, kind, codes)| {
        codes.iter().map(move |&code| (v6, IcmpCode { kind, code }))
    });
    for key in counts.keys().copied().chain(usual).collect::<BTreeSet<_>>() {
        let (v6, IcmpCode { kind, code }) = key;
        let family = if v6 { "ipv6" } else { "ipv4" };
        out.add(&[family, &kind.to_string(), &code.to_string()], count_of(counts, &key));
    }
}

fn add_rcodes(counts: &BTreeMap<u16, u64>, out: &mut Series) {
    for code in counts.keys().copied().chain(0..6).collect::<BTreeSet<_>>() {
        out.add(&[&rcode_name(code)], count_of(counts, &code));
    }
}

/// The errors that probes commonly meet, which are shown from 0: net, host and port unreachable,
/// prohibited (RFC 792; RFC 1812 §5.2.7.1); for IPv6 no route, prohibited, address and port
/// unreachable (RFC 4443 §3.1); in both families hop limit exceeded, the sign of a routing loop.
/// Each entry is: is it IPv6, the type, the codes.
const USUAL_ICMP_ERRORS: [(bool, u8, &[u8]); 4] = [
    (false, 3, &[0, 1, 3, 9, 10, 13]),
    (false, 11, &[0]),
    (true, 1, &[0, 1, 3, 4]),
    (true, 3, &[0]),
];

/// The response codes that every resolver knows (RFC 1035 §4.1.1), under the names of the IANA
/// registry.
fn rcode_name(code: u16) -> String {
    const NAMES: [&str; 6] = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
    NAMES.get(usize::from(code)).map_or_else(|| format!("RCODE{code}"), ToString::to_string)
}

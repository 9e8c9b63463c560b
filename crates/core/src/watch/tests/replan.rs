//! A new plan in the middle of a watch, in virtual time and under any weather: who stays is
//! counted, asked and judged as if nothing had happened; who goes leaves nothing behind; who comes
//! begins as unknown.

use super::{EventRecord, Settings, Watch, target_views};
use crate::fixtures::{SENT_AFTER, in_networks, of_sizes, scope_name, start, without};
use crate::{
    outcome::{Due, Event, Found, IcmpCode},
    rng::Rng,
    schedule::Budget,
    scopes::{CountryId, Host, Kind, Level, Roster, RosterMapping, Scope, TargetId},
    time::Time,
};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    iter::from_fn,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

fn at(seconds: f64) -> Time {
    start() + Duration::from_secs_f64(seconds)
}

/// What a target is called in any roster.
fn name(roster: &Roster, id: TargetId) -> String {
    let target = roster.target(id);
    let block = roster.block(target.block);
    format!(
        "{} {} {} {}",
        roster.country(block.country).code,
        block.prefix,
        target.host,
        target.probe
    )
}

fn number(parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// A world in which what becomes of a probe depends on whom it asks and when, and on nothing else.
struct World {
    seed: u64,
    watch: Watch,
    settings: Settings,
    coming: BTreeMap<(Time, u64), Event>,
    asked: Vec<(String, Due)>,
    changes: Vec<String>,
    journal: Vec<(EventRecord, Option<String>)>,
}

impl World {
    fn new(roster: &Roster, seed: u64) -> Self {
        let budget = Some(Budget::of(1.0));
        let settings = Settings { seed, budget, histograms: true, ..Settings::default() };
        let mut watch = Watch::new(Arc::new(roster.clone()), &settings, start());
        watch.keep_records();
        Self {
            seed,
            watch,
            settings,
            coming: BTreeMap::new(),
            asked: vec![],
            changes: vec![],
            journal: vec![],
        }
    }

    /// Blocks go dark for a minute now and then, and every probe may be lost, late, refused by a
    /// router.
    fn fate(&self, name: &str, sent: Time) -> Vec<(Duration, Found)> {
        let minute = sent.as_nanos() / 60_000_000_000;
        let block = name.rsplitn(3, ' ').nth(2).expect("a block");
        if Rng::new(number((self.seed, block, minute))).chance(0.2) {
            return vec![];
        }
        let mut rng = Rng::new(number((self.seed, name, sent.as_nanos())));
        let rtt =
            Duration::from_secs_f64([0.2, 0.2, 0.2, 0.3, 4.0][rng.below(5)] * (1.0 + rng.unit()));
        let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
        match rng.below(20) {
            0 => vec![],
            1 => vec![(rtt, Found::Unreachable { from, code: IcmpCode { kind: 3, code: 1 }, rtt })],
            2 => vec![(rtt, Found::Refused { rtt }), (rtt, Found::Refused { rtt })],
            _ => vec![(rtt, Found::Reply { rtt, rcode: None, unexpected: false })],
        }
    }

    /// Goes on until then.
    fn play(&mut self, until: Time) {
        loop {
            let arrival = self.coming.first_key_value().map_or(Time::NEVER, |entry| entry.0.0);
            let now = self.watch.poll_timeout().min(arrival);
            if now >= until {
                return;
            }
            while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= now) {
                self.watch.handle_event(now, &entry.remove());
            }
            self.watch.handle_timeout(now, now);
            while let Some(probe) = self.watch.poll_probe(now) {
                let name = name(self.watch.roster(), probe.target);
                for (after, found) in self.fate(&name, probe.sent) {
                    let outcome = probe.outcome(probe.sent + SENT_AFTER, found);
                    let key = (outcome.sent + after, number((&name, probe.seq, found.label())));
                    self.coming.insert(key, Event::Outcome(outcome));
                }
                self.asked.push((name, probe));
            }
            self.collect();
        }
    }

    fn collect(&mut self) {
        let roster = self.watch.roster().clone();
        let changes = from_fn(|| self.watch.poll_change()).map(|mut change| {
            let name = scope_name(&roster, roster.scope_id(change.scope));
            change.scope = Scope::Country(CountryId(0));
            format!("{name} {change:?}")
        });
        self.changes.extend(changes);
        let records = from_fn(|| self.watch.poll_record()).map(|record| {
            let target = match record.event {
                Event::Outcome(outcome) => Some(outcome.target),
                Event::Stray(stray) => stray.target,
                _ => None,
            };
            (record, target.map(|target| name(&roster, target)))
        });
        self.journal.extend(records);
    }

    /// Another plan, and what is under way with it.
    fn replan(&mut self, roster: &Roster, now: Time) -> RosterMapping {
        let map = self.watch.replan(Arc::new(roster.clone()), &self.settings, now);
        self.coming.retain(|_, event| match event {
            Event::Outcome(outcome) => {
                let new = map.targets.new_id(outcome.target.0);
                outcome.target.0 = new.unwrap_or(0);
                new.is_some()
            }
            _ => true,
        });
        self.collect();
        map
    }
}

/// Everything that a watch knows at a time, by name; of the country of this code only what it
/// measured itself, not how it is judged.
fn picture(watch: &Watch, now: Time, measured_only: &str) -> Picture {
    let roster = watch.roster().clone();
    let snapshot = watch.snapshot(now, 0, 0);
    let mut known = BTreeMap::new();
    for (id, view) in roster.scope_ids().zip(&snapshot.scopes) {
        let is_measured_only = roster.country_of(roster.scope(id)).code == measured_only;
        let counted = match roster.scope(id) {
            Scope::Block(id) => snapshot.kinds_of(id).iter(),
            Scope::Network(_) | Scope::Country(_) => [].iter(),
        };
        let counted = counted.map(|each| (each.kind, each.counts, &each.rtt));
        let (verdict, measured) = (&view.verdict, (&view.windows, counted.collect::<Vec<_>>()));
        let text = match roster.level(id) {
            Level::Network | Level::Country if is_measured_only => continue,
            Level::Block if is_measured_only => format!("{measured:?}"),
            _ => format!("{verdict:?} {measured:?} {:?}", view.history),
        };
        known.insert(scope_name(&roster, id), text);
    }
    for (id, view) in (0..).zip(target_views(watch)) {
        let name = name(&roster, TargetId(id));
        let text = if name.starts_with(&format!("{measured_only} ")) {
            format!("{:?} {:?} {:?} {:?}", view.counts, view.recent_loss, view.srtt, view.last_life)
        } else {
            format!("{view:?}")
        };
        known.insert(name, text);
    }
    known
}

type Picture = BTreeMap<String, String>;

fn same(one: &Picture, other: &Picture) -> Result<(), TestCaseError> {
    prop_assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, text) in one {
        prop_assert_eq!(text, &other[name], "{}", name);
    }
    Ok(())
}

/// Feeds a recorded watch to another, in which other numbers hold and some are not known.
fn feed(watch: &mut Watch, journal: &[(EventRecord, Option<String>)]) {
    let roster = watch.roster().clone();
    let ids: HashMap<String, TargetId> = (0..roster.targets.len() as u32)
        .map(|id| (name(&roster, TargetId(id)), TargetId(id)))
        .collect();
    for (record, name) in journal {
        let mut record = *record;
        let id = name.as_ref().map(|name| ids.get(name).copied());
        match (&mut record.event, id) {
            (_, Some(None)) => continue,
            (Event::Outcome(outcome), Some(Some(id))) => outcome.target = id,
            (Event::Stray(stray), Some(id)) => stray.target = id,
            _ => {}
        }
        watch.replay(&record);
    }
}

fn plans() -> impl Strategy<Value = Roster> {
    let blocks = prop::collection::vec(1_u32..6, 1..5);
    let networks = (0_usize..5, 1_usize..3);
    (prop::collection::vec(blocks, 2..4), networks, prop::collection::vec(0_u8..8, 64)).prop_map(
        |(sizes, (direct, each), rng)| {
            let mut roster = in_networks(&of_sizes(&sizes), direct, each);
            for (target, fate) in roster.targets.iter_mut().zip(rng.into_iter().cycle()) {
                match fate {
                    0 => target.set_interval(Duration::from_secs(3)),
                    1 | 2 => (target.kind, target.probe) = (Kind::Tcp, "tcp/80".into()),
                    _ => {}
                }
            }
            roster
        },
    )
}

const LONG: f64 = 400.0;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// The same plan, read again and again, changes nothing at all.
    #[test]
    fn the_same_plan_changes_nothing(
        roster in plans(),
        seed: u64,
        times in prop::collection::vec(0.0..LONG, 1..6),
    ) {
        let mut plain = World::new(&roster, seed);
        let mut replanned = World::new(&roster, seed);
        plain.play(at(LONG));
        let mut times = times;
        times.sort_by(f64::total_cmp);
        for time in times {
            replanned.play(at(time));
            let map = replanned.replan(&roster, at(time));
            prop_assert!(map.targets.is_same() && map.scopes.is_same());
        }
        replanned.play(at(LONG));
        prop_assert_eq!(&plain.asked, &replanned.asked);
        prop_assert_eq!(&plain.changes, &replanned.changes);
        same(&picture(&plain.watch, at(LONG), ""), &picture(&replanned.watch, at(LONG), ""))?;
        let events = |world: &World| -> Vec<_> {
            world
                .journal
                .iter()
                .map(|(record, _)| *record)
                .filter(|r| r.event != Event::Replan)
                .collect()
        };
        prop_assert_eq!(events(&plain), events(&replanned));
        prop_assert!(!plain.changes.is_empty());
    }

    /// Other countries are asked at the same times, and judged the same, when one goes and another
    /// comes.
    #[test]
    fn other_countries_notice_nothing(roster in plans(), seed: u64, time in 0.0..LONG) {
        let mut plain = World::new(&roster, seed);
        let mut replanned = World::new(&roster, seed);
        plain.play(at(LONG));
        replanned.play(at(time));
        let mut new = without(&roster, |code| code == "C0", false);
        new.add_country("NEW", "New");
        new.add_block("127.0.0.0/24".parse().unwrap());
        for host in 0..3 {
            new.add_target(
                Host::Address(Ipv4Addr::new(127, 0, 0, host).into()),
                "icmp",
                Kind::Icmp,
            );
        }
        let map = replanned.replan(&new, at(time));
        prop_assert_eq!(map.countries.new_id(0), None);
        let fresh = picture(&replanned.watch, at(time), "");
        prop_assert!(!fresh.keys().any(|name| name.starts_with("C0")), "{:?}", fresh);
        prop_assert!(
            fresh["NEW"].contains("state: Unknown") && fresh["NEW"].contains("last_life: None")
        );
        replanned.play(at(LONG));
        let others = |world: &World| -> Vec<_> {
            let asked = world
                .asked
                .iter()
                .filter(|(name, _)| !name.starts_with("C0") && !name.starts_with("NEW"));
            asked
                .map(|(name, due)| (name.clone(), due.seq, due.sent, due.patience, due.trap))
                .collect()
        };
        prop_assert_eq!(others(&plain), others(&replanned));
        let rest = |world: &World| {
            let mut rest = picture(&world.watch, at(LONG), "");
            rest.retain(|name, _| !name.starts_with("C0") && !name.starts_with("NEW"));
            rest
        };
        same(&rest(&plain), &rest(&replanned))?;
        prop_assert!(
            replanned.asked.iter().any(|(name, _)| name.starts_with("NEW")) || time > LONG - 5.0
        );
    }

    /// A plan that loses a block judges the other countries, and measures the country's other
    /// blocks, exactly as if the block had never been there; in whatever order the plan now has
    /// them.
    #[test]
    fn what_is_gone_was_never_there(
        roster in plans(),
        seed: u64,
        time in 0.0..LONG,
        backwards: bool,
    ) {
        let mut recorded = World::new(&roster, seed);
        recorded.play(at(LONG));
        let journal = &recorded.journal;
        let middle = journal.partition_point(|(record, _)| record.seen < at(time));
        let gone = roster.blocks[0].prefix.to_string();
        let lesser = without(&roster, |name| name == gone, backwards);
        let settings = &recorded.settings;
        let mut never = Watch::new(Arc::new(lesser.clone()), settings, start());
        feed(&mut never, journal);
        let mut lost = Watch::new(Arc::new(roster.clone()), settings, start());
        feed(&mut lost, &journal[..middle]);
        lost.replan(Arc::new(lesser.clone()), settings, at(time));
        feed(&mut lost, &journal[middle..]);
        for watch in [&mut never, &mut lost] {
            watch.replay_until(at(LONG));
        }
        same(&picture(&never, at(LONG), "C0"), &picture(&lost, at(LONG), "C0"))?;
        // And it may come back, as new.
        lost.replan(Arc::new(roster.clone()), settings, at(LONG));
        let again = picture(&lost, at(LONG), "");
        let block = format!("C0 {gone}");
        let targets = format!("C0 {gone} ");
        prop_assert!(again[&block].contains("state: Unknown"));
        for (name, text) in again.iter().filter(|(name, _)| name.starts_with(&targets)) {
            prop_assert!(
                text.contains("sent: 0") && text.contains("last_life: None"),
                "{} {}",
                name,
                text
            );
        }
    }

    /// Old and new numbers name the same things, and only them.
    #[test]
    fn numbers_lead_there_and_back(roster in plans(), backwards: bool, pick in 0_usize..8) {
        let gone = roster.blocks[pick % roster.blocks.len()].prefix.to_string();
        let new = without(&roster, |name| name == gone, backwards);
        let map = RosterMapping::between(&roster, &new);
        for id in 0..roster.targets.len() as u32 {
            match map.targets.new_id(id) {
                Some(now) => {
                    prop_assert_eq!(name(&roster, TargetId(id)), name(&new, TargetId(now)));
                    prop_assert_eq!(map.targets.old_id(now), Some(id));
                }
                None => prop_assert!(name(&roster, TargetId(id)).contains(&gone)),
            }
        }
        let scopes = roster.scope_ids().map(|id| scope_name(&roster, id)).collect();
        let carried = map.scopes.carry(scopes, |_| "new".into());
        for (id, text) in new.scope_ids().zip(carried) {
            prop_assert_eq!(scope_name(&new, id), text);
        }
    }

    /// A block may move to another network: it keeps all that was measured of it.
    #[test]
    fn a_block_moves_to_another_network(roster in plans(), seed: u64, time in 0.0..LONG) {
        let mut world = World::new(&roster, seed);
        world.play(at(time));
        let before = world.watch.snapshot(at(time), 0, 0);
        world.replan(&in_networks(&roster, 1, 2), at(time));
        let after = world.watch.snapshot(at(time), 0, 0);
        prop_assert_eq!(&before.kinds, &after.kinds);
        for block in 0..roster.blocks.len() {
            let [before, after] = [&before, &after].map(|snapshot| &snapshot.scopes[block]);
            prop_assert_eq!(&before.windows, &after.windows);
            prop_assert_eq!(before.verdict.last_life, after.verdict.last_life);
        }
    }
}

//! The incidents of a country and all in it as a feed (RFC 4287): an entry when one begins, when it
//! changes its phase, and when it is over.

use crate::{Site, View};
use lifesign_core::{
    scopes::{CountryId, Scope},
    time::Time,
};
use lifesign_incident::{Incident, PhaseKind, story};
use maud::{Markup, PreEscaped, html};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;

/// The newest so many entries.
const MOST: usize = 50;

/// Something that happened.
struct Entry<'a> {
    at: Time,
    title: String,
    /// How people call the scope.
    name: String,
    incident: &'a Incident,
    scope: Scope,
    /// What tells it from all else that happened to the scope.
    key: String,
}

pub(crate) fn render(view: &View, id: CountryId) -> Markup {
    let roster = &view.snapshot.roster;
    let country = roster.country(id);
    let names = roster.by_full_name();
    let incidents = view.past.incidents.iter();
    let mut incidents: Vec<(&Incident, Scope)> =
        incidents.filter_map(|incident| Some((incident, *names.get(&incident.scope)?))).collect();
    // The newest entries are of those incidents of which the last entry is newest.
    incidents.sort_by_key(|(incident, _)| std::cmp::Reverse(last_entry(incident)));
    incidents.truncate(MOST);
    let mut entries: Vec<Entry> = incidents
        .into_iter()
        .flat_map(|(incident, scope)| entries(view, incident, scope))
        .collect();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    entries.truncate(MOST);
    let started = view.snapshot.wall_offset.written(view.snapshot.started);
    let updated = entries.first().map_or(started, |newest| newest.at);
    html! {
        (PreEscaped("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"))
        feed xmlns="http://www.w3.org/2005/Atom" {
            title { (country.name) " (" (country.code) "), seen from " (view.site.vantage) }
            id { (urn(view.site, &[&country.code])) }
            updated { (updated.to_string()) }
            author { name { (view.site.vantage) } }
            link rel="self" type="application/atom+xml" href="feed.atom" {}
            link rel="alternate" type="text/html"
                href=(view.address.to_scope(roster, Scope::Country(id))) {}
            @for Entry { at, title, name, incident, scope, key } in &entries {
                entry {
                    title { (title) }
                    id { (urn(view.site, &[&incident.scope, key])) }
                    updated { (at.to_string()) }
                    link rel="alternate" type="text/html"
                        href=(view.address.to_incident(roster, *scope, &incident.id())) {}
                    summary { (story::sentence(name, incident, view.now())) "." }
                }
            }
        }
    }
}

/// When the last thing happened in an incident that is an entry.
fn last_entry(incident: &Incident) -> Option<Time> {
    let begin = incident.phases.last().map(|last| last.begin.latest);
    incident.was_over_at().or(begin)
}

/// What happened in an incident.
fn entries<'a>(view: &View, incident: &'a Incident, scope: Scope) -> Vec<Entry<'a>> {
    let roster = &view.snapshot.roster;
    let name = match scope {
        Scope::Country(id) => roster.country(id).name.clone(),
        Scope::Network(_) | Scope::Block(_) => roster.name_of(scope),
    };
    let simulation = if view.site.simulation.is_some() { "Simulation: " } else { "" };
    let entry = |at, what: &str, key: &str, time: Time| Entry {
        at,
        title: format!("{simulation}{name} {what}"),
        name: name.clone(),
        incident,
        scope,
        key: format!("{key} {time}"),
    };
    let begins = incident.phases.iter().map(|phase| {
        let again = if phase.kind == PhaseKind::Up { " again" } else { "" };
        // The same for a darkness and for the outage that it becomes.
        let adjective = story::adjective(phase.kind);
        let what = format!("is {adjective}{again}");
        entry(phase.begin.latest, &what, adjective, phase.begin.latest)
    });
    let end = incident.end().zip(incident.was_over_at()).map(|(end, over)| {
        let what = if incident.is_left() {
            "is not watched any more: the incident is over"
        } else {
            "has been well for a day: the incident is over"
        };
        entry(over, what, "over", end.latest)
    });
    begins.chain(end).collect()
}

/// A name of these parts that is the same for ever, and of no other vantage (RFC 9562 §5.8).
fn urn(site: Site, parts: &[&str]) -> String {
    let mut hasher = SipHasher24::new();
    for part in [site.vantage].iter().chain(parts) {
        hasher.write(part.as_bytes());
        hasher.write_u8(0xff);
    }
    let all = hasher.finish128().as_u128();
    let version = all & !(0xf << 76) | 8 << 76;
    let uuid = version & !(0b11 << 62) | 0b10 << 62;
    format!(
        "urn:uuid:{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        uuid >> 96,
        uuid >> 80 & 0xffff,
        uuid >> 64 & 0xffff,
        uuid >> 48 & 0xffff,
        uuid & 0xffff_ffff_ffff
    )
}

//! What a plan says beyond which scopes there are, for whoever has no plan at hand: a report is
//! made long after.

use super::{Labels, Roster, Scope};
use crate::time_zone::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a plan says of its scopes for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remarks {
    /// Who runs the vantage.
    pub contact: Option<String>,
    /// What another prober recorded, which this is judged by; None of what lifesign asked itself.
    pub recorded: Option<String>,
    /// The IANA names of time zones, by country code.
    pub timezones: BTreeMap<String, String>,
    /// By the full name of their scope; those without any are not here.
    pub labels: BTreeMap<String, Labels>,
    /// The numbers of autonomous systems, by the full name of the network.
    pub asns: BTreeMap<String, u32>,
}

impl Remarks {
    /// Those on the scopes of a roster.
    pub fn on(roster: &Roster, contact: Option<&str>) -> Self {
        let labelled = roster.scopes().filter(|&scope| !roster.labels_of(scope).is_empty());
        let labels =
            labelled.map(|scope| (roster.full_name_of(scope), roster.labels_of(scope).clone()));
        let timezones = roster.countries.iter().filter_map(|country| {
            Some((country.code.clone(), country.timezone.as_ref()?.name().to_owned()))
        });
        let asns = roster.scopes().filter_map(|scope| match scope {
            Scope::Network(id) => Some((roster.full_name_of(scope), roster.network(id).asn?)),
            Scope::Country(_) | Scope::Block(_) => None,
        });
        Self {
            contact: contact.map(str::to_owned),
            recorded: None,
            timezones: timezones.collect(),
            labels: labels.collect(),
            asns: asns.collect(),
        }
    }

    /// The time zone of the country with this code.
    pub fn timezone(&self, country: &str) -> Option<TimeZone> {
        TimeZone::named(self.timezones.get(country)?)
    }
}

/// Where a link on who runs the vantage leads: to a URL, or by mail; None if the text is neither.
pub fn contact_link(text: &str) -> Option<String> {
    let is_url = text.starts_with("https://") || text.starts_with("http://");
    let is_mail = text.contains('@') && !text.contains([':', '/', '?', '<', '>', ',']);
    match text {
        _ if text.contains(char::is_whitespace) => None,
        _ if is_url => Some(text.to_owned()),
        _ => is_mail.then(|| format!("mailto:{text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_a_link_if_it_is_a_url_or_an_address_for_mail() {
        for (text, link) in [
            ("https://example.org/who?a@b", Some("https://example.org/who?a@b")),
            ("http://[2001:db8::1]/", Some("http://[2001:db8::1]/")),
            ("noc@example.org", Some("mailto:noc@example.org")),
            ("the lab, noc@example.org", None),
            ("https://example.org and more", None),
            ("javascript:alert(1)@x", None),
            ("a@b?bcc=c", None),
            ("the lab", None),
        ] {
            assert_eq!(contact_link(text).as_deref(), link, "{text}");
        }
    }
}

//! Whether we ourselves can see.

use crate::scopes::PerFamily;

/// Whether we ourselves can see in one family of addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Blindness {
    /// Are we blind just now?
    pub is_blind: bool,
    /// For how long we have been blind in all, in seconds.
    pub seconds: f64,
    /// How often we went blind.
    pub spells: u64,
}

/// `blind`, or `blind by IPv6` where we see by another family.
pub fn blind_in_words(blindness: &PerFamily<Option<Blindness>>) -> String {
    let watched = || blindness.iter().filter_map(|(family, each)| Some((family, each.as_ref()?)));
    match watched().find(|(_, each)| each.is_blind) {
        Some((family, _)) if watched().any(|(_, each)| !each.is_blind) => {
            format!("blind by {}", family.name())
        }
        _ => "blind".into(),
    }
}

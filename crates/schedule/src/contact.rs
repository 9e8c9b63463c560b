//! When each target was asked and heard last.

use super::repeat::Heard;
use lifesign_model::{
    scopes::{BlockId, Roster},
    time::Time,
};

/// When the newest probe to a target was sent, and the newest one that was answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Contact {
    pub asked: Time,
    pub answered: Time,
    pub heard: Heard,
    /// It has gone, or is retired.
    pub absent: bool,
    /// The first target of its host.
    pub host: u32,
}

/// Those of targets that nobody has asked yet.
pub(super) fn no_contacts(roster: &Roster) -> Vec<Contact> {
    let blocks = (0..roster.blocks.len() as u32).map(BlockId);
    let hosts = blocks.flat_map(|block| roster.targets_by_host(block));
    let contact = |host: u32| Contact { host, ..Contact::default() };
    hosts.flat_map(|host| host.clone().map(move |_| contact(host.start))).collect()
}

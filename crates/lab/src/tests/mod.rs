//! Worlds that are played to hold the judge against them.

mod expectations;
mod partial;
mod places;
mod scenarios;

use crate::Scenario;

/// A scenario of one country, KP, in which `more` happens.
fn scenario(blocks: &str, hosts: &str, more: &str) -> Scenario {
    lasting("10h", blocks, hosts, more)
}

/// The same, for so long.
fn lasting(duration: &str, blocks: &str, hosts: &str, more: &str) -> Scenario {
    let text = format!(
        "story = \"x\"\nstart = \"2024-03-01T00:00:00Z\"\nduration = \"{duration}\"\n\
         [[country]]\ncode = \"KP\"\nblocks = {blocks}\n{hosts}\n{more}"
    );
    Scenario::parse("text", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The same, of one block with so many hosts that are pinged.
fn one_block(hosts: u32, more: &str) -> Scenario {
    let hosts = format!("hosts = {hosts}\nprobes = [\"icmp\"]");
    scenario(r#"["127.45.176.0/24"]"#, &hosts, more)
}

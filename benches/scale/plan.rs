//! A plan of 5,030 blocks on the loopback network, as many as Taiwan's in the comparison of 2014.

use std::fmt::Write as _;

pub const BLOCKS: u32 = 5030;

/// Each block with its first so many addresses.
pub fn plan(hosts: u32) -> String {
    let mut plan = "vantage = \"a bench\"\ncontrols = [\"127.0.0.1\"]\n\n[[country]]\n\
                    code = \"TW\"\nprobes = [\"icmp\"]\n"
        .to_owned();
    for block in 0..BLOCKS {
        let net = format!("127.{}.{}", 60 + block / 256, block % 256);
        let last = hosts - 1;
        let _ = write!(
            plan,
            "\n[[country.block]]\nprefix = \"{net}.0/24\"\nhosts = [\"{net}.0-{last}\"]\n"
        );
    }
    plan
}

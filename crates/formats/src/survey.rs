//! What tells who is there: registries, scans, hit lists and zones. A file is recognised by what it
//! begins with, read as a stream, and told as [`Fact`]s, one after the other.

mod addresses;
mod days;
mod fact;
mod json;
mod kind;
mod lists;
mod names;
mod nmap;
mod objects;
mod read;
mod registry;
mod table;
mod zone;

pub use addresses::{AddressSet, cidrs};
pub use days::of_seconds as day_of;
pub use fact::{Fact, Role, Seen};
pub use kind::Format;
pub use names::{Pool, pool_of, role_of};
pub use read::{Opened, Source, open, read};

#[cfg(test)]
mod tests;

//! When a change between life and silence happened, from misses and what each of them is worth.

use super::silence::Miss;
use crate::time::Time;

/// The change between life and silence that happened between `from` (life) and `until` (silence):
/// the first miss beyond which it lies with no more than this risk. `misses` are ordered away from
/// `from`.
///
/// The change-point posterior with an even prior (A. N. Shiryaev, "On optimum methods in quickest
/// detection problems", 1963): the probability that the change lies between two misses is
/// proportional to the time between them, times the chance that every miss before it was chance. So
/// one miss is enough after a long pause, and it takes two where they follow each other closely.
pub(super) fn change_point<'a>(
    from: Time,
    misses: impl Iterator<Item = &'a Miss>,
    until: Time,
    risk: f64,
) -> Option<&'a Miss> {
    let distance = |one: Time, other: Time| one.since(other).max(other.since(one)).as_secs_f64();
    let mut last = from;
    let mut mass = 0.0;
    let mut odds = 0.0;
    let mut cumulated = Vec::new();
    for miss in misses {
        mass += distance(miss.sent, last) * f64::exp(-odds);
        odds += f64::from(miss.weight);
        last = miss.sent;
        cumulated.push((mass, miss));
    }
    mass += distance(until, last) * f64::exp(-odds);
    let index = cumulated.partition_point(|&(before, _)| before < mass * (1.0 - risk));
    cumulated.get(index).map(|&(_, miss)| miss)
}

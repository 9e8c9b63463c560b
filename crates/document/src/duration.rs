//! Durations as people write them, in files and on the command line.

use std::time::Duration;

/// Each unit, and how many milliseconds it has; the largest first.
const UNITS: [(&str, u64); 7] = [
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("min", 60_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];
/// Those that [`format_duration`] writes.
const WRITTEN: [&str; 4] = ["h", "m", "s", "ms"];

/// A whole number and its unit, such as `250ms`, `90s`, `30min`, `24h`, `7d`, or several of these,
/// the largest first: `9h31m`, `1h 30m`. The error says what would be right.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let millis = parts(text).ok_or_else(|| {
        format!(
            "{text:?} is no duration; write whole numbers and their units: \
             \"250ms\", \"90s\", \"30min\", \"1h30m\", \"7d\""
        )
    })?;
    Ok(Duration::from_millis(millis))
}

fn parts(text: &str) -> Option<u64> {
    let mut rest = text;
    // Each part must be smaller than a whole of the unit before it, by name at least.
    let mut least = u64::MAX;
    let mut total = 0_u64;
    loop {
        let (digits, tail) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        let (name, tail) = tail.split_at(tail.bytes().take_while(u8::is_ascii_lowercase).count());
        let (_, unit) = UNITS.into_iter().find(|&(known, unit)| known == name && unit < least)?;
        total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit)?)?;
        if tail.is_empty() {
            return Some(total);
        }
        least = unit;
        rest = tail.strip_prefix(' ').unwrap_or(tail);
    }
}

/// A duration as a file writes it, in the largest unit that fits, up to hours: `"90s"`, `"24h"`.
pub fn format_duration(duration: Duration) -> String {
    let millis = duration.as_millis() as u64;
    let fits = UNITS
        .into_iter()
        .find(|&(name, unit)| WRITTEN.contains(&name) && millis > 0 && millis.is_multiple_of(unit));
    let (name, unit) = fits.unwrap_or(("s", 1000));
    format!("{}{name}", millis / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        for (text, millis) in [
            ("250ms", 250),
            ("10s", 10_000),
            ("90s", 90_000),
            ("5m", 300_000),
            ("30min", 1_800_000),
            ("24h", 86_400_000),
            ("7d", 604_800_000),
            ("2w", 1_209_600_000),
            ("9h31m", 34_260_000),
            ("1h30min", 5_400_000),
            ("1h 30m", 5_400_000),
            ("1d12h", 129_600_000),
            ("1m1ms", 60_001),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "10",
            "s",
            "1 s",
            "-1s",
            "1.5s",
            "10sec",
            "1s2",
            "1s ",
            "1s1h",
            "1m1m",
            "1m1min",
            "1y",
            "1H",
            "5124095576030h 30m",
            "99999999999999999999h",
            "١s",
        ] {
            let problem = parse_duration(text).unwrap_err();
            assert!(problem.starts_with(&format!("{text:?} is no duration; write ")), "{problem}");
        }
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for text in ["0s", "250ms", "90s", "5m", "24h", "168h"] {
            assert_eq!(parse_duration(text).map(format_duration).as_deref(), Ok(text));
        }
    }
}

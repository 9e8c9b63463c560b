//! How long something lasted, in words for people.

use std::time::Duration;

/// A duration in its two greatest units: `9 h 31 min`. Up to two days it is given in hours.
pub fn duration_text(duration: Duration) -> String {
    // Rounded to the smaller of the units that are printed.
    let unit = match duration.as_secs() {
        0..3600 => 1,
        3600..172_800 => 60,
        _ => 3600,
    };
    let seconds = (duration + Duration::from_millis(500 * unit)).as_secs() / unit * unit;
    let days = if seconds < 2 * 86_400 { 0 } else { seconds / 86_400 };
    let hours = seconds / 3600 - days * 24;
    let minutes = seconds / 60 % 60;
    match (days, hours, minutes, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, 0) => format!("{minutes} min"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, 0, _) => format!("{hours} h"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, 0, ..) => format!("{days} d"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_their_two_greatest_units() {
        let found = [0, 59, 60, 61, 3599, 3629, 34_258, 86_400, 200_000]
            .map(|seconds| duration_text(Duration::from_secs(seconds)));
        assert_eq!(
            found,
            [
                "0 s",
                "59 s",
                "1 min",
                "1 min 1 s",
                "59 min 59 s",
                "1 h",
                "9 h 31 min",
                "24 h",
                "2 d 8 h"
            ]
        );
    }
}

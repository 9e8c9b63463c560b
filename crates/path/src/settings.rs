//! How much may be asked, and how sure a place must be.

use std::time::Duration;

/// How much may be asked, and how sure a place must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Between two calm sweeps of a block.
    pub calm_interval: Duration,
    /// Between two sweeps of a block in doubt: as long as routers that limit their errors to one
    /// per second need (Linux: `icmp_ratelimit`).
    pub doubt_interval: Duration,
    /// Probes per second that a router address gets in the mean, and at once. A Linux router
    /// answers one per second after a burst of six.
    pub router_rate: f64,
    /// See [`Settings::router_rate`].
    pub router_burst: f64,
    /// Probes that one doubt may cost a block's path.
    pub most_probes: u32,
    /// The farthest hop that is looked for.
    pub most_hops: u8,
    /// Odds at which positions of the break are ruled out.
    pub odds: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            calm_interval: Duration::from_secs(600),
            doubt_interval: Duration::from_millis(1050),
            router_rate: 0.5,
            router_burst: 5.0,
            most_probes: 80,
            most_hops: 30,
            odds: 1000.0,
        }
    }
}

impl Settings {
    /// The same for `pace = "frugal"`: calm sweeps once an hour, and doubts that are looked into
    /// half as fast and with half as many probes.
    #[must_use]
    pub fn frugal(self) -> Self {
        Self {
            calm_interval: self.calm_interval * 6,
            doubt_interval: self.doubt_interval * 2,
            most_probes: self.most_probes / 2,
            ..self
        }
    }
}

//! The stage on which things break. In: a plan's text, and how the program is started. Out: lifesign at the vantage
//! of a world of its own, asked fast so that it is soon acquainted, and what must be true of it at any time. It
//! never breaks anything itself.

use crate::support::{
    LIFESIGN, Program, Room, SOON,
    namespace::{World, plan},
    values,
};
use std::time::Duration;

/// Every scope of the world's plan, blocks first.
pub const SCOPES: [&str; 5] =
    ["KP 10.45.176.0/24", "KP 10.45.177.0/24", "KP 10.45.178.0/24", "KP 10.45.179.0/24", "KP"];

/// Everything in the country.
pub const EVERYTHING: &str = "10.45.176.0/22";

/// Long enough to know every host of a block that is asked four times a second.
const ACQUAINTANCE: Duration = Duration::from_secs(8);

/// lifesign at the vantage of a world.
pub struct Stage {
    pub world: World,
    pub watch: Program,
    pub room: Room,
    pub plan: String,
}

/// The world's plan at four probes a second for each block, with an outage after 10 s.
pub fn fast() -> String {
    plan("10s").replace("[judge]", "[budget]\nper_block = \"4/s\"\n[judge]")
}

impl Stage {
    /// All is well, and has been for a while.
    pub fn start(name: &str) -> Self {
        let mut stage = Self::open(name, &fast(), &[], |_| {});
        stage.acquaint();
        stage
    }

    /// lifesign with this plan, by way of these words before its own command line, in a world that was first
    /// made to be like this.
    pub fn open(name: &str, text: &str, before: &[&str], world_is: impl FnOnce(&World)) -> Self {
        let (world, room) = (World::new(), Room::new(name));
        world_is(&world);
        let plan = room.put("plan.toml", text);
        let run = [LIFESIGN, "--config", &plan];
        let watch = Program::start(world.vantage.command(&[before, &run].concat()));
        Self { world, watch, room, plan }
    }

    /// Everything comes up, and stays so for a while.
    pub fn acquaint(&mut self) {
        for scope in SCOPES {
            self.watch.verdict(SOON, scope, "up");
        }
        self.calm(ACQUAINTANCE);
    }

    /// Lets this time pass, in which no verdict may change.
    pub fn calm(&mut self, long: Duration) {
        let before = self.watch.verdicts().len();
        self.watch.listen(long);
        assert_eq!(self.watch.verdicts().len(), before, "a verdict changed:\n{}", self.watch.said());
    }

    /// The next verdict on every scope is this.
    pub fn all(&mut self, to: &str) {
        for scope in SCOPES {
            self.watch.verdict(SOON, scope, to);
        }
    }

    /// The next verdict on every scope is that we are blind.
    pub fn all_blind(&mut self) {
        for scope in SCOPES {
            let verdict = self.watch.verdict(SOON, scope, "unknown");
            assert!(verdict.evidence.contains("we are blind"), "{verdict:?}");
        }
    }

    /// The sum of a metric's series whose labels hold all of these.
    pub fn metric(&self, name: &str, parts: &[&str]) -> f64 {
        let metrics = self.world.vantage.get("/metrics").body;
        let found = values(&metrics, name, parts);
        assert!(!found.is_empty(), "no {name} with {parts:?} in\n{metrics}");
        found.iter().sum()
    }

    /// Nothing was ever called dark.
    pub fn never_dark(&self) {
        never(&self.watch, &["down", "flapping", "outage", "partial"]);
    }
}

/// No verdict so far was one of these.
pub fn never(watch: &Program, states: &[&str]) {
    let found: Vec<_> =
        watch.verdicts().into_iter().filter(|verdict| states.contains(&&*verdict.to)).collect();
    assert!(found.is_empty(), "{found:#?}\n{}", watch.said());
}

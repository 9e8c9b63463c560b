//! lifesign at the vantage of a [`World`]: how it is started, and what must be true of it at any
//! time.

use super::{
    LIFESIGN, Program, TIMEOUT, TempDir, Verdict,
    namespace::{World, plan},
    values,
};
use lifesign_core::time::Time;
use std::time::Duration;

/// Every scope of the world's plan, blocks first.
pub const SCOPES: [&str; 5] =
    ["KP 10.45.176.0/24", "KP 10.45.177.0/24", "KP 10.45.178.0/24", "KP 10.45.179.0/24", "KP"];

/// Everything in the country.
pub const EVERYTHING: &str = "10.45.176.0/22";

/// Long enough to know every host of a block that is asked four times a second.
const ACQUAINTANCE: Duration = Duration::from_secs(8);

/// lifesign at the vantage of a world.
pub struct WatchedWorld {
    pub world: World,
    pub program: Program,
    pub temp_dir: TempDir,
    pub plan: String,
    command: Vec<String>,
}

/// The world's plan at four probes a second for each block, with an outage after 10 s.
pub fn fast() -> String {
    plan("10s").replace("[judge]", "[budget]\nper_block = \"4/s\"\n[judge]")
}

impl WatchedWorld {
    /// All is well, and has been for a while.
    pub fn start(name: &str) -> Self {
        let mut watched = Self::open(name, &fast(), &[], &[], |_| {});
        watched.acquaint();
        watched
    }

    /// lifesign with this plan, by way of the words `before` its own command line, with further
    /// options that name a file in the temp_dir, in a world that was first made to be like this.
    pub fn open(
        name: &str,
        text: &str,
        before: &[&str],
        options: &[(&str, &str)],
        world_is: impl FnOnce(&World),
    ) -> Self {
        let world = World::new();
        let temp_dir = TempDir::new(name);
        world_is(&world);
        let plan = temp_dir.put("plan.toml", text);
        let words = [before, &[LIFESIGN, "--config", &plan]].concat();
        let mut command: Vec<String> = words.into_iter().map(str::to_owned).collect();
        command.extend(
            options.iter().flat_map(|(option, file)| [(*option).to_owned(), temp_dir.path(file)]),
        );
        let program = run(&world, &command);
        Self { world, program, temp_dir, plan, command }
    }

    /// Starts it once more, after its end.
    pub fn run_again(&mut self) {
        self.program = run(&self.world, &self.command);
    }

    /// Everything comes up, and stays so for a while.
    pub fn acquaint(&mut self) {
        self.all("up");
        self.calm(ACQUAINTANCE);
    }

    /// Lets this time pass, in which no verdict may change.
    pub fn calm(&mut self, long: Duration) {
        let before = self.program.verdicts().len();
        self.program.listen(long);
        assert_eq!(
            self.program.verdicts().len(),
            before,
            "a verdict changed:\n{}",
            self.program.said()
        );
    }

    /// The next verdict on every scope is this.
    pub fn all(&mut self, to: &str) {
        for scope in SCOPES {
            self.program.verdict(TIMEOUT, scope, to);
        }
    }

    /// The next verdict on every scope is that we are blind.
    pub fn all_blind(&mut self) {
        for scope in SCOPES {
            let verdict = self.program.verdict(TIMEOUT, scope, "unknown");
            assert!(verdict.evidence.contains("we are blind"), "{verdict:?}");
        }
    }

    /// Does this to the world; between which two moments it happened.
    pub fn at(&self, event: impl FnOnce(&World)) -> (Time, Time) {
        let before = self.program.now();
        event(&self.world);
        (before, self.program.now())
    }

    /// The next verdict on each scope is `to`, in time and with an edge that covers the moment.
    pub fn in_time(
        &mut self,
        scopes: &[&str],
        to: &str,
        moment: (Time, Time),
        within: Duration,
    ) -> Vec<Verdict> {
        let mut found = Vec::new();
        for scope in scopes {
            let left = (moment.1 + within + TIMEOUT).since(self.program.now());
            let verdict = self.program.verdict(left, scope, to);
            // It happened at the second moment at the latest.
            let took = verdict.time.since(moment.1);
            assert!(took <= within, "{scope} {to} took {took:?}:\n{}", self.program.said());
            assert!(
                verdict.covers(moment.0, moment.1),
                "{moment:?} {verdict:?}:\n{}",
                self.program.said()
            );
            found.push(verdict);
        }
        found
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
        never(&self.program, &["down", "flapping", "outage", "partial"]);
    }
}

fn run(world: &World, command: &[String]) -> Program {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    Program::start(world.vantage.command(&words))
}

/// No verdict so far was one of these.
pub fn never(watch: &Program, states: &[&str]) {
    let found: Vec<_> =
        watch.verdicts().into_iter().filter(|verdict| states.contains(&&*verdict.to)).collect();
    assert!(found.is_empty(), "{found:#?}\n{}", watch.said());
}

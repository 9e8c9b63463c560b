//! A stretch of road between us and a host, as it changes over time. In: plays. Out: what holds at
//! a time, and when life next ends. It never draws rng: chance is the world's.

use super::{
    event::What,
    script::{Play, within},
};
use lifesign_core::{outcome::IcmpCode, time::Time};

/// What holds from a time on, until the next stretch begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub from: Time,
    pub dark: bool,
    /// A router says so, in this way.
    pub router: Option<IcmpCode>,
    /// Our own uplink is dead, our sending fails, our resolver fails.
    pub uplink: bool,
    pub send: bool,
    pub resolver: bool,
    pub loss: f64,
    pub factor: f64,
    /// Answers are held until then; the beginning of time if they are not.
    pub held: Time,
    /// When darkness next begins, after this stretch.
    pub cut: Time,
}

/// All stretches of one road. Looked up at times that never go back, so a cursor finds them.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    stretches: Vec<Stretch>,
    at: usize,
    /// When the stretch under the cursor ends.
    pub until: Time,
}

impl Lane {
    pub fn new<'a>(plays: impl Iterator<Item = &'a Play>) -> Self {
        let plays: Vec<&Play> = plays.collect();
        let ends =
            plays.iter().flat_map(|play| play.spans.iter().flat_map(|span| [span.0, span.1]));
        let mut times: Vec<Time> = ends.chain([Time::default()]).collect();
        times.sort_unstable();
        times.dedup();
        let mut stretches: Vec<Stretch> =
            times.into_iter().map(|from| stretch(&plays, from)).collect();
        let mut cut = Time::NEVER;
        for place in (0..stretches.len()).rev() {
            stretches[place].cut = cut;
            let darkens = stretches[place].dark || stretches[place].uplink;
            let before = place.checked_sub(1).map(|place| stretches[place]);
            if darkens && before.is_some_and(|before| !before.dark && !before.uplink) {
                cut = stretches[place].from;
            }
        }
        let until = stretches.get(1).map_or(Time::NEVER, |next| next.from);
        Self { stretches, at: 0, until }
    }

    /// Moves on to this time. Times must not go back.
    #[inline]
    pub fn advance(&mut self, time: Time) -> Stretch {
        while time >= self.until {
            self.at += 1;
            self.until = self.stretches.get(self.at + 1).map_or(Time::NEVER, |next| next.from);
        }
        self.stretches[self.at]
    }

    /// What will hold at a time that is not before the cursor's.
    pub fn later(&self, time: Time) -> Stretch {
        let ahead = self.stretches[self.at..].partition_point(|stretch| stretch.from <= time);
        self.stretches[self.at + ahead.max(1) - 1]
    }
}

fn stretch(plays: &[&Play], from: Time) -> Stretch {
    let mut stretch = Stretch {
        from,
        dark: false,
        router: None,
        uplink: false,
        send: false,
        resolver: false,
        loss: 0.0,
        factor: 1.0,
        held: Time::default(),
        cut: Time::NEVER,
    };
    for play in plays {
        let Some((_, end)) = within(&play.spans, from) else { continue };
        match play.what {
            What::Dark { router } => {
                stretch.dark = true;
                stretch.router = stretch.router.or(router);
            }
            What::Flap { .. } => stretch.dark = true,
            What::Lossy(loss) => stretch.loss = 1.0 - (1.0 - stretch.loss) * (1.0 - loss),
            What::Slow(factor) => stretch.factor *= factor,
            What::Late => stretch.held = stretch.held.max(end),
            What::Uplink => stretch.uplink = true,
            What::Resolver => stretch.resolver = true,
            What::Send => stretch.send = true,
            What::Clock | What::Stall | What::Step => {}
        }
    }
    stretch
}

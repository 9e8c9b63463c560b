//! How good places were: each break of a path that was called `down`, held against the file.

use lifesign_core::time::Time;
use lifesign_path::{Place, PlaceView};

/// What is right of one break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TruePlace {
    /// Behind so many hops.
    pub after: usize,
    /// The last hop up to it that answers at all, and the first behind it; the target, if none
    /// does.
    pub last: usize,
    pub first_silent: usize,
    /// In the words that these two allow, and in those that the break itself would have.
    pub word: Place,
    pub strict_word: Place,
}

/// How good the places of a simulation were.
#[derive(Clone, Debug, Default)]
pub struct PlaceScore {
    /// Breaks of paths to blocks that were called `down`.
    pub breaks: u64,
    /// Of these: a place was named before it was over.
    pub named: u64,
    /// The truth lay inside every interval that was named.
    pub inside: u64,
    /// The last interval was no wider than silent hops force.
    pub narrow: u64,
    /// The last word was right, of what could be heard.
    pub right: u64,
    /// The last word was that of the link itself, which may lie between silent hops.
    pub strictly_right: u64,
    /// From `down` to the first place, in seconds; 0 if it was there before.
    pub delays: Vec<f64>,
    /// From `down` to the last place.
    pub last_delays: Vec<f64>,
    /// Probes for each place.
    pub probes: Vec<f64>,
    /// `near_us` was said of what was not.
    pub false_near_us: u64,
    /// While we were blind our own way out was said to break near us.
    pub own_places: u64,
    /// The network before theirs was said to have changed.
    pub upstream_changes: u64,
    /// A path was said to have become longer or shorter.
    pub length_changes: u64,
    /// A way back was said to have moved.
    pub return_path_changes: u64,
    /// Trace probes sent, and those that were to reach their target.
    pub sent: u64,
    /// See [`PlaceScore::sent`].
    pub arrived: u64,
    /// What the router address got that got most, and how many packets any got beyond half a packet
    /// per second after five at once.
    pub busiest: u64,
    /// See [`PlaceScore::busiest`].
    pub beyond_budget: f64,
}

/// A break that is under way.
#[derive(Clone, Debug)]
pub(super) struct OpenBreak {
    pub down: Time,
    pub truth: Option<TruePlace>,
    pub named: Vec<PlaceView>,
}

impl PlaceScore {
    /// A break is over.
    pub(super) fn close(&mut self, open: &OpenBreak) {
        let Some(truth) = open.truth else { return };
        self.breaks += 1;
        let (Some(first), Some(last)) = (open.named.first(), open.named.last()) else { return };
        self.named += 1;
        let interval = |view: &PlaceView| {
            let last = view.last.as_ref().map_or(0, |hop| usize::from(hop.hop_limit));
            let silent = view.first_silent.as_ref();
            (last, silent.map_or(usize::MAX, |hop| usize::from(hop.hop_limit)))
        };
        let holds = |view: &PlaceView| {
            let (last, silent) = interval(view);
            last <= truth.after && truth.after < silent
        };
        self.inside += u64::from(open.named.iter().all(holds));
        self.narrow += u64::from(interval(last) == (truth.last, truth.first_silent));
        self.right += u64::from(last.place == truth.word);
        self.strictly_right += u64::from(last.place == truth.strict_word);
        let near = open.named.iter().any(|view| view.place == Place::NearUs);
        self.false_near_us += u64::from(near && truth.word != Place::NearUs);
        self.delays.push(first.found.since(open.down).as_secs_f64());
        self.last_delays.push(last.found.since(open.down).as_secs_f64());
        self.probes.push(f64::from(last.probes));
    }

    /// Many runs as one.
    pub fn pool<'a>(scores: impl Iterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for score in scores {
            all.breaks += score.breaks;
            all.named += score.named;
            all.inside += score.inside;
            all.narrow += score.narrow;
            all.right += score.right;
            all.strictly_right += score.strictly_right;
            all.delays.extend(&score.delays);
            all.last_delays.extend(&score.last_delays);
            all.probes.extend(&score.probes);
            all.false_near_us += score.false_near_us;
            all.own_places += score.own_places;
            all.upstream_changes += score.upstream_changes;
            all.length_changes += score.length_changes;
            all.return_path_changes += score.return_path_changes;
            all.sent += score.sent;
            all.arrived += score.arrived;
            all.busiest = all.busiest.max(score.busiest);
            all.beyond_budget = all.beyond_budget.max(score.beyond_budget);
        }
        for list in [&mut all.delays, &mut all.last_delays, &mut all.probes] {
            list.sort_by(f64::total_cmp);
        }
        all
    }
}

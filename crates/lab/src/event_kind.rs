//! The kinds of event: each with its name in the file, its own keys, whether it has a length, and
//! whether it befalls our own side.

lifesign_model::labelled! {
    /// What an event does.
    EventKind {
        /// Gone, without a word.
        Dark => "dark",
        /// Gone, and a router says so.
        Unreachable => "unreachable",
        /// Gone and back, again and again.
        Flap => "flap",
        /// Loses more.
        Lossy => "lossy",
        /// Takes so many times as long.
        Slow => "slow",
        /// Answers are held until the end, and then all come.
        Late => "late",
        /// A host goes for good.
        Vanish => "vanish",
        /// A host is not there before.
        Appear => "appear",
        /// Hosts go for good, and others come.
        Renumber => "renumber",
        /// Each host goes and returns by itself.
        Churn => "churn",
        /// Nothing passes a link of the path.
        Cut => "cut",
        /// A router of the path says that nothing passes.
        Says => "says",
        /// A router of the path sends everything back.
        Loop => "loop",
        /// The path leads over other routers.
        Reroute => "reroute",
        /// Our own side fails.
        Blind => "blind",
        /// The program stands still.
        Stall => "stall",
        /// The wall clock is set.
        ClockStep => "clock_step",
    }
}

impl EventKind {
    /// Its keys beside `kind`, `at`, `for` and `on`.
    pub(super) const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Dark | Self::Late => &["probe", "hosts", "share", "over"],
            Self::Unreachable => &["code", "probe", "hosts", "share", "over"],
            Self::Flap => &["down", "up", "dwell", "probe"],
            Self::Lossy => &["loss", "probe", "hosts", "share", "over"],
            Self::Slow => &["factor", "probe", "hosts", "share", "over"],
            Self::Vanish | Self::Appear | Self::Renumber => &["hosts", "share", "over"],
            Self::Churn => &["down", "up", "hosts", "share"],
            Self::Cut => &["after", "way"],
            Self::Says => &["after", "code"],
            Self::Loop => &["after"],
            Self::Reroute => &["after", "hops", "longer", "asn", "network"],
            Self::Blind => &["what"],
            Self::Stall | Self::ClockStep => &[],
        }
    }

    /// It has a length, rather than happening once and for all.
    pub(super) const fn lasts(self) -> bool {
        !matches!(self, Self::Vanish | Self::Appear | Self::Renumber | Self::ClockStep)
    }

    /// It befalls the path to blocks.
    pub(super) const fn is_on_path(self) -> bool {
        matches!(self, Self::Cut | Self::Says | Self::Loop | Self::Reroute)
    }

    /// It befalls our own side alone.
    pub(super) const fn is_ours(self) -> bool {
        matches!(self, Self::Blind | Self::Stall | Self::ClockStep)
    }
}

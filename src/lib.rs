//! lifesign: an active reachability prober that tells a network that *flaps* from one that is *gone*.
pub mod clock;
pub mod target;
pub mod outcome;
pub mod probe;
pub mod judge;
pub mod watch;
pub mod export;

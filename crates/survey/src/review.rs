//! A plan against what its run has learned.

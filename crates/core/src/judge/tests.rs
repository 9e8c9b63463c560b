//! The model against the worlds of its invariants.

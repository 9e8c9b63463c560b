//! What other probers recorded, as outcomes.

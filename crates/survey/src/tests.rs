//! From files to plans.

//! What tells who is there: registries, scans, hit lists and zones.

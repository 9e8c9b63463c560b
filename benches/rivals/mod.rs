//! Known algorithms, each as published: what it would say of what its probes or checks found. They
//! are no part of lifesign.
//!
//! | module | algorithm | source |
//! |---|---|---|
//! | `trinocular` | Bayesian belief in rounds of 11 minutes | Quan, Heidemann, Pradkin, SIGCOMM 2013, §4 |
//! | `ring` | share of changes in the last 20 checks | Nagios Core `base/flapping.c`; Icinga 2 documentation, "Check Flapping" |
//! | `damping` | a penalty that decays | RFC 2439 §4.2 with Cisco's defaults; RFC 7196 §4 |
//! | `recipe` | alerts on `probe_success` | Prometheus' blackbox exporter and its usual rules |

pub mod damping;
pub mod recipe;
pub mod ring;
pub mod trinocular;

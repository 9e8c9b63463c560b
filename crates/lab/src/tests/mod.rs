//! Worlds that are played to hold the judge against them.

mod partial;
mod scenarios;

//! The tracer in virtual time: its budget, and the places that it names, against a toy network.

mod budget;
mod places;
mod properties;
mod replans;
mod tables;
mod toy;

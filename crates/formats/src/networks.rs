//! Tables that tell the network of an address: its number, and its name.

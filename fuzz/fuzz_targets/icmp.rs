//! See `lifesign_fuzz::icmp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lifesign_fuzz::icmp(bytes));

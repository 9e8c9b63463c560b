//! Gives the bytes that the fuzzer makes to `lifesign_fuzz::record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lifesign_fuzz::record(bytes));

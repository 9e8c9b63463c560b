//! A program with a wall clock of its own, which a file sets. Its other clocks are the machine's.

use std::path::Path;

/// Where the system keeps the library that tells a program another time.
const LIBRARIES: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
];

/// The library that tells a program another time.
pub fn library() -> &'static str {
    LIBRARIES.into_iter().find(|library| Path::new(library).exists()).expect("libfaketime")
}

/// The environment of a program with this library, whose clock this file sets.
pub fn environment(library: &str, file: &str) -> [(&'static str, String); 4] {
    [
        ("LD_PRELOAD", library.into()),
        ("FAKETIME_TIMESTAMP_FILE", file.into()),
        ("FAKETIME_NO_CACHE", "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
    ]
}

//! What a table of all networks costs: in a process of its own, whose memory nobody else uses.

use lifesign_clock::Clock;
use lifesign_formats::networks::Networks;
use std::{fmt::Write as _, fs, io::Read, net::Ipv4Addr};

/// As many rows as iptoasn.com's table of IPv4 had in August 2026.
const ROWS: u32 = 533_000;
/// So many different names: each network has six rows or so.
const NAMES: u32 = 85_000;

/// A table of that size, made as it is read.
struct Made {
    row: u32,
    text: String,
    given: usize,
}

impl Read for Made {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.text.len() {
            self.text.clear();
            self.given = 0;
            while self.row < ROWS && self.text.len() < 60_000 {
                let start = (1 << 24) + self.row * 6400;
                let [first, last] = [start, start + 6399].map(Ipv4Addr::from_bits);
                let asn = 1 + self.row.wrapping_mul(2_654_435_761) % NAMES;
                let name = format!("EXAMPLE-{asn} Example Telecom of Somewhere {asn} Ltd");
                let _ = writeln!(self.text, "{first}\t{last}\t{asn}\tXA\t{name}");
                self.row += 1;
            }
        }
        let part = &self.text.as_bytes()[self.given..];
        let length = part.len().min(buffer.len());
        buffer[..length].copy_from_slice(&part[..length]);
        self.given += length;
        Ok(length)
    }
}

/// The most memory that this process has had, in bytes.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[test]
fn half_a_million_rows_take_less_than_thirty_mebibytes() {
    let before = peak();
    let clock = Clock::start();
    let began = clock.now();
    let made = Made { row: 0, text: String::new(), given: 0 };
    let (networks, skipped) = Networks::read("made", made).unwrap();
    let more = peak() - before;
    let took = clock.now().since(began);
    let began = clock.now();
    let mut text = Vec::new();
    Made { row: 0, text: String::new(), given: 0 }.read_to_end(&mut text).unwrap();
    let made = clock.now().since(began);
    println!("{} ranges in {took:?}, {made:?} of these to make them", networks.len());
    assert_eq!((networks.len(), skipped.count), (ROWS as usize, 0));
    println!("{:.1} MiB at most", more as f64 / f64::from(1 << 20));
    assert!(more < 30 << 20, "{more} bytes");
    let network = networks.lookup("1.0.0.1".parse().unwrap()).unwrap();
    assert_eq!(
        (network.asn, network.name.map(|name| name.contains("Example Telecom"))),
        (1, Some(true))
    );
}

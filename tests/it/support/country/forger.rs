//! An attacker off the path, who knows who is asked, from where and what, but has not seen one
//! question: made-up answers of every kind, until told to end, and their number.

use super::wire::{ACK, ICMP, Packet, RST, SYN, Segment, TCP, UDP, datagram};
use lifesign_clock::Clock;
use lifesign_core::rng::Rng;
use std::{
    fs::File,
    io::Write,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How many were sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forged {
    pub echo: u64,
    pub syn_ack: u64,
    pub rst: u64,
    pub dns: u64,
}

/// An attack under way.
pub struct Attack {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Forged>,
}

impl Attack {
    /// Plays these hosts towards the vantage, so many packets a second.
    pub fn begin(device: Arc<File>, hosts: Vec<IpAddr>, vantage: IpAddr, rate: u64) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let clock = Clock::start();
            let mut rng = Rng::new(1);
            let mut forged = Forged::default();
            let mut sent = 0;
            let begin = clock.now();
            while !stop.load(Ordering::Relaxed) {
                let due = clock.now().since(begin).as_micros() as u64 * rate / 1_000_000;
                while sent < due {
                    let host = hosts[rng.below(hosts.len())];
                    let (protocol, body) = guess(&mut rng, &mut forged);
                    let bytes =
                        Packet { from: host, to: vantage, hops: 64, protocol, body: &body }.bytes();
                    assert_eq!((&*device).write(&bytes).unwrap(), bytes.len());
                    sent += 1;
                }
                thread::sleep(Duration::from_millis(1));
            }
            forged
        });
        Self { over, thread }
    }

    /// Ends it; how many of each there were.
    pub fn end(self) -> Forged {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// The next made-up answer: right in everything that can be known, by chance in all else.
fn guess(rng: &mut Rng, forged: &mut Forged) -> (u8, Vec<u8>) {
    let number = rng.bits();
    // Where Linux takes the ports of outgoing connections from.
    let port = 32_768 + (number >> 48) as u16 % 28_232;
    let tcp = |flags, ack| {
        Segment { from_port: 80, to_port: port, seq: number as u32, ack, flags, data: &[] }.body()
    };
    match rng.below(4) {
        0 => {
            forged.echo += 1;
            // As long as a real one, with a send time, a target and an address as they would be.
            let mut body = vec![0; 48];
            for eight in body[4..].chunks_mut(8) {
                let bytes = rng.bits().to_be_bytes();
                eight.copy_from_slice(&bytes[..eight.len()]);
            }
            (ICMP, body)
        }
        1 => {
            forged.syn_ack += 1;
            (TCP, tcp(SYN | ACK, rng.bits() as u32))
        }
        2 => {
            forged.rst += 1;
            (TCP, tcp(RST | ACK, rng.bits() as u32))
        }
        _ => {
            forged.dns += 1;
            let mut message =
                vec![(number >> 8) as u8, number as u8, 0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0];
            message.extend(b"\x04kptc\x02kp\x00\x00\x06\x00\x01");
            (UDP, datagram(53, port, &message))
        }
    }
}

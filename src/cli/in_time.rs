//! A connection to a server of which the whole answer must come in time, and have an end.

use lifesign_clock::Clock;
use lifesign_core::{duration::duration_text, time::Time};
use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    time::Duration,
};

/// A stream whose reads wait no longer than it is told.
pub(super) trait Stream: Read + Write {
    fn wait_at_most(&self, time: Duration) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn wait_at_most(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))
    }
}

impl Stream for UnixStream {
    fn wait_at_most(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))
    }
}

/// A stream of which the whole answer must come in this time, and not only its next part.
pub(super) struct InTime<T> {
    stream: T,
    /// How many bytes may still come.
    left: usize,
    clock: Clock,
    time: Duration,
    until: Time,
}

impl<T: Stream> InTime<T> {
    /// `longest` is in bytes: an answer of more is [`ErrorKind::FileTooLarge`].
    pub fn new(stream: T, time: Duration, longest: usize) -> Self {
        let clock = Clock::start();
        Self { stream, left: longest, until: clock.now() + time, clock, time }
    }
}

impl<T: Stream> Read for InTime<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let late = || io::Error::other(format!("no whole answer in {}", duration_text(self.time)));
        let wait = self.until.since(self.clock.now());
        if wait.is_zero() {
            return Err(late());
        }
        self.stream.wait_at_most(wait)?;
        let read = self.stream.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => late(),
            _ => error,
        })?;
        let left = self.left.checked_sub(read);
        let endless = || io::Error::new(ErrorKind::FileTooLarge, "its answer has no end");
        self.left = left.ok_or_else(endless)?;
        Ok(read)
    }
}

impl<T: Stream> Write for InTime<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// What is read in a second, up to 100 bytes, of a server that writes these again and again.
    fn read(part: &'static [u8], pause: Duration) -> (io::Error, Duration) {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        let server = thread::spawn(move || {
            while theirs.write_all(part).is_ok() {
                thread::sleep(pause);
            }
        });
        let clock = Clock::start();
        let begun = clock.now();
        let mut stream = InTime::new(ours, Duration::from_secs(1), 100);
        let error = stream.read_to_end(&mut Vec::new()).expect_err("no end");
        let took = clock.now().since(begun);
        drop(stream);
        server.join().expect("a server");
        (error, took)
    }

    #[test]
    fn an_answer_that_drips_is_waited_for_no_longer_than_one_that_stands_still() {
        for (part, pause) in [(&b" "[..], 20), (b" ", 1500)] {
            let (error, took) = read(part, Duration::from_millis(pause));
            assert_eq!(error.to_string(), "no whole answer in 1 s");
            assert!((1000..1500).contains(&took.as_millis()), "{took:?}");
        }
    }

    #[test]
    fn an_answer_without_end_is_told_from_one_that_is_late() {
        let (error, _) = read(&[b' '; 64], Duration::ZERO);
        assert_eq!(
            (error.kind(), &*error.to_string()),
            (ErrorKind::FileTooLarge, "its answer has no end")
        );
    }
}

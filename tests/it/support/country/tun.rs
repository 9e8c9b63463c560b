//! A TUN device in a network namespace: a file from which each read gives one IP packet that was
//! sent to the device, and to which each write makes one arrive (Linux, tuntap.rst). Also what a
//! loop over such a file needs of the system: to wait, to come first, to know what it has cost. All
//! of it is system calls that the standard library does not have.
#![expect(
    unsafe_code,
    reason = "setns, ioctl, ppoll and two more have no safe wrapper in the standard library"
)]

use std::{
    fs::{File, OpenOptions},
    io,
    mem::zeroed,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
    thread,
    time::Duration,
};

/// The name of the device.
pub const DEVICE: &str = "country";

/// Opens a new device in the namespace at this path. It is gone when the file is closed. Needs
/// CAP_SYS_ADMIN and CAP_NET_ADMIN, which root of a user namespace has too (`unshare --user
/// --map-root-user`).
pub fn open(namespace: String) -> File {
    // A thread of its own goes there, since it cannot be sure to come back.
    thread::spawn(move || {
        let there = File::open(namespace).unwrap();
        // SAFETY: the descriptor is open for as long as the call takes.
        done(unsafe { libc::setns(there.as_raw_fd(), libc::CLONE_NEWNET) });
        let mut options = OpenOptions::new();
        let tun = options
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/net/tun")
            .unwrap();
        // SAFETY: ifreq is integers, for which zero is a value.
        let mut request: libc::ifreq = unsafe { zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(DEVICE.bytes()) {
            *to = from as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
        // SAFETY: TUNSETIFF reads and writes one ifreq, which is live.
        done(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF, &raw mut request) });
        tun
    })
    .join()
    .unwrap()
}

/// Waits until there is something to read, at most so long.
pub fn wait(file: &File, long: Duration) {
    let mut poll = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let long = libc::timespec {
        tv_sec: long.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(long.subsec_nanos()),
    };
    // SAFETY: both pointers are to live values, and there is one pollfd; no signal mask is given.
    unsafe { libc::ppoll(&raw mut poll, 1, &raw const long, std::ptr::null()) };
}

/// From now on this thread runs before all others of the machine, if that is allowed: a measuring
/// rod must not wait for what it measures.
pub fn come_first() {
    let order = libc::sched_param { sched_priority: 1 };
    // SAFETY: 0 is this thread, and the pointer is to a live value. Where it is forbidden, nothing
    // changes.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const order) };
}

/// The processor time that this thread has used.
pub fn cost() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live value.
    done(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) });
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn done(result: libc::c_int) {
    assert!(result >= 0, "{}", io::Error::last_os_error());
}

//! The addresses of this machine, by which an ICMP error of our own kernel is told from a router's.

use lifesign_core::time::Time;
use nix::{ifaddrs::getifaddrs, sys::socket::SockaddrStorage};
use std::{
    collections::BTreeSet,
    io,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long a list serves. The kernel gives up a silent neighbour after 3 s (arp(7), mcast_solicit;
/// RFC 4861 §10), so the address of its error is never newer than the list.
const KEPT: Duration = Duration::from_secs(2);

static OWN_ADDRESSES: Mutex<OwnAddresses> = Mutex::new(OwnAddresses::new());

/// Reads the list ahead, while there are descriptors for that.
pub fn read(now: Time) {
    OWN_ADDRESSES.lock().unwrap_or_else(PoisonError::into_inner).refresh(now, from_kernel);
}

/// Is this an address of this machine?
pub fn contain(address: IpAddr, now: Time) -> bool {
    address.is_loopback() || {
        let mut own = OWN_ADDRESSES.lock().unwrap_or_else(PoisonError::into_inner);
        own.refresh(now, from_kernel);
        own.addresses.contains(&address)
    }
}

struct OwnAddresses {
    addresses: BTreeSet<IpAddr>,
    /// When the list was last asked for.
    read: Option<Time>,
}

impl OwnAddresses {
    const fn new() -> Self {
        Self { addresses: BTreeSet::new(), read: None }
    }

    /// Reads the list anew if it is old. If that fails, the old one stays.
    fn refresh(&mut self, now: Time, read: impl FnOnce() -> io::Result<BTreeSet<IpAddr>>) {
        if self.read.is_some_and(|read| now.since(read) < KEPT) {
            return;
        }
        self.read = Some(now);
        if let Ok(addresses) = read() {
            self.addresses = addresses;
        }
    }
}

/// The list as it is now.
pub fn from_kernel() -> io::Result<BTreeSet<IpAddr>> {
    Ok(getifaddrs()?.filter_map(|interface| ip(&interface.address?)).collect())
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| v4.ip().into());
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| v6.ip().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_loopback_is_ours_and_a_documentation_address_is_not() {
        let is_ours = |text: &str| contain(text.parse().unwrap(), Time::default());
        assert!(is_ours("127.0.0.1") && is_ours("127.45.176.24") && is_ours("::1"));
        assert!(!is_ours("192.0.2.1") && !is_ours("2001:db8::1"));
        assert!(from_kernel().unwrap().contains(&IpAddr::from([127, 0, 0, 1])));
    }

    #[test]
    fn the_list_is_read_once_in_two_seconds_and_kept_where_it_cannot_be_read() {
        let at = |millis| Time::default() + Duration::from_millis(millis);
        let [first, second] = [1, 2].map(|last| BTreeSet::from([IpAddr::from([10, 0, 0, last])]));
        let mut own = OwnAddresses::new();
        own.refresh(at(0), || Ok(first.clone()));
        own.refresh(at(1999), || unreachable!());
        own.refresh(at(2000), || Err(io::Error::from_raw_os_error(libc::EMFILE)));
        assert_eq!(own.addresses, first);
        own.refresh(at(3999), || unreachable!());
        own.refresh(at(4000), || Ok(second.clone()));
        assert_eq!(own.addresses, second);
    }
}

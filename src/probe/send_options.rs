//! How probes leave, as the plan has it: from where, with which mark, how large, and whether
//! routers may fragment them.

use super::{own_addresses, sys};
use lifesign_core::{
    scopes::{Family, PerFamily},
    time::Time,
};
use nix::net::if_::if_nametoindex;
use socket2::Socket;
use std::{
    io,
    net::{IpAddr, SocketAddr},
};

/// The most bytes that an ICMP packet may be longer: over IPv4 it then fills an Ethernet frame (20
/// of IP header, 8 of ICMP, 40 of payload that we need).
pub const MAX_SIZE: u16 = 1432;

/// How the probes of a block leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// Those of the socket.
    pub socket: SocketOptions,
    /// Bytes that the payload of ICMP has beyond those that we need, at most [`MAX_SIZE`].
    pub size: u16,
}

/// What a socket is set to. Probes with the same options can share one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// Where from.
    pub source: Source,
    /// The differentiated services codepoint (RFC 2474), at most 63.
    pub dscp: u8,
    /// May nobody fragment it? None leaves that to the system.
    pub dont_fragment: Option<bool>,
}

/// Where probes leave from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// From wherever the system chooses.
    #[default]
    Any,
    /// From addresses of this machine; a family without one is left to the system.
    Addresses(PerFamily<Option<IpAddr>>),
    /// Through the interface of this name.
    Interface(String),
}

impl Source {
    /// Those of its addresses, or the interface, that this machine does not have now.
    pub fn missing(&self) -> Vec<String> {
        match self {
            Source::Any => Vec::new(),
            Source::Addresses(addresses) => {
                let own = own_addresses::from_kernel().unwrap_or_default();
                let is_missing =
                    |address: &&IpAddr| !address.is_loopback() && !own.contains(address);
                addresses.values().flatten().filter(is_missing).map(IpAddr::to_string).collect()
            }
            Source::Interface(name) => {
                if_nametoindex(name.as_str()).err().map(|_| name.clone()).into_iter().collect()
            }
        }
    }
}

impl SocketOptions {
    /// Has this machine the address that a probe of the family is to leave from? Asked for every
    /// probe, since the kernel also binds to an address that is not there (ip(7),
    /// ip_nonlocal_bind), and a socket stays bound when it goes.
    pub fn has_source(&self, family: Family, now: Time) -> bool {
        match &self.source {
            Source::Addresses(addresses) => {
                addresses[family].is_none_or(|address| own_addresses::contain(address, now))
            }
            Source::Any | Source::Interface(_) => true,
        }
    }

    /// The index of the interface that the source names. An interface that is made anew has
    /// another, and a socket that was bound to the one before sends no more.
    pub fn interface(&self) -> io::Result<Option<u32>> {
        match &self.source {
            Source::Interface(name) => Ok(Some(if_nametoindex(name.as_str())?)),
            Source::Any | Source::Addresses(_) => Ok(None),
        }
    }

    /// Sets a new socket to them.
    pub fn apply(&self, socket: &Socket, family: Family) -> io::Result<()> {
        self.apply_marks(socket, family)?;
        self.bind_to_interface(socket)?;
        if let Source::Addresses(addresses) = &self.source
            && let Some(address) = addresses[family]
        {
            // What cannot be bound to is no address of this machine, or not yet (RFC 4862 §5.4).
            let bound = socket.bind(&SocketAddr::new(address, 0).into());
            return bound.map_err(|error| match error.kind() {
                io::ErrorKind::AddrNotAvailable => io::Error::from_raw_os_error(libc::ENODEV),
                _ => error,
            });
        }
        Ok(())
    }

    fn apply_marks(&self, socket: &Socket, family: Family) -> io::Result<()> {
        if self.dscp > 0 {
            // Its lower two bits are those of ECN (RFC 3168 §5).
            let byte = u32::from(self.dscp) << 2;
            match family {
                Family::V4 => socket.set_tos_v4(byte),
                Family::V6 => socket.set_tclass_v6(byte),
            }?;
        }
        self.dont_fragment.map_or(Ok(()), |value| sys::set_dont_fragment(socket, family, value))
    }

    /// Needs no privilege on a socket that is bound to none (socket(7), SO_BINDTODEVICE; Linux
    /// 5.7).
    pub fn bind_to_interface(&self, socket: &Socket) -> io::Result<()> {
        match &self.source {
            Source::Interface(name) => socket.bind_device(Some(name.as_bytes())),
            Source::Any | Source::Addresses(_) => Ok(()),
        }
    }
}

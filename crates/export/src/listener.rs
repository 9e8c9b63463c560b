//! Where HTTP is served: what `--listen` says, as sockets that listen; or the sockets that systemd
//! has opened for us (sd_listen_fds(3)).

use listenfd::ListenFd;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::{
    env, fmt, fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    os::unix::{
        fs::FileTypeExt,
        net::{SocketAddr as UnixAddr, UnixListener},
    },
    path::{Path, PathBuf},
    str::FromStr,
};

/// Where to listen if nothing is said.
const DEFAULT: Listen = Listen::Address(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 17545));
/// How many connections may wait to be accepted, as in the standard library.
const BACKLOG: i32 = 128;

/// So many sockets are not passed: `listenfd` makes a list of all that are said to be.
const MAX_PASSED: u32 = 1024;

/// A place to listen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// `ADDRESS:PORT`.
    Address(SocketAddr),
    /// `:PORT`, every address of both families.
    Everywhere(u16),
    /// `localhost:PORT`, the loopback addresses of both families.
    Localhost(u16),
    /// `unix:/PATH`, a socket file.
    Unix(PathBuf),
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match UnixAddr::from_pathname(path) {
                Ok(_) if path.starts_with('/') => Ok(Self::Unix(path.into())),
                Ok(_) => Err("the path of a socket begins with /: unix:/run/lifesign.sock".into()),
                Err(_) => Err("the path of a socket has at most 107 bytes, none of them 0".into()),
            };
        }
        let port = |begin| text.strip_prefix(begin).and_then(|port: &str| port.parse().ok());
        let address = text.parse().ok().map(Self::Address);
        let everywhere = || port(":").map(Self::Everywhere);
        let localhost = || port("localhost:").map(Self::Localhost);
        address.or_else(everywhere).or_else(localhost).ok_or_else(|| {
            "write an address and port such as 127.0.0.1:17545 or [::1]:17545, localhost:17545, \
             :17545 for every address, or unix:/PATH"
                .into()
        })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Everywhere(port) => write!(f, ":{port}"),
            Self::Localhost(port) => write!(f, "localhost:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// It cannot be listened there.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {place}: {error}; choose another address with --listen")]
pub struct ListenError {
    /// Where it was to be.
    place: String,
    /// What the system said.
    pub error: io::Error,
}

impl ListenError {
    fn at(place: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self { place: place.to_string(), error }
    }
}

/// A socket that listens.
#[derive(Debug)]
pub enum Listener {
    /// By TCP.
    Tcp(TcpListener),
    /// At a file. Dropped in this order: while the file is there, nobody takes it for a stale one.
    Unix(Option<SocketFile>, UnixListener),
}

/// The file of a socket that we have opened; removed when dropped.
#[derive(Debug)]
pub struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Where to look, in a line for the user. A port 0 has become a real one. Where it listens at
    /// every address of a family, one is named that a browser on this machine can open.
    pub fn invitation(&self, scheme: &str) -> io::Result<String> {
        Ok(match self {
            Self::Tcp(listener) => {
                let mut address = listener.local_addr()?;
                let everywhere = address.ip().is_unspecified();
                match address.ip() {
                    IpAddr::V4(_) if everywhere => address.set_ip(Ipv4Addr::LOCALHOST.into()),
                    IpAddr::V6(_) if everywhere => address.set_ip(Ipv6Addr::LOCALHOST.into()),
                    IpAddr::V4(_) | IpAddr::V6(_) => {}
                }
                let page = format!("{scheme}://{address}/");
                let also = if everywhere { ", at every other address too" } else { "" };
                format!("look at {page} (metrics: {page}metrics){also}")
            }
            Self::Unix(_, listener) => {
                let address = listener.local_addr()?;
                let path = address.as_pathname().unwrap_or(Path::new("")).display();
                let page = format!("{scheme}://localhost/");
                format!("look at {page} by unix:{path} (metrics: {page}metrics)")
            }
        })
    }
}

/// Listens at all these places.
pub fn open(places: &[Listen]) -> Result<Vec<Listener>, ListenError> {
    let mut listeners = Vec::new();
    for place in places {
        match place {
            Listen::Address(address) => {
                let listener = TcpListener::bind(address).map_err(ListenError::at(address))?;
                listeners.push(Listener::Tcp(listener));
            }
            Listen::Everywhere(port) => {
                let all = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
                listeners.extend(open_both(all, *port)?);
            }
            Listen::Localhost(port) => {
                let loopback = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
                listeners.extend(open_both(loopback, *port)?);
            }
            Listen::Unix(path) => {
                let listener = open_file(path).map_err(ListenError::at(place))?;
                listeners.push(Listener::Unix(Some(SocketFile(path.clone())), listener));
            }
        }
    }
    Ok(listeners)
}

/// Listens at all these places; if there are none, at the sockets that systemd passes, or by
/// default.
pub fn open_or_take(places: &[Listen]) -> Result<Vec<Listener>, ListenError> {
    if !places.is_empty() {
        return open(places);
    }
    match from_systemd()? {
        none if none.is_empty() => open(&[DEFAULT]),
        passed => Ok(passed),
    }
}

/// The sockets that systemd has opened for this process. They are given once.
fn from_systemd() -> Result<Vec<Listener>, ListenError> {
    let count = env::var("LISTEN_FDS").ok().and_then(|count| count.parse().ok());
    if let Some(count @ MAX_PASSED..) = count {
        let said = format!("LISTEN_FDS={count} are too many");
        let error = io::Error::other(said);
        return Err(ListenError::at("the sockets that systemd passes")(error));
    }
    let mut passed = ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..passed.len() {
        let listener = take(&mut passed, index);
        let place = format!("socket {} of those that systemd passes", index + 1);
        listeners.extend(listener.map_err(ListenError::at(place))?);
    }
    Ok(listeners)
}

fn take(passed: &mut ListenFd, index: usize) -> io::Result<Option<Listener>> {
    let listener = match passed.take_unix_listener(index) {
        Ok(listener) => listener.map(|listener| Listener::Unix(None, listener)),
        Err(_) => passed.take_tcp_listener(index)?.map(Listener::Tcp),
    };
    let listens = match &listener {
        Some(Listener::Tcp(socket)) => SockRef::from(socket).is_listener()?,
        Some(Listener::Unix(_, socket)) => SockRef::from(socket).is_listener()?,
        None => true,
    };
    if listens {
        return Ok(listener);
    }
    Err(io::Error::other("it does not listen; the unit needs ListenStream= and Accept=no"))
}

/// One address of each family, at the same port. A family that this machine does not have is left
/// out.
fn open_both(addresses: [IpAddr; 2], mut port: u16) -> Result<Vec<Listener>, ListenError> {
    let mut listeners = Vec::new();
    let mut absent = None;
    for address in addresses {
        let address = SocketAddr::new(address, port);
        match bind(address) {
            Ok((listener, bound)) => {
                port = bound;
                listeners.push(Listener::Tcp(listener));
            }
            Err(error) => match error.raw_os_error() {
                Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL) => {
                    absent.get_or_insert(ListenError::at(address)(error));
                }
                _ => return Err(ListenError::at(address)(error)),
            },
        }
    }
    match absent {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

/// Listens at this address, and in this family alone; with the port.
fn bind(address: SocketAddr) -> io::Result<(TcpListener, u16)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from(socket);
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// Listens at a socket file. One that is left over from a process that is gone is replaced.
fn open_file(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
        result => return result,
    }
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return Err(io::Error::other("a file is there that is no socket"));
    }
    let visitor = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // A socket with too many waiting would block.
    visitor.set_nonblocking(true)?;
    match visitor.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
        _ => Err(io::Error::other("another process listens there")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_a_port_or_a_file() {
        let address = |text: &str| Listen::Address(text.parse().unwrap());
        for (text, place) in [
            ("127.0.0.1:17545", address("127.0.0.1:17545")),
            ("[::1]:17545", address("[::1]:17545")),
            (":17545", Listen::Everywhere(17545)),
            ("localhost:0", Listen::Localhost(0)),
            ("unix:/run/lifesign.sock", Listen::Unix("/run/lifesign.sock".into())),
        ] {
            assert_eq!(place.to_string(), text);
            assert_eq!(text.parse(), Ok(place));
        }
    }

    #[test]
    fn any_other_place_is_told_what_would_be_right() {
        let long = format!("unix:/{}", "x".repeat(107));
        for (text, part) in [
            ("17545", ":17545 for every address"),
            ("", "127.0.0.1:17545 or [::1]:17545"),
            ("127.0.0.1", "127.0.0.1:17545"),
            ("::1:17545", "[::1]:17545"),
            (":65536", ":17545 for every address"),
            ("localhost", "localhost:17545"),
            ("example.net:17545", "an address and port"),
            ("/run/lifesign.sock", "unix:/PATH"),
            ("unix:run/lifesign.sock", "begins with /"),
            ("unix:", "begins with /"),
            (&long, "at most 107 bytes"),
        ] {
            let told = text.parse::<Listen>().unwrap_err();
            assert!(told.contains(part) && told.lines().count() == 1, "{text}: {told}");
        }
    }
}

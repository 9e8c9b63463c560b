//! The connections of readers: HTTP/1.1, in the clear or over TLS. Their number is bounded, so that
//! no crowd of readers takes from the probes the descriptors that those need, and a connection that
//! keeps silent keeps no other one out.
//!
//! - *Too many.* At [`MAX_CONNECTIONS`], the address that has most of them loses its oldest to the
//!   newcomer; all who come by a socket file are as one address.
//! - *Too slow.* A connection lasts [`TIMEOUT`] at most, however steadily it trickles.
//! - *Too far behind.* A response that two newer ones have followed is given up, so that readers
//!   who do not read keep no memory (`render_cache`).
//! - *Too long.* A request's head has [`MAX_HEAD_BYTES`] at most; what is longer is 431 (RFC 6585
//!   §5). A request's body is not read: no route wants one.
//! - *Too much at once.* A connection is for one request, so that no reader can queue a thousand in
//!   one packet. For a scrape every few seconds, a handshake each costs nothing that matters.

use crate::listener::{Listener, SocketFile};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use lifesign_web_config::{Policy, WebConfig};
use socket2::SockRef;
use std::{
    collections::HashMap,
    future::poll_fn,
    io,
    net::IpAddr,
    os::fd::AsFd,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, join, sink, split},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    task::AbortHandle,
    time::{sleep, timeout},
};

/// An eighth of the 1024 descriptors that a process has by default on Linux, of which probes may
/// take half.
pub const MAX_CONNECTIONS: usize = 128;

/// How long a connection may last. A scrape has 10 s by default.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of a request line and its headers together.
pub const MAX_HEAD_BYTES: usize = 16 << 10;

/// Bytes of a response that the kernel buffers for a reader who does not take them (it doubles
/// this): by itself it would let that grow to megabytes for each.
const SEND_BUFFER_BYTES: usize = 128 << 10;

/// The pause after a failure to accept, which is mostly a lack of descriptors that soon passes.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// The first byte of a TLS handshake (RFC 8446 §5.1); no HTTP request begins with it.
const TLS_HANDSHAKE: u8 = 22;

/// The response to plain HTTP where only TLS is spoken.
const NOT_HTTPS: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
      only TLS is spoken here; ask by https\n";

/// Who has connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// By TCP, from this address.
    Address(IpAddr),
    /// By a socket file, so from this machine.
    Unix,
}

impl Peer {
    /// Is it on this machine?
    pub fn is_local(self) -> bool {
        match self {
            Self::Address(address) => address.to_canonical().is_loopback(),
            Self::Unix => true,
        }
    }
}

/// A listener of this runtime.
pub enum AsyncListener {
    /// By TCP.
    Tcp(TcpListener),
    /// At a file, which is removed first.
    Unix(Option<SocketFile>, UnixListener),
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl TryFrom<Listener> for AsyncListener {
    type Error = io::Error;

    /// Needs the context of a runtime.
    fn try_from(listener: Listener) -> io::Result<Self> {
        match listener {
            Listener::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                TcpListener::from_std(listener).map(Self::Tcp)
            }
            Listener::Unix(file, listener) => {
                listener.set_nonblocking(true)?;
                Ok(Self::Unix(file, UnixListener::from_std(listener)?))
            }
        }
    }
}

impl AsyncListener {
    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Stream, Peer)>> {
        Poll::Ready(match self {
            Self::Tcp(listener) => ready!(listener.poll_accept(cx))
                .map(|(stream, peer)| (Stream::Tcp(stream), Peer::Address(peer.ip()))),
            Self::Unix(_, listener) => ready!(listener.poll_accept(cx))
                .map(|(stream, _)| (Stream::Unix(stream), Peer::Unix)),
        })
    }
}

struct Connection {
    peer: Peer,
    task: AbortHandle,
}

/// Accepts and answers until it is dropped: all listeners, within one limit. The router finds an
/// `Extension<Arc<Policy>>` and an `Extension<Peer>` in each request.
pub async fn serve(mut listeners: Vec<AsyncListener>, router: Router, mut web_config: WebConfig) {
    // Oldest first.
    let mut connections: Vec<Connection> = Vec::new();
    loop {
        let accepted = poll_fn(|cx| {
            let ready =
                listeners.iter().map(|listener| listener.poll_accept(cx)).find(Poll::is_ready);
            ready.unwrap_or(Poll::Pending)
        });
        match accepted.await {
            Ok((stream, peer)) => {
                // A crowd at one listener does not hold up the others.
                listeners.rotate_left(1);
                make_room(&mut connections, MAX_CONNECTIONS).await;
                let policy = web_config.policy();
                let router = router.clone().layer(Extension(peer));
                let task = tokio::spawn(async {
                    let connection = async {
                        match stream {
                            Stream::Tcp(stream) => serve_connection(stream, router, policy).await,
                            Stream::Unix(stream) => serve_connection(stream, router, policy).await,
                        }
                    };
                    drop(timeout(TIMEOUT, connection).await);
                });
                connections.push(Connection { peer, task: task.abort_handle() });
            }
            // It went away while it waited.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => {
                let limit = connections.len();
                make_room(&mut connections, limit).await;
                sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

/// One connection from beginning to end. What is wrong with it, TLS or hyper tells the peer.
async fn serve_connection(
    mut stream: impl AsyncRead + AsyncWrite + AsFd + Unpin,
    router: Router,
    policy: Arc<Policy>,
) {
    // A failure costs memory, and nothing else.
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER_BYTES);
    let acceptor = policy.tls_acceptor();
    let router = router.layer(Extension(policy));
    let Some(acceptor) = acceptor else { return serve_http(stream, router).await };
    match stream.read_u8().await {
        Ok(TLS_HANDSHAKE) => {
            let (reader, writer) = split(stream);
            let whole = join([TLS_HANDSHAKE].as_slice().chain(reader), writer);
            if let Ok(stream) = acceptor.accept(whole).await {
                serve_http(stream, router).await;
            }
        }
        Ok(_) => {
            let _ = stream.write_all(NOT_HTTPS).await;
            let _ = stream.shutdown().await;
            // A close with unread bytes is a reset, which may discard the response.
            let _ = copy(&mut stream, &mut sink()).await;
        }
        Err(_) => {}
    }
}

async fn serve_http(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router) {
    let mut protocol = http1::Builder::new();
    protocol.keep_alive(false).max_buf_size(MAX_HEAD_BYTES);
    drop(protocol.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await);
}

/// Closes connections until fewer than `limit` are open.
async fn make_room(connections: &mut Vec<Connection>, limit: usize) {
    if connections.len() >= limit {
        connections.retain(|connection| !connection.task.is_finished());
    }
    while connections.len() >= limit {
        let mut counts: HashMap<Peer, usize> = HashMap::new();
        for connection in &*connections {
            *counts.entry(connection.peer).or_default() += 1;
        }
        let highest = counts.values().max();
        let oldest = connections.iter().position(|open| counts.get(&open.peer) == highest);
        let Some(oldest) = oldest else { return };
        connections.remove(oldest).task.abort();
        // Its descriptor is closed when its task has had its turn.
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::net::SocketAddr;

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n";

    /// A server of one page, that is longer than a socket's buffers.
    async fn server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { "x".repeat(16 << 20) }));
        tokio::spawn(serve(vec![AsyncListener::Tcp(listener)], router, WebConfig::unprotected()));
        address
    }

    /// Nothing comes for so many seconds, and then the end.
    async fn ends_after(stream: &mut TcpStream, seconds: u64) {
        let mut byte = [0];
        let early = timeout(Duration::from_secs(seconds - 1), stream.read(&mut byte)).await;
        assert!(early.is_err(), "{early:?}");
        let end = timeout(Duration::from_secs(2), stream.read(&mut byte)).await.expect("no end");
        // Closed; or reset, because something lay there unread.
        assert!(end.is_err() || end.is_ok_and(|length| length == 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_asks_is_let_go() {
        let mut silent = TcpStream::connect(server().await).await.unwrap();
        ends_after(&mut silent, 30).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickled_head_gains_no_time() {
        let mut slow = TcpStream::connect(server().await).await.unwrap();
        for byte in &HEAD[..5] {
            slow.write_all(&[*byte]).await.unwrap();
            sleep(Duration::from_secs(5)).await;
        }
        ends_after(&mut slow, 5).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_trickled_body_gains_no_time() {
        let mut slow = TcpStream::connect(server().await).await.unwrap();
        slow.write_all(b"GET /none HTTP/1.1\r\nHost: lab\r\nContent-Length: 99\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        timeout(Duration::from_secs(31), slow.read_to_end(&mut answer))
            .await
            .expect("no end")
            .unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 404 "), "{}", String::from_utf8_lossy(&answer));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_for_one_request() {
        let mut eager = TcpStream::connect(server().await).await.unwrap();
        eager.write_all(&b"GET /none HTTP/1.1\r\nHost: lab\r\n\r\n".repeat(100)).await.unwrap();
        let mut answer = Vec::new();
        // The end may be a reset, as the rest of the requests lies there unread.
        let _ = eager.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert_eq!(answer.matches("HTTP/1.1 404 Not Found\r\n").count(), 1, "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_take_the_answer_is_let_go() {
        let mut full = TcpStream::connect(server().await).await.unwrap();
        full.write_all(HEAD).await.unwrap();
        sleep(Duration::from_secs(31)).await;
        let mut taken = Vec::new();
        // What was under way arrives; the rest never will.
        let _ =
            timeout(Duration::from_secs(1), full.read_to_end(&mut taken)).await.expect("no end");
        assert!(!taken.is_empty() && taken.len() < 16 << 20, "{}", taken.len());
    }

    #[tokio::test]
    async fn the_greediest_address_makes_room_with_its_oldest() {
        let connection = |&peer: &u8| {
            let task = tokio::spawn(std::future::pending::<()>()).abort_handle();
            Connection { peer: Peer::Address([127, 0, 0, peer].into()), task }
        };
        let mut connections: Vec<Connection> = [1, 2, 2, 1, 3, 2].iter().map(connection).collect();
        let tasks: Vec<AbortHandle> = connections.iter().map(|open| open.task.clone()).collect();
        for (limit, left) in [
            (7, vec![1, 2, 2, 1, 3, 2]),
            (6, vec![1, 2, 1, 3, 2]),
            (5, vec![2, 1, 3, 2]),
            (4, vec![1, 3, 2]),
            (2, vec![2]),
        ] {
            make_room(&mut connections, limit).await;
            let left: Vec<Peer> =
                left.into_iter().map(|peer| Peer::Address([127, 0, 0, peer].into())).collect();
            assert_eq!(connections.iter().map(|open| open.peer).collect::<Vec<_>>(), left);
            assert_eq!(tasks.iter().filter(|task| !task.is_finished()).count(), left.len());
        }
        // A connection that has ended by itself makes room, too.
        connections.extend([1, 2].iter().map(connection));
        connections[1].task.abort();
        tokio::task::yield_now().await;
        make_room(&mut connections, 3).await;
        assert_eq!(connections.len(), 2);
        make_room(&mut Vec::new(), 0).await;
    }
}

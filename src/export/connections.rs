//! Connections. In: bound listeners, who may read, and what answers a request. Out: HTTP/1.1
//! answers, in the clear or by TLS, to whoever asks properly and in time. It never holds more than
//! [`MAX_CONNECTIONS`] descriptors, so that no crowd of readers can take from the probes what they send with,
//! and never lets those who keep silent keep others out.
//!
//! - *Too many.* When all places are taken, a newcomer gets the oldest of the address that holds
//!   most of them.
//! - *Too slow.* A connection has [`TIMEOUT`] to ask and to take its answer, however steadily it
//!   trickles.
//! - *Too long.* A request's head has [`MAX_HEAD_BYTES`] bytes at most; what is longer is 431 (RFC
//!   6585 §5). The body of a request is not read: nothing here wants one.
//! - *Too much at once.* A connection is for one request, so that no reader can queue a thousand in
//!   one packet. A scrape is no dearer for a handshake on a network that is asked every few
//!   seconds.

use axum::{Extension, Router, extract::ConnectInfo};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use lifesign_web_config::{Policy, WebConfig};
use socket2::SockRef;
use std::{
    collections::HashMap,
    future::poll_fn,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy, sink},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
    time::{sleep, timeout},
};

/// How many connections are open at a time: an eighth of the 1024 descriptors that a process has by
/// default on Linux, of which probes may take half.
pub const MAX_CONNECTIONS: usize = 128;

/// How long a connection may last. A scrape has 10 s by default.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of a request line and its headers together.
pub const MAX_HEAD_BYTES: usize = 16 << 10;

/// Bytes of an answer that the kernel keeps for a reader who does not take them (it doubles this):
/// by itself it would let that grow to megabytes for each.
const UNREAD: usize = 128 << 10;

/// After a failure to accept, which is mostly a lack of descriptors that soon passes.
const BREATH: Duration = Duration::from_millis(100);

/// An open connection: whose it is, and its task.
struct Place {
    from: IpAddr,
    task: AbortHandle,
}

/// The first byte of a TLS handshake (RFC 8446 §5.1); no word of HTTP begins with it.
const HANDSHAKE: u8 = 22;

/// What is said to a client that does not know of TLS.
const NOT_HTTPS: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
                           only TLS is spoken here; ask by https\n";

/// Accepts and answers until it is dropped. One of these serves all listeners, within one limit.
/// What answers finds an `Extension<Arc<Policy>>` in each request.
pub async fn serve(mut listeners: Vec<TcpListener>, router: Router, mut web_config: WebConfig) {
    // Oldest first.
    let mut places: Vec<Place> = Vec::new();
    loop {
        let accepted = poll_fn(|cx| {
            let ready =
                listeners.iter().map(|listener| listener.poll_accept(cx)).find(Poll::is_ready);
            ready.unwrap_or(Poll::Pending)
        });
        match accepted.await {
            Ok((stream, from)) => {
                // A crowd at one listener does not hold up the others.
                listeners.rotate_left(1);
                make_room(&mut places, MAX_CONNECTIONS).await;
                // Without it, it costs more memory, and that is all.
                let _ = SockRef::from(&stream).set_send_buffer_size(UNREAD);
                let connection = welcome(stream, from, router.clone(), web_config.policy());
                let task = tokio::spawn(async { drop(timeout(TIMEOUT, connection).await) });
                places.push(Place { from: from.ip(), task: task.abort_handle() });
            }
            // It went away while it waited.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => {
                let most = places.len();
                make_room(&mut places, most).await;
                sleep(BREATH).await;
            }
        }
    }
}

/// One connection from beginning to end. Whatever is wrong with it, TLS or hyper says so to whom it
/// concerns.
async fn welcome(mut stream: TcpStream, from: SocketAddr, router: Router, policy: Arc<Policy>) {
    let acceptor = policy.tls_acceptor();
    let router = router.layer(Extension(ConnectInfo(from))).layer(Extension(policy));
    let Some(acceptor) = acceptor else { return answer(stream, router).await };
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1..) if first[0] == HANDSHAKE => {
            if let Ok(stream) = acceptor.accept(stream).await {
                answer(stream, router).await;
            }
        }
        Ok(1..) => {
            let _ = stream.write_all(NOT_HTTPS).await;
            let _ = stream.shutdown().await;
            // What lay there unread when we close would take the answer back.
            let _ = copy(&mut stream, &mut sink()).await;
        }
        _ => {}
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router) {
    let mut protocol = http1::Builder::new();
    protocol.keep_alive(false).max_buf_size(MAX_HEAD_BYTES);
    drop(protocol.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await);
}

/// Closes connections until fewer than `most` are open.
async fn make_room(places: &mut Vec<Place>, most: usize) {
    if places.len() >= most {
        places.retain(|place| !place.task.is_finished());
    }
    while places.len() >= most {
        let mut held: HashMap<IpAddr, usize> = HashMap::new();
        for place in &*places {
            *held.entry(place.from).or_default() += 1;
        }
        let Some(greediest) = places.iter().map(|place| held[&place.from]).max() else { return };
        let Some(at) = places.iter().position(|place| held[&place.from] == greediest) else {
            return;
        };
        places.remove(at).task.abort();
        // Its descriptor is closed when its task has had its turn.
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::AsyncReadExt;

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n";

    /// A server of one page, that is longer than a socket's buffers.
    async fn server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { "x".repeat(16 << 20) }));
        tokio::spawn(serve(vec![listener], router, WebConfig::unprotected()));
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
        let place = |&from: &u8| {
            let task = tokio::spawn(std::future::pending::<()>()).abort_handle();
            Place { from: [127, 0, 0, from].into(), task }
        };
        let mut places: Vec<Place> = [1, 2, 2, 1, 3, 2].iter().map(place).collect();
        let tasks: Vec<AbortHandle> = places.iter().map(|place| place.task.clone()).collect();
        for (most, left) in [
            (7, vec![1, 2, 2, 1, 3, 2]),
            (6, vec![1, 2, 1, 3, 2]),
            (5, vec![2, 1, 3, 2]),
            (4, vec![1, 3, 2]),
            (2, vec![2]),
        ] {
            make_room(&mut places, most).await;
            let left: Vec<IpAddr> = left.into_iter().map(|from| [127, 0, 0, from].into()).collect();
            assert_eq!(places.iter().map(|place| place.from).collect::<Vec<_>>(), left);
            assert_eq!(tasks.iter().filter(|task| !task.is_finished()).count(), left.len());
        }
        // Who has left by himself makes room, too.
        places.extend([1, 2].iter().map(place));
        places[1].task.abort();
        tokio::task::yield_now().await;
        make_room(&mut places, 3).await;
        assert_eq!(places.len(), 2);
        make_room(&mut Vec::new(), 0).await;
    }
}

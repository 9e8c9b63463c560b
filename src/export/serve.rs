//! Connections. In: bound listeners, and what answers a request. Out: HTTP/1.1 answers, to whoever asks properly and in
//! time. It never holds more than [`MOST`] descriptors, so that no crowd of readers can take from the probes what they
//! send with, and never lets those who keep silent keep others out.
//!
//! - *Too many.* When all places are taken, a newcomer gets that of a connection of the address that holds most of
//!   them: of these, the one that has gone longest without asking.
//! - *Too slow.* A connection has [`PATIENCE`] from its beginning, or from its last request on, to make its next one
//!   and to take its answer, however steadily it trickles meanwhile.
//! - *Too long.* A request's head has [`LONGEST_HEAD`] bytes at most; what is longer is 431 (RFC 6585 §5). The body of a
//!   request is not read: nothing here wants one.

use axum::{Router, extract::Request};
use hyper::{
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use std::{
    collections::HashMap,
    future::poll_fn,
    io,
    net::IpAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::AbortHandle,
    time::sleep,
};

/// How many connections are open at a time: an eighth of the 1024 descriptors that a process has by default on Linux,
/// of which probes may take half.
pub const MOST: usize = 128;

/// How long a connection may go without a new request. The longest that a scrape takes by default is 10 s.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of a request line and its headers together.
pub const LONGEST_HEAD: usize = 16 << 10;

/// After a failure to accept, which is mostly a lack of descriptors that soon passes.
const BREATH: Duration = Duration::from_millis(100);

/// A connection, as its own task and the door see it.
#[derive(Default)]
struct Guest {
    /// When it last asked, or came: a number that counts up at every such event of all guests.
    last: AtomicU64,
    asked: Notify,
}

/// A guest's place.
struct Place {
    from: IpAddr,
    guest: Arc<Guest>,
    task: AbortHandle,
}

/// Accepts and answers until it is dropped. One of these serves all listeners, within one limit.
pub async fn serve(mut listeners: Vec<TcpListener>, router: Router) {
    let events = Arc::new(AtomicU64::new(0));
    let mut places: Vec<Place> = Vec::new();
    loop {
        let accepted = poll_fn(|cx| {
            let ready = listeners.iter().map(|listener| listener.poll_accept(cx)).find(Poll::is_ready);
            ready.unwrap_or(Poll::Pending)
        });
        match accepted.await {
            Ok((stream, from)) => {
                // A crowd at one listener does not hold up the others.
                listeners.rotate_left(1);
                make_room(&mut places, MOST).await;
                let guest = Arc::new(Guest::default());
                guest.last.store(events.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
                let task = tokio::spawn(attend(stream, router.clone(), guest.clone(), events.clone()));
                places.push(Place { from: from.ip(), guest, task: task.abort_handle() });
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
        let greed = |place: &Place| (held[&place.from], u64::MAX - place.guest.last.load(Ordering::Relaxed));
        let Some(at) = (0..places.len()).max_by_key(|&at| greed(&places[at])) else { return };
        places.swap_remove(at).task.abort();
        // Its descriptor is closed when its task has had its turn.
        tokio::task::yield_now().await;
    }
}

/// One connection, to its end.
async fn attend(stream: TcpStream, router: Router, guest: Arc<Guest>, events: Arc<AtomicU64>) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request: Request<hyper::body::Incoming>| {
        guest.last.store(events.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        guest.asked.notify_one();
        router.call(request)
    });
    let mut connection = pin!(
        http1::Builder::new().max_buf_size(LONGEST_HEAD).serve_connection(TokioIo::new(stream), service)
    );
    loop {
        tokio::select! {
            // Whatever was wrong with it, hyper has said so to whom it concerns.
            _ = connection.as_mut() => return,
            () = guest.asked.notified() => {}
            () = sleep(PATIENCE) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::net::SocketAddr;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::timeout,
    };

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n";

    /// A server of one page, that is longer than a socket's buffers.
    async fn server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { "x".repeat(16 << 20) }));
        tokio::spawn(serve(vec![listener], router));
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
        slow.write_all(b"GET /none HTTP/1.1\r\nHost: lab\r\nContent-Length: 99\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        timeout(Duration::from_secs(31), slow.read_to_end(&mut answer)).await.expect("no end").unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 404 "), "{}", String::from_utf8_lossy(&answer));
    }

    /// Each request gives time anew, and none is needed to end a connection that was used well.
    #[tokio::test(start_paused = true)]
    async fn who_asks_again_may_stay() {
        let mut steady = TcpStream::connect(server().await).await.unwrap();
        for _ in 0..3 {
            sleep(Duration::from_secs(29)).await;
            steady.write_all(b"HEAD / HTTP/1.1\r\nHost: lab\r\n\r\n").await.unwrap();
            let length = steady.read(&mut [0; 4096]).await.unwrap();
            assert!(length > 0);
        }
        ends_after(&mut steady, 30).await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_take_the_answer_is_let_go() {
        let mut full = TcpStream::connect(server().await).await.unwrap();
        full.write_all(HEAD).await.unwrap();
        sleep(Duration::from_secs(31)).await;
        let mut taken = Vec::new();
        // What was under way arrives; the rest never will.
        let _ = timeout(Duration::from_secs(1), full.read_to_end(&mut taken)).await.expect("no end");
        assert!(!taken.is_empty() && taken.len() < 16 << 20, "{}", taken.len());
    }

    fn place(from: u8, last: u64) -> Place {
        let guest = Arc::new(Guest::default());
        guest.last.store(last, Ordering::Relaxed);
        let task = tokio::spawn(std::future::pending::<()>()).abort_handle();
        Place { from: [127, 0, 0, from].into(), guest, task }
    }

    #[tokio::test]
    async fn the_greediest_address_makes_room_with_what_it_used_longest_ago() {
        let mut places = vec![place(1, 0), place(2, 5), place(2, 3), place(1, 4), place(2, 9)];
        let left = |places: &[Place]| {
            let mut left: Vec<_> =
                places.iter().map(|place| place.guest.last.load(Ordering::Relaxed)).collect();
            left.sort_unstable();
            left
        };
        make_room(&mut places, 6).await;
        assert_eq!(left(&places), [0, 3, 4, 5, 9]);
        make_room(&mut places, 5).await;
        assert_eq!(left(&places), [0, 4, 5, 9]);
        make_room(&mut places, 3).await;
        assert_eq!(left(&places), [4, 9]);
        // Who has left by himself is nobody's loss.
        places[0].task.abort();
        tokio::task::yield_now().await;
        make_room(&mut places, 2).await;
        assert_eq!(places.len(), 1);
        make_room(&mut Vec::new(), 0).await;
    }
}

//! A DNS server that answers as the test tells it to, over UDP and TCP, on a loopback address of
//! its own.
use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::{RData, Record, RecordType, rdata::A};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UdpSocket},
};

/// What to send, and how long after the one before it.
pub type Script = Vec<(Duration, Vec<u8>)>;

/// Serves on a free port of `address` for as long as the test runs. `answer` gets each question,
/// and whether it came over TCP.
pub async fn serve(
    address: &str,
    answer: impl Fn(&Message, bool) -> Script + Send + Sync + 'static,
) -> SocketAddr {
    let (stream, datagrams) = sockets(address).await;
    let local = stream.local_addr().unwrap();
    let datagrams = Arc::new(datagrams);
    let answer = Arc::new(answer);
    let by_tcp = Arc::clone(&answer);
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        loop {
            let (length, from) = datagrams.recv_from(&mut buffer).await.unwrap();
            let script = answer(&Message::from_vec(&buffer[..length]).unwrap(), false);
            let datagrams = Arc::clone(&datagrams);
            tokio::spawn(async move {
                for (delay, bytes) in script {
                    tokio::time::sleep(delay).await;
                    datagrams.send_to(&bytes, from).await.unwrap();
                }
            });
        }
    });
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = stream.accept().await.unwrap();
            let length = stream.read_u16().await.unwrap();
            let mut bytes = vec![0; length.into()];
            stream.read_exact(&mut bytes).await.unwrap();
            for (_, bytes) in by_tcp(&Message::from_vec(&bytes).unwrap(), true) {
                stream.write_u16(bytes.len() as u16).await.unwrap();
                stream.write_all(&bytes).await.unwrap();
            }
        }
    });
    local
}

/// A port that nobody has, neither of TCP nor of UDP.
async fn sockets(address: &str) -> (TcpListener, UdpSocket) {
    loop {
        let stream = TcpListener::bind((address, 0)).await.unwrap();
        if let Ok(datagrams) = UdpSocket::bind(stream.local_addr().unwrap()).await {
            return (stream, datagrams);
        }
    }
}

/// Messages that are sent one after the other, without delay.
pub fn now(messages: impl IntoIterator<Item = Message>) -> Script {
    messages.into_iter().map(|message| (Duration::ZERO, message.to_vec().unwrap())).collect()
}

/// An answer to the question with this code and these addresses (to a question for them).
pub fn reply(question: &Message, code: ResponseCode, addresses: &[Ipv4Addr], ttl: u32) -> Message {
    let mut message = Message::response(question.metadata.id, OpCode::Query);
    message.metadata.response_code = code;
    message.add_queries(question.queries.clone());
    let query = &question.queries[0];
    if query.query_type() == RecordType::A {
        message.add_answers(
            addresses
                .iter()
                .map(|&a| Record::from_rdata(query.name().clone(), ttl, RData::A(A(a)))),
        );
    }
    message
}

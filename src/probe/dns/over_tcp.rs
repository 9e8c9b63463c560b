//! The question of a probe once more, over TCP, since its answer over UDP was cut. It is a packet
//! of the block's budget, and asked only if somebody pays for it. It is given up just before the
//! kernel would repeat its SYN, and is over when its socket is closed.

use super::{Exchange, message, message::Question};
use lifesign_core::{
    outcome::{SYN_MARGIN, SYN_REPEATED_AFTER},
    scopes::TargetId,
};
use socket2::{Protocol, Type};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    sync::oneshot,
    time::timeout,
};

/// How long the question may take: the longest patience that a target can have.
const TCP_TIMEOUT: Duration = Duration::from_secs(3);

/// A question that wants to be asked. It never is if this is dropped.
#[derive(Debug)]
pub struct TcpQuestion {
    /// Whom it asks.
    pub target: TargetId,
    pub(super) paid: oneshot::Sender<()>,
}

impl TcpQuestion {
    /// Lets it be asked.
    pub fn pay(self) {
        // Who asked is gone if its place was needed for another.
        let _ = self.paid.send(());
    }
}

impl Exchange {
    /// Has the answer over TCP the data that the plan expects?
    pub(super) async fn is_told_over_tcp(&self, question: &Question, data: &str) -> bool {
        let Ok(Ok(bytes)) = timeout(TCP_TIMEOUT, self.ask_over_tcp(question)).await else {
            return false;
        };
        match message::read(question, Some(data), &bytes) {
            Ok(answer) => !answer.unexpected,
            Err(reason) => {
                self.report_stray(Some(self.peer.ip()), reason);
                false
            }
        }
    }

    /// With its length in two bytes before it (RFC 1035 §4.2.2).
    async fn ask_over_tcp(&self, question: &Question) -> io::Result<Vec<u8>> {
        let socket = self.socket(Type::STREAM, Protocol::TCP)?;
        // A reset is sent once; the end of a connection is repeated.
        socket.set_linger(Some(Duration::ZERO))?;
        let connect = TcpSocket::from_std_stream(socket.into()).connect(self.peer);
        let mut stream = timeout(SYN_REPEATED_AFTER - SYN_MARGIN, connect).await??;
        let length = u16::try_from(question.bytes().len()).map_err(io::Error::other)?;
        stream.write_all(&[&length.to_be_bytes(), question.bytes()].concat()).await?;
        let mut bytes = vec![0; stream.read_u16().await?.into()];
        stream.read_exact(&mut bytes).await?;
        Ok(bytes)
    }
}

//! The web configuration file of Prometheus' exporters (the exporter-toolkit's
//! docs/web-configuration.md), for any server: TLS, client certificates, passwords, and headers of
//! every response. Every error in it is told with its line and column, and no secret is repeated.
//!
//! [`WebConfig`] is the file; it is read again when it, or a file that it names, has changed. What
//! it says at the moment is a [`Policy`], one for each connection. [`Client`] is the other side:
//! how to ask such a server, by the HTTP configuration file of Prometheus' clients.
//!
//! ```no_run
//! use http::{HeaderMap, StatusCode};
//! use lifesign_web_config::{Policy, WebConfig};
//! use std::io;
//! use tokio::io::{AsyncRead, AsyncWrite};
//!
//! # async fn respond(_: impl AsyncRead + AsyncWrite, _: &Policy) -> io::Result<()> { Ok(()) }
//! /// `stream` has just been accepted.
//! async fn serve<S>(config: &mut WebConfig, stream: S) -> io::Result<()>
//! where
//!     S: AsyncRead + AsyncWrite + Unpin,
//! {
//!     let policy = config.policy();
//!     match policy.tls_acceptor() {
//!         Some(acceptor) => respond(acceptor.accept(stream).await?, &policy).await,
//!         None => respond(stream, &policy).await,
//!     }
//! }
//!
//! /// The status of a response to a request with these headers.
//! async fn status(policy: &Policy, request: &HeaderMap) -> StatusCode {
//!     match policy.authorizes(request).await {
//!         true => StatusCode::OK,
//!         false => StatusCode::UNAUTHORIZED,
//!     }
//! }
//!
//! # fn random() -> u64 { 4 }
//! let config = WebConfig::open("web.yml".into(), (random(), random()));
//! if let Err(problems) = &config {
//!     eprintln!("{problems}"); // web.yml:2:3: no key_file; TLS needs one
//! }
//! ```

#![warn(clippy::unwrap_used)]

mod yaml;
mod files;
mod pem;
mod client_certificates;
mod tls;
mod hosts;
mod headers;
mod basic_auth;
mod server;
mod client;

pub use client::Client;
pub use server::{Policy, WebConfig};

#[cfg(test)]
mod tests;

//! Connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::remedy::Remedy;

/// How long to wait when the system has no more connections to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long connections are kept for answers that are being made when nobody listens any more: pages are made in less.
const LAST_ANSWERS: Duration = Duration::from_secs(15);

/// As many connections are open at once; more wait until one is closed.
const MOST_CONNECTIONS: usize = 256;

/// How long somebody may take to say what they want, and how long a connection is kept for the next question.
const QUESTION: Duration = Duration::from_secs(15);

/// Longer questions, headers included, are not read.
const LONGEST_QUESTION: usize = 16 * 1024;

/// Why nothing is told over HTTP.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is not to be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

impl Remedy for ServeError {
    fn remedy(&self) -> Option<String> {
        let Self::Listen { source, .. } = self;
        let text = match source.kind() {
            io::ErrorKind::AddrInUse => "another program listens there; name another address with `listen` under [daemon], or \"off\"",
            _ => "name an address of this machine with `listen` under [daemon], with a port above 1023, or \"off\"",
        };
        Some(text.to_owned())
    }
}

/// Takes hold of an address.
///
/// # Errors
/// When it is not to be had.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| ServeError::Listen { address, source })
}

/// Connections that are open when nobody listens for others any more.
#[derive(Debug)]
pub struct Connections {
    all: JoinSet<()>,
    /// Connections are closed once this is dropped.
    open: watch::Sender<()>,
}

impl Connections {
    /// Closes each as soon as what was asked there is answered.
    pub async fn end(self) {
        let Self { mut all, open } = self;
        drop(open);
        let ended = async { while all.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_ANSWERS, ended).await.is_err() {
            tracing::debug!("connections over HTTP were cut off");
        }
    }
}

/// Answers whoever asks, until `shutdown` ends. What was asked by then is answered while [`Connections::end`] waits for it.
pub async fn accept(listener: &TcpListener, router: Router, shutdown: impl Future<Output = ()>) -> Connections {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    let (open, closing) = watch::channel(());
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let next = async {
            // Nobody closes the semaphore; an error would let somebody in who has no place.
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = &mut shutdown => return Connections { all: connections, open },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "an answer over HTTP failed");
                }
            }
            (place, accepted) = next => match accepted {
                Ok((stream, _)) => {
                    let (router, closing) = (router.clone(), closing.clone());
                    connections.spawn(async move {
                        converse(stream, router, closing).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection over HTTP could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

async fn converse(stream: TcpStream, router: Router, mut closing: watch::Receiver<()>) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(QUESTION)
        .max_buf_size(LONGEST_QUESTION)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // Nothing is ever sent, so it was dropped.
        _ = closing.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Browsers close connections as they like.
        tracing::debug!(%error, "a connection over HTTP ended early");
    }
}

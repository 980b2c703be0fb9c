//! The simulator over HTTP/1.1.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::api::{Delivery, Headers, Reply, Request};
use super::instance::Simulator;
use super::world::{World, WorldError};
use crate::remedy::Remedy;

/// How long to wait when the system has no more connections to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a simulator does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The world contradicts itself.
    #[error("cannot build the world")]
    World(#[from] WorldError),
    /// The address is not to be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

impl Remedy for RunError {
    fn remedy(&self) -> Option<String> {
        match self {
            Self::World(source) => source.remedy(),
            Self::Listen { .. } => Some("give another address with --listen; port 0 takes any that is free".to_owned()),
        }
    }
}

/// Runs a simulator of this world on the address until `shutdown` ends. `on_ready` learns where it listens, which matters for port 0.
///
/// # Errors
/// When the world contradicts itself, or the address is not to be had.
pub async fn run(
    listen: SocketAddr,
    world: World,
    on_ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let simulator = Simulator::new(&world)?;
    let unheard = |source| RunError::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).await.map_err(unheard)?;
    on_ready(listener.local_addr().map_err(unheard)?);
    serve(listener, Arc::new(simulator), shutdown).await;
    Ok(())
}

/// Serves a simulator until `shutdown` ends. Connections that are open then are closed, whatever is on its way in them.
pub async fn serve(listener: TcpListener, simulator: Arc<Simulator>, shutdown: impl Future<Output = ()>) {
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection to the simulator failed");
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, Arc::clone(&simulator)));
                }
                Err(error) => {
                    tracing::warn!(%error, "the simulator could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

/// The connection is to be reset, and the request not answered.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset")]
struct Hangup;

async fn converse(stream: TcpStream, simulator: Arc<Simulator>) {
    let service = service_fn(|request| respond(request, Arc::clone(&simulator)));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let Err(error) = (&mut connection).await else { return };
    let is_hangup = std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<Hangup>);
    if is_hangup {
        let stream = connection.into_parts().io.into_inner();
        // Closing it now sends a reset in place of an orderly end.
        if let Err(error) = stream.set_zero_linger() {
            tracing::warn!(%error, "the simulator could not reset a connection");
        }
    } else {
        tracing::debug!(%error, "a connection to the simulator ended early");
    }
}

async fn respond(request: hyper::Request<Incoming>, simulator: Arc<Simulator>) -> Result<Response<ReplyBody>, Hangup> {
    let (head, body) = request.into_parts();
    let header = |name: HeaderName| {
        head.headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let body = body.collect().await.map_err(|_| Hangup)?.to_bytes();
    let request = Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: Headers {
            authorization: header(AUTHORIZATION),
            accept: header(ACCEPT),
            content_type: header(CONTENT_TYPE),
            host: header(HOST),
        },
        body,
    };
    let reply = simulator.handle(&request);
    match reply.delivery {
        Delivery::Reset => Err(Hangup),
        Delivery::After(duration) => {
            tokio::time::sleep(duration).await;
            Ok(response(reply))
        }
        Delivery::Late {
            duration,
            ordinal,
            is_given_up,
        } => {
            // A task of its own goes on when the connection is gone.
            let late = tokio::spawn(async move {
                tokio::time::sleep(duration).await;
                simulator.handle_late(ordinal, &request)
            });
            if is_given_up {
                return Ok(response(reply));
            }
            late.await.map(response).map_err(|error| {
                tracing::error!(%error, "the simulator could not carry out a late request");
                Hangup
            })
        }
        Delivery::Whole | Delivery::Dripping(_) | Delivery::Truncated => Ok(response(reply)),
    }
}

fn response(reply: Reply) -> Response<ReplyBody> {
    let Reply {
        status,
        headers,
        body,
        delivery,
    } = reply;
    let mut response = Response::builder().status(status).header(CONTENT_LENGTH, body.len());
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(ReplyBody::new(body, delivery)).unwrap_or_else(|error| {
        tracing::error!(%error, "the simulator made a reply that is no HTTP");
        let mut failure = Response::new(ReplyBody::new(Bytes::new(), Delivery::Whole));
        *failure.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        failure
    })
}

/// A body that may take its time, and end before it.
struct ReplyBody {
    rest: Option<Bytes>,
    /// When each byte is due, where they come one by one.
    drip: Option<Interval>,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// All was sent.
    Whole,
    /// Half of it was, and must leave the house before the connection ends.
    Flush,
    /// The connection ends.
    Cut,
}

impl ReplyBody {
    fn new(body: Bytes, delivery: Delivery) -> Self {
        let (body, drip, end) = match delivery {
            Delivery::Truncated => (body.slice(..body.len() / 2), None, End::Flush),
            Delivery::Dripping(apart) => (body, Some(drip(apart)), End::Whole),
            Delivery::Whole | Delivery::After(_) | Delivery::Late { .. } | Delivery::Reset => (body, None, End::Whole),
        };
        Self {
            rest: Some(body).filter(|body| !body.is_empty()),
            drip,
            end,
        }
    }
}

/// Times that are this far apart, the first as far from now.
fn drip(apart: Duration) -> Interval {
    let apart = apart.max(Duration::from_millis(1));
    let mut times = tokio::time::interval_at(Instant::now() + apart, apart);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    times
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Self { rest, drip, .. } = &mut *self;
        if let (Some(bytes), Some(drip)) = (rest.as_mut(), drip) {
            ready!(drip.poll_tick(context));
            let byte = bytes.split_to(1);
            if bytes.is_empty() {
                *rest = None;
            }
            return Poll::Ready(Some(Ok(Frame::data(byte))));
        }
        if let Some(data) = self.rest.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::Flush => {
                self.end = End::Cut;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::Cut => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.end == End::Whole
    }

    fn size_hint(&self) -> SizeHint {
        match self.end {
            End::Whole => SizeHint::with_exact(self.rest.as_ref().map_or(0, Bytes::len) as u64),
            End::Flush | End::Cut => SizeHint::default(),
        }
    }
}

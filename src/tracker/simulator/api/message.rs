//! Requests and replies, apart from any network.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

/// What a client asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// In capitals.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// What follows the question mark; empty where there is none.
    pub query: String,
    /// The headers that change the answer.
    pub headers: Headers,
    /// The body; empty where there is none.
    pub body: Bytes,
}

/// The headers that change an answer.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// Who asks.
    pub authorization: Option<String>,
    /// What they can read.
    pub accept: Option<String>,
    /// What their body is.
    pub content_type: Option<String>,
    /// What they call this server; addresses in replies are made from it.
    pub host: Option<String>,
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Headers")
            .field("authorization", &self.authorization.as_ref().map(|_| "***"))
            .field("accept", &self.accept)
            .field("content_type", &self.content_type)
            .field("host", &self.host)
            .finish()
    }
}

/// What a client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names as Patchwork spells them. The length of the body is not among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body, whole, whatever becomes of it on the way.
    pub body: Bytes,
    /// What becomes of it on the way.
    pub delivery: Delivery,
}

/// How a reply reaches its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// At once and whole.
    Whole,
    /// Whole, but only after this long.
    After(Duration),
    /// The request is carried out only after this long, whether or not the client waits. What is said of it is not known before, unless somebody else
    /// answers.
    Late {
        /// How long.
        duration: Duration,
        /// The request's place among all requests.
        ordinal: u64,
        /// Whether somebody in front of Patchwork answers in its place, at once.
        is_given_up: bool,
    },
    /// Whole, but each byte of the body only this long after what was before it.
    Dripping(Duration),
    /// The first half of the body; then the connection ends.
    Truncated,
    /// Not at all: the connection is reset.
    Reset,
}

impl Reply {
    pub(in super::super) fn html(status: u16, title: &str) -> Self {
        let page =
            format!("<!doctype html>\n<html lang=\"en\">\n<head><title>{title}</title></head>\n<body><h1>{title}</h1></body>\n</html>\n");
        Self::new(status, "text/html; charset=utf-8", page.into())
    }

    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self::new(status, "application/json", body.into()),
            Err(error) => {
                tracing::error!(%error, "the simulator cannot write its own reply");
                Self::crash()
            }
        }
    }

    pub(super) fn detail(status: u16, detail: &str) -> Self {
        Self::json(status, &Detail { detail })
    }

    pub(in super::super) fn crash() -> Self {
        Self::html(500, "Server Error (500)")
    }

    pub(super) fn new(status: u16, content_type: &str, body: Bytes) -> Self {
        Self {
            status,
            headers: vec![("Content-Type", content_type.to_owned())],
            body,
            delivery: Delivery::Whole,
        }
    }

    pub(in super::super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[derive(Serialize)]
pub(super) struct Detail<T> {
    pub(super) detail: T,
}

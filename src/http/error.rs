//! What can go wrong between here and a server.
//!
//! Every message names the address, what was expected there, and what came. Nothing in it comes from a request, and what comes from an
//! answer has been rid of the token.

use std::time::Duration;

use reqwest::{StatusCode, header::InvalidHeaderValue};

use super::{Address, Answer, Cause};
use crate::text::count;

/// Why something could not be read from a server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configured contact cannot stand in a header.
    #[error("the contact {contact:?} cannot be sent in a `User-Agent` header")]
    BadContact {
        /// As configured.
        contact: String,
        /// What is wrong with it.
        source: InvalidHeaderValue,
    },
    /// The HTTP client cannot be set up on this machine.
    #[error("cannot set up an HTTP client")]
    Client {
        /// Why not.
        source: Cause,
    },
    /// No connection: connection refused, no route.
    #[error("cannot reach {url}")]
    Unreachable {
        /// What was asked for.
        url: Address,
        /// Why not.
        source: Cause,
    },
    /// No connection, for nobody could tell where the server is: its name is unknown, or those who know names do not answer.
    #[error("cannot reach {url}: its name cannot be looked up")]
    Unresolved {
        /// What was asked for.
        url: Address,
        /// Why not.
        source: Cause,
    },
    /// A connection, but none that can be trusted.
    #[error("no secure connection to {url}")]
    Tls {
        /// What was asked for.
        url: Address,
        /// Why not.
        source: Cause,
    },
    /// No answer in time.
    #[error("expected {expected}, but {url} did not answer within {} s", limit.as_secs_f64())]
    TimedOut {
        /// What was asked for.
        url: Address,
        /// What was expected.
        expected: &'static str,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The answer began in time, and did not come to its end.
    #[error("expected {expected}, but of the answer of {url} only {} came within {} s", count(*received, "byte"), limit.as_secs_f64())]
    Slow {
        /// What was asked for.
        url: Address,
        /// What was expected.
        expected: &'static str,
        /// How many bytes of the body came.
        received: usize,
        /// How long all of it may take, from connecting on.
        limit: Duration,
    },
    /// The connection ended before the answer began.
    #[error("expected {expected}, but the connection to {url} broke")]
    Broken {
        /// What was asked for.
        url: Address,
        /// What was expected.
        expected: &'static str,
        /// How it broke.
        source: Cause,
    },
    /// The answer ended before its time.
    #[error("expected {expected}, but the answer broke off after {}: {answer}", count(*received, "byte"))]
    Truncated {
        /// What was expected.
        expected: &'static str,
        /// How many bytes of the body came.
        received: usize,
        /// What came.
        answer: Box<Answer>,
        /// How the connection ended; none when it ended in good order but the JSON did not.
        source: Option<Cause>,
    },
    /// The answer is larger than anything that kinset asks for.
    #[error("expected {expected}, but {url} sent more than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        url: Address,
        /// What was expected.
        expected: &'static str,
        /// The most that is read.
        limit: usize,
    },
    /// A web page, or anything else that is not JSON.
    #[error("expected {expected} in JSON, but {answer}")]
    NotJson {
        /// What was expected.
        expected: &'static str,
        /// What came.
        answer: Box<Answer>,
    },
    /// A web page, where something else than JSON was due.
    #[error("expected {expected}, but {answer}")]
    WebPage {
        /// What was expected.
        expected: &'static str,
        /// What came.
        answer: Box<Answer>,
    },
    /// An error status.
    #[error("expected {expected}, but {answer}")]
    Status {
        /// What was expected.
        expected: &'static str,
        /// What came.
        answer: Box<Answer>,
        /// How long the server asks to wait (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// JSON, but of another shape.
    #[error("expected {expected}, but what {url} sent has another shape at {path}: {reason}")]
    WrongShape {
        /// What was asked for.
        url: Address,
        /// What was expected.
        expected: &'static str,
        /// Where in the JSON.
        path: String,
        /// What was found there.
        reason: String,
    },
    /// The server sends its client to another server.
    #[error("refusing to follow {from} to another server, {to}")]
    LeavesServer {
        /// What was asked for.
        from: Address,
        /// Where it leads, by redirect or by link.
        to: Address,
    },
    /// The server sends its client to an address without encryption.
    #[error("refusing to follow {from} to {to}, which is not encrypted")]
    LeavesEncryption {
        /// What was asked for.
        from: Address,
        /// Where it leads, by redirect or by link.
        to: Address,
    },
    /// The server sends its client on and on.
    #[error("expected {expected}, but {url} redirects more than {limit} times")]
    TooManyRedirects {
        /// What was asked for.
        url: Address,
        /// What was expected.
        expected: &'static str,
        /// How many redirects are followed.
        limit: usize,
    },
    /// A list that leads back to a page already read.
    #[error("the list at {url} never ends: its `next` link leads back to a page already read")]
    EndlessList {
        /// The page that is linked to again.
        url: Address,
    },
}

impl Error {
    /// Whether the same read may succeed a little later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Unresolved { .. } | Self::TimedOut { .. } | Self::Slow { .. } => true,
            Self::Broken { .. } | Self::Truncated { .. } => true,
            Self::NotJson { answer, .. } => answer.is_web_page(),
            Self::WebPage { .. } => true,
            Self::Status { answer, .. } => matches!(answer.status.as_u16(), 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Whether this may well be told apart from a wrong address only by a person, so that telling soon is better than trying for long.
    pub(crate) fn hints_at_a_wrong_address(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Unresolved { .. } | Self::NotJson { .. })
    }

    /// Whether fewer rows at once might have come through.
    pub(crate) fn is_about_size(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Slow { .. } | Self::TooLarge { .. } => true,
            Self::Status { answer, .. } => matches!(answer.status.as_u16(), 502 | 504),
            _ => false,
        }
    }

    pub(crate) fn has_status(&self, status: StatusCode) -> bool {
        matches!(self, Self::Status { answer, .. } if answer.status == status)
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

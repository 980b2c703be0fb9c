//! What can become of a write.
//!
//! Messages name the address and what came from there, which has been rid of the token.

use std::time::Duration;

use super::{
    Address, Answer, Cause,
    error::{CHECK_TOKEN, CHECK_URL},
};
use crate::remedy::Remedy;

/// Why a write was not carried out, or is not known to have been.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The patches are in more than one relation already (409). Nothing changed.
    #[error("{url} answered that a patch is in another relation already")]
    Conflict {
        /// The patch's address.
        url: Address,
    },
    /// The token's user may not do this (403, 401). Nothing changed.
    #[error("{url} refused the write: {detail}")]
    Forbidden {
        /// The patch's address.
        url: Address,
        /// In the server's words.
        detail: String,
        /// What that means.
        kind: Refusal,
    },
    /// The server did not accept the request for another reason (400, 404, any other status below 500). Nothing changed.
    #[error("the write was not accepted: {answer}")]
    Rejected {
        /// What came.
        answer: Box<Answer>,
    },
    /// Too many requests (429). Nothing changed.
    #[error("{url} asks for fewer requests")]
    Throttled {
        /// The patch's address.
        url: Address,
        /// How long the server asks to wait, no longer than the retry policy's cap.
        retry_after: Option<Duration>,
    },
    /// The write may or may not have been carried out: only a read can tell.
    #[error("it was left open whether {url} was written")]
    Unknown {
        /// The patch's address.
        url: Address,
        /// What came instead of an answer.
        #[source]
        what: Lost,
    },
    /// The server never saw the request.
    #[error("nothing was written to {url}")]
    NotSent {
        /// The patch's address.
        url: Address,
        /// Why not.
        #[source]
        why: Unsent,
    },
}

/// What kind of refusal a 403 is. Patchwork answers all of these with the same status, so its words must tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The token is wrong, or did not arrive.
    Credentials,
    /// The token's user does not maintain the project of the patch at the address, or of its relation.
    NotMaintainer,
    /// The token's user does not maintain the project of one of the patches to relate.
    OtherProject,
    /// Words that kinset does not know, perhaps of a proxy.
    Other,
}

/// What came instead of an answer to a write.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// Nothing, in time.
    #[error("no answer within {} s", limit.as_secs_f64())]
    TimedOut {
        /// How long it was waited for.
        limit: Duration,
    },
    /// The connection ended after the request may have been sent.
    #[error("the connection broke")]
    Connection(#[source] Cause),
    /// A status of 500 and above, or one that says nothing about what became of the request.
    #[error("{0}")]
    Status(Box<Answer>),
    /// A status that tells success, but a body that cannot be Patchwork's, or that broke off.
    #[error("the answer cannot be read: {0}")]
    Unreadable(Box<Answer>),
}

/// Why a write was not sent.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    /// No connection, or none that can be trusted.
    #[error("no connection")]
    Unreachable(#[source] Cause),
    /// Relating a patch to nothing: Patchwork would take that for a clear.
    #[error("there is no patch to relate it to")]
    NothingToRelate,
}

impl Remedy for WriteError {
    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Conflict { .. } => {
                "somebody else may have related these patches meanwhile, or there is a relation of one, which no read shows; plan again"
            }
            Self::Forbidden {
                kind: Refusal::Credentials,
                ..
            } => CHECK_TOKEN,
            Self::Forbidden {
                kind: Refusal::NotMaintainer | Refusal::OtherProject,
                ..
            } => "have the tracker's administrators make the token's user a maintainer of every project concerned",
            Self::Forbidden { kind: Refusal::Other, .. } => {
                "ask the tracker's operators why; a proxy in front of the tracker may have refused"
            }
            Self::Rejected { answer } if answer.status.is_redirection() => {
                "writes follow no redirects: set `url` in the configuration to where the tracker really is (https, the right name)"
            }
            Self::Rejected { .. } => "the tracker may have changed since it was read: plan again",
            Self::Throttled { .. } => "lower `requests_per_second` in the configuration",
            Self::Unknown { .. } => "the next run reads the patch first and goes on from what it finds",
            Self::NotSent {
                why: Unsent::Unreachable(_),
                ..
            } => CHECK_URL,
            Self::NotSent {
                why: Unsent::NothingToRelate,
                ..
            } => return None,
        };
        Some(text.to_owned())
    }
}

//! What can go wrong between here and a tracker.
//!
//! Every message names the address, what was expected there, and what came. Nothing in it comes from a request, and what comes from an
//! answer has been rid of the token.

use std::{fmt, time::Duration};

use reqwest::{StatusCode, header::InvalidHeaderValue};

use super::{Address, Cause};
use crate::{
    model::{PatchId, ProjectName},
    remedy::Remedy,
};

/// What a server sent where something else was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Where it came from.
    pub url: Address,
    /// Its status code.
    pub status: StatusCode,
    /// Its content type, if it told one.
    pub content_type: Option<String>,
    /// The reason that Patchwork gives in the `detail` of its refusals.
    pub detail: Option<String>,
    /// The first 200 characters of its body, control characters and repeated white space left out.
    pub excerpt: String,
}

impl Answer {
    /// Whether this is a web page, as error pages of proxies are, and not an answer of Patchwork's API.
    #[must_use]
    pub fn is_web_page(&self) -> bool {
        self.content_type.as_deref().is_some_and(|kind| kind.contains("html")) || self.excerpt.starts_with('<')
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let content_type = self.content_type.as_deref().unwrap_or("no content type");
        write!(f, "{} answered {} ({content_type})", self.url, self.status)?;
        match (&self.detail, self.excerpt.as_str()) {
            (Some(detail), _) => write!(f, ": {detail}"),
            (None, "") => write!(f, " with nothing in it"),
            (None, excerpt) => write!(f, ": {excerpt}"),
        }
    }
}

/// Why a tracker could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configured address is no web address.
    #[error("{url} cannot be a tracker's address: it starts neither with https:// nor with http://")]
    NotHttp {
        /// As configured.
        url: Address,
    },
    /// The configured address holds credentials.
    #[error("the tracker's address {url} carries a user name or a password")]
    CredentialsInUrl {
        /// As configured, without them.
        url: Address,
    },
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
    /// No connection: unknown host, connection refused, no route.
    #[error("cannot reach {url}")]
    Unreachable {
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
    /// No answer, or no end of it, in time.
    #[error("expected {expected}, but {url} did not answer within {} s", limit.as_secs_f64())]
    TimedOut {
        /// What was asked for.
        url: Address,
        /// What was expected.
        expected: &'static str,
        /// How long it was waited for.
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
    #[error("expected {expected}, but the answer broke off after {received} bytes: {answer}")]
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
    /// A patch without `related`, which API 1.2 brought.
    #[error("expected the relations of patch {patch}, but what {url} sent has no `related` for it")]
    MissingRelated {
        /// What was asked for.
        url: Address,
        /// The patch.
        patch: PatchId,
    },
    /// A project without `maintainers`.
    #[error("expected the maintainers of project {project}, but what {url} sent has no `maintainers`")]
    MissingMaintainers {
        /// What was asked for.
        url: Address,
        /// The project.
        project: ProjectName,
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
    /// A `Link` header that cannot be read, so that nobody knows whether there are more pages.
    #[error("expected a `Link` header to tell the next page of {url}, but it cannot be read: {reason}")]
    BadLink {
        /// What was asked for.
        url: Address,
        /// What is wrong with it.
        reason: String,
    },
    /// A full page without any `Link` header, so that nobody knows whether there are more pages.
    #[error("expected a `Link` header to tell the pages after {url}, but there is none")]
    NoLinks {
        /// What was asked for.
        url: Address,
    },
    /// A list that leads back to a page already read.
    #[error("the list at {url} never ends: its `next` link leads back to a page already read")]
    EndlessList {
        /// The page that is linked to again.
        url: Address,
    },
    /// A list whose order nobody can rely on, so that nobody knows whether something is missing.
    #[error("expected the list at {url} in the order of its ids")]
    NotInOrder {
        /// What was asked for.
        url: Address,
    },
    /// The tracker does not know the token.
    #[error("{url} does not accept the token: {detail}")]
    InvalidToken {
        /// What was asked for.
        url: Address,
        /// In the server's words.
        detail: String,
    },
    /// No API of any version.
    #[error("no Patchwork API found at {url}")]
    NoApi {
        /// Where it was looked for.
        url: Address,
    },
    /// An API that cannot show relations.
    #[error("expected Patchwork's API 1.2 or newer at {url}, found {found}")]
    ApiTooOld {
        /// Where it was looked for.
        url: Address,
        /// The newest version there.
        found: &'static str,
    },
}

impl Error {
    /// Whether the same read may succeed a little later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Broken { .. } | Self::Truncated { .. } => true,
            Self::NotJson { answer, .. } => answer.is_web_page(),
            Self::WebPage { .. } => true,
            Self::Status { answer, .. } => matches!(answer.status.as_u16(), 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Whether this may well be told apart from a wrong address only by a person, so that telling soon is better than trying for long.
    pub(super) fn hints_at_a_wrong_address(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NotJson { .. })
    }

    /// Whether fewer rows at once might have come through.
    pub(super) fn is_about_size(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::TooLarge { .. } => true,
            Self::Status { answer, .. } => matches!(answer.status.as_u16(), 502 | 504),
            _ => false,
        }
    }

    /// Whether a list has no such page (any more).
    pub(super) fn is_past_the_end(&self) -> bool {
        let Self::Status { answer, .. } = self else { return false };
        answer.status == StatusCode::NOT_FOUND && answer.detail.as_deref() == Some("Invalid page.")
    }

    pub(super) fn has_status(&self, status: StatusCode) -> bool {
        matches!(self, Self::Status { answer, .. } if answer.status == status)
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

pub(super) const CHECK_URL: &str = "check `url` in the configuration; it is the address at which a browser shows the tracker";
pub(super) const CHECK_TOKEN: &str = "check `token_file`, `token_env` or the systemd credential in the configuration; Patchwork shows the token on the page of its user's profile";

impl Remedy for Error {
    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::NotHttp { .. } | Self::NoApi { .. } => CHECK_URL.to_owned(),
            Self::Unreachable { .. } => format!("{CHECK_URL}, and see whether this machine reaches it"),
            Self::CredentialsInUrl { .. } => {
                "take them out of `url` in the configuration and give a token by `token_file`, `token_env` or a systemd credential"
                    .to_owned()
            }
            Self::BadContact { .. } => {
                "write `contact` in the configuration as one line of plain text, such as an address of mail".to_owned()
            }
            Self::Client { .. } => {
                "see whether the system's certificates are installed (the package is often called ca-certificates)".to_owned()
            }
            Self::Tls { .. } => {
                "check `url` in the configuration (http or https, the right name), and the server's certificate and this machine's clock"
                    .to_owned()
            }
            Self::WebPage { .. } => "a proxy in front of the tracker may have answered: look at the page in a browser".to_owned(),
            Self::NotJson { answer, .. } if answer.is_web_page() => {
                format!("{CHECK_URL}; if it is right, a proxy in front of the tracker may have answered: look at the page in a browser")
            }
            Self::LeavesServer { to, .. } | Self::LeavesEncryption { to, .. } => {
                format!("if {to} belongs to the tracker, set `url` in the configuration to where it leads")
            }
            Self::TooManyRedirects { .. } => CHECK_URL.to_owned(),
            Self::TimedOut { .. } => "the server may be busy: try again later, or with a smaller `concurrent_requests`".to_owned(),
            Self::Status { answer, .. } => return status_remedy(answer.status),
            Self::InvalidToken { .. } => CHECK_TOKEN.to_owned(),
            Self::ApiTooOld { .. } => "relations need Patchwork 2.2 or newer: ask the tracker's operators for an upgrade".to_owned(),
            Self::Broken { .. } | Self::Truncated { .. } => "try again later; if it stays so, ask the tracker's operators".to_owned(),
            Self::TooLarge { .. }
            | Self::NotJson { .. }
            | Self::WrongShape { .. }
            | Self::MissingRelated { .. }
            | Self::MissingMaintainers { .. }
            | Self::BadLink { .. }
            | Self::NoLinks { .. }
            | Self::EndlessList { .. }
            | Self::NotInOrder { .. } => {
                "this is not how Patchwork answers: look at the address with curl, and tell the tracker's operators or kinset's authors"
                    .to_owned()
            }
        };
        Some(text)
    }
}

fn status_remedy(status: StatusCode) -> Option<String> {
    let text = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => CHECK_TOKEN,
        StatusCode::TOO_MANY_REQUESTS => "lower `requests_per_second` in the configuration",
        status if status.is_server_error() => "the server is in trouble: try again later",
        _ => CHECK_URL,
    };
    Some(text.to_owned())
}

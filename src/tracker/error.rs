//! What can go wrong between here and a tracker.
//!
//! Every message names the address, what was expected there, and what came. Nothing in it comes from a request, and what comes from an
//! answer has been rid of the token.

use reqwest::StatusCode;

use crate::{
    http::{self, Address},
    model::{PatchId, ProjectName},
    remedy::Remedy,
};

/// Why a tracker could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What can go wrong with any server.
    #[error(transparent)]
    Http(#[from] http::Error),
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
    /// Whether fewer rows at once might have come through.
    pub(super) fn is_about_size(&self) -> bool {
        matches!(self, Self::Http(error) if error.is_about_size())
    }

    /// Whether a list has no such page (any more).
    pub(super) fn is_past_the_end(&self) -> bool {
        let Self::Http(http::Error::Status { answer, .. }) = self else {
            return false;
        };
        answer.status == StatusCode::NOT_FOUND && answer.detail.as_deref() == Some("Invalid page.")
    }

    pub(super) fn has_status(&self, status: StatusCode) -> bool {
        matches!(self, Self::Http(error) if error.has_status(status))
    }
}

pub(super) const CHECK_URL: &str = "check `url` in the configuration; it is the address at which a browser shows the tracker";
pub(super) const CHECK_TOKEN: &str = "check `token_file`, `token_env` or the systemd credential in the configuration; Patchwork shows the token on the page of its user's profile";

const LOOK_AND_TELL: &str =
    "this is not how Patchwork answers: look at the address with curl, and tell the tracker's operators or kinset's authors";

impl Remedy for Error {
    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Http(error) => return http_remedy(error),
            Self::NotHttp { .. } | Self::NoApi { .. } => CHECK_URL,
            Self::CredentialsInUrl { .. } => {
                "take them out of `url` in the configuration and give a token by `token_file`, `token_env` or a systemd credential"
            }
            Self::InvalidToken { .. } => CHECK_TOKEN,
            Self::ApiTooOld { .. } => "relations need Patchwork 2.2 or newer: ask the tracker's operators for an upgrade",
            Self::MissingRelated { .. }
            | Self::MissingMaintainers { .. }
            | Self::BadLink { .. }
            | Self::NoLinks { .. }
            | Self::NotInOrder { .. } => LOOK_AND_TELL,
        };
        Some(text.to_owned())
    }
}

fn http_remedy(error: &http::Error) -> Option<String> {
    let text = match error {
        http::Error::Unreachable { .. } => format!("{CHECK_URL}, and see whether this machine reaches it"),
        http::Error::Unresolved { .. } => {
            format!("see whether this machine can look up names (`getent hosts NAME`); if it can, {CHECK_URL}")
        }
        http::Error::BadContact { .. } => {
            "write `contact` in the configuration as one line of plain text, such as an address of mail".to_owned()
        }
        http::Error::Client { .. } => {
            "see whether the system's certificates are installed (the package is often called ca-certificates)".to_owned()
        }
        http::Error::Tls { .. } => {
            "check `url` in the configuration (http or https, the right name), and the server's certificate and this machine's clock"
                .to_owned()
        }
        http::Error::WebPage { .. } => "a proxy in front of the tracker may have answered: look at the page in a browser".to_owned(),
        http::Error::NotJson { answer, .. } if answer.is_web_page() => {
            format!("{CHECK_URL}; if it is right, a proxy in front of the tracker may have answered: look at the page in a browser")
        }
        http::Error::LeavesServer { to, .. } | http::Error::LeavesEncryption { to, .. } => {
            format!("if {to} belongs to the tracker, set `url` in the configuration to where it leads")
        }
        http::Error::TooManyRedirects { .. } => CHECK_URL.to_owned(),
        http::Error::TimedOut { .. } => "the server may be busy: try again later, or with a smaller `concurrent_requests`".to_owned(),
        http::Error::Slow { .. } => {
            "the server or the way to it is slow: ask the tracker's operators, or give a request more time with `timeout_seconds`"
                .to_owned()
        }
        http::Error::Status { answer, .. } => return status_remedy(answer.status),
        http::Error::Broken { .. } | http::Error::Truncated { .. } => {
            "try again later; if it stays so, ask the tracker's operators".to_owned()
        }
        http::Error::TooLarge { .. } | http::Error::NotJson { .. } | http::Error::WrongShape { .. } | http::Error::EndlessList { .. } => {
            LOOK_AND_TELL.to_owned()
        }
    };
    Some(text)
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

//! Requests to a tracker: with its token, for JSON with links to other pages, or for mails.

use std::sync::Arc;

use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use url::Url;

use super::{
    Error, Settings, Token,
    links::{BadLink, Links},
};
use crate::http::{self, Address, Answered, JSON, Transport, Wanted};

/// No list page is larger: at this size the number of rows has long been cut down.
const MOST_BYTES: usize = 64 << 20;

/// No mail that a list lets through is larger.
const MOST_MAIL_BYTES: usize = 32 << 20;

/// How often an address is asked for whose failures hint that it is wrong.
const ATTEMPTS_AT_A_WRONG_ADDRESS: u32 = 3;

/// How long to go on with a read that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// As the policy says.
    Full,
    /// As the policy says, but failures that hint at a wrong address are told soon.
    WhileAddressIsUnproven,
    /// As the policy says, but failures that fewer rows might mend are told at once.
    UnlessSizeIsAtFault,
}

impl Patience {
    fn allows(self, error: &http::Error, attempts: u32) -> bool {
        match self {
            Self::Full => true,
            Self::WhileAddressIsUnproven => !error.hints_at_a_wrong_address() || attempts < ATTEMPTS_AT_A_WRONG_ADDRESS,
            Self::UnlessSizeIsAtFault => !error.is_about_size(),
        }
    }
}

/// What came of a read.
#[derive(Debug)]
pub(super) struct Reply<T> {
    pub(super) value: T,
    /// Where it came from in the end, after any redirects.
    pub(super) url: Url,
    pub(super) links: Links,
    /// The size of the body.
    pub(super) bytes: usize,
}

/// The way to a tracker, with or without a token.
#[derive(Clone)]
pub(super) struct Session(http::Session);

impl Session {
    pub(super) fn new(settings: &Settings, token: Option<&Token>) -> Result<Self, Error> {
        let session = Self(http::Session::new(Arc::new(Transport::new(&settings.http())?)));
        Ok(token.map_or_else(|| session.clone(), |token| session.with_token(token)))
    }

    /// The same way to the tracker, with another token.
    pub(super) fn with_token(&self, token: &Token) -> Self {
        Self(self.0.authorized(token.authorization(), token.scrubber()))
    }

    pub(super) const fn has_token(&self) -> bool {
        self.0.is_authorized()
    }

    /// How many requests may be under way at once.
    pub(super) fn width(&self) -> usize {
        self.0.width()
    }

    /// An address as it may be shown.
    pub(super) fn shown(&self, url: &Url) -> Address {
        self.0.shown(url)
    }

    /// The same, for requests that are none of those below.
    pub(super) const fn http(&self) -> &http::Session {
        &self.0
    }

    /// Reads the JSON at `url`, again and again while that may help.
    ///
    /// # Errors
    /// The last attempt's. `expected` says in it what was due.
    pub(super) async fn get<T: DeserializeOwned>(&self, url: &Url, expected: &'static str, patience: Patience) -> Result<Reply<T>, Error> {
        let wanted = Wanted {
            expected,
            most_bytes: MOST_BYTES,
            accept: JSON,
            unless: None,
            read: |session, answered, expected| Ok((session.json(&answered, expected)?, answered)),
        };
        let (value, Answered { response, url, bytes }) = self.patiently(url, &wanted, patience).await?;
        let links = Links::read(response.headers(), &url).map_err(|bad| self.bad_link(&url, bad))?;
        Ok(Reply {
            value,
            url,
            links,
            bytes: bytes.len(),
        })
    }

    /// Reads the mail at `url`, again and again while that may help.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub(super) async fn get_mail(&self, url: &Url, expected: &'static str) -> Result<Vec<u8>, Error> {
        let wanted = Wanted {
            expected,
            most_bytes: MOST_MAIL_BYTES,
            accept: "text/plain",
            unless: None,
            read: http::Session::text,
        };
        self.patiently(url, &wanted, Patience::Full).await
    }

    async fn patiently<T>(&self, url: &Url, wanted: &Wanted<'_, T>, patience: Patience) -> Result<T, Error> {
        let read = self.0.get(url, wanted, |error, attempts| patience.allows(error, attempts)).await;
        read.map_err(|error| self.refused(error))
    }

    /// A refusal that is about the token and not about what was asked for.
    fn refused(&self, error: http::Error) -> Error {
        match &error {
            http::Error::Status { answer, .. }
                if self.has_token() && matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) =>
            {
                match &answer.detail {
                    Some(detail) if is_about_credentials(detail) => Error::InvalidToken {
                        url: answer.url.clone(),
                        detail: detail.clone(),
                    },
                    _ => error.into(),
                }
            }
            _ => error.into(),
        }
    }

    /// What a link that cannot be followed means.
    pub(super) fn bad_link(&self, page: &Url, bad: BadLink) -> Error {
        match bad {
            BadLink::Unreadable(reason) => Error::BadLink {
                url: self.shown(page),
                reason,
            },
            BadLink::Elsewhere(to) => self.0.leaves_server(page, &to).into(),
        }
    }
}

/// Whether a refusal is about who asks and not about what is asked, in the words of Django REST framework.
pub(super) fn is_about_credentials(detail: &str) -> bool {
    ["Invalid token", "User inactive", "Authentication credentials"]
        .iter()
        .any(|words| detail.starts_with(words))
}

#[cfg(test)]
mod tests {
    use super::is_about_credentials;

    #[test]
    fn refusals_of_the_token_are_told_from_refusals_of_the_deed() {
        for detail in [
            "Invalid token.",
            "Invalid token header. No credentials provided.",
            "User inactive or deleted.",
        ] {
            assert!(is_about_credentials(detail), "{detail}");
        }
        assert!(!is_about_credentials("You do not have permission to perform this action."));
    }
}

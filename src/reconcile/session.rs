//! A tracker that was reached, with what is known of the user.

use std::time::Duration;

use super::Error;
use crate::config::{TokenSource, Tracker};
use crate::tracker::{Reader, RetryPolicy, Settings, Token, Writer};

/// How patiently a tracker is talked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionOptions {
    /// How long one request may take, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// For how long from its beginning a tracker may still be at work on a write whose sender is gone.
    pub in_hand: Duration,
    /// How reads are tried again.
    pub retry: RetryPolicy,
}

impl SessionOptions {
    /// As patient as a tracker's configuration says. What is given up after so long is not thought to take longer when nobody waits for it.
    #[must_use]
    pub fn of(tracker: &Tracker) -> Self {
        let timeout = tracker.limits.timeout();
        Self {
            timeout,
            in_hand: timeout,
            retry: RetryPolicy::lasting(tracker.limits.patience()),
        }
    }
}

impl Default for SessionOptions {
    /// A minute: Patchwork needs seconds for a page of large relations.
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            in_hand: Duration::from_secs(60),
            retry: RetryPolicy::default(),
        }
    }
}

/// A connection to one tracker, as its configuration describes it. Plans are made with it, and it writes nothing:
///
/// ```compile_fail,E0624
/// # use kinset::{reconcile::{Error, Session}, tracker::{Reader, Writer}};
/// fn write(session: Session<'_>) -> Result<(Reader, Writer), Error> {
///     session.into_writer()
/// }
/// ```
///
/// Only [`Apply::begin`](super::Apply::begin) turns it into something that does.
#[derive(Debug)]
pub struct Session<'a> {
    /// The tracker's part of the configuration.
    pub tracker: &'a Tracker,
    /// Reads from it.
    pub reader: Reader,
    /// See [`SessionOptions::in_hand`].
    pub(super) in_hand: Duration,
    token: Option<Token>,
}

impl<'a> Session<'a> {
    /// Reads the tracker's token and finds its API.
    ///
    /// # Errors
    /// When the token cannot be had or is not accepted, or no usable API answers.
    pub async fn open(tracker: &'a Tracker, options: SessionOptions) -> Result<Self, Error> {
        let SessionOptions { timeout, in_hand, retry } = options;
        let token = tracker.token.as_ref().map(read_token).transpose()?;
        let settings = Settings {
            url: tracker.url.clone(),
            contact: tracker.contact.clone(),
            requests_per_second: tracker.limits.requests_per_second,
            concurrent_requests: tracker.limits.concurrent_requests,
            timeout,
            retry,
        };
        let reader = Reader::connect(settings, token.as_ref()).await?;
        Ok(Self {
            tracker,
            reader,
            in_hand,
            token,
        })
    }

    /// Turns the session into one that can write.
    ///
    /// # Errors
    /// [`Error::NoToken`] when the configuration names no token.
    pub(super) fn into_writer(self) -> Result<(Reader, Writer), Error> {
        let token = self.token.ok_or_else(|| Error::NoToken {
            tracker: self.tracker.name.clone(),
        })?;
        let writer = Writer::new(&self.reader, token);
        Ok((self.reader, writer))
    }
}

/// Reads a tracker's token and forgets it again, to tell whether it can be had. One without a token is fine, it can only not write.
///
/// # Errors
/// When the token cannot be read.
pub fn check_token(tracker: &Tracker) -> Result<(), Error> {
    tracker.token.as_ref().map(read_token).transpose().map(|_token| ())
}

fn read_token(source: &TokenSource) -> Result<Token, Error> {
    let token = match source {
        TokenSource::File(path) => Token::from_file(path),
        TokenSource::Env(variable) => Token::from_env(variable),
        TokenSource::Credential(name) => Token::from_credential(name),
    };
    token.map_err(Error::Token)
}

//! The way to a service.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde::de::DeserializeOwned;
use url::Url;

use super::{Traffic, Trouble};
use crate::http::{Address, Answered, Error, JSON, Place, Session, Settings, Trail, Transport, Validator, Wanted};

/// No answer is larger: all packages of Fedora with their owners are a few MB.
const MOST_BYTES: usize = 64 << 20;

/// What came of a conditional read.
#[derive(Debug)]
pub(super) enum Fetched<T> {
    /// This is there now.
    New(T, Option<Validator>),
    /// What was there before.
    Unchanged,
}

impl<T> Fetched<T> {
    pub(super) const fn is_new(&self) -> bool {
        matches!(self, Self::New(..))
    }
}

/// What to make of an answer, and how many bytes of it there were.
type Reads<T> = fn(&Session, Answered, &'static str) -> Result<(Fetched<T>, usize), Error>;

/// The way to one service, with a count of what was read.
pub(super) struct Web {
    session: Session,
    answers: AtomicU64,
    unchanged: AtomicU64,
    bytes: AtomicU64,
}

impl Web {
    pub(super) fn new(settings: &Settings) -> Result<Self, Trouble> {
        Ok(Self {
            session: Session::new(Arc::new(Transport::new(settings)?)),
            answers: AtomicU64::new(0),
            unchanged: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        })
    }

    /// How many requests may be under way at once.
    pub(super) fn width(&self) -> usize {
        self.session.width()
    }

    pub(super) fn shown(&self, url: &Url) -> Address {
        self.session.shown(url)
    }

    pub(super) fn traffic(&self) -> Traffic {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Traffic {
            answers: read(&self.answers),
            unchanged: read(&self.unchanged),
            bytes: read(&self.bytes),
        }
    }

    /// Reads the JSON at `url`.
    pub(super) async fn json<T: DeserializeOwned>(&self, url: &Url, expected: &'static str) -> Result<T, Trouble> {
        let wanted = Wanted {
            expected,
            most_bytes: MOST_BYTES,
            accept: JSON,
            unless: None,
            read: |session, answered, expected| Ok((session.json(&answered, expected)?, answered.bytes.len())),
        };
        let (value, bytes) = self.session.get(url, &wanted, |_, _| true).await?;
        self.count(bytes);
        Ok(value)
    }

    /// Reads the JSON at `url`, unless what is there is what was read before.
    pub(super) async fn json_unless<T: DeserializeOwned>(
        &self,
        url: &Url,
        expected: &'static str,
        unless: Option<&Validator>,
    ) -> Result<Fetched<T>, Trouble> {
        let read = |session: &Session, answered: Answered, expected| {
            if answered.is_unchanged() {
                return Ok((Fetched::Unchanged, 0));
            }
            let value = session.json(&answered, expected)?;
            Ok((Fetched::New(value, answered.validator()), answered.bytes.len()))
        };
        self.unless(url, expected, JSON, unless, read).await
    }

    /// Reads the file at `url`, unless what is there is what was read before. A web page is none.
    pub(super) async fn file_unless(
        &self,
        url: &Url,
        expected: &'static str,
        accept: &'static str,
        unless: Option<&Validator>,
    ) -> Result<Fetched<Vec<u8>>, Trouble> {
        let read = |session: &Session, answered: Answered, expected| {
            if answered.is_unchanged() {
                return Ok((Fetched::Unchanged, 0));
            }
            let validator = answered.validator();
            let bytes = session.text(answered, expected)?;
            let count = bytes.len();
            Ok((Fetched::New(bytes, validator), count))
        };
        self.unless(url, expected, accept, unless, read).await
    }

    /// Reads the file at `url`. A web page is none.
    pub(super) async fn file(&self, url: &Url, expected: &'static str, accept: &'static str) -> Result<Vec<u8>, Trouble> {
        let wanted = Wanted {
            expected,
            most_bytes: MOST_BYTES,
            accept,
            unless: None,
            read: |session, answered, expected| session.text(answered, expected),
        };
        let bytes = self.session.get(url, &wanted, |_, _| true).await?;
        self.count(bytes.len());
        Ok(bytes)
    }

    async fn unless<T>(
        &self,
        url: &Url,
        expected: &'static str,
        accept: &'static str,
        unless: Option<&Validator>,
        read: Reads<T>,
    ) -> Result<Fetched<T>, Trouble> {
        let wanted = Wanted {
            expected,
            most_bytes: MOST_BYTES,
            accept,
            unless,
            read,
        };
        let (fetched, bytes) = self.session.get(url, &wanted, |_, _| true).await?;
        self.count(bytes);
        if matches!(fetched, Fetched::Unchanged) {
            self.unchanged.fetch_add(1, Ordering::Relaxed);
        }
        Ok(fetched)
    }

    fn count(&self, bytes: usize) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Where a link in an answer from `page` leads, if it stays on the server.
    pub(super) fn link(&self, page: &Url, link: &str, expected: &'static str) -> Result<Url, Trouble> {
        let url = Url::parse(link).map_err(|_no_url| Trouble::BadLink {
            url: self.shown(page),
            expected,
            found: link.chars().take(200).collect(),
        })?;
        match Place::of(page, &url) {
            Place::Same | Place::Encrypted => Ok(url),
            Place::InTheClear | Place::Elsewhere => Err(self.session.leaves_server(page, &url).into()),
        }
    }

    /// Goes on to the next page of a list, if `trail` has not been there.
    pub(super) fn step(&self, trail: &mut Trail, next: &Url) -> Result<(), Trouble> {
        Ok(trail.step(&self.session, next)?)
    }
}

impl Trouble {
    /// Whether the service says that there is no such thing.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Http(Error::Status { answer, .. }) if matches!(answer.status.as_u16(), 404 | 410))
    }

    /// Whether the service does not show it to whoever asks.
    pub(super) fn is_hidden(&self) -> bool {
        self.is_missing() || matches!(self, Self::Http(Error::Status { answer, .. }) if matches!(answer.status.as_u16(), 401 | 403))
    }
}

/// The address under `base` that `segments` name, without a slash at its end.
pub(super) fn under(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

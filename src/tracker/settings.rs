//! How to treat a tracker: where it is, how often it may be asked, and how patiently.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use url::Url;

use crate::http::{self, RetryPolicy};

/// What a [`super::Reader`] needs to know of a tracker.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The tracker's address: its site, its `…/api/`, or one version of that.
    pub url: Url,
    /// Whom the server's operators may write to about kinset's requests; part of the `User-Agent`.
    pub contact: Option<String>,
    /// How many requests may start in a second, reads and writes together, evenly spread.
    pub requests_per_second: NonZeroU32,
    /// How many requests may be under way at once, reads and writes together.
    pub concurrent_requests: NonZeroUsize,
    /// How long one request may take, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// How reads are tried again.
    pub retry: RetryPolicy,
}

impl Settings {
    /// What the requests themselves have to keep to.
    pub(super) fn http(&self) -> http::Settings {
        http::Settings {
            contact: self.contact.clone(),
            requests_per_second: self.requests_per_second,
            concurrent_requests: self.concurrent_requests,
            timeout: self.timeout,
            retry: self.retry.clone(),
        }
    }
}

//! The connections to a server, and how many requests may go over them at once and in a second.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::{
    Client, Method, RequestBuilder, Response,
    header::{ACCEPT, HeaderMap, HeaderValue},
    redirect,
};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use super::{Error, RetryPolicy, beat, meter::Sent, resolve::Resolver, session::JSON};

/// A connection is made within this time or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An idle connection is kept for less than gunicorn keeps it (2 s), so that no write is sent into one that is just being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// How to treat a server: how often it may be asked, and how patiently.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whom the server's operators may write to about kinset's requests; part of the `User-Agent`.
    pub contact: Option<String>,
    /// How many requests may start in a second, evenly spread.
    pub requests_per_second: NonZeroU32,
    /// How many requests may be under way at once.
    pub concurrent_requests: NonZeroUsize,
    /// How long one request may take, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// How reads are tried again.
    pub retry: RetryPolicy,
}

/// The one way to a server, shared by everything that reads from it and writes to it.
pub(crate) struct Transport {
    client: Client,
    pace: DefaultDirectRateLimiter,
    slots: Semaphore,
    width: usize,
    retry: RetryPolicy,
    timeout: Duration,
}

impl Transport {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        install_crypto_provider();
        let connect_timeout = settings.timeout.min(CONNECT_TIMEOUT);
        let client = Client::builder()
            .user_agent(user_agent(settings.contact.as_deref())?)
            .default_headers(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(JSON))]))
            .timeout(settings.timeout)
            .connect_timeout(connect_timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .dns_resolver(Resolver::within(connect_timeout))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .build()
            .map_err(|error| Error::Client { source: error.into() })?;
        let quota = Quota::per_second(settings.requests_per_second).allow_burst(NonZeroU32::MIN);
        let width = settings.concurrent_requests.get().min(Semaphore::MAX_PERMITS);
        Ok(Self {
            client,
            pace: RateLimiter::direct(quota),
            slots: Semaphore::new(width),
            width,
            retry: settings.retry.clone(),
            timeout: settings.timeout,
        })
    }

    pub(super) const fn width(&self) -> usize {
        self.width
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(super) const fn retry(&self) -> &RetryPolicy {
        &self.retry
    }

    pub(super) fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        self.client.request(method, url.clone())
    }

    /// Waits for a place among the requests under way.
    pub(super) async fn slot(&self) -> Slot<'_> {
        Slot {
            _permit: self.slots.acquire().await.ok(),
        }
    }

    /// Waits for a place among the requests under way, and until the time for another has come.
    pub(super) async fn turn(&self) -> Slot<'_> {
        let slot = self.slot().await;
        self.pace.until_ready().await;
        slot
    }

    /// Sends a request once, when its time has come. The slot has to be kept until the answer is read.
    pub(super) async fn send(&self, slot: &Slot<'_>, request: RequestBuilder) -> Result<Response, reqwest::Error> {
        self.pace.until_ready().await;
        self.send_now(slot, request).await
    }

    /// The same for a slot that is the [turn](Self::turn) of this request.
    pub(super) async fn send_now(&self, _turn: &Slot<'_>, request: RequestBuilder) -> Result<Response, reqwest::Error> {
        beat();
        let sent = Sent::now();
        let mut answer = request.send().await.map_err(reqwest::Error::without_url);
        sent.answered(&mut answer);
        beat();
        answer
    }
}

/// TLS by ring for the whole process; whoever installed another provider before has made the choice.
fn install_crypto_provider() {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
}

fn user_agent(contact: Option<&str>) -> Result<HeaderValue, Error> {
    let product = concat!("kinset/", env!("CARGO_PKG_VERSION"));
    match contact {
        None => Ok(HeaderValue::from_static(product)),
        Some(contact) => HeaderValue::from_str(&format!("{product} ({contact})")).map_err(|source| Error::BadContact {
            contact: contact.to_owned(),
            source,
        }),
    }
}

/// A place among the requests under way, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Slot<'a> {
    /// There always is one, for the semaphore is never closed.
    _permit: Option<SemaphorePermit<'a>>,
}

//! Requests: at a measured pace, a few at a time, and for reads with patience.

use std::{collections::BTreeSet, error::Error as StdError, io, sync::Arc, time::Duration};

use backon::BackoffBuilder;
use jiff::Timestamp;
use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{
        ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
        LOCATION,
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::error::Category;
use tokio::time::Instant;
use url::Url;

use super::{
    Address, Answer, Error, Transport,
    address::{Place, Scrubber},
    answer::excerpt,
    beat,
    meter::{Sent, broke_off, came, was_too_large},
    retry_after::retry_after,
    transport::Slot,
};

/// What is asked for where nothing else is: without it a page for people may come.
pub(crate) const JSON: &str = "application/json";

/// As much of an answer that is not wanted is read; a refusal is far shorter.
const MOST_UNWANTED_BYTES: usize = 64 << 10;

/// As many redirects are followed for one read.
const MOST_REDIRECTS: usize = 5;

/// What a read is to bring.
pub(crate) struct Wanted<'a, T> {
    /// In the words of an error.
    pub(crate) expected: &'static str,
    /// No answer is larger.
    pub(crate) most_bytes: usize,
    /// What is asked for.
    pub(crate) accept: &'static str,
    /// What was read before: the server may answer that it still holds, with status 304 and nothing in it.
    pub(crate) unless: Option<&'a Validator>,
    /// What to make of a whole answer that tells success.
    pub(crate) read: fn(&Session, Answered, &'static str) -> Result<T, Error>,
}

/// A whole answer that tells success.
pub(crate) struct Answered {
    pub(crate) response: Response,
    /// Where it came from in the end, after any redirects.
    pub(crate) url: Url,
    pub(crate) bytes: Vec<u8>,
}

impl Answered {
    /// Whether the server says that what was read before still holds.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.response.status() == StatusCode::NOT_MODIFIED
    }

    /// What tells this state from another.
    pub(crate) fn validator(&self) -> Option<Validator> {
        Validator::of(self.response.headers())
    }
}

/// What tells one state of a thing from another, in the server's words (RFC 9110, section 8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// The `ETag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The `Last-Modified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Validator {
    /// What an answer tells, if it tells anything.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::to_owned);
        let validator = Self {
            etag: text(ETAG),
            last_modified: text(LAST_MODIFIED),
        };
        (validator != Self::default()).then_some(validator)
    }

    fn on(&self, request: RequestBuilder) -> RequestBuilder {
        let conditions = [(IF_NONE_MATCH, &self.etag), (IF_MODIFIED_SINCE, &self.last_modified)];
        conditions.into_iter().fold(request, |request, (name, value)| match value {
            Some(value) => request.header(name, value),
            None => request,
        })
    }
}

/// The reason in a refusal.
#[derive(Deserialize)]
struct Detail {
    detail: String,
}

/// A [`Transport`] with or without a token.
#[derive(Clone)]
pub(crate) struct Session {
    transport: Arc<Transport>,
    authorization: Option<HeaderValue>,
    scrubber: Scrubber,
}

impl Session {
    /// Without a token.
    pub(crate) const fn new(transport: Arc<Transport>) -> Self {
        Self {
            transport,
            authorization: None,
            scrubber: Scrubber::none(),
        }
    }

    /// The same way to the server, with this header, and with `scrubber` to keep it out of whatever is shown.
    pub(crate) fn authorized(&self, authorization: HeaderValue, scrubber: Scrubber) -> Self {
        Self {
            transport: Arc::clone(&self.transport),
            authorization: Some(authorization),
            scrubber,
        }
    }

    pub(crate) const fn is_authorized(&self) -> bool {
        self.authorization.is_some()
    }

    /// How many requests may be under way at once.
    pub(crate) fn width(&self) -> usize {
        self.transport.width()
    }

    /// How long one request may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.transport.timeout()
    }

    /// An address as it may be shown.
    pub(crate) fn shown(&self, url: &Url) -> Address {
        Address::new(url, &self.scrubber)
    }

    /// Starts a request, to be sent with [`Self::send`].
    pub(crate) fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        let request = self.transport.request(method, url);
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        }
    }

    /// Waits for a place among the requests under way.
    pub(crate) async fn slot(&self) -> Slot<'_> {
        self.transport.slot().await
    }

    /// Sends a request once, when its time has come. The slot has to be kept until the answer is read.
    pub(crate) async fn send(&self, slot: &Slot<'_>, request: RequestBuilder) -> Result<Response, reqwest::Error> {
        self.transport.send(slot, request).await
    }

    /// Waits for a place among the requests under way, and until the time for another has come.
    pub(crate) async fn turn(&self) -> Slot<'_> {
        self.transport.turn().await
    }

    /// Sends a request once, whose turn it is. That has to be kept until the answer is read.
    pub(crate) async fn send_now(&self, turn: &Slot<'_>, request: RequestBuilder) -> Result<Response, reqwest::Error> {
        self.transport.send_now(turn, request).await
    }

    /// Reads what is at `url`, again and again while that may help and `allows`, asked with the error and the number of attempts, does not
    /// forbid it.
    ///
    /// # Errors
    /// The last attempt's.
    pub(crate) async fn get<T>(&self, url: &Url, wanted: &Wanted<'_, T>, allows: impl Fn(&Error, u32) -> bool) -> Result<T, Error> {
        let policy = self.transport.retry();
        let started = Instant::now();
        let mut backoff = policy.backoff().build();
        let mut attempts = 0;
        loop {
            let error = match self.attempt(url, wanted).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            // Whoever waits next has not waited for longer than for this one request.
            beat();
            attempts += 1;
            if !error.is_transient() || !allows(&error, attempts) || started.elapsed() >= policy.patience {
                return Err(error);
            }
            let Some(wait) = backoff.next() else { return Err(error) };
            let wait = policy.wait(wait, error.retry_after());
            let reason = with_sources(&error);
            tracing::warn!(url = %self.shown(url), attempt = attempts, delay_ms = wait.as_millis(), reason, "read failed, trying again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt<T>(&self, url: &Url, wanted: &Wanted<'_, T>) -> Result<T, Error> {
        let expected = wanted.expected;
        let slot = self.slot().await;
        let mut here = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let mut request = self.request(Method::GET, &here).header(ACCEPT, wanted.accept);
            if let Some(validator) = wanted.unless {
                request = validator.on(request);
            }
            let response = self
                .send(&slot, request)
                .await
                .map_err(|error| self.unanswered(&here, expected, error))?;
            match redirect_target(&response, &here) {
                Some(there) => here = self.follow(&here, there)?,
                None => return self.read(response, here, wanted).await,
            }
        }
        Err(Error::TooManyRedirects {
            url: self.shown(url),
            expected,
            limit: MOST_REDIRECTS,
        })
    }

    fn follow(&self, from: &Url, to: Url) -> Result<Url, Error> {
        match Place::of(from, &to) {
            Place::Same | Place::Encrypted => Ok(to),
            Place::InTheClear => Err(Error::LeavesEncryption {
                from: self.shown(from),
                to: self.shown(&to),
            }),
            Place::Elsewhere => Err(self.leaves_server(from, &to)),
        }
    }

    /// Refuses to go on at another server.
    pub(crate) fn leaves_server(&self, from: &Url, to: &Url) -> Error {
        Error::LeavesServer {
            from: self.shown(from),
            to: self.shown(to),
        }
    }

    async fn read<T>(&self, mut response: Response, url: Url, wanted: &Wanted<'_, T>) -> Result<T, Error> {
        let expected = wanted.expected;
        let still_holds = wanted.unless.is_some() && response.status() == StatusCode::NOT_MODIFIED;
        if !response.status().is_success() && !still_holds {
            let answer = Box::new(self.unwanted(&mut response, &url).await);
            return Err(Error::Status {
                expected,
                answer,
                retry_after: retry_after(response.headers(), Timestamp::now()),
            });
        }
        let Body { bytes, end } = Body::read(&mut response, wanted.most_bytes).await;
        match end {
            BodyEnd::Whole => {}
            BodyEnd::TooFar => {
                was_too_large(&response);
                return Err(Error::TooLarge {
                    url: self.shown(&url),
                    expected,
                    limit: wanted.most_bytes,
                });
            }
            BodyEnd::Failed(error) if error.is_timeout() => {
                return Err(Error::Slow {
                    url: self.shown(&url),
                    expected,
                    received: bytes.len(),
                    limit: self.timeout(),
                });
            }
            BodyEnd::Failed(error) => {
                let answer = Box::new(self.answer(&response, &url, &bytes));
                return Err(Error::Truncated {
                    expected,
                    received: bytes.len(),
                    answer,
                    source: Some(error.into()),
                });
            }
        }
        let sent = Sent::of(&response);
        let read = (wanted.read)(self, Answered { response, url, bytes }, expected);
        if let (Some(sent), Err(error)) = (sent, &read) {
            sent.was_of_no_use(error);
        }
        read
    }

    /// What the JSON of an answer says.
    pub(crate) fn json<T: DeserializeOwned>(&self, answered: &Answered, expected: &'static str) -> Result<T, Error> {
        let Answered { response, url, bytes } = answered;
        let answer = || Box::new(self.answer(response, url, bytes));
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let error = match serde_path_to_error::deserialize(&mut json) {
            Ok(value) if json.end().is_ok() => return Ok(value),
            Ok(_followed_by_more) => {
                return Err(Error::NotJson {
                    expected,
                    answer: answer(),
                });
            }
            Err(error) => error,
        };
        Err(match error.inner().classify() {
            Category::Data => Error::WrongShape {
                url: self.shown(url),
                expected,
                path: self.scrubber.scrub(&place(error.path())),
                reason: self.scrubber.scrub(&error.inner().to_string()),
            },
            Category::Eof => Error::Truncated {
                expected,
                received: bytes.len(),
                answer: answer(),
                source: None,
            },
            Category::Syntax | Category::Io => Error::NotJson {
                expected,
                answer: answer(),
            },
        })
    }

    /// An answer that is to be anything but a web page; it may be XML.
    pub(crate) fn text(&self, answered: Answered, expected: &'static str) -> Result<Vec<u8>, Error> {
        let Answered { response, url, bytes } = answered;
        let answer = self.answer(&response, &url, &bytes);
        if answer.is_web_page() && !answer.is_xml() {
            let answer = Box::new(answer);
            return Err(Error::WebPage { expected, answer });
        }
        Ok(bytes)
    }

    /// Reads as much of an answer that is not wanted as is shown of it. What cannot be read of it changes nothing about its status.
    pub(crate) async fn unwanted(&self, response: &mut Response, url: &Url) -> Answer {
        let body = Body::read(response, MOST_UNWANTED_BYTES).await;
        self.answer(response, url, &body.bytes)
    }

    /// An answer as it may be shown.
    pub(crate) fn answer(&self, response: &Response, url: &Url, body: &[u8]) -> Answer {
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let body = &body[..body.len().min(MOST_UNWANTED_BYTES)];
        let detail = serde_json::from_slice::<Detail>(body).ok();
        Answer {
            url: self.shown(url),
            status: response.status(),
            content_type: content_type.map(|value| self.scrubber.scrub(value)),
            detail: detail.map(|body| excerpt(&self.scrubber.scrub(&body.detail))),
            excerpt: excerpt(&self.scrubber.scrub(&String::from_utf8_lossy(body))),
        }
    }

    fn unanswered(&self, url: &Url, expected: &'static str, error: reqwest::Error) -> Error {
        let url = self.shown(url);
        if is_about_tls(&error) {
            Error::Tls { url, source: error.into() }
        } else if error.is_dns() {
            Error::Unresolved { url, source: error.into() }
        } else if error.is_connect() {
            Error::Unreachable { url, source: error.into() }
        } else if error.is_timeout() {
            Error::TimedOut {
                url,
                expected,
                limit: self.timeout(),
            }
        } else {
            Error::Broken {
                url,
                expected,
                source: error.into(),
            }
        }
    }

    /// How long a server asks to wait, no longer than the policy's cap.
    pub(crate) fn asked_to_wait(&self, headers: &HeaderMap) -> Option<Duration> {
        retry_after(headers, Timestamp::now()).map(|wait| wait.min(self.transport.retry().cap))
    }
}

/// The `next` links that were followed. Coming back to one means going in circles.
#[derive(Debug, Default)]
pub(crate) struct Trail(BTreeSet<Url>);

impl Trail {
    pub(crate) fn step(&mut self, session: &Session, url: &Url) -> Result<(), Error> {
        if self.0.insert(url.clone()) {
            Ok(())
        } else {
            Err(Error::EndlessList { url: session.shown(url) })
        }
    }
}

/// As much of a body as is wanted.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) end: BodyEnd,
}

/// How reading a body ended.
pub(crate) enum BodyEnd {
    /// Everything is there.
    Whole,
    /// There is more than is wanted.
    TooFar,
    /// It broke off.
    Failed(reqwest::Error),
}

impl Body {
    pub(crate) async fn read(response: &mut Response, most: usize) -> Self {
        let mut bytes = Vec::new();
        let end = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() > most => break BodyEnd::TooFar,
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => {
                    came(response);
                    break BodyEnd::Whole;
                }
                Err(error) => {
                    broke_off(response, &error);
                    break BodyEnd::Failed(error.without_url());
                }
            }
        };
        Self { bytes, end }
    }
}

/// Where a redirect leads, if the response is one that says where.
fn redirect_target(response: &Response, from: &Url) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    from.join(location).ok()
}

/// Whether a connection failed for what TLS demands.
pub(crate) fn is_about_tls(error: &reqwest::Error) -> bool {
    std::iter::successors(error.source(), |&cause| cause_within(cause)).any(<dyn StdError>::is::<rustls::Error>)
}

/// What an error wraps. An I/O error does not tell what it wraps as its source, but only the source of that.
fn cause_within<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&source| source.source())
}

/// An error and all that caused it, on one line.
pub(crate) fn with_sources(error: &(dyn StdError + 'static)) -> String {
    let mut line = error.to_string();
    for source in sources(error) {
        line.push_str(": ");
        line.push_str(&source.to_string());
    }
    line
}

/// A place within JSON, in words where it is not within anything.
fn place(path: &serde_path_to_error::Path) -> String {
    if path.iter().next().is_none() {
        "its top".to_owned()
    } else {
        path.to_string()
    }
}

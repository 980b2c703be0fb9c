//! Requests: at a measured pace, a few at a time, and for reads with patience.

use std::{error::Error as StdError, io, num::NonZeroU32, sync::Arc, time::Duration};

use backon::BackoffBuilder;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
    redirect,
};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};
use url::Url;

use super::{
    Address, Answer, Error, RetryPolicy, Settings, Token,
    address::Place,
    links::{BadLink, Links},
    retry_after::retry_after,
    token::Scrubber,
    wire::Detail,
};

/// What is asked for where nothing else is: without it a page for people may come.
const JSON: &str = "application/json";

/// No list page is larger: at this size the number of rows has long been cut down.
const MOST_BYTES: usize = 64 << 20;

/// No mail that a list lets through is larger.
const MOST_MAIL_BYTES: usize = 32 << 20;

/// As much of an answer that is not wanted is read; a refusal of Patchwork's is far shorter.
const MOST_UNWANTED_BYTES: usize = 64 << 10;

/// As much of an answer is shown.
const EXCERPT_CHARS: usize = 200;

/// As many redirects are followed for one read.
const MOST_REDIRECTS: usize = 5;

/// A connection is made within this time or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An idle connection is kept for less than gunicorn keeps it (2 s), so that no write is sent into one that is just being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// How often an address is asked for whose failures hint that it is wrong.
const ATTEMPTS_AT_A_WRONG_ADDRESS: u32 = 3;

/// The one way to a tracker, shared by everything that reads from it and writes to it.
pub(super) struct Transport {
    client: Client,
    pace: DefaultDirectRateLimiter,
    slots: Semaphore,
    width: usize,
    retry: RetryPolicy,
    timeout: Duration,
}

impl Transport {
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        install_crypto_provider();
        let client = Client::builder()
            .user_agent(user_agent(settings.contact.as_deref())?)
            .default_headers(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(JSON))]))
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout.min(CONNECT_TIMEOUT))
            .pool_idle_timeout(IDLE_TIMEOUT)
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
pub(super) struct Slot<'a> {
    /// There always is one, for the semaphore is never closed.
    _permit: Option<SemaphorePermit<'a>>,
}

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
    fn allows(self, error: &Error, attempts: u32) -> bool {
        match self {
            Self::Full => true,
            Self::WhileAddressIsUnproven => !error.hints_at_a_wrong_address() || attempts < ATTEMPTS_AT_A_WRONG_ADDRESS,
            Self::UnlessSizeIsAtFault => !error.is_about_size(),
        }
    }
}

/// What a read is to bring.
struct Wanted<T> {
    /// In the words of an error.
    expected: &'static str,
    most_bytes: usize,
    accept: &'static str,
    read: fn(&Session, Answered, &'static str) -> Result<T, Error>,
}

/// A whole answer that tells success.
struct Answered {
    response: Response,
    url: Url,
    bytes: Vec<u8>,
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

/// A [`Transport`] with or without a token.
#[derive(Clone)]
pub(super) struct Session {
    transport: Arc<Transport>,
    authorization: Option<HeaderValue>,
    scrubber: Scrubber,
}

impl Session {
    pub(super) fn new(transport: Arc<Transport>, token: Option<&Token>) -> Self {
        Self {
            transport,
            authorization: token.map(Token::authorization),
            scrubber: token.map_or_else(Scrubber::none, Token::scrubber),
        }
    }

    /// The same way to the tracker, with another token.
    pub(super) fn with_token(&self, token: &Token) -> Self {
        Self::new(Arc::clone(&self.transport), Some(token))
    }

    pub(super) fn has_token(&self) -> bool {
        self.authorization.is_some()
    }

    /// How many requests may be under way at once.
    pub(super) fn width(&self) -> usize {
        self.transport.width
    }

    /// How long one request may take.
    pub(super) fn timeout(&self) -> Duration {
        self.transport.timeout
    }

    /// An address as it may be shown.
    pub(super) fn shown(&self, url: &Url) -> Address {
        Address::new(url, &self.scrubber)
    }

    /// Starts a request, to be sent with [`Self::send`].
    pub(super) fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        let request = self.transport.client.request(method, url.clone());
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        }
    }

    /// Waits for a place among the requests under way.
    pub(super) async fn slot(&self) -> Slot<'_> {
        Slot {
            _permit: self.transport.slots.acquire().await.ok(),
        }
    }

    /// Sends a request once, when its time has come. The slot has to be kept until the answer is read.
    pub(super) async fn send(&self, _slot: &Slot<'_>, request: RequestBuilder) -> Result<Response, reqwest::Error> {
        self.transport.pace.until_ready().await;
        request.send().await.map_err(reqwest::Error::without_url)
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
            read: Self::json,
        };
        self.patiently(url, &wanted, patience).await
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
            read: Self::mail,
        };
        self.patiently(url, &wanted, Patience::Full).await
    }

    async fn patiently<T>(&self, url: &Url, wanted: &Wanted<T>, patience: Patience) -> Result<T, Error> {
        let policy = &self.transport.retry;
        let started = Instant::now();
        let mut backoff = policy.backoff().build();
        let mut attempts = 0;
        loop {
            let error = match self.attempt(url, wanted).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            attempts += 1;
            if !error.is_transient() || !patience.allows(&error, attempts) || started.elapsed() >= policy.patience {
                return Err(error);
            }
            let Some(wait) = backoff.next() else { return Err(error) };
            let wait = policy.wait(wait, error.retry_after());
            let reason = with_sources(&error);
            tracing::warn!(url = %self.shown(url), attempt = attempts, delay_ms = wait.as_millis(), reason, "read failed, trying again");
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt<T>(&self, url: &Url, wanted: &Wanted<T>) -> Result<T, Error> {
        let expected = wanted.expected;
        let slot = self.slot().await;
        let mut here = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let request = self.request(Method::GET, &here).header(ACCEPT, wanted.accept);
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
            Place::Elsewhere => Err(Error::LeavesServer {
                from: self.shown(from),
                to: self.shown(&to),
            }),
        }
    }

    async fn read<T>(&self, mut response: Response, url: Url, wanted: &Wanted<T>) -> Result<T, Error> {
        let expected = wanted.expected;
        if !response.status().is_success() {
            return Err(self.refused(response, &url, expected).await);
        }
        let Body { bytes, end } = Body::read(&mut response, wanted.most_bytes).await;
        match end {
            BodyEnd::Whole => {}
            BodyEnd::TooFar => {
                return Err(Error::TooLarge {
                    url: self.shown(&url),
                    expected,
                    limit: wanted.most_bytes,
                });
            }
            BodyEnd::Failed(error) if error.is_timeout() => return Err(self.unanswered(&url, expected, error)),
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
        (wanted.read)(self, Answered { response, url, bytes }, expected)
    }

    fn json<T: DeserializeOwned>(&self, answered: Answered, expected: &'static str) -> Result<Reply<T>, Error> {
        let Answered { response, url, bytes } = answered;
        let value = self.parse(&response, &url, &bytes, expected)?;
        let links = Links::read(response.headers(), &url).map_err(|bad| self.bad_link(&url, bad))?;
        Ok(Reply {
            value,
            url,
            links,
            bytes: bytes.len(),
        })
    }

    fn mail(&self, answered: Answered, expected: &'static str) -> Result<Vec<u8>, Error> {
        let Answered { response, url, bytes } = answered;
        let answer = self.answer(&response, &url, &bytes);
        if answer.is_web_page() {
            let answer = Box::new(answer);
            return Err(Error::WebPage { expected, answer });
        }
        Ok(bytes)
    }

    fn parse<T: DeserializeOwned>(&self, response: &Response, url: &Url, bytes: &[u8], expected: &'static str) -> Result<T, Error> {
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

    /// What a status other than success means.
    async fn refused(&self, mut response: Response, url: &Url, expected: &'static str) -> Error {
        let answer = self.unwanted(&mut response, url).await;
        let may_be_the_token = self.has_token() && matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        match answer.detail {
            Some(detail) if may_be_the_token && is_about_credentials(&detail) => Error::InvalidToken { url: answer.url, detail },
            _ => Error::Status {
                expected,
                answer: Box::new(answer),
                retry_after: retry_after(response.headers(), Timestamp::now()),
            },
        }
    }

    /// Reads as much of an answer that is not wanted as is shown of it. What cannot be read of it changes nothing about its status.
    pub(super) async fn unwanted(&self, response: &mut Response, url: &Url) -> Answer {
        let body = Body::read(response, MOST_UNWANTED_BYTES).await;
        self.answer(response, url, &body.bytes)
    }

    /// An answer as it may be shown.
    pub(super) fn answer(&self, response: &Response, url: &Url, body: &[u8]) -> Answer {
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
        } else if error.is_connect() {
            Error::Unreachable { url, source: error.into() }
        } else if error.is_timeout() {
            Error::TimedOut {
                url,
                expected,
                limit: self.transport.timeout,
            }
        } else {
            Error::Broken {
                url,
                expected,
                source: error.into(),
            }
        }
    }

    /// What a link that cannot be followed means.
    pub(super) fn bad_link(&self, page: &Url, bad: BadLink) -> Error {
        match bad {
            BadLink::Unreadable(reason) => Error::BadLink {
                url: self.shown(page),
                reason,
            },
            BadLink::Elsewhere(to) => Error::LeavesServer {
                from: self.shown(page),
                to: self.shown(&to),
            },
        }
    }

    /// How long a server asks to wait, no longer than the policy's cap.
    pub(super) fn asked_to_wait(&self, headers: &HeaderMap) -> Option<Duration> {
        retry_after(headers, Timestamp::now()).map(|wait| wait.min(self.transport.retry.cap))
    }
}

/// As much of a body as is wanted.
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) end: BodyEnd,
}

/// How reading a body ended.
pub(super) enum BodyEnd {
    /// Everything is there.
    Whole,
    /// There is more than is wanted.
    TooFar,
    /// It broke off.
    Failed(reqwest::Error),
}

impl Body {
    pub(super) async fn read(response: &mut Response, most: usize) -> Self {
        let mut bytes = Vec::new();
        let end = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() > most => break BodyEnd::TooFar,
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => break BodyEnd::Whole,
                Err(error) => break BodyEnd::Failed(error.without_url()),
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

/// Whether a refusal is about who asks and not about what is asked, in the words of Django REST framework.
pub(super) fn is_about_credentials(detail: &str) -> bool {
    ["Invalid token", "User inactive", "Authentication credentials"]
        .iter()
        .any(|words| detail.starts_with(words))
}

/// Whether a connection failed for what TLS demands.
pub(super) fn is_about_tls(error: &reqwest::Error) -> bool {
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
pub(super) fn with_sources(error: &Error) -> String {
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

/// The first characters of a text that a terminal can show, each run of white space as one space.
fn excerpt(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_whitespace() || letter.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::{excerpt, is_about_credentials};

    #[test]
    fn an_excerpt_is_one_short_line_that_a_terminal_can_show() {
        assert_eq!(excerpt("<html>\r\n\t<b>\u{1b}[31mno</b>  "), "<html> <b> [31mno</b>");
        let long = excerpt(&"é".repeat(1000));
        assert_eq!(long.chars().count(), 201);
        assert!(long.ends_with('…'));
    }

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

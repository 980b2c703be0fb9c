//! Requests, counted by what came of them, for whoever watches over those who ask.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{Response, StatusCode};
use serde::{Serialize, Serializer};

use super::Error;

tokio::task_local! {
    static METER: Meter;
}

/// What came of a request, as far as the way to the server and the status of its answer tell, whether all of that came, and whether it is an answer at
/// all. Of what use that is, is another matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestOutcome {
    /// A success (2xx), of which all came.
    Success,
    /// A success that brings a web page where none was due: a proxy's, which asks to log in or says that the server is being worked on.
    WebPage,
    /// What was read before still holds (304).
    Unchanged,
    /// A redirect (any other 3xx).
    Redirected,
    /// A refusal (4xx).
    Refused,
    /// Too many requests (429).
    Throttled,
    /// The server's own trouble (5xx, or a status that is none).
    ServerError,
    /// No connection, or none that can be trusted.
    Unreachable,
    /// No answer, or no end of it, in time.
    TimedOut,
    /// The connection broke, before the answer or in the middle of it.
    Broken,
    /// An answer longer than any that is read. The same comes of the same question.
    TooLarge,
    /// Nobody waited any longer for the answer, or for the rest of it.
    Abandoned,
}

impl RequestOutcome {
    /// The outcome in a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::WebPage => "web-page",
            Self::Unchanged => "unchanged",
            Self::Redirected => "redirected",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
            Self::ServerError => "server-error",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed-out",
            Self::Broken => "broken",
            Self::TooLarge => "too-large",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether the server did not answer, or was in no state to: what is asked may be had later.
    #[must_use]
    pub const fn is_outage(self) -> bool {
        match self {
            Self::WebPage | Self::Throttled | Self::ServerError | Self::Unreachable | Self::TimedOut | Self::Broken => true,
            Self::Success | Self::Unchanged | Self::Redirected | Self::Refused | Self::TooLarge | Self::Abandoned => false,
        }
    }

    fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            200..=299 => Self::Success,
            304 => Self::Unchanged,
            300..=399 => Self::Redirected,
            429 => Self::Throttled,
            400..=499 => Self::Refused,
            _ => Self::ServerError,
        }
    }

    fn of_error(error: &reqwest::Error) -> Self {
        if error.is_connect() {
            Self::Unreachable
        } else if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Broken
        }
    }
}

impl Serialize for RequestOutcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Whom each request is told to as soon as it is known what came of it.
///
/// It goes with the task, as [`Pulse`](super::Pulse) does.
#[derive(Clone)]
pub struct Meter {
    part: Option<Arc<str>>,
    count: Arc<Count>,
}

type Count = dyn Fn(Option<&str>, RequestOutcome) + Send + Sync;

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("part", &self.part).finish_non_exhaustive()
    }
}

impl Meter {
    /// Calls this with what came of each request, and with the part of the work that it was made for, if the work has parts.
    #[must_use]
    pub fn new(count: impl Fn(Option<&str>, RequestOutcome) + Send + Sync + 'static) -> Self {
        Self {
            part: None,
            count: Arc::new(count),
        }
    }

    /// Does work whose requests this counts.
    pub async fn watch<T>(self, work: impl Future<Output = T>) -> T {
        METER.scope(self, work).await
    }
}

/// Does a part of some work, whose requests count as those of this part if somebody counts.
pub(crate) async fn part<T>(name: &str, work: impl Future<Output = T>) -> T {
    let whole = METER.try_with(Meter::clone).ok();
    match whole {
        None => work.await,
        Some(Meter { part: _, count }) => {
            let part = Some(Arc::from(name));
            Meter { part, count }.watch(work).await
        }
    }
}

/// A request that was sent. It counts once, when it is dropped; with an answer it is kept in that.
pub(super) struct Sent {
    meter: Option<Meter>,
    outcome: Mutex<RequestOutcome>,
}

impl Sent {
    /// Of a request that is sent now.
    pub(super) fn now() -> Self {
        Self {
            // Outside of `Meter::watch` nobody counts.
            meter: METER.try_with(Meter::clone).ok(),
            outcome: Mutex::new(RequestOutcome::Abandoned),
        }
    }

    /// Notes how the answer begins, or why there is none. One that tells success counts as such when all of it has come.
    pub(super) fn answered(self, answer: &mut Result<Response, reqwest::Error>) {
        match answer {
            Ok(response) => {
                match RequestOutcome::of_status(response.status()) {
                    RequestOutcome::Success => {}
                    other => self.note(other),
                }
                response.extensions_mut().insert(Arc::new(self));
            }
            Err(error) => self.note(RequestOutcome::of_error(error)),
        }
    }

    /// The request that this answers, where somebody may count it.
    pub(super) fn of(response: &Response) -> Option<Arc<Self>> {
        response.extensions().get().cloned()
    }

    /// Notes what is wrong with an answer that tells success, if asking again may bring another.
    pub(super) fn was_of_no_use(&self, error: &Error) {
        match error {
            Error::Truncated { .. } => self.note(RequestOutcome::Broken),
            error if error.is_transient() => self.note(RequestOutcome::WebPage),
            _ => {}
        }
    }

    fn note(&self, outcome: RequestOutcome) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
    }
}

/// Notes that an answer came, as far as it is of interest.
pub(crate) fn came(response: &Response) {
    note(response, RequestOutcome::of_status(response.status()));
}

/// Notes that an answer which tells success is a web page where none was due.
pub(crate) fn was_web_page(response: &Response) {
    note(response, RequestOutcome::WebPage);
}

/// Notes that an answer which tells success is longer than any that is read.
pub(super) fn was_too_large(response: &Response) {
    note(response, RequestOutcome::TooLarge);
}

/// Notes that the rest of an answer did not come.
pub(super) fn broke_off(response: &Response, error: &reqwest::Error) {
    note(response, RequestOutcome::of_error(error));
}

fn note(response: &Response, outcome: RequestOutcome) {
    if let Some(sent) = Sent::of(response) {
        sent.note(outcome);
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        let outcome = *self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Meter { part, count }) = &self.meter {
            count(part.as_deref(), outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Body;

    fn counting() -> (Meter, Arc<Mutex<Vec<String>>>) {
        let counted = Arc::new(Mutex::new(Vec::new()));
        let counts = Arc::clone(&counted);
        let meter = Meter::new(move |part, outcome| {
            let counted = format!("{}: {}", part.unwrap_or("all"), outcome.as_str());
            counts.lock().unwrap().push(counted);
        });
        (meter, counted)
    }

    #[tokio::test]
    async fn a_request_counts_once_for_the_part_that_made_it_and_as_a_success_only_if_all_of_the_answer_came() {
        let (meter, counted) = counting();
        drop(Sent::now());
        let status = async |status: u16, most: usize| {
            let answer = axum::http::Response::builder().status(status).body("an answer");
            let mut answer = Ok(Response::from(answer.unwrap()));
            Sent::now().answered(&mut answer);
            Body::read(&mut answer.unwrap(), most).await;
        };
        meter
            .watch(async {
                status(200, 9).await;
                part("one", async {
                    for refused in [304, 302, 429, 404, 503] {
                        status(refused, 0).await;
                    }
                })
                .await;
                status(200, 8).await;
                drop(Sent::now());
            })
            .await;
        part("one", status(200, 9)).await;
        assert_eq!(
            *counted.lock().unwrap(),
            [
                "all: success",
                "one: unchanged",
                "one: redirected",
                "one: throttled",
                "one: refused",
                "one: server-error",
                "all: abandoned",
                "all: abandoned"
            ]
        );
    }
}

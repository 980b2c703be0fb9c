//! What may be written to a tracker: which patches are related, and which commit a patch became.

use std::fmt;

use reqwest::{Method, Response, StatusCode};
use serde::Serialize;
use url::Url;

use super::{
    Lost, Reader, Refusal, Token, Unsent, WriteError,
    http::{Session, is_about_credentials},
};
use crate::http::{Body, BodyEnd, Slot, came, was_web_page};
use crate::model::PatchId;

/// An answer to a write is read this far: it is a patch with its diff, and nothing in it is of interest.
const MOST_BYTES: usize = 16 << 20;

/// Writes to one tracker, at the pace that it shares with the [`Reader`] it was made from. What it writes of a patch is its `related` or its
/// `commit_ref`, one at a time; everything else stays as it is.
///
/// Each write is one request, sent once: no redirect is followed and nothing is tried again, since only a read can tell whether a write
/// that went unanswered took effect. For the same reason a success tells no more than that the server says so: its `related` is often
/// that from before the write.
pub struct Writer {
    reader: Reader,
    session: Session,
}

/// Leave to send one write at once.
#[derive(Debug)]
pub struct Turn<'a> {
    writer: &'a Writer,
    slot: Slot<'a>,
}

impl Turn<'_> {
    /// Takes a patch out of its relation. A relation of two ends by that.
    ///
    /// # Errors
    /// See [`WriteError`]: what is not [`WriteError::Unknown`] was not carried out.
    pub async fn clear(self, patch: PatchId) -> Result<(), WriteError> {
        self.write(patch, Change::Related(&[])).await
    }

    /// Puts a patch, the patches `related`, and the relation that one of them may be in into one relation.
    ///
    /// # Errors
    /// See [`WriteError`]: what is not [`WriteError::Unknown`] was not carried out.
    pub async fn relate(self, patch: PatchId, related: &[PatchId]) -> Result<(), WriteError> {
        if related.is_empty() {
            let url = self.writer.session.shown(&self.writer.address(patch));
            return Err(WriteError::NotSent {
                url,
                why: Unsent::NothingToRelate,
            });
        }
        self.write(patch, Change::Related(related)).await
    }

    /// Writes down the commit that a patch became, in place of what was there. The patch's relation stays as it is.
    ///
    /// Patchwork takes up to 255 characters, and cuts off white space around them.
    ///
    /// # Errors
    /// See [`WriteError`]: what is not [`WriteError::Unknown`] was not carried out.
    pub async fn set_commit_ref(self, patch: PatchId, commit: &str) -> Result<(), WriteError> {
        self.write(patch, Change::CommitRef(commit)).await
    }

    async fn write(self, patch: PatchId, change: Change<'_>) -> Result<(), WriteError> {
        let Self { writer, slot } = self;
        let url = writer.address(patch);
        let http = writer.session.http();
        let request = http.request(Method::PATCH, &url).json(&change);
        match http.send_now(&slot, request).await {
            Ok(response) => writer.outcome(response, &url).await,
            Err(error) => Err(writer.unanswered(&url, error)),
        }
    }
}

/// The body of a write. Fields that it does not name stay as they are.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Change<'a> {
    Related(&'a [PatchId]),
    CommitRef(&'a str),
}

impl Writer {
    /// Writes to where `reader` reads from, as the user that `token` belongs to.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "whoever hands over the token is done with it")]
    pub fn new(reader: &Reader, token: Token) -> Self {
        Self {
            session: reader.session().with_token(&token),
            reader: reader.clone(),
        }
    }

    /// Waits until one write may be sent, as to how many requests are under way and how fast they follow each other. While it is kept unused, others wait.
    pub async fn turn(&self) -> Turn<'_> {
        Turn {
            writer: self,
            slot: self.session.http().turn().await,
        }
    }

    /// As [`Turn::clear`], when its turn has come.
    ///
    /// # Errors
    /// See [`WriteError`]: what is not [`WriteError::Unknown`] was not carried out.
    pub async fn clear(&self, patch: PatchId) -> Result<(), WriteError> {
        self.turn().await.clear(patch).await
    }

    /// As [`Turn::relate`], when its turn has come.
    ///
    /// # Errors
    /// See [`WriteError`]: what is not [`WriteError::Unknown`] was not carried out.
    pub async fn relate(&self, patch: PatchId, related: &[PatchId]) -> Result<(), WriteError> {
        self.turn().await.relate(patch, related).await
    }

    /// As [`Turn::set_commit_ref`], when its turn has come.
    ///
    /// # Errors
    /// See [`WriteError`]: what is not [`WriteError::Unknown`] was not carried out.
    pub async fn set_commit_ref(&self, patch: PatchId, commit: &str) -> Result<(), WriteError> {
        self.turn().await.set_commit_ref(patch, commit).await
    }

    fn address(&self, patch: PatchId) -> Url {
        self.reader.under(&["patches", &patch.to_string()])
    }

    async fn outcome(&self, mut response: Response, url: &Url) -> Result<(), WriteError> {
        let status = response.status();
        if status.is_success() {
            return self.confirm(response, url).await;
        }
        let shown = self.session.shown(url);
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(WriteError::Throttled {
                url: shown,
                retry_after: self.session.http().asked_to_wait(response.headers()),
            });
        }
        let answer = Box::new(self.session.http().unwanted(&mut response, url).await);
        Err(match status {
            StatusCode::CONFLICT => WriteError::Conflict { url: shown },
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let detail = answer.detail.unwrap_or(answer.excerpt);
                WriteError::Forbidden {
                    url: shown,
                    kind: Refusal::of(&detail),
                    detail,
                }
            }
            status if tells_nothing_done(status) => WriteError::Rejected { answer },
            _ => WriteError::Unknown {
                url: shown,
                what: Lost::Status(answer),
            },
        })
    }

    /// Reads a success to its end, for an answer that broke off, or that is a web page, may not be the tracker's.
    async fn confirm(&self, mut response: Response, url: &Url) -> Result<(), WriteError> {
        let Body { bytes, end } = Body::read(&mut response, MOST_BYTES).await;
        let answer = self.session.http().answer(&response, url, &bytes);
        match end {
            BodyEnd::Failed(error) if error.is_timeout() => Err(self.unanswered(url, error)),
            BodyEnd::Failed(_) => Err(WriteError::Unknown {
                url: answer.url.clone(),
                what: Lost::Unreadable(Box::new(answer)),
            }),
            BodyEnd::Whole | BodyEnd::TooFar if answer.is_web_page() => {
                was_web_page(&response);
                Err(WriteError::Unknown {
                    url: answer.url.clone(),
                    what: Lost::Unreadable(Box::new(answer)),
                })
            }
            BodyEnd::Whole => Ok(()),
            BodyEnd::TooFar => {
                came(&response);
                Ok(())
            }
        }
    }

    fn unanswered(&self, url: &Url, error: reqwest::Error) -> WriteError {
        let url = self.session.shown(url);
        // A TLS error that comes once the connection stands may well come in place of an answer.
        if error.is_connect() {
            WriteError::NotSent {
                url,
                why: Unsent::Unreachable(error.into()),
            }
        } else if error.is_timeout() {
            WriteError::Unknown {
                url,
                what: Lost::TimedOut {
                    limit: self.session.http().timeout(),
                },
            }
        } else {
            WriteError::Unknown {
                url,
                what: Lost::Connection(error.into()),
            }
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("to", &self.reader).finish_non_exhaustive()
    }
}

/// Whether a status says that the request was not carried out: a refusal, or a redirect other than "see what came of it" (303). That a
/// server did not wait for the whole request (408) says nothing about whether it acted.
fn tells_nothing_done(status: StatusCode) -> bool {
    (status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT) || (status.is_redirection() && status != StatusCode::SEE_OTHER)
}

impl Refusal {
    /// Reads a refusal in the words of Patchwork and of Django REST framework.
    fn of(detail: &str) -> Self {
        if is_about_credentials(detail) {
            Self::Credentials
        } else if detail.starts_with("You do not have permission") {
            Self::NotMaintainer
        } else if detail.starts_with("At least one patch is part of a project you are not maintaining") {
            Self::OtherProject
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::{Refusal, tells_nothing_done};

    #[test]
    fn the_kinds_of_refusal_are_told_by_patchworks_words() {
        for (detail, kind) in [
            ("Authentication credentials were not provided.", Refusal::Credentials),
            ("Invalid token.", Refusal::Credentials),
            (
                "Invalid token header. Token string should not contain spaces.",
                Refusal::Credentials,
            ),
            ("You do not have permission to perform this action.", Refusal::NotMaintainer),
            (
                "At least one patch is part of a project you are not maintaining.",
                Refusal::OtherProject,
            ),
            ("<html>blocked</html>", Refusal::Other),
        ] {
            assert_eq!(Refusal::of(detail), kind, "{detail}");
        }
    }

    #[test]
    fn only_refusals_say_that_nothing_was_done() {
        for status in [301, 302, 307, 308, 400, 404, 405, 413, 415] {
            assert!(tells_nothing_done(StatusCode::from_u16(status).unwrap()), "{status}");
        }
        for status in [303, 408, 500, 502, 503, 504] {
            assert!(!tells_nothing_done(StatusCode::from_u16(status).unwrap()), "{status}");
        }
    }
}

//! What is answered where there is nothing to show.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use maud::html;

use super::layout::{Frame, HTML, way};
use crate::reconcile::Error;
use crate::remedy::{Remedy, causes};
use crate::store::StoreError;

/// Why there is no such page now, told as a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    title: String,
    message: String,
    remedy: Option<String>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, title: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            title: title.into(),
            message: message.into(),
            remedy: None,
        }
    }

    pub(super) fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// There is nothing at this address.
    pub(super) fn nothing_at(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is no such page", format!("nothing is at {path}"))
    }

    /// There is nothing of this name.
    pub(super) fn no_such(what: &str, name: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            format!("There is no such {what}"),
            format!("there is no {what} {name}"),
        )
    }

    /// What was asked cannot be understood.
    pub(super) fn misread(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "This cannot be answered", message)
    }

    /// A name in the package model that stands for nothing is the asker's mistake, and what the state refuses to tell is the state's.
    pub(super) fn of_state(error: &StoreError) -> Self {
        let causes = causes(error);
        let message = std::iter::once(error.to_string()).chain(causes).collect::<Vec<_>>().join(": ");
        let (status, title) = match error {
            StoreError::Refused(_) => (StatusCode::NOT_FOUND, "There is no such thing"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "The state cannot be read"),
        };
        let problem = Self::new(status, title, message);
        match error.remedy() {
            Some(remedy) => problem.with_remedy(remedy),
            None => problem,
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// The page.
    pub(super) fn html(&self) -> String {
        Frame::new(&self.title).with_body(&html! {
            p.lead { (self.message) "." }
            @if let Some(remedy) = &self.remedy {
                p { strong { "What to do: " } (remedy) }
            }
            p { (way("/", "Overview of all that there is")) }
        })
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => Self::of_state(&error),
            Error::NoSuchPatch { .. } | Error::NeverPulled { .. } => {
                let problem = Self::new(StatusCode::NOT_FOUND, "There is no such patch", error.to_string());
                match error.remedy() {
                    Some(remedy) => problem.with_remedy(remedy),
                    None => problem,
                }
            }
            other => Self::new(StatusCode::SERVICE_UNAVAILABLE, "The state cannot be read", other.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let html = self.html();
        let headers = [(CONTENT_TYPE, HTML)];
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => (self.status, headers, [(RETRY_AFTER, "5")], html).into_response(),
            status => (status, headers, html).into_response(),
        }
    }
}

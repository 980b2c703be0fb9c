//! What the HTTP client tells of a request that failed.

use std::error::Error as StdError;
use std::fmt;

/// What ended a request: the bottom of the HTTP client's layers. Those above it say which layer each is, and nothing about what happened.
#[derive(Debug)]
pub struct Cause(reqwest::Error);

impl From<reqwest::Error> for Cause {
    fn from(error: reqwest::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bottom: &dyn StdError = &self.0;
        while let Some(source) = bottom.source() {
            bottom = source;
        }
        write!(f, "{bottom}")
    }
}

impl StdError for Cause {}

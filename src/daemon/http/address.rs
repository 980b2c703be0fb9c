//! What an address says: names in its path, and what a form put behind it. What says neither is told so on a page.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The names in an address's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::from_request_parts(parts, state).await;
        let Path(names) = read.map_err(|rejection| Problem::misread(rejection.body_text()))?;
        Ok(Self(names))
    }
}

/// What a form says, or a link that stands for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::from_request_parts(parts, state).await;
        let Query(form) = read.map_err(|rejection| Problem::misread(rejection.body_text()))?;
        Ok(Self(form))
    }
}

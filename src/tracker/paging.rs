//! Small lists, one page after the other.

use serde::de::DeserializeOwned;
use url::Url;

use super::{
    Error,
    http::{Patience, Session},
};
use crate::http::Trail;

/// Reads a list that is small as a rule, one page after the other.
pub(super) async fn every_page<T: DeserializeOwned>(session: &Session, list: Url, expected: &'static str) -> Result<Vec<T>, Error> {
    let mut rows = Vec::new();
    let mut trail = Trail::default();
    let mut next = Some(list);
    while let Some(url) = next {
        trail.step(session.http(), &url)?;
        match session.get::<Vec<T>>(&url, expected, Patience::Full).await {
            Ok(reply) => {
                rows.extend(reply.value);
                next = reply.links.next;
            }
            Err(error) if error.is_past_the_end() && !rows.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(rows)
}

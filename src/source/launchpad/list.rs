//! Lists, page by page.

use serde::de::DeserializeOwned;
use url::Url;

use super::{Service, wire::Page};
use crate::{http::Trail, model::packages::snapshot::Remark, source::Trouble};

/// A whole list.
pub(super) struct List<T> {
    pub(super) rows: Vec<T>,
    /// How many the last page counted, if it did.
    total: Option<u64>,
}

impl<T> List<T> {
    /// That rows were left out, if there are fewer than Launchpad counts.
    pub(super) fn fewer(&self, what: impl Into<String>) -> Option<Remark> {
        let shown = self.rows.len() as u64;
        let total = self.total.filter(|total| *total > shown)?;
        let what = what.into();
        Some(Remark::Fewer { what, shown, total })
    }
}

impl Service<'_> {
    /// Reads a list by the links to its next pages. How many rows a page has says nothing: those that are hidden are missing from it.
    pub(super) async fn list<T: DeserializeOwned>(&self, list: Url, expected: &'static str) -> Result<List<T>, Trouble> {
        let mut url = list;
        url.query_pairs_mut()
            .append_pair("ws.size", &self.settings.rows_per_page.to_string());
        let mut rows = Vec::new();
        let mut trail = Trail::default();
        loop {
            self.web.step(&mut trail, &url)?;
            let page: Page<T> = self.web.json(&url, expected).await?;
            rows.extend(page.entries);
            match page.next_collection_link {
                Some(next) => url = self.web.link(&url, &next, "the next page")?,
                None => {
                    let total = page.total_size;
                    return Ok(List { rows, total });
                }
            }
        }
    }

    /// The address of an operation on what is at `url`.
    pub(super) fn operation(url: &Url, name: &str, arguments: &[(&str, &str)]) -> Url {
        let mut operation = url.clone();
        operation.query_pairs_mut().append_pair("ws.op", name).extend_pairs(arguments);
        operation
    }
}

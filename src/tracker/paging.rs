//! Lists, page by page.
//!
//! Small lists are read one page after the other. The list of patches is read in *legs*: the pages of a leg have one size and are read
//! side by side; when the size has to change, a new leg starts with the page that covers the first row still missing. Rows that come
//! twice that way are kept once.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use futures_util::{StreamExt, stream::FuturesOrdered};
use serde::de::DeserializeOwned;
use url::Url;

use super::{
    Error,
    http::{Patience, Reply, Session, with_sources},
    links::{Links, page_at, page_number},
    page_size::{PageSize, can_shrink},
    wire::PatchRow,
};
use crate::model::{Patch, PatchId};

/// How far reading a project's patches has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Patches read.
    pub patches: usize,
    /// How many there are: up to a page more than really are until the last page is read, and unknown until then where the server does
    /// not tell its last page.
    pub expected: Option<usize>,
}

/// Who hears of [`Progress`].
pub(super) type Listener<'a> = &'a (dyn Fn(Progress) + Sync);

/// Reads a list that is small as a rule, one page after the other.
pub(super) async fn every_page<T: DeserializeOwned>(session: &Session, list: Url, expected: &'static str) -> Result<Vec<T>, Error> {
    let mut rows = Vec::new();
    let mut trail = Trail::default();
    let mut next = Some(list);
    while let Some(url) = next {
        trail.step(session, &url)?;
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

/// Reads every patch of `list`, ordered by id.
pub(super) async fn every_patch(session: &Session, list: &Url, progress: Listener<'_>) -> Result<Vec<Patch>, Error> {
    let mut sweep = Sweep::new(session, progress);
    let mut next = Some(page_at(list, 1, sweep.size.rows()));
    while let Some(url) = next {
        next = sweep.leg(url).await?;
    }
    Ok(sweep.into_patches())
}

/// The `next` links that were followed. Coming back to one means going in circles.
#[derive(Default)]
struct Trail(BTreeSet<Url>);

impl Trail {
    fn step(&mut self, session: &Session, url: &Url) -> Result<(), Error> {
        if self.0.insert(url.clone()) {
            Ok(())
        } else {
            Err(Error::EndlessList { url: session.shown(url) })
        }
    }
}

/// One reading of a whole list of patches.
struct Sweep<'a> {
    session: &'a Session,
    progress: Listener<'a>,
    size: PageSize,
    trail: Trail,
    /// So many rows from the start of the list have been read without a gap.
    covered: usize,
    patches: BTreeMap<PatchId, Patch>,
    /// Patches left out because their message id is malformed.
    nameless: BTreeSet<PatchId>,
}

/// A stretch of pages of one size.
struct Leg {
    start: Url,
    rows: usize,
    /// The numbers of the pages still to ask for.
    ahead: Range<usize>,
    /// The number of the last page, where the server tells.
    last: Option<usize>,
    /// What follows the rows covered; until that is known, any page of the list; `None` at the end of the list.
    next: Option<Url>,
    /// Whether a page is missing, so that those after it do not count as covered.
    has_gap: bool,
}

impl Leg {
    fn new(start: Url, rows: usize) -> Self {
        Self {
            next: Some(start.clone()),
            start,
            rows,
            ahead: 0..0,
            last: None,
            has_gap: false,
        }
    }

    /// Whether the same rows could be had in smaller pages.
    fn can_shrink(&self) -> bool {
        can_shrink(self.rows) && page_number(&self.start).is_some()
    }

    fn patience(&self) -> Patience {
        if self.can_shrink() {
            Patience::UnlessSizeIsAtFault
        } else {
            Patience::Full
        }
    }
}

/// A page of patches.
struct Page {
    asked: Url,
    links: Links,
    bytes: usize,
    rows: usize,
    patches: Vec<Patch>,
    nameless: Vec<PatchId>,
}

async fn fetch(session: &Session, asked: Url, patience: Patience) -> Result<Page, Error> {
    let Reply { value, url, links, bytes } = session.get::<Vec<PatchRow>>(&asked, "a page of patches", patience).await?;
    let mut page = Page {
        asked,
        links,
        bytes,
        rows: value.len(),
        patches: Vec::with_capacity(value.len()),
        nameless: Vec::new(),
    };
    let shown = session.shown(&url);
    for row in value {
        let id = row.id;
        match row.into_patch(&shown)? {
            Some(patch) => page.patches.push(patch),
            None => page.nameless.push(id),
        }
    }
    Ok(page)
}

impl<'a> Sweep<'a> {
    fn new(session: &'a Session, progress: Listener<'a>) -> Self {
        Self {
            session,
            progress,
            size: PageSize::new(),
            trail: Trail::default(),
            covered: 0,
            patches: BTreeMap::new(),
            nameless: BTreeSet::new(),
        }
    }

    /// Reads the page at `start` and, where it tells how many there are, those after it side by side, as long as the size stays right.
    /// Returns where to go on, or `None` at the end of the list.
    async fn leg(&mut self, start: Url) -> Result<Option<Url>, Error> {
        let session = self.session;
        let mut leg = Leg::new(start.clone(), self.size.rows());
        let mut under_way = FuturesOrdered::new();
        under_way.push_back(fetch(session, start, leg.patience()));
        while let Some(result) = under_way.next().await {
            match result {
                Ok(page) => self.page_came(&mut leg, page)?,
                Err(error) => self.page_failed(&mut leg, error)?,
            }
            while !leg.has_gap && leg.rows == self.size.rows() && under_way.len() < session.width() {
                let Some(number) = leg.ahead.next() else { break };
                under_way.push_back(fetch(session, page_at(&leg.start, number, leg.rows), leg.patience()));
            }
        }
        self.after(leg)
    }

    fn page_came(&mut self, leg: &mut Leg, page: Page) -> Result<(), Error> {
        let number = page_number(&page.asked);
        if number == Some(1) {
            self.first_page_came(leg, &page)?;
        }
        if leg.last.is_none() {
            leg.last = page.links.last.as_ref().and_then(page_number);
            leg.ahead = number
                .zip(leg.last)
                .map_or(0..0, |(first, last)| first.saturating_add(1)..last.saturating_add(1));
        }
        if !leg.has_gap {
            self.covered = number.map_or(self.covered, |number| number.saturating_mul(leg.rows));
            leg.next = page.links.next;
        }
        self.size.page_came(leg.rows, page.bytes);
        self.nameless.extend(page.nameless);
        self.patches.extend(page.patches.into_iter().map(|patch| (patch.id, patch)));
        let patches = self.patches.len();
        let expected = match leg.next {
            Some(_) => leg.last.map(|last| last.saturating_mul(leg.rows)),
            None => Some(patches),
        };
        (self.progress)(Progress { patches, expected });
        Ok(())
    }

    /// Learns from the first page whether the list has pages, and how large the server makes them.
    fn first_page_came(&mut self, leg: &mut Leg, page: &Page) -> Result<(), Error> {
        let is_full = page.rows >= leg.rows;
        if is_full && page.links == Links::default() {
            return Err(Error::NoLinks {
                url: self.session.shown(&page.asked),
            });
        }
        let has_second = page.links.next.as_ref().is_some_and(|next| page_number(next).is_some());
        if has_second && !is_full && page.rows > 0 {
            self.size.cap(page.rows);
            leg.rows = page.rows;
        }
        Ok(())
    }

    fn page_failed(&mut self, leg: &mut Leg, error: Error) -> Result<(), Error> {
        if error.is_past_the_end() && self.covered > 0 {
            if !leg.has_gap {
                leg.next = None;
            }
        } else if error.is_about_size() && leg.can_shrink() {
            self.size.page_failed(leg.rows);
            let (rows, reason) = (self.size.rows(), with_sources(&error));
            tracing::warn!(url = %self.session.shown(&leg.start), rows, reason, "page failed, trying with fewer rows");
        } else {
            return Err(error);
        }
        leg.has_gap = true;
        Ok(())
    }

    fn after(&mut self, leg: Leg) -> Result<Option<Url>, Error> {
        let Some(next) = leg.next else { return Ok(None) };
        let rows = self.size.rows();
        if (rows == leg.rows && !leg.has_gap) || page_number(&next).is_none() {
            self.trail.step(self.session, &next)?;
            return Ok(Some(next));
        }
        Ok(Some(page_at(&next, self.covered / rows + 1, rows)))
    }

    fn into_patches(self) -> Vec<Patch> {
        if let Some(first) = self.nameless.first() {
            tracing::warn!(patches = self.nameless.len(), %first, "patches with a malformed message id are left out");
        }
        self.patches.into_values().collect()
    }
}

//! The list of a project's patches, read whole, in pages side by side.
//!
//! It is read in *legs*: the pages of a leg have one size and are read side by side; when the size has to change, a new leg starts with the
//! page that covers the first row still missing. Rows are handed out in the order of the list, and those that come twice only once.

use std::{collections::BTreeSet, fmt, ops::Range};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesOrdered};
use url::Url;

use super::{
    Error,
    http::{Patience, Reply, Session},
    links::{Links, page_at, page_number},
    page_size::{PageSize, can_shrink},
    wire::PatchRow,
};
use crate::{
    http::{Trail, with_sources},
    model::{Patch, PatchId},
};

/// How far reading a project's patches has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Patches read.
    pub patches: usize,
    /// How many there are: up to a page more than really are until the last page is read, and unknown until then where the server does
    /// not tell its last page.
    pub expected: Option<usize>,
}

/// Where a sweep goes on that did not come to its end. The default is its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// How many rows of the list were read. It says only where to look first: rows may have been deleted meanwhile.
    pub rows: usize,
    /// The highest patch among them.
    pub last: Option<PatchId>,
}

/// Patches of a project that follow those handed out before without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The patches, ordered by id.
    pub patches: Vec<Patch>,
    /// Where to go on after them.
    pub resume: Resume,
    /// How many rows the list has, as in [`Progress::expected`].
    pub expected: Option<usize>,
}

/// One reading of the whole list of a project's patches. It belongs to nobody, so it may be kept and moved.
///
/// Whoever stops half-way can go on with a new one from [`Rows::resume`], and so can whoever met an error.
pub struct Sweep {
    session: Session,
    size: PageSize,
    trail: Trail,
    /// So many rows from the start of the list have been read without a gap.
    covered: usize,
    /// What follows them; until that is known, any page of the list; `None` at the end of the list.
    next: Option<Url>,
    /// The highest patch that was handed out, now or before.
    last: Option<PatchId>,
    joint: Joint,
    leg: Leg,
    under_way: FuturesOrdered<BoxFuture<'static, Result<Page, Error>>>,
    /// Patches left out because their message id is malformed.
    nameless: BTreeSet<PatchId>,
}

/// Whether what is read is known to follow what was read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joint {
    Sought,
    Found,
}

/// A stretch of pages of one size.
struct Leg {
    start: Url,
    rows: usize,
    /// The numbers of the pages still to ask for.
    ahead: Range<usize>,
    /// The number of the last page, where the server tells.
    last: Option<usize>,
    /// Whether a page is missing, so that those after it do not count.
    has_gap: bool,
}

impl Leg {
    fn new(start: Url, rows: usize) -> Self {
        Self {
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

/// A page of patches. Those with a malformed message id have a number only.
struct Page {
    asked: Url,
    links: Links,
    bytes: usize,
    rows: Vec<(PatchId, Option<Patch>)>,
}

async fn fetch(session: Session, asked: Url, patience: Patience) -> Result<Page, Error> {
    let Reply { value, url, links, bytes } = session.get::<Vec<PatchRow>>(&asked, "a page of patches", patience).await?;
    let shown = session.shown(&url);
    let rows = value
        .into_iter()
        .map(|row| Ok((row.id, row.into_patch(&shown)?)))
        .collect::<Result<Vec<_>, Error>>()?;
    if !rows.is_sorted_by_key(|(id, _)| *id) {
        return Err(Error::NotInOrder { url: shown });
    }
    Ok(Page { asked, links, bytes, rows })
}

impl Sweep {
    /// Reads `list`, which is ordered by id, from where an earlier sweep of it ended.
    pub(super) fn new(session: Session, list: &Url, from: Resume) -> Self {
        let size = PageSize::new();
        let Resume { rows, last } = from;
        let (joint, pages) = match last {
            Some(_) => (Joint::Sought, rows.saturating_sub(1) / size.rows()),
            None => (Joint::Found, 0),
        };
        let start = page_at(list, pages + 1, size.rows());
        Self {
            session,
            trail: Trail::default(),
            covered: pages * size.rows(),
            next: Some(start.clone()),
            last,
            joint,
            // Nothing was asked for yet, so no page leads on to the first leg.
            leg: Leg {
                has_gap: true,
                ..Leg::new(start, size.rows())
            },
            size,
            under_way: FuturesOrdered::new(),
            nameless: BTreeSet::new(),
        }
    }

    /// The next patches, a page at most; `None` at the end of the list.
    ///
    /// # Errors
    /// When the tracker cannot be read, or not to the end.
    pub async fn next_rows(&mut self) -> Result<Option<Rows>, Error> {
        loop {
            let Some(result) = self.under_way.next().await else {
                if self.start_leg()? {
                    continue;
                }
                self.tell_nameless();
                return Ok(None);
            };
            let rows = match result {
                Ok(page) => self.page_came(page)?,
                Err(error) => self.page_failed(error).map(|()| None)?,
            };
            self.ask_ahead();
            if rows.is_some() {
                return Ok(rows);
            }
        }
    }

    /// Asks for the first page of what is missing; tells whether anything is.
    fn start_leg(&mut self) -> Result<bool, Error> {
        let Some(next) = self.next.clone() else { return Ok(false) };
        let rows = self.size.rows();
        let start = if (rows == self.leg.rows && !self.leg.has_gap) || page_number(&next).is_none() {
            self.trail.step(self.session.http(), &next)?;
            next
        } else {
            page_at(&next, self.covered / rows + 1, rows)
        };
        self.leg = Leg::new(start.clone(), rows);
        self.ask(start);
        Ok(true)
    }

    /// Keeps pages of the leg under way side by side, as long as its size stays right.
    fn ask_ahead(&mut self) {
        while !self.leg.has_gap && self.leg.rows == self.size.rows() && self.under_way.len() < self.session.width() {
            let Some(number) = self.leg.ahead.next() else { break };
            self.ask(page_at(&self.leg.start, number, self.leg.rows));
        }
    }

    fn ask(&mut self, page: Url) {
        let page = fetch(self.session.clone(), page, self.leg.patience());
        self.under_way.push_back(page.boxed());
    }

    fn page_came(&mut self, page: Page) -> Result<Option<Rows>, Error> {
        let number = page_number(&page.asked);
        if number == Some(1) || self.joint == Joint::Sought {
            self.first_page_came(&page)?;
        }
        self.size.page_came(self.leg.rows, page.bytes);
        if self.joint == Joint::Sought && number != Some(1) && page.rows.first().is_none_or(|(first, _)| Some(*first) > self.last) {
            self.step_back();
        } else {
            self.joint = Joint::Found;
        }
        if self.leg.last.is_none() {
            self.leg.last = page.links.last.as_ref().and_then(page_number);
            self.leg.ahead = number
                .zip(self.leg.last)
                .map_or(0..0, |(first, last)| first.saturating_add(1)..last.saturating_add(1));
        }
        if self.leg.has_gap {
            return Ok(None);
        }
        let before = number.map_or(self.covered, |number| number.saturating_sub(1).saturating_mul(self.leg.rows));
        self.covered = before.saturating_add(page.rows.len());
        self.next = page.links.next;
        let patches = self.unseen(page.rows);
        Ok(Some(Rows {
            patches,
            resume: Resume {
                rows: self.covered,
                last: self.last,
            },
            expected: match self.next {
                Some(_) => self.leg.last.map(|last| last.saturating_mul(self.leg.rows)),
                None => Some(self.covered),
            },
        }))
    }

    /// Learns from the first page whether the list has pages, and how large the server makes them.
    fn first_page_came(&mut self, page: &Page) -> Result<(), Error> {
        let rows = page.rows.len();
        let is_full = rows >= self.leg.rows;
        if is_full && page.links == Links::default() {
            self.leg.has_gap = true;
            return Err(Error::NoLinks {
                url: self.session.shown(&page.asked),
            });
        }
        let has_more = page.links.next.as_ref().is_some_and(|next| page_number(next).is_some());
        if has_more && !is_full && rows > 0 {
            self.size.cap(rows);
            self.leg.rows = rows;
        }
        Ok(())
    }

    fn page_failed(&mut self, error: Error) -> Result<(), Error> {
        if error.is_past_the_end() && self.joint == Joint::Sought && self.covered > 0 {
            self.step_back();
        } else if error.is_past_the_end() && self.covered > 0 {
            if !self.leg.has_gap {
                self.next = None;
            }
        } else if error.is_about_size() && self.leg.can_shrink() {
            self.size.page_failed(self.leg.rows);
            let (rows, reason) = (self.size.rows(), with_sources(&error));
            tracing::warn!(url = %self.session.shown(&self.leg.start), rows, reason, "page failed, trying with fewer rows");
        } else {
            self.leg.has_gap = true;
            return Err(error);
        }
        self.leg.has_gap = true;
        Ok(())
    }

    /// Rows were deleted since an earlier sweep, so what follows it is on an earlier page than it was.
    fn step_back(&mut self) {
        let number = page_number(&self.leg.start).unwrap_or(1);
        self.covered = number.saturating_sub(2).saturating_mul(self.leg.rows);
        self.leg.has_gap = true;
    }

    /// Of the rows of a page, those after the last that was handed out. Rows come twice where legs meet, and where a patch that came into
    /// the project pushes others to the next page.
    fn unseen(&mut self, rows: Vec<(PatchId, Option<Patch>)>) -> Vec<Patch> {
        let mut patches = Vec::with_capacity(rows.len());
        for (id, patch) in rows {
            if Some(id) <= self.last {
                continue;
            }
            self.last = Some(id);
            match patch {
                Some(patch) => patches.push(patch),
                None => drop(self.nameless.insert(id)),
            }
        }
        patches
    }

    fn tell_nameless(&mut self) {
        if let Some(first) = self.nameless.first() {
            tracing::warn!(patches = self.nameless.len(), %first, "patches with a malformed message id are left out");
        }
        self.nameless.clear();
    }
}

impl fmt::Debug for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep")
            .field("covered", &self.covered)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

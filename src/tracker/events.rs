//! The list of events, walked from the newest down to where an earlier walk ended.
//!
//! The list goes by the events' dates, newest first. While it is read, new events push rows down to the next page, where they are seen
//! twice and kept once. What can hide an event all the same is left to the next sweep: a patch that is deleted while pages are read takes
//! its events with it and pulls rows up; and a server's clock that is set back (its dates have no zone, so this happens each autumn) puts new
//! events below older ones.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use url::Url;

use super::{
    Error,
    http::{Patience, Session},
    wire::{EventRow, PATCH_CREATED, RELATION_CHANGED},
};
use crate::{
    http::Trail,
    model::{Event, EventCursor, EventId, EventKind},
};

/// How many events to ask for at once: Patchwork's own maximum.
const ROWS: usize = 250;

/// What came of walking down the events of a tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// How it ended.
    pub end: WalkEnd,
    /// How many pages were asked for.
    pub requests: usize,
}

/// How walking down the events of a tracker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalkEnd {
    /// At events that were seen before, or at the beginning of them all.
    Reached {
        /// The events that were not seen before, by number. Those that arrived while others were read may be shown again by the next walk.
        ///
        /// Where most of the newest are about other things, only patches that arrived and relations that changed are sure to be here.
        events: Vec<Event>,
        /// Where the next walk ends.
        cursor: EventCursor,
    },
    /// The events that were seen before are not there any more, so what lies between is not known either.
    Lost,
    /// There are more than so many pages of new events.
    TooLong,
    /// The tracker shows no events.
    NoEvents,
}

/// Why a walk goes no further.
enum Halt {
    TooLong,
    NoEvents,
    Failed(Error),
}

struct Page {
    events: Vec<Event>,
    next: Option<Url>,
}

impl Page {
    fn newest(&self) -> Option<EventId> {
        self.events.iter().map(|event| event.id).max()
    }

    /// Whether the page leads to where a walk ends, or is the last one.
    fn ends(&self, floor: Option<EventId>) -> bool {
        self.next.is_none() || floor.is_some_and(|floor| self.events.iter().any(|event| event.id <= floor))
    }

    fn is_mostly_about_other_things(&self) -> bool {
        let others = self.events.iter().filter(|event| event.kind == EventKind::Other).count();
        others * 2 > self.events.len()
    }
}

/// Walks down `list` until what `cursor` saw, in at most so many pages.
pub(super) async fn walk(session: &Session, list: &Url, cursor: &EventCursor, most_pages: usize) -> Result<Walk, Error> {
    let mut walker = Walker::new(session, most_pages);
    let end = match walker.walk(list, cursor).await {
        Ok(end) => end,
        Err(Halt::TooLong) => WalkEnd::TooLong,
        Err(Halt::NoEvents) => WalkEnd::NoEvents,
        Err(Halt::Failed(error)) => return Err(error),
    };
    Ok(Walk {
        end,
        requests: walker.requests,
    })
}

/// The cursor of somebody who saw all events up to now; `None` where the tracker shows no events.
pub(super) async fn cursor(session: &Session, list: &Url) -> Result<Option<EventCursor>, Error> {
    let mut walker = Walker::new(session, 1);
    match walker.page(page_of(list, None)).await {
        Ok(page) => {
            let newest = page.newest();
            walker.keep(page.events);
            Ok(Some(walker.cursor(newest, &EventCursor::default())))
        }
        Err(Halt::NoEvents | Halt::TooLong) => Ok(None),
        Err(Halt::Failed(error)) => Err(error),
    }
}

struct Walker<'a> {
    session: &'a Session,
    most_pages: usize,
    requests: usize,
    trail: Trail,
    seen: BTreeMap<EventId, Event>,
}

impl<'a> Walker<'a> {
    fn new(session: &'a Session, most_pages: usize) -> Self {
        Self {
            session,
            most_pages,
            requests: 0,
            trail: Trail::default(),
            seen: BTreeMap::new(),
        }
    }

    async fn walk(&mut self, list: &Url, cursor: &EventCursor) -> Result<WalkEnd, Halt> {
        let first = self.page(page_of(list, None)).await?;
        let newest = first.newest();
        if newest < cursor.newest {
            return Ok(WalkEnd::Lost);
        }
        let floor = cursor.newest.map(overlap_below);
        let connects = if first.is_mostly_about_other_things() && !first.ends(floor) {
            let mut connects = cursor.newest.is_none();
            for category in [PATCH_CREATED, RELATION_CHANGED] {
                let page = self.page(page_of(list, Some(category))).await?;
                let lowest = self.down(page, floor).await?;
                connects |= lowest <= cursor.newest && lowest.is_some();
            }
            self.keep(first.events);
            connects
        } else {
            self.down(first, floor).await?;
            cursor.newest.is_none() || cursor.recent.iter().any(|id| self.seen.contains_key(id))
        };
        if !connects {
            return Ok(WalkEnd::Lost);
        }
        let next = self.cursor(newest, cursor);
        let is_new = |id: &EventId| cursor.newest < Some(*id) || (floor < Some(*id) && !cursor.recent.contains(id));
        let events = std::mem::take(&mut self.seen)
            .into_values()
            .filter(|event| is_new(&event.id))
            .collect();
        Ok(WalkEnd::Reached { events, cursor: next })
    }

    /// Follows the pages from this one to where the walk ends; returns the lowest number that was shown.
    async fn down(&mut self, first: Page, floor: Option<EventId>) -> Result<Option<EventId>, Halt> {
        let mut page = first;
        let mut lowest = None;
        loop {
            let ends = page.ends(floor);
            lowest = page.events.iter().map(|event| event.id).chain(lowest).min();
            self.keep(page.events);
            match page.next {
                Some(next) if !ends => page = self.page(next).await?,
                _ => return Ok(lowest),
            }
        }
    }

    async fn page(&mut self, url: Url) -> Result<Page, Halt> {
        if self.requests == self.most_pages {
            return Err(Halt::TooLong);
        }
        self.trail
            .step(self.session.http(), &url)
            .map_err(|error| Halt::Failed(error.into()))?;
        self.requests += 1;
        match self.session.get::<Vec<EventRow>>(&url, "a page of events", Patience::Full).await {
            Ok(reply) => Ok(Page {
                events: reply.value.into_iter().map(EventRow::into_event).collect(),
                next: reply.links.next,
            }),
            // Events went away meanwhile, with their patches.
            Err(error) if error.is_past_the_end() && self.requests > 1 => Ok(Page {
                events: Vec::new(),
                next: None,
            }),
            Err(error) if shows_no_events(&error) => Err(Halt::NoEvents),
            Err(error) => Err(Halt::Failed(error)),
        }
    }

    fn keep(&mut self, events: Vec<Event>) {
        self.seen.extend(events.into_iter().map(|event| (event.id, event)));
    }

    /// The cursor after a walk that began at `newest`. What arrived since then stays above it, for not all of that may have been seen.
    fn cursor(&self, newest: Option<EventId>, before: &EventCursor) -> EventCursor {
        let floor = newest.map(overlap_below);
        let is_recent = |id: &&EventId| floor < Some(**id) && Some(**id) <= newest;
        EventCursor {
            newest,
            recent: self.seen.keys().chain(&before.recent).filter(is_recent).copied().collect(),
        }
    }
}

/// The first page of the list, or of one category of it.
fn page_of(list: &Url, category: Option<&str>) -> Url {
    let mut url = list.clone();
    let mut query = url.query_pairs_mut();
    if let Some(category) = category {
        query.append_pair("category", category);
    }
    query.append_pair("per_page", &ROWS.to_string());
    drop(query);
    url
}

/// Where late events are no longer looked for.
fn overlap_below(newest: EventId) -> EventId {
    EventId(newest.0.saturating_sub(EventCursor::OVERLAP))
}

fn shows_no_events(error: &Error) -> bool {
    [
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::NOT_FOUND,
        StatusCode::METHOD_NOT_ALLOWED,
        StatusCode::GONE,
        StatusCode::NOT_IMPLEMENTED,
    ]
    .into_iter()
    .any(|status| error.has_status(status))
}

//! The list of events, walked from the newest down to where an earlier walk ended.
//!
//! The list goes by the events' dates, newest first. While it is read, new events push rows down to the next page, where they are seen
//! twice and kept once. What can hide an event all the same is left to the next sweep: a patch that is deleted while pages are read takes
//! its events with it and pulls rows up; and a server's clock that is set back (its dates have no zone, so this happens each autumn) puts new
//! events below older ones.
//!
//! Patchwork takes time for each row, and as a rule nothing has happened. So a walk begins with a [`Glance`] at the newest rows, and is over if
//! they leave nothing open. What a clock that was set back has put below them is found as soon as something is new above them.

use std::collections::{BTreeMap, BTreeSet};

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

/// How many events a glance shows beyond those that have to be on it. A row takes Patchwork so long that some ten of them double the request.
const GLANCE_ROWS: usize = 10;

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
    /// There are more than so many pages of new events, of which a glance is none.
    TooLong {
        /// Where the next walk ends, for whoever learns by other means what has happened.
        cursor: EventCursor,
    },
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

/// What a cursor knows of the newest events, and what it leaves open.
struct Glance<'a> {
    known: &'a BTreeSet<EventId>,
    newest: EventId,
    /// Nothing that is looked for has a number up to this one: what a walk looks at from there down was all seen.
    through: EventId,
}

impl<'a> Glance<'a> {
    /// None where as good as a page would have to be looked at.
    fn of(cursor: &'a EventCursor) -> Option<Self> {
        let newest = cursor.newest?;
        let floor = overlap_below(newest);
        let above = cursor.recent.iter().copied().filter(|id| *id > floor && *id <= newest);
        let without_a_gap = above.zip(floor.0 + 1..).take_while(|(id, next)| id.0 == *next);
        let glance = Self {
            known: &cursor.recent,
            newest,
            through: without_a_gap.last().map_or(floor, |(id, _)| id),
        };
        (glance.rows() <= ROWS / 2).then_some(glance)
    }

    /// How many rows show all that is known above [`Self::through`], and something from there down.
    fn rows(&self) -> usize {
        self.known.iter().filter(|id| **id > self.through).count() + GLANCE_ROWS
    }

    /// Whether these rows tell what a walk would. They do not where a number is not accounted for that a row further down may have, unless
    /// nothing at all is new: then the numbers stay open, and are looked for when something is.
    fn is_answered_by(&self, page: &Page) -> bool {
        let shown: BTreeSet<EventId> = page.events.iter().map(|event| event.id).collect();
        let Some(&top) = shown.last().filter(|top| **top >= self.newest) else {
            return false;
        };
        let accounted: BTreeSet<EventId> = (shown.union(self.known).copied())
            .filter(|id| *id > self.through && *id <= top)
            .collect();
        let has_no_gap = u64::try_from(accounted.len()) == Ok(top.0 - self.through.0);
        let shows_nothing_new = shown.iter().all(|id| *id <= self.through || self.known.contains(id));
        let shows_enough = page.next.is_none() || has_no_gap || (shows_nothing_new && page.ends(Some(self.through)));
        shows_enough && !shown.is_disjoint(self.known)
    }
}

/// Walks down `list` until what `cursor` saw, in at most so many pages and a [`Glance`].
pub(super) async fn walk(session: &Session, list: &Url, cursor: &EventCursor, most_pages: usize) -> Result<Walk, Error> {
    let mut walker = Walker::new(session, most_pages);
    let end = match walker.walk(list, cursor).await {
        Ok(end) => end,
        Err(Halt::TooLong) => WalkEnd::TooLong {
            // Nobody knows whether what was seen before is the same list.
            cursor: walker.cursor(walker.began_at, &EventCursor::default()),
        },
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
    match walker.page(page_of(list, None, ROWS)).await {
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
    /// The newest event when the walk began.
    began_at: Option<EventId>,
    seen: BTreeMap<EventId, Event>,
}

impl<'a> Walker<'a> {
    fn new(session: &'a Session, most_pages: usize) -> Self {
        Self {
            session,
            most_pages,
            requests: 0,
            trail: Trail::default(),
            began_at: None,
            seen: BTreeMap::new(),
        }
    }

    async fn walk(&mut self, list: &Url, cursor: &EventCursor) -> Result<WalkEnd, Halt> {
        if let Some(glance) = Glance::of(cursor) {
            let page = self.page(page_of(list, None, glance.rows())).await?;
            if glance.is_answered_by(&page) {
                let newest = page.newest();
                self.keep(page.events);
                return Ok(self.reached(newest, cursor));
            }
            self.most_pages += 1;
        }
        let first = self.page(page_of(list, None, ROWS)).await?;
        let newest = first.newest();
        self.began_at = newest;
        if newest < cursor.newest {
            return Ok(WalkEnd::Lost);
        }
        let floor = cursor.newest.map(overlap_below);
        let connects = if first.is_mostly_about_other_things() && !first.ends(floor) {
            self.keep(first.events);
            let mut connects = cursor.newest.is_none();
            for category in [PATCH_CREATED, RELATION_CHANGED] {
                let page = self.page(page_of(list, Some(category), ROWS)).await?;
                let lowest = self.down(page, floor).await?;
                connects |= lowest <= cursor.newest && lowest.is_some();
            }
            connects
        } else {
            self.down(first, floor).await?;
            cursor.newest.is_none() || cursor.recent.iter().any(|id| self.seen.contains_key(id))
        };
        if !connects {
            return Ok(WalkEnd::Lost);
        }
        Ok(self.reached(newest, cursor))
    }

    /// What was seen and is new, after a walk that began at `newest`.
    fn reached(&mut self, newest: Option<EventId>, before: &EventCursor) -> WalkEnd {
        let cursor = self.cursor(newest, before);
        let floor = before.newest.map(overlap_below);
        let is_new = |id: &EventId| before.newest < Some(*id) || (floor < Some(*id) && !before.recent.contains(id));
        let events = std::mem::take(&mut self.seen)
            .into_values()
            .filter(|event| is_new(&event.id))
            .collect();
        WalkEnd::Reached { events, cursor }
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
fn page_of(list: &Url, category: Option<&str>, rows: usize) -> Url {
    let mut url = list.clone();
    let mut query = url.query_pairs_mut();
    if let Some(category) = category {
        query.append_pair("category", category);
    }
    query.append_pair("per_page", &rows.to_string());
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use url::Url;

    use super::{Glance, Page, overlap_below};
    use crate::model::{Event, EventCursor, EventId, EventKind, ProjectId};

    /// The first of these rows.
    fn page(list: impl IntoIterator<Item = u64>, rows: usize) -> Page {
        let event = |id| Event {
            id: EventId(id),
            kind: EventKind::Other,
            project: ProjectId(1),
            subject: None,
            actor: None,
        };
        let mut list = list.into_iter().map(event);
        Page {
            events: list.by_ref().take(rows).collect(),
            next: list.next().map(|_| Url::parse("http://tracker/?page=2").unwrap()),
        }
    }

    fn numbers(numbers: impl IntoIterator<Item = u64>) -> BTreeSet<EventId> {
        numbers.into_iter().map(EventId).collect()
    }

    fn cursor(newest: u64, recent: BTreeSet<EventId>) -> EventCursor {
        EventCursor {
            newest: Some(EventId(newest)),
            recent,
        }
    }

    #[test]
    fn a_glance_is_as_long_as_there_is_something_to_look_for() {
        let rows = |recent| Glance::of(&cursor(1000, recent)).map(|glance| glance.rows());
        assert_eq!(rows(numbers(801..=1000)), Some(10), "no number is open");
        assert_eq!(
            rows(&numbers(801..=1000) - &numbers([995])),
            Some(15),
            "the last five are above one"
        );
        assert_eq!(
            rows(numbers((820..=1000).step_by(45))),
            Some(15),
            "few of all events are of these projects"
        );
        assert_eq!(rows(&numbers(801..=1000) - &numbers([850])), None, "more than half a page");
        assert!(Glance::of(&EventCursor::default()).is_none(), "nothing is known");
    }

    #[test]
    fn events_that_the_clock_has_put_below_others_are_looked_for_as_soon_as_one_is_above_them() {
        let dense = cursor(1000, numbers(801..=1000));
        let sparse = cursor(1000, numbers((820..=1000).step_by(45)));
        for cursor in [dense, sparse] {
            let glance = Glance::of(&cursor).unwrap();
            let above = || cursor.recent.iter().rev().map(|id| id.0).chain((700..=800).rev());
            let list = || above().chain([1001, 1002]).chain((1..700).rev());
            assert!(glance.is_answered_by(&page(list(), glance.rows())), "nothing is new above them");
            assert!(!glance.is_answered_by(&page([1003].into_iter().chain(list()), glance.rows())));
        }
    }

    #[test]
    fn a_glance_that_does_not_show_the_newest_or_nothing_known_at_all_is_no_answer() {
        let cursor = cursor(1000, numbers(801..=1000));
        let glance = Glance::of(&cursor).unwrap();
        assert!(!glance.is_answered_by(&page((1..=999).rev(), 10)));
        assert!(!glance.is_answered_by(&page((1..=1010).rev(), 10)));
        assert!(glance.is_answered_by(&page((1..=1009).rev(), 10)));
        assert!(!glance.is_answered_by(&page([1001], 10)));
        assert!(!glance.is_answered_by(&page([], 10)));
    }

    #[test]
    fn a_glance_is_no_answer_where_the_server_sends_fewer_rows_than_it_takes() {
        let cursor = cursor(1000, &numbers(801..=1000) - &numbers([960]));
        let glance = Glance::of(&cursor).unwrap();
        assert_eq!(glance.rows(), 50);
        let list = || (1..=1000).rev().filter(|id| *id != 960);
        assert!(!glance.is_answered_by(&page(list(), 30)));
        assert!(glance.is_answered_by(&page(list(), 50)));
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Fate {
        Seen,
        /// It was not there yet when others around it were seen.
        Late,
        /// It was seen, and is there no more.
        Gone,
        /// It is in a project that is not asked for.
        Elsewhere,
    }

    /// What became of each event by its number, the last ones being new.
    fn fates() -> impl Strategy<Value = (Vec<Fate>, usize)> {
        use Fate::{Elsewhere, Gone, Late, Seen};
        let fate = |weights: [u32; 4]| prop_oneof![weights[0] => Just(Seen), weights[1] => Just(Late), weights[2] => Just(Gone), weights[3] => Just(Elsewhere)];
        let of_weights = prop_oneof![
            Just([500, 1, 1, 1]),
            Just([50, 0, 0, 1000]),
            Just([50, 1, 1, 1000]),
            Just([4, 1, 1, 4])
        ];
        let fates = of_weights.prop_flat_map(move |weights| vec(fate(weights), 1..450));
        (fates, prop_oneof![0_usize..12, 0_usize..400])
    }

    /// The list of events, and who saw it when the last `news` were not there.
    fn history(fates: &[Fate], news: usize) -> (BTreeSet<u64>, EventCursor) {
        let newest = fates.len().saturating_sub(news).max(1) as u64;
        let by_number = || (1_u64..).zip(fates);
        let list = by_number().filter(|(id, fate)| matches!(fate, Fate::Seen | Fate::Late) || (**fate == Fate::Gone && *id > newest));
        let seen = by_number().filter(|(id, fate)| *id == newest || matches!(fate, Fate::Seen | Fate::Gone));
        let recent = newest.saturating_sub(EventCursor::OVERLAP) + 1..=newest;
        let recent = numbers(seen.map(|(id, _)| id).filter(|id| recent.contains(id)));
        (list.map(|(id, _)| id).collect(), cursor(newest, recent))
    }

    proptest! {
        #[test]
        fn a_glance_that_answers_leaves_out_nothing_that_a_walk_looks_for((fates, news) in fates()) {
            let (list, cursor) = history(&fates, news);
            let Some(glance) = Glance::of(&cursor) else { return Ok(()) };
            let page = page(list.iter().rev().copied(), glance.rows());
            if glance.is_answered_by(&page) {
                let shown: BTreeSet<EventId> = page.events.iter().map(|event| event.id).collect();
                let new = numbers(list).into_iter().filter(|id| cursor.newest.map(overlap_below) < Some(*id) && !cursor.recent.contains(id));
                let left_out: Vec<_> = new.filter(|id| !shown.contains(id)).collect();
                prop_assert!(left_out.is_empty(), "{left_out:?} of {shown:?}");
            }
        }

        #[test]
        fn a_glance_answers_where_nothing_is_new((fates, _) in fates()) {
            let (list, cursor) = history(&fates, 0);
            let floor = cursor.newest.map_or(0, |newest| overlap_below(newest).0);
            let known = list.into_iter().filter(|id| *id <= floor).map(EventId).chain(cursor.recent.iter().copied());
            let known: BTreeSet<EventId> = known.collect();
            let Some(glance) = Glance::of(&cursor) else { return Ok(()) };
            prop_assert!(glance.is_answered_by(&page(known.iter().rev().map(|id| id.0), glance.rows())));
        }
    }
}

//! Walking down a tracker's events: nothing new is missed, and what cannot be known is told.

use std::collections::BTreeSet;

use kinset::http;
use kinset::model::{Event, EventCursor, EventId, EventKind, PatchId, ProjectId, Subject, UserName};
use kinset::tracker::simulator::{Moment, Patch, Rules, World};
use kinset::tracker::{Error, Reader, Walk, WalkEnd};
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::client_support::{answer, patchwork, reader, settings, token};
use crate::support::patchwork::{Patchwork, message};

pub(crate) const ALPHA: ProjectId = ProjectId(1);
const BETA: ProjectId = ProjectId(2);

/// Plenty.
pub(crate) const PAGES: usize = 100;

/// Two projects, each with so many patches, and the events of their arrival.
fn world(patches: u64) -> World {
    let world = World::default()
        .with_project("alpha")
        .with_project("beta")
        .with_user("human", "t-human", &["alpha", "beta"]);
    (1..=2 * patches).fold(world, |world, id| {
        world.with_patch(PatchId(id), if id <= patches { "alpha" } else { "beta" }, message(id))
    })
}

/// A tracker, and somebody who saw all of its events.
struct Watched {
    patchwork: Patchwork,
    reader: Reader,
    cursor: EventCursor,
}

impl Watched {
    async fn of(patches: u64) -> Self {
        let patchwork = Patchwork::start(&world(patches)).await;
        let reader = Reader::connect(settings(&format!("http://{}", patchwork.address)), None)
            .await
            .unwrap();
        let cursor = reader.event_cursor(&[ALPHA, BETA]).await.unwrap().unwrap();
        Self { patchwork, reader, cursor }
    }

    fn happens(&self, what: impl FnOnce(&mut Rules)) {
        self.patchwork.simulator.with_rules(what);
    }

    async fn walk(&self) -> Walk {
        self.walk_at_most(PAGES).await
    }

    async fn walk_at_most(&self, pages: usize) -> Walk {
        self.reader.events(&[ALPHA, BETA], &self.cursor, pages).await.unwrap()
    }

    /// What is new, with the number of requests that it took to learn it. The next walk goes on from there.
    async fn news(&mut self) -> (Vec<Event>, usize) {
        let Walk { end, requests } = self.walk().await;
        let (events, cursor) = reached(end);
        self.cursor = cursor;
        (events, requests)
    }
}

pub(crate) fn reached(end: WalkEnd) -> (Vec<Event>, EventCursor) {
    match end {
        WalkEnd::Reached { events, cursor } => (events, cursor),
        other => panic!("{other:?}"),
    }
}

fn human() -> UserName {
    UserName("human".to_owned())
}

/// Lets so many events about relations happen: a patch comes into a relation of its own and leaves it, in turn.
fn relations_change(rules: &mut Rules, times: usize) {
    for turn in 0..times {
        let related: &[PatchId] = if turn % 2 == 0 { &[PatchId(1)] } else { &[] };
        rules.write(Some(&human()), PatchId(1), related).unwrap();
    }
}

fn comments_arrive(rules: &mut Rules, times: usize) {
    for _ in 0..times {
        rules.add_comment(PatchId(1)).unwrap();
    }
}

fn patch_arrives(rules: &mut Rules, id: u64, project: ProjectId) {
    rules.add_patch(Patch::plain(PatchId(id), project, message(id))).unwrap();
}

pub(crate) fn numbers(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.id.0).collect()
}

pub(crate) fn cursor(newest: u64, recent: impl IntoIterator<Item = u64>) -> EventCursor {
    EventCursor {
        newest: Some(EventId(newest)),
        recent: recent.into_iter().map(EventId).collect(),
    }
}

#[tokio::test]
async fn events_are_told_with_what_they_are_about_and_who_brought_them_about_oldest_first() {
    let mut watched = Watched::of(5).await;
    watched.happens(|rules| {
        rules.write(Some(&human()), PatchId(1), &[PatchId(6)]).unwrap();
        patch_arrives(rules, 11, ALPHA);
        comments_arrive(rules, 1);
    });
    let (events, requests) = watched.news().await;
    let event = |id, kind, project, patch, actor| Event {
        id: EventId(id),
        kind,
        project,
        subject: Some(Subject {
            patch: PatchId(patch),
            message_id: Some(message(patch)),
            date: Some(jiff::civil::date(2026, 1, 1)),
        }),
        actor,
    };
    assert_eq!(
        events,
        [
            event(11, EventKind::RelationChanged, BETA, 6, None),
            event(12, EventKind::RelationChanged, ALPHA, 1, Some(human())),
            event(13, EventKind::PatchCreated, ALPHA, 11, None),
            event(14, EventKind::Other, ALPHA, 1, None),
        ]
    );
    assert_eq!(requests, 1);
    assert_eq!(watched.news().await, (Vec::new(), 1), "once");
}

#[tokio::test]
async fn the_cursor_is_made_from_one_page_and_remembers_the_overlap() {
    let watched = Watched::of(500).await;
    assert_eq!(watched.cursor, cursor(1000, 801..=1000));
    let asked = watched.patchwork.simulator.log().pop().unwrap().path_and_query;
    assert_eq!(asked, "/api/1.3/events/?project=1&project=2&per_page=250");
}

#[tokio::test]
async fn a_tracker_without_any_event_has_a_cursor_too_and_then_everything_is_new() {
    let mut watched = Watched::of(0).await;
    assert_eq!(watched.cursor, EventCursor::default());
    assert_eq!(watched.news().await, (Vec::new(), 1));
    watched.happens(|rules| (1..=300).for_each(|id| patch_arrives(rules, id, ALPHA)));
    let (events, requests) = watched.news().await;
    assert_eq!(numbers(&events), Vec::from_iter(1..=300));
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn events_take_a_glance_and_the_pages_that_they_and_the_overlap_fill() {
    for count in [0, 1, 9, 10, 49, 50, 249, 250, 251, 1000, 1001] {
        let mut watched = Watched::of(300).await;
        watched.happens(|rules| relations_change(rules, count));
        let (events, requests) = watched.news().await;
        assert_eq!(numbers(&events), Vec::from_iter(601..=600 + count as u64), "{count}");
        let pages = if count < 10 { 0 } else { (count + 201).div_ceil(250) };
        assert_eq!(requests, 1 + pages, "{count}");
        assert_eq!(watched.news().await, (Vec::new(), 1), "{count}");
    }
}

#[tokio::test]
async fn few_rows_are_asked_for_where_nothing_has_happened_and_no_more_than_the_overlap_needs() {
    let mut watched = Watched::of(300).await;
    let asked = |watched: &Watched| {
        let log = watched.patchwork.simulator.log();
        watched.patchwork.simulator.clear_log();
        log.into_iter().map(|request| request.path_and_query).collect::<Vec<_>>()
    };
    let quiet = |rows: usize| [format!("/api/1.3/events/?project=1&project=2&per_page={rows}")];
    asked(&watched);
    assert_eq!(watched.news().await, (Vec::new(), 1));
    assert_eq!(asked(&watched), quiet(10));
    // A number that nobody has seen may come yet, and so those above it are looked at each time.
    watched.cursor.recent.remove(&EventId(580));
    let (late, _) = watched.news().await;
    assert_eq!(numbers(&late), [580]);
    assert_eq!(asked(&watched)[0], quiet(30)[0]);
    assert_eq!(watched.news().await, (Vec::new(), 1));
    assert_eq!(asked(&watched), quiet(10));
}

#[tokio::test]
async fn where_most_events_are_of_other_projects_the_overlap_is_few_rows() {
    let mut watched = Watched::of(300).await;
    watched.happens(|rules| (1..=200).for_each(|id| patch_arrives(rules, 600 + id, if id % 40 == 0 { BETA } else { ALPHA })));
    watched.cursor = watched.reader.event_cursor(&[BETA]).await.unwrap().unwrap();
    assert_eq!(watched.cursor, cursor(800, [640, 680, 720, 760, 800]));
    watched.patchwork.simulator.clear_log();
    let quiet = watched.reader.events(&[BETA], &watched.cursor, PAGES).await.unwrap();
    assert_eq!(reached(quiet.end), (Vec::new(), watched.cursor.clone()));
    watched.happens(|rules| patch_arrives(rules, 801, BETA));
    let news = watched.reader.events(&[BETA], &watched.cursor, PAGES).await.unwrap();
    assert_eq!((numbers(&reached(news.end).0), news.requests), (vec![801], 2));
    let log = watched.patchwork.simulator.log().into_iter();
    let asked: Vec<String> = log.map(|request| request.path_and_query).collect();
    let rows = |rows: usize| format!("/api/1.3/events/?project=2&per_page={rows}");
    assert_eq!(asked, [rows(15), rows(15), rows(250)]);
}

#[tokio::test]
async fn only_the_projects_asked_for_are_walked() {
    let watched = Watched::of(5).await;
    watched.happens(|rules| {
        patch_arrives(rules, 11, ALPHA);
        patch_arrives(rules, 12, BETA);
    });
    let walk = watched.reader.events(&[BETA], &watched.cursor, PAGES).await.unwrap();
    assert_eq!(numbers(&reached(walk.end).0), [12]);
}

#[tokio::test]
async fn an_event_that_comes_into_sight_late_is_found_once() {
    let watched = Watched::of(50).await;
    let mut before = watched.cursor.clone();
    before.recent.remove(&EventId(7));
    let walk = watched.reader.events(&[ALPHA, BETA], &before, PAGES).await.unwrap();
    let (events, after) = reached(walk.end);
    assert_eq!(numbers(&events), [7]);
    assert_eq!(after, watched.cursor);
}

#[tokio::test]
async fn what_is_older_than_the_overlap_is_not_looked_for() {
    let watched = Watched::of(200).await;
    let walk = watched.reader.events(&[ALPHA, BETA], &cursor(400, 390..=400), PAGES).await.unwrap();
    assert_eq!(numbers(&reached(walk.end).0), Vec::from_iter(201..390));
}

#[tokio::test]
async fn events_that_are_not_there_any_more_are_lost() {
    for (why, known) in [
        ("the newest is higher than any that is there", cursor(500, [399, 400, 500])),
        ("none of those that were seen is there", cursor(300, [70_000, 70_001])),
    ] {
        let watched = Watched {
            cursor: known,
            ..Watched::of(200).await
        };
        assert_eq!(watched.walk().await.end, WalkEnd::Lost, "{why}");
    }
    let mut emptied = Watched::of(1).await;
    emptied.happens(|rules| *rules = world(0).rules().unwrap());
    assert_eq!(emptied.walk().await.end, WalkEnd::Lost, "the list is empty");
    emptied.happens(|rules| *rules = world(300).rules().unwrap());
    emptied.cursor = cursor(2000, 1801..=2000);
    assert_eq!(emptied.walk().await.end, WalkEnd::Lost, "everything was loaded anew");
}

#[tokio::test]
async fn a_deleted_patch_that_takes_the_newest_event_along_does_not_lose_the_others() {
    let mut watched = Watched::of(50).await;
    watched.happens(|rules| {
        rules.remove_patch(PatchId(100)).unwrap();
        patch_arrives(rules, 101, ALPHA);
    });
    assert_eq!(numbers(&watched.news().await.0), [101]);
}

#[tokio::test]
async fn a_walk_that_would_be_too_long_is_broken_off() {
    let watched = Watched::of(300).await;
    watched.happens(|rules| relations_change(rules, 1000));
    for (pages, is_enough) in [(1, false), (4, false), (5, true)] {
        let Walk { end, requests } = watched.walk_at_most(pages).await;
        match end {
            WalkEnd::TooLong { cursor } => {
                assert!(!is_enough, "{pages} pages");
                let seen_all = watched.reader.event_cursor(&[ALPHA, BETA]).await.unwrap();
                assert_eq!(seen_all, Some(cursor), "{pages} pages");
            }
            _ => assert!(is_enough, "{pages} pages"),
        }
        assert_eq!(requests, 1 + pages);
    }
}

#[tokio::test]
async fn where_most_events_are_about_other_things_only_those_of_interest_are_walked() {
    let mut watched = Watched::of(300).await;
    watched.happens(|rules| {
        relations_change(rules, 300);
        patch_arrives(rules, 601, BETA);
        comments_arrive(rules, 5000);
    });
    let (mut events, requests) = watched.news().await;
    events.retain(|event| event.kind != EventKind::Other);
    assert_eq!(numbers(&events), Vec::from_iter(601..=901));
    // A glance; the newest of all; arrivals; three hundred changes.
    assert_eq!(requests, 1 + 1 + 1 + 2);
    let asked: BTreeSet<String> = watched
        .patchwork
        .simulator
        .log()
        .into_iter()
        .map(|request| request.path_and_query)
        .collect();
    assert!(asked.contains("/api/1.3/events/?project=1&project=2&category=patch-created&per_page=250"));
    assert!(asked.contains("/api/1.3/events/?category=patch-relation-changed&page=2&per_page=250&project=1&project=2"));
    assert_eq!(watched.cursor.newest, Some(EventId(5901)));
    assert_eq!(watched.news().await, (Vec::new(), 1));
}

#[tokio::test]
async fn where_half_of_the_events_are_of_interest_all_are_walked() {
    let mut watched = Watched::of(300).await;
    watched.happens(|rules| {
        for _ in 0..250 {
            comments_arrive(rules, 1);
            relations_change(rules, 1);
            rules.write(Some(&human()), PatchId(1), &[]).unwrap();
        }
    });
    let (events, _) = watched.news().await;
    assert_eq!(numbers(&events), Vec::from_iter(601..=1350));
    let asked = watched.patchwork.simulator.log();
    assert!(asked.iter().all(|request| !request.path_and_query.contains("category")));
}

#[tokio::test]
async fn walking_by_category_is_bounded_and_loses_the_thread_like_any_walk() {
    let mut watched = Watched::of(300).await;
    watched.happens(|rules| comments_arrive(rules, 1000));
    let newest = cursor(1600, 1401..=1600);
    assert_eq!(
        watched.walk_at_most(2).await,
        Walk {
            end: WalkEnd::TooLong { cursor: newest },
            requests: 3
        }
    );
    // Nothing of interest is as old as the cursor.
    watched.cursor = cursor(1, [1]);
    watched.happens(|rules| rules.remove_patch(PatchId(1)).unwrap());
    watched.happens(|rules| {
        for _ in 0..1000 {
            rules.add_comment(PatchId(2)).unwrap();
        }
    });
    assert_eq!(watched.walk().await.end, WalkEnd::Lost);
}

#[tokio::test]
async fn events_that_arrive_during_a_walk_hide_none_and_are_seen_by_the_next() {
    for others in [0, 400] {
        let mut watched = Watched::of(300).await;
        watched.happens(|rules| {
            relations_change(rules, 600);
            comments_arrive(rules, others);
        });
        // Eight more push rows down before each page.
        watched.patchwork.simulator.on_request(|request, moment, rules| {
            if moment == Moment::Before && request.path_and_query.contains("page=") {
                relations_change(rules, 7);
                rules.write(Some(&human()), PatchId(1), &[]).unwrap();
            }
        });
        let (first, _) = watched.news().await;
        watched.patchwork.simulator.on_request(|_, _, _| {});
        let (second, _) = watched.news().await;
        let seen: BTreeSet<u64> = numbers(&first).into_iter().chain(numbers(&second)).collect();
        let there = watched.patchwork.simulator.with_rules(|rules| rules.events().len() as u64);
        let relations: BTreeSet<u64> = watched.patchwork.simulator.with_rules(|rules| {
            let events = rules.events()[600..].iter();
            events
                .filter(|event| event.category.as_str() == "patch-relation-changed")
                .map(|event| event.id.0)
                .collect()
        });
        assert!(
            relations.is_subset(&seen),
            "{others} others: {:?} of {there}",
            relations.difference(&seen)
        );
    }
}

#[tokio::test]
async fn a_tracker_that_shows_no_events_tells_so() {
    for status in [401, 403, 404, 405, 410, 501] {
        let server = patchwork().await;
        answer(&server, "/api/1.3/events/", ResponseTemplate::new(status)).await;
        let reader = reader(&server).await;
        assert_eq!(reader.event_cursor(&[ALPHA]).await.unwrap(), None, "{status}");
        let walk = reader.events(&[ALPHA], &cursor(1, [1]), PAGES).await.unwrap();
        assert_eq!(
            walk,
            Walk {
                end: WalkEnd::NoEvents,
                requests: 1
            },
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_bad_token_and_a_server_in_trouble_are_errors_and_not_a_lack_of_events() {
    let bad_token = ResponseTemplate::new(403).set_body_json(json!({"detail": "Invalid token."}));
    for (response, is_it) in [
        (
            bad_token,
            (|error| matches!(error, Error::InvalidToken { .. })) as fn(&Error) -> bool,
        ),
        (ResponseTemplate::new(502), |error| {
            matches!(error, Error::Http(http::Error::Status { .. }))
        }),
        (ResponseTemplate::new(200).set_body_json(json!({})), |error| {
            matches!(error, Error::Http(http::Error::WrongShape { .. }))
        }),
    ] {
        let server = patchwork().await;
        answer(&server, "/api/1.3/events/", response).await;
        let reader = Reader::connect(settings(&server.uri()), Some(&token())).await.unwrap();
        let error = reader.events(&[ALPHA], &cursor(1, [1]), PAGES).await.unwrap_err();
        assert!(is_it(&error), "{error:?}");
        assert!(reader.event_cursor(&[ALPHA]).await.is_err());
    }
}

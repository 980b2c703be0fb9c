//! Rows and pages of events as a server may send them.

use kinset::model::{EventCursor, EventKind};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::client_events::{ALPHA, PAGES, cursor, numbers, reached};
use crate::client_support::{answer, patchwork, queries, reader, told};

fn event_row(id: u64, category: &str, payload: &Value) -> Value {
    json!({"id": id, "category": category, "project": {"id": 1}, "date": "2026-11-21T12:00:00.5", "actor": null, "payload": payload})
}

fn about(patch: u64) -> Value {
    json!({"patch": {"id": patch, "msgid": format!("<m{patch}@example.org>"), "date": "2026-02-03T04:05:06"}})
}

#[tokio::test]
async fn events_without_a_patch_and_patches_with_odd_mails_are_read_too() {
    let server = patchwork().await;
    let rows = json!([
        event_row(4, "series-created", &json!({"series": {"id": 1}})),
        event_row(
            3,
            "patch-created",
            &json!({"patch": {"id": 9, "msgid": "no brackets", "date": "soon"}})
        ),
        event_row(2, "cover-created", &json!({})),
        event_row(1, "patch-relation-changed", &about(9)),
    ]);
    answer(&server, "/api/1.3/events/", ResponseTemplate::new(200).set_body_json(rows)).await;
    let walk = reader(&server)
        .await
        .events(&[ALPHA], &EventCursor::default(), PAGES)
        .await
        .unwrap();
    let told: Vec<_> = reached(walk.end)
        .0
        .into_iter()
        .map(|event| {
            let subject = event
                .subject
                .map(|subject| (subject.patch.0, subject.message_id.is_some(), subject.date.is_some()));
            (event.kind, subject)
        })
        .collect();
    assert_eq!(
        told,
        [
            (EventKind::RelationChanged, Some((9, true, true))),
            (EventKind::Other, None),
            (EventKind::PatchCreated, Some((9, false, false))),
            (EventKind::Other, None),
        ]
    );
}

/// A server whose pages of events hold these numbers, in this order.
async fn paged(pages: &'static [&'static [u64]], last_is_gone: bool) -> wiremock::MockServer {
    let server = patchwork().await;
    let respond = move |request: &wiremock::Request| {
        let number: usize = request
            .url
            .query_pairs()
            .find(|(key, _)| key == "page")
            .map_or(1, |(_, value)| value.parse().unwrap());
        if last_is_gone && number == pages.len() {
            return ResponseTemplate::new(404).set_body_json(json!({"detail": "Invalid page."}));
        }
        let rows: Vec<Value> = pages[number - 1]
            .iter()
            .map(|&id| event_row(id, "patch-relation-changed", &about(id)))
            .collect();
        let response = ResponseTemplate::new(200).set_body_json(rows);
        if number < pages.len() {
            response.insert_header("Link", format!("<?cursor=x&page={}>; rel=next", number + 1))
        } else {
            response
        }
    };
    answer(&server, "/api/1.3/events/", respond).await;
    server
}

#[tokio::test]
async fn events_that_the_clock_has_put_out_of_order_are_sorted_and_the_links_followed_as_they_are() {
    let server = paged(&[&[1007, 1009, 1005], &[1004, 1008, 1002], &[1001, 700], &[600]], false).await;
    let walk = reader(&server).await.events(&[ALPHA], &cursor(1001, [1001]), PAGES).await.unwrap();
    let (events, after) = reached(walk.end);
    assert_eq!(numbers(&events), [1002, 1004, 1005, 1007, 1008, 1009]);
    assert_eq!(after, cursor(1009, [1001, 1002, 1004, 1005, 1007, 1008, 1009]));
    assert_eq!(
        queries(&server, "/api/1.3/events/").await,
        [
            "project=1&per_page=11",
            "project=1&per_page=250",
            "cursor=x&page=2",
            "cursor=x&page=3"
        ]
    );
}

#[tokio::test]
async fn a_list_of_events_that_shrinks_meanwhile_just_ends_earlier() {
    let server = paged(&[&[1007, 1001], &[]], true).await;
    let walk = reader(&server).await.events(&[ALPHA], &cursor(1001, [1001]), PAGES).await.unwrap();
    assert_eq!(walk.requests, 3);
    assert_eq!(numbers(&reached(walk.end).0), [1007]);
}

#[tokio::test]
async fn a_list_of_events_that_goes_in_circles_is_an_error() {
    let server = patchwork().await;
    let circle = ResponseTemplate::new(200)
        .set_body_json(json!([event_row(9, "patch-relation-changed", &about(9))]))
        .insert_header("Link", "<?cursor=a>; rel=next");
    answer(&server, "/api/1.3/events/", circle).await;
    let error = reader(&server)
        .await
        .events(&[ALPHA], &EventCursor::default(), PAGES)
        .await
        .unwrap_err();
    insta::assert_snapshot!(told(&error, &server.uri()), @"the list at http://tracker/api/1.3/events/?cursor=a never ends: its `next` link leads back to a page already read");
}

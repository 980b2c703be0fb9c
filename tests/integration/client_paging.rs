//! Reading whole lists: every patch once, in pages that fit.

use std::{
    collections::BTreeSet,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use kinset::{
    http,
    model::Patch,
    tracker::{Error, Reader, RetryPolicy, Settings},
};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use wiremock::{MockServer, ResponseTemplate};

use crate::client_support::{
    Asked, Log, PatchList, Raw, SOON, answer, concurrent, index, patch, patchwork, queries, raw_json, raw_server, read_all, reader, row,
    settings, token, told,
};

fn rows(numbers: std::ops::RangeInclusive<u64>) -> Vec<Value> {
    numbers.map(|number| row(number, &[])).collect()
}

/// A row so long that 250 of them are 5 MB.
fn long_row(number: u64) -> Value {
    let mut row = row(number, &[]);
    row["name"] = "x".repeat(20_000).into();
    row
}

fn ids(patches: &[Patch]) -> Vec<u64> {
    patches.iter().map(|patch| patch.id.0).collect()
}

async fn serving(list: PatchList) -> MockServer {
    let server = patchwork().await;
    answer(&server, "/api/1.3/patches/", list).await;
    server
}

async fn read(server: &MockServer, width: usize) -> Result<Vec<Patch>, Error> {
    let settings = Settings {
        concurrent_requests: concurrent(width),
        ..settings(&server.uri())
    };
    read_all(&Reader::connect(settings, Some(&token())).await.unwrap()).await
}

/// The pages that were asked for, in that order, as `page x per_page`.
async fn asked(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    let lists = requests.iter().filter(|request| request.url.path() == "/api/1.3/patches/");
    lists
        .map(Asked::of)
        .map(|asked| format!("{} x {}", asked.page, asked.per_page))
        .collect()
}

#[tokio::test]
async fn every_page_is_read_once() {
    let server = serving(PatchList::new(rows(1..=1001))).await;
    let patches = read(&server, 4).await.unwrap();
    assert_eq!(ids(&patches), Vec::from_iter(1..=1001));
    let pages: BTreeSet<String> = asked(&server).await.into_iter().collect();
    assert_eq!(
        pages,
        ["1 x 250", "2 x 250", "3 x 250", "4 x 250", "5 x 250"].map(str::to_owned).into()
    );
    assert_eq!(asked(&server).await.len(), 5);
}

#[tokio::test]
async fn the_list_asked_for_is_the_projects_ordered_by_id() {
    let server = serving(PatchList::new(rows(1..=1))).await;
    read(&server, 1).await.unwrap();
    assert_eq!(
        queries(&server, "/api/1.3/patches/").await,
        ["project=1&order=id&page=1&per_page=250"]
    );
}

#[tokio::test]
async fn patches_come_with_project_message_id_and_relatives() {
    let server = serving(PatchList::new(vec![row(1, &[2, 3]), row(2, &[1, 3]), row(4, &[])])).await;
    assert_eq!(
        read(&server, 1).await.unwrap(),
        [patch(1, &[2, 3]), patch(2, &[1, 3]), patch(4, &[])]
    );
}

#[tokio::test]
async fn a_project_without_patches_is_an_empty_list() {
    let server = serving(PatchList::new(Vec::new())).await;
    assert_eq!(read(&server, 4).await.unwrap(), []);
}

#[tokio::test]
async fn pages_are_read_side_by_side_and_no_more_at_once_than_allowed() {
    let width = 3;
    let barrier = Arc::new(Barrier::new(width));
    let under_way = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let counters = (Arc::clone(&under_way), Arc::clone(&most));
    let server = raw_server(move |line| {
        let (barrier, under_way, most) = (Arc::clone(&barrier), Arc::clone(&counters.0), Arc::clone(&counters.1));
        async move {
            let Some((_, query)) = line.split_once("/patches/?") else {
                return raw_json(&index());
            };
            let page: u64 = query
                .split(['&', ' '])
                .find_map(|pair| pair.strip_prefix("page="))
                .unwrap()
                .parse()
                .unwrap();
            most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            if page > 1 {
                // Nobody gets past here before `width` requests are under way.
                barrier.wait().await;
            }
            under_way.fetch_sub(1, Ordering::SeqCst);
            let body = json!([row(page, &[])]).to_string();
            let next = if page < 7 {
                format!("</api/1.3/patches/?page={}>; rel=next, ", page + 1)
            } else {
                String::new()
            };
            let head = format!("HTTP/1.1 200 OK\r\nLink: {next}</api/1.3/patches/?page=7>; rel=last\r\nConnection: close");
            Raw::Bytes(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes())
        }
    })
    .await;
    let settings = Settings {
        concurrent_requests: concurrent(width),
        ..settings(&server)
    };
    let reader = Reader::connect(settings, None).await.unwrap();
    let patches = read_all(&reader).await.unwrap();
    assert_eq!(ids(&patches), Vec::from_iter(1..=7));
    assert_eq!(most.load(Ordering::SeqCst), width);
    assert_eq!(under_way.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn pages_over_the_target_are_halved_and_grow_back_where_rows_are_short() {
    let list = (1..=500).map(long_row).chain(rows(501..=1500)).collect();
    let server = serving(PatchList::new(list)).await;
    assert_eq!(ids(&read(&server, 1).await.unwrap()), Vec::from_iter(1..=1500));
    assert_eq!(
        asked(&server).await,
        [
            "1 x 250", "3 x 125", "4 x 125", "5 x 125", "3 x 250", "4 x 250", "5 x 250", "6 x 250"
        ],
        "the first 250 rows are 5 MB, the next 250 are 2.5 MB in each of two pages, the rest is small"
    );
}

#[tokio::test]
async fn a_size_that_was_too_slow_is_not_asked_for_again() {
    let too_slow = |asked: Asked, _: &mut Vec<Value>| (asked.per_page > 100).then(|| ResponseTemplate::new(504));
    let server = serving(PatchList::new(rows(1..=200)).whim(too_slow)).await;
    assert_eq!(ids(&read(&server, 1).await.unwrap()), Vec::from_iter(1..=200));
    assert_eq!(asked(&server).await, ["1 x 250", "1 x 125", "1 x 62", "2 x 62", "3 x 62", "4 x 62"]);
}

#[tokio::test]
async fn a_page_that_does_not_come_in_time_is_asked_for_in_halves() {
    let server = raw_server(async |line| match line {
        line if !line.contains("/patches/") => raw_json(&index()),
        line if line.contains("per_page=250") => Raw::Silence,
        _ => raw_json(&json!([row(1, &[])])),
    })
    .await;
    let settings = Settings {
        timeout: SOON,
        ..settings(&server)
    };
    let reader = Reader::connect(settings, None).await.unwrap();
    let patches = read_all(&reader).await.unwrap();
    assert_eq!(patches, [patch(1, &[])]);
}

#[tokio::test]
async fn a_page_larger_than_anything_is_asked_for_in_halves() {
    let huge = |asked: Asked, _: &mut Vec<Value>| {
        (asked.per_page == 250).then(|| ResponseTemplate::new(200).set_body_raw(vec![b' '; (64 << 20) + 1], "application/json"))
    };
    let server = serving(PatchList::new(rows(1..=10)).whim(huge)).await;
    assert_eq!(ids(&read(&server, 1).await.unwrap()), Vec::from_iter(1..=10));
    assert_eq!(asked(&server).await, ["1 x 250", "1 x 125"]);
}

#[tokio::test]
async fn when_even_the_smallest_page_fails_it_is_told() {
    let server = serving(PatchList::new(rows(1..=10)).whim(|_, _| Some(ResponseTemplate::new(502)))).await;
    let error = read(&server, 1).await.unwrap_err();
    insta::assert_snapshot!(told(&error, &server.uri()), @"expected a page of patches, but http://tracker/api/1.3/patches/?project=1&order=id&page=1&per_page=8 answered 502 Bad Gateway (no content type) with nothing in it");
    assert_eq!(asked(&server).await[..5], ["1 x 250", "1 x 125", "1 x 62", "1 x 31", "1 x 15"]);
    assert_eq!(asked(&server).await[5..], ["1 x 8"; 3], "as often as the policy says");
}

#[tokio::test]
async fn no_page_boundary_loses_or_doubles_a_patch() {
    for most in [7, 100, 250] {
        for slow_above in [10, 60, 200, usize::MAX] {
            for width in [1, 4] {
                let list = PatchList::new(rows(1..=733)).at_most(most);
                let server =
                    serving(list.whim(move |asked, _| (asked.per_page.min(most) > slow_above).then(|| ResponseTemplate::new(502)))).await;
                let patches = read(&server, width).await.unwrap();
                assert_eq!(
                    ids(&patches),
                    Vec::from_iter(1..=733),
                    "most {most}, slow above {slow_above}, width {width}"
                );
            }
        }
    }
}

#[tokio::test]
async fn an_outage_in_the_middle_loses_nothing() {
    for width in [1, 4] {
        let failures = AtomicUsize::new(0);
        let outage = move |asked: Asked, _: &mut Vec<Value>| {
            let late = asked.page * asked.per_page > 400;
            (late && failures.fetch_add(1, Ordering::SeqCst) < 6).then(|| ResponseTemplate::new(502))
        };
        let server = serving(PatchList::new(rows(1..=900)).whim(outage)).await;
        assert_eq!(ids(&read(&server, width).await.unwrap()), Vec::from_iter(1..=900), "width {width}");
    }
}

#[tokio::test]
async fn a_list_that_shrinks_meanwhile_just_ends_earlier() {
    // Of pages that are asked for side by side, any may be the first to be answered.
    let shrink = |asked: Asked, list: &mut Vec<Value>| {
        if asked.page >= 2 {
            list.truncate(480);
        }
        None
    };
    for width in [1, 4] {
        let server = serving(PatchList::new(rows(1..=1200)).whim(shrink)).await;
        let patches = read(&server, width).await.unwrap();
        assert_eq!(ids(&patches), Vec::from_iter(1..=480), "width {width}");
    }
}

#[tokio::test]
async fn a_list_that_grows_meanwhile_is_read_to_its_new_end() {
    let grow = |asked: Asked, list: &mut Vec<Value>| {
        if asked.page == 2 && list.len() < 1000 {
            list.extend(rows(501..=1100));
        }
        None
    };
    let server = serving(PatchList::new(rows(1..=500)).whim(grow)).await;
    assert_eq!(ids(&read(&server, 4).await.unwrap()), Vec::from_iter(1..=1100));
}

#[tokio::test]
async fn a_server_with_a_lower_maximum_is_read_whole() {
    let server = serving(PatchList::new(rows(1..=250)).at_most(100)).await;
    assert_eq!(ids(&read(&server, 1).await.unwrap()), Vec::from_iter(1..=250));
    assert_eq!(asked(&server).await.len(), 3);
}

#[tokio::test]
async fn a_server_that_does_not_tell_its_last_page_is_followed_by_its_own_links() {
    let server = patchwork().await;
    let own_links = |request: &wiremock::Request| match request.url.query() {
        Some("cursor=b%2Bc") => ResponseTemplate::new(200)
            .set_body_json(rows(2..=2))
            .insert_header("Link", "<?cursor=d>; rel=next"),
        Some("cursor=d") => ResponseTemplate::new(200).set_body_json(rows(3..=3)),
        _ => ResponseTemplate::new(200)
            .set_body_json(rows(1..=1))
            .insert_header("Link", "<?cursor=b%2Bc>; rel=next"),
    };
    answer(&server, "/api/1.3/patches/", own_links).await;
    assert_eq!(ids(&read(&server, 4).await.unwrap()), [1, 2, 3]);
}

#[tokio::test]
async fn a_list_that_goes_in_circles_is_an_error() {
    let server = patchwork().await;
    let circle = |_: &wiremock::Request| {
        ResponseTemplate::new(200)
            .set_body_json(rows(1..=1))
            .insert_header("Link", "<?cursor=a>; rel=next")
    };
    answer(&server, "/api/1.3/patches/", circle).await;
    let error = read(&server, 1).await.unwrap_err();
    insta::assert_snapshot!(told(&error, &server.uri()), @"the list at http://tracker/api/1.3/patches/?cursor=a never ends: its `next` link leads back to a page already read");
}

#[tokio::test]
async fn a_full_page_without_links_is_an_error_rather_than_the_end() {
    let server = patchwork().await;
    answer(
        &server,
        "/api/1.3/patches/",
        ResponseTemplate::new(200).set_body_json(rows(1..=250)),
    )
    .await;
    let error = read(&server, 1).await.unwrap_err();
    insta::assert_snapshot!(told(&error, &server.uri()), @"expected a `Link` header to tell the pages after http://tracker/api/1.3/patches/?project=1&order=id&page=1&per_page=250, but there is none");
}

#[tokio::test]
async fn a_link_that_cannot_be_read_is_an_error_rather_than_the_end() {
    let server = patchwork().await;
    answer(
        &server,
        "/api/1.3/patches/",
        ResponseTemplate::new(200)
            .set_body_json(rows(1..=1))
            .insert_header("Link", "page 2 is next"),
    )
    .await;
    let error = read(&server, 1).await.unwrap_err();
    insta::assert_snapshot!(told(&error, &server.uri()), @r#"expected a `Link` header to tell the next page of http://tracker/api/1.3/patches/?project=1&order=id&page=1&per_page=250, but it cannot be read: Syntax error: Expected "<""#);
}

#[tokio::test]
async fn a_link_to_another_server_is_not_followed() {
    let server = patchwork().await;
    let elsewhere = ResponseTemplate::new(200)
        .set_body_json(rows(1..=1))
        .insert_header("Link", "<https://elsewhere.example/?page=2>; rel=next");
    answer(&server, "/api/1.3/patches/", elsewhere).await;
    let error = read(&server, 1).await.unwrap_err();
    insta::assert_snapshot!(told(&error, &server.uri()), @"refusing to follow http://tracker/api/1.3/patches/?project=1&order=id&page=1&per_page=250 to another server, https://elsewhere.example/?page=2");
}

#[tokio::test]
async fn a_first_page_that_is_invalid_is_an_error_and_not_an_empty_list() {
    let invalid = |_: Asked, _: &mut Vec<Value>| Some(ResponseTemplate::new(404).set_body_json(json!({"detail": "Invalid page."})));
    let server = serving(PatchList::new(Vec::new()).whim(invalid)).await;
    assert!(matches!(read(&server, 1).await, Err(Error::Http(http::Error::Status { .. }))));
}

#[tokio::test]
async fn a_patch_with_a_malformed_message_id_is_left_out_with_a_word() {
    let (log, _guard) = Log::listen();
    let mut list = rows(1..=3);
    list[1]["msgid"] = "no brackets".into();
    let server = serving(PatchList::new(list)).await;
    assert_eq!(ids(&read(&server, 1).await.unwrap()), [1, 3]);
    insta::assert_snapshot!(log.warnings().join("\n"), @"tracker::sweep: patches with a malformed message id are left out patches=1 first=2");
}

#[tokio::test]
async fn reading_can_be_done_on_another_task() {
    let server = serving(PatchList::new(rows(1..=3))).await;
    let reader = reader(&server).await;
    let task = tokio::spawn(async move { read_all(&reader).await });
    assert_eq!(ids(&task.await.unwrap().unwrap()), [1, 2, 3]);
}

#[tokio::test]
async fn a_busy_page_is_waited_for_without_changing_its_size() {
    let refusals = AtomicUsize::new(0);
    let busy = move |_: Asked, _: &mut Vec<Value>| (refusals.fetch_add(1, Ordering::SeqCst) < 2).then(|| ResponseTemplate::new(503));
    let server = serving(PatchList::new(rows(1..=3)).whim(busy)).await;
    let settings = Settings {
        retry: RetryPolicy::without_waiting(NonZeroU32::new(3).unwrap()),
        ..settings(&server.uri())
    };
    let reader = Reader::connect(settings, None).await.unwrap();
    let patches = read_all(&reader).await.unwrap();
    assert_eq!(ids(&patches), [1, 2, 3]);
    assert_eq!(asked(&server).await, ["1 x 250"; 3]);
}

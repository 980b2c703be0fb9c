//! Reading a whole list bit by bit, and going on where an earlier reading ended.

use std::sync::atomic::{AtomicUsize, Ordering};

use kinset::http;
use kinset::model::PatchId;
use kinset::tracker::{Error, Reader, Resume, Rows, Settings, Sweep};
use serde_json::Value;
use wiremock::{MockServer, ResponseTemplate};

use crate::client_support::{Asked, PatchList, answer, concurrent, patchwork, project, row, settings, told};

fn rows(numbers: impl IntoIterator<Item = u64>) -> Vec<Value> {
    numbers.into_iter().map(|number| row(number, &[])).collect()
}

async fn serving(list: PatchList) -> MockServer {
    let server = patchwork().await;
    answer(&server, "/api/1.3/patches/", list).await;
    server
}

async fn sweep(server: &MockServer, from: Resume) -> Sweep {
    sweep_side_by_side(server, from, 1).await
}

async fn sweep_side_by_side(server: &MockServer, from: Resume, width: usize) -> Sweep {
    let settings = Settings {
        concurrent_requests: concurrent(width),
        ..settings(&server.uri())
    };
    Reader::connect(settings, None).await.unwrap().sweep(&project(), from)
}

fn after(rows: usize, last: u64) -> Resume {
    Resume {
        rows,
        last: Some(PatchId(last)),
    }
}

fn ids(rows: &Rows) -> Vec<u64> {
    rows.patches.iter().map(|patch| patch.id.0).collect()
}

async fn rest(mut sweep: Sweep) -> Vec<u64> {
    let mut all = Vec::new();
    while let Some(rows) = sweep.next_rows().await.unwrap() {
        all.extend(ids(&rows));
    }
    all
}

async fn asked(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    let lists = requests.iter().filter(|request| request.url.path() == "/api/1.3/patches/");
    lists
        .map(Asked::of)
        .map(|asked| format!("{} x {}", asked.page, asked.per_page))
        .collect()
}

#[tokio::test]
async fn a_sweep_takes_as_many_requests_as_there_are_pages() {
    for (patches, pages) in [(0, 1), (1, 1), (249, 1), (250, 1), (251, 2), (500, 2), (1001, 5)] {
        for width in [1, 4] {
            let server = serving(PatchList::new(rows(1..=patches))).await;
            let sweep = sweep_side_by_side(&server, Resume::default(), width).await;
            assert_eq!(rest(sweep).await, Vec::from_iter(1..=patches));
            assert_eq!(asked(&server).await.len(), pages, "{patches} patches, width {width}");
        }
    }
}

#[tokio::test]
async fn nothing_is_read_before_it_is_asked_for() {
    let server = serving(PatchList::new(rows(1..=3))).await;
    drop(sweep(&server, Resume::default()).await);
    assert!(asked(&server).await.is_empty());
}

#[tokio::test]
async fn rows_come_page_by_page_without_a_gap_and_tell_where_to_go_on() {
    for width in [1, 4] {
        let server = serving(PatchList::new(rows((1..=600).map(|number| 2 * number)))).await;
        let mut sweep = sweep_side_by_side(&server, Resume::default(), width).await;
        let mut told = Vec::new();
        while let Some(rows) = sweep.next_rows().await.unwrap() {
            told.push((ids(&rows)[0], rows.patches.len(), rows.resume, rows.expected));
        }
        assert_eq!(
            told,
            [
                (2, 250, after(250, 500), Some(750)),
                (502, 250, after(500, 1000), Some(750)),
                (1002, 100, after(600, 1200), Some(600)),
            ]
        );
    }
}

#[tokio::test]
async fn the_end_stays_the_end() {
    let server = serving(PatchList::new(rows(1..=3))).await;
    let mut sweep = sweep(&server, Resume::default()).await;
    assert!(sweep.next_rows().await.unwrap().is_some());
    for _ in 0..3 {
        assert_eq!(sweep.next_rows().await.unwrap(), None);
    }
    assert_eq!(asked(&server).await.len(), 1);
}

#[tokio::test]
async fn a_sweep_goes_on_with_the_page_of_the_last_row_and_hands_out_what_follows_it() {
    for (read, first_page) in [(1, 1), (250, 1), (251, 2), (500, 2), (501, 3), (999, 4), (1000, 4)] {
        let server = serving(PatchList::new(rows(1..=1000))).await;
        let sweep = sweep(&server, after(read, read as u64)).await;
        assert_eq!(rest(sweep).await, Vec::from_iter(read as u64 + 1..=1000), "{read}");
        assert_eq!(asked(&server).await[0], format!("{first_page} x 250"));
        assert_eq!(asked(&server).await.len(), 4 - first_page + 1);
    }
}

#[tokio::test]
async fn rows_deleted_since_then_are_made_up_for_by_stepping_back() {
    // Of the 1000 rows that were read, these are left; three hundred more follow.
    for left in [1000, 999, 751, 750, 700, 500, 499, 250, 1, 0] {
        for width in [1, 4] {
            let list = rows((1..=1000).skip(1000 - left).chain(1001..=1300));
            let server = serving(PatchList::new(list)).await;
            let sweep = sweep_side_by_side(&server, after(1000, 1000), width).await;
            assert_eq!(rest(sweep).await, Vec::from_iter(1001..=1300), "{left} left, width {width}");
        }
    }
}

#[tokio::test]
async fn a_list_that_became_shorter_than_what_was_read_is_read_from_where_it_connects() {
    let server = serving(PatchList::new(rows((401..=500).chain(1001..=1300)))).await;
    let sweep = sweep(&server, after(1000, 1000)).await;
    assert_eq!(rest(sweep).await, Vec::from_iter(1001..=1300));
    assert_eq!(asked(&server).await, ["4 x 250", "3 x 250", "2 x 250", "1 x 250", "2 x 250"]);
}

#[tokio::test]
async fn a_list_that_was_emptied_since_then_has_nothing_more() {
    let server = serving(PatchList::new(Vec::new())).await;
    assert!(rest(sweep(&server, after(600, 600)).await).await.is_empty());
}

#[tokio::test]
async fn a_lower_maximum_and_pages_that_shrink_do_not_lose_the_thread() {
    for most in [7, 100, 250] {
        for slow_above in [10, 60, usize::MAX] {
            for (read, last) in [(1, 40), (300, 400), (600, 600), (733, 733), (900, 700)] {
                let list = PatchList::new(rows(1..=733)).at_most(most);
                let server =
                    serving(list.whim(move |asked, _| (asked.per_page.min(most) > slow_above).then(|| ResponseTemplate::new(502)))).await;
                let sweep = sweep_side_by_side(&server, after(read, last), 4).await;
                assert_eq!(
                    rest(sweep).await,
                    Vec::from_iter(last + 1..=733),
                    "most {most}, slow above {slow_above}, read {read}, last {last}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_sweep_that_ends_anywhere_is_completed_by_the_next_one() {
    for width in [1, 4] {
        for batches in 0..=4 {
            let server = serving(PatchList::new(rows(1..=900))).await;
            let (mut all, mut reached) = (Vec::new(), Resume::default());
            let mut broken_off = sweep_side_by_side(&server, reached, width).await;
            for _ in 0..batches {
                let rows = broken_off.next_rows().await.unwrap().unwrap();
                all.extend(ids(&rows));
                reached = rows.resume;
            }
            drop(broken_off);
            all.extend(rest(sweep_side_by_side(&server, reached, width).await).await);
            assert_eq!(all, Vec::from_iter(1..=900), "width {width}, {batches} batches");
        }
    }
}

#[tokio::test]
async fn after_an_error_the_same_sweep_goes_on_without_a_gap() {
    for width in [1, 4] {
        let refusals = AtomicUsize::new(0);
        let broken = move |asked: Asked, _: &mut Vec<Value>| {
            (asked.page == 2 && refusals.fetch_add(1, Ordering::SeqCst) == 0).then(|| ResponseTemplate::new(400))
        };
        let server = serving(PatchList::new(rows(1..=1100)).whim(broken)).await;
        let mut sweep = sweep_side_by_side(&server, Resume::default(), width).await;
        assert_eq!(sweep.next_rows().await.unwrap().unwrap().patches.len(), 250);
        assert!(matches!(sweep.next_rows().await, Err(Error::Http(http::Error::Status { .. }))));
        assert_eq!(rest(sweep).await, Vec::from_iter(251..=1100), "width {width}");
    }
}

#[tokio::test]
async fn a_patch_that_comes_into_the_project_meanwhile_doubles_none() {
    let moved_in = |asked: Asked, list: &mut Vec<Value>| {
        if asked.page == 2 {
            list.insert(100, row(200, &[]));
        }
        None
    };
    let numbers = || (1..=600).map(|number| 3 * number);
    let server = serving(PatchList::new(rows(numbers())).whim(moved_in)).await;
    assert_eq!(rest(sweep(&server, Resume::default()).await).await, Vec::from_iter(numbers()));
}

#[tokio::test]
async fn a_patch_with_a_malformed_message_id_counts_as_a_row() {
    let mut list = rows(1..=260);
    list[249]["msgid"] = "no brackets".into();
    let server = serving(PatchList::new(list)).await;
    let mut sweep = sweep(&server, Resume::default()).await;
    let first = sweep.next_rows().await.unwrap().unwrap();
    assert_eq!((first.patches.len(), first.resume), (249, after(250, 250)));
    assert_eq!(rest(sweep).await, Vec::from_iter(251..=260));
}

#[tokio::test]
async fn a_list_that_is_not_in_order_is_an_error() {
    let server = serving(PatchList::new(rows([1, 3, 2]))).await;
    let error = sweep(&server, Resume::default()).await.next_rows().await.unwrap_err();
    insta::assert_snapshot!(told(&error, &server.uri()), @"expected the list at http://tracker/api/1.3/patches/?project=1&order=id&page=1&per_page=250 in the order of its ids");
}

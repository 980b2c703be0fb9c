//! Each kind of fault, as a client sees it, and what it leaves behind on the server.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kinset::model::{PatchId, UserName};
use kinset::tracker::simulator::{Fault, FaultKind, Moment, When};
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::support::patchwork::{Patchwork, small_world};

/// Every write, or every read, goes wrong.
async fn patchwork(fault: Fault) -> Patchwork {
    let patchwork = Patchwork::start(&small_world(6)).await;
    patchwork.simulator.set_faults([fault]);
    patchwork
}

fn every(kind: FaultKind) -> Fault {
    Fault::new(kind, When::every(1))
}

async fn read(patchwork: &Patchwork) -> Result<Response, reqwest::Error> {
    patchwork.request(Method::GET, "/api/1.3/patches/").send().await
}

fn is_reset(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
        {
            return true;
        }
        source = error.source();
    }
    false
}

#[tokio::test]
async fn a_status_comes_with_html_and_changes_nothing() {
    for code in [429, 502, 503, 504] {
        let patchwork = patchwork(every(FaultKind::Status {
            code,
            retry_after_s: Some(7),
        }))
        .await;
        let reply = patchwork.relate("t-bot", 1, &[2]).send().await.unwrap();
        assert_eq!(reply.status().as_u16(), code);
        assert_eq!(reply.headers()["Retry-After"], "7");
        assert!(reply.headers()["Content-Type"].to_str().unwrap().starts_with("text/html"));
        assert!(patchwork.relations().is_empty());
    }
}

/// Waits until a late request has been carried out.
async fn related(patchwork: &Patchwork) {
    let related = async {
        while patchwork.relations().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), related).await.unwrap();
}

#[tokio::test]
async fn a_late_request_is_carried_out_although_nobody_waits_for_it() {
    let patchwork = patchwork(every(FaultKind::Late { duration_ms: 200 }).on_writes()).await;
    let (arrive, mut arrived) = mpsc::unbounded_channel();
    patchwork.simulator.on_request(move |_, _, _| arrive.send(()).unwrap());
    tokio::select! {
        answer = patchwork.relate("t-bot", 1, &[2]).send() => panic!("{answer:?} before it came"),
        _ = arrived.recv() => {}
    }
    related(&patchwork).await;
    let log = patchwork.simulator.log();
    assert_eq!(log.iter().map(|logged| logged.status).collect::<Vec<_>>(), [Some(200)]);

    let waits = patchwork.relate("t-bot", 3, &[4]).send().await.unwrap();
    assert_eq!(waits.json::<Value>().await.unwrap()["id"], 3);
    assert_eq!(patchwork.relations().len(), 2);
}

#[tokio::test]
async fn a_request_that_a_proxy_gives_up_is_carried_out_after_its_answer() {
    let patchwork = patchwork(every(FaultKind::GivenUp { duration_ms: 200 }).on_writes()).await;
    let answer = patchwork.relate("t-bot", 1, &[2]).send().await.unwrap();
    assert_eq!(answer.status(), 504);
    related(&patchwork).await;
    assert_eq!(patchwork.simulator.log()[0].status, Some(504));
}

#[tokio::test]
async fn a_status_need_not_say_when_to_come_back() {
    let patchwork = patchwork(every(FaultKind::status(502))).await;
    assert!(!read(&patchwork).await.unwrap().headers().contains_key("Retry-After"));
}

#[tokio::test]
async fn a_delayed_write_takes_effect_even_where_the_client_gives_up() {
    let patchwork = patchwork(every(FaultKind::delay(Duration::from_secs(3600)))).await;
    let (carried_out, is_carried_out) = std::sync::mpsc::channel();
    patchwork.simulator.on_request(move |_, moment, _| {
        if moment == Moment::After {
            carried_out.send(()).unwrap();
        }
    });
    let client = tokio::spawn(patchwork.relate("t-bot", 1, &[2]).send());
    tokio::task::spawn_blocking(move || is_carried_out.recv().unwrap()).await.unwrap();
    assert!(!client.is_finished());
    client.abort();
    assert_eq!(patchwork.relations(), [[1, 2]]);
}

#[tokio::test]
async fn a_delayed_reply_is_whole() {
    let patchwork = patchwork(every(FaultKind::delay(Duration::from_millis(1)))).await;
    let rows: Value = read(&patchwork).await.unwrap().json().await.unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_dripping_reply_comes_byte_by_byte_and_is_whole_in_the_end() {
    let patchwork = patchwork(every(FaultKind::Drip { byte_ms: 1 })).await;
    let mut reply = patchwork.request(Method::GET, "/api/1.3/projects/alpha/").send().await.unwrap();
    let mut body = reply.chunk().await.unwrap().unwrap().to_vec();
    assert!((body.len() as u64) < reply.content_length().unwrap(), "{body:?}");
    while let Some(chunk) = reply.chunk().await.unwrap() {
        body.extend_from_slice(&chunk);
    }
    let project: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(project["link_name"], "alpha");
}

#[tokio::test]
async fn after_a_reset_nothing_took_effect() {
    let patchwork = patchwork(every(FaultKind::Reset)).await;
    let error = patchwork.relate("t-bot", 1, &[2]).send().await.unwrap_err();
    assert!(is_reset(&error), "{error:?}");
    assert!(patchwork.relations().is_empty());
    assert_eq!(patchwork.simulator.log()[0].status, None);
}

#[tokio::test]
async fn a_lost_reply_looks_like_a_reset_after_the_write_took_effect() {
    let patchwork = patchwork(every(FaultKind::LostReply)).await;
    let error = patchwork.relate("t-bot", 1, &[2]).send().await.unwrap_err();
    assert!(is_reset(&error), "{error:?}");
    assert_eq!(patchwork.relations(), [[1, 2]]);
}

#[tokio::test]
async fn a_truncated_body_is_shorter_than_it_claims() {
    let patchwork = patchwork(every(FaultKind::Truncate)).await;
    let reply = read(&patchwork).await.unwrap();
    assert_eq!(reply.status(), 200);
    assert!(reply.content_length().unwrap() > 1000);
    let error = reply.bytes().await.unwrap_err();
    assert!(error.is_body() || error.is_decode(), "{error:?}");
}

#[tokio::test]
async fn html_comes_with_200_and_changes_nothing() {
    let patchwork = patchwork(every(FaultKind::Html)).await;
    let reply = patchwork.relate("t-bot", 1, &[2]).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert!(reply.text().await.unwrap().starts_with("<!doctype html>"));
    assert!(patchwork.relations().is_empty());
}

#[tokio::test]
async fn a_half_write_saves_the_first_rows_and_fails() {
    let patchwork = patchwork(every(FaultKind::HalfWrite)).await;
    let reply = patchwork.relate("t-bot", 1, &[2, 3, 4, 5]).send().await.unwrap();
    assert_eq!(reply.status(), 500);
    // The patch at the address is the last of the five rows.
    assert_eq!(patchwork.relations(), [[2, 3]]);
}

#[tokio::test]
async fn a_half_write_of_a_pair_hides_a_relation_of_one() {
    let patchwork = patchwork(every(FaultKind::HalfWrite)).await;
    patchwork.relate("t-bot", 1, &[2]).send().await.unwrap();
    assert!(patchwork.relations().is_empty());
    assert!(
        patchwork
            .simulator
            .with_rules(|rules| rules.hidden_relations())
            .contains(&PatchId(2))
    );
}

#[tokio::test]
async fn half_a_clear_is_none() {
    let patchwork = Patchwork::start(&small_world(3).with_relation([1, 2, 3].map(PatchId))).await;
    patchwork.simulator.set_faults([every(FaultKind::HalfWrite)]);
    assert_eq!(patchwork.relate("t-bot", 1, &[]).send().await.unwrap().status(), 500);
    assert_eq!(patchwork.relations(), [[1, 2, 3]]);
}

#[tokio::test]
async fn a_wrong_type_is_json_of_another_shape() {
    let patchwork = patchwork(every(FaultKind::WrongType)).await;
    assert!(patchwork.json("/api/1.3/patches/").await.is_object());
    assert!(patchwork.json("/api/1.3/patches/1/").await.is_array());
}

#[tokio::test]
async fn rows_can_lack_the_field_related_only() {
    let patchwork = Patchwork::start(&small_world(2)).await;
    let mut row = patchwork.json("/api/1.3/patches/1/").await;
    patchwork.simulator.set_faults([every(FaultKind::NoRelated)]);
    row.as_object_mut().unwrap().remove("related");
    assert_eq!(patchwork.json("/api/1.3/patches/1/").await, row);
    let rows = patchwork.json("/api/1.3/patches/").await;
    assert!(
        rows.as_array()
            .unwrap()
            .iter()
            .all(|row| row.get("related").is_none() && row.get("msgid").is_some())
    );
}

#[tokio::test]
async fn forbidden_reads_as_powerless() {
    let patchwork = patchwork(every(FaultKind::Forbid)).await;
    let reply = patchwork.relate("t-bot", 1, &[2]).send().await.unwrap();
    assert_eq!(reply.status(), 403);
    let body: Value = reply.json().await.unwrap();
    assert_eq!(body["detail"], "You do not have permission to perform this action.");
    assert!(patchwork.relations().is_empty());
}

#[tokio::test]
async fn a_fault_of_every_third_write_spares_reads_and_other_writes() {
    let patchwork = patchwork(Fault::new(FaultKind::status(503), When::every(3)).on_writes()).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(read(&patchwork).await.unwrap().status().as_u16());
        statuses.push(patchwork.relate("t-bot", 1, &[]).send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 503, 200, 200]);
}

#[tokio::test]
async fn the_log_tells_what_arrived_from_whom_and_what_became_of_it() {
    let patchwork = Patchwork::start(&small_world(2)).await;
    patchwork.relate("t-bot", 1, &[2]).send().await.unwrap();
    patchwork.relate("t-nobody", 1, &[]).send().await.unwrap();
    patchwork.relate("t-stranger", 1, &[]).send().await.unwrap();
    patchwork
        .request(Method::GET, "/api/1.3/patches/?project=alpha")
        .send()
        .await
        .unwrap();
    let told: Vec<_> = patchwork
        .simulator
        .log()
        .into_iter()
        .map(|request| {
            (
                request.ordinal,
                request.method,
                request.path_and_query,
                request.user.map(|user| user.0),
                request.status,
            )
        })
        .collect();
    let patch = || ("PATCH".to_owned(), "/api/1.3/patches/1/".to_owned());
    let write = |ordinal, user: Option<&str>, status| (ordinal, patch().0, patch().1, user.map(str::to_owned), Some(status));
    assert_eq!(
        told[..3],
        [write(1, Some("bot"), 200), write(2, Some("nobody"), 403), write(3, None, 403)]
    );
    assert_eq!(
        told[3],
        (4, "GET".to_owned(), "/api/1.3/patches/?project=alpha".to_owned(), None, Some(200))
    );
    patchwork.simulator.clear_log();
    assert!(patchwork.simulator.log().is_empty());
}

#[tokio::test]
async fn a_hook_sees_a_request_before_and_after_it_is_carried_out() {
    let patchwork = Patchwork::start(&small_world(4)).await;
    let related_before = Arc::new(AtomicU64::new(u64::MAX));
    let related_after = Arc::new(AtomicU64::new(u64::MAX));
    let (before, after) = (Arc::clone(&related_before), Arc::clone(&related_after));
    patchwork.simulator.on_request(move |request, moment, rules| {
        let (seen, status) = match moment {
            Moment::Before => (&before, None),
            Moment::After => (&after, Some(200)),
        };
        assert_eq!(request.status, status);
        seen.store(rules.relations().len() as u64, Ordering::SeqCst);
    });
    patchwork.relate("t-bot", 1, &[2]).send().await.unwrap();
    assert_eq!(
        (related_before.load(Ordering::SeqCst), related_after.load(Ordering::SeqCst)),
        (0, 1)
    );
}

#[tokio::test]
async fn a_hook_can_be_a_person_who_edits_just_before_a_write() {
    let patchwork = Patchwork::start(&small_world(4)).await;
    patchwork.simulator.on_request(|request, moment, rules| {
        if request.ordinal == 2 && moment == Moment::Before {
            rules.write(Some(&UserName("bot".to_owned())), PatchId(3), &[PatchId(4)]).unwrap();
        }
    });
    assert_eq!(patchwork.relate("t-bot", 1, &[2]).send().await.unwrap().status(), 200);
    assert_eq!(patchwork.relate("t-bot", 1, &[3]).send().await.unwrap().status(), 409);
    assert_eq!(patchwork.relations(), [[1, 2], [3, 4]]);
}

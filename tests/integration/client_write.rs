//! Writes: sent once, and told by what is known of their outcome.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kinset::{
    model::PatchId,
    remedy::Remedy,
    tracker::{Lost, Reader, Refusal, RetryPolicy, Settings, Token, TokenOrigin, Unsent, WriteError, Writer},
};
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_json, header, method, path},
};

use crate::client_support::{
    LATE, Raw, SECRET, SOON, index, mortal_patchwork, patchwork, queries, raw_json, raw_server, reader, settings, token, told,
};

use crate::support::patchwork::{Patchwork, message, small_world};

const ADDRESS: &str = "/api/1.3/patches/7/";

async fn tracker(response: ResponseTemplate) -> MockServer {
    let server = patchwork().await;
    Mock::given(method("PATCH"))
        .and(path(ADDRESS))
        .respond_with(response)
        .mount(&server)
        .await;
    server
}

async fn relate(server: &MockServer) -> Result<(), WriteError> {
    Writer::new(&reader(server).await, token()).relate(PatchId(7), &[PatchId(8)]).await
}

/// What a relate ends in when the server answers like that; the one request that it takes is checked too.
async fn failure(response: ResponseTemplate) -> (WriteError, String) {
    let server = tracker(response).await;
    let error = relate(&server).await.unwrap_err();
    assert_eq!(queries(&server, ADDRESS).await.len(), 1, "a write is sent once");
    let text = told(&error, &server.uri());
    (error, text)
}

/// What a relate ends in when the server does this, and how often it was asked to.
async fn raw_failure(timeout: Duration, raw: impl Fn() -> Raw + Send + Sync + 'static) -> (WriteError, usize) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let server = raw_server(move |line| {
        std::future::ready(if line.starts_with("PATCH ") {
            counter.fetch_add(1, Ordering::SeqCst);
            raw()
        } else {
            raw_json(&index())
        })
    })
    .await;
    let settings = Settings {
        timeout,
        ..settings(&server)
    };
    let reader = Reader::connect(settings, None).await.unwrap();
    let error = Writer::new(&reader, token()).relate(PatchId(7), &[PatchId(8)]).await.unwrap_err();
    (error, count.load(Ordering::SeqCst))
}

fn detail(status: u16, detail: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"detail": detail}))
}

#[tokio::test]
async fn a_relate_names_the_patches_and_a_clear_names_none() {
    let server = patchwork().await;
    for (address, related) in [("/api/1.3/patches/7/", json!([8, 9])), ("/api/1.3/patches/10/", json!([]))] {
        Mock::given(method("PATCH"))
            .and(path(address))
            .and(body_json(json!({"related": related})))
            .and(header("authorization", format!("Token {SECRET}")))
            .and(header("content-type", "application/json"))
            .and(header("accept", "application/json"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"id": 1})))
            .expect(1)
            .mount(&server)
            .await;
    }
    let reader = Reader::connect(settings(&server.uri()), None).await.unwrap();
    let writer = Writer::new(&reader, token());
    writer.relate(PatchId(7), &[PatchId(8), PatchId(9)]).await.unwrap();
    writer.clear(PatchId(10)).await.unwrap();
}

#[tokio::test]
async fn a_commit_is_sent_alone_and_refused_in_the_same_ways() {
    let server = patchwork().await;
    Mock::given(method("PATCH"))
        .and(path(ADDRESS))
        .and(body_json(json!({"commit_ref": "0123abc"})))
        .and(header("authorization", format!("Token {SECRET}")))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"id": 7})))
        .expect(1)
        .mount(&server)
        .await;
    let writer = Writer::new(&reader(&server).await, token());
    writer.set_commit_ref(PatchId(7), "0123abc").await.unwrap();

    for (response, is_it) in [
        (
            ResponseTemplate::new(400).set_body_json(json!({"commit_ref": ["Ensure this field has no more than 255 characters."]})),
            (|error| matches!(error, WriteError::Rejected { .. })) as fn(&WriteError) -> bool,
        ),
        (detail(403, "You do not have permission to perform this action."), |error| {
            matches!(
                error,
                WriteError::Forbidden {
                    kind: Refusal::NotMaintainer,
                    ..
                }
            )
        }),
        (ResponseTemplate::new(504), |error| matches!(error, WriteError::Unknown { .. })),
    ] {
        let server = tracker(response).await;
        let writer = Writer::new(&reader(&server).await, token());
        let error = writer.set_commit_ref(PatchId(7), "0123abc").await.unwrap_err();
        assert!(is_it(&error), "{error:?}");
        assert_eq!(queries(&server, ADDRESS).await.len(), 1, "a write is sent once");
    }
}

#[tokio::test]
async fn a_commit_is_written_down_on_a_simulated_patchwork_and_its_relation_stays() {
    let world = small_world(2).with_relation([PatchId(1), PatchId(2)]);
    let patchwork = Patchwork::start(&world).await;
    let reader = Reader::connect(settings(&format!("http://{}", patchwork.address)), None)
        .await
        .unwrap();
    let bot = Token::parse("t-bot", &TokenOrigin::Environment("TOKEN".to_owned())).unwrap();
    Writer::new(&reader, bot).set_commit_ref(PatchId(1), "0123abc").await.unwrap();
    let patch = reader.patch(PatchId(1), &message(1)).await.unwrap().unwrap();
    assert_eq!((patch.commit_ref.as_deref(), patch.related), (Some("0123abc"), [PatchId(2)].into()));
}

#[tokio::test]
async fn whatever_a_success_says_of_relations_is_passed_over() {
    for body in [json!({"related": "nonsense"}), json!([]), json!({})] {
        assert!(relate(&tracker(ResponseTemplate::new(200).set_body_json(body)).await).await.is_ok());
    }
    assert!(relate(&tracker(ResponseTemplate::new(204)).await).await.is_ok());
}

#[tokio::test]
async fn relating_to_nothing_is_not_sent_for_it_would_clear() {
    let server = patchwork().await;
    let error = Writer::new(&reader(&server).await, token())
        .relate(PatchId(7), &[])
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        WriteError::NotSent {
            why: Unsent::NothingToRelate,
            ..
        }
    ));
    insta::assert_snapshot!(told(&error, &server.uri()), @r"
    nothing was written to http://tracker/api/1.3/patches/7/
    there is no patch to relate it to
    ");
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "the index only");
}

#[tokio::test]
async fn a_patch_in_another_relation_is_a_conflict() {
    let (error, text) = failure(detail(409, "At least one patch is already part of another relation.")).await;
    assert!(matches!(error, WriteError::Conflict { .. }));
    insta::assert_snapshot!(text, @"http://tracker/api/1.3/patches/7/ answered that a patch is in another relation already");
    insta::assert_snapshot!(error.remedy().unwrap(), @"somebody else may have related these patches meanwhile, or there is a relation of one, which no read shows; plan again");
}

#[tokio::test]
async fn refusals_tell_what_is_missing() {
    for (response, expected) in [
        (detail(403, "Invalid token."), Refusal::Credentials),
        (detail(403, "Authentication credentials were not provided."), Refusal::Credentials),
        (detail(401, "Authentication credentials were not provided."), Refusal::Credentials),
        (
            detail(403, "You do not have permission to perform this action."),
            Refusal::NotMaintainer,
        ),
        (
            detail(403, "At least one patch is part of a project you are not maintaining."),
            Refusal::OtherProject,
        ),
        (
            ResponseTemplate::new(403).set_body_raw("<html>blocked</html>", "text/html"),
            Refusal::Other,
        ),
    ] {
        let (error, text) = failure(response).await;
        assert!(matches!(error, WriteError::Forbidden { kind, .. } if kind == expected), "{text}");
        assert!(error.remedy().is_some());
    }
    let (_, text) = failure(detail(403, "You do not have permission to perform this action.")).await;
    insta::assert_snapshot!(text, @"http://tracker/api/1.3/patches/7/ refused the write: You do not have permission to perform this action.");
}

#[tokio::test]
async fn what_was_not_accepted_did_not_happen() {
    let (error, text) =
        failure(ResponseTemplate::new(400).set_body_json(json!({"related": ["Invalid pk \"8\" - object does not exist."]}))).await;
    assert!(matches!(error, WriteError::Rejected { .. }));
    insta::assert_snapshot!(text, @r#"the write was not accepted: http://tracker/api/1.3/patches/7/ answered 400 Bad Request (application/json): {"related":["Invalid pk \"8\" - object does not exist."]}"#);
    let (error, text) = failure(detail(404, "No Patch matches the given query.")).await;
    assert!(matches!(error, WriteError::Rejected { .. }));
    insta::assert_snapshot!(text, @"the write was not accepted: http://tracker/api/1.3/patches/7/ answered 404 Not Found (application/json): No Patch matches the given query.");
}

#[tokio::test]
async fn a_redirect_is_not_followed_for_its_target_would_get_an_empty_write() {
    let server = patchwork().await;
    Mock::given(method("PATCH"))
        .and(path(ADDRESS))
        .respond_with(ResponseTemplate::new(301).insert_header("Location", "/elsewhere/"))
        .mount(&server)
        .await;
    let error = relate(&server).await.unwrap_err();
    assert!(matches!(error, WriteError::Rejected { .. }));
    insta::assert_snapshot!(error.remedy().unwrap(), @"writes follow no redirects: set `url` in the configuration to where the tracker really is (https, the right name)");
    assert_eq!(queries(&server, "/elsewhere/").await.len(), 0);
}

#[tokio::test]
async fn too_many_requests_were_not_carried_out() {
    let retry = RetryPolicy::default();
    for (asked, expected) in [("7", Some(7)), ("3600", Some(60)), ("soon", None)] {
        let server = tracker(ResponseTemplate::new(429).insert_header("Retry-After", asked)).await;
        let settings = Settings {
            retry: retry.clone(),
            ..settings(&server.uri())
        };
        let reader = Reader::connect(settings, None).await.unwrap();
        let error = Writer::new(&reader, token()).clear(PatchId(7)).await.unwrap_err();
        let WriteError::Throttled { retry_after, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(retry_after, expected.map(Duration::from_secs), "{asked}");
    }
}

#[tokio::test]
async fn after_a_servers_error_nobody_knows() {
    for status in [303, 408, 500, 502, 503, 504] {
        let (error, text) = failure(ResponseTemplate::new(status).insert_header("Retry-After", "1")).await;
        assert!(matches!(error, WriteError::Unknown { what: Lost::Status(_), .. }), "{text}");
    }
    let (error, text) = failure(ResponseTemplate::new(502).set_body_raw("<html>Bad Gateway</html>", "text/html")).await;
    insta::assert_snapshot!(text, @r"
    it was left open whether http://tracker/api/1.3/patches/7/ was written
    http://tracker/api/1.3/patches/7/ answered 502 Bad Gateway (text/html): <html>Bad Gateway</html>
    ");
    insta::assert_snapshot!(error.remedy().unwrap(), @"the next run reads the patch first and goes on from what it finds");
}

#[tokio::test]
async fn a_success_that_is_a_web_page_is_not_the_trackers() {
    let (error, text) = failure(ResponseTemplate::new(200).set_body_raw("<html>Please log in</html>", "text/html")).await;
    assert!(matches!(
        error,
        WriteError::Unknown {
            what: Lost::Unreadable(_),
            ..
        }
    ));
    insta::assert_snapshot!(text, @r"
    it was left open whether http://tracker/api/1.3/patches/7/ was written
    the answer cannot be read: http://tracker/api/1.3/patches/7/ answered 200 OK (text/html): <html>Please log in</html>
    ");
}

#[tokio::test]
async fn a_lost_answer_leaves_it_open_and_is_not_asked_for_again() {
    let cut_short = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"id\": 7";
    for bytes in [Vec::new(), cut_short.to_vec(), b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()] {
        let copy = bytes.clone();
        for (error, count) in [
            raw_failure(LATE, move || Raw::Bytes(bytes.clone())).await,
            raw_failure(LATE, move || Raw::Reset(copy.clone())).await,
        ] {
            assert!(
                matches!(
                    error,
                    WriteError::Unknown {
                        what: Lost::Connection(_) | Lost::Unreadable(_),
                        ..
                    }
                ),
                "{error:?}"
            );
            assert_eq!(count, 1);
        }
    }
}

#[tokio::test]
async fn a_late_answer_leaves_it_open() {
    let (error, count) = raw_failure(SOON, || Raw::Silence).await;
    assert!(
        matches!(
            error,
            WriteError::Unknown {
                what: Lost::TimedOut { .. },
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(count, 1);
    insta::assert_snapshot!(std::error::Error::source(&error).unwrap(), @"no answer within 0.25 s");
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let server = mortal_patchwork().await;
    let reader = Reader::connect(settings(&server.uri()), None).await.unwrap();
    let address = server.uri();
    drop(server);
    let error = loop {
        // The pool may still hold a connection to the server that is gone.
        match Writer::new(&reader, token()).clear(PatchId(7)).await.unwrap_err() {
            WriteError::Unknown { .. } => {}
            error => break error,
        }
    };
    assert!(
        matches!(
            error,
            WriteError::NotSent {
                why: Unsent::Unreachable(_),
                ..
            }
        ),
        "{error:?}"
    );
    assert!(told(&error, &address).starts_with("nothing was written to http://tracker/api/1.3/patches/7/\nno connection\n"));
}

//! What is read again, what is not, and how long servers may ask to wait.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use kinset::{
    http,
    model::ProjectName,
    tracker::{Error, Jitter, Reader, RetryPolicy, Settings},
};
use serde_json::{Value, json};
use wiremock::{MockServer, ResponseTemplate};

use crate::client_support::{Log, Raw, SOON, answer, index, patchwork, queries, raw_json, raw_server, reader, settings, token};

const ADDRESS: &str = "/api/1.3/projects/alpha/";

fn alpha() -> ProjectName {
    ProjectName("alpha".to_owned())
}

fn project_body() -> Value {
    json!({"id": 1, "link_name": "alpha", "maintainers": []})
}

/// A tracker whose project answers `failure` so many times first.
async fn failing(times: usize, failure: ResponseTemplate) -> MockServer {
    let server = patchwork().await;
    let count = AtomicUsize::new(0);
    let respond = move |_: &wiremock::Request| match count.fetch_add(1, Ordering::SeqCst) {
        earlier if earlier < times => failure.clone(),
        _ => ResponseTemplate::new(200).set_body_json(project_body()),
    };
    answer(&server, ADDRESS, respond).await;
    server
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again() {
    for status in [429, 500, 502, 503, 504] {
        let server = failing(2, ResponseTemplate::new(status)).await;
        assert!(reader(&server).await.project(&alpha()).await.unwrap().is_some(), "{status}");
        assert_eq!(queries(&server, ADDRESS).await.len(), 3, "{status}");
    }
}

#[tokio::test]
async fn a_web_page_in_place_of_json_is_asked_again() {
    let server = failing(2, ResponseTemplate::new(200).set_body_raw("<html>busy</html>", "text/html")).await;
    assert!(reader(&server).await.project(&alpha()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_refusal_is_not_asked_again() {
    for status in [400, 401, 403, 404, 405, 410] {
        let server = failing(1, ResponseTemplate::new(status)).await;
        // An unknown project is no error; all that counts here is that nobody asked again.
        let outcome = reader(&server).await.project(&alpha()).await;
        assert!(
            matches!(outcome, Ok(None) | Err(Error::Http(http::Error::Status { .. }))),
            "{status}: {outcome:?}"
        );
        assert_eq!(queries(&server, ADDRESS).await.len(), 1, "{status}");
    }
}

#[tokio::test]
async fn json_of_another_shape_is_not_asked_again() {
    let server = failing(1, ResponseTemplate::new(200).set_body_json(json!({"id": "one"}))).await;
    assert!(matches!(
        reader(&server).await.project(&alpha()).await,
        Err(Error::Http(http::Error::WrongShape { .. }))
    ));
    assert_eq!(queries(&server, ADDRESS).await.len(), 1);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    for broken in [
        Vec::new(),
        format!("{head}Content-Length: 999\r\n\r\n{{\"id\":").into_bytes(),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n6\r\n{{\"id\":\r\n").into_bytes(),
        format!("{head}Connection: close\r\n\r\n{{\"id\":").into_bytes(),
        b"garbage\r\n\r\n".to_vec(),
    ] {
        for reset in [false, true] {
            let count = AtomicUsize::new(0);
            let broken = broken.clone();
            let server = raw_server(move |line| {
                let raw = match line {
                    line if !line.contains(ADDRESS) => raw_json(&index()),
                    _ if count.fetch_add(1, Ordering::SeqCst) >= 2 => raw_json(&project_body()),
                    _ if reset => Raw::Reset(broken.clone()),
                    _ => Raw::Bytes(broken.clone()),
                };
                std::future::ready(raw)
            })
            .await;
            let reader = Reader::connect(settings(&server), None).await.unwrap();
            assert!(reader.project(&alpha()).await.unwrap().is_some());
        }
    }
}

#[tokio::test]
async fn what_does_not_come_in_time_is_asked_for_again() {
    let count = AtomicUsize::new(0);
    let server = raw_server(move |line| {
        std::future::ready(match line {
            line if !line.contains(ADDRESS) => raw_json(&index()),
            _ if count.fetch_add(1, Ordering::SeqCst) == 0 => Raw::Silence,
            _ => raw_json(&project_body()),
        })
    })
    .await;
    let settings = Settings {
        timeout: SOON,
        ..settings(&server)
    };
    assert!(
        Reader::connect(settings, None)
            .await
            .unwrap()
            .project(&alpha())
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn each_retry_is_logged_once_with_address_attempt_delay_and_reason() {
    let (log, _guard) = Log::listen();
    let server = failing(2, ResponseTemplate::new(502).set_body_raw("<html>Bad Gateway</html>", "text/html")).await;
    reader(&server).await.project(&alpha()).await.unwrap();
    insta::assert_snapshot!(log.warnings().join("\n").replace(&server.uri(), "http://tracker"), @r#"
    http::session: read failed, trying again url=http://tracker/api/1.3/projects/alpha/ attempt=1 delay_ms=0 reason="expected a project, but http://tracker/api/1.3/projects/alpha/ answered 502 Bad Gateway (text/html): <html>Bad Gateway</html>"
    http::session: read failed, trying again url=http://tracker/api/1.3/projects/alpha/ attempt=2 delay_ms=0 reason="expected a project, but http://tracker/api/1.3/projects/alpha/ answered 502 Bad Gateway (text/html): <html>Bad Gateway</html>"
    "#);
}

#[tokio::test]
async fn a_server_may_ask_for_a_wait_up_to_the_cap() {
    let (log, _guard) = Log::listen();
    let cap = Duration::from_millis(2);
    let retry = RetryPolicy {
        attempts: NonZeroU32::new(2).unwrap(),
        patience: Duration::MAX,
        base: Duration::ZERO,
        cap,
        jitter: Jitter::None,
    };
    for asked in ["3600", "Fri, 31 Dec 2100 23:59:59 GMT"] {
        let server = failing(1, ResponseTemplate::new(503).insert_header("Retry-After", asked)).await;
        let settings = Settings {
            retry: retry.clone(),
            ..settings(&server.uri())
        };
        Reader::connect(settings, Some(&token()))
            .await
            .unwrap()
            .project(&alpha())
            .await
            .unwrap();
    }
    let delays = log.warnings().iter().filter(|line| line.contains("delay_ms=2 ")).count();
    assert_eq!(delays, 2, "{:?}", log.warnings());
}

#[tokio::test]
async fn patience_ends_although_attempts_are_left() {
    let server = failing(9, ResponseTemplate::new(503)).await;
    let retry = RetryPolicy {
        patience: Duration::ZERO,
        ..RetryPolicy::without_waiting(NonZeroU32::MAX)
    };
    let settings = Settings {
        retry,
        ..settings(&server.uri())
    };
    Reader::connect(settings, None).await.unwrap().project(&alpha()).await.unwrap_err();
    assert_eq!(queries(&server, ADDRESS).await.len(), 1);
}

#[tokio::test]
async fn an_address_that_looks_wrong_is_told_soon_but_a_busy_server_is_waited_for() {
    let many = RetryPolicy::without_waiting(NonZeroU32::new(20).unwrap());
    let server = MockServer::start().await;
    answer(
        &server,
        "/api/1.3/",
        ResponseTemplate::new(200).set_body_raw("<html>Welcome</html>", "text/html"),
    )
    .await;
    Reader::connect(
        Settings {
            retry: many.clone(),
            ..settings(&server.uri())
        },
        None,
    )
    .await
    .unwrap_err();
    assert_eq!(queries(&server, "/api/1.3/").await.len(), 3);

    let server = MockServer::start().await;
    answer(&server, "/api/1.3/", ResponseTemplate::new(503)).await;
    Reader::connect(
        Settings {
            retry: many,
            ..settings(&server.uri())
        },
        None,
    )
    .await
    .unwrap_err();
    assert_eq!(queries(&server, "/api/1.3/").await.len(), 20);
}

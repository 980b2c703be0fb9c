//! What a person reads when a tracker does not answer as it should: the address, what was expected, and what came.

use std::time::Duration;

use kinset::{
    model::{PatchId, ProjectName},
    remedy::Remedy,
    tracker::{Error, Reader, Settings},
};
use serde_json::json;
use wiremock::{MockServer, ResponseTemplate};

use crate::client_support::{LATE, Raw, SOON, answer, index, message_id, patchwork, raw_json, raw_server, reader, row, settings, told};

const PROJECT: &str = "/api/1.3/projects/alpha/";

/// What reading a project ends in, when it answers like that.
async fn failure(response: ResponseTemplate) -> (Error, String) {
    let server = patchwork().await;
    answer(&server, PROJECT, response).await;
    let error = project(&reader(&server).await).await;
    let text = told(&error, &server.uri());
    (error, text)
}

async fn project(reader: &Reader) -> Error {
    reader.project(&ProjectName("alpha".to_owned())).await.unwrap_err()
}

/// What reading a project ends in, when the server sends these bytes.
async fn raw_failure(timeout: Duration, raw: impl Fn() -> Raw + Send + Sync + 'static) -> String {
    let server = raw_server(move |line| std::future::ready(if line.contains(PROJECT) { raw() } else { raw_json(&index()) })).await;
    let settings = Settings {
        timeout,
        ..settings(&server)
    };
    let error = project(&Reader::connect(settings, None).await.unwrap()).await;
    told(&error, &server)
}

#[tokio::test]
async fn a_web_page_where_json_was_due() {
    let (error, text) =
        failure(ResponseTemplate::new(200).set_body_raw("<html>\n <h1>Maintenance</h1>\n</html>", "text/html; charset=utf-8")).await;
    insta::assert_snapshot!(text, @"expected a project in JSON, but http://tracker/api/1.3/projects/alpha/ answered 200 OK (text/html; charset=utf-8): <html> <h1>Maintenance</h1> </html>");
    insta::assert_snapshot!(error.remedy().unwrap(), @"check `url` in the configuration; it is the address at which a browser shows the tracker; if it is right, a proxy in front of the tracker may have answered: look at the page in a browser");
}

#[tokio::test]
async fn what_is_no_json_at_all() {
    let (error, text) = failure(ResponseTemplate::new(200).set_body_raw("OK", "application/json")).await;
    insta::assert_snapshot!(text, @"expected a project in JSON, but http://tracker/api/1.3/projects/alpha/ answered 200 OK (application/json): OK");
    insta::assert_snapshot!(error.remedy().unwrap(), @"this is not how Patchwork answers: look at the address with curl, and tell the tracker's operators or kinset's authors");
    let (_, text) = failure(
        ResponseTemplate::new(200).set_body_raw("{\"id\": 1, \"link_name\": \"alpha\", \"maintainers\": []} and more", "text/plain"),
    )
    .await;
    insta::assert_snapshot!(text, @r#"expected a project in JSON, but http://tracker/api/1.3/projects/alpha/ answered 200 OK (text/plain): {"id": 1, "link_name": "alpha", "maintainers": []} and more"#);
}

#[tokio::test]
async fn an_error_page_of_a_proxy() {
    let page = format!("<html><head><title>502 Bad Gateway</title></head>{}</html>", "<br>".repeat(100));
    let (error, text) = failure(ResponseTemplate::new(502).set_body_raw(page, "text/html")).await;
    insta::assert_snapshot!(text, @"expected a project, but http://tracker/api/1.3/projects/alpha/ answered 502 Bad Gateway (text/html): <html><head><title>502 Bad Gateway</title></head><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br><br…");
    insta::assert_snapshot!(error.remedy().unwrap(), @"the server is in trouble: try again later");
}

#[tokio::test]
async fn a_refusal_with_a_reason() {
    let (error, text) = failure(ResponseTemplate::new(403).set_body_json(json!({"detail": "Not for you."}))).await;
    insta::assert_snapshot!(text, @"expected a project, but http://tracker/api/1.3/projects/alpha/ answered 403 Forbidden (application/json): Not for you.");
    insta::assert_snapshot!(error.remedy().unwrap(), @"check `token_file`, `token_env` or the systemd credential in the configuration; Patchwork shows the token on the page of its user's profile");
}

#[tokio::test]
async fn a_server_that_asks_for_fewer_requests() {
    let (error, text) = failure(ResponseTemplate::new(429)).await;
    insta::assert_snapshot!(text, @"expected a project, but http://tracker/api/1.3/projects/alpha/ answered 429 Too Many Requests (no content type) with nothing in it");
    insta::assert_snapshot!(error.remedy().unwrap(), @"lower `requests_per_second` in the configuration");
}

#[tokio::test]
async fn wrong_types_are_named_by_their_place() {
    let (error, text) =
        failure(ResponseTemplate::new(200).set_body_json(json!({"id": 1, "link_name": "alpha", "maintainers": [{"username": 5}]}))).await;
    insta::assert_snapshot!(text, @"expected a project, but what http://tracker/api/1.3/projects/alpha/ sent has another shape at maintainers[0].username: invalid type: integer `5`, expected a string at line 1 column 56");
    insta::assert_snapshot!(error.remedy().unwrap(), @"this is not how Patchwork answers: look at the address with curl, and tell the tracker's operators or kinset's authors");
    let (_, text) = failure(ResponseTemplate::new(200).set_body_json(json!([]))).await;
    insta::assert_snapshot!(text, @"expected a project, but what http://tracker/api/1.3/projects/alpha/ sent has another shape at its top: invalid length 0, expected struct ProjectBody with 3 elements at line 1 column 2");
}

#[tokio::test]
async fn a_project_without_maintainers() {
    let (error, text) = failure(ResponseTemplate::new(200).set_body_json(json!({"id": 1, "link_name": "alpha"}))).await;
    assert!(matches!(error, Error::MissingMaintainers { .. }));
    insta::assert_snapshot!(text, @"expected the maintainers of project alpha, but what http://tracker/api/1.3/projects/alpha/ sent has no `maintainers`");
}

#[tokio::test]
async fn a_patch_without_relations() {
    let server = patchwork().await;
    let mut bare = row(2, &[]);
    bare.as_object_mut().unwrap().remove("related");
    answer(
        &server,
        "/api/1.3/patches/",
        ResponseTemplate::new(200).set_body_json(json!([row(1, &[]), bare])),
    )
    .await;
    let error = reader(&server).await.patch(PatchId(2), &message_id(2)).await.unwrap_err();
    assert!(matches!(error, Error::MissingRelated { .. }));
    insta::assert_snapshot!(told(&error, &server.uri()), @"expected the relations of patch 2, but what http://tracker/api/1.3/patches/?msgid=m2%40example.org sent has no `related` for it");
}

#[tokio::test]
async fn an_answer_that_breaks_off() {
    let cut_short = || Raw::Bytes(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"id\": 1, ".to_vec());
    insta::assert_snapshot!(raw_failure(LATE, cut_short).await, @r#"
    expected a project, but the answer broke off after 10 bytes: http://tracker/api/1.3/projects/alpha/ answered 200 OK (application/json): {"id": 1,
    end of file before message length reached
    "#);
    let in_good_order = || Raw::Bytes(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\": 1, ".to_vec());
    insta::assert_snapshot!(raw_failure(LATE, in_good_order).await, @r#"expected a project, but the answer broke off after 10 bytes: http://tracker/api/1.3/projects/alpha/ answered 200 OK (application/json): {"id": 1,"#);
}

#[tokio::test]
async fn a_connection_that_breaks() {
    let text = raw_failure(LATE, || Raw::Bytes(Vec::new())).await;
    insta::assert_snapshot!(text, @r"
    expected a project, but the connection to http://tracker/api/1.3/projects/alpha/ broke
    connection closed before message completed
    ");
    assert!(
        raw_failure(LATE, || Raw::Reset(Vec::new()))
            .await
            .starts_with("expected a project, but the connection to http://tracker/api/1.3/projects/alpha/ broke\n")
    );
}

#[tokio::test]
async fn no_answer_in_time() {
    insta::assert_snapshot!(raw_failure(SOON, || Raw::Silence).await, @"expected a project, but http://tracker/api/1.3/projects/alpha/ did not answer within 0.25 s");
}

#[tokio::test]
async fn an_answer_that_never_ends_is_given_up_in_time_however_much_comes_of_it() {
    let text = raw_failure(Duration::from_secs(2), || Raw::Dripping(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())).await;
    let (received, rest) = text
        .strip_prefix("expected a project, but of the answer of http://tracker/api/1.3/projects/alpha/ only ")
        .and_then(|rest| rest.split_once(' '))
        .unwrap_or_else(|| panic!("{text}"));
    assert!(received.parse::<usize>().unwrap() > 0);
    assert_eq!(rest, "bytes came within 2 s");
    let text = raw_failure(SOON, || Raw::Dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ".to_vec())).await;
    assert!(text.ends_with("did not answer within 0.25 s"), "{text}");
}

#[tokio::test]
async fn more_than_anybody_asked_for() {
    let (_, text) = failure(ResponseTemplate::new(200).set_body_raw(vec![b' '; (64 << 20) + 1], "application/json")).await;
    insta::assert_snapshot!(text, @"expected a project, but http://tracker/api/1.3/projects/alpha/ sent more than 67108864 bytes");
}

#[tokio::test]
async fn a_redirect_to_another_server_is_not_followed() {
    let elsewhere = MockServer::start().await;
    let target = format!("{}/alpha/", elsewhere.uri());
    let (error, text) = failure(ResponseTemplate::new(302).insert_header("Location", target)).await;
    insta::assert_snapshot!(text.replace(&elsewhere.uri(), "http://elsewhere"), @"refusing to follow http://tracker/api/1.3/projects/alpha/ to another server, http://elsewhere/alpha/");
    insta::assert_snapshot!(error.remedy().unwrap().replace(&elsewhere.uri(), "http://elsewhere"), @"if http://elsewhere/alpha/ belongs to the tracker, set `url` in the configuration to where it leads");
    assert_eq!(elsewhere.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_redirect_on_the_same_server_is_followed_with_the_token() {
    let server = patchwork().await;
    answer(&server, PROJECT, ResponseTemplate::new(301).insert_header("Location", "../one/")).await;
    answer(
        &server,
        "/api/1.3/projects/one/",
        ResponseTemplate::new(200).set_body_json(json!({"id": 1, "link_name": "alpha", "maintainers": []})),
    )
    .await;
    assert!(
        reader(&server)
            .await
            .project(&ProjectName("alpha".to_owned()))
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        server
            .received_requests()
            .await
            .unwrap()
            .iter()
            .all(|request| request.headers.contains_key("authorization"))
    );
}

#[tokio::test]
async fn a_redirect_that_never_ends() {
    let (error, text) = failure(ResponseTemplate::new(302).insert_header("Location", "./")).await;
    insta::assert_snapshot!(text, @"expected a project, but http://tracker/api/1.3/projects/alpha/ redirects more than 5 times");
    insta::assert_snapshot!(error.remedy().unwrap(), @"check `url` in the configuration; it is the address at which a browser shows the tracker");
}

#[tokio::test]
async fn a_redirect_to_nowhere() {
    let (_, text) = failure(ResponseTemplate::new(302)).await;
    insta::assert_snapshot!(text, @"expected a project, but http://tracker/api/1.3/projects/alpha/ answered 302 Found (no content type) with nothing in it");
}

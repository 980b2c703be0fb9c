//! The token goes to the tracker and nowhere else.

use std::error::Error;

use kinset::{
    model::{EventCursor, PatchId, ProjectId, ProjectName},
    remedy::Remedy,
    tracker::{Reader, Settings, Writer},
};
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, method},
};

use crate::client_support::{Log, SECRET, message_id, mortal_patchwork, patchwork, read_all, reader, settings, token};

/// Everything that an error says to anybody.
fn everything(error: &(impl Remedy + 'static)) -> String {
    let first: &(dyn Error + 'static) = error;
    let chain = std::iter::successors(Some(first), |&error| error.source());
    let said: Vec<String> = chain.map(|error| format!("{error}\n{error:?}\n{error:#?}")).collect();
    format!("{}\n{}", said.join("\n"), error.remedy().unwrap_or_default())
}

/// Answers that send the token back in every place that ends up in a message.
fn echoes(elsewhere: &str) -> Vec<ResponseTemplate> {
    let ok = || ResponseTemplate::new(200);
    let link = |target: &str| {
        ok().set_body_json(json!([]))
            .insert_header("Link", format!("<{target}/?page=2&t={SECRET}>; rel=next"))
    };
    vec![
        ok().set_body_raw(format!("<html>Authorization: Token {SECRET}</html>"), "text/html"),
        ok().set_body_raw(format!("[\"{SECRET}"), "application/json"),
        ok().set_body_json(json!([{"id": SECRET}])),
        ok().set_body_json(json!({"id": SECRET})),
        ok().set_body_raw("x", SECRET),
        ResponseTemplate::new(400).set_body_json(json!({"detail": SECRET})),
        ResponseTemplate::new(403).set_body_json(json!({"detail": format!("Invalid token. {SECRET}")})),
        ResponseTemplate::new(502).set_body_raw(SECRET, "text/plain"),
        ResponseTemplate::new(302).insert_header("Location", format!("{elsewhere}/{SECRET}/")),
        ResponseTemplate::new(302).insert_header("Location", format!("http://{SECRET}:{SECRET}@127.0.0.1/")),
        ResponseTemplate::new(302).insert_header("Location", format!("./?{SECRET}")),
        link(elsewhere),
        ok().set_body_json(json!([]))
            .insert_header("Link", format!("<?t={SECRET}>; rel=next")),
    ]
}

#[tokio::test]
async fn no_error_and_no_log_line_holds_the_token_even_if_the_server_sends_it_back() {
    let (log, _guard) = Log::listen();
    let elsewhere = MockServer::start().await;
    let mut said = String::new();
    for echo in echoes(&elsewhere.uri()) {
        let server = patchwork().await;
        let reader = reader(&server).await;
        Mock::given(any()).respond_with(echo).mount(&server).await;
        said += &everything(&reader.projects().await.unwrap_err());
        for error in [
            reader.project(&ProjectName("alpha".to_owned())).await.err(),
            read_all(&reader).await.err(),
            reader.patch(PatchId(1), &message_id(1)).await.err(),
            reader.mail(PatchId(1), &message_id(1)).await.err(),
            reader.events(&[ProjectId(1)], &EventCursor::default(), 9).await.err(),
            reader.event_cursor(&[ProjectId(1)]).await.err(),
            Reader::connect(settings(&format!("{}/x/", server.uri())), Some(&token()))
                .await
                .err(),
        ] {
            said += &error.as_ref().map(everything).unwrap_or_default();
        }
        let writer = Writer::new(&reader, token());
        for error in [
            writer.clear(PatchId(1)).await.err(),
            writer.set_commit_ref(PatchId(1), "0123abc").await.err(),
        ] {
            said += &error.as_ref().map(everything).unwrap_or_default();
        }
        said += &format!("{reader:?}{reader:#?}{writer:?}{writer:#?}");

        let requests = server.received_requests().await.unwrap();
        let authorization = format!("Token {SECRET}");
        assert!(
            requests
                .iter()
                .all(|request| request.headers["authorization"] == authorization.as_str()),
            "the tracker itself gets it"
        );
    }
    assert!(!said.contains(SECRET), "{}", said.replace(SECRET, "<<<HERE>>>"));
    assert!(said.contains("***"), "the echoes are there, scrubbed");
    assert!(!log.text().contains(SECRET), "{}", log.text().replace(SECRET, "<<<HERE>>>"));
    assert!(log.text().contains("***"), "the echoes are logged, scrubbed");
    assert_eq!(elsewhere.received_requests().await.unwrap().len(), 0, "nobody else is even asked");
}

#[tokio::test]
async fn a_writers_token_is_kept_out_of_its_errors_although_the_reader_has_none() {
    let server = patchwork().await;
    Mock::given(method("PATCH"))
        .respond_with(ResponseTemplate::new(400).set_body_string(SECRET))
        .mount(&server)
        .await;
    let reader = Reader::connect(settings(&server.uri()), None).await.unwrap();
    let error = Writer::new(&reader, token()).clear(PatchId(1)).await.unwrap_err();
    assert!(!everything(&error).contains(SECRET));
    assert!(everything(&error).contains("***"));
}

#[tokio::test]
async fn a_password_in_the_configured_address_is_refused_and_not_shown() {
    let (log, _guard) = Log::listen();
    let settings = Settings {
        url: format!("http://bot:{SECRET}@127.0.0.1/").parse().unwrap(),
        ..settings("http://127.0.0.1/")
    };
    let error = Reader::connect(settings, None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the tracker's address http://127.0.0.1/ carries a user name or a password"
    );
    assert!(!everything(&error).contains(SECRET));
    assert!(!log.text().contains(SECRET));
}

#[tokio::test]
async fn a_connection_that_fails_does_not_show_the_token() {
    let (log, _guard) = Log::listen();
    let server = mortal_patchwork().await;
    let reader = reader(&server).await;
    drop(server);
    let error = reader.projects().await.unwrap_err();
    assert!(!everything(&error).contains(SECRET));
    assert!(!log.text().contains(SECRET));
    assert!(log.text().contains("trying again"), "there was something to log");
}

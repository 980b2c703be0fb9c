//! The mails that brought patches.

use kinset::http;
use kinset::model::PatchId;
use kinset::remedy::Remedy;
use kinset::tracker::Error;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, path},
};

use crate::client_support::{SECRET, answer, message_id, patchwork, queries, reader, told};

const MBOX: &str = "/project/alpha/patch/m7@example.org/mbox/";

/// A tracker whose patch 7 has its mail at this address.
async fn tracker(mbox: &Value) -> MockServer {
    let server = patchwork().await;
    let rows = json!([{"id": 6, "mbox": "http://elsewhere.example/"}, {"id": 7, "mbox": mbox}]);
    answer(&server, "/api/1.3/patches/", ResponseTemplate::new(200).set_body_json(rows)).await;
    server
}

/// A tracker whose patch 7 has its mail where Patchwork has it.
async fn serving_rows() -> MockServer {
    let server = patchwork().await;
    let rows = json!([{"id": 7, "mbox": format!("{}{MBOX}", server.uri())}]);
    answer(&server, "/api/1.3/patches/", ResponseTemplate::new(200).set_body_json(rows)).await;
    server
}

/// The same, and it answers like that there.
async fn answering(response: ResponseTemplate) -> MockServer {
    let server = serving_rows().await;
    answer(&server, MBOX, response).await;
    server
}

fn mail(text: impl Into<Vec<u8>>) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text, "text/plain; charset=utf-8")
}

async fn read(server: &MockServer) -> Result<Option<Vec<u8>>, Error> {
    reader(server).await.mail(PatchId(7), &message_id(7)).await
}

#[tokio::test]
async fn a_mail_is_read_byte_by_byte_from_where_its_row_says() {
    let bytes = b"From patchwork Thu Jan  1 00:01:00 2015\nSubject: \xc3\xbc\n\nFrom here\r\n\xff\0\n";
    let server = answering(mail(*bytes)).await;
    assert_eq!(read(&server).await.unwrap().unwrap(), bytes);
    assert_eq!(queries(&server, "/api/1.3/patches/").await, ["msgid=m7%40example.org"]);
    assert_eq!(queries(&server, MBOX).await, [""]);
}

#[tokio::test]
async fn plain_text_is_asked_for_with_the_token() {
    let server = serving_rows().await;
    Mock::given(path(MBOX))
        .and(header("accept", "text/plain"))
        .and(header("authorization", format!("Token {SECRET}").as_str()))
        .respond_with(mail("From a\n"))
        .mount(&server)
        .await;
    assert_eq!(read(&server).await.unwrap().unwrap(), b"From a\n");
}

#[tokio::test]
async fn a_patch_or_a_mail_that_is_not_there_is_none() {
    let server = answering(ResponseTemplate::new(404).set_body_raw("<html>", "text/html")).await;
    assert_eq!(read(&server).await.unwrap(), None);
    assert_eq!(reader(&server).await.mail(PatchId(9), &message_id(7)).await.unwrap(), None);
}

#[tokio::test]
async fn a_redirect_on_the_server_is_followed_and_no_other() {
    let server = answering(ResponseTemplate::new(301).insert_header("Location", "/moved/")).await;
    answer(&server, "/moved/", mail("From a\n")).await;
    assert_eq!(read(&server).await.unwrap().unwrap(), b"From a\n");

    let elsewhere = MockServer::start().await;
    let server = answering(ResponseTemplate::new(302).insert_header("Location", elsewhere.uri())).await;
    assert!(matches!(read(&server).await, Err(Error::Http(http::Error::LeavesServer { .. }))));
    assert_eq!(elsewhere.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_mail_on_another_server_is_not_even_asked_for() {
    let elsewhere = MockServer::start().await;
    let server = tracker(&format!("{}{MBOX}", elsewhere.uri()).into()).await;
    let error = read(&server).await.unwrap_err();
    assert!(matches!(error, Error::Http(http::Error::LeavesServer { .. })));
    let text = told(&error, &server.uri()).replace(&elsewhere.uri(), "http://elsewhere");
    insta::assert_snapshot!(text, @"refusing to follow http://tracker/api/1.3/patches/?msgid=m7%40example.org to another server, http://elsewhere/project/alpha/patch/m7@example.org/mbox/");
    assert_eq!(elsewhere.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_row_without_the_address_of_its_mail_is_told() {
    for (mbox, reason) in [
        (Value::Null, "invalid type: null, expected a string"),
        ("/mbox/".into(), "relative URL without a base"),
    ] {
        let server = tracker(&mbox).await;
        let text = told(&read(&server).await.unwrap_err(), &server.uri());
        let expected =
            "expected the patches of a mail, but what http://tracker/api/1.3/patches/?msgid=m7%40example.org sent has another shape";
        assert!(text.starts_with(&format!("{expected} at [1].mbox: {reason}")), "{text}");
    }
}

#[tokio::test]
async fn a_web_page_is_no_mail_and_a_server_in_trouble_is_asked_again() {
    let server = answering(ResponseTemplate::new(200).set_body_raw("<html>Please log in</html>", "text/html")).await;
    let error = read(&server).await.unwrap_err();
    assert!(matches!(error, Error::Http(http::Error::WebPage { .. })));
    insta::assert_snapshot!(told(&error, &server.uri()), @"expected the mail of a patch, but http://tracker/project/alpha/patch/m7@example.org/mbox/ answered 200 OK (text/html): <html>Please log in</html>");
    insta::assert_snapshot!(error.remedy().unwrap(), @"a proxy in front of the tracker may have answered: look at the page in a browser");
    assert_eq!(queries(&server, MBOX).await.len(), 3, "as often as the policy says");

    let server = answering(ResponseTemplate::new(503)).await;
    assert!(matches!(read(&server).await, Err(Error::Http(http::Error::Status { .. }))));
    assert_eq!(queries(&server, MBOX).await.len(), 3);
}

#[tokio::test]
async fn a_mail_larger_than_any_list_lets_through_is_an_error() {
    let server = answering(mail(vec![b'x'; (32 << 20) + 1])).await;
    let error = read(&server).await.unwrap_err();
    assert!(matches!(error, Error::Http(http::Error::TooLarge { .. })));
    insta::assert_snapshot!(told(&error, &server.uri()), @"expected the mail of a patch, but http://tracker/project/alpha/patch/m7@example.org/mbox/ sent more than 33554432 bytes");
}

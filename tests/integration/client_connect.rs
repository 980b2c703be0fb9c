//! Finding the tracker's API.

use std::num::NonZeroU32;

use kinset::{
    http,
    remedy::Remedy,
    tracker::{ApiVersion, Error, Reader, RetryPolicy, Settings},
};
use serde_json::json;
use url::Url;
use wiremock::{MockServer, ResponseTemplate};

use crate::client_support::{Log, SECRET, answer, index, patchwork, queries, reader, settings, token, told};

async fn refused(server: &MockServer) -> Error {
    Reader::connect(settings(&server.uri()), Some(&token())).await.unwrap_err()
}

#[tokio::test]
async fn the_newest_api_is_taken() {
    let server = patchwork().await;
    assert_eq!(reader(&server).await.api_version(), ApiVersion::V1_3);
}

#[tokio::test]
async fn any_of_the_trackers_addresses_will_do() {
    let server = patchwork().await;
    for suffix in ["", "/", "/api/", "/api/1.3/", "/api/1.2"] {
        let reader = Reader::connect(settings(&format!("{}{suffix}", server.uri())), None).await.unwrap();
        assert_eq!(reader.api_version(), ApiVersion::V1_3, "{suffix}");
    }
}

#[tokio::test]
async fn where_there_is_no_1_3_it_is_1_2() {
    let server = MockServer::start().await;
    answer(&server, "/api/1.2/", ResponseTemplate::new(200).set_body_json(index())).await;
    assert_eq!(reader(&server).await.api_version(), ApiVersion::V1_2);
}

#[tokio::test]
async fn an_api_that_shows_no_relations_is_refused() {
    let server = MockServer::start().await;
    answer(&server, "/api/1.1/", ResponseTemplate::new(200).set_body_json(index())).await;
    answer(&server, "/api/1.0/", ResponseTemplate::new(200).set_body_json(index())).await;
    let error = refused(&server).await;
    insta::assert_snapshot!(told(&error, &server.uri()), @"expected Patchwork's API 1.2 or newer at http://tracker/api/, found 1.1");
    insta::assert_snapshot!(error.remedy().unwrap(), @"relations need Patchwork 2.2 or newer: ask the tracker's operators for an upgrade");
}

#[tokio::test]
async fn a_site_without_any_api_is_no_patchwork() {
    let server = MockServer::start().await;
    let error = refused(&server).await;
    insta::assert_snapshot!(told(&error, &server.uri()), @"no Patchwork API found at http://tracker/api/");
    insta::assert_snapshot!(error.remedy().unwrap(), @"check `url` in the configuration; it is the address at which a browser shows the tracker");
}

#[tokio::test]
async fn a_site_that_answers_everything_with_a_page_is_no_patchwork() {
    let server = MockServer::start().await;
    answer(
        &server,
        "/api/1.3/",
        ResponseTemplate::new(200).set_body_raw("<!DOCTYPE html>\n<title>Welcome</title>", "text/html"),
    )
    .await;
    let error = refused(&server).await;
    insta::assert_snapshot!(told(&error, &server.uri()), @"expected the index of Patchwork's API in JSON, but http://tracker/api/1.3/ answered 200 OK (text/html): <!DOCTYPE html> <title>Welcome</title>");
    insta::assert_snapshot!(error.remedy().unwrap(), @"check `url` in the configuration; it is the address at which a browser shows the tracker; if it is right, a proxy in front of the tracker may have answered: look at the page in a browser");
}

#[tokio::test]
async fn a_site_that_speaks_json_but_has_no_patches_is_no_patchwork() {
    let server = MockServer::start().await;
    answer(
        &server,
        "/api/1.3/",
        ResponseTemplate::new(200).set_body_json(json!({"name": "something else"})),
    )
    .await;
    let error = refused(&server).await;
    insta::assert_snapshot!(told(&error, &server.uri()), @"expected the index of Patchwork's API, but what http://tracker/api/1.3/ sent has another shape at its top: missing field `patches` at line 1 column 25");
}

#[tokio::test]
async fn a_wrong_token_is_told_at_once() {
    let server = MockServer::start().await;
    answer(
        &server,
        "/api/1.3/",
        ResponseTemplate::new(403).set_body_json(json!({"detail": "Invalid token."})),
    )
    .await;
    let error = refused(&server).await;
    assert!(matches!(error, Error::InvalidToken { .. }));
    insta::assert_snapshot!(told(&error, &server.uri()), @"http://tracker/api/1.3/ does not accept the token: Invalid token.");
    insta::assert_snapshot!(error.remedy().unwrap(), @"check `token_file`, `token_env` or the systemd credential in the configuration; Patchwork shows the token on the page of its user's profile");
    assert_eq!(queries(&server, "/api/1.3/").await.len(), 1);
}

#[tokio::test]
async fn a_closed_port_is_named_with_the_option_to_check() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let error = Reader::connect(settings(&closed), None).await.unwrap_err();
    insta::assert_snapshot!(told(&error, &closed), @r"
    cannot reach http://tracker/api/1.3/
    Connection refused (os error 111)
    ");
    insta::assert_snapshot!(error.remedy().unwrap(), @"check `url` in the configuration; it is the address at which a browser shows the tracker, and see whether this machine reaches it");
}

#[tokio::test]
async fn an_unknown_host_is_named() {
    let error = Reader::connect(settings("https://tracker.invalid/"), None).await.unwrap_err();
    assert!(matches!(error, Error::Http(http::Error::Unresolved { .. })), "{error:?}");
    // In whichever words the system has for it.
    let told = told(&error, "https://tracker.invalid");
    assert!(
        told.starts_with("cannot reach http://tracker/api/1.3/: its name cannot be looked up\nfailed to lookup address information: "),
        "{told}"
    );
    insta::assert_snapshot!(error.remedy().unwrap(), @"see whether this machine can look up names (`getent hosts NAME`); if it can, check `url` in the configuration; it is the address at which a browser shows the tracker");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_from_one_that_is_not_there() {
    let server = patchwork().await;
    let encrypted = server.uri().replace("http:", "https:");
    let error = Reader::connect(settings(&encrypted), None).await.unwrap_err();
    assert!(matches!(error, Error::Http(http::Error::Tls { .. })), "{error:?}");
    insta::assert_snapshot!(error.to_string().replace(&encrypted, "https://tracker"), @"no secure connection to https://tracker/api/1.3/");
    insta::assert_snapshot!(error.remedy().unwrap(), @"check `url` in the configuration (http or https, the right name), and the server's certificate and this machine's clock");
}

#[tokio::test]
async fn the_server_learns_who_asks() {
    let server = patchwork().await;
    reader(&server).await;
    let request = server.received_requests().await.unwrap().remove(0);
    let header = |name: &str| request.headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(
        header("user-agent"),
        concat!("kinset/", env!("CARGO_PKG_VERSION"), " (ops@example.org)")
    );
    assert_eq!(header("accept"), "application/json");
    assert_eq!(header("authorization"), format!("Token {SECRET}"));
}

#[tokio::test]
async fn without_a_token_none_is_sent() {
    let server = patchwork().await;
    Reader::connect(settings(&server.uri()), None).await.unwrap();
    assert!(!server.received_requests().await.unwrap()[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_contact_that_cannot_be_sent_is_refused() {
    let settings = Settings {
        contact: Some("two\nlines".to_owned()),
        ..settings("http://127.0.0.1/")
    };
    let error = Reader::connect(settings, None).await.unwrap_err();
    insta::assert_snapshot!(error, @r#"the contact "two\nlines" cannot be sent in a `User-Agent` header"#);
}

#[tokio::test]
async fn an_address_off_the_web_is_refused() {
    let settings = Settings {
        url: Url::parse("ftp://example.org/").unwrap(),
        ..settings("http://127.0.0.1/")
    };
    let error = Reader::connect(settings, None).await.unwrap_err();
    assert!(matches!(error, Error::NotHttp { .. }));
}

#[tokio::test]
async fn an_unencrypted_token_is_warned_of_once_unless_it_stays_on_the_machine() {
    let (log, _guard) = Log::listen();
    let server = patchwork().await;
    reader(&server).await;
    assert_eq!(log.warnings(), Vec::<String>::new());
    let elsewhere = Settings {
        retry: RetryPolicy::without_waiting(NonZeroU32::MIN),
        ..settings("http://tracker.invalid/")
    };
    Reader::connect(elsewhere, Some(&token())).await.unwrap_err();
    insta::assert_snapshot!(log.warnings().join("\n"), @"tracker::reader: the token is sent unencrypted: use https if the tracker has it url=http://tracker.invalid/api/");
}

#[tokio::test]
async fn writes_go_to_where_the_index_was_redirected() {
    let server = MockServer::start().await;
    answer(
        &server,
        "/api/1.3/",
        ResponseTemplate::new(301).insert_header("Location", "/patchwork/api/1.3/"),
    )
    .await;
    answer(&server, "/patchwork/api/1.3/", ResponseTemplate::new(200).set_body_json(index())).await;
    let shown = format!("{:?}", reader(&server).await);
    assert_eq!(
        shown,
        format!("Reader {{ api: \"{}/patchwork/api/1.3/\", version: V1_3, .. }}", server.uri())
    );
}

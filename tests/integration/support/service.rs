//! Services that distributions are read from: what they answer as a function, behind wiremock, and behind a server that fails on demand.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use kinset::http::{RetryPolicy, Settings};
use kinset::source::SourceError;
use url::Url;
use wiremock::{Mock, MockServer, Respond, ResponseTemplate, matchers};

use crate::client_support::{LATE, Raw, raw_server, settings, told};

/// What a service is asked.
pub(crate) struct Asked {
    /// With the address that the service was reached by.
    pub(crate) url: Url,
    pub(crate) if_none_match: Option<String>,
    pub(crate) if_modified_since: Option<String>,
}

impl Asked {
    /// An argument of the query.
    pub(crate) fn argument(&self, name: &str) -> Option<String> {
        let found = self.url.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    }
}

/// What a service answers.
#[derive(Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(body: &serde_json::Value) -> Self {
        Self {
            status: 200,
            content_type: "application/json",
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        }
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            content_type: "text/plain",
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    /// As a file on a web server: with a state of its own, and nothing in it for whoever has that state.
    pub(crate) fn file(asked: &Asked, content_type: &'static str, body: &[u8]) -> Self {
        let etag = format!("\"{:x}\"", fingerprint(body));
        let modified = "Sat, 21 Nov 2026 04:30:00 GMT".to_owned();
        let has_it = match (&asked.if_none_match, &asked.if_modified_since) {
            (Some(state), _) => *state == etag,
            (None, Some(time)) => *time == modified,
            (None, None) => false,
        };
        Self {
            status: if has_it { 304 } else { 200 },
            content_type,
            headers: vec![("ETag", etag), ("Last-Modified", modified)],
            body: if has_it { Vec::new() } else { body.to_vec() },
        }
    }
}

/// A number that differs where the bytes do, as far as tests go (FNV-1a).
pub(crate) fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A service.
pub(crate) trait Service: Send + Sync + 'static {
    fn answer(&self, asked: &Asked) -> Reply;
}

struct Mounted<S>(Arc<S>);

impl<S: Service> Respond for Mounted<S> {
    fn respond(&self, request: &wiremock::Request) -> ResponseTemplate {
        let header = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let Reply {
            status,
            content_type,
            headers,
            body,
        } = self.0.answer(&Asked {
            url: format!("http://{}", header("Host").unwrap())
                .parse::<Url>()
                .unwrap()
                .join(&request.url[url::Position::BeforePath..])
                .unwrap(),
            if_none_match: header("If-None-Match"),
            if_modified_since: header("If-Modified-Since"),
        });
        headers
            .into_iter()
            .fold(ResponseTemplate::new(status), |template, (name, value)| {
                template.insert_header(name, value)
            })
            .set_body_raw(body, content_type)
    }
}

/// A service on a server that counts requests.
pub(crate) async fn serve<S: Service>(service: &Arc<S>) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(matchers::method("GET"))
        .respond_with(Mounted(Arc::clone(service)))
        .mount(&server)
        .await;
    server
}

/// The paths and queries that a server was asked for.
pub(crate) async fn asked(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    requests
        .iter()
        .map(|request| request.url[url::Position::BeforePath..].to_owned())
        .collect()
}

/// Settings under which nothing waits.
pub(crate) fn http() -> Settings {
    let settings = settings("http://127.0.0.1/");
    Settings {
        contact: settings.contact,
        requests_per_second: settings.requests_per_second,
        concurrent_requests: settings.concurrent_requests,
        timeout: LATE,
        retry: settings.retry,
    }
}

/// The same, where each request is sent once and one after the other.
pub(crate) fn impatient() -> Settings {
    Settings {
        concurrent_requests: std::num::NonZeroUsize::MIN,
        retry: RetryPolicy::without_waiting(std::num::NonZeroU32::MIN),
        ..http()
    }
}

pub(crate) fn base(server: &MockServer) -> Url {
    Url::parse(&server.uri()).unwrap()
}

/// An error and all that caused it, with the server's address scrubbed.
pub(crate) fn said(error: &SourceError, server: &str) -> String {
    told(error, server)
}

/// How a request fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Unavailable,
    Silence,
    CutBody,
    WebPage,
    Redirect,
}

impl Fault {
    pub(crate) const ALL: [Self; 5] = [Self::Unavailable, Self::Silence, Self::CutBody, Self::WebPage, Self::Redirect];
}

/// A service on a server that fails at one request, counted from 0, and at no other.
pub(crate) struct Faulty {
    pub(crate) url: Url,
    requests: Arc<AtomicUsize>,
    /// The address that was asked for when it failed.
    failed: Arc<OnceLock<String>>,
}

impl Faulty {
    pub(crate) async fn start<S: Service>(service: &Arc<S>, fault: Option<(usize, Fault)>) -> Self {
        let url = Arc::new(OnceLock::<Url>::new());
        let requests = Arc::new(AtomicUsize::new(0));
        let failed = Arc::new(OnceLock::new());
        let (service, known_url, count, place) = (Arc::clone(service), Arc::clone(&url), Arc::clone(&requests), Arc::clone(&failed));
        let address = raw_server(move |line| {
            let number = count.fetch_add(1, Ordering::SeqCst);
            let target = line.split(' ').nth(1).unwrap();
            let asked = Asked {
                url: known_url.get().unwrap().join(target).unwrap(),
                if_none_match: None,
                if_modified_since: None,
            };
            let reply = service.answer(&asked);
            let raw = match fault {
                Some((at, fault)) if at == number => {
                    place.set(asked.url.to_string()).unwrap();
                    broken(fault, &reply)
                }
                _ => Raw::Bytes(rendered(&reply, &reply.body)),
            };
            std::future::ready(raw)
        })
        .await;
        let url = url.get_or_init(|| Url::parse(&address).unwrap()).clone();
        Self { url, requests, failed }
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn failed(&self) -> Option<&str> {
        self.failed.get().map(String::as_str)
    }
}

fn rendered(reply: &Reply, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 {} OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        reply.status,
        reply.content_type,
        reply.body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

fn broken(fault: Fault, reply: &Reply) -> Raw {
    let bytes = |text: &str| Raw::Bytes(text.as_bytes().to_vec());
    match fault {
        Fault::Unavailable => bytes("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops"),
        Fault::Silence => Raw::Silence,
        Fault::CutBody => Raw::Bytes(rendered(reply, &reply.body[..reply.body.len() / 2])),
        Fault::WebPage => {
            bytes("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>")
        }
        Fault::Redirect => {
            bytes("HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
    }
}

//! What the tests of the Patchwork client have in common: settings that do not wait, a token, servers, a log that can be read.

use std::{
    collections::BTreeSet,
    error::Error,
    io,
    num::{NonZeroU32, NonZeroUsize},
    sync::{Arc, Mutex},
    time::Duration,
};

use kinset::{
    model::{MessageId, Patch, PatchId, Project, ProjectId, ProjectName},
    tracker::{Reader, Resume, RetryPolicy, Settings, Token, TokenOrigin},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tracing_subscriber::fmt::MakeWriter;
use url::Url;
use wiremock::{
    Mock, MockServer, Request, Respond, ResponseTemplate,
    matchers::{method, path},
};

/// A text that occurs nowhere else.
pub(crate) const SECRET: &str = "0ba5ecafe5ca1ab1e0ddba11";

pub(crate) fn token() -> Token {
    Token::parse(SECRET, &TokenOrigin::Environment("TOKEN".to_owned())).unwrap()
}

/// How long a request may take where it is to take too long.
pub(crate) const SOON: Duration = Duration::from_millis(250);

/// How long a request may take everywhere else: no machine is so busy.
pub(crate) const LATE: Duration = Duration::from_secs(60);

/// Settings under which nothing waits: no pace to speak of, and three attempts for each read.
pub(crate) fn settings(url: &str) -> Settings {
    Settings {
        url: Url::parse(url).unwrap(),
        contact: Some("ops@example.org".to_owned()),
        requests_per_second: NonZeroU32::new(1_000_000).unwrap(),
        concurrent_requests: NonZeroUsize::new(4).unwrap(),
        timeout: LATE,
        retry: RetryPolicy::without_waiting(NonZeroU32::new(3).unwrap()),
    }
}

pub(crate) fn concurrent(requests: usize) -> NonZeroUsize {
    NonZeroUsize::new(requests).unwrap()
}

/// The index of one API version.
pub(crate) fn index() -> Value {
    json!({"projects": "http://example.org/api/1.3/projects/", "patches": "http://example.org/api/1.3/patches/"})
}

/// A server with an index and nothing else.
pub(crate) async fn patchwork() -> MockServer {
    with_index(MockServer::start().await).await
}

/// The same, but nobody answers at its address once it is dropped.
pub(crate) async fn mortal_patchwork() -> MockServer {
    with_index(MockServer::builder().start().await).await
}

async fn with_index(server: MockServer) -> MockServer {
    answer(&server, "/api/1.3/", ResponseTemplate::new(200).set_body_json(index())).await;
    server
}

/// Lets a server answer reads of `address`.
pub(crate) async fn answer(server: &MockServer, address: &str, response: impl Respond + 'static) {
    Mock::given(method("GET"))
        .and(path(address))
        .respond_with(response)
        .mount(server)
        .await;
}

pub(crate) async fn reader(server: &MockServer) -> Reader {
    Reader::connect(settings(&server.uri()), Some(&token())).await.unwrap()
}

/// All patches of the project.
pub(crate) async fn read_all(reader: &Reader) -> Result<Vec<Patch>, kinset::tracker::Error> {
    let mut sweep = reader.sweep(&project(), Resume::default());
    let mut patches = Vec::new();
    while let Some(rows) = sweep.next_rows().await? {
        patches.extend(rows.patches);
    }
    Ok(patches)
}

/// The requests that a server got for an address, each as its query.
pub(crate) async fn queries(server: &MockServer, address: &str) -> Vec<String> {
    let requests = server.received_requests().await.unwrap();
    requests
        .iter()
        .filter(|request| request.url.path() == address)
        .map(|request| request.url.query().unwrap_or("").to_owned())
        .collect()
}

pub(crate) fn project() -> Project {
    Project {
        id: ProjectId(1),
        name: ProjectName("alpha".to_owned()),
        maintainers: BTreeSet::new(),
    }
}

pub(crate) fn message_id(number: u64) -> MessageId {
    MessageId::parse(&format!("<m{number}@example.org>")).unwrap()
}

/// A row of the list of patches, with what a client has to pass over.
pub(crate) fn row(number: u64, related: &[u64]) -> Value {
    let relatives: Vec<Value> = related
        .iter()
        .map(|id| json!({"id": id, "msgid": format!("<m{id}@example.org>")}))
        .collect();
    json!({
        "id": number,
        "project": {"id": 1, "link_name": "alpha"},
        "msgid": format!("<m{number}@example.org>"),
        "name": "[PATCH] a thing",
        "related": relatives,
    })
}

pub(crate) fn patch(number: u64, related: &[u64]) -> Patch {
    Patch {
        id: PatchId(number),
        project: ProjectId(1),
        message_id: message_id(number),
        date: None,
        commit_ref: None,
        related: related.iter().copied().map(PatchId).collect(),
    }
}

/// An error and all that caused it, as a person would read it, with the server's address scrubbed.
pub(crate) fn told(error: &(dyn Error + 'static), server: &str) -> String {
    let lines: Vec<String> = std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect();
    lines.join("\n").replace(server, "http://tracker")
}

/// Which page of a list was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    pub(crate) page: usize,
    pub(crate) per_page: usize,
}

impl Asked {
    pub(crate) fn of(request: &Request) -> Self {
        let number = |name: &str, default: usize| {
            request
                .url
                .query_pairs()
                .find(|(key, _)| key == name)
                .map_or(default, |(_, value)| value.parse().unwrap())
        };
        Self {
            page: number("page", 1),
            per_page: number("per_page", 30),
        }
    }
}

/// What a list of patches does before it answers: it may change its rows, or answer something else.
type Whim = Box<dyn Fn(Asked, &mut Vec<Value>) -> Option<ResponseTemplate> + Send + Sync>;

/// A list of patches as Patchwork serves it.
pub(crate) struct PatchList {
    rows: Mutex<Vec<Value>>,
    most: usize,
    whim: Whim,
}

impl PatchList {
    pub(crate) fn new(rows: Vec<Value>) -> Self {
        Self {
            rows: Mutex::new(rows),
            most: 250,
            whim: Box::new(|_, _| None),
        }
    }

    /// Gives at most so many rows, whatever is asked for.
    pub(crate) fn at_most(mut self, rows: usize) -> Self {
        self.most = rows;
        self
    }

    pub(crate) fn whim(mut self, whim: impl Fn(Asked, &mut Vec<Value>) -> Option<ResponseTemplate> + Send + Sync + 'static) -> Self {
        self.whim = Box::new(whim);
        self
    }
}

impl Respond for PatchList {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let asked = Asked::of(request);
        let mut rows = self.rows.lock().unwrap();
        if let Some(response) = (self.whim)(asked, &mut rows) {
            return response;
        }
        let size = asked.per_page.min(self.most);
        let last = rows.len().div_ceil(size).max(1);
        if asked.page > last {
            return ResponseTemplate::new(404).set_body_json(json!({"detail": "Invalid page."}));
        }
        let link = |rel: &str, page: usize| {
            let mut url = Url::parse(&format!(
                "http://{}{}",
                request.headers["host"].to_str().unwrap(),
                request.url.path()
            ))
            .unwrap();
            let kept: Vec<(String, String)> = request.url.query_pairs().into_owned().filter(|(key, _)| key != "page").collect();
            url.query_pairs_mut()
                .clear()
                .extend_pairs(kept)
                .append_pair("page", &page.to_string());
            format!("<{url}>; rel=\"{rel}\"")
        };
        let mut links = vec![link("first", 1), link("last", last)];
        if asked.page < last {
            links.insert(0, link("next", asked.page + 1));
        }
        let page: Vec<&Value> = rows.iter().skip((asked.page - 1) * size).take(size).collect();
        ResponseTemplate::new(200)
            .insert_header("Link", links.join(", "))
            .set_body_json(page)
    }
}

/// What a [`raw_server`] does with a request.
pub(crate) enum Raw {
    /// Sends these bytes and closes the connection.
    Bytes(Vec<u8>),
    /// Sends these bytes and resets the connection.
    Reset(Vec<u8>),
    /// Keeps the connection open and says nothing.
    Silence,
    /// Sends these bytes, and then one more again and again.
    Dripping(Vec<u8>),
}

/// A complete JSON answer.
pub(crate) fn raw_json(body: &Value) -> Raw {
    let body = body.to_string();
    Raw::Bytes(
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

/// A server below HTTP: `handle` gets the first line of each request and says what to do. Returns its address.
///
/// It lives as long as the test's runtime.
pub(crate) async fn raw_server<F>(handle: impl Fn(String) -> F + Send + Sync + 'static) -> String
where
    F: Future<Output = Raw> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let handle = Arc::new(handle);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&handle)));
        }
    });
    address
}

async fn serve<F: Future<Output = Raw> + Send>(mut stream: TcpStream, handle: Arc<impl Fn(String) -> F + Send + Sync>) {
    let first_line = request_line(&mut stream).await;
    let bytes = match handle(first_line).await {
        Raw::Bytes(bytes) => bytes,
        Raw::Reset(bytes) => {
            stream.set_zero_linger().unwrap();
            bytes
        }
        Raw::Silence => std::future::pending().await,
        Raw::Dripping(bytes) => return drip(stream, &bytes).await,
    };
    stream.write_all(&bytes).await.unwrap();
}

/// Goes on until nobody listens any more.
async fn drip(mut stream: TcpStream, first: &[u8]) {
    let mut wrote = stream.write_all(first).await;
    while wrote.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        wrote = stream.write_all(b"H").await;
    }
}

/// Reads a request's head and body; returns the first line.
async fn request_line(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { break };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
    head.lines().next().unwrap_or("").to_owned()
}

/// Everything that is logged on this thread, while this lives.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Starts to listen.
    pub(crate) fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .without_time()
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The warnings of kinset itself.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.text()
            .lines()
            .filter_map(|line| line.trim().strip_prefix("WARN kinset::"))
            .map(str::to_owned)
            .collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

//! Whatever a server answers, what reads it ends with a value or an error. Each run has one of its requests answered with something that nobody would
//! write; how much of an answer is read at all is bounded by `src/http`.

#[path = "../fuzz/mutate.rs"]
mod mutate;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use kinset::http::RetryPolicy;
use kinset::model::{EventCursor, EventId, PatchId, ProjectId, ProjectName, UserName};
use kinset::source::{HttpSettings, Previous, Reading, SourceError, bodhi, distgit, distro_info, launchpad, modulemd};
use kinset::tracker::simulator::{Delivery, Request, Simulator};
use kinset::tracker::{Reader, Resume, Settings};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;
use tokio::runtime::{self, Runtime};
use url::Url;

use crate::client_support::{Raw, project, raw_server, settings, token};
use crate::sources_launchpad::{launchpad, settings_at};
use crate::support::fedora::{Bodhi, DistGit, Table, bodhi_at, dates_at, distgit_at, release};
use crate::support::patchwork::{message, small_world};
use crate::support::repository::{Repository, repository_at, stream};
use crate::support::service::{Asked, Reply, Service, impatient};
use mutate::{Changes, config};

/// What is done to one answer: to its body, and to a header.
#[derive(Clone, Debug)]
struct Tampering {
    /// Which request it is, counted from 0, among so many as there usually are.
    request: prop::sample::Index,
    body: Option<Changes>,
    link: Option<Changes>,
}

fn tampering() -> impl Strategy<Value = Tampering> {
    (
        any::<prop::sample::Index>(),
        prop::option::weighted(0.9, Changes::any()),
        prop::option::weighted(0.3, Changes::any()),
    )
        .prop_map(|(request, body, link)| Tampering { request, body, link })
}

/// A server for what `answer` says to the path and query of each request, but for the one that is tampered with.
async fn tampering_server(
    answer: impl Fn(&str, Url) -> Reply + Send + Sync + 'static,
    tampering: Option<(usize, Tampering)>,
) -> (Url, Arc<AtomicUsize>) {
    let base = Arc::new(OnceLock::<Url>::new());
    let requests = Arc::new(AtomicUsize::new(0));
    let (known, count) = (Arc::clone(&base), Arc::clone(&requests));
    let address = raw_server(move |line| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
        let reply = answer(&line, known.get().unwrap().join(&target).unwrap());
        let (mut body, mut headers) = (reply.body, reply.headers);
        if let Some((at, Tampering { body: changes, link, .. })) = &tampering
            && *at == number
        {
            if let Some(changes) = changes {
                body = changes.apply(&body);
            }
            if let Some(changes) = link {
                let sound = headers
                    .iter()
                    .find(|(name, _)| *name == "Link")
                    .map_or("<http://a/?page=2>; rel=\"next\"", |(_, link)| link);
                let changed: Vec<u8> = changes.apply(sound.as_bytes());
                let changed = changed
                    .into_iter()
                    .filter(|byte| byte.is_ascii_graphic() || *byte == b' ')
                    .take(8000);
                let changed = String::from_utf8(changed.collect()).unwrap();
                headers.retain(|(name, _)| *name != "Link");
                headers.push(("Link", changed));
            }
        }
        let mut bytes = format!(
            "HTTP/1.1 {} OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n",
            reply.status,
            reply.content_type,
            body.len()
        );
        for (name, value) in headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        bytes.push_str("\r\n");
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(&body);
        std::future::ready(Raw::Bytes(bytes))
    })
    .await;
    (base.get_or_init(|| Url::parse(&address).unwrap()).clone(), requests)
}

fn runtime() -> Runtime {
    runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// No answer of these servers is late, so whoever waits that long waits for good.
const FOR_GOOD: Duration = Duration::from_secs(120);

/// Reads from a sound server, and then from servers that were tampered with.
fn survives<T>(answer: impl Fn(&str, Url) -> Reply + Clone + Send + Sync + 'static, read: impl AsyncFn(Url) -> Result<T, String>) {
    let usual = runtime().block_on(async {
        let (url, requests) = tampering_server(answer.clone(), None).await;
        read(url).await.unwrap();
        requests.load(Ordering::SeqCst)
    });
    let run = TestRunner::new(config()).run(&tampering(), |tampering| {
        runtime().block_on(async {
            let at = tampering.request.index(usual);
            let (url, _) = tampering_server(answer.clone(), Some((at, tampering))).await;
            let read = tokio::time::timeout(FOR_GOOD, read(url)).await;
            prop_assert!(read.is_ok(), "it goes on for good");
            Ok(())
        })
    });
    run.unwrap();
}

fn survives_source<S: Service>(service: &Arc<S>, read: impl AsyncFn(Url, HttpSettings) -> Result<Reading, SourceError>) {
    let service = Arc::clone(service);
    let answer = move |_: &str, url: Url| {
        service.answer(&Asked {
            url,
            if_none_match: None,
            if_modified_since: None,
        })
    };
    survives(answer, async |url| read(url, impatient()).await.map_err(|error| error.to_string()));
}

#[test]
fn launchpad_may_answer_anything() {
    survives_source(&launchpad(), async |url, http| {
        let settings = launchpad::Settings { http, ..settings_at(&url) };
        launchpad::read(&settings, &Previous::default()).await
    });
}

#[test]
fn bodhi_may_answer_anything() {
    let releases = ["41", "42"].map(|version| {
        let (name, title, tag) = (format!("F{version}"), format!("Fedora {version}"), format!("f{version}"));
        release(&name, &title, version, "FEDORA", &tag, "current")
    });
    let mut bodhi = Bodhi::new(releases.into());
    bodhi.most_rows = 1;
    survives_source(&Arc::new(bodhi), async |url, http| {
        bodhi::read(&bodhi_at(url, &["FEDORA"], http), &Previous::default()).await
    });
}

#[test]
fn dist_git_may_answer_anything() {
    let service = DistGit::new(json!({"bash": ["kasal"]}), json!({"bash": ["kasal", "@sig"]}), &[("f41", &["foo"])]);
    survives_source(&Arc::new(service), async |url, http| {
        distgit::read(&distgit_at(url, &[("f41", "f41")], http), &Previous::default()).await
    });
}

#[test]
fn a_table_of_dates_may_say_anything() {
    let table = "version,codename,series,created,release,eol\n24.04 LTS,Noble Numbat,noble,2023-10-12,2024-04-25,2029-05-31\n";
    survives_source(&Arc::new(Table(Mutex::new(table.to_owned()))), async |url, http| {
        distro_info::read(&dates_at(&url, http), &Previous::default()).await
    });
}

#[test]
fn a_repository_may_say_anything() {
    let modules = stream("nodejs:10", 1, &["nodejs"]);
    survives_source(&Arc::new(Repository::with(&modules)), async |url, http| {
        modulemd::read(&repository_at(&url, http), &Previous::default()).await
    });
}

/// Asks a tracker all that there is to ask.
async fn ask_everything(url: Url) -> Result<(), String> {
    let words = |error: kinset::tracker::Error| error.to_string();
    let settings = Settings {
        retry: RetryPolicy::without_waiting(std::num::NonZeroU32::MIN),
        ..settings(url.as_str())
    };
    let reader = Reader::connect(settings, Some(&token())).await.map_err(words)?;
    // What comes of one question says nothing of the next.
    let alpha = ProjectName("alpha".to_owned());
    let mut first = reader.project(&alpha).await.map(|_| ()).map_err(words);
    let mut and = |next: Result<(), kinset::tracker::Error>| first = first.clone().and(next.map_err(words));
    and(reader.projects().await.map(|_| ()));
    and(reader.whoami(&BTreeSet::from([UserName("bot".to_owned())])).await.map(|_| ()));
    let mut sweep = reader.sweep(&project(), Resume::default());
    loop {
        match sweep.next_rows().await {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => {
                and(Err(error));
                break;
            }
        }
    }
    and(reader.event_cursor(&[ProjectId(1)]).await.map(|_| ()));
    let cursor = EventCursor {
        newest: Some(EventId(1)),
        recent: BTreeSet::from([EventId(1)]),
    };
    and(reader.events(&[ProjectId(1)], &cursor, 5).await.map(|_| ()));
    and(reader.patch(PatchId(1), &message(1)).await.map(|_| ()));
    and(reader.mail(PatchId(1), &message(1)).await.map(|_| ()));
    first
}

#[test]
fn a_tracker_may_answer_anything() {
    let mut world = small_world(70);
    world = world
        .with_relation([PatchId(1), PatchId(2)])
        .with_relation([PatchId(3), PatchId(60)]);
    world.max_per_page = std::num::NonZeroUsize::new(30).unwrap();
    let simulator = Arc::new(Simulator::new(&world).unwrap());
    let answer = move |line: &str, url: Url| {
        let headers = kinset::tracker::simulator::Headers {
            authorization: Some("Token t-bot".to_owned()),
            accept: Some("application/json".to_owned()),
            host: Some(url.authority().to_owned()),
            ..Default::default()
        };
        let reply = simulator.handle(&Request {
            method: line.split(' ').next().unwrap_or_default().to_owned(),
            path: url.path().to_owned(),
            query: url.query().unwrap_or_default().to_owned(),
            headers,
            ..Request::default()
        });
        assert_eq!(reply.delivery, Delivery::Whole);
        let header = |wanted: &str| {
            reply
                .headers
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value.clone())
        };
        let is_json = header("Content-Type").is_some_and(|kind| kind.contains("json"));
        Reply {
            status: reply.status,
            content_type: if is_json { "application/json" } else { "text/plain" },
            headers: header("Link").into_iter().map(|link| ("Link", link)).collect(),
            body: reply.body.to_vec(),
        }
    };
    survives(answer, ask_everything);
}

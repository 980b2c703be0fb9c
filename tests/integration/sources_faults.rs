//! Every request of every source fails in every way: nothing half comes of it, the error says where, and the next read mends it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kinset::http::Meter;
use kinset::remedy::Remedy;
use kinset::source::{FileAt, HttpSettings, Previous, Reading, SourceError, bodhi, distgit, distro_info, launchpad, modulemd};
use serde_json::json;
use url::Url;

use crate::sources_launchpad::{launchpad, settings_at};
use crate::support::fedora::{Bodhi, DistGit, Table, bodhi_at, dates_at, distgit_at, release};
use crate::support::repository::{Repository, modules_file_at, repository_at, stream};
use crate::support::service::{Fault, Faulty, Service, impatient, said};

/// How long a request may take where it is to take too long.
const SOON: Duration = Duration::from_millis(100);

/// A source, read from an address, with settings, and with what was read before.
trait Reads: AsyncFn(Url, HttpSettings, &Previous) -> Result<Reading, SourceError> {}

impl<F: AsyncFn(Url, HttpSettings, &Previous) -> Result<Reading, SourceError>> Reads for F {}

async fn fails_well<S: Service>(service: Arc<S>, read: impl Reads) {
    let sound = Faulty::start(&service, None).await;
    let nothing = Previous::default();
    let whole = read(sound.url.clone(), impatient(), &nothing).await.unwrap();
    for previous in [nothing, whole.clone().into_previous()] {
        let before = sound.requests();
        read(sound.url.clone(), impatient(), &previous).await.unwrap();
        let requests = sound.requests() - before;
        assert!(requests > 0);
        for number in 0..requests {
            for fault in Fault::ALL {
                let (error, failed) = failure(&service, &read, &previous, number, fault).await;
                let told = chain(&error);
                assert!(told.contains(&failed), "{fault:?} at {failed}: {told}");
                assert!(told.starts_with(&format!("cannot read source {}\n", error.name)), "{told}");
                assert!(error.remedy().is_some());
            }
            let mended = read(sound.url.clone(), impatient(), &previous).await.unwrap();
            assert_eq!(mended.snapshot, whole.snapshot);
        }
    }
}

/// What a read ends in when one of its requests fails, and the address of that.
async fn failure<S: Service>(
    service: &Arc<S>,
    read: &impl Reads,
    previous: &Previous,
    number: usize,
    fault: Fault,
) -> (SourceError, String) {
    let timeout = if matches!(fault, Fault::Silence) {
        SOON
    } else {
        impatient().timeout
    };
    loop {
        let server = Faulty::start(service, Some((number, fault))).await;
        let settings = HttpSettings { timeout, ..impatient() };
        let error = read(server.url.clone(), settings, previous).await.unwrap_err();
        // On a busy machine a request may be too late before its server falls silent.
        if let Some(failed) = server.failed() {
            return (error, failed.to_owned());
        }
        assert!(matches!(fault, Fault::Silence), "{fault:?}: {}", chain(&error));
    }
}

fn chain(error: &SourceError) -> String {
    said(error, "no address")
}

#[tokio::test]
async fn bodhi_fails_well_at_each_request() {
    let releases = (40..43).map(|number| {
        release(
            &format!("F{number}"),
            &format!("Fedora {number}"),
            &number.to_string(),
            "FEDORA",
            &format!("f{number}"),
            "current",
        )
    });
    let mut service = Bodhi::new(releases.collect());
    service.most_rows = 2;
    fails_well(Arc::new(service), async |url, http, previous| {
        bodhi::read(&bodhi_at(url, &["FEDORA"], http), previous).await
    })
    .await;
}

#[tokio::test]
async fn distgit_fails_well_at_each_request() {
    let service = DistGit::new(
        json!({"bash": ["kasal"]}),
        json!({"bash": ["kasal", "@sig"]}),
        &[("f41", &["foo"]), ("f42", &["foo"])],
    );
    fails_well(Arc::new(service), async |url, http, previous| {
        distgit::read(&distgit_at(url, &[("f41", "f41"), ("f42", "f42")], http), previous).await
    })
    .await;
}

#[tokio::test]
async fn distro_info_fails_well_at_each_request() {
    let table = "version,codename,series,created\n24.04 LTS,Noble Numbat,noble,2023-10-12\n".to_owned();
    fails_well(Arc::new(Table(Mutex::new(table))), async |url, http, previous| {
        distro_info::read(&dates_at(&url, http), previous).await
    })
    .await;
}

#[tokio::test]
async fn a_repository_of_modules_fails_well_at_each_request() {
    let modules = stream("nodejs:10", 1, &["nodejs"]);
    fails_well(Arc::new(Repository::with(&modules)), async |url, http, previous| {
        modulemd::read(&repository_at(&url, http), previous).await
    })
    .await;
}

#[tokio::test]
async fn a_file_of_modules_fails_well_at_each_request() {
    let service = Repository::default();
    service.put("/modules.yaml", stream("nodejs:10", 1, &["nodejs"]));
    fails_well(Arc::new(service), async |url, http, previous| {
        modulemd::read(&modules_file_at(&url, "/modules.yaml", http), previous).await
    })
    .await;
}

#[tokio::test]
async fn launchpad_fails_well_at_each_request() {
    fails_well(launchpad(), async |url, http, previous| {
        let settings = launchpad::Settings { http, ..settings_at(&url) };
        launchpad::read(&settings, previous).await
    })
    .await;
}

#[tokio::test]
async fn a_request_that_fails_once_is_sent_again_unless_it_leads_elsewhere() {
    let service = launchpad();
    for (fault, is_mended) in [
        (Fault::Unavailable, true),
        (Fault::CutBody, true),
        (Fault::WebPage, true),
        (Fault::Redirect, false),
    ] {
        let server = Faulty::start(&service, Some((3, fault))).await;
        let read = launchpad::read(&settings_at(&server.url), &Previous::default()).await;
        assert_eq!(read.is_ok(), is_mended, "{fault:?}: {:?}", read.err());
        assert!(server.failed().is_some());
    }
}

fn counting() -> (Meter, Arc<Mutex<Vec<&'static str>>>) {
    let counted = Arc::new(Mutex::new(Vec::new()));
    let counts = Arc::clone(&counted);
    let meter = Meter::new(move |_, outcome| counts.lock().unwrap().push(outcome.as_str()));
    (meter, counted)
}

#[tokio::test]
async fn each_request_counts_by_what_came_of_it() {
    let table = "version,codename,series,created\n24.04 LTS,Noble Numbat,noble,2023-10-12\n";
    for (fault, outcome) in [
        (Fault::Unavailable, "server-error"),
        (Fault::Silence, "timed-out"),
        (Fault::CutBody, "broken"),
        (Fault::WebPage, "web-page"),
        (Fault::Redirect, "redirected"),
    ] {
        let timeout = if matches!(fault, Fault::Silence) {
            SOON
        } else {
            impatient().timeout
        };
        let server = Faulty::start(&Arc::new(Table(Mutex::new(table.to_owned()))), Some((0, fault))).await;
        let settings = distro_info::Settings {
            name: "dates".to_owned(),
            at: FileAt::Web {
                url: server.url.join("ubuntu.csv").unwrap(),
                http: HttpSettings { timeout, ..impatient() },
            },
        };
        let (meter, counted) = counting();
        let read = meter.watch(distro_info::read(&settings, &Previous::default())).await;
        assert!(read.is_err(), "{fault:?}");
        assert_eq!(*counted.lock().unwrap(), [outcome], "{fault:?}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_given_up_and_counts_as_such() {
    let endless = Arc::new(Table(Mutex::new(" ".repeat((64 << 20) + 1))));
    let server = Faulty::start(&endless, None).await;
    let settings = distro_info::Settings {
        name: "dates".to_owned(),
        at: FileAt::Web {
            url: server.url.join("ubuntu.csv").unwrap(),
            http: impatient(),
        },
    };
    let (meter, counted) = counting();
    let error = meter.watch(distro_info::read(&settings, &Previous::default())).await.unwrap_err();
    insta::assert_snapshot!(said(&error, server.url.as_str().trim_end_matches('/')), @r"
    cannot read source dates
    expected a table of series, but http://tracker/ubuntu.csv sent more than 67108864 bytes
    ");
    assert_eq!(*counted.lock().unwrap(), ["too-large"]);
}

#[tokio::test]
async fn what_a_person_reads_says_which_source_where_what_and_what_to_do() {
    let mut texts = Vec::new();
    for fault in [Fault::Unavailable, Fault::WebPage, Fault::Redirect] {
        let server = Faulty::start(&launchpad(), Some((1, fault))).await;
        let settings = launchpad::Settings {
            http: impatient(),
            ..settings_at(&server.url)
        };
        let error = launchpad::read(&settings, &Previous::default()).await.unwrap_err();
        let told = said(&error, server.url.as_str().trim_end_matches('/'));
        texts.push(format!("{told}\n{}", error.remedy().unwrap()));
    }
    insta::assert_snapshot!(texts.join("\n\n"), @r"
    cannot read source launchpad
    expected series, but http://tracker/devel/ubuntu/series?ws.size=300 answered 503 Service Unavailable (no content type): oops
    the service may be busy: try again later; what was known of the source before still holds

    cannot read source launchpad
    expected series in JSON, but http://tracker/devel/ubuntu/series?ws.size=300 answered 200 OK (text/html): <html></html>
    check the address of the source in the configuration; if it is right, a proxy in front of the service may have answered, and it may be better later; what was known of the source before still holds

    cannot read source launchpad
    refusing to follow http://tracker/devel/ubuntu/series?ws.size=300 to another server, http://elsewhere.invalid/
    if the service has moved to http://elsewhere.invalid/, set the address of the source in the configuration to where it leads; what was known of the source before still holds
    ");
}

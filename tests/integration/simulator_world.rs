//! World files: what they hold, what is wrong with them, and the server that runs on them.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use kinset::model::{MessageId, PatchId};
use kinset::remedy::Remedy;
use kinset::tracker::simulator::{ApiVersion, Fault, FaultKind, RunError, When, World, WorldError, run};
use reqwest::Method;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::support::patchwork::{Patchwork, client, message, small_world};

const SMALLEST: &str = r#"{
  "projects": ["alpha"],
  "users": {"bot": {"token": "t-bot", "maintains": ["alpha"]}},
  "patches": [{"id": 1, "project": "alpha", "msgid": "<m1@example.org>"}, {"id": 2, "project": "alpha", "msgid": "<m2@example.org>"}],
  "relations": [[1, 2]]
}"#;

#[test]
fn the_documented_world_is_the_one_built_in_rust() {
    let world = World::default().with_project("alpha").with_user("bot", "t-bot", &["alpha"]);
    let world = world
        .with_patch(PatchId(1), "alpha", message(1))
        .with_patch(PatchId(2), "alpha", message(2));
    assert_eq!(
        World::parse("world.json", SMALLEST).unwrap(),
        world.with_relation([PatchId(1), PatchId(2)])
    );
}

#[test]
fn every_optional_field_is_read() {
    let world = World::parse(
        "world.json",
        r#"{
            "projects": [{"link_name": "alpha", "id": 7, "name": "Alpha", "list_id": "a.example.org", "list_email": "a@example.org"}, "beta"],
            "users": {"bot": {"id": 5, "token": "t", "maintains": ["beta"], "first_name": "B", "last_name": "Ot", "email": "b@example.org"}},
            "patches": [{"id": 3, "project": "alpha", "msgid": "<a@b>", "name": "a subject", "date": "2026-01-31T12:00:00",
                "commit_ref": "0123abc", "submitter": "bot", "delegate": "bot", "mail": "From a\n\nb\n"}],
            "hidden_relations": [3],
            "api_versions": ["1.2"],
            "max_per_page": 10,
            "faults": [
                {"kind": {"status": {"code": 503, "retry_after_s": 1}}, "requests": "writes", "when": {"every": 10}, "limit": 2},
                {"kind": "half-write", "path": "/patches/3/", "when": {"at": [1, 4]}},
                {"kind": {"delay": {"duration_ms": 20}}, "requests": "reads", "when": {"every": 1}}
            ]
        }"#,
    )
    .unwrap();
    let rules = world.rules().unwrap();
    assert_eq!(rules.catalogue().project_named("alpha").unwrap().id.0, 7);
    assert_eq!(rules.catalogue().project_named("beta").unwrap().id.0, 2);
    assert_eq!(rules.catalogue().users().next().unwrap().last_name, "Ot");
    let patch = rules.catalogue().patch(PatchId(3)).unwrap();
    assert_eq!(
        (patch.name.as_str(), patch.date.to_string().as_str()),
        ("a subject", "2026-01-31T12:00:00")
    );
    assert_eq!(
        (patch.commit_ref.as_deref(), patch.mail.as_deref()),
        (Some("0123abc"), Some("From a\n\nb\n"))
    );
    assert_eq!(
        [&patch.submitter, &patch.delegate].map(|name| name.as_ref().map(|name| name.0.as_str())),
        [Some("bot"); 2]
    );
    assert!(rules.hidden_relations().contains(&PatchId(3)));
    assert_eq!((world.api_versions, world.max_per_page.get()), (vec![ApiVersion::V1_2], 10));
    let faults = [
        Fault::new(
            FaultKind::Status {
                code: 503,
                retry_after_s: Some(1),
            },
            When::every(10),
        )
        .on_writes()
        .at_most(2),
        Fault::new(FaultKind::HalfWrite, When::At(vec![1, 4])).on_path("/patches/3/"),
        Fault::new(FaultKind::Delay { duration_ms: 20 }, When::every(1)).on_reads(),
    ];
    assert_eq!(world.faults, faults);
}

/// A message with the messages of what caused it, and what to do.
fn told(error: &WorldError) -> (String, String) {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    (message, error.remedy().unwrap())
}

#[test]
fn what_is_wrong_with_a_world_is_told_with_its_place_and_its_remedy() {
    let cases = [
        (
            r#"{"projcts": []}"#,
            "w.json, at projcts: there is no \"projcts\" here",
            "did you mean \"projects\"?",
        ),
        (
            r#"{"patches": [{"id": 1, "project": "alpha", "msgid": "<a@b>", "subject": "x"}]}"#,
            "w.json, at patches[0].subject: there is no \"subject\" here",
            "known here: id, project, msgid, name, date, commit_ref, submitter, delegate, mail",
        ),
        (
            r#"{"faults": [{"kind": "rest", "when": {"every": 1}}]}"#,
            "w.json, at faults[0].kind: there is no \"rest\" here",
            "did you mean \"reset\"?",
        ),
        (
            r#"{"api_versions": ["1.4"]}"#,
            "w.json, at api_versions[0]: there is no \"1.4\" here",
            "did you mean \"1.1\"?",
        ),
        (
            r#"{"api_versions": []}"#,
            "w.json, at api_versions: expected at least one version, found none",
            "name some of",
        ),
        (
            r#"{"max_per_page": 0}"#,
            "w.json, at max_per_page: invalid value: integer `0`, expected a nonzero usize",
            "correct it there",
        ),
        (
            r#"{"projects": ["alpha"], "patches": [{"id": 1, "project": "alpha", "msgid": "a@b"}]}"#,
            "w.json, at patches[0].msgid: expected a message id in angle brackets",
            "correct it there",
        ),
        (
            r#"{"patches": [{"id": 1, "project": "alpha", "msgid": "<a@b>", "date": "yesterday"}]}"#,
            "w.json, at patches[0].date: expected a date such as 2026-01-31T12:00:00, found \"yesterday\"",
            "correct it there",
        ),
        (
            r#"{"patches": ["#,
            "w.json, at patches: EOF while parsing a list at line 1 column 13",
            "correct it there",
        ),
        (
            r#"{"projects": ["alpha"]} x"#,
            "w.json, at its top: trailing characters at line 1 column 25",
            "correct it there",
        ),
        (
            r#"{"projects": [7]}"#,
            "w.json, at projects[0]: invalid type: integer `7`, expected a project's link name",
            "correct it there",
        ),
        (
            r#"{"projects": ["alpha", "alpha"]}"#,
            "w.json, at projects[1]: project alpha (number 2) is there already",
            "give each project",
        ),
        (
            r#"{"projects": ["alpha"], "users": {"bot": {"token": "t", "maintains": ["alpa"]}}}"#,
            "w.json, at users.bot.maintains: there is no project alpa",
            "did you mean alpha?",
        ),
        (
            r#"{"users": {"bot": {"token": "t"}, "human": {"token": "t"}}}"#,
            "w.json, at users.human: user bot has the same token",
            "give each user a token of their own",
        ),
        (
            r#"{"users": {"bot": {"token": "t", "id": 2}, "human": {"token": "u"}}}"#,
            "w.json, at users.human: user human (number 2) is there already",
            "give each user a name and a number of their own",
        ),
        (
            r#"{"patches": [{"id": 1, "project": "alpha", "msgid": "<a@b>"}]}"#,
            "w.json, at patches[0].project: there is no project alpha",
            "declare it under `projects`",
        ),
        (
            r#"{"projects": ["alpha"], "patches": [{"id": 1, "project": "alpha", "msgid": "<a@b>", "submitter": "bot"}]}"#,
            "w.json, at patches[0]: there is no user bot",
            "declare them under `users`",
        ),
        (
            r#"{"projects": ["alpha"], "users": {"bot": {"token": "t"}},
                "patches": [{"id": 1, "project": "alpha", "msgid": "<a@b>", "delegate": "bt"}]}"#,
            "w.json, at patches[0]: there is no user bt",
            "did you mean bot?",
        ),
        (
            r#"{"projects": ["alpha"], "patches": [{"id": 1, "project": "alpha", "msgid": "<a@b>"}, {"id": 1, "project": "alpha", "msgid": "<c@d>"}]}"#,
            "w.json, at patches[1]: patch 1 is there already",
            "give each patch a number of its own",
        ),
        (
            r#"{"projects": ["alpha"], "patches": [{"id": 1, "project": "alpha", "msgid": "<a@b>"}, {"id": 2, "project": "alpha", "msgid": "<a@b>"}]}"#,
            "w.json, at patches[1]: patch 1 has the message id <a@b> in the same project",
            "one mail is one patch per project",
        ),
    ];
    for (text, message, remedy) in cases {
        let (shown, shown_remedy) = told(&World::parse("w.json", text).unwrap_err());
        assert!(shown.starts_with(message), "{text}\n  told:     {shown}\n  expected: {message}");
        assert!(
            shown_remedy.starts_with(remedy),
            "{text}\n  told:     {shown_remedy}\n  expected: {remedy}"
        );
    }
}

#[test]
fn relations_of_a_world_are_disjoint_of_known_patches_and_of_two_at_least() {
    for (relations, message) in [
        ("[[1, 2], [2, 3]]", "the world, at relations[1]: patch 2 is in a relation already"),
        ("[[1, 1]]", "the world, at relations[0]: patch 1 is in a relation already"),
        ("[[1, 2], [3, 4]]", "the world, at relations[1]: there is no patch 4"),
        ("[[1]]", "the world, at relations[0]: expected two or more patches, found 1"),
        ("[[]]", "the world, at relations[0]: expected two or more patches, found 0"),
    ] {
        let relations: Vec<Vec<PatchId>> = serde_json::from_str(relations).unwrap();
        let (shown, _) = told(
            &World {
                relations,
                ..small_world(3)
            }
            .rules()
            .unwrap_err(),
        );
        assert_eq!(shown, message);
    }
    let hidden = World {
        relations: vec![vec![PatchId(1), PatchId(2)]],
        hidden_relations: vec![PatchId(3), PatchId(2)],
        ..small_world(3)
    };
    assert_eq!(
        told(&hidden.rules().unwrap_err()).0,
        "the world, at hidden_relations[1]: patch 2 is in a relation already"
    );
}

#[test]
fn a_file_is_named_in_what_is_wrong_with_it() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(br#"{"projects": ["alpha", "alpha"]}"#).unwrap();
    let name = file.path().display().to_string();
    assert!(told(&World::read(file.path()).unwrap_err()).0.starts_with(&name));
    let missing = file.path().with_extension("missing");
    let (message, remedy) = told(&World::read(&missing).unwrap_err());
    assert!(
        message.starts_with(&format!("cannot read the world file {}: ", missing.display())),
        "{message}"
    );
    assert!(remedy.contains("--world"));
}

#[test]
fn tokens_are_not_printed() {
    let world = World::default().with_user("bot", "s3cret", &[]);
    assert!(!format!("{world:?}").contains("s3cret"));
    assert!(!format!("{:?}", world.rules().unwrap()).contains("s3cret"));
}

#[tokio::test]
async fn versions_that_a_world_does_not_list_are_404_in_html() {
    let world = World {
        api_versions: vec![ApiVersion::V1_1],
        ..small_world(2)
    };
    let patchwork = Patchwork::start(&world).await;
    let reply = patchwork.request(Method::GET, "/api/1.3/").send().await.unwrap();
    assert_eq!(reply.status(), 404);
    assert!(reply.headers()["Content-Type"].to_str().unwrap().starts_with("text/html"));
    let rows = patchwork.json("/api/1.1/patches/").await;
    assert!(rows[0].get("related").is_none());
    // Without a version, the newest that is served.
    assert!(patchwork.json("/api/patches/1/").await.get("related").is_none());
}

#[tokio::test]
async fn pages_are_no_larger_than_the_world_allows() {
    let world = World {
        max_per_page: 4.try_into().unwrap(),
        ..small_world(10)
    };
    let patchwork = Patchwork::start(&world).await;
    let reply = patchwork
        .request(Method::GET, "/api/1.3/patches/?per_page=100")
        .send()
        .await
        .unwrap();
    assert!(
        reply.headers()["Link"]
            .to_str()
            .unwrap()
            .contains("page=3&per_page=100>; rel=\"last\"")
    );
    assert_eq!(reply.json::<Value>().await.unwrap().as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn what_the_simulator_cannot_do_it_refuses_by_name() {
    let patchwork = Patchwork::start(&small_world(2)).await;
    for (path, what) in [
        ("/api/1.3/series/", "it has no series"),
        ("/api/1.3/patches/?state=new", "it has no filter `state`"),
        ("/api/1.3/patches/?order=-date", "it cannot order by `date`"),
        ("/api/1.3/events/?since=2026-01-01", "it has no filter `since`"),
    ] {
        let reply = patchwork.request(Method::GET, path).send().await.unwrap();
        assert_eq!(reply.status(), 501, "{path}");
        let body: Value = reply.json().await.unwrap();
        assert!(body["detail"].as_str().unwrap().contains(what), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_mail_sent_to_two_projects_is_two_patches() {
    let both: MessageId = message(1);
    let world = small_world(2).with_project("beta").with_patch(PatchId(3), "beta", both);
    let patchwork = Patchwork::start(&world).await;
    let ids = |rows: Value| {
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(patchwork.json("/api/1.3/patches/?msgid=m1@example.org").await), [1, 3]);
    assert_eq!(
        ids(patchwork.json("/api/1.3/patches/?msgid=m1@example.org&project=beta").await),
        [3]
    );
}

#[tokio::test]
async fn running_tells_the_port_and_ends_on_request() {
    let (told, port) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(run(
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        small_world(2),
        |address| told.send(address).unwrap(),
        async { stopped.await.unwrap() },
    ));
    let address = port.await.unwrap();
    let index: Value = client()
        .get(format!("http://{address}/api/1.3/"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(index["patches"], format!("http://{address}/api/1.3/patches/"));
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
    assert!(
        client()
            .get(format!("http://{address}/api/1.3/"))
            .send()
            .await
            .unwrap_err()
            .is_connect()
    );
}

#[tokio::test]
async fn an_address_in_use_and_a_broken_world_are_told() {
    let taken = Patchwork::start(&small_world(1)).await;
    let error = run(taken.address, small_world(1), |_| {}, std::future::pending())
        .await
        .unwrap_err();
    assert!(matches!(error, RunError::Listen { address, .. } if address == taken.address));
    assert!(error.remedy().unwrap().contains("--listen"));
    let broken = small_world(1).with_project("alpha");
    let error = run(taken.address, broken, |_| {}, std::future::pending()).await.unwrap_err();
    assert!(matches!(error, RunError::World(_)));
    assert!(error.remedy().unwrap().contains("give each project"));
}

#[tokio::test]
async fn a_mail_is_handed_out_as_the_world_has_it_and_made_up_where_it_has_none() {
    let mut world = small_world(2);
    world.patches[0].mail = Some("From here\n\nThe mail\n".to_owned());
    let patchwork = Patchwork::start(&world).await;
    let mails = patchwork.json("/api/1.3/patches/?order=id").await;
    let mut texts = Vec::new();
    for row in mails.as_array().unwrap() {
        texts.push(
            client()
                .get(row["mbox"].as_str().unwrap())
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap(),
        );
    }
    assert_eq!(texts[0], "From here\n\nThe mail\n");
    insta::assert_snapshot!(texts[1], @r#"
    From patchwork Thu Jan  1 00:01:00 2026
    Content-Type: text/plain; charset="utf-8"
    MIME-Version: 1.0
    Content-Transfer-Encoding: 7bit
    X-Patchwork-Submitter: "A. Author" <author@example.org>
    X-Patchwork-Id: 2
    Message-Id: <m2@example.org>
    Subject: [PATCH] fix thing 2
    Date: Thu, 01 Jan 2026 00:01:00 -0000

    Thing 2 was broken.

    diff --git a/f b/f
    --- a/f
    +++ b/f
    @@ -2 +2 @@
    -old 2
    +new 2
    "#);
}

#[tokio::test]
async fn comments_leave_events_that_api_1_2_does_not_show() {
    let patchwork = Patchwork::start(&small_world(1)).await;
    patchwork.simulator.with_rules(|rules| rules.add_comment(PatchId(1))).unwrap();
    let categories = |rows: Value| -> Vec<String> {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row["category"].as_str().unwrap().to_owned()).collect()
    };
    let newest = patchwork.json("/api/1.3/events/").await;
    let payload = newest[0]["payload"].as_object().unwrap();
    assert_eq!(payload.keys().collect::<Vec<_>>(), ["comment", "patch"]);
    assert_eq!(
        payload["comment"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["date", "id", "list_archive_url", "msgid", "url", "web_url"],
        "as on a real server"
    );
    assert_eq!(categories(newest), ["patch-comment-created", "patch-created"]);
    assert_eq!(categories(patchwork.json("/api/1.2/events/").await), ["patch-created"]);
}

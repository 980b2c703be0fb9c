//! The simulator answers as a real Patchwork did, field by field and header by header.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kinset::tracker::simulator::{Headers, Reply, Request, Simulator, World};
use serde::Deserialize;
use serde_json::{Value, json};
use wiremock::MockServer;

use crate::support::data;
use crate::support::patchwork::{client, small_world};
use crate::support::wiremock::Mounted;

/// Exchanges with a real server, in order, from the state that the world describes.
#[derive(Deserialize)]
struct Recording {
    host: String,
    world: Value,
    exchanges: Vec<Exchange>,
}

#[derive(Deserialize)]
struct Exchange {
    request: Asked,
    status: u16,
    headers: BTreeMap<String, String>,
    /// Pages for people are not recorded.
    body: Option<Value>,
    /// Of long lists, only the ids are.
    ids: Option<Vec<u64>>,
    mail: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Asked {
    method: String,
    path: String,
    r#as: Option<String>,
    authorization: Option<String>,
    accept: Option<String>,
    content_type: Option<String>,
    body: Option<String>,
}

impl Asked {
    fn request(&self, host: &str) -> Request {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let token = self.r#as.as_ref().map(|name| format!("Token t-{name}"));
        Request {
            method: self.method.clone(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Headers {
                authorization: token.or_else(|| self.authorization.clone()),
                accept: Some(self.accept.clone().unwrap_or_else(|| "application/json".to_owned())),
                content_type: Some(self.content_type.clone().unwrap_or_else(|| "application/json".to_owned())),
                host: Some(host.to_owned()),
            },
            body: self.body.clone().unwrap_or_default().into(),
        }
    }
}

#[test]
fn every_recorded_exchange_is_answered_alike() {
    replay(&data::own("patchwork-exchanges.json"));
}

#[test]
fn every_recorded_exchange_about_commits_puts_events_and_mails_is_answered_alike() {
    replay(&data::own("patchwork-commits-and-mails.json"));
}

fn replay(recording: &Recording) {
    let simulator = simulator(&recording.world);
    for (number, exchange) in (1..).zip(&recording.exchanges) {
        let asked = &exchange.request;
        let reply = simulator.handle(&asked.request(&recording.host));
        assert_eq!(reply.status, exchange.status, "status of exchange {number}, {asked:?}");
        for name in ["Content-Type", "Allow", "Vary", "Link", "Location", "Content-Disposition"] {
            assert_eq!(
                header(&reply, name),
                exchange.headers.get(name).map(String::as_str),
                "{name} of exchange {number}, {asked:?}"
            );
        }
        if let Some(body) = &exchange.body {
            assert_eq!(
                comparable(json_body(&reply)),
                comparable(body.clone()),
                "body of exchange {number}, {asked:?}"
            );
        }
        if let Some(ids) = &exchange.ids {
            let rows = json_body(&reply);
            let shown: Vec<u64> = rows.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect();
            assert_eq!(&shown, ids, "rows of exchange {number}, {asked:?}");
        }
        if let Some(mail) = &exchange.mail {
            let reply = String::from_utf8(reply.body.to_vec()).unwrap();
            assert_eq!(head(&reply), head(mail), "mail of exchange {number}, {asked:?}");
        }
    }
}

#[test]
fn the_reference_samples_have_the_same_fields() {
    let recording: Recording = data::own("patchwork-exchanges.json");
    let simulator = simulator(&recording.world);
    let asked = [
        ("projects", "GET", "/api/1.3/projects/", None, ""),
        ("project", "GET", "/api/1.3/projects/alpha/", None, ""),
        ("project-unknown", "GET", "/api/1.3/projects/nope/", None, ""),
        ("root", "GET", "/api/1.3/", None, ""),
        ("users-by-name", "GET", "/api/1.3/users/?q=bot", Some("bot"), ""),
        ("patches-by-msgid", "GET", "/api/1.3/patches/?msgid=m1@example.org", None, ""),
        (
            "patches-page",
            "GET",
            "/api/1.3/patches/?project=alpha&order=id&per_page=2&page=2",
            None,
            "",
        ),
        ("patches-page-past-the-end", "GET", "/api/1.3/patches/?page=99", None, ""),
        ("patches-unknown-project", "GET", "/api/1.3/patches/?project=nope", None, ""),
        ("patch-detail", "GET", "/api/1.3/patches/1/", None, ""),
        ("patch-missing", "GET", "/api/1.3/patches/99/", None, ""),
        (
            "events-empty-page",
            "GET",
            "/api/1.3/events/?category=patch-relation-changed&page=99",
            None,
            "",
        ),
        ("write-relate", "PATCH", "/api/1.3/patches/6/", Some("bot"), r#"{"related": [8]}"#),
        (
            "write-relate-stale-reply",
            "PATCH",
            "/api/1.3/patches/6/",
            Some("bot"),
            r#"{"related": [9]}"#,
        ),
        (
            "events-relation-changed",
            "GET",
            "/api/1.3/events/?category=patch-relation-changed&per_page=3",
            None,
            "",
        ),
        ("write-clear", "PATCH", "/api/1.3/patches/6/", Some("bot"), r#"{"related": []}"#),
        ("write-conflict", "PATCH", "/api/1.3/patches/1/", Some("bot"), r#"{"related": [5]}"#),
        ("write-anonymous", "PATCH", "/api/1.3/patches/1/", None, "{}"),
        ("write-not-maintainer", "PATCH", "/api/1.3/patches/1/", Some("nobody"), "{}"),
        (
            "write-other-project",
            "PATCH",
            "/api/1.3/patches/3/",
            Some("alphaonly"),
            r#"{"related": [4]}"#,
        ),
        (
            "write-unknown-related",
            "PATCH",
            "/api/1.3/patches/3/",
            Some("bot"),
            r#"{"related": [99999999]}"#,
        ),
        ("write-bad-json", "PATCH", "/api/1.3/patches/3/", Some("bot"), "{"),
    ];
    for (name, method, path, r#as, body) in asked {
        let Some(sample) = data::shared::<Sample>(&format!("patchwork/samples/{name}.json")) else {
            return;
        };
        let asked = Asked {
            method: method.to_owned(),
            path: path.to_owned(),
            r#as: r#as.map(str::to_owned),
            authorization: None,
            accept: None,
            content_type: None,
            body: Some(body.to_owned()),
        };
        let reply = simulator.handle(&asked.request("localhost"));
        assert_eq!(reply.status, sample.status, "status of {name}");
        for header_name in ["Content-Type", "Allow", "Vary"] {
            assert_eq!(
                header(&reply, header_name),
                sample.headers.get(header_name).map(String::as_str),
                "{header_name} of {name}"
            );
        }
        let shown = json_body(&reply);
        let fields = fields(&shown);
        let expected = self::fields(&sample.body);
        assert_eq!(fields, expected, "fields of {name}");
        if sample.status >= 400 {
            assert_eq!(shown, sample.body, "error of {name}");
        }
    }
}

#[derive(Deserialize)]
struct Sample {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

fn simulator(world: &Value) -> Simulator {
    let world = World::parse("the recorded world", &world.to_string()).unwrap();
    Simulator::new(&world).unwrap()
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply
        .headers
        .iter()
        .find(|(other, _)| *other == name)
        .map(|(_, value)| value.as_str())
}

fn json_body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

/// The lines of a mail before its text, but for who sent it.
fn head(mail: &str) -> Vec<&str> {
    let lines = mail.lines().take_while(|line| !line.is_empty());
    lines.filter(|line| !line.starts_with("X-Patchwork-Submitter: ")).collect()
}

/// The value without what every server makes up for itself: dates of events, contents of mails, and who sent them.
fn comparable(mut value: Value) -> Value {
    match &mut value {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = comparable(item.take())),
        Value::Object(entries) => {
            // New in 1.4, which the unversioned address of that server speaks.
            entries.remove("show_dependencies");
            let is_event = entries.contains_key("payload");
            for (key, entry) in entries.iter_mut() {
                let is_made_up = matches!(key.as_str(), "hash" | "content" | "diff") || (is_event && key == "date");
                *entry = match key.as_str() {
                    _ if is_made_up => json!(entry.as_str().unwrap().len() > 1),
                    "submitter" => json!(fields(entry)),
                    _ => comparable(entry.take()),
                };
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    value
}

/// The names of all fields, with the kinds of their values; elements of a list share one name. Lists and nulls have fields only where they
/// hold something.
fn fields(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, path: &str, into: &mut BTreeSet<String>) {
        match value {
            // Which headers a mail has is its own matter.
            Value::Object(_) if path.ends_with(".headers") => drop(into.insert(format!("{path}: object"))),
            Value::Object(entries) => entries.iter().for_each(|(key, entry)| walk(entry, &format!("{path}.{key}"), into)),
            Value::Array(items) => items.iter().for_each(|item| walk(item, &format!("{path}[]"), into)),
            Value::String(_) => drop(into.insert(format!("{path}: string"))),
            Value::Number(_) => drop(into.insert(format!("{path}: number"))),
            Value::Bool(_) => drop(into.insert(format!("{path}: bool"))),
            Value::Null => drop(into.insert(format!("{path}: null"))),
        }
    }
    let mut found = BTreeSet::new();
    walk(value, "", &mut found);
    found
}

#[tokio::test]
async fn wiremock_can_carry_the_simulator() {
    let simulator = Arc::new(Simulator::new(&small_world(3)).unwrap());
    let server = MockServer::start().await;
    Mounted::on(&server, Arc::clone(&simulator)).await;
    let patch = format!("{}/api/1.3/patches/1/", server.uri());
    let written = client()
        .patch(&patch)
        .header("Authorization", "Token t-bot")
        .json(&json!({ "related": [2] }))
        .send()
        .await
        .unwrap();
    assert_eq!(written.status(), 200);
    let read: Value = client().get(&patch).send().await.unwrap().json().await.unwrap();
    assert_eq!(read["related"][0]["id"], 2);
    assert_eq!(read["url"], patch);
    let statuses: Vec<_> = simulator
        .log()
        .into_iter()
        .map(|request| (request.method, request.status))
        .collect();
    assert_eq!(statuses, [("PATCH".to_owned(), Some(200)), ("GET".to_owned(), Some(200))]);
}

//! Runs recorded on a real Patchwork replay on the simulator, over HTTP.

use std::collections::BTreeMap;

use kinset::model::PatchId;
use kinset::tracker::simulator::World;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::data;
use crate::support::patchwork::{Patchwork, message};

type Users = BTreeMap<String, Vec<String>>;

#[derive(Deserialize)]
struct Recording {
    users: Users,
    traces: Vec<Trace>,
}

#[derive(Deserialize)]
struct Trace {
    name: String,
    patches: Vec<(u64, String)>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    r#as: Option<String>,
    #[serde(default = "patch_method")]
    method: String,
    #[serde(default = "newest_version")]
    version: String,
    #[serde(default = "json_type")]
    content_type: String,
    patch: u64,
    body: String,
    status: u16,
    /// The members that the reply lists; `None` where it has no such field.
    related: Option<Vec<u64>>,
    error: Option<Value>,
    relations: Vec<Vec<u64>>,
    /// Relations of one; not told in every recording.
    hidden: Option<Vec<u64>>,
    events: Vec<(u64, Option<String>)>,
}

fn patch_method() -> String {
    "PATCH".to_owned()
}

fn newest_version() -> String {
    "1.3".to_owned()
}

fn json_type() -> String {
    "application/json".to_owned()
}

#[tokio::test]
async fn our_own_recording_replays_exactly() {
    let mut recording: Recording = data::own("traces.json");
    // Where it is silent about relations of one, there were none.
    for step in recording.traces.iter_mut().flat_map(|trace| &mut trace.steps) {
        step.hidden.get_or_insert_default();
    }
    assert!(recording.traces.len() >= 40);
    assert!(recording.traces.iter().map(|trace| trace.steps.len()).sum::<usize>() >= 500);
    replay(&recording).await;
}

#[tokio::test]
async fn the_reference_recording_replays_exactly() {
    let Some(recording) = data::shared::<reference::Recording>("patchwork/traces.json") else {
        return;
    };
    let recording = recording.with_true_ids();
    assert_eq!(recording.traces.len(), 49);
    replay(&recording).await;
}

async fn replay(recording: &Recording) {
    for trace in &recording.traces {
        let patchwork = Patchwork::start(&world(&recording.users, trace)).await;
        let mut seen = newest_event(&patchwork).await;
        for (number, step) in (1..).zip(&trace.steps) {
            let place = format!("trace {:?}, step {number}: {} {}", trace.name, step.patch, step.body);
            let (status, body) = write(&patchwork, step).await;
            assert_eq!(status, step.status, "status of {place}: {body}");
            match status {
                200 => assert_eq!(members(body.get("related")), step.shown(), "reply to {place}"),
                _ => assert_eq!(Some(&body), step.error.as_ref(), "reply to {place}"),
            }
            assert_eq!(relations(&patchwork).await, step.relations, "relations after {place}");
            if let Some(hidden) = &step.hidden {
                assert_eq!(hidden_relations(&patchwork), *hidden, "relations of one after {place}");
            }
            let events = events_since(&patchwork, seen).await;
            seen += events.len() as u64;
            assert_eq!(events, step.events, "events of {place}");
        }
    }
}

impl Step {
    /// Versions before 1.2 show no relatives.
    fn shown(&self) -> Option<Vec<u64>> {
        self.related.clone().filter(|_| self.version.as_str() >= "1.2")
    }
}

fn world(users: &Users, trace: &Trace) -> World {
    let mut world = World::default().with_project("alpha").with_project("beta");
    for (name, maintains) in users {
        let maintains: Vec<&str> = maintains.iter().map(String::as_str).collect();
        world = world.with_user(name, &format!("t-{name}"), &maintains);
    }
    trace
        .patches
        .iter()
        .fold(world, |world, (id, project)| world.with_patch(PatchId(*id), project, message(*id)))
}

async fn write(patchwork: &Patchwork, step: &Step) -> (u16, Value) {
    let path = format!("/api/{}/patches/{}/", step.version, step.patch);
    let method: Method = step.method.parse().unwrap();
    let mut request = patchwork
        .request(method, &path)
        .header("Content-Type", &step.content_type)
        .body(step.body.clone());
    if let Some(name) = &step.r#as {
        request = request.header("Authorization", format!("Token t-{name}").replace("t-(bad token)", "wrong"));
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn relations(patchwork: &Patchwork) -> Vec<Vec<u64>> {
    let rows = patchwork.json("/api/1.3/patches/?order=id&per_page=250").await;
    let classes = rows.as_array().unwrap().iter().map(|row| {
        let mut class = members(row.get("related")).unwrap();
        class.push(row["id"].as_u64().unwrap());
        class.sort_unstable();
        class
    });
    let mut relations: Vec<_> = classes.filter(|class| class.len() > 1).collect();
    relations.sort_unstable();
    relations.dedup();
    relations
}

fn hidden_relations(patchwork: &Patchwork) -> Vec<u64> {
    let hidden = patchwork.simulator.with_rules(|rules| rules.hidden_relations());
    hidden.into_iter().map(|patch| patch.0).collect()
}

async fn newest_event(patchwork: &Patchwork) -> u64 {
    patchwork.json("/api/1.3/events/?per_page=1").await[0]["id"].as_u64().unwrap()
}

/// Oldest first.
async fn events_since(patchwork: &Patchwork, seen: u64) -> Vec<(u64, Option<String>)> {
    let rows = patchwork
        .json("/api/1.3/events/?category=patch-relation-changed&per_page=250")
        .await;
    let fresh = rows.as_array().unwrap().iter().filter(|row| row["id"].as_u64().unwrap() > seen);
    let told = fresh.map(|row| {
        let actor = row["actor"]["username"].as_str().map(str::to_owned);
        (row["payload"]["patch"]["id"].as_u64().unwrap(), actor)
    });
    let mut told: Vec<_> = told.collect();
    told.reverse();
    told
}

fn members(related: Option<&Value>) -> Option<Vec<u64>> {
    let related = related?.as_array().unwrap();
    Some(related.iter().map(|member| member["id"].as_u64().unwrap()).collect())
}

/// The reference recording counts the patches of each trace from 1. Their true numbers, which decide the order of rows and which replies
/// are stale, ran on from trace to trace.
mod reference {
    use super::{BTreeMap, Deserialize, Users, Value, json};

    /// The patch before the first one. Found from the stale and true replies in the recording: of all remainders by 32, which is as far
    /// as its relations can tell, only this one explains them all.
    const BEFORE_FIRST: u64 = 30;

    #[derive(Deserialize)]
    pub(super) struct Recording {
        users: BTreeMap<String, Vec<String>>,
        traces: Vec<Trace>,
    }

    #[derive(Deserialize)]
    struct Trace {
        name: String,
        projects: Vec<String>,
        steps: Vec<Step>,
    }

    #[derive(Deserialize)]
    struct Step {
        r#as: Option<String>,
        patch: u64,
        related: Value,
        status: u16,
        response_related: Option<Vec<u64>>,
        response_body: Option<Value>,
        relations_after: Vec<Vec<u64>>,
        hidden_singletons_after: Option<Vec<u64>>,
        events: Vec<Event>,
    }

    #[derive(Deserialize)]
    struct Event {
        patch: u64,
        actor: Option<String>,
    }

    impl Recording {
        pub(super) fn with_true_ids(self) -> super::Recording {
            let users: Users = self.users;
            let mut before = BEFORE_FIRST;
            let traces = self.traces.into_iter().map(|trace| {
                let numbers = Numbers {
                    before,
                    count: trace.projects.len() as u64,
                };
                before += numbers.count;
                trace.with_true_ids(&numbers)
            });
            super::Recording {
                traces: traces.collect(),
                users,
            }
        }
    }

    struct Numbers {
        before: u64,
        count: u64,
    }

    impl Numbers {
        /// Numbers outside of the trace stand for no patch, and stay.
        fn true_id(&self, number: u64) -> u64 {
            if (1..=self.count).contains(&number) {
                number + self.before
            } else {
                number
            }
        }

        fn true_ids(&self, numbers: &[u64]) -> Vec<u64> {
            numbers.iter().map(|&number| self.true_id(number)).collect()
        }

        fn in_value(&self, value: Value) -> Value {
            match value {
                Value::Number(number) => number.as_u64().map_or(Value::Number(number), |number| json!(self.true_id(number))),
                Value::Array(items) => items.into_iter().map(|item| self.in_value(item)).collect(),
                Value::Object(entries) => entries.into_iter().map(|(key, value)| (key, self.in_value(value))).collect(),
                other => other,
            }
        }
    }

    impl Trace {
        fn with_true_ids(self, numbers: &Numbers) -> super::Trace {
            super::Trace {
                name: self.name,
                patches: (1..).map(|number| numbers.true_id(number)).zip(self.projects).collect(),
                steps: self.steps.into_iter().map(|step| step.with_true_ids(numbers)).collect(),
            }
        }
    }

    impl Step {
        fn with_true_ids(self, numbers: &Numbers) -> super::Step {
            super::Step {
                r#as: self.r#as.filter(|name| name != "anonymous"),
                method: super::patch_method(),
                version: super::newest_version(),
                content_type: super::json_type(),
                patch: numbers.true_id(self.patch),
                body: json!({ "related": numbers.in_value(self.related) }).to_string(),
                status: self.status,
                related: self.response_related.map(|related| numbers.true_ids(&related)),
                error: self.response_body,
                relations: self.relations_after.iter().map(|relation| numbers.true_ids(relation)).collect(),
                hidden: self.hidden_singletons_after.map(|hidden| numbers.true_ids(&hidden)),
                events: self
                    .events
                    .into_iter()
                    .map(|event| (numbers.true_id(event.patch), event.actor))
                    .collect(),
            }
        }
    }
}

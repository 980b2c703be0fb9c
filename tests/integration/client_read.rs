//! Projects, single patches, and whose the token is.

use std::collections::BTreeSet;

use kinset::{
    model::{MessageId, PatchId, ProjectId, ProjectName, UserName},
    tracker::{Error, Identity, Reader},
};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path, query_param},
};

use crate::client_support::{PatchList, answer, message_id, patch, patchwork, queries, reader, row, settings};

fn json_body(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn name(text: &str) -> ProjectName {
    ProjectName(text.to_owned())
}

fn users(names: &[&str]) -> BTreeSet<UserName> {
    names.iter().map(|name| UserName((*name).to_owned())).collect()
}

#[tokio::test]
async fn a_project_is_read_with_its_maintainers() {
    let server = patchwork().await;
    let body = json!({"id": 7, "link_name": "alpha", "maintainers": [{"id": 1, "username": "bot"}, {"id": 2, "username": "human"}]});
    answer(&server, "/api/1.3/projects/alpha/", json_body(&body)).await;
    let project = reader(&server).await.project(&name("alpha")).await.unwrap().unwrap();
    assert_eq!(
        (project.id, project.name, project.maintainers),
        (ProjectId(7), name("alpha"), users(&["bot", "human"]))
    );
}

#[tokio::test]
async fn an_unknown_project_is_none() {
    let server = patchwork().await;
    let unknown = ResponseTemplate::new(404).set_body_json(json!({"detail": "No Project matches the given query."}));
    answer(&server, "/api/1.3/projects/nope/", unknown).await;
    let reader = reader(&server).await;
    for unknown in ["nope", "..", ".", "", "a/b"] {
        assert_eq!(reader.project(&name(unknown)).await.unwrap(), None, "{unknown:?}");
    }
}

#[tokio::test]
async fn a_number_is_no_name_although_the_server_takes_it_for_one() {
    let server = patchwork().await;
    answer(
        &server,
        "/api/1.3/projects/7/",
        json_body(&json!({"id": 7, "link_name": "alpha", "maintainers": []})),
    )
    .await;
    assert_eq!(reader(&server).await.project(&name("7")).await.unwrap(), None);
}

#[tokio::test]
async fn the_names_of_all_projects_are_read_over_all_pages() {
    let server = patchwork().await;
    let rows = ["alpha", "beta", "gamma"].map(|name| json!({"id": 1, "link_name": name})).to_vec();
    answer(&server, "/api/1.3/projects/", PatchList::new(rows).at_most(2)).await;
    let names = reader(&server).await.projects().await.unwrap();
    assert_eq!(names, ["alpha", "beta", "gamma"].map(name).into());
}

#[tokio::test]
async fn one_patch_is_read_by_its_message_id_and_picked_by_its_number() {
    let server = patchwork().await;
    let rows = vec![row(1, &[]), row(2, &[3, 4]), row(5, &[])];
    answer(&server, "/api/1.3/patches/", PatchList::new(rows).at_most(2)).await;
    let reader = reader(&server).await;
    assert_eq!(reader.patch(PatchId(2), &message_id(2)).await.unwrap(), Some(patch(2, &[3, 4])));
    assert_eq!(
        reader.patch(PatchId(5), &message_id(5)).await.unwrap(),
        Some(patch(5, &[])),
        "on the second page"
    );
    assert_eq!(reader.patch(PatchId(6), &message_id(6)).await.unwrap(), None);
    assert_eq!(queries(&server, "/api/1.3/patches/").await[0], "msgid=m2%40example.org");
}

#[tokio::test]
async fn odd_message_ids_arrive_as_they_are() {
    for odd in [
        "<a$b%41+c=d/e&f#g?h@example.org>",
        "<\"quo ted\"@x>".replace(' ', "_").as_str(),
        "<ünï@x>",
        "<a;b,c~d!e*f'(g)@x>",
    ] {
        let server = patchwork().await;
        let id = MessageId::parse(odd).unwrap();
        let body = json!([{"id": 9, "project": {"id": 1}, "msgid": odd, "related": []}]);
        Mock::given(method("GET"))
            .and(path("/api/1.3/patches/"))
            .and(query_param("msgid", id.bare()))
            .respond_with(json_body(&body))
            .mount(&server)
            .await;
        let patch = reader(&server).await.patch(PatchId(9), &id).await.unwrap().unwrap();
        assert_eq!(patch.message_id, id);
    }
}

#[tokio::test]
async fn a_patch_is_not_among_its_own_relatives() {
    let server = patchwork().await;
    answer(&server, "/api/1.3/patches/", json_body(&json!([row(2, &[2, 3])]))).await;
    assert_eq!(
        reader(&server).await.patch(PatchId(2), &message_id(2)).await.unwrap(),
        Some(patch(2, &[3]))
    );
}

/// A tracker whose users have other numbers than their profiles, and that shows `own` their settings.
async fn tracker_with_users(names: &[&str], own: &str) -> MockServer {
    let server = patchwork().await;
    let rows: Vec<Value> = (1..).zip(names).map(|(id, name)| json!({"id": id, "username": name})).collect();
    for (id, name) in (1..).zip(names) {
        let mut body = json!({"id": id, "username": name});
        if *name == own {
            body["settings"] = json!({"items_per_page": 100});
        }
        answer(&server, &format!("/api/1.3/users/{id}/"), json_body(&body)).await;
        let found: Vec<&Value> = rows.iter().filter(|row| row["username"].as_str().unwrap().contains(name)).collect();
        Mock::given(method("GET"))
            .and(path("/api/1.3/users/"))
            .and(query_param("q", *name))
            .respond_with(json_body(&json!(found)))
            .mount(&server)
            .await;
    }
    server
}

#[tokio::test]
async fn the_tokens_user_is_the_one_whose_settings_are_shown() {
    let server = tracker_with_users(&["botany", "bot", "human"], "bot").await;
    let reader = reader(&server).await;
    assert_eq!(
        reader.whoami(&users(&["bot", "human"])).await.unwrap(),
        Identity::User(UserName("bot".to_owned()))
    );
    assert_eq!(reader.whoami(&users(&["human"])).await.unwrap(), Identity::NoneOf);
    assert_eq!(reader.whoami(&users(&[])).await.unwrap(), Identity::NoneOf);
}

#[tokio::test]
async fn a_maintainers_number_is_not_the_users() {
    let server = tracker_with_users(&["human", "bot"], "bot").await;
    let maintainers = json!([{"id": 101, "username": "human"}, {"id": 1, "username": "bot"}]);
    answer(
        &server,
        "/api/1.3/projects/alpha/",
        json_body(&json!({"id": 1, "link_name": "alpha", "maintainers": maintainers})),
    )
    .await;
    let reader = reader(&server).await;
    let project = reader.project(&name("alpha")).await.unwrap().unwrap();
    assert_eq!(
        reader.whoami(&project.maintainers).await.unwrap(),
        Identity::User(UserName("bot".to_owned()))
    );
    assert_eq!(
        queries(&server, "/api/1.3/users/1/").await.len(),
        0,
        "bot's profile has that number, but human's user"
    );
}

#[tokio::test]
async fn without_a_token_one_is_nobody_and_nothing_is_asked() {
    let server = patchwork().await;
    let reader = Reader::connect(settings(&server.uri()), None).await.unwrap();
    assert_eq!(reader.whoami(&users(&["bot"])).await.unwrap(), Identity::Anonymous);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_that_hides_its_users_leaves_it_open() {
    for (status, detail) in [(403, "You do not have permission to perform this action."), (404, "Not found.")] {
        let server = patchwork().await;
        answer(
            &server,
            "/api/1.3/users/",
            ResponseTemplate::new(status).set_body_json(json!({"detail": detail})),
        )
        .await;
        assert_eq!(reader(&server).await.whoami(&users(&["bot"])).await.unwrap(), Identity::Unknown);
    }
}

#[tokio::test]
async fn a_candidate_that_is_not_listed_leaves_it_open() {
    let server = tracker_with_users(&["human"], "nobody").await;
    answer(&server, "/api/1.3/users/", json_body(&json!([]))).await;
    assert_eq!(
        reader(&server).await.whoami(&users(&["bot", "human"])).await.unwrap(),
        Identity::Unknown
    );
}

#[tokio::test]
async fn a_token_that_went_bad_meanwhile_is_told() {
    let server = patchwork().await;
    answer(
        &server,
        "/api/1.3/users/",
        ResponseTemplate::new(403).set_body_json(json!({"detail": "Invalid token."})),
    )
    .await;
    let error = reader(&server).await.whoami(&users(&["bot"])).await.unwrap_err();
    assert!(matches!(error, Error::InvalidToken { .. }));
}

//! Who looks after Fedora's packages, from dist-git's files.

use std::sync::Arc;

use kinset::model::packages::is_orphan;
use kinset::model::packages::snapshot::{PackageFacts, SourceSnapshot};
use kinset::source::distgit::{Settings, read};
use kinset::source::{Previous, Reading};
use serde_json::{Value, json};
use wiremock::MockServer;

use crate::support::data::shared;
use crate::support::fedora::{DistGit, OWNERS, WATCHERS, distgit_at};
use crate::support::service::{asked, base, http, said, serve};

fn settings(server: &MockServer, branches: &[(&str, &str)]) -> Settings {
    distgit_at(base(server), branches, http())
}

/// Three packages: one with a group, one orphan, one retired in f43.
fn forge() -> Arc<DistGit> {
    Arc::new(DistGit::new(
        json!({"bash": ["svashisht", "kasal", "kdudka"], "389-ds": ["orphan"], "foo": ["alice"]}),
        json!({"bash": ["kdudka", "@bash-sig", "kasal"], "389-ds": ["orphan"], "foo": ["alice"]}),
        &[("rawhide", &["foo"])],
    ))
}

const BRANCHES: &[(&str, &str)] = &[("rawhide", "f43"), ("f42", "f42")];

fn package<'a>(snapshot: &'a SourceSnapshot, name: &str) -> &'a PackageFacts {
    &snapshot.packages.as_ref().unwrap()[&name.parse().unwrap()]
}

#[tokio::test]
async fn owners_maintainers_watchers_and_retired_packages_are_told_apart() {
    let server = serve(&forge()).await;
    let reading = read(&settings(&server, BRANCHES), &Previous::default()).await.unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&reading.snapshot).unwrap(), @r#"
    {
      "series": {
        "f42": {
          "retired": []
        },
        "f43": {
          "retired": [
            "foo"
          ]
        }
      },
      "packages": {
        "389-ds": {
          "owner": "orphan",
          "maintainers": [],
          "watchers": []
        },
        "bash": {
          "owner": "svashisht",
          "maintainers": [
            "kasal",
            "kdudka"
          ],
          "watchers": [
            "kasal",
            "kdudka",
            "@bash-sig"
          ]
        },
        "foo": {
          "owner": "alice",
          "maintainers": [],
          "watchers": [
            "alice"
          ]
        }
      }
    }
    "#);
}

#[tokio::test]
async fn an_orphan_has_the_orphan_for_its_owner_and_nobody_else() {
    let server = serve(&forge()).await;
    let reading = read(&settings(&server, &[]), &Previous::default()).await.unwrap();
    let facts = package(&reading.snapshot, "389-ds");
    assert!(is_orphan(facts.owner.as_ref().unwrap()));
    assert_eq!(facts.watchers.as_ref().unwrap().len(), 0);
}

#[tokio::test]
async fn the_recorded_packages_parse_without_loss() {
    let (Some(owners), Some(watchers)) = (
        shared::<Value>("distro/samples/pagure_owner_alias-excerpt.json"),
        shared::<Value>("distro/samples/pagure_bz-excerpt.json"),
    ) else {
        return;
    };
    let forge = DistGit::new(json!({}), json!({}), &[]);
    forge.put(OWNERS, owners.clone());
    forge.put(WATCHERS, watchers);
    let server = serve(&Arc::new(forge)).await;
    let mut modules = settings(&server, &[]);
    modules.namespace = "modules".to_owned();
    for (namespace, settings) in [("rpms", settings(&server, &[])), ("modules", modules)] {
        let Reading { snapshot, .. } = read(&settings, &Previous::default()).await.unwrap();
        assert_eq!(snapshot.all_remarks().len(), 0);
        for (name, users) in owners[namespace].as_object().unwrap() {
            let facts = package(&snapshot, name);
            assert_eq!(facts.owner.as_ref().unwrap().to_string(), users[0]);
            let others: Vec<String> = facts.maintainers.iter().flatten().map(ToString::to_string).collect();
            assert_eq!(others.len() + 1, users.as_array().unwrap().len());
        }
    }
}

#[tokio::test]
async fn nothing_is_read_twice_that_did_not_change() {
    let forge = forge();
    let server = serve(&forge).await;
    let settings = settings(&server, BRANCHES);
    let first = read(&settings, &Previous::default()).await.unwrap();
    let second = read(&settings, &first.clone().into_previous()).await.unwrap();
    assert_eq!((&second.snapshot, &second.validators), (&first.snapshot, &first.validators));
    assert_eq!((second.traffic.unchanged, second.traffic.bytes), (3, 0), "the fourth is not there");
    let third = read(&settings, &second.into_previous()).await.unwrap();
    assert_eq!(third.snapshot, first.snapshot);
}

#[tokio::test]
async fn another_order_of_the_same_people_is_no_change() {
    let forge = forge();
    let server = serve(&forge).await;
    let settings = settings(&server, BRANCHES);
    let first = read(&settings, &Previous::default()).await.unwrap();
    forge.change(WATCHERS, "bash", json!(["kasal", "kdudka", "@bash-sig"]));
    forge.change(OWNERS, "bash", json!(["svashisht", "kdudka", "kasal"]));
    let second = read(&settings, &first.clone().into_previous()).await.unwrap();
    assert_eq!(second.snapshot, first.snapshot);
    assert_ne!(second.validators, first.validators);
}

#[tokio::test]
async fn a_change_in_one_of_the_two_files_is_seen_with_the_other_as_it_was() {
    for (address, users) in [(OWNERS, json!(["bob"])), (WATCHERS, json!(["carol"]))] {
        let forge = forge();
        let server = serve(&forge).await;
        let settings = settings(&server, BRANCHES);
        let first = read(&settings, &Previous::default()).await.unwrap();
        forge.change(address, "foo", users);
        let second = read(&settings, &first.into_previous()).await.unwrap();
        let fresh = read(&settings, &Previous::default()).await.unwrap();
        assert_eq!((&second.snapshot, &second.validators), (&fresh.snapshot, &fresh.validators));
    }
}

#[tokio::test]
async fn where_nothing_is_retired_there_is_no_file() {
    let forge = forge();
    let server = serve(&forge).await;
    let settings = settings(&server, BRANCHES);
    let first = read(&settings, &Previous::default()).await.unwrap();
    let retired = |reading: &Reading, series: &str| reading.snapshot.series[&series.parse().unwrap()].retired.clone().unwrap().len();
    assert_eq!((retired(&first, "f42"), retired(&first, "f43")), (0, 1));
    forge.put("/lookaside/retired_in_f42.json", json!({"f42": ["bash", "foo"]}));
    let second = read(&settings, &first.into_previous()).await.unwrap();
    assert_eq!((retired(&second, "f42"), retired(&second, "f43")), (2, 1));
}

#[tokio::test]
async fn states_without_what_they_are_of_are_not_asked_by() {
    let server = serve(&forge()).await;
    let settings = settings(&server, BRANCHES);
    let first = read(&settings, &Previous::default()).await.unwrap();
    let forgetful = Previous {
        snapshot: SourceSnapshot::default(),
        validators: first.validators.clone(),
    };
    assert_eq!(read(&settings, &forgetful).await.unwrap().snapshot, first.snapshot);
}

#[tokio::test]
async fn a_file_about_something_else_is_refused() {
    let forge = forge();
    forge.put("/lookaside/retired_in_f42.json", json!({"f41": ["bash"]}));
    let server = serve(&forge).await;
    let error = read(&settings(&server, BRANCHES), &Previous::default()).await.unwrap_err();
    insta::assert_snapshot!(said(&error, &server.uri()), @r"
    cannot read source dist-git
    expected packages that are retired on f42, but what http://tracker/lookaside/retired_in_f42.json sent is about f41
    ");
    forge.put("/extras/pagure_owner_alias.json", json!({"modules": {}}));
    let error = read(&settings(&server, BRANCHES), &Previous::default()).await.unwrap_err();
    insta::assert_snapshot!(said(&error, &server.uri()), @r"
    cannot read source dist-git
    expected packages in rpms, but what http://tracker/extras/pagure_owner_alias.json sent is about modules
    ");
    assert!(
        asked(&server).await.iter().all(|address| !address.contains("api/0")),
        "no package is asked for by itself"
    );
}

#[tokio::test]
async fn a_name_that_is_none_is_left_out_with_a_remark() {
    let forge = forge();
    forge.change(OWNERS, "foo", json!(["alice", "not a name"]));
    forge.change(OWNERS, "-no-package", json!(["alice"]));
    let server = serve(&forge).await;
    let reading = read(&settings(&server, &[]), &Previous::default()).await.unwrap();
    let remarks: Vec<String> = reading.snapshot.all_remarks().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(remarks.join("\n"), @r#"
    a package is "-no-package": expected the name of a package: a letter or digit, then letters, digits, `+`, `-`, `.` and `_`; found "-no-package"
    somebody at package foo is "not a name": expected the name of a person: letters, digits, `@`, `.`, `+`, `-`, `_` and `%`, and no `@` at the beginning; found "not a name"
    "#);
    assert_eq!(package(&reading.snapshot, "foo").owner.as_ref().unwrap().to_string(), "alice");
}

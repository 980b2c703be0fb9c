//! Fedora's releases from Bodhi, with its traps.

use std::collections::BTreeSet;
use std::sync::Arc;

use kinset::model::packages::snapshot::SeriesFacts;
use kinset::model::packages::{CollectionStatus, Milestone};
use kinset::source::bodhi::{Settings, read};
use kinset::source::{Previous, Reading};
use serde_json::{Value, json};
use wiremock::MockServer;

use crate::support::data::shared;
use crate::support::fedora::{Bodhi, bodhi_at, changed, release};
use crate::support::service::{asked, base, http, said, serve};

fn settings(server: &MockServer, prefixes: &[&str]) -> Settings {
    bodhi_at(base(server), prefixes, http())
}

async fn pulled(releases: Vec<Value>, prefixes: &[&str]) -> Reading {
    let server = serve(&Arc::new(Bodhi::new(releases))).await;
    read(&settings(&server, prefixes), &Previous::default()).await.unwrap()
}

/// Fedora's own release of that number.
fn fedora(number: u32, state: &str) -> Value {
    let (name, long_name) = (format!("F{number}"), format!("Fedora {number}"));
    release(&name, &long_name, &number.to_string(), "FEDORA", &format!("f{number}"), state)
}

fn facts<'a>(reading: &'a Reading, series: &str) -> &'a SeriesFacts {
    &reading.snapshot.series[&series.parse().unwrap()]
}

fn names(reading: &Reading) -> Vec<String> {
    reading.snapshot.series.keys().map(ToString::to_string).collect()
}

#[tokio::test]
async fn the_recorded_releases_of_fedora_become_its_series() {
    let Some(recorded) = shared::<Value>("distro/samples/bodhi-releases-2025-02-12.json") else {
        return;
    };
    let releases = recorded["releases"].as_array().unwrap().clone();
    let reading = pulled(releases.clone(), &["FEDORA"]).await;
    insta::assert_snapshot!(serde_json::to_string_pretty(&reading.snapshot).unwrap(), @r#"
    {
      "series": {
        "eln": {
          "version": "eln",
          "title": "Fedora ELN",
          "status": "development",
          "branch": {
            "name": "eln",
            "dist_tag": "eln"
          }
        },
        "f40": {
          "version": "40",
          "title": "Fedora 40",
          "status": "maintenance",
          "branch": {
            "name": "f40",
            "dist_tag": "f40"
          },
          "dates": {
            "eol": "2025-05-13"
          }
        },
        "f41": {
          "version": "41",
          "title": "Fedora 41",
          "status": "active",
          "branch": {
            "name": "f41",
            "dist_tag": "f41"
          },
          "dates": {
            "eol": "2025-11-11"
          }
        },
        "f42": {
          "version": "42",
          "title": "Fedora 42",
          "status": "development",
          "branch": {
            "name": "f42",
            "dist_tag": "f42"
          }
        },
        "f43": {
          "version": "43",
          "title": "Fedora 43",
          "status": "development",
          "branch": {
            "name": "rawhide",
            "dist_tag": "f43"
          }
        }
      }
    }
    "#);
    let epel = pulled(releases, &["FEDORA-EPEL", "FEDORA-EPEL-NEXT"]).await;
    assert_eq!(names(&epel), ["epel10.0", "epel8", "epel9", "epel9-next"]);
    assert_eq!(facts(&epel, "epel10.0").status, Some(CollectionStatus::Active));
}

#[tokio::test]
async fn containers_and_flatpaks_from_the_same_branch_are_not_the_release() {
    let own = changed(fedora(40, "current"), &json!({"eol": "2025-05-13"}));
    let containers = changed(
        release("F40C", "Fedora 40 Containers", "40", "FEDORA-CONTAINER", "f40-container", "current"),
        &json!({"branch": "f40", "eol": "2030-01-01"}),
    );
    let reading = pulled(vec![containers, own], &["FEDORA"]).await;
    assert_eq!(names(&reading), ["f40"]);
    assert_eq!(facts(&reading, "f40").dates[&Milestone::EOL].to_string(), "2025-05-13");
}

#[tokio::test]
async fn the_release_in_the_making_has_the_branch_rawhide_and_its_own_name() {
    let reading = pulled(vec![changed(fedora(43, "pending"), &json!({"branch": "rawhide"}))], &["FEDORA"]).await;
    let facts = facts(&reading, "f43");
    assert_eq!(facts.branch.as_ref().unwrap().name.as_str(), "rawhide");
    assert_eq!(facts.status, Some(CollectionStatus::Development));
}

#[tokio::test]
async fn eln_has_a_word_for_a_version_and_is_never_the_newest_release() {
    let eln = release("ELN", "Fedora ELN", "eln", "FEDORA", "eln", "current");
    let reading = pulled(vec![eln, fedora(40, "current"), fedora(41, "current")], &["FEDORA"]).await;
    assert_eq!(facts(&reading, "eln").version.as_ref().unwrap().as_str(), "eln");
    let stages = ["eln", "f40", "f41"].map(|name| facts(&reading, name).status.unwrap());
    assert_eq!(
        stages,
        [
            CollectionStatus::Maintenance,
            CollectionStatus::Maintenance,
            CollectionStatus::Active
        ]
    );
}

#[tokio::test]
async fn an_end_that_is_null_or_empty_is_not_spoken_of() {
    for eol in [Value::Null, json!("")] {
        let reading = pulled(vec![changed(fedora(41, "current"), &json!({"eol": eol}))], &["FEDORA"]).await;
        assert_eq!(facts(&reading, "f41").dates.len(), 0);
        assert_eq!(reading.snapshot.all_remarks().len(), 0);
    }
}

#[tokio::test]
async fn dates_that_there_are_become_milestones() {
    let dated = changed(fedora(41, "current"), &json!({"released_on": "2024-10-29", "eol": "2025-11-26"}));
    let reading = pulled(vec![dated], &["FEDORA"]).await;
    let dates: Vec<String> = facts(&reading, "f41")
        .dates
        .iter()
        .map(|(name, date)| format!("{name} {date}"))
        .collect();
    assert_eq!(dates, ["eol 2025-11-26", "released 2024-10-29"]);
}

#[tokio::test]
async fn each_state_is_a_stage_and_one_that_says_nothing_is_remarked_upon() {
    let states = ["pending", "frozen", "current", "archived", "disabled"];
    let releases = (40..).zip(states).map(|(number, state)| fedora(number, state)).collect();
    let reading = pulled(releases, &["FEDORA"]).await;
    let stages: Vec<_> = reading.snapshot.series.values().map(|facts| facts.status).collect();
    assert_eq!(
        stages,
        [
            Some(CollectionStatus::Development),
            Some(CollectionStatus::Frozen),
            Some(CollectionStatus::Active),
            Some(CollectionStatus::Eol),
            None
        ]
    );
    let remarks: Vec<String> = reading.snapshot.all_remarks().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(remarks.join("\n"), @r#"the state is "disabled": it says nothing about the stage of the release"#);
}

#[tokio::test]
async fn of_two_releases_with_one_dist_tag_the_first_by_name_is_taken_with_a_remark() {
    let twin = changed(fedora(41, "archived"), &json!({"name": "F41X", "long_name": "Fedora 41 again"}));
    for releases in [vec![fedora(41, "current"), twin.clone()], vec![twin, fedora(41, "current")]] {
        let reading = pulled(releases, &["FEDORA"]).await;
        assert_eq!(facts(&reading, "f41").title.as_deref(), Some("Fedora 41"));
        let remarks: Vec<String> = reading.snapshot.remarks.iter().map(ToString::to_string).collect();
        insta::allow_duplicates! {
            insta::assert_snapshot!(remarks.join("\n"), @"the release with the dist tag f41 is there twice: Fedora 41 was taken, Fedora 41 again was not");
        }
    }
}

#[tokio::test]
async fn pages_are_read_to_the_end_and_the_order_of_releases_changes_nothing() {
    let releases: Vec<Value> = (30..37).map(|number| fedora(number, "archived")).collect();
    let mut bodhi = Bodhi::new(releases);
    bodhi.most_rows = 3;
    let bodhi = Arc::new(bodhi);
    let server = serve(&bodhi).await;
    let settings = settings(&server, &["FEDORA"]);
    let first = read(&settings, &Previous::default()).await.unwrap();
    assert_eq!(names(&first).len(), 7);
    assert_eq!(asked(&server).await.len(), 3);
    bodhi.releases.lock().unwrap().reverse();
    let second = read(&settings, &first.clone().into_previous()).await.unwrap();
    assert_eq!(second, first);
}

#[tokio::test]
async fn a_list_that_changed_while_it_was_read_is_refused() {
    let mut bodhi = Bodhi::new(vec![fedora(40, "current"), fedora(40, "current")]);
    bodhi.most_rows = 1;
    let server = serve(&Arc::new(bodhi)).await;
    let error = read(&settings(&server, &["FEDORA"]), &Previous::default()).await.unwrap_err();
    insta::assert_snapshot!(said(&error, &server.uri()), @r"
    cannot read source releases
    expected 2 releases, but the pages of http://tracker/releases/ have 1
    ");
}

#[tokio::test]
async fn json_is_asked_for_lest_a_page_for_people_comes() {
    let server = serve(&Arc::new(Bodhi::new(Vec::new()))).await;
    let reading = read(&settings(&server, &["FEDORA"]), &Previous::default()).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests[0].headers["accept"], "application/json");
    let agent = requests[0].headers["user-agent"].to_str().unwrap();
    assert!(agent.starts_with("kinset/") && agent.ends_with("(ops@example.org)"), "{agent}");
    assert_eq!(names(&reading).into_iter().collect::<BTreeSet<_>>().len(), 0);
}

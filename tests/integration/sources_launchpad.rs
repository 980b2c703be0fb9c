//! Launchpad's series, package sets, permissions and teams, with its traps.

use std::num::NonZeroU32;
use std::sync::Arc;

use kinset::model::packages::snapshot::{SetFacts, SourceSnapshot};
use kinset::source::launchpad::{Reread, Settings, read};
use kinset::source::{Previous, Reading};
use serde_json::json;
use url::Url;
use wiremock::MockServer;

use crate::support::launchpad::{Launchpad, World, permission};
use crate::support::service::{asked, base, http, serve};

/// Three series, the newest two with a set in another, and some of each kind of permission.
pub(crate) fn launchpad() -> Arc<Launchpad> {
    let mut world = World {
        current: "plucky".to_owned(),
        ..World::default()
    };
    world.add_series("plucky", "25.04", "Active Development");
    world.add_series("warty", "4.10", "Obsolete");
    world.add_series("noble", "24.04", "Supported");
    world.add_set("warty", "core", 1, &["base-files"], &[]);
    for series in ["noble", "plucky"] {
        world.add_set(series, "core", 1, &["apt", "base-files"], &["kernel"]);
        world.add_set(series, "kernel", 2, &["linux"], &[]);
    }
    world.permissions = vec![
        permission("core-dev", &json!({"component_name": "main"})),
        permission("alice", &json!({"source_package_name": "apt"})),
        permission(
            "kernel-team",
            &json!({"package_set_name": "kernel", "distro_series_name": "noble", "explicit": true}),
        ),
        permission(
            "release-team",
            &json!({"pocket": "Release", "distro_series_name": "plucky", "permission": "Queue Administration Rights"}),
        ),
        permission("bob", &json!({"package_set_name": "core", "distro_series_name": "warty"})),
    ];
    let team = |name: &str, members: &[&str]| (name.to_owned(), members.iter().copied().map(str::to_owned).collect());
    world.teams = [
        team("core-dev", &["alice", "bob", "kernel-team"]),
        team("kernel-team", &["bob"]),
        team("release-team", &["carol"]),
        team("techboard", &["alice"]),
    ]
    .into();
    Arc::new(Launchpad::new(world))
}

pub(crate) fn settings_at(url: &Url) -> Settings {
    Settings {
        name: "launchpad".to_owned(),
        url: url.join("/devel/").unwrap(),
        distribution: "ubuntu".parse().unwrap(),
        series: None,
        reread: Reread::Listed,
        rows_per_page: NonZeroU32::new(300).unwrap(),
        http: http(),
    }
}

pub(crate) fn settings(server: &MockServer) -> Settings {
    settings_at(&base(server))
}

/// What a first read brings, from a Launchpad that was changed a little.
pub(crate) async fn pulled(change: impl FnOnce(&mut World)) -> Reading {
    let launchpad = launchpad();
    change(&mut launchpad.world());
    let server = serve(&launchpad).await;
    read(&settings(&server), &Previous::default()).await.unwrap()
}

pub(crate) fn set<'a>(snapshot: &'a SourceSnapshot, series: &str, name: &str) -> &'a SetFacts {
    let facts = &snapshot.series[&series.parse().unwrap()];
    &facts.sets.as_ref().unwrap()[&name.parse().unwrap()]
}

pub(crate) fn remarks(reading: &Reading) -> String {
    let remarks: Vec<String> = reading.snapshot.all_remarks().iter().map(ToString::to_string).collect();
    remarks.join("\n")
}

/// The requests since the first `before`, those for the same thing counted together.
async fn since(server: &MockServer, before: usize) -> Vec<String> {
    let mut requests = asked(server).await.split_off(before);
    requests.sort();
    let address = server.uri();
    let cut = |request: &String| {
        let request = percent_encoding::percent_decode_str(request).decode_utf8().unwrap();
        let request = request.replace(&address, "").replace("/devel", "");
        request
            .split_once("&ws.size")
            .map_or(request.clone(), |(start, _)| start.to_owned())
    };
    requests.iter().map(cut).collect()
}

#[tokio::test]
async fn series_sets_permissions_and_teams_become_one_snapshot() {
    let reading = pulled(|_| {}).await;
    insta::assert_snapshot!(serde_json::to_string_pretty(&reading.snapshot).unwrap(), @r#"
    {
      "current_series": "plucky",
      "series": {
        "noble": {
          "version": "24.04",
          "title": "The noble release",
          "status": "maintenance",
          "owner": "@techboard",
          "dates": {
            "released": "2024-04-25"
          },
          "sets": {
            "core": {
              "created": "2010-01-03T00:00:00.123456Z",
              "group": "ubuntu/core",
              "owner": "@techboard",
              "description": "All of core",
              "score": 0,
              "sources": [
                "apt",
                "base-files"
              ],
              "subsets": [
                "kernel"
              ]
            },
            "kernel": {
              "created": "2010-01-04T00:00:00.123456Z",
              "group": "ubuntu/kernel",
              "owner": "@techboard",
              "description": "All of kernel",
              "score": 0,
              "sources": [
                "linux"
              ],
              "subsets": []
            }
          }
        },
        "plucky": {
          "version": "25.04",
          "title": "The plucky release",
          "status": "development",
          "owner": "@techboard",
          "sets": {
            "core": {
              "created": "2010-01-05T00:00:00.123456Z",
              "group": "ubuntu/core",
              "owner": "@techboard",
              "description": "All of core",
              "score": 0,
              "sources": [
                "apt",
                "base-files"
              ],
              "subsets": [
                "kernel"
              ]
            },
            "kernel": {
              "created": "2010-01-06T00:00:00.123456Z",
              "group": "ubuntu/kernel",
              "owner": "@techboard",
              "description": "All of kernel",
              "score": 0,
              "sources": [
                "linux"
              ],
              "subsets": []
            }
          }
        },
        "warty": {
          "version": "4.10",
          "title": "The warty release",
          "status": "eol",
          "owner": "@techboard",
          "dates": {
            "released": "2024-04-25"
          },
          "sets": {
            "core": {
              "created": "2010-01-02T00:00:00.123456Z",
              "group": "ubuntu/core",
              "owner": "@techboard",
              "description": "All of core",
              "score": 0,
              "sources": [
                "base-files"
              ],
              "subsets": []
            }
          }
        }
      },
      "teams": {
        "core-dev": [
          "alice",
          "bob"
        ],
        "kernel-team": [
          "bob"
        ],
        "release-team": [
          "carol"
        ]
      },
      "permissions": [
        {
          "party": "alice",
          "action": "upload",
          "on": "package",
          "package": "apt",
          "status": "approved"
        },
        {
          "party": "bob",
          "action": "upload",
          "on": "package-set",
          "series": "warty",
          "set": "core",
          "status": "approved"
        },
        {
          "party": "@core-dev",
          "action": "upload",
          "on": "component",
          "component": "main",
          "status": "approved"
        },
        {
          "party": "@kernel-team",
          "action": "upload",
          "on": "package-set",
          "series": "noble",
          "set": "kernel",
          "status": "approved",
          "explicit": true
        },
        {
          "party": "@release-team",
          "action": "queue-admin",
          "on": "pocket",
          "pocket": "release",
          "series": "plucky",
          "status": "approved"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn a_second_read_brings_the_same_for_few_requests() {
    let launchpad = launchpad();
    let server = serve(&launchpad).await;
    let settings = settings(&server);
    let first = read(&settings, &Previous::default()).await.unwrap();
    let requests = asked(&server).await.len();
    let previous = first.clone().into_previous();
    let second = read(&settings, &previous).await.unwrap();
    assert_eq!(second.snapshot, first.snapshot);
    insta::assert_snapshot!(since(&server, requests).await.join("\n"), @r"
    /package-sets?ws.op=getBySeries&distroseries=/ubuntu/noble
    /package-sets?ws.op=getBySeries&distroseries=/ubuntu/plucky
    /ubuntu
    /ubuntu/+archive/primary?ws.op=getAllPermissions
    /ubuntu/series?ws.size=300
    /~core-dev/participants?ws.size=300
    /~kernel-team/participants?ws.size=300
    /~release-team/participants?ws.size=300
    ");
    for reread in [Reread::Unreleased, Reread::Living, Reread::Everything] {
        let again = read(
            &Settings {
                reread,
                ..settings.clone()
            },
            &previous,
        )
        .await
        .unwrap();
        assert_eq!(
            (&again.snapshot, &again.validators),
            (&first.snapshot, &first.validators),
            "{reread:?}"
        );
    }
}

#[tokio::test]
async fn of_ubuntus_45_series_a_read_where_nothing_changed_takes_a_tenth_of_the_requests() {
    let launchpad = launchpad();
    {
        let mut world = launchpad.world();
        for number in 0..42 {
            let (name, status) = (format!("series{number}"), if number < 36 { "Obsolete" } else { "Supported" });
            world.add_series(&name, &format!("{number}.04"), status);
            for group in 0..8 {
                world.add_set(&name, &format!("set{group}"), 100 + group, &["apt"], &[]);
            }
        }
    }
    let server = serve(&launchpad).await;
    for reread in [Reread::Listed, Reread::Unreleased] {
        let settings = Settings {
            reread,
            ..settings(&server)
        };
        let first = read(&settings, &Previous::default()).await.unwrap();
        let second = read(&settings, &first.clone().into_previous()).await.unwrap();
        assert_eq!(second.snapshot, first.snapshot);
        let (before, after) = (first.traffic.answers, second.traffic.answers);
        assert!(after * 10 <= before, "{reread:?}: {after} of {before}");
        assert!(second.traffic.bytes * 3 < first.traffic.bytes, "{reread:?}");
    }
}

#[tokio::test]
async fn a_new_series_is_read_alone_and_its_sets_join_the_groups_that_there_are() {
    let launchpad = launchpad();
    let server = serve(&launchpad).await;
    let settings = settings(&server);
    let first = read(&settings, &Previous::default()).await.unwrap();
    let requests = asked(&server).await.len();
    {
        let mut world = launchpad.world();
        world.add_series("questing", "25.10", "Future");
        world.add_set("questing", "core", 1, &["apt"], &[]);
    }
    let second = read(&settings, &first.into_previous()).await.unwrap();
    let group = set(&second.snapshot, "questing", "core").group.as_ref().unwrap().to_string();
    assert_eq!(group, "ubuntu/core");
    let of_sets: Vec<String> = since(&server, requests)
        .await
        .into_iter()
        .filter(|request| request.starts_with("/package-sets/"))
        .collect();
    insta::assert_snapshot!(of_sets.join("\n"), @r"
    /package-sets/ubuntu/questing/core?ws.op=getSourcesIncluded&direct_inclusion=true
    /package-sets/ubuntu/questing/core?ws.op=relatedSets
    /package-sets/ubuntu/questing/core?ws.op=setsIncluded&direct_inclusion=true
    ");
    let fresh = read(
        &Settings {
            reread: Reread::Everything,
            ..settings
        },
        &Previous::default(),
    )
    .await
    .unwrap();
    assert_eq!(second.snapshot, fresh.snapshot);
}

#[tokio::test]
async fn what_is_in_a_set_is_read_again_when_its_own_facts_changed_or_the_caller_asks() {
    let launchpad = launchpad();
    let server = serve(&launchpad).await;
    let settings = settings(&server);
    let previous = read(&settings, &Previous::default()).await.unwrap().into_previous();
    launchpad.world().set("noble", "core").sources.push("dpkg".to_owned());
    let sources = |reading: &Reading| set(&reading.snapshot, "noble", "core").sources.as_ref().unwrap().len();

    assert_eq!(sources(&read(&settings, &previous).await.unwrap()), 2, "no list shows it");
    let living = Settings {
        reread: Reread::Living,
        ..settings.clone()
    };
    assert_eq!(sources(&read(&living, &previous).await.unwrap()), 3);
    launchpad.world().set("noble", "core").description.push('!');
    assert_eq!(sources(&read(&settings, &previous).await.unwrap()), 3);
}

#[tokio::test]
async fn a_series_that_has_ended_is_read_once() {
    let launchpad = launchpad();
    let server = serve(&launchpad).await;
    let settings = settings(&server);
    let previous = read(&settings, &Previous::default()).await.unwrap().into_previous();
    let requests = asked(&server).await.len();
    launchpad.world().set("warty", "core").sources.clear();
    let living = Settings {
        reread: Reread::Living,
        ..settings
    };
    let second = read(&living, &previous).await.unwrap();
    assert_eq!(set(&second.snapshot, "warty", "core"), set(&previous.snapshot, "warty", "core"));
    assert!(since(&server, requests).await.iter().all(|request| !request.contains("warty")));
}

#[tokio::test]
async fn a_series_that_ends_is_read_for_a_last_time() {
    let launchpad = launchpad();
    let server = serve(&launchpad).await;
    let settings = settings(&server);
    let previous = read(&settings, &Previous::default()).await.unwrap().into_previous();
    {
        let mut world = launchpad.world();
        world.set("noble", "core").sources.push("dpkg".to_owned());
        world.series.iter_mut().find(|series| series.name == "noble").unwrap().status = "Obsolete".to_owned();
    }
    let last = read(&settings, &previous).await.unwrap();
    assert_eq!(set(&last.snapshot, "noble", "core").sources.as_ref().unwrap().len(), 3);
    launchpad.world().set("noble", "core").sources.clear();
    let after = read(&settings, &last.clone().into_previous()).await.unwrap();
    assert_eq!(after.snapshot, last.snapshot);
}

#[tokio::test]
async fn a_series_that_is_not_released_is_read_again_unless_only_lists_are() {
    let launchpad = launchpad();
    let server = serve(&launchpad).await;
    let settings = settings(&server);
    let previous = read(&settings, &Previous::default()).await.unwrap().into_previous();
    launchpad.world().set("plucky", "core").sources.push("dpkg".to_owned());
    let all = r#"{"noble":2,"plucky":2}"#;
    for (reread, sources, unread) in [
        (Reread::Listed, 2, all),
        (Reread::Unreleased, 3, r#"{"noble":2}"#),
        (Reread::Living, 3, "{}"),
    ] {
        let again = read(
            &Settings {
                reread,
                ..settings.clone()
            },
            &previous,
        )
        .await
        .unwrap();
        assert_eq!(
            set(&again.snapshot, "plucky", "core").sources.as_ref().unwrap().len(),
            sources,
            "{reread:?}"
        );
        assert_eq!(serde_json::to_string(&again.unread).unwrap(), unread, "{reread:?}");
    }
    assert_eq!(Reread::default(), Reread::Unreleased);
}

#[tokio::test]
async fn a_set_that_is_gone_is_gone_from_the_snapshot() {
    let launchpad = launchpad();
    let server = serve(&launchpad).await;
    let settings = settings(&server);
    let previous = read(&settings, &Previous::default()).await.unwrap().into_previous();
    launchpad
        .world()
        .sets
        .retain(|set| (set.series.as_str(), set.name.as_str()) != ("plucky", "kernel"));
    launchpad.world().set("plucky", "core").subsets.clear();
    let second = read(&settings, &previous).await.unwrap();
    let plucky = &second.snapshot.series[&"plucky".parse().unwrap()];
    assert_eq!(plucky.sets.as_ref().unwrap().len(), 1);
}

#[tokio::test]
async fn only_the_sets_of_chosen_series_are_read() {
    let server = serve(&launchpad()).await;
    let mut settings = settings(&server);
    settings.series = Some(["noble", "nobel"].map(|name| name.parse().unwrap()).into());
    let reading = read(&settings, &Previous::default()).await.unwrap();
    let with_sets: Vec<&str> = reading
        .snapshot
        .series
        .iter()
        .filter(|(_, facts)| facts.sets.is_some())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!((reading.snapshot.series.len(), with_sets), (3, vec!["noble"]));
    let on_sets = reading
        .snapshot
        .permissions
        .iter()
        .flatten()
        .filter_map(|permission| permission.target.series());
    assert_eq!(
        on_sets.map(ToString::to_string).collect::<Vec<_>>(),
        ["noble", "plucky"],
        "a pocket needs no sets"
    );
    insta::assert_snapshot!(remarks(&reading), @r#"a series of the configuration is "nobel": ubuntu has no such series"#);
}

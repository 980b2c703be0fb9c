//! Launchpad's series, package sets, permissions and teams, with its traps.

use std::num::NonZeroU32;
use std::sync::Arc;

use kinset::model::packages::snapshot::{SetFacts, SourceSnapshot};
use kinset::source::launchpad::{Reread, Settings, read};
use kinset::source::{Previous, Reading};
use serde_json::json;
use url::Url;
use wiremock::MockServer;

use crate::support::launchpad::{Launchpad, REDACTED, World, permission};
use crate::support::service::{asked, base, http, said, serve};

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
        reread: Reread::Changed,
        rows_per_page: NonZeroU32::new(300).unwrap(),
        http: http(),
    }
}

fn settings(server: &MockServer) -> Settings {
    settings_at(&base(server))
}

/// What a first read brings, from a Launchpad that was changed a little.
async fn pulled(change: impl FnOnce(&mut World)) -> Reading {
    let launchpad = launchpad();
    change(&mut launchpad.world());
    let server = serve(&launchpad).await;
    read(&settings(&server), &Previous::default()).await.unwrap()
}

fn set<'a>(snapshot: &'a SourceSnapshot, series: &str, name: &str) -> &'a SetFacts {
    let facts = &snapshot.series[&series.parse().unwrap()];
    &facts.sets.as_ref().unwrap()[&name.parse().unwrap()]
}

fn remarks(reading: &Reading) -> String {
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
            "release": "2024-04-25"
          },
          "sets": {
            "core": {
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
            "release": "2024-04-25"
          },
          "sets": {
            "core": {
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
    assert_eq!((&second.snapshot, &second.validators), (&first.snapshot, &first.validators));
    insta::assert_snapshot!(since(&server, requests).await.join("\n"), @r"
    /package-sets?ws.op=getBySeries&distroseries=http%3A%2F%2F127.0.0.1%3A35947%2Fdevel%2Fubuntu%2Fnoble
    /package-sets?ws.op=getBySeries&distroseries=http%3A%2F%2F127.0.0.1%3A35947%2Fdevel%2Fubuntu%2Fplucky
    /ubuntu
    /ubuntu/+archive/primary?ws.op=getAllPermissions
    /ubuntu/series?ws.size=300
    /~core-dev/participants?ws.size=300
    /~kernel-team/participants?ws.size=300
    /~release-team/participants?ws.size=300
    ");
    for reread in [Reread::Living, Reread::Everything] {
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
async fn a_read_where_nothing_changed_takes_a_tenth_of_the_requests() {
    let launchpad = launchpad();
    {
        let mut world = launchpad.world();
        for number in 0..40 {
            for series in ["warty", "noble", "plucky"] {
                world.add_set(series, &format!("set{number}"), 100 + number, &["apt"], &[]);
            }
        }
    }
    let server = serve(&launchpad).await;
    let first = read(&settings(&server), &Previous::default()).await.unwrap();
    let second = read(&settings(&server), &first.clone().into_previous()).await.unwrap();
    let (before, after) = (first.traffic.answers, second.traffic.answers);
    assert!(after * 10 <= before, "{after} of {before}");
    assert!(second.traffic.bytes < first.traffic.bytes);
}

#[tokio::test]
async fn the_order_in_which_launchpad_lists_things_changes_nothing() {
    let first = pulled(|_| {}).await;
    let second = pulled(|world| {
        world.series.reverse();
        world.sets.reverse();
        world.permissions.reverse();
    })
    .await;
    assert_eq!(second.snapshot, first.snapshot);
}

#[tokio::test]
async fn pages_are_followed_by_their_links_however_short_they_are() {
    let launchpad = launchpad();
    launchpad.world().hidden_permissions = vec![0, 3];
    let server = serve(&launchpad).await;
    let mut settings = settings(&server);
    let whole = read(&settings, &Previous::default()).await.unwrap();
    settings.rows_per_page = NonZeroU32::MIN;
    let paged = read(&settings, &Previous::default()).await.unwrap();
    assert_eq!(paged.snapshot, whole.snapshot);
    assert_eq!(whole.snapshot.permissions.as_ref().unwrap().len(), 3);
    insta::assert_snapshot!(remarks(&whole), @"the list of permissions shows 3 of 5");
}

#[tokio::test]
async fn no_more_rows_are_asked_for_than_launchpad_gives() {
    let server = serve(&launchpad()).await;
    let mut settings = settings(&server);
    settings.rows_per_page = NonZeroU32::new(301).unwrap();
    settings.http = crate::support::service::impatient();
    let error = read(&settings, &Previous::default()).await.unwrap_err();
    insta::assert_snapshot!(said(&error, &server.uri()), @r"
    cannot read source launchpad
    expected series, but http://tracker/devel/ubuntu/series?ws.size=301 answered 400 Bad Request (text/plain): Maximum for batch size is 300.
    ");
}

#[tokio::test]
async fn hidden_values_are_absent_with_a_remark_and_never_taken_for_text() {
    let reading = pulled(|world| {
        world.overlaid = [
            (
                "/package-sets/ubuntu/noble/core",
                json!({"owner_link": REDACTED, "description": REDACTED, "relative_build_score": REDACTED}),
            ),
            (
                "/ubuntu/noble",
                json!({"owner_link": REDACTED, "title": REDACTED, "datereleased": REDACTED}),
            ),
            ("/~carol", json!({"name": REDACTED})),
        ]
        .map(|(path, fields)| (path.to_owned(), fields))
        .into();
        world.permissions.push(permission(REDACTED, &json!({"component_name": "universe"})));
        world.hidden_people = vec!["kernel-team".to_owned()];
    })
    .await;
    let facts = set(&reading.snapshot, "noble", "core");
    assert_eq!((&facts.owner, &facts.description, facts.score), (&None, &None, None));
    let text = serde_json::to_string(&reading.snapshot).unwrap();
    assert!(!text.contains("redacted"), "{text}");
    insta::assert_snapshot!(remarks(&reading), @r"
    somebody in team release-team is hidden
    the description of core in noble is hidden
    the owner of core in noble is hidden
    the owner of noble is hidden
    the release of noble is hidden
    the score of core in noble is hidden
    the title of noble is hidden
    whether kernel-team is a person or a team is hidden
    who has it of permission primary/+upload/somebody?type=component_name&item=universe is hidden
    who kernel-team is, for permission primary/+upload/kernel-team?type=package_set_name&item=kernel is hidden
    ");
}

#[tokio::test]
async fn links_that_are_absent_are_not_spoken_of() {
    let reading = pulled(|world| {
        let absent = json!({"owner_link": "absent", "datereleased": "absent"});
        world.overlaid.insert("/ubuntu/noble".to_owned(), absent);
        world
            .overlaid
            .insert("/ubuntu".to_owned(), json!({"current_series_link": "absent"}));
    })
    .await;
    let noble = &reading.snapshot.series[&"noble".parse().unwrap()];
    assert_eq!((&noble.owner, noble.dates.len()), (&None, 0));
    assert_eq!(reading.snapshot.current_series, None);
    assert_eq!(remarks(&reading), "");
}

#[tokio::test]
async fn without_an_archive_nothing_is_said_of_permissions() {
    let reading = pulled(|world| {
        world.overlaid.insert("/ubuntu".to_owned(), json!({"main_archive_link": REDACTED}));
    })
    .await;
    assert_eq!((&reading.snapshot.permissions, &reading.snapshot.teams), (&None, &None));
    insta::assert_snapshot!(remarks(&reading), @"the archive with its permissions is hidden");
}

#[tokio::test]
async fn the_members_of_a_team_in_a_team_are_members_and_the_team_is_none() {
    let reading = pulled(|_| {}).await;
    let teams = reading.snapshot.teams.unwrap();
    let members: Vec<String> = teams[&"core-dev".parse().unwrap()].iter().map(ToString::to_string).collect();
    assert_eq!(members, ["alice", "bob"]);
    assert!(
        !teams.contains_key(&"techboard".parse().unwrap()),
        "it has no permission, it only owns"
    );
}

#[tokio::test]
async fn a_set_and_its_relatives_are_one_group_for_one_request() {
    let launchpad = launchpad();
    let server = serve(&launchpad).await;
    let reading = read(&settings(&server), &Previous::default()).await.unwrap();
    let related = |requests: Vec<String>| requests.iter().filter(|request| request.contains("relatedSets")).count();
    assert_eq!(related(asked(&server).await), 2, "five sets are two groups");
    let group = |series, name| set(&reading.snapshot, series, name).group.as_ref().unwrap().to_string();
    assert_eq!(
        (group("warty", "core"), group("plucky", "core")),
        ("ubuntu/core".to_owned(), "ubuntu/core".to_owned())
    );
    assert_eq!(group("noble", "kernel"), "ubuntu/kernel");
}

#[tokio::test]
async fn groups_of_one_name_are_told_apart_and_a_renamed_set_stays_in_its_group() {
    let reading = pulled(|world| {
        // The newest series has a core that is no relative of the others, and calls the old one another name.
        world.set("plucky", "core").group = 9;
        world.add_set("plucky", "heart", 1, &[], &[]);
    })
    .await;
    let group = |series, name| set(&reading.snapshot, series, name).group.as_ref().unwrap().to_string();
    assert_eq!(group("noble", "core"), "ubuntu/core");
    assert_eq!(group("plucky", "core"), "ubuntu/core~2");
    assert_eq!(group("plucky", "heart"), "ubuntu/core");
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

#[tokio::test]
async fn what_is_no_permission_that_kinset_knows_is_left_out_with_a_remark() {
    let reading = pulled(|world| {
        let odd = |fields| permission("alice", fields);
        world.permissions = vec![
            odd(&json!({"component_name": "main", "permission": "Archive Blessing Rights"})),
            odd(&json!({"component_name": "main", "source_package_name": "apt"})),
            odd(&json!({"package_set_name": "lost", "distro_series_name": "noble"})),
        ];
    })
    .await;
    assert_eq!(reading.snapshot.permissions.as_ref().unwrap().len(), 0);
    insta::assert_snapshot!(remarks(&reading), @r#"
    the action of permission primary/+upload/alice?type=component_name&item=main is "Archive Blessing Rights": kinset knows uploading and administering the queue
    the number of targets of permission primary/+upload/alice?type=component_name&item=main is "2": a permission is on exactly one thing
    the package set of permission primary/+upload/alice?type=package_set_name&item=lost is "lost": noble has no such set
    "#);
}

#[tokio::test]
async fn a_link_to_another_server_is_not_followed() {
    let launchpad = launchpad();
    let elsewhere = json!({"series_collection_link": "http://elsewhere.invalid/devel/ubuntu/series"});
    launchpad.world().overlaid.insert("/ubuntu".to_owned(), elsewhere);
    let server = serve(&launchpad).await;
    let error = read(&settings(&server), &Previous::default()).await.unwrap_err();
    insta::assert_snapshot!(said(&error, &server.uri()), @r"
    cannot read source launchpad
    refusing to follow http://tracker/devel/ to another server, http://elsewhere.invalid/devel/ubuntu/series
    ");
}

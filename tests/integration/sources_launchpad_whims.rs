//! Launchpad's traps: what it hides, leaves out, cuts into pages, and lists in any order.

use std::num::NonZeroU32;

use kinset::source::Previous;
use kinset::source::launchpad::{Reread, Settings, read};
use serde_json::json;

use crate::sources_launchpad::{launchpad, pulled, remarks, set, settings};
use crate::support::launchpad::{REDACTED, World, permission};
use crate::support::service::{Asked, Service as _, asked, base, impatient, said, serve};

/// Hides some of everything that Launchpad can hide.
fn hide_much(world: &mut World) {
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
    // Of a series that has ended, and of one that has not.
    world.add_set("warty", "secret", 50, &[], &[]);
    world.add_set("noble", "secret", 50, &[], &[]);
    world.hidden_sets = vec![6, 7];
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
    insta::assert_snapshot!(remarks(&whole), @"the list of permissions shows 3 of 5: what was known and is not shown stays");
}

#[tokio::test]
async fn a_page_that_has_total_size_link_in_place_of_total_size_is_not_the_last_and_its_link_is_not_asked_for() {
    let launchpad = launchpad();
    let server = serve(&launchpad).await;
    let mut settings = settings(&server);
    settings.rows_per_page = NonZeroU32::new(2).unwrap();
    let reading = read(&settings, &Previous::default()).await.unwrap();
    assert_eq!(reading.snapshot.permissions.as_ref().unwrap().len(), 5);
    assert_eq!(remarks(&reading), "");
    let asked = asked(&server).await;
    let pages: Vec<&String> = asked.iter().filter(|asked| asked.contains("getAllPermissions")).collect();
    let has_link = |page: &&String| {
        let answer = launchpad.answer(&Asked {
            url: base(&server).join(page).unwrap(),
            if_none_match: None,
            if_modified_since: None,
        });
        let page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_ne!(page["total_size"].is_null(), page["total_size_link"].is_null());
        page["total_size"].is_null()
    };
    assert_eq!(pages.iter().map(has_link).collect::<Vec<_>>(), [true, true, false]);
    assert!(!asked.iter().any(|asked| asked.contains("total_size")), "{asked:?}");
}

#[tokio::test]
async fn no_more_rows_are_asked_for_than_launchpad_gives() {
    let server = serve(&launchpad()).await;
    let mut settings = settings(&server);
    settings.rows_per_page = NonZeroU32::new(301).unwrap();
    settings.http = impatient();
    let error = read(&settings, &Previous::default()).await.unwrap_err();
    insta::assert_snapshot!(said(&error, &server.uri()), @r"
    cannot read source launchpad
    expected series, but http://tracker/devel/ubuntu/series?ws.size=301 answered 400 Bad Request (text/plain): Maximum for batch size is 300.
    ");
}

#[tokio::test]
async fn hidden_values_are_absent_with_a_remark_and_never_taken_for_text() {
    let reading = pulled(hide_much).await;
    let facts = set(&reading.snapshot, "noble", "core");
    assert_eq!((&facts.owner, &facts.description, facts.score), (&None, &None, None));
    let text = serde_json::to_string(&reading.snapshot).unwrap();
    assert!(!text.contains("redacted"), "{text}");
    insta::assert_snapshot!(remarks(&reading), @r"
    somebody in team release-team is hidden: what was known of it stays
    the description of core in noble is hidden: what was known of it stays
    the owner of core in noble is hidden: what was known of it stays
    the owner of noble is hidden: what was known of it stays
    the release of noble is hidden: what was known of it stays
    the score of core in noble is hidden: what was known of it stays
    the title of noble is hidden: what was known of it stays
    whether kernel-team is a person or a team is hidden: what was known of it stays
    who has it of permission primary/+upload/somebody?type=component_name&item=universe is hidden: what was known of it stays
    who kernel-team is, for permission primary/+upload/kernel-team?type=package_set_name&item=kernel is hidden: what was known of it stays
    the list of package sets of noble shows 2 of 3: what was known and is not shown stays
    the list of package sets of warty shows 1 of 2: what was known and is not shown stays
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
    insta::assert_snapshot!(remarks(&reading), @"the archive with its permissions is hidden: what was known of it stays");
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
async fn whatever_is_hidden_a_second_read_brings_the_same() {
    let launchpad = launchpad();
    hide_much(&mut launchpad.world());
    let server = serve(&launchpad).await;
    let first = read(&settings(&server), &Previous::default()).await.unwrap();
    for reread in [Reread::Listed, Reread::Unreleased, Reread::Living, Reread::Everything] {
        let settings = Settings {
            reread,
            ..settings(&server)
        };
        let second = read(&settings, &first.clone().into_previous()).await.unwrap();
        assert_eq!(second.snapshot, first.snapshot, "{reread:?}");
    }
}

#[tokio::test]
async fn a_next_page_on_another_server_or_in_a_circle_is_not_followed() {
    let launchpad = launchpad();
    let server = serve(&launchpad).await;
    let mut settings = settings(&server);
    settings.rows_per_page = NonZeroU32::MIN;
    let mut texts = Vec::new();
    for next in [
        "http://elsewhere.invalid/devel/ubuntu/series",
        &format!("{}/devel/ubuntu/series?ws.size=1", server.uri()),
    ] {
        launchpad.world().next_page = Some(next.to_owned());
        let error = read(&settings, &Previous::default()).await.unwrap_err();
        texts.push(said(&error, &server.uri()));
    }
    insta::assert_snapshot!(texts.join("\n"), @r"
    cannot read source launchpad
    refusing to follow http://tracker/devel/ubuntu/series?ws.size=1 to another server, http://elsewhere.invalid/devel/ubuntu/series
    cannot read source launchpad
    the list at http://tracker/devel/ubuntu/series?ws.size=1 never ends: its `next` link leads back to a page already read
    ");
}

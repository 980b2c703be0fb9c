//! Which package sets are incarnations of one another.

use kinset::model::packages::PackageName;
use kinset::source::Previous;
use kinset::source::launchpad::read;

use crate::sources_launchpad::{launchpad, pulled, set, settings};
use crate::support::service::{asked, serve};

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
async fn a_set_made_anew_under_its_old_name_is_another_set_in_another_group() {
    let launchpad = launchpad();
    let server = serve(&launchpad).await;
    let settings = settings(&server);
    let previous = read(&settings, &Previous::default()).await.unwrap().into_previous();
    {
        let mut world = launchpad.world();
        world
            .sets
            .retain(|set| (set.series.as_str(), set.name.as_str()) != ("noble", "core"));
        // Numbered on from what is left, which is the number of the last set there.
        world.add_set("noble", "core", 7, &["dpkg"], &[]);
        let made = world.set("noble", "core");
        (made.id, made.description) = (9, "All of core".to_owned());
    }
    let again = read(&settings, &previous).await.unwrap();
    let facts = set(&again.snapshot, "noble", "core");
    let sources: Vec<&str> = facts.sources.iter().flatten().map(PackageName::as_str).collect();
    assert_eq!(sources, ["dpkg"]);
    assert_eq!(facts.group.as_ref().unwrap().to_string(), "ubuntu/core~2");
    assert_eq!(
        set(&again.snapshot, "plucky", "core").group,
        set(&previous.snapshot, "plucky", "core").group
    );
}

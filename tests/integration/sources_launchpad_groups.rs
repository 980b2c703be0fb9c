//! Which package sets are incarnations of one another.

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

//! What questions and grants on the command line refuse, for they would be answered or given in another sense than was meant.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use insta::assert_snapshot;

use crate::cli_packages::{done, ubuntu};

#[test]
fn a_time_without_a_zone_is_not_taken_for_its_day() {
    let place = ubuntu("copy-on-write");
    let told = place.run("packageset list --as-of 2026-11-21T00:00");
    assert!(told.starts_with("exit 1\n") && told.contains("add `Z` for UTC"), "{told}");
    let told = place.run("series set --series noble --date released=2026-11-21T08:00");
    assert!(
        told.starts_with("exit 1\n") && told.contains("and a date, as in released=2025-04-15"),
        "{told}"
    );
    assert!(place.run("packageset list --as-of 2199-01-01").starts_with("exit 0\n"));
}

#[test]
fn to_maintain_a_trackers_project_is_the_only_question_about_one() {
    let place = ubuntu("copy-on-write");
    for question in [
        "acl can bot commit --tracker kernel --project alpha",
        "acl can bot upload --tracker kernel --project alpha",
        "acl can bot maintain --tracker kernel --project alpha --series noble",
    ] {
        let told = place.run(question);
        assert!(told.starts_with("exit 2\n") && told.contains("the action `maintain`"), "{told}");
    }
}

#[test]
fn a_right_that_has_no_series_is_not_given_in_one() {
    let place = ubuntu("copy-on-write");
    let before = place.data("acl list");
    for change in [
        "grant dora upload --component main",
        "grant dora upload --package linux",
        "revoke carol upload --component universe",
    ] {
        let told = place.run(&format!("acl {change} --series noble"));
        assert!(told.starts_with("exit 1\n") && told.contains("leave out --series"), "{told}");
    }
    assert_eq!(place.data("acl list"), before);
}

#[test]
fn a_misspelt_package_is_no_package_that_somebody_may_upload() {
    let place = ubuntu("copy-on-write");
    let told = place.run("acl can carol upload lunix --component universe");
    assert!(told.starts_with("exit 2\n") && told.contains("linux"), "{told}");
    assert!(
        place
            .run("acl can carol upload lunix --component universe --new")
            .starts_with("exit 0\n")
    );
    assert!(place.run("acl who upload lunix").starts_with("exit 1\n"));
}

#[test]
fn who_may_decide_on_uploads_to_a_component_may_decide_on_a_package_in_it() {
    let place = ubuntu("copy-on-write");
    done(
        &place,
        "collection add-package linux --series noble --component main --status approved",
    );
    done(&place, "acl grant carol queue-admin --component main");
    done(&place, "acl grant dora queue-admin --component universe");
    assert!(place.run("acl can carol queue-admin linux --series noble").starts_with("exit 0\n"));
    let told = place.run("acl can dora queue-admin linux --series noble");
    assert!(told.starts_with("exit 1\n") && told.contains("near miss"), "{told}");
    assert!(
        place
            .run("acl can carol queue-admin linux --component main")
            .starts_with("exit 2\n")
    );
}

#[test]
fn everybody_is_named_once_where_only_names_are_asked_for() {
    let place = ubuntu("copy-on-write");
    for component in ["main", "universe", "restricted"] {
        for who in ["zoe", "@core-dev", "ann"] {
            done(&place, &format!("acl grant {who} upload --component {component}"));
        }
    }
    let told = place.data("acl who upload linux --quiet");
    let mut names: Vec<&str> = told.lines().collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "{told}");
}

#[test]
fn who_may_upload_is_told_in_the_sections_that_people_are_used_to() {
    let place = ubuntu("copy-on-write");
    done(
        &place,
        "collection add-package linux --series noble --component main --status approved",
    );
    done(&place, "acl grant @core-dev upload --component main");
    done(&place, "acl grant ann upload --package linux");
    assert_snapshot!(place.run("acl uploaders linux --series noble"), @r"
    exit 0
    --- stdout
    linux in noble

    Component (main)
    ================
    * core-dev [team]

    Packagesets
    ===========
    core:
    * core-dev [team]

    Per-Package-Uploaders
    =====================
    * ann
    ");
    assert_snapshot!(place.run("acl uploaders linux --series noble --teams"), @r"
    exit 0
    --- stdout
    linux in noble

    Component (main)
    ================
    * core-dev [team]
      * bob
      * kernel-team [team]
        * zoe

    Packagesets
    ===========
    core:
    * core-dev [team]
      * bob
      * kernel-team [team]
        * zoe

    Per-Package-Uploaders
    =====================
    * ann
    ");
    assert!(place.run("acl uploaders lunix").starts_with("exit 1\n"));
}

#[test]
fn the_log_of_a_series_that_is_not_there_is_not_empty_but_none() {
    let place = ubuntu("copy-on-write");
    let told = place.run("log --series nobel");
    assert!(told.starts_with("exit 1\n") && told.contains("noble"), "{told}");
    assert!(place.run("log --distribution debian").starts_with("exit 1\n"));
    assert!(place.run("log nothing").contains("nothing of that is in the log"));
    assert!(place.run("acl list --set coer --series noble").starts_with("exit 1\n"));
}

#[test]
fn an_argument_that_is_no_text_is_refused_as_any_other() {
    let place = ubuntu("copy-on-write");
    let mut command = place.command("acl can");
    command.arg(OsStr::from_bytes(b"\xff")).args(["upload", "linux"]);
    let told = place.tell(&command.output().unwrap());
    assert!(told.starts_with("exit 2\n") && !told.contains("panicked"), "{told}");
}

#[test]
fn a_team_that_nobody_ever_heard_of_is_told_with_the_nearest_name() {
    let place = ubuntu("copy-on-write");
    assert_snapshot!(place.run("team members core-dve"), @r"
    exit 1
    --- stderr
    error: distribution ubuntu has no team `core-dve`
      help: `core-dev` is the nearest name that there is
    ");
    assert_snapshot!(place.run("acl can @core-dve upload linux"), @r"
    exit 2
    --- stderr
    error: distribution ubuntu has no team `core-dve`
      help: `core-dev` is the nearest name that there is
    ");
    for question in ["acl list --party @core-dve", "team remove core-dve bob", "log --by lauchpad"] {
        let told = place.run(question);
        assert!(told.starts_with("exit 1\n") && told.contains("error: "), "{question}: {told}");
    }
    // A team may be in charge of something, or have a permission, with nobody in it; and who is no team may be anybody.
    done(&place, "packageset create games --owner @gamers --series noble");
    done(&place, "acl grant @players upload --set games --series noble");
    for team in ["gamers", "players"] {
        assert_eq!(place.run(&format!("team members {team}")), "exit 0\n");
    }
    assert!(place.run("acl can nobody upload linux").starts_with("exit 1\n"));
    assert_eq!(
        place.run("acl list --party nobody --quiet"),
        "exit 0\n--- stderr\nthere is no such permission\n"
    );
    done(&place, "team add newcomers zoe");
    done(&place, "team remove newcomers zoe");
    assert_eq!(place.run("team members newcomers"), "exit 0\n", "it was one");
    assert!(place.run("log --by ann --quiet").starts_with("exit 0\n"));
    assert_snapshot!(place.run("log --by anna"), @r"
    exit 1
    --- stderr
    error: the log has no change by `anna`
      help: `ann` is the nearest name that there is
    ");
}

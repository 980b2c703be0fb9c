//! Distributions, series, package sets and permissions on the command line.

use insta::assert_snapshot;

use super::cli_support::Place;

const CONFIG: &str = r#"
state_dir = "state"

[[tracker]]
name = "kernel"
url = "http://127.0.0.1:9/"
projects = ["alpha"]
policy = "additive"

[tracker.desired]
format = "pasta"
path = "patch-groups"
"#;

/// A distribution with the series jammy, which has ended as far as development goes, and noble, which began with its sets; `core` includes
/// `kernel`, and the team @core-dev with bob in it may upload it.
fn ubuntu(sharing: &str) -> Place {
    let place = Place::new().with("kinset.toml", CONFIG);
    let commands = [
        &format!("distribution create ubuntu --versions debian --sharing {sharing}"),
        "series create jammy --version 22.04 --owner @release",
        "packageset create core --owner @core-dev",
        "packageset create kernel --owner @kernel-team",
        "packageset add core --subset kernel",
        "packageset add kernel linux linux-meta --new",
        "acl grant @core-dev upload --set core",
        "acl grant carol upload --component universe",
        "team add core-dev bob @kernel-team",
        "team add kernel-team zoe",
        "series init noble --from jammy --version 24.04 --owner @release",
        "series set --series jammy --status active",
    ];
    for command in commands {
        done(&place, command);
    }
    place
}

/// Runs a command that changes something, as ann, and hands over what it told.
#[track_caller]
fn done(place: &Place, command: &str) -> String {
    let told = place.run(&format!("{command} --actor ann"));
    assert!(told.starts_with("exit 0"), "{command}: {told}");
    told
}

#[test]
fn what_is_shared_shows_and_a_change_makes_a_copy_first() {
    let place = ubuntu("copy-on-write");
    assert_snapshot!(place.run("packageset show core"), @"");
    assert_snapshot!(place.run("packageset set core --description main --actor ann"), @"");
    assert_snapshot!(place.run("packageset show core --series jammy --format json"), @"");
    assert_snapshot!(place.run("packageset list"), @"");
    assert_snapshot!(place.run("series list"), @"");
    assert_snapshot!(place.run("packageset history core"), @"");
}

#[test]
fn what_may_not_be_changed_names_who_shares_it_and_the_command_that_helps() {
    let place = ubuntu("manual-clone");
    assert_snapshot!(place.run("packageset set core --description main"), @"");
    assert_snapshot!(done(&place, "packageset clone core --distribution ubuntu --series noble"), @"");
    assert_snapshot!(done(&place, "packageset set core --description main"), @"");
}

#[test]
fn whether_somebody_may_upload_is_told_with_the_grant_and_by_the_exit_code() {
    let place = ubuntu("shared-nothing");
    assert_snapshot!(place.run("acl can bob upload linux"), @"");
    assert_snapshot!(place.run("acl can carol upload linux"), @"");
    assert_snapshot!(place.run("acl can carol upload linux --pocket release --series jammy"), @"");
    assert_snapshot!(place.run("acl can carol upload linux --quiet"), @"");
    assert_snapshot!(place.run("acl who upload linux"), @"");
    assert_snapshot!(place.run("acl list --set core"), @"");
    assert_snapshot!(place.run("acl list --set core --series noble --format json"), @"");
    assert_snapshot!(place.run("team members core-dev"), @"");
}

#[test]
fn a_question_without_an_answer_ends_with_another_exit_code_than_a_no() {
    let place = ubuntu("shared-nothing");
    assert_snapshot!(place.run("acl can bob upload linux --series nobel"), @"");
    assert_snapshot!(place.run("acl can bob uplaod linux"), @"");
    assert_snapshot!(place.run("acl can bob commit"), @"");
    assert_snapshot!(place.run("acl can bob maintain --tracker kernel --project alpha"), @"");
    assert_snapshot!(place.run("acl who upload linux --series nobel"), @"");
}

#[test]
fn a_series_that_has_ended_answers_and_takes_no_changes_unless_somebody_insists() {
    let place = ubuntu("copy-on-write");
    done(&place, "series set --series jammy --status eol");
    assert_snapshot!(place.run("packageset create late --series jammy --actor ann"), @"");
    assert_snapshot!(place.run("packageset list --series jammy --quiet"), @"");
    assert_snapshot!(place.run("packageset create late --series jammy --actor ann --force"), @"");
    assert_snapshot!(place.run("series set --series jammy --status development"), @"");
}

#[test]
fn a_dry_run_shows_what_would_change_and_changes_nothing() {
    let place = ubuntu("copy-on-write");
    let before = place.run("log");
    assert_snapshot!(place.run("series convert --to tethered --dry-run --actor ann"), @"");
    assert_snapshot!(place.run("packageset delete kernel --dry-run --actor ann"), @"");
    assert_eq!(place.run("log"), before);
}

#[test]
fn every_question_can_be_asked_of_the_past() {
    let place = ubuntu("copy-on-write");
    done(&place, "packageset delete kernel");
    assert_snapshot!(place.run("packageset list --quiet"), @"");
    for question in [
        "packageset list",
        "packageset show core",
        "acl can bob upload linux",
        "acl list",
        "team list",
        "series list",
        "log",
    ] {
        let told = place
            .run(&format!("{question} --distribution ubuntu --as-of 2020-01-01").replace("log --distribution", "log x --distribution"));
        let nothing_yet = told.contains("there is no distribution `ubuntu`") || told == "exit 0\n";
        assert!(nothing_yet, "{question}: {told}");
    }
    assert_snapshot!(place.run("packageset list --as-of yesterday"), @"");
}

#[test]
fn what_is_refused_says_why_and_what_helps() {
    let place = ubuntu("copy-on-write");
    for (command, told) in [
        (
            "packageset add kernel --subset core",
            "package set core cannot go into kernel: kernel > core > kernel would be a cycle",
        ),
        ("packageset add core bsh", "distribution ubuntu has no package `bsh`"),
        ("packageset remove core linux", "the way that leads there is core > kernel"),
        ("packageset show kernle", "`kernel` is the nearest name that there is"),
        ("packageset create core", "there is a package set core in ubuntu/noble already"),
        (
            "packageset remove kernel --subset core",
            "core is not directly in package set kernel of ubuntu/noble",
        ),
        ("acl grant bob commit --set core", "what can be given there: upload, queue-admin"),
        ("acl grant bob upload --set core --component main", "cannot be used with"),
        (
            "acl grant bob upload --component main --explicit",
            "only a permission on a package set can be explicit",
        ),
        (
            "acl revoke bob upload --component main",
            "bob has no permission to upload on component main",
        ),
        ("team add kernel-team @core-dev", "@core-dev cannot go into @kernel-team"),
        ("team remove core-dev carol", "carol is not directly in team @core-dev"),
        ("series create noble", "there is a series ubuntu/noble already"),
        ("series init focal --from jamy", "`jammy` is the nearest name that there is"),
        (
            "distribution set ubuntu --sharing tethered",
            "kinset series convert --distribution ubuntu --to WAY",
        ),
        (
            "distribution create ubuntu --sharing tethered --versions rpm",
            "there is a distribution ubuntu already",
        ),
        ("packageset create a/b", "expected the name of a package set"),
    ] {
        let before = place.run("log");
        let said = place.run(command);
        assert!(said.starts_with("exit 1") && said.contains(told), "{command}: {said}");
        assert_eq!(place.run("log"), before, "{command}");
    }
}

#[test]
fn without_a_state_there_is_nothing_to_ask_and_none_is_made() {
    let place = Place::new().with("kinset.toml", CONFIG);
    assert_snapshot!(place.run("packageset list"), @"");
    assert!(!place.path("state").exists());
}

#[test]
fn a_name_with_control_characters_reaches_no_terminal() {
    let place = ubuntu("copy-on-write");
    let output = place
        .command("packageset set core --actor ann --description")
        .arg("a\u{1b}[2Kb")
        .output()
        .unwrap();
    assert!(output.status.success());
    for question in ["packageset show core", "packageset list", "log"] {
        let told = place.run(question);
        assert!(!told.contains('\u{1b}') && told.contains("a\\u{1b}[2Kb"), "{told}");
    }
}

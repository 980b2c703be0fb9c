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
pub(crate) fn ubuntu(sharing: &str) -> Place {
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
pub(crate) fn done(place: &Place, command: &str) -> String {
    let told = place.run(&format!("{command} --actor ann"));
    assert!(told.starts_with("exit 0"), "{command}: {told}");
    told
}

#[test]
fn what_is_shared_shows_and_a_change_makes_a_copy_first() {
    let place = ubuntu("copy-on-write");
    assert_snapshot!(place.run("packageset show core"), @r"
    exit 0
    --- stdout
    set          core in ubuntu/noble
    description  
    owner        @core-dev
    score        0
    shared       with jammy (copy-on-write); the first change here makes a copy, which takes 2 rows
    group        ubuntu/core: ubuntu/jammy:core
    sources      -; through other sets linux linux-meta
    subsets      kernel
    supersets    -
    permission   @core-dev upload (approved)
    ");
    assert_snapshot!(place.run("packageset set core --description main --actor ann"), @r#"
    exit 0
    --- stdout
    ubuntu/noble packageset-copy core: + no longer shared with ubuntu/jammy, permissions 1, sources 0, subsets 1
    ubuntu/noble packageset core: description "" > main
    "#);
    assert_snapshot!(place.run("packageset show core --series jammy --format json"), @r#"
    exit 0
    --- stdout
    {
      "distribution": "ubuntu",
      "series": "jammy",
      "name": "core",
      "group": "ubuntu/core",
      "sharing": "copy-on-write",
      "shared_with": [],
      "copy_takes": 2,
      "related": [
        {
          "in": "ubuntu/noble",
          "set": "core"
        }
      ],
      "owner": "@core-dev",
      "description": "",
      "score": 0,
      "sources": [],
      "sources_through_subsets": [
        "linux",
        "linux-meta"
      ],
      "subsets": [
        "kernel"
      ],
      "subsets_through_subsets": [],
      "supersets": [],
      "supersets_through_supersets": [],
      "permissions": [
        {
          "party": "@core-dev",
          "action": "upload",
          "on": "package-set",
          "series": "jammy",
          "set": "core",
          "status": "approved"
        }
      ]
    }
    "#);
    assert_snapshot!(place.run("packageset list"), @r"
    exit 0
    --- stdout
    core	@core-dev	0	1	0	main
    kernel	@kernel-team	2	0	1
    ");
    assert_snapshot!(place.run("series list"), @r"
    exit 0
    --- stdout
    jammy	22.04	active	@release	2	1	
    noble	24.04	development	@release	2	1	current
    ");
    assert_snapshot!(place.run("packageset history core"), @r#"
    exit 0
    --- stdout
    3  TIME  ann
      ubuntu/jammy packageset core: + description "", group ubuntu/core, owner @core-dev
    5  TIME  ann
      ubuntu/jammy subsets core: + kernel
    8  TIME  ann
      ubuntu/jammy permission @core-dev: + action upload, on package-set, party @core-dev, series jammy, set core, status approved
    12  TIME  ann
      ubuntu/noble series-init noble: + from ubuntu/jammy, packagesets 2, permissions 0, sources 0, subsets 0
    14  TIME  ann
      ubuntu/noble packageset-copy core: + no longer shared with ubuntu/jammy, permissions 1, sources 0, subsets 1
      ubuntu/noble packageset core: description "" > main
    "#);
}

#[test]
fn what_may_not_be_changed_names_who_shares_it_and_the_command_that_helps() {
    let place = ubuntu("manual-clone");
    assert_snapshot!(place.run("packageset set core --description main"), @r"
    exit 1
    --- stderr
    error: package set core of ubuntu/noble is shared with ubuntu/jammy
      help: give ubuntu/noble a copy of its own first: `kinset packageset clone core --distribution ubuntu --series noble`
    ");
    assert_snapshot!(done(&place, "packageset clone core --distribution ubuntu --series noble"), @r"
    exit 0
    --- stdout
    ubuntu/noble packageset-copy core: + no longer shared with ubuntu/jammy, permissions 1, sources 0, subsets 1
    ");
    assert_snapshot!(done(&place, "packageset set core --description main"), @r#"
    exit 0
    --- stdout
    ubuntu/noble packageset core: description "" > main
    "#);
}

#[test]
fn whether_somebody_may_upload_is_told_with_the_grant_and_by_the_exit_code() {
    let place = ubuntu("shared-nothing");
    assert_snapshot!(place.run("acl can bob upload linux"), @r"
    exit 0
    --- stdout
    allowed: @core-dev has upload on package set core in noble, which includes kernel
    ");
    assert_snapshot!(place.run("acl can carol upload linux"), @r"
    exit 0
    --- stdout
    allowed: carol has upload on component universe
    ");
    assert_snapshot!(place.run("acl can carol upload linux --pocket release --series jammy"), @r"
    exit 1
    --- stdout
    refused: pocket release of jammy is closed, which is active
      near miss: carol has upload on component universe, which would do otherwise
    ");
    assert_snapshot!(place.run("acl can carol upload linux --quiet"), @"exit 0");
    assert_snapshot!(place.run("acl who upload linux"), @r"
    exit 0
    --- stdout
    @core-dev	@core-dev has upload on package set core in noble, which includes kernel
    carol	carol has upload on component universe
    ");
    assert_snapshot!(place.run("acl list --set core"), @r"
    exit 0
    --- stdout
    @core-dev	upload	package set core in jammy	approved	
    @core-dev	upload	package set core in noble	approved
    ");
    assert_snapshot!(place.run("acl list --set core --series noble --format json"), @r#"
    exit 0
    --- stdout
    [
      {
        "party": "@core-dev",
        "action": "upload",
        "on": "package-set",
        "series": "noble",
        "set": "core",
        "status": "approved"
      }
    ]
    "#);
    assert_snapshot!(place.run("team members core-dev"), @r"
    exit 0
    --- stdout
    bob
    zoe
    @kernel-team
    ");
}

#[test]
fn a_question_without_an_answer_ends_with_another_exit_code_than_a_no() {
    let place = ubuntu("shared-nothing");
    assert_snapshot!(place.run("acl can bob upload linux --series nobel"), @r"
    exit 2
    --- stderr
    error: distribution ubuntu has no series `nobel`
      help: `noble` is the nearest name that there is
    ");
    assert_snapshot!(place.run("acl can bob uplaod linux"), @r"
    exit 2
    --- stderr
    error: invalid value 'uplaod' for '<ACTION>': did you mean `upload`? There are commit, build, watchbugzilla, watchcommits, approveacls, checkout, upload, queue-admin, maintain

    For more information, try '--help'.
    ");
    assert_snapshot!(place.run("acl can bob commit"), @r"
    exit 2
    --- stderr
    error: whether somebody may commit cannot be told
      help: name a package
    ");
    assert_snapshot!(place.run("acl can bob maintain --tracker kernel --project alpha"), @r"
    exit 2
    --- stderr
    error: tracker kernel has no project alpha among those that were pulled
      help: name one of its `projects` in the configuration, and run `kinset pull` if it never was
    ");
    assert_snapshot!(place.run("acl who upload linux --series nobel"), @r"
    exit 1
    --- stderr
    error: distribution ubuntu has no series `nobel`
      help: `noble` is the nearest name that there is
    ");
}

#[test]
fn a_series_that_has_ended_answers_and_takes_no_changes_unless_somebody_insists() {
    let place = ubuntu("copy-on-write");
    done(&place, "series set --series jammy --status eol");
    assert_snapshot!(place.run("packageset create late --series jammy --actor ann"), @r"
    exit 1
    --- stderr
    error: series ubuntu/jammy has ended (eol), and its record is closed
      help: what it answers stays; with `--force` it is changed all the same
    ");
    assert_snapshot!(place.run("packageset list --series jammy --quiet"), @r"
    exit 0
    --- stdout
    core
    kernel
    ");
    assert_snapshot!(place.run("packageset create late --series jammy --actor ann --force"), @r#"
    exit 0
    --- stdout
    ubuntu/jammy packageset late: + description "", group ubuntu/late, owner ann
    "#);
    assert_snapshot!(place.run("series set --series jammy --status development"), @r"
    exit 1
    --- stderr
    error: series ubuntu/jammy keeps its status
      because: a collection that is eol does not become development, only active or maintenance
      help: with `--force` it takes any
    ");
}

#[test]
fn a_dry_run_shows_what_would_change_and_changes_nothing() {
    let place = ubuntu("copy-on-write");
    let before = place.run("log");
    assert_snapshot!(place.run("series convert --to tethered --dry-run --actor ann"), @r"
    exit 0
    --- stdout
    ubuntu/noble packageset-copy core: + no longer shared with ubuntu/jammy, permissions 1, sources 0, subsets 1
    ubuntu/noble packageset-copy kernel: + no longer shared with ubuntu/jammy, permissions 0, sources 2, subsets 0
    ubuntu sharing ubuntu: copy-on-write > tethered
    --- stderr
    nothing was changed: this was a dry run
    ");
    assert_snapshot!(place.run("series convert --to tethered --actor ann").split_once("--- stderr").unwrap().1, @r"
    error: nothing was written: there is no terminal to ask on
      help: read first what would be done, as it was printed or with --dry-run; then run the command again with --yes
    ");
    assert_snapshot!(place.run("packageset delete kernel --dry-run --actor ann"), @r#"
    exit 0
    --- stdout
    ubuntu/noble packageset-copy core: + no longer shared with ubuntu/jammy, permissions 1, sources 0, subsets 1
    ubuntu/noble subsets core: - kernel
    ubuntu/noble packageset kernel: - description "", group ubuntu/kernel, name kernel, owner @kernel-team, score 0, sources linux linux-meta, subsets
    --- stderr
    nothing was changed: this was a dry run
    "#);
    assert_eq!(place.run("log"), before);
}

#[test]
fn every_question_can_be_asked_of_the_past() {
    let place = ubuntu("copy-on-write");
    done(&place, "packageset delete kernel");
    assert_snapshot!(place.run("packageset list --quiet"), @r"
    exit 0
    --- stdout
    core
    ");
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
    assert_snapshot!(place.run("packageset list --as-of yesterday"), @r"
    exit 1
    --- stderr
    error: invalid value 'yesterday' for '--as-of <DATE>': expected a date such as 2026-03-01, or a time such as TIME

    For more information, try '--help'.
    ");
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
    assert_snapshot!(place.run("packageset list"), @r"
    exit 1
    --- stderr
    error: no distribution is named, and there are 0
      help: `kinset distribution create` adds one
    ");
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

//! Collections on the command line: what is said of them, what is in them, and which provides a package.

use insta::assert_snapshot;

use super::cli_support::Place;

/// Fedora with `devel`, and over it `python`, which has a python of its own. All words are ann's.
fn fedora() -> Place {
    let place = Place::new().with("kinset.toml", "state_dir = \"state\"\n");
    for command in [
        "distribution create fedora --versions rpm",
        "series create devel --title Fedora --version 42 --branch devel --dist-tag .fc42 --publish-url https://example.org/[ARCH]/[PACKAGE].rpm",
        "series create python --base devel=5 --pending-url https://example.org/new/[PACKAGE]-[ARCH].rpm",
        "collection add-package bash python --series devel --owner alice --status approved",
        "collection add-package python --series python --owner @python-sig --qa-contact bob --component core --status approved",
        "collection add-version bash 5.2-1 --series devel --status approved",
        "collection add-version bash 5.10-1 --series devel --status approved",
        "collection add-version python 3.14-1 --series python --status awaitingqa",
    ] {
        let told = place.run(&format!("{command} --actor ann"));
        assert!(told.starts_with("exit 0\n"), "{command}: {told}");
    }
    place
}

#[test]
fn a_lookup_tells_who_provides_a_package_and_where_it_is() {
    let place = fedora();
    assert_snapshot!(place.run("collection lookup bash --series python --arch x86_64"), @"");
    assert_snapshot!(place.run("collection lookup python --series python --arch x86_64 --format json"), @"");
    assert_snapshot!(place.run("collection lookup bash --series python --quiet"), @"");
    assert_snapshot!(place.run("collection lookup bahs --series python"), @"");
}

#[test]
fn a_collection_is_shown_and_what_is_in_it_listed() {
    let place = fedora();
    assert_snapshot!(place.run("collection show --series python"), @"");
    assert_snapshot!(place.run("collection show --series devel --format json"), @"");
    assert_snapshot!(place.run("collection list --series devel"), @"");
    assert_snapshot!(place.run("collection list --series python --format json"), @"");
    assert_snapshot!(place.run("collection list --series devel --status denied --quiet"), @"");
    assert_snapshot!(place.run("collection versions bash --series devel"), @"");
    assert_snapshot!(place.run("collection show-package bash"), @"");
}

#[test]
fn what_is_said_of_packages_is_changed_and_told() {
    let place = fedora();
    assert_snapshot!(place.run("collection set-package python --series python --owner orphan --component= --actor ann"), @"");
    assert_snapshot!(place.run("collection describe-package bash --summary Shell --status approved --actor ann"), @"");
    assert_snapshot!(place.run("collection describe-package bash --status denied --actor ann"), @"");
    assert_snapshot!(place.run("collection describe-package bash --status denied --actor ann --force --dry-run"), @"");
    assert_snapshot!(place.run("collection add-version bash 5.2-1 --series python --actor ann"), @"");
    assert_snapshot!(place.run("collection set-version python 3.14-1 --status approved --actor ann"), @"");
    assert_snapshot!(place.run("collection withdraw-version bash 5.2-1 --series devel --actor ann"), @"");
    assert_snapshot!(place.run("collection remove-package python --series python --actor ann"), @"");
    assert_snapshot!(place.run("collection lookup python --series python --quiet"), @"");
    assert_snapshot!(place.run("collection add-package zsh --unlisted --actor ann"), @"");
    assert_snapshot!(place.run("collection lookup zsh --series python"), @"");
}

#[test]
fn groups_and_categories_are_kept_per_collection() {
    let place = fedora();
    let on = |command: &str| place.run(&format!("collection {command} --series devel --actor ann"));
    assert_snapshot!(on("add-built bash 5.10-1 bash bash-doc --summary Shell"), @"");
    assert_snapshot!(on("set-group shells --mandatory bash --conditional bash-doc=man-db"), @"");
    assert_snapshot!(on("withdraw-built bash 5.10-1 bash-doc"), @"");
    assert_snapshot!(on("set-category base --title Base --group shells"), @"");
    assert_snapshot!(on("set-group shells --remove bash-dco"), @"");
    assert_snapshot!(place.run("collection built --series devel"), @"");
    assert_snapshot!(place.run("collection groups --series devel"), @"");
    assert_snapshot!(place.run("collection groups shells --series devel"), @"");
    assert_snapshot!(place.run("collection groups shels --series devel"), @"");
    assert_snapshot!(place.run("collection categories --series devel --format json"), @"");
    assert_snapshot!(on("remove-group shells"), @"");
    assert_snapshot!(on("remove-category base"), @"");
}

#[test]
fn bases_and_branches_are_said_and_unsaid() {
    let place = fedora();
    assert_snapshot!(place.run("series create bottom --actor ann --base devle"), @"");
    assert_snapshot!(place.run("series set --series devel --base python --actor ann"), @"");
    assert_snapshot!(place.run("series set --series python --no-base devel --pending-url= --summary Snakes --actor ann"), @"");
    assert_snapshot!(place.run("series set --series devel --no-branch --base python=-1 --actor ann"), @"");
    assert_snapshot!(place.run("collection lookup python --series devel --quiet"), @"");
    assert_snapshot!(place.run("series set --series devel --branch f42 --actor ann"), @"");
    assert_snapshot!(place.run("series set --series devel --publish-url https://example.org/[VERSION] --actor ann"), @"");
    assert_snapshot!(place.run("series init f43 --from devel --listings --actor ann"), @"");
}

#[test]
fn a_question_may_be_about_the_past() {
    let place = fedora();
    assert_snapshot!(place.run("collection lookup bash --series python --as-of 2020-01-01"), @"");
}

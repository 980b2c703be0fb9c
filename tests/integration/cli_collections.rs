//! Collections on the command line: what is said of them, what is in them, and which provides a package.

use insta::assert_snapshot;

use super::cli_support::{Place, config_for};

/// Fedora with `devel`, and over it `python`, which has a python of its own. All words are ann's.
fn fedora() -> Place {
    let place = Place::configured(&config_for("http://127.0.0.1:9/"), "");
    for command in [
        "distribution create fedora --sharing copy-on-write --versions rpm",
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
    assert_snapshot!(place.run("collection lookup bash --series python --arch x86_64"), @r"
    exit 0
    --- stdout
    package      bash
    provided by  fedora/devel
    through      python > devel
    owner        alice
    newest       5.10-1
    published at https://example.org/x86_64/bash.rpm
    ");
    assert_snapshot!(place.run("collection lookup python --series python --arch x86_64 --format json"), @r#"
    exit 0
    --- stdout
    {
      "package": "python",
      "distribution": "fedora",
      "series": "python",
      "path": [
        "python"
      ],
      "owner": "@python-sig",
      "qa_contact": "bob",
      "component": "core",
      "status": "approved",
      "newest": null,
      "pending": "3.14-1",
      "url": null,
      "pending_url": "https://example.org/new/python-x86_64.rpm"
    }
    "#);
    assert_snapshot!(place.run("collection lookup bash --series python --quiet"), @r"
    exit 0
    --- stdout
    devel
    ");
    assert_snapshot!(place.run("collection lookup bahs --series python"), @r"
    exit 1
    --- stderr
    error: distribution fedora has no package `bahs`
      help: the nearest names that there are: `bash` for `bahs`
    ");
}

#[test]
fn a_collection_is_shown_and_what_is_in_it_listed() {
    let place = fedora();
    assert_snapshot!(place.run("collection show --series python"), @r"
    exit 0
    --- stdout
    collection   fedora/python
    version      0
    status       development
    owner        ann
    pending at   https://example.org/new/[PACKAGE]-[ARCH].rpm
    lies over    devel (5)
    asks         python > devel
    has          packages 1, versions 1, built packages 0, groups 0, categories 0
    ");
    assert_snapshot!(place.run("collection show --series devel --format json"), @r#"
    exit 0
    --- stdout
    {
      "distribution": "fedora",
      "name": "devel",
      "title": "Fedora",
      "version": "42",
      "status": "development",
      "owner": "ann",
      "branch": {
        "name": "devel",
        "dist_tag": ".fc42"
      },
      "publish_url": "https://example.org/[ARCH]/[PACKAGE].rpm",
      "asks": [
        "devel"
      ],
      "listings": 2,
      "versions": 2,
      "built": 0,
      "groups": 0,
      "categories": 0
    }
    "#);
    assert_snapshot!(place.run("collection list --series devel"), @r"
    exit 0
    --- stdout
    bash	alice	-	-	approved
    python	alice	-	-	approved
    ");
    assert_snapshot!(place.run("collection list --series python --format json"), @r#"
    exit 0
    --- stdout
    [
      {
        "package": "python",
        "owner": "@python-sig",
        "qa_contact": "bob",
        "component": "core",
        "status": "approved"
      }
    ]
    "#);
    assert_snapshot!(place.run("collection list --series devel --status denied --quiet"), @"exit 0");
    assert_snapshot!(place.run("collection versions bash --series devel"), @r"
    exit 0
    --- stdout
    bash	5.10-1	approved
    bash	5.2-1	approved
    ");
    assert_snapshot!(place.run("collection show-package bash"), @r"
    exit 0
    --- stdout
    package      bash of fedora
    status       awaitingreview
    in           devel: approved, alice
    version      5.10-1: approved, in devel
    version      5.2-1: approved, in devel
    ");
}

#[test]
fn what_is_said_of_packages_is_changed_and_told() {
    let place = fedora();
    assert_snapshot!(place.run("collection set-package python --series python --owner orphan --component= --actor ann"), @r"
    exit 0
    --- stdout
    fedora/python listing python: component core > nothing, owner @python-sig > orphan
    ");
    assert_snapshot!(place.run("collection describe-package bash --summary Shell --status approved --actor ann"), @r"
    exit 0
    --- stdout
    fedora package bash: status awaitingreview > approved, summary nothing > Shell
    ");
    assert_snapshot!(place.run("collection describe-package bash --status denied --actor ann"), @r"
    exit 1
    --- stderr
    error: package bash keeps its status
      because: a package that is approved does not become denied, only retired or removed
      help: with `--force` it takes any
    ");
    assert_snapshot!(place.run("collection describe-package bash --status denied --actor ann --force --dry-run"), @r"
    exit 0
    --- stdout
    fedora package bash: status approved > denied
    --- stderr
    nothing was changed: this was a dry run
    ");
    assert_snapshot!(place.run("collection add-version bash 5.2-1 --series python --actor ann"), @r"
    exit 1
    --- stderr
    error: fedora/python does not list package `bash`
      help: `kinset collection add-package` lists it; `kinset collection lookup` asks its bases too
    ");
    assert_snapshot!(place.run("collection set-version python 3.14-1 --status approved --actor ann"), @r"
    exit 0
    --- stdout
    fedora version python 3.14-1: status awaitingqa > approved
    ");
    assert_snapshot!(place.run("collection withdraw-version bash 5.2-1 --series devel --actor ann"), @r"
    exit 0
    --- stdout
    fedora/devel version-listing bash: - 5.2-1
    ");
    assert_snapshot!(place.run("collection remove-package python --series python --actor ann"), @r"
    exit 0
    --- stdout
    fedora/python version-listing python: - 3.14-1
    fedora/python listing python: - owner orphan, qa_contact bob, status approved
    ");
    assert_snapshot!(place.run("collection lookup python --series python --quiet"), @r"
    exit 0
    --- stdout
    devel
    ");
    assert_snapshot!(place.run("collection add-package zsh --unlisted --actor ann"), @r"
    exit 0
    --- stdout
    fedora packages fedora: + zsh
    ");
    assert_snapshot!(place.run("collection lookup zsh --series python"), @r"
    exit 1
    --- stderr
    error: package zsh is in none of python, devel
      help: `kinset collection add-package` lists it
    ");
}

#[test]
fn groups_and_categories_are_kept_per_collection() {
    let place = fedora();
    let on = |command: &str| place.run(&format!("collection {command} --series devel --actor ann"));
    assert_snapshot!(on("add-built bash 5.10-1 bash bash-doc --summary Shell"), @r"
    exit 0
    --- stdout
    fedora built bash 5.10-1 bash: + summary Shell
    fedora built bash 5.10-1 bash-doc: + summary Shell
    fedora/devel built-listing bash: + built bash bash-doc, version 5.10-1
    ");
    assert_snapshot!(on("set-group shells --mandatory bash --conditional bash-doc=man-db"), @r"
    exit 0
    --- stdout
    fedora/devel group shells: + members bash type mandatory, bash-doc requires man-db, type conditional, title shells
    ");
    assert_snapshot!(on("withdraw-built bash 5.10-1 bash-doc"), @r"
    exit 0
    --- stdout
    fedora/devel built-listing bash: - built bash-doc, version 5.10-1
    ");
    assert_snapshot!(on("set-category base --title Base --group shells"), @r"
    exit 0
    --- stdout
    fedora/devel category base: + groups shells, title Base
    ");
    assert_snapshot!(on("set-group shells --remove bash-dco"), @r"
    exit 1
    --- stderr
    error: group shells does not have `bash-dco`
      help: the nearest names that there are: `bash-doc` for `bash-dco`
    ");
    assert_snapshot!(place.run("collection built --series devel"), @r"
    exit 0
    --- stdout
    bash	bash	5.10-1	Shell
    ");
    assert_snapshot!(place.run("collection groups --series devel"), @r"
    exit 0
    --- stdout
    shells	shells	2
    ");
    assert_snapshot!(place.run("collection groups shells --series devel"), @r"
    exit 0
    --- stdout
    bash	mandatory	-	
    bash-doc	conditional	man-db	missing
    ");
    assert_snapshot!(place.run("collection groups shels --series devel"), @r"
    exit 1
    --- stderr
    error: fedora/devel has no group `shels`
      help: `shells` is the nearest name that there is
    ");
    assert_snapshot!(place.run("collection categories --series devel --format json"), @r#"
    exit 0
    --- stdout
    [
      {
        "id": "base",
        "title": "Base",
        "summary": null,
        "members": 1,
        "groups": [
          "shells"
        ]
      }
    ]
    "#);
    assert_snapshot!(on("remove-group shells"), @r"
    exit 0
    --- stdout
    fedora/devel category base: groups shells > nothing
    fedora/devel group shells: - members bash type mandatory, bash-doc requires man-db, type conditional, title shells
    ");
    assert_snapshot!(on("remove-category base"), @r"
    exit 0
    --- stdout
    fedora/devel category base: - title Base
    ");
}

#[test]
fn bases_and_branches_are_said_and_unsaid() {
    let place = fedora();
    assert_snapshot!(place.run("series create bottom --actor ann --base devle"), @r"
    exit 1
    --- stderr
    error: distribution fedora has no series `devle`
      help: `devel` is the nearest name that there is
    ");
    assert_snapshot!(place.run("series set --series devel --base python --actor ann"), @r"
    exit 1
    --- stderr
    error: devel over python makes a cycle: devel -> python -> devel
    ");
    assert_snapshot!(place.run("series set --series python --no-base devel --pending-url= --summary Snakes --actor ann"), @r"
    exit 0
    --- stdout
    fedora/python series python: bases base devel, priority 5 > nothing, pending_url https://example.org/new/[PACKAGE]-[ARCH].rpm > nothing, summary nothing > Snakes
    ");
    assert_snapshot!(place.run("series set --series devel --no-branch --base python=-1 --actor ann"), @r"
    exit 0
    --- stdout
    fedora/devel series devel: bases nothing > base python, priority -1, branch dist_tag .fc42, name devel > nothing
    ");
    assert_snapshot!(place.run("collection lookup python --series devel --quiet"), @r"
    exit 0
    --- stdout
    devel
    ");
    assert_snapshot!(place.run("series set --series devel --branch f42 --actor ann"), @r"
    exit 1
    --- stderr
    error: the following required arguments were not provided:
      --dist-tag <TAG>

    Usage: kinset series set --branch <NAME> --dist-tag <TAG> --series <NAME> --actor <NAME>

    For more information, try '--help'.
    ");
    assert_snapshot!(place.run("series set --series devel --publish-url https://example.org/[VERSION] --actor ann"), @r"
    exit 1
    --- stderr
    error: invalid value 'https://example.org/[VERSION]' for '--publish-url <URL>': `[VERSION]` at letter 21 is no symbol; the symbols are `[ARCH]` and `[PACKAGE]`

    For more information, try '--help'.
    ");
    assert_snapshot!(place.run("series init f43 --from devel --listings --actor ann"), @r"
    exit 0
    --- stdout
    fedora/f43 series f43: + owner ann, status development, version 0
    fedora/f43 series-init f43: + from fedora/devel, listings 2, packagesets 0, permissions 0, sources 0, subsets 0
    ");
}

#[test]
fn dates_are_said_and_unsaid() {
    let place = fedora();
    assert_snapshot!(place.run("series create f42 --date released=2025-04-15 --date eol=2026-05-13 --date eol-x=2026-05-13 --actor ann"), @r"
    exit 0
    --- stdout
    fedora/f42 series f42: + dates eol 2026-05-13, eol-x 2026-05-13, released 2025-04-15, owner ann, status development, version 0
    ");
    assert_snapshot!(place.run("series set --series f42 --date created=2025-02-04 --no-date eol-x --actor ann"), @r"
    exit 0
    --- stdout
    fedora/f42 series f42: dates eol 2026-05-13, eol-x 2026-05-13, released 2025-04-15 > created 2025-02-04, eol 2026-05-13, released 2025-04-15
    ");
    assert_snapshot!(place.run("collection show --series f42"), @r"
    exit 0
    --- stdout
    collection   fedora/f42
    version      0
    status       development
    owner        ann
    dates        created 2025-02-04, released 2025-04-15, eol 2026-05-13
    asks         f42
    has          packages 0, versions 0, built packages 0, groups 0, categories 0
    ");
    assert_snapshot!(place.run("series set --series f42 --date released=soon --actor ann"), @r"
    exit 1
    --- stderr
    error: invalid value 'released=soon' for '--date <MILESTONE=DATE>': expected a milestone, `=` and a date, as in released=2025-04-15

    For more information, try '--help'.
    ");
}

#[test]
fn a_question_may_be_about_the_past() {
    let place = fedora();
    assert_snapshot!(place.run("collection lookup bash --series python --as-of 2020-01-01"), @r"
    exit 1
    --- stderr
    error: no distribution is named, and there are 0
      help: `kinset distribution create` adds one
    ");
}

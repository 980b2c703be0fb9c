//! Modules on the command line: the third seed's example, files of modules, ends, slips and pictures.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use insta::assert_snapshot;

use super::cli_support::{Place, config_for};

/// Fedora 27 to 30, as of 2018-11-15; 30 is Rawhide. All words are ann's.
fn fedora() -> Place {
    let place = Place::configured(&config_for("http://127.0.0.1:9/"), "");
    let mut commands = vec!["distribution create fedora --sharing copy-on-write --versions rpm".to_owned()];
    for (number, status, released, eol) in [
        (27, "maintenance", "2017-11-14", "2018-11-30"),
        (28, "maintenance", "2018-05-01", "2019-05-28"),
        (29, "active", "2018-10-30", "2019-11-26"),
        (30, "development", "2019-04-29", "2020-05-26"),
    ] {
        commands.push(format!(
            "series create f{number} --version {number} --status {status} --date released={released} --date eol={eol}"
        ));
    }
    commands.push("series create sig --base f29".to_owned());
    done(&place, commands);
    place
}

/// nodejs as the seed has it.
fn nodejs() -> Place {
    let place = fedora();
    let commands = [
        "module set nodejs:8 --package nodejs --package npm",
        "module set nodejs:10 --platform -f27 --package nodejs",
        "module set-default nodejs:8",
        "module set-default nodejs:10 --release f29",
        "module set-default nodejs:10 --release f30",
    ];
    done(&place, commands);
    place
}

fn done(place: &Place, commands: impl IntoIterator<Item = impl AsRef<str>>) {
    for command in commands {
        let command = command.as_ref();
        let told = place.run(&format!("{command} --actor ann"));
        assert!(told.starts_with("exit 0\n"), "{command}: {told}");
    }
}

#[test]
fn the_matrix_of_the_seed_is_printed() {
    let place = nodejs();
    assert_snapshot!(place.run("module matrix"), @"");
    assert_snapshot!(place.run("module matrix --release f28 --format json"), @"");
    assert_snapshot!(place.run("module list"), @"");
    assert_snapshot!(place.run("module list --quiet"), @"");
    assert_snapshot!(place.run("module matrix --release f31"), @"");
    assert_snapshot!(place.run("module matrix --policy sometimes"), @"");
}

#[test]
fn an_end_is_told_with_what_says_so_and_what_follows() {
    let place = nodejs();
    assert_snapshot!(place.run("module eol nodejs:8"), @"");
    assert_snapshot!(place.run("module set nodejs:8 --eol 2019-05-28 --actor ann"), @"");
    assert_snapshot!(place.run("module eol nodejs:8"), @"");
    assert_snapshot!(place.run("module eol nodejs:8 --policy covers-release --format json"), @"");
    assert_snapshot!(place.run("module set nodejs:8 --eol f28 --actor ann"), @"");
    assert_snapshot!(place.run("module eol nodejs:8"), @"");
    assert_snapshot!(place.run("module set nodejs:8 --eol= --platform f27 --platform f28 --actor ann"), @"");
    assert_snapshot!(place.run("module eol nodejs:8"), @"");
    assert_snapshot!(place.run("module set nodejs:8 --eol f31 --actor ann"), @"");
    assert_snapshot!(place.run("module set nodejs:8 --platform f27 --platform -f28 --actor ann"), @"");
    assert_snapshot!(place.run("module eol nodejs:9"), @"");
}

#[test]
fn why_is_answered_for_what_is_built_and_for_what_is_not() {
    let place = nodejs();
    done(&place, ["module set nodejs:8 --eol 2019-04-28"]);
    assert_snapshot!(place.run("module why nodejs:8 f28"), @"");
    assert_snapshot!(place.run("module why nodejs:8 f30"), @"");
    assert_snapshot!(place.run("module why nodejs:8 f29 --policy covers-release"), @"");
    assert_snapshot!(place.run("module why nodejs:10 f27 --format json"), @"");
    assert_snapshot!(place.run("module why nodejs:10 f26"), @"");
    assert_snapshot!(place.run("module why nodejs:10 sig"), @"");
    assert_snapshot!(place.run("module why nodejs f27"), @"");
}

#[test]
fn a_slip_is_shown_and_changes_nothing() {
    let place = nodejs();
    done(&place, ["module set nodejs:8 --eol 2019-04-30"]);
    assert_snapshot!(place.run("module slip f30 released=2019-05-07"), @"");
    assert_snapshot!(place.run("module slip f30 eol=2020-06-02 --policy covers-release"), @"");
    assert_snapshot!(place.run("module slip f30 released=2019-04-30"), @"");
    assert_snapshot!(place.run("module slip f30 created=2019-04-30"), @"");
    assert_snapshot!(place.run("module slip f30 released=2019-05-07 --format json"), @"");
    assert_snapshot!(place.run("module why nodejs:8 f30"), @"");
}

#[test]
fn packages_live_where_modules_and_branches_have_them() {
    let place = nodejs();
    done(
        &place,
        [
            "collection add-package npm bash --series f29 --status approved",
            "collection add-package bash --series f30 --status obsolete",
            "module set nodejs:8 --eol f28",
        ],
    );
    assert_snapshot!(place.run("module packages"), @"");
    assert_snapshot!(place.run("module packages --in-no-module"), @"");
    assert_snapshot!(place.run("module packages bash --format json"), @"");
    assert_snapshot!(place.run("module packages bahs"), @"");
}

#[test]
fn what_reaches_its_end_is_told_by_day() {
    let place = nodejs();
    done(
        &place,
        [
            "module set nodejs:8 --eol 2019-04-30",
            "series set --series f28 --date eol-x=2019-05-29",
        ],
    );
    assert_snapshot!(place.run("eol --from 2018-11-15 --by 2019-12-31"), @"");
    assert_snapshot!(place.run("eol --from 2019-05-01 --by 2019-05-28 --format json"), @"");
    assert_snapshot!(place.run("eol --from 2018-11-15 --by 2018-11-16 --quiet"), @"");
    assert_snapshot!(place.run("eol --by soon"), @"");
}

const MODULES: &str = "---
document: modulemd
version: 2
data:
  name: perl
  stream: 5.30
  version: 20190405123256
  context: c2c572ec
  dependencies:
  - requires: {platform: [f29]}
  components: {rpms: {perl: {}, perl-Carp: {}}}
---
document: modulemd-defaults
version: 1
data: {module: perl, modified: 201904051232, stream: 5.30}
---
document: modulemd-obsoletes
version: 1
data: {module: nodejs, stream: 8, modified: 2019-05-23T14:25Z, eol_date: 2019-12-31T00:00Z, message: old, obsoleted_by: {module: nodejs, stream: 10}}
---
document: modulemd-stars
version: 1
";

#[test]
fn a_file_of_modules_is_taken_over_and_the_second_time_changes_nothing() {
    let place = nodejs();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(MODULES.as_bytes()).unwrap();
    place.write("modules.yaml", packed.finish().unwrap());
    assert_snapshot!(place.run("module import modules.yaml --release f29 --dry-run --actor ann"), @"");
    done(&place, ["module import modules.yaml --release f29"]);
    assert_snapshot!(place.run("module import modules.yaml --release f29 --actor ann"), @"");
    assert_snapshot!(place.run("module matrix"), @"");
    assert_snapshot!(place.run("module eol nodejs:8"), @"");
    place.write(
        "older.yaml",
        MODULES.replace("20190405123256", "20180405123256").replace("perl-Carp", "perl-Old"),
    );
    assert_snapshot!(place.run("module import older.yaml --release f29 --actor ann"), @"");
    place.write(
        "newer.yaml",
        MODULES.replace("20190405123256", "20200405123256").replace("perl-Carp", "perl-New"),
    );
    assert_snapshot!(place.run("module import newer.yaml --release f29 --actor ann"), @"");
    assert_snapshot!(place.run("log perl:5.30 --quiet"), @"");
    assert_snapshot!(place.run("module remove perl:5.30 --actor ann"), @"");
    assert_snapshot!(place.run("module matrix --release f29"), @"");
    assert_snapshot!(place.run("module remove-default perl --release f29 --actor ann"), @"");
    assert_snapshot!(place.run("module set-default perl:5.30 --actor ann"), @"");
}

#[test]
fn a_file_that_is_wrong_changes_nothing() {
    let place = nodejs();
    place.write("modules.yaml", MODULES.replace("version: 20190405123256", "version: later"));
    assert_snapshot!(place.run("module import modules.yaml --actor ann"), @"");
    assert_snapshot!(place.run("module import nowhere.yaml --actor ann"), @"");
    assert_snapshot!(place.run("module list --quiet"), @"");
}

#[test]
fn modules_are_asked_about_as_they_were() {
    let place = nodejs();
    assert_snapshot!(place.run("module matrix --as-of 2020-01-01"), @"");
}

#[test]
fn pictures_are_svg_with_titles() {
    let place = nodejs();
    done(&place, ["module set nodejs:8 --eol 2019-05-28"]);
    let without_style = |picture: String| {
        let (before, rest) = picture.split_once("<style>").unwrap();
        format!("{before}{}", rest.split_once("</style>").unwrap().1)
    };
    assert_snapshot!(without_style(place.data("module matrix --release f30 --format svg")), @"");
    let timeline = without_style(place.data("module timeline"));
    for expected in [
        "role=\"img\"",
        "<title>f28: 2018-05-01 to 2019-05-28</title>",
        "<title>nodejs:8: 2017-11-14 to 2019-05-28</title>",
        "<title>nodejs:10: 2018-05-01 to 2020-05-26</title>",
    ] {
        assert!(timeline.contains(expected), "{expected}: {timeline}");
    }
    assert!(!without_style(place.data("module timeline --release f27")).contains("f28"));
}

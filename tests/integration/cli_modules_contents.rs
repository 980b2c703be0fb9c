//! Modules on the command line: packages in them, what ends when, files, and pictures.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use insta::assert_snapshot;

use super::cli_modules::{done, nodejs};

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
    assert_snapshot!(place.run("module packages"), @r"
    exit 0
    --- stdout
    nodejs	f27	2018-11-30	nodejs:8
    nodejs	f28	2019-05-28	nodejs:10 nodejs:8
    nodejs	f29	2019-11-26	nodejs:10
    nodejs	f30	2020-05-26	nodejs:10
    npm	f27	2018-11-30	nodejs:8
    npm	f28	2019-05-28	nodejs:8
    npm	f29	2019-11-26	branch
    npm	f30	2020-05-26	branch
    ");
    assert_snapshot!(place.run("module packages --in-no-module"), @r"
    exit 0
    --- stdout
    bash	f29	2019-11-26	branch
    ");
    assert_snapshot!(place.run("module packages bash --format json"), @r#"
    exit 0
    --- stdout
    [
      {
        "package": "bash",
        "lives": [
          {
            "release": "f29",
            "is_branched": true,
            "through": [],
            "until": "2019-11-26"
          }
        ]
      }
    ]
    "#);
    assert_snapshot!(place.run("module packages bahs"), @r"
    exit 1
    --- stderr
    error: distribution fedora has no package `bahs`
      help: the nearest names that there are: `bash` for `bahs`
    ");
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
    assert_snapshot!(place.run("eol --from 2018-11-15 --by 2019-12-31"), @r"
    exit 0
    --- stdout
    2018-11-30	series	fedora/f27	eol
    2019-04-30	stream	fedora/nodejs:8	said for the stream
    2019-04-30	package	fedora/npm	nodejs:8
    2019-05-28	series	fedora/f28	eol
    2019-05-29	series	fedora/f28	eol-x
    2019-11-26	series	fedora/f29	eol
    ");
    assert_snapshot!(place.run("eol --from 2019-05-01 --by 2019-05-28 --format json"), @r#"
    exit 0
    --- stdout
    [
      {
        "date": "2019-05-28",
        "kind": "series",
        "series": "f28",
        "milestone": "eol",
        "distribution": "fedora"
      }
    ]
    "#);
    assert_snapshot!(place.run("eol --from 2018-11-15 --by 2018-11-16 --quiet"), @"exit 0");
    assert_snapshot!(place.run("eol --by soon"), @r"
    exit 1
    --- stderr
    error: invalid value 'soon' for '--by <DATE>': expected a date such as 2026-03-01

    For more information, try '--help'.
    ");
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
    assert_snapshot!(place.run("module import modules.yaml --release f29 --dry-run --actor ann"), @r"
    exit 0
    --- stdout
    fedora stream nodejs:8: obsoletes nothing > eol 2019-12-31, message old, modified TIME, obsoleted_by nodejs:10
    fedora stream perl:5.30: + contexts c2c572ec platforms f29, version 20190405123256
    fedora stream-packages perl:5.30: + perl perl-Carp
    fedora/f29 module-default perl: + 5.30
    --- stderr
    modules.yaml, line 21: a document that is skipped: modulemd-stars 1
    nothing was changed: this was a dry run
    ");
    done(&place, ["module import modules.yaml --release f29"]);
    assert_snapshot!(place.run("module import modules.yaml --release f29 --actor ann"), @r"
    exit 0
    --- stderr
    modules.yaml, line 21: a document that is skipped: modulemd-stars 1
    nothing to do: everything is so already
    ");
    assert_snapshot!(place.run("module matrix"), @r"
    exit 0
    --- stdout
    STREAM	f27	f28	f29	f30
    nodejs:10	-	available	default	default
    nodejs:8	default	default	available	available
    perl:5.30	-	-	default	-
    ");
    assert_snapshot!(place.run("module eol nodejs:8"), @r"
    exit 0
    --- stdout
    stream       nodejs:8
    ends         2019-12-31: obsoleted by nodejs:10
    in           f27: default until 2018-11-30
    in           f28: default until 2019-05-28
    in           f29: available until 2019-11-26
    in           f30: available until 2019-12-31, f30 itself until 2020-05-26
    packages     nodejs npm
    ");
    place.write(
        "older.yaml",
        MODULES.replace("20190405123256", "20180405123256").replace("perl-Carp", "perl-Old"),
    );
    assert_snapshot!(place.run("module import older.yaml --release f29 --actor ann"), @r"
    exit 0
    --- stderr
    older.yaml, line 21: a document that is skipped: modulemd-stars 1
    nothing to do: everything is so already
    ");
    place.write(
        "newer.yaml",
        MODULES.replace("20190405123256", "20200405123256").replace("perl-Carp", "perl-New"),
    );
    assert_snapshot!(place.run("module import newer.yaml --release f29 --actor ann"), @r"
    exit 0
    --- stdout
    fedora stream perl:5.30: contexts c2c572ec platforms f29, version 20190405123256 > c2c572ec platforms f29, version 20200405123256
    fedora stream-packages perl:5.30: perl-Carp > perl-New
    --- stderr
    newer.yaml, line 21: a document that is skipped: modulemd-stars 1
    ");
    assert_snapshot!(place.run("log perl:5.30 --quiet"), @r"
    exit 0
    --- stdout
    13
    15
    ");
    assert_snapshot!(place.run("module remove perl:5.30 --actor ann"), @r"
    exit 0
    --- stdout
    fedora stream perl:5.30: - contexts c2c572ec platforms f29, version 20200405123256
    fedora stream-packages perl:5.30: - perl perl-New
    ");
    assert_snapshot!(place.run("module matrix --release f29"), @r"
    exit 0
    --- stdout
    STREAM	f29
    nodejs:10	default
    nodejs:8	available
    --- stderr
    f29: perl:5.30 is the default, and is not built for it
    ");
    assert_snapshot!(place.run("module remove-default perl --release f29 --actor ann"), @r"
    exit 0
    --- stdout
    fedora/f29 module-default perl: - 5.30
    ");
    assert_snapshot!(place.run("module set-default perl:5.30 --actor ann"), @r"
    exit 1
    --- stderr
    error: distribution fedora has no module stream `perl:5.30`
      help: `kinset module list` shows those that there are
    ");
}

#[test]
fn a_packagers_file_is_taken_over_for_a_stream() {
    let place = nodejs();
    place.write(
        "perl.yaml",
        "document: modulemd-packager\nversion: 3\ndata:\n  configurations:\n  - {context: A, platform: f30}\n",
    );
    assert_snapshot!(place.run("module import perl.yaml --actor ann"), @r"
    exit 1
    --- stderr
    error: perl.yaml, line 4: data.name: expected the name of a module; found nothing
      help: a packager's file is of the stream that its repository and branch say; `--stream` names it
    ");
    assert_snapshot!(place.run("module import perl.yaml --stream perl:5.30 --actor ann"), @r"
    exit 0
    --- stdout
    fedora stream perl:5.30: + contexts A platforms f30, version 0
    ");
}

#[test]
fn a_file_that_is_wrong_changes_nothing() {
    let place = nodejs();
    place.write("modules.yaml", MODULES.replace("version: 20190405123256", "version: later"));
    assert_snapshot!(place.run("module import modules.yaml --actor ann"), @r#"
    exit 1
    --- stderr
    error: modules.yaml, line 7: data.version: expected a version: a whole number; found "later"
    "#);
    assert_snapshot!(place.run("module import nowhere.yaml --actor ann"), @r"
    exit 1
    --- stderr
    error: there is no file nowhere.yaml
      help: check the path
    ");
    assert_snapshot!(place.run("module list --quiet"), @r"
    exit 0
    --- stdout
    nodejs:10
    nodejs:8
    ");
}

#[test]
fn modules_are_asked_about_as_they_were() {
    let place = nodejs();
    assert_snapshot!(place.run("module matrix --as-of 2020-01-01"), @r"
    exit 1
    --- stderr
    error: no distribution is named, and there are 0
      help: `kinset distribution create` adds one
    ");
}

#[test]
fn pictures_are_svg_with_titles() {
    let place = nodejs();
    done(&place, ["module set nodejs:8 --eol 2019-05-28"]);
    let without_style = |picture: String| {
        let (before, rest) = picture.split_once("<style>").unwrap();
        format!("{before}{}", rest.split_once("</style>").unwrap().1)
    };
    assert_snapshot!(without_style(place.data("module matrix --release f30 --format svg")), @r#"
    <svg xmlns="http://www.w3.org/2000/svg" width="192" height="82" viewBox="0 0 192 82" role="img" aria-labelledby="title description">
      <title id="title">Streams of modules by release</title>
      <desc id="description">For each stream and release whether the stream is the default of its module there, available, or not built, by the policy ga-before-eol</desc>
      
      <rect width="192" height="82" class="ground"/>
      <text x="92" y="18" class="">f30</text>
      <text x="4" y="44" class="">nodejs:10</text>
      <rect x="89" y="27" width="98" height="24" class="default"><title>nodejs:10 in f30: default until 2020-05-26
    f30 is not excluded from those that it is wanted for
    nothing says that it ends
    it is the default of nodejs in f30</title></rect>
      <text x="96" y="44" class="small on-dark">default</text>
      <text x="4" y="70" class="">nodejs:8</text>
      <rect x="89" y="53" width="98" height="24" class="available"><title>nodejs:8 in f30: available until 2019-05-28
    it is wanted for all releases
    f30 is out on 2019-04-29, and nodejs:8 ends on 2019-05-28 (said for the stream)</title></rect>
      <text x="96" y="70" class="small on-light">available</text>
    </svg>
    "#);
    let timeline = without_style(place.data("module timeline"));
    for expected in [
        "role=\"img\"",
        "<title>f28: 2018-05-01 to 2019-05-28</title>",
        "<title>nodejs:8: 2017-11-14 to 2019-05-28</title>",
        "<title>nodejs:10: 2018-05-01 to 2020-05-26</title>",
        ">stream, a default</text>",
    ] {
        assert!(timeline.contains(expected), "{expected}: {timeline}");
    }
    assert!(!without_style(place.data("module timeline --release f27")).contains("f28"));
}

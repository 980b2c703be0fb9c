//! Modules on the command line: the third seed's example, ends, and slips.

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
pub(super) fn nodejs() -> Place {
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

pub(super) fn done(place: &Place, commands: impl IntoIterator<Item = impl AsRef<str>>) {
    for command in commands {
        let command = command.as_ref();
        let told = place.run(&format!("{command} --actor ann"));
        assert!(told.starts_with("exit 0\n"), "{command}: {told}");
    }
}

#[test]
fn the_matrix_of_the_seed_is_printed() {
    let place = nodejs();
    assert_snapshot!(place.run("module matrix"), @r"
    exit 0
    --- stdout
    STREAM	f27	f28	f29	f30
    nodejs:10	-	available	default	default
    nodejs:8	default	default	available	available
    ");
    assert_snapshot!(place.run("module matrix --release f28 --format json"), @r#"
    exit 0
    --- stdout
    {
      "policy": "ga-before-eol",
      "releases": [
        "f28"
      ],
      "streams": {
        "nodejs:10": {
          "f28": {
            "standing": "available",
            "until": "2019-05-28",
            "because": [
              {
                "reason": "not-excluded"
              },
              {
                "reason": "no-end"
              }
            ]
          }
        },
        "nodejs:8": {
          "f28": {
            "standing": "default",
            "until": "2019-05-28",
            "because": [
              {
                "reason": "all-releases"
              },
              {
                "reason": "no-end"
              },
              {
                "reason": "is-default"
              }
            ]
          }
        }
      },
      "stray_defaults": []
    }
    "#);
    assert_snapshot!(place.run("module list"), @r"
    exit 0
    --- stdout
    nodejs:10	-	-f27	1
    nodejs:8	-	all	2
    ");
    assert_snapshot!(place.run("module list --quiet"), @r"
    exit 0
    --- stdout
    nodejs:10
    nodejs:8
    ");
    assert_snapshot!(place.run("module matrix --release f31"), @r"
    exit 1
    --- stderr
    error: distribution fedora has no series `f31`
      help: `f30` is the nearest name that there is
    ");
    assert_snapshot!(place.run("module matrix --policy sometimes"), @r#"
    exit 1
    --- stderr
    error: invalid value 'sometimes' for '--policy <POLICY>': "sometimes" is no policy for dates; expected one of ga-before-eol, covers-release

    For more information, try '--help'.
    "#);
}

#[test]
fn an_end_is_told_with_what_says_so_and_what_follows() {
    let place = nodejs();
    assert_snapshot!(place.run("module eol nodejs:8"), @r"
    exit 0
    --- stdout
    stream       nodejs:8
    ends         never: it is built for each new release
    in           f27: default until 2018-11-30
    in           f28: default until 2019-05-28
    in           f29: available until 2019-11-26
    in           f30: available until 2020-05-26
    packages     nodejs npm
    ");
    assert_snapshot!(place.run("module set nodejs:8 --eol 2019-05-28 --actor ann"), @r"
    exit 0
    --- stdout
    fedora stream nodejs:8: eol nothing > date 2019-05-28
    ");
    assert_snapshot!(place.run("module eol nodejs:8"), @r"
    exit 0
    --- stdout
    stream       nodejs:8
    ends         2019-05-28: said for the stream
    in           f27: default until 2018-11-30
    in           f28: default until 2019-05-28
    in           f29: available until 2019-05-28, f29 itself until 2019-11-26
    in           f30: available until 2019-05-28, f30 itself until 2020-05-26
    packages     nodejs npm
    ");
    assert_snapshot!(place.run("module eol nodejs:8 --policy covers-release --format json"), @r#"
    exit 0
    --- stdout
    {
      "stream": "nodejs:8",
      "policy": "covers-release",
      "end": {
        "date": "2019-05-28",
        "by": "date"
      },
      "said": [
        {
          "date": "2019-05-28",
          "by": "date"
        }
      ],
      "releases": {
        "f27": {
          "standing": "default",
          "until": "2018-11-30",
          "because": [
            {
              "reason": "all-releases"
            },
            {
              "reason": "out-before-end",
              "released": "2017-11-14",
              "end": {
                "date": "2019-05-28",
                "by": "date"
              }
            },
            {
              "reason": "covers",
              "eol": "2018-11-30"
            },
            {
              "reason": "is-default"
            }
          ]
        },
        "f28": {
          "standing": "default",
          "until": "2019-05-28",
          "because": [
            {
              "reason": "all-releases"
            },
            {
              "reason": "out-before-end",
              "released": "2018-05-01",
              "end": {
                "date": "2019-05-28",
                "by": "date"
              }
            },
            {
              "reason": "covers",
              "eol": "2019-05-28"
            },
            {
              "reason": "is-default"
            }
          ]
        },
        "f29": {
          "standing": "not-built",
          "because": [
            {
              "reason": "outlived",
              "eol": "2019-11-26",
              "end": {
                "date": "2019-05-28",
                "by": "date"
              }
            }
          ]
        },
        "f30": {
          "standing": "not-built",
          "because": [
            {
              "reason": "outlived",
              "eol": "2020-05-26",
              "end": {
                "date": "2019-05-28",
                "by": "date"
              }
            }
          ]
        }
      },
      "packages": [
        "nodejs",
        "npm"
      ]
    }
    "#);
    assert_snapshot!(place.run("module set nodejs:8 --eol f28 --actor ann"), @r"
    exit 0
    --- stdout
    fedora stream nodejs:8: eol date 2019-05-28 > release f28
    ");
    assert_snapshot!(place.run("module eol nodejs:8"), @r"
    exit 0
    --- stdout
    stream       nodejs:8
    ends         2019-05-28: with f28
    in           f27: default until 2018-11-30
    in           f28: default until 2019-05-28
    packages     nodejs npm
    ");
    assert_snapshot!(place.run("module set nodejs:8 --eol= --platform f27 --platform f28 --actor ann"), @r"
    exit 0
    --- stdout
    fedora stream nodejs:8: contexts not-built platforms all, version 0 > not-built platforms f27 f28, version 0, eol release f28 > nothing
    ");
    assert_snapshot!(place.run("module eol nodejs:8"), @r"
    exit 0
    --- stdout
    stream       nodejs:8
    ends         2019-05-28: wanted for no release after f28
    in           f27: default until 2018-11-30
    in           f28: default until 2019-05-28
    packages     nodejs npm
    ");
    assert_snapshot!(place.run("module set nodejs:8 --eol f31 --actor ann"), @r"
    exit 1
    --- stderr
    error: distribution fedora has no series `f31`
      help: `f30` is the nearest name that there is
    ");
    assert_snapshot!(place.run("module set nodejs:8 --platform f27 --platform -f28 --actor ann"), @r"
    exit 1
    --- stderr
    error: the stream is wanted for no such releases
      because: expected either platforms or platforms with a `-` in front; found f27 and -f28
    ");
    assert_snapshot!(place.run("module eol nodejs:9"), @r"
    exit 1
    --- stderr
    error: distribution fedora has no module stream `nodejs:9`
      help: `nodejs:8` is the nearest name that there is
    ");
}

#[test]
fn why_is_answered_for_what_is_built_and_for_what_is_not() {
    let place = nodejs();
    done(&place, ["module set nodejs:8 --eol 2019-04-28"]);
    assert_snapshot!(place.run("module why nodejs:8 f28"), @r"
    exit 0
    --- stdout
    nodejs:8 in f28: default until 2019-04-28
      it is wanted for all releases
      f28 is out on 2018-05-01, and nodejs:8 ends on 2019-04-28 (said for the stream)
      it is the default of nodejs in f28
    ");
    assert_snapshot!(place.run("module why nodejs:8 f30"), @r"
    exit 0
    --- stdout
    nodejs:8 in f30: not built
      f30 is out on 2019-04-29 only, and nodejs:8 ends on 2019-04-28 (said for the stream)
    ");
    assert_snapshot!(place.run("module why nodejs:8 f29 --policy covers-release"), @r"
    exit 0
    --- stdout
    nodejs:8 in f29: not built
      f29 lives until 2019-11-26, and nodejs:8 ends on 2019-04-28 (said for the stream)
    ");
    assert_snapshot!(place.run("module why nodejs:10 f27 --format json"), @r#"
    exit 0
    --- stdout
    {
      "stream": "nodejs:10",
      "release": "f27",
      "policy": "ga-before-eol",
      "standing": "not-built",
      "because": [
        {
          "reason": "excluded"
        }
      ]
    }
    "#);
    assert_snapshot!(place.run("module why nodejs:10 f26"), @r"
    exit 1
    --- stderr
    error: distribution fedora has no series `f26`
      help: `f27` is the nearest name that there is
    ");
    assert_snapshot!(place.run("module why nodejs:10 sig"), @r"
    exit 1
    --- stderr
    error: modules are not built for sig
      help: they are built for series that have a version or lie over no other, and were not rejected
    ");
    assert_snapshot!(place.run("module why nodejs f27"), @r#"
    exit 1
    --- stderr
    error: invalid value 'nodejs' for '<STREAM>': expected the name of a stream: letters, digits and signs, without `:` and without white space; found ""

    For more information, try '--help'.
    "#);
}

#[test]
fn a_slip_is_shown_and_changes_nothing() {
    let place = nodejs();
    done(&place, ["module set nodejs:8 --eol 2019-04-30"]);
    assert_snapshot!(place.run("module slip f30 released=2019-05-07"), @r"
    exit 0
    --- stdout
    nodejs:8 f30: available until 2019-04-30 > not built
    ");
    assert_snapshot!(place.run("module slip f30 eol=2020-06-02 --policy covers-release"), @r"
    exit 0
    --- stdout
    nodejs:10 f30: default until 2020-05-26 > default until 2020-06-02
    ");
    assert_snapshot!(place.run("module slip f30 released=2019-04-30"), @r"
    exit 0
    --- stderr
    nothing would change
    ");
    assert_snapshot!(place.run("module slip f30 created=2019-04-30"), @r"
    exit 1
    --- stderr
    error: no stream is measured by when f30 is created
      help: the dates that bear on streams are `released` and `eol` of the releases that are in `kinset module matrix`
    ");
    assert_snapshot!(place.run("module slip f30 released=2019-05-07 --format json"), @r#"
    exit 0
    --- stdout
    [
      {
        "stream": "nodejs:8",
        "release": "f30",
        "before": {
          "standing": "available",
          "until": "2019-04-30",
          "because": [
            {
              "reason": "all-releases"
            },
            {
              "reason": "out-before-end",
              "released": "2019-04-29",
              "end": {
                "date": "2019-04-30",
                "by": "date"
              }
            }
          ]
        },
        "after": {
          "standing": "not-built",
          "because": [
            {
              "reason": "out-after-end",
              "released": "2019-05-07",
              "end": {
                "date": "2019-04-30",
                "by": "date"
              }
            }
          ]
        }
      }
    ]
    "#);
    assert_snapshot!(place.run("module why nodejs:8 f30"), @r"
    exit 0
    --- stdout
    nodejs:8 in f30: available until 2019-04-30
      it is wanted for all releases
      f30 is out on 2019-04-29, and nodejs:8 ends on 2019-04-30 (said for the stream)
    ");
}

//! The seed's text, case by case.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use jiff::civil::{Date, date};

use super::super::{Branches, Cell, DatePolicy, EndCause, Lifecycles, Obsoletes, StreamDetails, StreamEol};
use super::{available, built, defaults, json, lifecycles, path, wanted};
use crate::model::packages::{Milestone, PackageName};

use DatePolicy::{CoversRelease, GaBeforeEol};

fn ends(details: StreamDetails, eol: &str) -> StreamDetails {
    StreamDetails {
        eol: Some(eol.parse().unwrap()),
        ..details
    }
}

/// nodejs 8 with this, and 10 for all releases.
fn nodejs(eight: StreamDetails) -> Lifecycles {
    let mut lifecycles = lifecycles([("nodejs:8", eight), ("nodejs:10", wanted(""))]);
    lifecycles.defaults.insert("nodejs".parse().unwrap(), defaults());
    lifecycles
}

fn cell(lifecycles: &Lifecycles, policy: DatePolicy, release: &str) -> Cell {
    let matrix = lifecycles.matrix(policy);
    matrix.why(&path("nodejs:8"), &release.parse().unwrap()).unwrap().clone()
}

/// Where nodejs 8 is built: under the first policy, and under the second.
fn both(eight: &StreamDetails) -> [String; 2] {
    [GaBeforeEol, CoversRelease].map(|policy| built(&nodejs(eight.clone()).matrix(policy), "nodejs:8"))
}

#[test]
fn nodejs_8_and_10_are_available_as_the_seed_prints() {
    let mut lifecycles = lifecycles([("nodejs:8", wanted("f27 f28 f29 f30")), ("nodejs:10", wanted("f28 f29 f30"))]);
    lifecycles.defaults.insert("nodejs".parse().unwrap(), defaults());
    let matrix = lifecycles.matrix(GaBeforeEol);
    assert_snapshot!(available(&matrix), @r"
    f27: nodejs 8 by default
    f28: nodejs 8 by default also nodejs 10
    f29: nodejs 10 by default also nodejs 8
    f30: nodejs 10 by default also nodejs 8
    ");
    assert_eq!(matrix.stray_defaults, []);
    assert_eq!(lifecycles.matrix(CoversRelease).streams, matrix.streams, "no date, no policy");
}

#[test]
fn traditional_branches_give_one_version_to_each_release_until_it_is_retired() {
    let lifecycles = lifecycles([]);
    let branches = |listed: &[&str], retired: &[&str]| Branches {
        listed: listed.iter().map(|name| name.parse().unwrap()).collect(),
        retired: retired.iter().map(|name| name.parse().unwrap()).collect(),
    };
    let branches: BTreeMap<PackageName, Branches> = [
        ("bash".parse().unwrap(), branches(&["f27"], &[])),
        ("gone".parse().unwrap(), branches(&["f27", "f28"], &["f29"])),
        ("back".parse().unwrap(), branches(&["f27", "f30"], &["f28"])),
        ("never".parse().unwrap(), branches(&[], &[])),
    ]
    .into();
    let lives = lifecycles.lives(&lifecycles.matrix(GaBeforeEol), &branches);
    let told = lives.iter().map(|(package, lives)| {
        let lives = lives.iter().map(|life| format!(" {} until {}", life.release, life.until.unwrap()));
        format!("{package}:{}\n", lives.collect::<String>())
    });
    assert_snapshot!(told.collect::<String>(), @r"
    back: f27 until 2018-11-30 f30 until 2020-05-26
    bash: f27 until 2018-11-30 f28 until 2019-05-28 f29 until 2019-11-26 f30 until 2020-05-26
    gone: f27 until 2018-11-30 f28 until 2019-05-28
    never:
    ");
}

#[test]
fn with_no_platforms_and_no_end_a_module_is_built_for_new_releases_forever() {
    let lifecycles = nodejs(wanted(""));
    for policy in DatePolicy::ALL {
        assert_eq!(built(&lifecycles.matrix(policy), "nodejs:8"), "f27 f28 f29 f30");
    }
    let end = lifecycles.end_of(&path("nodejs:8")).unwrap();
    assert_eq!((end.end, end.said), (None, vec![]));
    assert_eq!(lifecycles.end_of(&path("nodejs:9")), None);
}

#[test]
fn with_listed_platforms_the_end_is_that_of_the_last_of_them() {
    let lifecycles = nodejs(wanted("f28 f27"));
    assert_eq!(built(&lifecycles.matrix(GaBeforeEol), "nodejs:8"), "f27 f28");
    assert_snapshot!(json(&lifecycles.end_of(&path("nodejs:8")).unwrap().end), @r#"{"date":"2019-05-28","by":"platforms","last":"f28"}"#);
    assert_snapshot!(json(&cell(&lifecycles, GaBeforeEol, "f29")), @r#"{"standing":"not-built","because":[{"reason":"not-listed","platforms":["f27","f28"]}]}"#);
    let elsewhere = nodejs(wanted("el8")).end_of(&path("nodejs:8")).unwrap();
    assert_eq!(elsewhere.end.unwrap().cause.words(), "wanted for no release that there is");
}

#[test]
fn excluded_platforms_are_all_but_those() {
    let lifecycles = nodejs(wanted("-f28"));
    assert_eq!(built(&lifecycles.matrix(GaBeforeEol), "nodejs:8"), "f27 f29 f30");
    assert_eq!(lifecycles.end_of(&path("nodejs:8")).unwrap().end, None);
}

#[test]
fn an_end_that_is_said_is_the_end_and_the_policy_says_for_which_releases() {
    // 28 is out, and 29 is on that very day; 29 lives longer than the stream, 27 and 28 do not.
    let eight = ends(wanted(""), "2018-10-30");
    assert_eq!(both(&eight), ["f27 f28 f29", ""]);
    let eight = ends(wanted(""), "2019-05-28");
    assert_eq!(both(&eight), ["f27 f28 f29 f30", "f27 f28"]);
    let until = |release| cell(&nodejs(eight.clone()), GaBeforeEol, release).until;
    assert_eq!(until("f27"), Some(date(2018, 11, 30)), "the release ends first");
    assert_eq!(until("f30"), Some(date(2019, 5, 28)), "the stream ends first");
}

#[test]
fn a_stream_that_no_document_describes_ends_when_it_is_said_to_and_is_built_nowhere() {
    let undescribed = lifecycles([
        ("nodejs:8", ends(StreamDetails::default(), "2019-12-31")),
        ("nodejs:10", StreamDetails::default()),
    ]);
    let end = undescribed.end_of(&path("nodejs:8")).unwrap().end.unwrap();
    assert_eq!((end.date, end.cause), (Some(date(2019, 12, 31)), EndCause::Date));
    assert_eq!(undescribed.end_of(&path("nodejs:10")).unwrap().end, None);
    assert_eq!(built(&undescribed.matrix(GaBeforeEol), "nodejs:8"), "");
}

#[test]
fn an_end_with_a_release_makes_that_the_last_one() {
    let eight = ends(wanted(""), "f28");
    assert_eq!(both(&eight), ["f27 f28", "f27 f28"]);
    let lifecycles = nodejs(eight);
    assert_eq!(
        lifecycles.end_of(&path("nodejs:8")).unwrap().end.unwrap().date,
        Some(date(2019, 5, 28))
    );
    assert_snapshot!(json(&cell(&lifecycles, GaBeforeEol, "f29")), @r#"{"standing":"not-built","because":[{"reason":"after-last","last":"f28"}]}"#);
}

#[test]
fn of_platforms_and_an_end_whatever_comes_earlier_wins() {
    // The end comes first, then the platforms do.
    assert_eq!(both(&ends(wanted("f27 f28 f29"), "f28"))[0], "f27 f28");
    assert_eq!(both(&ends(wanted("f27"), "f28"))[0], "f27");
    assert_eq!(both(&ends(wanted("f27 f28 f29"), "2018-05-01"))[0], "f27 f28");
    let first = |details| nodejs(details).end_of(&path("nodejs:8")).unwrap().end.unwrap();
    assert_eq!(first(ends(wanted("f27 f28 f29"), "f28")).cause.words(), "with f28");
    assert_eq!(first(ends(wanted("f27"), "f28")).cause.words(), "wanted for no release after f27");
    assert_eq!(
        first(ends(wanted("f27 f28 f29"), "2018-05-01")).cause.words(),
        "said for the stream"
    );
}

#[test]
fn service_levels_end_with_the_one_that_lasts_longest() {
    let mut eight = wanted("");
    let levels = [
        ("rawhide", None),
        ("bug_fixes", Some(date(2018, 1, 1))),
        ("security_fixes", Some(date(2018, 6, 1))),
    ];
    eight.contexts.values_mut().next().unwrap().service_levels = levels.map(|(level, date)| (level.to_owned(), date)).into();
    assert_eq!(both(&eight), ["f27 f28", ""]);
    let end = nodejs(eight.clone()).end_of(&path("nodejs:8")).unwrap().end.unwrap();
    assert_eq!(end.cause.words(), "service level security_fixes");
    assert_eq!(both(&ends(eight, "2018-01-01"))[0], "f27", "a date that is said comes first here");
}

fn obsolete(modified: &str, eol: Option<Date>, context: Option<&str>) -> Obsoletes {
    Obsoletes {
        modified: modified.parse().unwrap(),
        context: context.map(|context| context.parse().unwrap()),
        reset: false,
        eol,
        message: "old".to_owned(),
        obsoleted_by: Some(path("nodejs:10")),
    }
}

#[test]
fn of_what_obsoletes_a_stream_the_newest_counts_and_a_reset_takes_it_back() {
    let mut eight = wanted("");
    eight.obsoletes = vec![
        obsolete("2018-03-01T00:00:00Z", Some(date(2018, 6, 1)), None),
        obsolete("2018-02-01T00:00:00Z", Some(date(2018, 1, 1)), None),
    ];
    assert_eq!(both(&eight)[0], "f27 f28");
    eight.obsoletes.push(obsolete("2018-04-01T12:00:00Z", None, None));
    assert_eq!(both(&eight)[0], "f27", "without a date it ends at once");
    let reset = Obsoletes {
        reset: true,
        ..obsolete("2018-05-01T00:00:00Z", None, None)
    };
    eight.obsoletes.push(reset);
    assert_eq!(both(&eight), ["f27 f28 f29 f30", "f27 f28 f29 f30"]);
}

#[test]
fn what_obsoletes_one_context_leaves_the_others() {
    let mut eight = wanted("f27");
    let context = wanted("f28").contexts.pop_first().unwrap().1;
    eight.contexts.insert("c0ffee".parse().unwrap(), context);
    eight.obsoletes = vec![obsolete("2018-01-01T00:00:00Z", None, Some("c0ffee"))];
    assert_eq!(both(&eight)[0], "f27");
    eight.obsoletes = vec![obsolete("2017-01-01T00:00:00Z", None, None)];
    assert_eq!(both(&eight)[0], "", "without a context all are meant");
}

#[test]
fn a_slip_of_the_end_of_a_release_changes_nothing_where_only_its_day_counts() {
    let lifecycles = nodejs(ends(wanted(""), "2019-05-28"));
    let slipped = lifecycles
        .with_date(&"f28".parse().unwrap(), &Milestone::EOL, Some(date(2019, 6, 4)))
        .unwrap();
    let builds = |lifecycles: &Lifecycles, policy| built(&lifecycles.matrix(policy), "nodejs:8");
    assert_eq!(builds(&slipped, GaBeforeEol), builds(&lifecycles, GaBeforeEol));
    // The seed's worry: the release suddenly slips after the end of the module.
    assert_eq!(builds(&lifecycles, CoversRelease), "f27 f28");
    assert_eq!(builds(&slipped, CoversRelease), "f27");
    assert_snapshot!(json(&cell(&slipped, CoversRelease, "f28")), @r#"{"standing":"not-built","because":[{"reason":"outlived","eol":"2019-06-04","end":{"date":"2019-05-28","by":"date"}}]}"#);
}

#[test]
fn a_slip_is_shown_as_what_it_changes() {
    let lifecycles = nodejs(ends(wanted(""), "2019-04-30"));
    let slipped = lifecycles
        .with_date(&"f30".parse().unwrap(), &Milestone::RELEASED, Some(date(2019, 5, 7)))
        .unwrap();
    let changes = lifecycles.matrix(GaBeforeEol).changes_to(&slipped.matrix(GaBeforeEol));
    assert_snapshot!(json(&changes), @r#"[{"stream":"nodejs:8","release":"f30","before":{"standing":"available","until":"2019-04-30","because":[{"reason":"all-releases"},{"reason":"out-before-end","released":"2019-04-29","end":{"date":"2019-04-30","by":"date"}}]},"after":{"standing":"not-built","because":[{"reason":"out-after-end","released":"2019-05-07","end":{"date":"2019-04-30","by":"date"}}]}}]"#);
    assert_eq!(slipped.matrix(GaBeforeEol).changes_to(&slipped.matrix(GaBeforeEol)), []);
    let unknown = |release: &str, milestone: Milestone| lifecycles.with_date(&release.parse().unwrap(), &milestone, None).is_none();
    assert!(unknown("f31", Milestone::EOL) && unknown("f30", Milestone::CREATED));
}

#[test]
fn a_release_without_a_day_goes_out_after_those_before_it_and_not_before_today() {
    let without = |lifecycles: Lifecycles, milestone| lifecycles.with_date(&"f30".parse().unwrap(), &milestone, None).unwrap();
    // Out not before 29 was, on 2018-10-30, and not before today, 2018-11-15.
    let ended = without(nodejs(ends(wanted(""), "2018-11-14")), Milestone::RELEASED);
    assert_eq!(built(&ended.matrix(GaBeforeEol), "nodejs:8"), "f27 f28 f29");
    assert_snapshot!(json(&cell(&ended, GaBeforeEol, "f30").because), @r#"[{"reason":"out-after-end-anyway","not_before":"2018-11-15","end":{"date":"2018-11-14","by":"date"}}]"#);
    let open = without(nodejs(ends(wanted(""), "2018-11-15")), Milestone::RELEASED);
    assert_eq!(built(&open.matrix(GaBeforeEol), "nodejs:8"), "f27 f28 f29 f30");
    // Nobody knows when it ends: no date is known to cover it.
    let uncovered = without(nodejs(ends(wanted(""), "2099-01-01")), Milestone::EOL);
    assert_eq!(built(&uncovered.matrix(CoversRelease), "nodejs:8"), "f27 f28 f29");
    assert_eq!(
        built(&without(nodejs(wanted("")), Milestone::EOL).matrix(CoversRelease), "nodejs:8"),
        "f27 f28 f29 f30"
    );
}

#[test]
fn a_default_that_is_not_built_is_nobodys_default() {
    let mut lifecycles = nodejs(ends(wanted(""), "f27"));
    lifecycles.defaults.entry("perl".parse().unwrap()).or_default().everywhere = Some("5.30".parse().unwrap());
    let matrix = lifecycles.matrix(GaBeforeEol);
    assert_snapshot!(available(&matrix), @r"
    f27: nodejs 8 by default also nodejs 10
    f28: also nodejs 10
    f29: nodejs 10 by default
    f30: nodejs 10 by default
    ");
    let strays: Vec<String> = matrix
        .stray_defaults
        .iter()
        .map(|stray| format!("{} {}", stray.release, stray.stream))
        .collect();
    assert_eq!(
        strays.join(", "),
        "f27 perl:5.30, f28 nodejs:8, f28 perl:5.30, f29 perl:5.30, f30 perl:5.30"
    );
}

#[test]
fn a_package_has_no_end_but_that_of_the_modules_that_include_it_and_of_its_branches() {
    let mut lifecycles = nodejs(ends(wanted(""), "2019-01-01"));
    let npm: PackageName = "npm".parse().unwrap();
    let eight = lifecycles.streams.get_mut(&path("nodejs:8")).unwrap();
    eight.contexts.values_mut().next().unwrap().packages.insert(npm.clone());
    let branch = Branches {
        listed: ["f29".parse().unwrap()].into(),
        retired: ["f30".parse().unwrap()].into(),
    };
    let branches = [(npm, branch), ("loose".parse().unwrap(), Branches::default())].into();
    let lives = lifecycles.lives(&lifecycles.matrix(GaBeforeEol), &branches);
    let told = lives.iter().map(|(package, lives)| {
        let lives = lives.iter().map(|life| {
            let through: Vec<String> = life.through.iter().map(ToString::to_string).collect();
            let branch = if life.is_branched { " and its branch" } else { "" };
            format!("  {} until {}: {}{branch}\n", life.release, life.until.unwrap(), through.join(" "))
        });
        format!("{package}\n{}", lives.collect::<String>())
    });
    assert_snapshot!(told.collect::<String>(), @r"
    loose
    nodejs
      f27 until 2018-11-30: nodejs:10 nodejs:8
      f28 until 2019-05-28: nodejs:10 nodejs:8
      f29 until 2019-11-26: nodejs:10 nodejs:8
      f30 until 2020-05-26: nodejs:10
    npm
      f27 until 2018-11-30: nodejs:8
      f28 until 2019-01-01: nodejs:8
      f29 until 2019-11-26: nodejs:8 and its branch
    ");
}

#[test]
fn what_the_command_line_takes_for_an_end_is_one() {
    assert_eq!("f28".parse(), Ok(StreamEol::Release("f28".parse().unwrap())));
}

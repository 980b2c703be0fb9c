//! A series that has ended answers as it did when it ended, unless somebody insists.

use insta::assert_snapshot;
use kinset::store::packages::Force;

use crate::packages_support::Kept;

fn end(kept: &mut Kept, series: &str) {
    for status in ["active", "eol"] {
        kept.done(&format!(
            r#"{{"op":"change-series","in":"d/{series}","owner":"ann","status":"{status}"}}"#
        ));
    }
}

/// Does what has to be refused, and then is done by force. Tells of both.
#[track_caller]
fn forced(kept: &mut Kept, operation: &str) -> String {
    let refused = kept.refused(operation);
    let changes = kept.attempt(operation, Force::Insisted).unwrap().changes;
    let changes = changes.iter().map(|change| {
        let series = change.series.as_ref().map(ToString::to_string).unwrap_or_default();
        let sign = if change.after.is_some() { '+' } else { '-' };
        format!("\n{series} {} {} {sign}", change.kind, change.name)
    });
    format!("{refused}{}", changes.collect::<String>())
}

#[test]
fn what_has_ended_begins_again_only_when_somebody_insists() {
    for also in ["", r#","summary":"what it never said""#] {
        let mut kept = Kept::new("debian", &["s"], &[]);
        end(&mut kept, "s");
        let again = format!(r#"{{"op":"change-series","in":"d/s","owner":"ann","status":"active"{also}}}"#);
        insta::allow_duplicates! {
            assert_snapshot!(forced(&mut kept, &again), @r"
            series d/s has ended (eol), and its record is closed -- what it answers stays; with `--force` it is changed all the same
            s series s +
            ");
        }
    }
}

#[test]
fn a_hierarchy_for_all_series_is_changed_for_what_has_ended_only_when_somebody_insists() {
    let mut kept = Kept::new("debian", &["a"], &[]);
    for set in ["all", "core", "games"] {
        kept.done(&format!(r#"{{"op":"create-set","in":"d/a","set":"{set}","owner":"ann"}}"#));
    }
    kept.done(r#"{"op":"init-series","in":"d/b","from":"d/a","owner":"ann"}"#);
    kept.done(r#"{"op":"init-series","in":"d/c","from":"d/a","owner":"ann"}"#);
    kept.done(r#"{"op":"convert-sharing","distribution":"d","to":"tethered"}"#);
    kept.done(r#"{"op":"rename-set","in":"d/c","set":"all","to":"everything"}"#);
    kept.done(r#"{"op":"remove-set","in":"d/a","set":"games"}"#);
    end(&mut kept, "a");
    // Whoever has only one of the two is not concerned, and each that is concerned is told of under the name that it has there.
    assert_snapshot!(kept.changes(r#"{"op":"add-subsets","in":"d/b","set":"all","subsets":["games"]}"#), @r#"
    d/b subsets all: nothing > ["games"]
    d/c subsets everything: nothing > ["games"]
    "#);
    assert_snapshot!(kept.changes(r#"{"op":"remove-subsets","in":"d/b","set":"all","subsets":["games"]}"#), @r#"
    d/b subsets all: ["games"] > nothing
    d/c subsets everything: ["games"] > nothing
    "#);
    assert_snapshot!(forced(&mut kept, r#"{"op":"add-subsets","in":"d/b","set":"all","subsets":["core","games"]}"#), @r"
    series d/a has ended (eol), and its record is closed -- what it answers stays; with `--force` it is changed all the same
    b subsets all +
    a subsets all +
    c subsets everything +
    ");
    assert_snapshot!(forced(&mut kept, r#"{"op":"remove-subsets","in":"d/b","set":"all","subsets":["core"]}"#), @r"
    series d/a has ended (eol), and its record is closed -- what it answers stays; with `--force` it is changed all the same
    b subsets all -
    a subsets all -
    c subsets everything -
    ");
}

#[test]
fn a_conversion_that_gives_what_has_ended_another_hierarchy_takes_somebody_who_insists() {
    let mut kept = Kept::new("debian", &["a"], &[]);
    for set in ["all", "core"] {
        kept.done(&format!(r#"{{"op":"create-set","in":"d/a","set":"{set}","owner":"ann"}}"#));
    }
    kept.done(r#"{"op":"init-series","in":"d/b","from":"d/a","owner":"ann"}"#);
    kept.done(r#"{"op":"add-subsets","in":"d/b","set":"all","subsets":["core"]}"#);
    end(&mut kept, "a");
    let convert = r#"{"op":"convert-sharing","distribution":"d","to":"tethered","hierarchy_of":"b"}"#;
    assert_snapshot!(forced(&mut kept, convert), @r"
    series d/a has ended (eol), and its record is closed -- what it answers stays; with `--force` it is changed all the same
    b packageset-copy core +
    a subsets all +
     sharing d +
    ");
}

#[test]
fn a_version_that_has_ended_with_its_series_keeps_its_stage_unless_somebody_insists() {
    let mut kept = Kept::new("debian", &["s", "t"], &["bash"]);
    for (series, version) in [("s", "1"), ("t", "1"), ("t", "2")] {
        if version == "1" {
            kept.list(series, "bash");
        }
        kept.version(series, "bash", version);
    }
    end(&mut kept, "s");
    let obsolete = |version: &str| {
        format!(r#"{{"op":"change-version","distribution":"d","package":"bash","version":"{version}","status":"obsolete"}}"#)
    };
    kept.done(&obsolete("2"));
    assert_snapshot!(forced(&mut kept, &obsolete("1")), @r"
    series d/s has ended (eol), and its record is closed -- what it answers stays; with `--force` it is changed all the same
     version bash 1 +
    ");
}

//! What the log tells of package sets: of each its own, all that was lost, and nothing of a time to come.

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use kinset::model::packages::PackageSetName;
use kinset::store::packages::{Force, LogEntry};
use serde_json::Value;

use crate::packages_support::{Kept, told};

/// A line for each change of a set that went by that name in a series.
fn history(kept: &Kept, series: &str, set: &str, is_alone: bool, as_of: Option<Timestamp>) -> String {
    let set: PackageSetName = set.parse().unwrap();
    let series = format!("d/{series}").parse().unwrap();
    let told_of = kept.store.ask(as_of, |view| {
        let series = view.series(&series)?;
        let distribution = view.distribution(&series.path.distribution)?;
        view.history(&distribution, is_alone.then_some(&series), view.set_ever(&series, &set, is_alone)?)
    });
    match told_of {
        Ok(entries) => entries.iter().map(lines).collect(),
        Err(error) => told(&error),
    }
}

fn lines(entry: &LogEntry) -> String {
    let line = |change: &kinset::store::packages::Change| {
        let series = change.series.as_ref().map(ToString::to_string).unwrap_or_default();
        let sign = if change.after.is_some() { '+' } else { '-' };
        format!("{}: {series} {} {} {sign}\n", entry.id, change.kind, change.name)
    };
    entry.changes.iter().map(line).collect()
}

fn create(kept: &mut Kept, series: &str, set: &str, owner: &str) {
    kept.done(&format!(
        r#"{{"op":"create-set","in":"d/{series}","set":"{set}","owner":"{owner}"}}"#
    ));
}

fn two_series() -> Kept {
    let mut kept = Kept::new("debian", &["clover"], &["bash", "dash"]);
    create(&mut kept, "clover", "core", "ann");
    kept.done(r#"{"op":"add-sources","in":"d/clover","set":"core","sources":["bash"]}"#);
    kept.done(
        r#"{"op":"grant","distribution":"d","party":"bob","action":"upload","on":"package-set","series":"clover","set":"core","status":"approved"}"#,
    );
    kept.done(r#"{"op":"init-series","in":"d/daisy","from":"d/clover","owner":"ann"}"#);
    kept
}

#[test]
fn a_name_that_another_set_takes_over_brings_no_history_along() {
    let mut kept = two_series();
    kept.done(r#"{"op":"rename-set","in":"d/daisy","set":"core","to":"base"}"#);
    create(&mut kept, "daisy", "core", "evil");
    kept.done(r#"{"op":"add-sources","in":"d/daisy","set":"core","sources":["dash"]}"#);
    kept.done(
        r#"{"op":"grant","distribution":"d","party":"evil","action":"upload","on":"package-set","series":"daisy","set":"core","status":"approved"}"#,
    );
    kept.done(r#"{"op":"score-set","in":"d/daisy","set":"base","score":7}"#);
    assert_snapshot!(history(&kept, "daisy", "base", false, None), @r"
    4: clover packageset core +
    5: clover sources core +
    6: clover permission bob +
    7: daisy series-init daisy +
    8: daisy packageset-copy core +
    8: daisy packageset core +
    12: daisy score base +
    ");
    assert_snapshot!(history(&kept, "daisy", "core", false, None), @r"
    9: daisy packageset core +
    10: daisy sources core +
    11: daisy permission evil +
    ");
    assert_snapshot!(history(&kept, "daisy", "base", true, None), @r"
    7: daisy series-init daisy +
    8: daisy packageset-copy core +
    8: daisy packageset core +
    12: daisy score base +
    ");
}

#[test]
fn a_set_that_is_gone_has_its_history_its_end_included() {
    let mut kept = two_series();
    kept.done(r#"{"op":"rename-set","in":"d/daisy","set":"core","to":"base"}"#);
    let before = kept.now;
    kept.done(r#"{"op":"remove-set","in":"d/daisy","set":"base"}"#);
    assert_snapshot!(history(&kept, "daisy", "base", true, None), @r"
    7: daisy series-init daisy +
    8: daisy packageset-copy core +
    8: daisy packageset core +
    9: daisy permission bob -
    9: daisy packageset base -
    ");
    assert_eq!(
        history(&kept, "daisy", "core", true, None),
        history(&kept, "daisy", "base", true, None)
    );
    assert!(!history(&kept, "daisy", "base", true, Some(before)).contains("base -"));
    // Of another series' set only where no series is named.
    create(&mut kept, "clover", "games", "ann");
    assert_snapshot!(history(&kept, "daisy", "games", false, None), @"10: clover packageset games +");
    assert_snapshot!(history(&kept, "daisy", "games", true, None), @"d/daisy has no package set `games` -- `kinset packageset list` shows those that there are");
    // The last one that went by the name, where several did.
    create(&mut kept, "daisy", "base", "bob");
    kept.done(r#"{"op":"remove-set","in":"d/daisy","set":"base"}"#);
    assert_snapshot!(history(&kept, "daisy", "base", true, None), @r"
    11: daisy packageset base +
    12: daisy packageset base -
    ");
}

#[test]
fn all_that_goes_with_a_set_is_in_the_log() {
    for sharing in ["copy-on-write", "tethered"] {
        let mut kept = two_series();
        kept.done(&format!(r#"{{"op":"convert-sharing","distribution":"d","to":"{sharing}"}}"#));
        create(&mut kept, "daisy", "all", "ann");
        create(&mut kept, "daisy", "part", "ann");
        kept.done(r#"{"op":"add-subsets","in":"d/daisy","set":"all","subsets":["core"]}"#);
        kept.done(r#"{"op":"add-subsets","in":"d/daisy","set":"core","subsets":["part"]}"#);
        let changes = kept.done(r#"{"op":"remove-set","in":"d/daisy","set":"core"}"#).changes;
        let lost: Vec<String> = changes
            .into_iter()
            .filter(|change| change.after.is_none())
            .map(|change| format!("{} {}: {}", change.kind, change.name, change.before.unwrap_or(Value::Null)))
            .collect();
        assert_eq!(lost.len(), 3, "{sharing}");
        insta::allow_duplicates! {
            assert_snapshot!(lost.join("\n"), @r#"
            subsets all: ["core"]
            permission bob: {"action":"upload","on":"package-set","party":"bob","series":"daisy","set":"core","status":"approved"}
            packageset core: {"description":"","group":"d/core","name":"core","owner":"ann","score":0,"sources":["bash"],"subsets":["part"]}
            "#);
        }
    }
}

#[test]
fn a_package_that_was_not_known_then_is_not_answered_for_then() {
    let mut kept = Kept::new("debian", &["s"], &["bash"]);
    let then = kept.now;
    kept.done(r#"{"op":"add-packages","distribution":"d","packages":["dash"]}"#);
    let known = |as_of| {
        let found = kept.store.ask(as_of, |view| {
            let series = view.series(&"d/s".parse().unwrap())?;
            let package = "dash".parse().unwrap();
            let described = view
                .package(&view.distribution(&"d".parse().unwrap())?, &package)
                .map(|row| row.name);
            let containing = view.containing(&series, &package, kinset::store::packages::Inclusion::Direct);
            Ok([described.is_ok(), containing.is_ok()])
        });
        found.unwrap()
    };
    assert_eq!(known(Some(then)), [false, false]);
    assert_eq!(known(None), [true, true]);
}

#[test]
fn a_log_that_is_ahead_of_the_clock_is_added_to_only_when_somebody_insists() {
    let mut kept = Kept::new("debian", &["s"], &["bash"]);
    let ahead = kept.now;
    kept.now -= SignedDuration::from_mins(6);
    create(&mut kept, "s", "near", "ann");
    kept.now -= SignedDuration::from_mins(2);
    let far = r#"{"op":"create-set","in":"d/s","set":"far","owner":"ann"}"#;
    assert_snapshot!(kept.refused(far), @"the newest entry of the log is of 2026-01-01T00:03:00Z, and by the clock it is 2025-12-31T23:57:00Z -- set the clock if it is slow; if it was fast then, go on with `--force`: until 2026-01-01T00:03:00Z every change is entered as made at that time, and `--as-of` an earlier time does not show it");
    kept.attempt(far, Force::Insisted).unwrap();
    let newest = kept
        .ask(None, |view| view.log(&kinset::store::packages::LogFilter::default()))
        .pop()
        .unwrap();
    assert_eq!(newest.at, ahead);
    kept.now = ahead;
    create(&mut kept, "s", "later", "ann");
}

#[test]
fn whose_hierarchy_becomes_another_is_in_the_log() {
    let mut kept = two_series();
    create(&mut kept, "clover", "all", "ann");
    kept.done(r#"{"op":"create-set","in":"d/daisy","set":"everything","owner":"ann","related":{"in":"d/clover","set":"all"}}"#);
    create(&mut kept, "daisy", "new", "ann");
    kept.done(r#"{"op":"add-subsets","in":"d/clover","set":"core","subsets":["all"]}"#);
    kept.done(r#"{"op":"add-subsets","in":"d/daisy","set":"everything","subsets":["core", "new"]}"#);
    let convert = r#"{"op":"convert-sharing","distribution":"d","to":"tethered","hierarchy_of":"daisy"}"#;
    assert_snapshot!(kept.changes(convert), @r#"
    d/clover subsets all: nothing > ["core"]
    d/clover subsets core: ["all"] > nothing
    d sharing d: "copy-on-write" > "tethered"
    "#);
}

//! What is said of collections, which lie over which, and what is refused.

use insta::assert_snapshot;
use kinset::model::packages::SeriesDetails;
use kinset::store::packages::Force;

use crate::packages_support::Kept;

fn said(kept: &Kept, series: &str, as_of: Option<jiff::Timestamp>) -> SeriesDetails {
    kept.of(series, as_of, |_, series| Ok(series.details))
}

#[test]
fn a_collection_is_kept_as_it_is_said_and_as_it_was_said() {
    let mut kept = Kept::new("rpm", &["devel", "extras"], &[]);
    let whole = concat!(
        r#"{"op":"create-series","in":"d/FC-6","title":"Fedora Core","version":"6","status":"frozen","owner":"@releng","summary":"The sixth","#,
        r#""description":"Zod","branch":{"name":"FC-6","dist_tag":".fc6","parent":"devel"},"publish_url":"https://example.org/6/[ARCH]/[PACKAGE]","#,
        r#""pending_url":"https://example.org/new/[PACKAGE]","bases":[{"base":"extras","priority":-1},{"base":"devel","priority":3}]}"#
    );
    kept.done(whole);
    let details = |operation: &str| -> SeriesDetails {
        let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(operation).unwrap();
        fields.retain(|key, _| key != "op" && key != "in");
        serde_json::from_value(fields.into()).unwrap()
    };
    assert_eq!(said(&kept, "FC-6", None), details(whole));
    let before = kept.now;
    let bare =
        r#"{"op":"change-series","in":"d/FC-6","version":"6","status":"active","owner":"bob","bases":[{"base":"devel","priority":3}]}"#;
    assert_snapshot!(kept.changes(bare), @r#"d/FC-6 series FC-6: {"bases":[{"base":"extras","priority":-1},{"base":"devel","priority":3}],"branch":{"dist_tag":".fc6","name":"FC-6","parent":"devel"},"description":"Zod","owner":"@releng","pending_url":"https://example.org/new/[PACKAGE]","publish_url":"https://example.org/6/[ARCH]/[PACKAGE]","status":"frozen","summary":"The sixth","title":"Fedora Core","version":"6"} > {"bases":[{"base":"devel","priority":3}],"owner":"bob","status":"active","version":"6"}"#);
    assert_eq!(said(&kept, "FC-6", None), details(bare));
    assert_eq!(said(&kept, "FC-6", Some(before)), details(whole));
    assert_eq!(kept.done(bare).log, None, "said again it is nothing new");
}

#[test]
fn dates_are_kept_as_they_are_said_and_as_they_were_said() {
    let mut kept = Kept::new("rpm", &[], &[]);
    kept.done(
        r#"{"op":"create-series","in":"d/f41","owner":"ann","dates":{"released":"2024-10-29","eol":"2025-11-26","eol-new":"2026-01-01"}}"#,
    );
    let dates = |kept: &Kept, as_of| {
        let dates = said(kept, "f41", as_of).dates;
        dates
            .iter()
            .map(|(milestone, date)| format!("{milestone} {date}"))
            .collect::<Vec<_>>()
    };
    let before = kept.now;
    assert_eq!(dates(&kept, None), ["eol 2025-11-26", "eol-new 2026-01-01", "released 2024-10-29"]);
    let moved = r#"{"op":"change-series","in":"d/f41","owner":"ann","dates":{"released":"2024-10-29","eol":"2025-12-15"}}"#;
    assert_snapshot!(kept.changes(moved), @r#"d/f41 series f41: {"dates":{"eol":"2025-11-26","eol-new":"2026-01-01","released":"2024-10-29"},"owner":"ann","status":"development","version":"0"} > {"dates":{"eol":"2025-12-15","released":"2024-10-29"},"owner":"ann","status":"development","version":"0"}"#);
    assert_eq!(dates(&kept, None), ["eol 2025-12-15", "released 2024-10-29"]);
    assert_eq!(
        dates(&kept, Some(before)),
        ["eol 2025-11-26", "eol-new 2026-01-01", "released 2024-10-29"]
    );
    assert_eq!(kept.done(moved).log, None, "said again it is nothing new");
    kept.done(r#"{"op":"init-series","in":"d/f42","from":"d/f41","owner":"ann"}"#);
    assert_eq!(said(&kept, "f42", None).dates.len(), 0, "a new series has dates of its own");
}

#[test]
fn bases_are_kept_in_the_order_in_which_they_are_asked() {
    let mut kept = Kept::new("rpm", &["a", "b", "c"], &[]);
    let with = |bases: &str| format!(r#"{{"op":"create-series","in":"d/top","owner":"ann","bases":[{bases}]}}"#);
    kept.done(&with(
        r#"{"base":"b","priority":1},{"base":"c","priority":1},{"base":"a","priority":1}"#,
    ));
    let bases = said(&kept, "top", None).bases;
    assert_eq!(bases.iter().map(|base| base.base.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let other_order = with(r#"{"base":"c","priority":1},{"base":"b","priority":1},{"base":"a","priority":1}"#).replace("create", "change");
    assert_eq!(kept.done(&other_order).log, None, "the order in which they are named says nothing");
}

#[test]
fn what_cannot_lie_over_what_is_refused_with_the_way_round() {
    let mut kept = Kept::new("rpm", &["bottom", "middle", "top"], &[]);
    let over = |series: &str, bases: &str| format!(r#"{{"op":"change-series","in":"d/{series}","owner":"ann","bases":[{bases}]}}"#);
    kept.done(&over("middle", r#"{"base":"bottom"}"#));
    kept.done(&over("top", r#"{"base":"middle"}"#));
    kept.done(r#"{"op":"create-distribution","distribution":"e","sharing":"tethered","versions":"rpm"}"#);
    kept.done(r#"{"op":"create-series","in":"e/foreign","owner":"ann"}"#);
    assert_snapshot!(kept.refused(&over("bottom", r#"{"base":"top"}"#)), @"bottom over top makes a cycle: bottom -> top -> middle -> bottom");
    assert_snapshot!(kept.refused(&over("top", r#"{"base":"top"}"#)), @"top over top makes a cycle: top -> top");
    assert_snapshot!(kept.refused(&over("top", r#"{"base":"middle"},{"base":"middle","priority":1}"#)), @"top lies over middle already, with priority 0");
    assert_snapshot!(kept.refused(&over("top", r#"{"base":"midle"}"#)), @"distribution d has no series `midle` -- `middle` is the nearest name that there is");
    assert_snapshot!(kept.refused(&over("top", r#"{"base":"foreign"}"#)), @"foreign is e/foreign, and not of d: a series lies over series of its own distribution only -- `kinset series list --distribution d` shows those that it may lie over");
    let branch = r#"{"op":"change-series","in":"d/top","owner":"ann","branch":{"name":"b","dist_tag":".b","parent":"foreign"}}"#;
    assert_snapshot!(kept.refused(branch), @"foreign is e/foreign, and not of d: a series lies over series of its own distribution only -- `kinset series list --distribution d` shows those that it may lie over");
    let itself = r#"{"op":"create-series","in":"d/new","owner":"ann","bases":[{"base":"new"}]}"#;
    assert_snapshot!(kept.refused(itself), @"new over new makes a cycle: new -> new");
    assert_eq!(said(&kept, "bottom", None).bases, []);
    assert_eq!(said(&kept, "top", None).bases.len(), 1);
}

#[test]
fn an_overlay_may_be_turned_over_once_it_is_taken_away() {
    let mut kept = Kept::new("rpm", &["a", "b"], &[]);
    kept.done(r#"{"op":"change-series","in":"d/a","owner":"ann","bases":[{"base":"b"}]}"#);
    kept.refused(r#"{"op":"change-series","in":"d/b","owner":"ann","bases":[{"base":"a"}]}"#);
    kept.done(r#"{"op":"change-series","in":"d/a","owner":"ann"}"#);
    kept.done(r#"{"op":"change-series","in":"d/b","owner":"ann","bases":[{"base":"a"}]}"#);
}

#[test]
fn a_distribution_has_each_title_and_version_once() {
    let mut kept = Kept::new("rpm", &["untitled", "untitled-too"], &[]);
    kept.done(r#"{"op":"create-series","in":"d/FC-6","title":"Fedora Core","version":"6","owner":"ann"}"#);
    kept.done(r#"{"op":"create-series","in":"d/FC-7","title":"Fedora Core","version":"7","owner":"ann"}"#);
    assert_snapshot!(kept.refused(r#"{"op":"create-series","in":"d/zod","title":"Fedora Core","version":"6","owner":"ann"}"#), @"there is a series Fedora Core 6, d/FC-6, already");
    assert_snapshot!(kept.refused(r#"{"op":"change-series","in":"d/FC-7","title":"Fedora Core","version":"6","owner":"ann"}"#), @"there is a series Fedora Core 6, d/FC-6, already");
    kept.done(r#"{"op":"change-series","in":"d/FC-6","title":"Fedora Core","version":"6","owner":"bob"}"#);
    kept.done(r#"{"op":"create-distribution","distribution":"e","sharing":"tethered","versions":"rpm"}"#);
    kept.done(r#"{"op":"create-series","in":"e/FC-6","title":"Fedora Core","version":"6","owner":"ann"}"#);
}

/// What has a status, how it is changed to one, and a step that is refused.
const STEPS: [(&str, &str, &str); 4] = [
    (
        r#"{"op":"change-series","in":"d/s","owner":"ann","status":"STATUS"}"#,
        "active",
        "development",
    ),
    (
        r#"{"op":"change-package","distribution":"d","package":"bash","status":"STATUS"}"#,
        "approved",
        "denied",
    ),
    (
        r#"{"op":"change-listing","in":"d/s","package":"bash","owner":"ann","status":"STATUS"}"#,
        "obsolete",
        "approved",
    ),
    (
        r#"{"op":"change-version","distribution":"d","package":"bash","version":"1-1","status":"STATUS"}"#,
        "obsolete",
        "approved",
    ),
];

#[test]
fn a_status_follows_as_it_may_unless_somebody_insists() {
    let mut kept = Kept::new("rpm", &["s"], &["bash"]);
    kept.list("s", "bash");
    kept.version("s", "bash", "1-1");
    let mut refusals = Vec::new();
    for (operation, may, may_not) in STEPS {
        kept.done(&operation.replace("STATUS", may));
        let operation = operation.replace("STATUS", may_not);
        refusals.push(kept.refused(&operation));
        let forced = kept.attempt(&operation, Force::Insisted).unwrap();
        assert_eq!(forced.changes[0].after.as_ref().unwrap()["status"], may_not);
    }
    assert_snapshot!(refusals.join("\n"), @r"
    series d/s keeps its status; because a collection that is active does not become development, only maintenance or eol -- with `--force` it takes any
    package bash keeps its status; because a package that is approved does not become denied, only retired or removed -- with `--force` it takes any
    package bash in d/s keeps its status; because a listing that is obsolete does not become approved, only awaitingreview -- with `--force` it takes any
    version 1-1 of package bash keeps its status; because a version that is obsolete does not become approved, only awaitingreview -- with `--force` it takes any
    ");
}

#[test]
fn an_ended_collection_takes_no_change_of_what_is_in_it_unless_somebody_insists() {
    let mut kept = Kept::new("rpm", &["s"], &["bash", "dash"]);
    kept.list("s", "bash");
    kept.version("s", "bash", "1-1");
    kept.done(r#"{"op":"set-built","distribution":"d","package":"bash","version":"1-1","built":"bash-doc"}"#);
    kept.done(r#"{"op":"set-group","in":"d/s","group":"shells","title":"Shells"}"#);
    kept.done(r#"{"op":"add-version","distribution":"d","package":"bash","version":"2-1","status":"approved"}"#);
    for status in ["active", "eol"] {
        kept.done(&format!(r#"{{"op":"change-series","in":"d/s","owner":"ann","status":"{status}"}}"#));
    }
    let changes = [
        r#"{"op":"change-series","in":"d/s","owner":"bob","status":"eol"}"#,
        r#"{"op":"add-listing","in":"d/s","package":"dash","owner":"ann","status":"approved"}"#,
        r#"{"op":"change-listing","in":"d/s","package":"bash","owner":"bob","status":"approved"}"#,
        r#"{"op":"list-version","in":"d/s","package":"bash","version":"2-1"}"#,
        r#"{"op":"list-built","in":"d/s","package":"bash","version":"1-1","built":["bash-doc"]}"#,
        r#"{"op":"withdraw-built","in":"d/s","package":"bash","version":"1-1","built":["bash-doc"]}"#,
        r#"{"op":"withdraw-version","in":"d/s","package":"bash","version":"1-1"}"#,
        r#"{"op":"set-category","in":"d/s","category":"base","title":"Base","groups":["shells"]}"#,
        r#"{"op":"remove-category","in":"d/s","category":"base"}"#,
        r#"{"op":"set-group","in":"d/s","group":"shells","title":"More shells"}"#,
        r#"{"op":"remove-group","in":"d/s","group":"shells"}"#,
        r#"{"op":"remove-listing","in":"d/s","package":"bash"}"#,
    ];
    for operation in changes {
        let refused = kept.refused(operation);
        assert!(refused.starts_with("series d/s has ended (eol)"), "{operation}: {refused}");
        let forced = kept.attempt(operation, Force::Insisted).unwrap();
        assert!(!forced.changes.is_empty(), "{operation}");
    }
}

//! Modules in the store: kept as they are said and as they were said, told in the log, and refused where they make no sense.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use jiff::Timestamp;
use kinset::model::packages::PlatformName;
use kinset::model::packages::modules::{Defaults, StreamDetails, StreamPath};

use super::packages_support::Kept;

fn kept() -> Kept {
    let mut kept = Kept::new("rpm", &["f28", "f29"], &[]);
    kept.done(r#"{"op":"change-series","in":"d/f29","owner":"ann","version":"29","dates":{"released":"2018-10-30","eol":"2019-11-26"}}"#);
    kept
}

fn streams(kept: &Kept, as_of: Option<Timestamp>) -> BTreeMap<StreamPath, StreamDetails> {
    kept.ask(as_of, |view| view.streams(&view.distribution(&"d".parse().unwrap())?))
}

/// What is said of `m:1`, as an operation says it.
fn said(kept: &Kept, as_of: Option<Timestamp>) -> String {
    let streams = streams(kept, as_of);
    serde_json::to_string(&streams.get(&"m:1".parse().unwrap())).unwrap()
}

fn of(operation: &str) -> String {
    let mut fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(operation).unwrap();
    fields.retain(|key, _| !["op", "distribution", "stream"].contains(&key.as_str()));
    let details: StreamDetails = serde_json::from_value(fields.into()).unwrap();
    serde_json::to_string(&details).unwrap()
}

const FIRST: &str = concat!(
    r#"{"op":"set-stream","distribution":"d","stream":"m:1","eol":{"date":"2020-01-01"},"contexts":{"":{"version":0,"platforms":["-f27"],"#,
    r#""service_levels":{"rawhide":null,"bug_fixes":"2019-01-01"},"packages":["bash","dash"]},"x":{"version":7,"platforms":["f28"]}},"#,
    r#""obsoletes":[{"modified":"2019-01-01T00:00:00Z","message":"old"},{"modified":"2018-01-01T00:00:00Z","context":"x","message":"older","obsoleted_by":"m:2"}]}"#
);
const SECOND: &str = concat!(
    r#"{"op":"set-stream","distribution":"d","stream":"m:1","eol":{"release":"f29"},"contexts":{"":{"version":0,"platforms":[],"#,
    r#""packages":["bash","zsh"]}},"obsoletes":[{"modified":"2019-02-01T00:00:00Z","reset":true,"message":"not old"}]}"#
);

#[test]
fn a_stream_is_kept_as_it_is_said_and_as_it_was_said() {
    let mut kept = kept();
    let before = kept.now;
    assert_snapshot!(kept.changes(FIRST), @r#"
    d stream m:1: nothing > {"contexts":{"not-built":{"platforms":"-f27","service_levels":{"bug_fixes":"2019-01-01","rawhide":null},"version":0},"x":{"platforms":"f28","version":7}},"eol":{"date":"2020-01-01"},"obsoletes":[{"message":"old","modified":"2019-01-01T00:00:00Z"},{"context":"x","message":"older","modified":"2018-01-01T00:00:00Z","obsoleted_by":"m:2"}]}
    d stream-packages m:1: nothing > ["bash","dash"]
    "#);
    let then = kept.now;
    assert_eq!(said(&kept, None), of(FIRST));
    assert_eq!(kept.done(FIRST).log, None, "said again it is nothing new");
    assert_snapshot!(kept.changes(SECOND), @r#"
    d stream m:1: {"contexts":{"not-built":{"platforms":"-f27","service_levels":{"bug_fixes":"2019-01-01","rawhide":null},"version":0},"x":{"platforms":"f28","version":7}},"eol":{"date":"2020-01-01"},"obsoletes":[{"message":"old","modified":"2019-01-01T00:00:00Z"},{"context":"x","message":"older","modified":"2018-01-01T00:00:00Z","obsoleted_by":"m:2"}]} > {"contexts":{"not-built":{"platforms":"all","version":0}},"eol":{"release":"f29"},"obsoletes":[{"message":"not old","modified":"2019-02-01T00:00:00Z","reset":true}]}
    d stream-packages m:1: ["dash"] > ["zsh"]
    "#);
    assert_eq!(said(&kept, None), of(SECOND));
    assert_snapshot!(kept.changes(r#"{"op":"remove-stream","distribution":"d","stream":"m:1"}"#), @r#"
    d stream m:1: {"contexts":{"not-built":{"platforms":"all","version":0}},"eol":{"release":"f29"},"obsoletes":[{"message":"not old","modified":"2019-02-01T00:00:00Z","reset":true}]} > nothing
    d stream-packages m:1: ["bash","zsh"] > nothing
    "#);
    assert_eq!(streams(&kept, None).len(), 0);
    assert_eq!(said(&kept, Some(then)), of(FIRST));
    assert_eq!(streams(&kept, Some(before)).len(), 0);
    kept.done(FIRST);
    assert_eq!(said(&kept, None), of(FIRST), "it may come back");
}

#[test]
fn of_what_obsoletes_a_stream_the_newest_is_kept_in_whatever_order_it_comes() {
    let mut kept = kept();
    let one = |modified: &str| format!(r#"{{"modified":"{modified}T00:00:00Z","message":"m"}}"#);
    let with = |all: &[String]| {
        format!(
            r#"{{"op":"set-stream","distribution":"d","stream":"m:1","obsoletes":[{}]}}"#,
            all.join(",")
        )
    };
    kept.done(&with(&[one("2019-01-01"), one("2020-01-01"), one("2018-01-01")]));
    assert_eq!(said(&kept, None), of(&with(&[one("2020-01-01")])));
    assert_eq!(kept.done(&with(&[one("2020-01-01")])).log, None);
}

#[test]
fn defaults_are_of_a_release_or_of_all_that_have_none_of_their_own() {
    let mut kept = kept();
    let set =
        |release: &str, stream: &str| format!(r#"{{"op":"set-default","distribution":"d","module":"m"{release},"stream":"{stream}"}}"#);
    let f29 = r#","release":"f29""#;
    let defaults = |kept: &Kept, as_of| -> BTreeMap<_, Defaults> {
        kept.ask(as_of, |view| view.module_defaults(&view.distribution(&"d".parse().unwrap())?))
    };
    let told = |kept: &Kept, as_of| serde_json::to_string(&defaults(kept, as_of)).unwrap();
    assert_snapshot!(kept.changes(&set("", "1.10")), @r#"d module-default m: nothing > "1.10""#);
    let then = kept.now;
    assert_snapshot!(kept.changes(&set(f29, "2")), @r#"d/f29 module-default m: nothing > "2""#);
    assert_snapshot!(kept.changes(&set(f29, "3")), @r#"d/f29 module-default m: "2" > "3""#);
    assert_eq!(told(&kept, None), r#"{"m":{"everywhere":"1.10","releases":{"f29":"3"}}}"#);
    assert_eq!(kept.done(&set("", "1.10")).log, None, "said again it is nothing new");
    let remove = format!(r#"{{"op":"remove-default","distribution":"d","module":"m"{f29}}}"#);
    assert_snapshot!(kept.changes(&remove), @r#"d/f29 module-default m: "3" > nothing"#);
    assert_eq!(told(&kept, None), r#"{"m":{"everywhere":"1.10"}}"#);
    assert_eq!(kept.done(&remove).log, None, "there is none to take away any more");
    assert_eq!(told(&kept, Some(then)), told(&kept, None));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut kept = kept();
    kept.done(FIRST);
    assert_snapshot!(kept.refused(r#"{"op":"remove-stream","distribution":"d","stream":"m:2"}"#), @"distribution d has no module stream `m:2` -- `m:1` is the nearest name that there is");
    assert_snapshot!(kept.refused(r#"{"op":"set-stream","distribution":"d","stream":"m:1","eol":{"release":"f30"}}"#), @"distribution d has no series `f30` -- `f28` is the nearest name that there is");
    assert_snapshot!(kept.refused(r#"{"op":"set-default","distribution":"d","module":"m","release":"f30","stream":"1"}"#), @"distribution d has no series `f30` -- `f28` is the nearest name that there is");
    for status in ["active", "eol"] {
        kept.done(&format!(
            r#"{{"op":"change-series","in":"d/f28","owner":"ann","status":"{status}"}}"#
        ));
    }
    assert_snapshot!(kept.refused(r#"{"op":"set-default","distribution":"d","module":"m","release":"f28","stream":"1"}"#), @"series d/f28 has ended (eol), and its record is closed -- what it answers stays; with `--force` it is changed all the same");
    assert_eq!(said(&kept, None), of(FIRST));
}

#[test]
fn releases_go_by_what_modules_call_them() {
    let mut kept = Kept::new("rpm", &[], &[]);
    kept.done(r#"{"op":"create-series","in":"d/rawhide","owner":"ann","version":"43","branch":{"name":"rawhide","dist_tag":".f43"}}"#);
    kept.done(r#"{"op":"create-series","in":"d/gone","owner":"ann","version":"9","status":"rejected"}"#);
    kept.done(r#"{"op":"create-series","in":"d/sig","owner":"ann","bases":[{"base":"rawhide"}]}"#);
    kept.done(r#"{"op":"create-series","in":"d/f42","owner":"ann","version":"42"}"#);
    let lifecycles = kept.ask(None, |view| {
        view.lifecycles(&view.distribution(&"d".parse().unwrap())?, "2025-08-01".parse().unwrap())
    });
    let told: Vec<String> = lifecycles
        .releases
        .iter()
        .map(|release| {
            let platforms: Vec<&str> = release.platforms.iter().map(PlatformName::as_str).collect();
            format!("{}: {}", release.name, platforms.join(" "))
        })
        .collect();
    assert_eq!(told, ["f42: f42", "rawhide: f43 rawhide"]);
}

//! What is taken over of modules, and what goes.

use serde_json::json;

use super::*;

/// Streams with their packages, each in one context of this version.
fn facts(version: u64, streams: &[(&str, &[&str])]) -> ModuleFacts {
    let stream = |(path, packages): &(&str, &[&str])| {
        let details = json!({ "contexts": { "c": { "version": version, "packages": packages } } });
        (path.parse().unwrap(), serde_json::from_value(details).unwrap())
    };
    ModuleFacts {
        streams: streams.iter().map(stream).collect(),
        ..ModuleFacts::default()
    }
}

fn known(facts: &ModuleFacts) -> KnownModules {
    KnownModules {
        streams: facts.streams.clone(),
        defaults: BTreeMap::new(),
    }
}

fn with_default(release: Option<&str>, stream: &str) -> ModuleFacts {
    ModuleFacts {
        release: release.map(|release| release.parse().unwrap()),
        defaults: [("m".parse().unwrap(), Some(stream.parse().unwrap()))].into(),
        ..ModuleFacts::default()
    }
}

fn told(facts: &ModuleFacts, known: &KnownModules, gone: &ModuleFacts) -> Vec<String> {
    let among = AmongModules {
        by_hand: &ByHand::default(),
        others: &[],
        dropped: &BTreeSet::new(),
        gone,
    };
    let operations = facts.operations_among(&"d".parse().unwrap(), known, among);
    let told = |operation: &Operation| serde_json::to_string(operation).unwrap();
    operations.iter().map(told).collect()
}

#[test]
fn what_is_known_already_takes_nothing_and_an_older_build_neither() {
    let (old, new) = (facts(1, &[("m:1", &["a"])]), facts(2, &[("m:1", &["b"])]));
    let nothing = ModuleFacts::default();
    assert_eq!(told(&old, &known(&old), &nothing), [""; 0]);
    assert_eq!(told(&old, &known(&new), &nothing), [""; 0]);
    assert_eq!(
        told(&new, &known(&old), &nothing),
        [r#"{"op":"set-stream","distribution":"d","stream":"m:1","contexts":{"c":{"version":2,"platforms":[],"packages":["b"]}}}"#]
    );
}

#[test]
fn what_is_gone_is_taken_away_as_long_as_it_is_as_it_was_said() {
    let gone = ModuleFacts {
        streams: facts(1, &[("m:1", &[]), ("m:2", &[])]).streams,
        ..with_default(Some("f29"), "1")
    };
    let defaults = |text: &str| KnownModules {
        streams: facts(1, &[("m:1", &[])]).streams,
        defaults: serde_json::from_str(text).unwrap(),
    };
    let nothing = ModuleFacts::default();
    let stream = r#"{"op":"remove-stream","distribution":"d","stream":"m:1"}"#;
    let default = r#"{"op":"remove-default","distribution":"d","module":"m","release":"f29"}"#;
    assert_eq!(
        told(&nothing, &defaults(r#"{"m":{"releases":{"f29":"1"}}}"#), &gone),
        [stream, default]
    );
    for changed in [r#"{"m":{"releases":{"f29":"2"}}}"#, r#"{"m":{"everywhere":"1"}}"#, "{}"] {
        assert_eq!(told(&nothing, &defaults(changed), &gone), [stream], "{changed}");
    }
}

#[test]
fn nothing_is_gone_of_which_another_speaks() {
    let streams = facts(1, &[("m:1", &[]), ("m:2", &[])]);
    assert_eq!(streams.clone().without(&[&facts(2, &[("m:2", &["x"])])]), facts(1, &[("m:1", &[])]));
    let default = with_default(Some("f29"), "1");
    let others = [with_default(Some("f28"), "1"), with_default(None, "1")];
    assert_eq!(default.clone().without(&[&others[0], &others[1], &streams]), default);
    let other = with_default(Some("f29"), "2");
    assert!(default.without(&[&other]).defaults.is_empty(), "it is for the other to say which");
}

#[test]
fn what_somebody_else_said_of_a_stream_stays_when_it_is_gone() {
    let gone = facts(1, &[("m:1", &["a"])]);
    let mut known = known(&gone);
    let stream = known.streams.values_mut().next().unwrap();
    stream.eol = Some("2020-01-01".parse().unwrap());
    let nothing = ModuleFacts::default();
    let kept = r#"{"op":"set-stream","distribution":"d","stream":"m:1","eol":{"date":"2020-01-01"}}"#;
    assert_eq!(told(&nothing, &known, &gone), [kept]);
    known.streams.values_mut().next().unwrap().contexts.clear();
    assert_eq!(told(&nothing, &known, &gone), [""; 0]);
}

#[test]
fn a_build_counts_no_longer_once_whoever_had_it_has_none_of_its_context() {
    let (newer, older) = (facts(7, &[("m:1", &["new"])]), facts(1, &[("m:1", &["old"])]));
    let known = known(&newer);
    let context = ("m:1".parse().unwrap(), "c".parse().unwrap());
    let by = |by_hand: &ByHand, dropped: &[&(StreamPath, ContextName)], others: &[&ModuleFacts]| {
        let among = AmongModules {
            by_hand,
            others,
            dropped: &dropped.iter().copied().cloned().collect(),
            gone: &ModuleFacts::default(),
        };
        let operations = older.operations_among(&"d".parse().unwrap(), &known, among);
        (operations.len(), older.outdated(&known, among).len())
    };
    let nobody = ByHand::default();
    assert_eq!(by(&nobody, &[&context], &[]), (1, 0));
    assert_eq!(by(&nobody, &[&context], &[&newer]), (0, 0), "another has it");
    assert_eq!(by(&nobody, &[], &[]), (0, 1), "an older build of the same");
    let somebody = ByHand {
        contexts: [context.clone()].into(),
        ..ByHand::default()
    };
    assert_eq!(by(&somebody, &[&context], &[]), (0, 1));
}

#[test]
fn what_is_said_of_an_end_replaces_what_a_source_said_and_not_what_somebody_else_said_later() {
    let ends = |modified: &str| -> ModuleFacts {
        let said = json!({ "streams": { "m:1": { "obsoletes": [{ "modified": modified, "message": "old" }] } } });
        serde_json::from_value(said).unwrap()
    };
    let (earlier, later) = (ends("2020-01-01T00:00:00Z"), ends("2022-01-01T00:00:00Z"));
    let count = |by_hand: &ByHand| {
        let among = AmongModules {
            by_hand,
            others: &[],
            dropped: &BTreeSet::new(),
            gone: &ModuleFacts::default(),
        };
        earlier.operations_among(&"d".parse().unwrap(), &known(&later), among).len()
    };
    assert_eq!(count(&ByHand::default()), 1);
    let somebody = ByHand {
        obsoletes: [("m:1".parse().unwrap(), None)].into(),
        ..ByHand::default()
    };
    assert_eq!(count(&somebody), 0);
    assert_eq!(
        earlier.operations(&"d".parse().unwrap(), &known(&later)).len(),
        0,
        "whoever takes a file over"
    );
}

#[test]
fn a_context_and_what_is_said_of_an_end_are_gone_by_themselves() {
    let last = facts(1, &[("m:1", &["a"]), ("m:2", &["a"])]);
    let mut now = last.clone();
    let stream = now.streams.values_mut().next().unwrap();
    let context = stream.contexts.pop_first().unwrap().1;
    stream.contexts.insert("d".parse().unwrap(), context);
    assert_eq!(last.clone().without(&[&now]), facts(1, &[("m:1", &["a"])]));
    let left = told(&now, &known(&last), &last.clone().without(&[&now]));
    assert_eq!(
        left,
        [r#"{"op":"set-stream","distribution":"d","stream":"m:1","contexts":{"d":{"version":1,"platforms":[],"packages":["a"]}}}"#]
    );
}

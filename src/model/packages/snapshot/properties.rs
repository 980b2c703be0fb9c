//! What holds of any sources: whatever they say of the same and however they stand, taking them in comes to rest.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, btree_set};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{Around, ByHand, Layer, SourceSnapshot, believed, turns};
use crate::model::packages::document::{DistributionDocument, Wish, difference};
use crate::model::packages::{DistributionDetails, SeriesName, Sharing, VersionScheme};

const SERIES: [&str; 2] = ["one", "two"];
const SETS: [&str; 2] = ["core", "kernel"];
const PACKAGES: [&str; 3] = ["apt", "linux", "vim"];
const PEOPLE: [&str; 2] = ["ann", "@core"];

fn packages() -> impl Strategy<Value = BTreeSet<&'static str>> {
    btree_set(select(&PACKAGES[..]), 0..3)
}

/// What is said of a set: by a source that has all of it the owner at least.
fn set(is_additive: bool) -> impl Strategy<Value = Value> {
    let owner = select(&PEOPLE[..]);
    let owner = (owner, any::<bool>()).prop_map(move |(owner, is_said)| (is_said || !is_additive).then_some(owner));
    (owner, prop::option::of(packages()), prop::option::of(0..2)).prop_map(|(owner, sources, score)| {
        let fields = [("owner", json!(owner)), ("sources", json!(sources)), ("score", json!(score))];
        said(fields)
    })
}

/// An object of the fields that are said.
fn said<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    fields
        .map(|(key, value)| (key.to_owned(), value))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn series(is_additive: bool) -> impl Strategy<Value = Value> {
    (
        prop::option::of(select(&["active", "maintenance"][..])),
        prop::option::of(select(&["One", "Two"][..])),
        btree_map(select(&["released", "eol"][..]), select(&["2024-04-25", "2029-05-31"][..]), 0..3),
        prop::option::of(btree_map(select(&SETS[..]), set(is_additive), 0..3)),
        prop::option::of(packages()),
    )
        .prop_map(|(status, codename, dates, sets, retired)| {
            let fields = [
                ("status", json!(status)),
                ("codename", json!(codename)),
                ("dates", json!(dates)),
                ("sets", json!(sets)),
                ("retired", json!(retired)),
            ];
            said(fields)
        })
}

fn permissions() -> impl Strategy<Value = Vec<Value>> {
    let target = prop_oneof![
        Just(json!({ "on": "component", "component": "main" })),
        (select(&SERIES[..]), select(&SETS[..])).prop_map(|(series, set)| json!({ "on": "package-set", "series": series, "set": set })),
        select(&SERIES[..]).prop_map(|series| json!({ "on": "pocket", "pocket": "updates", "series": series })),
    ];
    let target = target.prop_map(|target| target.to_string());
    let grant = (select(&PEOPLE[..]), target);
    btree_map(grant, select(&["approved", "denied"][..]), 0..4).prop_map(|grants| {
        let permission = |((party, target), status): ((&str, String), &str)| {
            let mut permission: Value = serde_json::from_str(&target).unwrap();
            permission["party"] = party.into();
            permission["action"] = "upload".into();
            permission["status"] = status.into();
            permission
        };
        grants.into_iter().map(permission).collect()
    })
}

fn snapshot() -> impl Strategy<Value = SourceSnapshot> {
    any::<bool>().prop_flat_map(|is_additive| {
        let people = btree_set(select(&["ann", "bob"][..]), 0..3);
        (
            btree_map(select(&SERIES[..]), series(is_additive), 0..3),
            prop::option::of(btree_map(Just("core"), people, 0..2)),
            prop::option::of(permissions()),
            prop::option::of(btree_map(select(&PACKAGES[..]), select(&PEOPLE[..]), 0..3)),
        )
            .prop_map(move |(series, teams, permissions, packages)| {
                let owned = |packages: BTreeMap<&str, &str>| -> BTreeMap<String, Value> {
                    let owned = packages.into_iter();
                    owned
                        .map(|(package, owner)| (package.to_owned(), json!({ "owner": owner })))
                        .collect()
                };
                let fields = [
                    ("is_additive", json!(is_additive)),
                    ("series", json!(series)),
                    ("teams", json!(teams)),
                    ("permissions", json!(permissions)),
                    ("packages", json!(packages.map(owned))),
                ];
                serde_json::from_value(said(fields)).unwrap()
            })
    })
}

fn nothing() -> DistributionDocument {
    let details = DistributionDetails {
        sharing: Sharing::SharedNothing,
        versions: VersionScheme::Debian,
        series: None,
        permit_obsolete_uploads: false,
    };
    DistributionDocument::new("ubuntu".parse().unwrap(), details)
}

/// What is to become of a distribution when sources that said `last` say `now`, one after the other.
fn pulled(
    have: &DistributionDocument,
    last: &[SourceSnapshot],
    now: &[SourceSnapshot],
    listed: &BTreeSet<SeriesName>,
) -> DistributionDocument {
    let names = ["first", "second", "third"];
    let all: Vec<&SourceSnapshot> = now.iter().collect();
    let mut have = have.clone();
    let mut dealt_with = BTreeSet::new();
    for place in turns(Some(&have), listed, &all) {
        let layers = names.iter().zip(now).map(|(source, snapshot)| Layer { source, snapshot });
        let layers: Vec<Layer<'_>> = layers.collect();
        let (left, _) = believed(layers[place], &layers[..place]);
        let others: Vec<&SourceSnapshot> = (0..now.len()).filter(|other| *other != place).map(|other| &now[other]).collect();
        let to_come = (0..last.len()).filter(|other| *other != place && !dealt_with.contains(other));
        let held: Vec<&SourceSnapshot> = to_come.map(|other| &last[other]).collect();
        let silent = SourceSnapshot::default();
        let gone = last.get(place).unwrap_or(&silent).without(&now[place], &others, &ByHand::default());
        let around = Around {
            listed,
            others: &others,
            held: &held,
            gone: &gone,
        };
        have = left.over(&have, around);
        for series in &mut have.series {
            series.from = None;
        }
        dealt_with.insert(place);
    }
    have
}

fn changes(have: &DistributionDocument, want: &DistributionDocument) -> Vec<String> {
    let wish = Wish {
        have: Some(have),
        want,
        elsewhere: &BTreeMap::new(),
        force: true,
    };
    let told = |operation: &_| serde_json::to_string(operation).unwrap();
    difference(wish).unwrap().iter().map(told).collect()
}

/// Pulls until two that wait for each other have both had what the other brings.
fn settled(
    have: &DistributionDocument,
    last: &[SourceSnapshot],
    now: &[SourceSnapshot],
    listed: &BTreeSet<SeriesName>,
) -> DistributionDocument {
    pulled(&pulled(have, last, now, listed), now, now, listed)
}

proptest! {
    #[test]
    fn whatever_sources_say_of_the_same_pulls_come_to_rest(
        first in prop::collection::vec(snapshot(), 3),
        second in prop::collection::vec(snapshot(), 3),
    ) {
        let listed = [SERIES[0].parse().unwrap()].into();
        let begun = settled(&nothing(), &[], &first, &listed);
        let again = pulled(&begun, &first, &first, &listed);
        prop_assert_eq!(changes(&begun, &again), Vec::<String>::new());
        let changed = settled(&again, &first, &second, &listed);
        let rested = pulled(&changed, &second, &second, &listed);
        prop_assert_eq!(changes(&changed, &rested), Vec::<String>::new());
    }
}

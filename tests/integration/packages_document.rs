//! A distribution as a document: what the operations of a difference lead to is what was wanted, from wherever they start.

use std::collections::{BTreeMap, BTreeSet};

use kinset::model::packages::document::{
    DistributionDocument, MistakeKind, OnSet, Origin, PermissionDocument, SeriesDocument, SetBody, SetContent, SetDocument, Wish,
    difference,
};
use kinset::model::packages::{GroupName, Operation, PackageName, PackageSetName, SeriesDetails, SeriesName, Sharing};
use kinset::store::packages::{Force, Hand};
use proptest::prelude::*;
use proptest::sample::select;

use crate::packages_operations::{Place, further_operation, operation};

/// A set as its series answers: whether it stands there or elsewhere makes no difference.
#[derive(Debug, PartialEq, Eq)]
struct SpelledOut {
    group: GroupName,
    score: i64,
    content: SetContent,
    subsets: BTreeSet<GroupName>,
}

type Sets = BTreeMap<PackageSetName, SpelledOut>;

/// All that a document says, however it says it; of packages all that it names.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    whole: DistributionDocument,
    packages: BTreeSet<PackageName>,
    series: BTreeMap<SeriesName, (SeriesDocument, Sets)>,
}

fn find<'d>(document: &'d DistributionDocument, series: &SeriesName, set: &PackageSetName) -> (&'d SeriesDocument, &'d SetContent) {
    let series = document.series.iter().find(|one| one.name == *series).unwrap();
    match &series.packagesets.iter().find(|one| one.name == *set).unwrap().body {
        SetBody::Own(content) => (series, content),
        SetBody::AsIn { as_in } => find(document, as_in, set),
    }
}

fn group(document: &DistributionDocument, series: &SeriesName, set: &PackageSetName) -> GroupName {
    let (_, content) = find(document, series, set);
    let usual = format!("{}/{set}", document.name).parse().unwrap();
    content.group.clone().unwrap_or(usual)
}

fn spelled_out(document: &DistributionDocument, series: &SeriesName, set: &SetDocument) -> SpelledOut {
    let (home, content) = find(document, series, &set.name);
    let mut permissions: Vec<PermissionDocument<OnSet>> = content.permissions.clone();
    permissions.sort_by_key(|permission| (permission.party.clone(), permission.action));
    SpelledOut {
        group: group(document, series, &set.name),
        score: set.score,
        subsets: content.subsets.iter().map(|subset| group(document, &home.name, subset)).collect(),
        content: SetContent {
            group: None,
            subsets: BTreeSet::new(),
            permissions,
            ..content.clone()
        },
    }
}

fn said(document: &DistributionDocument, known: &DistributionDocument) -> Said {
    let packages = [document, known]
        .into_iter()
        .flat_map(|one| one.named_packages().into_iter().chain(&one.packages));
    let series = document.series.iter().map(|series| {
        let sets = series.packagesets.iter();
        let sets = sets
            .map(|set| (set.name.clone(), spelled_out(document, &series.name, set)))
            .collect();
        let mut bare = SeriesDocument {
            from: None,
            packagesets: Vec::new(),
            ..series.clone()
        };
        bare.permissions
            .sort_by_key(|one| (one.party.clone(), one.action, one.target.clone()));
        (series.name.clone(), (bare, sets))
    });
    let mut whole = DistributionDocument {
        packages: BTreeSet::new(),
        series: Vec::new(),
        ..document.clone()
    };
    whole
        .permissions
        .sort_by_key(|one| (one.party.clone(), one.action, one.target.clone()));
    Said {
        packages: packages.cloned().collect(),
        series: series.collect(),
        whole,
    }
}

pub(crate) fn exported(place: &Place, distribution: &str) -> DistributionDocument {
    let document = place
        .store
        .ask(None, |view| view.document(&view.distribution(&distribution.parse().unwrap())?));
    document.unwrap()
}

/// A place where these operations were done, as far as they are allowed, each way asked for clones where it wants them.
pub(crate) fn place_after(sharing: Sharing, operations: &[Operation]) -> Place {
    let mut place = Place::new(sharing);
    for operation in operations {
        place.perform_with_clones(operation);
    }
    place
}

fn perform(place: &mut Place, operations: &[Operation], force: Force) {
    place.now += jiff::SignedDuration::from_mins(1);
    let hand = Hand {
        actor: "file".to_owned(),
        at: place.now,
        force,
    };
    let performed = place
        .store
        .perform(&hand, operations)
        .unwrap_or_else(|error| panic!("{error:?}: {operations:#?}"));
    for (performed, operation) in performed.iter().zip(operations) {
        assert!(performed.log.is_some(), "changed nothing: {operation:?}");
    }
}

/// Makes a document true in a place, and finds that it is.
fn make_true(place: &mut Place, have: Option<&DistributionDocument>, want: &DistributionDocument, others: &[DistributionDocument]) {
    let elsewhere = &others.iter().map(|other| (other.name.clone(), other.clone())).collect();
    let wish = |have, force| Wish {
        have,
        want,
        elsewhere,
        force,
    };
    let (operations, force) = match difference(wish(have, false)) {
        Ok(operations) => (operations, Force::Not),
        Err(mistakes) => {
            assert!(
                mistakes.iter().all(|mistake| matches!(mistake.kind, MistakeKind::Ended { .. })),
                "{mistakes:?}"
            );
            (difference(wish(have, true)).unwrap(), Force::Insisted)
        }
    };
    perform(place, &operations, force);
    let after = exported(place, "d");
    assert_eq!(said(&after, &after), said(want, have.unwrap_or(want)), "{operations:#?}");
    assert_eq!(difference(wish(Some(&after), false)), Ok(Vec::new()));
}

/// The document `want`, with the series that only `have` has.
fn with_all_series(mut want: DistributionDocument, have: &DistributionDocument, is_kept: bool) -> DistributionDocument {
    for series in &have.series {
        if !want.series.iter().any(|wanted| wanted.name == series.name) {
            let SeriesDetails { version, status, owner } = series.details();
            want.series.push(SeriesDocument {
                name: series.name.clone(),
                version,
                status,
                owner,
                from: None,
                permissions: if is_kept { series.permissions.clone() } else { Vec::new() },
                packagesets: Vec::new(),
            });
        }
    }
    want
}

pub(crate) fn any_operations() -> impl Strategy<Value = Vec<Operation>> {
    prop::collection::vec(prop_oneof![3 => operation(), 1 => further_operation()], 1..40)
}

fn elsewhere(operations: &[Operation]) -> Vec<Operation> {
    let text = serde_json::to_string(operations).unwrap();
    let text = text
        .replace("\"d/", "\"e/")
        .replace("\"distribution\":\"d\"", "\"distribution\":\"e\"");
    serde_json::from_str(&text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_difference_leads_from_anything_to_anything(
        (from, to) in (select(&Sharing::ALL[..]), select(&Sharing::ALL[..])),
        (before, wanted) in (any_operations(), any_operations()),
        origins in prop::collection::vec(prop::option::of(select(&["s0", "s1", "s2", "e/s0", "d/s1"][..])), 4),
        is_kept in any::<bool>(),
    ) {
        let mut place = place_after(from, &before);
        place.perform(Operation::CreateDistribution {
            distribution: "e".parse().unwrap(),
            details: exported(&place, "d").details(),
        }).unwrap();
        let first = Operation::CreateSeries { series: "d/s0".parse().unwrap(), details: exported(&place, "d").series[0].details() };
        for operation in elsewhere(&[&[first], wanted.as_slice()].concat()) {
            place.perform_with_clones(&operation);
        }
        let others = [exported(&place, "e")];
        let have = exported(&place, "d");
        let mut want = with_all_series(exported(&place_after(to, &wanted), "d"), &have, is_kept);
        for (series, origin) in want.series.iter_mut().zip(origins) {
            let origin: Option<Origin> = origin.map(|origin| origin.parse().unwrap());
            series.from = origin.filter(|_| !series.packagesets.is_empty());
        }
        let elsewhere = &others.iter().map(|other| (other.name.clone(), other.clone())).collect();
        let wish = Wish { have: Some(&have), want: &want, elsewhere, force: true };
        match difference(wish) {
            Ok(_) => make_true(&mut place, Some(&have), &want, &others),
            Err(mistakes) => prop_assert!(
                mistakes.iter().all(|mistake| matches!(mistake.kind, MistakeKind::NoOrigin { .. } | MistakeKind::OriginCycle { .. })),
                "{:?}", mistakes
            ),
        }
    }

    #[test]
    fn an_export_is_as_good_as_what_it_was_made_of(sharing in select(&Sharing::ALL[..]), operations in any_operations()) {
        let document = exported(&place_after(sharing, &operations), "d");
        prop_assert_eq!(document.mistakes(), Vec::new());
        let folder = tempfile::tempdir().unwrap();
        let mut place = Place::new(sharing);
        place.store = kinset::store::Store::open(folder.path()).unwrap();
        make_true(&mut place, None, &document, &[]);
        let order = |document: &DistributionDocument| document.series.iter().map(|series| series.name.clone()).collect::<Vec<_>>();
        prop_assert_eq!(order(&exported(&place, "d")), order(&document));
    }
}

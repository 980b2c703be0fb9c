//! A distribution as a document: what the operations of a difference lead to is what was wanted, from wherever they start.

use std::collections::{BTreeMap, BTreeSet};

use kinset::model::packages::document::{
    DistributionDocument, MistakeKind, OnSet, Origin, PermissionDocument, SeriesDocument, SetBody, SetContent, SetDocument, Wish,
    difference,
};
use kinset::model::packages::{
    BuiltDetails, BuiltPackageName, GroupName, Operation, PackageDetails, PackageName, PackageSetName, SeriesDetails, SeriesName, Sharing,
    VersionStatus,
};
use kinset::store::packages::{Force, Hand};
use proptest::prelude::*;
use proptest::sample::select;

use crate::packages_operations::{Place, beginning, contents_beginning, contents_operation, further_operation, operation};

/// A set as its series answers: whether it stands there or elsewhere makes no difference.
#[derive(Debug, PartialEq, Eq)]
struct SpelledOut {
    group: GroupName,
    score: i64,
    content: SetContent,
    subsets: BTreeSet<GroupName>,
}

type Sets = BTreeMap<PackageSetName, SpelledOut>;

type Versions = BTreeMap<String, (VersionStatus, BTreeMap<BuiltPackageName, BuiltDetails>)>;

type Catalogue = BTreeMap<PackageName, (PackageDetails, Versions)>;

/// All that a document says, however it says it; of packages as such, what was known before too.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    whole: DistributionDocument,
    packages: BTreeSet<PackageName>,
    catalogue: Catalogue,
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

/// What is known of packages when one document has come true after the other.
fn catalogue(documents: [&DistributionDocument; 2]) -> Catalogue {
    let mut catalogue = Catalogue::new();
    for package in documents.iter().flat_map(|document| &document.described) {
        let (details, versions) = catalogue.entry(package.name.clone()).or_default();
        *details = package.details.clone();
        for version in &package.versions {
            let known = versions.entry(version.version.to_string());
            let (status, built) = known.or_insert_with(|| (version.status, BTreeMap::new()));
            *status = version.status;
            built.extend(version.built.iter().map(|built| (built.name.clone(), built.details.clone())));
        }
    }
    catalogue.retain(|_, (details, versions)| *details != PackageDetails::default() || !versions.is_empty());
    catalogue
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
            details: series.details.clone().in_order(),
            ..series.clone()
        };
        bare.permissions
            .sort_by_key(|one| (one.party.clone(), one.action, one.target.clone()));
        (series.name.clone(), (bare, sets))
    });
    let mut whole = DistributionDocument {
        packages: BTreeSet::new(),
        described: Vec::new(),
        series: Vec::new(),
        ..document.clone()
    };
    whole
        .permissions
        .sort_by_key(|one| (one.party.clone(), one.action, one.target.clone()));
    Said {
        packages: packages.cloned().collect(),
        catalogue: catalogue([known, document]),
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
                mistakes
                    .iter()
                    .all(|mistake| matches!(mistake.kind, MistakeKind::Ended { .. } | MistakeKind::Status(_))),
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
            let details = SeriesDetails {
                title: None,
                branch: None,
                bases: Vec::new(),
                ..series.details.clone()
            };
            let mut bare = SeriesDocument::new(series.name.clone(), details);
            if is_kept {
                bare.permissions.clone_from(&series.permissions);
                bare.listings.clone_from(&series.listings);
                bare.listings.iter_mut().for_each(|listing| listing.versions.clear());
            }
            want.series.push(bare);
        }
    }
    want
}

pub(crate) fn any_operations() -> impl Strategy<Value = Vec<Operation>> {
    let random = prop::collection::vec(
        prop_oneof![3 => operation(), 1 => further_operation(), 3 => contents_operation()],
        1..50,
    );
    (any::<[bool; 2]>(), random).prop_map(|([has_sets, has_contents], random)| {
        let mut operations = Vec::new();
        operations.extend(has_sets.then(beginning).into_iter().flatten());
        operations.extend(has_contents.then(contents_beginning).into_iter().flatten());
        operations.extend(random);
        operations
    })
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
        let first = Operation::CreateSeries { series: "d/s0".parse().unwrap(), details: SeriesDetails::owned_by("ann".parse().unwrap()) };
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
    fn an_export_of_a_time_is_what_it_was_then(sharing in select(&Sharing::ALL[..]), before in any_operations(), after in any_operations()) {
        let mut place = place_after(sharing, &before);
        let (then, document) = (place.now, exported(&place, "d"));
        for operation in &after {
            place.perform_with_clones(operation);
        }
        let asked = place.store.ask(Some(then), |view| view.document(&view.distribution(&document.name)?));
        prop_assert_eq!(asked.unwrap(), document);
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

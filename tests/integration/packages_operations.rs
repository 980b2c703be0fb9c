//! Random operations on a distribution `d`, and a store to do them in.

use std::collections::BTreeSet;

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use kinset::model::packages::{
    Action, Base, Branch, BuiltDetails, BuiltPackageName, CategoryDetails, CollectionStatus, CompsName, DistributionDetails,
    DistributionName, GroupDetails, ListingDetails, ListingPath, ListingStatus, Milestone, Operation, PackageDetails, PackageName,
    PackageSetName, PackageStatus, Permission, PermissionStatus, Pocket, Requirement, SeriesDetails, SeriesName, SetDetails, SetPath,
    Sharing, Target, Version, VersionScheme, VersionStatus,
};
use kinset::store::packages::{Force, Hand, Performed};
use kinset::store::{Store, StoreError};
use proptest::prelude::*;
use proptest::sample::select;

use crate::packages_oracle::{series_path, to_clone_first};

const SERIES: [&str; 4] = ["s0", "s1", "s2", "s3"];
const SETS: [&str; 4] = ["a", "b", "c", "d"];
const PACKAGES: [&str; 5] = ["p", "q", "r", "s", "t"];
pub(crate) const PARTIES: [&str; 3] = ["ann", "bob", "@core"];

pub(crate) fn packages() -> Vec<PackageName> {
    PACKAGES.iter().map(|name| name.parse().unwrap()).collect()
}

pub(crate) fn series() -> impl Strategy<Value = SeriesName> {
    select(&SERIES[..]).prop_map(|name| name.parse().unwrap())
}

pub(crate) fn set() -> impl Strategy<Value = PackageSetName> {
    select(&SETS[..]).prop_map(|name| name.parse().unwrap())
}

pub(crate) fn path() -> impl Strategy<Value = SetPath> {
    (series(), set()).prop_map(|(series, set)| SetPath {
        series: series_path(&series),
        set,
    })
}

fn details() -> impl Strategy<Value = SetDetails> {
    (select(&PARTIES[..]), select(&["", "one", "two"][..])).prop_map(|(owner, description)| SetDetails {
        owner: owner.parse().unwrap(),
        description: description.to_owned(),
    })
}

pub(crate) fn series_details() -> SeriesDetails {
    SeriesDetails {
        version: "1".parse().unwrap(),
        ..SeriesDetails::owned_by("ann".parse().unwrap())
    }
}

fn sources() -> impl Strategy<Value = BTreeSet<PackageName>> {
    prop::collection::btree_set(select(packages()), 1..3)
}

pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    let target = |path: SetPath| Target::PackageSet {
        series: path.series.series,
        set: path.set,
    };
    let permission = (
        path(),
        select(&PARTIES[..]),
        select(&[Action::Upload, Action::QueueAdmin][..]),
        select(&PermissionStatus::ALL[..]),
        any::<bool>(),
    );
    let grant = permission.prop_map(move |(path, party, action, status, explicit)| Operation::Grant {
        distribution: "d".parse().unwrap(),
        permission: Permission {
            party: party.parse().unwrap(),
            action,
            target: target(path),
            status,
            explicit,
        },
    });
    let revoke = (path(), select(&PARTIES[..])).prop_map(move |(path, party)| Operation::Revoke {
        distribution: "d".parse().unwrap(),
        party: party.parse().unwrap(),
        action: Action::Upload,
        target: target(path),
    });
    let create = (path(), details(), prop::option::weighted(0.4, path()));
    prop_oneof![
        1 => series().prop_map(|name| Operation::CreateSeries { series: series_path(&name), details: series_details() }),
        3 => (series(), series()).prop_map(|(name, from)| Operation::InitSeries {
            series: series_path(&name),
            from: series_path(&from),
            listings: false,
            details: series_details(),
        }),
        6 => create.prop_map(|(path, details, related)| Operation::CreateSet { path, details, related, group: None }),
        2 => path().prop_map(|path| Operation::RemoveSet { path }),
        1 => (path(), set()).prop_filter("a name of its own is none", |(path, to)| path.set != *to).prop_map(|(path, to)| Operation::RenameSet { path, to }),
        2 => (path(), details()).prop_map(|(path, details)| Operation::ChangeSet { path, details }),
        1 => (path(), -1i64..3).prop_map(|(path, score)| Operation::ScoreSet { path, score }),
        6 => (path(), sources()).prop_map(|(path, sources)| Operation::AddSources { path, sources }),
        3 => (path(), sources()).prop_map(|(path, sources)| Operation::RemoveSources { path, sources }),
        6 => (path(), set()).prop_map(|(path, subset)| Operation::AddSubsets { path, subsets: [subset].into() }),
        3 => (path(), set()).prop_map(|(path, subset)| Operation::RemoveSubsets { path, subsets: [subset].into() }),
        4 => grant,
        2 => revoke,
    ]
}

/// Operations that the oracle knows nothing of: what is said of distribution and series, teams, permissions that are not on sets.
pub(crate) fn further_operation() -> impl Strategy<Value = Operation> {
    let members = || {
        prop::collection::btree_set(
            select(&["ann", "bob", "@core", "@main", "@more"][..]).prop_map(|name| name.parse().unwrap()),
            1..3,
        )
    };
    let team = || select(&["core", "main", "more"][..]).prop_map(|name| name.parse().unwrap());
    let target = || {
        let pocket = || select(&Pocket::ALL[..3]);
        prop_oneof![
            select(packages()).prop_map(|package| Target::Package { package }),
            (series(), select(packages())).prop_map(|(series, package)| Target::Listing { series, package }),
            pocket().prop_map(|pocket| Target::Pocket { pocket, series: None }),
            (pocket(), series()).prop_map(|(pocket, series)| Target::Pocket {
                pocket,
                series: Some(series)
            }),
            Just(Target::Component {
                component: "main".parse().unwrap()
            }),
        ]
    };
    let permission = || {
        (target(), select(&PARTIES[..2]), any::<bool>()).prop_map(|(target, party, first)| {
            let mut allowed = Action::ALL.into_iter().filter(|&action| target.allows(action));
            let action = if first { allowed.next() } else { allowed.next_back() }.unwrap();
            (target, party.parse().unwrap(), action)
        })
    };
    prop_oneof![
        3 => (team(), members()).prop_map(|(team, members)| Operation::AddMembers { distribution: "d".parse().unwrap(), team, members }),
        1 => (team(), members()).prop_map(|(team, members)| Operation::RemoveMembers { distribution: "d".parse().unwrap(), team, members }),
        1 => (series(), series()).prop_map(|(name, from)| Operation::InitSeries {
            series: series_path(&name),
            from: series_path(&from),
            listings: true,
            details: series_details(),
        }),
        6 => (permission(), select(&PermissionStatus::ALL[..])).prop_map(|((target, party, action), status)| Operation::Grant {
            distribution: "d".parse().unwrap(),
            permission: Permission { party, action, target, status, explicit: false },
        }),
        2 => permission().prop_map(|(target, party, action)| Operation::Revoke { distribution: "d".parse().unwrap(), party, action, target }),
        6 => (series(), random_series_details()).prop_map(|(series, details)| Operation::ChangeSeries { series: series_path(&series), details }),
        1 => select(&["u", "v"][..]).prop_map(|package| Operation::AddPackages {
            distribution: "d".parse().unwrap(),
            packages: [package.parse().unwrap()].into(),
        }),
    ]
}

fn random_series_details() -> impl Strategy<Value = SeriesDetails> {
    let bases = prop::collection::btree_map(series(), -1..2, 0..3);
    let bases = bases.prop_map(|bases| bases.into_iter().map(|(base, priority)| Base { base, priority }).collect());
    let branch = prop::option::of(series()).prop_map(|parent| Branch {
        name: "f/41".parse().unwrap(),
        dist_tag: ".f41".parse().unwrap(),
        parent,
    });
    let texts = prop::option::of(select(&["", "one \"two\"\nthree"][..]).prop_map(str::to_owned));
    let urls = prop::option::of(Just("https://example.org/[ARCH]/[PACKAGE].rpm".parse().unwrap()));
    let dates = prop::collection::btree_map(
        select(&[Milestone::RELEASED, Milestone::EOL][..]),
        select(vec![date(2024, 4, 25), date(2029, 5, 31)]),
        0..2,
    );
    (
        (prop::option::of(select(&["Core", "Extras"][..])), select(&["1", "2"][..])),
        select(&CollectionStatus::ALL[..]),
        texts,
        prop::option::of(branch),
        urls,
        bases,
        dates,
    )
        .prop_map(
            |((title, version), status, text, branch, url, bases, dates): (_, _, Option<String>, _, _, Vec<Base>, _)| SeriesDetails {
                title: title.map(str::to_owned),
                version: version.parse().unwrap(),
                status,
                owner: "bob".parse().unwrap(),
                summary: text.clone(),
                description: text,
                branch,
                publish_url: url,
                pending_url: None,
                bases,
                dates,
            },
        )
}

fn distribution() -> DistributionName {
    "d".parse().unwrap()
}

fn package() -> impl Strategy<Value = PackageName> {
    select(packages())
}

fn listing_path() -> impl Strategy<Value = ListingPath> {
    (series(), package()).prop_map(|(series, package)| ListingPath {
        series: series_path(&series),
        package,
    })
}

fn version() -> impl Strategy<Value = Version> {
    select(&["1.0-1", "2.0-1", "1:0.5"][..]).prop_map(|text| text.parse().unwrap())
}

fn built() -> impl Strategy<Value = BuiltPackageName> {
    select(&["x", "y", "z++"][..]).prop_map(|name| name.parse().unwrap())
}

fn comps() -> impl Strategy<Value = CompsName> {
    select(&["g", "h"][..]).prop_map(|name| name.parse().unwrap())
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(select(&["one", "two"][..]).prop_map(str::to_owned))
}

fn listing_details() -> impl Strategy<Value = ListingDetails> {
    let owner = || select(&["ann", "orphan", "@core"][..]).prop_map(|name| name.parse().unwrap());
    let component = prop::option::of(Just("main".parse().unwrap()));
    (owner(), prop::option::of(owner()), component, select(&ListingStatus::ALL[..])).prop_map(|(owner, qa_contact, component, status)| {
        ListingDetails {
            owner,
            qa_contact,
            component,
            status,
        }
    })
}

fn package_details() -> impl Strategy<Value = PackageDetails> {
    (text(), text(), select(&PackageStatus::ALL[..])).prop_map(|(summary, review_url, status)| PackageDetails {
        summary,
        description: None,
        review_url,
        status,
    })
}

fn requirement() -> impl Strategy<Value = Requirement> {
    prop_oneof![
        Just(Requirement::Mandatory),
        Just(Requirement::Default),
        Just(Requirement::Optional),
        built().prop_map(|requires| Requirement::Conditional { requires }),
    ]
}

/// Operations on what is in collections besides package sets.
pub(crate) fn contents_operation() -> impl Strategy<Value = Operation> {
    let status = || select(&VersionStatus::ALL[..]);
    let in_series = || series().prop_map(|series| series_path(&series));
    let some_built = || prop::collection::btree_set(built(), 1..3);
    let group = (text(), prop::collection::btree_map(built(), requirement(), 0..3)).prop_map(|(summary, members)| GroupDetails {
        title: "Games".to_owned(),
        summary,
        members,
    });
    let category = (text(), prop::collection::btree_set(comps(), 0..3)).prop_map(|(summary, groups)| CategoryDetails {
        title: "All".to_owned(),
        summary,
        groups,
    });
    let catalogue = prop_oneof![
        2 => (package(), package_details())
            .prop_map(|(package, details)| Operation::ChangePackage { distribution: distribution(), package, details }),
        3 => (package(), version(), status())
            .prop_map(|(package, version, status)| Operation::AddVersion { distribution: distribution(), package, version, status }),
        1 => (package(), version(), status())
            .prop_map(|(package, version, status)| Operation::ChangeVersion { distribution: distribution(), package, version, status }),
        3 => (package(), version(), built(), text()).prop_map(|(package, version, built, summary)| Operation::SetBuilt {
            distribution: distribution(),
            package,
            version,
            built,
            details: BuiltDetails { summary, description: None },
        }),
    ];
    let listings = prop_oneof![
        4 => (listing_path(), listing_details()).prop_map(|(path, details)| Operation::AddListing { path, details }),
        1 => (listing_path(), listing_details()).prop_map(|(path, details)| Operation::ChangeListing { path, details }),
        1 => listing_path().prop_map(|path| Operation::RemoveListing { path }),
        4 => (listing_path(), version()).prop_map(|(path, version)| Operation::ListVersion { path, version }),
        1 => (listing_path(), version()).prop_map(|(path, version)| Operation::WithdrawVersion { path, version }),
        4 => (listing_path(), version(), some_built()).prop_map(|(path, version, built)| Operation::ListBuilt { path, version, built }),
        1 => (listing_path(), version(), some_built()).prop_map(|(path, version, built)| Operation::WithdrawBuilt { path, version, built }),
    ];
    let groups = prop_oneof![
        3 => (in_series(), comps(), group).prop_map(|(series, group, details)| Operation::SetGroup { series, group, details }),
        1 => (in_series(), comps()).prop_map(|(series, group)| Operation::RemoveGroup { series, group }),
        2 => (in_series(), comps(), category)
            .prop_map(|(series, category, details)| Operation::SetCategory { series, category, details }),
        1 => (in_series(), comps()).prop_map(|(series, category)| Operation::RemoveCategory { series, category }),
    ];
    prop_oneof![2 => catalogue, 3 => listings, 1 => groups]
}

/// Two packages in `d/s0` and one in `d/s1`, with a version and what is built from it, and permissions on one of them.
pub(crate) fn contents_beginning() -> Vec<Operation> {
    let operations = serde_json::json!([
        { "op": "add-version", "distribution": "d", "package": "p", "version": "1.0-1", "status": "approved" },
        { "op": "add-version", "distribution": "d", "package": "q", "version": "2.0-1", "status": "awaitingqa" },
        { "op": "set-built", "distribution": "d", "package": "p", "version": "1.0-1", "built": "x" },
        { "op": "set-built", "distribution": "d", "package": "p", "version": "1.0-1", "built": "y", "summary": "one" },
        { "op": "add-listing", "in": "d/s0", "package": "p", "owner": "ann", "status": "approved" },
        { "op": "add-listing", "in": "d/s0", "package": "q", "owner": "orphan", "qa_contact": "bob", "status": "awaitingreview" },
        { "op": "add-listing", "in": "d/s1", "package": "p", "owner": "@core", "component": "main", "status": "approved" },
        { "op": "list-version", "in": "d/s0", "package": "p", "version": "1.0-1" },
        { "op": "list-version", "in": "d/s1", "package": "p", "version": "1.0-1" },
        { "op": "list-built", "in": "d/s0", "package": "p", "version": "1.0-1", "built": ["x", "y"] },
        { "op": "set-group", "in": "d/s0", "group": "g", "title": "Games", "members": { "x": { "type": "mandatory" } } },
        { "op": "set-category", "in": "d/s0", "category": "h", "title": "All", "groups": ["g"] },
        { "op": "grant", "distribution": "d", "party": "bob", "action": "commit", "on": "listing", "series": "s0", "package": "p", "status": "approved" },
    ]);
    serde_json::from_value(operations).unwrap()
}

/// What everything random goes on from: three sets in a chain with packages and a permission each, and two more series that began with them.
pub(crate) fn beginning() -> Vec<Operation> {
    let path = |series: &str, set: &str| SetPath {
        series: series.parse().unwrap(),
        set: set.parse().unwrap(),
    };
    let create = |set: &str| Operation::CreateSet {
        path: path("d/s0", set),
        details: SetDetails {
            owner: "ann".parse().unwrap(),
            description: String::new(),
        },
        related: None,
        group: None,
    };
    let include = |set: &str, subset: &str| Operation::AddSubsets {
        path: path("d/s0", set),
        subsets: [subset.parse().unwrap()].into(),
    };
    let add = |set: &str, source: &str| Operation::AddSources {
        path: path("d/s0", set),
        sources: [source.parse().unwrap()].into(),
    };
    let init = |series: &str, from: &str| Operation::InitSeries {
        series: series.parse().unwrap(),
        from: from.parse().unwrap(),
        listings: false,
        details: series_details(),
    };
    let grant = Operation::Grant {
        distribution: "d".parse().unwrap(),
        permission: Permission {
            party: "@core".parse().unwrap(),
            action: Action::Upload,
            target: Target::PackageSet {
                series: "s0".parse().unwrap(),
                set: "a".parse().unwrap(),
            },
            status: PermissionStatus::Approved,
            explicit: false,
        },
    };
    vec![
        create("a"),
        create("b"),
        create("c"),
        include("a", "b"),
        include("b", "c"),
        add("a", "p"),
        add("b", "q"),
        add("c", "r"),
        grant,
        init("d/s1", "d/s0"),
        init("d/s2", "d/s1"),
    ]
}

/// A store in a folder, and the time that passes there.
pub(crate) struct Place {
    pub(crate) store: Store,
    pub(crate) now: Timestamp,
    _folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new(sharing: Sharing) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut place = Self {
            store: Store::open(folder.path()).unwrap(),
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            _folder: folder,
        };
        let distribution = "d".parse().unwrap();
        let details = DistributionDetails {
            sharing,
            versions: VersionScheme::Debian,
            series: None,
            permit_obsolete_uploads: false,
        };
        place.perform(Operation::CreateDistribution { distribution, details }).unwrap();
        let packages = packages().into_iter().collect();
        let distribution = "d".parse().unwrap();
        place.perform(Operation::AddPackages { distribution, packages }).unwrap();
        let first = Operation::CreateSeries {
            series: "d/s0".parse().unwrap(),
            details: series_details(),
        };
        place.perform(first).unwrap();
        place
    }

    pub(crate) fn perform(&mut self, operation: Operation) -> Result<Performed, StoreError> {
        self.now += SignedDuration::from_mins(1);
        let hand = Hand {
            actor: "ann".to_owned(),
            at: self.now,
            force: Force::Not,
        };
        let mut performed = self.store.perform(&hand, &[operation])?;
        Ok(performed.remove(0))
    }

    /// Does an operation, and before it the clones that it asks for; `false` if it is refused.
    pub(crate) fn perform_with_clones(&mut self, operation: &Operation) -> bool {
        for _ in 0..=SETS.len() {
            match self.perform(operation.clone()) {
                Ok(_) => return true,
                Err(error) => match to_clone_first(&error) {
                    Some(path) => _ = self.perform(Operation::CloneSet { path }).unwrap(),
                    None => {
                        assert!(matches!(error, StoreError::Refused(_)), "{error}");
                        return false;
                    }
                },
            }
        }
        panic!("one clone for each set is the most that can be asked for");
    }
}

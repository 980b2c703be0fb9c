//! Random operations on a distribution `d`, and a store to do them in.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use kinset::model::ProjectName;
use kinset::model::packages::{
    Action, CollectionStatus, DistributionDetails, Operation, PackageName, PackageSetName, Permission, PermissionStatus, Pocket,
    SeriesDetails, SeriesName, SetDetails, SetPath, Sharing, Target, Versions,
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
        version: "1".to_owned(),
        status: CollectionStatus::Development,
        owner: "ann".parse().unwrap(),
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
    let create = (path(), details(), prop::option::weighted(0.6, path()));
    prop_oneof![
        1 => series().prop_map(|name| Operation::CreateSeries { series: series_path(&name), details: series_details() }),
        3 => (series(), series()).prop_map(|(name, from)| Operation::InitSeries {
            series: series_path(&name),
            from: series_path(&from),
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
            Just(Target::TrackerProject {
                tracker: "kernel".to_owned(),
                project: ProjectName("alpha".to_owned())
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
    let series_details = (select(&CollectionStatus::ALL[..]), select(&["1", "2"][..])).prop_map(|(status, version)| SeriesDetails {
        status,
        version: version.to_owned(),
        owner: "bob".parse().unwrap(),
    });
    prop_oneof![
        3 => (team(), members()).prop_map(|(team, members)| Operation::AddMembers { distribution: "d".parse().unwrap(), team, members }),
        1 => (team(), members()).prop_map(|(team, members)| Operation::RemoveMembers { distribution: "d".parse().unwrap(), team, members }),
        6 => (permission(), select(&PermissionStatus::ALL[..])).prop_map(|((target, party, action), status)| Operation::Grant {
            distribution: "d".parse().unwrap(),
            permission: Permission { party, action, target, status, explicit: false },
        }),
        2 => permission().prop_map(|(target, party, action)| Operation::Revoke { distribution: "d".parse().unwrap(), party, action, target }),
        3 => (series(), series_details).prop_map(|(series, details)| Operation::ChangeSeries { series: series_path(&series), details }),
        1 => select(&["u", "v"][..]).prop_map(|package| Operation::AddPackages {
            distribution: "d".parse().unwrap(),
            packages: [package.parse().unwrap()].into(),
        }),
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
            versions: Versions::Debian,
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

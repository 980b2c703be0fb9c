//! All four ways of tying sets to series answer alike, now and for any time that was, whatever is done and whatever way they came from.

use jiff::{SignedDuration, Timestamp};
use kinset::model::packages::{
    Action, DistributionDetails, Operation, PackageName, PackageSetName, Permission, PermissionStatus, SeriesDetails, SeriesName,
    SetDetails, SetPath, Sharing, Target, VersionScheme,
};
use kinset::store::packages::{Force, Hand, Performed};
use kinset::store::{Store, StoreError};
use proptest::prelude::*;
use proptest::sample::select;

use crate::packages_oracle::{AllAnswers, Oracle, ask, series_path, to_clone_first};

const SERIES: [&str; 4] = ["s0", "s1", "s2", "s3"];
const SETS: [&str; 4] = ["a", "b", "c", "d"];
const PACKAGES: [&str; 5] = ["p", "q", "r", "s", "t"];
const PARTIES: [&str; 3] = ["ann", "bob", "@core"];

fn packages() -> Vec<PackageName> {
    PACKAGES.iter().map(|name| name.parse().unwrap()).collect()
}

fn series() -> impl Strategy<Value = SeriesName> {
    select(&SERIES[..]).prop_map(|name| name.parse().unwrap())
}

fn set() -> impl Strategy<Value = PackageSetName> {
    select(&SETS[..]).prop_map(|name| name.parse().unwrap())
}

fn path() -> impl Strategy<Value = SetPath> {
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

fn series_details() -> SeriesDetails {
    SeriesDetails {
        version: "1".parse().unwrap(),
        ..SeriesDetails::owned_by("ann".parse().unwrap())
    }
}

fn sources() -> impl Strategy<Value = std::collections::BTreeSet<PackageName>> {
    prop::collection::btree_set(select(packages()), 1..3)
}

fn operation() -> impl Strategy<Value = Operation> {
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
        6 => create.prop_map(|(path, details, related)| Operation::CreateSet { path, details, related }),
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

/// What everything random goes on from: three sets in a chain with packages and a permission each, and two more series that began with them.
fn beginning() -> Vec<Operation> {
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
struct Place {
    store: Store,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

impl Place {
    fn new(sharing: Sharing) -> Self {
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

    fn perform(&mut self, operation: Operation) -> Result<Performed, StoreError> {
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
    fn perform_with_clones(&mut self, operation: &Operation) -> bool {
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

    fn ask(&self, as_of: Option<Timestamp>) -> AllAnswers {
        ask(&self.store, as_of, &packages()).unwrap()
    }
}

/// What was answered, and when.
type Moments = Vec<(Timestamp, AllAnswers)>;

fn assert_past(place: &Place, moments: &Moments) -> Result<(), TestCaseError> {
    for (at, expected) in moments {
        prop_assert_eq!(&place.ask(Some(*at)), expected, "as of {}", at);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn all_ways_answer_alike_now_and_for_any_time(operations in prop::collection::vec(operation(), 1..40)) {
        for sharing in Sharing::ALL {
            let mut place = Place::new(sharing);
            let mut oracle = Oracle::new(sharing == Sharing::Tethered);
            let mut moments = Moments::new();
            for operation in beginning().iter().chain(&operations) {
                let expected = oracle.perform(operation);
                prop_assert_eq!(place.perform_with_clones(operation), expected, "{} {:?}", sharing, operation);
                let answers = oracle.answers(&packages());
                prop_assert_eq!(&place.ask(None), &answers, "{} {:?}", sharing, operation);
                moments.push((place.now, answers));
            }
            assert_past(&place, &moments)?;
        }
    }

    #[test]
    fn a_conversion_changes_no_answer(steps in prop::collection::vec(prop_oneof![
        5 => operation().prop_map(Ok),
        1 => select(&Sharing::ALL[..]).prop_map(Err),
    ], 1..50)) {
        let mut place = Place::new(Sharing::CopyOnWrite);
        let mut oracle = Oracle::new(false);
        let mut moments = Moments::new();
        let beginning: Vec<Result<Operation, Sharing>> = beginning().into_iter().map(Ok).collect();
        for step in beginning.iter().chain(&steps) {
            match step {
                Ok(operation) => {
                    let expected = oracle.perform(operation);
                    prop_assert_eq!(place.perform_with_clones(operation), expected, "{:?}", operation);
                }
                Err(to) => {
                    let convert = Operation::ConvertSharing { distribution: "d".parse().unwrap(), to: *to, hierarchy_of: None };
                    if place.perform_with_clones(&convert) {
                        oracle.convert(*to == Sharing::Tethered);
                    } else {
                        prop_assert_eq!(*to, Sharing::Tethered, "only a hierarchy for all may be refused");
                    }
                }
            }
            let answers = oracle.answers(&packages());
            prop_assert_eq!(&place.ask(None), &answers, "{:?}", step);
            moments.push((place.now, answers));
        }
        assert_past(&place, &moments)?;
    }
}

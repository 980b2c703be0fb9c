//! A distribution of Ubuntu's size out of a seed.

use std::collections::BTreeSet;

use kinset::model::packages::{
    Action, Base, DistributionDetails, DistributionName, ListingDetails, ListingPath, ListingStatus, Operation, PackageName,
    PackageSetName, Party, Permission, PermissionStatus, Pocket, SeriesDetails, SeriesName, SeriesPath, SetDetails, SetPath, Sharing,
    Target, TeamName, VersionScheme,
};

pub(crate) use crate::chance::Chance;

/// How many sets there are on each level of the hierarchy, from the top down.
const LEVELS: [usize; 5] = [1, 4, 10, 20, 25];
const TEAMS: u64 = 20;
const PEOPLE: u64 = 150;

/// How much there is of what is told apart.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) sources: u64,
    /// Of a hundred sources, how many are in two sets; the others are in one.
    pub(crate) in_two_sets_of_100: u64,
}

/// The place of a set. Some are drawn much more often than others: the first one twelfth of all times.
fn any_set(chance: &mut Chance) -> usize {
    let sets = all_sets();
    (chance.below(sets) * chance.below(sets) / sets) as usize
}

fn party(chance: &mut Chance) -> Party {
    match chance.below(3) {
        0 => Party::Team(team(chance.below(TEAMS))),
        _ => person(chance.below(PEOPLE)),
    }
}

const fn all_sets() -> u64 {
    let [a, b, c, d, e] = LEVELS;
    (a + b + c + d + e) as u64
}

pub(crate) fn distribution() -> DistributionName {
    "ubuntu".parse().unwrap()
}

pub(crate) fn series(number: u64) -> SeriesName {
    format!("series-{number:02}").parse().unwrap()
}

pub(crate) fn series_path(number: u64) -> SeriesPath {
    SeriesPath {
        distribution: distribution(),
        series: series(number),
    }
}

pub(crate) fn source(number: u64) -> PackageName {
    format!("source-{number:05}").parse().unwrap()
}

/// The set of this place. The first ones have the most sources and no subsets; the last one is on top of all others.
fn set(place: usize) -> PackageSetName {
    format!("set-{place:02}").parse().unwrap()
}

/// The set that all others are in.
pub(crate) fn top() -> PackageSetName {
    set(LEVELS.iter().sum::<usize>() - 1)
}

/// The set with the most sources of its own.
pub(crate) fn largest() -> PackageSetName {
    set(0)
}

pub(crate) fn person(number: u64) -> Party {
    Party::Person(format!("person-{number:03}").parse().unwrap())
}

fn team(number: u64) -> TeamName {
    format!("team-{number:02}").parse().unwrap()
}

fn path(of: u64, set: PackageSetName) -> SetPath {
    SetPath {
        series: series_path(of),
        set,
    }
}

fn series_details(number: u64) -> SeriesDetails {
    SeriesDetails {
        version: number.to_string().parse().unwrap(),
        ..SeriesDetails::owned_by(person(0))
    }
}

pub(crate) fn init(number: u64, from: u64) -> Operation {
    Operation::InitSeries {
        series: series_path(number),
        from: series_path(from),
        listings: false,
        details: series_details(number),
    }
}

pub(crate) fn add(of: u64, to: PackageSetName, sources: impl IntoIterator<Item = u64>) -> Operation {
    Operation::AddSources {
        path: path(of, to),
        sources: sources.into_iter().map(source).collect(),
    }
}

fn grant(chance: &mut Chance, action: Action, target: Target) -> Operation {
    Operation::Grant {
        distribution: distribution(),
        permission: Permission {
            party: party(chance),
            action,
            target,
            status: PermissionStatus::Approved,
            explicit: false,
        },
    }
}

fn grant_on_set(chance: &mut Chance, of: u64) -> Operation {
    let target = Target::PackageSet {
        series: series(of),
        set: set(any_set(chance)),
    };
    grant(chance, Action::Upload, target)
}

/// The distribution with its packages.
fn founding(sharing: Sharing, sources: u64) -> [Operation; 2] {
    let details = DistributionDetails {
        sharing,
        versions: VersionScheme::Debian,
        series: None,
        permit_obsolete_uploads: false,
    };
    [
        Operation::CreateDistribution {
            distribution: distribution(),
            details,
        },
        Operation::AddPackages {
            distribution: distribution(),
            packages: (0..sources).map(source).collect(),
        },
    ]
}

/// A distribution whose last series lies over all before it, each over the one before itself. They share out the packages among themselves.
pub(crate) fn overlaid(overlays: u64, listings: u64) -> Vec<Operation> {
    let over = |number: u64| {
        let below = number.checked_sub(1).map(series);
        below.into_iter().map(|base| Base { base, priority: 0 }).collect()
    };
    let mut operations = Vec::from(founding(Sharing::SharedNothing, listings));
    operations.extend((0..=overlays).map(|number| Operation::CreateSeries {
        series: series_path(number),
        details: SeriesDetails {
            bases: over(number),
            ..series_details(number)
        },
    }));
    operations.extend((0..listings).map(|number| Operation::AddListing {
        path: ListingPath {
            series: series_path(number % (overlays + 1)),
            package: source(number),
        },
        details: ListingDetails {
            owner: person(number % PEOPLE),
            qa_contact: None,
            component: None,
            status: ListingStatus::Approved,
        },
    }));
    operations
}

/// The distribution with its first series.
pub(crate) fn beginning(shape: Shape, sharing: Sharing) -> Vec<Operation> {
    let mut chance = Chance::new(1);
    let mut operations = Vec::from(founding(sharing, shape.sources));
    operations.push(Operation::CreateSeries {
        series: series_path(0),
        details: series_details(0),
    });
    operations.extend((0..TEAMS).map(|number| Operation::AddMembers {
        distribution: distribution(),
        team: team(number),
        members: (0..10).map(|_| person(chance.below(PEOPLE))).collect(),
    }));
    sets(&mut operations, &mut chance);
    members(&mut operations, &mut chance, shape);
    permissions(&mut operations, &mut chance, shape);
    operations
}

/// The sets, each below the top in one or two of the level above.
fn sets(operations: &mut Vec<Operation>, chance: &mut Chance) {
    let all: usize = LEVELS.iter().sum();
    operations.extend((0..all).map(|place| Operation::CreateSet {
        path: path(0, set(place)),
        details: SetDetails {
            owner: person(0),
            description: format!("the sources of set {place}"),
        },
        related: None,
        group: None,
    }));
    let mut above = 0..1;
    for count in &LEVELS[1..] {
        let level = above.end..above.end + count;
        for place in level.clone() {
            for _ in 0..=chance.below(2) {
                let parent = above.start + chance.below(above.len() as u64) as usize;
                operations.push(Operation::AddSubsets {
                    path: path(0, set(all - 1 - parent)),
                    subsets: [set(all - 1 - place)].into(),
                });
            }
        }
        above = level;
    }
}

fn members(operations: &mut Vec<Operation>, chance: &mut Chance, shape: Shape) {
    let mut members = vec![BTreeSet::new(); all_sets() as usize];
    for source in 0..shape.sources {
        let first = any_set(chance);
        members[first].insert(source);
        if chance.below(100) < shape.in_two_sets_of_100 {
            let mut second = any_set(chance);
            while second == first {
                second = any_set(chance);
            }
            members[second].insert(source);
        }
    }
    let filled = members.into_iter().enumerate().filter(|(_, sources)| !sources.is_empty());
    operations.extend(filled.map(|(place, sources)| add(0, set(place), sources)));
}

fn permissions(operations: &mut Vec<Operation>, chance: &mut Chance, shape: Shape) {
    operations.extend((0..200).map(|_| grant_on_set(chance, 0)));
    for _ in 0..50 {
        let package = source(chance.below(shape.sources));
        operations.push(grant(chance, Action::Upload, Target::Package { package }));
    }
    for number in 0..10 {
        let component = ["main", "restricted", "universe", "multiverse", "partner"][number % 5]
            .parse()
            .unwrap();
        operations.push(grant(chance, Action::Upload, Target::Component { component }));
    }
    for pocket in Pocket::ALL {
        let series = Some(series(0));
        operations.push(grant(chance, Action::QueueAdmin, Target::Pocket { pocket, series }));
    }
}

/// What changes in a series while it is the newest: three sets get a source, and somebody is let in.
pub(crate) fn changes(of: u64, shape: Shape) -> Vec<Operation> {
    let mut chance = Chance::new(1000 + of);
    let mut operations: Vec<Operation> = (0..3)
        .map(|_| add(of, set(any_set(&mut chance)), [chance.below(shape.sources)]))
        .collect();
    operations.push(grant_on_set(&mut chance, of));
    operations
}

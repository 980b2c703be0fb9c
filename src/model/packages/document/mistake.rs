//! What can be wrong with a document, each with its place.

use std::fmt;

use crate::model::packages::{
    Action, CollectionStatus, Cycle, DistributionName, GroupName, OverlayError, PackageName, PackageSetName, Party, SeriesName, Target,
    TeamName, TransitionError, Unknown, Version, VersionError,
};

/// Where something stands in a document: the way to it from the top.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub Vec<Segment>);

/// One step on the way to a place in a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// Into the value of a key.
    Key(&'static str),
    /// To an element of a list, from 0.
    Item(usize),
    /// To the element of a list, or the key of a table, that has this text.
    Text(String),
}

impl Place {
    /// The place of a series.
    #[must_use]
    pub fn series(index: usize) -> Self {
        Self(vec![Segment::Key("series"), Segment::Item(index)])
    }

    /// The value of a key there.
    #[must_use]
    pub fn key(&self, key: &'static str) -> Self {
        self.with(Segment::Key(key))
    }

    /// An element there.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        self.with(Segment::Item(index))
    }

    /// What has this text there.
    #[must_use]
    pub fn text(&self, text: impl fmt::Display) -> Self {
        self.with(Segment::Text(text.to_string()))
    }

    fn with(&self, segment: Segment) -> Self {
        Self(self.0.iter().cloned().chain([segment]).collect())
    }
}

/// One thing that is wrong in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub at: Place,
    /// What is wrong, and what to do about it.
    pub kind: MistakeKind,
}

/// The ways in which a document can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MistakeKind {
    /// The same stands twice.
    #[error("{what} stands above already: give this one another name, or remove it")]
    Repeated {
        /// What.
        what: String,
    },
    /// The same permission stands twice.
    #[error("the permission of {party} to {action} on {on} stands above already: remove one of them")]
    RepeatedPermission {
        /// Who has it.
        party: Party,
        /// To do what.
        action: Action,
        /// To what.
        on: Target,
    },
    /// No series of that name.
    #[error("expected a series of this file, found {name}{}", meant(.name))]
    NoSeries {
        /// The name.
        name: Unknown,
    },
    /// The set that something is to be as is not there.
    #[error("expected a series that has a package set {set}, and {series} has none: name another series, or say here what is in it")]
    NoSetThere {
        /// The set.
        set: PackageSetName,
        /// The series.
        series: SeriesName,
    },
    /// What something is to be as is as something else.
    #[error("{set} of {series} is itself as in another series: name the series whose {set} says what is in it")]
    AsInAsIn {
        /// The set.
        set: PackageSetName,
        /// The series.
        series: SeriesName,
    },
    /// Two sets of one series are incarnations of one.
    #[error("the series has a set of group {group} already, {set}: a group has one set in a series; give one of them another `group`")]
    SameGroup {
        /// The group.
        group: GroupName,
        /// The set above.
        set: PackageSetName,
    },
    /// A set includes one that is not there.
    #[error("expected a package set of series {series}, found {set}{}: add it, or take it out of the subsets", meant(.set))]
    NoSubset {
        /// The series.
        series: SeriesName,
        /// The subset.
        set: Unknown,
    },
    /// The set that it is as includes one of which the series has no incarnation.
    #[error("as in {series} it includes {set}, of which there is no incarnation here: add one, or say here what is in it")]
    NoSubsetAsIn {
        /// The series that it is as in.
        series: SeriesName,
        /// The subset's name there.
        set: PackageSetName,
    },
    /// Sets include each other.
    #[error("{cycle} would be a cycle: take one of them out of the subsets of the one before it")]
    Cycle {
        /// The way round.
        cycle: Cycle<PackageSetName>,
    },
    /// Teams include each other.
    #[error("{cycle} would be a cycle: take one of them out of the team before it")]
    TeamCycle {
        /// The way round.
        cycle: Cycle<TeamName>,
    },
    /// The hierarchy is one for all series, and two series say otherwise.
    #[error(
        "{superset} includes {subset} in {one} and not in {other}, and `tethered` has one hierarchy for all series: make them agree, or choose another `sharing`"
    )]
    Disagreement {
        /// The set.
        superset: PackageSetName,
        /// What it includes.
        subset: PackageSetName,
        /// The series where it does.
        one: SeriesName,
        /// The series where it does not.
        other: SeriesName,
    },
    /// The hierarchy is one for all series, and those of the series together make a cycle.
    #[error("{cycle} would be a cycle in the hierarchy that `tethered` has for all series")]
    GlobalCycle {
        /// The way round.
        cycle: Cycle<GroupName>,
    },
    /// Collections would lie over each other.
    #[error("{0}: take one of them out of the bases of the one before it")]
    Overlay(OverlayError),
    /// A series has a version of which the file says nothing.
    #[error("expected a version of {package} that stands under [[package.version]], found {version}{}: add it there", meant(.version))]
    NoVersion {
        /// The package.
        package: PackageName,
        /// The version.
        version: Unknown,
    },
    /// A series has something of a version that is not built from it.
    #[error("expected something that is built from {package} {version}, found {built}{}: add it to `built` of that version", meant(.built))]
    NotBuilt {
        /// The package.
        package: PackageName,
        /// Its version.
        version: Version,
        /// What was named.
        built: Unknown,
    },
    /// A group has something that is built from nothing.
    #[error("expected something that is built from a version, found {built}{}: add it to `built` under [[package.version]]", meant(.built))]
    NeverBuilt {
        /// What was named.
        built: Unknown,
    },
    /// A category has a group that the series does not have.
    #[error("expected a group of series {series}, found {group}{}: add it, or take it out of the category", meant(.group))]
    NoGroup {
        /// The series.
        series: SeriesName,
        /// The group.
        group: Unknown,
    },
    /// A permission is on a package that the series does not list.
    #[error("expected a package that {series} lists, found {package}{}: add a [[series.listing]] of it", meant(.package))]
    NotListed {
        /// The series.
        series: SeriesName,
        /// The package.
        package: Unknown,
    },
    /// It is no version by the rules of the distribution.
    #[error("{0}; versions follow the rules that `versions` names")]
    Version(VersionError),
    /// A status does not follow the one that there is.
    #[error("{0}: change it step by step, or all at once with `--force`")]
    Status(TransitionError),
    /// An action is not for that kind of target.
    #[error("expected one of {} for a {kind}, found `{action}`", actions(.allowed))]
    WrongAction {
        /// The action.
        action: Action,
        /// What it is on.
        kind: &'static str,
        /// What can be given there.
        allowed: Vec<Action>,
    },
    /// A series that there is is not in the document.
    #[error(
        "there are series that this file does not have: {}; a file never takes a series away, so add what `kinset distribution export {distribution}` says of it",
        list(.series)
    )]
    Vanished {
        /// The distribution.
        distribution: DistributionName,
        /// The series.
        series: Vec<SeriesName>,
    },
    /// The record of a series is closed.
    #[error("series {series} has ended ({status}), and its record is closed: leave it as it is, or change it all the same with `--force`")]
    Ended {
        /// The series.
        series: SeriesName,
        /// Its status.
        status: CollectionStatus,
    },
    /// A new series is to begin with the sets of one that is not there.
    #[error("expected a series to begin with, and there is no {origin}: name another, or leave it out")]
    NoOrigin {
        /// What was named.
        origin: String,
    },
    /// New series are each to begin with the sets of the next.
    #[error("{series} would begin with its own sets, by way of other new series: leave `from` out in one of them")]
    OriginCycle {
        /// One of them.
        series: SeriesName,
    },
    /// A new series begins with sets and is to have none.
    #[error(
        "the series begins with {} of {origin}, and the file lists none, so all would be taken out again: list those that it has, those that stay the same with `as_in`; or leave `from` out",
        all_of(*.sets)
    )]
    Unlisted {
        /// Where it begins.
        origin: String,
        /// How many sets there are.
        sets: usize,
    },
}

fn meant(unknown: &Unknown) -> String {
    unknown
        .nearest()
        .map(|nearest| format!(" (did you mean `{nearest}`?)"))
        .unwrap_or_default()
}

fn list(things: &[impl fmt::Display]) -> String {
    things.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn actions(allowed: &[Action]) -> String {
    allowed.iter().map(|action| format!("`{action}`")).collect::<Vec<_>>().join(", ")
}

fn all_of(count: usize) -> String {
    if count == 1 {
        "the set".to_owned()
    } else {
        format!("the {count} sets")
    }
}

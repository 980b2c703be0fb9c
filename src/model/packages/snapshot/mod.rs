//! What one source knows of a distribution, as plain data.
//!
//! A source knows a part of what there is to say: releases and their dates, or who may upload what. So everything here may be absent, and what
//! is absent was not spoken of: it says neither yes nor no, and several snapshots can be laid over each other. Where a service does not let
//! itself be read to the end, that is absent too, and a [`Remark`] says why.

mod gone;
mod guard;
mod hands;
mod modules;
mod of;
mod over;
mod precedence;
#[cfg(test)]
mod properties;
mod remark;
mod stages;
mod turns;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    Branch, CollectionStatus, GroupName, Milestone, PackageName, PackageSetName, Party, Permission, SeriesName, SeriesVersion, TeamName,
};

pub use guard::{Shrunk, Told};
pub use hands::ByHand;
pub use modules::{AmongModules, KnownModules, ModuleFacts};
pub use over::Around;
pub use precedence::{Disagreement, Layer, believed};
pub use remark::Remark;
pub use turns::turns;

/// What one source knows of a distribution. Read twice, it is the same if nothing changed there, whatever order the source answers in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSnapshot {
    /// Whether what it says of series, package sets, permissions and teams is but what it adds to what others say: a set or a permission that it does not
    /// list may be there all the same. What it listed and lists no longer it has withdrawn, unlike what a [`PartialList`] does not show.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_additive: bool,
    /// The series that is meant where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_series: Option<SeriesName>,
    /// The series that it speaks of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub series: BTreeMap<SeriesName, SeriesFacts>,
    /// Who is in which team, for every team that it speaks of, directly or through other teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<BTreeMap<TeamName, BTreeSet<Party>>>,
    /// All permissions, or those that it adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<BTreeSet<Permission>>,
    /// All packages, and what holds of each in every series that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages: Option<BTreeMap<PackageName, PackageFacts>>,
    /// All modules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<ModuleFacts>,
    /// The lists that show less than there is: what was in them before and is not shown is no less so.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub partial: BTreeSet<PartialList>,
    /// What could not be read, and is none of a series or a set.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub remarks: BTreeSet<Remark>,
}

/// A list that shows less than there is, though it is meant to be whole: nobody can say whether what it does not show was withdrawn. Of package sets, and of
/// the sets in one, that stands where they are ([`SeriesFacts::partial_sets`], [`SetFacts::partial_subsets`]).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartialList {
    /// The series.
    Series,
    /// The permissions.
    Permissions,
    /// Who is in this team.
    Team(TeamName),
}

/// What a source knows of a series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesFacts {
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<SeriesVersion>,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The name that it goes by until it is released, and often after: "Noble Numbat".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codename: Option<String>,
    /// Whether it is looked after for longer than others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_long_term: Option<bool>,
    /// Its stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<CollectionStatus>,
    /// Who is in charge of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Party>,
    /// Its branch in version control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch>,
    /// Its dates, each by the name of what happens then: `created`, `released`, `eol`, and whatever else the source has, such as `eol-lts`. Of those
    /// that are not here nothing is said.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dates: BTreeMap<Milestone, Date>,
    /// All of its package sets, or those that it adds or says something of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sets: Option<BTreeMap<PackageSetName, SetFacts>>,
    /// Whether these are some of them only: what was one before and is not shown still is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial_sets: bool,
    /// All packages that were in it, or in the one before it, and are no longer looked after there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<BTreeSet<PackageName>>,
    /// What of it could not be read.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub remarks: BTreeSet<Remark>,
}

/// What a source knows of a package set of a series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetFacts {
    /// When it was made: one that was removed and made anew is another set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// What ties it to its incarnations in other series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// Who is in charge of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Party>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// By how much builds of its packages come before others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<i64>,
    /// The packages that are directly in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<BTreeSet<PackageName>>,
    /// The sets of the same series that are directly in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subsets: Option<BTreeSet<PackageSetName>>,
    /// Whether these are some of them only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial_subsets: bool,
    /// What of it could not be read.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub remarks: BTreeSet<Remark>,
}

/// What a source knows of a package, whatever series it is in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageFacts {
    /// Who looks after it; nobody does if it is [the orphan](super::is_orphan()).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Party>,
    /// Who looks after it besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintainers: Option<BTreeSet<Party>>,
    /// Who is told of its bugs: [`Action::WatchBugzilla`](super::Action::WatchBugzilla).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watchers: Option<BTreeSet<Party>>,
}

impl SeriesFacts {
    /// Whether it says what the series is, and not only what is in it.
    fn says_what_it_is(&self) -> bool {
        self.version.is_some() || self.title.is_some() || self.codename.is_some() || self.status.is_some() || !self.dates.is_empty()
    }
}

impl SetFacts {
    /// Whether it says what is in the set, so that there is one.
    const fn says_what_is_in_it(&self) -> bool {
        self.owner.is_some() || self.sources.is_some() || self.subsets.is_some()
    }
}

impl SourceSnapshot {
    /// What it says of a set.
    fn set(&self, series: &SeriesName, set: &PackageSetName) -> Option<&SetFacts> {
        self.series.get(series)?.sets.as_ref()?.get(set)
    }

    /// Whether it says what is in a set.
    fn brings_set(&self, series: &SeriesName, set: &PackageSetName) -> bool {
        self.set(series, set)
            .is_some_and(|facts| !self.is_additive || facts.says_what_is_in_it())
    }

    /// Everything that could not be read, those of series and sets included.
    #[must_use]
    pub fn all_remarks(&self) -> BTreeSet<&Remark> {
        let series = self.series.values();
        let sets = series.clone().filter_map(|series| series.sets.as_ref()).flat_map(BTreeMap::values);
        self.remarks
            .iter()
            .chain(series.flat_map(|series| &series.remarks))
            .chain(sets.flat_map(|set| &set.remarks))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_reads_back_and_says_nothing_of_what_it_does_not_know() {
        let text = concat!(
            r#"{"series":{"noble":{"version":"24.04","status":"maintenance","dates":{"eol":"2029-05-31"},"#,
            r#""sets":{"core":{"score":0,"sources":["apt"],"remarks":[{"remark":"hidden","what":"the owner of core in noble"}]}}}},"#,
            r#""teams":{"core-dev":["alice"]},"#,
            r#""permissions":[{"party":"@core-dev","action":"upload","on":"component","component":"main","status":"approved"}],"#,
            r#""packages":{"bash":{"owner":"orphan"}}}"#
        );
        let snapshot: SourceSnapshot = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&snapshot).unwrap(), text);
        assert_eq!(snapshot.all_remarks().len(), 1);
        assert_eq!(serde_json::to_string(&SourceSnapshot::default()).unwrap(), "{}");
    }

    #[test]
    fn an_empty_list_is_not_the_same_as_none() {
        let none: SetFacts = serde_json::from_str("{}").unwrap();
        let empty: SetFacts = serde_json::from_str(r#"{"sources":[]}"#).unwrap();
        assert_ne!(none, empty);
    }
}

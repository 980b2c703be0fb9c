//! Why a change to the package model is refused. Nothing has changed then.

use std::fmt;

use jiff::Timestamp;

use super::details::SetPath;
use super::hierarchy::Cycle;
use super::names::{CompsName, DistributionName, GroupName, PackageName, PackageSetName, Party, SeriesName, SeriesPath, TeamName};
use super::permission::{Action, Target};
use super::{CollectionStatus, OverlayError, Sharing, TransitionError, VersionError};
use crate::remedy::{Remedy, nearest};

/// A name that stands for nothing, with one that may have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    name: String,
    nearest: Option<String>,
}

impl Unknown {
    /// A name that is none of those known.
    pub fn new<'a>(name: impl fmt::Display, known: impl IntoIterator<Item = &'a str>) -> Self {
        let name = name.to_string();
        let nearest = nearest(&name, known).map(str::to_owned);
        Self { name, nearest }
    }

    /// The name that may have been meant.
    #[must_use]
    pub fn nearest(&self) -> Option<&str> {
        self.nearest.as_deref()
    }

    /// The name that may have been meant, in place of this one.
    fn correction(&self) -> Option<String> {
        Some(format!("`{}` for {self}", self.nearest.as_ref()?))
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name)
    }
}

/// Why a change is refused, or a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such distribution.
    #[error("there is no distribution {0}")]
    NoDistribution(Unknown),
    /// No distribution was named, and there is more than one, or none.
    #[error("no distribution is named, and there are {}", .known.len())]
    WhichDistribution {
        /// Those that there are.
        known: Vec<DistributionName>,
    },
    /// There is no such series.
    #[error("distribution {distribution} has no series {name}")]
    NoSeries {
        /// The distribution.
        distribution: DistributionName,
        /// The name.
        name: Unknown,
    },
    /// No series was named, and the distribution has none.
    #[error("distribution {distribution} has no series yet")]
    NoSeriesYet {
        /// The distribution.
        distribution: DistributionName,
    },
    /// There is no such package set.
    #[error("{series} has no package set {name}")]
    NoSet {
        /// The series.
        series: SeriesPath,
        /// The name.
        name: Unknown,
    },
    /// There is no such team.
    #[error("distribution {distribution} has no team {name}")]
    NoTeam {
        /// The distribution.
        distribution: DistributionName,
        /// The name.
        name: Unknown,
    },
    /// Nobody of that name ever changed anything.
    #[error("the log has no change by {0}")]
    NoActor(Unknown),
    /// There are no such packages.
    #[error("distribution {distribution} has no package {}", list(.names))]
    NoPackages {
        /// The distribution.
        distribution: DistributionName,
        /// The names; at least one.
        names: Vec<Unknown>,
    },
    /// The name is taken.
    #[error("there is {what} already")]
    Exists {
        /// What goes by that name.
        what: String,
    },
    /// The series has ended.
    #[error("series {series} has ended ({status}), and its record is closed")]
    Ended {
        /// The series.
        series: SeriesPath,
        /// Its status.
        status: CollectionStatus,
    },
    /// The log has an entry of a time to come.
    #[error("the newest entry of the log is of {newest:.0}, and by the clock it is {now:.0}")]
    Ahead {
        /// When the newest entry was made, by the clock of then.
        newest: Timestamp,
        /// The time by the clock.
        now: Timestamp,
    },
    /// A set is shared, and the distribution has people clone sets themselves.
    #[error("package set {} of {} is shared with {}", .path.set, .path.series, list(.others))]
    Shared {
        /// The set.
        path: SetPath,
        /// The other series that have it.
        others: Vec<SeriesPath>,
    },
    /// A set would include itself.
    #[error("package set {child} cannot go into {parent}: {cycle} would be a cycle")]
    Cycle {
        /// The set that was to go in.
        child: PackageSetName,
        /// The set that it was to go into.
        parent: PackageSetName,
        /// The way round.
        cycle: Cycle<PackageSetName>,
    },
    /// The set is in no series of its own, but elsewhere: sets include sets of their own series only.
    #[error("package set {set} is in {}, and not in {series}: a set includes sets of its own series only", list(.elsewhere))]
    OtherSeries {
        /// The set that was to go in.
        set: PackageSetName,
        /// The series of the set that it was to go into.
        series: SeriesPath,
        /// Where there is a set of that name.
        elsewhere: Vec<SeriesPath>,
    },
    /// The sets are not directly in the set.
    #[error("{} not directly in package set {} of {}", are(.names), .path.set, .path.series)]
    NotIn {
        /// The set.
        path: SetPath,
        /// What is not in it.
        names: Vec<String>,
        /// For one of them, the way by which it is in the set all the same.
        through: Option<Vec<PackageSetName>>,
    },
    /// The series has a set of that group already.
    #[error("{series} has an incarnation of {group} already, package set {set}")]
    Incarnation {
        /// The series.
        series: SeriesPath,
        /// The group.
        group: GroupName,
        /// Its set there.
        set: PackageSetName,
    },
    /// The set that a new one is to be related to is of another group than the new one is to be.
    #[error("package set {} of {} is of group {group}, and not of {asked}", .path.set, .path.series)]
    OtherGroup {
        /// The set.
        path: SetPath,
        /// Its group.
        group: GroupName,
        /// The group that was asked for.
        asked: GroupName,
    },
    /// The way of sharing of a distribution with several series can be changed by conversion only.
    #[error("distribution {distribution} has {series} series, which its package sets are tied to as {sharing}")]
    Tied {
        /// The distribution.
        distribution: DistributionName,
        /// How many series it has.
        series: usize,
        /// How its sets are tied to them.
        sharing: Sharing,
    },
    /// The hierarchies of the series differ, and there is to be one for all.
    #[error("the hierarchies of {} differ, and `tethered` has one for all series", list(.differing))]
    Hierarchies {
        /// The series whose hierarchies are not all alike.
        differing: Vec<SeriesPath>,
    },
    /// An action is not for that kind of target.
    #[error("`{action}` is no action on a {}", .target.kind())]
    WrongTarget {
        /// The action.
        action: Action,
        /// The target.
        target: Target,
    },
    /// `explicit` says something about package sets only.
    #[error("only a permission on a package set can be explicit, and not one on {0}")]
    NotExplicit(Target),
    /// There is no such permission.
    #[error("{party} has no permission to {action} on {target}")]
    NoPermission {
        /// Who.
        party: Party,
        /// To do what.
        action: Action,
        /// To what.
        target: Target,
    },
    /// A team would be in itself.
    #[error("@{member} cannot go into @{team}: {cycle} would be a cycle")]
    TeamCycle {
        /// The team that was to go in.
        member: TeamName,
        /// The team that it was to go into.
        team: TeamName,
        /// The way round.
        cycle: Cycle<TeamName>,
    },
    /// Who maintains a tracker's projects is the tracker's to say.
    #[error("{0} takes no permission here: its maintainers are those that the tracker has")]
    TrackersOwn(Target),
    /// They are not in the team.
    #[error("{} not directly in team @{team}", are(.members))]
    NoMembers {
        /// The team.
        team: TeamName,
        /// Who is not in it.
        members: Vec<Party>,
    },
    /// A status does not follow the one before.
    #[error("{what} keeps its status")]
    Status {
        /// What has it.
        what: String,
        /// Why.
        source: TransitionError,
    },
    /// A collection cannot lie over another.
    #[error(transparent)]
    Overlay(#[from] OverlayError),
    /// A series refers to one of another distribution.
    #[error("{name} is {}, and not of {distribution}: a series lies over series of its own distribution only", list(.elsewhere))]
    BaseElsewhere {
        /// The name.
        name: SeriesName,
        /// The distribution that has no such series.
        distribution: DistributionName,
        /// The series that go by that name.
        elsewhere: Vec<SeriesPath>,
    },
    /// Listings are copied within a distribution only.
    #[error("the listings of {from} do not come along to {series}, which is of another distribution")]
    ListingsElsewhere {
        /// Where they are.
        from: SeriesPath,
        /// Where they were to go.
        series: SeriesPath,
    },
    /// There is no such stream of a module.
    #[error("distribution {distribution} has no module stream {name}")]
    NoStream {
        /// The distribution.
        distribution: DistributionName,
        /// The stream.
        name: Unknown,
    },
    /// The package is not listed in the series.
    #[error("{series} does not list package {name}")]
    NoListing {
        /// The series.
        series: SeriesPath,
        /// The package.
        name: Unknown,
    },
    /// Neither the series nor any that it lies over has the package.
    #[error("package {package} is in none of {}", list(.asked))]
    Nowhere {
        /// The package.
        package: PackageName,
        /// The collections that were asked, in order.
        asked: Vec<SeriesName>,
    },
    /// It is no version by the rules of the distribution.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The package has no such version.
    #[error("package {package} has no version {name}{}", within(.series.as_ref()))]
    NoVersion {
        /// The package.
        package: PackageName,
        /// The version.
        name: Unknown,
        /// The series that was asked; `None` if no series has it.
        series: Option<SeriesPath>,
    },
    /// Nothing of that name was built.
    #[error("nothing is built as {}{}", list(.names), within(.series.as_ref()))]
    NoBuilt {
        /// The names; at least one.
        names: Vec<Unknown>,
        /// The series that was asked; `None` for the distribution.
        series: Option<SeriesPath>,
    },
    /// There is no such group of built packages, or no such category.
    #[error("{series} has no {kind} {name}")]
    NoComps {
        /// The series.
        series: SeriesPath,
        /// What kind of thing: `group` or `category`.
        kind: &'static str,
        /// Its id.
        name: Unknown,
    },
    /// The group or category does not have it.
    #[error("{kind} {id} does not have {}", list(.members))]
    NotInComps {
        /// What kind of thing: `group` or `category`.
        kind: &'static str,
        /// Its id.
        id: CompsName,
        /// What is not in it; at least one.
        members: Vec<Unknown>,
    },
}

fn within(series: Option<&SeriesPath>) -> String {
    series.map_or_else(String::new, |series| format!(" in {series}"))
}

fn list(things: &[impl fmt::Display]) -> String {
    let things: Vec<String> = things.iter().map(ToString::to_string).collect();
    things.join(", ")
}

fn are(things: &[impl fmt::Display]) -> String {
    format!("{} {}", list(things), if things.len() == 1 { "is" } else { "are" })
}

impl Remedy for Refusal {
    fn remedy(&self) -> Option<String> {
        let did_you_mean = |unknown: &Unknown| {
            unknown
                .nearest
                .as_ref()
                .map(|nearest| format!("`{nearest}` is the nearest name that there is"))
        };
        match self {
            Self::NoDistribution(unknown) => {
                did_you_mean(unknown).or_else(|| Some("`kinset distribution list` shows those that there are".to_owned()))
            }
            Self::NoSeries { name, .. } => {
                did_you_mean(name).or_else(|| Some("`kinset series list` shows those that there are".to_owned()))
            }
            Self::NoSet { name, .. } => {
                did_you_mean(name).or_else(|| Some("`kinset packageset list` shows those that there are".to_owned()))
            }
            Self::NoTeam { name, .. } => did_you_mean(name).or_else(|| Some("`kinset team list` shows those that there are".to_owned())),
            Self::NoActor(name) => did_you_mean(name).or_else(|| Some("`kinset log` shows who changed what".to_owned())),
            Self::NoPackages { names, distribution } => {
                let near: Vec<String> = names.iter().filter_map(Unknown::correction).collect();
                Some(if near.is_empty() {
                    format!("`kinset packageset add --new` makes packages known that {distribution} does not have yet")
                } else {
                    format!("the nearest names that there are: {}", near.join(", "))
                })
            }
            Self::WhichDistribution { known } if known.is_empty() => Some("`kinset distribution create` adds one".to_owned()),
            Self::WhichDistribution { known } => Some(format!("name one of {} with `--distribution`", list(known))),
            Self::NoSeriesYet { .. } => Some("`kinset series create` adds one".to_owned()),
            Self::Ended { .. } => Some("what it answers stays; with `--force` it is changed all the same".to_owned()),
            Self::Ahead { newest, .. } => Some(format!(
                "set the clock if it is slow; if it was fast then, go on with `--force`: until {newest:.0} every change is entered as made at that time, \
                 and `--as-of` an earlier time does not show it"
            )),
            Self::Shared { path, .. } => Some(format!(
                "give {} a copy of its own first: `kinset packageset clone {} --distribution {} --series {}`",
                path.series, path.set, path.series.distribution, path.series.series
            )),
            Self::OtherSeries { .. } => {
                Some("`kinset packageset create --related-to` makes an incarnation of it in this series".to_owned())
            }
            Self::NotIn { through: Some(path), .. } => Some(format!("the way that leads there is {}", list(path).replace(", ", " > "))),
            Self::Tied { distribution, .. } => Some(format!(
                "`kinset series convert --distribution {distribution} --to WAY` shows what it takes, and does it"
            )),
            Self::Hierarchies { .. } => {
                Some("say whose is to be the one for all, with `--hierarchy-of SERIES`; the others' answers change".to_owned())
            }
            Self::WrongTarget { target, .. } => {
                let actions = Action::ALL.into_iter().filter(|&action| target.allows(action));
                Some(format!("what can be given there: {}", list(&actions.collect::<Vec<_>>())))
            }
            Self::NoListing { name, .. } => did_you_mean(name)
                .or_else(|| Some("`kinset collection add-package` lists it; `kinset collection lookup` asks its bases too".to_owned())),
            Self::NoVersion { name, .. } => {
                did_you_mean(name).or_else(|| Some("`kinset collection versions PACKAGE` shows those that there are".to_owned()))
            }
            Self::NoComps { name, kind, .. } => did_you_mean(name).or_else(|| {
                let command = if *kind == "group" { "groups" } else { "categories" };
                Some(format!("`kinset collection {command}` shows those that there are"))
            }),
            Self::NotInComps { members, .. } => {
                let near: Vec<String> = members.iter().filter_map(Unknown::correction).collect();
                (!near.is_empty()).then(|| format!("the nearest names that there are: {}", near.join(", ")))
            }
            Self::NoBuilt { names, .. } => {
                let near: Vec<String> = names.iter().filter_map(Unknown::correction).collect();
                Some(if near.is_empty() {
                    "what is built from a version is said with `kinset collection add-built`".to_owned()
                } else {
                    format!("the nearest names that there are: {}", near.join(", "))
                })
            }
            Self::NoStream { name, .. } => {
                did_you_mean(name).or_else(|| Some("`kinset module list` shows those that there are".to_owned()))
            }
            Self::Status { .. } => Some("with `--force` it takes any".to_owned()),
            Self::BaseElsewhere { distribution, .. } => Some(format!(
                "`kinset series list --distribution {distribution}` shows those that it may lie over"
            )),
            Self::TrackersOwn(_) => {
                Some("make them maintainers in the tracker; from the next `kinset pull` on they are known here".to_owned())
            }
            Self::ListingsElsewhere { .. } => Some("leave out `--listings`".to_owned()),
            Self::Nowhere { .. } => Some("`kinset collection add-package` lists it".to_owned()),
            Self::NoPermission { .. } => Some("`kinset acl list` shows those that there are".to_owned()),
            Self::Exists { .. }
            | Self::Cycle { .. }
            | Self::NotIn { .. }
            | Self::Incarnation { .. }
            | Self::OtherGroup { .. }
            | Self::NotExplicit(_)
            | Self::TeamCycle { .. }
            | Self::Overlay(_)
            | Self::Version(_)
            | Self::NoMembers { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_gets_the_nearest_one() {
        let refusal = Refusal::NoSet {
            series: "ubuntu/noble".parse().unwrap(),
            name: Unknown::new("kernle", ["core", "kernel"]),
        };
        insta::assert_snapshot!(refusal, @"ubuntu/noble has no package set `kernle`");
        insta::assert_snapshot!(refusal.remedy().unwrap(), @"`kernel` is the nearest name that there is");
    }

    #[test]
    fn a_shared_set_names_those_who_share_it_and_the_command() {
        let refusal = Refusal::Shared {
            path: SetPath {
                series: "ubuntu/noble".parse().unwrap(),
                set: "core".parse().unwrap(),
            },
            others: vec!["ubuntu/jammy".parse().unwrap(), "ubuntu/mantic".parse().unwrap()],
        };
        insta::assert_snapshot!(refusal, @"package set core of ubuntu/noble is shared with ubuntu/jammy, ubuntu/mantic");
        insta::assert_snapshot!(refusal.remedy().unwrap(), @"give ubuntu/noble a copy of its own first: `kinset packageset clone core --distribution ubuntu --series noble`");
    }
}

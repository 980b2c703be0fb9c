//! What `kinset collection` knows of built packages, of groups of them, and of categories of groups.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};

use super::arguments::{AsOf, Doing, Place, Shape};
use super::collection::Meant;
use super::collection_said::{OrNothing, now};
use super::{collection_comps_show as shown, perform};
use crate::cli::Status;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::model::packages::{
    BuiltDetails, BuiltPackageName, CategoryDetails, CompsName, GroupDetails, ListingPath, NameError, Operation, PackageName, Refusal,
    Requirement, Unknown,
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CompsCommand {
    /// List the built (binary) packages in a collection
    Built {
        /// Those that are built from this package
        package: Option<PackageName>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Put what is built from a version into a collection that has the version
    AddBuilt {
        #[command(flatten)]
        meant: Meant,
        /// The built packages
        #[arg(value_name = "BUILT", required = true)]
        built: Vec<BuiltPackageName>,
        /// What they are, in a line; like all texts here, nothing if it is empty
        #[arg(long, value_name = "TEXT")]
        summary: Option<OrNothing<String>>,
        /// What they are, at length
        #[arg(long, value_name = "TEXT")]
        description: Option<OrNothing<String>>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// Take what is built from a version out of a collection
    WithdrawBuilt {
        #[command(flatten)]
        meant: Meant,
        /// The built packages
        #[arg(value_name = "BUILT", required = true)]
        built: Vec<BuiltPackageName>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// List the groups of built packages of a collection, or the members of one
    Groups {
        /// The group
        group: Option<CompsName>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Add a group of built packages to a collection, or change one
    SetGroup {
        /// Its id
        group: CompsName,
        /// What people call it [default: its id]
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        summary: Option<OrNothing<String>>,
        #[command(flatten)]
        members: GroupMembers,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// Take a group out of a collection, and so out of its categories
    RemoveGroup {
        /// Its id
        group: CompsName,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// List the categories of groups of a collection
    Categories {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Add a category of groups to a collection, or change one
    SetCategory {
        /// Its id
        category: CompsName,
        /// What people call it [default: its id]
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        summary: Option<OrNothing<String>>,
        /// A group that goes into it; may be given several times
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<CompsName>,
        /// A group that leaves it; may be given several times
        #[arg(long = "remove", value_name = "GROUP")]
        removed: Vec<CompsName>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// Take a category out of a collection
    RemoveCategory {
        /// Its id
        category: CompsName,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
}

/// What goes into a group, and what leaves it.
#[derive(Debug, Args)]
pub(in crate::cli) struct GroupMembers {
    /// A member that is always installed with it; like the others, may be given several times
    #[arg(long, value_name = "BUILT")]
    mandatory: Vec<BuiltPackageName>,
    /// A member that is installed unless somebody leaves it out
    #[arg(long = "default", value_name = "BUILT")]
    usual: Vec<BuiltPackageName>,
    /// A member that is installed if somebody asks for it
    #[arg(long, value_name = "BUILT")]
    optional: Vec<BuiltPackageName>,
    /// A member that is installed together with another package
    #[arg(long, value_name = "BUILT=OTHER", value_parser = conditional)]
    conditional: Vec<(BuiltPackageName, BuiltPackageName)>,
    /// A member that leaves it
    #[arg(long = "remove", value_name = "BUILT")]
    removed: Vec<BuiltPackageName>,
}

fn conditional(text: &str) -> Result<(BuiltPackageName, BuiltPackageName), String> {
    let (built, requires) = text
        .split_once('=')
        .ok_or_else(|| "expected two built packages, as in chess-de=kde-l10n-de".to_owned())?;
    let name = |text: &str| text.parse().map_err(|error: NameError| error.to_string());
    Ok((name(built)?, name(requires)?))
}

impl GroupMembers {
    fn over(self, id: &CompsName, mut group: GroupDetails) -> Result<GroupDetails, Refusal> {
        let Self {
            mandatory,
            usual,
            optional,
            conditional,
            removed,
        } = self;
        let absent = removed.iter().filter(|name| !group.members.contains_key(*name));
        let known = || group.members.keys().map(BuiltPackageName::as_str);
        let absent: Vec<Unknown> = absent.map(|name| Unknown::new(name, known())).collect();
        require_none(absent, "group", id)?;
        group.members.retain(|name, _| !removed.contains(name));
        group
            .members
            .extend(mandatory.into_iter().map(|name| (name, Requirement::Mandatory)));
        group.members.extend(usual.into_iter().map(|name| (name, Requirement::Default)));
        group.members.extend(optional.into_iter().map(|name| (name, Requirement::Optional)));
        let conditional = conditional.into_iter();
        group
            .members
            .extend(conditional.map(|(name, requires)| (name, Requirement::Conditional { requires })));
        Ok(group)
    }
}

fn require_none(members: Vec<Unknown>, kind: &'static str, id: &CompsName) -> Result<(), Refusal> {
    if members.is_empty() {
        return Ok(());
    }
    let id = id.clone();
    Err(Refusal::NotInComps { kind, id, members })
}

pub(super) fn run(command: CompsCommand, file: &ConfigFile) -> Result<Status, Failure> {
    match command {
        CompsCommand::Built {
            package,
            place,
            as_of,
            shape,
        } => shown::built(package.as_ref(), &place, as_of, shape, file),
        CompsCommand::Groups {
            group,
            place,
            as_of,
            shape,
        } => match group {
            None => shown::groups(&place, as_of, shape, file),
            Some(group) => shown::members(&group, &place, as_of, shape, file),
        },
        CompsCommand::Categories { place, as_of, shape } => shown::categories(&place, as_of, shape, file),
        CompsCommand::AddBuilt {
            meant,
            built,
            summary,
            description,
            place,
            doing,
        } => add_built(meant, built.into_iter().collect(), (summary, description), &place, &doing, file),
        CompsCommand::WithdrawBuilt {
            meant: Meant { package, version },
            built,
            place,
            doing,
        } => perform(file, &doing, |view| {
            let series = place.series(view)?.path;
            let path = ListingPath { series, package };
            let built = built.into_iter().collect();
            Ok(vec![Operation::WithdrawBuilt { path, version, built }])
        }),
        CompsCommand::SetGroup {
            group,
            title,
            summary,
            members,
            place,
            doing,
        } => perform(file, &doing, |view| {
            let series = place.series(view)?;
            let before = view.groups(&series)?.remove(&group);
            let mut details = before.unwrap_or_else(|| GroupDetails {
                title: group.to_string(),
                summary: None,
                members: Default::default(),
            });
            details.title = title.unwrap_or(details.title);
            details.summary = now(summary, details.summary);
            let details = members.over(&group, details)?;
            Ok(vec![Operation::SetGroup {
                series: series.path,
                group,
                details,
            }])
        }),
        CompsCommand::RemoveGroup { group, place, doing } => perform(file, &doing, |view| {
            let series = place.series(view)?.path;
            Ok(vec![Operation::RemoveGroup { series, group }])
        }),
        CompsCommand::SetCategory {
            category,
            title,
            summary,
            groups,
            removed,
            place,
            doing,
        } => perform(file, &doing, |view| {
            let series = place.series(view)?;
            let before = view.categories(&series)?.remove(&category);
            let mut details = before.unwrap_or_else(|| CategoryDetails {
                title: category.to_string(),
                summary: None,
                groups: BTreeSet::new(),
            });
            details.title = title.unwrap_or(details.title);
            details.summary = now(summary, details.summary);
            let absent = removed.iter().filter(|group| !details.groups.contains(*group));
            let known = || details.groups.iter().map(CompsName::as_str);
            let absent: Vec<Unknown> = absent.map(|group| Unknown::new(group, known())).collect();
            require_none(absent, "category", &category)?;
            details.groups.retain(|group| !removed.contains(group));
            details.groups.extend(groups);
            Ok(vec![Operation::SetCategory {
                series: series.path,
                category,
                details,
            }])
        }),
        CompsCommand::RemoveCategory { category, place, doing } => perform(file, &doing, |view| {
            let series = place.series(view)?.path;
            Ok(vec![Operation::RemoveCategory { series, category }])
        }),
    }
}

type Texts = (Option<OrNothing<String>>, Option<OrNothing<String>>);

fn add_built(
    meant: Meant,
    built: BTreeSet<BuiltPackageName>,
    (summary, description): Texts,
    place: &Place,
    doing: &Doing,
    file: &ConfigFile,
) -> Result<Status, Failure> {
    let Meant { package, version } = meant;
    perform(file, doing, |view| {
        let series = place.series(view)?.path;
        let distribution = view.distribution(&series.distribution)?;
        let known = view.built_from(&view.version(&distribution, &package, &version)?)?;
        let set = built.iter().map(|name| {
            let before = known.iter().find(|row| row.name == *name).map(|row| row.details.clone());
            let before = before.unwrap_or_default();
            Operation::SetBuilt {
                distribution: distribution.name.clone(),
                package: package.clone(),
                version: version.clone(),
                built: name.clone(),
                details: BuiltDetails {
                    summary: now(summary.clone(), before.summary),
                    description: now(description.clone(), before.description),
                },
            }
        });
        let set: Vec<Operation> = set.collect();
        let path = ListingPath { series, package };
        Ok(set.into_iter().chain([Operation::ListBuilt { path, version, built }]).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::conditional;

    #[test]
    fn a_condition_names_two_built_packages() {
        let (built, requires) = conditional("chess-de=kde-l10n-de").unwrap();
        assert_eq!((built.as_str(), requires.as_str()), ("chess-de", "kde-l10n-de"));
        assert!(conditional("chess-de").is_err());
        assert!(conditional("chess-de=").is_err());
    }
}

//! `kinset packageset`

use std::collections::BTreeSet;

use clap::{Args, Subcommand};

use super::arguments::{AsOf, Doing, Place, Shape};
use super::{packageset_show, perform};
use crate::cli::Status;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::model::packages::{Operation, PackageName, PackageSetName, Party, SeriesPath, SetDetails, SetPath};
use crate::store::Fault;
use crate::store::packages::{Inclusion, View};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PackagesetCommand {
    /// List the package sets of a series
    List {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Show a package set: what is in it, what it is in, who may do what with it, and which series share it
    Show {
        /// The set
        set: PackageSetName,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        /// How to print it
        #[arg(long, value_enum, default_value_t = crate::cli::args::Format::Text)]
        format: crate::cli::args::Format,
    },
    /// List the packages in a package set, those of its subsets too
    Sources {
        /// The set
        set: PackageSetName,
        #[command(flatten)]
        extent: Extent,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// List the package sets that a package is in, through other sets too
    Containing {
        /// The package
        package: PackageName,
        #[command(flatten)]
        extent: Extent,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Add a package set
    Create {
        /// Its name, unique in its series
        set: PackageSetName,
        /// Who is in charge of it: a person, or @ and a team [default: whoever adds it]
        #[arg(long, value_name = "WHO")]
        owner: Option<Party>,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
        /// The set of another series that it is an incarnation of, as in ubuntu/noble:core
        #[arg(long, value_name = "SERIES:SET", value_parser = set_path)]
        related_to: Option<SetPath>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// Change what is said of a package set
    Set {
        /// The set
        set: PackageSetName,
        /// Who is in charge of it
        #[arg(long, value_name = "WHO")]
        owner: Option<Party>,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
        /// By how much builds of its packages come before others
        #[arg(long, allow_negative_numbers = true)]
        score: Option<i64>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// Give a package set another name
    Rename {
        /// The set
        set: PackageSetName,
        /// Its new name
        to: PackageSetName,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// Take a package set out of its series
    Delete {
        /// The set
        set: PackageSetName,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// Put packages and other sets into a package set
    Add {
        #[command(flatten)]
        members: Members,
        /// Make packages known that the distribution does not have yet
        #[arg(long)]
        new: bool,
    },
    /// Take packages and other sets out of a package set
    Remove(Members),
    /// Give a series its own copy of a package set that it shares
    Clone {
        /// The set
        set: PackageSetName,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// Compare the packages of two sets: those that one has and the other has not
    Diff {
        /// A set: in the series that is meant, or as in noble:core or ubuntu/noble:core
        #[arg(value_name = "SET")]
        left: String,
        /// Another, or the same in another series
        #[arg(value_name = "OTHER")]
        right: String,
        #[command(flatten)]
        extent: Extent,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Tell what became of a package set, from its beginning, under all names that it had
    History {
        /// The set
        set: PackageSetName,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
}

/// Whether what is in a set through others counts.
#[derive(Clone, Copy, Debug, Args)]
pub(in crate::cli) struct Extent {
    /// Only what is in it directly
    #[arg(long)]
    direct: bool,
}

impl Extent {
    pub(super) const fn inclusion(self) -> Inclusion {
        if self.direct { Inclusion::Direct } else { Inclusion::Transitive }
    }
}

/// What goes into a set, or out of it.
#[derive(Debug, Args)]
pub(in crate::cli) struct Members {
    /// The set
    set: PackageSetName,
    /// Packages
    #[arg(value_name = "PACKAGE", required_unless_present = "subsets")]
    sources: Vec<PackageName>,
    /// A set of the same series; may be given several times
    #[arg(long = "subset", value_name = "SET")]
    subsets: Vec<PackageSetName>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    doing: Doing,
}

/// Reads a set with its series and its distribution.
fn set_path(text: &str) -> Result<SetPath, String> {
    let (series, set) = text
        .split_once(':')
        .ok_or_else(|| "expected a series and a set, as in ubuntu/noble:core".to_owned())?;
    let series = series.parse().map_err(|error| format!("{error}"))?;
    let set = set.parse().map_err(|error| format!("{error}"))?;
    Ok(SetPath { series, set })
}

pub(in crate::cli) fn run(command: PackagesetCommand, file: &ConfigFile) -> Result<Status, Failure> {
    match command {
        PackagesetCommand::List { place, as_of, shape } => packageset_show::list(&place, as_of, shape, file),
        PackagesetCommand::Show { set, place, as_of, format } => packageset_show::show(&set, &place, as_of, format, file),
        PackagesetCommand::Sources {
            set,
            extent,
            place,
            as_of,
            shape,
        } => packageset_show::sources(&set, extent, &place, as_of, shape, file),
        PackagesetCommand::Containing {
            package,
            extent,
            place,
            as_of,
            shape,
        } => packageset_show::containing(&package, extent, &place, as_of, shape, file),
        PackagesetCommand::Diff {
            left,
            right,
            extent,
            place,
            as_of,
            shape,
        } => packageset_show::diff([&left, &right], extent, &place, as_of, shape, file),
        PackagesetCommand::History { set, place, as_of, shape } => packageset_show::history(&set, &place, as_of, shape, file),
        PackagesetCommand::Create {
            set,
            owner,
            description,
            related_to,
            place,
            doing,
        } => {
            let owner = doing.owner(owner)?;
            change(&place, &doing, file, |_, series| {
                let path = SetPath { series, set };
                let details = SetDetails { owner, description };
                Ok(vec![Operation::CreateSet {
                    path,
                    details,
                    related: related_to,
                    group: None,
                }])
            })
        }
        PackagesetCommand::Set {
            set,
            owner,
            description,
            score,
            place,
            doing,
        } => change(&place, &doing, file, |view, series| {
            let before = view.set(&view.series(&series)?, &set)?.details;
            let details = SetDetails {
                owner: owner.unwrap_or(before.owner),
                description: description.unwrap_or(before.description),
            };
            let path = SetPath { series, set };
            let score = score.map(|score| Operation::ScoreSet { path: path.clone(), score });
            Ok(std::iter::once(Operation::ChangeSet { path, details }).chain(score).collect())
        }),
        PackagesetCommand::Rename { set, to, place, doing } => change(&place, &doing, file, |_, series| {
            let path = SetPath { series, set };
            Ok(vec![Operation::RenameSet { path, to }])
        }),
        PackagesetCommand::Delete { set, place, doing } => change(&place, &doing, file, |_, series| {
            let path = SetPath { series, set };
            Ok(vec![Operation::RemoveSet { path }])
        }),
        PackagesetCommand::Clone { set, place, doing } => change(&place, &doing, file, |_, series| {
            let path = SetPath { series, set };
            Ok(vec![Operation::CloneSet { path }])
        }),
        PackagesetCommand::Add { members, new } => change_members(members, file, |path, sources, subsets| {
            let new = sources.clone().filter(|_| new).map(|packages| Operation::AddPackages {
                distribution: path.series.distribution.clone(),
                packages,
            });
            let sources = sources.map(|sources| Operation::AddSources {
                path: path.clone(),
                sources,
            });
            let subsets = subsets.map(|subsets| Operation::AddSubsets { path, subsets });
            new.into_iter().chain(sources).chain(subsets).collect()
        }),
        PackagesetCommand::Remove(members) => change_members(members, file, |path, sources, subsets| {
            let sources = sources.map(|sources| Operation::RemoveSources {
                path: path.clone(),
                sources,
            });
            let subsets = subsets.map(|subsets| Operation::RemoveSubsets { path, subsets });
            sources.into_iter().chain(subsets).collect()
        }),
    }
}

fn change(
    place: &Place,
    doing: &Doing,
    file: &ConfigFile,
    operations: impl FnOnce(&View<'_>, SeriesPath) -> Result<Vec<Operation>, Fault>,
) -> Result<Status, Failure> {
    perform(file, doing, |view| operations(view, place.series(view)?.path))
}

/// Packages and sets that go in or out; none where there are none of the kind.
type Several<T> = Option<BTreeSet<T>>;

fn change_members(
    members: Members,
    file: &ConfigFile,
    operations: impl FnOnce(SetPath, Several<PackageName>, Several<PackageSetName>) -> Vec<Operation>,
) -> Result<Status, Failure> {
    let Members {
        set,
        sources,
        subsets,
        place,
        doing,
    } = members;
    change(&place, &doing, file, |_, series| {
        let sources = (!sources.is_empty()).then(|| sources.into_iter().collect());
        let subsets = (!subsets.is_empty()).then(|| subsets.into_iter().collect());
        Ok(operations(SetPath { series, set }, sources, subsets))
    })
}

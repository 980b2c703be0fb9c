//! `kinset collection`

use std::collections::BTreeSet;

use clap::{Args, Subcommand};

use super::arguments::{AsOf, Doing, Place, Shape};
use super::collection_comps::{self, CompsCommand};
use super::collection_said::{OrNothing, now};
use super::{collection_show, perform};
use crate::cli::Status;
use crate::cli::args::Format;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::model::packages::{
    ArchName, ComponentName, DistributionName, ListingDetails, ListingPath, ListingStatus, Operation, PackageDetails, PackageName,
    PackageStatus, Party, Version, VersionStatus,
};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CollectionCommand {
    /// List the packages that a collection has itself
    List {
        /// Only those at this stage
        #[arg(long)]
        status: Option<ListingStatus>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Show a collection: what is said of it, which others it asks, and how much is in it
    Show {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Tell which collection provides a package: the one that is asked, else the first that it lies over
    Lookup {
        /// The package
        package: PackageName,
        /// Tell where it is published for this architecture
        #[arg(long, value_name = "NAME")]
        arch: Option<ArchName>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Show a package: what is said of it, in which collections it is, and which versions it has
    ShowPackage {
        /// The package
        package: PackageName,
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        #[command(flatten)]
        as_of: AsOf,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Put packages into a collection; those that the distribution does not know become known
    AddPackage {
        /// The packages
        #[arg(value_name = "PACKAGE", required = true)]
        packages: Vec<PackageName>,
        /// Make them known, and put them into no collection
        #[arg(long, conflicts_with_all = ["series", "owner", "qa_contact", "component", "status"])]
        unlisted: bool,
        #[command(flatten)]
        listed: Listed,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// Change what is said of a package in a collection, its owner and its status there above all
    SetPackage {
        /// The package
        package: PackageName,
        #[command(flatten)]
        listed: Listed,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// Change what is said of a package whatever collections it is in
    DescribePackage {
        /// The package
        package: PackageName,
        /// What it is, in a line; like all texts here, nothing if it is empty
        #[arg(long, value_name = "TEXT")]
        summary: Option<OrNothing<String>>,
        /// What it is, at length
        #[arg(long, value_name = "TEXT")]
        description: Option<OrNothing<String>>,
        /// Where it was reviewed
        #[arg(long, value_name = "URL")]
        review_url: Option<OrNothing<String>>,
        /// The stage that it is at
        #[arg(long)]
        status: Option<PackageStatus>,
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        #[command(flatten)]
        doing: Doing,
    },
    /// Take a package out of a collection, with its versions there and the permissions on it
    RemovePackage {
        /// The package
        package: PackageName,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// List the versions in a collection, the newest first
    Versions {
        /// Those of this package alone
        package: Option<PackageName>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Put a version of a package into a collection; one that is not known becomes known
    AddVersion {
        #[command(flatten)]
        meant: Meant,
        /// The stage that it is at [default: awaitingdevel, or the one that it is at already]
        #[arg(long)]
        status: Option<VersionStatus>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// Change the stage of a version, in whatever collections it is
    SetVersion {
        #[command(flatten)]
        meant: Meant,
        /// The stage that it is to be at
        #[arg(long)]
        status: VersionStatus,
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        #[command(flatten)]
        doing: Doing,
    },
    /// Take a version out of a collection, with what is built from it
    WithdrawVersion {
        #[command(flatten)]
        meant: Meant,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    #[command(flatten)]
    Comps(CompsCommand),
}

/// What is said of a package in a collection.
#[derive(Debug, Args)]
pub(in crate::cli) struct Listed {
    /// Who looks after it there: a person, or @ and a team; `orphan` if nobody does [default: whoever adds it]
    #[arg(long, value_name = "WHO")]
    owner: Option<Party>,
    /// Who is told of its bugs first; with an empty name nobody
    #[arg(long, value_name = "WHO")]
    qa_contact: Option<OrNothing<Party>>,
    /// The component that it is published in; with an empty name none
    #[arg(long, value_name = "NAME")]
    component: Option<OrNothing<ComponentName>>,
    /// The stage that it is at there; a new one is at awaitingreview, and only what is approved is in the collection
    #[arg(long)]
    status: Option<ListingStatus>,
}

impl Listed {
    fn over(self, before: ListingDetails) -> ListingDetails {
        let Self {
            owner,
            qa_contact,
            component,
            status,
        } = self;
        ListingDetails {
            owner: owner.unwrap_or(before.owner),
            qa_contact: now(qa_contact, before.qa_contact),
            component: now(component, before.component),
            status: status.unwrap_or(before.status),
        }
    }
}

/// A version of a package.
#[derive(Debug, Args)]
pub(in crate::cli) struct Meant {
    /// The package
    pub(super) package: PackageName,
    /// Its version, with epoch and release if it has them, as in 1:5.2-3
    pub(super) version: Version,
}

pub(in crate::cli) fn run(command: CollectionCommand, file: &ConfigFile) -> Result<Status, Failure> {
    match command {
        CollectionCommand::List {
            status,
            place,
            as_of,
            shape,
        } => collection_show::list(status, &place, as_of, shape, file),
        CollectionCommand::Show { place, as_of, format } => collection_show::show(&place, as_of, format, file),
        CollectionCommand::Lookup {
            package,
            arch,
            place,
            as_of,
            shape,
        } => collection_show::lookup(&package, arch.as_ref(), &place, as_of, shape, file),
        CollectionCommand::ShowPackage {
            package,
            distribution,
            as_of,
            format,
        } => collection_show::show_package(&package, distribution.as_ref(), as_of, format, file),
        CollectionCommand::Versions {
            package,
            place,
            as_of,
            shape,
        } => collection_show::versions(package.as_ref(), &place, as_of, shape, file),
        CollectionCommand::Comps(command) => collection_comps::run(command, file),
        CollectionCommand::AddPackage {
            packages,
            unlisted,
            listed,
            place,
            doing,
        } => add_packages(packages.into_iter().collect(), unlisted, listed, &place, &doing, file),
        CollectionCommand::SetPackage {
            package,
            listed,
            place,
            doing,
        } => perform(file, &doing, |view| {
            let series = place.series(view)?;
            let details = listed.over(view.listing(&series, &package)?.details);
            let path = ListingPath {
                series: series.path,
                package,
            };
            Ok(vec![Operation::ChangeListing { path, details }])
        }),
        CollectionCommand::DescribePackage {
            package,
            summary,
            description,
            review_url,
            status,
            distribution,
            doing,
        } => perform(file, &doing, |view| {
            let distribution = view.distribution_meant(distribution.as_ref())?;
            let before = view.package(&distribution, &package)?.details;
            let details = PackageDetails {
                summary: now(summary, before.summary),
                description: now(description, before.description),
                review_url: now(review_url, before.review_url),
                status: status.unwrap_or(before.status),
            };
            Ok(vec![Operation::ChangePackage {
                distribution: distribution.name,
                package,
                details,
            }])
        }),
        CollectionCommand::RemovePackage { package, place, doing } => perform(file, &doing, |view| {
            let series = place.series(view)?.path;
            let path = ListingPath { series, package };
            Ok(vec![Operation::RemoveListing { path }])
        }),
        CollectionCommand::AddVersion {
            meant,
            status,
            place,
            doing,
        } => add_version(meant, status, &place, &doing, file),
        CollectionCommand::SetVersion {
            meant: Meant { package, version },
            status,
            distribution,
            doing,
        } => perform(file, &doing, |view| {
            let distribution = view.distribution_meant(distribution.as_ref())?.name;
            Ok(vec![Operation::ChangeVersion {
                distribution,
                package,
                version,
                status,
            }])
        }),
        CollectionCommand::WithdrawVersion {
            meant: Meant { package, version },
            place,
            doing,
        } => perform(file, &doing, |view| {
            let series = place.series(view)?.path;
            let path = ListingPath { series, package };
            Ok(vec![Operation::WithdrawVersion { path, version }])
        }),
    }
}

fn add_packages(
    packages: BTreeSet<PackageName>,
    unlisted: bool,
    listed: Listed,
    place: &Place,
    doing: &Doing,
    file: &ConfigFile,
) -> Result<Status, Failure> {
    let owner = doing.owner(listed.owner.clone())?;
    let details = listed.over(ListingDetails {
        owner,
        qa_contact: None,
        component: None,
        status: ListingStatus::default(),
    });
    perform(file, doing, |view| {
        let distribution = view.distribution_meant(place.distribution.as_ref())?.name;
        let known = Operation::AddPackages {
            distribution,
            packages: packages.clone(),
        };
        if unlisted {
            return Ok(vec![known]);
        }
        let series = place.series(view)?.path;
        let listings = packages.into_iter().map(|package| Operation::AddListing {
            path: ListingPath {
                series: series.clone(),
                package,
            },
            details: details.clone(),
        });
        Ok(std::iter::once(known).chain(listings).collect())
    })
}

fn add_version(meant: Meant, status: Option<VersionStatus>, place: &Place, doing: &Doing, file: &ConfigFile) -> Result<Status, Failure> {
    let Meant { package, version } = meant;
    perform(file, doing, |view| {
        let series = place.series(view)?.path;
        let distribution = view.distribution(&series.distribution)?;
        let known = view.versions_of(&distribution, &package)?;
        let is_known = known.iter().any(|row| row.version == version);
        let make_known = (!is_known).then(|| Operation::AddVersion {
            distribution: distribution.name.clone(),
            package: package.clone(),
            version: version.clone(),
            status: status.unwrap_or_default(),
        });
        let change = status.filter(|_| is_known).map(|status| Operation::ChangeVersion {
            distribution: distribution.name.clone(),
            package: package.clone(),
            version: version.clone(),
            status,
        });
        let path = ListingPath { series, package };
        let list = Operation::ListVersion { path, version };
        Ok(make_known.into_iter().chain(change).chain([list]).collect())
    })
}

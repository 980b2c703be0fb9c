//! `kinset acl`

use clap::{Args, Subcommand};

use super::arguments::{AsOf, Doing, Place, Shape};
use super::{acl_show, acl_uploaders, perform};
use crate::cli::Status;
use crate::cli::args::Format;
use crate::cli::failure::{Failure, Misuse};
use crate::cli::wiring::ConfigFile;
use crate::model::ProjectName;
use crate::model::packages::acl::{InComponent, Queue, Upload, What};
use crate::model::packages::{
    Action, ComponentName, Operation, PackageName, PackageSetName, Party, Permission, PermissionStatus, Pocket, SeriesName, Target,
};
use crate::store::Fault;
use crate::store::packages::{DistributionRow, SeriesRow, View};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AclCommand {
    /// Tell whether somebody may do something, and by which grant; exit with 0 if so, 1 if not, 2 on error
    Can {
        /// A person, or @ and a team
        who: Party,
        #[command(flatten)]
        asked: Asked,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        /// How to print it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// Print nothing; the exit code tells
        #[arg(long, short, conflicts_with = "format")]
        quiet: bool,
    },
    /// Tell who may do something, and by which grants
    Who {
        #[command(flatten)]
        asked: Asked,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Tell who may upload a package, by what lets them: its component, its package sets, itself
    Uploaders {
        /// The package
        package: PackageName,
        /// Show who is in teams
        #[arg(long, short)]
        teams: bool,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
    },
    /// List permissions; without --series those of all series
    List {
        /// Those of this person, or of @ and this team
        #[arg(long, value_name = "WHO")]
        party: Option<Party>,
        /// Those on this package set
        #[arg(long, value_name = "SET")]
        set: Option<PackageSetName>,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Give a permission, or change the status of one that there is
    Grant {
        #[command(flatten)]
        given: Given,
        /// Whether it counts
        #[arg(long, default_value = "approved", value_parser = status)]
        status: PermissionStatus,
        /// On a package set: leave the packages that are directly in it to those with explicit permissions
        #[arg(long)]
        explicit: bool,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
    /// Take a permission away
    Revoke {
        #[command(flatten)]
        given: Given,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        doing: Doing,
    },
}

/// What somebody would do.
#[derive(Debug, Args)]
pub(in crate::cli) struct Asked {
    /// upload, queue-admin; commit, build, watchbugzilla, watchcommits, approveacls, checkout; maintain
    #[arg(value_parser = action)]
    action: Action,
    /// The package
    package: Option<PackageName>,
    /// The package is a new one that the distribution does not know yet
    #[arg(long, requires = "package")]
    new: bool,
    /// The pocket that an upload goes to [default: release, and updates once the series is released]
    #[arg(long, value_parser = pocket)]
    pocket: Option<Pocket>,
    /// The component that an upload goes to, strictly, or whose queue it is [default: any that will do]
    #[arg(long, value_name = "NAME")]
    component: Option<ComponentName>,
    /// The package set whose queue it is
    #[arg(long, value_name = "SET", conflicts_with_all = ["package", "component", "pocket"])]
    set: Option<PackageSetName>,
    /// The tracker, to maintain a project of it
    #[arg(long, value_name = "NAME", requires = "project", conflicts_with_all = ["package", "pocket", "component", "set"])]
    tracker: Option<String>,
    /// The project of the tracker
    #[arg(long, value_name = "NAME", requires = "tracker")]
    project: Option<String>,
}

/// A permission to be given or taken away.
#[derive(Debug, Args)]
pub(in crate::cli) struct Given {
    /// A person, or @ and a team
    party: Party,
    /// upload, queue-admin; on a listing commit, build, watchbugzilla, watchcommits, approveacls, checkout
    #[arg(value_parser = action)]
    action: Action,
    #[command(flatten)]
    on: On,
}

/// What a permission is for.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct On {
    /// A package set of the series
    #[arg(long, value_name = "SET")]
    set: Option<PackageSetName>,
    /// A package in the series
    #[arg(long, value_name = "PACKAGE")]
    listing: Option<PackageName>,
    /// A package in all series
    #[arg(long, value_name = "PACKAGE")]
    package: Option<PackageName>,
    /// A component, in all series
    #[arg(long, value_name = "NAME")]
    component: Option<ComponentName>,
    /// A pocket; of all series, unless one is named
    #[arg(long, value_parser = pocket)]
    pocket: Option<Pocket>,
}

/// Reads one of some words; of a misspelt one it is told which there are.
fn one_of<T: Copy>(text: &str, all: &[T], word: impl Fn(T) -> &'static str) -> Result<T, String> {
    let found = all.iter().copied().find(|&one| word(one) == text);
    let words = || all.iter().map(|&one| word(one)).collect::<Vec<_>>();
    found.ok_or_else(|| match crate::remedy::nearest(text, words()) {
        Some(nearest) => format!("did you mean `{nearest}`? There are {}", words().join(", ")),
        None => format!("there are {}", words().join(", ")),
    })
}

fn action(text: &str) -> Result<Action, String> {
    one_of(text, &Action::ALL, Action::word)
}

fn pocket(text: &str) -> Result<Pocket, String> {
    one_of(text, &Pocket::ALL, Pocket::word)
}

fn status(text: &str) -> Result<PermissionStatus, String> {
    one_of(text, &PermissionStatus::ALL, PermissionStatus::word)
}

impl Asked {
    /// The tracker and the project that it is about, if it is about one.
    ///
    /// # Errors
    /// When more is said, which has no meaning there.
    pub(super) fn project(&self, place: &Place) -> Result<Option<(&str, ProjectName)>, Misuse> {
        let (Some(tracker), Some(project)) = (&self.tracker, &self.project) else {
            return Ok(None);
        };
        if self.action != Action::Maintain || place.series.is_some() || place.distribution.is_some() {
            return Err(Misuse::AclNeeds {
                action: self.action,
                what: "the action `maintain` with a tracker's project, and no series or distribution, or else no tracker and project",
            });
        }
        Ok(Some((tracker, ProjectName(project.clone()))))
    }

    /// Looks whether the distribution knows the package, unless it is said to be new.
    ///
    /// # Errors
    /// When it does not, with the nearest names.
    pub(super) fn require_known(&self, view: &View<'_>, distribution: &DistributionRow) -> Result<(), Fault> {
        match &self.package {
            Some(package) if !self.new => view.package(distribution, package).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// The question, in a series.
    ///
    /// # Errors
    /// When the action needs something that was not said, or was said something that it has no use for.
    pub(super) fn what(&self, series: &SeriesRow) -> Result<What, Misuse> {
        let Self {
            action,
            package,
            pocket,
            component,
            set,
            ..
        } = self;
        let needs = |what: &'static str| Misuse::AclNeeds { action: *action, what };
        let name: SeriesName = series.path.series.clone();
        let names_what_for = pocket.is_some() || component.is_some();
        match action {
            Action::Upload => Ok(What::Upload(Upload {
                series: name,
                package: package.clone().ok_or_else(|| needs("a package"))?,
                component: component.clone().map_or(InComponent::Published, InComponent::Named),
                pocket: pocket.unwrap_or_else(|| Pocket::usual(series.details.status)),
            })),
            Action::QueueAdmin if package.is_some() && names_what_for => {
                Err(needs("a package, whose component is known, or a component and a pocket"))
            }
            Action::QueueAdmin => {
                let of = match (package, set) {
                    (Some(package), _) => Queue::Package(package.clone()),
                    (None, Some(set)) => Queue::Set(set.clone()),
                    (None, None) => Queue::Upload {
                        component: component.clone(),
                        pocket: *pocket,
                    },
                };
                Ok(What::Queue { series: name, of })
            }
            Action::Maintain => Err(needs("--tracker and --project")),
            action if names_what_for || set.is_some() => Err(Misuse::AclNeeds {
                action: *action,
                what: "a package, and no pocket, component or package set",
            }),
            action => Ok(What::OnListing {
                action: *action,
                series: name,
                package: package.clone().ok_or_else(|| needs("a package"))?,
            }),
        }
    }
}

impl On {
    /// Rights to a component or a package as such are those of all series.
    fn require_no_series(&self, place: &Place) -> Result<(), Misuse> {
        if place.series.is_some() && (self.component.is_some() || self.package.is_some()) {
            return Err(Misuse::NoSeriesThere);
        }
        Ok(())
    }

    fn target(self, view: &View<'_>, place: &Place) -> Result<Target, Fault> {
        let Self {
            set,
            listing,
            package,
            component,
            pocket,
        } = self;
        let series = || Ok::<_, Fault>(place.series(view)?.path.series);
        Ok(match (set, listing, package, component, pocket) {
            (Some(set), ..) => Target::PackageSet { series: series()?, set },
            (_, Some(package), ..) => Target::Listing {
                series: series()?,
                package,
            },
            (_, _, Some(package), ..) => Target::Package { package },
            (_, _, _, Some(component), _) => Target::Component { component },
            (_, _, _, _, pocket) => Target::Pocket {
                // The group of arguments is required.
                pocket: pocket.unwrap_or(Pocket::Release),
                series: place.series.clone(),
            },
        })
    }
}

pub(in crate::cli) fn run(command: AclCommand, file: &ConfigFile) -> Result<Status, Failure> {
    match command {
        AclCommand::Can {
            who,
            asked,
            place,
            as_of,
            format,
            quiet,
        } => acl_show::can(&who, &asked, &place, as_of, (!quiet).then_some(format), file),
        AclCommand::Who {
            asked,
            place,
            as_of,
            shape,
        } => acl_show::who(&asked, &place, as_of, shape, file),
        AclCommand::Uploaders {
            package,
            teams,
            place,
            as_of,
        } => acl_uploaders::uploaders(&package, teams, &place, as_of, file),
        AclCommand::List {
            party,
            set,
            place,
            as_of,
            shape,
        } => acl_show::list(party.as_ref(), set.as_ref(), &place, as_of, shape, file),
        AclCommand::Grant {
            given: Given { party, action, on },
            status,
            explicit,
            place,
            doing,
        } => {
            on.require_no_series(&place)?;
            perform(file, &doing, |view| {
                let permission = Permission {
                    party,
                    action,
                    target: on.target(view, &place)?,
                    status,
                    explicit,
                };
                let distribution = view.distribution_meant(place.distribution.as_ref())?.name;
                Ok(vec![Operation::Grant { distribution, permission }])
            })
        }
        AclCommand::Revoke {
            given: Given { party, action, on },
            place,
            doing,
        } => {
            on.require_no_series(&place)?;
            perform(file, &doing, |view| {
                let target = on.target(view, &place)?;
                let distribution = view.distribution_meant(place.distribution.as_ref())?.name;
                Ok(vec![Operation::Revoke {
                    distribution,
                    party,
                    action,
                    target,
                }])
            })
        }
    }
}

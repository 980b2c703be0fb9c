//! The evaluator.

use std::collections::{BTreeMap, BTreeSet};

use super::{But, Decision, Facts, Grant, Held, InComponent, Listing, NearMiss, Question, Queue, Refusal, Upload, What};
use crate::model::packages::{
    Action, CollectionStatus, ComponentName, PackageName, PackageSetName, Party, Permission, PermissionStatus, Pocket, SeriesName, Target,
    TeamName,
};

/// Whether they may, and what decided. The module's docs have the rules.
#[must_use]
pub fn decide(facts: &Facts, question: &Question) -> Decision {
    let Question { who, what } = question;
    let within = facts.teams.of(who);
    let mut reached: Vec<Reached<'_>> = bearings(facts, what)
        .filter_map(|bearing| Reached::by(who, &within, bearing))
        .collect();
    reached.sort();
    reached.dedup();
    let (deciding, missing): (Vec<_>, Vec<_>) = reached.into_iter().partition(|reached| reached.but.is_none());
    let first = deciding.into_iter().next().map(Reached::into_held);
    if let Err(because) = doors(facts, what) {
        let nearest = first.into_iter().map(|held| NearMiss { held, but: But::Refusal }).collect();
        return Decision::Refused { because, nearest };
    }
    if let Some(held) = first {
        return Decision::Allowed(held);
    }
    Decision::Refused {
        because: refusal(facts, what, |party| party == who || within_team(&within, party)),
        nearest: missing.into_iter().filter_map(Reached::into_near_miss).collect(),
    }
}

/// Every grant by which somebody may, in the order in which they decide, with the package sets that it takes. Teams are not taken apart: whom
/// [`decide()`] says yes to is a party that is named here or is in a team that is.
#[must_use]
pub fn who_can(facts: &Facts, what: &What) -> Vec<Held> {
    if doors(facts, what).is_err() {
        return Vec::new();
    }
    let mut reached: Vec<Reached<'_>> = bearings(facts, what)
        .filter(|bearing| bearing.but.is_none())
        .map(|bearing| Reached::with(Vec::new(), bearing))
        .collect();
    reached.sort();
    reached.dedup();
    reached.into_iter().map(Reached::into_held).collect()
}

/// A grant that bears on what is asked, whoever asks it: it decides, or would if one thing were otherwise.
struct Bearing<'a> {
    step: Step,
    by: By<'a>,
    sets: Vec<PackageSetName>,
    but: Option<But>,
}

/// The order in which grants are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    First,
    Second,
    Third,
    Fourth,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By<'a> {
    Owner(&'a Party, &'a SeriesName, &'a PackageName),
    Permission(&'a Permission),
}

/// A bearing that somebody has. The first by this order is the one that is told.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Reached<'a> {
    step: Step,
    /// How many teams and how many package sets.
    lengths: (usize, usize),
    by: By<'a>,
    but: Option<But>,
    teams: Vec<TeamName>,
    sets: Vec<PackageSetName>,
}

impl<'a> Reached<'a> {
    fn by(who: &Party, within: &BTreeMap<TeamName, Vec<TeamName>>, bearing: Bearing<'a>) -> Option<Self> {
        let teams = match bearing.by.party() {
            party if party == who => Vec::new(),
            Party::Team(team) => within.get(team)?.clone(),
            Party::Person(_) => return None,
        };
        Some(Self::with(teams, bearing))
    }

    fn with(teams: Vec<TeamName>, bearing: Bearing<'a>) -> Self {
        let Bearing { step, by, sets, but } = bearing;
        Self {
            step,
            lengths: (teams.len(), sets.len()),
            by,
            but,
            teams,
            sets,
        }
    }

    fn into_held(self) -> Held {
        Held {
            by: self.by.into_grant(),
            teams: self.teams,
            sets: self.sets,
        }
    }

    fn into_near_miss(mut self) -> Option<NearMiss> {
        let but = self.but.take()?;
        Some(NearMiss {
            held: self.into_held(),
            but,
        })
    }
}

impl<'a> By<'a> {
    const fn party(self) -> &'a Party {
        match self {
            Self::Owner(party, ..) => party,
            Self::Permission(permission) => &permission.party,
        }
    }

    fn into_grant(self) -> Grant {
        match self {
            Self::Owner(party, series, package) => Grant::Owner {
                party: party.clone(),
                series: series.clone(),
                package: package.clone(),
            },
            Self::Permission(permission) => Grant::Permission(permission.clone()),
        }
    }
}

/// What stands before all grants.
fn doors(facts: &Facts, what: &What) -> Result<(), Refusal> {
    let Some(series) = what.series() else { return Ok(()) };
    let Some(status) = facts.status else {
        return Err(Refusal::NoSuchSeries { series: series.clone() });
    };
    match what {
        What::Upload(Upload { pocket, .. }) if !is_open(*pocket, status) => Err(Refusal::PocketClosed {
            pocket: *pocket,
            series: series.clone(),
            status,
        }),
        What::Upload(_) if !facts.archive.is_enabled => Err(Refusal::ArchiveDisabled),
        What::Upload(_) if status.is_ended() && !facts.archive.takes_ended_series => Err(Refusal::SeriesEnded {
            series: series.clone(),
            status,
        }),
        What::OnListing { package, .. } if facts.listing.is_none() => Err(Refusal::NotListed {
            series: series.clone(),
            package: package.clone(),
        }),
        What::Upload(_) | What::OnListing { .. } | What::Queue { .. } | What::Maintain { .. } => Ok(()),
    }
}

/// Launchpad's `canModifySuite`, for the primary archive.
const fn is_open(pocket: Pocket, status: CollectionStatus) -> bool {
    let was_released = match status {
        CollectionStatus::Frozen => return true,
        CollectionStatus::Active | CollectionStatus::Maintenance | CollectionStatus::Eol => true,
        CollectionStatus::Future | CollectionStatus::Experimental | CollectionStatus::Development | CollectionStatus::Rejected => false,
    };
    match pocket {
        Pocket::Release => !was_released,
        Pocket::Security | Pocket::Updates => was_released,
        Pocket::Proposed | Pocket::Backports => true,
    }
}

/// Why nothing decided, where `has` tells whose grants are theirs.
fn refusal(facts: &Facts, what: &What, has: impl Fn(&Party) -> bool) -> Refusal {
    let What::Upload(upload) = what else { return Refusal::NotGranted };
    let mut has_sets = false;
    let mut has_components = false;
    for permission in facts
        .permissions
        .iter()
        .filter(|permission| is_approved(permission) && has(&permission.party))
    {
        match permission.target {
            // Whatever it permits and in whichever series: Launchpad looks at neither.
            Target::PackageSet { .. } => has_sets = true,
            Target::Component { .. } if permission.action == Action::Upload => has_components = true,
            _ => {}
        }
    }
    match strict_component(facts, &upload.component) {
        Some(component) if has_components => Refusal::NoRightsForComponent {
            component: component.clone(),
        },
        _ if has_sets => Refusal::InsufficientUploadRights,
        _ => Refusal::NoRightsForArchive,
    }
}

fn within_team(within: &BTreeMap<TeamName, Vec<TeamName>>, party: &Party) -> bool {
    matches!(party, Party::Team(team) if within.contains_key(team))
}

fn is_approved(permission: &Permission) -> bool {
    permission.status == PermissionStatus::Approved
}

/// The component that rights are needed to; `None` where rights to any will do.
const fn strict_component<'a>(facts: &'a Facts, component: &'a InComponent) -> Option<&'a ComponentName> {
    match component {
        InComponent::Any => None,
        InComponent::Published => facts.component.as_ref(),
        InComponent::Named(component) => Some(component),
    }
}

/// All grants that bear on what is asked.
fn bearings<'a>(facts: &'a Facts, what: &'a What) -> impl Iterator<Item = Bearing<'a>> {
    let explicit = match what {
        What::Upload(Upload { series, .. }) => explicit_sets(facts, series),
        What::OnListing { .. } | What::Queue { .. } | What::Maintain { .. } => BTreeSet::new(),
    };
    let permissions = facts
        .permissions
        .iter()
        .filter(|permission| permission.action == what.action())
        .filter_map(move |permission| permitted(facts, what, &explicit, permission));
    owned(facts, what).into_iter().chain(permissions)
}

/// The sets with explicit permissions, whosever and for whatever, that have the package directly.
fn explicit_sets(facts: &Facts, asked: &SeriesName) -> BTreeSet<PackageSetName> {
    let explicit = facts
        .permissions
        .iter()
        .filter(|permission| permission.explicit && is_approved(permission));
    explicit
        .filter_map(|permission| match &permission.target {
            Target::PackageSet { series, set } if series == asked && facts.sets.get(set).is_some_and(Vec::is_empty) => Some(set.clone()),
            _ => None,
        })
        .collect()
}

fn owned<'a>(facts: &'a Facts, what: &'a What) -> Option<Bearing<'a>> {
    let What::OnListing { action, series, package } = what else {
        return None;
    };
    let Listing { owner } = facts.listing.as_ref()?;
    let owner = owner.as_ref().filter(|_| action.is_on_listings())?;
    Some(Bearing {
        step: Step::First,
        by: By::Owner(owner, series, package),
        sets: Vec::new(),
        but: None,
    })
}

/// What a permission of the asked action has to do with what is asked.
fn permitted<'a>(facts: &Facts, what: &What, explicit: &BTreeSet<PackageSetName>, permission: &'a Permission) -> Option<Bearing<'a>> {
    let aim = match what {
        What::Upload(upload) => upload_aim(facts, upload, explicit, permission),
        What::OnListing { series, package, .. } => listing_aim(series, package, &permission.target),
        What::Queue { series, of } => queue_aim(facts, series, of, &permission.target),
        What::Maintain { tracker, project } => match &permission.target {
            Target::TrackerProject {
                tracker: on,
                project: given,
            } if on == tracker && given == project => Some(Aim::at(Step::First)),
            _ => None,
        },
    }?;
    let status = (!is_approved(permission)).then_some(But::Status(permission.status));
    let mut buts = aim.buts.into_iter().chain(status);
    let but = buts.next();
    // Two things amiss are not near.
    buts.next().is_none().then_some(Bearing {
        step: aim.step,
        by: By::Permission(permission),
        sets: aim.sets,
        but,
    })
}

/// What a permission's target has to do with what is asked.
struct Aim {
    step: Step,
    sets: Vec<PackageSetName>,
    /// All that would have to be otherwise.
    buts: Vec<But>,
}

impl Aim {
    const fn at(step: Step) -> Self {
        Self {
            step,
            sets: Vec::new(),
            buts: Vec::new(),
        }
    }

    /// Unless `is_so`, something would have to be otherwise.
    fn if_so(mut self, is_so: bool, but: impl FnOnce() -> But) -> Self {
        if !is_so {
            self.buts.push(but());
        }
        self
    }

    fn in_series(self, asked: &SeriesName, given: &SeriesName) -> Self {
        self.if_so(given == asked, || But::OtherSeries(asked.clone()))
    }
}

fn upload_aim(facts: &Facts, upload: &Upload, explicit: &BTreeSet<PackageSetName>, permission: &Permission) -> Option<Aim> {
    let Upload {
        series,
        package,
        component,
        pocket,
    } = upload;
    match &permission.target {
        Target::Pocket {
            pocket: given,
            series: within,
        } => Some(pocket_aim(Step::First, (*pocket, series), (*given, within.as_ref()))),
        Target::Package { package: given } => (given == package).then_some(Aim::at(Step::Second)),
        Target::PackageSet { series: within, set } => {
            let below = facts.sets.get(set)?;
            let counts = explicit.is_empty() || permission.explicit && below.is_empty();
            Some(set_aim(Step::Third, set, below, (series, within)).if_so(counts, || But::ShutOut(explicit.clone())))
        }
        Target::Component { component: given } => {
            let asked = strict_component(facts, component);
            Some(component_aim(Step::Fourth, asked, given))
        }
        Target::Listing { .. } | Target::TrackerProject { .. } => None,
    }
}

fn listing_aim(series: &SeriesName, package: &PackageName, target: &Target) -> Option<Aim> {
    match target {
        Target::Listing {
            series: within,
            package: given,
        } if given == package => Some(Aim::at(Step::Second).in_series(series, within)),
        _ => None,
    }
}

fn queue_aim(facts: &Facts, series: &SeriesName, of: &Queue, target: &Target) -> Option<Aim> {
    match (of, target) {
        (Queue::Upload { component, .. }, Target::Component { component: given }) => {
            Some(component_aim(Step::First, component.as_ref(), given))
        }
        (
            Queue::Upload { pocket, .. },
            Target::Pocket {
                pocket: given,
                series: within,
            },
        ) => Some(pocket_aim(Step::Second, ((*pocket)?, series), (*given, within.as_ref()))),
        (Queue::Package(_), Target::Component { component: given }) => {
            let published = facts.component.as_ref()?;
            Some(component_aim(Step::First, Some(published), given))
        }
        (Queue::Package(package), Target::Package { package: given }) => (given == package).then_some(Aim::at(Step::First)),
        (Queue::Set(asked), Target::PackageSet { series: within, set }) if set == asked => {
            Some(set_aim(Step::Second, set, &[], (series, within)))
        }
        (Queue::Package(_) | Queue::Set(_), Target::PackageSet { series: within, set }) => {
            Some(set_aim(Step::Second, set, facts.sets.get(set)?, (series, within)))
        }
        _ => None,
    }
}

fn component_aim(step: Step, asked: Option<&ComponentName>, given: &ComponentName) -> Aim {
    match asked {
        Some(asked) => Aim::at(step).if_so(asked == given, || But::OtherComponent(asked.clone())),
        None => Aim::at(step),
    }
}

fn pocket_aim(step: Step, asked: (Pocket, &SeriesName), given: (Pocket, Option<&SeriesName>)) -> Aim {
    let aim = Aim::at(step).if_so(asked.0 == given.0, || But::OtherPocket(asked.0));
    match given.1 {
        Some(series) => aim.in_series(asked.1, series),
        None => aim,
    }
}

/// A set of the asked series by that name includes what is asked about, down through the sets `below`.
fn set_aim(step: Step, set: &PackageSetName, below: &[PackageSetName], (asked, given): (&SeriesName, &SeriesName)) -> Aim {
    // What a set of another series includes is not known.
    let sets = if given == asked {
        [set].into_iter().chain(below).cloned().collect()
    } else {
        Vec::new()
    };
    Aim {
        sets,
        ..Aim::at(step).in_series(asked, given)
    }
}

//! The fewest operations that make a document come true, each legal when its turn comes.
//!
//! The operations follow from a [`State`] that each of them has changed already, so that what one brings along (the sets of a new series, a copy
//! before a write, the edges of a set that goes) is never asked for again. What takes away comes before what adds: every hierarchy on the way
//! then lies within one that there was or one that is wanted, and no name is taken twice. What is known of packages comes before the series that have
//! it. Ends of series come last, because a series that has ended takes no change.

use std::collections::{BTreeMap, BTreeSet};

use super::mistake::{Mistake, MistakeKind, Place};
use super::origin::{new_series, origin};
use super::state::{Elsewhere, SeriesState, State};
use super::{DistributionDocument, SeriesDocument};
use crate::model::packages::{
    DistributionDetails, DistributionName, Operation, Permission, SeriesName, SeriesPath, Sharing, TransitionError,
};

/// What is wanted of a distribution.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// What there is; `None` if there is no distribution of that name.
    pub have: Option<&'a DistributionDocument>,
    /// What there is to be.
    pub want: &'a DistributionDocument,
    /// The other distributions that new series begin with sets of.
    pub elsewhere: &'a BTreeMap<DistributionName, DistributionDocument>,
    /// Whether series that have ended are changed, too.
    pub force: bool,
}

/// The operations that lead from what there is to what is wanted: none, if that is what there is. Both documents are of the same distribution.
///
/// That series share a set is never a reason to do anything, because they answer alike without sharing it.
///
/// # Errors
/// All that is wrong in what is wanted: as for [`DistributionDocument::mistakes`], and where what there is does not allow it.
pub fn difference(wish: Wish<'_>) -> Result<Vec<Operation>, Vec<Mistake>> {
    let want = wish.want.expanded()?;
    let elsewhere: Elsewhere = wish
        .elsewhere
        .iter()
        .map(|(name, document)| Ok((name.clone(), document.expanded()?)))
        .collect::<Result<_, Vec<Mistake>>>()?;
    let mut planner = match wish.have {
        Some(have) => Planner::new(have.expanded()?, &want, &elsewhere, wish),
        None => Planner::beginning(&want, &elsewhere, wish),
    };
    planner.require_all_series()?;
    planner.plan()?;
    if planner.mistakes.is_empty() {
        Ok(planner.operations)
    } else {
        Err(planner.mistakes)
    }
}

/// A plan under way.
pub(super) struct Planner<'a> {
    pub(super) state: State,
    pub(super) want: &'a State,
    pub(super) document: &'a DistributionDocument,
    elsewhere: &'a Elsewhere,
    force: bool,
    operations: Vec<Operation>,
    mistakes: Vec<Mistake>,
}

/// A step of what is done to the sets of a series; those that take away come before those that add.
type Phase<'a> = fn(&mut Planner<'a>, &SeriesState);

impl<'a> Planner<'a> {
    const fn new(state: State, want: &'a State, elsewhere: &'a Elsewhere, wish: Wish<'a>) -> Self {
        Self {
            state,
            want,
            document: wish.want,
            elsewhere,
            force: wish.force,
            operations: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    fn beginning(want: &'a State, elsewhere: &'a Elsewhere, wish: Wish<'a>) -> Self {
        let details = DistributionDetails {
            series: None,
            ..want.details.clone()
        };
        let state = State::new(want.name.clone(), details.clone());
        let mut planner = Self::new(state, want, elsewhere, wish);
        let distribution = want.name.clone();
        planner.push(Operation::CreateDistribution { distribution, details });
        planner
    }

    pub(super) fn push(&mut self, operation: Operation) {
        for series in self.state.touched(&operation) {
            self.require_open(&series);
        }
        self.state.apply(&operation, self.elsewhere);
        self.operations.push(operation);
    }

    pub(super) fn require_open(&mut self, name: &SeriesName) {
        let Some(series) = self.state.series(name) else { return };
        let status = series.details.status;
        if !status.is_ended() {
            return;
        }
        let kind = MistakeKind::Ended {
            series: name.clone(),
            status,
        };
        if !self.force && !self.mistakes.iter().any(|mistake| mistake.kind == kind) {
            self.report(self.series_place(name), kind);
        }
    }

    /// Refuses a status that may not follow, unless somebody insists.
    pub(super) fn require_may_follow(&mut self, follows: Result<(), TransitionError>, at: impl FnOnce(&Self) -> Place) {
        if let Err(error) = follows
            && !self.force
        {
            self.report(at(self), MistakeKind::Status(error));
        }
    }

    pub(super) fn report(&mut self, at: Place, kind: MistakeKind) {
        self.mistakes.push(Mistake { at, kind });
    }

    pub(super) fn series_place(&self, name: &SeriesName) -> Place {
        let place = self.document.series.iter().position(|series| series.name == *name);
        place.map_or_else(Place::default, Place::series)
    }

    fn require_all_series(&self) -> Result<(), Vec<Mistake>> {
        let names = self.state.series.iter().map(|series| &series.name);
        let vanished: Vec<SeriesName> = names.filter(|name| self.want.series(name).is_none()).cloned().collect();
        if vanished.is_empty() {
            return Ok(());
        }
        Err(vec![Mistake {
            at: Place::default().key("series"),
            kind: MistakeKind::Vanished {
                distribution: self.want.name.clone(),
                series: vanished,
            },
        }])
    }

    fn plan(&mut self) -> Result<(), Vec<Mistake>> {
        let (from, to) = (self.state.details.sharing, self.want.details.sharing);
        // Two ways are better left late: into one hierarchy when all agree, and from copies that are made unasked to those that are asked for.
        let is_late = to == Sharing::Tethered || (from, to) == (Sharing::CopyOnWrite, Sharing::ManualClone);
        if !is_late {
            self.convert(to);
        }
        self.details();
        self.packages();
        self.catalogue();
        self.teams();
        self.reopen();
        self.sets_there_are();
        self.contents_there_are();
        for (index, series) in new_series(&self.state, self.document).map_err(|mistake| vec![mistake])? {
            self.add_series(index, series).map_err(|mistake| vec![mistake])?;
        }
        self.permissions();
        self.series_details();
        self.convert(to);
        self.details();
        Ok(())
    }

    fn convert(&mut self, to: Sharing) {
        if self.state.details.sharing != to {
            self.push(Operation::ConvertSharing {
                distribution: self.want.name.clone(),
                to,
                hierarchy_of: None,
            });
        }
    }

    fn packages(&mut self) {
        let wanted = self.want.packages.keys();
        let packages: BTreeSet<_> = wanted.filter(|name| !self.state.packages.contains_key(*name)).cloned().collect();
        if !packages.is_empty() {
            let distribution = self.want.name.clone();
            self.push(Operation::AddPackages { distribution, packages });
        }
    }

    fn teams(&mut self) {
        let (have, want, none) = (self.state.teams.clone(), &self.want.teams, BTreeSet::new());
        for (team, members) in &have {
            let wanted = want.get(team).unwrap_or(&none);
            let members: BTreeSet<_> = members.difference(wanted).cloned().collect();
            if !members.is_empty() {
                self.push(Operation::RemoveMembers {
                    distribution: self.want.name.clone(),
                    team: team.clone(),
                    members,
                });
            }
        }
        for (team, wanted) in want {
            let members = have.get(team).unwrap_or(&none);
            let members: BTreeSet<_> = wanted.difference(members).cloned().collect();
            if !members.is_empty() {
                self.push(Operation::AddMembers {
                    distribution: self.want.name.clone(),
                    team: team.clone(),
                    members,
                });
            }
        }
    }

    /// The sets of the series that there are. Where the hierarchy is one for all, nothing is added to it before all that goes is out of it, and
    /// series that have ended are the last ones to be asked for a change of it.
    fn sets_there_are(&mut self) {
        let phases: [Phase<'a>; 6] = [
            Self::remove_sets,
            Self::rename_sets,
            Self::remove_subsets,
            Self::create_sets,
            Self::add_subsets,
            Self::fill_sets,
        ];
        let want = self.want;
        let mut wanted: Vec<&SeriesState> = self.state.series.iter().filter_map(|series| want.series(&series.name)).collect();
        if self.state.details.sharing == Sharing::Tethered {
            wanted.sort_by_key(|series| series.details.status.is_ended());
            for phase in phases {
                wanted.iter().for_each(|series| phase(self, series));
            }
        } else {
            for series in wanted {
                phases.iter().for_each(|phase| phase(self, series));
            }
        }
    }

    /// What is in the series that there are, besides sets.
    fn contents_there_are(&mut self) {
        let want = self.want;
        let names: Vec<SeriesName> = self.state.series.iter().map(|series| series.name.clone()).collect();
        names
            .iter()
            .filter_map(|name| want.series(name))
            .for_each(|series| self.contents(series));
    }

    /// Whether more listings of a series begin as they are wanted than would have to go again.
    fn begins_with_listings(&self, from: &SeriesPath, wanted: &SeriesState) -> bool {
        let Some(origin) = self.state.series(&from.series).filter(|_| from.distribution == self.state.name) else {
            return false;
        };
        let (have, want) = (&origin.contents.listings, &wanted.contents.listings);
        let kept = have
            .iter()
            .filter(|(package, listing)| want.get(*package).is_some_and(|wanted| wanted.details == listing.details));
        let surplus = have.keys().filter(|package| !want.contains_key(*package));
        kept.count() > surplus.count()
    }

    fn add_series(&mut self, index: usize, document: &SeriesDocument) -> Result<(), Mistake> {
        let want = self.want;
        let Some(wanted) = want.series(&document.name) else { return Ok(()) };
        let origin = origin(&self.state, self.elsewhere, index, document, wanted)?;
        let series = self.state.path(&document.name);
        let is_bare = origin.is_none()
            && wanted.sets.is_empty()
            && wanted.contents.is_empty()
            && !want.permissions.keys().any(|(target, ..)| target.series() == Some(&wanted.name));
        let details = self.first_details(wanted, is_bare);
        self.push(match origin {
            Some(from) => Operation::InitSeries {
                listings: self.begins_with_listings(&from, wanted),
                series,
                from,
                details,
            },
            None => Operation::CreateSeries { series, details },
        });
        self.remove_sets(wanted);
        self.rename_sets(wanted);
        self.remove_subsets(wanted);
        self.create_sets(wanted);
        self.add_subsets(wanted);
        self.fill_sets(wanted);
        self.contents(wanted);
        Ok(())
    }

    /// Permissions that are not on sets.
    fn permissions(&mut self) {
        let (have, want) = (self.state.permissions.clone(), self.want);
        for (target, party, action) in have.keys().filter(|key| !want.permissions.contains_key(key)) {
            self.push(Operation::Revoke {
                distribution: want.name.clone(),
                party: party.clone(),
                action: *action,
                target: target.clone(),
            });
        }
        for (key, status) in &want.permissions {
            if have.get(key) == Some(status) {
                continue;
            }
            let (target, party, action) = key.clone();
            self.push(Operation::Grant {
                distribution: want.name.clone(),
                permission: Permission {
                    party,
                    action,
                    target,
                    status: *status,
                    explicit: false,
                },
            });
        }
    }

    /// What is said of the whole, as far as it goes yet: how package sets are tied is changed apart, and the current series may be to come.
    fn details(&mut self) {
        let wanted = &self.want.details;
        let is_there = |series: &SeriesName| self.state.series(series).is_some();
        let details = DistributionDetails {
            sharing: self.state.details.sharing,
            series: if wanted.series.as_ref().is_none_or(is_there) {
                wanted.series.clone()
            } else {
                self.state.details.series.clone()
            },
            ..wanted.clone()
        };
        if self.state.details != details {
            let distribution = self.want.name.clone();
            self.push(Operation::ChangeDistribution { distribution, details });
        }
    }
}

//! A distribution as operations change it, so that each operation of a plan follows from what those before it leave behind.
//!
//! Sets go by their groups here, and series that share a set hold the same number of a body. Hierarchies hold the edges that the series show; of
//! `tethered`, whose hierarchy is one for all series, those of one series are always those of the others as far as they have the sets.

mod contents;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::packages::{
    Action, DistributionDetails, DistributionName, GroupName, Operation, PackageName, PackageSetName, Party, PermissionStatus,
    SeriesDetails, SeriesName, SeriesPath, SetDetails, SetPath, Sharing, Target, TeamName,
};

pub(super) use contents::{ByText, Contents, ListingState, PackageState, VersionState};

/// What is in a set, permissions included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) name: PackageSetName,
    pub(super) details: SetDetails,
    pub(super) subsets: BTreeSet<GroupName>,
    pub(super) sources: BTreeSet<PackageName>,
    /// With what each says: its status, and whether it is explicit.
    pub(super) permissions: BTreeMap<(Party, Action), (PermissionStatus, bool)>,
}

/// A set of a series.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// The place of its body, which other series may have too.
    pub(super) body: usize,
    pub(super) score: i64,
}

/// A series.
#[derive(Clone, Debug)]
pub(super) struct SeriesState {
    pub(super) name: SeriesName,
    pub(super) details: SeriesDetails,
    pub(super) sets: BTreeMap<GroupName, Link>,
    pub(super) contents: Contents,
}

/// A distribution.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) name: DistributionName,
    pub(super) details: DistributionDetails,
    pub(super) packages: BTreeMap<PackageName, PackageState>,
    pub(super) teams: BTreeMap<TeamName, BTreeSet<Party>>,
    /// Those that are not on sets.
    pub(super) permissions: BTreeMap<(Target, Party, Action), PermissionStatus>,
    /// In the order in which they were added.
    pub(super) series: Vec<SeriesState>,
    pub(super) bodies: Vec<Body>,
}

/// Other distributions, which series may begin with sets of.
pub(super) type Elsewhere = BTreeMap<DistributionName, State>;

impl State {
    pub(super) const fn new(name: DistributionName, details: DistributionDetails) -> Self {
        Self {
            name,
            details,
            packages: BTreeMap::new(),
            teams: BTreeMap::new(),
            permissions: BTreeMap::new(),
            series: Vec::new(),
            bodies: Vec::new(),
        }
    }

    pub(super) fn series(&self, name: &SeriesName) -> Option<&SeriesState> {
        self.series.iter().find(|series| series.name == *name)
    }

    fn series_mut(&mut self, name: &SeriesName) -> Option<&mut SeriesState> {
        self.series.iter_mut().find(|series| series.name == *name)
    }

    pub(super) fn path(&self, series: &SeriesName) -> SeriesPath {
        SeriesPath {
            distribution: self.name.clone(),
            series: series.clone(),
        }
    }

    /// What is in a set of a series.
    pub(super) fn body(&self, series: &SeriesName, group: &GroupName) -> Option<&Body> {
        self.series(series)?.sets.get(group).and_then(|link| self.bodies.get(link.body))
    }

    /// By how much builds of a set's packages come before others.
    pub(super) fn score(&self, series: &SeriesName, group: &GroupName) -> Option<i64> {
        self.series(series)?.sets.get(group).map(|link| link.score)
    }

    /// The sets of a series with what is in them, by group.
    pub(super) fn bodies_of<'s>(&'s self, series: &'s SeriesState) -> impl Iterator<Item = (&'s GroupName, &'s Body)> {
        series
            .sets
            .iter()
            .filter_map(|(group, link)| Some((group, self.bodies.get(link.body)?)))
    }

    pub(super) fn group_named(&self, path: &SetPath) -> Option<GroupName> {
        let series = self.series(&path.series.series)?;
        let mut bodies = self.bodies_of(series);
        bodies.find(|(_, body)| body.name == path.set).map(|(group, _)| group.clone())
    }

    /// Whether other series have the very same set.
    pub(super) fn is_shared(&self, series: &SeriesName, group: &GroupName) -> bool {
        let Some(link) = self.series(series).and_then(|series| series.sets.get(group)) else {
            return false;
        };
        let having = self
            .series
            .iter()
            .filter(|series| series.sets.values().any(|other| other.body == link.body));
        having.count() > 1
    }

    /// The sets that a set is directly in.
    pub(super) fn supersets(&self, series: &SeriesName, group: &GroupName) -> Vec<GroupName> {
        let Some(series) = self.series(series) else { return Vec::new() };
        let including = self.bodies_of(series).filter(|(_, body)| body.subsets.contains(group));
        including.map(|(superset, _)| superset.clone()).collect()
    }

    pub(super) fn enter_body(&mut self, body: Body) -> usize {
        self.bodies.push(body);
        self.bodies.len() - 1
    }

    /// The body of a set as it may be changed for that series alone.
    fn own(&mut self, series: &SeriesName, group: &GroupName) -> Option<&mut Body> {
        if self.is_shared(series, group) {
            let copy = self.body(series, group)?.clone();
            let place = self.enter_body(copy);
            self.series_mut(series)?.sets.get_mut(group)?.body = place;
        }
        let place = self.series(series)?.sets.get(group)?.body;
        self.bodies.get_mut(place)
    }

    fn own_at(&mut self, path: &SetPath) -> Option<&mut Body> {
        let group = self.group_named(path)?;
        self.own(&path.series.series, &group)
    }

    /// Does what an operation does, as far as documents tell of it. Nothing that the store would refuse is given to it.
    pub(super) fn apply(&mut self, operation: &Operation, elsewhere: &Elsewhere) {
        match operation {
            Operation::CreateDistribution { details, .. } | Operation::ChangeDistribution { details, .. } => self.details = details.clone(),
            Operation::ConvertSharing { to, .. } => self.convert(*to),
            Operation::CreateSeries { series, details } => self.create_series(&series.series, details),
            Operation::InitSeries {
                series,
                from,
                listings,
                details,
            } => {
                self.init_series(&series.series, from, details, elsewhere);
                if *listings {
                    self.copy_listings(&series.series, &from.series);
                }
            }
            Operation::ChangeSeries { series, details } => {
                if let Some(series) = self.series_mut(&series.series) {
                    series.details = details.clone().in_order();
                }
            }
            Operation::AddPackages { packages, .. } => self.add_packages(packages),
            Operation::ChangePackage { package, details, .. } => self.set_package(package, details),
            Operation::AddListing { path, details } | Operation::ChangeListing { path, details } => self.set_listing(path, details),
            Operation::RemoveListing { path } => self.remove_listing(path),
            Operation::AddVersion {
                package, version, status, ..
            }
            | Operation::ChangeVersion {
                package, version, status, ..
            } => self.set_version(package, version, *status),
            Operation::ListVersion { path, version } => self.change_listing(path, |listing| {
                listing.versions.entry(ByText(version.clone())).or_default();
            }),
            Operation::WithdrawVersion { path, version } => self.change_listing(path, |listing| {
                listing.versions.remove(&ByText(version.clone()));
            }),
            Operation::SetBuilt {
                package,
                version,
                built,
                details,
                ..
            } => self.set_built(package, version, built, details),
            Operation::ListBuilt { path, version, built } => self.change_listing(path, |listing| {
                let there = listing.versions.entry(ByText(version.clone())).or_default();
                there.extend(built.iter().cloned());
            }),
            Operation::WithdrawBuilt { path, version, built } => self.change_listing(path, |listing| {
                let there = listing.versions.entry(ByText(version.clone())).or_default();
                there.retain(|name| !built.contains(name));
            }),
            Operation::SetGroup { series, group, details } => self.change_contents(series, |contents| {
                contents.groups.insert(group.clone(), details.clone());
            }),
            Operation::RemoveGroup { series, group } => self.remove_group(series, group),
            Operation::SetCategory { series, category, details } => self.change_contents(series, |contents| {
                contents.categories.insert(category.clone(), details.clone());
            }),
            Operation::RemoveCategory { series, category } => self.change_contents(series, |contents| {
                contents.categories.remove(category);
            }),
            Operation::CreateSet { path, details, group, .. } => {
                let group = group.clone();
                let group = group.unwrap_or_else(|| GroupName::beginning_with(&path.series.distribution, &path.set));
                self.create_set(path, details, group);
            }
            Operation::ChangeSet { path, details } => self.change(path, |body| body.details = details.clone()),
            Operation::RenameSet { path, to } => self.change(path, |body| body.name = to.clone()),
            Operation::ScoreSet { path, score } => self.set_score(path, *score),
            Operation::RemoveSet { path } => self.remove_set(path),
            Operation::CloneSet { path } => self.change(path, |_| ()),
            Operation::AddSources { path, sources } => self.change(path, |body| body.sources.extend(sources.iter().cloned())),
            Operation::RemoveSources { path, sources } => {
                self.change(path, |body| body.sources.retain(|source| !sources.contains(source)));
            }
            Operation::AddSubsets { path, subsets } => self.change_subsets(path, subsets, |body, group| {
                body.subsets.insert(group);
            }),
            Operation::RemoveSubsets { path, subsets } => self.change_subsets(path, subsets, |body, group| {
                body.subsets.remove(&group);
            }),
            Operation::Grant { permission, .. } => {
                let key = (permission.party.clone(), permission.action);
                match set_of(&self.name, &permission.target) {
                    Some(path) => self.change(&path, |body| {
                        body.permissions.insert(key, (permission.status, permission.explicit));
                    }),
                    None => {
                        let key = (permission.target.clone(), key.0, key.1);
                        self.permissions.insert(key, permission.status);
                    }
                }
            }
            Operation::Revoke { party, action, target, .. } => match set_of(&self.name, target) {
                Some(path) => self.change(&path, |body| {
                    body.permissions.remove(&(party.clone(), *action));
                }),
                None => {
                    self.permissions.remove(&(target.clone(), party.clone(), *action));
                }
            },
            // Modules come from what repositories publish, and documents say nothing of them.
            Operation::Module(_) => {}
            Operation::AddMembers { team, members, .. } => self.teams.entry(team.clone()).or_default().extend(members.iter().cloned()),
            Operation::RemoveMembers { team, members, .. } => {
                let left = self.teams.entry(team.clone()).or_default();
                left.retain(|member| !members.contains(member));
                if left.is_empty() {
                    self.teams.remove(team);
                }
            }
        }
    }

    fn change(&mut self, path: &SetPath, change: impl FnOnce(&mut Body)) {
        if let Some(body) = self.own_at(path) {
            change(body);
        }
    }

    fn set_score(&mut self, path: &SetPath, score: i64) {
        let Some(group) = self.group_named(path) else { return };
        let link = self.series_mut(&path.series.series).and_then(|series| series.sets.get_mut(&group));
        if let Some(link) = link {
            link.score = score;
        }
    }

    /// Each series but the first gets its own copy of what it shares.
    fn convert(&mut self, to: Sharing) {
        self.details.sharing = to;
        if to.links_new_series() {
            return;
        }
        let mut seen = BTreeSet::new();
        for series in &mut self.series {
            for link in series.sets.values_mut() {
                if seen.insert(link.body) {
                    continue;
                }
                if let Some(body) = self.bodies.get(link.body).cloned() {
                    self.bodies.push(body);
                    link.body = self.bodies.len() - 1;
                }
            }
        }
    }

    fn create_series(&mut self, name: &SeriesName, details: &SeriesDetails) {
        self.series.push(SeriesState {
            name: name.clone(),
            details: details.clone().in_order(),
            sets: BTreeMap::new(),
            contents: Contents::default(),
        });
    }

    fn init_series(&mut self, name: &SeriesName, from: &SeriesPath, details: &SeriesDetails, elsewhere: &Elsewhere) {
        self.create_series(name, details);
        let sets = if from.distribution == self.name {
            self.copy_within(name, &from.series)
        } else {
            elsewhere
                .get(&from.distribution)
                .and_then(|other| self.copy_across(details, other, &from.series))
        };
        if let (Some(sets), Some(series)) = (sets, self.series_mut(name)) {
            series.sets = sets;
        }
    }

    fn copy_within(&mut self, name: &SeriesName, from: &SeriesName) -> Option<BTreeMap<GroupName, Link>> {
        let pockets: Vec<_> = self
            .permissions
            .iter()
            .filter_map(|((target, party, action), status)| match target {
                Target::Pocket {
                    pocket,
                    series: Some(series),
                } if series == from => {
                    let target = Target::Pocket {
                        pocket: *pocket,
                        series: Some(name.clone()),
                    };
                    Some(((target, party.clone(), *action), *status))
                }
                _ => None,
            })
            .collect();
        self.permissions.extend(pockets);
        let mut sets = self.series(from)?.sets.clone();
        let links = self.details.sharing.links_new_series();
        for link in sets.values_mut() {
            link.score = 0;
            if !links {
                let copy = self.bodies.get(link.body)?.clone();
                link.body = self.enter_body(copy);
            }
        }
        Some(sets)
    }

    fn copy_across(&mut self, details: &SeriesDetails, other: &Self, from: &SeriesName) -> Option<BTreeMap<GroupName, Link>> {
        let origin = other.series(from)?;
        let mut sets = BTreeMap::new();
        for (group, body) in other.bodies_of(origin) {
            let copy = Body {
                details: SetDetails {
                    owner: details.owner.clone(),
                    description: body.details.description.clone(),
                },
                permissions: BTreeMap::new(),
                ..body.clone()
            };
            self.add_packages(&copy.sources);
            let link = Link {
                body: self.enter_body(copy),
                score: 0,
            };
            sets.insert(group.clone(), link);
        }
        if self.details.sharing == Sharing::Tethered {
            let groups: BTreeSet<GroupName> = sets.keys().cloned().collect();
            for (group, link) in &sets {
                if let Some(global) = self.global_subsets(group) {
                    let body = self.bodies.get_mut(link.body)?;
                    body.subsets = global.intersection(&groups).cloned().collect();
                }
            }
        }
        Some(sets)
    }

    /// What a set includes in whichever series; `None` if no series has it.
    fn global_subsets(&self, group: &GroupName) -> Option<BTreeSet<GroupName>> {
        let bodies = self.series.iter().filter_map(|series| self.body(&series.name, group));
        bodies.map(|body| body.subsets.clone()).reduce(|mut all, more| {
            all.extend(more);
            all
        })
    }

    fn create_set(&mut self, path: &SetPath, details: &SetDetails, group: GroupName) {
        let name = &path.series.series;
        let mut subsets = BTreeSet::new();
        if let (Sharing::Tethered, Some(series)) = (self.details.sharing, self.series(name)) {
            let groups: Vec<GroupName> = series.sets.keys().cloned().collect();
            subsets.extend(self.global_subsets(&group).unwrap_or_default());
            subsets.retain(|subset| groups.contains(subset));
            for superset in groups {
                if self.global_subsets(&superset).is_some_and(|subsets| subsets.contains(&group))
                    && let Some(body) = self.own(name, &superset)
                {
                    body.subsets.insert(group.clone());
                }
            }
        }
        let body = self.enter_body(Body {
            name: path.set.clone(),
            details: details.clone(),
            subsets,
            sources: BTreeSet::new(),
            permissions: BTreeMap::new(),
        });
        if let Some(series) = self.series_mut(name) {
            series.sets.insert(group, Link { body, score: 0 });
        }
    }

    fn remove_set(&mut self, path: &SetPath) {
        let name = &path.series.series;
        let Some(group) = self.group_named(path) else { return };
        for superset in self.supersets(name, &group) {
            if let Some(body) = self.own(name, &superset) {
                body.subsets.remove(&group);
            }
        }
        if let Some(series) = self.series_mut(name) {
            series.sets.remove(&group);
        }
    }

    /// Changes subsets of a set: where the hierarchy is one for all, in every series that has both.
    fn change_subsets(&mut self, path: &SetPath, subsets: &BTreeSet<PackageSetName>, change: impl Fn(&mut Body, GroupName)) {
        let Some(group) = self.group_named(path) else { return };
        let at = |set: &PackageSetName| SetPath {
            series: path.series.clone(),
            set: set.clone(),
        };
        for subset in subsets
            .iter()
            .filter_map(|subset| self.group_named(&at(subset)))
            .collect::<Vec<_>>()
        {
            let is_meant = |series: &SeriesState| match self.details.sharing {
                Sharing::Tethered => series.sets.contains_key(&group) && series.sets.contains_key(&subset),
                Sharing::SharedNothing | Sharing::CopyOnWrite | Sharing::ManualClone => series.name == path.series.series,
            };
            let series: Vec<SeriesName> = self
                .series
                .iter()
                .filter(|series| is_meant(series))
                .map(|series| series.name.clone())
                .collect();
            for name in series {
                if let Some(body) = self.own(&name, &group) {
                    change(body, subset.clone());
                }
            }
        }
    }
}

/// The set that a permission is on, if it is on one.
fn set_of(distribution: &DistributionName, target: &Target) -> Option<SetPath> {
    match target {
        Target::PackageSet { series, set } => Some(SetPath {
            series: SeriesPath {
                distribution: distribution.clone(),
                series: series.clone(),
            },
            set: set.clone(),
        }),
        Target::Listing { .. }
        | Target::Package { .. }
        | Target::Component { .. }
        | Target::Pocket { .. }
        | Target::TrackerProject { .. } => None,
    }
}

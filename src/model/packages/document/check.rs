//! Whether a document holds together, and what it comes to where it does.

mod contents;

use std::collections::{BTreeMap, BTreeSet};

use super::mistake::{Mistake, MistakeKind, Place};
use super::state::{Body, Link, SeriesState, State};
use super::{DistributionDocument, OnSet, PermissionDocument, SeriesDocument, SeriesTarget, SetBody, SetContent, SetDocument, WideTarget};
use crate::model::packages::{
    Action, BuiltPackageName, Cycle, GroupName, Hierarchy, PackageSetName, Party, SeriesName, Sharing, Target, TeamName, Unknown,
};

impl DistributionDocument {
    /// All that is wrong in it, in no other order than that of the checks.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        self.expanded().err().unwrap_or_default()
    }

    /// What it comes to: every series with all that it has.
    pub(super) fn expanded(&self) -> Result<State, Vec<Mistake>> {
        let mut expansion = Expansion {
            document: self,
            state: State::new(self.name.clone(), self.details()),
            mistakes: Vec::new(),
        };
        expansion.run();
        let Expansion { state, mistakes, .. } = expansion;
        if mistakes.is_empty() { Ok(state) } else { Err(mistakes) }
    }
}

/// A document on its way to a state.
struct Expansion<'d> {
    document: &'d DistributionDocument,
    state: State,
    mistakes: Vec<Mistake>,
}

/// The bodies of sets that say what is in them, by series and name.
type Bodies<'d> = BTreeMap<(&'d SeriesName, &'d PackageSetName), (GroupName, usize)>;

impl<'d> Expansion<'d> {
    fn report(&mut self, at: Place, kind: MistakeKind) {
        self.mistakes.push(Mistake { at, kind });
    }

    fn run(&mut self) {
        let DistributionDocument {
            name: _,
            sharing,
            versions: _,
            current_series,
            permit_obsolete_uploads: _,
            packages,
            described,
            permissions,
            teams,
            series,
        } = self.document;
        self.state.add_packages(packages.iter().chain(self.document.named_packages()));
        self.catalogue(described);
        self.permissions(permissions, &Place::default(), wide_target);
        self.teams(teams);
        if let Some(current) = current_series {
            self.require_series(current, || Place::default().key("current_series"));
        }
        self.series_names(series);
        self.collections(series);
        let bodies = self.bodies(series);
        let built = self.all_built();
        for (index, entry) in series.iter().enumerate() {
            self.series(index, entry, &bodies, &built);
        }
        if *sharing == Sharing::Tethered && self.mistakes.is_empty() {
            self.require_one_hierarchy();
        }
    }

    fn require_series(&mut self, name: &SeriesName, at: impl FnOnce() -> Place) -> bool {
        let known = || self.document.series.iter().map(|series| series.name.as_str());
        let is_known = known().any(|known| known == name.as_str());
        if !is_known {
            let name = Unknown::new(name, known());
            self.report(at(), MistakeKind::NoSeries { name });
        }
        is_known
    }

    fn permissions<T>(&mut self, permissions: &[PermissionDocument<T>], at: &Place, target: impl Fn(&T) -> Target) {
        for (index, permission) in permissions.iter().enumerate() {
            let PermissionDocument {
                party,
                action,
                target: on,
                status,
            } = permission;
            let on = target(on);
            let at = at.key("permissions").item(index);
            self.require_fit(&at, *action, &on);
            let repeated = repeated_permission(party, *action, &on);
            if self.state.permissions.insert((on, party.clone(), *action), *status).is_some() {
                self.report(at, repeated);
            }
        }
    }

    fn require_fit(&mut self, at: &Place, action: Action, target: &Target) {
        if !target.allows(action) {
            let kind = MistakeKind::WrongAction {
                action,
                kind: target.kind(),
                allowed: Action::ALL.into_iter().filter(|&action| target.allows(action)).collect(),
            };
            self.report(at.key("action"), kind);
        }
    }

    fn teams(&mut self, teams: &BTreeMap<TeamName, BTreeSet<Party>>) {
        let filled = teams.iter().filter(|(_, members)| !members.is_empty());
        self.state.teams = filled.map(|(team, members)| (team.clone(), members.clone())).collect();
        let edges: Vec<(TeamName, TeamName)> = teams
            .iter()
            .flat_map(|(team, members)| {
                members.iter().filter_map(|member| match member {
                    Party::Team(member) => Some((team.clone(), member.clone())),
                    Party::Person(_) => None,
                })
            })
            .collect();
        let nodes: BTreeSet<TeamName> = edges.iter().flat_map(|(team, member)| [team.clone(), member.clone()]).collect();
        if let Err(cycle) = Hierarchy::new(nodes, edges) {
            let at = Place::default().key("teams");
            let at = cycle.path.first().map_or(at.clone(), |team| at.text(team));
            self.report(at, MistakeKind::TeamCycle { cycle });
        }
    }

    fn series_names(&mut self, series: &[SeriesDocument]) {
        let mut names = BTreeSet::new();
        for (index, entry) in series.iter().enumerate() {
            if !names.insert(&entry.name) {
                let what = format!("a series {}", entry.name);
                self.report(Place::series(index).key("name"), MistakeKind::Repeated { what });
            }
        }
    }

    /// Enters what is in the sets that say it themselves; their subsets come later, when all groups are known.
    fn bodies(&mut self, series: &'d [SeriesDocument]) -> Bodies<'d> {
        let mut bodies = Bodies::new();
        for (index, entry) in series.iter().enumerate() {
            for (place, set) in entry.packagesets.iter().enumerate() {
                let at = Place::series(index).key("packageset").item(place);
                if entry.packagesets[..place].iter().any(|other| other.name == set.name) {
                    let what = format!("a package set {} of this series", set.name);
                    self.report(at.key("name"), MistakeKind::Repeated { what });
                } else if let SetBody::Own(content) = &set.body {
                    let group = content.group.clone();
                    let group = group.unwrap_or_else(|| GroupName::beginning_with(&self.document.name, &set.name));
                    let body = self.content(&at, &entry.name, set, content);
                    bodies.insert((&entry.name, &set.name), (group, body));
                }
            }
        }
        bodies
    }

    fn content(&mut self, at: &Place, series: &SeriesName, set: &SetDocument, content: &SetContent) -> usize {
        let SetContent {
            group: _,
            owner: _,
            description: _,
            subsets: _,
            sources,
            permissions,
        } = content;
        let mut body = Body {
            name: set.name.clone(),
            details: content.details(),
            subsets: BTreeSet::new(),
            sources: sources.clone(),
            permissions: BTreeMap::new(),
        };
        for (index, permission) in permissions.iter().enumerate() {
            let PermissionDocument {
                party,
                action,
                target: OnSet { explicit },
                status,
            } = permission;
            let at = at.key("permissions").item(index);
            let on = Target::PackageSet {
                series: series.clone(),
                set: set.name.clone(),
            };
            self.require_fit(&at, *action, &on);
            let before = body.permissions.insert((party.clone(), *action), (*status, *explicit));
            if before.is_some() {
                self.report(at, repeated_permission(party, *action, &on));
            }
        }
        self.state.enter_body(body)
    }

    fn series(&mut self, index: usize, entry: &'d SeriesDocument, bodies: &Bodies<'d>, built: &BTreeSet<BuiltPackageName>) {
        let SeriesDocument {
            name,
            details,
            from: _,
            permissions,
            packagesets,
            listings: _,
            groups: _,
            categories: _,
        } = entry;
        let at = Place::series(index);
        self.permissions(permissions, &at, |target| series_target(name, target));
        let mut series = SeriesState {
            name: name.clone(),
            details: details.clone().in_order(),
            sets: BTreeMap::new(),
            contents: self.contents(&at, entry, built),
        };
        let mut names: BTreeMap<&PackageSetName, GroupName> = BTreeMap::new();
        for (place, set) in packagesets.iter().enumerate() {
            if packagesets[..place].iter().any(|other| other.name == set.name) {
                continue;
            }
            let at = at.key("packageset").item(place);
            let Some((group, body)) = self.body_of(&at, name, set, bodies) else {
                continue;
            };
            if let Some(other) = series.sets.get(&group).and_then(|link: &Link| self.state.bodies.get(link.body)) {
                let set = other.name.clone();
                self.report(at, MistakeKind::SameGroup { group, set });
                continue;
            }
            names.insert(&set.name, group.clone());
            series.sets.insert(group, Link { body, score: set.score });
        }
        let edges = self.subsets(&at, entry, &names, bodies);
        for (superset, subset) in &edges {
            if let Some(body) = series.sets.get(superset).and_then(|link| self.state.bodies.get_mut(link.body)) {
                body.subsets.insert(subset.clone());
            }
        }
        self.require_no_cycle(&at, entry, &names, edges);
        self.state.series.push(series);
    }

    fn body_of(&mut self, at: &Place, series: &SeriesName, set: &SetDocument, bodies: &Bodies<'d>) -> Option<(GroupName, usize)> {
        let SetDocument { name, score: _, body } = set;
        let there = match body {
            SetBody::Own(_) => series,
            SetBody::AsIn { as_in } => {
                let at = || at.key("as_in");
                if !self.require_series(as_in, at) {
                    return None;
                }
                let entry = self.document.series.iter().find(|series| series.name == *as_in)?;
                if !entry.packagesets.iter().any(|other| other.name == *name) {
                    let kind = MistakeKind::NoSetThere {
                        set: name.clone(),
                        series: as_in.clone(),
                    };
                    self.report(at(), kind);
                    return None;
                }
                if !bodies.contains_key(&(as_in, name)) {
                    let kind = MistakeKind::AsInAsIn {
                        set: name.clone(),
                        series: as_in.clone(),
                    };
                    self.report(at(), kind);
                    return None;
                }
                as_in
            }
        };
        bodies.get(&(there, name)).cloned()
    }

    /// The edges of a series' hierarchy, those of sets that are as in another series too.
    fn subsets(
        &mut self,
        at: &Place,
        entry: &'d SeriesDocument,
        names: &BTreeMap<&PackageSetName, GroupName>,
        bodies: &Bodies<'d>,
    ) -> Vec<(GroupName, GroupName)> {
        let mut edges = Vec::new();
        for (place, set) in entry.packagesets.iter().enumerate() {
            let at = at.key("packageset").item(place);
            let Some(group) = names.get(&set.name) else { continue };
            match &set.body {
                SetBody::Own(SetContent { subsets, .. }) => {
                    for subset in subsets {
                        if let Some(subset) = names.get(subset) {
                            edges.push((group.clone(), subset.clone()));
                        } else if !entry.packagesets.iter().any(|other| other.name == *subset) {
                            let known = entry.packagesets.iter().map(|set| set.name.as_str());
                            let kind = MistakeKind::NoSubset {
                                series: entry.name.clone(),
                                set: Unknown::new(subset, known),
                            };
                            self.report(at.key("subsets").text(subset), kind);
                        }
                    }
                }
                SetBody::AsIn { as_in } => {
                    for (subset, there) in self.subsets_there(as_in, &set.name, bodies) {
                        if names.values().any(|here| *here == there) {
                            edges.push((group.clone(), there));
                        } else {
                            let kind = MistakeKind::NoSubsetAsIn {
                                series: as_in.clone(),
                                set: subset,
                            };
                            self.report(at.key("as_in"), kind);
                        }
                    }
                }
            }
        }
        edges
    }

    /// What a set directly includes in the series that says what is in it, by name and by group.
    fn subsets_there(&self, series: &SeriesName, set: &PackageSetName, bodies: &Bodies<'d>) -> Vec<(PackageSetName, GroupName)> {
        let entry = self.document.series.iter().find(|entry| entry.name == *series);
        let sets = entry.map_or(&[][..], |entry| &entry.packagesets);
        let Some(SetBody::Own(SetContent { subsets, .. })) = sets.iter().find(|other| other.name == *set).map(|set| &set.body) else {
            return Vec::new();
        };
        let group_of = |name: &PackageSetName| {
            let there = match &sets.iter().find(|other| other.name == *name)?.body {
                SetBody::Own(_) => series,
                SetBody::AsIn { as_in } => as_in,
            };
            bodies.get(&(there, name)).map(|(group, _)| group.clone())
        };
        let found = subsets.iter().filter_map(|name| Some((name.clone(), group_of(name)?)));
        found.collect()
    }

    fn require_no_cycle(
        &mut self,
        at: &Place,
        entry: &SeriesDocument,
        names: &BTreeMap<&PackageSetName, GroupName>,
        edges: Vec<(GroupName, GroupName)>,
    ) {
        let Err(Cycle { path }) = Hierarchy::new(names.values().cloned(), edges) else {
            return;
        };
        let name_of = |group: &GroupName| {
            let mut names = names.iter();
            names.find(|(_, named)| *named == group).map(|(name, _)| (*name).clone())
        };
        let path: Vec<PackageSetName> = path.iter().filter_map(name_of).collect();
        let set = |set: &SetDocument| Some(&set.name) == path.first();
        let at = match entry.packagesets.iter().position(set) {
            Some(place) => at.key("packageset").item(place).key("subsets"),
            None => at.clone(),
        };
        self.report(at, MistakeKind::Cycle { cycle: Cycle { path } });
    }

    fn require_one_hierarchy(&mut self) {
        let mut edges: BTreeMap<(GroupName, GroupName), &SeriesState> = BTreeMap::new();
        for series in &self.state.series {
            for (group, body) in self.state.bodies_of(series) {
                for subset in &body.subsets {
                    edges.entry((group.clone(), subset.clone())).or_insert(series);
                }
            }
        }
        let mut found = Vec::new();
        for ((superset, subset), one) in &edges {
            for (index, other) in self.state.series.iter().enumerate() {
                let Some(body) = self.state.body(&other.name, superset) else {
                    continue;
                };
                let named = self.state.body(&other.name, subset);
                if let Some(named) = named.filter(|_| !body.subsets.contains(subset)) {
                    found.push(Mistake {
                        at: Place::series(index),
                        kind: MistakeKind::Disagreement {
                            superset: body.name.clone(),
                            subset: named.name.clone(),
                            one: one.name.clone(),
                            other: other.name.clone(),
                        },
                    });
                }
            }
        }
        let groups: BTreeSet<GroupName> = edges.keys().flat_map(|(one, other)| [one.clone(), other.clone()]).collect();
        if let Err(cycle) = Hierarchy::new(groups, edges.into_keys()) {
            found.push(Mistake {
                at: Place::default().key("sharing"),
                kind: MistakeKind::GlobalCycle { cycle },
            });
        }
        self.mistakes.extend(found);
    }
}

fn repeated_permission(party: &Party, action: Action, on: &Target) -> MistakeKind {
    MistakeKind::RepeatedPermission {
        party: party.clone(),
        action,
        on: on.clone(),
    }
}

fn wide_target(target: &WideTarget) -> Target {
    match target.clone() {
        WideTarget::Package { package } => Target::Package { package },
        WideTarget::Component { component } => Target::Component { component },
        WideTarget::Pocket { pocket } => Target::Pocket { pocket, series: None },
    }
}

fn series_target(series: &SeriesName, target: &SeriesTarget) -> Target {
    match target.clone() {
        SeriesTarget::Listing { package } => Target::Listing {
            series: series.clone(),
            package,
        },
        SeriesTarget::Pocket { pocket } => Target::Pocket {
            pocket,
            series: Some(series.clone()),
        },
    }
}

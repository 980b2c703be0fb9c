//! What is done to the sets of one series.

use std::collections::{BTreeMap, BTreeSet};

use super::difference::Planner;
use super::state::{Body, SeriesState};
use crate::model::packages::{GroupName, Operation, PackageSetName, Permission, SeriesName, SetPath, Sharing, Target};

impl Planner<'_> {
    fn names(&self, series: &SeriesName) -> BTreeMap<GroupName, PackageSetName> {
        let series = self.state.series(series);
        let bodies = series.into_iter().flat_map(|series| self.state.bodies_of(series));
        bodies.map(|(group, body)| (group.clone(), body.name.clone())).collect()
    }

    fn set_path(&self, series: &SeriesName, set: &PackageSetName) -> SetPath {
        SetPath {
            series: self.state.path(series),
            set: set.clone(),
        }
    }

    /// Changes what is in a set, after what the distribution asks for before that.
    fn write(&mut self, series: &SeriesName, group: &GroupName, operation: impl FnOnce(SetPath) -> Operation) {
        let Some(name) = self.state.body(series, group).map(|body| body.name.clone()) else {
            return;
        };
        let path = self.set_path(series, &name);
        if self.state.details.sharing == Sharing::ManualClone && self.state.is_shared(series, group) {
            self.push(Operation::CloneSet { path: path.clone() });
        }
        self.push(operation(path));
    }

    /// Sets go before what they include, so that none is copied only to be taken out of another.
    pub(super) fn remove_sets(&mut self, wanted: &SeriesState) {
        let series = &wanted.name;
        let mut gone = self.names(series);
        gone.retain(|group, _| !wanted.sets.contains_key(group));
        while !gone.is_empty() {
            let is_on_top = |group: &&GroupName| {
                !self
                    .state
                    .supersets(series, group)
                    .iter()
                    .any(|superset| gone.contains_key(superset))
            };
            let Some(group) = gone.keys().find(is_on_top).cloned() else {
                return;
            };
            let Some(name) = gone.remove(&group) else { return };
            if self.state.details.sharing == Sharing::ManualClone {
                for superset in self.state.supersets(series, &group) {
                    if self.state.is_shared(series, &superset) {
                        let name = self.names(series).remove(&superset).unwrap_or_else(|| name.clone());
                        let path = self.set_path(series, &name);
                        self.push(Operation::CloneSet { path });
                    }
                }
            }
            let path = self.set_path(series, &name);
            self.push(Operation::RemoveSet { path });
        }
    }

    /// A name is taken when nobody has it any more; where names go round, one set waits under a name of its own.
    pub(super) fn rename_sets(&mut self, wanted: &SeriesState) {
        let series = &wanted.name;
        let want = self.want;
        let mut to: BTreeMap<GroupName, PackageSetName> = want
            .bodies_of(wanted)
            .map(|(group, body)| (group.clone(), body.name.clone()))
            .collect();
        loop {
            let have = self.names(series);
            to.retain(|group, name| have.get(group).is_some_and(|before| before != name));
            let Some(waiting) = to.keys().next().cloned() else { return };
            let ready = to.iter().find(|(_, name)| !have.values().any(|taken| taken == *name));
            let (group, name) = match ready {
                Some((group, name)) => (group.clone(), name.clone()),
                None => match self.spare_name(wanted) {
                    Some(name) => (waiting, name),
                    None => return,
                },
            };
            self.write(series, &group, |path| Operation::RenameSet { path, to: name });
        }
    }

    /// A name that no set has, nor is to have.
    fn spare_name(&self, wanted: &SeriesState) -> Option<PackageSetName> {
        let mut taken: BTreeSet<PackageSetName> = self.names(&wanted.name).into_values().collect();
        taken.extend(self.want.bodies_of(wanted).map(|(_, body)| body.name.clone()));
        let spare = (1..).filter_map(|number: u32| format!("renamed-{number}").parse().ok());
        spare.into_iter().find(|name| !taken.contains(name))
    }

    pub(super) fn create_sets(&mut self, wanted: &SeriesState) {
        let series = &wanted.name;
        let want = self.want;
        for (group, body) in want.bodies_of(wanted) {
            if self.state.body(series, group).is_none() {
                self.push(Operation::CreateSet {
                    path: self.set_path(series, &body.name),
                    details: body.details.clone(),
                    related: None,
                    group: Some(group.clone()),
                });
            }
        }
    }

    pub(super) fn remove_subsets(&mut self, wanted: &SeriesState) {
        self.change_subsets(
            wanted,
            |have, want| have.difference(want).cloned().collect(),
            |path, subsets| Operation::RemoveSubsets { path, subsets },
        );
    }

    pub(super) fn add_subsets(&mut self, wanted: &SeriesState) {
        self.change_subsets(
            wanted,
            |have, want| want.difference(have).cloned().collect(),
            |path, subsets| Operation::AddSubsets { path, subsets },
        );
    }

    fn change_subsets(
        &mut self,
        wanted: &SeriesState,
        select: impl Fn(&BTreeSet<GroupName>, &BTreeSet<GroupName>) -> BTreeSet<GroupName>,
        operation: impl Fn(SetPath, BTreeSet<PackageSetName>) -> Operation,
    ) {
        let series = &wanted.name;
        let want = self.want;
        for (group, body) in want.bodies_of(wanted) {
            let Some(have) = self.state.body(series, group) else { continue };
            let selected = select(&have.subsets, &body.subsets);
            if selected.is_empty() {
                continue;
            }
            let names = self.names(series);
            let subsets = selected.iter().filter_map(|group| names.get(group).cloned()).collect();
            self.write(series, group, |path| operation(path, subsets));
        }
    }

    /// All of sets but their names and what sets are in them.
    pub(super) fn fill_sets(&mut self, wanted: &SeriesState) {
        let series = &wanted.name;
        let want = self.want;
        for (group, link) in &wanted.sets {
            let Some(body) = want.bodies.get(link.body) else { continue };
            if self.state.score(series, group) != Some(link.score) {
                let path = self.set_path(series, &body.name);
                self.push(Operation::ScoreSet { path, score: link.score });
            }
            let have = self.state.body(series, group).filter(|have| *have != body);
            let Some(have) = have.cloned() else { continue };
            let Body {
                name: _,
                details,
                subsets: _,
                sources,
                permissions: _,
            } = body;
            if have.details != *details {
                let details = details.clone();
                self.write(series, group, |path| Operation::ChangeSet { path, details });
            }
            let gone: BTreeSet<_> = have.sources.difference(sources).cloned().collect();
            if !gone.is_empty() {
                self.write(series, group, |path| Operation::RemoveSources { path, sources: gone });
            }
            let new: BTreeSet<_> = sources.difference(&have.sources).cloned().collect();
            if !new.is_empty() {
                self.write(series, group, |path| Operation::AddSources { path, sources: new });
            }
            self.set_permissions(series, group, &have, body);
        }
    }

    fn set_permissions(&mut self, series: &SeriesName, group: &GroupName, have: &Body, want: &Body) {
        let distribution = &self.want.name.clone();
        let target = |path: SetPath| Target::PackageSet {
            series: path.series.series,
            set: path.set,
        };
        for (party, action) in have.permissions.keys().filter(|key| !want.permissions.contains_key(key)) {
            self.write(series, group, |path| Operation::Revoke {
                distribution: distribution.clone(),
                party: party.clone(),
                action: *action,
                target: target(path),
            });
        }
        for (key, said) in &want.permissions {
            if have.permissions.get(key) == Some(said) {
                continue;
            }
            let ((party, action), (status, explicit)) = (key.clone(), *said);
            self.write(series, group, |path| Operation::Grant {
                distribution: distribution.clone(),
                permission: Permission {
                    party,
                    action,
                    target: target(path),
                    status,
                    explicit,
                },
            });
        }
    }
}

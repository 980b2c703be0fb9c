//! Who may do what, but for what somebody may do to a package of one series: that the package's owners say.

use std::collections::BTreeSet;

use super::{Around, Sets};
use crate::model::packages::document::{DistributionDocument, PermissionDocument, Placed, SeriesTarget};
use crate::model::packages::{Action, Party, Permission, PermissionStatus, SeriesName, Target};

type Grant<'a> = (&'a Party, Action, &'a Target);

/// The permissions that a source is believed in.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) permissions: &'a BTreeSet<Permission>,
    /// Where they are all that there are, besides those of no series: the series whose sets the source tells of. Of another series they are all on its sets if
    /// one of them is on one, and all others if there is any of it. `None`: they come to what there is.
    pub(super) told: Option<&'a BTreeSet<&'a SeriesName>>,
    pub(super) around: Around<'a>,
}

impl Given<'_> {
    /// Gives them, and takes away those that are no more.
    pub(super) fn take_in(self, sets: &mut Sets, want: &mut DistributionDocument) {
        let Self { permissions, told, around } = self;
        let own: BTreeSet<Grant<'_>> = permissions.iter().map(Permission::grant).collect();
        let theirs = around.told().filter_map(|other| other.permissions.as_ref()).flatten();
        let theirs: BTreeSet<Grant<'_>> = theirs.map(Permission::grant).collect();
        let gone: BTreeSet<(Grant<'_>, PermissionStatus)> = around
            .gone
            .permissions
            .iter()
            .flatten()
            .map(|permission| (permission.grant(), permission.status))
            .collect();
        let targets = permissions.iter().map(|permission| &permission.target);
        let with_any: BTreeSet<&SeriesName> = targets.clone().filter_map(Target::series).collect();
        let on_sets = targets.filter(|target| matches!(target, Target::PackageSet { .. }));
        let with_any_on_sets: BTreeSet<&SeriesName> = on_sets.filter_map(Target::series).collect();
        let stays = |party: &Party, action: Action, target: &Target, status: PermissionStatus| {
            let grant = (party, action, target);
            let with_any = match target {
                Target::PackageSet { .. } => &with_any_on_sets,
                _ => &with_any,
            };
            let is_all_of = |told: &BTreeSet<_>| {
                let series = target.series();
                series.is_none_or(|series| told.contains(series) || with_any.contains(series))
            };
            let is_whole = told.is_some_and(is_all_of);
            !own.contains(&grant) && !gone.contains(&(grant, status)) && (!is_whole || theirs.contains(&grant))
        };
        want.permissions
            .retain(|given| stays(&given.party, given.action, &Target::from(&given.target), given.status));
        for document in &mut want.series {
            let name = document.name.clone();
            document.permissions.retain(|given| match &given.target {
                SeriesTarget::Listing { .. } => true,
                SeriesTarget::Pocket { pocket } => {
                    let (pocket, series) = (*pocket, Some(name.clone()));
                    stays(&given.party, given.action, &Target::Pocket { pocket, series }, given.status)
                }
            });
        }
        for ((series, set), body) in sets.iter_mut() {
            let (series, set) = (series.clone(), set.clone());
            let target = Target::PackageSet { series, set };
            body.content
                .permissions
                .retain(|given| stays(&given.party, given.action, &target, given.status));
        }
        for permission in permissions {
            give(permission, sets, want);
        }
    }
}

/// Gives a permission; not where there is nothing that it would be on.
fn give(permission: &Permission, sets: &mut Sets, want: &mut DistributionDocument) {
    match Placed::from(permission.clone()) {
        Placed::OnSet { series, set, permission } => {
            if let Some(set) = sets.get_mut(&(series, set)) {
                set.content.permissions.push(permission);
            }
        }
        // Who has something on a package of one series its owners say.
        Placed::InSeries {
            permission: PermissionDocument {
                target: SeriesTarget::Listing { .. },
                ..
            },
            ..
        }
        | Placed::Nowhere => {}
        Placed::InSeries { series, permission } => {
            if let Some(document) = want.series.iter_mut().find(|document| document.name == series) {
                document.permissions.push(permission);
            }
        }
        Placed::Wide(permission) => want.permissions.push(permission),
    }
}

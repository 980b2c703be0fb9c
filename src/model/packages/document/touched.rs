//! Which series an operation changes the answers of.

use std::collections::BTreeSet;

use super::state::{SeriesState, State};
use crate::model::packages::{GroupName, Operation, PackageSetName, SeriesName, SetPath, Sharing};

impl State {
    /// The series whose answers an operation changes: the one that it is about, and where it is about something that several have, those.
    pub(super) fn touched(&self, operation: &Operation) -> BTreeSet<SeriesName> {
        let about = operation.series();
        let others: Vec<&SeriesState> = match operation {
            Operation::AddSubsets { path, subsets } | Operation::RemoveSubsets { path, subsets }
                if self.details.sharing == Sharing::Tethered =>
            {
                self.showing(path, subsets)
            }
            Operation::ChangeVersion { package, version, .. } => {
                let lists = |series: &&SeriesState| {
                    let listing = series.contents.listings.get(package);
                    listing.is_some_and(|listing| listing.versions.keys().any(|listed| listed.0 == *version))
                };
                self.series.iter().filter(lists).collect()
            }
            _ => Vec::new(),
        };
        about
            .into_iter()
            .chain(others.into_iter().map(|series| series.name.clone()))
            .collect()
    }

    /// The series that have a set and at least one of these.
    fn showing(&self, path: &SetPath, subsets: &BTreeSet<PackageSetName>) -> Vec<&SeriesState> {
        let group_of = |set: &PackageSetName| {
            self.group_named(&SetPath {
                series: path.series.clone(),
                set: set.clone(),
            })
        };
        let Some(group) = group_of(&path.set) else { return Vec::new() };
        let subsets: Vec<GroupName> = subsets.iter().filter_map(group_of).collect();
        let shows =
            |series: &&SeriesState| series.sets.contains_key(&group) && subsets.iter().any(|subset| series.sets.contains_key(subset));
        self.series.iter().filter(shows).collect()
    }
}

//! What names stand for, remembered while operations are carried out.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::view::{DistributionRow, SeriesRow};
use crate::model::packages::{DistributionName, Operation, PackageName, SeriesName};

/// Rows that were found by their names in the course of a transaction, for operations that leave them as they are. Many operations in a row are about
/// one series.
#[derive(Debug, Default)]
pub(super) struct Names {
    distributions: RefCell<BTreeMap<DistributionName, DistributionRow>>,
    series: RefCell<BTreeMap<i64, BTreeMap<SeriesName, SeriesRow>>>,
    packages: RefCell<BTreeMap<i64, BTreeMap<PackageName, i64>>>,
}

impl Names {
    /// What an operation may take from memory: nothing, if what is said of a distribution or a series could be another after it.
    pub(super) fn during(&self, operation: &Operation) -> Option<&Self> {
        if leaves_series_alone(operation) {
            return Some(self);
        }
        self.distributions.borrow_mut().clear();
        self.series.borrow_mut().clear();
        None
    }

    pub(super) fn distribution(&self, name: &DistributionName) -> Option<DistributionRow> {
        self.distributions.borrow().get(name).cloned()
    }

    pub(super) fn enter_distribution(&self, row: &DistributionRow) {
        self.distributions.borrow_mut().insert(row.name.clone(), row.clone());
    }

    pub(super) fn series(&self, distribution: &DistributionRow, name: &SeriesName) -> Option<SeriesRow> {
        self.series.borrow().get(&distribution.id)?.get(name).cloned()
    }

    pub(super) fn enter_series(&self, row: &SeriesRow) {
        let mut series = self.series.borrow_mut();
        let of_distribution = series.entry(row.distribution_id).or_default();
        of_distribution.insert(row.path.series.clone(), row.clone());
    }

    /// The number of a package, which it keeps for ever.
    pub(super) fn package(&self, distribution: i64, name: &PackageName) -> Option<i64> {
        self.packages.borrow().get(&distribution)?.get(name).copied()
    }

    pub(super) fn enter_package(&self, distribution: i64, name: &PackageName, id: i64) {
        let mut packages = self.packages.borrow_mut();
        packages.entry(distribution).or_default().insert(name.clone(), id);
    }
}

/// Whether an operation is known to leave what is said of distributions and series as it is.
const fn leaves_series_alone(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::AddPackages { .. }
            | Operation::ChangePackage { .. }
            | Operation::AddListing { .. }
            | Operation::ChangeListing { .. }
            | Operation::RemoveListing { .. }
            | Operation::AddVersion { .. }
            | Operation::ChangeVersion { .. }
            | Operation::ListVersion { .. }
            | Operation::WithdrawVersion { .. }
            | Operation::SetBuilt { .. }
            | Operation::ListBuilt { .. }
            | Operation::WithdrawBuilt { .. }
            | Operation::AddSources { .. }
            | Operation::RemoveSources { .. }
            | Operation::Grant { .. }
            | Operation::Revoke { .. }
            | Operation::AddMembers { .. }
            | Operation::RemoveMembers { .. }
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::model::packages::Refusal;
    use crate::store::packages::statements::{perform, statements};
    use crate::store::{Store, StoreError};

    fn package(number: usize) -> String {
        format!("package-{number}")
    }

    fn listing(number: usize) -> Value {
        json!({ "op": "add-listing", "in": "d/s", "package": package(number), "owner": "ann", "status": "approved" })
    }

    fn grant(number: usize) -> Value {
        json!({
            "op": "grant", "distribution": "d", "party": "bob", "action": "commit", "on": "listing", "series": "s", "package": package(number),
            "status": "approved",
        })
    }

    fn series(op: &str, status: &str) -> Value {
        json!({ "op": op, "in": "d/s", "version": "1", "status": status, "owner": "ann" })
    }

    /// A distribution with a series, and so many packages that it does not list.
    fn beginning(packages: usize) -> Vec<Value> {
        let names: Vec<String> = (0..packages).map(package).collect();
        vec![
            json!({ "op": "create-distribution", "distribution": "d", "sharing": "copy-on-write", "versions": "rpm" }),
            json!({ "op": "add-packages", "distribution": "d", "packages": names }),
            series("create-series", "development"),
        ]
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        (folder, store)
    }

    #[test]
    fn a_series_that_ends_takes_no_listing_even_from_the_same_transaction() {
        let (_folder, mut store) = store();
        let mut operations = beginning(2);
        let change = |status| series("change-series", status);
        operations.extend([listing(0), change("active"), change("eol"), listing(1)]);
        match perform(&mut store, operations) {
            Err(StoreError::Refused(refusal)) => assert!(matches!(*refusal, Refusal::Ended { .. }), "{refusal:?}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_one_transaction_took_back_the_next_one_does_not_know() {
        let (_folder, mut store) = store();
        let mut operations = beginning(1);
        operations.extend([listing(0), listing(0)]);
        perform(&mut store, operations).unwrap_err();
        match perform(&mut store, vec![listing(0)]) {
            Err(StoreError::Refused(refusal)) => assert!(matches!(*refusal, Refusal::NoDistribution(_)), "{refusal:?}"),
            other => panic!("{other:?}"),
        }
    }

    /// How many statements it takes to list so many packages, and to give a permission on each.
    fn cost(packages: usize) -> (usize, usize) {
        let (_folder, mut store) = store();
        perform(&mut store, beginning(packages)).unwrap();
        let listed = statements(&mut store, (0..packages).map(listing).collect());
        let granted = statements(&mut store, (0..packages).map(grant).collect());
        (listed, granted)
    }

    #[test]
    fn each_further_listing_and_permission_looks_up_its_package_and_itself_and_nothing_else() {
        let ((few_listed, few_granted), (listed, granted)) = (cost(10), cost(110));
        // The entry in the log, the package, what is there already, the row, and what it changed; a permission on a listing asks for that, too.
        assert_eq!(listed - few_listed, 100 * 5);
        assert_eq!(granted - few_granted, 100 * 6);
    }
}

//! The package model: distributions, series, package sets, permissions and teams, with everything that they ever were.
//!
//! Each [`Operation`] is one transaction and one entry of the log. No row is overwritten: a change closes the rows that held and adds those that
//! hold from then on, so a [`View`] answers for any time as it does for now.

mod act;
mod built;
mod comps;
mod convert;
mod distributions;
mod export;
mod facts;
mod flat;
mod hands;
mod history;
mod init;
mod listings;
mod log;
mod lookup;
mod members;
mod modules;
mod names;
mod permissions;
mod readings;
mod series;
mod sets;
#[cfg(test)]
mod statements;
mod teams;
mod versions;
mod view;

use jiff::Timestamp;
use rusqlite::Transaction;

use super::Store;
use super::database::Fault;
use super::error::StoreError;
use crate::model::packages::Operation;

use act::{Act, require_clock};
use names::Names;

pub use built::BuiltRow;
pub use flat::Inclusion;
pub use history::SetGroup;
pub use listings::{ListingRow, PackageRow};
pub use log::{Change, LogEntry, LogFilter, LogId};
pub use lookup::Provided;
pub use readings::StoredReading;
pub use sets::{Content, SetRow};
pub use versions::VersionRow;
pub use view::{DistributionRow, SeriesRow, View};

/// Whether the record of an ended series is closed to a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Force {
    /// It is.
    #[default]
    Not,
    /// Somebody insists.
    Insisted,
}

/// Who changes the package model, when, and how firmly.
#[derive(Clone, Debug)]
pub struct Hand {
    /// Who: a person's name, or a source's.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// Whether series that have ended are changed too.
    pub force: Force,
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Performed {
    /// Its entry in the log; `None` if everything was as asked for already.
    pub log: Option<LogId>,
    /// What it changed, in order.
    pub changes: Vec<Change>,
}

impl Store {
    /// Carries out operations, all of them or none, each with an entry of its own in the log. One that changes nothing leaves no entry.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with the reason, and when the database cannot be written.
    pub fn perform(&mut self, hand: &Hand, operations: &[Operation]) -> Result<Vec<Performed>, StoreError> {
        self.database.write(|transaction| perform_all(transaction, hand, operations))
    }

    /// Tells what operations would change. Nothing is changed.
    ///
    /// # Errors
    /// As for [`Self::perform`].
    pub fn rehearse(&mut self, hand: &Hand, operations: &[Operation]) -> Result<Vec<Performed>, StoreError> {
        self.database.rehearse(|transaction| perform_all(transaction, hand, operations))
    }

    /// Tells what operations would change, and asks the package model as it would be after them. Nothing is changed.
    ///
    /// # Errors
    /// As for [`Self::perform`] and [`Self::ask`].
    pub fn rehearse_and_ask<T>(
        &mut self,
        hand: &Hand,
        operations: &[Operation],
        question: impl FnOnce(&View<'_>) -> Result<T, Fault>,
    ) -> Result<(Vec<Performed>, T), StoreError> {
        self.database.rehearse(|transaction| {
            let performed = perform_all(transaction, hand, operations)?;
            Ok((performed, question(&View::now(transaction))?))
        })
    }

    /// Asks the package model as it is, or as it was at a time: whatever was changed at that very moment counts.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where a name stands for nothing, and when the database cannot be read.
    pub fn ask<T>(&self, as_of: Option<Timestamp>, question: impl FnOnce(&View<'_>) -> Result<T, Fault>) -> Result<T, StoreError> {
        self.database.read(|connection| question(&View::new(connection, as_of)?))
    }
}

fn perform_all(transaction: &Transaction<'_>, hand: &Hand, operations: &[Operation]) -> Result<Vec<Performed>, Fault> {
    if operations.is_empty() {
        return Ok(Vec::new());
    }
    require_clock(transaction, hand)?;
    let names = Names::default();
    let perform = |operation| perform(transaction, hand, operation, &names);
    operations.iter().map(perform).collect()
}

fn perform(transaction: &Transaction<'_>, hand: &Hand, operation: &Operation, names: &Names) -> Result<Performed, Fault> {
    let mut act = Act::begin(transaction, hand, operation, names)?;
    match operation {
        Operation::CreateDistribution { distribution, details } => distributions::create(&mut act, distribution, details),
        Operation::ChangeDistribution { distribution, details } => distributions::change(&mut act, distribution, details),
        Operation::ConvertSharing {
            distribution,
            to,
            hierarchy_of,
        } => convert::convert(&mut act, distribution, *to, hierarchy_of.as_ref()),
        Operation::CreateSeries { series, details } => series::create(&mut act, series, details).map(|_| ()),
        Operation::InitSeries {
            series,
            from,
            listings,
            details,
        } => init::init(&mut act, series, from, *listings, details),
        Operation::ChangeSeries { series, details } => series::change(&mut act, series, details),
        Operation::AddPackages { distribution, packages } => distributions::add_packages(&mut act, distribution, packages),
        Operation::ChangePackage {
            distribution,
            package,
            details,
        } => listings::change_package(&mut act, distribution, package, details),
        Operation::AddListing { path, details } => listings::add(&mut act, path, details),
        Operation::ChangeListing { path, details } => listings::change(&mut act, path, details),
        Operation::RemoveListing { path } => listings::remove(&mut act, path),
        Operation::AddVersion {
            distribution,
            package,
            version,
            status,
        } => versions::add(&mut act, distribution, package, version, *status),
        Operation::ChangeVersion {
            distribution,
            package,
            version,
            status,
        } => versions::change(&mut act, distribution, package, version, *status),
        Operation::ListVersion { path, version } => versions::list(&mut act, path, version),
        Operation::WithdrawVersion { path, version } => versions::withdraw(&mut act, path, version),
        Operation::SetBuilt {
            distribution,
            package,
            version,
            built,
            details,
        } => built::set(&mut act, distribution, package, version, built, details),
        Operation::ListBuilt { path, version, built } => built::list(&mut act, path, version, built),
        Operation::WithdrawBuilt { path, version, built } => built::withdraw(&mut act, path, version, built),
        Operation::SetGroup { series, group, details } => comps::set_group(&mut act, series, group, details),
        Operation::RemoveGroup { series, group } => comps::remove_group(&mut act, series, group),
        Operation::SetCategory { series, category, details } => comps::set_category(&mut act, series, category, details),
        Operation::RemoveCategory { series, category } => comps::remove_category(&mut act, series, category),
        Operation::CreateSet {
            path,
            details,
            related,
            group,
        } => sets::create(&mut act, path, details, related.as_ref(), group.as_ref()),
        Operation::ChangeSet { path, details } => sets::change(&mut act, path, details),
        Operation::RenameSet { path, to } => sets::rename(&mut act, path, to),
        Operation::ScoreSet { path, score } => sets::score(&mut act, path, *score),
        Operation::RemoveSet { path } => sets::remove(&mut act, path),
        Operation::CloneSet { path } => sets::clone(&mut act, path),
        Operation::AddSources { path, sources } => members::add_sources(&mut act, path, sources),
        Operation::RemoveSources { path, sources } => members::remove_sources(&mut act, path, sources),
        Operation::AddSubsets { path, subsets } => members::add_subsets(&mut act, path, subsets),
        Operation::RemoveSubsets { path, subsets } => members::remove_subsets(&mut act, path, subsets),
        Operation::Grant { distribution, permission } => permissions::grant(&mut act, distribution, permission),
        Operation::Revoke {
            distribution,
            party,
            action,
            target,
        } => permissions::revoke(&mut act, distribution, party, *action, target),
        Operation::AddMembers {
            distribution,
            team,
            members,
        } => teams::add(&mut act, distribution, team, members),
        Operation::Module(operation) => modules::perform(&mut act, operation),
        Operation::RemoveMembers {
            distribution,
            team,
            members,
        } => teams::remove(&mut act, distribution, team, members),
    }?;
    act.end()
}

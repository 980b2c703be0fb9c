//! Which collection provides a package: the one that is asked, or one that it lies over.

use super::listings::ListingRow;
use super::versions::VersionRow;
use super::view::{SeriesRow, View};
use crate::model::packages::{PackageName, Refusal, SeriesName, Version, VersionStatus};
use crate::store::database::Fault;

/// A package as a series has it, itself or from one that it lies over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provided {
    /// The series that provides it.
    pub series: SeriesRow,
    /// The way there, from the series that was asked; each lies over the next.
    pub path: Vec<SeriesName>,
    /// The package there.
    pub listing: ListingRow,
    /// The newest version there that is published (`approved`).
    pub newest: Option<Version>,
    /// The newest version there that is built and not published yet.
    pub pending: Option<Version>,
}

impl View<'_> {
    /// Looks a package up: in the series, then in those that it lies over, by priority, depth first, ties by name. Only approved listings are
    /// found, so that one that is denied or obsolete does not hide the package of a base.
    ///
    /// It takes the same few queries however many collections are asked.
    ///
    /// # Errors
    /// [`Refusal::Nowhere`] with those that were asked; when there is no such package at all, and when the database cannot be read.
    pub fn lookup(&self, series: &SeriesRow, package: &PackageName) -> Result<Provided, Fault> {
        let distribution = self.distribution(&series.path.distribution)?;
        let row = self.package(&distribution, package)?;
        let mut listings = self.listings_of(row.id)?;
        listings.retain(|_, (_, listing)| listing.status.is_in());
        let overlays = self.overlays(&distribution)?;
        let asked = &series.path.series;
        let found = overlays.lookup(asked, |name| listings.contains_key(name));
        let Some((path, (_, details))) = found.and_then(|found| Some((found.path, listings.remove(found.collection)?))) else {
            let package = package.clone();
            let asked = overlays.order(asked).cloned().collect();
            return Err(Refusal::Nowhere { package, asked }.into());
        };
        let provider = self.series_in(&distribution, path.last().unwrap_or(&asked))?;
        let versions = self.versions_in(&provider, row.id)?;
        let newest = |is_wanted: fn(VersionStatus) -> bool| {
            let wanted = versions.iter().filter(|version| is_wanted(version.status));
            distribution
                .details
                .versions
                .newest(wanted.map(|row: &VersionRow| &row.version))
                .cloned()
        };
        Ok(Provided {
            newest: newest(|status| status == VersionStatus::Approved),
            pending: newest(VersionStatus::is_pending),
            path: path.into_iter().cloned().collect(),
            listing: ListingRow {
                package_id: row.id,
                package: row.name,
                details,
            },
            series: provider,
        })
    }
}

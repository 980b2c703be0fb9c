//! Which packages a series lists, and which of them are retired there.
//!
//! One source may tell the packages with their owners, and another what is retired. What the one says is laid over what there is with an eye to
//! the other, so that neither takes away what the other has put there.

use std::collections::{BTreeMap, BTreeSet};

use super::{Around, take};
use crate::model::packages::document::{DistributionDocument, ListingDocument, PermissionDocument, SeriesDocument, SeriesTarget};
use crate::model::packages::snapshot::{PackageFacts, SeriesFacts, SourceSnapshot};
use crate::model::packages::{Action, ListingDetails, ListingStatus, PackageName, Party, PermissionStatus, SeriesName};

/// What people have on packages by a source's word: those who look after it besides its owner, and those who are told of its bugs.
const ON_PACKAGES: [Action; 2] = [Action::Commit, Action::WatchBugzilla];

type Packages = BTreeMap<PackageName, PackageFacts>;

impl SourceSnapshot {
    pub(super) fn take_in_listings(&self, want: &mut DistributionDocument, around: Around<'_>) {
        let own = self.packages.as_ref();
        let packages = own.or_else(|| around.others.iter().find_map(|other| other.packages.as_ref()));
        for document in &mut want.series {
            let retired = self.retired_in(&document.name);
            let elsewhere = around.others.iter().find_map(|other| other.retired_in(&document.name));
            if let Some(own) = own.filter(|_| around.listed.contains(&document.name)) {
                list(document, own, retired.or(elsewhere));
            }
            if let Some(retired) = retired {
                mark_retired(document, packages, retired);
            } else if let (Some(own), Some(elsewhere)) = (own, elsewhere) {
                own_retired(document, own, elsewhere);
            }
        }
        want.packages.extend(own.into_iter().flat_map(BTreeMap::keys).cloned());
    }

    fn retired_in(&self, series: &SeriesName) -> Option<&BTreeSet<PackageName>> {
        let facts: &SeriesFacts = self.series.get(series)?;
        facts.retired.as_ref()
    }
}

/// Lists all packages in a series, with who may do what to them; what is retired there stays listed.
fn list(document: &mut SeriesDocument, packages: &Packages, retired: Option<&BTreeSet<PackageName>>) {
    let mut before = by_package(document);
    let is_retired = |package: &PackageName| retired.is_some_and(|retired| retired.contains(package));
    let mut listings: BTreeMap<PackageName, ListingDocument> = packages
        .iter()
        .map(|(package, facts)| {
            let listing = before.remove(package);
            let mut listing = listing.unwrap_or_else(|| new_listing(package, ListingStatus::Approved));
            take(&mut listing.details.owner, &facts.owner);
            (package.clone(), listing)
        })
        .collect();
    listings.extend(before.into_iter().filter(|(package, _)| is_retired(package)));
    document.permissions.retain(|permission| match &permission.target {
        SeriesTarget::Listing { package } => match packages.get(package) {
            Some(facts) => said_of(facts, permission.action).is_none(),
            None => listings.contains_key(package),
        },
        SeriesTarget::Pocket { .. } => true,
    });
    document.listings = listings.into_values().collect();
    for (package, facts) in packages {
        for action in ON_PACKAGES {
            let target = SeriesTarget::Listing { package: package.clone() };
            let parties = said_of(facts, action).into_iter().flatten();
            document
                .permissions
                .extend(parties.map(|party| PermissionDocument::new(party.clone(), action, target.clone(), PermissionStatus::Approved)));
        }
    }
}

/// Who a source says may do this to a package.
const fn said_of(facts: &PackageFacts, action: Action) -> Option<&BTreeSet<Party>> {
    match action {
        Action::Commit => facts.maintainers.as_ref(),
        Action::WatchBugzilla => facts.watchers.as_ref(),
        _ => None,
    }
}

/// Marks the packages that are retired in a series, and those that are so no longer.
fn mark_retired(document: &mut SeriesDocument, packages: Option<&Packages>, retired: &BTreeSet<PackageName>) {
    let mut listings = by_package(document);
    for (package, listing) in &mut listings {
        if listing.details.status == ListingStatus::Obsolete && !retired.contains(package) {
            listing.details.status = ListingStatus::Approved;
        }
    }
    for package in retired {
        let listing = listings
            .entry(package.clone())
            .or_insert_with(|| new_listing(package, ListingStatus::Obsolete));
        listing.details.status = ListingStatus::Obsolete;
        own(listing, packages);
    }
    document.listings = listings.into_values().collect();
}

/// Gives the packages that another source says are retired in a series the owners that this one knows.
fn own_retired(document: &mut SeriesDocument, packages: &Packages, retired: &BTreeSet<PackageName>) {
    let listings = document.listings.iter_mut();
    for listing in listings.filter(|listing| retired.contains(&listing.package)) {
        own(listing, Some(packages));
    }
}

fn own(listing: &mut ListingDocument, packages: Option<&Packages>) {
    if let Some(facts) = packages.and_then(|packages| packages.get(&listing.package)) {
        take(&mut listing.details.owner, &facts.owner);
    }
}

fn by_package(document: &mut SeriesDocument) -> BTreeMap<PackageName, ListingDocument> {
    let listings = std::mem::take(&mut document.listings).into_iter();
    listings.map(|listing| (listing.package.clone(), listing)).collect()
}

fn new_listing(package: &PackageName, status: ListingStatus) -> ListingDocument {
    ListingDocument {
        package: package.clone(),
        details: ListingDetails {
            owner: Party::orphan(),
            qa_contact: None,
            component: None,
            status,
        },
        versions: Vec::new(),
    }
}

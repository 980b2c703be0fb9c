//! Until when packages live in releases.
//!
//! A package has no end of its own. In the traditional way it has a branch for each release, and lives in every release until it is retired; in
//! modules it lives where, and as long as, a stream that includes it does. One that is in neither does not exist for whoever uses the release.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Serialize;

use super::{Lifecycles, Matrix, StreamPath};
use crate::model::packages::{PackageName, SeriesName};

/// The traditional branches of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branches {
    /// The releases that it has a branch for.
    pub listed: BTreeSet<SeriesName>,
    /// The releases in which it is retired.
    pub retired: BTreeSet<SeriesName>,
}

/// A package in a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Life {
    /// The release.
    pub release: SeriesName,
    /// Whether it is there by a branch of its own.
    pub is_branched: bool,
    /// The streams by which it is there.
    pub through: BTreeSet<StreamPath>,
    /// Until when; `None` if no end is known.
    pub until: Option<Date>,
}

impl Lifecycles {
    /// The packages that streams include.
    #[must_use]
    pub fn packages_in_modules(&self) -> BTreeSet<&PackageName> {
        let contexts = self.streams.values().flat_map(|stream| stream.contexts.values());
        contexts.flat_map(|context| &context.packages).collect()
    }

    /// Where each package lives and until when, oldest release first. One that lives nowhere has an empty list.
    #[must_use]
    pub fn lives(&self, matrix: &Matrix, branches: &BTreeMap<PackageName, Branches>) -> BTreeMap<PackageName, Vec<Life>> {
        let known = branches.keys().chain(self.packages_in_modules());
        let mut lives: BTreeMap<PackageName, Vec<Life>> = known.map(|package| (package.clone(), Vec::new())).collect();
        // What a branch of the release before says goes on, until something else is said.
        let mut branched: BTreeSet<&PackageName> = BTreeSet::new();
        for release in self.releases.iter() {
            for (package, Branches { listed, retired }) in branches {
                if retired.contains(&release.name) {
                    branched.remove(package);
                } else if listed.contains(&release.name) {
                    branched.insert(package);
                }
            }
            let mut here: BTreeMap<&PackageName, Life> = BTreeMap::new();
            let new = || Life {
                release: release.name.clone(),
                is_branched: false,
                through: BTreeSet::new(),
                until: None,
            };
            for (stream, details) in &self.streams {
                let Some(cell) = matrix.why(stream, &release.name) else { continue };
                let built = details.contexts.iter().filter(|(name, _)| cell.contexts.contains(name));
                for package in built.flat_map(|(_, context)| &context.packages) {
                    let is_first = !here.contains_key(package);
                    let life = here.entry(package).or_insert_with(new);
                    life.through.insert(stream.clone());
                    life.until = if is_first { cell.until } else { later(life.until, cell.until) };
                }
            }
            for package in &branched {
                let is_first = !here.contains_key(package);
                let life = here.entry(package).or_insert_with(new);
                life.is_branched = true;
                life.until = if is_first { release.eol } else { later(life.until, release.eol) };
            }
            for (package, life) in here {
                lives.entry(package.clone()).or_default().push(life);
            }
        }
        lives
    }
}

/// The later one of two ends; none known is later than any.
fn later(left: Option<Date>, right: Option<Date>) -> Option<Date> {
    Some(left?.max(right?))
}

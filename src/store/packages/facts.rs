//! What bears on one question about permissions.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::flat::Inclusion;
use super::permissions::Which;
use super::view::{DistributionRow, SeriesRow, View, holds, parsed};
use crate::model::packages::acl::{Archive, Facts, Listing, Queue, Teams, Upload, What};
use crate::model::packages::{PackageName, PackageSetName, Party, TeamName, is_orphan};
use crate::store::database::Fault;

impl View<'_> {
    /// All that bears on whether somebody may do something in a distribution; without anybody, on who may.
    ///
    /// # Errors
    /// When there is no such series or package set, or the database cannot be read. A package may be new to the distribution.
    pub fn facts(&self, distribution: &DistributionRow, who: Option<&Party>, what: &What) -> Result<Facts, Fault> {
        let mut facts = Facts {
            archive: Archive {
                takes_ended_series: distribution.details.permit_obsolete_uploads,
                ..Archive::default()
            },
            ..Facts::default()
        };
        let series = what.series().map(|name| self.series_in(distribution, name)).transpose()?;
        facts.status = series.as_ref().map(|series| series.details.status);
        let mut wanted = vec![Which::Rest];
        if let Some(who) = who {
            facts.teams = self.teams_of(distribution, who)?;
            let teams = facts.teams.of(who);
            wanted.extend(teams.into_keys().map(|team| Which::Party(Party::Team(team))));
            wanted.push(Which::Party(who.clone()));
        }
        if let Some(series) = &series {
            if let Some(package) = package_of(what) {
                facts.sets = self.ways_to(series, package)?;
                let listing = self.find_listing(series, package)?.filter(|listing| listing.details.status.is_in());
                facts.component = listing.as_ref().and_then(|listing| listing.details.component.clone());
                facts.listing = listing.map(|listing| Listing {
                    owner: Some(listing.details.owner).filter(|owner| !is_orphan(owner)),
                });
                wanted.push(Which::Package(package.clone()));
            }
            if let What::Queue { of: Queue::Set(set), .. } = what {
                facts.sets = self.ways_to_set(series, set)?;
            }
            wanted.push(Which::Sets(Box::new(series.clone()), facts.sets.keys().cloned().collect()));
        }
        let mut permissions = BTreeSet::new();
        for which in &wanted {
            permissions.extend(self.permissions_of(distribution, which)?);
        }
        facts.permissions = permissions.into_iter().collect();
        Ok(facts)
    }

    /// The teams that somebody is in, directly and through others, with those of their members that lead there.
    fn teams_of(&self, distribution: &DistributionRow, who: &Party) -> Result<Teams, Fault> {
        let select = concat!(
            "SELECT team FROM team_member WHERE distribution = ?2 AND member = ?3 AND ",
            holds!("team_member")
        );
        let mut teams = Teams::default();
        let mut open = vec![who.clone()];
        let mut seen = BTreeSet::from([who.clone()]);
        while let Some(member) = open.pop() {
            let above: Vec<TeamName> = self.all(select, params![self.at, distribution.id, member.to_string()], |row| parsed(row, 0))?;
            for team in above {
                teams.add(team.clone(), member.clone());
                let team = Party::Team(team);
                if seen.insert(team.clone()) {
                    open.push(team);
                }
            }
        }
        Ok(teams)
    }

    /// The sets of a series that include a package, each with a shortest way from it to one that has the package directly, itself left out.
    fn ways_to(&self, series: &SeriesRow, package: &PackageName) -> Result<BTreeMap<PackageSetName, Vec<PackageSetName>>, Fault> {
        let is_known = "SELECT 1 FROM package WHERE distribution = ?1 AND name = ?2";
        if self
            .one(is_known, params![series.distribution_id, package.as_str()], |_| Ok(()))?
            .is_none()
        {
            return Ok(BTreeMap::new());
        }
        let direct = self.containing(series, package, Inclusion::Direct)?;
        self.ways(series, &direct.iter().map(|set| set.group_id).collect())
    }

    fn ways_to_set(&self, series: &SeriesRow, set: &PackageSetName) -> Result<BTreeMap<PackageSetName, Vec<PackageSetName>>, Fault> {
        let set = self.set(series, set)?;
        self.ways(series, &[set.group_id].into())
    }

    fn ways(&self, series: &SeriesRow, to: &BTreeSet<i64>) -> Result<BTreeMap<PackageSetName, Vec<PackageSetName>>, Fault> {
        if to.is_empty() {
            return Ok(BTreeMap::new());
        }
        let hierarchy = self.hierarchy(series)?;
        let sets = self.sets(series)?;
        let names: BTreeMap<i64, &PackageSetName> = sets.iter().map(|set| (set.group_id, &set.name)).collect();
        let way = |from: i64| -> Option<Vec<PackageSetName>> {
            let ways = to.iter().filter_map(|direct| hierarchy.path(&from, direct));
            let ways = ways.map(|way| {
                way.iter()
                    .skip(1)
                    .filter_map(|group| names.get(group))
                    .map(|&name| name.clone())
                    .collect()
            });
            ways.min_by_key(|way: &Vec<PackageSetName>| (way.len(), way.clone()))
        };
        let ways = sets.iter().filter_map(|set| Some((set.name.clone(), way(set.group_id)?)));
        Ok(ways.collect())
    }
}

/// The package that a question is about.
fn package_of(what: &What) -> Option<&PackageName> {
    match what {
        What::Upload(Upload { package, .. })
        | What::OnListing { package, .. }
        | What::Queue {
            of: Queue::Package(package),
            ..
        } => Some(package),
        What::Queue { .. } | What::Maintain { .. } => None,
    }
}

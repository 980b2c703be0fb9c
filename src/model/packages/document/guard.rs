//! Guards: what a document would take away as a whole, against what an operator thinks possible.
//!
//! A file can be well-formed and still be what is left of another, or that of another distribution. A tripped guard stops every change.

use std::collections::BTreeMap;

use super::state::{Contents, ListingState, SeriesState, State};
use super::{DistributionDocument, Mistake};
use crate::model::packages::{Base, PermissionStatus, SeriesName, Target};
use crate::model::share::{percent, share, whole};
use crate::remedy::Remedy;
use crate::text::count;

/// The limits that an operator sets, under `[distribution.guard]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// The largest share of what there is that may be taken away, 0 to 1.
    pub max_removed_fraction: f64,
    /// As long as less than this is taken away, the share does not matter.
    pub min_removed: usize,
    /// Whether a document in which nobody and nothing is in anything is meant.
    pub allow_empty: bool,
}

impl Thresholds {
    /// Whether it is too much to take away `removed` of `held`.
    pub(in crate::model::packages) fn is_too_much(&self, removed: usize, held: usize) -> bool {
        removed >= self.min_removed && share(removed, held) > self.max_removed_fraction
    }
}

/// A guard that tripped, with the number that tripped it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Tripped {
    /// Too much would be taken away.
    #[error(
        "{removed} of {held} memberships and permissions{} ({}) would be taken away, at most {} may be",
        of(series.as_ref()),
        percent(*removed, *held),
        whole(*allowed)
    )]
    Removed {
        /// Of which series; `None`: of the whole distribution.
        series: Option<SeriesName>,
        /// How many would go.
        removed: usize,
        /// How many there are.
        held: usize,
        /// The largest share allowed.
        allowed: f64,
    },
    /// Too many permissions would be taken away, however many memberships there are beside them.
    #[error(
        "{removed} of {} ({}) would be taken away, at most {} may be",
        count(*held, "permission"),
        percent(*removed, *held),
        whole(*allowed)
    )]
    Permissions {
        /// How many would go.
        removed: usize,
        /// How many there are.
        held: usize,
        /// The largest share allowed.
        allowed: f64,
    },
    /// Nothing would be left.
    #[error("no membership and no permission would be left: all {held} that there are would be taken away")]
    Empty {
        /// How many there are.
        held: usize,
    },
}

impl Tripped {
    /// The key under `[distribution.guard]` that moves this guard's limit.
    #[must_use]
    pub const fn option(&self) -> &'static str {
        match self {
            Self::Removed { .. } | Self::Permissions { .. } => "max_removed_fraction",
            Self::Empty { .. } => "allow_empty",
        }
    }
}

impl Remedy for Tripped {
    fn remedy(&self) -> Option<String> {
        let option = self.option();
        Some(format!(
            "look at the plan and at the file, which may be cut off or another's; if this is meant, set `{option}` under [distribution.guard], or \
             for `kinset distribution import` give `--{}`",
            option.replace('_', "-")
        ))
    }
}

fn of(series: Option<&SeriesName>) -> String {
    series.map(|series| format!(" of series {series}")).unwrap_or_default()
}

/// Guards against a document that would take too much away, of the distribution or of one of its series: packages and sets out of the sets of each series;
/// packages, versions and built packages out of series; built packages out of groups and these out of categories; bases; people out of teams; and
/// permissions. A set that gets another name loses nothing.
///
/// Each series is looked at by itself too, because what is cut off a file is its last series, and little of a large distribution; and so are permissions,
/// of which there are few beside memberships.
///
/// # Errors
/// When one of the documents is wrong.
pub fn guard(have: &DistributionDocument, want: &DistributionDocument, thresholds: &Thresholds) -> Result<Option<Tripped>, Vec<Mistake>> {
    let (have, want) = (have.expanded()?, want.expanded()?);
    let all = Part::all(&have, &want);
    if all.held > 0 && Part::all(&want, &want).held == 0 && !thresholds.allow_empty {
        return Ok(Some(Tripped::Empty { held: all.held }));
    }
    let permissions = Part::permissions(&have, &want);
    if permissions.is_too_much(thresholds) {
        return Ok(Some(Tripped::Permissions {
            removed: permissions.removed(),
            held: permissions.held,
            allowed: thresholds.max_removed_fraction,
        }));
    }
    let each = have.series.iter().map(|series| (Some(series), Part::of(series, &have, &want)));
    let too_much = [(None, all)].into_iter().chain(each).find(|(_, part)| part.is_too_much(thresholds));
    Ok(too_much.map(|(series, part)| Tripped::Removed {
        series: series.map(|series| series.name.clone()),
        removed: part.removed(),
        held: part.held,
        allowed: thresholds.max_removed_fraction,
    }))
}

/// Memberships and permissions: how many there are, and how many of them there are afterwards too. A permission that counts no longer is gone, and so is a
/// package that was approved for a series and is not any longer.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    held: usize,
    kept: usize,
}

impl Part {
    fn all(have: &State, want: &State) -> Self {
        let mut all = Self::default();
        for (team, members) in &have.teams {
            let wanted = want.teams.get(team);
            all.add(members.len(), wanted.map_or(0, |wanted| members.intersection(wanted).count()));
        }
        all.add_permissions(have, want, |target| target.series().is_none());
        for series in &have.series {
            let Self { held, kept } = Self::of(series, have, want);
            all.add(held, kept);
        }
        all
    }

    /// All permissions, those on sets and those that are not.
    fn permissions(have: &State, want: &State) -> Self {
        let mut part = Self::default();
        part.add_permissions(have, want, |_| true);
        for series in &have.series {
            for (group, body) in have.bodies_of(series) {
                let wanted = want.body(&series.name, group);
                let kept = wanted.map_or(0, |wanted| {
                    count_kept(&body.permissions, &wanted.permissions, |(status, _)| *status)
                });
                part.add(body.permissions.len(), kept);
            }
        }
        part
    }

    fn of(series: &SeriesState, have: &State, want: &State) -> Self {
        let mut part = Self::default();
        for (group, body) in have.bodies_of(series) {
            let kept = want.body(&series.name, group).map_or(0, |wanted| {
                body.sources.intersection(&wanted.sources).count()
                    + body.subsets.intersection(&wanted.subsets).count()
                    + count_kept(&body.permissions, &wanted.permissions, |(status, _)| *status)
            });
            part.add(body.sources.len() + body.subsets.len() + body.permissions.len(), kept);
        }
        let kept = want.series(&series.name).map_or(0, |wanted| {
            let bases = series.details.bases.iter();
            let is_base = |base: &&Base| wanted.details.bases.iter().any(|wanted| wanted.base == base.base);
            kept_in(&series.contents, &wanted.contents) + bases.filter(is_base).count()
        });
        part.add(held_in(&series.contents) + series.details.bases.len(), kept);
        part.add_permissions(have, want, |target| target.series() == Some(&series.name));
        part
    }

    const fn add(&mut self, held: usize, kept: usize) {
        self.held += held;
        self.kept += kept;
    }

    /// Adds the permissions that are not on sets, as far as they are on these.
    fn add_permissions(&mut self, have: &State, want: &State, is_meant: impl Fn(&Target) -> bool) {
        let meant = have.permissions.iter().filter(|((target, _, _), _)| is_meant(target));
        let meant: BTreeMap<_, _> = meant.map(|(key, status)| (key.clone(), *status)).collect();
        self.add(meant.len(), count_kept(&meant, &want.permissions, |status| *status));
    }

    const fn removed(self) -> usize {
        self.held - self.kept
    }

    fn is_too_much(self, thresholds: &Thresholds) -> bool {
        thresholds.is_too_much(self.removed(), self.held)
    }
}

fn held_in(contents: &Contents) -> usize {
    let Contents {
        listings,
        groups,
        categories,
    } = contents;
    let versions = listings.values().flat_map(|listing| listing.versions.values());
    listings.len()
        + versions.map(|built| 1 + built.len()).sum::<usize>()
        + groups.values().map(|group| group.members.len()).sum::<usize>()
        + categories.values().map(|category| category.groups.len()).sum::<usize>()
}

fn kept_in(have: &Contents, want: &Contents) -> usize {
    let counts = |listing: &ListingState| listing.details.status.is_in();
    let in_listings = have.listings.iter().map(|(package, listing)| {
        want.listings.get(package).map_or(0, |wanted| {
            let versions = listing.versions.iter().map(|(version, built)| {
                let there = wanted.versions.get(version);
                there.map_or(0, |there| 1 + built.intersection(there).count())
            });
            usize::from(counts(wanted) || !counts(listing)) + versions.sum::<usize>()
        })
    });
    let in_groups = have.groups.iter().map(|(name, group)| {
        let wanted = want.groups.get(name);
        wanted.map_or(0, |wanted| {
            group.members.keys().filter(|member| wanted.members.contains_key(*member)).count()
        })
    });
    let in_categories = have.categories.iter().map(|(name, category)| {
        let wanted = want.categories.get(name);
        wanted.map_or(0, |wanted| category.groups.intersection(&wanted.groups).count())
    });
    in_listings.sum::<usize>() + in_groups.sum::<usize>() + in_categories.sum::<usize>()
}

fn count_kept<K: Ord, V>(have: &BTreeMap<K, V>, want: &BTreeMap<K, V>, status: impl Fn(&V) -> PermissionStatus) -> usize {
    let counts = |permission| status(permission) == PermissionStatus::Approved;
    let kept = have
        .iter()
        .filter(|(key, before)| want.get(key).is_some_and(|after| counts(after) || !counts(before)));
    kept.count()
}

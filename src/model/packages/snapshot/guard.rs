//! Guards: what a source no longer tells of, against what an operator thinks possible.
//!
//! A table can be well-formed and still be what is left of another, and a service may answer before it has all. What a source no longer says, others are
//! believed in, and what was retired is not any more; so this is looked at before anything is made of a reading.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{PackageFacts, PartialList, Remark, SeriesFacts, SourceSnapshot};
use crate::model::packages::document::Thresholds;
use crate::model::packages::modules::StreamPath;
use crate::model::packages::{
    Action, ContextName, Milestone, ModuleName, PackageName, PackageSetName, Party, PermissionStatus, SeriesName, Target, TeamName,
    is_orphan,
};
use crate::model::share::{percent, whole};

/// What a source tells of, as it is counted. What names a series is of that alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Series.
    Series,
    /// What is said of series: their versions, titles, stages and the like.
    Facts,
    /// Their dates.
    Dates,
    /// Their package sets.
    Sets(Option<SeriesName>),
    /// What is directly in those.
    InSets(Option<SeriesName>),
    /// Packages that are retired.
    Retired(Option<SeriesName>),
    /// Permissions that count.
    Permissions,
    /// Who is in teams.
    Members,
    /// Packages.
    Packages,
    /// Those of them that have an owner.
    Owners,
    /// Who looks after them besides.
    Maintainers,
    /// Who is told of their bugs.
    Watchers,
    /// Streams of modules, and packages in these.
    Streams,
    /// What streams are built for.
    Contexts,
    /// The default streams of modules.
    Defaults,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, series) = match self {
            Self::Series => ("series", None),
            Self::Facts => ("facts of series", None),
            Self::Dates => ("dates of series", None),
            Self::Sets(series) => ("package sets", series.as_ref()),
            Self::InSets(series) => ("packages and sets in package sets", series.as_ref()),
            Self::Retired(series) => ("retired packages", series.as_ref()),
            Self::Permissions => ("permissions", None),
            Self::Members => ("members of teams", None),
            Self::Packages => ("packages", None),
            Self::Owners => ("owners of packages", None),
            Self::Maintainers => ("maintainers of packages", None),
            Self::Watchers => ("watchers of packages", None),
            Self::Streams => ("streams and packages in them", None),
            Self::Contexts => ("contexts of streams", None),
            Self::Defaults => ("default streams of modules", None),
        };
        f.write_str(what)?;
        series.map_or(Ok(()), |series| write!(f, " of {series}"))
    }
}

/// A reading that tells of too little to be believed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Shrunk {
    /// Of far less than before.
    #[error(
        "{removed} of {held} {what} ({}) are gone from the source since it was last read, at most {} may be",
        percent(*removed, *held),
        whole(*allowed)
    )]
    Fewer {
        /// Of what.
        what: Told,
        /// How many are gone.
        removed: usize,
        /// How many there were.
        held: usize,
        /// The largest share allowed.
        allowed: f64,
    },
    /// Of nothing any more.
    #[error("nothing is left of the {held} {what} that the source told of when it was last read")]
    Gone {
        /// Of what.
        what: Told,
        /// How many there were.
        held: usize,
    },
}

impl Shrunk {
    /// The key under `[distribution.guard]` that moves this guard's limit.
    #[must_use]
    pub const fn option(&self) -> &'static str {
        match self {
            Self::Fewer { .. } => "max_removed_fraction",
            Self::Gone { .. } => "allow_empty",
        }
    }
}

impl SourceSnapshot {
    /// Guards against a source that suddenly tells of far less than `before`, of all series or of one. What a list that shows less than there is does not
    /// show is not counted as gone, and neither is what is hidden of a series.
    #[must_use]
    pub fn guard(&self, before: &Self, thresholds: &Thresholds) -> Option<Shrunk> {
        // As a rule.
        if self == before {
            return None;
        }
        let tallies = Comparison { before, now: self }.tallies();
        // What a source merely adds may come to its end.
        let lasting = tallies.iter().filter(|(what, _)| what.never_ends() && !self.is_additive);
        let gone = lasting.filter(|(_, tally)| tally.held > 0 && tally.now == 0 && !thresholds.allow_empty);
        let mut gone = gone.map(|(what, tally)| Shrunk::Gone {
            what: what.clone(),
            held: tally.held,
        });
        let fewer = tallies
            .iter()
            .filter(|(_, tally)| thresholds.is_too_much(tally.held - tally.kept, tally.held));
        let mut fewer = fewer.map(|(what, tally)| Shrunk::Fewer {
            what: what.clone(),
            removed: tally.held - tally.kept,
            held: tally.held,
            allowed: thresholds.max_removed_fraction,
        });
        gone.next().or_else(|| fewer.next())
    }
}

impl Told {
    /// Whether a source that told of it and has none of it any more is hardly to be believed, however little that was.
    const fn never_ends(&self) -> bool {
        match self {
            Self::Series
            | Self::Dates
            | Self::Sets(None)
            | Self::InSets(None)
            | Self::Retired(None)
            | Self::Permissions
            | Self::Members
            | Self::Packages
            | Self::Streams => true,
            Self::Sets(Some(_))
            | Self::InSets(Some(_))
            | Self::Retired(Some(_))
            | Self::Facts
            | Self::Owners
            | Self::Maintainers
            | Self::Watchers
            | Self::Contexts
            | Self::Defaults => false,
        }
    }
}

/// How much of something there was, how much of that there still is, and how much there is.
struct Tally {
    held: usize,
    kept: usize,
    now: usize,
}

impl Tally {
    fn of<T: Ord>(before: &BTreeSet<T>, now: &BTreeSet<T>) -> Self {
        Self {
            held: before.len(),
            kept: before.intersection(now).count(),
            now: now.len(),
        }
    }
}

/// Something that is directly in a set.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum InSet<'a> {
    Source(&'a PackageName),
    Set(&'a PackageSetName),
}

/// Two readings of the same question.
struct Comparison<'a> {
    before: &'a SourceSnapshot,
    now: &'a SourceSnapshot,
}

impl<'a> Comparison<'a> {
    fn tallies(&self) -> Vec<(Told, Tally)> {
        let now = self.now;
        let mut tallies = vec![
            (Told::Series, self.tally(series, |name| self.is_shown(name))),
            (Told::Facts, self.tally(facts, |(name, _)| self.is_open(name))),
            (Told::Dates, self.tally(dates, |(name, _)| self.is_open(name))),
        ];
        // Each first: where one series lost much, that one is to be named.
        let each = now.series.keys().map(Some);
        for of in each.chain([None]) {
            let said = |tells: fn(&SeriesFacts) -> bool| of.is_none_or(|name| now.series.get(name).is_some_and(tells));
            if said(|facts| facts.sets.is_some()) {
                let in_all = self.tally(|snapshot| sets(snapshot, of), |(name, set)| self.is_shown_set(name, set));
                tallies.push((Told::Sets(of.cloned()), in_all));
                let in_all = self.tally(
                    |snapshot| in_sets(snapshot, of),
                    |(name, set, member)| self.is_shown_in(name, set, member),
                );
                tallies.push((Told::InSets(of.cloned()), in_all));
            }
            if said(|facts| facts.retired.is_some()) {
                let in_all = self.tally(|snapshot| retired(snapshot, of), |(name, _)| self.is_shown(name));
                tallies.push((Told::Retired(of.cloned()), in_all));
            }
        }
        let has_all_permissions = !now.partial.contains(&PartialList::Permissions);
        tallies.extend([
            (Told::Permissions, self.tally(permissions, |_| has_all_permissions)),
            (Told::Members, self.tally(members, |(team, _)| self.is_shown_team(team))),
            (Told::Packages, self.tally(packages, |_| true)),
            (Told::Owners, self.tally(owners, |_| true)),
            (
                Told::Maintainers,
                self.tally(|all| people(all, |facts| facts.maintainers.as_ref()), |_| true),
            ),
            (
                Told::Watchers,
                self.tally(|all| people(all, |facts| facts.watchers.as_ref()), |_| true),
            ),
            (Told::Streams, self.tally(streams, |_| true)),
            (Told::Contexts, self.tally(contexts, |_| true)),
            (Told::Defaults, self.tally(defaults, |_| true)),
        ]);
        tallies
    }

    /// Of what there was only that counts of which now would tell that it is gone.
    fn tally<T: Ord>(&self, all: impl Fn(&'a SourceSnapshot) -> BTreeSet<T>, would_tell: impl Fn(&T) -> bool) -> Tally {
        let (mut before, now) = (all(self.before), all(self.now));
        before.retain(|one| would_tell(one) || now.contains(one));
        Tally::of(&before, &now)
    }

    fn is_shown(&self, series: &SeriesName) -> bool {
        !self.now.partial.contains(&PartialList::Series) || self.now.series.contains_key(series)
    }

    /// Whether nothing of a series is hidden.
    fn is_open(&self, series: &SeriesName) -> bool {
        let is_hidden = |facts: &SeriesFacts| facts.remarks.iter().any(|remark| matches!(remark, Remark::Hidden { .. }));
        self.is_shown(series) && !self.now.series.get(series).is_some_and(is_hidden)
    }

    fn is_shown_set(&self, series: &SeriesName, set: &PackageSetName) -> bool {
        let is_left_out = |facts: &SeriesFacts| facts.partial_sets && !facts.sets.as_ref().is_some_and(|sets| sets.contains_key(set));
        self.is_shown(series) && !self.now.series.get(series).is_some_and(is_left_out)
    }

    fn is_shown_in(&self, series: &SeriesName, set: &PackageSetName, member: &InSet<'_>) -> bool {
        let facts = self.now.series.get(series).and_then(|facts| facts.sets.as_ref()?.get(set));
        let is_partial = matches!(member, InSet::Set(_)) && facts.is_some_and(|facts| facts.partial_subsets);
        self.is_shown_set(series, set) && !is_partial
    }

    /// Of a team that may do nothing any more a source need not tell; what it could do is counted as such.
    fn is_shown_team(&self, team: &TeamName) -> bool {
        let Self { before, now } = self;
        let is_told = now.teams.as_ref().is_some_and(|teams| teams.contains_key(team));
        let may_do = |all: &SourceSnapshot| {
            let mut holders = all.permissions.iter().flatten().map(|permission| &permission.party);
            holders.any(|party| matches!(party, Party::Team(name) if name == team))
        };
        !now.partial.contains(&PartialList::Team(team.clone())) && (is_told || may_do(now) || !may_do(before))
    }
}

fn series(all: &SourceSnapshot) -> BTreeSet<&SeriesName> {
    all.series.keys().collect()
}

fn facts(all: &SourceSnapshot) -> BTreeSet<(&SeriesName, &'static str)> {
    let of_one = |(name, facts)| {
        let SeriesFacts {
            version,
            title,
            codename,
            is_long_term,
            status,
            owner,
            branch,
            dates: _,
            sets: _,
            partial_sets: _,
            retired: _,
            remarks: _,
        }: &SeriesFacts = facts;
        let said = [
            ("version", version.is_some()),
            ("title", title.is_some()),
            ("codename", codename.is_some()),
            ("term", is_long_term.is_some()),
            ("status", status.is_some()),
            ("owner", owner.is_some()),
            ("branch", branch.is_some()),
        ];
        said.into_iter().filter(|(_, is_said)| *is_said).map(move |(what, _)| (name, what))
    };
    all.series.iter().flat_map(of_one).collect()
}

fn dates(all: &SourceSnapshot) -> BTreeSet<(&SeriesName, &Milestone)> {
    let series = all.series.iter();
    series
        .flat_map(|(name, facts)| facts.dates.keys().map(move |milestone| (name, milestone)))
        .collect()
}

/// The series, or the one that is meant.
fn series_of<'a>(all: &'a SourceSnapshot, of: Option<&SeriesName>) -> impl Iterator<Item = (&'a SeriesName, &'a SeriesFacts)> {
    all.series.iter().filter(move |(name, _)| of.is_none_or(|of| of == *name))
}

fn sets<'a>(all: &'a SourceSnapshot, of: Option<&SeriesName>) -> BTreeSet<(&'a SeriesName, &'a PackageSetName)> {
    let of_one = |(name, facts): (_, &'a SeriesFacts)| facts.sets.iter().flat_map(BTreeMap::keys).map(move |set| (name, set));
    series_of(all, of).flat_map(of_one).collect()
}

fn in_sets<'a>(all: &'a SourceSnapshot, of: Option<&SeriesName>) -> BTreeSet<(&'a SeriesName, &'a PackageSetName, InSet<'a>)> {
    let mut found = BTreeSet::new();
    for (name, facts) in series_of(all, of) {
        for (set, facts) in facts.sets.iter().flatten() {
            found.extend(facts.sources.iter().flatten().map(|source| (name, set, InSet::Source(source))));
            found.extend(facts.subsets.iter().flatten().map(|subset| (name, set, InSet::Set(subset))));
        }
    }
    found
}

fn retired<'a>(all: &'a SourceSnapshot, of: Option<&SeriesName>) -> BTreeSet<(&'a SeriesName, &'a PackageName)> {
    let of_one = |(name, facts): (_, &'a SeriesFacts)| facts.retired.iter().flatten().map(move |package| (name, package));
    series_of(all, of).flat_map(of_one).collect()
}

fn permissions(all: &SourceSnapshot) -> BTreeSet<(&Party, Action, &Target)> {
    let counting = all.permissions.iter().flatten();
    counting
        .filter(|permission| permission.status == PermissionStatus::Approved)
        .map(|permission| (&permission.party, permission.action, &permission.target))
        .collect()
}

fn members(all: &SourceSnapshot) -> BTreeSet<(&TeamName, &Party)> {
    let teams = all.teams.iter().flatten();
    teams
        .flat_map(|(team, members)| members.iter().map(move |member| (team, member)))
        .collect()
}

fn packages(all: &SourceSnapshot) -> BTreeSet<&PackageName> {
    all.packages.iter().flat_map(BTreeMap::keys).collect()
}

fn owners(all: &SourceSnapshot) -> BTreeSet<&PackageName> {
    let packages = all.packages.iter().flatten();
    packages
        .filter(|(_, facts)| facts.owner.as_ref().is_some_and(|owner| !is_orphan(owner)))
        .map(|(package, _)| package)
        .collect()
}

fn people(all: &SourceSnapshot, who: impl Fn(&PackageFacts) -> Option<&BTreeSet<Party>>) -> BTreeSet<(&PackageName, &Party)> {
    let packages = all.packages.iter().flatten();
    packages
        .flat_map(|(package, facts)| who(facts).into_iter().flatten().map(move |party| (package, party)))
        .collect()
}

fn streams(all: &SourceSnapshot) -> BTreeSet<(&StreamPath, Option<&PackageName>)> {
    let streams = all.modules.iter().flat_map(|modules| &modules.streams);
    streams
        .flat_map(|(path, stream)| {
            let packages = stream.packages().into_iter().map(Some);
            std::iter::once(None).chain(packages).map(move |package| (path, package))
        })
        .collect()
}

fn contexts(all: &SourceSnapshot) -> BTreeSet<(&StreamPath, &ContextName)> {
    let streams = all.modules.iter().flat_map(|modules| &modules.streams);
    streams
        .flat_map(|(path, stream)| stream.contexts.keys().map(move |context| (path, context)))
        .collect()
}

fn defaults(all: &SourceSnapshot) -> BTreeSet<&ModuleName> {
    all.modules.iter().flat_map(|modules| modules.defaults.keys()).collect()
}

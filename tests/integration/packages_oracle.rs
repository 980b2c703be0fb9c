//! The package model as somebody would keep it who has all the memory in the world: every series has everything of its own, and every question
//! is answered by walking. It knows nothing of sharing, except that a hierarchy may be one for all series.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kinset::model::packages::{
    Action, Operation, PackageName, PackageSetName, Party, Permission, Refusal, SeriesName, SeriesPath, SetDetails, SetPath, Target,
};
use kinset::store::packages::Inclusion;
use kinset::store::{Store, StoreError};

/// A set of one series.
#[derive(Clone, Debug)]
struct Set {
    group: usize,
    details: SetDetails,
    score: i64,
    sources: BTreeSet<PackageName>,
    permissions: BTreeMap<(Party, Action), Permission>,
}

/// Pairs of groups of which the one directly includes the other.
type Edges = BTreeSet<(usize, usize)>;

/// All series, each with its sets and with its hierarchy.
#[derive(Clone, Debug)]
pub(crate) struct Oracle {
    series: BTreeMap<SeriesName, (BTreeMap<PackageSetName, Set>, Edges)>,
    /// The series, oldest first.
    order: Vec<SeriesName>,
    groups: usize,
    /// Whether there is one hierarchy for all series.
    is_tethered: bool,
}

/// What one series answers about one of its sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answers {
    details: SetDetails,
    score: i64,
    direct: BTreeSet<PackageName>,
    all: BTreeSet<PackageName>,
    below: BTreeSet<PackageSetName>,
    all_below: BTreeSet<PackageSetName>,
    above: BTreeSet<PackageSetName>,
    all_above: BTreeSet<PackageSetName>,
    permissions: Vec<Permission>,
    /// The other series that have a set of the same group, with the name that it has there.
    incarnations: BTreeMap<SeriesName, PackageSetName>,
}

/// What all series answer about all sets, and in which sets each package is.
pub(crate) type AllAnswers = BTreeMap<
    SeriesName,
    (
        BTreeMap<PackageSetName, Answers>,
        BTreeMap<PackageName, [BTreeSet<PackageSetName>; 2]>,
    ),
>;

impl Oracle {
    /// A distribution with one series, `s0`.
    pub(crate) fn new(is_tethered: bool) -> Self {
        let series = [("s0".parse().unwrap(), Default::default())].into();
        Self {
            series,
            order: vec!["s0".parse().unwrap()],
            groups: 0,
            is_tethered,
        }
    }

    /// Does an operation; `false` if it has to be refused.
    pub(crate) fn perform(&mut self, operation: &Operation) -> bool {
        let mut next = self.clone();
        if next.try_to(operation).is_some() {
            *self = next;
            return true;
        }
        false
    }

    fn set(&mut self, path: &SetPath) -> Option<&mut Set> {
        self.series.get_mut(&path.series.series)?.0.get_mut(&path.set)
    }

    fn try_to(&mut self, operation: &Operation) -> Option<()> {
        match operation {
            Operation::CreateSeries { series, .. } => {
                self.order.push(series.series.clone());
                let is_new = self.series.insert(series.series.clone(), Default::default()).is_none();
                is_new.then_some(())
            }
            Operation::InitSeries { series, from, .. } => {
                let mut copy = self.series.get(&from.series)?.clone();
                for (name, set) in &mut copy.0 {
                    set.score = 0;
                    for permission in set.permissions.values_mut() {
                        permission.target = target(&series.series, name);
                    }
                }
                self.order.push(series.series.clone());
                let is_new = self.series.insert(series.series.clone(), copy).is_none();
                is_new.then_some(())
            }
            Operation::CreateSet {
                path,
                details,
                related,
                group: None,
            } => {
                let group = match related {
                    Some(related) => self.set(related)?.group,
                    None => {
                        self.groups += 1;
                        self.groups
                    }
                };
                let edges = self.global_edges();
                let (sets, own) = self.series.get_mut(&path.series.series)?;
                if sets.contains_key(&path.set) || sets.values().any(|set| set.group == group) {
                    return None;
                }
                let set = Set {
                    group,
                    details: details.clone(),
                    score: 0,
                    sources: BTreeSet::new(),
                    permissions: BTreeMap::new(),
                };
                sets.insert(path.set.clone(), set);
                if let Some(edges) = edges {
                    *own = edges;
                }
                Some(())
            }
            Operation::RemoveSet { path } => {
                let is_tethered = self.is_tethered;
                let (sets, edges) = self.series.get_mut(&path.series.series)?;
                let group = sets.remove(&path.set)?.group;
                if !is_tethered {
                    edges.retain(|&(parent, child)| parent != group && child != group);
                } else {
                    let sets = self.series.values().map(|(sets, _)| sets);
                    let groups: Vec<BTreeSet<usize>> = sets.map(|sets| sets.values().map(|set| set.group).collect()).collect();
                    let is_seen = |edge: &(usize, usize)| groups.iter().any(|groups| groups.contains(&edge.0) && groups.contains(&edge.1));
                    for (_, edges) in self.series.values_mut() {
                        edges.retain(is_seen);
                    }
                }
                Some(())
            }
            Operation::RenameSet { path, to } => {
                let sets = &mut self.series.get_mut(&path.series.series)?.0;
                let mut set = sets.remove(&path.set)?;
                for permission in set.permissions.values_mut() {
                    permission.target = target(&path.series.series, to);
                }
                sets.insert(to.clone(), set).is_none().then_some(())
            }
            Operation::ChangeSet { path, details } => {
                self.set(path)?.details = details.clone();
                Some(())
            }
            Operation::ScoreSet { path, score } => {
                self.set(path)?.score = *score;
                Some(())
            }
            Operation::AddSources { path, sources } => {
                self.set(path)?.sources.extend(sources.iter().cloned());
                Some(())
            }
            Operation::RemoveSources { path, sources } => {
                let set = self.set(path)?;
                sources.iter().all(|source| set.sources.remove(source)).then_some(())
            }
            Operation::AddSubsets { path, subsets } => {
                for subset in subsets {
                    let (parent, child) = self.edge(path, subset)?;
                    let edges = self.global_edges().unwrap_or_else(|| self.series[&path.series.series].1.clone());
                    if reaches(&edges, child, parent) {
                        return None;
                    }
                    self.each_edges(path, |edges| edges.insert((parent, child)));
                }
                Some(())
            }
            Operation::RemoveSubsets { path, subsets } => {
                for subset in subsets {
                    let edge = self.edge(path, subset)?;
                    if !self.series[&path.series.series].1.contains(&edge) {
                        return None;
                    }
                    self.each_edges(path, |edges| edges.remove(&edge));
                }
                Some(())
            }
            Operation::Grant { permission, .. } => {
                let Target::PackageSet { series, set } = &permission.target else {
                    return None;
                };
                let set = self.series.get_mut(series)?.0.get_mut(set)?;
                set.permissions
                    .insert((permission.party.clone(), permission.action), permission.clone());
                Some(())
            }
            Operation::Revoke { party, action, target, .. } => {
                let Target::PackageSet { series, set } = target else { return None };
                let set = self.series.get_mut(series)?.0.get_mut(set)?;
                set.permissions.remove(&(party.clone(), *action)).map(|_| ())
            }
            other => panic!("nobody taught the oracle {other:?}"),
        }
    }

    fn edge(&self, path: &SetPath, subset: &PackageSetName) -> Option<(usize, usize)> {
        let sets = &self.series.get(&path.series.series)?.0;
        Some((sets.get(&path.set)?.group, sets.get(subset)?.group))
    }

    fn each_edges(&mut self, path: &SetPath, change: impl Fn(&mut Edges) -> bool) {
        for (name, (_, edges)) in &mut self.series {
            if self.is_tethered || *name == path.series.series {
                change(edges);
            }
        }
    }

    /// Where there is one hierarchy for all series: that.
    fn global_edges(&self) -> Option<Edges> {
        self.is_tethered
            .then(|| self.series.values().flat_map(|(_, edges)| edges).copied().collect())
    }

    /// From one way of sharing to another, after which there is one hierarchy for all series or one for each.
    pub(crate) fn convert(&mut self, is_tethered: bool) {
        for (sets, edges) in self.series.values_mut() {
            let groups: BTreeSet<usize> = sets.values().map(|set| set.group).collect();
            edges.retain(|(parent, child)| groups.contains(parent) && groups.contains(child));
        }
        self.is_tethered = is_tethered;
        if let Some(all) = self.global_edges() {
            for (_, edges) in self.series.values_mut() {
                edges.clone_from(&all);
            }
        }
    }

    /// To one hierarchy for all series, in which each set has what it has in one series, else in the newest that has it; `false` if that has to be
    /// refused.
    pub(crate) fn tether_as(&mut self, chosen: &SeriesName) -> bool {
        if self.is_tethered {
            return true;
        }
        if !self.series.contains_key(chosen) {
            return false;
        }
        let mut below: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for name in self.order.iter().chain([chosen]) {
            let (sets, edges) = &self.series[name];
            let groups: BTreeSet<usize> = sets.values().map(|set| set.group).collect();
            for group in &groups {
                let children = groups.iter().filter(|child| edges.contains(&(*group, **child)));
                below.insert(*group, children.copied().collect());
            }
        }
        let mut all = Edges::new();
        for (parent, children) in below {
            for child in children {
                if reaches(&all, child, parent) {
                    return false;
                }
                all.insert((parent, child));
            }
        }
        self.is_tethered = true;
        for (_, edges) in self.series.values_mut() {
            edges.clone_from(&all);
        }
        true
    }

    /// All that can be asked.
    pub(crate) fn answers(&self, packages: &[PackageName]) -> AllAnswers {
        let series = self.series.iter();
        series
            .map(|(name, (sets, edges))| {
                let groups: BTreeSet<usize> = sets.values().map(|set| set.group).collect();
                let edges: Edges = edges
                    .iter()
                    .copied()
                    .filter(|(parent, child)| groups.contains(parent) && groups.contains(child))
                    .collect();
                let which = |is_meant: &dyn Fn(usize) -> bool| -> BTreeSet<PackageSetName> {
                    sets.iter()
                        .filter(|(_, set)| is_meant(set.group))
                        .map(|(name, _)| name.clone())
                        .collect()
                };
                let answers = sets.iter().map(|(set_name, set)| {
                    let group = set.group;
                    let is_below = |other: usize| other != group && reaches(&edges, group, other);
                    let all = sets.values().filter(|other| other.group == group || is_below(other.group));
                    let others = self.series.iter().filter(|(other, _)| *other != name);
                    let incarnations = others.filter_map(|(other, (sets, _))| {
                        let (set_name, _) = sets.iter().find(|(_, set)| set.group == group)?;
                        Some((other.clone(), set_name.clone()))
                    });
                    let answers = Answers {
                        details: set.details.clone(),
                        score: set.score,
                        direct: set.sources.clone(),
                        all: all.flat_map(|set| set.sources.clone()).collect(),
                        below: which(&|other| edges.contains(&(group, other))),
                        all_below: which(&is_below),
                        above: which(&|other| edges.contains(&(other, group))),
                        all_above: which(&|other| other != group && reaches(&edges, other, group)),
                        permissions: {
                            let mut permissions: Vec<Permission> = set.permissions.values().cloned().collect();
                            permissions.sort();
                            permissions
                        },
                        incarnations: incarnations.collect(),
                    };
                    (set_name.clone(), answers)
                });
                let containing = packages.iter().map(|package| {
                    let has = |group: usize| sets.values().any(|set| set.group == group && set.sources.contains(package));
                    let through = |group: usize| groups.iter().any(|&other| has(other) && reaches(&edges, group, other));
                    (package.clone(), [which(&has), which(&through)])
                });
                (name.clone(), (answers.collect(), containing.collect()))
            })
            .collect()
    }
}

fn target(series: &SeriesName, set: &PackageSetName) -> Target {
    Target::PackageSet {
        series: series.clone(),
        set: set.clone(),
    }
}

impl Answers {
    /// The sets that are directly in it.
    pub(crate) const fn below(&self) -> &BTreeSet<PackageSetName> {
        &self.below
    }
}

/// Whether there is a way, by trying all of them.
fn reaches(edges: &Edges, from: usize, to: usize) -> bool {
    from == to || edges.iter().any(|&(parent, child)| parent == from && reaches(edges, child, to))
}

/// Asks a store what the oracle answers.
pub(crate) fn ask(store: &Store, as_of: Option<Timestamp>, packages: &[PackageName]) -> Result<AllAnswers, StoreError> {
    store.ask(as_of, |view| {
        let mut all = AllAnswers::new();
        let Ok(distribution) = view.distribution(&"d".parse().unwrap()) else {
            return Ok(all);
        };
        for series in view.series_of(&distribution)? {
            let permissions = view.permissions(&distribution, Some(&series))?;
            let mut answers = BTreeMap::new();
            let names =
                |rows: Vec<kinset::store::packages::SetRow>| -> BTreeSet<PackageSetName> { rows.into_iter().map(|row| row.name).collect() };
            for set in view.sets(&series)? {
                let own = target(&series.path.series, &set.name);
                let incarnations = view.incarnations(&series, &set)?;
                let answer = Answers {
                    direct: view.sources(&series, &set, Inclusion::Direct)?,
                    all: view.sources(&series, &set, Inclusion::Transitive)?,
                    below: names(view.subsets(&series, &set, Inclusion::Direct)?),
                    all_below: names(view.subsets(&series, &set, Inclusion::Transitive)?),
                    above: names(view.supersets(&series, &set, Inclusion::Direct)?),
                    all_above: names(view.supersets(&series, &set, Inclusion::Transitive)?),
                    permissions: permissions.iter().filter(|permission| permission.target == own).cloned().collect(),
                    incarnations: incarnations.into_iter().map(|path| (path.series.series, path.set)).collect(),
                    details: set.details,
                    score: set.score,
                };
                answers.insert(set.name, answer);
            }
            let mut containing = BTreeMap::new();
            for package in packages {
                let direct = names(view.containing(&series, package, Inclusion::Direct)?);
                let all = names(view.containing(&series, package, Inclusion::Transitive)?);
                containing.insert(package.clone(), [direct, all]);
            }
            all.insert(series.path.series.clone(), (answers, containing));
        }
        Ok(all)
    })
}

/// The set that a refusal wants cloned first, if that is what it says.
pub(crate) fn to_clone_first(error: &StoreError) -> Option<SetPath> {
    match error {
        StoreError::Refused(refusal) => match refusal.as_ref() {
            Refusal::Shared { path, others } => {
                assert!(!others.is_empty());
                Some(path.clone())
            }
            _ => None,
        },
        _ => None,
    }
}

pub(crate) fn series_path(series: &SeriesName) -> SeriesPath {
    SeriesPath {
        distribution: "d".parse().unwrap(),
        series: series.clone(),
    }
}

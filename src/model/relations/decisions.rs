//! What people decided by hand, and how it stands over what an analysis wants.
//!
//! A decision says that a set of elements belongs together (*joined*) or that two elements do not (*parted*). [`revise`] makes them of what
//! somebody did, the later over the earlier; [`Decisions::over`] applies those that stand to what an analysis wants; [`agrees`] tells when
//! the analysis has come round, which ends them.

use std::collections::{BTreeMap, BTreeSet};

use super::edits::{Edits, parts};
use super::{Element, Partition, Universe};

/// What somebody decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// These belong together: two or more.
    Joined(BTreeSet<Element>),
    /// These two do not. The smaller comes first.
    Parted(Element, Element),
}

/// How decisions change when somebody did something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// The places of those that stand no longer, because later ones say otherwise or say more.
    pub superseded: BTreeSet<usize>,
    /// What was decided now.
    pub made: BTreeSet<Verdict>,
    /// What is left of decisions that were taken apart, with the place of each.
    pub remains: Vec<(Verdict, usize)>,
}

/// Brings decisions up to date with what somebody did. `current` is where that led.
///
/// The later wins, by three rules:
/// - Whoever brings elements together decides for the whole relation that they end in, because that is what the tracker then shows.
/// - A join brings along what was joined with its elements before, unless they were parted from them in the same breath. It ends earlier
///   partings among all these.
/// - A parting takes a joined set apart into what the tracker shows of it.
///
/// So of the decisions that stand no two contradict each other: joined sets share no element, and hold no parted pair.
#[must_use]
pub fn revise(standing: &[Verdict], edits: &Edits, current: &Partition) -> Revision {
    let parted: BTreeSet<(Element, Element)> = edits.parted().collect();
    let mut revision = Revision::default();
    let mut joined: Vec<Joined> = edits.joined.iter().map(|members| Joined::now(members)).collect();
    for (place, verdict) in standing.iter().enumerate() {
        let Verdict::Joined(members) = verdict else { continue };
        revision.superseded.insert(place);
        if holds_any(members, &parted) {
            let members: Vec<Element> = members.iter().copied().collect();
            for part in parts(&members, current).into_iter().filter(|part| part.len() > 1) {
                bring_along(&mut joined, Joined::before(part.into_iter().collect(), place), &parted);
            }
        } else {
            bring_along(&mut joined, Joined::before(members.clone(), place), &parted);
        }
    }
    let mut set_of: BTreeMap<Element, usize> = BTreeMap::new();
    for (number, set) in joined.into_iter().enumerate() {
        set_of.extend(set.members.iter().map(|&member| (member, number)));
        set.enter(standing, &mut revision);
    }
    let mut known = BTreeSet::new();
    for (place, verdict) in standing.iter().enumerate() {
        let Verdict::Parted(one, other) = *verdict else { continue };
        known.insert((one, other));
        if set_of.get(&one).is_some_and(|set| set_of.get(&other) == Some(set)) {
            revision.superseded.insert(place);
        }
    }
    let made = parted.difference(&known).map(|&(one, other)| Verdict::Parted(one, other));
    revision.made.extend(made);
    revision
}

/// Elements that belong together.
struct Joined {
    members: BTreeSet<Element>,
    /// The places of the decisions that said so, of a part of them at least.
    origins: BTreeSet<usize>,
    is_new: bool,
}

impl Joined {
    fn now(members: &[Element]) -> Self {
        Self {
            members: members.iter().copied().collect(),
            origins: BTreeSet::new(),
            is_new: true,
        }
    }

    fn before(members: BTreeSet<Element>, origin: usize) -> Self {
        Self {
            members,
            origins: BTreeSet::from([origin]),
            is_new: false,
        }
    }

    /// Enters what has become of the decisions behind it, which count as superseded until then.
    fn enter(self, standing: &[Verdict], revision: &mut Revision) {
        let verdict = Verdict::Joined(self.members);
        let same = self.origins.iter().find(|&&origin| standing[origin] == verdict);
        match (same, self.origins.first()) {
            (Some(origin), _) => _ = revision.superseded.remove(origin),
            (None, Some(&origin)) if !self.is_new => revision.remains.push((verdict, origin)),
            (None, _) => _ = revision.made.insert(verdict),
        }
    }
}

/// Adds an earlier set: to the later ones that it shares elements with, where nothing of these was parted; else what it does not share.
fn bring_along(sets: &mut Vec<Joined>, mut earlier: Joined, parted: &BTreeSet<(Element, Element)>) {
    let (touched, mut rest): (Vec<Joined>, Vec<Joined>) = sets
        .drain(..)
        .partition(|set| set.is_new && !set.members.is_disjoint(&earlier.members));
    let mut whole = earlier.members.clone();
    whole.extend(touched.iter().flat_map(|set| &set.members));
    if touched.is_empty() {
        rest.push(earlier);
    } else if holds_any(&whole, parted) {
        for set in &touched {
            earlier.members.retain(|member| !set.members.contains(member));
        }
        rest.extend(touched);
        rest.extend(Some(earlier).filter(|earlier| earlier.members.len() > 1));
    } else {
        let origins = touched
            .iter()
            .flat_map(|set| &set.origins)
            .chain(&earlier.origins)
            .copied()
            .collect();
        rest.push(Joined {
            members: whole,
            origins,
            is_new: true,
        });
    }
    *sets = rest;
}

/// Whether any of the pairs lies within the set.
fn holds_any(members: &BTreeSet<Element>, pairs: &BTreeSet<(Element, Element)>) -> bool {
    let begin_with = |member: Element| pairs.range((member, Element(0))..=(member, Element(u32::MAX)));
    members
        .iter()
        .any(|&member| begin_with(member).any(|(_, other)| members.contains(other)))
}

/// Whether an analysis wants by itself what somebody decided, so that it would be so without the decision. Of elements that it does not name
/// it says nothing. `joined_over` is what it wants [once joins were heard](Decisions::joined_over), which can bring elements together that
/// it keeps apart.
#[must_use]
pub fn agrees<U: Universe>(verdict: &Verdict, desired: &Partition, joined_over: &Partition, universe: &U) -> bool {
    match *verdict {
        Verdict::Joined(_) => keeps_to(desired, verdict),
        Verdict::Parted(one, other) => universe.is_named(one) && universe.is_named(other) && keeps_to(joined_over, verdict),
    }
}

/// Whether a partition is as somebody decided.
#[must_use]
pub fn keeps_to(partition: &Partition, verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Joined(members) => is_within_one_class(partition, members),
        Verdict::Parted(one, other) => !is_within_one_class(partition, [one, other]),
    }
}

fn is_within_one_class<'a>(partition: &Partition, members: impl IntoIterator<Item = &'a Element>) -> bool {
    let mut classes = members.into_iter().map(|&member| partition.class_of(member));
    let first = classes.next().flatten();
    first.is_some() && classes.all(|class| class == first)
}

/// The decisions that stand, none of which contradicts another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    joined: BTreeSet<BTreeSet<Element>>,
    parted: BTreeSet<(Element, Element)>,
}

/// What an analysis wants once people were heard.
#[derive(Debug)]
pub struct Decided {
    /// The partition that follows.
    pub partition: Partition,
    /// Joined sets that the analysis does not want in one class.
    pub kept: Vec<Vec<Element>>,
    /// Classes of the analysis that partings keep apart.
    pub apart: Vec<Vec<Element>>,
}

impl FromIterator<Verdict> for Decisions {
    fn from_iter<I: IntoIterator<Item = Verdict>>(verdicts: I) -> Self {
        let mut decisions = Self::default();
        for verdict in verdicts {
            match verdict {
                Verdict::Joined(members) if members.len() > 1 => _ = decisions.joined.insert(members),
                Verdict::Joined(_) => {}
                Verdict::Parted(one, other) => _ = decisions.parted.insert((one, other)),
            }
        }
        decisions
    }
}

impl Decisions {
    /// Whether nobody decided anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.joined.is_empty() && self.parted.is_empty()
    }

    /// The decisions, joined sets first.
    pub fn iter(&self) -> impl Iterator<Item = Verdict> + '_ {
        let joined = self.joined.iter().cloned().map(Verdict::Joined);
        let parted = self.parted.iter().map(|&(one, other)| Verdict::Parted(one, other));
        joined.chain(parted)
    }

    /// Those that a partition does not keep to.
    pub fn overruled_by<'a>(&'a self, partition: &'a Partition) -> impl Iterator<Item = Verdict> + 'a {
        self.iter().filter(|verdict| !keeps_to(partition, verdict))
    }

    /// What an analysis wants together once joins were heard, partings left aside: two elements that are apart in this are so by the analysis
    /// alone, and would be without having been parted by hand.
    #[must_use]
    pub fn joined_over(&self, desired: &Partition) -> Partition {
        let joins = Self {
            joined: self.joined.clone(),
            parted: BTreeSet::new(),
        };
        joins.over(desired, desired).partition
    }

    /// Applies the decisions to what an analysis wants.
    ///
    /// What was joined is one class, with all that the analysis wants together with any of it, as far as nothing of that was parted. A class
    /// of the analysis that holds parted elements comes apart: who is related in `current` stays together, and the others go, the larger
    /// parts first, to the largest part that they were not parted from. Applied again to its own result it gives that result.
    #[must_use]
    pub fn over(&self, desired: &Partition, current: &Partition) -> Decided {
        let mut clusters = Clusters::new(desired.universe(), &self.parted);
        let mut is_decided = vec![false; desired.universe()];
        for members in &self.joined {
            clusters.unite_all(members.iter().copied());
        }
        let parted = self.parted.iter().flat_map(|&(one, other)| [one, other]);
        for element in self.joined.iter().flatten().copied().chain(parted) {
            is_decided[element.index()] = true;
        }
        let mut decided = Vec::new();
        for class in desired.classes() {
            let members = desired.members(class);
            if members.iter().any(|member| is_decided[member.index()]) {
                let mut members = members.to_vec();
                members.sort_unstable();
                decided.push(members);
            } else {
                clusters.unite_all(members.iter().copied());
            }
        }
        decided.sort_unstable();
        for members in &decided {
            clusters.unite_where_possible(members, current);
        }
        let partition = clusters.into_partition();
        let kept = self.joined.iter().filter(|members| !is_within_one_class(desired, *members));
        decided.retain(|members| !is_within_one_class(&partition, members));
        Decided {
            kept: kept.map(|members| members.iter().copied().collect()).collect(),
            apart: decided,
            partition,
        }
    }
}

/// Classes that grow by being united, some of which must not be.
struct Clusters {
    /// The way to each element's cluster, which is named by one of its elements.
    parent: Vec<u32>,
    /// For clusters that must stay apart from others: these. Both sides are entered.
    apart: BTreeMap<u32, BTreeSet<u32>>,
}

impl Clusters {
    fn new(universe: usize, parted: &BTreeSet<(Element, Element)>) -> Self {
        let mut apart: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for &(one, other) in parted {
            apart.entry(one.0).or_default().insert(other.0);
            apart.entry(other.0).or_default().insert(one.0);
        }
        Self {
            parent: (0..universe as u32).collect(),
            apart,
        }
    }

    fn cluster_of(&mut self, element: Element) -> u32 {
        let mut at = element.0;
        while self.parent[at as usize] != at {
            let onward = self.parent[self.parent[at as usize] as usize];
            self.parent[at as usize] = onward;
            at = onward;
        }
        at
    }

    /// Unites the clusters of two elements unless they must stay apart. Returns whether they are one now.
    fn unite(&mut self, one: Element, other: Element) -> bool {
        let (one, other) = (self.cluster_of(one), self.cluster_of(other));
        if one == other {
            return true;
        }
        if self.apart.get(&one).is_some_and(|apart| apart.contains(&other)) {
            return false;
        }
        let width = |cluster: u32| self.apart.get(&cluster).map_or(0, BTreeSet::len);
        let (stays, goes) = if width(one) < width(other) { (other, one) } else { (one, other) };
        self.parent[goes as usize] = stays;
        for foe in self.apart.remove(&goes).unwrap_or_default() {
            let foes = self.apart.entry(foe).or_default();
            foes.remove(&goes);
            foes.insert(stays);
            self.apart.entry(stays).or_default().insert(foe);
        }
        true
    }

    fn unite_all(&mut self, members: impl IntoIterator<Item = Element>) {
        let mut members = members.into_iter();
        if let Some(first) = members.next() {
            for member in members {
                self.unite(first, member);
            }
        }
    }

    /// Unites each with the first of the others that it may be united with.
    fn fit(&mut self, members: impl IntoIterator<Item = Element>) {
        let mut seeds: Vec<Element> = Vec::new();
        for member in members {
            if !seeds.iter().any(|&seed| self.unite(seed, member)) {
                seeds.push(member);
            }
        }
    }

    /// Makes as few classes as it can of elements that an analysis wants in one, those first that are related already.
    fn unite_where_possible(&mut self, members: &[Element], current: &Partition) {
        for part in parts(members, current) {
            self.fit(part);
        }
        let mut clusters: BTreeMap<u32, Vec<Element>> = BTreeMap::new();
        for &member in members {
            clusters.entry(self.cluster_of(member)).or_default().push(member);
        }
        let mut clusters: Vec<Vec<Element>> = clusters.into_values().collect();
        clusters.sort_unstable_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        self.fit(clusters.into_iter().filter_map(|cluster| cluster.first().copied()));
    }

    fn into_partition(mut self) -> Partition {
        let universe = self.parent.len();
        let labels: Vec<u32> = (0..universe as u32).map(|element| self.cluster_of(Element(element))).collect();
        Partition::from_labels(universe, universe, |element| Some(labels[element.index()]))
    }
}

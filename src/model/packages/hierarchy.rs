//! Which package set includes which, directly and through others: a directed graph without cycles, and its transitive closure, kept up to
//! date edge by edge.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

/// The sets of one series and what they include.
///
/// The closure holds each set itself, as Launchpad's `flatpackagesetinclusion` does. An edge that comes or goes costs as much as the pairs of
/// sets above and below it, never as much as all there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy<N> {
    /// Each set with its direct subsets.
    below: BTreeMap<N, BTreeSet<N>>,
    /// Each set with those that it is directly in.
    above: BTreeMap<N, BTreeSet<N>>,
    /// Each set with all that is in it, itself included.
    closure: BTreeMap<N, BTreeSet<N>>,
}

/// Pairs of a set and one in it, through any number of others, that a change brought or took.
pub type Pairs<N> = BTreeSet<(N, N)>;

/// An edge that would make a set include itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle<N> {
    /// The sets that each include the next; the first one is the last one too, and the edge in question leads from the first to the second.
    pub path: Vec<N>,
}

impl<N: fmt::Display> fmt::Display for Cycle<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, set) in self.path.iter().enumerate() {
            match place {
                0 => write!(f, "{set}")?,
                _ => write!(f, " > {set}")?,
            }
        }
        Ok(())
    }
}

impl<N> Default for Hierarchy<N> {
    fn default() -> Self {
        Self {
            below: BTreeMap::new(),
            above: BTreeMap::new(),
            closure: BTreeMap::new(),
        }
    }
}

impl<N: Ord + Clone> Hierarchy<N> {
    /// The hierarchy of these sets with these edges, each from a set to one that is directly in it. Edges whose ends are not both among the sets
    /// are left out.
    ///
    /// # Errors
    /// When the edges make a cycle.
    pub fn new(sets: impl IntoIterator<Item = N>, edges: impl IntoIterator<Item = (N, N)>) -> Result<Self, Cycle<N>> {
        let mut hierarchy = Self::default();
        for set in sets {
            hierarchy.add(set);
        }
        for (parent, child) in edges {
            if hierarchy.closure.contains_key(&parent) && hierarchy.closure.contains_key(&child) {
                hierarchy.include(&parent, &child)?;
            }
        }
        Ok(hierarchy)
    }

    /// Adds a set that includes nothing but itself.
    pub fn add(&mut self, set: N) {
        self.closure.entry(set.clone()).or_insert_with(|| BTreeSet::from([set]));
    }

    /// Puts a set directly into another. Returns the pairs that are new.
    ///
    /// # Errors
    /// When the one is in the other already: then nothing changed.
    pub fn include(&mut self, parent: &N, child: &N) -> Result<Pairs<N>, Cycle<N>> {
        if let Some(mut path) = self.path(child, parent) {
            path.insert(0, parent.clone());
            return Err(Cycle { path });
        }
        self.below.entry(parent.clone()).or_default().insert(child.clone());
        self.above.entry(child.clone()).or_default().insert(parent.clone());
        let gained = self.all_below(child);
        let mut pairs = Pairs::new();
        for upper in self.all_above(parent) {
            let closure = self.closure.entry(upper.clone()).or_default();
            for lower in &gained {
                if closure.insert(lower.clone()) {
                    pairs.insert((upper.clone(), lower.clone()));
                }
            }
        }
        Ok(pairs)
    }

    /// Takes a set out of another that it is directly in. Returns the pairs that are gone: none where another way leads there.
    pub fn exclude(&mut self, parent: &N, child: &N) -> Pairs<N> {
        if !self.below.get_mut(parent).is_some_and(|below| below.remove(child)) {
            return Pairs::new();
        }
        if let Some(above) = self.above.get_mut(child) {
            above.remove(parent);
        }
        let mut pairs = Pairs::new();
        for upper in self.all_above(parent) {
            let reached = self.walk(&upper, &self.below);
            if let Some(closure) = self.closure.get_mut(&upper) {
                let lost = closure.difference(&reached).map(|lower| (upper.clone(), lower.clone()));
                pairs.extend(lost);
                *closure = reached;
            }
        }
        pairs
    }

    /// Whether a set is in another, directly or through others; each is in itself.
    pub fn includes(&self, parent: &N, child: &N) -> bool {
        self.closure.get(parent).is_some_and(|closure| closure.contains(child))
    }

    /// A shortest way from a set to one that is in it, both ends included; of several the one that comes first in order.
    pub fn path(&self, parent: &N, child: &N) -> Option<Vec<N>> {
        if !self.includes(parent, child) && parent != child {
            return None;
        }
        let mut came_from: BTreeMap<&N, Option<&N>> = BTreeMap::from([(parent, None)]);
        let mut queue = VecDeque::from([parent]);
        while let Some(set) = queue.pop_front() {
            if set == child {
                break;
            }
            for next in self.below.get(set).into_iter().flatten() {
                if !came_from.contains_key(next) {
                    came_from.insert(next, Some(set));
                    queue.push_back(next);
                }
            }
        }
        let mut path = vec![child.clone()];
        let mut step = *came_from.get(child)?;
        while let Some(set) = step {
            path.push(set.clone());
            step = came_from.get(set).copied().flatten();
        }
        path.reverse();
        Some(path)
    }

    /// The direct subsets of a set.
    pub fn below(&self, set: &N) -> impl Iterator<Item = &N> {
        self.below.get(set).into_iter().flatten()
    }

    /// The sets that a set is directly in.
    pub fn above(&self, set: &N) -> impl Iterator<Item = &N> {
        self.above.get(set).into_iter().flatten()
    }

    /// All pairs of the closure.
    #[must_use]
    pub fn pairs(&self) -> Pairs<N> {
        let pairs = self.closure.iter();
        pairs
            .flat_map(|(parent, closure)| closure.iter().map(move |child| (parent.clone(), child.clone())))
            .collect()
    }

    fn all_below(&self, set: &N) -> BTreeSet<N> {
        self.closure.get(set).cloned().unwrap_or_else(|| BTreeSet::from([set.clone()]))
    }

    fn all_above(&self, set: &N) -> BTreeSet<N> {
        self.walk(set, &self.above)
    }

    fn walk(&self, from: &N, edges: &BTreeMap<N, BTreeSet<N>>) -> BTreeSet<N> {
        let mut seen = BTreeSet::from([from.clone()]);
        let mut open = vec![from];
        while let Some(set) = open.pop() {
            for next in edges.get(set).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cycle_is_refused_with_the_path_and_nothing_changes() {
        let mut hierarchy = Hierarchy::new(["a", "b", "c"], [("a", "b"), ("b", "c")]).unwrap();
        let before = hierarchy.clone();
        assert_eq!(hierarchy.include(&"c", &"a").unwrap_err().to_string(), "c > a > b > c");
        assert_eq!(hierarchy.include(&"a", &"a").unwrap_err().to_string(), "a > a");
        assert_eq!(hierarchy, before);
    }

    #[test]
    fn what_can_be_reached_in_another_way_stays_included() {
        let mut hierarchy = Hierarchy::new(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")]).unwrap();
        assert_eq!(hierarchy.exclude(&"a", &"c"), Pairs::new());
        assert!(hierarchy.includes(&"a", &"c"));
        assert_eq!(hierarchy.exclude(&"b", &"c"), Pairs::from([("a", "c"), ("b", "c")]));
    }

    proptest! {
        #[test]
        fn the_closure_is_what_a_naive_walk_reaches(edges in prop::collection::vec((any::<bool>(), 0u8..8, 0u8..8), 0..60)) {
            let mut hierarchy = Hierarchy::new(0..8, []).unwrap();
            let mut kept = BTreeSet::new();
            for (add, parent, child) in edges {
                let before = hierarchy.pairs();
                if add {
                    let refused = reaches(&kept, child, parent);
                    match hierarchy.include(&parent, &child) {
                        Ok(pairs) => {
                            prop_assert!(!refused);
                            kept.insert((parent, child));
                            prop_assert_eq!(&hierarchy.pairs() - &before, pairs);
                        }
                        Err(cycle) => {
                            prop_assert!(refused);
                            prop_assert_eq!(cycle.path.first(), cycle.path.last());
                            prop_assert!(cycle.path[1..].windows(2).all(|edge| kept.contains(&(edge[0], edge[1]))));
                        }
                    }
                } else {
                    kept.remove(&(parent, child));
                    let gone = hierarchy.exclude(&parent, &child);
                    prop_assert_eq!(&before - &hierarchy.pairs(), gone);
                }
                let naive = (0..8).flat_map(|parent| (0..8).map(move |child| (parent, child))).filter(|&(parent, child)| reaches(&kept, parent, child));
                prop_assert_eq!(hierarchy.pairs(), naive.collect());
            }
        }
    }

    /// Whether there is a way, by trying all of them.
    fn reaches(edges: &BTreeSet<(u8, u8)>, from: u8, to: u8) -> bool {
        from == to || edges.iter().any(|&(parent, child)| parent == from && reaches(edges, child, to))
    }
}

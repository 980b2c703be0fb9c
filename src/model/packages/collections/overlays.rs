//! Which collections lie over which, and in which order they are asked for a package.
//!
//! The rule is the fifth seed's, from its notes on `CollectionSet`: the overlay is asked, then the base with the lowest priority and whatever
//! that is based on, then the next. It leaves open what happens among equal priorities; here the names decide.

use std::collections::{BTreeMap, BTreeSet};

use super::collection::Base;
use crate::model::packages::SeriesName;

/// All overlays of a distribution, with their bases. There is no way from a collection back to itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlays {
    /// By priority and name.
    bases: BTreeMap<SeriesName, Vec<Base>>,
}

/// Why one collection cannot lie over another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    /// The base lies over the overlay, or is it.
    #[error("{overlay} over {base} makes a cycle: {}", shown(.path))]
    Cycle {
        /// What was to lie over the base.
        overlay: SeriesName,
        /// What was to lie below.
        base: SeriesName,
        /// From the overlay down to itself; each lies over the next.
        path: Vec<SeriesName>,
    },
    /// It does already.
    #[error("{overlay} lies over {base} already, with priority {priority}")]
    Already {
        /// The collection above.
        overlay: SeriesName,
        /// The collection below.
        base: SeriesName,
        /// The priority that it has.
        priority: i32,
    },
}

fn shown(path: &[SeriesName]) -> String {
    path.iter().map(SeriesName::as_str).collect::<Vec<_>>().join(" -> ")
}

/// Where a package was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// The collection that has it.
    pub collection: &'a SeriesName,
    /// The way there, from the collection that was asked; each lies over the next.
    pub path: Vec<&'a SeriesName>,
}

impl Overlays {
    /// The overlays of all these collections, each with its bases.
    ///
    /// # Errors
    ///
    /// When a collection has a base twice, or comes to lie over itself.
    pub fn of<'a>(collections: impl IntoIterator<Item = (&'a SeriesName, &'a [Base])>) -> Result<Self, OverlayError> {
        let mut overlays = Self::default();
        for (collection, bases) in collections {
            for base in bases {
                overlays.add(collection, base.clone())?;
            }
        }
        Ok(overlays)
    }

    /// Lays a collection over another.
    ///
    /// # Errors
    ///
    /// When it lies there already, or the base lies over the overlay, directly or not. Nothing is changed then.
    pub fn add(&mut self, overlay: &SeriesName, base: Base) -> Result<(), OverlayError> {
        if let Some(known) = self.bases(overlay).iter().find(|known| known.base == base.base) {
            return Err(OverlayError::Already {
                overlay: overlay.clone(),
                base: base.base,
                priority: known.priority,
            });
        }
        if let Some(found) = self.lookup(&base.base, |collection| collection == overlay) {
            let path = [overlay].into_iter().chain(found.path).cloned().collect();
            return Err(OverlayError::Cycle {
                overlay: overlay.clone(),
                base: base.base,
                path,
            });
        }
        let bases = self.bases.entry(overlay.clone()).or_default();
        let place = bases.partition_point(|other| (other.priority, &other.base) < (base.priority, &base.base));
        bases.insert(place, base);
        Ok(())
    }

    /// Takes a collection from over another. Tells whether it lay there.
    pub fn remove(&mut self, overlay: &SeriesName, base: &SeriesName) -> bool {
        let Some(bases) = self.bases.get_mut(overlay) else { return false };
        let before = bases.len();
        bases.retain(|known| known.base != *base);
        let is_changed = bases.len() < before;
        if bases.is_empty() {
            self.bases.remove(overlay);
        }
        is_changed
    }

    /// What a collection lies over directly, in the order in which it is asked.
    #[must_use]
    pub fn bases(&self, overlay: &SeriesName) -> &[Base] {
        self.bases.get(overlay).map_or(&[], Vec::as_slice)
    }

    /// The collections that are asked when `asked` is, itself first, each once: one that is reached in several ways, when it is first reached.
    #[must_use]
    pub fn order<'a>(&'a self, asked: &'a SeriesName) -> Order<'a> {
        Order {
            overlays: self,
            visited: Vec::new(),
            seen: BTreeSet::new(),
            waiting: vec![(asked, None)],
        }
    }

    /// The first collection in [`Self::order`] that has what is looked for, as `has` tells. It is asked once for each collection at most.
    pub fn lookup<'a>(&'a self, asked: &'a SeriesName, mut has: impl FnMut(&SeriesName) -> bool) -> Option<Found<'a>> {
        let mut order = self.order(asked);
        let collection = order.find(|collection| has(collection))?;
        Some(Found {
            collection,
            path: order.path(),
        })
    }
}

/// The collections that are asked, in order: what [`Overlays::order`] gives.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    overlays: &'a Overlays,
    /// What was given so far, each with the place of what lies over it.
    visited: Vec<(&'a SeriesName, Option<usize>)>,
    seen: BTreeSet<&'a SeriesName>,
    /// What is still to be given, the next one last. Some may have been given in another way by then.
    waiting: Vec<(&'a SeriesName, Option<usize>)>,
}

impl<'a> Order<'a> {
    /// The way to the collection that was given last, from the one that was asked; each lies over the next. Empty before the first.
    #[must_use]
    pub fn path(&self) -> Vec<&'a SeriesName> {
        let mut next = self.visited.len().checked_sub(1);
        let mut path = Vec::new();
        while let Some(place) = next {
            let (collection, above) = self.visited[place];
            path.push(collection);
            next = above;
        }
        path.reverse();
        path
    }
}

impl<'a> Iterator for Order<'a> {
    type Item = &'a SeriesName;

    fn next(&mut self) -> Option<&'a SeriesName> {
        loop {
            let (collection, above) = self.waiting.pop()?;
            if !self.seen.insert(collection) {
                continue;
            }
            let place = self.visited.len();
            self.visited.push((collection, above));
            let below = self.overlays.bases(collection).iter().rev();
            self.waiting.extend(below.map(|base| (&base.base, Some(place))));
            return Some(collection);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> SeriesName {
        text.parse().unwrap()
    }

    /// Overlays from lines such as `("python", "devel", 0)`.
    fn overlays(edges: &[(&str, &str, i32)]) -> Overlays {
        let mut overlays = Overlays::default();
        for (overlay, base, priority) in edges {
            let base = Base {
                base: name(base),
                priority: *priority,
            };
            overlays.add(&name(overlay), base).unwrap();
        }
        overlays
    }

    fn order(overlays: &Overlays, asked: &str) -> String {
        shown(&overlays.order(&name(asked)).cloned().collect::<Vec<_>>())
    }

    #[test]
    fn the_overlay_is_asked_then_its_bases_by_priority_depth_first_ties_by_name() {
        let overlays = overlays(&[
            ("python", "stable", 1),
            ("python", "devel", 0),
            ("python", "alpha", 1),
            ("python", "first", -1),
            ("devel", "core", 5),
        ]);
        assert_eq!(order(&overlays, "python"), "python -> first -> devel -> core -> alpha -> stable");
        assert_eq!(order(&overlays, "devel"), "devel -> core");
        assert_eq!(order(&overlays, "unknown"), "unknown");
    }

    #[test]
    fn a_collection_that_is_reached_twice_is_asked_when_first_reached() {
        let overlays = overlays(&[("top", "left", 0), ("top", "right", 1), ("left", "core", 9), ("right", "core", 0)]);
        assert_eq!(order(&overlays, "top"), "top -> left -> core -> right");
        let top = name("top");
        let found = overlays.lookup(&top, |collection| collection.as_str() == "core").unwrap();
        assert_eq!(found.path, [&name("top"), &name("left"), &name("core")]);
    }

    #[test]
    fn what_the_overlay_has_hides_what_its_bases_have() {
        let overlays = overlays(&[("top", "middle", 0), ("middle", "core", 0)]);
        let top = name("top");
        let found = |having: &[&str]| overlays.lookup(&top, |collection| having.contains(&collection.as_str()));
        assert_eq!(found(&["core", "middle"]).unwrap().collection.as_str(), "middle");
        assert_eq!(found(&["core"]).unwrap().path.len(), 3);
        assert_eq!(found(&["top"]).unwrap().path, [&top]);
        assert_eq!(found(&["elsewhere"]), None);
    }

    #[test]
    fn a_cycle_is_refused_with_the_way_around_and_nothing_is_changed() {
        let mut overlays = overlays(&[("a", "b", 0), ("b", "c", 0), ("b", "d", 1)]);
        let before = overlays.clone();
        let mut refused = |overlay: &str, base: &str| {
            let base = Base {
                base: name(base),
                priority: 0,
            };
            overlays.add(&name(overlay), base).unwrap_err().to_string()
        };
        insta::assert_snapshot!(refused("d", "a"), @"d over a makes a cycle: d -> a -> b -> d");
        insta::assert_snapshot!(refused("a", "a"), @"a over a makes a cycle: a -> a");
        insta::assert_snapshot!(refused("b", "d"), @"b lies over d already, with priority 1");
        assert_eq!(overlays, before);
    }

    #[test]
    fn what_was_taken_away_may_be_laid_the_other_way_round() {
        let mut overlays = overlays(&[("a", "b", 0)]);
        assert!(overlays.remove(&name("a"), &name("b")));
        assert!(!overlays.remove(&name("a"), &name("b")));
        let base = Base {
            base: name("a"),
            priority: 0,
        };
        overlays.add(&name("b"), base).unwrap();
        assert_eq!(order(&overlays, "b"), "b -> a");
    }

    #[test]
    fn the_bases_of_collections_are_their_overlays() {
        let (devel, python) = (name("devel"), name("python"));
        let over_devel = |priority| Base {
            base: devel.clone(),
            priority,
        };
        let bases = [over_devel(0)];
        assert_eq!(
            Overlays::of([(&devel, &[][..]), (&python, &bases)]),
            Ok(overlays(&[("python", "devel", 0)]))
        );
        assert!(Overlays::of([(&python, &[over_devel(0), over_devel(1)][..])]).is_err());
    }

    #[test]
    fn no_collection_is_asked_twice_however_many_ways_lead_to_it() {
        let mut ladder = Overlays::default();
        for rung in 0..30 {
            for side in ["l", "r"] {
                for (priority, below) in (0..).zip(["l", "r"]) {
                    let base = Base {
                        base: name(&format!("{below}{}", rung + 1)),
                        priority,
                    };
                    ladder.add(&name(&format!("{side}{rung}")), base).unwrap();
                }
            }
        }
        let mut asked = 0;
        let top = name("l0");
        let found = ladder.lookup(&top, |_| {
            asked += 1;
            false
        });
        assert_eq!((found, asked), (None, 61));
    }

    type Edge = (u8, u8, i32);

    /// The rule as one would say it, without a stack or a record of the way.
    fn naive(edges: &[Edge], asked: u8, order: &mut Vec<u8>) {
        if order.contains(&asked) {
            return;
        }
        order.push(asked);
        let mut bases: Vec<_> = edges.iter().filter(|edge| edge.0 == asked).collect();
        bases.sort_by_key(|(_, base, priority)| (*priority, *base));
        for (_, base, _) in bases {
            naive(edges, *base, order);
        }
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_a_naive_recursion_and_only_cycles_and_repetitions_are_refused(
            wanted in prop::collection::vec((0_u8..9, 0_u8..9, -1..2), 0..40),
        ) {
            let numbered = |number: u8| name(&number.to_string());
            let mut overlays = Overlays::default();
            let mut edges: Vec<Edge> = Vec::new();
            for (overlay, base, priority) in wanted {
                let mut below = Vec::new();
                naive(&edges, base, &mut below);
                let is_cycle = below.contains(&overlay);
                let is_known = edges.iter().any(|edge| (edge.0, edge.1) == (overlay, base));
                let added = overlays.add(&numbered(overlay), Base { base: numbered(base), priority });
                prop_assert_eq!(added.is_ok(), !is_cycle && !is_known);
                match added {
                    Ok(()) => edges.push((overlay, base, priority)),
                    Err(OverlayError::Cycle { path, .. }) => {
                        prop_assert_eq!((path.first(), path.get(1), path.last()), (Some(&numbered(overlay)), Some(&numbered(base)), Some(&numbered(overlay))));
                        for pair in path[1..].windows(2) {
                            prop_assert!(overlays.bases(&pair[0]).iter().any(|known| known.base == pair[1]));
                        }
                    }
                    Err(OverlayError::Already { .. }) => prop_assert!(is_known),
                }
            }
            for asked in 0..9 {
                let mut expected = Vec::new();
                naive(&edges, asked, &mut expected);
                let expected: Vec<_> = expected.into_iter().map(numbered).collect();
                let asked = numbered(asked);
                prop_assert_eq!(overlays.order(&asked).cloned().collect::<Vec<_>>(), expected.clone());
                for wanted in &expected {
                    let found = overlays.lookup(&asked, |collection| collection == wanted).unwrap();
                    prop_assert_eq!((found.path[0], found.collection, *found.path.last().unwrap()), (&asked, wanted, wanted));
                    for pair in found.path.windows(2) {
                        prop_assert!(overlays.bases(pair[0]).iter().any(|known| known.base == *pair[1]));
                    }
                }
            }
        }
    }
}

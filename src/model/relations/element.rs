//! The elements that are partitioned.

use std::cmp::Ordering;

/// One thing that is partitioned, by its place in the universe. What stands behind it (a patch, a message id, any token) is the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Element(pub u32);

impl Element {
    /// The element's place as an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a planner has to know of the elements themselves.
///
/// The order decides every tie, so it must come from what the elements *are* and not from where they stood in the input: that is what
/// makes a plan independent of the input's order.
pub trait Universe {
    /// The total order of the elements.
    fn compare(&self, left: Element, right: Element) -> Ordering;

    /// A coarse, cheap form of the order: `compare(a, b)` being `Less` implies `rank(a) <= rank(b)`.
    fn rank(&self, element: Element) -> u64;

    /// Whether whoever wants the desired partition knows this element at all. One that it does not name is wanted on its own.
    fn is_named(&self, element: Element) -> bool;
}

/// The universe whose elements were numbered in their order: the order is that of the numbers.
#[derive(Clone, Debug, Default)]
pub struct Numbered {
    unnamed: std::collections::BTreeSet<Element>,
}

impl Numbered {
    /// A universe in which the desired partition names everything but `unnamed`.
    #[must_use]
    pub fn with_unnamed(unnamed: std::collections::BTreeSet<Element>) -> Self {
        Self { unnamed }
    }
}

impl Universe for Numbered {
    fn compare(&self, left: Element, right: Element) -> Ordering {
        left.cmp(&right)
    }

    fn rank(&self, element: Element) -> u64 {
        u64::from(element.0)
    }

    fn is_named(&self, element: Element) -> bool {
        !self.unnamed.contains(&element)
    }
}

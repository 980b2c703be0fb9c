//! Who did what: what a tracker shows, against what kinset's own writes made of what both last agreed on.
//!
//! No trust is put in what a tracker tells of who wrote, because it does not tell it of every write: whatever is not explained by kinset's
//! own journal was done by somebody else.

use std::collections::{BTreeMap, BTreeSet};

use super::{ClassId, Element, Partition};

/// A write of kinset's own that took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnWrite {
    /// Took an element out of its relation.
    Clear(Element),
    /// Put an element and these into one relation.
    Relate(Element, Vec<Element>),
}

/// What Patchwork makes of a partition when nobody but kinset writes.
#[must_use]
pub fn expected(base: &Partition, writes: &[OwnWrite]) -> Partition {
    let mut labels = base.class_numbers().to_vec();
    let mut made: Vec<BTreeSet<Element>> = Vec::new();
    for write in writes {
        match write {
            OwnWrite::Clear(patch) => labels[patch.index()] = Partition::ALONE,
            OwnWrite::Relate(patch, related) => {
                let named = related.iter().chain([patch]);
                let joined: BTreeSet<Element> = named.flat_map(|&member| together(base, &made, &labels, member)).collect();
                let label = (base.len() + made.len()) as u32;
                for member in &joined {
                    labels[member.index()] = label;
                }
                made.push(joined);
            }
        }
    }
    Partition::from_labels(base.universe(), base.len() + made.len(), |element| {
        Some(labels[element.index()]).filter(|&label| label != Partition::ALONE)
    })
}

/// An element and all that have its label.
fn together(base: &Partition, made: &[BTreeSet<Element>], labels: &[u32], element: Element) -> BTreeSet<Element> {
    let label = labels[element.index()];
    let has_label = |member: &Element| labels[member.index()] == label;
    let mut together: BTreeSet<Element> = if label == Partition::ALONE {
        BTreeSet::new()
    } else if let Some(place) = (label as usize).checked_sub(base.len()) {
        made[place].iter().copied().filter(has_label).collect()
    } else {
        base.members(ClassId(label)).iter().copied().filter(has_label).collect()
    };
    together.insert(element);
    together
}

/// What differs between two partitions of one universe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Classes that hold elements that were not in one class before; ascending, each ascending.
    pub joined: Vec<Vec<Element>>,
    /// Former classes by the parts that they fell into, two or more; all ascending.
    pub split: Vec<Vec<Vec<Element>>>,
}

impl Edits {
    /// What leads from `before` to `after`.
    #[must_use]
    pub fn between(before: &Partition, after: &Partition) -> Self {
        let mut joined: Vec<Vec<Element>> = torn_classes(after, before).map(|parts| sorted(parts.concat())).collect();
        let mut split: Vec<Vec<Vec<Element>>> = torn_classes(before, after).collect();
        joined.sort_unstable();
        split.sort_unstable();
        Self { joined, split }
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.joined.is_empty() && self.split.is_empty()
    }

    /// The elements that are in another class than before.
    #[must_use]
    pub fn changed(&self) -> BTreeSet<Element> {
        let joined = self.joined.iter().flatten();
        joined.chain(self.split.iter().flatten().flatten()).copied().collect()
    }

    /// How many elements were taken out of their classes: of each all but the largest part, and all of one that nothing is left of.
    #[must_use]
    pub fn taken_out(&self) -> usize {
        let taken_out = |parts: &Vec<Vec<Element>>| {
            let sizes = parts.iter().map(Vec::len);
            let left = sizes.clone().max().filter(|&largest| largest > 1).unwrap_or_default();
            sizes.sum::<usize>() - left
        };
        self.split.iter().map(taken_out).sum()
    }

    /// The classes of a partition that changed elements are in, lone elements included; each ascending.
    #[must_use]
    pub fn classes_in(&self, partition: &Partition) -> Vec<Vec<Element>> {
        let changed: Vec<Element> = self.changed().into_iter().collect();
        let of_one = |part: &[Element]| partition.companions(part[0]).collect();
        parts(&changed, partition).into_iter().map(|part| sorted(of_one(&part))).collect()
    }

    /// The pairs that were together and no longer are, the smaller element first.
    pub fn parted(&self) -> impl Iterator<Item = (Element, Element)> + '_ {
        self.split.iter().flat_map(|parts| {
            let later = move |place: usize| parts[place + 1..].iter().flatten();
            let pairs = move |(place, part): (usize, &'_ Vec<Element>)| {
                let crossed = part.iter().flat_map(move |&one| later(place).map(move |&other| pair(one, other)));
                crossed.collect::<Vec<_>>()
            };
            parts.iter().enumerate().flat_map(pairs)
        })
    }
}

/// Two elements, the smaller first.
pub(super) fn pair(one: Element, other: Element) -> (Element, Element) {
    (one.min(other), one.max(other))
}

/// The classes of `of` whose members are not all in one class of `by`, as the parts that `by` makes of them.
fn torn_classes<'a>(of: &'a Partition, by: &'a Partition) -> impl Iterator<Item = Vec<Vec<Element>>> + 'a {
    of.classes().filter_map(|class| {
        let members = of.members(class);
        let first = by.class_of(members[0]);
        if first.is_some() && members.iter().all(|&member| by.class_of(member) == first) {
            return None;
        }
        Some(parts(members, by))
    })
}

/// Elements by the class that they are in; each that is in none is a part of its own. All ascending.
pub(super) fn parts(members: &[Element], by: &Partition) -> Vec<Vec<Element>> {
    let mut parts: BTreeMap<Result<ClassId, Element>, Vec<Element>> = BTreeMap::new();
    for &member in members {
        parts.entry(by.class_of(member).ok_or(member)).or_default().push(member);
    }
    let mut parts: Vec<Vec<Element>> = parts.into_values().map(sorted).collect();
    parts.sort_unstable();
    parts
}

fn sorted(mut elements: Vec<Element>) -> Vec<Element> {
    elements.sort_unstable();
    elements
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIVERSE: usize = 10;

    fn elements(numbers: &[u32]) -> Vec<Element> {
        numbers.iter().copied().map(Element).collect()
    }

    fn partition(classes: &[&[u32]]) -> Partition {
        let classes: Vec<Vec<Element>> = classes.iter().map(|class| elements(class)).collect();
        Partition::from_classes(UNIVERSE, classes.iter().map(Vec::as_slice))
    }

    fn relate(patch: u32, related: &[u32]) -> OwnWrite {
        OwnWrite::Relate(Element(patch), elements(related))
    }

    fn assert_expected(base: &[&[u32]], writes: &[OwnWrite], wanted: &[&[u32]]) {
        assert!(Edits::between(&partition(wanted), &expected(&partition(base), writes)).is_empty());
    }

    #[test]
    fn kinsets_own_writes_are_replayed_as_patchwork_carries_them_out() {
        let clear = |patch| OwnWrite::Clear(Element(patch));
        assert_expected(&[&[1, 2, 3]], &[clear(1)], &[&[2, 3]]);
        assert_expected(&[&[1, 2]], &[clear(1)], &[]);
        assert_expected(&[&[1, 2]], &[relate(3, &[1])], &[&[1, 2, 3]]);
        assert_expected(&[&[1, 2]], &[clear(1), relate(1, &[4, 5])], &[&[1, 4, 5]]);
        assert_expected(&[], &[relate(1, &[2]), relate(3, &[2, 4]), clear(2)], &[&[1, 3, 4]]);
        assert_expected(&[&[1, 2]], &[clear(2), relate(1, &[3])], &[&[1, 3]]);
    }

    #[test]
    fn a_class_that_grew_was_joined_and_a_class_that_fell_apart_is_told_by_its_parts() {
        let edits = Edits::between(&partition(&[&[1, 2, 3], &[4, 5]]), &partition(&[&[2, 3], &[1, 4, 5]]));
        assert_eq!(edits.joined, [elements(&[1, 4, 5])]);
        assert_eq!(edits.split, [[elements(&[1]), elements(&[2, 3])]]);
        let parted: Vec<_> = edits.parted().collect();
        assert_eq!(parted, [(Element(1), Element(2)), (Element(1), Element(3))]);
        assert_eq!(edits.taken_out(), 1);
        assert_eq!(edits.changed().len(), 5);
        assert_eq!(
            edits.classes_in(&partition(&[&[2, 3], &[1, 4, 5]])),
            [elements(&[1, 4, 5]), elements(&[2, 3])]
        );
    }

    #[test]
    fn all_of_a_class_that_nothing_is_left_of_were_taken_out() {
        let taken_out = |after: &[&[u32]]| Edits::between(&partition(&[&[1, 2], &[3, 4, 5, 6]]), &partition(after)).taken_out();
        assert_eq!(taken_out(&[&[3, 4, 5, 6]]), 2);
        assert_eq!(taken_out(&[&[1, 2], &[3, 4]]), 2);
        assert_eq!(taken_out(&[&[1, 2, 3, 4, 5, 6]]), 0);
        assert_eq!(taken_out(&[]), 6);
    }

    #[test]
    fn between_equal_partitions_there_is_nothing() {
        let edits = Edits::between(&partition(&[&[3, 1], &[4, 5]]), &partition(&[&[5, 4], &[1, 3]]));
        assert!(edits.is_empty());
        assert_eq!(edits.changed(), [].into());
    }
}

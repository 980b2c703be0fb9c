//! Disjoint classes over a universe of elements.

use super::Element;

/// A class of a [`Partition`]: two or more elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u32);

impl ClassId {
    /// The class's place as an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Marks an element that is on its own.
const ALONE: u32 = u32::MAX;

/// Disjoint classes of two or more elements; every other element of the universe is a class of one.
///
/// Twelve bytes an element at most: universes of ten million patches are planned in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    class_of: Vec<u32>,
    starts: Vec<u32>,
    members: Vec<Element>,
}

impl Partition {
    /// The partition in which each of `universe` elements is on its own.
    #[must_use]
    pub fn alone(universe: usize) -> Self {
        Self {
            class_of: vec![ALONE; universe],
            starts: vec![0],
            members: Vec::new(),
        }
    }

    /// Reads a partition from classes that are known not to share elements; `None` if two of them do, or one names an element twice.
    #[must_use]
    pub fn from_disjoint<C>(universe: usize, classes: impl Iterator<Item = C>) -> Option<Self>
    where
        C: ExactSizeIterator<Item = Element>,
    {
        let mut partition = Self::alone(universe);
        for members in classes.filter(|members| members.len() >= 2) {
            let class = partition.len() as u32;
            for element in members {
                if std::mem::replace(&mut partition.class_of[element.index()], class) != ALONE {
                    return None;
                }
                partition.members.push(element);
            }
            partition.starts.push(partition.members.len() as u32);
        }
        Some(partition)
    }

    /// Reads a partition from labels: elements with the same label are in one class, those with `None` are on their own.
    ///
    /// Labels are below `labels`. A label that only one element has makes no class. Classes are numbered in the order of their labels.
    #[must_use]
    pub fn from_labels(universe: usize, labels: usize, label_of: impl Fn(Element) -> Option<u32>) -> Self {
        let elements = || (0..universe as u32).map(Element);
        let mut class_of_label = vec![0_u32; labels];
        for label in elements().filter_map(&label_of) {
            class_of_label[label as usize] += 1;
        }
        let mut starts = vec![0_u32];
        let mut total = 0;
        for slot in &mut class_of_label {
            let size = *slot;
            *slot = ALONE;
            if size >= 2 {
                *slot = starts.len() as u32 - 1;
                total += size;
                starts.push(total);
            }
        }
        let mut class_of = vec![ALONE; universe];
        let mut members = vec![Element(0); total as usize];
        let mut next = starts.clone();
        for element in elements() {
            let class = label_of(element).map_or(ALONE, |label| class_of_label[label as usize]);
            if class != ALONE {
                class_of[element.index()] = class;
                let place = &mut next[class as usize];
                members[*place as usize] = element;
                *place += 1;
            }
        }
        Self { class_of, starts, members }
    }

    /// Reads a partition from its classes. Classes that share an element are one class.
    #[must_use]
    pub fn from_classes<'a>(universe: usize, classes: impl IntoIterator<Item = &'a [Element]>) -> Self {
        let mut labels = Labels::default();
        let mut label_of = vec![ALONE; universe];
        for class in classes {
            let label = labels.fresh();
            for element in class {
                let known = &mut label_of[element.index()];
                if *known == ALONE {
                    *known = label;
                } else {
                    labels.join(*known, label);
                }
            }
        }
        let roots = labels.roots();
        Self::from_labels(universe, roots.len(), |element| {
            let label = label_of[element.index()];
            (label != ALONE).then(|| roots[label as usize])
        })
    }

    /// In place of a class, the number of an element that is on its own.
    pub(super) const ALONE: u32 = ALONE;

    /// The number of each element's class, or [`Partition::ALONE`].
    pub(super) fn class_numbers(&self) -> &[u32] {
        &self.class_of
    }

    /// How many elements the universe has.
    #[must_use]
    pub fn universe(&self) -> usize {
        self.class_of.len()
    }

    /// How many classes of two or more there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether every element is on its own.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// How many elements are in a class of two or more.
    #[must_use]
    pub fn related(&self) -> usize {
        self.members.len()
    }

    /// The class that an element is in, or `None` when it is on its own.
    #[must_use]
    pub fn class_of(&self, element: Element) -> Option<ClassId> {
        let class = self.class_of[element.index()];
        (class != ALONE).then_some(ClassId(class))
    }

    /// The members of a class, in no order that means anything.
    #[must_use]
    pub fn members(&self, class: ClassId) -> &[Element] {
        &self.members[self.starts[class.index()] as usize..self.starts[class.index() + 1] as usize]
    }

    /// The classes in the order of their numbers.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = ClassId> + use<> {
        (0..self.len() as u32).map(ClassId)
    }

    /// The members of the element's class, the element itself included; just the element when it is on its own.
    pub fn companions(&self, element: Element) -> impl Iterator<Item = Element> + '_ {
        let class = self.class_of(element);
        let alone = if class.is_none() { Some(element) } else { None };
        class.map_or(&[][..], |class| self.members(class)).iter().copied().chain(alone)
    }
}

/// Labels that can turn out to mean the same (a disjoint-set forest with path halving; the smaller label is the root).
#[derive(Clone, Debug, Default)]
pub struct Labels {
    parent: Vec<u32>,
}

impl Labels {
    /// Labels `0..count`, all different.
    #[must_use]
    pub fn distinct(count: usize) -> Self {
        Self {
            parent: (0..count as u32).collect(),
        }
    }

    /// A label that differs from all others so far.
    pub fn fresh(&mut self) -> u32 {
        let label = self.parent.len() as u32;
        self.parent.push(label);
        label
    }

    /// Says that two labels mean the same.
    pub fn join(&mut self, left: u32, right: u32) {
        let (left, right) = (self.root(left), self.root(right));
        self.parent[left.max(right) as usize] = left.min(right);
    }

    fn root(&mut self, mut label: u32) -> u32 {
        while self.parent[label as usize] != label {
            let grandparent = self.parent[self.parent[label as usize] as usize];
            self.parent[label as usize] = grandparent;
            label = grandparent;
        }
        label
    }

    /// For each label, the smallest label that means the same.
    #[must_use]
    pub fn roots(mut self) -> Vec<u32> {
        for label in 0..self.parent.len() {
            // A root is never larger than its members, so the parent of `label` is settled by the time it is reached.
            self.parent[label] = self.parent[self.parent[label] as usize];
        }
        self.parent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(partition: &Partition) -> Vec<Vec<u32>> {
        partition
            .classes()
            .map(|class| partition.members(class).iter().map(|element| element.0).collect())
            .collect()
    }

    fn elements(numbers: &[u32]) -> Vec<Element> {
        numbers.iter().copied().map(Element).collect()
    }

    #[test]
    fn classes_that_share_an_element_are_one() {
        let lines = [
            elements(&[4, 1]),
            elements(&[2, 3]),
            elements(&[1, 2]),
            elements(&[5]),
            elements(&[6, 7]),
        ];
        let partition = Partition::from_classes(8, lines.iter().map(Vec::as_slice));
        assert_eq!(classes(&partition), [vec![1, 2, 3, 4], vec![6, 7]]);
        assert_eq!(partition.class_of(Element(5)), None);
        assert_eq!(partition.related(), 6);
    }

    #[test]
    fn an_element_named_twice_on_one_line_is_still_alone() {
        let partition = Partition::from_classes(2, [&elements(&[1, 1])[..]]);
        assert!(partition.is_empty());
    }

    #[test]
    fn a_long_chain_of_joins_is_one_class() {
        let lines: Vec<_> = (0..999).rev().map(|number| elements(&[number, number + 1])).collect();
        let partition = Partition::from_classes(1000, lines.iter().map(Vec::as_slice));
        assert_eq!(partition.len(), 1);
        assert_eq!(partition.related(), 1000);
    }

    #[test]
    fn companions_of_a_lone_element_are_itself() {
        let partition = Partition::from_classes(3, [&elements(&[0, 1])[..]]);
        assert_eq!(partition.companions(Element(2)).collect::<Vec<_>>(), elements(&[2]));
        assert_eq!(partition.companions(Element(1)).collect::<Vec<_>>(), elements(&[0, 1]));
    }
}

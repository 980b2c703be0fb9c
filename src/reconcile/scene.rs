//! Both universes side by side: what the analysis speaks of, and what the tracker has.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::config::DesiredFormat;
use crate::model::relations::{Element, Numbered, Partition, Universe};
use crate::model::{Patch, PatchId, Snapshot};
use crate::pasta::{GroupFile, with_single_file};

/// What the analysis and the tracker do not have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unmatched {
    /// How many elements the analysis names.
    pub named: usize,
    /// Those that are no patch in the tracker's projects, in their order.
    pub only_in_analysis: Vec<String>,
    /// For each of those, in the same order, the first patch that shares its group: it tells where and when the element belongs.
    pub beside: Vec<Option<PatchId>>,
    /// The patches in the tracker's projects that the analysis does not name, ascending.
    pub only_in_tracker: Vec<PatchId>,
}

impl Unmatched {
    /// How many elements of the analysis are patches in the tracker's projects.
    #[must_use]
    pub fn resolved(&self) -> usize {
        self.named - self.only_in_analysis.len()
    }
}

/// The patches in sight, and how the tracker relates them.
#[derive(Debug)]
pub(super) struct Sight {
    /// The patches, ascending: an element is a place in this list. Those outside the tracker's projects come in through relations.
    pub(super) patches: Vec<PatchId>,
    /// What the tracker has.
    pub(super) current: Partition,
}

impl Sight {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let related = snapshot.patches.values().flat_map(|patch| &patch.related);
        let patches: BTreeSet<PatchId> = snapshot.patches.keys().chain(related).copied().collect();
        let patches: Vec<PatchId> = patches.into_iter().collect();
        let relations = snapshot.patches.values().filter(|patch| !patch.related.is_empty());
        let relations = relations.map(|patch| {
            let members = std::iter::once(patch.id).chain(patch.related.iter().copied());
            members.filter_map(|member| place_of(&patches, member)).collect()
        });
        let current = partition(patches.len(), relations);
        Self { patches, current }
    }

    pub(super) fn patch(&self, element: Element) -> PatchId {
        self.patches[element.index()]
    }

    pub(super) fn element(&self, patch: PatchId) -> Option<Element> {
        place_of(&self.patches, patch)
    }

    /// The partition of what is in sight into these classes, each as far as it is in sight.
    pub(super) fn partition<'a>(&self, classes: impl Iterator<Item = &'a BTreeSet<PatchId>>) -> Partition {
        let elements = |class: &BTreeSet<PatchId>| class.iter().filter_map(|&patch| self.element(patch)).collect();
        partition(self.patches.len(), classes.map(elements))
    }
}

fn place_of(patches: &[PatchId], patch: PatchId) -> Option<Element> {
    patches.binary_search(&patch).ok().map(|place| Element(place as u32))
}

/// The relations that a tracker has and the classes that an analysis wants, over the same patches.
///
/// One mail may be several patches, one for each project that it was sent to: all of them join the class. A patch that the analysis does not
/// name is wanted on its own.
#[derive(Debug)]
pub struct Scene {
    /// The patches, ascending: an element is a place in this list. Those outside the tracker's projects come in through relations.
    pub patches: Vec<PatchId>,
    /// What the tracker has.
    pub current: Partition,
    /// What the analysis wants.
    pub desired: Partition,
    /// What the two do not have in common.
    pub unmatched: Unmatched,
}

impl Scene {
    /// Resolves an analysis against a snapshot of the tracker.
    #[must_use]
    pub fn resolve(snapshot: &Snapshot, analysis: &GroupFile, format: DesiredFormat) -> Self {
        let Sight { patches, current } = Sight::of(snapshot);
        let element_of = |id: PatchId| place_of(&patches, id);

        let lookup = Lookup::new(snapshot, format);
        let mut unmatched = Unmatched::default();
        let mut named: BTreeSet<Element> = BTreeSet::new();
        let desired = with_single_file(analysis, |universe, groups, elements| {
            unmatched.named = elements.len();
            let mut resolved: HashMap<Element, Vec<Element>> = HashMap::with_capacity(elements.len());
            let mut unknown = Vec::new();
            for &element in elements {
                let found: Vec<Element> = lookup
                    .patches(universe.token(element))
                    .iter()
                    .copied()
                    .filter_map(element_of)
                    .collect();
                if found.is_empty() {
                    unknown.push(element);
                }
                named.extend(&found);
                resolved.insert(element, found);
            }
            unknown.sort_unstable_by(|&left, &right| universe.compare(left, right));
            let of = |element: &Element| resolved.get(element).into_iter().flatten().copied();
            // Once for each class: a class that the tracker does not know may be large.
            let mut first_of_class: HashMap<_, Option<Element>> = HashMap::new();
            let mut first_beside = |&element: &Element| {
                let class = groups.class_of(element)?;
                let first = || groups.members(class).iter().flat_map(of).min();
                *first_of_class.entry(class.index()).or_insert_with(first)
            };
            unmatched.beside = unknown
                .iter()
                .map(|element| first_beside(element).map(|first| patches[first.index()]))
                .collect();
            unmatched.only_in_analysis = unknown.into_iter().map(|element| universe.token(element).to_owned()).collect();
            let alone = elements
                .iter()
                .filter(|&&element| groups.class_of(element).is_none())
                .map(|element| of(element).collect());
            let classes = groups.classes().map(|class| groups.members(class).iter().flat_map(of).collect());
            partition(patches.len(), classes.chain(alone))
        });
        let is_named = |id: PatchId| element_of(id).is_some_and(|element| named.contains(&element));
        unmatched.only_in_tracker = snapshot.patches.keys().copied().filter(|&id| !is_named(id)).collect();
        Self {
            patches,
            current,
            desired,
            unmatched,
        }
    }

    /// The elements, and which of them the analysis names.
    #[must_use]
    pub fn universe(&self) -> Numbered {
        let unnamed = &self.unmatched.only_in_tracker;
        Numbered::with_unnamed(unnamed.iter().filter_map(|&patch| self.element(patch)).collect())
    }

    /// The patch behind an element.
    #[must_use]
    pub fn patch(&self, element: Element) -> PatchId {
        self.patches[element.index()]
    }

    /// The element that stands for a patch, if it is in sight.
    #[must_use]
    pub fn element(&self, patch: PatchId) -> Option<Element> {
        place_of(&self.patches, patch)
    }
}

fn partition(universe: usize, classes: impl Iterator<Item = Vec<Element>>) -> Partition {
    let classes: Vec<Vec<Element>> = classes.collect();
    Partition::from_classes(universe, classes.iter().map(Vec::as_slice))
}

/// Finds the patches that an element of an analysis means.
pub(super) enum Lookup<'a> {
    ByMessageId(BTreeMap<&'a str, Vec<PatchId>>),
    ById(&'a BTreeMap<PatchId, Patch>),
}

impl<'a> Lookup<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, format: DesiredFormat) -> Self {
        match format {
            DesiredFormat::Ids => Self::ById(&snapshot.patches),
            DesiredFormat::Pasta => {
                let mut patches: BTreeMap<&str, Vec<PatchId>> = BTreeMap::new();
                for patch in snapshot.patches.values() {
                    patches.entry(patch.message_id.as_str()).or_default().push(patch.id);
                }
                Self::ByMessageId(patches)
            }
        }
    }

    pub(super) fn patches(&self, token: &str) -> Vec<PatchId> {
        match self {
            Self::ByMessageId(patches) => patches.get(token).cloned().unwrap_or_default(),
            Self::ById(patches) => token
                .parse()
                .ok()
                .map(PatchId)
                .filter(|id| patches.contains_key(id))
                .into_iter()
                .collect(),
        }
    }
}

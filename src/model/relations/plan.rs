//! The fewest writes from one partition to another.
//!
//! Patchwork knows two writes. *Clear* takes one patch out of its relation (and frees both members of a pair). *Relate* puts an address and
//! the patches that it names into one relation, at most one of which may exist already. So a relation either is *carried over* into one
//! desired class, or comes apart member by member; and a desired class either grows from one relation that is carried over, or is made
//! new. Carrying relation `C` over into class `D` saves
//!
//! > `s(C, D) = (k - 1) + ceil((|D| - 1) / c) - ceil((|D| - k) / c)`, for `k = |C ∩ D|` of two or more,
//!
//! where `c` is the [`AttachLimit`]; without a limit the two quotients are one, and one or nothing. The fewest writes are therefore
//! `sum(|C| - 1) + sum(ceil((|D| - 1) / c))` less the weight of a maximum-weight matching under `s`. Among the plans with the fewest writes
//! the one that keeps the most members in place is taken, because it rewrites the fewest rows: the matching's weight is `M * s + k`, with
//! `M` larger than the universe. The tests compare the number with an exhaustive search over all legal writes.

use std::cmp::Ordering;
use std::num::NonZeroU32;

use super::matching::{Edge, maximum_weight_matching};
use super::{ClassId, ClearReason, Element, Partition, Plan, RelateReason, Universe};

/// How many ids one relate may name at most. Patchwork saves the members of a relate one by one, about 17 queries each, so that large
/// classes are sent in several writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachLimit {
    /// Each class is related in one write.
    Unlimited,
    /// At most this many ids in the list of one relate.
    Ids(NonZeroU32),
}

impl AttachLimit {
    /// How many writes attach `newcomers` to a relation, or to a first member that stands for it.
    fn writes(self, newcomers: usize) -> usize {
        match self {
            Self::Unlimited => newcomers.min(1),
            Self::Ids(limit) => newcomers.div_ceil(limit.get() as usize),
        }
    }

    /// How many newcomers one write attaches at most.
    pub(super) fn chunk(self) -> usize {
        match self {
            Self::Unlimited => usize::MAX,
            Self::Ids(limit) => limit.get() as usize,
        }
    }
}

/// The question that a plan answers.
#[derive(Debug)]
pub struct Change<'a, U> {
    /// The elements that both partitions are of.
    pub universe: &'a U,
    /// What the tracker has.
    pub current: &'a Partition,
    /// What is wanted.
    pub desired: &'a Partition,
    /// How many ids one relate may name.
    pub attach_limit: AttachLimit,
}

impl<U> Copy for Change<'_, U> {}

impl<U> Clone for Change<'_, U> {
    fn clone(&self) -> Self {
        *self
    }
}

/// Computes the fewest writes that lead from the current to the desired partition.
///
/// The answer depends on the partitions and on the order that the universe gives its elements, and on nothing else.
#[must_use]
pub fn plan<U: Universe>(change: Change<'_, U>) -> Plan {
    let mut planner = Planner::new(change);
    for class in change.current.classes() {
        if planner.is_kept(class) {
            continue;
        }
        planner.plan_component(Node::Current(class));
    }
    for class in change.desired.classes() {
        planner.plan_component(Node::Desired(class));
    }
    let mut plan = planner.plan;
    plan.order_components(change.universe);
    plan
}

#[derive(Clone, Copy)]
enum Node {
    Current(ClassId),
    Desired(ClassId),
}

/// A class of the component at hand, with its smallest element, by which it is ordered.
#[derive(Clone, Copy)]
struct Anchored {
    class: ClassId,
    smallest: Element,
}

struct Planner<'a, U> {
    change: Change<'a, U>,
    plan: Plan,
    /// Weights are `scale * saved writes + members kept`.
    scale: i64,
    seen_current: Vec<bool>,
    seen_desired: Vec<bool>,
    /// The place of each desired class in [`Self::desired`], for those of the component at hand.
    place: Vec<u32>,
    /// The component at hand.
    current: Vec<Anchored>,
    desired: Vec<Anchored>,
    scratch: Vec<Element>,
}

impl<'a, U: Universe> Planner<'a, U> {
    fn new(change: Change<'a, U>) -> Self {
        Self {
            change,
            plan: Plan::default(),
            scale: change.current.universe() as i64 + 1,
            seen_current: vec![false; change.current.len()],
            seen_desired: vec![false; change.desired.len()],
            place: vec![0; change.desired.len()],
            current: Vec::new(),
            desired: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Whether a relation is a desired class as it is. Marks the class as seen if so.
    fn is_kept(&mut self, class: ClassId) -> bool {
        let Change { current, desired, .. } = self.change;
        let members = current.members(class);
        let Some(wanted) = desired.class_of(members[0]) else { return false };
        let kept = desired.members(wanted).len() == members.len() && members.iter().all(|&member| desired.class_of(member) == Some(wanted));
        self.seen_desired[wanted.index()] |= kept;
        kept
    }

    fn plan_component(&mut self, start: Node) {
        self.gather(start);
        let Some(first) = self.order_classes() else { return };
        let carried = self.choose_carried();
        self.emit_clears(&carried);
        self.emit_relates(&carried);
        self.plan.end_component(first, self.change.universe.rank(first));
    }

    /// Collects the classes that hang together with the first one through shared members.
    fn gather(&mut self, start: Node) {
        self.current.clear();
        self.desired.clear();
        self.reach(start);
        let (mut next_current, mut next_desired) = (0, 0);
        loop {
            if let Some(&Anchored { class, .. }) = self.current.get(next_current) {
                next_current += 1;
                let Change { current, desired, .. } = self.change;
                for &member in current.members(class) {
                    if let Some(wanted) = desired.class_of(member) {
                        self.reach(Node::Desired(wanted));
                    }
                }
            } else if let Some(&Anchored { class, .. }) = self.desired.get(next_desired) {
                next_desired += 1;
                let Change { current, desired, .. } = self.change;
                for &member in desired.members(class) {
                    if let Some(relation) = current.class_of(member) {
                        self.reach(Node::Current(relation));
                    }
                }
            } else {
                return;
            }
        }
    }

    fn reach(&mut self, node: Node) {
        let (partition, seen, list, class) = match node {
            Node::Current(class) => (self.change.current, &mut self.seen_current, &mut self.current, class),
            Node::Desired(class) => (self.change.desired, &mut self.seen_desired, &mut self.desired, class),
        };
        if !std::mem::replace(&mut seen[class.index()], true) {
            let members = partition.members(class);
            let smallest = members[1..].iter().fold(members[0], |smallest, &member| {
                if self.change.universe.compare(member, smallest) == Ordering::Less {
                    member
                } else {
                    smallest
                }
            });
            list.push(Anchored { class, smallest });
        }
    }

    /// Orders the component's classes by their smallest elements; gives the smallest of all, or `None` for an empty component.
    fn order_classes(&mut self) -> Option<Element> {
        let universe = self.change.universe;
        let by_smallest = |left: &Anchored, right: &Anchored| universe.compare(left.smallest, right.smallest);
        self.current.sort_unstable_by(by_smallest);
        self.desired.sort_unstable_by(by_smallest);
        for (place, desired) in self.desired.iter().enumerate() {
            self.place[desired.class.index()] = place as u32;
        }
        let firsts = self.current.first().into_iter().chain(self.desired.first());
        firsts
            .min_by(|left, right| by_smallest(left, right))
            .map(|anchored| anchored.smallest)
    }

    /// For each relation of the component, the place of the desired class that it is carried over into.
    fn choose_carried(&self) -> Vec<Option<usize>> {
        let edges: Vec<Vec<Edge>> = self.current.iter().map(|relation| self.savings(relation.class)).collect();
        match &edges[..] {
            [only] => vec![
                only.iter()
                    .max_by_key(|edge| (edge.weight, std::cmp::Reverse(edge.right)))
                    .map(|edge| edge.right),
            ],
            _ => maximum_weight_matching(&edges, self.desired.len()),
        }
    }

    /// What carrying a relation over into each desired class would save, for those where it saves anything.
    fn savings(&self, relation: ClassId) -> Vec<Edge> {
        let Change { current, desired, .. } = self.change;
        let wanted = current.members(relation).iter().filter_map(|&member| desired.class_of(member));
        // By place and not by number: the matching settles ties by the order of the edges, and the numbers come from the input's order.
        let mut shared: Vec<u32> = wanted.map(|class| self.place[class.index()]).collect();
        shared.sort_unstable();
        shared
            .chunk_by(PartialEq::eq)
            .filter(|members| members.len() >= 2)
            .map(|members| {
                let right = members[0] as usize;
                let saved = self.saved_writes(desired.members(self.desired[right].class).len(), members.len());
                Edge {
                    right,
                    weight: self.scale * saved as i64 + members.len() as i64,
                }
            })
            .collect()
    }

    /// `s(C, D)` of the module's docs.
    fn saved_writes(&self, wanted: usize, shared: usize) -> usize {
        let limit = self.change.attach_limit;
        (shared - 1) + limit.writes(wanted - 1) - limit.writes(wanted - shared)
    }

    fn emit_clears(&mut self, carried: &[Option<usize>]) {
        let Change {
            universe,
            current,
            desired,
            ..
        } = self.change;
        for (relation, carried) in self.current.iter().zip(carried) {
            let target = carried.map(|place| self.desired[place].class);
            let members = current.members(relation.class).iter().copied();
            self.scratch.clear();
            self.scratch
                .extend(members.filter(|&member| target.is_none() || desired.class_of(member) != target));
            self.scratch.sort_unstable_by(|&left, &right| universe.compare(left, right));
            if target.is_none() {
                // Clearing the last but one frees the last as well.
                self.scratch.pop();
            }
            for &member in &self.scratch {
                let reason = match desired.class_of(member) {
                    Some(_) => ClearReason::Moves,
                    None if universe.is_named(member) => ClearReason::Alone,
                    None => ClearReason::Unnamed,
                };
                self.plan.clear(member, reason);
            }
        }
    }

    fn emit_relates(&mut self, carried: &[Option<usize>]) {
        let Change {
            universe,
            current,
            desired,
            attach_limit,
        } = self.change;
        let mut carried_into: Vec<Option<ClassId>> = vec![None; self.desired.len()];
        for (relation, place) in self.current.iter().zip(carried) {
            if let Some(place) = place {
                carried_into[*place] = Some(relation.class);
            }
        }
        for (wanted, base) in self.desired.iter().zip(carried_into) {
            self.scratch.clear();
            self.scratch.extend_from_slice(desired.members(wanted.class));
            self.scratch.sort_unstable_by(|&left, &right| universe.compare(left, right));
            let members = &mut self.scratch;
            if let Some(base) = base {
                let is_present = |member: &Element| current.class_of(*member) == Some(base);
                let present = members.iter().copied().find(is_present);
                members.retain(|member| !is_present(member));
                self.plan.attach(present, members, attach_limit, RelateReason::Joins);
            } else if let [first, newcomers @ ..] = &members[..] {
                let (named, rest) = newcomers.split_at(newcomers.len().min(attach_limit.chunk()));
                self.plan.relate(*first, None, named, RelateReason::Forms);
                self.plan.attach(Some(*first), rest, attach_limit, RelateReason::Continues);
            }
        }
    }
}

//! The number of writes against an exhaustive search: every legal write of Patchwork is a move, and the shortest way wins.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use kinset::model::relations::{AttachLimit, Numbered, Operation, Partition, Step};

use super::{Classes, at_most, partition, plan_between};

const MOST_PATCHES: usize = 7;

/// The attach limits that are searched; 0 stands for none.
const LIMITS: [u32; 4] = [1, 2, 3, 0];

/// A state of Patchwork. Sets of patches are bit masks: this is, for each patch, the set that is its relation, empty when it has none.
///
/// A relation may have a single member (`PATCH p [p]` makes one), which no read shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct State([u8; MOST_PATCHES]);

impl State {
    fn give(&mut self, patches: u8, relation: u8) {
        for (patch, own) in self.0.iter_mut().enumerate() {
            if patches & 1 << patch != 0 {
                *own = relation;
            }
        }
    }

    /// The state after a write, or `None` where Patchwork answers 409.
    fn after(self, patch: usize, related: u8) -> Option<Self> {
        let mut next = self;
        let own = self.0[patch];
        if related == 0 {
            let rest = own & !(1 << patch);
            next.give(own, if rest.count_ones() >= 2 { rest } else { 0 });
            next.0[patch] = 0;
            return Some(next);
        }
        let together = related | 1 << patch;
        let mut existing = 0;
        for (patch, &relation) in self.0.iter().enumerate() {
            if together & 1 << patch != 0 && relation != 0 {
                if existing != 0 && existing != relation {
                    return None;
                }
                existing = relation;
            }
        }
        next.give(together | existing, together | existing);
        Some(next)
    }

    /// What reads show of it.
    fn visible(mut self) -> Self {
        for relation in &mut self.0 {
            if relation.count_ones() == 1 {
                *relation = 0;
            }
        }
        self
    }

    fn classes(self) -> Classes {
        let members = |relation: u8| (0..MOST_PATCHES as u32).filter(move |patch| relation & 1 << patch != 0);
        let relations = self.0.iter().filter(|&&relation| relation != 0);
        relations.map(|&relation| members(relation).collect()).collect()
    }

    /// The sizes of its relations: what is left of it when the patches lose their names.
    fn shape(self) -> Vec<usize> {
        let mut sizes: Vec<usize> = self.classes().iter().map(BTreeSet::len).collect();
        sizes.sort_unstable();
        sizes
    }

    fn carry_out(self, step: Step<'_>, attach_limit: AttachLimit) -> Option<Self> {
        let related = match step.operation {
            Operation::Clear(_) => 0,
            Operation::Relate(related, _) => {
                let most = match attach_limit {
                    AttachLimit::Unlimited => usize::MAX,
                    AttachLimit::Ids(limit) => limit.get() as usize,
                };
                assert!((1..=most).contains(&related.len()), "{step:?}");
                related.iter().fold(0, |set, other| set | 1 << other.0)
            }
        };
        self.after(step.patch.index(), related)
    }
}

/// Every state that can be reached, with what each write makes of it.
struct Moves {
    states: Vec<State>,
    next: Vec<Vec<usize>>,
}

impl Moves {
    fn explore(patches: usize, ids: u32) -> Self {
        let mut states = vec![State::default()];
        let mut number_of = HashMap::from([(State::default(), 0)]);
        let mut next = Vec::new();
        let most = if ids == 0 { u32::MAX } else { ids };
        let lists: Vec<u8> = (0..=u8::MAX >> (8 - patches)).filter(|list| list.count_ones() <= most).collect();
        while let Some(&state) = states.get(next.len()) {
            let writes = (0..patches).flat_map(|patch| lists.iter().map(move |&related| (patch, related)));
            let mut reached: Vec<usize> = writes
                .filter_map(|(patch, related)| state.after(patch, related))
                .map(|state| {
                    *number_of.entry(state).or_insert_with(|| {
                        states.push(state);
                        states.len() - 1
                    })
                })
                .collect();
            reached.sort_unstable();
            reached.dedup();
            next.push(reached);
        }
        Self { states, next }
    }

    /// The states that a read can show, which are the partitions.
    fn partitions(&self) -> impl Iterator<Item = State> + '_ {
        self.states.iter().copied().filter(|&state| state == state.visible())
    }

    /// The fewest writes from one partition to each, whatever hidden relations they leave behind.
    fn fewest_writes_from(&self, start: State) -> BTreeMap<State, usize> {
        let start = self.states.iter().position(|&state| state == start).unwrap();
        let mut distance = vec![usize::MAX; self.states.len()];
        distance[start] = 0;
        let mut queue = VecDeque::from([start]);
        let mut fewest = BTreeMap::new();
        while let Some(state) = queue.pop_front() {
            // Nearer states come first, so the first to show a partition is the nearest.
            fewest.entry(self.states[state].visible()).or_insert(distance[state]);
            for &next in &self.next[state] {
                if distance[next] == usize::MAX {
                    distance[next] = distance[state] + 1;
                    queue.push_back(next);
                }
            }
        }
        fewest
    }
}

/// Plans from each of `starts` to every partition, compares the numbers of writes, and carries the plans out.
fn compare_with_search(patches: usize, ids: u32, starts: impl Fn(&Moves) -> Vec<State>) -> usize {
    let moves = Moves::explore(patches, ids);
    let attach_limit = at_most(ids);
    let partitions: BTreeMap<State, Partition> = moves
        .partitions()
        .map(|state| (state, partition(patches, &state.classes())))
        .collect();
    let mut pairs = 0;
    for start in starts(&moves) {
        let fewest = moves.fewest_writes_from(start);
        assert_eq!(fewest.len(), partitions.len());
        for (end, desired) in &partitions {
            let plan = plan_between(&Numbered::default(), &partitions[&start], desired, attach_limit);
            let situation = || format!("{:?} to {:?}, attach limit {ids}", start.classes(), end.classes());
            assert_eq!(plan.writes(), fewest[end], "{}", situation());
            let mut state = start;
            for step in plan.steps() {
                state = state
                    .carry_out(step, attach_limit)
                    .unwrap_or_else(|| panic!("{}: {step:?} conflicts", situation()));
                assert_eq!(state, state.visible(), "{}: {step:?} leaves a relation of one", situation());
            }
            assert_eq!(state, *end, "{}", situation());
            pairs += 1;
        }
    }
    pairs
}

fn every_partition(moves: &Moves) -> Vec<State> {
    moves.partitions().collect()
}

/// One partition of each shape: the rest are the same after renaming the patches, and the search looks at all ends.
fn one_partition_of_each_shape(moves: &Moves) -> Vec<State> {
    let by_shape: BTreeMap<Vec<usize>, State> = moves.partitions().map(|state| (state.shape(), state)).collect();
    by_shape.into_values().collect()
}

#[test]
fn no_plan_takes_more_writes_than_an_exhaustive_search_between_all_partitions_of_up_to_six_patches() {
    for ids in LIMITS {
        let pairs: usize = (1..=5).map(|patches| compare_with_search(patches, ids, every_partition)).sum();
        assert_eq!(pairs, 1 + 4 + 25 + 15 * 15 + 52 * 52);
        assert_eq!(compare_with_search(6, ids, every_partition), 203 * 203);
    }
}

#[test]
fn no_plan_takes_more_writes_than_an_exhaustive_search_for_seven_patches() {
    for ids in LIMITS {
        assert_eq!(compare_with_search(7, ids, one_partition_of_each_shape), 15 * 877);
    }
}

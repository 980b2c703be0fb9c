//! Maximum-weight matching of a sparse bipartite graph.
//!
//! The primal-dual method (Kuhn and Munkres) with a shortest-path search per left node, over adjacency lists: `O(L * E log L)` for `L`
//! left nodes and `E` edges at worst, near linear for the small or forest-like graphs that real partitions give. Every left node may
//! also stay unmatched, at weight nothing, so the matching need not be perfect. Ties fall to the smaller node.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// An edge to a right node, with what is gained by choosing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub right: usize,
    pub weight: i64,
}

/// For each left node, the right node that it is matched with in a matching of the greatest total weight.
///
/// `edges` holds the edges of each left node; weights are positive.
pub(super) fn maximum_weight_matching(edges: &[Vec<Edge>], rights: usize) -> Vec<Option<usize>> {
    let mut search = Search::new(edges, rights);
    for root in 0..edges.len() {
        search.augment(root);
    }
    search.right_of
}

const FAR: i64 = i64::MAX;

/// The dual values keep `left + right >= weight` on every edge, with equality on matched ones.
struct Search<'a> {
    edges: &'a [Vec<Edge>],
    left_value: Vec<i64>,
    right_value: Vec<i64>,
    right_of: Vec<Option<usize>>,
    left_of: Vec<Option<usize>>,
    /// Of the search under way: the distance of each left node, and the left node from which each right node was reached.
    distance: Vec<i64>,
    reached_from: Vec<usize>,
    right_distance: Vec<i64>,
    seen_left: Vec<usize>,
    seen_right: Vec<usize>,
}

/// Where an augmenting path ends.
enum End {
    /// At a left node that gives up its partner, or at the root itself.
    Unmatched(usize),
    /// At a right node that had none.
    Free(usize),
}

impl<'a> Search<'a> {
    fn new(edges: &'a [Vec<Edge>], rights: usize) -> Self {
        let lefts = edges.len();
        Self {
            edges,
            left_value: edges
                .iter()
                .map(|edges| edges.iter().map(|edge| edge.weight).max().unwrap_or(0))
                .collect(),
            right_value: vec![0; rights],
            right_of: vec![None; lefts],
            left_of: vec![None; rights],
            distance: vec![FAR; lefts],
            reached_from: vec![0; rights],
            right_distance: vec![FAR; rights],
            seen_left: Vec::new(),
            seen_right: Vec::new(),
        }
    }

    fn augment(&mut self, root: usize) {
        let (end, length) = self.shortest_path(root);
        self.adjust_values(length);
        self.flip(&end);
        self.forget_search();
    }

    fn shortest_path(&mut self, root: usize) -> (End, i64) {
        let mut best = (End::Unmatched(root), self.left_value[root]);
        let mut heap = BinaryHeap::from([Reverse((0, root))]);
        self.distance[root] = 0;
        self.seen_left.push(root);
        while let Some(Reverse((distance, left))) = heap.pop() {
            if distance >= best.1 {
                break;
            }
            if distance > self.distance[left] {
                continue;
            }
            let stop_here = distance + self.left_value[left];
            if stop_here < best.1 {
                best = (End::Unmatched(left), stop_here);
            }
            for &Edge { right, weight } in &self.edges[left] {
                let reach = distance + self.left_value[left] + self.right_value[right] - weight;
                if reach >= self.right_distance[right] {
                    continue;
                }
                if self.right_distance[right] == FAR {
                    self.seen_right.push(right);
                }
                self.right_distance[right] = reach;
                self.reached_from[right] = left;
                match self.left_of[right] {
                    None if reach < best.1 => best = (End::Free(right), reach),
                    None => {}
                    Some(next) => {
                        if self.distance[next] == FAR {
                            self.seen_left.push(next);
                        }
                        self.distance[next] = reach;
                        heap.push(Reverse((reach, next)));
                    }
                }
            }
        }
        best
    }

    fn adjust_values(&mut self, length: i64) {
        for &left in &self.seen_left {
            self.left_value[left] -= (length - self.distance[left]).max(0);
        }
        for &right in &self.seen_right {
            self.right_value[right] += (length - self.right_distance[right]).max(0);
        }
    }

    fn flip(&mut self, end: &End) {
        let mut right = match *end {
            End::Free(right) => right,
            End::Unmatched(left) => match self.right_of[left].take() {
                Some(right) => right,
                None => return,
            },
        };
        loop {
            let left = self.reached_from[right];
            self.left_of[right] = Some(left);
            match self.right_of[left].replace(right) {
                Some(previous) => right = previous,
                None => return,
            }
        }
    }

    fn forget_search(&mut self) {
        for left in self.seen_left.drain(..) {
            self.distance[left] = FAR;
        }
        for right in self.seen_right.drain(..) {
            self.right_distance[right] = FAR;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn weight_of(edges: &[Vec<Edge>], matching: &[Option<usize>]) -> i64 {
        let mut used = std::collections::BTreeSet::new();
        matching
            .iter()
            .enumerate()
            .filter_map(|(left, right)| right.map(|right| (left, right)))
            .map(|(left, right)| {
                assert!(used.insert(right), "right node {right} matched twice");
                edges[left]
                    .iter()
                    .find(|edge| edge.right == right)
                    .expect("a matched pair is an edge")
                    .weight
            })
            .sum()
    }

    /// The oracle: every choice for the first left node, then the rest.
    fn best_by_trying_all(edges: &[Vec<Edge>], used: u32) -> i64 {
        let Some((first, rest)) = edges.split_first() else { return 0 };
        let without = best_by_trying_all(rest, used);
        first
            .iter()
            .filter(|edge| used & (1 << edge.right) == 0)
            .map(|edge| edge.weight + best_by_trying_all(rest, used | 1 << edge.right))
            .fold(without, i64::max)
    }

    fn graphs() -> impl Strategy<Value = Vec<Vec<Edge>>> {
        let edges = prop::collection::btree_map(0_usize..7, 1_i64..9, 0..6);
        let node = edges.prop_map(|edges| edges.into_iter().map(|(right, weight)| Edge { right, weight }).collect());
        prop::collection::vec(node, 0..7)
    }

    proptest! {
        #[test]
        fn the_weight_is_the_greatest_there_is(edges in graphs()) {
            let matching = maximum_weight_matching(&edges, 7);
            prop_assert_eq!(weight_of(&edges, &matching), best_by_trying_all(&edges, 0));
        }
    }

    #[test]
    fn greedy_choice_is_not_good_enough() {
        let edges = [
            vec![Edge { right: 0, weight: 5 }, Edge { right: 1, weight: 4 }],
            vec![Edge { right: 0, weight: 4 }],
        ];
        assert_eq!(maximum_weight_matching(&edges, 2), [Some(1), Some(0)]);
    }
}

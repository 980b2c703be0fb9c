//! The fewest writes by the formula, with the matching done by another library over a dense matrix.

use std::collections::BTreeSet;

use kinset::model::relations::AttachLimit;
use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

use super::Classes;

/// What the formula says of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fewest {
    /// The fewest writes that there are.
    pub writes: usize,
    /// The most members that can stay in their relations with so few writes.
    pub kept: usize,
}

/// Computes both from one matching, by weights in which a write counts for more than all patches.
pub(super) fn fewest(current: &Classes, desired: &Classes, attach_limit: AttachLimit) -> Fewest {
    let relates = |members: usize| match attach_limit {
        AttachLimit::Unlimited => members.min(1),
        AttachLimit::Ids(limit) => members.div_ceil(limit.get() as usize),
    };
    let (current, desired): (Vec<_>, Vec<_>) = (current.iter().collect(), desired.iter().collect());
    let shared = |relation: &BTreeSet<u32>, wanted: &BTreeSet<u32>| relation.intersection(wanted).count();
    let saved = |wanted: &BTreeSet<u32>, shared: usize| match shared {
        0 | 1 => 0,
        _ => (shared - 1) + relates(wanted.len() - 1) - relates(wanted.len() - shared),
    };
    let write: usize = 1 + current.iter().map(|relation| relation.len()).sum::<usize>();
    let columns = desired.len().max(current.len());
    let weights = Matrix::from_fn(current.len(), columns, |(row, column)| {
        let Some(wanted) = desired.get(column) else { return 0 };
        let shared = shared(current[row], wanted);
        if shared < 2 {
            0
        } else {
            (write * saved(wanted, shared) + shared) as i64
        }
    });
    let weight = if current.is_empty() { 0 } else { kuhn_munkres(&weights).0 as usize };
    let from_nothing: usize = current.iter().map(|relation| relation.len() - 1).sum::<usize>()
        + desired.iter().map(|wanted| relates(wanted.len() - 1)).sum::<usize>();
    Fewest {
        writes: from_nothing - weight / write,
        kept: weight % write,
    }
}

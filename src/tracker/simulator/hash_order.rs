//! The order in which Patchwork walks the patches of one write.
//!
//! Patchwork collects them in a Python `set`, so the order follows the hash of the patches' true numbers. It shows in two places: in the
//! order in which rows are saved and events left, and in whether the reply to a write lists the members from before or from after it (see
//! [`super::Rules::write`]). The layout here is that of `CPython`'s set (3.7 to 3.13 at least): open addressing, a probe of up to nine
//! neighbours before the perturbed jump, growth at three fifths full.

use crate::model::PatchId;

const SMALLEST_TABLE: usize = 8;
const NEIGHBOURS: usize = 9;
const PERTURB_SHIFT: u32 = 5;
const GROWS_SLOWER_ABOVE: usize = 50_000;

/// The order of `set(first)`.
pub(super) fn of(first: &[PatchId]) -> Vec<PatchId> {
    Table::built_from(first).walk()
}

/// The order of `set(first).union(second)`: a copy of the first set, to which the second's patches are added one by one.
pub(super) fn of_union(first: &[PatchId], second: &[PatchId]) -> Vec<PatchId> {
    let mut union = Table::built_from(first).copied();
    for &patch in second {
        union.add(patch);
    }
    union.walk()
}

#[derive(Clone)]
struct Table {
    slots: Vec<Option<PatchId>>,
    used: usize,
}

impl Table {
    fn with_room_above(needed: usize) -> Self {
        let mut size = SMALLEST_TABLE;
        while size <= needed {
            size *= 2;
        }
        Self {
            slots: vec![None; size],
            used: 0,
        }
    }

    fn built_from(patches: &[PatchId]) -> Self {
        let mut table = Self::with_room_above(0);
        for &patch in patches {
            table.add(patch);
        }
        table
    }

    fn walk(self) -> Vec<PatchId> {
        self.slots.into_iter().flatten().collect()
    }

    fn add(&mut self, patch: PatchId) {
        let slot = self.slot_for(patch);
        if self.slots[slot].is_some() {
            return;
        }
        self.slots[slot] = Some(patch);
        self.used += 1;
        if self.is_crowded_by(self.used) {
            let growth = if self.used > GROWS_SLOWER_ABOVE { 2 } else { 4 };
            *self = self.rebuilt_with_room_above(self.used * growth);
        }
    }

    /// A large copy grows before it is filled, and by less than a set that is filled one by one.
    fn copied(&self) -> Self {
        if Self::with_room_above(0).is_crowded_by(self.used) {
            self.rebuilt_with_room_above(self.used * 2)
        } else {
            self.clone()
        }
    }

    fn rebuilt_with_room_above(&self, needed: usize) -> Self {
        let mut table = Self::with_room_above(needed);
        for &patch in self.slots.iter().flatten() {
            let slot = table.slot_for(patch);
            table.slots[slot] = Some(patch);
            table.used += 1;
        }
        table
    }

    fn mask(&self) -> usize {
        self.slots.len() - 1
    }

    fn is_crowded_by(&self, patches: usize) -> bool {
        patches * 5 >= self.mask() * 3
    }

    /// Where the patch is, or where it would go.
    fn slot_for(&self, patch: PatchId) -> usize {
        let mask = self.mask();
        let mut perturb = patch.0;
        let mut start = low_bits(patch.0, mask);
        loop {
            let neighbours = if start + NEIGHBOURS <= mask { NEIGHBOURS } else { 0 };
            let free = (start..=start + neighbours).find(|&slot| self.slots[slot].is_none_or(|there| there == patch));
            if let Some(slot) = free {
                return slot;
            }
            perturb >>= PERTURB_SHIFT;
            start = low_bits((start as u64).wrapping_mul(5).wrapping_add(1).wrapping_add(perturb), mask);
        }
    }
}

fn low_bits(number: u64, mask: usize) -> usize {
    (number & mask as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::{of, of_union};
    use crate::model::PatchId;

    fn ids(numbers: &[u64]) -> Vec<PatchId> {
        numbers.iter().copied().map(PatchId).collect()
    }

    // The expected orders were printed by CPython 3.12.1.

    #[test]
    fn a_set_is_walked_as_cpython_walks_it() {
        for (built_from, walked) in [
            (&[3, 1, 2][..], &[1, 2, 3][..]),
            (&[30, 31, 32, 33], &[32, 33, 30, 31]),
            (&[9, 1, 17, 8], &[8, 9, 1, 17]),
            (&[40, 8, 16, 24, 32, 0], &[32, 0, 40, 8, 16, 24]),
            (
                &[160, 66, 190, 92, 177, 190, 167, 136, 8, 120, 199, 64],
                &[160, 64, 66, 167, 136, 8, 199, 177, 120, 92, 190],
            ),
            (&[1, 9, 17, 25, 33, 41, 49, 57], &[1, 33, 9, 41, 17, 49, 25, 57]),
        ] {
            assert_eq!(of(&ids(built_from)), ids(walked), "set({built_from:?})");
        }
    }

    #[test]
    fn a_union_is_walked_as_cpython_walks_it() {
        for (first, second, walked) in [
            (&[15, 7][..], &[1][..], &[1, 7, 15][..]),
            (&[8, 5, 6], &[1, 2, 4, 5, 7, 8, 9], &[1, 2, 4, 5, 6, 7, 8, 9]),
            (&[33, 1, 65, 97, 129], &[2, 34, 66, 98], &[65, 129, 1, 2, 66, 33, 97, 34, 98]),
            (
                &[101, 7, 300, 32, 64, 5],
                &[96, 128, 160, 7, 1],
                &[64, 128, 1, 5, 7, 32, 96, 160, 101, 300],
            ),
        ] {
            assert_eq!(of_union(&ids(first), &ids(second)), ids(walked), "set({first:?}).union({second:?})");
        }
    }
}

//! How many rows are missing.

use std::collections::BTreeSet;

use crate::store::salvage::Gap;

/// How many numbers of rows are missing in the parts of a table that cannot be read, where numbers are given one after the other and rows never
/// go: `None` where that is not so, or where the last ones are missing and `last` does not say how far they went.
pub(super) fn missing(gaps: &[Gap], kept: &BTreeSet<i64>, last: Option<i64>) -> Option<u64> {
    let is_end_lost = gaps.iter().any(|gap| gap.up_to.is_none());
    let last = if is_end_lost {
        last?
    } else {
        gaps.iter().filter_map(|gap| gap.up_to).chain(kept.last().copied()).max()?
    };
    let mut missing = 0_u64;
    let mut before = 0;
    for number in kept.iter().copied().filter(|&number| number <= last).chain([last.checked_add(1)?]) {
        let between = number.checked_sub(before)?.checked_sub(1)?;
        let is_covered = |gap: &Gap| gap.after.is_none_or(|after| after <= before) && gap.up_to.is_none_or(|up_to| up_to >= number - 1);
        if between > 0 && !gaps.iter().any(is_covered) {
            return None;
        }
        missing += u64::try_from(between).ok()?;
        before = number;
    }
    Some(missing)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::missing;
    use crate::store::salvage::Gap;

    const fn gap(after: i64, up_to: i64) -> Gap {
        Gap {
            after: Some(after),
            up_to: Some(up_to),
        }
    }

    #[test]
    fn what_is_missing_between_two_numbers_is_counted() {
        let kept = BTreeSet::from([1, 2, 6, 7]);
        assert_eq!(missing(&[gap(2, 5), gap(3, 5)], &kept, None), Some(3));
    }

    #[test]
    fn numbers_that_were_free_before_tell_nothing() {
        let kept = BTreeSet::from([1, 2, 6, 9]);
        assert_eq!(missing(&[gap(2, 5)], &kept, None), None);
    }

    #[test]
    fn how_many_were_last_has_to_be_known() {
        let kept = BTreeSet::from([1, 2]);
        let open = Gap {
            after: Some(2),
            up_to: None,
        };
        assert_eq!(missing(&[open], &kept, None), None);
        assert_eq!(missing(&[open], &kept, Some(5)), Some(3));
    }
}

//! How many rows to ask for at once.

/// Patchwork's own maximum, which servers may lower but hardly ever raise.
const MOST_ROWS: usize = 250;

/// The fewest rows worth a request: when even these come too slowly, their number is not the cause.
const FEWEST_ROWS: usize = 8;

/// A page beyond this many bytes is too much at once.
///
/// 250 rows are 0.4 MB when nothing is related, 6.5 MB in relations of 50: each row repeats all of its relatives.
const TARGET_BYTES: usize = 4_000_000;

/// The number of rows per page, kept to what the server answers in good time and good measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageSize {
    rows: usize,
    /// Grows no further than this, since more was too slow.
    ceiling: usize,
    /// The server gives no more than this.
    most: usize,
}

impl PageSize {
    pub(super) const fn new() -> Self {
        Self {
            rows: MOST_ROWS,
            ceiling: MOST_ROWS,
            most: MOST_ROWS,
        }
    }

    /// Rows to ask for.
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// Learns that the server gives at most `rows`, whatever is asked for.
    pub(super) fn cap(&mut self, rows: usize) {
        self.most = rows;
        self.ceiling = self.ceiling.min(rows);
        self.rows = self.rows.min(rows);
    }

    /// Learns from a page of up to `rows` rows that came.
    ///
    /// A page far below the target asks for twice the rows; that stays below half of the target, so that sizes do not swing.
    pub(super) fn page_came(&mut self, rows: usize, bytes: usize) {
        if !can_shrink(rows) {
            self.ceiling = self.most;
        }
        if bytes > TARGET_BYTES {
            self.rows = self.rows.min(fewer_than(rows));
        } else if bytes <= TARGET_BYTES / 4 && self.rows == rows {
            self.rows = (rows * 2).min(self.ceiling);
        }
    }

    /// Learns that a page of `rows` rows did not come in time, or was far too large, so that fewer are asked for from here on.
    ///
    /// More are not tried again, unless pages of the smallest size came to be asked for: then it may have been the server's hour and not
    /// the size.
    pub(super) fn page_failed(&mut self, rows: usize) {
        self.rows = self.rows.min(fewer_than(rows));
        self.ceiling = self.rows;
    }
}

/// Whether fewer rows than these are worth a request.
pub(super) const fn can_shrink(rows: usize) -> bool {
    rows > FEWEST_ROWS
}

fn fewer_than(rows: usize) -> usize {
    (rows / 2).max(FEWEST_ROWS).min(rows)
}

#[cfg(test)]
mod tests {
    use super::{FEWEST_ROWS, MOST_ROWS, PageSize, TARGET_BYTES, can_shrink};

    #[test]
    fn pages_over_the_target_halve_and_small_ones_grow_back() {
        let mut size = PageSize::new();
        size.page_came(250, TARGET_BYTES + 1);
        assert_eq!(size.rows(), 125);
        size.page_came(125, TARGET_BYTES);
        assert_eq!(size.rows(), 125);
        size.page_came(125, TARGET_BYTES / 4);
        assert_eq!(size.rows(), MOST_ROWS);
        size.page_came(250, 0);
        assert_eq!(size.rows(), MOST_ROWS);
    }

    #[test]
    fn pages_that_were_under_way_together_change_the_size_once() {
        let mut size = PageSize::new();
        size.page_failed(250);
        size.page_failed(250);
        size.page_came(250, TARGET_BYTES + 1);
        size.page_came(250, 0);
        assert_eq!(size.rows(), 125);
    }

    #[test]
    fn what_was_too_slow_is_not_asked_for_again() {
        let mut size = PageSize::new();
        size.page_failed(250);
        size.page_came(125, 0);
        assert_eq!(size.rows(), 125);
    }

    #[test]
    fn once_the_smallest_pages_come_larger_ones_are_tried_again() {
        let mut size = PageSize::new();
        while can_shrink(size.rows()) {
            size.page_failed(size.rows());
        }
        assert_eq!(size.rows(), FEWEST_ROWS);
        for expected in [16, 32, 64, 128, 250] {
            size.page_came(size.rows(), 0);
            assert_eq!(size.rows(), expected);
        }
    }

    #[test]
    fn a_servers_own_maximum_is_never_exceeded() {
        let mut size = PageSize::new();
        size.cap(100);
        assert_eq!(size.rows(), 100);
        size.page_came(100, TARGET_BYTES + 1);
        size.page_came(50, 0);
        size.page_came(100, 0);
        assert_eq!(size.rows(), 100);
    }

    #[test]
    fn a_maximum_below_the_smallest_size_is_kept_to() {
        let mut size = PageSize::new();
        size.cap(3);
        size.page_came(3, TARGET_BYTES + 1);
        assert_eq!(size.rows(), 3);
    }
}

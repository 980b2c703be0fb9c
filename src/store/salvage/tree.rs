//! Trees of pages, each of which is a table or an index.

use std::collections::BTreeSet;

use rusqlite::types::Value;

use super::pages::{DEEPEST, Pages, number};
use super::record;

/// What keeps the rows of a tree in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) enum Shape {
    /// A number apart from the record.
    Rowid,
    /// The record itself: an index, or a table without such numbers.
    Record,
}

impl Shape {
    /// What the pages of a tree begin with: those that lead on, and those at the end of the way.
    const fn kinds(self) -> (u8, u8) {
        match self {
            Self::Rowid => (0x05, 0x0d),
            Self::Record => (0x02, 0x0a),
        }
    }

    /// What a page is part of, if it looks like one of a tree.
    pub(super) fn of(page: &[u8]) -> Option<Self> {
        [Self::Rowid, Self::Record].into_iter().find(|shape| {
            let (inner, leaf) = shape.kinds();
            page.first().is_some_and(|&kind| kind == inner || kind == leaf)
        })
    }
}

/// A row of a tree.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) struct Row {
    /// Its number, where the tree has such.
    pub(in crate::store) rowid: Option<i64>,
    /// Its values, in the order in which they are stored.
    pub(in crate::store) values: Vec<Value>,
}

/// A part of a tree that cannot be read, and between which numbers its rows were: after the one, and up to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Gap {
    pub(in crate::store) after: Option<i64>,
    pub(in crate::store) up_to: Option<i64>,
}

/// A walk through trees of a database: each page belongs to one of them.
pub(in crate::store) struct Walk<'p> {
    pages: &'p Pages,
    seen: BTreeSet<u32>,
    /// What trees led to and was no page of theirs.
    damaged: BTreeSet<u32>,
}

/// How to read one tree.
struct Visit<'v> {
    shape: Shape,
    row: &'v mut dyn FnMut(Row),
    gaps: Vec<Gap>,
}

impl<'p> Walk<'p> {
    pub(in crate::store) const fn new(pages: &'p Pages) -> Self {
        Self {
            pages,
            seen: BTreeSet::new(),
            damaged: BTreeSet::new(),
        }
    }

    /// Hands over the rows of a tree that can be read, in order, and returns the parts that cannot.
    pub(in crate::store) fn tree(&mut self, root: u32, shape: Shape, row: &mut dyn FnMut(Row)) -> Vec<Gap> {
        let mut visit = Visit {
            shape,
            row,
            gaps: Vec::new(),
        };
        let all = Gap { after: None, up_to: None };
        if self.page(root, &mut visit, all, 0).is_none() {
            visit.gaps.push(all);
        }
        visit.gaps
    }

    /// The trees that nothing leads to, by their roots: of tables that nobody knows any more, and parts of trees that broke apart. None where it
    /// cannot be told which pages hold nothing any more, as what such a page says was deleted.
    pub(super) fn strays(&self) -> Vec<(u32, Shape)> {
        let Some(free) = self.free() else {
            return Vec::new();
        };
        let is_unknown = |page: &u32| !self.seen.contains(page) && !free.contains(page);
        let mut led_to = BTreeSet::new();
        let mut strays = Vec::new();
        for number in (2..=self.pages.count()).filter(is_unknown) {
            let Some(page) = self.pages.read(number) else { continue };
            let Some(shape) = Shape::of(&page) else { continue };
            let Some(cells) = Cells::of(&page, shape, 0) else { continue };
            led_to.extend(cells.children());
            strays.push((number, shape));
        }
        strays.retain(|(page, _)| !led_to.contains(page));
        strays
    }

    /// Whether each page of the database is one that a tree led to, or holds nothing any more, if these are trees of their own, and all of them are
    /// whole. Then no other tree has lost anything but what is on pages that were damaged and are known to be its own.
    pub(super) fn accounts_for_all(&self, strays: impl Iterator<Item = (u32, Shape)>) -> bool {
        let Some(free) = self.free().filter(|_| !self.pages.is_cut_short()) else {
            return false;
        };
        let mut walk = Self {
            pages: self.pages,
            seen: self.seen.clone(),
            damaged: BTreeSet::new(),
        };
        for (root, shape) in strays {
            if !walk.tree(root, shape, &mut |_| {}).is_empty() {
                return false;
            }
        }
        let are_there = self.damaged.iter().all(|&page| page <= self.pages.count());
        let is_accounted_for =
            |page: &u32| walk.seen.contains(page) || self.damaged.contains(page) || free.contains(page) || self.pages.is_never_used(*page);
        are_there && (2..=self.pages.count()).all(|page| is_accounted_for(&page))
    }

    /// The pages with rows that nothing led to until now, of trees with numbers apart from records.
    pub(super) fn unseen_leaves(&self) -> Vec<u32> {
        let free = self.free().unwrap_or_default();
        let (_, leaf) = Shape::Rowid.kinds();
        let is_unseen_leaf = |number: &u32| {
            let is_unseen = !self.seen.contains(number) && !free.contains(number);
            is_unseen && self.pages.read(*number).is_some_and(|page| page.first() == Some(&leaf))
        };
        (2..=self.pages.count()).filter(is_unseen_leaf).collect()
    }

    /// The pages that hold nothing any more; `None` where that cannot be told, as where one of them is of a tree.
    fn free(&self) -> Option<BTreeSet<u32>> {
        self.pages.free().filter(|free| free.is_disjoint(&self.seen))
    }

    /// Reads a page and all that it leads to; `None` if it is no page of this tree.
    fn page(&mut self, number: u32, visit: &mut Visit<'_>, within: Gap, depth: usize) -> Option<()> {
        if depth > DEEPEST || self.seen.contains(&number) {
            return None;
        }
        let page = self.pages.read(number).unwrap_or_default();
        // The first page begins with what is said of the whole.
        let cells = Cells::of(&page, visit.shape, if number == 1 { 100 } else { 0 });
        // `SQLite` gives back what has become empty, but for the root.
        let Some(cells) = cells.filter(|cells| depth == 0 || !cells.is_empty()) else {
            self.damaged.insert(number);
            return None;
        };
        self.seen.insert(number);
        let mut after = within.after;
        for &place in &cells.places {
            let up_to = self.cell(&cells, place, visit, Gap { after, ..within }, depth);
            after = up_to.or(after);
        }
        if let Some(last) = cells.last {
            self.child(last, visit, Gap { after, ..within }, depth);
        }
        Some(())
    }

    fn child(&mut self, number: u32, visit: &mut Visit<'_>, within: Gap, depth: usize) {
        if self.page(number, visit, within, depth + 1).is_none() {
            visit.gaps.push(within);
        }
    }

    /// Reads a cell and what it leads to. Returns its number, where it has one.
    fn cell(&mut self, cells: &Cells<'_>, place: usize, visit: &mut Visit<'_>, within: Gap, depth: usize) -> Option<i64> {
        let mut rest = cells.page.get(place..).unwrap_or_default();
        let child = cells.last.is_some().then(|| number(rest, 0));
        if child.is_some() {
            rest = rest.get(4..).unwrap_or_default();
        }
        if let (Some(child), Shape::Rowid) = (child, visit.shape) {
            let key = record::varint(rest)
                .map(|(key, _)| key.cast_signed())
                .filter(|&key| is_within(key, within));
            let up_to = key.or(within.up_to);
            self.child(child, visit, Gap { up_to, ..within }, depth);
            return key;
        }
        if let Some(child) = child {
            self.child(child, visit, within, depth);
        }
        match self
            .row(rest, visit.shape)
            .filter(|row| row.rowid.is_none_or(|rowid| is_within(rowid, within)))
        {
            Some(row) => {
                let rowid = row.rowid;
                (visit.row)(row);
                rowid
            }
            None => {
                visit.gaps.push(within);
                None
            }
        }
    }

    fn row(&mut self, cell: &[u8], shape: Shape) -> Option<Row> {
        let (length, read) = record::length(cell)?;
        let cell = cell.get(read..)?;
        let (rowid, cell) = match shape {
            Shape::Rowid => {
                let (rowid, read) = record::varint(cell)?;
                (Some(rowid.cast_signed()), cell.get(read..)?)
            }
            Shape::Record => (None, cell),
        };
        let here = self.length_here(length, shape);
        if here == length {
            let values = record::values(cell.get(..length)?)?;
            return Some(Row { rowid, values });
        }
        let mut record = cell.get(..here)?.to_vec();
        let mut chain = BTreeSet::new();
        let mut next = number(cell.get(here..here + 4)?, 0);
        while record.len() < length {
            if self.seen.contains(&next) || !chain.insert(next) {
                return None;
            }
            let page = self.pages.read(next)?;
            let part = &page[4..];
            record.extend_from_slice(&part[..part.len().min(length - record.len())]);
            next = number(&page, 0);
        }
        let values = record::values(&record)?;
        self.seen.extend(chain);
        Some(Row { rowid, values })
    }

    /// How much of a record of this length stands in its cell; the rest is on pages of its own.
    const fn length_here(&self, length: usize, shape: Shape) -> usize {
        let usable = self.pages.size();
        let most = match shape {
            Shape::Rowid => usable - 35,
            Shape::Record => (usable - 12) * 64 / 255 - 23,
        };
        if length <= most {
            return length;
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let even = least + (length - least) % (usable - 4);
        if even <= most { even } else { least }
    }
}

const fn is_within(rowid: i64, Gap { after, up_to }: Gap) -> bool {
    let is_after = match after {
        Some(after) => rowid > after,
        None => true,
    };
    let is_up_to = match up_to {
        Some(up_to) => rowid <= up_to,
        None => true,
    };
    is_after && is_up_to
}

/// The cells of a page.
struct Cells<'p> {
    page: &'p [u8],
    places: Vec<usize>,
    /// The page that comes after all of them, where they lead on.
    last: Option<u32>,
}

impl<'p> Cells<'p> {
    /// The cells of a page of a tree, whose own beginning is at `start`; `None` if it is no such page.
    fn of(page: &'p [u8], shape: Shape, start: usize) -> Option<Self> {
        let (inner, leaf) = shape.kinds();
        let kind = *page.get(start)?;
        if kind != inner && kind != leaf {
            return None;
        }
        let last = (kind == inner).then(|| number(page, start + 8));
        let list = start + if last.is_some() { 12 } else { 8 };
        let count = usize::from(u16::from_be_bytes([page[start + 3], page[start + 4]]));
        let list_end = list + 2 * count;
        let (places, _) = page.get(list..list_end)?.as_chunks::<2>();
        let places: Vec<usize> = places.iter().map(|&place| usize::from(u16::from_be_bytes(place))).collect();
        let is_sound = places.iter().all(|&place| place >= list_end && place < page.len()) && last != Some(0);
        is_sound.then_some(Self { page, places, last })
    }

    const fn is_empty(&self) -> bool {
        self.places.is_empty() && self.last.is_none()
    }

    /// The pages that the cells lead to.
    fn children(&self) -> impl Iterator<Item = u32> {
        let before = self.last.map(|_| &self.places).into_iter().flatten();
        before.map(|&place| number(self.page, place)).chain(self.last)
    }
}

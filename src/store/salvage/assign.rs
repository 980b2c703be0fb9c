//! Which of the trees that nothing leads to is which table or index.
//!
//! Rows of one table must never be taken for those of another, and nothing is called whole that may not be. So a tree is taken for a table on two
//! kinds of evidence only: that it begins where that of the table does in each database that was made like this one; or, where each page that
//! there is belongs to a whole tree, that its rows can be of nothing else that the list has no more.

use std::collections::BTreeSet;

use super::pages::Pages;
use super::schema::{Layout, Object, Roots};
use super::tree::{Gap, Shape, Walk};

/// A tree that nothing leads to.
#[derive(Debug)]
pub(in crate::store) struct Stray<'o> {
    pub(in crate::store) root: u32,
    shape: Shape,
    /// The lowest and the highest number of its rows, where they have such.
    numbers: Option<(i64, i64)>,
    pub(in crate::store) has_rows: bool,
    /// The tables and indexes that its rows could be of.
    could_be: BTreeSet<&'o str>,
}

impl<'o> Stray<'o> {
    /// The trees that nothing led to until now.
    pub(in crate::store) fn all(pages: &Pages, walk: &Walk<'_>, objects: &'o [Object]) -> Vec<Self> {
        let strays = walk.strays().into_iter();
        strays.map(|(root, shape)| Self::read(pages, root, shape, objects)).collect()
    }

    fn read(pages: &Pages, root: u32, shape: Shape, objects: &'o [Object]) -> Self {
        let mut could_be: Vec<&Object> = objects.iter().filter(|object| object.shape == shape).collect();
        let mut numbers: Option<(i64, i64)> = None;
        let mut has_rows = false;
        Walk::new(pages).tree(root, shape, &mut |row| {
            has_rows = true;
            could_be.retain(|object| object.could_hold(&row));
            if let Some(number) = row.rowid {
                let (lowest, highest) = numbers.unwrap_or((number, number));
                numbers = Some((lowest.min(number), highest.max(number)));
            }
        });
        Self {
            root,
            shape,
            numbers,
            has_rows,
            could_be: could_be.into_iter().map(|object| object.name.as_str()).collect(),
        }
    }

    /// Whether its rows could be of a table or index.
    pub(in crate::store) fn could_be(&self, object: &Object) -> bool {
        self.could_be.contains(object.name.as_str())
    }

    /// Whether its rows could be in a part of a tree that cannot be read from above.
    pub(in crate::store) fn could_be_in(&self, gap: &Gap) -> bool {
        self.numbers
            .is_none_or(|(lowest, highest)| gap.after.is_none_or(|after| lowest > after) && gap.up_to.is_none_or(|up_to| highest <= up_to))
    }
}

/// What is known of tables and indexes that the list of trees has no more.
#[derive(Debug, Default)]
pub(in crate::store) struct Assigned<'o> {
    /// Where their trees begin.
    pub(in crate::store) trees: Vec<(&'o Object, u32)>,
    /// The tables that have no rows, whichever of the empty trees is theirs.
    pub(in crate::store) empty: Vec<&'o Object>,
}

impl Assigned<'_> {
    pub(in crate::store) fn has(&self, object: &Object) -> bool {
        let mut known = self.trees.iter().map(|(object, _)| *object).chain(self.empty.iter().copied());
        known.any(|other| other.name == object.name)
    }

    pub(in crate::store) fn takes(&self, stray: &Stray<'_>) -> bool {
        self.trees.iter().any(|(_, root)| *root == stray.root)
    }
}

/// Finds the trees of tables and indexes that the list has no more. `are_others_whole`: all that the list has can be read to the end.
pub(in crate::store) fn assign<'o>(
    walk: &Walk<'_>,
    roots: &Roots,
    objects: &'o [Object],
    strays: &[Stray<'_>],
    are_others_whole: bool,
) -> Assigned<'o> {
    let is_complete = are_others_whole && walk.accounts_for_all(strays.iter().map(|stray| (stray.root, stray.shape)));
    let missing = || objects.iter().filter(|object| roots.of(&object.name).is_none());
    let tree_at = |place: u32, object: &Object| strays.iter().find(|stray| stray.root == place && stray.could_be(object));
    let fits = |layout: &Layout| {
        let (are_others_in_place, _) = confirmed(roots, objects, *layout);
        are_others_in_place && missing().all(|object| tree_at(object.place(*layout), object).is_some())
    };
    let fitting: Vec<Layout> = Layout::ALL.into_iter().filter(|layout| is_complete && fits(layout)).collect();
    let mut assigned = Assigned::default();
    for layout in Layout::ALL {
        let (_, up_to) = confirmed(roots, objects, layout);
        let up_to = if fitting == [layout] { u32::MAX } else { up_to };
        for object in missing().filter(|object| object.place(layout) < up_to) {
            if let Some(stray) = tree_at(object.place(layout), object)
                && !assigned.has(object)
                && !assigned.takes(stray)
            {
                assigned.trees.push((object, stray.root));
            }
        }
    }
    if !is_complete {
        return assigned;
    }
    let left: Vec<&Object> = missing().filter(|object| !assigned.has(object)).collect();
    let rest: Vec<&Stray<'_>> = strays.iter().filter(|stray| stray.has_rows && !assigned.takes(stray)).collect();
    for &object in &left {
        let mut fitting = rest.iter().filter(|stray| stray.could_be(object));
        if let (Some(stray), None) = (fitting.next(), fitting.next())
            && left.iter().filter(|other| stray.could_be(other)).count() == 1
        {
            assigned.trees.push((object, stray.root));
        }
    }
    let could_have_rows = |object: &Object| rest.iter().any(|stray| !assigned.takes(stray) && stray.could_be(object));
    let empty = left.into_iter().filter(|object| !assigned.has(object) && !could_have_rows(object));
    assigned.empty = empty.filter(|object| object.is_table()).collect();
    assigned
}

/// Whether all that the list still has is where it is in this layout, and before which page all is: the last that is there. What comes after that may
/// have come with a later version, and be elsewhere.
fn confirmed(roots: &Roots, objects: &[Object], layout: Layout) -> (bool, u32) {
    let mut by_place: Vec<&Object> = objects.iter().collect();
    by_place.sort_by_key(|object| object.place(layout));
    let mut up_to = 0;
    for object in by_place {
        match roots.of(&object.name) {
            Some(root) if root == object.place(layout) => up_to = root,
            Some(_) => return (false, up_to),
            None => {}
        }
    }
    (true, up_to)
}

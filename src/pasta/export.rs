//! Classes as text that PaStA, or Patchwork's `replacerelations`, reads.

use std::collections::BTreeSet;
use std::fmt;

use crate::model::{MessageId, PatchId};

/// What classes in a group file consist of. Neither kind can hold a space, or be the separator of commits.
pub trait GroupElement: Ord + fmt::Display {}

impl GroupElement for MessageId {}

impl GroupElement for PatchId {}

/// Classes as the text of a group file: one a line, the elements ascending, the lines in the order of their first elements, each line
/// complete. A class without elements is no line; without any class the text is empty, which PaStA reads as no group.
pub fn groups_text<'a, E, C>(classes: impl IntoIterator<Item = C>) -> String
where
    E: GroupElement + 'a,
    C: IntoIterator<Item = &'a E>,
{
    let classes: BTreeSet<BTreeSet<&E>> = classes.into_iter().map(|class| class.into_iter().collect()).collect();
    classes.iter().filter(|class| !class.is_empty()).map(line).collect()
}

fn line<E: GroupElement>(class: &BTreeSet<&E>) -> String {
    let words: Vec<String> = class.iter().map(ToString::to_string).collect();
    words.join(" ") + "\n"
}

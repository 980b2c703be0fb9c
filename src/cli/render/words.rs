//! What reasons and numbers are called.

use std::io::{self, Write};

use crate::model::relations::merge::Left;
use crate::model::relations::{ClearReason, RelateReason};

pub(in crate::cli) fn clear(reason: ClearReason) -> &'static str {
    match reason {
        ClearReason::Moves => "wanted in another relation",
        ClearReason::Alone => "wanted on its own",
        ClearReason::Unnamed => "not named by the analysis",
    }
}

pub(in crate::cli) fn relate(reason: RelateReason) -> &'static str {
    match reason {
        RelateReason::Forms => "new relation",
        RelateReason::Joins => "joins a relation",
        RelateReason::Continues => "joins the relation begun above",
    }
}

pub(in crate::cli) fn left(left: Left) -> &'static str {
    match left {
        Left::ClassRefused => "not related",
        Left::RelationKept => "relation kept as it is",
        Left::LeftOut => "left out of their class",
        Left::KeptApart => "kept in separate relations",
    }
}

/// The last line of a plan.
pub(in crate::cli) fn total(out: &mut dyn Write, writes: usize, clears: usize, relations: (usize, usize)) -> io::Result<()> {
    let (before, after) = relations;
    if writes == 0 {
        return writeln!(out, "nothing to do: {before} relations are as wanted");
    }
    let relates = writes - clears;
    writeln!(
        out,
        "{}: {}, {}; {before} relations become {after}",
        count(writes, "write"),
        count(clears, "clear"),
        count(relates, "relate")
    )
}

/// A number with its noun, which takes an `s` in the plural.
pub(in crate::cli) fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

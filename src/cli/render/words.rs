//! What reasons and numbers are called.

use std::collections::BTreeMap;
use std::fmt;

use crate::model::packages::{DistributionName, SeriesName};
use crate::model::relations::merge::Left;
use crate::model::relations::{ClearReason, RelateReason};
use crate::text::{count, count_doing};

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

/// What a plan comes to: its last line.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Total {
    pub clears: usize,
    pub relates: usize,
    /// Commits that are written down.
    pub commits: usize,
    /// Relations before the plan.
    pub before: usize,
    /// Relations after it.
    pub after: usize,
    /// How much of what is wanted of relations the plan leaves undone.
    pub undone: usize,
    /// How many of the commits that are wanted it does not write down.
    pub commits_undone: usize,
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            clears,
            relates,
            commits,
            before,
            after,
            undone,
            commits_undone,
        } = *self;
        match (clears + relates + commits, undone + commits_undone) {
            (0, 0) => write!(f, "nothing to do: {} as wanted", count_doing(before, "relation", ["is", "are"])),
            (0, _) => write!(f, "nothing to write"),
            (writes, _) => {
                let (clear, relate) = (count(clears, "clear"), count(relates, "relate"));
                write!(f, "{}: {clear}, {relate}", count(writes, "write"))?;
                if commits > 0 {
                    write!(f, ", {}", count(commits, "commit"))?;
                }
                match clears + relates {
                    0 => write!(f, "; {}", count_doing(before, "relation", ["stays", "stay"])),
                    _ => write!(f, "; {} {after}", count_doing(before, "relation", ["becomes", "become"])),
                }
            }
        }?;
        if undone > 0 {
            write!(f, "; {} left undone", count(undone, "wanted change"))?;
        }
        if commits_undone > 0 {
            write!(f, "; {} not written down", count(commits_undone, "wanted commit"))?;
        }
        Ok(())
    }
}

/// In how many package sets of which series a source was not read again, and how it is; nothing where that is none.
pub(in crate::cli) fn unread(distribution: &DistributionName, sets: &BTreeMap<SeriesName, usize>) -> Option<String> {
    let all: usize = sets.values().sum();
    let series: Vec<&str> = sets.keys().map(SeriesName::as_str).collect();
    (all > 0).then(|| {
        format!(
            "{} of {}, of which no list shows a change; `kinset pull {distribution} --full` reads all, and with `read_sets = \"living\"` each pull does",
            count(all, "package set"),
            series.join(", ")
        )
    })
}

//! Guards: what a plan would do as a whole, against what an operator thinks possible.
//!
//! A plan can be right, step by step, and still come from an analysis that went wrong. A tripped guard stops every write of its tracker; it
//! says which number tripped it and which option lets the plan through.

use super::{Element, Operation, Partition, Plan};
use crate::model::share::{percent, share, whole};
use crate::text::{count, count_doing};

/// The limits that an operator sets, under `[tracker.guard]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// The largest share of the related patches that may lose their relation, 0 to 1.
    pub max_clear_fraction: f64,
    /// As long as fewer patches than this lose something, the share does not matter.
    pub min_clears: usize,
    /// Whether an analysis without any group is meant.
    pub allow_empty: bool,
    /// The smallest share of the analysis's elements that must be known to the tracker, 0 to 1.
    pub min_resolved_fraction: f64,
    /// The largest share of the tracker's patches that may be gone since the last pull, 0 to 1.
    pub max_shrink_fraction: f64,
    /// The largest share of the related patches that somebody else may have taken out of their relations since the last pull, 0 to 1.
    pub max_foreign_fraction: f64,
    /// The largest share of the patches that name a commit that may be made to name another, 0 to 1.
    pub max_overwrite_fraction: f64,
}

/// A guard that tripped, with the number that tripped it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Tripped {
    /// Too many related patches would lose their relation.
    #[error("{lost} of {} ({}) would lose their relation, at most {} are allowed", count(*related, "related patch"), percent(*lost, *related), whole(*allowed))]
    Clears {
        /// How many would lose it.
        lost: usize,
        /// How many are related now.
        related: usize,
        /// The largest share allowed.
        allowed: f64,
    },
    /// The analysis holds no group.
    #[error("the analysis holds no groups, so every relation would be cleared")]
    Empty,
    /// Too little of the analysis is known to the tracker.
    #[error("{resolved} of {} of the analysis ({}) are in the tracker's projects, at least {} are needed", count(*named, "element"), percent(*resolved, *named), whole(*needed))]
    Unresolved {
        /// How many elements the tracker knows.
        resolved: usize,
        /// How many the analysis names.
        named: usize,
        /// The smallest share needed.
        needed: f64,
    },
    /// Too many of the tracker's patches are gone.
    #[error("the tracker shows fewer patches than the last pull saw, {now} where there were {before} ({} gone), at most {} may be", percent(before.saturating_sub(*now), *before), whole(*allowed))]
    Shrunk {
        /// How many patches the last pull saw.
        before: usize,
        /// How many there are now.
        now: usize,
        /// The largest share that may be gone.
        allowed: f64,
    },
    /// Somebody else took too many patches out of their relations.
    #[error("since the last pull somebody else has taken {parted} of {} ({}) out of their relations, at most {} are taken for people's decisions", count(*related, "related patch"), percent(*parted, *related), whole(*allowed))]
    Foreign {
        /// How many patches were taken out.
        parted: usize,
        /// How many were related.
        related: usize,
        /// The largest share allowed.
        allowed: f64,
    },
    /// Too many patches that name a commit would name another.
    #[error("{overwritten} of {} a commit ({}) would name another, at most {} are allowed", count_doing(*named, "patch", ["that names", "that name"]), percent(*overwritten, *named), whole(*allowed))]
    Commits {
        /// How many would name another.
        overwritten: usize,
        /// How many name one now.
        named: usize,
        /// The largest share allowed.
        allowed: f64,
    },
}

impl Tripped {
    /// The key under `[tracker.guard]` that moves this guard's limit.
    #[must_use]
    pub fn option(&self) -> &'static str {
        match self {
            Self::Clears { .. } => "max_clear_fraction",
            Self::Empty => "allow_empty",
            Self::Unresolved { .. } => "min_resolved_fraction",
            Self::Shrunk { .. } => "max_shrink_fraction",
            Self::Foreign { .. } => "max_foreign_fraction",
            Self::Commits { .. } => "max_overwrite_fraction",
        }
    }
}

impl crate::remedy::Remedy for Tripped {
    fn remedy(&self) -> Option<String> {
        let cause = match self {
            Self::Clears { .. } | Self::Empty | Self::Commits { .. } => "look at the plan and at the analysis it comes from",
            Self::Unresolved { .. } => "check that the analysis covers the lists of the tracker's projects (`kinset relations unmatched`)",
            Self::Shrunk { .. } => "check the tracker; kinset keeps what it saw last",
            Self::Foreign { .. } => {
                "find out whether the tracker was restored from a backup or its relations were loaded on the server; nothing was taken in yet, \
                 and what is taken in as decisions can be dropped with `kinset decisions drop`"
            }
        };
        Some(format!("{cause}; if this is meant, set `{}` under [tracker.guard]", self.option()))
    }
}

/// Guards against an analysis that would take too many patches out of their relations.
///
/// A patch loses its relation when it is cleared, and when the relation comes apart around it.
///
/// # Errors
/// [`Tripped::Clears`].
pub fn clears(plan: &Plan, current: &Partition, thresholds: &Thresholds) -> Result<(), Tripped> {
    let mut cleared = vec![0_usize; current.len()];
    let relation_of = |patch: Element| current.class_of(patch);
    for step in plan.steps() {
        if let (Operation::Clear(_), Some(relation)) = (step.operation, relation_of(step.patch)) {
            cleared[relation.index()] += 1;
        }
    }
    let lost = current.classes().zip(cleared).map(|(relation, cleared)| {
        let members = current.members(relation).len();
        if cleared + 1 >= members { members } else { cleared }
    });
    let (lost, related, allowed) = (lost.sum(), current.related(), thresholds.max_clear_fraction);
    if lost >= thresholds.min_clears && share(lost, related) > allowed {
        Err(Tripped::Clears { lost, related, allowed })
    } else {
        Ok(())
    }
}

/// Guards against taking a machine's work for people's: a restored backup, relations that were loaded on the server.
///
/// # Errors
/// [`Tripped::Foreign`].
pub fn foreign(parted: usize, related: usize, thresholds: &Thresholds) -> Result<(), Tripped> {
    let allowed = thresholds.max_foreign_fraction;
    if parted >= thresholds.min_clears && share(parted, related) > allowed {
        Err(Tripped::Foreign { parted, related, allowed })
    } else {
        Ok(())
    }
}

/// Guards against an analysis that would put other commits in the place of too many that patches name. Filling in loses nothing, and does
/// not count.
///
/// # Errors
/// [`Tripped::Commits`].
pub fn commits(overwritten: usize, named: usize, thresholds: &Thresholds) -> Result<(), Tripped> {
    let allowed = thresholds.max_overwrite_fraction;
    if overwritten >= thresholds.min_clears && share(overwritten, named) > allowed {
        Err(Tripped::Commits {
            overwritten,
            named,
            allowed,
        })
    } else {
        Ok(())
    }
}

/// Guards against an analysis that found nothing, or was not written.
///
/// # Errors
/// [`Tripped::Empty`].
pub fn empty(named: usize, thresholds: &Thresholds) -> Result<(), Tripped> {
    if named == 0 && !thresholds.allow_empty {
        Err(Tripped::Empty)
    } else {
        Ok(())
    }
}

/// Guards against an analysis of something else than the tracker's projects.
///
/// # Errors
/// [`Tripped::Unresolved`].
pub fn resolved(resolved: usize, named: usize, thresholds: &Thresholds) -> Result<(), Tripped> {
    let needed = thresholds.min_resolved_fraction;
    if named > 0 && share(resolved, named) < needed {
        Err(Tripped::Unresolved { resolved, named, needed })
    } else {
        Ok(())
    }
}

/// Guards against a tracker that shows only a part of itself.
///
/// # Errors
/// [`Tripped::Shrunk`].
pub fn shrunk(before: usize, now: usize, thresholds: &Thresholds) -> Result<(), Tripped> {
    let allowed = thresholds.max_shrink_fraction;
    if share(before.saturating_sub(now), before) > allowed {
        Err(Tripped::Shrunk { before, now, allowed })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AttachLimit, Change, Numbered, plan};
    use super::*;

    const THRESHOLDS: Thresholds = Thresholds {
        max_clear_fraction: 0.25,
        min_clears: 10,
        allow_empty: false,
        min_resolved_fraction: 0.5,
        max_shrink_fraction: 0.1,
        max_foreign_fraction: 0.25,
        max_overwrite_fraction: 0.25,
    };

    /// `pairs` pairs, of which the first `dissolved` are to come apart.
    fn dissolving(pairs: u32, dissolved: u32) -> Result<(), Tripped> {
        let universe = 2 * pairs as usize;
        let current = Partition::from_labels(universe, pairs as usize, |element| Some(element.0 / 2));
        let desired = Partition::from_labels(universe, pairs as usize, |element| {
            Some(element.0 / 2).filter(|&pair| pair >= dissolved)
        });
        let change = Change {
            universe: &Numbered::default(),
            current: &current,
            desired: &desired,
            attach_limit: AttachLimit::Unlimited,
        };
        clears(&plan(change), &current, &THRESHOLDS)
    }

    #[test]
    fn both_members_of_a_dissolved_pair_count() {
        assert_eq!(dissolving(20, 5), Ok(()));
        assert_eq!(
            dissolving(20, 6),
            Err(Tripped::Clears {
                lost: 12,
                related: 40,
                allowed: 0.25
            })
        );
    }

    #[test]
    fn a_few_clears_trip_nothing_whatever_their_share() {
        assert_eq!(dissolving(4, 4), Ok(()));
        assert_eq!(
            dissolving(5, 5),
            Err(Tripped::Clears {
                lost: 10,
                related: 10,
                allowed: 0.25
            })
        );
    }

    #[test]
    fn an_empty_analysis_must_be_meant() {
        assert_eq!(empty(0, &THRESHOLDS), Err(Tripped::Empty));
        assert_eq!(
            empty(
                0,
                &Thresholds {
                    allow_empty: true,
                    ..THRESHOLDS
                }
            ),
            Ok(())
        );
        assert_eq!(empty(1, &THRESHOLDS), Ok(()));
    }

    #[test]
    fn an_analysis_of_something_else_trips() {
        assert_eq!(resolved(5, 10, &THRESHOLDS), Ok(()));
        assert_eq!(
            resolved(4, 10, &THRESHOLDS),
            Err(Tripped::Unresolved {
                resolved: 4,
                named: 10,
                needed: 0.5
            })
        );
    }

    #[test]
    fn a_tracker_that_shows_only_a_part_trips() {
        assert_eq!(shrunk(100, 90, &THRESHOLDS), Ok(()));
        assert_eq!(shrunk(0, 0, &THRESHOLDS), Ok(()));
        assert_eq!(
            shrunk(100, 89, &THRESHOLDS),
            Err(Tripped::Shrunk {
                before: 100,
                now: 89,
                allowed: 0.1
            })
        );
    }

    #[test]
    fn a_machine_that_takes_relations_apart_trips_and_a_few_people_do_not() {
        assert_eq!(foreign(9, 9, &THRESHOLDS), Ok(()));
        assert_eq!(foreign(10, 40, &THRESHOLDS), Ok(()));
        let tripped = Tripped::Foreign {
            parted: 11,
            related: 40,
            allowed: 0.25,
        };
        assert_eq!(foreign(11, 40, &THRESHOLDS), Err(tripped));
    }

    #[test]
    fn an_analysis_that_says_otherwise_of_most_commits_trips_and_a_few_do_not() {
        assert_eq!(commits(9, 9, &THRESHOLDS), Ok(()));
        assert_eq!(commits(10, 40, &THRESHOLDS), Ok(()));
        let tripped = Tripped::Commits {
            overwritten: 11,
            named: 40,
            allowed: 0.25,
        };
        assert_eq!(commits(11, 40, &THRESHOLDS), Err(tripped));
    }

    #[test]
    fn messages_name_the_numbers() {
        let tripped = Tripped::Clears {
            lost: 12,
            related: 40,
            allowed: 0.25,
        };
        assert_eq!(
            tripped.to_string(),
            "12 of 40 related patches (30.0 %) would lose their relation, at most 25.0 % are allowed"
        );
        let tripped = Tripped::Shrunk {
            before: 100,
            now: 89,
            allowed: 0.1,
        };
        assert_eq!(
            tripped.to_string(),
            "the tracker shows fewer patches than the last pull saw, 89 where there were 100 (11.0 % gone), at most 10.0 % may be"
        );
    }
}

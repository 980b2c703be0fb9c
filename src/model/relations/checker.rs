//! Replays a plan on a model of Patchwork's rules, apart from the planner.
//!
//! The checker knows nothing of matchings or components. It carries the steps out one by one as Patchwork would and refuses the plan at
//! the first step that Patchwork would refuse, that does nothing, or that goes beyond what it was given to do; afterwards it compares what
//! stands with what was wanted, element by element. A plan that does not pass is a defect of kinset and is never applied.

use std::collections::BTreeSet;

use super::decisions::{Decisions, Verdict};
use super::{AttachLimit, Element, Operation, Partition, Plan, Policy, Step};

/// What a plan must keep to.
#[derive(Debug)]
pub struct Terms<'a> {
    /// What the tracker has.
    pub current: &'a Partition,
    /// What must stand after the last step.
    pub target: &'a Partition,
    /// Elements whose relations must not be touched.
    pub held: &'a BTreeSet<Element>,
    /// Whether clears are allowed at all; `None` where no policy applies.
    pub policy: Option<Policy>,
    /// What people decided, where that is to be preserved: as far as the tracker shows it, it must stand afterwards too.
    pub decisions: Option<&'a Decisions>,
    /// How many ids a relate may name.
    pub attach_limit: AttachLimit,
    /// How many members a relation may have that a step makes or extends.
    pub max_relation_size: Option<usize>,
}

/// What is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A clear of an element that is in no relation.
    #[error("step {step} clears {patch:?}, which is in no relation")]
    ClearsUnrelated {
        /// The step, counted from 1.
        step: usize,
        /// The element at the address.
        patch: Element,
    },
    /// A clear under a policy that only relates.
    #[error("step {step} clears {patch:?}, and the policy is to relate only")]
    ClearsAgainstPolicy {
        /// The step, counted from 1.
        step: usize,
        /// The element at the address.
        patch: Element,
    },
    /// A relate that would touch two relations: Patchwork answers 409.
    #[error("step {step} relates {patch:?} over two relations")]
    Conflicts {
        /// The step, counted from 1.
        step: usize,
        /// The element at the address.
        patch: Element,
    },
    /// A relate that changes nothing: it names nobody, the address itself, or only members of the address's relation.
    #[error("step {step} relates {patch:?} to nothing new")]
    RelatesNothing {
        /// The step, counted from 1.
        step: usize,
        /// The element at the address.
        patch: Element,
    },
    /// A relate that names more ids than allowed.
    #[error("step {step} names {named} ids in one relate")]
    NamesTooMany {
        /// The step, counted from 1.
        step: usize,
        /// How many ids it names.
        named: usize,
    },
    /// A relation grows beyond the limit.
    #[error("step {step} makes a relation of {size}")]
    GrowsTooLarge {
        /// The step, counted from 1.
        step: usize,
        /// Members after the step.
        size: usize,
    },
    /// A step touches an element that must be left alone, or its relation.
    #[error("step {step} touches {patch:?}, which must be left alone")]
    TouchesHeld {
        /// The step, counted from 1.
        step: usize,
        /// The element that is held.
        patch: Element,
    },
    /// The plan parts elements that somebody joined, or joins elements that somebody parted, under a policy that preserves that.
    #[error("the plan undoes what was decided about {patch:?}")]
    UndoesDecision {
        /// One of the elements.
        patch: Element,
    },
    /// The last step leaves an element in another class than wanted.
    #[error("the plan leaves {patch:?} in another class than wanted")]
    EndsElsewhere {
        /// The first such element.
        patch: Element,
    },
}

const ALONE: u32 = Partition::ALONE;

/// Replays `plan` from `terms.current`.
///
/// # Errors
/// The first [`Violation`].
pub fn check(plan: &Plan, terms: &Terms<'_>) -> Result<(), Violation> {
    let mut replay = Replay::new(terms);
    for (index, step) in plan.steps().enumerate() {
        replay.carry_out(index + 1, step)?;
    }
    replay.compare_with_decisions()?;
    replay.compare_with_target()
}

/// Relations as lists of members that are filled and emptied in place; a relation that broke up or was never made is an empty list.
struct Replay<'a> {
    terms: &'a Terms<'a>,
    /// The relation of each element: of the current partition below its length, of [`Self::changed`] above.
    relation_of: Vec<u32>,
    changed: Vec<Vec<Element>>,
}

impl<'a> Replay<'a> {
    fn new(terms: &'a Terms<'a>) -> Self {
        let relation_of = terms.current.class_numbers().to_vec();
        Self {
            terms,
            relation_of,
            changed: Vec::new(),
        }
    }

    fn carry_out(&mut self, step: usize, Step { patch, operation }: Step<'_>) -> Result<(), Violation> {
        match operation {
            Operation::Clear(_) => self.clear(step, patch),
            Operation::Relate(related, _) => self.relate(step, patch, related),
        }
    }

    fn clear(&mut self, step: usize, patch: Element) -> Result<(), Violation> {
        if self.terms.policy == Some(Policy::Additive) {
            return Err(Violation::ClearsAgainstPolicy { step, patch });
        }
        if self.relation_of[patch.index()] == ALONE {
            return Err(Violation::ClearsUnrelated { step, patch });
        }
        let relation = self.changeable(step, patch)?;
        self.changed[relation].retain(|&member| member != patch);
        self.relation_of[patch.index()] = ALONE;
        if let [last] = self.changed[relation][..] {
            self.relation_of[last.index()] = ALONE;
            self.changed[relation].clear();
        }
        Ok(())
    }

    fn relate(&mut self, step: usize, patch: Element, related: &[Element]) -> Result<(), Violation> {
        if let AttachLimit::Ids(limit) = self.terms.attach_limit
            && related.len() > limit.get() as usize
        {
            return Err(Violation::NamesTooMany {
                step,
                named: related.len(),
            });
        }
        let touched = || std::iter::once(patch).chain(related.iter().copied());
        let mut relations = touched().filter(|element| self.relation_of[element.index()] != ALONE);
        let representative = relations.next();
        if let Some(first) = representative
            && relations.any(|other| self.relation_of[other.index()] != self.relation_of[first.index()])
        {
            return Err(Violation::Conflicts { step, patch });
        }
        let relation = match representative {
            Some(member) => self.changeable(step, member)?,
            None => self.fresh(),
        };
        let before = self.changed[relation].len();
        for element in touched() {
            self.refuse_held(step, element)?;
            if self.relation_of[element.index()] == ALONE {
                self.relation_of[element.index()] = self.number(relation);
                self.changed[relation].push(element);
            }
        }
        let size = self.changed[relation].len();
        if size == before || size < 2 || related.contains(&patch) {
            return Err(Violation::RelatesNothing { step, patch });
        }
        match self.terms.max_relation_size {
            Some(limit) if size > limit => Err(Violation::GrowsTooLarge { step, size }),
            _ => Ok(()),
        }
    }

    /// The place in [`Self::changed`] of an element's relation, which is copied there from the current partition when first touched.
    fn changeable(&mut self, step: usize, member: Element) -> Result<usize, Violation> {
        let untouched = self.terms.current.len();
        let relation = self.relation_of[member.index()] as usize;
        if relation >= untouched {
            return Ok(relation - untouched);
        }
        let members: Vec<Element> = self.terms.current.companions(member).collect();
        let copy = self.fresh();
        for &element in &members {
            self.refuse_held(step, element)?;
            self.relation_of[element.index()] = self.number(copy);
        }
        self.changed[copy] = members;
        Ok(copy)
    }

    fn fresh(&mut self) -> usize {
        self.changed.push(Vec::new());
        self.changed.len() - 1
    }

    fn number(&self, changed: usize) -> u32 {
        (self.terms.current.len() + changed) as u32
    }

    fn refuse_held(&self, step: usize, patch: Element) -> Result<(), Violation> {
        if self.terms.held.contains(&patch) {
            Err(Violation::TouchesHeld { step, patch })
        } else {
            Ok(())
        }
    }

    /// What the tracker shows of decisions must stand after the last step as before the first.
    fn compare_with_decisions(&self) -> Result<(), Violation> {
        let before = self.terms.current.class_numbers();
        for verdict in self.terms.decisions.iter().flat_map(|decisions| decisions.iter()) {
            let (patch, stood, stands) = match &verdict {
                Verdict::Joined(members) => {
                    let Some(&patch) = members.first() else { continue };
                    (patch, is_one(before, members), is_one(&self.relation_of, members))
                }
                &Verdict::Parted(one, other) => {
                    let pair = [one, other].into();
                    (one, !is_one(before, &pair), !is_one(&self.relation_of, &pair))
                }
            };
            if stood && !stands {
                return Err(Violation::UndoesDecision { patch });
            }
        }
        Ok(())
    }

    /// Two partitions are equal when each class of one is a class of the other, and the same elements are on their own.
    fn compare_with_target(&self) -> Result<(), Violation> {
        let target = self.terms.target;
        let mut stands_for: Vec<u32> = vec![ALONE; self.terms.current.len() + self.changed.len()];
        let mut sizes: Vec<usize> = vec![0; target.len()];
        let classes = self.relation_of.iter().zip(target.class_numbers());
        for (element, (&relation, &wanted)) in (0_u32..).map(Element).zip(classes) {
            if relation == ALONE && wanted == ALONE {
                continue;
            }
            if relation == ALONE || wanted == ALONE {
                return Err(Violation::EndsElsewhere { patch: element });
            }
            let known = &mut stands_for[relation as usize];
            if *known == ALONE {
                *known = wanted;
                sizes[wanted as usize] += 1;
            }
            if *known != wanted || sizes[wanted as usize] > 1 {
                return Err(Violation::EndsElsewhere { patch: element });
            }
        }
        Ok(())
    }
}

/// Whether the elements are all in one relation.
fn is_one(relation_of: &[u32], members: &BTreeSet<Element>) -> bool {
    let mut relations = members.iter().map(|member| relation_of[member.index()]);
    let first = relations.next();
    first.is_some_and(|first| first != ALONE && relations.all(|relation| relation == first))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::super::{Change, Numbered, plan};
    use super::*;

    fn partition(classes: &[&[u32]]) -> Partition {
        let classes: Vec<Vec<Element>> = classes.iter().map(|class| class.iter().copied().map(Element).collect()).collect();
        Partition::from_classes(10, classes.iter().map(Vec::as_slice))
    }

    /// How the terms differ from those that the plan was made for.
    #[derive(Default)]
    struct Other {
        current: Option<Partition>,
        target: Option<Partition>,
        held: Option<Element>,
        policy: Option<Policy>,
        decision: Option<Verdict>,
        ids: Option<NonZeroU32>,
        max_relation_size: Option<usize>,
    }

    fn verdict(from: &[&[u32]], to: &[&[u32]], other: &Other) -> Result<(), Violation> {
        let (current, target) = (partition(from), partition(to));
        let attach_limit = AttachLimit::Unlimited;
        let plan = plan(Change {
            universe: &Numbered::default(),
            current: &current,
            desired: &target,
            attach_limit,
        });
        let terms = Terms {
            current: other.current.as_ref().unwrap_or(&current),
            target: other.target.as_ref().unwrap_or(&target),
            held: &other.held.into_iter().collect(),
            policy: other.policy,
            decisions: Some(&other.decision.iter().cloned().collect()),
            attach_limit: other.ids.map_or(attach_limit, AttachLimit::Ids),
            max_relation_size: other.max_relation_size,
        };
        check(&plan, &terms)
    }

    #[test]
    fn a_plan_that_keeps_to_its_terms_passes() {
        assert_eq!(verdict(&[&[1, 2, 3], &[4, 5]], &[&[1, 2], &[3, 4, 5]], &Other::default()), Ok(()));
    }

    #[test]
    fn a_plan_that_ends_elsewhere_is_refused() {
        let other = Other {
            target: Some(partition(&[&[1, 2, 3]])),
            ..Other::default()
        };
        assert_eq!(
            verdict(&[], &[&[1, 2]], &other),
            Err(Violation::EndsElsewhere { patch: Element(3) })
        );
    }

    #[test]
    fn two_relations_for_one_wanted_class_are_refused() {
        let other = Other {
            target: Some(partition(&[&[1, 2, 3, 4]])),
            ..Other::default()
        };
        assert_eq!(
            verdict(&[], &[&[1, 2], &[3, 4]], &other),
            Err(Violation::EndsElsewhere { patch: Element(3) })
        );
    }

    #[test]
    fn a_step_on_another_state_than_planned_for_conflicts() {
        let other = Other {
            current: Some(partition(&[&[1, 5], &[2, 6]])),
            ..Other::default()
        };
        assert_eq!(
            verdict(&[], &[&[1, 2]], &other),
            Err(Violation::Conflicts {
                step: 1,
                patch: Element(1)
            })
        );
    }

    #[test]
    fn a_clear_is_refused_where_the_policy_only_relates() {
        let other = Other {
            policy: Some(Policy::Additive),
            ..Other::default()
        };
        assert_eq!(
            verdict(&[&[1, 2]], &[], &other),
            Err(Violation::ClearsAgainstPolicy {
                step: 1,
                patch: Element(1)
            })
        );
    }

    #[test]
    fn a_plan_that_undoes_what_somebody_decided_is_refused() {
        let undone = Err(Violation::UndoesDecision { patch: Element(1) });
        let joined = |members: &[u32]| Some(Verdict::Joined(members.iter().copied().map(Element).collect()));
        let other = |decision| Other {
            decision,
            ..Other::default()
        };
        assert_eq!(verdict(&[&[1, 2, 3]], &[&[2, 3]], &other(joined(&[1, 2]))), undone);
        assert_eq!(verdict(&[&[1, 2, 3]], &[&[2, 3]], &other(joined(&[2, 3]))), Ok(()));
        assert_eq!(verdict(&[&[1, 2, 3]], &[&[2, 3]], &other(joined(&[1, 4]))), Ok(()));
        let parted = Some(Verdict::Parted(Element(1), Element(2)));
        assert_eq!(verdict(&[&[2, 3]], &[&[1, 2, 3]], &other(parted.clone())), undone);
        assert_eq!(verdict(&[&[1, 2]], &[&[1, 2, 3]], &other(parted)), Ok(()));
    }

    #[test]
    fn a_clear_of_a_lone_patch_is_refused() {
        let other = Other {
            current: Some(partition(&[])),
            ..Other::default()
        };
        assert_eq!(
            verdict(&[&[1, 2]], &[], &other),
            Err(Violation::ClearsUnrelated {
                step: 1,
                patch: Element(1)
            })
        );
    }

    #[test]
    fn a_relate_that_changes_nothing_is_refused() {
        let other = Other {
            current: Some(partition(&[&[1, 2]])),
            ..Other::default()
        };
        assert_eq!(
            verdict(&[], &[&[1, 2]], &other),
            Err(Violation::RelatesNothing {
                step: 1,
                patch: Element(1)
            })
        );
    }

    #[test]
    fn the_members_of_a_held_relation_are_not_to_be_touched() {
        let other = Other {
            held: Some(Element(2)),
            ..Other::default()
        };
        assert_eq!(
            verdict(&[&[1, 2]], &[&[1, 2, 3]], &other),
            Err(Violation::TouchesHeld {
                step: 1,
                patch: Element(2)
            })
        );
    }

    #[test]
    fn limits_hold_for_every_step() {
        let other = Other {
            ids: Some(NonZeroU32::MIN),
            ..Other::default()
        };
        assert_eq!(
            verdict(&[], &[&[1, 2, 3]], &other),
            Err(Violation::NamesTooMany { step: 1, named: 2 })
        );
        let other = Other {
            max_relation_size: Some(2),
            ..Other::default()
        };
        assert_eq!(
            verdict(&[], &[&[1, 2, 3]], &other),
            Err(Violation::GrowsTooLarge { step: 1, size: 3 })
        );
    }
}

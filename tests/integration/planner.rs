//! The planner against oracles that know nothing of it: Patchwork's rules as they were observed, an exhaustive search over them, and a
//! dense matching from another library.

mod exhaustive;
mod formula;
mod properties;
mod real_data;
mod replay;

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use kinset::model::relations::{AttachLimit, Change, Element, Partition, Plan, Universe, plan};

/// Classes of two or more patches.
type Classes = BTreeSet<BTreeSet<u32>>;

fn at_most(ids: u32) -> AttachLimit {
    NonZeroU32::new(ids).map_or(AttachLimit::Unlimited, AttachLimit::Ids)
}

fn partition(patches: usize, classes: &Classes) -> Partition {
    let classes: Vec<Vec<Element>> = classes.iter().map(|class| class.iter().copied().map(Element).collect()).collect();
    Partition::from_classes(patches, classes.iter().map(Vec::as_slice))
}

fn plan_between<U: Universe>(universe: &U, current: &Partition, desired: &Partition, attach_limit: AttachLimit) -> Plan {
    plan(Change {
        universe,
        current,
        desired,
        attach_limit,
    })
}

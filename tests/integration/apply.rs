//! From a pull to a tracker that is as the analysis wants it: the fewest writes, and no read too many.

use std::collections::{BTreeMap, BTreeSet};

use kinset::model::PatchId;
use kinset::reconcile::{OperationDocument, Pulling, StepDocument};

use crate::support::change::{Change, Component};
use crate::support::log::{Asked, writes};
use crate::support::rig::{Rig, Terms};

fn applies_with_the_fewest_requests(change: &Change) -> usize {
    let rig = Rig::serving(&change.world(), Terms::for_pasta());
    rig.want(&change.groups());
    rig.pull().unwrap();
    let planned = rig.document(&rig.plan(Pulling::Stored).unwrap());
    assert_eq!(planned.writes, change.fewest_writes());

    rig.simulator().clear_log();
    let applied = rig.apply(Pulling::Stored).unwrap();

    assert_eq!(applied.rounds, 1);
    let log = rig.log();
    assert!(log.iter().all(|request| request.status == Some(200)));
    assert_eq!(writes(&log), planned.writes);
    let asked: Vec<Asked> = log.iter().map(Asked::of).collect();
    assert_eq!(asked.iter().filter(|asked| **asked == Asked::Index).count(), 1);
    // The user is looked for by name, and then looked at.
    assert_eq!(asked.iter().filter(|asked| **asked == Asked::User).count(), 2);
    assert!(!asked.contains(&Asked::Project) && !asked.contains(&Asked::Page));
    assert_reads_only_what_the_plan_needs(change, &planned.steps, &asked);
    rig.assert_at_rest(&change.new);
    planned.writes
}

/// Before a component is written, one patch of each of its classes is read, be it a class of one; afterwards, one patch of each relation,
/// and the patches that were freed by a write to another.
fn assert_reads_only_what_the_plan_needs(change: &Change, steps: &[StepDocument], asked: &[Asked]) {
    let mut reads: BTreeMap<&str, usize> = BTreeMap::new();
    for mail in asked
        .iter()
        .filter_map(|asked| if let Asked::Mail(mail) = asked { Some(mail) } else { None })
    {
        *reads.entry(mail).or_default() += 1;
    }
    for component in change.components() {
        let made: usize = component
            .patches
            .iter()
            .filter_map(|&patch| reads.remove(change.mail(patch).bare()))
            .sum();
        let needed = component.classes(&component.old).len() + component.new.len() + freed(&component, steps);
        assert_eq!(made, needed, "for the component of {:?}", component.patches);
    }
    assert_eq!(reads, BTreeMap::new(), "of patches that nothing is planned for");
}

/// How many patches end up on their own because the last other member of their relation was cleared.
fn freed(component: &Component, steps: &[StepDocument]) -> usize {
    let cleared: BTreeSet<PatchId> = steps
        .iter()
        .filter_map(|step| match step.operation {
            OperationDocument::Clear { patch, .. } => Some(patch),
            OperationDocument::Relate { .. } | OperationDocument::CommitRef { .. } => None,
        })
        .collect();
    let was_related = component.old.iter().flatten();
    was_related
        .filter(|patch| !cleared.contains(patch) && !component.new.iter().any(|class| class.contains(patch)))
        .count()
}

#[test]
fn jailhouse_takes_324_writes_and_no_read_too_many() {
    let Some(jailhouse) = Change::of_jailhouse() else {
        eprintln!("skipped: the reference data are not here (KINSET_SHARED names their folder)");
        return;
    };
    assert_eq!(applies_with_the_fewest_requests(&jailhouse), 324);
}

#[test]
fn a_change_of_its_shape_takes_the_fewest_writes_and_no_read_too_many() {
    let writes = applies_with_the_fewest_requests(&Change::generated(1, 5000));
    assert!(writes > 100, "{writes}");
}

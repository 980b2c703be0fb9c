//! Plans between group files: those of real projects where they are at hand, and generated ones of their shape everywhere.

use std::path::Path;

use kinset::model::relations::checker::{Terms, check};
use kinset::model::relations::{Partition, Plan};
use kinset::pasta::generate::{Commits, Shape, generate};
use kinset::pasta::{Dialect, Ending, GroupFile, TokenUniverse, compare_files};

use super::formula::fewest;
use super::replay::{Model, Tracker, carry_out};
use super::{Classes, at_most, plan_between};
use crate::support::data::shared_path;

/// What one group file's relations become in another.
struct Planned {
    before: Classes,
    after: Classes,
    plan: Plan,
}

fn read(path: &Path) -> GroupFile {
    GroupFile::read(path, Dialect::MessageIds, Ending::Complete).unwrap()
}

fn classes(partition: &Partition) -> Classes {
    partition
        .classes()
        .map(|class| partition.members(class).iter().map(|member| member.0).collect())
        .collect()
}

/// Plans from one file to another, has the plan checked, and carries it out.
fn plan_between_files(current: &Path, desired: &Path, ids: u32) -> Planned {
    let (current, desired) = (read(current), read(desired));
    let (universe, current, desired): (TokenUniverse<'_>, _, _) = compare_files(&current, &desired);
    let attach_limit = at_most(ids);
    let plan = plan_between(&universe, &current, &desired, attach_limit);
    let terms = Terms {
        current: &current,
        target: &desired,
        held: &std::collections::BTreeSet::new(),
        policy: None,
        decisions: None,
        attach_limit,
        max_relation_size: None,
    };
    check(&plan, &terms).unwrap();
    let (before, after) = (classes(&current), classes(&desired));
    let mut tracker = Model::with_relations(&before);
    carry_out(&plan, &mut tracker, attach_limit, |element| element.0).unwrap();
    assert_eq!(tracker.relations(), after);
    Planned { before, after, plan }
}

#[test]
fn plans_between_the_groups_of_real_projects_take_as_many_writes_as_was_computed_independently() {
    let Some(data) = shared_path("pasta/data") else {
        eprintln!("skipped: the reference data are not here (KINSET_SHARED names their folder)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().join("nothing");
    std::fs::write(&nothing, "").unwrap();
    let file = |name: &str| match name {
        "nothing" => nothing.clone(),
        _ => data.join(format!("{name}.patch-groups")),
    };
    for (from, to, before, after, writes) in [
        ("busybox-old", "busybox-new", 318, 459, 178),
        ("busybox-new", "busybox-old", 459, 318, 225),
        ("jailhouse-old", "jailhouse-new", 745, 860, 324),
        ("jailhouse-new", "jailhouse-old", 860, 745, 309),
        ("flac-old", "flac-new", 83, 79, 23),
        ("flac-new", "flac-old", 79, 83, 18),
        ("nothing", "lkml-2012-05", 0, 990, 990),
        ("lkml-2012-05", "nothing", 990, 0, 1618),
    ] {
        let planned = plan_between_files(&file(from), &file(to), 1000);
        let counted = (planned.before.len(), planned.after.len(), planned.plan.writes());
        assert_eq!(counted, (before, after, writes), "{from} to {to}");
    }
}

#[test]
fn plans_between_generated_groups_take_as_many_writes_as_the_formula_says() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let generated = generate(Shape {
        ids: 2000,
        seed: 2012,
        commits: Commits::Named,
    });
    std::fs::write(&old, generated.old).unwrap();
    std::fs::write(&new, generated.new).unwrap();
    for ids in [1, 2, 1000] {
        for (current, desired) in [(&old, &new), (&new, &old)] {
            let planned = plan_between_files(current, desired, ids);
            let expected = fewest(&planned.before, &planned.after, at_most(ids)).writes;
            assert_eq!(planned.plan.writes(), expected, "attach limit {ids}");
        }
    }
}

//! A small world for tests that count on their fingers.

use kinset::model::{PatchId, ProjectId};
use kinset::tracker::simulator::{Rules, World};

use super::change::{Class, Classes, mail};

pub(crate) const ALPHA: ProjectId = ProjectId(1);
pub(crate) const BETA: ProjectId = ProjectId(2);

/// Patches 1 to 20 in `alpha`, 21 to 40 in `beta`, and these relations.
///
/// `bot` (token `t-bot`) and `human` maintain both, `alice` (`t-alice`) only `alpha`, `nobody` (`t-nobody`) nothing.
pub(crate) fn town(relations: &[&[u64]]) -> World {
    let mut world = World::default()
        .with_project("alpha")
        .with_project("beta")
        .with_user("bot", "t-bot", &["alpha", "beta"])
        .with_user("human", "t-human", &["alpha", "beta"])
        .with_user("alice", "t-alice", &["alpha"])
        .with_user("nobody", "t-nobody", &[]);
    for patch in (1..=40).map(PatchId) {
        let project = if patch.0 <= 20 { "alpha" } else { "beta" };
        world = world.with_patch(patch, project, mail(patch));
    }
    classes(relations).into_iter().fold(world, World::with_relation)
}

/// Classes by the numbers of their patches.
pub(crate) fn classes(classes: &[&[u64]]) -> Classes {
    classes.iter().map(|class| class.iter().copied().map(PatchId).collect()).collect()
}

/// The classes as a group file of patch numbers.
pub(crate) fn groups(classes: &Classes) -> String {
    let line = |class: &Class| {
        let numbers: Vec<String> = class.iter().map(ToString::to_string).collect();
        numbers.join(" ") + "\n"
    };
    classes.iter().map(line).collect()
}

/// Lets the users of this world into the tracker in place of those that it has. Its relations stay.
pub(crate) fn change_users(rules: &mut Rules, world: &World) {
    let relations: Vec<Vec<PatchId>> = rules.relations().into_iter().map(|class| class.into_iter().collect()).collect();
    *rules = world.rules().unwrap();
    rules.replace_relations(relations.iter().map(Vec::as_slice)).unwrap();
}

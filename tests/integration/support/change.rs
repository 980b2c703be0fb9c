//! From one partition to another: real changes where the reference data are there, generated ones everywhere, and the fewest writes of
//! each by trying out everything.

use std::collections::{BTreeMap, BTreeSet};

use kinset::model::{MessageId, PatchId};
use kinset::pasta::generate::{Commits, Generated, Shape, generate};
use kinset::tracker::simulator::World;

use super::data::shared_text;

pub(crate) type Class = BTreeSet<PatchId>;

/// Classes of two and more.
pub(crate) type Classes = BTreeSet<Class>;

/// Two states of the relations between the same patches, which are numbered from 1.
pub(crate) struct Change {
    /// The mails of the patches, in the order of their numbers.
    mails: Vec<MessageId>,
    pub(crate) old: Classes,
    pub(crate) new: Classes,
}

/// Classes of a change that hang together, and do not stay as they are.
pub(crate) struct Component {
    pub(crate) patches: Class,
    pub(crate) old: Vec<Class>,
    pub(crate) new: Vec<Class>,
}

impl Change {
    /// The change between two states that PaStA found for jailhouse, where the reference data are there.
    pub(crate) fn of_jailhouse() -> Option<Self> {
        let state = |name: &str| shared_text(&format!("pasta/data/jailhouse-{name}.patch-groups"));
        Some(Self::between(&state("old")?, &state("new")?))
    }

    /// A change of the shape of real ones, between so many patches.
    pub(crate) fn generated(seed: u64, patches: usize) -> Self {
        let Generated { old, new } = generate(Shape {
            ids: patches,
            seed,
            commits: Commits::Named,
        });
        Self::between(&old, &new)
    }

    /// Jailhouse's change, or one of its shape and size where the reference data are not there.
    pub(crate) fn like_jailhouse() -> Self {
        Self::of_jailhouse().unwrap_or_else(|| Self::generated(1, 5000))
    }

    /// The change from one group file to another. Patches are numbered as their mails come up.
    fn between(old: &str, new: &str) -> Self {
        let mut numbers: BTreeMap<&str, PatchId> = BTreeMap::new();
        let mut mails = Vec::new();
        for id in ids(old).chain(ids(new)) {
            numbers.entry(id).or_insert_with(|| {
                mails.push(MessageId::parse(id).unwrap());
                PatchId(mails.len() as u64)
            });
        }
        let classes = |text: &str| {
            let classes = text.lines().map(|line| ids(line).map(|id| numbers[id]).collect::<Class>());
            classes.filter(|class| class.len() > 1).collect()
        };
        let (old, new) = (classes(old), classes(new));
        Self { mails, old, new }
    }

    /// A Patchwork that holds the old state: three of four patches in `alpha`, the fourth in `beta`; `bot` (token `t-bot`) maintains both.
    pub(crate) fn world(&self) -> World {
        let mut world = World::default()
            .with_project("alpha")
            .with_project("beta")
            .with_user("bot", "t-bot", &["alpha", "beta"]);
        for (number, mail) in (1..).zip(&self.mails) {
            let project = if number % 4 == 0 { "beta" } else { "alpha" };
            world = world.with_patch(PatchId(number), project, mail.clone());
        }
        self.old.iter().cloned().fold(world, World::with_relation)
    }

    /// The new state as PaStA would write it down.
    pub(crate) fn groups(&self) -> String {
        let related: Class = self.new.iter().flatten().copied().collect();
        let alone = (1..=self.mails.len() as u64).map(PatchId).filter(|patch| !related.contains(patch));
        let lines = self.new.iter().cloned().chain(alone.map(|patch| [patch].into()));
        lines.map(|class| self.line(&class)).collect()
    }

    fn line(&self, class: &Class) -> String {
        let ids: Vec<&str> = class.iter().map(|&patch| self.mail(patch).as_str()).collect();
        format!("{}\n", ids.join(" "))
    }

    pub(crate) fn mail(&self, patch: PatchId) -> &MessageId {
        &self.mails[patch.0 as usize - 1]
    }

    /// What has to change, in parts that have nothing to do with each other.
    pub(crate) fn components(&self) -> Vec<Component> {
        components(&self.old, &self.new)
    }

    /// The fewest writes, with any number of ids in one.
    pub(crate) fn fewest_writes(&self) -> usize {
        self.components().iter().map(Component::fewest_writes).sum()
    }
}

impl Component {
    /// `Σ(|C|-1) + |D|` less the most that carrying relations over saves: each may become one class at most, and each class may come of one
    /// relation at most.
    fn fewest_writes(&self) -> usize {
        let apart: usize = self.old.iter().map(|class| class.len() - 1).sum();
        apart + self.new.len() - most_saved(&self.old, &self.new.iter().collect::<Vec<_>>())
    }

    /// The patches of the component, each with its class in one of the states, be it of one.
    pub(crate) fn classes(&self, state: &[Class]) -> Classes {
        let alone = |patch: &PatchId| Class::from([*patch]);
        let class_of = |patch: &PatchId| {
            state
                .iter()
                .find(|class| class.contains(patch))
                .cloned()
                .unwrap_or_else(|| alone(patch))
        };
        self.patches.iter().map(class_of).collect()
    }
}

fn most_saved(old: &[Class], new: &[&Class]) -> usize {
    let Some((first, rest)) = old.split_first() else { return 0 };
    let carried = (0..new.len()).filter_map(|place| {
        let mut left = new.to_vec();
        let into = left.remove(place);
        let shared = first.intersection(into).count();
        (shared > 0).then(|| shared - 1 + usize::from(into.is_subset(first)) + most_saved(rest, &left))
    });
    carried.chain([most_saved(rest, new)]).max().unwrap_or(0)
}

/// What has to change between two partitions, in parts that have nothing to do with each other.
pub(crate) fn components(old: &Classes, new: &Classes) -> Vec<Component> {
    let mut rest: Vec<&Class> = old.symmetric_difference(new).collect();
    let mut components = Vec::new();
    while let Some(first) = rest.pop() {
        let mut patches = first.clone();
        loop {
            let (touching, others): (Vec<&Class>, Vec<&Class>) = rest.into_iter().partition(|class| !class.is_disjoint(&patches));
            rest = others;
            if touching.is_empty() {
                break;
            }
            patches.extend(touching.into_iter().flatten());
        }
        let within = |state: &Classes| state.iter().filter(|class| class.is_subset(&patches)).cloned().collect();
        components.push(Component {
            old: within(old),
            new: within(new),
            patches,
        });
    }
    components
}

/// The message ids in a group file, commits left out.
fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .flat_map(|line| line.split(' ').take_while(|word| *word != "=>").filter(|word| !word.is_empty()))
}

/// The mail of a patch that was made up.
pub(crate) fn mail(patch: PatchId) -> MessageId {
    MessageId::parse(&format!("<2012{patch}.GA{patch}+x=1%/{patch}@h{}.example.org>", patch.0 % 7)).unwrap()
}

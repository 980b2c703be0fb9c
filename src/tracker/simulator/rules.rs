//! Patchwork's rules for relations, as a pure state machine: no I/O, no clock.
//!
//! The rules were observed on a real server (3.3.0, snapshot of 2026-06-10). Recorded runs of that server replay on this exactly, replies
//! and events included.

use std::collections::BTreeSet;

use super::catalogue::{Catalogue, Patch, SetupError, User};
use super::hash_order;
use super::membership::{Joined, Membership, RelationId};
use crate::model::{PatchId, ProjectId, UserName};

/// Number of an event. Newer events have higher ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u64);

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// A mail brought a patch.
    PatchCreated,
    /// A patch came into a relation or left one. Not all such changes leave one: see [`Rules::write`].
    PatchRelationChanged,
    /// Somebody answered to a patch. Stands for all that happens to patches besides. API 1.3 and newer show it.
    PatchCommentCreated,
}

impl Category {
    /// The category as the API spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PatchCreated => "patch-created",
            Self::PatchRelationChanged => "patch-relation-changed",
            Self::PatchCommentCreated => "patch-comment-created",
        }
    }
}

/// Something that happened to a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number.
    pub id: EventId,
    /// What happened.
    pub category: Category,
    /// The patch that it happened to.
    pub patch: PatchId,
    /// The project that the patch belonged to then.
    pub project: ProjectId,
    /// Who did it, where Patchwork knows.
    pub actor: Option<UserName>,
}

/// What Patchwork answers to a write that it carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The members that the reply lists, by the dates of their mails; `None` where the reply has no such field. It may tell what was before
    /// the write.
    pub related: Option<Vec<PatchId>>,
}

/// Why Patchwork refuses a write. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no patch at the address.
    UnknownPatch,
    /// Nobody said who they are.
    Anonymous,
    /// The user neither maintains the project of the patch at the address nor is its submitter or delegate.
    Powerless,
    /// A patch to be related does not exist.
    UnknownRelated(PatchId),
    /// A relation is concerned, and the user does not maintain the project of the patch at the address, of one that is to be related to it, or of
    /// one that is.
    ForeignProject,
    /// The patches are in more than one relation.
    Conflict,
}

/// How much of a write is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// The first half of the rows that a relate saves, rounded down, and nothing of a clear: what a server leaves behind that fails on the
    /// way, since Patchwork saves members one by one, outside of any transaction.
    FirstHalf,
}

enum Change {
    Clear,
    Relate {
        into: Option<RelationId>,
        /// The patches in the order in which Patchwork saves them. The patch at the address is saved once more, after all of them.
        rows: Vec<PatchId>,
    },
}

/// The state of a Patchwork.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    catalogue: Catalogue,
    membership: Membership,
    events: Vec<Event>,
    last_event: u64,
}

impl Rules {
    /// A Patchwork with these projects and users, and nothing else.
    ///
    /// Patches that the catalogue holds already leave no events.
    #[must_use]
    pub fn new(catalogue: Catalogue) -> Self {
        Self {
            catalogue,
            ..Self::default()
        }
    }

    /// Projects, users and patches.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Events, oldest first.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The relations of two and more patches, as reads show them, by their lowest members.
    #[must_use]
    pub fn relations(&self) -> BTreeSet<BTreeSet<PatchId>> {
        self.membership.relations().filter(|members| members.len() > 1).cloned().collect()
    }

    /// The patches in relations of one. No read shows such a relation, yet it conflicts like any other.
    #[must_use]
    pub fn hidden_relations(&self) -> BTreeSet<PatchId> {
        self.membership
            .relations()
            .filter(|members| members.len() == 1)
            .flatten()
            .copied()
            .collect()
    }

    /// The other members of a patch's relation, by the dates of their mails.
    #[must_use]
    pub fn related(&self, patch: PatchId) -> Vec<PatchId> {
        let mut members = self.members(patch);
        members.retain(|&member| member != patch);
        members
    }

    /// As [`Self::related`], but `None` for a patch that is in no relation, be it of one: Patchwork's replies to writes tell that much.
    pub(super) fn listed(&self, patch: PatchId) -> Option<Vec<PatchId>> {
        self.membership.members_with(patch).map(|_| self.related(patch))
    }

    /// Whether the user may write to the patch at all, which Patchwork asks before it looks at what is to be written.
    ///
    /// # Errors
    /// When there is no such patch, or no user, or one who neither maintains its project nor is its submitter or delegate.
    pub fn admit(&self, user: Option<&UserName>, patch: PatchId) -> Result<(), Refusal> {
        self.admitted(user, patch).map(|_| ())
    }

    /// `PATCH` of a patch's `related`.
    ///
    /// With an empty list the patch leaves its relation; a pair is dissolved by that, which leaves no event. Otherwise the patch, the list
    /// and the patch's present relation end up in one relation; nothing is ever taken out. Members pulled in leave events without an
    /// actor; the patch at the address leaves one with the user as actor, unless it was in the relation, or the list names it.
    ///
    /// A `PUT` that does not name `related` is the same as one with an empty list.
    ///
    /// The reply's `related` is missing after a clear. After a relate through a patch that was in the relation already, it lists the members
    /// from before the write, except where the first member that Patchwork meets in walking all patches concerned is one that the list
    /// names: then it tells the truth. That walk follows the hash order of the patches' true numbers.
    ///
    /// # Errors
    /// In the order in which Patchwork looks: as [`Self::admit`]; an unknown patch in the list; a project that the user does not maintain
    /// among the patch, the list and the patch's present relation (and *not* the rest of a relation that the patch would join); more than
    /// one relation among the patch and the list.
    pub fn write(&mut self, user: Option<&UserName>, patch: PatchId, related: &[PatchId]) -> Result<Written, Refusal> {
        self.write_to_extent(user, patch, related, Extent::Whole)
    }

    /// As [`Self::write`], but perhaps not all of it.
    ///
    /// # Errors
    /// As for [`Self::write`].
    pub fn write_to_extent(
        &mut self,
        user: Option<&UserName>,
        patch: PatchId,
        related: &[PatchId],
        extent: Extent,
    ) -> Result<Written, Refusal> {
        let user = self.admitted(user, patch)?;
        let actor = user.name.clone();
        match self.judge(user, patch, related)? {
            Change::Clear => {
                if extent == Extent::Whole {
                    self.clear(patch, &actor);
                }
                Ok(Written { related: None })
            }
            Change::Relate { into, rows } => {
                let before = self.members(patch);
                self.relate(into, patch, &rows, &actor, extent);
                let met_first = rows.iter().find(|row| before.contains(row));
                let is_stale = met_first.is_some_and(|first| !related.contains(first));
                let mut listed = if is_stale { before } else { self.members(patch) };
                listed.retain(|&member| member != patch);
                Ok(Written { related: Some(listed) })
            }
        }
    }

    /// `PATCH` of a patch's `commit_ref`, which its submitter and its delegate may do too. Leaves no event, and relations as they are.
    ///
    /// # Errors
    /// As [`Self::admit`]: neither projects nor people of the patches related to it matter.
    pub fn set_commit_ref(&mut self, user: Option<&UserName>, patch: PatchId, commit_ref: Option<String>) -> Result<(), Refusal> {
        self.admit(user, patch)?;
        self.catalogue.change_patch(patch, |patch| patch.commit_ref = commit_ref);
        Ok(())
    }

    /// `PATCH` of a patch's `delegate` with nobody. Leaves no event that is simulated.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub fn undelegate(&mut self, user: Option<&UserName>, patch: PatchId) -> Result<(), Refusal> {
        self.admit(user, patch)?;
        self.catalogue.change_patch(patch, |patch| patch.delegate = None);
        Ok(())
    }

    fn admitted(&self, user: Option<&UserName>, patch: PatchId) -> Result<&User, Refusal> {
        let patch = self.catalogue.patch(patch).ok_or(Refusal::UnknownPatch)?;
        let user = user.ok_or(Refusal::Anonymous)?;
        let is_theirs = [&patch.submitter, &patch.delegate]
            .into_iter()
            .flatten()
            .any(|theirs| theirs == user);
        self.catalogue
            .user_named(user)
            .filter(|user| is_theirs || user.maintains.contains(&patch.project))
            .ok_or(Refusal::Powerless)
    }

    fn judge(&self, user: &User, patch: PatchId, related: &[PatchId]) -> Result<Change, Refusal> {
        if let Some(&unknown) = related.iter().find(|&&other| self.catalogue.patch(other).is_none()) {
            return Err(Refusal::UnknownRelated(unknown));
        }
        let present = self.members(patch);
        let projects = present
            .iter()
            .chain(related)
            .chain([&patch])
            .filter_map(|&other| self.catalogue.patch(other))
            .map(|other| other.project);
        if !projects.into_iter().all(|project| user.maintains.contains(&project)) {
            return Err(Refusal::ForeignProject);
        }
        if related.is_empty() {
            return Ok(Change::Clear);
        }
        let named = related.iter().copied().chain([patch]);
        let touched: BTreeSet<RelationId> = named.filter_map(|other| self.membership.relation_of(other)).collect();
        if touched.len() > 1 {
            return Err(Refusal::Conflict);
        }
        let rows = if present.is_empty() {
            hash_order::of(related)
        } else {
            hash_order::of_union(related, &present)
        };
        Ok(Change::Relate {
            into: touched.into_iter().next(),
            rows,
        })
    }

    fn clear(&mut self, patch: PatchId, actor: &UserName) {
        let Some(relation) = self.membership.relation_of(patch) else {
            return;
        };
        if self.members(patch).len() == 2 {
            self.membership.dissolve(relation);
        } else {
            self.membership.leave(patch);
            self.record(Category::PatchRelationChanged, patch, Some(actor.clone()));
        }
    }

    fn relate(&mut self, into: Option<RelationId>, patch: PatchId, rows: &[PatchId], actor: &UserName, extent: Extent) {
        let relation = into.unwrap_or_else(|| self.membership.new_relation());
        let saves = rows.iter().map(|&row| (row, None)).chain([(patch, Some(actor))]);
        let count = match extent {
            Extent::Whole => rows.len() + 1,
            Extent::FirstHalf => rows.len().div_ceil(2),
        };
        for (row, actor) in saves.take(count) {
            if self.membership.join(row, relation) == Joined::Anew {
                self.record(Category::PatchRelationChanged, row, actor.cloned());
            }
        }
    }

    /// All members of a patch's relation, itself included, by the dates of their mails; none where it is in none.
    fn members(&self, patch: PatchId) -> Vec<PatchId> {
        let mut members: Vec<PatchId> = self.membership.members_with(patch).into_iter().flatten().copied().collect();
        members.sort_by_key(|&member| self.catalogue.patch(member).map(|patch| patch.date));
        members
    }

    fn record(&mut self, category: Category, patch: PatchId, actor: Option<UserName>) {
        let Some(project) = self.catalogue.patch(patch).map(|patch| patch.project) else {
            return;
        };
        self.last_event += 1;
        self.events.push(Event {
            id: EventId(self.last_event),
            category,
            patch,
            project,
            actor,
        });
    }
}

/// What happens on the server itself, past the API.
impl Rules {
    /// A mail arrives. Leaves an event.
    ///
    /// # Errors
    /// When the project is unknown, the number is taken, or the mail is in the project already.
    pub fn add_patch(&mut self, patch: Patch) -> Result<(), SetupError> {
        let id = patch.id;
        self.catalogue.add_patch(patch)?;
        self.record(Category::PatchCreated, id, None);
        Ok(())
    }

    /// An administrator deletes a patch, and its events with it. What is left of its relation stays, be it of one.
    ///
    /// # Errors
    /// When there is no such patch.
    pub fn remove_patch(&mut self, patch: PatchId) -> Result<(), SetupError> {
        self.catalogue.remove_patch(patch)?;
        self.membership.leave(patch);
        self.events.retain(|event| event.patch != patch);
        Ok(())
    }

    /// An administrator puts a patch into another project. Leaves no event, and those that it left before stay in the project that it was
    /// in then.
    ///
    /// # Errors
    /// When there is no such patch or project, or the mail is in that project already; nothing has changed then.
    pub fn move_patch(&mut self, patch: PatchId, project: ProjectId) -> Result<(), SetupError> {
        self.catalogue.move_patch(patch, project)
    }

    /// A mail arrives that answers to a patch. Leaves an event.
    ///
    /// # Errors
    /// When there is no such patch.
    pub fn add_comment(&mut self, patch: PatchId) -> Result<(), SetupError> {
        if self.catalogue.patch(patch).is_none() {
            return Err(SetupError::UnknownPatch(patch));
        }
        self.record(Category::PatchCommentCreated, patch, None);
        Ok(())
    }

    /// `manage.py replacerelations`: deletes every relation, loads these, and leaves no event. Groups of fewer than two are passed over.
    ///
    /// # Errors
    /// When a patch is unknown or named twice; nothing has changed then.
    pub fn replace_relations<'a>(&mut self, relations: impl IntoIterator<Item = &'a [PatchId]>) -> Result<(), SetupError> {
        let mut loaded = Membership::default();
        for members in relations.into_iter().filter(|members| members.len() > 1) {
            add_relation(&mut loaded, &self.catalogue, members)?;
        }
        self.membership = loaded;
        Ok(())
    }

    /// Puts patches that are in no relation into a new one, be it of one; leaves no event.
    ///
    /// # Errors
    /// When a patch is unknown, named twice, or in a relation already; those before it in the list are related then.
    pub(super) fn add_relation(&mut self, members: &[PatchId]) -> Result<(), SetupError> {
        add_relation(&mut self.membership, &self.catalogue, members)
    }
}

fn add_relation(membership: &mut Membership, catalogue: &Catalogue, members: &[PatchId]) -> Result<(), SetupError> {
    let relation = membership.new_relation();
    for &member in members {
        if catalogue.patch(member).is_none() {
            return Err(SetupError::UnknownPatch(member));
        }
        if membership.relation_of(member).is_some() {
            return Err(SetupError::AlreadyRelated(member));
        }
        membership.join(member, relation);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Rules;
    use crate::model::{MessageId, PatchId, UserName};
    use crate::tracker::simulator::World;

    fn rules() -> Rules {
        let world = World::default().with_project("alpha").with_user("bot", "t-bot", &["alpha"]);
        let message = |id: u64| MessageId::parse(&format!("<m{id}@example.org>")).unwrap();
        (1..=6)
            .fold(world, |world, id| world.with_patch(PatchId(id), "alpha", message(id)))
            .rules()
            .unwrap()
    }

    fn relate(rules: &mut Rules, patch: u64, related: &[u64]) -> Option<Vec<u64>> {
        let related: Vec<PatchId> = related.iter().copied().map(PatchId).collect();
        let written = rules.write(Some(&UserName("bot".to_owned())), PatchId(patch), &related).unwrap();
        written.related.map(|related| related.into_iter().map(|patch| patch.0).collect())
    }

    fn told_since(rules: &Rules, before: usize) -> Vec<(u64, Option<&str>)> {
        rules.events()[before..]
            .iter()
            .map(|event| (event.patch.0, event.actor.as_ref().map(|name| name.0.as_str())))
            .collect()
    }

    #[test]
    fn a_reply_through_a_member_tells_what_was_before() {
        let mut rules = rules();
        assert_eq!(relate(&mut rules, 1, &[2]), Some(vec![2]));
        assert_eq!(relate(&mut rules, 1, &[3]), Some(vec![2]));
        assert_eq!(relate(&mut rules, 4, &[1]), Some(vec![1, 2, 3]));
        assert_eq!(relate(&mut rules, 1, &[]), None);
    }

    #[test]
    fn a_reply_through_a_member_tells_the_truth_where_the_first_member_met_is_named() {
        let mut rules = rules();
        relate(&mut rules, 1, &[2]);
        // 1 is met first, and comes from the relation.
        assert_eq!(relate(&mut rules, 1, &[2, 3]), Some(vec![2]));
        // 1 is met first, and is named.
        assert_eq!(relate(&mut rules, 3, &[1, 4]), Some(vec![1, 2, 4]));
    }

    #[test]
    fn only_a_new_patch_at_the_address_has_an_actor_and_only_where_the_list_leaves_it_out() {
        let mut rules = rules();
        let before = rules.events().len();
        relate(&mut rules, 1, &[2]);
        relate(&mut rules, 1, &[3]);
        relate(&mut rules, 4, &[1, 4]);
        assert_eq!(told_since(&rules, before), [(2, None), (1, Some("bot")), (3, None), (4, None)]);
    }

    #[test]
    fn dissolving_a_pair_leaves_no_event() {
        let mut rules = rules();
        relate(&mut rules, 1, &[2]);
        let before = rules.events().len();
        relate(&mut rules, 2, &[]);
        assert!(told_since(&rules, before).is_empty());
        assert!(rules.relations().is_empty() && rules.hidden_relations().is_empty());
    }
}

//! Who and what a simulated Patchwork knows: projects, users, patches. Nothing about relations.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};
use serde::{Deserialize, Serialize};

use crate::model::{MessageId, PatchId, ProjectId, ProjectName, UserName};
use crate::remedy::{Remedy, nearest};

/// Patchwork's number of a user. Not that of the user's profile, which is what a project's list of maintainers shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub u64);

/// What a user proves to be themselves with. Never printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// A mailing list's project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its number.
    pub id: ProjectId,
    /// Its `link_name`.
    pub name: ProjectName,
    /// What people call it; `name` in replies.
    pub title: String,
    /// The list's id, as in mail headers.
    pub list_id: String,
    /// The list's address.
    pub list_email: String,
}

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their number.
    pub id: UserId,
    /// What they log in with.
    pub name: UserName,
    /// Their token.
    pub token: Token,
    /// The projects whose patches they may change.
    pub maintains: BTreeSet<ProjectId>,
    /// Given name; may be empty.
    pub first_name: String,
    /// Family name; may be empty.
    pub last_name: String,
    /// Mail address.
    pub email: String,
}

impl User {
    /// Their names as people write them; what they log in with where they have told none.
    fn shown_name(&self) -> String {
        match format!("{} {}", self.first_name, self.last_name).trim() {
            "" => self.name.to_string(),
            name => name.to_owned(),
        }
    }
}

/// One mail in one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Its number.
    pub id: PatchId,
    /// The project it was sent to.
    pub project: ProjectId,
    /// The mail's Message-ID.
    pub message_id: MessageId,
    /// The mail's subject.
    pub name: String,
    /// The mail's own date, without a zone; the members of a relation are listed by it.
    pub date: DateTime,
    /// The commit that the patch became, as somebody wrote it down; an empty text is another thing than none.
    pub commit_ref: Option<String>,
    /// Who sent it, if they have an account; they may change the patch, though not its relation.
    pub submitter: Option<UserName>,
    /// Who is to look after it; they may change as much of it.
    pub delegate: Option<UserName>,
    /// The whole mail, as it is handed out; one is made up where there is none.
    pub mail: Option<String>,
}

impl Patch {
    /// A patch with a made-up subject, and a date that grows with its number, one minute each.
    #[must_use]
    pub fn plain(id: PatchId, project: ProjectId, message_id: MessageId) -> Self {
        let minutes = i64::try_from(id.0).unwrap_or(i64::MAX).saturating_sub(1);
        let since_first = SignedDuration::from_secs(minutes.saturating_mul(60));
        let first = date(2026, 1, 1).at(0, 0, 0, 0);
        Self {
            id,
            project,
            message_id,
            name: format!("[PATCH] fix thing {id}"),
            date: first.saturating_add(since_first),
            commit_ref: None,
            submitter: None,
            delegate: None,
            mail: None,
        }
    }
}

/// Why something cannot be set up as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// Two projects of one name or number.
    #[error("project {0} is there already")]
    ProjectTaken(String),
    /// Two users of one name or number.
    #[error("user {0} is there already")]
    UserTaken(String),
    /// Two users with one token.
    #[error("user {0} has the same token")]
    TokenTaken(UserName),
    /// A project that is not there.
    #[error("there is no project {name}")]
    UnknownProject {
        /// The name as given.
        name: ProjectName,
        /// The nearest name that exists.
        nearest: Option<ProjectName>,
    },
    /// A user who is not there.
    #[error("there is no user {name}")]
    UnknownUser {
        /// The name as given.
        name: UserName,
        /// The nearest name that exists.
        nearest: Option<UserName>,
    },
    /// Two patches of one number.
    #[error("patch {0} is there already")]
    PatchTaken(PatchId),
    /// The same mail twice in one project.
    #[error("patch {first} has the message id {message_id} in the same project")]
    MessageTaken {
        /// The patch that has it.
        first: PatchId,
        /// The message id.
        message_id: MessageId,
    },
    /// A patch that is not there.
    #[error("there is no patch {0}")]
    UnknownPatch(PatchId),
    /// A patch in two relations, or twice in one.
    #[error("patch {0} is in a relation already")]
    AlreadyRelated(PatchId),
}

impl Remedy for SetupError {
    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::ProjectTaken(_) => "give each project a name and a number of its own".to_owned(),
            Self::UserTaken(_) => "give each user a name and a number of their own".to_owned(),
            Self::TokenTaken(_) => "give each user a token of their own: it is how the server tells them apart".to_owned(),
            Self::UnknownProject {
                nearest: Some(nearest), ..
            } => format!("did you mean {nearest}? projects are declared under `projects`"),
            Self::UnknownProject { nearest: None, .. } => "declare it under `projects`".to_owned(),
            Self::UnknownUser {
                nearest: Some(nearest), ..
            } => format!("did you mean {nearest}? users are declared under `users`"),
            Self::UnknownUser { nearest: None, .. } => "declare them under `users`".to_owned(),
            Self::PatchTaken(_) => "give each patch a number of its own".to_owned(),
            Self::MessageTaken { .. } => {
                "one mail is one patch per project: change the message id, or put the patch into another project".to_owned()
            }
            Self::UnknownPatch(_) => "declare it under `patches`".to_owned(),
            Self::AlreadyRelated(_) => "relations are disjoint: name each patch in at most one of them, and once".to_owned(),
        })
    }
}

/// Projects, users and patches, each found by number and by name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    projects: BTreeMap<ProjectId, Project>,
    users: BTreeMap<UserId, User>,
    user_names: BTreeMap<UserName, UserId>,
    tokens: BTreeMap<Token, UserId>,
    patches: BTreeMap<PatchId, Patch>,
    // Kept in order, so that a page is a slice.
    all_patches: Vec<PatchId>,
    patches_of: BTreeMap<ProjectId, Vec<PatchId>>,
    patches_by_message: BTreeMap<Box<str>, Vec<PatchId>>,
}

impl Catalogue {
    /// Adds a project.
    ///
    /// # Errors
    /// When its name or number is taken.
    pub fn add_project(&mut self, project: Project) -> Result<(), SetupError> {
        if self.projects.contains_key(&project.id) || self.project_named(project.name.as_str()).is_some() {
            return Err(SetupError::ProjectTaken(format!("{} (number {})", project.name, project.id)));
        }
        self.patches_of.insert(project.id, Vec::new());
        self.projects.insert(project.id, project);
        Ok(())
    }

    /// Adds a user.
    ///
    /// # Errors
    /// When the name or the token is taken.
    pub fn add_user(&mut self, user: User) -> Result<(), SetupError> {
        if self.user_names.contains_key(&user.name) || self.users.contains_key(&user.id) {
            return Err(SetupError::UserTaken(format!("{} (number {})", user.name, user.id.0)));
        }
        if let Some(other) = self.user_with(&user.token) {
            return Err(SetupError::TokenTaken(other.name.clone()));
        }
        self.user_names.insert(user.name.clone(), user.id);
        self.tokens.insert(user.token.clone(), user.id);
        self.users.insert(user.id, user);
        Ok(())
    }

    /// Adds a patch.
    ///
    /// # Errors
    /// When its project, submitter or delegate is unknown, its number is taken, or its mail is in the project already.
    pub(super) fn add_patch(&mut self, patch: Patch) -> Result<(), SetupError> {
        let id = patch.id;
        if self.patches.contains_key(&id) {
            return Err(SetupError::PatchTaken(id));
        }
        for name in [&patch.submitter, &patch.delegate].into_iter().flatten() {
            self.require_user(name)?;
        }
        let Some(of_project) = self.patches_of.get_mut(&patch.project) else {
            return Err(SetupError::UnknownProject {
                name: ProjectName(format!("number {}", patch.project)),
                nearest: None,
            });
        };
        let of_message = self.patches_by_message.entry(patch.message_id.bare().into()).or_default();
        if let Some(&first) = of_message.iter().find(|other| self.patches[other].project == patch.project) {
            return Err(SetupError::MessageTaken {
                first,
                message_id: patch.message_id,
            });
        }
        for index in [of_project, of_message, &mut self.all_patches] {
            insert_sorted(index, id);
        }
        self.patches.insert(id, patch);
        Ok(())
    }

    /// Takes a patch away.
    ///
    /// # Errors
    /// When there is no such patch.
    pub(super) fn remove_patch(&mut self, id: PatchId) -> Result<Patch, SetupError> {
        let patch = self.patches.remove(&id).ok_or(SetupError::UnknownPatch(id))?;
        let indexes = [
            self.patches_of.get_mut(&patch.project),
            self.patches_by_message.get_mut(patch.message_id.bare()),
            Some(&mut self.all_patches),
        ];
        for index in indexes.into_iter().flatten() {
            index.retain(|&other| other != id);
        }
        Ok(patch)
    }

    /// Puts a patch into another project.
    ///
    /// # Errors
    /// When there is no such patch or project, or the mail is in that project already; nothing has changed then.
    pub(super) fn move_patch(&mut self, id: PatchId, project: ProjectId) -> Result<(), SetupError> {
        let patch = self.remove_patch(id)?;
        let moved = Patch { project, ..patch.clone() };
        self.add_patch(moved).or_else(|error| {
            self.add_patch(patch)?;
            Err(error)
        })
    }

    /// Changes what patches are not found by.
    pub(super) fn change_patch(&mut self, id: PatchId, change: impl FnOnce(&mut Patch)) {
        if let Some(patch) = self.patches.get_mut(&id) {
            change(patch);
        }
    }

    /// All projects, by number.
    pub fn projects(&self) -> impl DoubleEndedIterator<Item = &Project> + ExactSizeIterator {
        self.projects.values()
    }

    /// The project of that number.
    #[must_use]
    pub fn project(&self, id: ProjectId) -> Option<&Project> {
        self.projects.get(&id)
    }

    /// The project of exactly that `link_name`.
    #[must_use]
    pub fn project_named(&self, name: &str) -> Option<&Project> {
        self.projects.values().find(|project| project.name.as_str() == name)
    }

    /// The number of the project of that `link_name`.
    ///
    /// # Errors
    /// When there is none.
    pub fn project_id(&self, name: &ProjectName) -> Result<ProjectId, SetupError> {
        self.project_named(name.as_str()).map(|project| project.id).ok_or_else(|| {
            let known = self.projects.values().map(|project| project.name.as_str());
            SetupError::UnknownProject {
                name: name.clone(),
                nearest: nearest(name.as_str(), known).map(|found| ProjectName(found.to_owned())),
            }
        })
    }

    /// All users, by number.
    pub fn users(&self) -> impl DoubleEndedIterator<Item = &User> + ExactSizeIterator {
        self.users.values()
    }

    /// The user of that number.
    #[must_use]
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }

    /// The user of that name.
    #[must_use]
    pub fn user_named(&self, name: &UserName) -> Option<&User> {
        self.user_names.get(name).and_then(|id| self.users.get(id))
    }

    fn require_user(&self, name: &UserName) -> Result<(), SetupError> {
        if self.user_names.contains_key(name) {
            return Ok(());
        }
        let known = self.user_names.keys().map(|known| known.0.as_str());
        Err(SetupError::UnknownUser {
            name: name.clone(),
            nearest: nearest(&name.0, known).map(|found| UserName(found.to_owned())),
        })
    }

    /// The user whose token it is.
    #[must_use]
    pub fn user_with(&self, token: &Token) -> Option<&User> {
        self.tokens.get(token).and_then(|id| self.users.get(id))
    }

    /// Who may change a project's patches, by number.
    pub fn maintainers(&self, project: ProjectId) -> impl Iterator<Item = &User> {
        self.users.values().filter(move |user| user.maintains.contains(&project))
    }

    /// The patch of that number.
    #[must_use]
    pub fn patch(&self, id: PatchId) -> Option<&Patch> {
        self.patches.get(&id)
    }

    /// The name and the address of whoever sent a patch.
    pub(super) fn sender(&self, patch: &Patch) -> (String, String) {
        match patch.submitter.as_ref().and_then(|name| self.user_named(name)) {
            Some(user) => (user.shown_name(), user.email.clone()),
            None => ("A. Author".to_owned(), "author@example.org".to_owned()),
        }
    }

    /// All patches, by number.
    pub fn patches(&self) -> impl DoubleEndedIterator<Item = &Patch> + ExactSizeIterator {
        self.patches.values()
    }

    /// The numbers of the patches of these projects, or of all where none is asked for, in order.
    #[must_use]
    pub fn patches_of(&self, projects: Option<&BTreeSet<ProjectId>>) -> Cow<'_, [PatchId]> {
        let Some(projects) = projects else {
            return Cow::Borrowed(&self.all_patches);
        };
        let mut lists = projects.iter().filter_map(|project| self.patches_of.get(project));
        match (lists.next(), lists.next()) {
            (None, _) => Cow::Borrowed(&[]),
            (Some(only), None) => Cow::Borrowed(only),
            (Some(first), Some(second)) => {
                let mut merged: Vec<PatchId> = [first, second].into_iter().chain(lists).flatten().copied().collect();
                merged.sort_unstable();
                Cow::Owned(merged)
            }
        }
    }

    /// The numbers of the patches that this mail brought, one per project, in order. `bare` is the message id without its brackets.
    #[must_use]
    pub fn patches_by_message(&self, bare: &str) -> &[PatchId] {
        self.patches_by_message.get(bare).map_or(&[], Vec::as_slice)
    }
}

fn insert_sorted(ids: &mut Vec<PatchId>, id: PatchId) {
    let place = ids.partition_point(|&other| other < id);
    ids.insert(place, id);
}

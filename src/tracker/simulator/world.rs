//! The world file: what a simulated Patchwork holds when it starts.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;

use jiff::civil::DateTime;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::api::ApiVersion;
use super::catalogue::{Catalogue, Patch, Project, SetupError, Token, User, UserId};
use super::fault::Fault;
use super::rules::Rules;
use crate::model::{MessageId, PatchId, ProjectId, ProjectName, UserName};
use crate::remedy::{Remedy, nearest};

/// What a simulated Patchwork holds when it starts.
///
/// In a world file it is a JSON object. The least of it that is of use:
///
/// ```json
/// {
///   "projects": ["alpha"],
///   "users": {"bot": {"token": "t-bot", "maintains": ["alpha"]}},
///   "patches": [{"id": 1, "project": "alpha", "msgid": "<m1@example.org>"}],
///   "relations": []
/// }
/// ```
///
/// | field | what it is | where it is missing |
/// | --- | --- | --- |
/// | `projects` | link names, or objects with `link_name` and perhaps `id`, `name`, `list_id`, `list_email` | no projects; ids count from 1 |
/// | `users` | by name: `token`, and perhaps `id`, `maintains` (link names), `first_name`, `last_name`, `email` | no users; ids count from 1 in the order of the names |
/// | `patches` | `id`, `project` (a link name), `msgid` with its brackets, and perhaps `name` (the subject), `date` (`2026-01-31T12:00:00`), `commit_ref` and `mail` (the whole of it) | no patches |
/// | `relations` | lists of two or more patch ids | no relations |
/// | `hidden_relations` | ids of patches that are in a relation of one, which no read shows | none |
/// | `api_versions` | of `"1.1"`, `"1.2"`, `"1.3"`; others answer 404 | all three |
/// | `max_per_page` | the most rows on a page, whatever a client asks for | 250 |
/// | `faults` | what goes wrong: see [`Fault`]. For example `{"kind": {"status": {"code": 503, "retry_after_s": 1}}, "requests": "writes", "when": {"every": 10}}` | nothing |
///
/// Every patch leaves a `patch-created` event, in the order of the numbers; relations that are there from the start leave none.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct World {
    /// Its projects.
    pub projects: Vec<WorldProject>,
    /// Its users, by name.
    pub users: BTreeMap<UserName, WorldUser>,
    /// Its patches.
    pub patches: Vec<WorldPatch>,
    /// Relations of two and more patches.
    pub relations: Vec<Vec<PatchId>>,
    /// Patches in relations of one.
    pub hidden_relations: Vec<PatchId>,
    /// The versions of the API that it serves. The unversioned address speaks the newest of them.
    pub api_versions: Vec<ApiVersion>,
    /// The most rows on a page.
    pub max_per_page: NonZeroUsize,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

/// A project of a world; in a file, a link name or an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldProject {
    /// Its `link_name`.
    pub link_name: ProjectName,
    /// Its number; its place in the list where there is none.
    pub id: Option<ProjectId>,
    /// What people call it; the link name where there is none.
    pub name: Option<String>,
    /// The list's id.
    pub list_id: Option<String>,
    /// The list's address.
    pub list_email: Option<String>,
}

/// A user of a world.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldUser {
    /// Their number; their place among the names where there is none.
    pub id: Option<u64>,
    /// Their token.
    pub token: Token,
    /// The projects whose patches they may change.
    #[serde(default)]
    pub maintains: Vec<ProjectName>,
    /// Given name.
    #[serde(default)]
    pub first_name: String,
    /// Family name.
    #[serde(default)]
    pub last_name: String,
    /// Mail address; one at `example.org` where there is none.
    pub email: Option<String>,
}

/// A patch of a world.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldPatch {
    /// Its number.
    pub id: PatchId,
    /// Its project.
    pub project: ProjectName,
    /// The mail's Message-ID.
    pub msgid: MessageId,
    /// The mail's subject; one is made up where there is none.
    pub name: Option<String>,
    /// The mail's own date, without a zone; a minute after that of the patch with the number before where there is none.
    #[serde(default, deserialize_with = "naive_date")]
    pub date: Option<DateTime>,
    /// The commit that it became, as somebody wrote it down.
    pub commit_ref: Option<String>,
    /// The user who sent it; somebody without an account where there is none.
    pub submitter: Option<UserName>,
    /// The user who is to look after it.
    pub delegate: Option<UserName>,
    /// The whole mail, as it is handed out; one is made up where there is none.
    pub mail: Option<String>,
}

/// Why a world cannot be.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The file cannot be read.
    #[error("cannot read the world file {file}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A word that means nothing.
    #[error("{file}, at {path}: there is no {unknown:?} here")]
    UnknownWord {
        /// The file.
        file: String,
        /// Where in it.
        path: String,
        /// The word.
        unknown: String,
        /// All that could stand there.
        known: Vec<String>,
    },
    /// Something that is not JSON, or not what should stand there.
    #[error("{file}, at {path}")]
    Shape {
        /// The file.
        file: String,
        /// Where in it.
        path: String,
        /// What is wrong, and in which line.
        source: serde_json::Error,
    },
    /// Something that does not fit the rest.
    #[error("{file}, at {path}")]
    Entry {
        /// The file, or what stands for it.
        file: String,
        /// Where in it.
        path: String,
        /// What is wrong.
        source: SetupError,
    },
    /// A relation of fewer than two patches.
    #[error("{file}, at {path}: expected two or more patches, found {found}")]
    SmallRelation {
        /// The file, or what stands for it.
        file: String,
        /// Where in it.
        path: String,
        /// How many there are.
        found: usize,
    },
    /// No version of the API.
    #[error("{file}, at api_versions: expected at least one version, found none")]
    NoVersion {
        /// The file, or what stands for it.
        file: String,
    },
}

impl Remedy for WorldError {
    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } => "check the path given with --world, and that the file may be read".to_owned(),
            Self::UnknownWord { unknown, known, .. } => match nearest(unknown, known.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean {meant:?}?"),
                None => format!("known here: {}", known.join(", ")),
            },
            Self::Shape { .. } => "correct it there; `kinset simulate --help` shows what a world file holds".to_owned(),
            Self::Entry { source, .. } => return source.remedy(),
            Self::SmallRelation { .. } => "take it out, or put a single patch under `hidden_relations`".to_owned(),
            Self::NoVersion { .. } => "name some of \"1.1\", \"1.2\" and \"1.3\", or leave the field out".to_owned(),
        })
    }
}

impl Default for World {
    fn default() -> Self {
        Self {
            projects: Vec::new(),
            users: BTreeMap::new(),
            patches: Vec::new(),
            relations: Vec::new(),
            hidden_relations: Vec::new(),
            api_versions: ApiVersion::ALL.into(),
            max_per_page: NonZeroUsize::MIN.saturating_add(249),
            faults: Vec::new(),
        }
    }
}

/// What stands for the file in errors about a world that came from none.
const NO_FILE: &str = "the world";

impl World {
    /// Reads a world file, and checks that its parts fit together.
    ///
    /// # Errors
    /// When it cannot be read, is no JSON, holds something unknown, or contradicts itself. The error says where.
    pub fn read(file: &Path) -> Result<Self, WorldError> {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|source| WorldError::Unreadable {
            file: name.clone(),
            source,
        })?;
        Self::parse(&name, &text)
    }

    /// As [`Self::read`], from the text of the file; `file` is what errors call it.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn parse(file: &str, text: &str) -> Result<Self, WorldError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let world: Self =
            serde_path_to_error::deserialize(&mut json).map_err(|error| misshapen(file, &error.path().to_string(), error.into_inner()))?;
        json.end().map_err(|error| misshapen(file, ".", error))?;
        world.rules_of(file)?;
        Ok(world)
    }

    /// Adds a project of that link name.
    #[must_use]
    pub fn with_project(mut self, link_name: &str) -> Self {
        self.projects.push(WorldProject::named(link_name));
        self
    }

    /// Adds a user who maintains these projects.
    #[must_use]
    pub fn with_user(mut self, name: &str, token: &str, maintains: &[&str]) -> Self {
        let user = WorldUser {
            id: None,
            token: Token(token.to_owned()),
            maintains: maintains.iter().map(|&project| ProjectName(project.to_owned())).collect(),
            first_name: String::new(),
            last_name: String::new(),
            email: None,
        };
        self.users.insert(UserName(name.to_owned()), user);
        self
    }

    /// Adds a patch.
    #[must_use]
    pub fn with_patch(mut self, id: PatchId, project: &str, msgid: MessageId) -> Self {
        self.patches.push(WorldPatch {
            id,
            project: ProjectName(project.to_owned()),
            msgid,
            name: None,
            date: None,
            commit_ref: None,
            submitter: None,
            delegate: None,
            mail: None,
        });
        self
    }

    /// Adds a relation of two or more patches.
    #[must_use]
    pub fn with_relation(mut self, members: impl IntoIterator<Item = PatchId>) -> Self {
        self.relations.push(members.into_iter().collect());
        self
    }

    /// The state that this world describes.
    ///
    /// # Errors
    /// When the world contradicts itself.
    pub fn rules(&self) -> Result<Rules, WorldError> {
        self.rules_of(NO_FILE)
    }

    fn rules_of(&self, file: &str) -> Result<Rules, WorldError> {
        let at = |path: String| {
            move |source| WorldError::Entry {
                file: file.to_owned(),
                path,
                source,
            }
        };
        if self.api_versions.is_empty() {
            return Err(WorldError::NoVersion { file: file.to_owned() });
        }
        let mut catalogue = Catalogue::default();
        for (place, project) in self.projects.iter().enumerate() {
            catalogue
                .add_project(project.project(place))
                .map_err(at(format!("projects[{place}]")))?;
        }
        for (place, (name, user)) in (1..).zip(&self.users) {
            let user = user
                .user(UserId(user.id.unwrap_or(place)), name, &catalogue)
                .map_err(at(format!("users.{name}.maintains")))?;
            catalogue.add_user(user).map_err(at(format!("users.{name}")))?;
        }
        let mut rules = Rules::new(catalogue);
        let mut patches: Vec<(usize, &WorldPatch)> = self.patches.iter().enumerate().collect();
        patches.sort_by_key(|(_, patch)| patch.id);
        for (place, patch) in patches {
            let patch = patch.patch(rules.catalogue()).map_err(at(format!("patches[{place}].project")))?;
            rules.add_patch(patch).map_err(at(format!("patches[{place}]")))?;
        }
        for (place, members) in self.relations.iter().enumerate() {
            let path = format!("relations[{place}]");
            if members.len() < 2 {
                return Err(WorldError::SmallRelation {
                    file: file.to_owned(),
                    path,
                    found: members.len(),
                });
            }
            rules.add_relation(members).map_err(at(path))?;
        }
        for (place, &patch) in self.hidden_relations.iter().enumerate() {
            rules.add_relation(&[patch]).map_err(at(format!("hidden_relations[{place}]")))?;
        }
        Ok(rules)
    }
}

impl WorldProject {
    /// A project of that link name, and nothing special.
    #[must_use]
    pub fn named(link_name: &str) -> Self {
        Self {
            link_name: ProjectName(link_name.to_owned()),
            id: None,
            name: None,
            list_id: None,
            list_email: None,
        }
    }

    fn project(&self, place: usize) -> Project {
        let link_name = &self.link_name;
        Project {
            id: self.id.unwrap_or(ProjectId(place as u64 + 1)),
            name: link_name.clone(),
            title: self.name.clone().unwrap_or_else(|| link_name.to_string()),
            list_id: self.list_id.clone().unwrap_or_else(|| format!("{link_name}.lists.example.org")),
            list_email: self.list_email.clone().unwrap_or_else(|| format!("{link_name}@lists.example.org")),
        }
    }
}

impl WorldUser {
    fn user(&self, id: UserId, name: &UserName, catalogue: &Catalogue) -> Result<User, SetupError> {
        Ok(User {
            id,
            name: name.clone(),
            token: self.token.clone(),
            maintains: self
                .maintains
                .iter()
                .map(|project| catalogue.project_id(project))
                .collect::<Result<_, _>>()?,
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            email: self.email.clone().unwrap_or_else(|| format!("{name}@example.org")),
        })
    }
}

impl WorldPatch {
    fn patch(&self, catalogue: &Catalogue) -> Result<Patch, SetupError> {
        let plain = Patch::plain(self.id, catalogue.project_id(&self.project)?, self.msgid.clone());
        Ok(Patch {
            name: self.name.clone().unwrap_or(plain.name),
            date: self.date.unwrap_or(plain.date),
            commit_ref: self.commit_ref.clone(),
            submitter: self.submitter.clone(),
            delegate: self.delegate.clone(),
            mail: self.mail.clone(),
            ..plain
        })
    }
}

impl<'de> Deserialize<'de> for WorldProject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ProjectVisitor)
    }
}

struct ProjectVisitor;

impl<'de> Visitor<'de> for ProjectVisitor {
    type Value = WorldProject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a project's link name, or an object with `link_name`")
    }

    fn visit_str<E>(self, link_name: &str) -> Result<WorldProject, E> {
        Ok(WorldProject::named(link_name))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<WorldProject, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            link_name: ProjectName,
            id: Option<ProjectId>,
            name: Option<String>,
            list_id: Option<String>,
            list_email: Option<String>,
        }
        let Fields {
            link_name,
            id,
            name,
            list_id,
            list_email,
        } = Fields::deserialize(MapAccessDeserializer::new(entries))?;
        Ok(WorldProject {
            link_name,
            id,
            name,
            list_id,
            list_email,
        })
    }
}

fn naive_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| D::Error::custom(format!("expected a date such as 2026-01-31T12:00:00, found {text:?}")))
}

fn misshapen(file: &str, path: &str, source: serde_json::Error) -> WorldError {
    let file = file.to_owned();
    // What serde_path_to_error tells where nothing was entered yet, or nothing can be made out.
    let path = match path {
        "." | "?" => "its top".to_owned(),
        path => path.to_owned(),
    };
    match unknown_word(&source.to_string()) {
        Some((unknown, known)) => WorldError::UnknownWord {
            file,
            path,
            unknown,
            known,
        },
        None => WorldError::Shape { file, path, source },
    }
}

/// The word that serde did not expect, and those that it did. It tells them in its message only, each between backticks.
fn unknown_word(message: &str) -> Option<(String, Vec<String>)> {
    let is_unknown = message.starts_with("unknown field `") || message.starts_with("unknown variant `");
    let mut words = message.split('`').skip(1).step_by(2).map(str::to_owned);
    let unknown = words.next().filter(|_| is_unknown)?;
    Some((unknown, words.collect()))
}

//! What may be read of a tracker.

use std::{collections::BTreeSet, fmt};

use reqwest::StatusCode;
use url::Url;

use super::{
    Address, Error, Settings, Token,
    address::{api_root, keeps_secrets, under},
    events::{self, Walk},
    http::{Patience, Session},
    links::on_same_server,
    paging::every_page,
    sweep::{Resume, Sweep},
    wire::{Index, MailRow, PatchRow, ProjectBody, ProjectRow, UserBody, UserId, UserRow},
};
use crate::http::Scrubber;
use crate::model::{EventCursor, MessageId, Patch, PatchId, Project, ProjectId, ProjectName, UserName};

/// A version of Patchwork's API that shows relations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiVersion {
    /// 1.2, of Patchwork 2.2; the first with `related`.
    V1_2,
    /// 1.3, of Patchwork 3.1.
    V1_3,
}

impl ApiVersion {
    const NEWEST_FIRST: [Self; 2] = [Self::V1_3, Self::V1_2];

    /// As it stands in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Versions that show no relations, although they let one write them.
const TOO_OLD: [&str; 2] = ["1.1", "1.0"];

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// There is no token.
    Anonymous,
    /// This user's.
    User(UserName),
    /// None of the candidates'.
    NoneOf,
    /// The server does not let it be found out.
    Unknown,
}

/// Reads from one tracker. Cheap to clone; clones share one pace, and cannot write:
///
/// ```compile_fail,E0599
/// # use kinset::{model::PatchId, tracker::{Reader, WriteError}};
/// async fn clear(reader: &Reader, patch: PatchId) -> Result<(), WriteError> {
///     reader.clear(patch).await
/// }
/// ```
///
/// For that it takes a [`Writer`](super::Writer), and for a writer the token:
///
/// ```
/// # use kinset::{model::PatchId, tracker::{Reader, Token, WriteError, Writer}};
/// async fn clear(reader: &Reader, token: Token, patch: PatchId) -> Result<(), WriteError> {
///     Writer::new(reader, token).clear(patch).await
/// }
/// ```
#[derive(Clone)]
pub struct Reader {
    session: Session,
    api: Url,
    version: ApiVersion,
}

impl Reader {
    /// Finds the tracker's API, the newest version that kinset knows, and lets the tracker check the token.
    ///
    /// # Errors
    /// When nothing answers at the address, or something else than Patchwork, or a Patchwork too old to show relations; and when the
    /// tracker does not accept the token, which it then refuses even for reading.
    pub async fn connect(settings: Settings, token: Option<&Token>) -> Result<Self, Error> {
        let root = api_root(&settings.url)?;
        let session = Session::new(&settings, token)?;
        if session.has_token() && !keeps_secrets(&root) {
            tracing::warn!(url = %session.shown(&root), "the token is sent unencrypted: use https if the tracker has it");
        }
        for version in ApiVersion::NEWEST_FIRST {
            if let Some(api) = find(&session, &root, version.as_str()).await? {
                return Ok(Self { session, api, version });
            }
        }
        for found in TOO_OLD {
            if find(&session, &root, found).await?.is_some() {
                return Err(Error::ApiTooOld {
                    url: session.shown(&root),
                    found,
                });
            }
        }
        Err(Error::NoApi { url: session.shown(&root) })
    }

    /// The version of the tracker's API that is read and written.
    #[must_use]
    pub const fn api_version(&self) -> ApiVersion {
        self.version
    }

    /// Finds out which of the `candidates` the token belongs to, with up to two reads for each.
    ///
    /// Patchwork has no address for one's own user, but shows `settings` only to the user whose they are (API 1.2 and newer).
    ///
    /// # Errors
    /// When the tracker cannot be read. That it hides its users is no error, but [`Identity::Unknown`].
    pub async fn whoami(&self, candidates: &BTreeSet<UserName>) -> Result<Identity, Error> {
        if !self.session.has_token() {
            return Ok(Identity::Anonymous);
        }
        let mut identity = Identity::NoneOf;
        for candidate in candidates {
            match self.is_own(candidate).await {
                Ok(Own::Yes) => return Ok(Identity::User(candidate.clone())),
                Ok(Own::No) => {}
                Ok(Own::NotShown) => identity = Identity::Unknown,
                Err(error) if hides_users(&error) => return Ok(Identity::Unknown),
                Err(error) => return Err(error),
            }
        }
        Ok(identity)
    }

    async fn is_own(&self, candidate: &UserName) -> Result<Own, Error> {
        let mut search = self.under(&["users"]);
        search.query_pairs_mut().append_pair("q", &candidate.0);
        let found: Vec<UserRow> = every_page(&self.session, search, "a list of users").await?;
        let Some(user) = found.into_iter().find(|user| user.username == *candidate) else {
            return Ok(Own::NotShown);
        };
        let UserId(id) = user.id;
        let url = self.under(&["users", &id.to_string()]);
        let body = self.session.get::<UserBody>(&url, "a user", Patience::Full).await?.value;
        Ok(if body.settings.is_some() { Own::Yes } else { Own::No })
    }

    /// The project of that name with its maintainers, or `None` when the tracker has none of that name.
    ///
    /// This has to be asked before anything else about a project: elsewhere an unknown project is an empty list.
    ///
    /// # Errors
    /// When the tracker cannot be read.
    pub async fn project(&self, name: &ProjectName) -> Result<Option<Project>, Error> {
        if matches!(name.as_str(), "." | "..") {
            return Ok(None);
        }
        let url = self.under(&["projects", name.as_str()]);
        let reply = match self.session.get::<ProjectBody>(&url, "a project", Patience::Full).await {
            Ok(reply) => reply,
            Err(error) if error.has_status(StatusCode::NOT_FOUND) => return Ok(None),
            Err(error) => return Err(error),
        };
        let project = reply.value.into_project(self.session.shown(&reply.url))?;
        // A number stands for a project too, which then has another name.
        Ok(Some(project).filter(|project| project.name == *name))
    }

    /// The names of all projects that the tracker has.
    ///
    /// # Errors
    /// When the tracker cannot be read.
    pub async fn projects(&self) -> Result<BTreeSet<ProjectName>, Error> {
        let rows: Vec<ProjectRow> = every_page(&self.session, self.under(&["projects"]), "a list of projects").await?;
        Ok(rows.into_iter().map(|row| row.link_name).collect())
    }

    /// All patches of a project with their relations, ordered by id, page by page, and from where an earlier sweep of the project ended. Pages
    /// are read side by side, and nothing is read before it is asked for. Patches whose message id is malformed are left out, with a word in the
    /// log.
    ///
    /// What changes meanwhile may be missing: a patch that comes into the project with a low number, and the patch after one that is deleted,
    /// which moves up to a page that was read already.
    #[must_use]
    pub fn sweep(&self, project: &Project, from: Resume) -> Sweep {
        let mut list = self.under(&["patches"]);
        list.query_pairs_mut()
            .append_pair("project", &project.id.to_string())
            .append_pair("order", "id");
        Sweep::new(self.session.clone(), &list, from)
    }

    /// What happened in these projects since `cursor`, found by walking down the tracker's list of events, newest first, in at most
    /// `most_pages` requests and one for few rows, which is enough where nothing happened.
    ///
    /// Events are not enough to know a tracker by: dissolving a pair leaves none, nor does what administrators do.
    ///
    /// # Errors
    /// When the tracker cannot be read. That its events do not lead to the cursor is no error, but tells so: see [`WalkEnd`].
    ///
    /// [`WalkEnd`]: super::WalkEnd
    pub async fn events(&self, projects: &[ProjectId], cursor: &EventCursor, most_pages: usize) -> Result<Walk, Error> {
        events::walk(&self.session, &self.events_of(projects), cursor, most_pages).await
    }

    /// The cursor for [`Self::events`] from here on, in one request; `None` where the tracker shows no events.
    ///
    /// # Errors
    /// When the tracker cannot be read.
    pub async fn event_cursor(&self, projects: &[ProjectId]) -> Result<Option<EventCursor>, Error> {
        events::cursor(&self.session, &self.events_of(projects)).await
    }

    fn events_of(&self, projects: &[ProjectId]) -> Url {
        let mut list = self.under(&["events"]);
        list.query_pairs_mut()
            .extend_pairs(projects.iter().map(|project| ("project", project.to_string())));
        list
    }

    /// One patch with its relation, or `None` when there is none of that id and message id.
    ///
    /// It is looked for in the list of patches by its message id: its own address would send its whole diff as well.
    ///
    /// # Errors
    /// When the tracker cannot be read.
    pub async fn patch(&self, id: PatchId, message_id: &MessageId) -> Result<Option<Patch>, Error> {
        let list = self.of_mail(message_id);
        let shown = self.session.shown(&list);
        let rows: Vec<PatchRow> = every_page(&self.session, list, "the patches of a mail").await?;
        match rows.into_iter().find(|row| row.id == id) {
            Some(row) => row.into_patch(&shown),
            None => Ok(None),
        }
    }

    /// The mail that brought a patch, as the tracker hands it out to be applied; `None` when there is none of that id and message id.
    ///
    /// It begins with the line for mailboxes (`From patchwork …`). Lines further down that look like one are not quoted.
    ///
    /// # Errors
    /// When the tracker cannot be read, hands out its mails on another server, or sends more than any list lets through.
    pub async fn mail(&self, id: PatchId, message_id: &MessageId) -> Result<Option<Vec<u8>>, Error> {
        let list = self.of_mail(message_id);
        let rows: Vec<MailRow> = every_page(&self.session, list.clone(), "the patches of a mail").await?;
        let Some(row) = rows.into_iter().find(|row| row.id == id) else {
            return Ok(None);
        };
        let mbox = on_same_server(&list, row.mbox).map_err(|bad| self.session.bad_link(&list, bad))?;
        match self.session.get_mail(&mbox, "the mail of a patch").await {
            Ok(mail) => Ok(Some(mail)),
            // It was deleted meanwhile.
            Err(error) if error.has_status(StatusCode::NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The list of the patches that a mail brought: one in each project that it was sent to.
    fn of_mail(&self, message_id: &MessageId) -> Url {
        let mut list = self.under(&["patches"]);
        list.query_pairs_mut().append_pair("msgid", message_id.bare());
        list
    }

    pub(super) const fn session(&self) -> &Session {
        &self.session
    }

    /// The address under the API that `segments` name.
    pub(super) fn under(&self, segments: &[&str]) -> Url {
        under(&self.api, segments)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let api = Address::new(&self.api, &Scrubber::none());
        f.debug_struct("Reader")
            .field("api", &api.as_str())
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Whether a user is the one that asks.
enum Own {
    Yes,
    No,
    /// The tracker does not list this user.
    NotShown,
}

fn hides_users(error: &Error) -> bool {
    [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND]
        .into_iter()
        .any(|status| error.has_status(status))
}

/// The address of one version of the API, or `None` when the server does not have it.
///
/// A redirect is taken for good, since writes follow none.
async fn find(session: &Session, root: &Url, version: &str) -> Result<Option<Url>, Error> {
    let url = under(root, &[version]);
    match session
        .get::<Index>(&url, "the index of Patchwork's API", Patience::WhileAddressIsUnproven)
        .await
    {
        Ok(reply) if reply.url.path().ends_with(&format!("/api/{version}/")) => Ok(Some(reply.url)),
        Ok(_index_elsewhere) => Ok(Some(url)),
        Err(error) if error.has_status(StatusCode::NOT_FOUND) => Ok(None),
        Err(error) => Err(error),
    }
}

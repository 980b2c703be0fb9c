//! The bodies of replies, field by field in Patchwork's order.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::{DateTime, date};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::mail;
use super::version::ApiVersion;
use super::write_body::STATE;
use crate::model::{PatchId, UserName};
use crate::tracker::simulator::catalogue::{Patch, Project, User, UserId};
use crate::tracker::simulator::rules::{Category, Event, Rules};

/// Profiles are numbered apart from users, as on real servers that had users before profiles.
const PROFILE_OFFSET: u64 = 1000;
/// What stays as it is in the path of an address that Django makes.
const PATH_SAFE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b'/')
    .remove(b'~')
    .remove(b':')
    .remove(b'@')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_');

/// From where, and for which version, replies are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site<'a> {
    /// Scheme and host, as the client called them.
    pub(super) root: &'a str,
    /// The path of the index, such as `/api/1.3/`.
    pub(super) index: &'a str,
    pub(super) version: ApiVersion,
    pub(super) rules: &'a Rules,
}

#[derive(Serialize)]
pub(super) struct IndexBody {
    projects: String,
    users: String,
    people: String,
    patches: String,
    covers: String,
    series: String,
    events: String,
    bundles: String,
}

#[derive(Serialize)]
pub(super) struct ProjectBody<'a> {
    id: u64,
    url: String,
    name: &'a str,
    link_name: &'a str,
    list_id: &'a str,
    list_email: &'a str,
    web_url: &'a str,
    scm_url: &'a str,
    webscm_url: &'a str,
    // The two that only the project's own address shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    maintainers: Option<Vec<UserBody<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_match: Option<&'a str>,
    #[serde(flatten)]
    archive: Option<ArchiveBody<'a>>,
}

/// New in 1.2.
#[derive(Serialize)]
struct ArchiveBody<'a> {
    list_archive_url: &'a str,
    list_archive_url_format: &'a str,
    commit_url_format: &'a str,
}

#[derive(Serialize)]
pub(super) struct UserBody<'a> {
    id: u64,
    url: String,
    username: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<SettingsBody>,
}

#[derive(Serialize)]
struct SettingsBody {
    send_email: bool,
    items_per_page: u32,
    show_ids: bool,
}

#[derive(Serialize)]
struct PersonBody {
    id: u64,
    url: String,
    name: String,
    email: String,
}

/// A patch as others mention it.
#[derive(Serialize)]
struct MentionBody<'a> {
    id: u64,
    url: String,
    web_url: String,
    msgid: &'a str,
    /// Always null. New in 1.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    list_archive_url: Option<()>,
    date: String,
    name: &'a str,
    mbox: String,
}

#[derive(Serialize)]
pub(super) struct PatchBody<'a> {
    id: u64,
    url: String,
    web_url: String,
    project: ProjectBody<'a>,
    msgid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_archive_url: Option<()>,
    date: String,
    name: &'a str,
    commit_ref: Option<&'a str>,
    pull_url: (),
    state: &'static str,
    archived: bool,
    hash: String,
    submitter: PersonBody,
    delegate: Option<UserBody<'a>>,
    mbox: String,
    series: [(); 0],
    comments: String,
    check: &'static str,
    checks: String,
    tags: BTreeMap<(), ()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    related: Option<Vec<MentionBody<'a>>>,
    #[serde(flatten)]
    detail: Option<DetailBody<'a>>,
}

/// What only the patch's own address shows.
#[derive(Serialize)]
struct DetailBody<'a> {
    headers: HeadersBody<'a>,
    content: String,
    diff: String,
    prefixes: [(); 0],
}

#[derive(Serialize)]
struct HeadersBody<'a> {
    #[serde(rename = "Message-Id")]
    message_id: &'a str,
    #[serde(rename = "Subject")]
    subject: &'a str,
}

#[derive(Serialize)]
pub(super) struct EventBody<'a> {
    id: u64,
    category: &'static str,
    project: Option<ProjectBody<'a>>,
    date: String,
    actor: Option<UserBody<'a>>,
    payload: PayloadBody<'a>,
}

#[derive(Serialize)]
struct PayloadBody<'a> {
    patch: Option<MentionBody<'a>>,
    #[serde(flatten)]
    relations: Option<RelationsBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<CommentBody>,
}

/// A mail that answers to a patch.
#[derive(Serialize)]
struct CommentBody {
    id: u64,
    url: String,
    web_url: String,
    msgid: String,
    list_archive_url: (),
    date: String,
}

/// Null on every server seen.
#[derive(Serialize)]
struct RelationsBody {
    previous_relation: (),
    current_relation: (),
}

impl<'a> Site<'a> {
    /// The address of something under the index.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{}{path}", self.root, self.index)
    }

    pub(super) fn index_body(&self) -> IndexBody {
        let list = |name: &str| self.address(&format!("{name}/"));
        IndexBody {
            projects: list("projects"),
            users: list("users"),
            people: list("people"),
            patches: list("patches"),
            covers: list("covers"),
            series: list("series"),
            events: list("events"),
            bundles: list("bundles"),
        }
    }

    /// A project as its own address and the list of projects show it.
    pub(super) fn project(&self, project: &'a Project) -> ProjectBody<'a> {
        let maintainers = self.rules.catalogue().maintainers(project.id);
        let profiles = maintainers.map(|user| self.user_at(user, UserId(user.id.0.saturating_add(PROFILE_OFFSET))));
        ProjectBody {
            maintainers: Some(profiles.collect()),
            subject_match: Some(""),
            ..self.mentioned_project(project)
        }
    }

    fn mentioned_project(&self, project: &'a Project) -> ProjectBody<'a> {
        ProjectBody {
            id: project.id.0,
            url: self.address(&format!("projects/{}/", project.id)),
            name: &project.title,
            link_name: project.name.as_str(),
            list_id: &project.list_id,
            list_email: &project.list_email,
            web_url: "",
            scm_url: "",
            webscm_url: "",
            maintainers: None,
            subject_match: None,
            archive: self.is_since_1_2().then_some(ArchiveBody {
                list_archive_url: "",
                list_archive_url_format: "",
                commit_url_format: "",
            }),
        }
    }

    /// A user as lists and mentions show them.
    pub(super) fn user(&self, user: &'a User) -> UserBody<'a> {
        self.user_at(user, user.id)
    }

    /// A user at their own address; only they see their settings, and so can tell whose token they hold.
    pub(super) fn user_detail(&self, user: &'a User, reader: UserId) -> UserBody<'a> {
        let is_own = user.id == reader && self.is_since_1_2();
        let settings = is_own.then_some(SettingsBody {
            send_email: false,
            items_per_page: 100,
            show_ids: false,
        });
        UserBody {
            settings,
            ..self.user(user)
        }
    }

    fn user_at(&self, user: &'a User, id: UserId) -> UserBody<'a> {
        UserBody {
            id: id.0,
            url: self.address(&format!("users/{}/", id.0)),
            username: &user.name.0,
            first_name: &user.first_name,
            last_name: &user.last_name,
            email: &user.email,
            settings: None,
        }
    }

    /// A row of the list of patches.
    pub(super) fn patch_row(&self, patch: &'a Patch, project: &'a Project) -> PatchBody<'a> {
        self.patch(patch, project, Some(self.rules.related(patch.id)), None)
    }

    /// A patch at its own address, with the relatives given; `None` leaves the field out.
    pub(super) fn patch_detail(&self, patch: &'a Patch, project: &'a Project, related: Option<Vec<PatchId>>) -> PatchBody<'a> {
        let detail = DetailBody {
            headers: HeadersBody {
                message_id: patch.message_id.as_str(),
                subject: &patch.name,
            },
            content: mail::content(patch.id),
            diff: mail::diff(patch.id),
            prefixes: [],
        };
        self.patch(patch, project, related, Some(detail))
    }

    fn patch(
        &self,
        patch: &'a Patch,
        project: &'a Project,
        related: Option<Vec<PatchId>>,
        detail: Option<DetailBody<'a>>,
    ) -> PatchBody<'a> {
        let mail = self.mail_address(patch, Some(project));
        PatchBody {
            id: patch.id.0,
            url: self.patch_address(patch.id),
            web_url: mail.clone(),
            project: self.mentioned_project(project),
            msgid: patch.message_id.as_str(),
            list_archive_url: self.archive_url(),
            date: shown(patch.date),
            name: &patch.name,
            commit_ref: patch.commit_ref.as_deref(),
            pull_url: (),
            state: STATE,
            archived: false,
            hash: format!("{:040x}", patch.id.0),
            submitter: self.submitter(patch),
            delegate: self.named_user(patch.delegate.as_ref()).map(|user| self.user(user)),
            mbox: format!("{mail}mbox/"),
            series: [],
            comments: format!("{}/api/patches/{}/comments/", self.root, patch.id),
            check: "pending",
            checks: format!("{}/api/patches/{}/checks/", self.root, patch.id),
            tags: BTreeMap::new(),
            related: self.mentions(related),
            detail,
        }
    }

    fn named_user(&self, name: Option<&UserName>) -> Option<&'a User> {
        self.rules.catalogue().user_named(name?)
    }

    /// People are numbered apart from users: the first is whoever has no account.
    fn submitter(&self, patch: &Patch) -> PersonBody {
        let user = self.named_user(patch.submitter.as_ref());
        let id = user.map_or(1, |user| user.id.0.saturating_add(1));
        let (name, email) = self.rules.catalogue().sender(patch);
        PersonBody {
            id,
            url: self.address(&format!("people/{id}/")),
            name,
            email,
        }
    }

    /// An event. Its patch is there: a patch takes its events with it.
    pub(super) fn event(&self, event: &'a Event) -> EventBody<'a> {
        let catalogue = self.rules.catalogue();
        let patch = catalogue.patch(event.patch);
        let project = catalogue.project(event.project);
        let actor = self.named_user(event.actor.as_ref());
        let relations = RelationsBody {
            previous_relation: (),
            current_relation: (),
        };
        EventBody {
            id: event.id.0,
            category: event.category.as_str(),
            project: project.map(|project| self.mentioned_project(project)),
            date: event_date(event),
            actor: actor.map(|user| self.user(user)),
            payload: PayloadBody {
                patch: patch.map(|patch| self.mention(patch)),
                relations: (event.category == Category::PatchRelationChanged).then_some(relations),
                comment: (event.category == Category::PatchCommentCreated).then(|| self.comment(event)),
            },
        }
    }

    /// Comments are numbered as their events.
    fn comment(&self, event: &Event) -> CommentBody {
        let id = event.id.0;
        CommentBody {
            id,
            url: self.address(&format!("patches/{}/comments/{id}/", event.patch)),
            web_url: format!("{}/comment/{id}/", self.root),
            msgid: format!("<c{id}@example.org>"),
            list_archive_url: (),
            date: event_date(event),
        }
    }

    fn mentions(&self, related: Option<Vec<PatchId>>) -> Option<Vec<MentionBody<'a>>> {
        let related = related.filter(|_| self.is_since_1_2())?;
        let patches = related.into_iter().filter_map(|other| self.rules.catalogue().patch(other));
        Some(patches.map(|other| self.mention(other)).collect())
    }

    fn mention(&self, patch: &'a Patch) -> MentionBody<'a> {
        let mail = self.mail_address(patch, self.rules.catalogue().project(patch.project));
        MentionBody {
            id: patch.id.0,
            url: self.patch_address(patch.id),
            web_url: mail.clone(),
            msgid: patch.message_id.as_str(),
            list_archive_url: self.archive_url(),
            date: shown(patch.date),
            name: &patch.name,
            mbox: format!("{mail}mbox/"),
        }
    }

    /// The version that brought relations, addresses of archives, and users' settings.
    fn is_since_1_2(&self) -> bool {
        self.version >= ApiVersion::V1_2
    }

    fn archive_url(&self) -> Option<()> {
        self.is_since_1_2().then_some(())
    }

    fn patch_address(&self, patch: PatchId) -> String {
        self.address(&format!("patches/{patch}/"))
    }

    /// Where people read the mail. A slash in its id is encoded twice, as on real servers.
    fn mail_address(&self, patch: &Patch, project: Option<&Project>) -> String {
        let project = project.map_or("", |project| project.name.as_str());
        let mail = patch.message_id.bare().replace('/', "%2F");
        format!("{}/project/{project}/patch/{}/", self.root, utf8_percent_encode(&mail, PATH_SAFE))
    }
}

fn shown(date: DateTime) -> String {
    date.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Naive, like all of Patchwork's dates; one second per event, so that newer events have later ones.
fn event_date(event: &Event) -> String {
    let since_first = SignedDuration::from_secs(i64::try_from(event.id.0).unwrap_or(i64::MAX));
    let moment = date(2026, 11, 1).at(0, 0, 0, 123_456_000).saturating_add(since_first);
    moment.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

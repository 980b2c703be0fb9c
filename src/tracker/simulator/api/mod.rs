//! Patchwork's REST API over [`Rules`]: plain requests in, plain replies out; no network.
//!
//! Served are the index, projects, users, patches and events, in the versions that the world lists, and mails, which are no part of the API. What a real server would answer and
//! this one cannot is refused with 501, never made up.

mod auth;
mod mail;
mod message;
mod negotiation;
mod patches;
mod python;
mod python_json;
mod query;
mod route;
mod shapes;
mod version;
mod write_body;

use std::collections::BTreeSet;

use bytes::Bytes;
use serde::Serialize;

pub use self::message::{Delivery, Headers, Reply, Request};
use self::negotiation::Format;
use self::query::{Direction, InvalidPage, NotSimulated, Query};
use self::route::{Resource, Route};
use self::shapes::Site;
pub use self::version::ApiVersion;
use super::catalogue::{Project, User, UserId};
use super::rules::{Category, Event, Extent, Refusal, Rules};
use crate::model::{ProjectId, UserName};

/// What holds for all requests.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) versions: BTreeSet<ApiVersion>,
    pub(super) max_per_page: usize,
}

impl From<InvalidPage> for Reply {
    fn from(_: InvalidPage) -> Self {
        Self::detail(404, "Invalid page.")
    }
}

impl From<NotSimulated> for Reply {
    fn from(NotSimulated(what): NotSimulated) -> Self {
        Self::detail(501, &format!("This is kinset's simulator of Patchwork: {what}."))
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        const FOREIGN: &str = "At least one patch is part of a project you are not maintaining.";
        const CONFLICT: &str = "At least one patch is already part of another relation. You have to explicitly remove a patch from its \
                                existing relation before moving it to this one.";
        match refusal {
            Refusal::UnknownPatch => Self::detail(404, "No Patch matches the given query."),
            Refusal::Anonymous => Self::detail(403, auth::ANONYMOUS),
            Refusal::Powerless => Self::detail(403, auth::POWERLESS),
            Refusal::UnknownRelated(patch) => patches::unknown_related(patch),
            Refusal::ForeignProject => Self::detail(403, FOREIGN),
            Refusal::Conflict => Self::detail(409, CONFLICT),
        }
    }
}

/// Whose token a request carries, for the log: nobody's where it is not to be had.
pub(super) fn user_of(rules: &Rules, request: &Request) -> Option<UserName> {
    auth::authenticate(rules.catalogue(), request.headers.authorization.as_deref())
        .ok()
        .flatten()
        .map(|user| user.name.clone())
}

/// The 403 of a user who maintains nothing.
pub(super) fn powerless() -> Reply {
    Refusal::Powerless.into()
}

/// Answers one request. A write is carried out to the extent given.
pub(super) fn answer(rules: &mut Rules, settings: &Settings, request: &Request, extent: Extent) -> Reply {
    let (version, index, resource) = match route::find(&request.path, &settings.versions) {
        Route::Found { version, index, resource } => (version, index, resource),
        Route::MissingSlash => return redirect_to_slash(request),
        Route::Nowhere => return mail::answer(rules.catalogue(), request),
    };
    let root = format!("http://{}", request.headers.host.as_deref().unwrap_or("localhost"));
    let visit = Visit {
        settings,
        request,
        root: &root,
        version,
        index,
        resource: &resource,
        extent,
    };
    let format = negotiation::format(request.headers.accept.as_deref());
    let (reply, vary) = match format {
        Format::Json | Format::Html => (visit.answer(rules).unwrap_or_else(|refusal| refusal), "Accept, Cookie"),
        // Refused before anybody asks who it is.
        Format::None => (Reply::detail(406, "Could not satisfy the request Accept header."), "Accept"),
    };
    let reply = if format == Format::Html {
        negotiation::browsable(reply)
    } else {
        reply
    };
    reply.with_header("Allow", resource.allowed().join(", ")).with_header("Vary", vary)
}

fn redirect_to_slash(request: &Request) -> Reply {
    let query = if request.query.is_empty() {
        String::new()
    } else {
        format!("?{}", request.query)
    };
    let location = format!("{}/{query}", request.path);
    Reply::new(301, "text/html; charset=utf-8", Bytes::new()).with_header("Location", location)
}

/// One request at the address where it was found.
struct Visit<'a> {
    settings: &'a Settings,
    request: &'a Request,
    root: &'a str,
    version: ApiVersion,
    index: &'a str,
    resource: &'a Resource,
    extent: Extent,
}

impl Visit<'_> {
    fn site<'s>(&'s self, rules: &'s Rules) -> Site<'s> {
        Site {
            root: self.root,
            index: self.index,
            version: self.version,
            rules,
        }
    }

    fn answer(&self, rules: &mut Rules) -> Result<Reply, Reply> {
        let user = auth::authenticate(rules.catalogue(), self.request.headers.authorization.as_deref())?;
        let is_for_users_only = matches!(self.resource, Resource::Users | Resource::User(_));
        if is_for_users_only && user.is_none() {
            return Err(Refusal::Anonymous.into());
        }
        match self.request.method.as_str() {
            "GET" | "HEAD" => self.read(rules, user.map(|user| user.id)),
            "OPTIONS" => Err(NotSimulated("it does not describe itself".to_owned()).into()),
            "PATCH" | "PUT" if self.resource.allowed().contains(&"PATCH") => {
                let user = user.map(|user| user.name.clone());
                self.write(rules, user.as_ref())
            }
            method => Err(Reply::detail(405, &format!("Method \"{method}\" not allowed."))),
        }
    }

    fn read(&self, rules: &Rules, reader: Option<UserId>) -> Result<Reply, Reply> {
        let query = Query::parse(&self.request.query);
        match self.resource {
            Resource::Index => Ok(Reply::json(200, &self.site(rules).index_body())),
            Resource::Projects => self.projects(rules, &query),
            Resource::Project(name) => self.project(rules, name),
            Resource::Users => self.users(rules, &query),
            Resource::User(id) => self.user(rules, *id, reader),
            Resource::Patches => self.patches(rules, &query),
            Resource::Patch(id) => self.patch(rules, *id),
            Resource::Events => self.events(rules, &query),
            Resource::Other(what) => Err(NotSimulated(format!("it has no {what}")).into()),
        }
    }

    fn write(&self, rules: &mut Rules, user: Option<&UserName>) -> Result<Reply, Reply> {
        match self.resource {
            Resource::Patch(id) => self.write_patch(rules, *id, user),
            _ => Err(NotSimulated("it writes nothing but patches".to_owned()).into()),
        }
    }

    fn projects(&self, rules: &Rules, query: &Query) -> Result<Reply, Reply> {
        query.refuse(&["q"])?;
        let direction = query.direction("id", Direction::Ascending, &["name", "link_name", "list_id"])?;
        let site = self.site(rules);
        let rows: Vec<&Project> = rules.catalogue().projects().collect();
        self.list(query, &rows, direction, |project| Some(site.project(project)))
    }

    fn project(&self, rules: &Rules, name: &str) -> Result<Reply, Reply> {
        let number = python::int(name).and_then(|number| u64::try_from(number).ok());
        let by_number = number.and_then(|number| rules.catalogue().project(ProjectId(number)));
        let project = by_number.or_else(|| rules.catalogue().project_named(name));
        let project = project.ok_or_else(|| Reply::detail(404, "No Project matches the given query."))?;
        Ok(Reply::json(200, &self.site(rules).project(project)))
    }

    fn users(&self, rules: &Rules, query: &Query) -> Result<Reply, Reply> {
        let direction = query.direction("id", Direction::Ascending, &["username", "email"])?;
        let wanted = query.last("q").unwrap_or_default();
        let site = self.site(rules);
        let rows: Vec<&User> = rules.catalogue().users().filter(|user| matches_search(user, wanted)).collect();
        self.list(query, &rows, direction, |user| Some(site.user(user)))
    }

    fn user(&self, rules: &Rules, id: Option<u64>, reader: Option<UserId>) -> Result<Reply, Reply> {
        let user = id.and_then(|id| rules.catalogue().user(UserId(id)));
        match (user, reader) {
            (Some(user), Some(reader)) => Ok(Reply::json(200, &self.site(rules).user_detail(user, reader))),
            _ => Err(Reply::detail(404, "No User matches the given query.")),
        }
    }

    /// Newest first, whatever else is asked for but `order=date`.
    fn events(&self, rules: &Rules, query: &Query) -> Result<Reply, Reply> {
        query.refuse(&["series", "patch", "cover", "actor", "since", "before"])?;
        let direction = query.direction("date", Direction::Descending, &[])?;
        let category = query.last("category").filter(|category| !category.is_empty());
        let projects = self.project_filter(rules, query);
        let is_wanted = |event: &&Event| {
            let is_shown = event.category != Category::PatchCommentCreated || self.version >= ApiVersion::V1_3;
            is_shown
                && category.is_none_or(|category| category == event.category.as_str())
                && projects.as_ref().is_none_or(|projects| projects.contains(&event.project))
        };
        let site = self.site(rules);
        let rows: Vec<&Event> = rules.events().iter().filter(is_wanted).collect();
        self.list(query, &rows, direction, |event| Some(site.event(event)))
    }

    /// The projects that `project` asks for, by number or by name in any case; `None` where it does not. One unknown project makes the
    /// answer empty, and not an error.
    fn project_filter(&self, rules: &Rules, query: &Query) -> Option<BTreeSet<ProjectId>> {
        let find = |asked: &str| match python::int(asked) {
            Some(number) => u64::try_from(number)
                .ok()
                .and_then(|number| rules.catalogue().project(ProjectId(number))),
            None => rules
                .catalogue()
                .projects()
                .find(|project| project.name.as_str().to_lowercase() == asked.to_lowercase()),
        };
        let mut asked = query.all("project").peekable();
        asked.peek()?;
        let found: Option<BTreeSet<ProjectId>> = asked.map(|asked| find(asked).map(|project| project.id)).collect();
        Some(found.unwrap_or_default())
    }

    /// The page asked for. Only the rows on it are written.
    fn list<T, B: Serialize>(
        &self,
        query: &Query,
        rows: &[T],
        direction: Direction,
        body: impl Fn(&T) -> Option<B>,
    ) -> Result<Reply, Reply> {
        let page = query.page(rows.len(), self.settings.max_per_page)?;
        let bodies: Vec<B> = match direction {
            Direction::Ascending => rows.iter().skip(page.skip).take(page.take).filter_map(body).collect(),
            Direction::Descending => rows.iter().rev().skip(page.skip).take(page.take).filter_map(body).collect(),
        };
        let address = format!("{}{}", self.root, self.request.path);
        Ok(Reply::json(200, &bodies).with_header("Link", query.links(&address, &page)))
    }
}

/// Every word is somewhere in the user's names or address, in any case.
fn matches_search(user: &User, wanted: &str) -> bool {
    let fields = [&user.name.0, &user.first_name, &user.last_name, &user.email].map(|field| field.to_lowercase());
    let mut words = wanted.split([' ', ',']).map(|word| word.trim_matches(['"', '\'']).to_lowercase());
    words.all(|word| fields.iter().any(|field| field.contains(&word)))
}

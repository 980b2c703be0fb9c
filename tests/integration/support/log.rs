//! What a simulator was asked, in the words of a test.

use kinset::model::PatchId;
use kinset::tracker::simulator::LoggedRequest;
use url::form_urlencoded;

/// What a request was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The index of the API.
    Index,
    /// Somebody's account.
    User,
    /// A project.
    Project,
    /// A page of the patches of a project.
    Page,
    /// A page of events.
    Events,
    /// The patches of the mail with this id, which stands without its brackets.
    Mail(String),
    /// A write to this patch.
    Write(PatchId),
}

impl Asked {
    pub(crate) fn of(request: &LoggedRequest) -> Self {
        let (path, query) = request.path_and_query.split_once('?').unwrap_or((&request.path_and_query, ""));
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let parameter =
            |name: &str| form_urlencoded::parse(query.as_bytes()).find_map(|(key, value)| (key == name).then(|| value.into_owned()));
        match (request.method.as_str(), &segments[..]) {
            ("GET", ["api", _]) => Self::Index,
            ("GET", ["api", _, "users", ..]) => Self::User,
            ("GET", ["api", _, "projects", ..]) => Self::Project,
            ("GET", ["api", _, "patches"]) => parameter("msgid").map_or(Self::Page, Self::Mail),
            ("GET", ["api", _, "events"]) => Self::Events,
            ("PATCH", ["api", _, "patches", patch]) => Self::Write(PatchId(patch.parse().unwrap())),
            _ => panic!("nobody should ask for {} {}", request.method, request.path_and_query),
        }
    }

    pub(crate) fn is_write(&self) -> bool {
        matches!(self, Self::Write(_))
    }
}

/// How many writes there are among these requests.
pub(crate) fn writes(log: &[LoggedRequest]) -> usize {
    log.iter().filter(|request| Asked::of(request).is_write()).count()
}

//! Which address is what.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;

use super::version::{self, ApiVersion};

/// What is at an address. Numbers that are too large for any id are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Index,
    Projects,
    Project(String),
    Users,
    User(Option<u64>),
    Patches,
    Patch(Option<u64>),
    Events,
    /// What real servers have besides.
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Found {
        version: ApiVersion,
        /// The path of the index, with the version that it names, if it names one.
        index: &'a str,
        resource: Resource,
    },
    /// A redirect away from something.
    MissingSlash,
    Nowhere,
}

impl Resource {
    /// The methods that the `Allow` header names.
    pub(super) fn allowed(&self) -> &'static [&'static str] {
        match self {
            Self::Project(_) | Self::User(_) | Self::Patch(_) => &["GET", "PUT", "PATCH", "HEAD", "OPTIONS"],
            Self::Index | Self::Projects | Self::Users | Self::Patches | Self::Events | Self::Other(_) => &["GET", "HEAD", "OPTIONS"],
        }
    }
}

pub(super) fn find<'a>(path: &'a str, served: &BTreeSet<ApiVersion>) -> Route<'a> {
    if path.ends_with('/') {
        return found(path, served).unwrap_or(Route::Nowhere);
    }
    match found(&format!("{path}/"), served) {
        Some(_) => Route::MissingSlash,
        None => Route::Nowhere,
    }
}

fn found<'a>(path: &'a str, served: &BTreeSet<ApiVersion>) -> Option<Route<'a>> {
    let (version, rest) = version::split(path.strip_prefix("/api/")?, served)?;
    let index = &path[..path.len() - rest.len()];
    Some(Route::Found {
        version,
        index,
        resource: resource(rest)?,
    })
}

/// What is at a path below the index.
fn resource(rest: &str) -> Option<Resource> {
    let Some(rest) = rest.strip_suffix('/') else {
        return rest.is_empty().then_some(Resource::Index);
    };
    let segments: Vec<&str> = rest.split('/').collect();
    match segments.as_slice() {
        ["projects"] => Some(Resource::Projects),
        ["projects", name] if !name.is_empty() => Some(Resource::Project(percent_decode_str(name).decode_utf8_lossy().into_owned())),
        ["users"] => Some(Resource::Users),
        ["users", id] => number(id).map(Resource::User),
        ["patches"] => Some(Resource::Patches),
        ["patches", id] => number(id).map(Resource::Patch),
        ["patches", id, part @ ("comments" | "checks")] if number(id).is_some() => Some(Resource::Other((*part).to_owned())),
        ["events"] => Some(Resource::Events),
        [other @ ("people" | "covers" | "series" | "bundles")] => Some(Resource::Other((*other).to_owned())),
        [other @ ("people" | "covers" | "series" | "bundles"), id] if number(id).is_some() => Some(Resource::Other((*other).to_owned())),
        _ => None,
    }
}

/// A number of any length; nothing else is at these addresses.
fn number(segment: &str) -> Option<Option<u64>> {
    let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| segment.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::{Resource, Route, find};
    use crate::tracker::simulator::api::version::ApiVersion;

    fn resource(path: &str) -> Option<Resource> {
        match find(path, &ApiVersion::ALL.into()) {
            Route::Found { resource, .. } => Some(resource),
            Route::MissingSlash | Route::Nowhere => None,
        }
    }

    #[test]
    fn every_version_and_none_lead_to_the_same_places() {
        for index in ["/api/1.1/", "/api/1.2/", "/api/1.3/", "/api/"] {
            assert_eq!(resource(index), Some(Resource::Index));
            assert_eq!(resource(&format!("{index}patches/0007/")), Some(Resource::Patch(Some(7))));
            assert_eq!(
                resource(&format!("{index}projects/al%20pha/")),
                Some(Resource::Project("al pha".to_owned()))
            );
        }
    }

    #[test]
    fn a_version_that_is_not_served_is_nowhere() {
        let served = [ApiVersion::V1_1].into();
        for path in ["/api/1.3/", "/api/1.3/patches/", "/api/1.9/patches", "/api/1.3"] {
            assert_eq!(find(path, &served), Route::Nowhere, "{path}");
        }
        let Route::Found { version, .. } = find("/api/patches/", &served) else {
            panic!("the unversioned address is there")
        };
        assert_eq!(version, ApiVersion::V1_1);
    }

    #[test]
    fn only_numbers_are_ids_and_large_ones_belong_to_nobody() {
        assert_eq!(resource("/api/1.3/patches/99999999999999999999/"), Some(Resource::Patch(None)));
        for path in [
            "/api/1.3/patches/abc/",
            "/api/1.3/patches/-1/",
            "/api/1.3/patches//",
            "/api//1.3/",
            "/",
            "/api/1.3/projects/a/b/",
        ] {
            assert_eq!(resource(path), None, "{path}");
        }
    }

    #[test]
    fn a_missing_slash_is_forgiven_only_where_something_is() {
        let served = ApiVersion::ALL.into();
        for path in [
            "/api",
            "/api/1.3",
            "/api/1.3/patches",
            "/api/1.3/patches/7",
            "/api/1.3/projects/nope",
        ] {
            assert_eq!(find(path, &served), Route::MissingSlash, "{path}");
        }
        for path in ["/api/1.3/nope", "/api/1.3/patches/abc", "/nope"] {
            assert_eq!(find(path, &served), Route::Nowhere, "{path}");
        }
    }
}

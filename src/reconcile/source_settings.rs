//! The services that a distribution may follow, as one.

use serde_json::json;

use crate::source::{Previous, Reading, SourceError, bodhi, distgit, distro_info, launchpad, local, modulemd};

/// A service, and how to read it.
#[derive(Clone, Debug)]
pub enum SourceSettings {
    /// Launchpad.
    Launchpad(launchpad::Settings),
    /// Bodhi.
    Bodhi(bodhi::Settings),
    /// A dist-git.
    Distgit(distgit::Settings),
    /// Dates of Debian's and Ubuntu's series.
    DistroInfo(distro_info::Settings),
    /// A file beside them.
    Local(local::Settings),
    /// Modules of a repository of packages.
    Modulemd(modulemd::Settings),
}

impl SourceSettings {
    /// The source's name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Launchpad(settings) => &settings.name,
            Self::Bodhi(settings) => &settings.name,
            Self::Distgit(settings) => &settings.name,
            Self::DistroInfo(settings) => &settings.name,
            Self::Local(settings) => &settings.name,
            Self::Modulemd(settings) => &settings.name,
        }
    }

    /// Reads the service.
    ///
    /// # Errors
    /// When it cannot be read to the end.
    pub async fn read(&self, previous: &Previous) -> Result<Reading, SourceError> {
        match self {
            Self::Launchpad(settings) => launchpad::read(settings, previous).await,
            Self::Bodhi(settings) => bodhi::read(settings, previous).await,
            Self::Distgit(settings) => distgit::read(settings, previous).await,
            Self::DistroInfo(settings) => distro_info::read(settings, previous).await,
            Self::Local(settings) => local::read(settings).await,
            Self::Modulemd(settings) => modulemd::read(settings, previous).await,
        }
    }

    /// What the service is asked, and by which kinset, as a JSON object. What came of another question is no [`Previous`] of this one. How requests are
    /// sent is no part of it.
    #[must_use]
    pub fn asked(&self) -> String {
        let what = match self {
            Self::Launchpad(launchpad::Settings {
                name: _,
                url,
                distribution,
                series,
                reread,
                rows_per_page: _,
                http: _,
            }) => json!({"launchpad": url.as_str(), "distribution": distribution, "series": series, "reread": format!("{reread:?}")}),
            Self::Bodhi(bodhi::Settings {
                name: _,
                url,
                id_prefixes,
                http: _,
            }) => json!({"bodhi": url.as_str(), "id_prefixes": id_prefixes}),
            Self::Distgit(distgit::Settings {
                name: _,
                url,
                forge,
                namespace,
                branches,
                http: _,
            }) => json!({"distgit": url.as_str(), "forge": format!("{forge:?}"), "namespace": namespace, "branches": branches}),
            Self::DistroInfo(distro_info::Settings { name: _, at }) => match at {
                distro_info::At::File(file) => json!({"distro-info": "file", "file": file.to_string_lossy()}),
                distro_info::At::Web { url, http: _ } => json!({"distro-info": "url", "url": url.as_str()}),
            },
            Self::Local(local::Settings { name: _, path }) => json!({"local": path.to_string_lossy()}),
            Self::Modulemd(modulemd::Settings { name: _, at, release }) => match at {
                modulemd::At::File(file) => json!({"modulemd": "file", "file": file.to_string_lossy(), "release": release}),
                modulemd::At::Web { url, http: _ } => json!({"modulemd": "url", "url": url.as_str(), "release": release}),
                modulemd::At::Repository { url, http: _ } => {
                    json!({"modulemd": "repository", "repository": url.as_str(), "release": release})
                }
            },
        };
        json!({"kinset": env!("CARGO_PKG_VERSION"), "what": what}).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(at: modulemd::At, release: Option<&str>) -> String {
        let settings = modulemd::Settings {
            name: "modules".to_owned(),
            at,
            release: release.map(|release| release.parse().unwrap()),
        };
        SourceSettings::Modulemd(settings).asked()
    }

    #[test]
    fn another_question_or_another_kinset_is_told_from_this_one_and_another_pace_is_not() {
        let url = || url::Url::parse("http://127.0.0.1:9/").unwrap();
        let http = |timeout| crate::source::HttpSettings {
            contact: None,
            requests_per_second: std::num::NonZeroU32::MIN,
            concurrent_requests: std::num::NonZeroUsize::MIN,
            timeout: std::time::Duration::from_secs(timeout),
            retry: crate::http::RetryPolicy::default(),
        };
        let repository = |timeout| modulemd::At::Repository {
            url: url(),
            http: http(timeout),
        };
        let web = modulemd::At::Web { url: url(), http: http(1) };
        let this = asked(repository(1), None);
        assert!(this.contains(env!("CARGO_PKG_VERSION")), "{this}");
        assert_eq!(asked(repository(2), None), this);
        assert_ne!(asked(repository(1), Some("f29")), this);
        assert_ne!(asked(web, None), this);
    }
}

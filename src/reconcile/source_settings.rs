//! The services that a distribution may follow, as one.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use url::Url;

use crate::http::{Address, Scrubber};
use crate::model::packages::snapshot::SourceSnapshot;
use crate::model::packages::{BranchName, SeriesName};
use crate::source::{FileAt, Previous, Reading, SourceError, bodhi, distgit, distro_info, launchpad, local, modulemd};

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

    /// Where the service is: an address, or a file.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Launchpad(launchpad::Settings { url, .. })
            | Self::Bodhi(bodhi::Settings { url, .. })
            | Self::Distgit(distgit::Settings { url, .. }) => shown(url),
            Self::DistroInfo(distro_info::Settings { at, .. })
            | Self::Modulemd(modulemd::Settings {
                at: modulemd::At::File(at),
                ..
            }) => match at {
                FileAt::Disk(file) => file.display().to_string(),
                FileAt::Web { url, http: _ } => shown(url),
            },
            Self::Local(local::Settings { path, .. }) => path.display().to_string(),
            Self::Modulemd(modulemd::Settings {
                at: modulemd::At::Repository { url, http: _ },
                ..
            }) => shown(url),
        }
    }

    /// What the service is asked, how thoroughly, and by which kinset, as a JSON object. What came of another question is no [`Previous`] of this one. How
    /// requests are sent is no part of it.
    #[must_use]
    pub fn asked(&self) -> String {
        let how = match self {
            Self::Launchpad(settings) => Some(format!("{:?}", settings.reread)),
            Self::Bodhi(_) | Self::Distgit(_) | Self::DistroInfo(_) | Self::Local(_) | Self::Modulemd(_) => None,
        };
        json!({"kinset": env!("CARGO_PKG_VERSION"), "how": how, "what": self.question()}).to_string()
    }

    /// What the service is asked, however and by whichever kinset.
    fn question(&self) -> Value {
        match self {
            Self::Launchpad(launchpad::Settings {
                name: _,
                url,
                distribution,
                series,
                reread: _,
                rows_per_page: _,
                http: _,
            }) => json!({"launchpad": url.as_str(), "distribution": distribution, "series": series}),
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
                FileAt::Disk(file) => json!({"distro-info": "file", "file": file.to_string_lossy()}),
                FileAt::Web { url, http: _ } => json!({"distro-info": "url", "url": url.as_str()}),
            },
            Self::Local(local::Settings { name: _, path }) => json!({"local": path.to_string_lossy()}),
            Self::Modulemd(modulemd::Settings { name: _, at, release }) => match at {
                modulemd::At::File(FileAt::Disk(file)) => json!({"modulemd": "file", "file": file.to_string_lossy(), "release": release}),
                modulemd::At::File(FileAt::Web { url, http: _ }) => {
                    json!({"modulemd": "url", "url": url.as_str(), "release": release})
                }
                modulemd::At::Repository { url, http: _ } => {
                    json!({"modulemd": "repository", "repository": url.as_str(), "release": release})
                }
            },
        }
    }

    /// What an answer is worth that was given to what was `asked` then. Of what is not asked any more, or may not be, `answer` says nothing afterwards.
    pub(super) fn worth(&self, asked: &str, answer: &mut SourceSnapshot) -> Worth {
        if asked == self.asked() {
            return Worth::Previous;
        }
        // What is no JSON was asked by nobody that this kinset knows.
        let before: Value = serde_json::from_str(asked).unwrap_or_default();
        let (before, now) = (&before["what"], self.question());
        if *before == now {
            return Worth::Answer;
        }
        let differs_in = |key: &str| {
            let without = |question: &Value| {
                let mut question = question.as_object().cloned().unwrap_or_default();
                question.remove(key);
                question
            };
            without(before) == without(&now)
        };
        match self {
            Self::Launchpad(launchpad::Settings { series: wanted, .. }) if differs_in("series") => {
                let is_wanted = |series: &SeriesName| wanted.as_ref().is_none_or(|wanted| wanted.contains(series));
                for (_, facts) in answer.series.iter_mut().filter(|(series, _)| !is_wanted(series)) {
                    facts.sets = None;
                }
                Worth::Part
            }
            // Of a series nothing tells by which prefix it was found.
            Self::Bodhi(bodhi::Settings { id_prefixes, .. }) if differs_in("id_prefixes") => {
                let prefixes = before["id_prefixes"].as_array();
                let is_asked = |prefix: &Value| prefix.as_str().is_some_and(|prefix| id_prefixes.contains(prefix));
                match prefixes.is_some_and(|prefixes| prefixes.iter().all(is_asked)) {
                    true => Worth::Part,
                    false => Worth::Nothing,
                }
            }
            Self::Distgit(distgit::Settings { branches, .. }) if differs_in("branches") => {
                let was_asked = |branch: &BranchName, series: &SeriesName| before["branches"][branch.as_str()] == series.as_str();
                let asked = branches.iter().filter(|(branch, series)| was_asked(branch, series));
                let asked: BTreeSet<&SeriesName> = asked.map(|(_, series)| series).collect();
                answer.series.retain(|series, _| asked.contains(series));
                Worth::Part
            }
            Self::Modulemd(modulemd::Settings { release, .. }) if differs_in("release") => {
                if let Some(modules) = &mut answer.modules {
                    modules.release.clone_from(release);
                    modules.defaults.clear();
                }
                Worth::Part
            }
            _ => Worth::Nothing,
        }
    }
}

/// What an answer that a source gave once is worth, by what was asked then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// The same kinset asked the same: the next read may go on from it.
    Previous,
    /// Another kinset asked the same, or asked it more or less thoroughly: it is compared with what comes next.
    Answer,
    /// What is left of it is asked still: others are believed after it.
    Part,
    /// Nothing.
    Nothing,
}

/// An address without the user name and the password that it may carry.
fn shown(url: &Url) -> String {
    Address::new(url, &Scrubber::none()).to_string()
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
        let web = modulemd::At::File(FileAt::Web { url: url(), http: http(1) });
        let this = asked(repository(1), None);
        assert!(this.contains(env!("CARGO_PKG_VERSION")), "{this}");
        assert_eq!(asked(repository(2), None), this);
        assert_ne!(asked(repository(1), Some("f29")), this);
        assert_ne!(asked(web, None), this);
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn http() -> crate::source::HttpSettings {
        crate::source::HttpSettings {
            contact: None,
            requests_per_second: std::num::NonZeroU32::MIN,
            concurrent_requests: std::num::NonZeroUsize::MIN,
            timeout: std::time::Duration::from_secs(1),
            retry: crate::http::RetryPolicy::default(),
        }
    }

    /// What is left of an answer that was given to `before`, as JSON, and what that is worth where `now` is asked.
    fn left(before: &SourceSettings, now: &SourceSettings, answer: &Value) -> (Worth, Value) {
        let mut answer: SourceSnapshot = serde_json::from_value(answer.clone()).unwrap();
        let worth = now.worth(&before.asked(), &mut answer);
        (worth, serde_json::to_value(&answer).unwrap())
    }

    #[test]
    fn of_launchpad_what_is_wanted_of_series_is_asked_still_and_nothing_of_another_launchpad() {
        let of = |address: &str, series: Option<&[&str]>, reread| {
            SourceSettings::Launchpad(launchpad::Settings {
                name: "launchpad".to_owned(),
                url: url(address),
                distribution: "ubuntu".parse().unwrap(),
                series: series.map(|series| series.iter().map(|name| name.parse().unwrap()).collect()),
                reread,
                rows_per_page: std::num::NonZeroU32::MIN,
                http: http(),
            })
        };
        let here = "http://127.0.0.1/devel/";
        let two = of(here, Some(&["noble", "jammy"]), launchpad::Reread::Listed);
        let answer = json!({
            "series": { "jammy": { "version": "22.04", "sets": {} }, "noble": { "version": "24.04", "sets": {} } },
            "permissions": [],
        });
        assert_eq!(left(&two, &two, &answer), (Worth::Previous, answer.clone()));
        let thorough = of(here, Some(&["noble", "jammy"]), launchpad::Reread::Living);
        assert_eq!(left(&two, &thorough, &answer), (Worth::Answer, answer.clone()));
        assert_eq!(
            left(&two, &of(here, None, launchpad::Reread::Listed), &answer),
            (Worth::Part, answer.clone())
        );
        let mut of_noble = answer.clone();
        of_noble["series"]["jammy"].as_object_mut().unwrap().remove("sets");
        let one = of(here, Some(&["noble", "questing"]), launchpad::Reread::Listed);
        assert_eq!(left(&two, &one, &answer), (Worth::Part, of_noble));
        let elsewhere = of("http://127.0.0.1/other/", Some(&["noble", "jammy"]), launchpad::Reread::Listed);
        assert_eq!(left(&two, &elsewhere, &answer).0, Worth::Nothing);
    }

    #[test]
    fn of_bodhi_more_prefixes_leave_what_was_answered_and_fewer_do_not() {
        let of = |prefixes: &[&str]| {
            SourceSettings::Bodhi(bodhi::Settings {
                name: "bodhi".to_owned(),
                url: url("http://127.0.0.1/"),
                id_prefixes: prefixes.iter().map(|&prefix| prefix.to_owned()).collect(),
                http: http(),
            })
        };
        let answer = json!({ "series": { "f41": { "version": "41" } } });
        let (one, two) = (of(&["FEDORA"]), of(&["FEDORA", "FEDORA-EPEL"]));
        assert_eq!(left(&one, &two, &answer), (Worth::Part, answer.clone()));
        assert_eq!(
            left(&two, &one, &answer).0,
            Worth::Nothing,
            "which of them is of EPEL nothing tells"
        );
    }

    #[test]
    fn of_a_forge_what_is_retired_on_a_branch_is_of_the_series_that_it_was_for() {
        let of = |namespace: &str, branches: &[(&str, &str)]| {
            let branches = branches
                .iter()
                .map(|(branch, series)| (branch.parse().unwrap(), series.parse().unwrap()));
            SourceSettings::Distgit(distgit::Settings {
                name: "distgit".to_owned(),
                url: url("http://127.0.0.1/"),
                forge: distgit::ForgeKind::Pagure,
                namespace: namespace.to_owned(),
                branches: branches.collect(),
                http: http(),
            })
        };
        let answer = json!({
            "series": { "f42": { "retired": ["old"] }, "f43": { "retired": ["old"] } },
            "packages": { "bash": { "owner": "ann" } },
        });
        let before = of("rpms", &[("rawhide", "f43"), ("f42", "f42")]);
        // Rawhide went on to the next release, and what was retired there is of that now.
        let after = of("rpms", &[("rawhide", "f44"), ("f43", "f43"), ("f42", "f42")]);
        let mut of_f42 = answer.clone();
        of_f42["series"].as_object_mut().unwrap().remove("f43");
        assert_eq!(left(&before, &after, &answer), (Worth::Part, of_f42));
        assert_eq!(left(&before, &of("modules", &[]), &answer).0, Worth::Nothing);
    }

    #[test]
    fn of_modules_the_streams_are_asked_still_and_the_defaults_of_another_release_are_not() {
        let of = |file: &str, release: &str| {
            SourceSettings::Modulemd(modulemd::Settings {
                name: "modules".to_owned(),
                at: modulemd::At::File(FileAt::Disk(file.into())),
                release: Some(release.parse().unwrap()),
            })
        };
        let answer = json!({ "modules": { "release": "f29", "streams": { "m:1": {} }, "defaults": { "m": "1" } } });
        let left_of = json!({ "modules": { "release": "f30", "streams": { "m:1": { "contexts": {} } } } });
        let (worth, left_now) = left(&of("a", "f29"), &of("a", "f30"), &answer);
        assert_eq!(worth, Worth::Part);
        assert_eq!(left_now["modules"]["release"], left_of["modules"]["release"]);
        assert!(left_now["modules"]["streams"]["m:1"].is_object() && left_now["modules"].get("defaults").is_none());
        assert_eq!(left(&of("a", "f29"), &of("b", "f29"), &answer).0, Worth::Nothing);
    }

    #[test]
    fn an_answer_to_what_nobody_knows_to_have_been_asked_is_worth_nothing() {
        let dates = SourceSettings::DistroInfo(distro_info::Settings {
            name: "dates".to_owned(),
            at: FileAt::Disk("ubuntu.csv".into()),
        });
        for asked in ["", "{}", r#"{"kinset": "0.0.1", "what": null}"#] {
            assert_eq!(dates.worth(asked, &mut SourceSnapshot::default()), Worth::Nothing, "{asked}");
        }
    }
}

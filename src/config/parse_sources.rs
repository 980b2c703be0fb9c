//! What a distribution follows.

use super::distribution::REQUESTS_PER_SECOND;
use super::error::ProblemKind;
use super::keys::{self, Key};
use super::parse::Tables;
use super::section::Section;
use super::{FileOrUrl, Follows, ModulesAt, Services, Source, SourceKind, values};
use crate::model::packages::{Sharing, VersionScheme};
use url::Url;

/// A kind of source: its word, its keys beside those that all have, and where it is when nothing says otherwise.
struct Kind {
    word: &'static str,
    keys: &'static [&'static Key],
    url: Option<&'static str>,
}

const KINDS: [Kind; 6] = [
    Kind {
        word: "launchpad",
        keys: &[&keys::SOURCE_URL, &keys::SERIES, &keys::READ_SETS],
        url: Some("https://api.launchpad.net/devel/"),
    },
    Kind {
        word: "bodhi",
        keys: &[&keys::SOURCE_URL, &keys::ID_PREFIXES],
        url: Some("https://bodhi.fedoraproject.org/"),
    },
    Kind {
        word: "distgit",
        keys: &[&keys::SOURCE_URL, &keys::NAMESPACE, &keys::BRANCHES],
        url: Some("https://src.fedoraproject.org/"),
    },
    Kind {
        word: "distro-info",
        keys: &[&keys::SOURCE_URL, &keys::SOURCE_FILE],
        url: None,
    },
    Kind {
        word: "local",
        keys: &[&keys::SOURCE_FILE],
        url: None,
    },
    Kind {
        word: "modulemd",
        keys: &[&keys::REPOSITORY, &keys::SOURCE_URL, &keys::SOURCE_FILE, &keys::RELEASE],
        url: None,
    },
];

/// The keys that a source of any kind has.
const OF_ALL: [&Key; 4] = [&keys::KIND, &keys::SOURCE_NAME, &keys::CONTACT, &keys::REQUESTS_PER_SECOND];

impl Tables<'_, '_> {
    /// A file or services.
    pub(super) fn follows(&mut self, section: &Section<'_>) -> Option<Follows> {
        let of_services = [&keys::SHARING, &keys::VERSIONS, &keys::LISTED];
        match (section.raw(&keys::FILE), section.raw(&keys::SOURCES)) {
            (Some(_), Some(sources)) => {
                section.report(&keys::SOURCES, sources.span().start, ProblemKind::FileAndSources, self.problems);
                None
            }
            (_, None) => {
                for key in of_services {
                    if let Some(value) = section.raw(key) {
                        section.report(key, value.span().start, ProblemKind::OnlyOfServices, self.problems);
                    }
                }
                let file = section.required(&keys::FILE, values::path, self.problems);
                Some(Follows::File(self.folder.join(file?)))
            }
            (None, Some(_)) => {
                let sharing = section.optional(&keys::SHARING, values::parsed, self.problems);
                let versions = section.optional(&keys::VERSIONS, values::parsed, self.problems);
                let listed = section.optional(&keys::LISTED, values::set_of, self.problems);
                let sections = self.sections(section, &keys::SOURCES, &keys::SOURCE_TABLE);
                let sources: Vec<Option<Source>> = sections.iter().map(|section| self.source(section)).collect();
                self.report_same_names(&sections);
                let sources: Vec<Source> = sources.into_iter().collect::<Option<_>>()?;
                (!sources.is_empty()).then(|| {
                    Follows::Services(Services {
                        sharing: sharing.unwrap_or(Sharing::CopyOnWrite),
                        versions: versions.unwrap_or(VersionScheme::Debian),
                        listed: listed.unwrap_or_default(),
                        sources,
                    })
                })
            }
        }
    }

    /// Names are what sources are told apart by; one without goes by its kind.
    fn report_same_names(&mut self, sections: &[Section<'_>]) {
        let mut first_lines = std::collections::BTreeMap::new();
        for section in sections {
            let named = [&keys::SOURCE_NAME, &keys::KIND]
                .into_iter()
                .find_map(|key| Some((key, section.raw(key)?)));
            if let Some((key, value)) = named
                && let Some(text) = value.get_ref().as_str()
            {
                self.report_if_seen(section, key, value.span().start, text, &mut first_lines);
            }
        }
    }

    fn source(&mut self, section: &Section<'_>) -> Option<Source> {
        let name = section.optional(&keys::SOURCE_NAME, values::tracker_name, self.problems);
        let contact = section.optional(&keys::CONTACT, values::contact, self.problems);
        let requests_per_second = section.optional(&keys::REQUESTS_PER_SECOND, values::at_least_one, self.problems);
        let word = section.required(&keys::KIND, values::text, self.problems)?;
        let Some(kind) = KINDS.iter().find(|kind| kind.word == word) else {
            if let Some(value) = section.raw(&keys::KIND) {
                section.report_wrong(&keys::KIND, value, self.problems);
            }
            return None;
        };
        self.report_strange_keys(section, kind);
        let kind = self.kind(section, kind)?;
        Some(Source {
            name: name.map_or_else(|| kind.as_str().to_owned(), |name| name.to_string()),
            kind,
            contact,
            requests_per_second: requests_per_second.unwrap_or(REQUESTS_PER_SECOND),
        })
    }

    fn report_strange_keys(&mut self, section: &Section<'_>, kind: &Kind) {
        let known: Vec<&'static str> = OF_ALL.iter().chain(kind.keys).map(|key| key.name).collect();
        for key in keys::SOURCE_TABLE.keys {
            if let Some(value) = section.raw(key)
                && !known.contains(&key.name)
            {
                let problem = ProblemKind::NotOfKind {
                    kind: kind.word,
                    known: known.clone(),
                };
                section.report(key, value.span().start, problem, self.problems);
            }
        }
    }

    fn kind(&mut self, section: &Section<'_>, kind: &Kind) -> Option<SourceKind> {
        Some(match kind.word {
            "launchpad" => {
                let url = self.url(section, kind);
                SourceKind::Launchpad {
                    series: section.optional(&keys::SERIES, values::some_of, self.problems),
                    read_sets: section
                        .optional(&keys::READ_SETS, values::read_sets, self.problems)
                        .unwrap_or_default(),
                    url: url?,
                }
            }
            "bodhi" => {
                let url = self.url(section, kind);
                let prefixes = section.required(&keys::ID_PREFIXES, values::some_of, self.problems);
                SourceKind::Bodhi {
                    id_prefixes: prefixes?,
                    url: url?,
                }
            }
            "distgit" => {
                let url = self.url(section, kind);
                let namespace = section.optional(&keys::NAMESPACE, values::text, self.problems);
                let branches = section.optional(&keys::BRANCHES, values::table_of, self.problems);
                SourceKind::Distgit {
                    url: url?,
                    namespace: namespace.unwrap_or_else(|| "rpms".to_owned()),
                    branches: branches.unwrap_or_default(),
                }
            }
            "distro-info" => {
                let place = self.place(section, &[&keys::SOURCE_FILE, &keys::SOURCE_URL]);
                let at = self.file(section);
                SourceKind::DistroInfo { at: place.and(at)? }
            }
            "local" => {
                let file = section.required(&keys::SOURCE_FILE, values::path, self.problems);
                SourceKind::Local {
                    file: self.folder.join(file?),
                }
            }
            _ => {
                let place = self.place(section, &[&keys::REPOSITORY, &keys::SOURCE_URL, &keys::SOURCE_FILE]);
                let release = section.optional(&keys::RELEASE, values::parsed, self.problems);
                let repository = section.optional(&keys::REPOSITORY, values::service, self.problems);
                let at = self.file(section).map(ModulesAt::File).or(repository.map(ModulesAt::Repository));
                SourceKind::Modulemd {
                    at: place.and(at)?,
                    release,
                }
            }
        })
    }

    /// The address that a section says, or else the usual one.
    fn url(&mut self, section: &Section<'_>, kind: &Kind) -> Option<Url> {
        let usual = kind.url.and_then(|url| Url::parse(url).ok());
        let url = section.optional(&keys::SOURCE_URL, values::service, self.problems);
        if section.raw(&keys::SOURCE_URL).is_some() { url } else { usual }
    }

    fn file(&mut self, section: &Section<'_>) -> Option<FileOrUrl> {
        let file = section.optional(&keys::SOURCE_FILE, values::path, self.problems);
        let url = section.optional(&keys::SOURCE_URL, values::file_on_a_server, self.problems);
        let file = file.map(|file| FileOrUrl::File(self.folder.join(file)));
        file.or(url.map(FileOrUrl::Url))
    }

    /// The one of these keys that says where something is.
    fn place(&mut self, section: &Section<'_>, places: &[&'static Key]) -> Option<&'static Key> {
        let there: Vec<&'static Key> = places.iter().copied().filter(|key| section.raw(key).is_some()).collect();
        match there[..] {
            [] => {
                if let Some(first) = places.first() {
                    section.report_missing(first, self.problems);
                }
                None
            }
            [only] => Some(only),
            [first, second, ..] => {
                if let Some(value) = section.raw(second) {
                    let problem = ProblemKind::TwoPlaces { first: first.name };
                    section.report(second, value.span().start, problem, self.problems);
                }
                None
            }
        }
    }
}

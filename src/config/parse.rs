//! From the text of a configuration file to [`Config`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, ProblemKind};
use super::keys::{self, Key, Table};
use super::section::{Problems, Section};
use super::{Config, DEFAULT_STATE_DIR, Desired, Distribution, DistributionGuard, Guard, Limits, Pull, TokenSource, Tracker, values};
use crate::model::ProjectName;
use crate::model::packages::SeriesPath;
use crate::remedy::nearest;
use crate::text::key_on_line;

/// Reads a whole configuration.
pub(super) fn config(text: &str, path: &Path) -> Result<Config, ConfigError> {
    let mut problems = Problems::new(text);
    let (document, syntax) = DeTable::parse_recoverable(text);
    for error in syntax {
        let offset = error.span().map_or(0, |span| span.start);
        problems.push(offset, key_on_line(text, offset), ProblemKind::Syntax(error.message().to_owned()));
    }
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let root = Section::new(&keys::ROOT_TABLE, document.get_ref(), 0, &mut problems);
    let state_dir = root.optional(&keys::STATE_DIR, values::path, &mut problems);
    let mut tables = Tables {
        folder,
        problems: &mut problems,
    };
    let daemon = tables.daemon(&root);
    let (trackers, distributions) = tables.read(&root);
    let problems = problems.into_sorted();
    if !problems.is_empty() {
        return Err(ConfigError::Invalid {
            path: path.to_path_buf(),
            problems,
        });
    }
    Ok(Config {
        path: path.to_path_buf(),
        state_dir: folder.join(state_dir.unwrap_or_else(|| PathBuf::from(DEFAULT_STATE_DIR))),
        daemon,
        trackers,
        distributions,
    })
}

/// Reads the trackers and distributions of a configuration that stands in a folder.
pub(super) struct Tables<'a, 'd> {
    pub(super) folder: &'a Path,
    pub(super) problems: &'a mut Problems<'d>,
}

impl Tables<'_, '_> {
    /// All trackers and distributions that could be read; for each other one there is a problem.
    fn read(&mut self, root: &Section<'_>) -> (Vec<Tracker>, Vec<Distribution>) {
        if [&keys::STATE_DIR, &keys::TRACKERS, &keys::DISTRIBUTIONS]
            .iter()
            .all(|key| root.raw(key).is_none())
        {
            root.report_missing(&keys::TRACKERS, self.problems);
        }
        let trackers = self.sections(root, &keys::TRACKERS, &keys::TRACKER_TABLE);
        let distributions = self.sections(root, &keys::DISTRIBUTIONS, &keys::DISTRIBUTION_TABLE);
        // Two trackers that write the same feedback would take back what the other wrote.
        self.report_same(&keys::FEEDBACK, &trackers);
        let all: Vec<Section<'_>> = trackers.iter().chain(&distributions).copied().collect();
        self.report_same(&keys::NAME, &all);
        let trackers: Vec<_> = trackers
            .into_iter()
            .filter_map(|section| Some((section, self.tracker(&section)?)))
            .collect();
        self.report_shared(&trackers);
        (
            trackers.into_iter().map(|(_, tracker)| tracker).collect(),
            distributions.iter().filter_map(|section| self.distribution(section)).collect(),
        )
    }

    pub(super) fn sections<'s>(&mut self, root: &Section<'s>, key: &'static Key, table: &'static Table) -> Vec<Section<'s>> {
        let Some(value) = root.raw(key) else { return Vec::new() };
        let elements: &[Spanned<DeValue<'_>>] = value.get_ref().as_array().map_or(&[], |array| array);
        if elements.is_empty() {
            root.report_wrong(key, value, self.problems);
        }
        let mut sections = Vec::new();
        for element in elements {
            match element.get_ref() {
                DeValue::Table(entries) => sections.push(Section::new(table, entries, element.span().start, self.problems)),
                _ => root.report_wrong(key, element, self.problems),
            }
        }
        sections
    }

    /// What one of two trackers writes to a project that both have, the other would take back.
    fn report_shared(&mut self, trackers: &[(Section<'_>, Tracker)]) {
        for (place, (section, tracker)) in trackers.iter().enumerate() {
            let projects = section.raw(&keys::PROJECTS).and_then(|value| value.get_ref().as_array());
            for element in projects.into_iter().flat_map(|projects| projects.iter()) {
                let name = element.get_ref().as_str().unwrap_or_default();
                let has_it = |other: &Tracker| other.url == tracker.url && other.projects.iter().any(|project| project.as_str() == name);
                if let Some((_, other)) = trackers[..place].iter().find(|(_, other)| has_it(other)) {
                    let kind = ProblemKind::SharedProject {
                        project: name.to_owned(),
                        tracker: tracker.name.clone(),
                        other: other.name.clone(),
                    };
                    section.report(&keys::PROJECTS, element.span().start, kind, self.problems);
                }
            }
        }
    }

    pub(super) fn report_same(&mut self, key: &'static Key, sections: &[Section<'_>]) {
        let mut first_lines = BTreeMap::new();
        for section in sections {
            let Some(value) = section.raw(key) else { continue };
            let Some(text) = value.get_ref().as_str() else { continue };
            self.report_if_seen(section, key, value.span().start, text, &mut first_lines);
        }
    }

    /// Reports a value that stood on an earlier line already; else notes the line that it stands on.
    pub(super) fn report_if_seen(
        &mut self,
        section: &Section<'_>,
        key: &'static Key,
        offset: usize,
        value: &str,
        first_lines: &mut BTreeMap<String, usize>,
    ) {
        match first_lines.get(value) {
            Some(&first_line) => section.report(
                key,
                offset,
                ProblemKind::Repeated {
                    value: value.to_owned(),
                    first_line,
                },
                self.problems,
            ),
            None => {
                first_lines.insert(value.to_owned(), self.problems.line(offset));
            }
        }
    }

    /// One tracker, or nothing and at least one problem. Everything is looked at before anything is given up.
    fn tracker(&mut self, section: &Section<'_>) -> Option<Tracker> {
        let name = section.required(&keys::NAME, values::tracker_name, self.problems);
        let url = section.required(&keys::URL, values::site, self.problems);
        let projects = self.projects(section);
        let collections = self.collections(section, projects.as_deref());
        let policy = section.required(&keys::POLICY, values::policy, self.problems);
        let token = self.token(section);
        let contact = section.optional(&keys::CONTACT, values::contact, self.problems);
        let feedback = section.optional(&keys::FEEDBACK, values::path, self.problems);
        let commit_ref = section.optional(&keys::COMMIT_REF, values::commit_policy, self.problems);
        let sync = self.sync_mode(section);
        let desired = self.desired(section);
        let limits = self.limits(section);
        let pull = self.pull(section);
        let guard = self.guard(section);
        let schedule = self.tracker_schedule(section);
        Some(Tracker {
            name: name?,
            url: url?,
            projects: projects?,
            collections,
            policy: policy?,
            token,
            contact,
            feedback: feedback.map(|path| self.folder.join(path)),
            commit_ref: commit_ref.unwrap_or_default(),
            sync,
            desired: desired?,
            limits,
            pull,
            guard,
            schedule,
        })
    }

    /// One distribution, or nothing and at least one problem.
    fn distribution(&mut self, section: &Section<'_>) -> Option<Distribution> {
        let name = section.required(&keys::DISTRIBUTION_NAME, values::distribution_name, self.problems);
        let follows = self.follows(section);
        let guard = self.distribution_guard(section);
        let schedule = self.distribution_schedule(section, follows.as_ref());
        Some(Distribution {
            name: name?,
            follows: follows?,
            guard,
            schedule,
        })
    }

    fn distribution_guard(&mut self, distribution: &Section<'_>) -> DistributionGuard {
        let default = DistributionGuard::default();
        let section = distribution.subsection(&keys::DISTRIBUTION_GUARD, &keys::DISTRIBUTION_GUARD_TABLE, self.problems);
        let Some(section) = section else { return default };
        let problems = &mut *self.problems;
        DistributionGuard {
            max_removed_fraction: section
                .optional(&keys::MAX_REMOVED_FRACTION, values::fraction, problems)
                .unwrap_or(default.max_removed_fraction),
            min_removed: section
                .optional(&keys::MIN_REMOVED, values::count, problems)
                .unwrap_or(default.min_removed),
            allow_empty: section
                .optional(&keys::ALLOW_EMPTY, values::boolean, problems)
                .unwrap_or(default.allow_empty),
        }
    }

    fn projects(&mut self, section: &Section<'_>) -> Option<Vec<ProjectName>> {
        let key = &keys::PROJECTS;
        let Some(value) = section.raw(key) else {
            section.report_missing(key, self.problems);
            return None;
        };
        let Some(elements) = value.get_ref().as_array().filter(|elements| !elements.is_empty()) else {
            section.report_wrong(key, value, self.problems);
            return None;
        };
        let mut first_lines = BTreeMap::new();
        let mut projects = Vec::new();
        for element in elements.iter() {
            match values::project(key, element.get_ref()) {
                Ok(project) => {
                    self.report_if_seen(section, &keys::PROJECTS, element.span().start, project.as_str(), &mut first_lines);
                    projects.push(project);
                }
                Err(kind) => section.report(key, element.span().start, kind, self.problems),
            }
        }
        Some(projects)
    }

    /// The collections of a tracker's projects. Where these could not be read, nobody knows what is none of them.
    fn collections(&mut self, tracker: &Section<'_>, projects: Option<&[ProjectName]>) -> BTreeMap<ProjectName, SeriesPath> {
        let sections = self.sections(tracker, &keys::TRACKER_PROJECTS, &keys::PROJECT_TABLE);
        self.report_same(&keys::PROJECT_NAME, &sections);
        let mut collections = BTreeMap::new();
        for section in &sections {
            let name = section.required(&keys::PROJECT_NAME, values::project, self.problems);
            let collection = section.required(&keys::COLLECTION, values::parsed, self.problems);
            if let (Some(name), Some(projects)) = (&name, projects)
                && !projects.contains(name)
            {
                let kind = ProblemKind::ForeignProject {
                    project: name.to_string(),
                    nearest: nearest(name.as_str(), projects.iter().map(ProjectName::as_str)).map(str::to_owned),
                };
                section.report_at(&keys::PROJECT_NAME, kind, self.problems);
            }
            collections.extend(name.zip(collection));
        }
        collections
    }

    fn token(&mut self, section: &Section<'_>) -> Option<TokenSource> {
        self.report_second_token(section);
        let file = section.optional(&keys::TOKEN_FILE, values::token_file, self.problems);
        let variable = section.optional(&keys::TOKEN_ENV, values::variable, self.problems);
        let credential = section.optional(&keys::TOKEN_CREDENTIAL, values::credential, self.problems);
        let file = file.map(|path| TokenSource::File(self.folder.join(path)));
        file.or(variable.map(TokenSource::Env)).or(credential.map(TokenSource::Credential))
    }

    /// Two places for one token: which of them counts would be a guess.
    fn report_second_token(&mut self, section: &Section<'_>) {
        let mut given: Vec<(usize, &Key)> = [&keys::TOKEN_FILE, &keys::TOKEN_ENV, &keys::TOKEN_CREDENTIAL]
            .into_iter()
            .filter_map(|key| section.raw(key).map(|value| (value.span().start, key)))
            .collect();
        given.sort_by_key(|(offset, _)| *offset);
        if let Some(((_, first), others)) = given.split_first() {
            for (offset, key) in others {
                section.report(key, *offset, ProblemKind::SecondToken { first: first.name }, self.problems);
            }
        }
    }

    fn desired(&mut self, tracker: &Section<'_>) -> Option<Desired> {
        if tracker.raw(&keys::DESIRED).is_none() {
            tracker.report_missing(&keys::DESIRED, self.problems);
        }
        let section = tracker.subsection(&keys::DESIRED, &keys::DESIRED_TABLE, self.problems)?;
        let path = section.required(&keys::PATH, values::path, self.problems);
        let format = section.required(&keys::FORMAT, values::format, self.problems);
        Some(Desired {
            path: self.folder.join(path?),
            format: format?,
        })
    }

    fn limits(&mut self, tracker: &Section<'_>) -> Limits {
        let default = Limits::default();
        let Some(section) = tracker.subsection(&keys::LIMITS, &keys::LIMITS_TABLE, self.problems) else {
            return default;
        };
        let problems = &mut *self.problems;
        Limits {
            requests_per_second: section
                .optional(&keys::REQUESTS_PER_SECOND, values::at_least_one, problems)
                .unwrap_or(default.requests_per_second),
            concurrent_requests: section
                .optional(&keys::CONCURRENT_REQUESTS, values::at_least_one_at_once, problems)
                .unwrap_or(default.concurrent_requests),
            attach_limit: section
                .optional(&keys::ATTACH_LIMIT, values::at_least_one, problems)
                .unwrap_or(default.attach_limit),
            max_relation_size: section
                .optional(&keys::MAX_RELATION_SIZE, values::at_least_two, problems)
                .unwrap_or(default.max_relation_size),
            timeout_seconds: section
                .optional(&keys::TIMEOUT_SECONDS, values::up_to_two_minutes, problems)
                .unwrap_or(default.timeout_seconds),
            patience_seconds: section
                .optional(&keys::PATIENCE_SECONDS, values::count, problems)
                .unwrap_or(default.patience_seconds),
        }
    }

    fn pull(&mut self, tracker: &Section<'_>) -> Pull {
        let default = Pull::default();
        let Some(section) = tracker.subsection(&keys::PULL, &keys::PULL_TABLE, self.problems) else {
            return default;
        };
        Pull {
            sweep_hours: section
                .optional(&keys::SWEEP_HOURS, values::count, self.problems)
                .unwrap_or(default.sweep_hours),
        }
    }

    fn guard(&mut self, tracker: &Section<'_>) -> Guard {
        let default = Guard::default();
        let Some(section) = tracker.subsection(&keys::GUARD, &keys::GUARD_TABLE, self.problems) else {
            return default;
        };
        let problems = &mut *self.problems;
        Guard {
            max_clear_fraction: section
                .optional(&keys::MAX_CLEAR_FRACTION, values::fraction, problems)
                .unwrap_or(default.max_clear_fraction),
            min_clears: section
                .optional(&keys::MIN_CLEARS, values::count, problems)
                .unwrap_or(default.min_clears),
            allow_empty: section
                .optional(&keys::ALLOW_EMPTY, values::boolean, problems)
                .unwrap_or(default.allow_empty),
            min_resolved_fraction: section
                .optional(&keys::MIN_RESOLVED_FRACTION, values::fraction, problems)
                .unwrap_or(default.min_resolved_fraction),
            max_shrink_fraction: section
                .optional(&keys::MAX_SHRINK_FRACTION, values::fraction, problems)
                .unwrap_or(default.max_shrink_fraction),
            max_foreign_fraction: section
                .optional(&keys::MAX_FOREIGN_FRACTION, values::fraction, problems)
                .unwrap_or(default.max_foreign_fraction),
            max_overwrite_fraction: section
                .optional(&keys::MAX_OVERWRITE_FRACTION, values::fraction, problems)
                .unwrap_or(default.max_overwrite_fraction),
        }
    }
}

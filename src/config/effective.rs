//! The configuration as it is in effect, as TOML again.
//!
//! Everything is taken apart by name, so that a new field does not build until it is shown.

use std::fmt;
use std::path::Path;

use super::distribution::REQUESTS_PER_SECOND;
use super::keys::{self, Key};
use super::{
    CommitPolicy, Config, CronRule, DEFAULT_STATE_DIR, Daemon, Desired, Distribution, DistributionGuard, DistributionSchedule, FileOrUrl,
    Follows, Guard, Limits, ModulesAt, Notice, Pull, ReadSets, Services, Source, SourceKind, SyncMode, TokenSource, Tracker,
    TrackerSchedule, Zone,
};
use crate::model::packages::{BranchName, SeriesName, Sharing, VersionScheme};

/// Marks a value that is the one that a missing key would have.
const DEFAULT_MARK: &str = "default";

/// Stands for a token.
const SECRET: &str = "***";

pub(super) fn render(config: &Config) -> String {
    let Config {
        path,
        state_dir,
        daemon,
        trackers,
        distributions,
    } = config;
    let mut out = Lines::default();
    out.line(format_args!("# {} as it is in effect", path.display().to_string().escape_debug()));
    out.defaulted(&keys::STATE_DIR, quoted_path(state_dir), state_dir == Path::new(DEFAULT_STATE_DIR));
    render_daemon(daemon, &mut out);
    for tracker in trackers {
        render_tracker(tracker, &mut out);
    }
    for distribution in distributions {
        render_distribution(distribution, &mut out);
    }
    out.0
}

fn render_distribution(distribution: &Distribution, out: &mut Lines) {
    let Distribution {
        name,
        follows,
        guard,
        schedule,
    } = distribution;
    out.header("[[distribution]]");
    out.value(&keys::DISTRIBUTION_NAME, quoted(name.as_str()));
    match follows {
        Follows::File(file) => out.value(&keys::FILE, quoted_path(file)),
        Follows::Services(services) => render_services(services, out),
    }
    render_distribution_guard(guard, out);
    render_distribution_schedule(schedule, out);
    if let Follows::Services(services) = follows {
        services.sources.iter().for_each(|source| render_source(source, out));
    }
}

fn render_services(services: &Services, out: &mut Lines) {
    let Services {
        sharing,
        versions,
        listed,
        sources: _,
    } = services;
    out.defaulted(&keys::SHARING, quoted(&sharing.to_string()), *sharing == Sharing::CopyOnWrite);
    out.defaulted(&keys::VERSIONS, quoted(&versions.to_string()), *versions == VersionScheme::Debian);
    out.defaulted(&keys::LISTED, list(listed.iter().map(SeriesName::as_str)), listed.is_empty());
}

fn render_source(source: &Source, out: &mut Lines) {
    let Source {
        name,
        kind,
        contact,
        requests_per_second,
    } = source;
    out.header("[[distribution.source]]");
    out.value(&keys::KIND, quoted(kind.as_str()));
    out.defaulted(&keys::SOURCE_NAME, quoted(name), name == kind.as_str());
    match kind {
        SourceKind::Launchpad { url, series, read_sets } => {
            out.value(&keys::SOURCE_URL, quoted(url.as_str()));
            match series {
                Some(series) => out.value(&keys::SERIES, list(series.iter().map(SeriesName::as_str))),
                None => out.absent(&keys::SERIES),
            }
            out.defaulted(&keys::READ_SETS, quoted(read_sets.as_str()), *read_sets == ReadSets::default());
        }
        SourceKind::Bodhi { url, id_prefixes } => {
            out.value(&keys::SOURCE_URL, quoted(url.as_str()));
            out.value(&keys::ID_PREFIXES, list(id_prefixes.iter().map(String::as_str)));
        }
        SourceKind::Distgit { url, namespace, branches } => {
            out.value(&keys::SOURCE_URL, quoted(url.as_str()));
            out.value(&keys::NAMESPACE, quoted(namespace));
            let branch =
                |(branch, series): (&BranchName, &SeriesName)| format!("{} = {}", quoted(branch.as_str()), quoted(series.as_str()));
            let branches: Vec<String> = branches.iter().map(branch).collect();
            out.value(&keys::BRANCHES, format!("{{ {} }}", branches.join(", ")));
        }
        SourceKind::DistroInfo { at } => render_place(at, out),
        SourceKind::Local { file } => out.value(&keys::SOURCE_FILE, quoted_path(file)),
        SourceKind::Modulemd { at, release } => {
            match at {
                ModulesAt::File(at) => render_place(at, out),
                ModulesAt::Repository(url) => out.value(&keys::REPOSITORY, quoted(url.as_str())),
            }
            match release {
                Some(release) => out.value(&keys::RELEASE, quoted(release.as_str())),
                None => out.absent(&keys::RELEASE),
            }
        }
    }
    match contact {
        Some(contact) => out.value(&keys::CONTACT, quoted(contact)),
        None => out.absent(&keys::CONTACT),
    }
    out.defaulted(
        &keys::REQUESTS_PER_SECOND,
        requests_per_second,
        *requests_per_second == REQUESTS_PER_SECOND,
    );
}

fn render_place(at: &FileOrUrl, out: &mut Lines) {
    match at {
        FileOrUrl::File(file) => out.value(&keys::SOURCE_FILE, quoted_path(file)),
        FileOrUrl::Url(url) => out.value(&keys::SOURCE_URL, quoted(url.as_str())),
    }
}

fn list<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    format!("[{}]", texts.map(quoted).collect::<Vec<_>>().join(", "))
}

fn render_distribution_guard(guard: &DistributionGuard, out: &mut Lines) {
    let DistributionGuard {
        max_removed_fraction,
        min_removed,
        allow_empty,
    } = guard;
    let default = DistributionGuard::default();
    out.header("[distribution.guard]");
    out.defaulted(
        &keys::MAX_REMOVED_FRACTION,
        max_removed_fraction,
        *max_removed_fraction == default.max_removed_fraction,
    );
    out.defaulted(&keys::MIN_REMOVED, min_removed, *min_removed == default.min_removed);
    out.defaulted(&keys::ALLOW_EMPTY, allow_empty, *allow_empty == default.allow_empty);
}

fn render_tracker(tracker: &Tracker, out: &mut Lines) {
    let Tracker {
        name,
        url,
        projects,
        collections,
        policy,
        token,
        contact,
        feedback,
        commit_ref,
        sync,
        desired,
        limits,
        pull,
        guard,
        schedule,
    } = tracker;
    out.header("[[tracker]]");
    out.value(&keys::NAME, quoted(name.as_str()));
    out.value(&keys::URL, quoted(url.as_str()));
    let projects: Vec<String> = projects.iter().map(|project| quoted(project.as_str())).collect();
    out.value(&keys::PROJECTS, format!("[{}]", projects.join(", ")));
    out.value(&keys::POLICY, quoted(policy.as_str()));
    render_token(token.as_ref(), out);
    match contact {
        Some(contact) => out.value(&keys::CONTACT, quoted(contact)),
        None => out.absent(&keys::CONTACT),
    }
    match feedback {
        Some(folder) => out.value(&keys::FEEDBACK, quoted_path(folder)),
        None => out.absent(&keys::FEEDBACK),
    }
    out.defaulted(
        &keys::COMMIT_REF,
        quoted(commit_ref.as_str()),
        *commit_ref == CommitPolicy::default(),
    );
    out.defaulted(&keys::SYNC_MODE, quoted(sync.as_str()), *sync == SyncMode::default());
    for (project, collection) in collections {
        out.header("[[tracker.project]]");
        out.value(&keys::PROJECT_NAME, quoted(project.as_str()));
        out.value(&keys::COLLECTION, quoted(&collection.to_string()));
    }
    let Desired { path, format } = desired;
    out.header("[tracker.desired]");
    out.value(&keys::PATH, quoted_path(path));
    out.value(&keys::FORMAT, quoted(format.as_str()));
    render_limits(limits, out);
    render_pull(pull, out);
    render_guard(guard, out);
    render_schedule(schedule, out);
}

fn render_token(token: Option<&TokenSource>, out: &mut Lines) {
    let (key, place) = match token {
        Some(TokenSource::File(path)) => (&keys::TOKEN_FILE, quoted_path(path)),
        Some(TokenSource::Env(variable)) => (&keys::TOKEN_ENV, quoted(variable)),
        Some(TokenSource::Credential(name)) => (&keys::TOKEN_CREDENTIAL, quoted(name)),
        None => {
            return out.line(format_args!(
                "# no token: kinset can read what everybody may read, and write nothing"
            ));
        }
    };
    out.noted(key, place, &format!("the token: {SECRET}"));
}

fn render_limits(limits: &Limits, out: &mut Lines) {
    let Limits {
        requests_per_second,
        concurrent_requests,
        attach_limit,
        max_relation_size,
        timeout_seconds,
        patience_seconds,
    } = limits;
    let default = Limits::default();
    out.header("[tracker.limits]");
    out.defaulted(
        &keys::REQUESTS_PER_SECOND,
        requests_per_second,
        *requests_per_second == default.requests_per_second,
    );
    out.defaulted(
        &keys::CONCURRENT_REQUESTS,
        concurrent_requests,
        *concurrent_requests == default.concurrent_requests,
    );
    out.defaulted(&keys::ATTACH_LIMIT, attach_limit, *attach_limit == default.attach_limit);
    out.defaulted(
        &keys::MAX_RELATION_SIZE,
        max_relation_size,
        *max_relation_size == default.max_relation_size,
    );
    out.defaulted(&keys::TIMEOUT_SECONDS, timeout_seconds, *timeout_seconds == default.timeout_seconds);
    out.defaulted(
        &keys::PATIENCE_SECONDS,
        patience_seconds,
        *patience_seconds == default.patience_seconds,
    );
}

fn render_pull(pull: &Pull, out: &mut Lines) {
    let Pull { sweep_hours } = pull;
    out.header("[tracker.pull]");
    out.defaulted(&keys::SWEEP_HOURS, sweep_hours, *sweep_hours == Pull::default().sweep_hours);
}

fn render_guard(guard: &Guard, out: &mut Lines) {
    let Guard {
        max_clear_fraction,
        min_clears,
        allow_empty,
        min_resolved_fraction,
        max_shrink_fraction,
        max_foreign_fraction,
        max_overwrite_fraction,
    } = guard;
    let default = Guard::default();
    out.header("[tracker.guard]");
    out.defaulted(
        &keys::MAX_CLEAR_FRACTION,
        max_clear_fraction,
        *max_clear_fraction == default.max_clear_fraction,
    );
    out.defaulted(&keys::MIN_CLEARS, min_clears, *min_clears == default.min_clears);
    out.defaulted(&keys::ALLOW_EMPTY, allow_empty, *allow_empty == default.allow_empty);
    out.defaulted(
        &keys::MIN_RESOLVED_FRACTION,
        min_resolved_fraction,
        *min_resolved_fraction == default.min_resolved_fraction,
    );
    out.defaulted(
        &keys::MAX_SHRINK_FRACTION,
        max_shrink_fraction,
        *max_shrink_fraction == default.max_shrink_fraction,
    );
    out.defaulted(
        &keys::MAX_FOREIGN_FRACTION,
        max_foreign_fraction,
        *max_foreign_fraction == default.max_foreign_fraction,
    );
    out.defaulted(
        &keys::MAX_OVERWRITE_FRACTION,
        max_overwrite_fraction,
        *max_overwrite_fraction == default.max_overwrite_fraction,
    );
}

fn render_daemon(daemon: &Daemon, out: &mut Lines) {
    let Daemon {
        listen,
        jitter_seconds,
        backoff_seconds,
        max_backoff_seconds,
        keep_runs,
        notice,
    } = daemon;
    let default = Daemon::default();
    out.header("[daemon]");
    out.defaulted(&keys::LISTEN, quoted(&listen.to_string()), *listen == default.listen);
    out.defaulted(&keys::JITTER_SECONDS, jitter_seconds, *jitter_seconds == default.jitter_seconds);
    out.defaulted(&keys::BACKOFF_SECONDS, backoff_seconds, *backoff_seconds == default.backoff_seconds);
    out.defaulted(
        &keys::MAX_BACKOFF_SECONDS,
        max_backoff_seconds,
        *max_backoff_seconds == default.max_backoff_seconds,
    );
    out.defaulted(&keys::KEEP_RUNS, keep_runs, *keep_runs == default.keep_runs);
    let Some(Notice {
        command,
        seconds,
        failures,
    }) = notice
    else {
        return out.absent(&keys::NOTICE);
    };
    out.header("[daemon.notice]");
    out.value(&keys::NOTICE_COMMAND, list(command.iter().map(String::as_str)));
    out.defaulted(&keys::NOTICE_SECONDS, seconds, *seconds == Notice::SECONDS);
    out.defaulted(&keys::NOTICE_FAILURES, failures, *failures == Notice::FAILURES);
}

fn render_schedule(schedule: &TrackerSchedule, out: &mut Lines) {
    let TrackerSchedule {
        pull,
        sweep,
        sync,
        zone,
        quiet,
    } = schedule;
    out.header("[tracker.schedule]");
    render_rule(&keys::AT_PULL, pull.as_ref(), out);
    render_rule(&keys::AT_SWEEP, sweep.as_ref(), out);
    render_rule(&keys::AT_SYNC, sync.as_ref(), out);
    render_zone(zone, out);
    let quiet: Vec<String> = quiet.iter().map(ToString::to_string).collect();
    out.defaulted(&keys::QUIET, list(quiet.iter().map(String::as_str)), quiet.is_empty());
}

/// One that is kept in a file has none.
fn render_distribution_schedule(schedule: &DistributionSchedule, out: &mut Lines) {
    let DistributionSchedule { pull, zone } = schedule;
    if *schedule == DistributionSchedule::default() {
        return;
    }
    out.header("[distribution.schedule]");
    render_rule(&keys::AT_PULL, pull.as_ref(), out);
    render_zone(zone, out);
}

fn render_rule(key: &Key, rule: Option<&CronRule>, out: &mut Lines) {
    match rule {
        Some(rule) => out.value(key, quoted(rule.as_str())),
        None => out.absent(key),
    }
}

fn render_zone(zone: &Zone, out: &mut Lines) {
    out.defaulted(&keys::TIME_ZONE, quoted(zone.name()), *zone == Zone::default());
}

/// TOML under construction.
#[derive(Debug, Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, line: fmt::Arguments<'_>) {
        self.0.push_str(&line.to_string());
        self.0.push('\n');
    }

    fn header(&mut self, header: &str) {
        self.line(format_args!("\n{header}"));
    }

    fn absent(&mut self, key: &Key) {
        self.line(format_args!("# no {}", key.name));
    }

    fn value(&mut self, key: &Key, value: impl fmt::Display) {
        self.line(format_args!("{} = {value}", key.name));
    }

    fn noted(&mut self, key: &Key, value: impl fmt::Display, note: &str) {
        self.line(format_args!("{} = {value}  # {note}", key.name));
    }

    fn defaulted(&mut self, key: &Key, value: impl fmt::Display, is_default: bool) {
        if is_default {
            self.noted(key, value, DEFAULT_MARK);
        } else {
            self.value(key, value);
        }
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

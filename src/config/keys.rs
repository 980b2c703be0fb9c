//! The keys of the configuration: the one place that says which there are and what each expects.

/// A key.
#[derive(Debug)]
pub(super) struct Key {
    /// The key as it is written.
    pub(super) name: &'static str,
    /// What its value shall be, to complete "expected …".
    pub(super) expected: &'static str,
}

/// A table, and the keys that it may hold.
#[derive(Debug)]
pub(super) struct Table {
    /// What stands before its keys in a full name: empty, or ending in a dot.
    pub(super) prefix: &'static str,
    /// How a reader finds it in the file.
    pub(super) place: &'static str,
    /// The keys, in the order in which they are shown.
    pub(super) keys: &'static [&'static Key],
}

impl Table {
    /// The key's full name.
    pub(super) fn full_name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The names of its keys.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|key| key.name)
    }
}

macro_rules! keys {
    ($($constant:ident = $name:literal: $expected:literal;)*) => {
        $(pub(super) const $constant: Key = Key { name: $name, expected: $expected };)*
    };
}

keys! {
    STATE_DIR = "state_dir": "the path of a folder, such as \"/var/lib/kinset\"";
    DAEMON = "daemon": "a [daemon] table";
    TRACKERS = "tracker": "one [[tracker]] table for each tracker, at least one";
    DISTRIBUTIONS = "distribution": "one [[distribution]] table for each distribution that is kept in a file";

    NAME = "name": "a name of letters, digits, `-`, `_` and `.` that starts with a letter or digit, such as \"kernel\"";
    URL = "url": "the http:// or https:// address of the Patchwork site, such as \"https://patchwork.example.org/\"";
    PROJECTS = "projects": "a list of at least one project, by the word that stands for it in Patchwork's addresses, such as [\"example-devel\"]";
    POLICY = "policy": "\"additive\" (only relate), \"preserve\" (people's edits win) or \"authoritative\" (the analysis wins, and clears too)";
    TOKEN_FILE = "token_file": "the path of a file that holds the API token and nothing else";
    TOKEN_ENV = "token_env": "the name of a variable of the environment that holds the API token, such as \"KINSET_TOKEN\"";
    TOKEN_CREDENTIAL = "token_credential": "the name of a systemd credential that holds the API token, such as \"patchwork-token\"";
    CONTACT = "contact": "an address in printable ASCII, such as \"patch-bot@example.org\"";
    FEEDBACK = "feedback": "the path of a folder, such as \"/srv/pasta/feedback\"";
    COMMIT_REF = "commit_ref": "\"off\" (leave it alone), \"fill\" (where it is empty) or \"overwrite\" (the analysis wins)";
    SYNC_MODE = "sync": "\"plan-only\" (the daemon records its plans and writes nothing) or \"apply\" (it carries them out)";
    TRACKER_PROJECTS = "project": "one [[tracker.project]] table for each project of which something is to be said, at least one";
    DESIRED = "desired": "a [tracker.desired] table with `path` and `format`";
    LIMITS = "limits": "a [tracker.limits] table";
    PULL = "pull": "a [tracker.pull] table";
    GUARD = "guard": "a [tracker.guard] table";
    TRACKER_SCHEDULE = "schedule": "a [tracker.schedule] table";

    LISTEN = "listen": "an address and a port, such as \"127.0.0.1:7319\", or \"off\"";
    JITTER_SECONDS = "jitter_seconds": "a whole number from 0 to 4294967295";
    BACKOFF_SECONDS = "backoff_seconds": "a whole number from 1 to 4294967295";
    MAX_BACKOFF_SECONDS = "max_backoff_seconds": "a whole number from 1 to 4294967295";
    KEEP_RUNS = "keep_runs": "a whole number from 1 to 4294967295";
    NOTICE = "notice": "a [daemon.notice] table";
    NOTICE_COMMAND = "command": "a list of a command and its arguments, such as [\"/usr/local/bin/tell-somebody\"]";
    NOTICE_SECONDS = "seconds": "a whole number from 1 to 120";
    NOTICE_FAILURES = "failures": "a whole number from 1 to 4294967295";

    AT_PULL = "pull": "when, as cron has it: minute, hour, day, month, weekday, such as \"*/10 * * * *\"";
    AT_SWEEP = "sweep": "when, as cron has it: minute, hour, day, month, weekday, such as \"30 3 * * SUN\"";
    AT_SYNC = "sync": "when, as cron has it: minute, hour, day, month, weekday, such as \"5 * * * *\"";
    TIME_ZONE = "time_zone": "the name of a time zone that this machine knows, such as \"Europe/Berlin\"";
    QUIET = "quiet": "a list of times of day, such as [\"22:00-06:00\"]";

    PROJECT_NAME = "name": "one of the `projects`, such as \"example-devel\"";
    COLLECTION = "collection": "a distribution and a series of it, such as \"fedora/f40\"";

    PATH = "path": "the path of the file of groups, such as \"/srv/pasta/patch-groups\"";
    FORMAT = "format": "\"pasta\" (groups of message ids) or \"ids\" (groups of Patchwork's numbers)";

    REQUESTS_PER_SECOND = "requests_per_second": "a whole number from 1 to 4294967295";
    CONCURRENT_REQUESTS = "concurrent_requests": "a whole number from 1 to 4294967295";
    ATTACH_LIMIT = "attach_limit": "a whole number from 1 to 4294967295";
    MAX_RELATION_SIZE = "max_relation_size": "a whole number from 2 to 4294967295";
    TIMEOUT_SECONDS = "timeout_seconds": "a whole number from 1 to 120";
    PATIENCE_SECONDS = "patience_seconds": "a whole number from 0 to 4294967295";

    SWEEP_HOURS = "sweep_hours": "a whole number from 0 to 4294967295";

    MAX_CLEAR_FRACTION = "max_clear_fraction": "a number from 0 to 1";
    MIN_CLEARS = "min_clears": "a whole number from 0 to 4294967295";
    ALLOW_EMPTY = "allow_empty": "true or false";
    MIN_RESOLVED_FRACTION = "min_resolved_fraction": "a number from 0 to 1";
    MAX_SHRINK_FRACTION = "max_shrink_fraction": "a number from 0 to 1";
    MAX_FOREIGN_FRACTION = "max_foreign_fraction": "a number from 0 to 1";
    MAX_OVERWRITE_FRACTION = "max_overwrite_fraction": "a number from 0 to 1";

    DISTRIBUTION_NAME = "name": "the name of a distribution, such as \"ubuntu\"";
    FILE = "file": "the path of the file that says what the distribution is to be, as TOML or JSON, such as \"ubuntu.toml\"; or else [[distribution.source]] tables";
    SOURCES = "source": "one [[distribution.source]] table for each service that the distribution follows, at least one";
    SHARING = "sharing": "\"shared-nothing\", \"copy-on-write\", \"manual-clone\" or \"tethered\"";
    VERSIONS = "versions": "\"debian\" or \"rpm\"";
    LISTED = "listed": "a list of series, such as [\"rawhide\"]";
    DISTRIBUTION_GUARD = "guard": "a [distribution.guard] table";
    DISTRIBUTION_SCHEDULE = "schedule": "a [distribution.schedule] table";

    KIND = "kind": "\"launchpad\", \"bodhi\", \"distgit\", \"distro-info\", \"local\" or \"modulemd\"";
    SOURCE_NAME = "name": "a name of letters, digits, `-`, `_` and `.` that starts with a letter or digit, such as \"launchpad\"";
    SOURCE_URL = "url": "an http:// or https:// address, such as \"https://api.launchpad.net/devel/\"";
    SOURCE_FILE = "file": "the path of a file, such as \"/usr/share/distro-info/ubuntu.csv\"";
    REPOSITORY = "repository": "the http:// or https:// address of a repository of packages, such as \"https://mirror.stream.centos.org/9-stream/AppStream/x86_64/os/\"; or else `url` or `file`";
    RELEASE = "release": "the name of a series, such as \"c9s\"";
    SERIES = "series": "a list of series, such as [\"noble\"]";
    ID_PREFIXES = "id_prefixes": "a list of at least one prefix, such as [\"FEDORA\"]";
    NAMESPACE = "namespace": "the name of a namespace, such as \"rpms\"";
    BRANCHES = "branches": "a table of the series that branches are for, such as { rawhide = \"f45\" }";
    READ_SETS = "read_sets": "\"listed\" (those that lists show as changed), \"unreleased\" (and all of series that are not released) or \"living\" (all of series that have not ended)";

    MAX_REMOVED_FRACTION = "max_removed_fraction": "a number from 0 to 1";
    MIN_REMOVED = "min_removed": "a whole number from 0 to 4294967295";
}

/// The top of the file.
pub(super) static ROOT_TABLE: Table = Table {
    prefix: "",
    place: "at the top of the file",
    keys: &[&STATE_DIR, &DAEMON, &TRACKERS, &DISTRIBUTIONS],
};

/// How the daemon goes about its work.
pub(super) static DAEMON_TABLE: Table = Table {
    prefix: "daemon.",
    place: "under [daemon]",
    keys: &[
        &LISTEN,
        &JITTER_SECONDS,
        &BACKOFF_SECONDS,
        &MAX_BACKOFF_SECONDS,
        &KEEP_RUNS,
        &NOTICE,
    ],
};

/// Who is told what a person should know.
pub(super) static NOTICE_TABLE: Table = Table {
    prefix: "daemon.notice.",
    place: "under [daemon.notice]",
    keys: &[&NOTICE_COMMAND, &NOTICE_SECONDS, &NOTICE_FAILURES],
};

/// One tracker.
pub(super) static TRACKER_TABLE: Table = Table {
    prefix: "tracker.",
    place: "under [[tracker]]",
    keys: &[
        &NAME,
        &URL,
        &PROJECTS,
        &POLICY,
        &TOKEN_FILE,
        &TOKEN_ENV,
        &TOKEN_CREDENTIAL,
        &CONTACT,
        &FEEDBACK,
        &COMMIT_REF,
        &SYNC_MODE,
        &TRACKER_PROJECTS,
        &DESIRED,
        &LIMITS,
        &PULL,
        &GUARD,
        &TRACKER_SCHEDULE,
    ],
};

/// When the daemon does what with a tracker.
pub(super) static TRACKER_SCHEDULE_TABLE: Table = Table {
    prefix: "tracker.schedule.",
    place: "under [tracker.schedule]",
    keys: &[&AT_PULL, &AT_SWEEP, &AT_SYNC, &TIME_ZONE, &QUIET],
};

/// One of a tracker's projects.
pub(super) static PROJECT_TABLE: Table = Table {
    prefix: "tracker.project.",
    place: "under [[tracker.project]]",
    keys: &[&PROJECT_NAME, &COLLECTION],
};

/// Where a tracker's desired partition comes from.
pub(super) static DESIRED_TABLE: Table = Table {
    prefix: "tracker.desired.",
    place: "under [tracker.desired]",
    keys: &[&PATH, &FORMAT],
};

/// How much is asked of a tracker, and how patiently.
pub(super) static LIMITS_TABLE: Table = Table {
    prefix: "tracker.limits.",
    place: "under [tracker.limits]",
    keys: &[
        &REQUESTS_PER_SECOND,
        &CONCURRENT_REQUESTS,
        &ATTACH_LIMIT,
        &MAX_RELATION_SIZE,
        &TIMEOUT_SECONDS,
        &PATIENCE_SECONDS,
    ],
};

/// How a tracker's patches are read.
pub(super) static PULL_TABLE: Table = Table {
    prefix: "tracker.pull.",
    place: "under [tracker.pull]",
    keys: &[&SWEEP_HOURS],
};

/// What is too drastic.
pub(super) static GUARD_TABLE: Table = Table {
    prefix: "tracker.guard.",
    place: "under [tracker.guard]",
    keys: &[
        &MAX_CLEAR_FRACTION,
        &MIN_CLEARS,
        &ALLOW_EMPTY,
        &MIN_RESOLVED_FRACTION,
        &MAX_SHRINK_FRACTION,
        &MAX_FOREIGN_FRACTION,
        &MAX_OVERWRITE_FRACTION,
    ],
};

/// One distribution.
pub(super) static DISTRIBUTION_TABLE: Table = Table {
    prefix: "distribution.",
    place: "under [[distribution]]",
    keys: &[
        &DISTRIBUTION_NAME,
        &FILE,
        &SHARING,
        &VERSIONS,
        &LISTED,
        &SOURCES,
        &DISTRIBUTION_GUARD,
        &DISTRIBUTION_SCHEDULE,
    ],
};

/// When the daemon does what with a distribution.
pub(super) static DISTRIBUTION_SCHEDULE_TABLE: Table = Table {
    prefix: "distribution.schedule.",
    place: "under [distribution.schedule]",
    keys: &[&AT_PULL, &TIME_ZONE],
};

/// One service that a distribution follows.
pub(super) static SOURCE_TABLE: Table = Table {
    prefix: "distribution.source.",
    place: "under [[distribution.source]]",
    keys: &[
        &KIND,
        &SOURCE_NAME,
        &SOURCE_URL,
        &SOURCE_FILE,
        &REPOSITORY,
        &RELEASE,
        &SERIES,
        &READ_SETS,
        &ID_PREFIXES,
        &NAMESPACE,
        &BRANCHES,
        &CONTACT,
        &REQUESTS_PER_SECOND,
    ],
};

/// What is too drastic in a distribution.
pub(super) static DISTRIBUTION_GUARD_TABLE: Table = Table {
    prefix: "distribution.guard.",
    place: "under [distribution.guard]",
    keys: &[&MAX_REMOVED_FRACTION, &MIN_REMOVED, &ALLOW_EMPTY],
};

/// All tables.
pub(super) static TABLES: [&Table; 14] = [
    &ROOT_TABLE,
    &DAEMON_TABLE,
    &NOTICE_TABLE,
    &TRACKER_TABLE,
    &PROJECT_TABLE,
    &DESIRED_TABLE,
    &LIMITS_TABLE,
    &PULL_TABLE,
    &GUARD_TABLE,
    &TRACKER_SCHEDULE_TABLE,
    &DISTRIBUTION_TABLE,
    &SOURCE_TABLE,
    &DISTRIBUTION_GUARD_TABLE,
    &DISTRIBUTION_SCHEDULE_TABLE,
];

#[cfg(test)]
mod tests {
    use super::TABLES;
    use crate::config::example;

    #[test]
    fn the_example_explains_every_key_that_there_is() {
        for table in TABLES {
            for key in table.names().filter(|key| !is_table(key)) {
                let setting = format!("{key} = ");
                let lines: Vec<&str> = example().lines().collect();
                let at = lines.iter().position(|line| line.trim_start_matches('#').starts_with(&setting));
                let at = at.unwrap_or_else(|| panic!("`{key}` is not in the example"));
                let explained = lines[..at]
                    .iter()
                    .rev()
                    .take_while(|line| !line.is_empty())
                    .any(|line| line.starts_with("# "));
                assert!(explained, "`{key}` is in the example without a word about it");
            }
        }
    }

    #[test]
    fn the_example_shows_every_table() {
        for header in [
            "[[tracker]]",
            "#[[tracker.project]]",
            "[tracker.desired]",
            "[tracker.limits]",
            "[tracker.pull]",
            "[tracker.guard]",
            "[daemon]",
            "#[daemon.notice]",
            "[tracker.schedule]",
            "#[distribution.schedule]",
            "#[[distribution]]",
            "#[distribution.guard]",
            "#[[distribution.source]]",
        ] {
            assert!(example().lines().any(|line| line == header), "{header}");
        }
    }

    fn is_table(key: &str) -> bool {
        TABLES.iter().any(|table| {
            table
                .prefix
                .strip_suffix('.')
                .is_some_and(|path| path.rsplit('.').next() == Some(key))
        })
    }
}

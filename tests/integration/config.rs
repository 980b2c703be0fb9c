//! Configuration files: what is accepted, what each key means, and what is said about each mistake.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::ffi::OsStr;
use std::fs;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kinset::config::{
    Config, ConfigError, DEFAULT_PATH, Desired, DesiredFormat, Fraction, Guard, Limits, Pull, TokenSource, choose_path, example,
};
use kinset::model::ProjectName;
use kinset::model::commits::CommitPolicy;
use kinset::model::relations::Policy;
use kinset::remedy::Remedy;

const PATH: &str = "/etc/kinset/kinset.toml";

/// The least that is valid. Tests make one thing wrong in it.
pub(crate) const LEAST: &str = r#"[[tracker]]
name = "kernel"
url = "https://patchwork.example.org"
projects = ["alpha"]
policy = "additive"
[tracker.desired]
path = "patch-groups"
format = "pasta"
"#;

/// Every key, none with its default.
const FULL: &str = r#"state_dir = "state"

[[tracker]]
name = "kernel.org-1_a"
url = "http://127.0.0.1:8000/patchwork"
projects = ["alpha", "beta"]
policy = "authoritative"
token_file = "secrets/token"
contact = "Ann O'Nymous <ann@example.org>"
feedback = "feedback"
commit_ref = "fill"

[[tracker.project]]
name = "beta"
collection = "fedora/f40"

[tracker.desired]
path = "/srv/pasta/patch-groups"
format = "ids"

[tracker.limits]
requests_per_second = 1
concurrent_requests = 2
attach_limit = 1_000
max_relation_size = 2
timeout_seconds = 120
patience_seconds = 0

[tracker.pull]
sweep_hours = 0

[tracker.guard]
max_clear_fraction = 1
min_clears = 0
allow_empty = true
min_resolved_fraction = 0.0
max_shrink_fraction = 5e-1
max_foreign_fraction = 0
max_overwrite_fraction = 0.5

[[distribution]]
name = "tidewater"
file = "files/tidewater.json"

[distribution.guard]
max_removed_fraction = 1
min_removed = 0
allow_empty = true
"#;

pub(crate) fn parse(text: &str) -> Config {
    Config::parse(text, Path::new(PATH)).unwrap()
}

/// The problems of a text, one a line.
pub(crate) fn problems(text: &str) -> Vec<String> {
    match Config::parse(text, Path::new(PATH)) {
        Err(ConfigError::Invalid { problems, .. }) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("expected problems, got {other:?} of {text}"),
    }
}

/// [`LEAST`] with one piece of it replaced.
pub(crate) fn least_with(old: &str, new: &str) -> String {
    assert_eq!(LEAST.matches(old).count(), 1, "{old:?}");
    LEAST.replace(old, new)
}

#[test]
fn the_least_configuration_gets_the_documented_defaults() {
    let config = parse(LEAST);
    assert_eq!(config.path, Path::new(PATH));
    assert_eq!(config.state_dir, Path::new("/var/lib/kinset"));
    let [tracker] = config.trackers.as_slice() else {
        panic!("{config:?}")
    };
    assert_eq!(tracker.name.as_str(), "kernel");
    assert_eq!(tracker.url.as_str(), "https://patchwork.example.org/");
    assert_eq!(tracker.projects, [ProjectName("alpha".into())]);
    assert_eq!(tracker.policy, Policy::Additive);
    assert_eq!(tracker.token, None);
    assert_eq!(tracker.contact, None);
    assert_eq!(tracker.feedback, None);
    assert_eq!(tracker.commit_ref, CommitPolicy::Off);
    assert_eq!(tracker.collections, BTreeMap::new());
    assert_eq!(
        tracker.desired,
        Desired {
            path: "/etc/kinset/patch-groups".into(),
            format: DesiredFormat::Pasta
        }
    );
    let limits = &tracker.limits;
    assert_eq!(
        (
            limits.requests_per_second.get(),
            limits.concurrent_requests.get(),
            limits.attach_limit.get(),
            limits.max_relation_size,
            limits.patience()
        ),
        (10, 4, 50, 200, Duration::from_secs(1020))
    );
    assert_eq!(tracker.pull.sweep_interval(), Duration::from_secs(24 * 60 * 60));
    let guard = &tracker.guard;
    assert_eq!(
        (
            guard.max_clear_fraction.get(),
            guard.min_clears,
            guard.allow_empty,
            guard.min_resolved_fraction.get()
        ),
        (0.25, 10, false, 0.5)
    );
    assert_eq!(guard.max_shrink_fraction, Fraction::new(0.1).unwrap());
    assert_eq!(guard.max_foreign_fraction, Fraction::new(0.25).unwrap());
    assert_eq!(guard.max_overwrite_fraction, Fraction::new(0.25).unwrap());
}

#[test]
fn every_key_sets_what_it_says() {
    let config = parse(FULL);
    assert_eq!(config.state_dir, Path::new("/etc/kinset/state"));
    let tracker = &config.trackers[0];
    assert_eq!(tracker.name.as_str(), "kernel.org-1_a");
    assert_eq!(tracker.url.as_str(), "http://127.0.0.1:8000/patchwork/");
    assert_eq!(tracker.projects, [ProjectName("alpha".into()), ProjectName("beta".into())]);
    assert_eq!(tracker.policy, Policy::Authoritative);
    assert_eq!(tracker.token, Some(TokenSource::File("/etc/kinset/secrets/token".into())));
    assert_eq!(tracker.contact.as_deref(), Some("Ann O'Nymous <ann@example.org>"));
    assert_eq!(tracker.feedback.as_deref(), Some(Path::new("/etc/kinset/feedback")));
    assert_eq!(tracker.commit_ref, CommitPolicy::Fill);
    let beta = (ProjectName("beta".into()), "fedora/f40".parse().unwrap());
    assert_eq!(tracker.collections, BTreeMap::from([beta]));
    assert_eq!(
        tracker.desired,
        Desired {
            path: "/srv/pasta/patch-groups".into(),
            format: DesiredFormat::Ids
        }
    );
    let limits = Limits {
        requests_per_second: NonZeroU32::MIN,
        concurrent_requests: NonZeroUsize::new(2).unwrap(),
        attach_limit: NonZeroU32::new(1000).unwrap(),
        max_relation_size: 2,
        timeout_seconds: NonZeroU32::new(120).unwrap(),
        patience_seconds: 0,
    };
    assert_eq!(tracker.limits, limits);
    assert_eq!(tracker.pull, Pull { sweep_hours: 0 });
    let guard = Guard {
        max_clear_fraction: Fraction::new(1.0).unwrap(),
        min_clears: 0,
        allow_empty: true,
        min_resolved_fraction: Fraction::new(0.0).unwrap(),
        max_shrink_fraction: Fraction::new(0.5).unwrap(),
        max_foreign_fraction: Fraction::new(0.0).unwrap(),
        max_overwrite_fraction: Fraction::new(0.5).unwrap(),
    };
    assert_eq!(tracker.guard, guard);
}

#[test]
fn each_policy_and_each_way_with_commits_has_a_word() {
    let policies = [
        ("additive", Policy::Additive),
        ("preserve", Policy::Preserve),
        ("authoritative", Policy::Authoritative),
    ];
    for (word, policy) in policies {
        assert_eq!(parse(&least_with("additive", word)).trackers[0].policy, policy);
        assert_eq!(policy.to_string(), word);
    }
    let ways = [
        ("off", CommitPolicy::Off),
        ("fill", CommitPolicy::Fill),
        ("overwrite", CommitPolicy::Overwrite),
    ];
    for (word, way) in ways {
        let text = least_with("policy", &format!("commit_ref = \"{word}\"\npolicy"));
        assert_eq!(parse(&text).trackers[0].commit_ref, way);
        assert_eq!(way.to_string(), word);
    }
}

#[test]
fn a_token_may_be_kept_in_a_variable_or_a_credential() {
    let kept = |line: &str| parse(&least_with("policy", &format!("{line}\npolicy"))).trackers[0].token.clone();
    assert_eq!(kept("token_env = \"KINSET_TOKEN\""), Some(TokenSource::Env("KINSET_TOKEN".into())));
    assert_eq!(
        kept("token_credential = \"patchwork-token\""),
        Some(TokenSource::Credential("patchwork-token".into()))
    );
}

#[test]
fn all_problems_of_a_file_are_reported_at_once_and_in_its_order() {
    let text = "\
[[tracker]]
name = \"one\"
url = \"gopher://example.org\"
projects = [\"alpha\"]
polcy = \"additive\"
guard.max_clear_fraction = 2.0
[tracker.desired]
path = \"groups\"
format = \"csv\"

[[tracker]]
name = \"one\"
";
    assert_eq!(
        problems(text),
        [
            "1:1: `tracker.policy`: missing; add it under [[tracker]]: \"additive\" (only relate), \"preserve\" (people's edits win) or \
             \"authoritative\" (the analysis wins, and clears too)",
            "3:7: `tracker.url`: expected the http:// or https:// address of the Patchwork site, such as \"https://patchwork.example.org/\", \
             found an address that starts with `gopher:`",
            "5:1: `tracker.polcy`: unknown key; did you mean `policy`?",
            "6:28: `tracker.guard.max_clear_fraction`: expected a number from 0 to 1, found 2.0",
            "9:10: `tracker.desired.format`: expected \"pasta\" (groups of message ids) or \"ids\" (groups of Patchwork's numbers), found \
             \"csv\"",
            "11:1: `tracker.url`: missing; add it under [[tracker]]: the http:// or https:// address of the Patchwork site, such as \
             \"https://patchwork.example.org/\"",
            "11:1: `tracker.projects`: missing; add it under [[tracker]]: a list of at least one project, by the word that stands for it in \
             Patchwork's addresses, such as [\"example-devel\"]",
            "11:1: `tracker.policy`: missing; add it under [[tracker]]: \"additive\" (only relate), \"preserve\" (people's edits win) or \
             \"authoritative\" (the analysis wins, and clears too)",
            "11:1: `tracker.desired`: missing; add it under [[tracker]]: a [tracker.desired] table with `path` and `format`",
            "12:8: `tracker.name`: \"one\" stands on line 2 already: give this one another name, or remove it",
        ]
    );
}

#[test]
fn what_is_not_toml_hides_no_other_mistake_and_invents_none() {
    let text = "state_dir = here\n[[tracker]]\nname = \"kernel\"\nurl = \npolcy = \"additive\"\nguard.min_clears = \"ten\"\n";
    assert_eq!(
        problems(text),
        [
            "1:13: `state_dir`: not valid TOML: string values must be quoted, expected literal string",
            "4:7: `url`: not valid TOML: string values must be quoted, expected literal string",
            "5:1: `tracker.polcy`: unknown key; did you mean `policy`?",
            "6:20: `tracker.guard.min_clears`: expected a whole number from 0 to 4294967295, found \"ten\"",
        ]
    );
}

#[test]
fn the_whole_message_names_the_file_on_every_line_and_the_remedy_what_to_do() {
    let error = Config::parse(&least_with("policy", "polcy"), Path::new(PATH)).unwrap_err();
    insta::assert_snapshot!(error, @r#"
    the configuration has 2 problems:
      /etc/kinset/kinset.toml:1:1: `tracker.policy`: missing; add it under [[tracker]]: "additive" (only relate), "preserve" (people's edits win) or "authoritative" (the analysis wins, and clears too)
      /etc/kinset/kinset.toml:5:1: `tracker.polcy`: unknown key; did you mean `policy`?
    "#);
    insta::assert_snapshot!(error.remedy().unwrap(), @"correct these lines; `kinset config init` shows every key with its meaning, and `kinset config check` looks at the file again without doing anything else");
    assert!(error.source().is_none());
}

#[test]
fn a_wrong_value_is_repeated_only_as_far_as_it_helps() {
    let long = "é".repeat(500);
    let [problem] = problems(&least_with("additive", &long)).try_into().unwrap();
    assert!(problem.ends_with(&format!("found \"{}\"…", "é".repeat(60))), "{problem}");
}

#[test]
fn an_empty_file_lacks_its_trackers() {
    for text in ["", "\u{feff}", "# nothing\n", "tracker = []\n"] {
        let [problem] = problems(text).try_into().unwrap();
        assert!(
            problem.contains("one [[tracker]] table for each tracker, at least one"),
            "{problem}"
        );
    }
    assert_eq!(
        problems(""),
        ["1:1: `tracker`: missing; add it at the top of the file: one [[tracker]] table for each tracker, at least one"]
    );
}

#[test]
fn a_byte_order_mark_and_either_line_ending_are_taken_as_they_come() {
    let plain = parse(LEAST);
    assert_eq!(parse(&format!("\u{feff}{LEAST}")), plain);
    assert_eq!(parse(&LEAST.replace('\n', "\r\n")), plain);
    let both = format!("\u{feff}{}", least_with("policy", "polcy")).replace('\n', "\r\n");
    assert!(problems(&both).contains(&"5:1: `tracker.polcy`: unknown key; did you mean `policy`?".to_owned()));
}

/// The message about a file with these bytes, with the folder's name left out.
fn refusal_of_file(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kinset.toml");
    fs::write(&path, bytes).unwrap();
    let error = Config::load(&path).unwrap_err();
    assert!(error.remedy().is_some());
    error.to_string().replace(folder.path().to_str().unwrap(), "DIR")
}

#[test]
fn a_file_that_is_no_text_is_refused_at_its_first_wrong_byte() {
    assert_eq!(
        refusal_of_file(b"\x7fELF\x02\x01\x01\0\0\xff"),
        "DIR/kinset.toml:1:8: the configuration is not text in UTF-8"
    );
    assert_eq!(
        refusal_of_file(b"\xff\xfe[\0[\0"),
        "DIR/kinset.toml:1:1: the configuration is not text in UTF-8"
    );
    assert_eq!(
        refusal_of_file(b"# caf\xc3\xa9\n# caf\xe9\n"),
        "DIR/kinset.toml:2:6: the configuration is not text in UTF-8"
    );
}

#[test]
fn a_missing_file_says_how_to_get_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kinset.toml");
    let error = Config::load(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("there is no configuration at {}", path.display()));
    insta::assert_snapshot!(error.remedy().unwrap(), @"`kinset config init` gives a commented example to start from; another file is named with `--config FILE` or $KINSET_CONFIG (without either it is /etc/kinset/kinset.toml)");
}

#[test]
fn what_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let error = Config::load(folder.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot read the configuration {}", folder.path().display())
    );
    assert!(error.source().is_some());
    assert!(error.remedy().unwrap().contains("name another with `--config FILE`"));
}

#[test]
fn a_loaded_configuration_has_absolute_paths_only() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let relative = Path::new(folder.path().file_name().unwrap()).join("kinset.toml");
    fs::write(&relative, FULL).unwrap();
    let config = Config::load(&relative).unwrap();
    let tracker = &config.trackers[0];
    let Some(TokenSource::File(token)) = &tracker.token else {
        panic!("{tracker:?}")
    };
    let feedback = tracker.feedback.as_ref().unwrap();
    for path in [&config.path, &config.state_dir, &tracker.desired.path, token, feedback] {
        assert!(path.is_absolute(), "{}", path.display());
    }
}

#[test]
fn the_file_is_the_one_asked_for_then_the_one_of_the_environment_then_the_usual_one() {
    let asked = Some(Path::new("a.toml"));
    let variable = Some(OsStr::new("b.toml"));
    assert_eq!(choose_path(asked, variable), PathBuf::from("a.toml"));
    assert_eq!(choose_path(None, variable), PathBuf::from("b.toml"));
    assert_eq!(choose_path(None, Some(OsStr::new(""))), PathBuf::from(DEFAULT_PATH));
    assert_eq!(choose_path(None, None), PathBuf::from(DEFAULT_PATH));
}

#[test]
fn the_effective_configuration_marks_defaults_and_hides_the_token() {
    let text = least_with("policy", "token_env = \"KINSET_TOKEN\"\npolicy");
    let config = parse(&format!("{text}[tracker.limits]\nattach_limit = 7\n"));
    insta::assert_snapshot!(config.to_effective_toml(), @r#"
    # /etc/kinset/kinset.toml as it is in effect
    state_dir = "/var/lib/kinset"  # default

    [daemon]
    listen = "127.0.0.1:7319"  # default
    jitter_seconds = 30  # default
    backoff_seconds = 60  # default
    max_backoff_seconds = 3600  # default
    keep_runs = 1000  # default
    # no notice

    [[tracker]]
    name = "kernel"
    url = "https://patchwork.example.org/"
    projects = ["alpha"]
    policy = "additive"
    token_env = "KINSET_TOKEN"  # the token: ***
    # no contact
    # no feedback
    commit_ref = "off"  # default
    sync = "plan-only"  # default

    [tracker.desired]
    path = "/etc/kinset/patch-groups"
    format = "pasta"

    [tracker.limits]
    requests_per_second = 10  # default
    concurrent_requests = 4  # default
    attach_limit = 7
    max_relation_size = 200  # default
    timeout_seconds = 60  # default
    patience_seconds = 1020  # default

    [tracker.pull]
    sweep_hours = 24  # default

    [tracker.guard]
    max_clear_fraction = 0.25  # default
    min_clears = 10  # default
    allow_empty = false  # default
    min_resolved_fraction = 0.5  # default
    max_shrink_fraction = 0.1  # default
    max_foreign_fraction = 0.25  # default
    max_overwrite_fraction = 0.25  # default

    [tracker.schedule]
    # no pull
    # no sweep
    # no sync
    time_zone = "UTC"  # default
    quiet = []  # default
    "#);
}

#[test]
fn the_effective_configuration_read_again_is_the_same_configuration() {
    let awkward = least_with("\"patch-groups\"", r#""a \"b\" \\ c\u0007é # d""#);
    for text in [
        LEAST,
        FULL,
        example(),
        awkward.as_str(),
        crate::config_names::two_trackers().to_effective_toml().as_str(),
    ] {
        let config = parse(text);
        assert_eq!(parse(&config.to_effective_toml()), config);
    }
}

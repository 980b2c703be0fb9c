//! The laws of the house, each as a function from sources to what breaks it.

use std::collections::BTreeSet;

use super::source::{Mention, Place, Purpose, Source, Word};

/// Each module under the crate's root, from the top of the house down, with those that it may use.
pub(super) const MAY_USE: &[(&str, &[&str])] = &[
    (
        "cli",
        &[
            "daemon",
            "picture",
            "reconcile",
            "config",
            "tracker",
            "pasta",
            "source",
            "store",
            "http",
            "model",
            "remedy",
            "text",
        ],
    ),
    (
        "daemon",
        &[
            "picture",
            "reconcile",
            "config",
            "tracker",
            "pasta",
            "source",
            "store",
            "http",
            "model",
            "remedy",
            "text",
        ],
    ),
    ("picture", &["model"]),
    (
        "reconcile",
        &["config", "tracker", "pasta", "source", "store", "http", "model", "remedy", "text"],
    ),
    ("config", &["model", "remedy", "text"]),
    ("tracker", &["http", "model", "remedy"]),
    ("pasta", &["model", "remedy"]),
    ("source", &["http", "model", "remedy", "text"]),
    ("store", &["model", "remedy", "text"]),
    ("http", &["remedy", "text"]),
    ("model", &["remedy", "text"]),
    ("remedy", &[]),
    ("text", &[]),
];

/// The program itself, which only hands over to the command line.
const PROGRAM: (&str, &[&str]) = ("main", &["cli"]);

/// What only some modules may mention: each outside thing has one door, and so has writing.
const RESERVED: &[(&str, &[&str])] = &[
    ("clap", &["crate::cli"]),
    ("clap_complete", &["crate::cli"]),
    ("clap_mangen", &["crate::cli"]),
    ("comfy_table", &["crate::cli"]),
    ("indicatif", &["crate::cli"]),
    ("tracing_subscriber", &["crate::cli"]),
    ("libsystemd", &["crate::cli"]),
    ("croner", &["crate::config::schedule"]),
    ("sd_notify", &["crate::daemon::supervisor"]),
    ("toml", &["crate::config", "crate::source::local"]),
    ("reqwest", &["crate::http", "crate::tracker"]),
    ("csv", &["crate::source::distro_info"]),
    ("rustls", &["crate::http"]),
    ("governor", &["crate::http"]),
    ("backon", &["crate::http"]),
    ("hyper", &["crate::tracker::simulator", "crate::daemon::http"]),
    ("hyper_util", &["crate::tracker::simulator", "crate::daemon::http"]),
    ("axum", &["crate::daemon::http"]),
    ("maud", &["crate::daemon::http"]),
    ("prometheus_client", &["crate::daemon::http"]),
    ("tower", &["crate::daemon::http"]),
    ("base64", &["crate::daemon::http"]),
    ("http_body_util", &["crate::tracker::simulator"]),
    ("deb_version", &["crate::model::packages"]),
    ("rpm_version", &["crate::model::packages"]),
    ("flate2", &["crate::source::modulemd"]),
    ("quick_xml", &["crate::source::modulemd"]),
    ("ruzstd", &["crate::source::modulemd"]),
    ("granit_parser", &["crate::source::modulemd"]),
    ("rusqlite", &["crate::store"]),
    ("rusqlite_migration", &["crate::store"]),
    (
        "crate::tracker::Writer",
        &[
            "crate::tracker",
            "crate::reconcile::session",
            "crate::reconcile::apply",
            "crate::reconcile::execute",
        ],
    ),
    // Under plan-only nothing comes to it.
    (
        "crate::reconcile::begin",
        &["crate::reconcile", "crate::cli::apply", "crate::daemon::permit"],
    ),
    (
        "crate::reconcile::Apply",
        &["crate::reconcile", "crate::cli::apply", "crate::cli::demo", "crate::daemon::permit"],
    ),
    ("crate::tracker::simulator", &["crate::tracker::simulator", "crate::cli"]),
    ("crate::model::relations::matching", &["crate::model::relations::plan"]),
];

/// What some modules must not mention although they might: what judges another part shares its mistakes if it shares its code.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "crate::model::relations::checker",
        &["crate::model::relations::plan", "crate::model::relations::merge"],
    ),
    (
        "crate::tracker::simulator",
        &[
            "crate::http",
            "crate::tracker::http",
            "crate::tracker::links",
            "crate::tracker::paging",
            "crate::tracker::reader",
            "crate::tracker::wire",
            "crate::tracker::writer",
        ],
    ),
];

/// The libraries that `model` may use.
const PURE_LIBRARIES: &[&str] = &["deb_version", "jiff", "percent_encoding", "rpm_version", "serde", "thiserror"];

/// What `model` must not use of the standard library: the outside, the clock, chance, and collections without an order.
const IMPURE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::future",
    "std::task",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::collections::hash_map",
    "std::collections::hash_set",
    "std::hash::RandomState",
];

/// A longer file needs a reason.
const MOST_LINES: usize = 500;

/// Longer files, with the reason.
const LONG_FILES: &[(&str, &str)] = &[(
    "src/pasta/generate.rs",
    "the figures of real data stand beside what is drawn from them",
)];

/// Attributes that switch a check off, with what to write instead.
const SWITCHES: &[(&str, &str)] = &[
    ("allow", "say #[expect(…, reason = \"…\")]"),
    ("ignore", "a test that is not run is no test"),
];

/// Macros that stand for code that is not written.
const STUBS: &[&str] = &["todo", "unimplemented"];

/// Uses of one module by another against [`MAY_USE`].
pub(super) fn backward_uses(sources: &[Source]) -> Vec<String> {
    let rule_of = |module: &str| MAY_USE.iter().chain([&PROGRAM]).find(|(name, _)| *name == module);
    let mut found = Vec::new();
    for source in sources {
        let Some(module) = source.house_module() else { continue };
        let Some((_, may_use)) = rule_of(module) else {
            found.push(format!("{}: `{module}` has no place in the house", source.name));
            continue;
        };
        for Mention { path, line, .. } in &source.mentions {
            let mut segments = path.split("::");
            if segments.next() != Some("crate") {
                continue;
            }
            match segments.next() {
                Some(used) if used == module || may_use.contains(&used) => {}
                Some(used) if rule_of(used).is_some() => found.push(format!("{}:{line}: {module} uses {path}", source.name)),
                // What lives at the root would be at hand everywhere.
                _ => found.push(format!("{}:{line}: {module} uses the crate's root, as {path}", source.name)),
            }
        }
    }
    found
}

/// Mentions against [`RESERVED`] and [`FORBIDDEN`] in code that is not for tests.
pub(super) fn misplaced_uses(sources: &[Source]) -> Vec<String> {
    let tests = test_modules(sources);
    let mut found = Vec::new();
    for (source, mention) in in_production(sources, &tests) {
        let Mention { path, line, .. } = mention;
        let is_within_any = |places: &[&str]| places.iter().any(|place| is_within(&source.module, place));
        let is_reserved = RESERVED.iter().any(|(what, places)| touches(path, what) && !is_within_any(places));
        let is_forbidden = FORBIDDEN
            .iter()
            .any(|(place, whats)| is_within(&source.module, place) && whats.iter().any(|what| touches(path, what)));
        if is_reserved || is_forbidden {
            found.push(format!("{}:{line}: {path} has no business here", source.name));
        }
    }
    found
}

/// What makes `model` impure, where `libraries` are all that kinset depends on.
pub(super) fn impurities(sources: &[Source], libraries: &BTreeSet<String>) -> Vec<String> {
    let tests = test_modules(sources);
    let is_impure = |path: &str| {
        let library = path.split("::").next().unwrap_or_default();
        let is_foreign = libraries.contains(library) && !PURE_LIBRARIES.contains(&library);
        is_foreign || IMPURE.iter().any(|impure| touches(path, impure))
    };
    let is_model = |source: &Source| source.house_module() == Some("model");
    let mentions = in_production(sources, &tests)
        .filter(|(source, mention)| is_model(source) && is_impure(&mention.path))
        .map(|(source, Mention { path, line, .. })| format!("{}:{line}: {path} is not pure", source.name));
    let waiting = sources.iter().filter(|source| is_model(source)).flat_map(|source| {
        let words = source.words.iter().filter(|word| matches!(word.text.as_str(), "async" | "await"));
        words.map(|Word { text, line, .. }| format!("{}:{line}: {text} is not pure", source.name))
    });
    mentions.chain(waiting).collect()
}

/// Checks that are switched off, and code that is not written.
pub(super) fn evasions(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for Word { text, line, place } in &source.words {
            let reason = match place {
                Place::Attribute => SWITCHES.iter().find(|(switch, _)| text == switch).map(|(_, instead)| *instead),
                Place::MacroName => STUBS.contains(&text.as_str()).then_some("write it"),
                Place::Code => None,
            };
            found.extend(reason.map(|reason| format!("{}:{line}: `{text}`: {reason}", source.name)));
        }
    }
    found
}

/// Files that are too long, and reasons that are no longer needed.
pub(super) fn outgrown(sources: &[Source]) -> Vec<String> {
    let has_reason = |name: &str| LONG_FILES.iter().any(|(file, _)| *file == name);
    let long = sources
        .iter()
        .filter(|source| source.lines > MOST_LINES && !has_reason(&source.name))
        .map(|Source { name, lines, .. }| format!("{name} has {lines} lines, at most {MOST_LINES} without a reason"));
    let needless = LONG_FILES
        .iter()
        .filter(|(file, _)| !sources.iter().any(|source| source.name == *file && source.lines > MOST_LINES))
        .map(|(file, _)| format!("{file} is listed as long and is not"));
    long.chain(needless).collect()
}

/// Whether `path` is `place` or lies in it.
fn is_within(path: &str, place: &str) -> bool {
    path.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether a mention reaches something: names it, something in it, or everything around it.
fn touches(mention: &str, what: &str) -> bool {
    match mention.strip_suffix("::*") {
        Some(around) => is_within(what, around) || is_within(around, what),
        None => is_within(mention, what),
    }
}

fn test_modules(sources: &[Source]) -> BTreeSet<&str> {
    sources.iter().flat_map(|source| &source.test_modules).map(String::as_str).collect()
}

fn in_production<'a>(sources: &'a [Source], tests: &'a BTreeSet<&str>) -> impl Iterator<Item = (&'a Source, &'a Mention)> {
    let is_for_tests = |source: &Source| tests.iter().any(|module| is_within(&source.module, module));
    sources
        .iter()
        .filter(move |source| !is_for_tests(source))
        .flat_map(|source| source.mentions.iter().map(move |mention| (source, mention)))
        .filter(|(_, mention)| mention.purpose == Purpose::Production)
}

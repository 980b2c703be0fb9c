//! Whatever stands in a file that kinset reads, it is a value or an error: no panic, no overflow of the stack, and no more memory than in proportion
//! to what was read. What services answer goes the same way in `tests/integration/fuzz_services.rs`.
//!
//! `KINSET_FUZZ_CASES=100000 cargo test --release --test fuzz` looks longer.

#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

mod mutate;

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use kinset::config::Config;
use kinset::pasta::{Dialect, Ending, FalsePositives, GroupFile};
use kinset::reconcile::PlanDocument;
use kinset::source::local::{FileFormat, LocalFile, render};
use kinset::source::modulemd::{Index, Repomd};
use kinset::tracker::simulator::World;
use peak_alloc::PeakAlloc;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use mutate::{Changes, config};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Tests take turns, as the memory is counted for all of them.
static TURN: Mutex<()> = Mutex::new(());

/// What a parser may take besides what grows with its input.
const AT_ALL: usize = 4 << 20;

/// Bytes at random, or one of these samples with a few changes.
fn inputs(samples: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => vec(any::<u8>(), 0..2000),
        8 => (select(samples), Changes::any()).prop_map(|(sample, changes)| changes.apply(sample)),
    ]
}

/// Hands a parser many inputs; it tells whether it takes one, as it has to take the samples. It may use so many bytes for each byte that it reads.
fn survives(samples: &'static [&'static [u8]], per_byte: usize, parse: impl Fn(&[u8]) -> bool) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for sample in samples {
        assert!(parse(sample), "{}", String::from_utf8_lossy(sample));
    }
    let run = TestRunner::new(config()).run(&inputs(samples), |input| {
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        parse(&input);
        let taken = MEMORY.peak_usage().saturating_sub(before);
        prop_assert!(
            taken <= AT_ALL + per_byte * input.len(),
            "{taken} bytes of memory for {} bytes of input",
            input.len()
        );
        Ok(())
    });
    run.unwrap();
}

/// The same of a parser that reads a file.
fn survives_as_file(name: &str, samples: &'static [&'static [u8]], per_byte: usize, parse: impl Fn(&Path) -> bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    survives(samples, per_byte, |input| {
        fs::write(&path, input).unwrap();
        parse(&path)
    });
}

const GROUPS: &[&[u8]] = &[
    b"<a@example.org> <b@example.org>\n<c@example.org> => 0123456789abcdef0123456789abcdef01234567\n",
    b"1 2 3\n4\n\n5 6 => 0123456789abcdef0123456789abcdef01234567 89abcdef0123456789abcdef0123456789abcdef\n",
];

#[test]
fn group_files() {
    survives_as_file("patch-groups", GROUPS, 100, |path| {
        let dialects = [Dialect::MessageIds, Dialect::PatchIds, Dialect::Tokens];
        let readings =
            dialects.map(|dialect| [Ending::Complete, Ending::Open].map(|ending| GroupFile::read(path, dialect, ending).is_ok()));
        readings.as_flattened().contains(&true)
    });
}

#[test]
fn false_positives() {
    const SAMPLES: &[&[u8]] = &[b"<a@example.org> <b@example.org>\n\n<c@example.org> <d@example.org> <e@example.org>\n"];
    survives(SAMPLES, 200, |input| {
        FalsePositives::parse(input.to_vec(), Path::new("false-positives")).is_ok()
    });
}

const CONFIGURATION: &[u8] = br#"state_dir = "state"
[[tracker]]
name = "example"
url = "https://patchwork.example.org/"
projects = ["alpha", "beta"]
policy = "preserve"
token_file = "token"
commit_ref = "fill"
[tracker.desired]
path = "patch-groups"
format = "pasta"
[tracker.limits]
requests_per_second = 5
attach_limit = 50
[tracker.guard]
max_clear_fraction = 0.5
[[tracker.project]]
name = "alpha"
collection = "d/s1"
[[distribution]]
name = "d"
sharing = "shared-nothing"
versions = "debian"
[[distribution.source]]
kind = "distro-info"
file = "dates.csv"
"#;

#[test]
fn configurations() {
    const SAMPLES: &[&[u8]] = &[CONFIGURATION, include_bytes!("../../config/kinset.example.toml")];
    // A key of many parts is a table in a table for each two bytes.
    survives(SAMPLES, 1500, |input| {
        let config = std::str::from_utf8(input)
            .ok()
            .and_then(|text| Config::parse(text, Path::new("kinset.toml")).ok());
        config.is_some_and(|config| !config.to_effective_toml().is_empty())
    });
}

const DISTRIBUTION: &[u8] = include_bytes!("../../config/distribution.example.toml");

#[test]
fn distributions_in_toml() {
    survives(&[DISTRIBUTION], 1500, |input| {
        LocalFile::parse(input.to_vec(), FileFormat::Toml, Path::new("d.toml")).is_ok()
    });
}

#[test]
fn distributions_in_json() {
    let document = LocalFile::parse(DISTRIBUTION.to_vec(), FileFormat::Toml, Path::new("d.toml"))
        .unwrap()
        .document;
    let sample = render(&document, FileFormat::Json).unwrap().leak().as_bytes();
    survives(vec![sample].leak(), 1500, |input| {
        LocalFile::parse(input.to_vec(), FileFormat::Json, Path::new("d.json")).is_ok()
    });
}

const PLAN: &[u8] = br#"{"format": 2, "writes": 3, "steps": [
 {"tracker": "t", "component": 0, "op": "clear", "patch": 1, "reason": "moves", "message_id": "<1@example.org>"},
 {"tracker": "t", "component": 0, "op": "relate", "patch": 1, "related": [2, 3], "reason": "joins"},
 {"tracker": "t", "component": 1, "op": "commit-ref", "patch": 4, "from": null, "to": "0123456789abcdef"}],
 "trackers": [{"name": "t", "url": "https://example.org/", "policy": "preserve", "pulled_at": "2026-11-21T12:00:00Z",
 "identity": "maintainer", "user": "bot", "clears": 1, "relates": 1, "commit_refs": 1, "patches": 9, "relations": 2, "relations_after": 1,
 "named": 9, "only_in_analysis": 0, "only_in_tracker": 0, "decisions": 1, "overruled": [{"kind": "parted", "patches": [5, 6]}],
 "undone": [], "guards": [{"option": "max_clear_fraction", "message": "9 of 10", "remedy": null}], "digest": "00"}]}"#;

#[test]
fn saved_plans() {
    survives_as_file("plan.json", &[PLAN], 200, |path| PlanDocument::load(path).is_ok());
}

#[test]
fn worlds_of_the_simulator() {
    const SAMPLES: &[&[u8]] = &[
        br#"{"projects": ["alpha"], "users": {"bot": {"token": "t-bot", "maintains": ["alpha"]}},
        "patches": [{"id": 1, "project": "alpha", "msgid": "<m1@example.org>"}, {"id": 2, "project": "alpha", "msgid": "<m2@example.org>"}],
        "relations": [[1, 2]], "max_per_page": 250,
        "faults": [{"kind": {"status": {"code": 503}}, "requests": "writes", "when": {"every": 10}}]}"#,
    ];
    survives(SAMPLES, 600, |input| {
        std::str::from_utf8(input).is_ok_and(|text| World::parse("world.json", text).is_ok())
    });
}

const MODULES: &[u8] = b"---
document: modulemd
version: 2
data:
  name: nodejs
  stream: \"10\"
  version: 20200101000000
  context: c0ffee
  dependencies:
  - requires: {platform: [f31, f32]}
    buildrequires: {platform: []}
  servicelevels: {ga: {eol: 2021-01-01}}
  components: {rpms: {nodejs: {rationale: it}, npm: {}}}
---
document: modulemd-defaults
version: 1
data: {module: nodejs, modified: 202001010000, stream: \"10\"}
---
document: modulemd-obsoletes
version: 1
data: {modified: 2020-05-01T00:00Z, module: nodejs, stream: \"10\", eol_date: 2021-04-30T00:00Z, message: ended}
";

/// Nine words that would be millions if somebody wrote them out.
const LAUGHS: &[u8] = b"---
document: modulemd
version: 2
data:
  name: &a [x, x, x, x, x, x, x, x, x]
  stream: &b [*a, *a, *a, *a, *a, *a, *a, *a]
  version: &c [*b, *b, *b, *b, *b, *b, *b, *b]
  context: &d [*c, *c, *c, *c, *c, *c, *c, *c]
  arch: &e [*d, *d, *d, *d, *d, *d, *d, *d]
  summary: &f [*e, *e, *e, *e, *e, *e, *e, *e]
  xmd: [*f, *f, *f, *f, *f, *f, *f, *f]
";

#[test]
fn modules() {
    assert!(Index::read("modules.yaml", LAUGHS).is_err());
    survives(&[MODULES], 2000, |input| Index::read("modules.yaml", input).is_ok());
}

#[test]
fn indexes_of_repositories() {
    const SAMPLES: &[&[u8]] = &[
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE repomd [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>\n\
        <repomd xmlns=\"http://linux.duke.edu/metadata/repo\"><revision>1</revision>\
        <data type=\"modules\"><checksum type=\"sha256\">00&b;</checksum><location href=\"repodata/modules.yaml.gz\"/></data></repomd>",
    ];
    survives(SAMPLES, 200, |input| Repomd::of_modules(input).is_ok());
}

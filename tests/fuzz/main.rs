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
use kinset::source::local::{FileFormat, LocalFile};
use kinset::source::modulemd::{Index, Repomd};
use kinset::tracker::simulator::World;
use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use mutate::{config, inputs};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Tests take turns, as the memory is counted for all of them.
static TURN: Mutex<()> = Mutex::new(());

/// What a parser may take besides what grows with its input.
const AT_ALL: usize = 4 << 20;

/// Hands a parser many inputs. It may take so many bytes for each byte that it reads.
fn survives(samples: &'static [&'static [u8]], per_byte: usize, parse: impl Fn(&[u8])) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for sample in samples {
        parse(sample);
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
fn survives_as_file(name: &str, samples: &'static [&'static [u8]], per_byte: usize, parse: impl Fn(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    survives(samples, per_byte, |input| {
        fs::write(&path, input).unwrap();
        parse(&path);
    });
}

const GROUPS: &[&[u8]] = &[
    b"<a@example.org> <b@example.org>\n<c@example.org> => 0123456789abcdef0123456789abcdef01234567\n",
    b"1 2 3\n4\n\n5 6 => 0123456789abcdef0123456789abcdef01234567 89abcdef0123456789abcdef0123456789abcdef\n",
];

#[test]
fn group_files() {
    survives_as_file("patch-groups", GROUPS, 100, |path| {
        for dialect in [Dialect::Pasta, Dialect::Ids, Dialect::Tokens] {
            for ending in [Ending::Required, Ending::Optional] {
                if let Ok(groups) = GroupFile::read(path, dialect, ending) {
                    assert_eq!(groups.is_empty(), groups.len() == 0);
                }
            }
        }
    });
}

#[test]
fn false_positives() {
    const SAMPLES: &[&[u8]] = &[b"<a@example.org> <b@example.org>\n# a word\n\n<c@example.org> <d@example.org> <e@example.org>\n"];
    survives(SAMPLES, 200, |input| {
        drop(FalsePositives::parse(input.to_vec(), Path::new("false-positives")))
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
    survives(SAMPLES, 600, |input| {
        if let Ok(text) = std::str::from_utf8(input)
            && let Ok(config) = Config::parse(text, Path::new("kinset.toml"))
        {
            let shown = config.to_effective_toml();
            assert!(!shown.is_empty());
        }
    });
}

const DISTRIBUTION: &[u8] = br#"format = 1
[distribution]
name = "d"
sharing = "copy-on-write"
versions = "debian"
[[series]]
name = "s1"
version = "1.0"
status = "supported"
owner = "ann"
[[series.set]]
name = "core"
owner = "ann"
sources = ["apt", "bash"]
[[permission]]
party = "bob"
action = "upload"
on = "component"
component = "main"
[[team]]
name = "@t"
members = ["ann"]
"#;

const DISTRIBUTION_IN_JSON: &[u8] = br#"{"format": 1, "distribution": {"name": "d", "sharing": "tethered", "versions": "rpm"},
 "series": [{"name": "s1", "version": "1", "status": "development", "owner": "ann", "set": [{"name": "core", "owner": "ann", "sources": ["bash"]}]}]}"#;

#[test]
fn distributions_in_toml() {
    survives(&[DISTRIBUTION], 1500, |input| {
        drop(LocalFile::parse(input.to_vec(), FileFormat::Toml, Path::new("d.toml")));
    });
}

#[test]
fn distributions_in_json() {
    survives(&[DISTRIBUTION_IN_JSON], 1500, |input| {
        drop(LocalFile::parse(input.to_vec(), FileFormat::Json, Path::new("d.json")));
    });
}

#[test]
fn saved_plans() {
    const SAMPLES: &[&[u8]] = &[
        br#"{"format": 1, "trackers": [{"name": "t", "url": "https://example.org/", "digest": "00"}], "steps": [{"op": "clear", "patch": 1}], "writes": 1}"#,
        br#"{"format": 1, "writes": 0, "trackers": [], "steps": [], "distributions": []}"#,
    ];
    survives_as_file("plan.json", SAMPLES, 200, |path| {
        if let Ok(plan) = PlanDocument::load(path) {
            assert!(plan.names().len() <= fs::metadata(path).unwrap().len() as usize);
        }
    });
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
        if let Ok(text) = std::str::from_utf8(input) {
            drop(World::parse("world.json", text));
        }
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
  license: &g [*f, *f, *f, *f, *f, *f, *f, *f]
  xmd: [*g, *g, *g, *g, *g, *g, *g, *g]
";

#[test]
fn modules() {
    survives(&[MODULES, LAUGHS], 2000, |input| drop(Index::read("modules.yaml", input)));
}

#[test]
fn indexes_of_repositories() {
    const SAMPLES: &[&[u8]] = &[
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE repomd [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>\n\
        <repomd xmlns=\"http://linux.duke.edu/metadata/repo\"><revision>1</revision>\
        <data type=\"modules\"><checksum type=\"sha256\">00&b;</checksum><location href=\"repodata/modules.yaml.gz\"/></data></repomd>",
    ];
    survives(SAMPLES, 200, |input| drop(Repomd::of_modules(input)));
}

//! Documents as there are, and documents as there should not be.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::{Index, ReadError, Repomd, RepomdError};
use crate::model::packages::ModuleName;
use crate::model::packages::modules::{Defaults, StreamPath};
use crate::model::packages::snapshot::KnownModules;
use crate::remedy::Remedy as _;

fn read(text: &str) -> Index {
    Index::read("modules.yaml", text.as_bytes()).unwrap()
}

/// An error, with its cause and its remedy.
fn refused(text: &str) -> String {
    let error = Index::read("modules.yaml", text.as_bytes()).unwrap_err();
    let cause = std::error::Error::source(&error).map(|cause| format!("; because {cause}"));
    let remedy = error.remedy().map(|remedy| format!(" -- {remedy}"));
    format!("{error}{}{}", cause.unwrap_or_default(), remedy.unwrap_or_default())
}

fn stream(name: &str, rest: &str) -> String {
    format!("---\ndocument: modulemd\nversion: 2\ndata:\n  name: m\n  stream: {name}\n{rest}")
}

fn defaults(modified: &str, stream: &str) -> String {
    format!("---\ndocument: modulemd-defaults\nversion: 1\ndata: {{module: m, modified: {modified}, stream: '{stream}'}}\n")
}

fn obsoletes(modified: &str, rest: &str) -> String {
    format!(
        "---\ndocument: modulemd-obsoletes\nversion: 1\ndata: {{module: m, stream: 1, modified: {modified}, message: '{modified}'{rest}}}\n"
    )
}

/// The contexts of `m:1`, a line each.
fn contexts(index: &Index) -> String {
    let path: StreamPath = "m:1".parse().unwrap();
    let contexts = index.streams[&path].contexts.iter();
    let contexts = contexts.map(|(name, context)| format!("{name:?} {}\n", serde_json::to_string(context).unwrap()));
    contexts.collect()
}

#[test]
fn a_stream_that_looks_like_a_number_or_a_truth_is_what_is_written() {
    for name in ["5.30", "1.10", "010", "yes", "0x1f", "1e3", "1_000", "2019-10-29", "12:30"] {
        let quoted = format!("'{name}'");
        for written in [name, &quoted] {
            let index = Index::read("modules.yaml", stream(written, "").as_bytes());
            match name.contains(':') {
                true => assert!(matches!(index, Err(ReadError::Field { .. })), "a stream has no colon"),
                false => assert_eq!(index.unwrap().streams.keys().next().unwrap().to_string(), format!("m:{name}")),
            }
        }
    }
}

#[test]
fn a_stream_says_where_it_runs_until_when_and_what_is_in_it() {
    let index = read(&stream(
        "1",
        "  version: 20180405123256
  context: c2c572ec
  arch: x86_64
  servicelevels: {rawhide: {}, bug_fixes: {eol: 2077-10-23}}
  dependencies:
  - buildrequires: {platform: [f27], perl: []}
    requires: {platform: [f28, f29]}
  - buildrequires: {platform: [f30]}
  components:
    rpms:
      tangerine: {rationale: Provides API}
      perl-Tangerine: {name: perl-Tangerine-bootstrap}
",
    ));
    assert_snapshot!(contexts(&index), @r#"ContextName("c2c572ec") {"version":20180405123256,"platforms":["f28","f29","f30"],"service_levels":{"bug_fixes":"2077-10-23","rawhide":null},"packages":["perl-Tangerine-bootstrap","tangerine"]}"#);
}

#[test]
fn the_alternatives_of_the_specification_add_up_to_all_releases() {
    let index = read(&stream(
        "1",
        "  dependencies:
  - requires: {platform: [-f27, -f28, -epel7]}
  - requires: {platform: [f27]}
  - requires: {platform: [f28]}
  - requires: {platform: [epel7]}
",
    ));
    assert_snapshot!(contexts(&index), @r#"ContextName("") {"version":0,"platforms":[]}"#);
    let open = read(&stream("1", "  dependencies: [{requires: {platform: []}}]\n"));
    assert_eq!(contexts(&open), contexts(&index), "an empty list is all of them");
}

#[test]
fn of_a_build_the_newest_version_counts_with_all_its_architectures() {
    let build = |version: &str, arch: &str, package: &str| {
        stream(
            "1",
            &format!("  version: {version}\n  context: x\n  arch: {arch}\n  components: {{rpms: {{{package}: {{}}}}}}\n"),
        )
    };
    let texts = [
        build("1", "x86_64", "old"),
        build("2", "x86_64", "new"),
        build("2", "s390x", "new-s390x"),
    ];
    let all = read(&texts.concat());
    assert_snapshot!(contexts(&all), @r#"ContextName("x") {"version":2,"platforms":[],"packages":["new","new-s390x"]}"#);
    let mut backwards = texts;
    backwards.reverse();
    assert_eq!(read(&backwards.concat()), all);
    let [one, two, three] = backwards.map(|text| read(&text));
    assert_eq!(one.merged(three).merged(two), all);
}

#[test]
fn the_first_version_and_packagers_files_are_read() {
    let first = "document: modulemd\nversion: 1\ndata: {name: m, stream: 1, eol: 2020-01-01, dependencies: {requires: {platform: f30}}}\n";
    assert_snapshot!(contexts(&read(first)), @r#"ContextName("") {"version":0,"platforms":["f30"],"service_levels":{"rawhide":"2020-01-01"}}"#);
    let third = "document: modulemd-packager\nversion: 3\ndata:\n  name: m\n  stream: 1\n  configurations:\n  - {context: A, platform: f32}\n  - {context: B, platform: f33}\n  components: {rpms: {bash: {}}}\n";
    assert_snapshot!(contexts(&read(third)), @r#"
    ContextName("A") {"version":0,"platforms":["f32"],"packages":["bash"]}
    ContextName("B") {"version":0,"platforms":["f33"],"packages":["bash"]}
    "#);
}

#[test]
fn a_packagers_file_is_of_the_stream_that_its_repository_is_of_unless_it_says_another() {
    let of = |text: &str, unnamed: &str| {
        let index = Index::read_of("m", text.as_bytes(), Some(&unnamed.parse().unwrap())).unwrap();
        index.streams.keys().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let bare = "document: modulemd\nversion: 2\ndata: {components: {rpms: {bash: {}}}}\n";
    assert_eq!(of(bare, "nodejs:1.10"), "nodejs:1.10");
    assert_eq!(of(&bare.replace("{components", "{stream: 5.30, components"), "perl:x"), "perl:5.30");
    assert_eq!(of(&stream("1", ""), "perl:x"), "m:1");
    assert_snapshot!(refused(bare), @"modules.yaml, line 3: data.name: expected the name of a module; found nothing -- a packager's file is of the stream that its repository and branch say; `--stream` names it");
}

#[test]
fn of_defaults_the_newer_counts_and_equally_new_ones_that_differ_are_none() {
    let default = |texts: &[String]| {
        let mut index = read(&texts.concat());
        index.defaults.remove(&"m".parse().unwrap()).unwrap()
    };
    let named = |texts: &[String]| default(texts).stream.map(|stream| stream.to_string());
    let (old, new, other) = (
        defaults("201801010000", "1.10"),
        defaults("201901010000", "2"),
        defaults("201901010000", "3"),
    );
    for texts in [[old.clone(), new.clone()], [new.clone(), old.clone()]] {
        assert_eq!(named(&texts).as_deref(), Some("2"));
    }
    for texts in [[&new, &other, &old], [&old, &other, &new], [&other, &new, &other]] {
        let default = default(&texts.map(Clone::clone));
        assert_eq!((default.stream, default.is_contradicted), (None, true));
    }
    let newest = defaults("202001010000", "4");
    assert_eq!(named(&[new.clone(), other, newest]).as_deref(), Some("4"), "a newer one settles it");
    let none = "---\ndocument: modulemd-defaults\nversion: 1\ndata: {module: m, modified: 201901010000}\n".to_owned();
    assert_eq!(named(&[none, new]).as_deref(), Some("2"), "one that names none contradicts nobody");
}

#[test]
fn a_default_that_is_contradicted_is_taken_away_where_there_was_one() {
    let contradicted = read(&[defaults("1", "2"), defaults("1", "3")].concat());
    let known = |text: &str| -> BTreeMap<ModuleName, Defaults> { serde_json::from_str(text).unwrap() };
    let told = |release: Option<&str>, known: &BTreeMap<ModuleName, Defaults>| {
        let release = release.map(|release| release.parse().unwrap());
        let known = KnownModules {
            defaults: known.clone(),
            ..KnownModules::default()
        };
        let facts = contradicted.facts(release.as_ref());
        let operations = facts.operations(&"fedora".parse().unwrap(), &known);
        serde_json::to_string(&operations).unwrap()
    };
    assert_eq!(told(None, &known("{}")), "[]");
    assert_eq!(told(None, &known(r#"{"m":{"releases":{"f29":"1"}}}"#)), "[]");
    let all = r#"[{"op":"remove-default","distribution":"fedora","module":"m"}]"#;
    assert_eq!(told(None, &known(r#"{"m":{"everywhere":"1"}}"#)), all);
    let one = r#"[{"op":"remove-default","distribution":"fedora","module":"m","release":"f29"}]"#;
    assert_eq!(told(Some("f29"), &known(r#"{"m":{"everywhere":"1","releases":{"f29":"1"}}}"#)), one);
}

#[test]
fn of_obsoletes_the_newer_counts_for_each_context() {
    let texts = [
        obsoletes(
            "2018-05-23T14:25Z",
            ", eol_date: 2020-03-19T00:00Z, obsoleted_by: {module: m, stream: 12}",
        ),
        obsoletes("2019-05-23T14:25Z", ", reset: true"),
        obsoletes("2017-05-23T14:25Z", ", context: 42"),
    ];
    let told = |index: &Index| {
        let path: StreamPath = "m:1".parse().unwrap();
        let all = index.streams[&path].obsoletes.iter();
        all.map(|one| serde_json::to_string(one).unwrap() + "\n").collect::<String>()
    };
    let index = read(&texts.concat());
    assert_snapshot!(told(&index), @r#"
    {"modified":"2019-05-23T14:25:00Z","reset":true,"message":"2019-05-23T14:25Z"}
    {"modified":"2017-05-23T14:25:00Z","context":"42","message":"2017-05-23T14:25Z"}
    "#);
    let mut backwards = texts.clone();
    backwards.reverse();
    assert_eq!(read(&backwards.concat()), index);
    assert_snapshot!(told(&read(&texts[0])), @r#"{"modified":"2018-05-23T14:25:00Z","eol":"2020-03-19","message":"2018-05-23T14:25Z","obsoleted_by":"m:12"}"#);
}

/// What may contradict what: builds, architectures, defaults and obsoletes of all ages.
fn documents() -> Vec<String> {
    let build = |version: &str, context: &str, platform: &str| {
        stream(
            "1",
            &format!("  version: {version}\n  context: {context}\n  dependencies: [{{requires: {{platform: [{platform}]}}}}]\n"),
        )
    };
    vec![
        build("1", "x", "f28"),
        build("2", "x", "f29"),
        build("2", "x", "-f30"),
        build("1", "y", "f28"),
        defaults("1", "1"),
        defaults("2", "2"),
        defaults("2", "3"),
        obsoletes("2018-05-23T14:25Z", ""),
        obsoletes("2018-05-23T14:25Z", ", eol_date: 2020-03-19T00:00Z"),
        obsoletes("2019-05-23T14:25Z", ", context: x, reset: true"),
    ]
}

proptest! {
    #[test]
    fn the_order_in_which_documents_come_makes_no_difference(
        shuffled in Just(documents()).prop_shuffle(),
        taken in 1_usize..=10,
        split in 0_usize..10,
    ) {
        let mut taken: Vec<String> = shuffled.into_iter().take(taken).collect();
        let together = read(&taken.concat());
        let (front, back) = taken.split_at(split.min(taken.len()));
        let part = |texts: &[String]| if texts.is_empty() { Index::default() } else { read(&texts.concat()) };
        prop_assert_eq!(&part(back).merged(part(front)), &together);
        taken.sort();
        prop_assert_eq!(&read(&taken.concat()), &together);
    }
}

#[test]
fn quotes_that_end_further_left_than_yaml_allows_are_read_as_libyaml_writes_them() {
    let index = read(&stream(
        "1",
        "  components:\n    rpms:\n      stratisd:\n        rationale: 'Daemon\n          filesystems.\n\n\n          Main component.\n\n'\n        ref: main\n",
    ));
    assert_snapshot!(contexts(&index), @r#"ContextName("") {"version":0,"platforms":[],"packages":["stratisd"]}"#);
}

#[test]
fn documents_that_are_not_known_are_skipped_and_told() {
    let index = read("document: modulemd-translations\nversion: 1\ndata: {}\n---\n# nothing\n---\ndocument: modulemd-stars\nversion: 7\n");
    assert_eq!(index.streams.len(), 0);
    let skipped: Vec<String> = index
        .skipped
        .iter()
        .map(|one| format!("{}: {} {}", one.line, one.document, one.version))
        .collect();
    assert_eq!(skipped, ["7: modulemd-stars 7"]);
}

#[test]
fn what_is_wrong_is_told_with_its_line_its_field_and_what_was_expected() {
    let told = [
        stream("'1 0'", ""),
        stream("", ""),
        stream("1", "  version: one\n"),
        stream("1", "  dependencies:\n  - requires:\n      platform: [f28, -f29]\n"),
        stream("1", "  dependencies: {requires: [f28]}\n"),
        stream("1", "  servicelevels: {rawhide: {eol: soon}}\n"),
        stream("1", "  components: {rpms: {'a b': {}}}\n"),
        stream("1", "  name: other\n"),
        stream("1", "  summary: *anchor\n"),
        obsoletes("2018", ""),
        obsoletes("2018-05-23T14:25Z", ", reset: true, eol_date: 2020-03-19T00:00Z"),
        obsoletes("2018-05-23T14:25Z", ", reset: maybe"),
        defaults("yesterday", "1"),
        "- a list\n".to_owned(),
        "version: 2\n".to_owned(),
        "document: modulemd\nversion: 2\n".to_owned(),
        "document: [\n".to_owned(),
        "# nothing\n".to_owned(),
        "a: ".to_owned() + &"[".repeat(60) + &"]".repeat(60),
    ];
    assert_snapshot!(told.map(|text| refused(&text)).join("\n"), @r#"
    modules.yaml, line 6: data.stream: expected the name of a stream, which has no white space and no `:`; found "1 0"
    modules.yaml, line 5: data.stream: expected the name of a stream, which has no white space and no `:`; found nothing
    modules.yaml, line 7: data.version: expected a version: a whole number; found "one"
    modules.yaml, line 9: data.dependencies.[0].requires.platform: expected platforms, as f29 or -f29 (expected either platforms or platforms with a `-` in front; found f28 and -f29); found a list
    modules.yaml, line 7: data.dependencies: expected a list; found a mapping
    modules.yaml, line 7: data.servicelevels.rawhide.eol: expected a date, as 2020-03-19; found "soon"
    modules.yaml, line 7: data.components.rpms.a b: expected the name of a package; found a mapping
    modules.yaml, line 7: data.name: expected each field once; found "other"
    modules.yaml, line 7: this is no YAML; because while parsing node, found unknown anchor at char 73 line 7 column 12
    modules.yaml, line 4: data.modified: expected a time in UTC, as 2020-03-19T00:00Z; found "2018"
    modules.yaml, line 4: data.eol_date: expected no end where what was said is taken back; found "2020-03-19T00:00Z"
    modules.yaml, line 4: data.reset: expected true or false; found "maybe"
    modules.yaml, line 4: data.modified: expected a number, as 201812071200; found "yesterday"
    modules.yaml, line 1: the document: expected a mapping; found a list
    modules.yaml, line 1: document: expected the kind of the document, as modulemd; found nothing
    modules.yaml, line 1: data: expected what the document says; found nothing
    modules.yaml, line 1: this is no YAML; because unclosed bracket '[' at char 10 line 1 column 11
    modules.yaml has no document about modules in it -- the file is the one that `repodata/repomd.xml` names as `<data type="modules">`; a repository without one has no modules
    modules.yaml, line 1: so deep a nesting has no place in a document about modules
    "#);
    assert_eq!(Index::read("m", b"\xff").unwrap_err().to_string(), "m is no UTF-8 text");
}

const REPOMD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <revision>1700000000</revision>
  <data type="primary">
    <checksum type="sha256">00</checksum>
    <location href="repodata/primary.xml.gz"/>
  </data>
  <data type="modules">
    <checksum type="sha256">
      ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
    </checksum>
    <open-checksum type="sha512">11</open-checksum>
    <location href="repodata/a&amp;b-modules.yaml.gz"/>
    <size>3</size>
  </data>
</repomd>"#;

#[test]
fn the_file_of_modules_is_found_in_a_repository_and_its_checksum_verified() {
    let found = Repomd::of_modules(REPOMD.as_bytes()).unwrap();
    assert_eq!(found.href, "repodata/a&b-modules.yaml.gz");
    found.verify(b"abc").unwrap();
    assert_snapshot!(found.verify(b"abd").unwrap_err(), @"repodata/a&b-modules.yaml.gz has the checksum a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9, and its repository says ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    let of = |kind: &str, checksum: &str| Repomd {
        checksum_kind: kind.to_owned(),
        checksum: checksum.to_owned(),
        ..found.clone()
    };
    let sha512 =
        "DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A2192992A274FC1A836BA3C23A3FEEBBD454D4423643CE80E2A9AC94FA54CA49F";
    of("sha512", sha512).verify(b"abc").unwrap();
    assert_eq!(
        of("md5", "00").verify(b"abc").unwrap_err().to_string(),
        "checksums of the kind md5 are not known"
    );
}

#[test]
fn an_index_without_modules_or_of_something_else_is_told() {
    let told = |text: &str| Repomd::of_modules(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        told(&REPOMD.replace("\"modules\"", "\"filelists\"")),
        "the repository has no modules"
    );
    assert_eq!(
        told(&REPOMD.replace("<location href=\"repodata/a", "<place href=\"a")),
        "the index of the repository does not say the place of its file of modules"
    );
    assert_eq!(
        told(&REPOMD.replace("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "")),
        "the index of the repository does not say the checksum of its file of modules"
    );
    assert_eq!(
        told("<html><body>no such page</body></html>"),
        "expected the index of a repository, `<repomd>`; found `<html>`"
    );
    assert!(matches!(
        Repomd::of_modules(b"<repomd><data></repomd>"),
        Err(RepomdError::Syntax(_))
    ));
    assert!(matches!(Repomd::of_modules(b""), Err(RepomdError::NoIndex { .. })));
}

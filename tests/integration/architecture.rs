//! The house stays as it is drawn: what may use what, what is pure, and that the documents speak of what is there.
//!
//! The sources are parsed, and every path in them is resolved to what it means before it is judged. Bad sources show that each law bites.

mod documents;
mod laws;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use documents::{Names, Quoted, dead_paths, map_of_the_house, quoted, unknown_names};
use laws::{MAY_USE, backward_uses, evasions, impurities, misplaced_uses, outgrown};
use source::Source;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The Rust files under these folders, by name.
fn sources_under(folders: &[&str]) -> Vec<Source> {
    let mut names = Vec::new();
    let mut folders: Vec<String> = folders.iter().copied().map(str::to_owned).collect();
    while let Some(folder) = folders.pop() {
        // There may be no `examples`.
        let Ok(entries) = fs::read_dir(root().join(&folder)) else {
            continue;
        };
        for entry in entries {
            let entry = entry.unwrap();
            let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                folders.push(name);
            } else if Path::new(&name).extension().is_some_and(|extension| extension == "rs") {
                names.push(name);
            }
        }
    }
    names.sort();
    names.iter().map(|name| Source::parse(name, &read(name))).collect()
}

/// The names, in code, of everything that kinset depends on.
fn libraries() -> BTreeSet<String> {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
    let names = tables
        .iter()
        .filter_map(|table| manifest.get(*table)?.as_table())
        .flat_map(toml::Table::keys);
    names.map(|name| name.replace('-', "_")).collect()
}

#[track_caller]
fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn dependencies_point_down_the_house_only() {
    let sources = sources_under(&["src"]);
    assert!(sources.iter().any(|source| source.module == "crate::model::relations::plan"));
    assert_none(&backward_uses(&sources));
}

#[test]
fn each_outside_thing_has_one_door_and_so_has_writing() {
    assert_none(&misplaced_uses(&sources_under(&["src"])));
}

#[test]
fn the_model_is_pure() {
    assert_none(&impurities(&sources_under(&["src"]), &libraries()));
}

#[test]
fn no_check_is_switched_off_and_no_code_is_missing() {
    assert_none(&evasions(&sources_under(&["src", "tests", "benches", "examples"])));
}

#[test]
fn files_are_short_enough_to_be_read() {
    assert_none(&outgrown(&sources_under(&["src", "tests", "benches", "examples"])));
}

#[test]
fn the_map_in_the_crate_docs_is_the_house() {
    let lib = Source::parse("src/lib.rs", &read("src/lib.rs"));
    let drawn = map_of_the_house(&lib.syntax);
    let law = MAY_USE.iter().enumerate().map(|(place, (module, may_use))| {
        let below: BTreeSet<&str> = MAY_USE[place + 1..].iter().map(|(module, _)| *module).collect();
        let words: Vec<String> = may_use.iter().map(|module| format!("`{module}`")).collect();
        let cell = match may_use {
            [] => "nothing".to_owned(),
            _ if may_use.len() > 2 && below == may_use.iter().copied().collect() => "everything below".to_owned(),
            _ => words.join(", "),
        };
        ((*module).to_owned(), cell)
    });
    assert_eq!(drawn, law.collect::<Vec<_>>());

    let modules: BTreeSet<String> = lib.syntax.items.iter().map(public_module).collect();
    assert_eq!(modules, drawn.into_iter().map(|(module, _)| module).collect());
}

fn public_module(item: &syn::Item) -> String {
    match item {
        syn::Item::Mod(item) if item.content.is_none() => item.ident.to_string(),
        _ => panic!("src/lib.rs holds nothing but modules"),
    }
}

#[test]
fn documents_name_only_what_is_there() {
    let documents = [
        "README.md",
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/operations.md",
        "docs/package-sets.md",
        "docs/performance.md",
    ];
    for document in documents {
        assert_none(&dead_paths(document, &read(document), root()));
    }
    let names = Names::of(&sources_under(&["src"]));
    assert_none(&unknown_names("docs/architecture.md", &read("docs/architecture.md"), &names));
}

/// What `law` finds in a house of these files.
fn found(law: impl Fn(&[Source]) -> Vec<String>, files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<Source> = files.iter().map(|(name, text)| Source::parse(name, text)).collect();
    law(&sources)
}

#[test]
fn a_use_against_the_direction_is_found_however_it_is_written() {
    let ways = [
        "use crate::store::Store;",
        "use crate::{model::PatchId, store::{self, Store}};",
        "use super::super::store;",
        "fn f() { use crate::store as s; }",
        "mod inner { use super::super::super::store::Store; }",
        "fn f() -> super::super::store::Store { loop {} }",
        "#[cfg(test)] mod tests { use crate::store::Store; }",
        "fn f() { println!(\"{}\", crate::store::open()); }",
        "macro_rules! m { () => { $crate::store::open() } }",
        "#[derive(crate::store::Row)] struct S;",
        "#[serde(with = \"crate::store::text\")] struct S;",
        "use crate::model as m; use m::super_store; fn f(_: impl Fn(crate::store::Store)) {}",
    ];
    for way in ways {
        let found = found(backward_uses, &[("src/tracker/reader.rs", way)]);
        assert!(
            found
                .iter()
                .any(|found| found.starts_with("src/tracker/reader.rs:1: tracker uses crate::store")),
            "{way}: {found:?}"
        );
    }
}

#[test]
fn the_root_of_the_crate_is_no_way_around() {
    for way in [
        "use crate::*;",
        "use crate as kin;",
        "use super::super::*;",
        "fn f() { crate::helper() }",
    ] {
        assert_eq!(found(backward_uses, &[("src/tracker/reader.rs", way)]).len(), 1, "{way}");
    }
}

#[test]
fn uses_within_the_house_rules_are_not_found() {
    let files = [
        (
            "src/tracker/reader.rs",
            "use super::{Address, http::Session}; use crate::model::PatchId; use std::fmt; fn f() { fmt::store::x() }",
        ),
        (
            "src/tracker/mod.rs",
            "//! [`crate::reconcile`]\nmod store; use store::Own; fn f() { self::store::f(); store::f() }",
        ),
        ("src/reconcile/mod.rs", "use crate::{store::Store, tracker::Reader, remedy};"),
        ("src/main.rs", "fn main() { kinset::cli::main() }"),
    ];
    assert_none(&found(backward_uses, &files));
}

#[test]
fn the_program_knows_the_command_line_only_and_new_modules_need_a_place() {
    assert_eq!(
        found(backward_uses, &[("src/main.rs", "use kinset::store::Store;"), ("src/attic.rs", "")]),
        [
            "src/main.rs:1: main uses crate::store::Store",
            "src/attic.rs: `attic` has no place in the house"
        ]
    );
}

#[test]
fn writing_to_a_tracker_is_reserved() {
    let way = "use crate::tracker; fn f(_: tracker::Writer) {}";
    assert_eq!(
        found(misplaced_uses, &[("src/cli/apply.rs", way), ("src/reconcile/execute.rs", way)]),
        ["src/cli/apply.rs:1: crate::tracker::Writer has no business here"]
    );
    assert_eq!(
        found(misplaced_uses, &[("src/reconcile/draft.rs", "use crate::tracker::*;")]).len(),
        1
    );
    let way = "use crate::reconcile::{Applied, Apply, begin, begin_daemon_run};";
    assert_eq!(
        found(misplaced_uses, &[("src/daemon/jobs.rs", way), ("src/daemon/permit.rs", way)]),
        [
            "src/daemon/jobs.rs:1: crate::reconcile::Apply has no business here",
            "src/daemon/jobs.rs:1: crate::reconcile::begin has no business here"
        ]
    );
}

#[test]
fn libraries_are_used_behind_their_door_and_in_tests() {
    let files = [
        ("src/store/mod.rs", "use rusqlite::Connection; #[cfg(test)] mod tests;"),
        ("src/store/tests.rs", "use reqwest::Client;"),
        (
            "src/pasta/mod.rs",
            "#[cfg(test)] mod tests { use reqwest::Client; } fn f() -> rusqlite::Result<()> { Ok(()) }",
        ),
    ];
    assert_eq!(
        found(misplaced_uses, &files),
        ["src/pasta/mod.rs:1: rusqlite::Result has no business here"]
    );
}

#[test]
fn what_judges_shares_nothing_with_what_it_judges() {
    let checker = "use super::{Plan, Step, plan}; #[cfg(test)] mod tests { use super::super::plan; }";
    let simulator = "use super::super::wire::Index; use crate::model::PatchId;";
    assert_eq!(
        found(
            misplaced_uses,
            &[
                ("src/model/relations/checker.rs", checker),
                ("src/tracker/simulator/api.rs", simulator)
            ]
        ),
        [
            "src/model/relations/checker.rs:1: crate::model::relations::plan has no business here",
            "src/tracker/simulator/api.rs:1: crate::tracker::wire::Index has no business here"
        ]
    );
}

#[test]
fn everything_impure_is_found_in_the_model() {
    let impure = [
        "use std::collections::HashMap;",
        "use std::{collections::{self, BTreeMap}}; type T = collections::HashSet<u8>;",
        "use std::collections::*;",
        "fn f() { std::time::Instant::now(); }",
        "use std::time as t; fn f() -> t::SystemTime { loop {} }",
        "fn f() { println!(\"{}\", std::env::var(\"HOME\")); }",
        "use core::task;",
        "use jiff::Timestamp; fn f() { Timestamp::now(); }",
        "fn f() { jiff::Zoned::now(); }",
        "#[tokio::main] fn f() {}",
        "#[derive(clap::Parser)] struct S;",
        "async fn f() {}",
        "fn f() { let _ = async { 1 }; }",
    ];
    let libraries = ["jiff", "tokio", "clap", "serde"].map(str::to_owned).into();
    for text in impure {
        let found = found(|sources| impurities(sources, &libraries), &[("src/model/bad.rs", text)]);
        assert!(!found.is_empty(), "{text}");
    }
}

#[test]
fn what_is_pure_or_elsewhere_is_left_in_peace() {
    let libraries = ["jiff", "proptest", "serde"].map(str::to_owned).into();
    let files = [
        (
            "src/model/good.rs",
            "use std::{collections::BTreeMap, time::Duration}; use jiff::Timestamp; use serde::Serialize; // async HashMap",
        ),
        (
            "src/model/tested.rs",
            "#[cfg(test)] mod tests { use proptest::prelude::*; use std::collections::HashMap; }",
        ),
        ("src/store/mod.rs", "use jiff::Timestamp; async fn f() {}"),
    ];
    assert_none(&found(|sources| impurities(sources, &libraries), &files));
}

#[test]
fn switched_off_checks_and_stubs_are_found() {
    let text = "#![allow(dead_code)]\n#[cfg_attr(test, allow(unused))]\nfn f() { todo!() }\n#[test]\n#[ignore = \"slow\"]\nfn g() { std::unimplemented!(); }";
    let lines: Vec<String> = found(evasions, &[("src/bad.rs", text)]);
    let places: Vec<&str> = lines.iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(
        places,
        ["src/bad.rs:1", "src/bad.rs:2", "src/bad.rs:3", "src/bad.rs:5", "src/bad.rs:6"]
    );
    let fine = "// #[allow(x)] todo!()\n#[expect(x, reason = \"allow(x)\")]\nfn allow(ignore: bool) { f(\"#[ignore]\"); allow(!ignore) }";
    assert_none(&found(evasions, &[("src/good.rs", fine)]));
}

#[test]
fn long_files_and_needless_reasons_are_found() {
    let text = "\n".repeat(501);
    let found = found(outgrown, &[("src/long.rs", &text), ("src/short.rs", "\n")]);
    assert_eq!(found[0], "src/long.rs has 501 lines, at most 500 without a reason");
    assert!(
        found[1..].iter().all(|reason| reason.ends_with("is listed as long and is not")),
        "{found:?}"
    );
}

#[test]
fn dead_paths_and_unknown_names_are_found_in_documents() {
    let text =
        "`src/lib.rs` and `src/none.rs`\n```\n`src/block.rs`\n```\n[here](Cargo.toml), [there](none.md), [far](https://example.org/none)";
    assert_eq!(
        dead_paths("README.md", text, root()),
        ["README.md:1: there is no src/none.rs", "README.md:5: the link to none.md is dead"]
    );
    let source = "pub struct Reader { pace: u8 } impl Reader { fn get(&self) {} } enum Kind { One } mod inner { pub fn go() {} }";
    let names = Names::of(&[Source::parse("src/tracker/reader.rs", source)]);
    let known = "`Reader` `Reader::get` `Reader::pace` `Kind::One` `reader::Reader` `inner::go` `go()` `kinset apply` `--yes` `word`";
    assert_none(&unknown_names("a.md", known, &names));
    let unknown = "`Writer` `Reader::put` `Kind::Two` `inner::get` `stay()`";
    assert_eq!(unknown_names("a.md", unknown, &names).len(), 5);
}

#[test]
fn quotes_are_found_line_by_line() {
    let (first, second) = (Quoted { text: "a", line: 1 }, Quoted { text: "b c", line: 2 });
    assert_eq!(quoted("x `a` y\n`b c`\n```rust\n`no`\n```"), [first, second]);
}

//! `docs/package-sets.md` says what its commands print.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use kinset::model::packages::Operation;
use kinset::store::Store;
use kinset::store::packages::{Force, Hand};
use regex::Regex;
use serde_json::json;

use crate::cli_support::{Place, config_for};

const DOCUMENT: &str = "docs/package-sets.md";

/// Ends what a command prints; it is in no text.
const END: char = '\u{1e}';

fn perform(store: &mut Store, at: &str, operations: impl IntoIterator<Item = serde_json::Value>) {
    let hand = Hand {
        actor: "ann".to_owned(),
        at: at.parse::<Timestamp>().unwrap(),
        force: Force::Not,
    };
    let operations: Vec<Operation> = operations
        .into_iter()
        .map(|operation| serde_json::from_value(operation).unwrap())
        .collect();
    store.perform(&hand, &operations).unwrap();
}

/// The distribution that the document begins with.
fn meadow(state: &Path) {
    let mut store = Store::open(state).unwrap();
    perform(
        &mut store,
        "2026-01-05T09:00:00Z",
        [
            json!({ "op": "create-distribution", "distribution": "meadow", "sharing": "copy-on-write", "versions": "debian" }),
            json!({ "op": "add-packages", "distribution": "meadow", "packages": ["bash", "dpkg", "gimp", "nano", "vim"] }),
            json!({ "op": "create-series", "in": "meadow/clover", "version": "1", "status": "development", "owner": "ann" }),
            json!({ "op": "create-set", "in": "meadow/clover", "set": "core", "owner": "ann", "description": "what all systems have" }),
            json!({ "op": "add-sources", "in": "meadow/clover", "set": "core", "sources": ["bash", "dpkg"] }),
            json!({ "op": "create-set", "in": "meadow/clover", "set": "desktop", "owner": "ann", "description": "what people see" }),
            json!({ "op": "add-sources", "in": "meadow/clover", "set": "desktop", "sources": ["gimp"] }),
            json!({ "op": "add-subsets", "in": "meadow/clover", "set": "desktop", "subsets": ["core"] }),
            json!({ "op": "add-members", "distribution": "meadow", "team": "desktop-team", "members": ["bob"] }),
            json!({ "op": "grant", "distribution": "meadow", "party": "@desktop-team", "action": "upload", "on": "package-set",
                    "series": "clover", "set": "desktop", "status": "approved" }),
        ],
    );
    let nano = json!({ "op": "add-sources", "in": "meadow/clover", "set": "desktop", "sources": ["nano"] });
    perform(&mut store, "2026-02-01T18:30:00Z", [nano]);
}

/// The commands of a document, in order.
fn commands(document: &str) -> Vec<&str> {
    blocks(document)
        .filter(|(is_console, _)| *is_console)
        .filter_map(|(_, line)| line.strip_prefix("$ "))
        .collect()
}

/// The lines of a document, each with whether it is within a block of commands and what they print.
fn blocks(document: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut within = false;
    document.lines().map(move |line| {
        within = if within { line != "```" } else { line == "```console" };
        (within && line != "```console", line)
    })
}

/// A document with what its commands print now in place of what it says that they do.
fn with_outputs(document: &str, outputs: &[&str]) -> String {
    let mut outputs = outputs.iter();
    let mut text = String::new();
    for (is_console, line) in blocks(document) {
        if !is_console || line.starts_with("$ ") {
            writeln!(text, "{line}").unwrap();
        }
        if is_console && line.starts_with("$ ") {
            text.push_str(outputs.next().unwrap());
        }
    }
    text
}

#[test]
fn every_command_of_the_document_prints_what_stands_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join(DOCUMENT)).unwrap();
    let place = Place::configured(&config_for("https://patchwork.example.org/"), "");
    meadow(&place.path("state"));
    fs::create_dir(place.path("bin")).unwrap();
    symlink(env!("CARGO_BIN_EXE_kinset"), place.path("bin/kinset")).unwrap();

    let commands = commands(&document);
    assert!(commands.len() > 40);
    let mut script = String::new();
    for command in &commands {
        writeln!(script, "{command} 2>&1\nprintf '\\036'").unwrap();
    }
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &script]).current_dir(place.path("")).env_clear();
    shell.env("PATH", format!("{}:/usr/bin:/bin", place.path("bin").display()));
    shell.env("KINSET_CONFIG", "kinset.toml").env("KINSET_ACTOR", "ann");
    let printed = String::from_utf8(shell.output().unwrap().stdout).unwrap();
    let outputs: Vec<&str> = printed.split_terminator(END).collect();
    assert_eq!(outputs.len(), commands.len());

    let found = with_outputs(&document, &outputs);
    let place_of_found = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package-sets.md");
    fs::write(&place_of_found, &found).unwrap();
    let times = Regex::new(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z  ann").unwrap();
    let without_times = |text: &str| times.replace_all(text, "TIME  ann").into_owned();
    let (found, said) = (without_times(&found), without_times(&document));
    let differing = found.lines().zip(said.lines()).find(|(found, said)| found != said);
    assert_eq!(
        differing,
        None,
        "{DOCUMENT} is not what its commands print: {}",
        place_of_found.display()
    );
    assert_eq!(found.lines().count(), said.lines().count());
}

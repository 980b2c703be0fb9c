//! `kinset plan --current FILE --desired FILE`: what it prints between two group files, with no tracker at all.

use std::path::PathBuf;

use insta::assert_snapshot;
use serde_json::Value;

use super::cli_support::Place;
use super::support::data::shared_path;

/// The plan between two files of these contents.
fn plan(current: &str, desired: &str, options: &str) -> String {
    let place = Place::new().with("a", current).with("b", desired);
    place.run(&format!("plan --current a --desired b {options}"))
}

/// The same as JSON.
fn plan_json(current: &str, desired: &str, options: &str) -> Value {
    let place = Place::new().with("a", current).with("b", desired);
    let data = place.data(&format!("plan --current a --desired b --format json {options}"));
    serde_json::from_str(&data).unwrap()
}

/// From these to the other, every reason for a step occurs once.
const CURRENT: &str = "<a@x> <b@x> <c@x>\n<d@x> <e@x> <f@x> <gone@x>\n";
const DESIRED: &str = "<a@x> <b@x> <new@x>\n<d@x> <e@x>\n<c@x> <g@x> <h@x> <i@x>\n<f@x>\n";

#[test]
fn each_step_of_a_plan_gives_its_reason() {
    assert_snapshot!(plan(CURRENT, DESIRED, "--attach-limit 2"), @r"
    exit 0
    --- stdout
    clear  <c@x>  # wanted in another relation
    relate <new@x> with <a@x>  # joins a relation
    relate <c@x> with <g@x> <h@x>  # new relation
    relate <i@x> with <c@x>  # joins the relation begun above
    clear  <f@x>  # wanted on its own
    clear  <gone@x>  # not named by the analysis
    6 writes: 3 clears, 3 relates; 2 relations become 3
    ");
}

#[test]
fn the_same_plan_as_json() {
    let place = Place::new().with("a", CURRENT).with("b", DESIRED);
    assert_snapshot!(place.run("plan --current a --desired b --attach-limit 2 --format json"), @r#"
    exit 0
    --- stdout
    {"writes":6,"clears":3,"relates":3,"steps":[{"op":"clear","patch":"<c@x>","reason":"moves"},{"op":"relate","patch":"<new@x>","related":["<a@x>"],"reason":"joins"},{"op":"relate","patch":"<c@x>","related":["<g@x>","<h@x>"],"reason":"forms"},{"op":"relate","patch":"<i@x>","related":["<c@x>"],"reason":"continues"},{"op":"clear","patch":"<f@x>","reason":"alone"},{"op":"clear","patch":"<gone@x>","reason":"unnamed"}],"current":{"relations":2,"related":7},"desired":{"relations":3,"related":9}}
    "#);
}

#[test]
fn there_is_nothing_to_do_between_equal_files() {
    assert_snapshot!(plan("a b\n", "b a\n", ""), @r"
    exit 0
    --- stdout
    nothing to do: 1 relation is as wanted
    ");
    assert_snapshot!(plan("a b\nc d\n", "d c\na b\ne\n", ""), @r"
    exit 0
    --- stdout
    nothing to do: 2 relations are as wanted
    ");
    assert_snapshot!(plan("a b\n", "a b\n", "--format json"), @r#"
    exit 0
    --- stdout
    {"writes":0,"clears":0,"relates":0,"steps":[],"current":{"relations":1,"related":2},"desired":{"relations":1,"related":2}}
    "#);
}

#[test]
fn a_detailed_exit_code_tells_whether_there_is_something_to_do() {
    let exit = |current, desired| plan(current, desired, "--detailed-exitcode").lines().next().unwrap().to_owned();
    assert_eq!(exit("a b\n", "a b\n"), "exit 0");
    assert_eq!(exit("a b\n", "a c\n"), "exit 2");
    assert_eq!(exit("a b\n", "<half"), "exit 1");
    assert!(plan("a b\n", "a c\n", "").starts_with("exit 0"));
}

#[test]
fn identifiers_are_printed_as_they_came() {
    let odd = [
        "<a$b%c+d=e/f@x>",
        r#"<"quoted\word"@x>"#,
        "<ärger.日本@пример>",
        "<tab\\there&'`|;@x>",
        "=>>",
        "-o",
    ];
    let line = odd.join(" ");
    let plan = plan_json("", &line, "");
    let step = &plan["steps"][0];
    let related = step["related"].as_array().unwrap().iter();
    let mut printed: Vec<&str> = related.chain([&step["patch"]]).map(|id| id.as_str().unwrap()).collect();
    let mut expected = odd.to_vec();
    printed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(printed, expected);
    assert_snapshot!(self::plan("", &line, ""), @r#"
    exit 0
    --- stdout
    relate -o with <"quoted\word"@x> <a$b%c+d=e/f@x> <tab\there&'`|;@x> <ärger.日本@пример> =>>  # new relation
    1 write: 0 clears, 1 relate; 0 relations become 1
    --- stderr
    warning: a holds no groups, so every relation is made anew
    "#);
}

#[test]
fn numbers_are_identifiers_like_any_other() {
    assert_snapshot!(plan("1 2 10\n", "1 2\n10 007 7\n", ""), @r"
    exit 0
    --- stdout
    clear  10  # wanted in another relation
    relate 007 with 10 7  # new relation
    2 writes: 1 clear, 1 relate; 1 relation becomes 2
    ");
    assert_eq!(plan_json("", "1 2\n", "")["steps"][0]["patch"], "1");
}

#[test]
fn no_relate_names_more_identifiers_than_the_attach_limit() {
    assert_snapshot!(plan("a b\n", "a b c d e f g\n", "--attach-limit 3"), @r"
    exit 0
    --- stdout
    relate c with a d e  # joins a relation
    relate f with a g  # joins a relation
    2 writes: 0 clears, 2 relates; 1 relation becomes 1
    ");
    let sixty: String = (0..60).map(|number| format!("{number} ")).collect();
    assert_eq!(plan_json("", &sixty, "")["writes"], 2, "the default is 50");
    assert_eq!(plan_json("", &sixty, "--attach-limit 59")["writes"], 1);
    assert_eq!(plan_json("", &sixty, "--attach-limit 1")["writes"], 59);
}

#[test]
fn the_order_of_lines_and_of_words_in_them_changes_nothing() {
    let expected = plan(CURRENT, DESIRED, "--attach-limit 2");
    let turned = |text: &str| -> String {
        let line = |line: &str| line.split(' ').rev().collect::<Vec<_>>().join("  ");
        text.lines().rev().map(line).map(|line| format!(" {line} \n\n")).collect()
    };
    assert_eq!(plan(&turned(CURRENT), &turned(DESIRED), "--attach-limit 2"), expected);
}

#[test]
fn commits_are_no_identifiers_but_join_the_lines_that_name_them() {
    assert_snapshot!(plan("a b => 1234abcd\n => 5678\n", "a => 1234abcd\nb => 1234abcd\n", ""), @r"
    exit 0
    --- stdout
    nothing to do: 1 relation is as wanted
    ");
    assert_snapshot!(plan("", "a b => 1234abcd\nc => 1234abcd\n", ""), @r"
    exit 0
    --- stdout
    relate a with b c  # new relation
    1 write: 0 clears, 1 relate; 0 relations become 1
    --- stderr
    warning: a holds no groups, so every relation is made anew
    ");
}

#[test]
fn lines_that_share_an_element_are_one_group() {
    assert_snapshot!(plan("", "a b\nc d\nb c\n", ""), @r"
    exit 0
    --- stdout
    relate a with b c d  # new relation
    1 write: 0 clears, 1 relate; 0 relations become 1
    --- stderr
    warning: a holds no groups, so every relation is made anew
    ");
}

#[test]
fn an_empty_file_is_accepted_with_a_warning() {
    assert_snapshot!(plan("a b c\n", "", ""), @r"
    exit 0
    --- stdout
    clear  a  # not named by the analysis
    clear  b  # not named by the analysis
    2 writes: 2 clears, 0 relates; 1 relation becomes 0
    --- stderr
    warning: b holds no groups, so every relation is taken apart
    ");
    assert_snapshot!(plan("", "a b\n", ""), @r"
    exit 0
    --- stdout
    relate a with b  # new relation
    1 write: 0 clears, 1 relate; 0 relations become 1
    --- stderr
    warning: a holds no groups, so every relation is made anew
    ");
    let place = Place::new().with("a", "a b\n");
    assert_snapshot!(place.run("plan --current /dev/null --desired a --format json"), @r#"
    exit 0
    --- stdout
    {"writes":1,"clears":0,"relates":1,"steps":[{"op":"relate","patch":"a","related":["b"],"reason":"forms"}],"current":{"relations":0,"related":0},"desired":{"relations":1,"related":2}}
    --- stderr
    warning: /dev/null holds no groups, so every relation is made anew
    "#);
    assert_snapshot!(place.run("plan --current /dev/null --desired /dev/null"), @r"
    exit 0
    --- stdout
    nothing to do: 0 relations are as wanted
    --- stderr
    warning: /dev/null holds no groups, so every relation is made anew
    warning: /dev/null holds no groups, so every relation is taken apart
    ");
}

#[test]
fn a_file_in_parts_is_read_as_one() {
    let place = Place::new().with("a", "a b\n").with("b.000", "a b\n").with("b.001", "c d\n");
    assert_snapshot!(place.run("plan --current a --desired b"), @r"
    exit 0
    --- stdout
    relate c with d  # new relation
    1 write: 0 clears, 1 relate; 1 relation becomes 2
    ");
}

#[test]
fn a_file_of_ids_may_lack_its_last_newline() {
    assert_eq!(plan("a b", "a c", ""), plan("a b\n", "a c\n", ""));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let place = Place::new().with("a", "a b\n").with("b", "a c\n");
    for arguments in [
        "plan --current a --desired b",
        "plan --current a --desired b --format json",
        "completions bash",
        "man",
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = place.command(arguments).stdout(writer).output().unwrap();
        assert_eq!(place.tell(&output), "exit 0\n", "{arguments}");
    }
}

#[test]
fn real_changes_take_as_many_writes_as_an_independent_library_found() {
    let Some(data) = shared_path("pasta/data") else { return };
    let place = Place::new();
    let rows = [
        ("busybox-old", "busybox-new", (318, 459), 178),
        ("busybox-new", "busybox-old", (459, 318), 225),
        ("jailhouse-old", "jailhouse-new", (745, 860), 324),
        ("jailhouse-new", "jailhouse-old", (860, 745), 309),
        ("flac-old", "flac-new", (83, 79), 23),
        ("flac-new", "flac-old", (79, 83), 18),
        ("/dev/null", "lkml-2012-05", (0, 990), 990),
        ("lkml-2012-05", "/dev/null", (990, 0), 1618),
    ];
    for (from, to, (before, after), writes) in rows {
        let groups = |name: &str| match name {
            "/dev/null" => PathBuf::from(name),
            name => data.join(format!("{name}.patch-groups")),
        };
        let (current, desired) = (groups(from), groups(to));
        let arguments = format!(
            "plan --current {} --desired {} --attach-limit 1000 --format json",
            current.display(),
            desired.display()
        );
        let plan: Value = serde_json::from_str(&place.data(&arguments)).unwrap();
        assert_eq!(plan["writes"], writes, "{from} to {to}");
        assert_eq!(plan["steps"].as_array().unwrap().len(), writes, "{from} to {to}");
        assert_eq!(
            (&plan["current"]["relations"], &plan["desired"]["relations"]),
            (&before.into(), &after.into()),
            "{from} to {to}"
        );
    }
}

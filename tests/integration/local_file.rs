//! Distributions as files: what is read, what is written, and what is said about each mistake. The example in `config/` is the file in question.

use std::fmt::Write as _;
use std::path::Path;

use kinset::model::packages::Sharing;
use kinset::model::packages::document::DistributionDocument;
use kinset::remedy::Remedy as _;
use kinset::source::local::{FileFormat, LocalError, LocalFile, render};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::packages_document::{any_operations, exported, place_after};

pub(crate) const EXAMPLE: &str = include_str!("../../config/distribution.example.toml");

fn parse(text: &str, format: FileFormat) -> Result<LocalFile, LocalError> {
    let path = format!("tidewater.{}", format.word());
    LocalFile::parse(text.as_bytes().to_vec(), format, Path::new(&path))
}

fn read(text: &str, format: FileFormat) -> DistributionDocument {
    parse(text, format).unwrap_or_else(|error| panic!("{error}: {text}")).document
}

/// The example with one piece of it replaced, the first of that text.
pub(crate) fn with(old: &str, new: &str) -> String {
    assert!(EXAMPLE.contains(old), "{old:?}");
    EXAMPLE.replacen(old, new, 1)
}

fn json(text: &str) -> String {
    render(&read(text, FileFormat::Toml), FileFormat::Json).unwrap()
}

/// What is said of each of these files, below a heading.
pub(crate) fn said_of(files: &[(&str, String)], format: FileFormat) -> String {
    let mut said = String::new();
    for (heading, text) in files {
        let error = match parse(text, format) {
            Err(error) => error,
            Ok(file) => panic!("{heading}: {:?}", file.document),
        };
        let text = error.to_string();
        let lines = text.lines().skip(usize::from(text.lines().count() > 1));
        writeln!(said, "{heading}").unwrap();
        lines.for_each(|line| writeln!(said, "    {}", line.trim()).unwrap());
        assert!(error.remedy().unwrap().starts_with("nothing was changed"), "{error}");
    }
    said
}

#[test]
fn the_example_reads_back_from_what_is_written_of_it() {
    let document = read(EXAMPLE, FileFormat::Toml);
    for format in [FileFormat::Toml, FileFormat::Json] {
        let text = render(&document, format).unwrap();
        assert_eq!(read(&text, format), document, "{text}");
    }
}

#[test]
fn what_is_written_is_the_example_without_its_words() {
    let uncommented = EXAMPLE.lines().filter(|line| !line.starts_with('#'));
    let uncommented: Vec<&str> = uncommented.filter(|line| !line.is_empty()).collect();
    let written = render(&read(EXAMPLE, FileFormat::Toml), FileFormat::Toml).unwrap();
    let written: Vec<&str> = written.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(written, uncommented);
}

#[test]
fn words_of_other_systems_are_read_and_ours_are_written() {
    let text =
        with("status = \"maintenance\"", "status = \"maintanence\"").replace("status = \"development\"", "status = \"Active Development\"");
    assert_eq!(read(&text, FileFormat::Toml), read(EXAMPLE, FileFormat::Toml));
}

#[test]
fn each_mistake_in_toml_is_named_with_its_place_and_what_to_do() {
    let files = [
        (
            "two owners",
            with("owner = \"@release\"\n", "owner = \"@release\"\nowner = \"anna\"\n"),
        ),
        ("no owner", with("owner = \"@core-dev\"\n", "")),
        ("an owner that is none", with("owner = \"@core-dev\"", "owner = \"@\"")),
        ("an unknown action", with("action = \"upload\"", "action = \"uplaod\"")),
        (
            "an action for something else",
            with("action = \"queue-admin\", pocket", "action = \"commit\", pocket"),
        ),
        (
            "two targets",
            with("component = \"main\"", "component = \"main\", pocket = \"release\""),
        ),
        ("no target", with(", component = \"main\"", "")),
        (
            "a tracker with something else",
            with("component = \"main\"", "component = \"main\", tracker = \"kernel\""),
        ),
        (
            "a project of a tracker",
            with("component = \"main\"", "tracker = \"kernel\", project = \"tidewater\""),
        ),
        (
            "a set's permission on something else",
            with(
                "action = \"queue-admin\" },\n]\n\n[[",
                "action = \"queue-admin\", component = \"main\" },\n]\n\n[[",
            ),
        ),
        (
            "a series' permission on something of all",
            with("pocket = \"proposed\"", "component = \"main\""),
        ),
        (
            "explicit where there is no set",
            with("component = \"main\"", "component = \"main\", explicit = true"),
        ),
        (
            "the same permission twice",
            with(
                "    { party = \"@kernel\", action = \"queue-admin\" },",
                "    { party = \"@kernel\", action = \"upload\" },",
            ),
        ),
        ("an unknown key", with("description", "desciption")),
        ("a key that is like none", with("versions = ", "colour = 1\nversions = ")),
        ("nothing in the place of something", with("sharing = \"copy-on-write\"\n", "")),
        ("a way of sharing that is none", with("= \"copy-on-write\"", "= \"copy\"")),
        ("a status that is none", with("\"maintenance\"", "\"maintained\"")),
        ("a name that is none", with("    \"bash\"", "    \"ba sh\"")),
        ("a name twice in a list", with("    \"bash\",", "    \"bash\",\n    \"bash\",")),
        ("a set twice", with("name = \"kernel\"\nscore", "name = \"base\"\nscore")),
        ("a series twice", with("name = \"brook\"", "name = \"ash\"")),
        (
            "a list that is none",
            with("packages = [\n    \"sample\",\n]", "packages = \"sample\""),
        ),
        ("a table that is none", with("[teams]\n", "[[teams]]\n")),
        ("a number that is none", with("score = 100", "score = 1.5")),
        ("a flag that is none", with("explicit = true", "explicit = \"yes\"")),
        (
            "a subset that is not there",
            with("    \"base\",\n    \"kernel\"", "    \"base\",\n    \"kernle\""),
        ),
        (
            "a cycle",
            with("description = \"What every installation has\"", "subsets = [\"server\"]"),
        ),
        ("a set in itself", with("    \"kernel\",\n]", "    \"kernel\",\n    \"server\",\n]")),
        ("a cycle of teams", with("    \"anna\",", "    \"@core-dev\",")),
        (
            "a current series that is not there",
            with("current_series = \"brook\"", "current_series = \"brok\""),
        ),
        ("as in a series that is not there", with("as_in = \"ash\"", "as_in = \"oak\"")),
        (
            "as in a series without that set",
            with("name = \"base\"\nas_in", "name = \"bse\"\nas_in"),
        ),
        ("as in itself", with("as_in = \"ash\"", "as_in = \"brook\"")),
        (
            "as elsewhere, and yet not",
            with("as_in = \"ash\"", "as_in = \"ash\"\nowner = \"anna\""),
        ),
        (
            "one group, two sets",
            with("name = \"server\"\nowner", "name = \"server\"\ngroup = \"tidewater/base\"\nowner"),
        ),
        ("a group that is none", with("group = \"tidewater/kernel\"", "group = \"kernel\"")),
        (
            "hierarchies that differ",
            with("= \"copy-on-write\"", "= \"tethered\"").replace("    \"base\",\n    \"linux\",", "    \"base\","),
        ),
        (
            "cut in the middle of a list",
            EXAMPLE[..EXAMPLE.find("    \"coreutils\"").unwrap()].to_owned(),
        ),
        (
            "cut in the middle of a word",
            EXAMPLE[..EXAMPLE.find("velopment").unwrap()].to_owned(),
        ),
        (
            "cut behind a name",
            EXAMPLE[..EXAMPLE.find("version = \"2.0\"").unwrap()].to_owned(),
        ),
        ("more series than there are", with("series = 3", "series = 4")),
        ("fewer sets than there are", with("packagesets = 6", "packagesets = 5")),
        ("a count that is none", with("packagesets = 6", "packagesets = \"all\", sets = 6")),
        ("no end", with("[end]\n", "")),
        ("something in the end", with("[end]\n", "[end]\nseries = 3\n")),
        ("nothing at all", String::new()),
        ("nothing but words", "# ubuntu\n".to_owned()),
    ];
    insta::assert_snapshot!(said_of(&files, FileFormat::Toml), @r#"
    two owners
        tidewater.toml:67:1: `owner`: not valid TOML: duplicate key
    no owner
        tidewater.toml:68:1: `series.packageset.owner`: missing; add it: a person's name, or @ and a team's
    an owner that is none
        tidewater.toml:70:9: `series.packageset.owner`: expected the name of a team: a letter or digit, then letters, digits, `+`, `-`, `.` and `_`; found ""
    an unknown action
        tidewater.toml:24:32: `permissions.action`: expected one of commit, build, watchbugzilla, watchcommits, approveacls, checkout, upload, queue-admin, maintain, found "uplaod"
    an action for something else
        tidewater.toml:26:36: `permissions.action`: expected one of `upload`, `queue-admin` for a pocket, found `commit`
    two targets
        tidewater.toml:25:67: `permissions.pocket`: a permission is on exactly one thing, and this one is on a component and a pocket: give each its own entry
    no target
        tidewater.toml:25:5: `permissions`: a permission is on exactly one thing, and this one is on nothing: name one of `package`, `component` and `pocket`
    a tracker with something else
        tidewater.toml:25:67: `permissions.tracker`: unknown key; the keys here are party, action, status, package, component, pocket
    a project of a tracker
        tidewater.toml:25:67: `permissions.project`: a permission is on exactly one thing, and this one is on a tracker's project: who maintains one is the tracker's to say; remove this entry, and make them maintainers there
    a set's permission on something else
        tidewater.toml:91:50: `series.packageset.permissions.component`: a permission is on exactly one thing, and this one is on the package set and on a component: give that on the component its own entry, under `permissions` of the series or at the top
    a series' permission on something of all
        tidewater.toml:116:46: `series.permissions.component`: unknown key; the keys here are party, action, status, package, pocket
    explicit where there is no set
        tidewater.toml:25:67: `permissions.explicit`: unknown key; the keys here are party, action, status, package, component, pocket
    the same permission twice
        tidewater.toml:91:5: `series.packageset.permissions`: the permission of @kernel to upload on package set kernel in ash stands above already: remove one of them
    an unknown key
        tidewater.toml:71:1: `series.packageset.desciption`: unknown key; did you mean `description`?
    a key that is like none
        tidewater.toml:12:1: `colour`: unknown key; the keys here are contents, name, sharing, versions, current_series, permit_obsolete_uploads, packages, package, permissions, teams, series, end
    nothing in the place of something
        tidewater.toml:1:1: `sharing`: missing; add it: one of shared-nothing, copy-on-write, manual-clone, tethered
    a way of sharing that is none
        tidewater.toml:11:11: `sharing`: expected one of shared-nothing, copy-on-write, manual-clone, tethered, found "copy"
    a status that is none
        tidewater.toml:65:10: `series.status`: "maintained" is no status of a collection; expected one of future, experimental, development, frozen, active, maintenance, eol, rejected
    a name that is none
        tidewater.toml:73:5: `series.packageset.sources`: expected the name of a package: a letter or digit, then letters, digits, `+`, `-`, `.` and `_`; found "ba sh"
    a name twice in a list
        tidewater.toml:74:5: `series.packageset.sources`: "bash" stands on line 73 already: remove one of them
    a set twice
        tidewater.toml:82:8: `series.packageset.name`: a package set base of this series stands above already: give this one another name, or remove it
        tidewater.toml:100:5: `series.packageset.subsets`: expected a package set of series ash, found `kernel`: add it, or take it out of the subsets
    a series twice
        tidewater.toml:15:18: `current_series`: expected a series of this file, found `brook`
        tidewater.toml:109:8: `series.name`: a series ash stands above already: give this one another name, or remove it
        tidewater.toml:186:54: `series.branch.parent`: expected a series of this file, found `brook`
        tidewater.toml:189:14: `series.bases.base`: expected a series of this file, found `brook`
    a list that is none
        tidewater.toml:18:12: `packages`: expected a list of names of packages, found "sample"
    a table that is none
        tidewater.toml:30:1: `teams`: expected a [teams] table with a list of members for each team, found a list
    a number that is none
        tidewater.toml:83:9: `series.packageset.score`: expected a whole number, found a number with a fraction
    a flag that is none
        tidewater.toml:90:56: `series.packageset.permissions.explicit`: expected true or false, found "yes"
    a subset that is not there
        tidewater.toml:100:5: `series.packageset.subsets`: expected a package set of series ash, found `kernle` (did you mean `kernel`?): add it, or take it out of the subsets
    a cycle
        tidewater.toml:98:11: `series.packageset.subsets`: server > base > server would be a cycle: take one of them out of the subsets of the one before it
        tidewater.toml:141:11: `series.packageset.subsets`: server > base > server would be a cycle: take one of them out of the subsets of the one before it
    a set in itself
        tidewater.toml:98:11: `series.packageset.subsets`: server > server would be a cycle: take one of them out of the subsets of the one before it
    a cycle of teams
        tidewater.toml:38:11: `teams`: release > core-dev > release would be a cycle: take one of them out of the team before it
    a current series that is not there
        tidewater.toml:15:18: `current_series`: expected a series of this file, found `brok` (did you mean `brook`?)
    as in a series that is not there
        tidewater.toml:122:9: `series.packageset.as_in`: expected a series of this file, found `oak` (did you mean `lab`?)
    as in a series without that set
        tidewater.toml:122:9: `series.packageset.as_in`: expected a series that has a package set bse, and ash has none: name another series, or say here what is in it
        tidewater.toml:142:5: `series.packageset.subsets`: expected a package set of series brook, found `base` (did you mean `bse`?): add it, or take it out of the subsets
    as in itself
        tidewater.toml:122:9: `series.packageset.as_in`: base of brook is itself as in another series: name the series whose base says what is in it
    as elsewhere, and yet not
        tidewater.toml:123:1: `series.packageset.owner`: `as_in` says that all but the score is as in another series: remove one of the two
    one group, two sets
        tidewater.toml:94:1: `series.packageset`: the series has a set of group tidewater/base already, base: a group has one set in a series; give one of them another `group`
    a group that is none
        tidewater.toml:127:9: `series.packageset.group`: expected the name of a package set group: a distribution's name, `/`, and a set's name, with `~` and a number where that was taken; found "kernel"
    hierarchies that differ
        tidewater.toml:108:1: `series`: server includes linux in ash and not in brook, and `tethered` has one hierarchy for all series: make them agree, or choose another `sharing`
    cut in the middle of a list
        tidewater.toml:73:12: not valid TOML: unclosed array, expected `]`
    cut in the middle of a word
        tidewater.toml:111:13: `status`: not valid TOML: invalid basic string, expected `"`
    cut behind a name
        tidewater.toml:6:1: `end`: missing at the end of the file: it is cut off, so get it whole; if it is whole, add a last line `[end]`, or remove `contents`
        tidewater.toml:6:23: `contents.series`: the file is to have 3, and has 2: it is cut off, so get it whole; if it is whole, correct the number, or remove `contents`
        tidewater.toml:6:40: `contents.packagesets`: the file is to have 6, and has 3: it is cut off, so get it whole; if it is whole, correct the number, or remove `contents`
        tidewater.toml:108:1: `series.status`: missing; add it: one of future, experimental, development, frozen, active, maintenance, eol, rejected
        tidewater.toml:108:1: `series.owner`: missing; add it: a person's name, or @ and a team's
    more series than there are
        tidewater.toml:6:23: `contents.series`: the file is to have 4, and has 3: it is cut off, so get it whole; if it is whole, correct the number, or remove `contents`
    fewer sets than there are
        tidewater.toml:6:40: `contents.packagesets`: the file is to have 5, and has 6: it is cut off, so get it whole; if it is whole, correct the number, or remove `contents`
    a count that is none
        tidewater.toml:6:40: `contents.packagesets`: expected a whole number, found "all"
        tidewater.toml:6:47: `contents.sets`: unknown key; the keys here are series, packagesets
    no end
        tidewater.toml:6:1: `end`: missing at the end of the file: it is cut off, so get it whole; if it is whole, add a last line `[end]`, or remove `contents`
    something in the end
        tidewater.toml:193:1: `end`: expected a table with nothing in it, found a table
    nothing at all
        tidewater.toml is empty
    nothing but words
        tidewater.toml:1:1: `name`: missing; add it: the name of the distribution
        tidewater.toml:1:1: `sharing`: missing; add it: one of shared-nothing, copy-on-write, manual-clone, tethered
        tidewater.toml:1:1: `versions`: missing; add it: one of rpm, debian
    "#);
}

#[test]
fn each_mistake_in_json_is_named_with_its_place_and_what_to_do() {
    let text = json(EXAMPLE);
    let with = |old: &str, new: &str| {
        assert!(text.contains(old), "{old:?}");
        text.replacen(old, new, 1)
    };
    let files = [
        (
            "two owners",
            with("\"owner\": \"@release\",", "\"owner\": \"@release\",\n\"owner\": \"anna\","),
        ),
        ("an unknown action", with("\"upload\"", "\"uplaod\"")),
        (
            "two targets",
            with("\"component\": \"main\"", "\"component\": \"main\", \"pocket\": \"release\""),
        ),
        ("an unknown key", with("\"description\"", "\"desciption\"")),
        ("a set twice", with("\"name\": \"kernel\"", "\"name\": \"base\"")),
        ("a subset that is not there", with("\"kernel\"\n", "\"kernle\"\n")),
        ("a number that is none", with("100", "1e2")),
        (
            "nothing in the place of something",
            with("\"versions\": \"debian\"", "\"versions\": null"),
        ),
        ("no table", "[]".to_owned()),
        ("cut in the middle", text[..text.find("\"coreutils\"").unwrap()].to_owned()),
        ("something behind the end", format!("{text}{{}}")),
    ];
    insta::assert_snapshot!(said_of(&files, FileFormat::Json), @r#"
    two owners
        tidewater.json:71:1: `series.owner`: this key stands on line 70 already: remove one of them
    an unknown action
        tidewater.json:38:17: `permissions.action`: expected one of commit, build, watchbugzilla, watchcommits, approveacls, checkout, upload, queue-admin, maintain, found "uplaod"
    two targets
        tidewater.json:45:28: `permissions.pocket`: a permission is on exactly one thing, and this one is on a component and a pocket: give each its own entry
    an unknown key
        tidewater.json:75:11: `series.packageset.desciption`: unknown key; did you mean `description`?
    a set twice
        tidewater.json:89:19: `series.packageset.name`: a package set base of this series stands above already: give this one another name, or remove it
        tidewater.json:114:13: `series.packageset.subsets`: expected a package set of series ash, found `kernel`: add it, or take it out of the subsets
    a subset that is not there
        tidewater.json:114:13: `series.packageset.subsets`: expected a package set of series ash, found `kernle` (did you mean `kernel`?): add it, or take it out of the subsets
    a number that is none
        tidewater.json:90:20: `series.packageset.score`: expected a whole number, found a number that is not whole, or too large
    nothing in the place of something
        tidewater.json:4:15: `versions`: expected one of rpm, debian, found null
    no table
        tidewater.json:1:1: expected a table, found a list
    cut in the middle
        tidewater.json:78:12: not valid JSON: EOF while parsing a value
    something behind the end
        tidewater.json:240:1: not valid JSON: trailing characters
    "#);
}

#[test]
fn a_file_that_cannot_be_read_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.yaml"), "").unwrap();
    std::fs::write(path("b.toml"), b"name = \"caf\xe9\"").unwrap();
    let mut said = String::new();
    std::fs::File::create(path("c.toml")).unwrap().set_len((1 << 30) + 1).unwrap();
    std::fs::create_dir(path("d.toml")).unwrap();
    // A file that never ends.
    std::os::unix::fs::symlink("/dev/zero", path("e.toml")).unwrap();
    for name in ["none.toml", "a.yaml", "b.toml", "c.toml", "d.toml", "e.toml"] {
        let error = LocalFile::load(&path(name), None).unwrap_err();
        writeln!(said, "{error}; {}", error.remedy().unwrap()).unwrap();
    }
    let said = said.replace(folder.path().to_str().unwrap(), "DIR");
    insta::assert_snapshot!(said, @r"
    there is no file DIR/none.toml; check the path; `kinset distribution export --out FILE` writes a file to start from
    expected a name that ends in .toml or .json, found DIR/a.yaml; say which it is with `--format`, or give the file another name
    DIR/b.toml is not text in UTF-8, from byte 11 on; nothing was changed; save the file as UTF-8 text
    DIR/c.toml has 1073741825 bytes, and at most 1073741824 are read; nothing was changed; check that it is the file that is meant
    DIR/d.toml is no regular file; name a file; what comes from elsewhere is to be kept in one first
    DIR/e.toml is no regular file; name a file; what comes from elsewhere is to be kept in one first
    ");
    assert!(matches!(
        LocalFile::load(&path("a.yaml"), Some(FileFormat::Toml)),
        Err(LocalError::Empty { .. })
    ));
}

/// The example as somebody writes it by hand: it does not say how much is in it.
fn handwritten() -> String {
    let lines = EXAMPLE.lines().filter(|line| !line.starts_with("contents = ") && *line != "[end]");
    lines.map(|line| format!("{line}\n")).collect()
}

/// Whether all that one says is said by the other too: lists may end before others do, fields may be missing.
fn says_no_more(less: &Value, more: &Value) -> bool {
    match (less, more) {
        (Value::Object(less), Value::Object(more)) => {
            let is_said = |(key, value): (&String, &Value)| more.get(key).is_some_and(|other| says_no_more(value, other));
            less.iter().all(is_said)
        }
        (Value::Array(less), Value::Array(more)) => {
            less.len() <= more.len() && less.iter().zip(more).all(|(one, other)| says_no_more(one, other))
        }
        (one, other) => one == other,
    }
}

#[test]
fn an_export_cut_at_any_place_is_refused() {
    let text = render(&read(EXAMPLE, FileFormat::Toml), FileFormat::Toml).unwrap();
    for (end, _) in text.trim_end().char_indices() {
        assert!(parse(&text[..end], FileFormat::Toml).is_err(), "{}", &text[..end]);
    }
    let text = json(EXAMPLE);
    for (end, _) in text.trim_end().char_indices() {
        assert!(parse(&text[..end], FileFormat::Json).is_err());
    }
}

#[test]
fn an_export_without_one_of_its_tables_is_refused() {
    let text = render(&read(EXAMPLE, FileFormat::Toml), FileFormat::Toml).unwrap();
    let tables: Vec<&str> = text.split_inclusive("\n\n").collect();
    let mut counted = 0;
    for place in 0..tables.len() {
        let without = [&tables[..place], &tables[place + 1..]].concat().concat();
        let is_set = tables[place].starts_with("[[series.packageset]]");
        if is_set || tables[place].starts_with("[[series]]") {
            let error = parse(&without, FileFormat::Toml).unwrap_err().to_string();
            assert!(
                !is_set || error.contains("`contents.packagesets`: the file is to have 6, and has 5"),
                "{error}"
            );
            counted += 1;
        }
    }
    assert_eq!(counted, 3 + 6);
}

#[test]
fn a_file_cut_at_any_place_is_refused_or_says_less_and_never_something_else() {
    let text = handwritten();
    let whole = read(&text, FileFormat::Toml);
    assert_eq!(whole, read(EXAMPLE, FileFormat::Toml));
    let whole = serde_json::to_value(whole).unwrap();
    let mut less = 0;
    for (end, _) in text.char_indices() {
        if let Ok(file) = parse(&text[..end], FileFormat::Toml) {
            let cut = serde_json::to_value(file.document).unwrap();
            assert!(says_no_more(&cut, &whole), "{}", &text[..end]);
            less += usize::from(cut != whole);
        }
    }
    assert!(less > 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_exported_reads_back(sharing in select(&Sharing::ALL[..]), operations in any_operations(), description in any::<String>()) {
        let mut document = exported(&place_after(sharing, &operations), "d");
        for set in document.series.iter_mut().flat_map(|series| &mut series.packagesets) {
            if let kinset::model::packages::document::SetBody::Own(content) = &mut set.body {
                content.description.clone_from(&description);
            }
        }
        for format in [FileFormat::Toml, FileFormat::Json] {
            let text = render(&document, format).unwrap();
            prop_assert_eq!(&read(&text, format), &document, "{}", text);
        }
    }
}

//! What is said of a file of groups that is not what it should be, as a tracker's analysis and as one of two to plan between.

use insta::assert_snapshot;

use super::cli_support::{Place, Tracker, world};

/// What every command says of an analysis of these bytes.
fn told_of_analysis(bytes: &[u8]) -> String {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    told_in(&tracker, &tracker.place("").with("patch-groups", bytes))
}

/// The same of one of message ids.
fn told_of_message_ids(bytes: &[u8]) -> String {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let config = tracker.config().replace("\"ids\"", "\"pasta\"");
    told_in(&tracker, &Place::configured(&config, "").with("patch-groups", bytes))
}

fn told_in(tracker: &Tracker, place: &Place) -> String {
    let told = place.run("plan");
    for command in ["config check", "apply --yes"] {
        assert_eq!(place.run(command), told, "{command}");
    }
    assert_eq!(tracker.writes(), 0);
    told
}

#[test]
fn an_analysis_that_is_missing_is_not_taken_for_an_empty_one() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = tracker.place("");
    std::fs::remove_file(place.path("patch-groups")).unwrap();
    assert_snapshot!(told_in(&tracker, &place), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: no group file at DIR/patch-groups, nor a first part at DIR/patch-groups.000
      help: check the path; kinset never takes a missing file for an analysis that found no groups
    ");
    place.write("patch-groups.001", "1 2\n");
    assert_snapshot!(told_in(&tracker, &place), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: a split group file has a gap: expected DIR/patch-groups.000, found a later part
      help: copy all parts of the analysis, then try again
    ");
    std::fs::create_dir(place.path("patch-groups")).unwrap();
    assert_snapshot!(told_in(&tracker, &place), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: cannot read DIR/patch-groups
      because: Is a directory (os error 21)
      help: check that it is a file, and that this user may read it
    ");
}

#[test]
fn an_analysis_without_groups_is_refused() {
    assert_snapshot!(told_of_analysis(b""), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups holds no groups
      help: an empty analysis would clear every relation; if that is meant, set `allow_empty = true` under [tracker.guard]
    ");
    assert_eq!(told_of_analysis(b"\n\n"), told_of_analysis(b""));
    assert_eq!(told_of_analysis(b" => 1234abcd\n"), told_of_analysis(b""));
}

#[test]
fn an_analysis_that_is_cut_off_is_refused() {
    assert_snapshot!(told_of_analysis(b"1 2\n3 4"), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups:2:3: the file ends in the middle of a line
      help: the file was cut off or is still being written; wait for the analysis to finish and try again
    ");
    assert_snapshot!(told_of_message_ids(b"<a@x> <b@x>\n<c@x> <d@\n"), @r#"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups:2:7: expected a message id to end in `>`, found "<d@"
      help: the file was cut off or is still being written; wait for the analysis to finish and try again
    "#);
}

#[test]
fn an_analysis_that_is_no_text_is_refused() {
    assert_snapshot!(told_of_analysis(b"\x7fELF\x02\x01\x01\0\0\0"), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups:1:1: expected printable text, found the byte 0x7f
      help: this is not a patch-groups file; check which file the path names
    ");
    assert_snapshot!(told_of_analysis(b"1 2\n3\0 4\n"), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups:2:2: expected printable text, found the byte 0x00
      help: this is not a patch-groups file; check which file the path names
    ");
    assert_snapshot!(told_of_analysis(b"\xff\xfe1\x002\x00\n\x00"), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups:1:4: expected printable text, found the byte 0x00
      help: this is not a patch-groups file; check which file the path names
    ");
    assert_snapshot!(told_of_analysis(b"1 2\n3 \xe9 5\n"), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups:2:3: expected UTF-8 text, found other bytes
      help: this is not a patch-groups file; check which file the path names
    ");
    assert_snapshot!(told_of_analysis("\u{feff}1 2\n".as_bytes()), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups:1:1: expected an element, found a byte order mark
      help: save the file as UTF-8 without a byte order mark
    ");
    assert_snapshot!(told_of_analysis(b"1\t2\n"), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups:1:2: expected printable text, found the byte 0x09
      help: the file has tabs; separate elements by spaces
    ");
    assert_snapshot!(told_of_analysis(b"1 2\r\n"), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups:1:4: expected printable text, found the byte 0x0d
      help: the file has carriage returns; convert its line ends to single newlines
    ");
}

#[test]
fn an_analysis_in_the_other_format_is_refused_with_the_key_to_change() {
    assert_snapshot!(told_of_analysis(b"1 <a@x>\n"), @r#"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups:1:3: expected a Patchwork patch id, found "<a@x>"
      help: if the file lists message ids, set `format = "pasta"` under [tracker.desired]
    "#);
    assert_snapshot!(told_of_message_ids(b"<a@x> 12\n"), @r#"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups:1:7: expected a message id in angle brackets, found "12"
      help: if the file lists Patchwork's numbers, set `format = "ids"` under [tracker.desired]
    "#);
}

/// 200 MB without a space or a newline.
fn endless_word() -> Vec<u8> {
    vec![b'1'; 200_000_000]
}

#[test]
fn one_word_of_200_mb_is_refused_without_being_repeated() {
    assert_snapshot!(told_of_analysis(&[endless_word(), b"\n".to_vec()].concat()), @r"
    exit 1
    --- stderr
    error: the analysis cannot be read
      because: DIR/patch-groups:1:1: an element of 200000000 bytes, expected at most 998
      help: a message id has no more than 998 bytes; check which file the path names
    ");
    let place = Place::new().with("a", "1 2\n").with("b", endless_word());
    assert_snapshot!(place.run("plan --current a --desired b"), @r"
    exit 1
    --- stderr
    error: b:1:1: an element of 200000000 bytes, expected at most 998
      help: a message id has no more than 998 bytes; check which file the path names
    ");
    assert_snapshot!(place.run("plan --current b --desired a"), @r"
    exit 1
    --- stderr
    error: b:1:1: an element of 200000000 bytes, expected at most 998
      help: a message id has no more than 998 bytes; check which file the path names
    ");
}

#[test]
fn bad_files_to_plan_between_are_refused_in_the_same_words() {
    let place = Place::new().with("a", "a b\n");
    let against = |bytes: &[u8]| {
        place.write("b", bytes);
        place.run("plan --current a --desired b")
    };
    assert_snapshot!(against(b"a b\n<c@x> <d@"), @r#"
    exit 1
    --- stderr
    error: b:2:7: expected a message id to end in `>`, found "<d@"
      help: the file was cut off or is still being written; wait for the analysis to finish and try again
    "#);
    assert_snapshot!(against(b"a\0b\n"), @r"
    exit 1
    --- stderr
    error: b:1:2: expected printable text, found the byte 0x00
      help: this is not a patch-groups file; check which file the path names
    ");
    assert_snapshot!(place.run("plan --current missing --desired a"), @r"
    exit 1
    --- stderr
    error: no group file at missing, nor a first part at missing.000
      help: check the path; kinset never takes a missing file for an analysis that found no groups
    ");
    assert_snapshot!(place.run("plan --current a --desired ."), @r"
    exit 1
    --- stderr
    error: cannot read .
      because: Is a directory (os error 21)
      help: check that it is a file, and that this user may read it
    ");
}

//! Every way in which a group file can be wrong, with the words for it.

use std::error::Error;
use std::path::{Path, PathBuf};

use kinset::pasta::{Dialect, Ending, GroupFile, GroupsError};
use kinset::remedy::Remedy;
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The message of an error, with the folder left out.
    fn message(&self, error: &GroupsError) -> String {
        error.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }

    fn refusal(&self, path: &Path, dialect: Dialect) -> (String, String) {
        let error = GroupFile::read(path, dialect, Ending::Complete)
            .and_then(GroupFile::require_groups)
            .unwrap_err();
        (self.message(&error), error.remedy().unwrap())
    }
}

/// The message for a file of message ids with this content.
fn refusal(content: impl AsRef<[u8]>) -> (String, String) {
    let folder = Folder::new();
    let path = folder.write("groups", content);
    folder.refusal(&path, Dialect::MessageIds)
}

fn message(content: impl AsRef<[u8]>) -> String {
    refusal(content).0
}

#[test]
fn a_missing_file_is_refused() {
    let folder = Folder::new();
    let (message, remedy) = folder.refusal(&folder.path("groups"), Dialect::MessageIds);
    assert_eq!(message, "no group file at groups, nor a first part at groups.000");
    assert_eq!(
        remedy,
        "check the path; kinset never takes a missing file for an analysis that found no groups"
    );
}

#[test]
fn a_file_in_a_missing_folder_is_missing() {
    let folder = Folder::new();
    let (message, _) = folder.refusal(&folder.path("nowhere/groups"), Dialect::MessageIds);
    assert_eq!(message, "no group file at nowhere/groups, nor a first part at nowhere/groups.000");
}

#[test]
fn a_missing_first_part_is_refused() {
    let folder = Folder::new();
    folder.write("groups.001", "<a@x>\n");
    let (message, remedy) = folder.refusal(&folder.path("groups"), Dialect::MessageIds);
    assert_eq!(message, "a split group file has a gap: expected groups.000, found a later part");
    assert_eq!(remedy, "copy all parts of the analysis, then try again");
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_the_reason() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("groups")).unwrap();
    let error = GroupFile::read(&folder.path("groups"), Dialect::MessageIds, Ending::Complete).unwrap_err();
    assert_eq!(folder.message(&error), "cannot read groups");
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    assert_eq!(source.map(std::io::Error::kind), Some(std::io::ErrorKind::IsADirectory));
    assert_eq!(error.remedy().unwrap(), "check that it is a file, and that this user may read it");
}

#[test]
fn a_file_of_four_gigabytes_is_refused_before_it_is_read() {
    let folder = Folder::new();
    let path = folder.write("groups", "");
    let set_len = |bytes| std::fs::File::create(&path).unwrap().set_len(bytes).unwrap();
    set_len(5 << 30);
    let (message, remedy) = folder.refusal(&path, Dialect::MessageIds);
    assert_eq!(message, "groups holds 5368709120 bytes, expected less than 4294967295");
    assert_eq!(remedy, "split the analysis by list or by project, and give each tracker its own");
    set_len(u64::from(u32::MAX));
    let (message, _) = folder.refusal(&path, Dialect::MessageIds);
    assert_eq!(message, "groups holds 4294967295 bytes, expected less than 4294967295");
}

#[test]
fn parts_of_four_gigabytes_together_are_refused_before_they_are_read() {
    let folder = Folder::new();
    for part in ["groups.000", "groups.001", "groups.002"] {
        std::fs::File::create(folder.path(part)).unwrap().set_len(2_000_000_000).unwrap();
    }
    let (message, _) = folder.refusal(&folder.path("groups"), Dialect::MessageIds);
    assert_eq!(message, "groups holds 6000000000 bytes, expected less than 4294967295");
}

#[test]
fn a_file_without_groups_is_refused_where_groups_are_required() {
    let remedy = "an empty analysis would clear every relation; if that is meant, set `allow_empty = true` under [tracker.guard]";
    for content in ["", "\n", "  \n\n", "=> 0123456789abcdef0123456789abcdef01234567\n"] {
        assert_eq!(
            refusal(content),
            ("groups holds no groups".to_owned(), remedy.to_owned()),
            "{content:?}"
        );
    }
}

#[test]
fn a_file_without_groups_can_be_read_where_none_are_required() {
    let folder = Folder::new();
    let path = folder.write("groups", "");
    let file = GroupFile::read(&path, Dialect::MessageIds, Ending::Complete).unwrap();
    assert!(file.is_empty());
    assert_eq!(file.len(), 0);
}

#[test]
fn a_binary_file_is_refused() {
    let (message, remedy) = refusal(b"<a@x>\n<b@x> \x7fELF\x00");
    assert_eq!(message, "groups:2:7: expected printable text, found the byte 0x7f");
    assert_eq!(remedy, "this is not a patch-groups file; check which file the path names");
    assert_eq!(
        self::message(b"\0\0\0\0"),
        "groups:1:1: expected printable text, found the byte 0x00"
    );
}

#[test]
fn a_binary_byte_is_found_in_every_block_of_the_file() {
    for before in [0, 4095, 4096, 10_000] {
        let mut bytes = vec![b'x'; before];
        bytes.push(0);
        let column = before + 1;
        assert_eq!(
            message(bytes),
            format!("groups:1:{column}: expected printable text, found the byte 0x00")
        );
    }
}

#[test]
fn tabs_are_refused_with_how_to_mend_them() {
    let (message, remedy) = refusal("<a@x>\t<b@x>\n");
    assert_eq!(message, "groups:1:6: expected printable text, found the byte 0x09");
    assert_eq!(remedy, "the file has tabs; separate elements by spaces");
}

#[test]
fn a_byte_order_mark_does_not_become_a_part_of_the_first_element() {
    let (message, remedy) = refusal("\u{feff}<a@x> <b@x>\n");
    assert_eq!(message, "groups:1:1: expected an element, found a byte order mark");
    assert_eq!(remedy, "save the file as UTF-8 without a byte order mark");
}

#[test]
fn carriage_returns_are_refused_with_how_to_mend_them() {
    let (message, remedy) = refusal("<a@x>\r\n<b@x>\r\n");
    assert_eq!(message, "groups:1:6: expected printable text, found the byte 0x0d");
    assert_eq!(remedy, "the file has carriage returns; convert its line ends to single newlines");
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let (message, remedy) = refusal(b"<a@x>\n<b\xe9@x>\n");
    assert_eq!(message, "groups:2:3: expected UTF-8 text, found other bytes");
    assert_eq!(remedy, "this is not a patch-groups file; check which file the path names");
}

#[test]
fn an_element_longer_than_any_message_id_is_refused() {
    let id = |length: usize| format!("<{}@x>\n", "a".repeat(length - 4));
    let (message, remedy) = refusal(format!("<b@x> {}", id(999)));
    assert_eq!(message, "groups:1:7: an element of 999 bytes, expected at most 998");
    assert_eq!(remedy, "a message id has no more than 998 bytes; check which file the path names");
    let folder = Folder::new();
    let path = folder.write("groups", id(998));
    assert_eq!(GroupFile::read(&path, Dialect::MessageIds, Ending::Complete).unwrap().len(), 1);
}

#[test]
fn a_line_of_two_hundred_megabytes_without_a_space_is_refused() {
    let folder = Folder::new();
    let path = folder.write("groups", vec![b'x'; 200_000_000]);
    let error = GroupFile::read(&path, Dialect::Tokens, Ending::Open).unwrap_err();
    assert_eq!(
        folder.message(&error),
        "groups:1:1: an element of 200000000 bytes, expected at most 998"
    );
}

#[test]
fn a_message_id_without_its_end_is_refused_in_every_dialect() {
    let folder = Folder::new();
    for token in ["<b@x", "<"] {
        let path = folder.write("groups", format!("<a@x>\n <a@x> {token} <c@x>\n"));
        for dialect in [Dialect::MessageIds, Dialect::Tokens] {
            let (message, remedy) = folder.refusal(&path, dialect);
            assert_eq!(message, format!("groups:2:8: expected a message id to end in `>`, found {token:?}"));
            assert_eq!(
                remedy,
                "the file was cut off or is still being written; wait for the analysis to finish and try again"
            );
        }
    }
}

#[test]
fn a_file_that_ends_in_the_middle_of_a_line_is_refused() {
    let (message, remedy) = refusal("<a@x>\n<b@x> <c@x>");
    assert_eq!(message, "groups:2:11: the file ends in the middle of a line");
    assert_eq!(
        remedy,
        "the file was cut off or is still being written; wait for the analysis to finish and try again"
    );
}

#[test]
fn a_missing_last_newline_is_accepted_where_nothing_will_be_written() {
    let folder = Folder::new();
    let path = folder.write("groups", "a b\nc");
    assert_eq!(GroupFile::read(&path, Dialect::Tokens, Ending::Open).unwrap().len(), 3);
}

#[test]
fn a_part_that_ends_in_the_middle_of_a_line_is_never_joined_to_the_next() {
    let folder = Folder::new();
    folder.write("groups.000", "<a@x>\n<b@x");
    folder.write("groups.001", ">\n");
    folder.write("groups.002", "");
    for ending in [Ending::Complete, Ending::Open] {
        let error = GroupFile::read(&folder.path("groups"), Dialect::MessageIds, ending).unwrap_err();
        assert_eq!(folder.message(&error), "groups.000:2:4: the file ends in the middle of a line");
    }
}

#[test]
fn an_error_in_a_split_file_names_the_part() {
    let folder = Folder::new();
    folder.write("groups.000", "<a@x>\n<b@x>\n");
    folder.write("groups.001", "<c@x>\nd\n");
    let (message, _) = folder.refusal(&folder.path("groups"), Dialect::MessageIds);
    assert_eq!(message, "groups.001:2:1: expected a message id in angle brackets, found \"d\"");
}

#[test]
fn what_is_no_message_id_is_refused_where_only_those_are_expected() {
    let (message, remedy) = refusal("<a@x> 4711\n");
    assert_eq!(message, "groups:1:7: expected a message id in angle brackets, found \"4711\"");
    assert_eq!(
        remedy,
        "if the file lists Patchwork's numbers, set `format = \"ids\"` under [tracker.desired]"
    );
    assert_eq!(
        self::message("<>\n"),
        "groups:1:1: expected a message id in angle brackets, found \"<>\""
    );
}

#[test]
fn what_is_no_patch_id_is_refused_where_only_those_are_expected() {
    let folder = Folder::new();
    for token in ["<a@x>", "12a", "-1", "0", "007", "1234567890123456789"] {
        let path = folder.write("groups", format!("1 999999999999999999\n{token}\n"));
        let (message, remedy) = folder.refusal(&path, Dialect::PatchIds);
        assert_eq!(message, format!("groups:2:1: expected a Patchwork patch id, found {token:?}"));
        assert_eq!(
            remedy,
            "if the file lists message ids, set `format = \"pasta\"` under [tracker.desired]"
        );
    }
}

#[test]
fn a_message_shows_only_the_beginning_of_a_long_element() {
    let shown = "é".repeat(80);
    let whole = "é".repeat(300);
    assert_eq!(
        message(format!("{whole}\n")),
        format!("groups:1:1: expected a message id in angle brackets, found {shown:?}")
    );
}

//! Mails as an mbox.

use std::fs;
use std::path::Path;

use kinset::pasta::{MboxError, append_mails, write_mail};
use kinset::remedy::Remedy;
use proptest::prelude::*;

const MAIL: &str = "From: Ann <ann@example.org>\nMessage-ID: <a@x>\nSubject: [PATCH] a\n\nwords\n---\n+code\n";

fn written(mail: &str) -> String {
    let mut out = Vec::new();
    write_mail(&mut out, mail.as_bytes()).unwrap();
    String::from_utf8(out).unwrap()
}

/// The mails in an mbox, without the lines that mbox adds, as readers find them: at each line that begins with `From `.
fn mails(mbox: &[u8]) -> Vec<Vec<u8>> {
    let mut mails: Vec<Vec<u8>> = Vec::new();
    for line in mbox.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(b"From ") {
            let ended = mails.last().is_none_or(|mail| mail.ends_with(b"\n\n"));
            assert!(ended, "no blank line before {}", String::from_utf8_lossy(line));
            mails.push(Vec::new());
            continue;
        }
        let quotes = line.iter().take_while(|&&byte| byte == b'>').count();
        let is_quoted = quotes > 0 && line[quotes..].starts_with(b"From ");
        mails.last_mut().unwrap().extend(&line[usize::from(is_quoted)..]);
    }
    for mail in &mut mails {
        assert_eq!(mail.pop(), Some(b'\n'), "the blank line at the end");
    }
    mails
}

#[test]
fn a_mail_gets_a_first_line_and_a_blank_last_one() {
    assert_eq!(written(MAIL), format!("From kinset Thu Jan  1 00:00:00 1970\n{MAIL}\n"));
}

#[test]
fn a_mail_that_brings_its_first_line_keeps_it() {
    let served = format!("From patchwork Thu Jan  1 00:01:00 2015\n{MAIL}");
    assert_eq!(written(&served), format!("{served}\n"));
}

#[test]
fn lines_that_look_like_the_beginning_of_a_mail_are_quoted() {
    let mail = "Subject: a\n\nFrom here on\n>From there\n>>From\n> From\nfrom Ann\nFrom\nFrom: Bob\n";
    let quoted = "Subject: a\n\n>From here on\n>>From there\n>>From\n> From\nfrom Ann\nFrom\nFrom: Bob\n";
    assert_eq!(written(mail), format!("From kinset Thu Jan  1 00:00:00 1970\n{quoted}\n"));
}

#[test]
fn a_mail_without_a_last_newline_gets_one() {
    assert_eq!(written(MAIL.trim_end()), written(MAIL));
}

#[test]
fn line_ends_become_single_newlines_where_the_headers_have_others() {
    assert_eq!(written(&MAIL.replace('\n', "\r\n")), written(MAIL));
}

#[test]
fn carriage_returns_in_a_patch_are_a_part_of_it() {
    let mail = MAIL.replace("+code\n", "+code\r\n");
    assert!(written(&mail).contains("+code\r\n"));
}

#[test]
fn the_length_of_another_body_is_left_out() {
    let mail = "Content-Length: 7\nSubject: a\ncontent-length :\n\t 8\n 9\nX-Content-Length: 10\n more\n\nContent-Length: 11\n";
    assert_eq!(
        written(mail),
        "From kinset Thu Jan  1 00:00:00 1970\nSubject: a\nX-Content-Length: 10\n more\n\nContent-Length: 11\n\n"
    );
}

#[test]
fn mails_are_added_to_those_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.mbox");
    append_mails(&path, [MAIL, "Subject: b\n\nb"]).unwrap();
    append_mails(&path, ["Subject: c\n\nc\n"]).unwrap();
    let expected: [&[u8]; 3] = [MAIL.as_bytes(), b"Subject: b\n\nb\n", b"Subject: c\n\nc\n"];
    assert_eq!(mails(&fs::read(&path).unwrap()), expected);
}

#[test]
fn a_mail_that_somebody_else_left_unfinished_is_ended_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.mbox");
    for left in [
        "From x\nSubject: a\n\na",
        "From x\nSubject: a\n\na\n",
        "From x\nSubject: a\n\na\n\n",
    ] {
        fs::write(&path, left).unwrap();
        append_mails(&path, [MAIL]).unwrap();
        assert_eq!(
            mails(&fs::read(&path).unwrap()),
            [b"Subject: a\n\na\n", MAIL.as_bytes()],
            "{left:?}"
        );
    }
}

#[test]
fn without_mails_nothing_happens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.mbox");
    append_mails::<&[u8]>(&path, []).unwrap();
    assert!(!path.exists());
}

fn refusal(path: &Path) -> (String, String) {
    let error: MboxError = append_mails(path, [MAIL]).unwrap_err();
    (error.to_string(), error.remedy().unwrap())
}

#[test]
fn a_file_that_is_no_mbox_is_not_added_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("patch-groups");
    for content in ["<a@x> <b@x>\n", "F", "\n"] {
        fs::write(&path, content).unwrap();
        assert_eq!(
            refusal(&path),
            (
                format!("{} is no mbox: it does not begin with `From `", path.display()),
                "name another file, or move this one away".to_owned()
            )
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn an_mbox_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nowhere/new.mbox");
    assert_eq!(
        refusal(&path),
        (
            format!("cannot write {}", path.display()),
            "check that this user may write there, and that its disk has room".to_owned()
        )
    );
}

#[test]
fn an_mbox_that_cannot_be_made_good_again_is_told_with_its_good_length() {
    // Nothing can be written to this device, and it cannot be cut.
    assert_eq!(
        refusal(Path::new("/dev/full")),
        (
            "cannot write /dev/full, which now ends in the middle of a mail".to_owned(),
            "make room on its disk, then cut it with `truncate -s 0 /dev/full`".to_owned()
        )
    );
}

fn some_mails() -> impl Strategy<Value = Vec<String>> {
    let line = prop::sample::select(vec![
        "From ", "From a", ">From ", ">>From b", "", "> From", "From", "+code\r", "x", "É",
    ]);
    let body = prop::collection::vec(line, 0..8).prop_map(|lines| lines.join("\n"));
    prop::collection::vec(body.prop_map(|body| format!("Message-ID: <a@x>\n\n{body}\n")), 0..5)
}

proptest! {
    #[test]
    fn readers_find_each_mail_as_it_was(mails_written in some_mails(), together in 0..5_usize) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.mbox");
        let (first, then) = mails_written.split_at(together.min(mails_written.len()));
        append_mails(&path, first).unwrap();
        append_mails(&path, then).unwrap();
        let found = fs::read(&path).map_or_else(|_| Vec::new(), |mbox| mails(&mbox));
        let expected: Vec<Vec<u8>> = mails_written.into_iter().map(String::into_bytes).collect();
        prop_assert_eq!(found, expected);
    }
}

//! The feedback folder.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use kinset::pasta::{DOCUMENT_FILE, Feedback, FeedbackError, JOINED_FILE, PARTED_FILE, Pair, Written, write_feedback};
use kinset::remedy::Remedy;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{id, pairs, pasta_reads_false_positives, pasta_reads_groups};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn with(self, name: &str, content: &str) -> Self {
        fs::write(self.file(name), content).unwrap();
        self
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    /// The names of all files, hidden ones included.
    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn tell(&self, feedback: &Feedback<Value>) -> Written {
        write_feedback(self.path(), feedback).unwrap()
    }

    /// The names of the files that this feedback changes.
    fn changed_by(&self, feedback: &Feedback<Value>) -> Vec<String> {
        let name = |path: PathBuf| path.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned();
        self.tell(feedback).changed.into_iter().map(name).collect()
    }
}

fn feedback<const P: usize, const J: usize>(parted: [&str; P], joined: [&[&str]; J]) -> Feedback<Value> {
    Feedback {
        parted: pairs(parted),
        taken_back: BTreeSet::new(),
        joined: joined.iter().map(|class| class.iter().map(|name| id(name)).collect()).collect(),
        document: json!({"parted": parted.as_slice(), "joined": joined.len()}),
    }
}

fn take_back<const N: usize>(taken_back: [&str; N]) -> Feedback<Value> {
    Feedback {
        taken_back: pairs(taken_back),
        ..feedback([], [])
    }
}

#[test]
fn feedback_is_three_files_in_a_folder_that_is_made() {
    let folder = Folder::new();
    let inner = folder.file("not/yet/there");
    let written = write_feedback(&inner, &feedback(["a b", "c d"], [&["f", "e"]])).unwrap();
    assert_eq!(
        written,
        Written {
            changed: [PARTED_FILE, JOINED_FILE, DOCUMENT_FILE].map(|name| inner.join(name)).into(),
            added: pairs(["a b", "c d"]),
            removed: BTreeSet::new(),
        }
    );
    let read = |name| fs::read_to_string(inner.join(name)).unwrap();
    assert_eq!(read(PARTED_FILE), "<a@x> <b@x>\n<b@x> <a@x>\n<c@x> <d@x>\n<d@x> <c@x>\n");
    assert_eq!(read(JOINED_FILE), "<e@x> <f@x>\n");
    assert_eq!(
        read(DOCUMENT_FILE),
        "{\n  \"joined\": 1,\n  \"parted\": [\n    \"a b\",\n    \"c d\"\n  ]\n}\n"
    );
}

#[test]
fn pasta_reads_all_that_it_is_told() {
    let folder = Folder::new().with(PARTED_FILE, "<m@x> <n@x>\n<m@x> <o@x>\n");
    folder.tell(&feedback(["a b", "a c"], [&["f", "e"], &["e", "g"], &["h", "i"]]));
    let parted = pasta_reads_false_positives(&folder.read(PARTED_FILE));
    let expected = [
        ("<a@x>", &["<b@x>", "<c@x>"][..]),
        ("<b@x>", &["<a@x>"]),
        ("<c@x>", &["<a@x>"]),
        ("<m@x>", &["<n@x>", "<o@x>"]),
    ];
    assert_eq!(
        parted,
        expected
            .map(|(origin, elements)| (origin.to_owned(), elements.iter().map(|&element| element.to_owned()).collect()))
            .into()
    );
    let joined = pasta_reads_groups(&folder.read(JOINED_FILE));
    assert_eq!(
        joined,
        [
            ["<e@x>", "<f@x>", "<g@x>"].map(str::to_owned).into(),
            ["<h@x>", "<i@x>"].map(str::to_owned).into()
        ]
        .into()
    );
}

#[test]
fn what_says_the_same_already_is_left_alone() {
    let folder = Folder::new();
    let told = feedback(["a b"], [&["c", "d"]]);
    folder.tell(&told);
    let files = [PARTED_FILE, JOINED_FILE, DOCUMENT_FILE];
    let state = || files.map(|name| fs::metadata(folder.file(name)).map(|data| (data.ino(), data.mtime_nsec())).unwrap());
    let before = state();
    assert_eq!(folder.tell(&told), Written::default());
    assert_eq!(state(), before);
    assert_eq!(folder.changed_by(&feedback(["a b"], [&["c", "e"]])), [JOINED_FILE]);
}

#[test]
fn false_positives_of_pasta_go_through_unchanged_where_nothing_is_new() {
    let file = "<b@x> <a@x>\n<a@x>  <c@x>\r\n<a@x> <d@x>\n";
    let folder = Folder::new().with(PARTED_FILE, file).with("mbox-upstream", "<a@x> 0123\n");
    assert_eq!(folder.changed_by(&feedback([], [])), [""; 0]);
    assert_eq!(folder.changed_by(&feedback(["a b", "a d"], [])), [DOCUMENT_FILE]);
    assert_eq!(folder.read(PARTED_FILE), file);
    assert_eq!(folder.read("mbox-upstream"), "<a@x> 0123\n");
}

#[test]
fn only_what_was_not_there_before_is_ours_to_take_back() {
    let folder = Folder::new().with(PARTED_FILE, "<b@x> <a@x>\n");
    let written = folder.tell(&feedback(["a b", "a c"], []));
    assert_eq!(written.added, pairs(["a c"]));
    let taken_back = Feedback {
        taken_back: written.added,
        ..feedback([], [])
    };
    assert_eq!(folder.tell(&taken_back).removed, pairs(["a c"]));
    assert_eq!(folder.read(PARTED_FILE), "<b@x> <a@x>\n");
}

#[test]
fn what_says_nothing_is_not_made_but_what_is_there_is_emptied() {
    let folder = Folder::new();
    let inner = folder.file("not-yet");
    assert_eq!(write_feedback(&inner, &take_back(["a b"])).unwrap(), Written::default());
    assert!(!inner.exists());
    assert_eq!(folder.changed_by(&feedback([], [&["a", "b"]])), [JOINED_FILE, DOCUMENT_FILE]);
    assert_eq!(folder.changed_by(&feedback(["a b"], [])), [PARTED_FILE, JOINED_FILE, DOCUMENT_FILE]);
    assert_eq!(folder.read(JOINED_FILE), "");
    assert_eq!(folder.changed_by(&take_back(["a b"])), [PARTED_FILE, DOCUMENT_FILE]);
    assert_eq!(folder.read(PARTED_FILE), "");
    assert_eq!(folder.read(DOCUMENT_FILE), "{\n  \"joined\": 0,\n  \"parted\": []\n}\n");
}

#[test]
fn the_groups_that_pasta_found_are_never_overwritten() {
    let folder = Folder::new().with("patch-groups", "<a@x> <b@x>\n");
    folder.tell(&feedback(["a b"], [&["c", "d"]]));
    assert_eq!(folder.read("patch-groups"), "<a@x> <b@x>\n");
}

#[test]
fn files_keep_their_modes_and_links_their_ends() {
    let folder = Folder::new().with("elsewhere", "<a@x> <b@x>\n");
    fs::set_permissions(folder.file("elsewhere"), Permissions::from_mode(0o660)).unwrap();
    symlink("elsewhere", folder.file(PARTED_FILE)).unwrap();
    folder.tell(&feedback(["c d"], []));
    assert_eq!(folder.read("elsewhere"), "<a@x> <b@x>\n<c@x> <d@x>\n<d@x> <c@x>\n");
    assert!(fs::symlink_metadata(folder.file(PARTED_FILE)).unwrap().is_symlink());
    assert_eq!(fs::metadata(folder.file("elsewhere")).unwrap().mode() & 0o777, 0o660);
    // A new one may be read by whoever may read a file that anybody else makes here.
    let usual = Folder::new().with("usual", "");
    let mode = |path: PathBuf| fs::metadata(path).unwrap().mode();
    assert_eq!(mode(folder.file(DOCUMENT_FILE)), mode(usual.file("usual")));
}

#[test]
fn nothing_is_written_where_the_false_positives_are_none() {
    let folder = Folder::new().with(PARTED_FILE, "<a@x> <b@x>\n<c@x> d\n");
    let error = write_feedback(folder.path(), &feedback(["e f"], [&["c", "d"]])).unwrap_err();
    assert_eq!(error.to_string(), "the false positives cannot be added to");
    let FeedbackError::FalsePositives(source) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        source.to_string(),
        format!(
            "{}:2:7: expected a message id in angle brackets, found \"d\"",
            folder.file(PARTED_FILE).display()
        )
    );
    assert!(error.remedy().unwrap().contains("`feedback` in the configuration"));
    assert_eq!(folder.names(), [PARTED_FILE.to_owned()].into());
    assert_eq!(folder.read(PARTED_FILE), "<a@x> <b@x>\n<c@x> d\n");
}

#[test]
fn a_folder_in_the_place_of_a_file_is_told_and_nothing_is_left_lying_about() {
    let folder = Folder::new();
    fs::create_dir(folder.file(JOINED_FILE)).unwrap();
    let error = write_feedback(folder.path(), &feedback(["a b"], [&["c", "d"]])).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot write {}", folder.file(JOINED_FILE).display()));
    assert_eq!(folder.names(), [PARTED_FILE, JOINED_FILE].map(str::to_owned).into());

    let folder = Folder::new();
    fs::create_dir(folder.file(PARTED_FILE)).unwrap();
    let error = write_feedback(folder.path(), &feedback(["a b"], [])).unwrap_err();
    assert!(error.remedy().unwrap().contains("check that it is a file"), "{error:?}");
}

#[test]
fn a_file_in_the_place_of_the_folder_is_told() {
    let folder = Folder::new().with("feedback", "");
    let path = folder.file("feedback");
    let error = write_feedback(&path, &feedback([], [&["a", "b"]])).unwrap_err();
    assert!(error.remedy().is_some());
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn ten_thousand_pairs_are_merged() {
    let folder = Folder::new();
    let parted: BTreeSet<Pair> = (0..10_000)
        .filter_map(|number| Pair::new(id(&format!("{}", number % 100)), id(&format!("{number}"))))
        .collect();
    let told = Feedback {
        parted: parted.clone(),
        ..feedback([], [])
    };
    assert_eq!(folder.tell(&told).added, parted);
    let origins = 10_000;
    let elements = 2 * parted.len();
    assert_eq!(folder.read(PARTED_FILE).split_whitespace().count(), origins + elements);
}

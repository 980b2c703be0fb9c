//! The upstream commits of classes, against a reader that is as simple as can be.

use std::collections::BTreeSet;
use std::path::Path;

use kinset::pasta::{Dialect, Ending, GroupFile, with_single_file};
use proptest::prelude::*;

use super::super::support::data::shared_path;

type Class = (BTreeSet<String>, BTreeSet<String>);

fn file(text: &str) -> GroupFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("groups");
    std::fs::write(&path, text).unwrap();
    read(&path)
}

fn read(path: &Path) -> GroupFile {
    GroupFile::read(path, Dialect::Tokens, Ending::Open).unwrap()
}

/// The classes of a file with elements and commits, as kinset reads them.
fn upstream(file: &GroupFile) -> BTreeSet<Class> {
    let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    file.upstream()
        .iter()
        .map(|class| (owned(&class.elements), owned(&class.commits)))
        .collect()
}

fn words<const N: usize, const M: usize>(elements: [&str; N], commits: [&str; M]) -> Class {
    (elements.map(str::to_owned).into(), commits.map(str::to_owned).into())
}

/// The same by joining lines with everything they touch, one after the other, as PaStA does.
fn naive(text: &str) -> BTreeSet<Class> {
    let mut classes: Vec<Class> = Vec::new();
    for line in text.lines() {
        let mut class = Class::default();
        let mut into = &mut class.0;
        for word in line.split(' ').filter(|word| !word.is_empty()) {
            if word == "=>" {
                into = &mut class.1;
            } else {
                into.insert(word.to_owned());
            }
        }
        let (touched, apart): (Vec<Class>, Vec<Class>) = classes
            .into_iter()
            .partition(|other| !other.0.is_disjoint(&class.0) || !other.1.is_disjoint(&class.1));
        classes = apart;
        for (elements, commits) in touched {
            class.0.extend(elements);
            class.1.extend(commits);
        }
        classes.push(class);
    }
    classes.retain(|(elements, commits)| !elements.is_empty() && !commits.is_empty());
    classes.into_iter().collect()
}

#[test]
fn a_class_has_the_commits_of_all_lines_that_it_was_joined_from() {
    let text = "<a@x> <b@x> => c2 c1\n<c@x> <b@x> => c3\n<d@x> <e@x>\n";
    assert_eq!(
        upstream(&file(text)),
        [words(["<a@x>", "<b@x>", "<c@x>"], ["c1", "c2", "c3"])].into()
    );
}

#[test]
fn an_element_on_its_own_has_its_commits_too() {
    assert_eq!(
        upstream(&file("<a@x> => c1\n<b@x>\n<a@x> => c2\n")),
        [words(["<a@x>"], ["c1", "c2"])].into()
    );
}

#[test]
fn commits_without_elements_belong_to_nobody_but_join() {
    assert!(upstream(&file("=> c1 c2\n")).is_empty());
    assert_eq!(upstream(&file("=> c1 c2\n<a@x> => c1\n")), [words(["<a@x>"], ["c1", "c2"])].into());
}

#[test]
fn real_files_have_the_commits_that_a_naive_reader_finds() {
    let Some(folder) = shared_path("pasta/data") else { return };
    let path = folder.join("flac-new.patch-groups");
    let found = upstream(&read(&path));
    assert!(found.len() > 100, "{}", found.len());
    assert_eq!(found, naive(&std::fs::read_to_string(&path).unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn classes_have_the_commits_that_a_naive_reader_finds(
        lines in prop::collection::vec((prop::collection::vec(0..9_u8, 0..3), prop::collection::vec(0..9_u8, 0..3)), 0..8),
    ) {
        let line = |(elements, commits): &(Vec<u8>, Vec<u8>)| {
            let elements: String = elements.iter().map(|element| format!("e{element} ")).collect();
            let commits: String = commits.iter().map(|commit| format!(" c{commit}")).collect();
            format!("{elements}=>{commits}\n")
        };
        let text: String = lines.iter().map(line).collect();
        let file = file(&text);
        prop_assert_eq!(upstream(&file), naive(&text));
        with_single_file(&file, |universe, partition, elements| {
            for class in file.upstream() {
                let of = |token: &str| elements.iter().copied().find(|&element| universe.token(element) == token).unwrap();
                let first = of(class.elements[0]);
                let members: BTreeSet<&str> = partition.companions(first).map(|element| universe.token(element)).collect();
                assert_eq!(members, class.elements.iter().copied().collect());
            }
        });
    }
}

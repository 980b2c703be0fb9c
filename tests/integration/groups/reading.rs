//! What is read from group files, against a reader that is as simple as can be.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use kinset::model::relations::{Element, Partition, Universe};
use kinset::pasta::generate::{Commits, Generated, Shape, generate};
use kinset::pasta::{Dialect, Ending, GroupFile, TokenUniverse, compare_files, with_single_file};
use proptest::prelude::*;

type Groups = BTreeSet<BTreeSet<String>>;

/// Groups by the rules as they are written down: what stands on one line hangs together, elements and commits alike.
struct Naive {
    parent: HashMap<String, String>,
    elements: BTreeSet<String>,
}

impl Naive {
    fn read(text: &str) -> Self {
        let mut naive = Self {
            parent: HashMap::new(),
            elements: BTreeSet::new(),
        };
        for line in text.lines() {
            let mut kind = "element";
            let mut first: Option<String> = None;
            for word in line.split(' ').filter(|word| !word.is_empty()) {
                if word == "=>" {
                    kind = "commit";
                    continue;
                }
                if kind == "element" {
                    naive.elements.insert(word.to_owned());
                }
                let key = format!("{kind} {word}");
                match &first {
                    None => first = Some(key),
                    Some(first) => naive.join(first, &key),
                }
            }
        }
        naive
    }

    fn root(&self, key: &str) -> String {
        let mut key = key;
        while let Some(parent) = self.parent.get(key) {
            key = parent;
        }
        key.to_owned()
    }

    fn join(&mut self, left: &str, right: &str) {
        let (left, right) = (self.root(left), self.root(right));
        if left != right {
            self.parent.insert(right, left);
        }
    }

    fn groups(&self) -> Groups {
        let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for element in &self.elements {
            groups
                .entry(self.root(&format!("element {element}")))
                .or_default()
                .insert(element.clone());
        }
        groups.into_values().filter(|group| group.len() >= 2).collect()
    }
}

fn file(text: &str) -> GroupFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("groups");
    std::fs::write(&path, text).unwrap();
    read(&path)
}

fn read(path: &Path) -> GroupFile {
    GroupFile::read(path, Dialect::Tokens, Ending::Open).unwrap()
}

fn groups(universe: &TokenUniverse<'_>, partition: &Partition) -> Groups {
    let tokens = |class| {
        partition
            .members(class)
            .iter()
            .map(|&member| universe.token(member).to_owned())
            .collect()
    };
    partition.classes().map(tokens).collect()
}

fn groups_of(text: &str) -> Groups {
    with_single_file(&file(text), |universe, partition, _| groups(universe, partition))
}

fn expected<const N: usize>(groups: [&[&str]; N]) -> Groups {
    groups
        .iter()
        .map(|group| group.iter().map(|&token| token.to_owned()).collect())
        .collect()
}

/// The elements that either partition relates, by their tokens. Each token is one element, whichever file it was read from.
fn elements(universe: &TokenUniverse<'_>, partitions: [&Partition; 2]) -> BTreeMap<String, Element> {
    let mut elements = BTreeMap::new();
    for partition in partitions {
        for &element in partition.classes().flat_map(|class| partition.members(class)) {
            let known = elements.insert(universe.token(element).to_owned(), element);
            assert!(
                known.is_none_or(|known| known == element),
                "{} is two elements",
                universe.token(element)
            );
        }
    }
    elements
}

fn compare_with_naive(current: &str, desired: &str) {
    let (current_file, desired_file) = (file(current), file(desired));
    let (universe, current_partition, desired_partition) = compare_files(&current_file, &desired_file);
    let (current, desired) = (Naive::read(current), Naive::read(desired));
    assert_eq!(groups(&universe, &current_partition), current.groups());
    assert_eq!(groups(&universe, &desired_partition), desired.groups());
    let elements = elements(&universe, [&current_partition, &desired_partition]);
    for (token, &element) in &elements {
        assert_eq!(universe.is_named(element), desired.elements.contains(token), "{token}");
    }
    for ((left_token, &left), (right_token, &right)) in elements.iter().zip(elements.iter().skip(1)) {
        assert_eq!(universe.compare(left, right), Ordering::Less, "{left_token} and {right_token}");
        assert!(universe.rank(left) <= universe.rank(right), "{left_token} and {right_token}");
    }
    with_single_file(&current_file, |universe, partition, distinct| {
        assert_eq!(groups(universe, partition), current.groups());
        let tokens: BTreeSet<String> = distinct.iter().map(|&element| universe.token(element).to_owned()).collect();
        assert_eq!((distinct.len(), &tokens), (current.elements.len(), &current.elements));
    });
}

#[test]
fn lines_that_share_an_element_are_one_group() {
    let text = "<a@x> <b@x>\n<c@x> <d@x>\n<e@x> <f@x>\n<d@x> <a@x>\n";
    assert_eq!(
        groups_of(text),
        expected([&["<a@x>", "<b@x>", "<c@x>", "<d@x>"], &["<e@x>", "<f@x>"]])
    );
}

#[test]
fn lines_that_share_a_commit_are_one_group() {
    let text = "<a@x> => c1 c2\n<b@x> => c3\n<c@x> => c2 c4\n=> c4 c3\n";
    assert_eq!(groups_of(text), expected([&["<a@x>", "<b@x>", "<c@x>"]]));
}

#[test]
fn commits_are_no_members_of_a_group() {
    assert_eq!(groups_of("<a@x> => c1 c2 c3\n=> c4 c5\n"), expected([]));
    assert_eq!(groups_of("<a@x> <b@x> => c1\n"), expected([&["<a@x>", "<b@x>"]]));
}

#[test]
fn a_second_arrow_on_a_line_is_no_commit_that_lines_could_share() {
    assert_eq!(groups_of("<a@x> => c1 => c2\n<b@x> => c3 =>\n"), expected([]));
}

#[test]
fn only_an_arrow_on_its_own_separates() {
    let text = "<a=>@x> <b=> =>@x =>c1\n";
    assert_eq!(groups_of(text), expected([&["<a=>@x>", "<b=>", "=>@x", "=>c1"]]));
}

#[test]
fn ids_may_contain_almost_any_printable_character() {
    let ids = [
        "<0123$4567$89ab$%dunja@x>",
        "<CA+O=c/Mo_Z==@mail.example>",
        "<a!#&'*?^`{|}~;,:\"@x>",
        "<größe-π@x>",
    ];
    let (universe_file, nothing) = (file(&format!("{}\n", ids.join(" "))), file(""));
    let (universe, current, _) = compare_files(&universe_file, &nothing);
    let tokens: Vec<&str> = current
        .members(current.classes().next().unwrap())
        .iter()
        .map(|&member| universe.token(member))
        .collect();
    assert_eq!(tokens, ids);
}

#[test]
fn an_id_that_stands_twice_on_its_line_is_still_one() {
    assert_eq!(groups_of("<a@x> <a@x>\n<b@x> <c@x> <b@x>\n"), expected([&["<b@x>", "<c@x>"]]));
}

#[test]
fn spaces_and_blank_lines_mean_nothing() {
    assert_eq!(
        groups_of("\n  a   b \n \n\nc  =>   h  \n d => h"),
        expected([&["a", "b"], &["c", "d"]])
    );
}

#[test]
fn parts_are_read_in_order_as_one_file_while_the_whole_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("patch-groups");
    for (part, text) in [
        ("000", "a b => h1\n"),
        ("001", ""),
        ("002", "c b\nd => h1\n"),
        ("1000", "never reached\n"),
    ] {
        std::fs::write(folder.path().join(format!("patch-groups.{part}")), text).unwrap();
    }
    assert!(
        GroupFile::read(&path, Dialect::Tokens, Ending::Complete).is_err(),
        "part 3 is missing"
    );
    std::fs::remove_file(folder.path().join("patch-groups.1000")).unwrap();
    let from_parts = with_single_file(&read(&path), |universe, partition, _| groups(universe, partition));
    assert_eq!(from_parts, expected([&["a", "b", "c", "d"]]));
    std::fs::write(&path, "e f\n").unwrap();
    let whole = with_single_file(&read(&path), |universe, partition, _| groups(universe, partition));
    assert_eq!(whole, expected([&["e", "f"]]));
}

#[test]
fn a_line_of_two_hundred_megabytes_of_ids_is_read() {
    const IDS: usize = 200_000_000 / 50;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("groups");
    let mut text = String::with_capacity(IDS * 50);
    for id in 0..IDS {
        write!(text, "<{id:029}@lists.example.org>").unwrap();
        text.push(if id + 1 == IDS { '\n' } else { ' ' });
    }
    assert_eq!(text.len(), 200_000_000);
    std::fs::write(&path, text).unwrap();
    let file = GroupFile::read(&path, Dialect::MessageIds, Ending::Complete).unwrap();
    assert_eq!(file.len(), IDS);
}

/// Files so large that they are matched in several buckets, by two threads.
#[test]
fn large_files_are_read_as_small_ones_are() {
    let Generated { old, new } = generate(Shape {
        ids: 40_000,
        seed: 3,
        commits: Commits::Named,
    });
    compare_with_naive(&old, &new);
    let mut shuffled: Vec<&str> = new.lines().collect();
    let middle = shuffled.len() / 3;
    shuffled.rotate_left(middle);
    // Lines that are repeated say nothing new.
    let repeated = [&shuffled[..], &shuffled[..middle]].concat().join("\n");
    compare_with_naive(&repeated, &old);
}

#[test]
fn large_files_with_elements_on_many_lines_are_read_as_small_ones_are() {
    let lines = |factor: usize| -> String {
        let line = |number: usize| format!("t{} t{}\n", number * factor % 9973, number * factor % 10_007);
        (0..30_000).filter(|number| number % 7 < 2).map(line).collect()
    };
    compare_with_naive(&lines(31), &lines(1009));
}

/// Words that repeat, that begin with each other, that look like separators, or that are longer than the eight bytes of a rank.
const WORDS: [&str; 17] = [
    "a",
    "ab",
    "abc",
    "abcdefgh",
    "abcdefghi",
    "abcdefghijklmnop",
    "abcdefghijklmnopq",
    "abd",
    "b",
    "1",
    "12",
    "<a@x>",
    "<ab@x>",
    "=>",
    "==>",
    "=",
    "é",
];

fn texts() -> impl Strategy<Value = String> {
    let word = (prop::sample::select(vec![" ", " ", " ", "  "]), prop::sample::select(&WORDS[..]));
    let words = |most| prop::collection::vec(word.clone().prop_map(|(gap, word)| format!("{gap}{word}")), 0..most);
    let line = (words(4), prop::option::weighted(0.3, words(3))).prop_map(|(elements, commits)| match commits {
        Some(commits) => format!("{} =>{}", elements.concat(), commits.concat()),
        None => elements.concat(),
    });
    let end = prop::sample::select(vec!["", "\n"]);
    (prop::collection::vec(line, 0..10), end).prop_map(|(lines, end)| lines.join("\n") + end)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn two_files_are_read_as_a_naive_reader_reads_them(current in texts(), desired in texts()) {
        compare_with_naive(&current, &desired);
    }

    #[test]
    fn files_of_which_all_elements_begin_alike_are_read_as_a_naive_reader_reads_them(current in texts(), desired in texts()) {
        let prefixed = |text: &str| -> String {
            let prefix = |word: &str| if word.is_empty() || word == "=>" { word.to_owned() } else { format!("list-{word}") };
            text.lines().map(|line| line.split(' ').map(prefix).collect::<Vec<_>>().join(" ") + "\n").collect()
        };
        compare_with_naive(&prefixed(&current), &prefixed(&desired));
    }
}

//! Merging pairs into PaStA's file of false positives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kinset::pasta::{FalsePositives, FalsePositivesError, MergedPairs, Pair};
use kinset::remedy::Remedy;
use proptest::prelude::*;

use super::{id, pairs, pasta_reads_false_positives};

fn parse(text: &str) -> FalsePositives {
    FalsePositives::parse(text.into(), Path::new("fp/mbox-patch-stack")).unwrap()
}

fn merge(text: &str, wanted: &BTreeSet<Pair>, take_back: &BTreeSet<Pair>) -> MergedPairs {
    parse(text).merge(wanted, take_back)
}

fn add<const N: usize>(text: &str, wanted: [&str; N]) -> String {
    merge(text, &pairs(wanted), &BTreeSet::new()).text
}

fn take_back<const N: usize>(text: &str, taken_back: [&str; N]) -> MergedPairs {
    merge(text, &BTreeSet::new(), &pairs(taken_back))
}

#[test]
fn a_file_in_which_nothing_is_new_stays_as_it_is_to_the_byte() {
    let files = [
        "",
        "<a@x> <b@x> <c@x>\n<d@x> <e@x>\n",
        // In no order, with an origin twice.
        "<d@x> <e@x>\n<a@x> <c@x> <b@x>\n<d@x> <f@x>\n",
        "<a@x> <b@x>\r\n<c@x> <d@x>\r\n",
        "\n <a@x>  <b@x> <b@x> \n\n<c@x>\n<c@x> \n",
        "<0$a%b+c=d/e@x> <größe-π@x> <=>@x>\n",
    ];
    for file in files {
        let merged = merge(file, &BTreeSet::new(), &BTreeSet::new());
        assert_eq!((merged.text.as_str(), merged.added.len(), merged.removed.len()), (file, 0, 0));
    }
    let odd = "<d@x>  <e@x>\r\n<a@x> <c@x> <b@x>";
    let odd = format!("{odd}\n");
    assert_eq!(add(&odd, ["a b", "d e"]), odd);
}

#[test]
fn a_pair_that_is_there_in_either_direction_is_not_added_again() {
    for file in ["<a@x> <b@x>\n", "<b@x> <a@x>\n"] {
        let merged = merge(file, &pairs(["a b"]), &BTreeSet::new());
        assert_eq!((merged.text.as_str(), merged.added.len()), (file, 0));
    }
}

#[test]
fn new_pairs_make_lines_in_the_order_of_their_origins() {
    assert_eq!(add("", ["c d", "a b"]), "<a@x> <b@x>\n<b@x> <a@x>\n<c@x> <d@x>\n<d@x> <c@x>\n");
    assert_eq!(
        add("<x@x> <y@x>\n<k@x> <m@x> <l@x>\n", ["n o"]),
        "<k@x> <l@x> <m@x>\n<n@x> <o@x>\n<o@x> <n@x>\n<x@x> <y@x>\n"
    );
}

/// PaStA refuses a pair in the direction only that it finds in the file.
#[test]
fn a_new_pair_is_put_in_with_each_of_its_mails_as_the_origin() {
    assert_eq!(
        add("", ["a m", "m z", "b m"]),
        "<a@x> <m@x>\n<b@x> <m@x>\n<m@x> <a@x> <b@x> <z@x>\n<z@x> <m@x>\n"
    );
    assert_eq!(add("<m@x> <z@x>\n", ["a m"]), "<a@x> <m@x>\n<m@x> <a@x> <z@x>\n");
}

#[test]
fn lines_of_one_origin_are_joined_only_when_the_file_is_written_anyway() {
    let file = "<a@x> <b@x>\n<a@x> <c@x>\n";
    assert_eq!(add(file, ["a c"]), file);
    assert_eq!(add(file, ["d e"]), "<a@x> <b@x> <c@x>\n<d@x> <e@x>\n<e@x> <d@x>\n");
}

#[test]
fn a_wanted_pair_on_a_line_that_pasta_does_not_know_is_brought_to_light_but_is_not_ours() {
    let merged = merge("<a@x> <b@x>\n<a@x> <c@x>\n", &pairs(["a b"]), &BTreeSet::new());
    assert_eq!(merged.text, "<a@x> <b@x> <c@x>\n");
    assert!(merged.added.is_empty());
}

#[test]
fn a_wanted_pair_on_an_indented_line_is_brought_to_light() {
    assert_eq!(add(" <a@x> <b@x>\n", ["a b"]), "<a@x> <b@x>\n");
}

#[test]
fn a_pair_that_is_taken_back_goes_in_whichever_direction_it_stands() {
    let merged = take_back("<a@x> <b@x> <c@x>\n", ["a b"]);
    assert_eq!((merged.text.as_str(), merged.removed), ("<a@x> <c@x>\n", pairs(["a b"])));
    assert_eq!(take_back("<b@x> <a@x> <c@x>\n", ["a b"]).text, "<b@x> <c@x>\n");
    assert_eq!(take_back("<a@x> <b@x>\n<b@x> <a@x> <c@x>\n", ["a b"]).text, "<b@x> <c@x>\n");
}

#[test]
fn a_line_that_is_left_with_its_origin_alone_goes_but_one_that_was_so_stays() {
    assert_eq!(take_back("<a@x> <b@x>\n<c@x>\n", ["a b"]).text, "<c@x>\n");
    assert_eq!(take_back("<a@x> <b@x>\n", ["a b"]).text, "");
}

#[test]
fn a_pair_that_is_wanted_again_is_not_taken_back() {
    let file = "<a@x> <b@x>\n";
    let merged = merge(file, &pairs(["a b"]), &pairs(["a b"]));
    assert_eq!((merged.text.as_str(), merged.removed.len()), (file, 0));
}

#[test]
fn what_is_gone_already_need_not_be_taken_back() {
    let file = "<c@x>  <d@x>\n";
    let merged = take_back(file, ["a b"]);
    assert_eq!((merged.text.as_str(), merged.removed.len()), (file, 0));
}

#[test]
fn what_is_written_anew_has_single_newlines() {
    assert_eq!(add("<c@x> <d@x>\r\n", ["a b"]), "<a@x> <b@x>\n<b@x> <a@x>\n<c@x> <d@x>\n");
}

fn refusal(bytes: &[u8]) -> (String, String) {
    let error: FalsePositivesError = FalsePositives::parse(bytes.into(), Path::new("fp/mbox-patch-stack")).unwrap_err();
    (error.to_string(), error.remedy().unwrap())
}

#[test]
fn malformed_lines_are_refused_with_their_place() {
    let remedy = "nothing was written; correct or remove this line, or name another folder with `feedback` in the configuration";
    let refusals: [(&[u8], &str); 5] = [
        (
            b"<a@x> <b@x>\n<c@x> d@x\n",
            "fp/mbox-patch-stack:2:7: expected a message id in angle brackets, found \"d@x\"",
        ),
        (
            b"0123456789abcdef <b@x>\n",
            "fp/mbox-patch-stack:1:1: expected a message id in angle brackets, found \"0123456789abcdef\"",
        ),
        (
            b"<a@x>\t<b@x>\n",
            "fp/mbox-patch-stack:1:1: expected a message id in angle brackets, found \"<a@x>\\t<b@x>\"",
        ),
        (
            b"\n\n<a@x>   <b@\rx>\n",
            "fp/mbox-patch-stack:3:9: expected a message id in angle brackets, found \"<b@\\rx>\"",
        ),
        (
            b"<a@x> <b@x>\n<a@x> <\xff@x>\n",
            "fp/mbox-patch-stack:2:8: expected UTF-8 text, found other bytes",
        ),
    ];
    for (bytes, message) in refusals {
        assert_eq!(refusal(bytes), (message.to_owned(), remedy.to_owned()));
    }
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    assert_eq!(
        refusal(b"<a@x> <b@x>\n<c@x> <d@x>"),
        (
            "fp/mbox-patch-stack:2:11: the file ends in the middle of a line".to_owned(),
            "nothing was written; if PaStA is writing the file, the next run will find it complete, else end its last line".to_owned()
        )
    );
}

#[test]
fn a_pair_has_two_mails_the_smaller_first() {
    assert_eq!(Pair::new(id("a"), id("a")), None);
    let pair = Pair::new(id("b"), id("a")).unwrap();
    assert_eq!((pair.smaller(), pair.larger()), (&id("a"), &id("b")));
    assert_eq!(Some(pair), Pair::new(id("a"), id("b")));
}

/// Lines laid out as PaStA would not.
fn files() -> impl Strategy<Value = String> {
    let word = prop_oneof![8 => (0..6_u8).prop_map(|name| format!("<{name}@x>")), 1 => Just(String::new())];
    let end = prop::sample::select(vec!["\n", "\r\n", " \n"]);
    let line = (prop::collection::vec(word, 0..4), end).prop_map(|(words, end)| words.join(" ") + end);
    prop::collection::vec(line, 0..6).prop_map(|lines| lines.concat())
}

fn some_pairs() -> impl Strategy<Value = BTreeSet<Pair>> {
    let pair = (0..6_u8, 0..6_u8).prop_filter_map("one mail", |(one, other)| Pair::new(id(&one.to_string()), id(&other.to_string())));
    prop::collection::btree_set(pair, 0..6)
}

/// All that lines say, those of the same origin together, without the empty words that only the layout makes.
fn told(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned);
        if let Some(origin) = words.next() {
            told.entry(origin).or_default().extend(words);
        }
    }
    told
}

fn directions(pair: &Pair) -> [(String, String); 2] {
    let (smaller, larger) = (pair.smaller().to_string(), pair.larger().to_string());
    [(smaller.clone(), larger.clone()), (larger, smaller)]
}

fn stands(told: &BTreeMap<String, BTreeSet<String>>, pair: &Pair) -> bool {
    let holds = |(origin, element): &(String, String)| told.get(origin).is_some_and(|elements| elements.contains(element));
    directions(pair).iter().any(holds)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn merging_loses_nothing_and_pasta_reads_what_is_wanted(file in files(), wanted in some_pairs(), unwanted in some_pairs()) {
        let before = told(&file);
        let merged = merge(&file, &wanted, &unwanted);
        let after = told(&merged.text);
        let removed: BTreeSet<(String, String)> = merged.removed.iter().flat_map(directions).collect();
        for (origin, elements) in &before {
            for element in elements {
                let kept = after.get(origin).is_some_and(|elements| elements.contains(element));
                prop_assert!(kept || removed.contains(&(origin.clone(), element.clone())), "{} {}", origin, element);
            }
            prop_assert!(!elements.is_empty() || after.contains_key(origin));
        }
        prop_assert!(merged.removed.iter().all(|pair| unwanted.contains(pair) && !wanted.contains(pair) && !stands(&after, pair)));
        let missing: BTreeSet<Pair> = wanted.iter().filter(|pair| !stands(&before, pair)).cloned().collect();
        prop_assert_eq!(&merged.added, &missing);
        let pasta = pasta_reads_false_positives(&merged.text);
        prop_assert!(wanted.iter().all(|pair| stands(&pasta, pair)));
        let refused = |(origin, element): &(String, String)| pasta.get(origin).is_some_and(|elements| elements.contains(element));
        prop_assert!(merged.added.iter().flat_map(directions).all(|direction| refused(&direction)));

        if merged.text != file {
            let sorted: String = after
                .iter()
                .map(|(origin, elements)| [origin].into_iter().chain(elements).cloned().collect::<Vec<_>>().join(" ") + "\n")
                .collect();
            prop_assert_eq!(&merged.text, &sorted);
        }
        let again = merge(&merged.text, &wanted, &unwanted);
        prop_assert_eq!((again.text, again.added.len(), again.removed.len()), (merged.text, 0, 0));
    }
}

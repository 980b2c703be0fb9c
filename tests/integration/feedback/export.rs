//! Partitions as group files.

use std::collections::BTreeSet;

use kinset::model::{MessageId, PatchId};
use kinset::pasta::{Dialect, Ending, GroupElement, GroupFile, groups_text, with_single_file};
use proptest::prelude::*;

use super::{id, pasta_reads_groups};

type Classes<E> = BTreeSet<BTreeSet<E>>;

/// The classes of two or more as kinset reads them, and the elements on their own.
fn kinset_reads(text: &str, dialect: Dialect) -> Classes<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("patch-groups");
    std::fs::write(&path, text).unwrap();
    let file = GroupFile::read(&path, dialect, Ending::Complete).unwrap();
    with_single_file(&file, |universe, partition, elements| {
        let tokens = |element| {
            partition
                .companions(element)
                .map(|member| universe.token(member).to_owned())
                .collect()
        };
        elements.iter().map(|&element| tokens(element)).collect()
    })
}

#[test]
fn a_class_is_a_line_and_everything_is_in_order() {
    let classes = [vec![id("d"), id("c")], vec![], vec![id("e"), id("b"), id("a")]];
    assert_eq!(groups_text(&classes), "<a@x> <b@x> <e@x>\n<c@x> <d@x>\n");
    let classes = [[PatchId(10), PatchId(9)], [PatchId(200), PatchId(3)]];
    assert_eq!(groups_text(&classes), "3 200\n9 10\n");
    assert_eq!(groups_text::<PatchId, [&PatchId; 0]>([]), "");
}

/// Disjoint classes of these elements: each with the number of its class.
fn partitions<E: GroupElement + Clone + std::fmt::Debug>(element: impl Strategy<Value = E>) -> impl Strategy<Value = Classes<E>> {
    prop::collection::btree_map(element, 0..6_usize, 0..20).prop_map(|class_of| {
        let mut classes = vec![BTreeSet::new(); 6];
        for (element, class) in class_of {
            classes[class].insert(element);
        }
        classes.into_iter().filter(|class| !class.is_empty()).collect()
    })
}

fn message_ids() -> impl Strategy<Value = MessageId> {
    "<[a-z0-9$%+=/<é-]{1,12}>".prop_map(|text| MessageId::parse(&text).unwrap())
}

fn spelt<E: GroupElement>(classes: &Classes<E>) -> Classes<String> {
    classes
        .iter()
        .map(|class| class.iter().map(ToString::to_string).collect())
        .collect()
}

proptest! {
    #[test]
    fn message_ids_are_read_back_as_the_same_partition(classes in partitions(message_ids())) {
        let text = groups_text(&classes);
        prop_assert_eq!(kinset_reads(&text, Dialect::MessageIds), spelt(&classes));
        prop_assert_eq!(pasta_reads_groups(&text), spelt(&classes));
    }

    #[test]
    fn patch_ids_are_read_back_as_the_same_partition(classes in partitions((1..1_000_000_u64).prop_map(PatchId))) {
        let text = groups_text(&classes);
        prop_assert_eq!(kinset_reads(&text, Dialect::PatchIds), spelt(&classes));
        prop_assert_eq!(pasta_reads_groups(&text), spelt(&classes));
    }
}

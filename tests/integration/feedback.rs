//! What an analysis is told, and that PaStA's readers, as they are described, read it.

mod export;
mod false_positives;
mod folder;
mod mbox;

use std::collections::{BTreeMap, BTreeSet};

use kinset::model::MessageId;
use kinset::pasta::Pair;

fn id(name: &str) -> MessageId {
    MessageId::parse(&format!("<{name}@x>")).unwrap()
}

/// Pairs, each as two names with a space between.
fn pairs<const N: usize>(names: [&str; N]) -> BTreeSet<Pair> {
    names
        .iter()
        .map(|names| {
            let (one, other) = names.split_once(' ').unwrap();
            Pair::new(id(one), id(other)).unwrap()
        })
        .collect()
}

/// PaStA's reader of false positives: the first word of a line is the origin, and of lines with the same origin the last counts.
fn pasta_reads_false_positives(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let text = text.replace("\r\n", "\n");
    text.split_terminator('\n')
        .map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            (words.next().unwrap(), words.collect())
        })
        .collect()
}

/// PaStA's reader of groups, one id or more each: lines that share an element are one group.
fn pasta_reads_groups(text: &str) -> BTreeSet<BTreeSet<String>> {
    let mut groups: Vec<BTreeSet<String>> = Vec::new();
    for line in text.split_terminator('\n').filter(|line| !line.is_empty()) {
        let ids = line.split(" =>").next().unwrap();
        let mut group: BTreeSet<String> = ids.split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect();
        let (touched, apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(|other| !other.is_disjoint(&group));
        group.extend(touched.into_iter().flatten());
        groups = apart;
        groups.push(group);
    }
    groups.into_iter().collect()
}

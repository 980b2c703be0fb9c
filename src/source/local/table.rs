//! Tables of a file, seen as what they are meant to be.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use super::error::{ProblemKind, Problems};
use super::tree::{Entry, Node, Value};
use crate::remedy::nearest;

/// The keys of permissions that say what they are on.
pub(super) const TARGETS: [&str; 3] = ["package", "component", "pocket"];

/// What any name has to be.
pub(super) const NAME: &str = "a name";

/// Which keys a table may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    /// What stands before them in a full name.
    pub(super) prefix: &'static str,
    pub(super) known: &'static [&'static str],
}

/// Whether a key may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// A table of the file, seen as what it is meant to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'n> {
    keys: Keys,
    node: &'n Node,
}

impl<'n> Table<'n> {
    /// Looks at a table, and reports the keys in it that it should not have, or has twice. Some are left to whoever reads it.
    pub(super) fn new(node: &'n Node, keys: Keys, left: &[&str], problems: &mut Problems<'_>) -> Option<Self> {
        let table = Self { keys, node };
        let Value::Table(entries) = &node.value else {
            let name = keys.prefix.trim_end_matches('.').to_owned();
            problems.push(node.offset, name, ProblemKind::wrong("a table", node));
            return None;
        };
        for entry in entries {
            if !keys.known.contains(&entry.key.as_str()) && !left.contains(&entry.key.as_str()) {
                table.report_unknown(&entry.key, problems);
            }
        }
        table.report_repeated(entries, problems);
        Some(table)
    }

    pub(super) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.node.entry(key)
    }

    pub(super) fn report(&self, key: &str, offset: usize, kind: ProblemKind, problems: &mut Problems<'_>) {
        problems.push(offset, format!("{}{}", self.keys.prefix, key.escape_debug()), kind);
    }

    pub(super) fn report_unknown(&self, key: &str, problems: &mut Problems<'_>) {
        let offset = self.entry(key).map_or(self.node.offset, |entry| entry.offset);
        let kind = ProblemKind::Unknown {
            nearest: nearest(key, self.keys.known.iter().copied()),
            known: self.keys.known,
        };
        self.report(key, offset, kind, problems);
    }

    pub(super) fn report_repeated(&self, entries: &[Entry], problems: &mut Problems<'_>) {
        for (place, entry) in entries.iter().enumerate() {
            if let Some(first) = entries[..place].iter().find(|first| first.key == entry.key) {
                let kind = ProblemKind::Repeated {
                    what: "this key".to_owned(),
                    first_line: problems.line(first.offset),
                };
                self.report(&entry.key, entry.offset, kind, problems);
            }
        }
    }

    pub(super) fn report_missing(&self, key: &str, expected: &str, problems: &mut Problems<'_>) {
        let expected = expected.to_owned();
        self.report(key, self.node.offset, ProblemKind::Missing { expected }, problems);
    }

    pub(super) fn text(&self, key: &str, expected: &'static str, problems: &mut Problems<'_>) -> Option<String> {
        let entry = self.entry(key)?;
        match &entry.node.value {
            Value::Text(text) => Some(text.clone()),
            _ => {
                self.report(key, entry.node.offset, ProblemKind::wrong(expected, &entry.node), problems);
                None
            }
        }
    }

    pub(super) fn optional<T: FromStr<Err: Display>>(&self, key: &str, expected: &'static str, problems: &mut Problems<'_>) -> Option<T> {
        let text = self.text(key, expected, problems)?;
        let offset = self.entry(key)?.node.offset;
        match text.parse::<T>() {
            Ok(value) => Some(value),
            Err(error) => {
                self.report(key, offset, ProblemKind::Refused(error.to_string()), problems);
                None
            }
        }
    }

    pub(super) fn required<T: FromStr<Err: Display>>(&self, key: &str, expected: &'static str, problems: &mut Problems<'_>) -> Option<T> {
        if self.entry(key).is_none() {
            self.report_missing(key, expected, problems);
        }
        self.optional(key, expected, problems)
    }

    /// What has to be said, or what there is where it may be left out.
    pub(super) fn needed<T: FromStr<Err: Display>>(
        &self,
        key: &str,
        expected: &'static str,
        need: Need,
        without: impl FnOnce() -> T,
        problems: &mut Problems<'_>,
    ) -> Option<T> {
        match (self.entry(key), need) {
            (None, Need::Optional) => Some(without()),
            (None, Need::Required) | (Some(_), _) => self.required(key, expected, problems),
        }
    }

    pub(super) fn one_of<T: Copy>(
        &self,
        key: &str,
        all: &[T],
        word: impl Fn(T) -> &'static str,
        need: Need,
        problems: &mut Problems<'_>,
    ) -> Option<T> {
        let words: Vec<&str> = all.iter().map(|&one| word(one)).collect();
        let Some(Entry { node, .. }) = self.entry(key) else {
            if need == Need::Required {
                self.report_missing(key, &format!("one of {}", words.join(", ")), problems);
            }
            return None;
        };
        let found = match &node.value {
            Value::Text(text) => all.iter().copied().find(|&one| word(one) == text),
            _ => None,
        };
        if found.is_none() {
            self.report(
                key,
                node.offset,
                ProblemKind::wrong(format!("one of {}", words.join(", ")), node),
                problems,
            );
        }
        found
    }

    pub(super) fn flag(&self, key: &str, problems: &mut Problems<'_>) -> bool {
        let Some(Entry { node, .. }) = self.entry(key) else {
            return false;
        };
        if let Value::Boolean(flag) = node.value {
            return flag;
        }
        self.report(key, node.offset, ProblemKind::wrong("true or false", node), problems);
        false
    }

    pub(super) fn integer(&self, key: &str, problems: &mut Problems<'_>) -> Option<i64> {
        let Entry { node, .. } = self.entry(key)?;
        if let Value::Integer(number) = node.value {
            return Some(number);
        }
        self.report(key, node.offset, ProblemKind::wrong("a whole number", node), problems);
        None
    }

    pub(super) fn names<T: FromStr<Err: Display> + Ord>(
        &self,
        key: &'static str,
        expected: &'static str,
        problems: &mut Problems<'_>,
    ) -> Vec<T> {
        let name = format!("{}{key}", self.keys.prefix);
        self.entry(key)
            .map(|entry| names(&entry.node, &name, expected, problems))
            .unwrap_or_default()
    }

    /// The table of a key, if it has one that could be read.
    pub(super) fn one<T>(
        &self,
        key: &'static str,
        problems: &mut Problems<'_>,
        read: fn(&Node, &mut Problems<'_>) -> Option<T>,
    ) -> Option<T> {
        read(&self.entry(key)?.node, problems)
    }

    /// The elements of a list of tables that could be read; for each other one there is a problem.
    pub(super) fn each<T>(
        &self,
        key: &'static str,
        expected: &'static str,
        problems: &mut Problems<'_>,
        read: impl Fn(&Node, &mut Problems<'_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(Entry { node, .. }) = self.entry(key) else {
            return Vec::new();
        };
        let Value::List(nodes) = &node.value else {
            self.report(key, node.offset, ProblemKind::wrong(expected, node), problems);
            return Vec::new();
        };
        nodes.iter().filter_map(|node| read(node, problems)).collect()
    }

    /// The one key that says what a permission is on.
    pub(super) fn target(&self, remedy: &str, problems: &mut Problems<'_>) -> Option<&'static str> {
        let given: Vec<&'static str> = TARGETS.into_iter().filter(|key| self.entry(key).is_some()).collect();
        let found = match given.as_slice() {
            [] => "nothing".to_owned(),
            [one] => return Some(one),
            [_, second, ..] => {
                let found = given.iter().map(|key| format!("a {key}")).collect::<Vec<_>>().join(" and ");
                let offset = self.entry(second).map_or(self.node.offset, |entry| entry.offset);
                let remedy = "give each its own entry".to_owned();
                self.report(second, offset, ProblemKind::Targets { found, remedy }, problems);
                return None;
            }
        };
        let name = self.keys.prefix.trim_end_matches('.').to_owned();
        let remedy = remedy.to_owned();
        problems.push(self.node.offset, name, ProblemKind::Targets { found, remedy });
        None
    }
}

/// The names in a list; those that are none or stand twice are reported.
pub(super) fn names<T: FromStr<Err: Display> + Ord>(node: &Node, key: &str, expected: &'static str, problems: &mut Problems<'_>) -> Vec<T> {
    let Value::List(nodes) = &node.value else {
        problems.push(node.offset, key.to_owned(), ProblemKind::wrong(expected, node));
        return Vec::new();
    };
    let mut first_at: BTreeMap<&str, usize> = BTreeMap::new();
    let mut names = Vec::new();
    for node in nodes {
        let Value::Text(text) = &node.value else {
            problems.push(node.offset, key.to_owned(), ProblemKind::wrong(NAME, node));
            continue;
        };
        if let Some(first) = first_at.insert(text, node.offset) {
            let kind = ProblemKind::Repeated {
                what: format!("{text:?}"),
                first_line: problems.line(first),
            };
            problems.push(node.offset, key.to_owned(), kind);
        }
        match text.parse::<T>() {
            Ok(name) => names.push(name),
            Err(error) => problems.push(node.offset, key.to_owned(), ProblemKind::Refused(error.to_string())),
        }
    }
    names
}

//! What stands in a file, with where it stands, whatever it is written in.

use toml::de::{DeTable, DeValue};

use super::error::{ProblemKind, Problems};
use crate::model::packages::document::{Place, Segment};
use crate::text::key_on_line;

/// A value and where it begins, in bytes.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) offset: usize,
    pub(super) value: Value,
}

/// A value.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// A date or a time of TOML, which JSON has not.
    Date(String),
    /// Something that no document has, in words.
    Other(&'static str),
}

/// A key of a table with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where the key begins.
    pub(super) offset: usize,
    pub(super) node: Node,
}

impl Node {
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The table of that name in a list of tables.
    pub(super) fn named(&self, list: &str, name: &str) -> Option<&Self> {
        let Value::List(nodes) = &self.entry(list)?.node.value else {
            return None;
        };
        let is_it = |node: &&Self| matches!(node.entry("name").map(|entry| &entry.node.value), Some(Value::Text(found)) if found == name);
        nodes.iter().find(is_it)
    }

    /// What it is, for a message.
    pub(super) fn shown(&self) -> String {
        const SHOWN_LETTERS: usize = 60;
        match &self.value {
            Value::Text(text) if text.chars().count() > SHOWN_LETTERS => {
                format!("{:?}…", text.chars().take(SHOWN_LETTERS).collect::<String>())
            }
            Value::Text(text) => format!("{text:?}"),
            Value::Integer(number) => number.to_string(),
            Value::Boolean(flag) => flag.to_string(),
            Value::List(_) => "a list".to_owned(),
            Value::Table(_) => "a table".to_owned(),
            Value::Date(text) => text.clone(),
            Value::Other(what) => (*what).to_owned(),
        }
    }

    /// Where a place of the document stands, or the nearest thing around it that does; with the full name of its key.
    pub(super) fn find(&self, place: &Place) -> (usize, String) {
        let mut node = self;
        let mut offset = node.offset;
        let mut keys: Vec<&str> = Vec::new();
        for segment in &place.0 {
            if let Segment::Key(key) = segment {
                keys.push(key);
            }
            let next = match segment {
                Segment::Key(key) => node.entry(key).map(|entry| &entry.node),
                Segment::Item(index) => match &node.value {
                    Value::List(nodes) => nodes.get(*index),
                    _ => None,
                },
                Segment::Text(text) => node.with_text(text),
            };
            let Some(next) = next else { break };
            node = next;
            offset = node.offset;
        }
        (offset, keys.join("."))
    }

    fn with_text(&self, text: &str) -> Option<&Self> {
        match &self.value {
            Value::List(nodes) => nodes.iter().find(|node| matches!(&node.value, Value::Text(found) if found == text)),
            Value::Table(_) => self.entry(text).map(|entry| &entry.node),
            _ => None,
        }
    }
}

/// Reads TOML. `None` where it is none; then there is a problem.
pub(super) fn of_toml(text: &str, problems: &mut Problems<'_>) -> Option<Node> {
    match DeTable::parse(text) {
        Ok(document) => Some(Node {
            offset: 0,
            value: Value::Table(entries(document.get_ref())),
        }),
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            let kind = ProblemKind::Syntax("TOML", error.message().to_owned());
            problems.push(offset, key_on_line(text, offset), kind);
            None
        }
    }
}

fn entries(table: &DeTable<'_>) -> Vec<Entry> {
    let entries = table.iter().map(|(key, value)| Entry {
        key: key.get_ref().to_string(),
        offset: key.span().start,
        node: Node {
            offset: value.span().start,
            value: of_value(value.get_ref()),
        },
    });
    entries.collect()
}

fn of_value(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Other("a number that is too large"),
        },
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Array(values) => Value::List(
            values
                .iter()
                .map(|value| Node {
                    offset: value.span().start,
                    value: of_value(value.get_ref()),
                })
                .collect(),
        ),
        DeValue::Table(table) => Value::Table(entries(table)),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
    }
}

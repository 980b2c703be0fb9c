//! Fields of documents, each with the place that an error names.

use std::str::FromStr;

use super::ReadError;
use super::yaml::{Node, Value};

/// A field, and where it is.
#[derive(Clone)]
pub(super) struct Field<'d> {
    name: &'d str,
    path: String,
    pub(super) node: &'d Node,
}

impl<'d> Field<'d> {
    /// A whole document.
    pub(super) const fn document(name: &'d str, node: &'d Node) -> Self {
        Self {
            name,
            path: String::new(),
            node,
        }
    }

    fn within(&self, step: &str, node: &'d Node) -> Self {
        let path = match self.path.is_empty() {
            true => step.to_owned(),
            false => format!("{}.{step}", self.path),
        };
        Self {
            name: self.name,
            path,
            node,
        }
    }

    /// What is to be said where this is not as expected.
    pub(super) fn error(&self, expected: impl Into<String>) -> ReadError {
        let found = match &self.node.value {
            Value::Scalar { text, is_plain: true } if text.is_empty() => "nothing".to_owned(),
            Value::Scalar { text, .. } => format!("{:?}", text.chars().take(80).collect::<String>()),
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
        };
        ReadError::Field {
            name: self.name.to_owned(),
            line: self.node.line,
            field: if self.path.is_empty() {
                "the document".to_owned()
            } else {
                self.path.clone()
            },
            expected: expected.into(),
            found,
        }
    }

    /// Whether nothing is written, or `null`.
    fn is_nothing(&self) -> bool {
        matches!(&self.node.value, Value::Scalar { text, is_plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// The fields of a mapping, with their keys. Nothing has none.
    pub(super) fn entries(&self) -> Result<Vec<(&'d str, Self)>, ReadError> {
        let nodes = match &self.node.value {
            Value::Mapping(nodes) => nodes,
            _ if self.is_nothing() => return Ok(Vec::new()),
            _ => return Err(self.error("a mapping")),
        };
        let entry = |(key, value): &'d (Node, Node)| match &key.value {
            Value::Scalar { text, .. } => Ok((text.as_str(), self.within(text, value))),
            _ => Err(self.within("(key)", key).error("a name")),
        };
        nodes.iter().map(entry).collect()
    }

    /// A field of a mapping, if it is there and something is written in it.
    pub(super) fn find(&self, key: &str) -> Result<Option<Self>, ReadError> {
        let mut entries = self.entries()?.into_iter().filter(|(other, _)| *other == key);
        let found = entries.next().map(|(_, field)| field);
        match entries.next() {
            Some((_, again)) => Err(again.error("each field once")),
            None => Ok(found.filter(|field| !field.is_nothing())),
        }
    }

    /// A field that has to be there.
    pub(super) fn get(&self, key: &str, expected: &str) -> Result<Self, ReadError> {
        match self.find(key)? {
            Some(field) => Ok(field),
            None => Err(self.within(key, self.node).missing(expected)),
        }
    }

    fn missing(&self, expected: &str) -> ReadError {
        ReadError::Field {
            name: self.name.to_owned(),
            line: self.node.line,
            field: self.path.clone(),
            expected: expected.to_owned(),
            found: "nothing".to_owned(),
        }
    }

    /// The items of a list. Nothing has none, and a scalar is a list of one.
    pub(super) fn items(&self) -> Result<Vec<Self>, ReadError> {
        match &self.node.value {
            Value::Sequence(nodes) => {
                let item = |(place, node)| self.within(&format!("[{place}]"), node);
                Ok(nodes.iter().enumerate().map(item).collect())
            }
            Value::Scalar { .. } if self.is_nothing() => Ok(Vec::new()),
            Value::Scalar { .. } => Ok(vec![self.clone()]),
            Value::Mapping(_) => Err(self.error("a list")),
        }
    }

    /// The text of a scalar as it is written: `5.30` is not `5.3`, and `yes` is no truth.
    pub(super) fn text(&self) -> Result<&'d str, ReadError> {
        match &self.node.value {
            Value::Scalar { text, .. } => Ok(text),
            Value::Sequence(_) | Value::Mapping(_) => Err(self.error("a text")),
        }
    }

    /// A scalar that is something with a text of its own.
    pub(super) fn parsed<T: FromStr>(&self, expected: &str) -> Result<T, ReadError> {
        self.text()?.trim().parse().map_err(|_| self.error(expected))
    }

    /// A truth.
    pub(super) fn truth(&self) -> Result<bool, ReadError> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Ok(true),
            "false" | "no" | "off" => Ok(false),
            _ => Err(self.error("true or false")),
        }
    }
}

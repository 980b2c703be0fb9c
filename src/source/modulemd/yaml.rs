//! YAML as a tree in which each node knows its line, and each scalar is the text that was written.

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use super::ReadError;

/// Deeper documents are refused.
const MOST_LEVELS: usize = 50;

/// A node of a document.
#[derive(Debug)]
pub(super) struct Node {
    /// Its line, from 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    /// A scalar as it is written, without its quotes; `is_plain` if it has none.
    Scalar {
        text: String,
        is_plain: bool,
    },
    Sequence(Vec<Node>),
    /// In the order in which it is written.
    Mapping(Vec<(Node, Node)>),
}

/// The documents in a text, one after the other.
pub(super) struct Documents<'t> {
    name: &'t str,
    parser: Parser<'t, StrInput<'t>>,
    is_over: bool,
}

/// A sequence or a mapping that has not come to its end.
struct Open {
    line: usize,
    value: Value,
    /// The key that waits for its value.
    key: Option<Node>,
}

impl<'t> Documents<'t> {
    pub(super) fn of(name: &'t str, text: &'t str) -> Self {
        Self {
            name,
            parser: Parser::new_from_str(text),
            is_over: false,
        }
    }

    fn unusual(&self, span: Span, what: &'static str) -> ReadError {
        ReadError::Unusual {
            name: self.name.to_owned(),
            line: span.start.line(),
            what,
        }
    }

    /// The next event; `None` at the end.
    fn event(&mut self) -> Result<Option<(Event<'t>, Span)>, ReadError> {
        self.parser.next().transpose().map_err(|source| ReadError::Syntax {
            name: self.name.to_owned(),
            line: source.marker().line(),
            source: Box::new(source),
        })
    }

    fn document(&mut self) -> Result<Option<Node>, ReadError> {
        let mut open: Vec<Open> = Vec::new();
        while let Some((event, span)) = self.event()? {
            let line = span.start.line();
            let done = match event {
                Event::StreamEnd => return Ok(None),
                Event::Alias(_) | Event::UnresolvedAlias(_) => return Err(self.unusual(span, "an alias")),
                Event::Scalar(text, style, ..) => Node {
                    line,
                    value: Value::Scalar {
                        text: text.into_owned(),
                        is_plain: style == ScalarStyle::Plain,
                    },
                },
                Event::SequenceStart(..) | Event::MappingStart(..) => {
                    if open.len() == MOST_LEVELS {
                        return Err(self.unusual(span, "so deep a nesting"));
                    }
                    let value = match event {
                        Event::SequenceStart(..) => Value::Sequence(Vec::new()),
                        _ => Value::Mapping(Vec::new()),
                    };
                    open.push(Open { line, value, key: None });
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                    Some(Open { line, value, .. }) => Node { line, value },
                    None => return Err(self.unusual(span, "an end without a beginning")),
                },
                _ => continue,
            };
            match open.last_mut() {
                None => return Ok(Some(done)),
                Some(Open {
                    value: Value::Sequence(nodes),
                    ..
                }) => nodes.push(done),
                Some(Open {
                    value: Value::Mapping(nodes),
                    key,
                    ..
                }) => match key.take() {
                    None => *key = Some(done),
                    Some(key) => nodes.push((key, done)),
                },
                Some(Open {
                    value: Value::Scalar { .. },
                    ..
                }) => return Err(self.unusual(span, "something in a scalar")),
            }
        }
        Ok(None)
    }
}

impl Iterator for Documents<'_> {
    type Item = Result<Node, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let document = self.document().transpose();
        self.is_over = !matches!(document, Some(Ok(_)));
        document
    }
}

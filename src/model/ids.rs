//! Ids as types, so that a project's number cannot be handed over as a patch's.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// Patchwork's number of a patch: one mail in one project.
    PatchId
}
number! {
    /// Patchwork's number of a project.
    ProjectId
}
number! {
    /// Patchwork's number of an event. Numbers are handed out before their transactions commit, so a lower one can come into sight later.
    EventId
}

/// A project's `link_name`: the word that stands for it in addresses and in kinset's configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProjectName(pub String);

impl ProjectName {
    /// The name as it stands in an address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name that a person or a bot logs in with.
///
/// People are told apart by this and never by number: the ids in a project's list of maintainers are those of their *profiles*, which need
/// not equal the ids of the users.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserName(pub String);

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A mail's Message-ID, with its angle brackets, as both Patchwork and PaStA print it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct MessageId(Box<str>);

/// Why a text is no message id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a message id in angle brackets, such as <20120501.1@example.org>, found {0:?}")]
pub struct MessageIdError(String);

impl MessageId {
    /// Reads a message id.
    ///
    /// # Errors
    /// When the text is not enclosed in `<` and `>`, is empty between them, or holds white space or control characters.
    pub fn parse(text: &str) -> Result<Self, MessageIdError> {
        let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        match inner {
            Some(inner) if !inner.is_empty() && !inner.contains(|letter: char| letter.is_whitespace() || letter.is_control()) => {
                Ok(Self(text.into()))
            }
            _ => Err(MessageIdError(text.chars().take(80).collect())),
        }
    }

    /// The id with its angle brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id without its angle brackets: the form that Patchwork's `msgid` filter wants.
    #[must_use]
    pub fn bare(&self) -> &str {
        &self.0[1..self.0.len() - 1]
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for MessageId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::MessageId;

    #[test]
    fn a_message_id_keeps_its_brackets_and_can_show_itself_without() {
        let id = MessageId::parse("<a$b%c+d=e/f@x>").unwrap();
        assert_eq!(id.to_string(), "<a$b%c+d=e/f@x>");
        assert_eq!(id.bare(), "a$b%c+d=e/f@x");
    }

    #[test]
    fn what_is_no_message_id_is_refused() {
        for text in ["", "<>", "a@b", "<a@b", "a@b>", "<a b@c>", "<a\u{1b}[2K@c>"] {
            assert!(MessageId::parse(text).is_err(), "{text:?}");
        }
    }
}

//! Choices that go by one word each, in files, on the command line and in the store, and what may follow what among them.

/// Why a text is none of the words that were expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no {what}; expected one of {}", .expected.join(", "))]
pub struct UnknownWord {
    what: &'static str,
    expected: &'static [&'static str],
    found: String,
}

impl UnknownWord {
    pub(super) fn new(what: &'static str, expected: &'static [&'static str], found: &str) -> Self {
        Self {
            what,
            expected,
            found: found.chars().take(80).collect(),
        }
    }
}

/// Why one status does not follow another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} that is {from} does not become {to}, only {}", .allowed.join(" or "))]
pub struct TransitionError {
    what: &'static str,
    from: &'static str,
    to: &'static str,
    allowed: Vec<&'static str>,
}

impl TransitionError {
    pub(super) const fn new(what: &'static str, from: &'static str, to: &'static str, allowed: Vec<&'static str>) -> Self {
        Self { what, from, to, allowed }
    }
}

/// An enum whose values have one word each, lower case, and perhaps other words that are read and never written.
macro_rules! words {
    (
        $(#[$attribute:meta])*
        $name:ident, $what:literal {
            $($(#[$value_attribute:meta])* $value:ident = $word:literal $(| $other:literal)*,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum $name {
            $($(#[$value_attribute])* $value,)+
        }

        impl $name {
            const WORDS: &'static [&'static str] = &[$($word),+];

            /// All of them, in their order.
            pub const ALL: [Self; Self::WORDS.len()] = [$(Self::$value),+];

            /// The word for it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::packages::UnknownWord;

            /// Reads the word, and those that others have for it, in capitals or not.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text.to_ascii_lowercase().as_str() {
                    $($word $(| $other)* => Ok(Self::$value),)+
                    _ => Err($crate::model::packages::UnknownWord::new($what, Self::WORDS, text)),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::model::packages::UnknownWord;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.word().to_owned()
            }
        }
    };
}

/// What may follow what, for an enum that [`words`] made. `$what` is whatever has the status, with its article.
macro_rules! transitions {
    ($name:ident, $what:literal { $($from:ident => $($to:ident)|+,)+ }) => {
        impl $name {
            /// What may follow when somebody decides so. A source that is mirrored tells what is, and is believed without asking this.
            #[must_use]
            pub const fn successors(self) -> &'static [Self] {
                match self {
                    $(Self::$from => &[$(Self::$to),+],)+
                }
            }

            /// Whether `to` may follow. Nothing follows itself.
            #[must_use]
            pub fn may_become(self, to: Self) -> bool {
                self.successors().contains(&to)
            }

            /// Refuses `to` where it may not follow.
            ///
            /// # Errors
            ///
            /// When it may not; the error lists what may.
            pub fn require_may_become(self, to: Self) -> Result<(), $crate::model::packages::TransitionError> {
                if self.may_become(to) {
                    return Ok(());
                }
                let allowed = self.successors().iter().map(|status| status.word()).collect();
                Err($crate::model::packages::TransitionError::new($what, self.word(), to.word(), allowed))
            }
        }
    };
}

pub(super) use {transitions, words};

//! Why a source could not be read.

use super::{
    FileError,
    local::LocalError,
    modulemd::{ReadError, RepomdError},
};
use crate::{
    http::{self, Address},
    remedy::Remedy,
};

/// Why a source could not be read. What was known of it still holds.
#[derive(Debug, thiserror::Error)]
#[error("cannot read source {name}")]
pub struct SourceError {
    /// The source's name in the configuration.
    pub name: String,
    /// What went wrong.
    #[source]
    pub trouble: Trouble,
}

/// What went wrong with a source.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// What can go wrong with any server.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// A link that is no address.
    #[error("expected {expected} of {url} to be an address, found {found:?}")]
    BadLink {
        /// What was asked for.
        url: Address,
        /// Which link.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A list that changed while it was read.
    #[error("expected {total} {expected}, but the pages of {url} have {shown}")]
    Inconsistent {
        /// What was asked for.
        url: Address,
        /// Of what.
        expected: &'static str,
        /// How many the service counts.
        total: u64,
        /// How many it showed.
        shown: u64,
    },
    /// An answer about something else than what was asked for.
    #[error("expected {expected}, but what {url} sent is about {found}")]
    AboutAnother {
        /// What was asked for.
        url: Address,
        /// What was expected.
        expected: String,
        /// What it is about.
        found: String,
    },
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file that says what a distribution is to be, and cannot be worked with.
    #[error(transparent)]
    Local(Box<LocalError>),
    /// Documents about modules that cannot be read.
    #[error(transparent)]
    Modules(#[from] ReadError),
    /// A repository whose file of modules is not known, or not believed.
    #[error("cannot take the modules of {url}")]
    Repository {
        /// Where its index is.
        url: Address,
        /// Why.
        source: RepomdError,
    },
    /// A table without a column that it must have.
    #[error("expected a table with a column {column}, but {place} has none")]
    NoColumn {
        /// The file or address.
        place: String,
        /// The column.
        column: &'static str,
    },
    /// A table with a row that cannot be read.
    #[error("{place}, line {line}: {reason}")]
    BadRow {
        /// The file or address.
        place: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

impl Remedy for SourceError {
    fn remedy(&self) -> Option<String> {
        let text = match &self.trouble {
            Trouble::Http(error) => http_remedy(error),
            Trouble::Inconsistent { .. } => "it may have changed while it was read: try again".to_owned(),
            Trouble::File(FileError::Missing { .. } | FileError::Unreadable { .. }) => {
                "check `file` of the source in the configuration, and that this user may read it".to_owned()
            }
            Trouble::File(error) => error.remedy().unwrap_or_else(|| LOOK.to_owned()),
            Trouble::Local(error) => error.remedy().unwrap_or_else(|| LOOK.to_owned()),
            Trouble::Modules(error) => error.remedy().unwrap_or_else(|| LOOK.to_owned()),
            Trouble::Repository { source, .. } => source.remedy().unwrap_or_else(|| LOOK.to_owned()),
            Trouble::BadLink { .. } | Trouble::AboutAnother { .. } | Trouble::NoColumn { .. } | Trouble::BadRow { .. } => LOOK.to_owned(),
        };
        Some(format!("{text}; what was known of the source before still holds"))
    }
}

const LOOK: &str = "this is not how such a source speaks: look at it with curl or an editor, and tell whoever runs it or kinset's authors";

fn http_remedy(error: &http::Error) -> String {
    let text = match error {
        http::Error::Unreachable { .. } => "check the address of the source in the configuration, and see whether this machine reaches it",
        http::Error::Unresolved { .. } => {
            "see whether this machine can look up names (`getent hosts NAME`); if it can, check the address of the source in the configuration"
        }
        http::Error::BadContact { .. } => "write `contact` in the configuration as one line of plain text, such as an address of mail",
        http::Error::Client { .. } => "see whether the system's certificates are installed (the package is often called ca-certificates)",
        http::Error::Tls { .. } => "check the address of the source in the configuration, and this machine's clock",
        http::Error::LeavesServer { to, .. } | http::Error::LeavesEncryption { to, .. } => {
            return format!("if the service has moved to {to}, set the address of the source in the configuration to where it leads");
        }
        http::Error::Status { answer, .. } if answer.status.as_u16() == 429 => "ask less often, or with fewer requests a second",
        http::Error::Status { answer, .. } if !answer.status.is_server_error() => "check the address of the source in the configuration",
        http::Error::TooManyRedirects { .. } => "check the address of the source in the configuration",
        http::Error::TimedOut { .. }
        | http::Error::Slow { .. }
        | http::Error::Broken { .. }
        | http::Error::Truncated { .. }
        | http::Error::Status { .. } => "the service may be busy: try again later",
        http::Error::NotJson { answer, .. } | http::Error::WebPage { answer, .. } if answer.is_web_page() => {
            "check the address of the source in the configuration; if it is right, a proxy in front of the service may have answered, and it may be better later"
        }
        http::Error::NotJson { .. }
        | http::Error::WebPage { .. }
        | http::Error::TooLarge { .. }
        | http::Error::WrongShape { .. }
        | http::Error::EndlessList { .. } => LOOK,
    };
    text.to_owned()
}

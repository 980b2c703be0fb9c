//! Modules, as repositories of packages and their packagers describe them: the documents of [libmodulemd](https://github.com/fedora-modularity/libmodulemd).
//!
//! [`Index::read`] reads many documents in one text: streams (`modulemd`, version 1 and 2, and `modulemd-packager`, 2 and 3), `modulemd-defaults`
//! and `modulemd-obsoletes`. The text may be packed with gzip or zstd, whatever its name says. [`Repomd`] finds it in a repository. Neither opens
//! a file or asks a service: bytes come in, values go out. [`read()`] is the source that fetches the bytes.
//!
//! Names and versions are taken as they are written. YAML would have `5.30` for a number, and `5.3` for the same one.

mod document;
mod error;
mod fields;
mod index;
mod packed;
mod read;
mod repomd;
#[cfg(test)]
mod tests;
mod yaml;

pub use error::ReadError;
pub use index::{DefaultStream, Index, Skipped};
pub use packed::MOST_BYTES;
pub use read::{At, Settings, read};
pub use repomd::{Repomd, RepomdError};

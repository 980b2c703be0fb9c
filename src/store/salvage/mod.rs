//! Reading what is left of a database that `SQLite` refuses to read, after [its file format](https://sqlite.org/fileformat2.html).
//!
//! Pages are read one by one, from the file and from its write-ahead log, and each tree as far as its pages are whole: a page that is not costs
//! what stands on it and nothing else. Nothing is written, and nothing that is read here is trusted: what comes of it goes into a new
//! database, whose constraints judge it.

mod assign;
mod pages;
mod record;
mod schema;
#[cfg(test)]
mod tests;
mod tree;

pub(super) use assign::{Stray, assign};
pub(super) use pages::Pages;
pub(super) use schema::{Kind, Object, Roots, objects};
pub(super) use tree::{Gap, Row, Walk};

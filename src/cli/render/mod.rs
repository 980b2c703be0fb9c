//! Plans and lists as text.

pub(super) mod plan;
pub(super) mod table;
pub(super) mod words;

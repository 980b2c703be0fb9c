//! Plans and lists as text.

pub(super) mod plan;
pub(super) mod words;

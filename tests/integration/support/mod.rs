//! What the tests share.

pub(crate) mod data;
pub(crate) mod patchwork;
pub(crate) mod wiremock;

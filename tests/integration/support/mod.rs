//! What the tests share.

pub(crate) mod change;
pub(crate) mod daemon;
pub(crate) mod data;
pub(crate) mod fedora;
pub(crate) mod following;
pub(crate) mod launchpad;
pub(crate) mod log;
pub(crate) mod older;
pub(crate) mod patchwork;
pub(crate) mod repository;
pub(crate) mod rig;
pub(crate) mod served;
pub(crate) mod service;
pub(crate) mod town;
pub(crate) mod watched;
pub(crate) mod wiremock;

//! Everything that is tested through the public interface, as one binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

mod config;
mod config_mistakes;
mod store;
mod store_journal;
mod store_refusals;

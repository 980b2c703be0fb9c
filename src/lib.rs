//! # kinset: keeps groups in step
//!
//! One binary, a command line over this library. It reads the partition of patches that an analysis (PaStA and its like) found, reads the
//! relations that a Patchwork tracker has, computes the fewest writes from one to the other, shows them, and applies them. And it keeps the
//! package sets, permissions and teams of distributions, series by series and with their past, and answers who may do what.
//!
//! ## Map of the house
//!
//! | module | what lives there | may use |
//! | --- | --- | --- |
//! | [`cli`] | arguments, one file per command, rendering | everything below |
//! | [`daemon`] | what is due when, the one worker, systemd, notices; [`daemon::http`], which tells how things stand | everything below |
//! | [`picture`] | what is better seen than read, as SVG | `model` |
//! | [`reconcile`] | one cycle: pull, resolve, merge, plan, check, apply, verify, record | everything below |
//! | [`config`] | TOML to validated types, once; knows nothing of the command line | `model`, `remedy`, `text` |
//! | [`tracker`] | Patchwork: wire types, [`tracker::Reader`], [`tracker::Writer`], [`tracker::simulator`] | `http`, `model`, `remedy` |
//! | [`pasta`] | group files in | `model`, `remedy` |
//! | [`source`] | distributions, one file or folder for each place that they come from: files, Launchpad, Bodhi, dist-git, distro-info, modulemd | `http`, `model`, `remedy`, `text` |
//! | [`store`] | SQLite: migrations, snapshots, journal; [`store::packages`] | `model`, `remedy`, `text` |
//! | [`http`] | requests with a pace and patience, and what can go wrong with them | `remedy`, `text` |
//! | [`model`] | PURE: [`model::relations`] with planner, checker, guards; [`model::packages`] with its evaluator; no async, no I/O, no clock, no randomness | `remedy`, `text` |
//! | [`remedy`] | errors that say what to do next | nothing |
//! | [`text`] | words for messages: places in texts that people write, numbers with their nouns | nothing |
//!
//! Nothing points back up this table: `tests/integration/architecture.rs` keeps it so. `docs/architecture.md` walks one cycle through the house.

pub mod cli;
pub mod config;
pub mod daemon;
pub mod http;
pub mod model;
pub mod pasta;
pub mod picture;
pub mod reconcile;
pub mod remedy;
pub mod source;
pub mod store;
pub mod text;
pub mod tracker;

//! The integration tests, as one binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

mod simulator_exchanges;
mod simulator_faults;
mod simulator_rules;
mod simulator_traces;
mod simulator_world;
mod support;

//! What the library promises, tested through its public parts: one binary, a module for each part.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

mod groups;
mod planner;
mod simulator_exchanges;
mod simulator_faults;
mod simulator_rules;
mod simulator_traces;
mod simulator_world;
mod support;

//! Everything that is tested through the public interface, as one binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

mod apply;
mod apply_cut_short;
mod apply_faults;
mod apply_killed;
mod apply_moments;
mod apply_people;
mod apply_random;
mod apply_refusals;
mod architecture;
mod cli_analysis;
mod cli_apply;
mod cli_config;
mod cli_files;
mod cli_plan;
mod cli_refusals;
mod cli_saved_plan;
mod cli_simulate;
mod cli_support;
mod cli_tracker;
mod cli_usage;
mod client_connect;
mod client_errors;
mod client_events;
mod client_mail;
mod client_paging;
mod client_read;
mod client_retry;
mod client_secrets;
mod client_support;
mod client_sweep;
mod client_write;
mod config;
mod config_mistakes;
mod groups;
mod planner;
mod simulator_exchanges;
mod simulator_faults;
mod simulator_rules;
mod simulator_traces;
mod simulator_world;
mod store;
mod store_journal;
mod store_refusals;
mod support;

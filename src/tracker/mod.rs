//! tracker

pub mod simulator;

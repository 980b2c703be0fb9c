//! A simulated Patchwork: relations, users' rights and events as a pure state machine.

mod catalogue;
mod hash_order;
mod membership;
mod rules;

pub use catalogue::{Catalogue, Patch, Project, SetupError, Token, User, UserId};
pub use rules::{Category, Event, EventId, Extent, Refusal, Rules, Written};

//! A simulated Patchwork: relations, users' rights and events as a pure state machine, and the REST API over them.

mod api;
mod catalogue;
mod hash_order;
mod membership;
mod rules;

pub use api::{ApiVersion, Delivery, Headers, Reply, Request};
pub use catalogue::{Catalogue, Patch, Project, SetupError, Token, User, UserId};
pub use rules::{Category, Event, EventId, Extent, Refusal, Rules, Written};

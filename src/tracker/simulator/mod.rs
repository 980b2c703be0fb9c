//! A simulated Patchwork, in three layers.
//!
//! 1. [`Rules`]: relations, users' rights and events as a pure state machine over a [`Catalogue`] of projects, users and patches.
//! 2. [`Request`] to [`Reply`]: the REST API over them, without a network.
//! 3. [`serve`]: HTTP/1.1 around a [`Simulator`], which keeps a log, strikes with [`Fault`]s and calls hooks.
//!
//! It behaves as a real server was seen to (3.3.0, snapshot of 2026-06-10): runs recorded there replay here exactly, errors, stale replies
//! and events included. What it starts from is a [`World`].
//!
//! It never does what a real server would not, except on purpose: what it cannot do is answered with 501.

mod api;
mod catalogue;
mod fault;
mod hash_order;
mod instance;
mod membership;
mod rules;
mod server;
mod world;

pub use api::{ApiVersion, Delivery, Headers, Reply, Request};
pub use catalogue::{Catalogue, Patch, Project, SetupError, Token, User, UserId};
pub use fault::{Fault, FaultKind, Requests, When};
pub use instance::{LoggedRequest, Moment, Simulator};
pub use rules::{Category, Event, EventId, Extent, Refusal, Rules, Written};
pub use server::{RunError, run, serve};
pub use world::{World, WorldError, WorldPatch, WorldProject, WorldUser};

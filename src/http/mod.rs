//! Servers over HTTP, whatever they serve: requests at a measured pace, patience where it may help, and errors that say what came.
//!
//! A read is tried again as its [`RetryPolicy`] says, at no more than so many requests a second, and a redirect is followed on the same server
//! only. What is asked for, and what it means, is the business of [`crate::tracker`] and of [`crate::source`].
//!
//! Answers are not asked for compressed: Apache gives a compressed answer an `ETag` of its own, which it does not know again when it is asked
//! whether it still holds, so that conditional requests would be lost by it.

mod address;
mod answer;
mod cause;
mod error;
mod meter;
mod pulse;
mod resolve;
mod retry;
mod retry_after;
mod session;
mod transport;

pub use address::Address;
pub(crate) use address::{Place, Scrubber};
pub use answer::Answer;
pub use cause::Cause;
pub use error::Error;
pub use meter::{Meter, RequestOutcome};
pub(crate) use meter::{came, part, was_web_page};
pub use pulse::Pulse;
pub(crate) use pulse::beat;
pub use retry::{Jitter, RetryPolicy};
pub use session::Validator;
pub(crate) use session::{Answered, Body, BodyEnd, JSON, Session, Trail, Wanted, with_sources};
pub use transport::Settings;
pub(crate) use transport::{Slot, Transport};

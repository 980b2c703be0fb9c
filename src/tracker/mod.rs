//! Patchwork over HTTP: what may be read, what may be written, and a simulator of both.
//!
//! A [`Reader`] can only read and a [`Writer`] can only write, so what holds no [`Writer`] cannot change a tracker. Reads are patient: they
//! are tried again, and lists are read in pages as large as the server bears. A write is sent once; when its outcome is not known, the
//! error says so ([`WriteError::Unknown`]) and a read tells.
//!
//! Nothing here knows why a patch is read or written: that is [`crate::reconcile`].

mod address;
mod error;
mod events;
mod http;
mod links;
mod page_size;
mod paging;
mod reader;
mod settings;
pub mod simulator;
mod sweep;
mod token;
mod wire;
mod write_error;
mod writer;

pub use error::Error;
pub use events::{Walk, WalkEnd};
pub use reader::{ApiVersion, Identity, Reader};
pub use settings::Settings;
pub use sweep::{Progress, Resume, Rows, Sweep};
pub use token::{Token, TokenError, TokenOrigin};
pub use write_error::{Lost, Refusal, Unsent, WriteError};
pub use writer::{Turn, Writer};

pub use crate::http::{Address, Answer, Cause, Jitter, RetryPolicy};

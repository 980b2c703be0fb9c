//! Patchwork over HTTP: what may be read, what may be written, and a simulator of both.
//!
//! A [`Reader`] can only read and a [`Writer`] can only write, so what holds no [`Writer`] cannot change a tracker. Reads are patient: they
//! are tried again, and lists are read in pages as large as the server bears. A write is sent once; when its outcome is not known, the
//! error says so ([`WriteError::Unknown`]) and a read tells.
//!
//! Nothing here knows why a patch is read or written: that is [`crate::reconcile`].

mod address;
mod error;
mod http;
mod links;
mod page_size;
mod paging;
mod reader;
mod retry_after;
mod settings;
pub mod simulator;
mod token;
mod wire;
mod writer;

pub use address::Address;
pub use error::{Answer, Error, Lost, Refusal, Unsent, WriteError, telling_cause};
pub use paging::Progress;
pub use reader::{ApiVersion, Identity, Reader};
pub use settings::{Jitter, RetryPolicy, Settings};
pub use token::{Token, TokenError, TokenOrigin};
pub use writer::Writer;

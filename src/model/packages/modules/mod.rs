//! Module lifecycles: which stream of which module is built for which release, until when, and why.
//!
//! The words are those of modulemd and of the third seed, Fedora's discussion of module lifecycles. A *stream* is a version of a module with a life of
//! its own. It says for which releases it is wanted (all, listed ones, all but some), and perhaps when it ends: on a date, with a release, by its
//! service levels, or because another stream obsoletes it. Whatever comes first wins. A *release* has a day on which it is generally available and a
//! day on which it ends. [`Lifecycles::matrix`] puts them together, and says of each stream and release not only what, but why.
//!
//! What the seed leaves open is decided here so:
//!
//! | question | answer |
//! | --- | --- |
//! | where is an end said? | in the documents (service levels, obsoletes) or to kinset ([`StreamDetails::eol`]) |
//! | how does a date meet releases? | by [`DatePolicy`] |
//! | a stream that ends with a release | is built for that release, and for none after it |
//! | several service levels | the stream lives as long as one of them does |
//! | several contexts | the stream is where one of its contexts is, as long as one is |
//! | a release that is not out yet, with no date | goes out neither before the releases before it nor before today |
//! | a release of which nobody knows when it ends | is not known to be covered by any date |

mod defaults;
mod endings;
mod ends;
mod lives;
mod matrix;
mod obsoletes;
mod operation;
mod platforms;
mod releases;
mod slip;
mod stream;
#[cfg(test)]
mod tests;

pub use defaults::Defaults;
pub use endings::{Ended, Ending};
pub use ends::{End, EndCause, StreamEnd};
pub use lives::{Branches, Life};
pub use matrix::{Because, Cell, DatePolicy, Lifecycles, Matrix, Standing, StrayDefault};
pub use obsoletes::{Obsoletes, newest};
pub use operation::ModuleOperation;
pub use platforms::{Platforms, PlatformsError};
pub use releases::{Release, Releases};
pub use slip::CellChange;
pub use stream::{ContextDetails, StreamDetails, StreamEol, StreamPath};

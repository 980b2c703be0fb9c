//! PaStA's files: `patch-groups`, one group of message ids a line, and what it is told in return.
//!
//! [`GroupFile`] reads one, split files included; [`Token universes`](TokenUniverse) are what one or two such files speak of, with the
//! partitions that they hold; [`generate`](generate::generate) makes files that look like real ones. The layout is that of PaStA's own
//! reader: ids separated by spaces, then optionally ` => ` and upstream commits, and lines that share an element are one group. Where PaStA
//! reads a missing or empty file as "no groups", kinset refuses, because for a tracker that would mean to clear everything.
//!
//! In return, [`write_feedback`] tells an analysis what people decided: [`FalsePositives`] that it must not group, and groups that it did not
//! find. [`groups_text`] writes partitions in its format, and [`append_mails`] an mbox that it can take in.

mod commits;
mod error;
mod export;
mod false_positives;
mod feedback;
pub mod generate;
mod groups;
mod intern;
mod mbox;
mod replace;
mod text;

pub use commits::Upstream;
pub use error::{GroupsError, Location};
pub use export::{GroupElement, groups_text};
pub use false_positives::{FalsePositives, FalsePositivesError, MergedPairs, Pair};
pub use feedback::{DOCUMENT_FILE, Feedback, FeedbackError, JOINED_FILE, PARTED_FILE, Written, write_feedback};
pub use groups::{Dialect, Ending, GroupFile};
pub use intern::{TokenUniverse, compare_files, read_pair, with_single_file};
pub use mbox::{MboxError, append_mails, write_mail};

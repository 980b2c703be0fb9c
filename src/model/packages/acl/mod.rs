//! Who may do something, and by which grant: one evaluator for PackageDB's, Launchpad's and Patchwork's permissions.
//!
//! [`decide()`] answers a [`Question`] from [`Facts`] with a [`Decision`]: yes with the grant that decided and the way from it to who asks, or
//! no with the reason and what came nearest. [`who_can()`] names everybody whom it would say yes to. Both are functions of the facts, whose
//! order changes nothing.
//!
//! # What counts
//!
//! - A permission counts if it is approved. Any other status gives nothing and takes nothing: in PackageDB (Package DB schema v3, T. Kuratomi,
//!   2006-12-05) a denied one is a request that was refused, and no veto.
//! - A permission of a team is one of all people and teams in it, through other teams too: Launchpad's `TeamParticipation`.
//! - Where several grants would decide, it is told which comes first in the order below; then the one through the fewest teams, then through
//!   the fewest package sets.
//!
//! # PackageDB's six, on a package in a series
//!
//! 1. The package has to be listed there.
//! 2. Its owner implicitly has all six. An orphan has no owner.
//! 3. Then permissions on the listing.
//!
//! # Uploads
//!
//! `Archive.checkUpload` of Launchpad (`lib/lp/soyuz/model/archive.py`, as of 2025-07-31) for the primary archive, step by step; the names of
//! its refusals stand at [`Refusal`]:
//!
//! 1. The pocket has to be open (`canModifySuite`). In a frozen series each is. `release` is closed once the series is released; `security` and
//!    `updates` are closed until then.
//! 2. The archive has to be enabled.
//! 3. The series must not have ended, unless the archive takes uploads to such series.
//! 4. A right to the pocket is one to everything in it.
//! 5. A right to the package, or one to a package set under the rule below (`isSourceUploadAllowed`).
//! 6. Rights to components. Without any, the upload is refused. With any, it is allowed, unless it is asked for one component
//!    strictly and the right is to another.
//!
//! **The rule of `explicit`.** If any permission that is marked explicit is on a set of the series that has the package *directly*, then among
//! the permissions on sets only those count that are explicit and on sets that have the package directly. Else each counts that is on a set
//! that includes the package, through other sets too, marked or not. It has odd corners, which are kept:
//!
//! - It does not matter whose the explicit permission is, nor what it permits: one to administer the queue shuts others out of uploading.
//! - An explicit permission on a set that has the package through another set shuts nobody out, and is itself shut out with the others.
//! - Pockets, packages and components know nothing of it: whoever has a right to the package's component uploads past all explicit sets.
//!
//! Statuses are PackageDB's and Launchpad has none, so here it is kinset that says: an explicit permission that is not approved shuts nobody
//! out. Two more rules are kinset's own. A series that was given up (`rejected`) counts as ended and as never released. A right to a pocket
//! of one series counts in that series only; Launchpad does not look at the series of such a right to upload, and its API makes none.
//!
//! # The queue
//!
//! `Archive.canAdministerQueue`: a right to the component, or else one to the pocket, of the series or of all. Where no component is asked for,
//! a right to any will do. Launchpad asks for several at once where an upload has several, and then the right to all of them or else to the
//! pocket decides; that is this question once for each. Rights on packages and sets, which Launchpad's tables can hold and its evaluator does not
//! ask about, are questions of their own here ([`Queue`]); a right to a set is one to the sets and packages in it, and `explicit` is no
//! matter of the queue.
//!
//! # Trackers
//!
//! A project's maintainers are permissions like any other, on [`Target::TrackerProject`](super::Target::TrackerProject). They are those that the tracker
//! has ([`Facts::of_project`]), and no distribution keeps others.

mod decide;
mod decision;
mod facts;
mod question;
mod teams;

pub use decide::{decide, who_can};
pub use decision::{But, Decision, Grant, Held, NearMiss, Refusal};
pub use facts::{Archive, Facts, Listing};
pub use question::{InComponent, Question, Queue, Upload, What};
pub use teams::Teams;

#[cfg(test)]
mod tests;

//! What stage a collection, a package, its listing in a collection and its versions are at, and what may follow.
//!
//! The words are those of the fifth seed (PackageDB's schema, version 3), spelt right; its own spelling is read. Which follows which
//! the seed does not say: for collections it is Launchpad's rule (`createStatusField` in `lib/lp/registry/browser/distroseries.py`), for the
//! rest what the states mean.

use super::word::{transitions, words};

words! {
    /// The stage of a collection: Launchpad's status of a series, Bodhi's state of a release and PackageDB's status of a collection in one.
    ///
    /// Before its release a collection goes to and fro between its stages, and so it does after; a release is not taken back. What was
    /// rejected may be taken up again.
    #[derive(Default)]
    CollectionStatus, "status of a collection" {
        /// Not begun yet.
        Future = "future",
        /// Tried out, with no release in sight.
        Experimental = "experimental",
        /// Worked on: PackageDB's `development`, Launchpad's "Active Development". A new collection begins here.
        #[default]
        Development = "development" | "active development" | "under development",
        /// About to be released: Launchpad's "Pre-release Freeze".
        Frozen = "frozen" | "pre-release freeze",
        /// Released, and the newest: PackageDB's `active`, Launchpad's "Current Stable Release".
        Active = "active" | "current stable release",
        /// Released and still looked after: PackageDB's `maintenance`, Launchpad's "Supported".
        Maintenance = "maintenance" | "maintanence" | "supported",
        /// No longer looked after: PackageDB's `EOL`, Launchpad's "Obsolete".
        Eol = "eol" | "obsolete",
        /// Given up before it was released.
        Rejected = "rejected",
    }
}

transitions! {
    CollectionStatus, "a collection" {
        Future => Experimental | Development | Frozen | Active | Rejected,
        Experimental => Future | Development | Frozen | Active | Rejected,
        Development => Future | Experimental | Frozen | Active | Rejected,
        Frozen => Future | Experimental | Development | Active | Rejected,
        Active => Maintenance | Eol,
        Maintenance => Active | Eol,
        Eol => Active | Maintenance,
        Rejected => Future | Experimental | Development,
    }
}

impl CollectionStatus {
    /// Whether nothing is to change in the collection any more.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Eol | Self::Rejected)
    }
}

words! {
    /// The stage of a package as such, whatever collections it is in.
    ///
    /// The last two are the later PackageDB's. Its `Orphaned` is no status here and is refused as one: that a package is orphaned is said by
    /// its owner in a collection ([`is_orphan`](super::is_orphan)), and said twice it could contradict itself.
    #[derive(Default)]
    PackageStatus, "status of a package" {
        /// Waits for somebody to review it. A new package begins here.
        #[default]
        AwaitingReview = "awaitingreview" | "awaiting review",
        /// Somebody reviews it.
        UnderReview = "underreview" | "under review",
        /// May be built.
        Approved = "approved",
        /// Reviewed and not wanted. It may be proposed again.
        Denied = "denied",
        /// No longer built. Fedora reviews it anew when somebody wants it back, unless that is soon.
        Retired = "retired",
        /// Taken away altogether.
        Removed = "removed",
    }
}

transitions! {
    PackageStatus, "a package" {
        AwaitingReview => UnderReview | Approved | Denied,
        UnderReview => AwaitingReview | Approved | Denied,
        Approved => Retired | Removed,
        Denied => AwaitingReview,
        Retired => AwaitingReview | Approved | Removed,
        Removed => AwaitingReview,
    }
}

words! {
    /// The stage of a package in one collection.
    #[derive(Default)]
    ListingStatus, "status of a listing" {
        /// Waits for somebody to decide whether the package comes into the collection. A new listing begins here.
        #[default]
        AwaitingReview = "awaitingreview" | "awaiting review",
        /// Decided; its branch in version control is still to be made.
        AwaitingBranch = "awaitingbranch" | "awaiting branch",
        /// In the collection.
        Approved = "approved",
        /// Not to come into the collection. It may be proposed again.
        Denied = "denied",
        /// In the collection once: the later PackageDB's `Retired` and `Removed`.
        Obsolete = "obsolete" | "retired" | "removed",
    }
}

transitions! {
    ListingStatus, "a listing" {
        AwaitingReview => AwaitingBranch | Approved | Denied | Obsolete,
        AwaitingBranch => AwaitingReview | Approved | Denied | Obsolete,
        Approved => Obsolete,
        Denied => AwaitingReview,
        Obsolete => AwaitingReview,
    }
}

impl ListingStatus {
    /// Whether the package is in the collection: a lookup finds it there, and permissions on it count. PackageDB gave out the permissions of
    /// approved listings only (`vcs_acls` in `pkgdb2/lib/model`).
    #[must_use]
    pub const fn is_in(self) -> bool {
        matches!(self, Self::Approved)
    }
}

words! {
    /// The stage of one version of a package.
    ///
    /// Stages may be left out, since not every distribution has all of them, and a version may be sent back; but what is approved has been
    /// reviewed.
    #[derive(Default)]
    VersionStatus, "status of a version" {
        /// Worked on. A new version begins here.
        #[default]
        AwaitingDevel = "awaitingdevel",
        /// Waits for its review.
        AwaitingReview = "awaitingreview" | "awaiting review",
        /// Waits for its test.
        AwaitingQa = "awaitingqa",
        /// Waits to be published.
        AwaitingPublish = "awaitingpublish" | "aaitingpublish",
        /// Published.
        Approved = "approved",
        /// Not to be published. It may be worked on or reviewed again.
        Denied = "denied",
        /// Superseded or withdrawn. It may be reviewed again.
        Obsolete = "obsolete",
    }
}

transitions! {
    VersionStatus, "a version" {
        AwaitingDevel => AwaitingReview | Denied | Obsolete,
        AwaitingReview => AwaitingDevel | AwaitingQa | AwaitingPublish | Approved | Denied | Obsolete,
        AwaitingQa => AwaitingDevel | AwaitingReview | AwaitingPublish | Approved | Denied | Obsolete,
        AwaitingPublish => AwaitingDevel | AwaitingReview | AwaitingQa | Approved | Denied | Obsolete,
        Approved => Obsolete,
        Denied => AwaitingDevel | AwaitingReview | Obsolete,
        Obsolete => AwaitingReview,
    }
}

impl VersionStatus {
    /// Whether it is built and waits: its packages are where a collection's pending ones are.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::AwaitingQa | Self::AwaitingPublish)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The laws of one enum, as a function so that each enum can be held against them.
    macro_rules! lawful {
        ($($name:ident)+) => { $({
            for status in $name::ALL {
                assert_eq!(status.word().parse(), Ok(status));
                assert_eq!(serde_json::to_value(status).unwrap(), status.word());
                assert!(!status.successors().is_empty(), "{status} is a dead end");
                assert!(!status.may_become(status), "{status} follows itself");
                let successors: BTreeSet<_> = status.successors().iter().collect();
                assert_eq!(successors.len(), status.successors().len(), "{status} names a successor twice");
            }
            let mut reached = BTreeSet::from([$name::default()]);
            while let Some(new) = $name::ALL.into_iter().find(|to| !reached.contains(to) && reached.iter().any(|from| from.may_become(*to))) {
                reached.insert(new);
            }
            assert_eq!(reached, BTreeSet::from($name::ALL), "not everything is reached from where a new one begins");
        })+ };
    }

    #[test]
    fn every_word_reads_back_and_every_status_is_reached_and_left() {
        lawful!(CollectionStatus PackageStatus ListingStatus VersionStatus);
    }

    #[test]
    fn the_words_of_others_are_read_and_never_written() {
        for (text, status) in [
            ("Pre-release Freeze", CollectionStatus::Frozen),
            ("maintanence", CollectionStatus::Maintenance),
            ("EOL", CollectionStatus::Eol),
        ] {
            assert_eq!(text.parse(), Ok(status));
            assert_ne!(status.word(), text);
        }
        assert_eq!("aaitingpublish".parse(), Ok(VersionStatus::AwaitingPublish));
        assert_eq!(VersionStatus::AwaitingPublish.word(), "awaitingpublish");
        assert_eq!("Retired".parse(), Ok(ListingStatus::Obsolete));
    }

    #[test]
    fn what_is_no_status_is_refused_with_all_that_are() {
        insta::assert_snapshot!("Orphaned".parse::<PackageStatus>().unwrap_err(), @r#""Orphaned" is no status of a package; expected one of awaitingreview, underreview, approved, denied, retired, removed"#);
        assert!("maintained".parse::<CollectionStatus>().is_err());
        assert!(serde_json::from_str::<ListingStatus>(r#""underreview""#).is_err());
    }

    #[test]
    fn a_release_is_not_taken_back() {
        let released = [CollectionStatus::Active, CollectionStatus::Maintenance, CollectionStatus::Eol];
        for from in released {
            for to in CollectionStatus::ALL {
                assert_eq!(from.may_become(to), from != to && released.contains(&to), "{from} to {to}");
            }
        }
        insta::assert_snapshot!(CollectionStatus::Active.require_may_become(CollectionStatus::Development).unwrap_err(), @"a collection that is active does not become development, only maintenance or eol");
    }

    #[test]
    fn only_an_active_collection_comes_out_of_development_as_released() {
        for from in [
            CollectionStatus::Future,
            CollectionStatus::Experimental,
            CollectionStatus::Development,
            CollectionStatus::Frozen,
        ] {
            assert!(from.may_become(CollectionStatus::Active));
            assert!(!from.may_become(CollectionStatus::Maintenance));
            assert!(!from.may_become(CollectionStatus::Eol));
            assert!(from.may_become(CollectionStatus::Rejected));
        }
    }

    #[test]
    fn what_was_denied_or_is_over_comes_back_through_review() {
        assert_eq!(PackageStatus::Denied.successors(), [PackageStatus::AwaitingReview]);
        assert_eq!(PackageStatus::Removed.successors(), [PackageStatus::AwaitingReview]);
        assert_eq!(ListingStatus::Denied.successors(), [ListingStatus::AwaitingReview]);
        assert_eq!(ListingStatus::Obsolete.successors(), [ListingStatus::AwaitingReview]);
        assert_eq!(VersionStatus::Obsolete.successors(), [VersionStatus::AwaitingReview]);
        assert_eq!(VersionStatus::Denied.require_may_become(VersionStatus::AwaitingReview), Ok(()));
    }

    #[test]
    fn no_version_is_approved_without_its_review() {
        assert!(!VersionStatus::AwaitingDevel.may_become(VersionStatus::Approved));
        assert!(!VersionStatus::Denied.may_become(VersionStatus::Approved));
        insta::assert_snapshot!(VersionStatus::Approved.require_may_become(VersionStatus::Denied).unwrap_err(), @"a version that is approved does not become denied, only obsolete");
    }
}

//! Where distributions come from, one file for each source.
//!
//! A source reads what it has into a [`DistributionDocument`](crate::model::packages::document::DistributionDocument), and knows nothing of the
//! store: what differs is a plan like any other. [`local`] reads files.

pub mod local;

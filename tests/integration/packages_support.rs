//! A store whose package model is changed by operations as the log writes them down.

use jiff::{SignedDuration, Timestamp};
use kinset::model::packages::{Operation, PackageName};
use kinset::remedy::Remedy as _;
use kinset::store::packages::{Force, Hand, Performed, Provided, SeriesRow, View};
use kinset::store::{Fault, Store, StoreError};
use serde_json::Value;

/// A store in a folder, and the time that passes there: a minute with each operation.
pub(crate) struct Kept {
    pub(crate) store: Store,
    pub(crate) now: Timestamp,
    _folder: tempfile::TempDir,
}

impl Kept {
    /// The distribution `d` with these series, all in development, and packages.
    pub(crate) fn new(versions: &str, series: &[&str], packages: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Self {
            store: Store::open(folder.path()).unwrap(),
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            _folder: folder,
        };
        kept.done(&format!(
            r#"{{"op":"create-distribution","distribution":"d","sharing":"copy-on-write","versions":"{versions}"}}"#
        ));
        for name in series {
            kept.done(&format!(r#"{{"op":"create-series","in":"d/{name}","owner":"ann"}}"#));
        }
        let packages = serde_json::to_string(packages).unwrap();
        kept.done(&format!(r#"{{"op":"add-packages","distribution":"d","packages":{packages}}}"#));
        kept
    }

    /// Lists a package, approved and owned by ann.
    pub(crate) fn list(&mut self, series: &str, package: &str) {
        self.done(&format!(
            r#"{{"op":"add-listing","in":"d/{series}","package":"{package}","owner":"ann","status":"approved"}}"#
        ));
    }

    /// Puts an approved version into a series, which becomes known if need be.
    pub(crate) fn version(&mut self, series: &str, package: &str, version: &str) {
        let known = format!(r#"{{"op":"add-version","distribution":"d","package":"{package}","version":"{version}","status":"approved"}}"#);
        let _known_already = self.attempt(&known, Force::Not);
        self.done(&format!(
            r#"{{"op":"list-version","in":"d/{series}","package":"{package}","version":"{version}"}}"#
        ));
    }

    pub(crate) fn attempt(&mut self, operation: &str, force: Force) -> Result<Performed, StoreError> {
        let operation: Operation = serde_json::from_str(operation).unwrap();
        self.now += SignedDuration::from_mins(1);
        let hand = Hand {
            actor: "ann".to_owned(),
            at: self.now,
            force,
        };
        let mut performed = self.store.perform(&hand, &[operation])?;
        Ok(performed.remove(0))
    }

    #[track_caller]
    pub(crate) fn done(&mut self, operation: &str) -> Performed {
        self.attempt(operation, Force::Not)
            .unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// Does what has to be refused. Tells how: the message, its cause, and the remedy.
    #[track_caller]
    pub(crate) fn refused(&mut self, operation: &str) -> String {
        match self.attempt(operation, Force::Not) {
            Ok(performed) => panic!("{operation} was not refused: {performed:?}"),
            Err(error) => told(&error),
        }
    }

    /// The changes that an operation made, a line each.
    pub(crate) fn changes(&mut self, operation: &str) -> String {
        let changes = self.done(operation).changes.into_iter().map(|change| {
            let json = |value: Option<Value>| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
            let place = change.series.map_or_else(|| "d".to_owned(), |series| format!("d/{series}"));
            format!(
                "{place} {} {}: {} > {}",
                change.kind,
                change.name,
                json(change.before),
                json(change.after)
            )
        });
        changes.collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn ask<T>(&self, as_of: Option<Timestamp>, question: impl FnOnce(&View<'_>) -> Result<T, Fault>) -> T {
        self.store.ask(as_of, question).unwrap()
    }

    /// Asks about a series of `d`.
    pub(crate) fn of<T>(
        &self,
        series: &str,
        as_of: Option<Timestamp>,
        question: impl FnOnce(&View<'_>, SeriesRow) -> Result<T, Fault>,
    ) -> T {
        self.ask(as_of, |view| question(view, view.series(&format!("d/{series}").parse().unwrap())?))
    }

    pub(crate) fn lookup(&self, series: &str, package: &str, as_of: Option<Timestamp>) -> Result<Provided, String> {
        let package: PackageName = package.parse().unwrap();
        let series = format!("d/{series}").parse().unwrap();
        let found = self.store.ask(as_of, |view| view.lookup(&view.series(&series)?, &package));
        found.map_err(|error| told(&error))
    }
}

/// An error with its causes and its remedy.
pub(crate) fn told(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(&format!("; because {cause_text}"));
        }
        next = cause.source();
    }
    match error.remedy() {
        Some(remedy) => format!("{text} -- {remedy}"),
        None => text,
    }
}

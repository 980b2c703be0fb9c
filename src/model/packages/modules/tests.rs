//! The third seed's example, what it says of ends, what it leaves open, and a slip.

mod properties;
mod seed;

use std::collections::BTreeMap;

use jiff::civil::{Date, date};

use super::{ContextDetails, Defaults, Lifecycles, Matrix, Platforms, Release, Releases, Standing, StreamDetails, StreamPath};
use crate::model::packages::CollectionStatus;

/// Fedora 27 to 30 on a day of 2018 on which 30 is Rawhide; all its dates are known.
fn fedora() -> Releases {
    let release = |number: u32, status, released, eol| Release {
        name: format!("f{number}").parse().unwrap(),
        version: number.to_string().parse().unwrap(),
        platforms: [format!("f{number}").parse().unwrap()].into(),
        status,
        released: Some(released),
        eol: Some(eol),
    };
    use CollectionStatus::{Active, Development, Maintenance};
    Releases::new([
        release(30, Development, date(2019, 4, 29), date(2020, 5, 26)),
        release(27, Maintenance, date(2017, 11, 14), date(2018, 11, 30)),
        release(28, Maintenance, date(2018, 5, 1), date(2019, 5, 28)),
        release(29, Active, date(2018, 10, 30), date(2019, 11, 26)),
    ])
}

fn today() -> Date {
    date(2018, 11, 15)
}

/// A stream that is wanted for these platforms, and has one context.
fn wanted(platforms: &str) -> StreamDetails {
    let context = ContextDetails {
        platforms: Platforms::from_words(platforms.split_whitespace()).unwrap(),
        packages: ["nodejs".parse().unwrap()].into(),
        ..ContextDetails::default()
    };
    StreamDetails {
        contexts: [("".parse().unwrap(), context)].into(),
        ..StreamDetails::default()
    }
}

fn path(text: &str) -> StreamPath {
    text.parse().unwrap()
}

fn lifecycles(streams: impl IntoIterator<Item = (&'static str, StreamDetails)>) -> Lifecycles {
    Lifecycles {
        releases: fedora(),
        streams: streams.into_iter().map(|(name, details)| (path(name), details)).collect(),
        defaults: BTreeMap::new(),
        today: today(),
    }
}

/// The default definitions of the seed.
fn defaults() -> Defaults {
    let of = |(release, stream): (&str, &str)| (release.parse().unwrap(), stream.parse().unwrap());
    Defaults {
        everywhere: None,
        releases: [("f27", "8"), ("f28", "8"), ("f29", "10"), ("f30", "10")].map(of).into(),
    }
}

/// A line for each release, as the seed has it: the default stream, then the others.
fn available(matrix: &Matrix) -> String {
    let mut text = String::new();
    for release in &matrix.releases {
        let with = |standing| {
            let cells = matrix.streams.iter().filter(move |(_, cells)| cells[release].standing == standing);
            cells
                .map(|(stream, _)| stream.to_string().replace(':', " "))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let (default, others) = (with(Standing::Default), with(Standing::Available));
        let default = if default.is_empty() {
            String::new()
        } else {
            format!(" {default} by default")
        };
        let others = if others.is_empty() {
            String::new()
        } else {
            format!(" also {others}")
        };
        text.push_str(&format!("{release}:{default}{others}\n"));
    }
    text
}

/// The releases that a stream is built for.
fn built(matrix: &Matrix, stream: &str) -> String {
    let cells = &matrix.streams[&path(stream)];
    let built = matrix
        .releases
        .iter()
        .filter(|release| cells[*release].standing != Standing::NotBuilt);
    built.map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

//! What `kinset collection` tells of built packages, of groups of them, and of categories of groups.

use std::collections::BTreeSet;

use serde::Serialize;

use super::arguments::{AsOf, Place, Shape};
use super::ask;
use super::collection_show::or_dash;
use super::show::{self, Entry};
use crate::cli::Status;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::model::packages::{BuiltDetails, BuiltPackageName, CategoryDetails, CompsName, GroupDetails, PackageName, Requirement, Version};

#[derive(Debug, Serialize)]
struct BuiltEntry {
    built: BuiltPackageName,
    package: PackageName,
    version: Version,
    #[serde(flatten)]
    details: BuiltDetails,
}

impl Entry for BuiltEntry {
    const HEADINGS: &'static [&'static str] = &["BUILT", "PACKAGE", "VERSION", "SUMMARY"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.built.to_string(),
            self.package.to_string(),
            self.version.to_string(),
            self.details.summary.clone().unwrap_or_default(),
        ]
    }

    fn name(&self) -> String {
        self.built.to_string()
    }
}

pub(super) fn built(package: Option<&PackageName>, place: &Place, as_of: AsOf, shape: Shape, file: &ConfigFile) -> Result<Status, Failure> {
    let rows = ask(file, as_of, |view| {
        let series = place.series(view)?;
        if let Some(package) = package {
            view.listing(&series, package)?;
        }
        view.built(&series)
    })?;
    let wanted = rows.into_iter().filter(|row| package.is_none_or(|package| row.package == *package));
    let entries: Vec<BuiltEntry> = wanted
        .map(|row| BuiltEntry {
            built: row.name,
            package: row.package,
            version: row.version,
            details: row.details,
        })
        .collect();
    show::list(&entries, shape)?;
    Ok(Status::Done)
}

#[derive(Debug, Serialize)]
struct CompsEntry {
    id: CompsName,
    title: String,
    summary: Option<String>,
    /// How many built packages a group has, and how many groups a category.
    members: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<BTreeSet<CompsName>>,
}

impl Entry for CompsEntry {
    const HEADINGS: &'static [&'static str] = &["ID", "TITLE", "MEMBERS", "SUMMARY"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.title.clone(),
            self.members.to_string(),
            self.summary.clone().unwrap_or_default(),
        ]
    }

    fn name(&self) -> String {
        self.id.to_string()
    }
}

pub(super) fn groups(place: &Place, as_of: AsOf, shape: Shape, file: &ConfigFile) -> Result<Status, Failure> {
    let groups = ask(file, as_of, |view| view.groups(&place.series(view)?))?;
    let entry = |(id, group): (CompsName, GroupDetails)| CompsEntry {
        id,
        title: group.title,
        summary: group.summary,
        members: group.members.len(),
        groups: None,
    };
    show::list(&groups.into_iter().map(entry).collect::<Vec<_>>(), shape)?;
    Ok(Status::Done)
}

pub(super) fn categories(place: &Place, as_of: AsOf, shape: Shape, file: &ConfigFile) -> Result<Status, Failure> {
    let categories = ask(file, as_of, |view| view.categories(&place.series(view)?))?;
    let entry = |(id, category): (CompsName, CategoryDetails)| CompsEntry {
        id,
        title: category.title,
        summary: category.summary,
        members: category.groups.len(),
        groups: Some(category.groups),
    };
    show::list(&categories.into_iter().map(entry).collect::<Vec<_>>(), shape)?;
    Ok(Status::Done)
}

#[derive(Debug, Serialize)]
struct MemberEntry {
    built: BuiltPackageName,
    #[serde(flatten)]
    requirement: Requirement,
    /// Whether the collection has it.
    is_there: bool,
}

impl Entry for MemberEntry {
    const HEADINGS: &'static [&'static str] = &["BUILT", "TYPE", "REQUIRES", ""];

    fn cells(&self) -> Vec<String> {
        let requires = match &self.requirement {
            Requirement::Conditional { requires } => Some(requires),
            Requirement::Mandatory | Requirement::Default | Requirement::Optional => None,
        };
        vec![
            self.built.to_string(),
            self.requirement.word().to_owned(),
            or_dash(requires),
            if self.is_there { String::new() } else { "missing".to_owned() },
        ]
    }

    fn name(&self) -> String {
        self.built.to_string()
    }
}

pub(super) fn members(group: &CompsName, place: &Place, as_of: AsOf, shape: Shape, file: &ConfigFile) -> Result<Status, Failure> {
    let entries = ask(file, as_of, |view| {
        let series = place.series(view)?;
        let there: BTreeSet<BuiltPackageName> = view.built(&series)?.into_iter().map(|row| row.name).collect();
        let members = view.group(&series, group)?.members.into_iter();
        Ok(members
            .map(|(built, requirement)| MemberEntry {
                is_there: there.contains(&built),
                built,
                requirement,
            })
            .collect::<Vec<_>>())
    })?;
    show::list(&entries, shape)?;
    Ok(Status::Done)
}

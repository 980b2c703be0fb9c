//! The questions of `kinset acl`.

use std::collections::BTreeSet;

use serde::Serialize;

use super::acl::Asked;
use super::arguments::{AsOf, Place, Shape};
use super::ask;
use super::show::{self, Entry, printable};
use crate::cli::args::Format;
use crate::cli::failure::{Failure, Misuse};
use crate::cli::wiring::ConfigFile;
use crate::cli::{Status, output};
use crate::model::ProjectName;
use crate::model::packages::acl::{Decision, Facts, Held, Question, What, decide, who_can};
use crate::model::packages::{PackageSetName, Party, Permission, Target};
use crate::store::Store;

pub(super) fn can(
    who: &Party,
    asked: &Asked,
    place: &Place,
    as_of: AsOf,
    format: Option<Format>,
    file: &ConfigFile,
) -> Result<Status, Failure> {
    let (what, facts) = facts(Some(who), asked, place, as_of, file)?;
    let question = Question { who: who.clone(), what };
    let decision = decide(&facts, &question);
    match format {
        None => {}
        Some(Format::Json) => output::json_if_whole(&decision, Status::Done)?,
        Some(Format::Text) => output::data(|out| {
            writeln!(out, "{}", printable(&decision.to_string()))?;
            if let Decision::Refused { nearest, .. } = &decision {
                for miss in nearest {
                    writeln!(out, "  near miss: {}", printable(&miss.to_string()))?;
                }
            }
            Ok(())
        })?,
    }
    Ok(if decision.is_allowed() { Status::Done } else { Status::Failed })
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct HeldEntry(Held);

impl Entry for HeldEntry {
    const HEADINGS: &'static [&'static str] = &["WHO", "BY"];

    fn cells(&self) -> Vec<String> {
        vec![self.0.by.party().to_string(), self.0.to_string()]
    }

    fn name(&self) -> String {
        self.0.by.party().to_string()
    }
}

pub(super) fn who(asked: &Asked, place: &Place, as_of: AsOf, shape: Shape, file: &ConfigFile) -> Result<Status, Failure> {
    let (what, facts) = facts(None, asked, place, as_of, file)?;
    let mut entries: Vec<HeldEntry> = who_can(&facts, &what).into_iter().map(HeldEntry).collect();
    if shape.quiet {
        let mut told = BTreeSet::new();
        entries.retain(|held| told.insert(held.name()));
    }
    show::list(&entries, shape)?;
    Ok(Status::Done)
}

/// The question, and what bears on it.
fn facts(who: Option<&Party>, asked: &Asked, place: &Place, as_of: AsOf, file: &ConfigFile) -> Result<(What, Facts), Failure> {
    if let Some((tracker, project)) = asked.project(place)? {
        return facts_of_project(tracker, project, as_of, file);
    }
    let asked = ask(file, as_of, |view| {
        let series = place.series(view)?;
        let distribution = view.distribution(&series.path.distribution)?;
        if let Some(who) = who {
            view.require_party(&distribution, who)?;
        }
        Ok(match asked.what(&series) {
            Ok(what) => {
                asked.require_known(view, &distribution)?;
                let facts = view.facts(&distribution, who, &what)?;
                Ok((what, facts))
            }
            Err(misuse) => Err(misuse),
        })
    })?;
    asked.map_err(Failure::from)
}

/// A tracker's projects are known from its last pull.
fn facts_of_project(tracker: &str, name: ProjectName, as_of: AsOf, file: &ConfigFile) -> Result<(What, Facts), Failure> {
    if as_of.as_of.is_some() {
        return Err(Misuse::NoPast.into());
    }
    let config = file.load()?;
    let tracker = config.select(&[tracker])?.remove(0);
    let stored = Store::open_read_only(&config.state_dir)?.snapshot(tracker.name.as_str())?;
    let stored = stored.filter(|stored| stored.url == tracker.url.as_str());
    let project = stored.and_then(|stored| stored.snapshot.projects.into_values().find(|project| project.name == name));
    let Some(project) = project else {
        return Err(Misuse::NoProject {
            tracker: tracker.name.to_string(),
            project: name.to_string(),
        }
        .into());
    };
    let facts = Facts::of_project(tracker.name.as_str(), &project);
    let what = What::Maintain {
        tracker: tracker.name.to_string(),
        project: name,
    };
    Ok((what, facts))
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct PermissionEntry(Permission);

impl Entry for PermissionEntry {
    const HEADINGS: &'static [&'static str] = &["WHO", "ACTION", "ON", "STATUS", ""];

    fn cells(&self) -> Vec<String> {
        let Permission {
            party,
            action,
            target,
            status,
            explicit,
        } = &self.0;
        let explicit = if *explicit { "explicit" } else { "" };
        vec![
            party.to_string(),
            action.to_string(),
            target.to_string(),
            status.to_string(),
            explicit.to_owned(),
        ]
    }

    fn name(&self) -> String {
        self.0.party.to_string()
    }
}

pub(super) fn list(
    party: Option<&Party>,
    set: Option<&PackageSetName>,
    place: &Place,
    as_of: AsOf,
    shape: Shape,
    file: &ConfigFile,
) -> Result<Status, Failure> {
    let mut permissions = ask(file, as_of, |view| {
        let distribution = view.distribution_meant(place.distribution.as_ref())?;
        if let Some(party) = party {
            view.require_party(&distribution, party)?;
        }
        let series = place.series.as_ref().map(|_| place.series(view)).transpose()?;
        if let (Some(series), Some(set)) = (&series, set) {
            view.set(series, set)?;
        }
        view.permissions(&distribution, series.as_ref())
    })?;
    permissions.retain(|permission| party.is_none_or(|party| permission.party == *party));
    permissions.retain(|permission| match (&permission.target, set) {
        (_, None) => true,
        (Target::PackageSet { set: on, .. }, Some(set)) => on == set,
        _ => false,
    });
    if permissions.is_empty() && (party.is_some() || set.is_some()) {
        output::say("there is no such permission");
    }
    let entries: Vec<PermissionEntry> = permissions.into_iter().map(PermissionEntry).collect();
    show::list(&entries, shape)?;
    Ok(Status::Done)
}

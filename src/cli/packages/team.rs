//! `kinset team`

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::arguments::{AsOf, Doing, Shape};
use super::show::{self, Entry, Name};
use super::{ask, perform};
use crate::cli::Status;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::model::packages::acl::Teams;
use crate::model::packages::{DistributionName, Operation, Party, TeamName};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TeamCommand {
    /// List the teams of a distribution
    List {
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// List who is in a team, through other teams too
    Members {
        /// The team, with or without its @
        #[arg(value_parser = team)]
        team: TeamName,
        /// Only who is in it directly
        #[arg(long)]
        direct: bool,
        /// The distribution [default: the only one]
        #[arg(long, value_name = "NAME")]
        distribution: Option<DistributionName>,
        #[command(flatten)]
        as_of: AsOf,
        #[command(flatten)]
        shape: Shape,
    },
    /// Put people and teams into a team
    Add(Change),
    /// Take people and teams out of a team
    Remove(Change),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Change {
    /// The team, with or without its @
    #[arg(value_parser = team)]
    team: TeamName,
    /// People, and teams with @
    #[arg(required = true, value_name = "WHO")]
    members: Vec<Party>,
    /// The distribution [default: the only one]
    #[arg(long, value_name = "NAME")]
    distribution: Option<DistributionName>,
    #[command(flatten)]
    doing: Doing,
}

fn team(text: &str) -> Result<TeamName, crate::model::packages::NameError> {
    text.strip_prefix('@').unwrap_or(text).parse()
}

#[derive(Debug, Serialize)]
struct TeamEntry {
    team: TeamName,
    /// Who is directly in it.
    members: BTreeSet<Party>,
}

impl Entry for TeamEntry {
    const HEADINGS: &'static [&'static str] = &["TEAM", "MEMBERS"];

    fn cells(&self) -> Vec<String> {
        let members: Vec<String> = self.members.iter().map(ToString::to_string).collect();
        vec![format!("@{}", self.team), members.join(" ")]
    }

    fn name(&self) -> String {
        format!("@{}", self.team)
    }
}

pub(in crate::cli) fn run(command: TeamCommand, file: &ConfigFile) -> Result<Status, Failure> {
    match command {
        TeamCommand::List {
            distribution,
            as_of,
            shape,
        } => {
            let teams = ask(file, as_of, |view| view.teams(&view.distribution_meant(distribution.as_ref())?))?;
            let entries: Vec<TeamEntry> = teams.into_iter().map(|(team, members)| TeamEntry { team, members }).collect();
            show::list(&entries, shape)?;
            Ok(Status::Done)
        }
        TeamCommand::Members {
            team,
            direct,
            distribution,
            as_of,
            shape,
        } => {
            let members = ask(file, as_of, |view| {
                let distribution = view.distribution_meant(distribution.as_ref())?;
                view.require_team(&distribution, &team)?;
                let mut teams = view.teams(&distribution)?;
                if direct {
                    return Ok(teams.remove(&team).unwrap_or_default());
                }
                let mut all = Teams::default();
                for (team, members) in teams {
                    for member in members {
                        all.add(team.clone(), member);
                    }
                }
                Ok(all.participants(&team))
            })?;
            let names: Vec<Name> = members.into_iter().map(|member| Name(member.to_string())).collect();
            show::list(&names, shape)?;
            Ok(Status::Done)
        }
        TeamCommand::Add(Change {
            team,
            members,
            distribution,
            doing,
        }) => perform(file, &doing, |view| {
            Ok(vec![Operation::AddMembers {
                distribution: view.distribution_meant(distribution.as_ref())?.name,
                team,
                members: members.into_iter().collect(),
            }])
        }),
        TeamCommand::Remove(Change {
            team,
            members,
            distribution,
            doing,
        }) => perform(file, &doing, |view| {
            let distribution = view.distribution_meant(distribution.as_ref())?;
            view.require_team(&distribution, &team)?;
            Ok(vec![Operation::RemoveMembers {
                distribution: distribution.name,
                team,
                members: members.into_iter().collect(),
            }])
        }),
    }
}

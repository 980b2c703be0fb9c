//! Who is in which team.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::act::{Act, Scope};
use super::distributions::names;
use super::view::{DistributionRow, View, holds, parsed};
use crate::model::packages::{DistributionName, Hierarchy, Party, Refusal, TeamName};
use crate::store::database::Fault;

impl View<'_> {
    /// The teams of a distribution, with who is directly in them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn teams(&self, distribution: &DistributionRow) -> Result<BTreeMap<TeamName, BTreeSet<Party>>, Fault> {
        let select = concat!(
            "SELECT team, member FROM team_member WHERE distribution = ?2 AND ",
            holds!("team_member")
        );
        let rows: Vec<(TeamName, Party)> = self.all(select, params![self.at, distribution.id], |row| {
            Ok((parsed(row, 0)?, parsed(row, 1)?))
        })?;
        let mut teams: BTreeMap<TeamName, BTreeSet<Party>> = BTreeMap::new();
        for (team, member) in rows {
            teams.entry(team).or_default().insert(member);
        }
        Ok(teams)
    }
}

pub(super) fn add(act: &mut Act<'_>, distribution: &DistributionName, team: &TeamName, members: &BTreeSet<Party>) -> Result<(), Fault> {
    let distribution = act.view.distribution(distribution)?;
    let teams = act.view.teams(&distribution)?;
    let none = BTreeSet::new();
    let new: Vec<&Party> = members.difference(teams.get(team).unwrap_or(&none)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let edges = teams
        .iter()
        .flat_map(|(team, members)| members.iter().filter_map(move |member| edge(team, member)));
    let edges: Vec<(TeamName, TeamName)> = edges.chain(new.iter().filter_map(|member| edge(team, member))).collect();
    let nodes: BTreeSet<TeamName> = edges.iter().flat_map(|(team, member)| [team.clone(), member.clone()]).collect();
    Hierarchy::new(nodes, edges).map_err(|cycle| Refusal::TeamCycle {
        member: cycle.path.get(1).unwrap_or(team).clone(),
        team: team.clone(),
        cycle,
    })?;
    for member in &new {
        let insert = "INSERT INTO team_member (distribution, team, member, since) VALUES (?1, ?2, ?3, ?4)";
        act.execute(insert, params![distribution.id, team.as_str(), member.to_string(), act.log])?;
    }
    act.changed(
        Scope::Distribution(&distribution),
        "team",
        &Party::Team(team.clone()),
        None,
        names(new),
    )
}

fn edge(team: &TeamName, member: &Party) -> Option<(TeamName, TeamName)> {
    match member {
        Party::Team(member) => Some((team.clone(), member.clone())),
        Party::Person(_) => None,
    }
}

pub(super) fn remove(act: &mut Act<'_>, distribution: &DistributionName, team: &TeamName, members: &BTreeSet<Party>) -> Result<(), Fault> {
    let distribution = act.view.distribution(distribution)?;
    let teams = act.view.teams(&distribution)?;
    let none = BTreeSet::new();
    let absent: Vec<Party> = members.difference(teams.get(team).unwrap_or(&none)).cloned().collect();
    if !absent.is_empty() {
        return Err(Refusal::NoMembers {
            team: team.clone(),
            members: absent,
        }
        .into());
    }
    for member in members {
        let member = member.to_string();
        act.close(
            "team_member",
            "distribution = ?1 AND team = ?2 AND member = ?3",
            &[&distribution.id, &team.as_str(), &member],
        )?;
    }
    act.changed(
        Scope::Distribution(&distribution),
        "team",
        &Party::Team(team.clone()),
        names(members),
        None,
    )
}

//! Who is in which team.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::act::{Act, Scope};
use super::distributions::names;
use super::view::{DistributionRow, View, holds, parsed};
use crate::model::packages::{DistributionName, Hierarchy, Party, Refusal, TeamName, Unknown};
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

/// The teams that something was ever said of, up to the moment: who was in them, what they were in, had permissions to, or were in charge of.
const TEAMS_EVER: &str = "
    SELECT '@' || team AS party FROM team_member WHERE distribution = ?2 AND since <= ?1
    UNION SELECT member FROM team_member WHERE distribution = ?2 AND since <= ?1
    UNION SELECT party FROM permission WHERE distribution = ?2 AND since <= ?1
    UNION SELECT record.owner FROM collection JOIN collection_record AS record ON record.collection = collection.id
          WHERE collection.distribution = ?2 AND record.since <= ?1
    UNION SELECT record.owner FROM collection JOIN series_set ON series_set.collection = collection.id
          JOIN set_record AS record ON record.package_set = series_set.package_set
          WHERE collection.distribution = ?2 AND record.since <= ?1
    UNION SELECT listing.owner FROM collection JOIN listing ON listing.collection = collection.id
          WHERE collection.distribution = ?2 AND listing.since <= ?1
    UNION SELECT listing.qa_contact FROM collection JOIN listing ON listing.collection = collection.id
          WHERE collection.distribution = ?2 AND listing.since <= ?1 AND listing.qa_contact IS NOT NULL";

impl View<'_> {
    /// Refuses a team of which a distribution has never heard: one may have nobody in it and be in charge of something all the same.
    ///
    /// # Errors
    /// When there is no such team, and when the database cannot be read.
    pub fn require_team(&self, distribution: &DistributionRow, team: &TeamName) -> Result<(), Fault> {
        let has_members = "SELECT 1 FROM team_member WHERE distribution = ?2 AND team = ?3 AND since <= ?1 LIMIT 1";
        let found: Option<i64> = self.one(has_members, params![self.at, distribution.id, team.as_str()], |row| row.get(0))?;
        if found.is_some() {
            return Ok(());
        }
        let parties: BTreeSet<Party> = self.all(TEAMS_EVER, params![self.at, distribution.id], |row| parsed(row, 0))?;
        let teams = parties.into_iter().filter_map(|party| match party {
            Party::Team(team) => Some(team),
            Party::Person(_) => None,
        });
        let teams: BTreeSet<TeamName> = teams.collect();
        if teams.contains(team) {
            return Ok(());
        }
        Err(Refusal::NoTeam {
            distribution: distribution.name.clone(),
            name: Unknown::new(team, teams.iter().map(TeamName::as_str)),
        }
        .into())
    }

    /// The same for a party that may be a team. Of a person nothing need be known.
    ///
    /// # Errors
    /// As for [`Self::require_team`].
    pub fn require_party(&self, distribution: &DistributionRow, party: &Party) -> Result<(), Fault> {
        match party {
            Party::Team(team) => self.require_team(distribution, team),
            Party::Person(_) => Ok(()),
        }
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

//! Accounts: which are people and which are teams, and who is in the teams.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    Service,
    wire::{PersonRow, Shown},
};
use crate::{
    model::packages::{
        Party, Permission, TeamName,
        snapshot::{PartialList, Remark, SourceSnapshot},
    },
    source::{Trouble, web::under},
};

/// What is known of accounts, by their names.
#[derive(Default)]
pub(super) struct People(BTreeMap<String, Party>);

impl People {
    /// Those that the last snapshot speaks of. A person does not become a team, nor a team a person.
    pub(super) fn known_from(snapshot: &SourceSnapshot) -> Self {
        let series = snapshot.series.values();
        let sets = series.clone().filter_map(|series| series.sets.as_ref()).flat_map(BTreeMap::values);
        let owners = series
            .filter_map(|series| series.owner.as_ref())
            .chain(sets.filter_map(|set| set.owner.as_ref()));
        let holders = snapshot.permissions.iter().flatten().map(|permission| &permission.party);
        let known = owners.chain(holders).map(|party| (account(party).to_owned(), party.clone()));
        Self(known.collect())
    }

    /// Who goes by that name; with a remark that `what` is hidden if nobody knows.
    pub(super) fn party(&self, name: &str, what: impl FnOnce() -> String, remarks: &mut BTreeSet<Remark>) -> Option<Party> {
        let party = self.known(name);
        if party.is_none() {
            remarks.insert(Remark::hidden(what()));
        }
        party
    }

    /// Who goes by that name.
    pub(super) fn known(&self, name: &str) -> Option<Party> {
        self.0.get(name).cloned()
    }
}

/// The name of an account in Launchpad, where people and teams share their names.
pub(super) fn account(party: &Party) -> &str {
    match party {
        Party::Person(name) => name.as_str(),
        Party::Team(name) => name.as_str(),
    }
}

impl Service<'_> {
    /// Finds out what those of these accounts are that are not known.
    pub(super) async fn ask_for(
        &self,
        names: BTreeSet<String>,
        people: &mut People,
        remarks: &mut BTreeSet<Remark>,
    ) -> Result<(), Trouble> {
        let unknown = names.into_iter().filter(|name| !people.0.contains_key(name));
        let unknown: Vec<String> = unknown.collect();
        let answers = stream::iter(unknown.into_iter().map(|name| async move {
            let url = under(&self.settings.url, &[&format!("~{name}")]);
            match self.web.json::<PersonRow>(&url, "a person or a team").await {
                Ok(row) => Ok((name, Some(row))),
                Err(error) if error.is_hidden() => Ok((name, None)),
                Err(error) => Err(error),
            }
        }));
        let answers: Vec<_> = answers.buffered(self.web.width()).try_collect().await?;
        for (name, row) in answers {
            let party = match row.map(|row| row.is_team) {
                Some(Shown::Value(true)) => name.parse().map(Party::Team),
                Some(Shown::Value(false)) => name.parse().map(Party::Person),
                Some(Shown::Hidden) | None => {
                    remarks.insert(Remark::hidden(format!("whether {name} is a person or a team")));
                    continue;
                }
            };
            match party {
                Ok(party) => {
                    people.0.insert(name, party);
                }
                Err(error) => {
                    remarks.insert(Remark::unknown("an account", &name, error));
                }
            }
        }
        Ok(())
    }

    /// The people in each team that has a permission, through other teams as well: that is how Launchpad lists them.
    pub(super) async fn teams(
        &self,
        permissions: &BTreeSet<Permission>,
        snapshot: &mut SourceSnapshot,
    ) -> Result<BTreeMap<TeamName, BTreeSet<Party>>, Trouble> {
        let SourceSnapshot { partial, remarks, .. } = snapshot;
        let teams: BTreeSet<&TeamName> = permissions
            .iter()
            .filter_map(|permission| match &permission.party {
                Party::Team(team) => Some(team),
                Party::Person(_) => None,
            })
            .collect();
        let lists = stream::iter(teams.into_iter().map(|team| async move {
            let url = under(&self.settings.url, &[&format!("~{team}"), "participants"]);
            match self.list::<PersonRow>(url, "the members of a team").await {
                Ok(list) => Ok((team, Some(list))),
                Err(error) if error.is_hidden() => Ok((team, None)),
                Err(error) => Err(error),
            }
        }));
        let lists: Vec<_> = lists.buffered(self.web.width()).try_collect().await?;
        let mut members = BTreeMap::new();
        for (team, list) in lists {
            let Some(list) = list else {
                partial.insert(PartialList::Team(team.clone()));
                remarks.insert(Remark::hidden(format!("who is in team {team}")));
                continue;
            };
            if let Some(fewer) = list.fewer(format!("the list of members of team {team}")) {
                partial.insert(PartialList::Team(team.clone()));
                remarks.insert(fewer);
            }
            let mut people = BTreeSet::new();
            for row in list.rows {
                match (row.name, row.is_team) {
                    // Those in it are in the list themselves.
                    (_, Shown::Value(true)) => {}
                    (Shown::Value(name), Shown::Value(false)) => match name.parse() {
                        Ok(person) => {
                            people.insert(Party::Person(person));
                        }
                        Err(error) => {
                            remarks.insert(Remark::unknown(format!("somebody in team {team}"), &name, error));
                        }
                    },
                    (Shown::Hidden, _) | (_, Shown::Hidden) => {
                        partial.insert(PartialList::Team(team.clone()));
                        remarks.insert(Remark::hidden(format!("somebody in team {team}")));
                    }
                }
            }
            members.insert(team.clone(), people);
        }
        Ok(members)
    }
}

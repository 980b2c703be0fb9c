//! Teams and who is in them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::model::packages::{Party, TeamName};

/// Who is directly in which team. Teams may be in teams, to any depth.
///
/// Launchpad refuses teams that are in themselves ([`Teams::would_cycle`]); what comes from elsewhere may hold some, and every question
/// here has an answer all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Teams {
    members: BTreeMap<TeamName, BTreeSet<Party>>,
    teams: BTreeMap<Party, BTreeSet<TeamName>>,
}

impl Teams {
    /// Puts somebody directly into a team.
    pub fn add(&mut self, team: TeamName, member: Party) {
        self.teams.entry(member.clone()).or_default().insert(team.clone());
        self.members.entry(team).or_default().insert(member);
    }

    /// All teams that somebody is in, through other teams too and not counting the asked team itself. Each has its shortest path: the
    /// teams from the one that the asked are directly in up to it. Of several that are equally short it is the first by name.
    #[must_use]
    pub fn of(&self, who: &Party) -> BTreeMap<TeamName, Vec<TeamName>> {
        let mut paths: BTreeMap<TeamName, Vec<TeamName>> = BTreeMap::new();
        let mut queue = VecDeque::from([(who.clone(), Vec::new())]);
        while let Some((member, path)) = queue.pop_front() {
            for team in self.teams.get(&member).into_iter().flatten() {
                let party = Party::Team(team.clone());
                if party == *who || paths.contains_key(team) {
                    continue;
                }
                let path: Vec<TeamName> = path.iter().chain([team]).cloned().collect();
                paths.insert(team.clone(), path.clone());
                queue.push_back((party, path));
            }
        }
        paths
    }

    /// The shortest path from somebody to a team that they are in, as [`Teams::of`] has it; `None` when they are not in it.
    #[must_use]
    pub fn path(&self, who: &Party, team: &TeamName) -> Option<Vec<TeamName>> {
        self.of(who).remove(team)
    }

    /// All people and teams in a team, through other teams too, without itself: Launchpad's `participants`.
    #[must_use]
    pub fn participants(&self, team: &TeamName) -> BTreeSet<Party> {
        let mut found = BTreeSet::new();
        let mut open = vec![team];
        while let Some(next) = open.pop() {
            for member in self.members.get(next).into_iter().flatten() {
                match member {
                    Party::Team(inner) if inner == team => {}
                    Party::Team(inner) if found.insert(member.clone()) => open.push(inner),
                    Party::Team(_) => {}
                    Party::Person(_) => {
                        found.insert(member.clone());
                    }
                }
            }
        }
        found
    }

    /// Whether the team would be in itself if `member` were put into it. Then it already is in `member`, and the answer is the path: the
    /// teams from `team` up to `member`, both included.
    #[must_use]
    pub fn would_cycle(&self, team: &TeamName, member: &Party) -> Option<Vec<TeamName>> {
        let Party::Team(member) = member else { return None };
        if member == team {
            return Some(vec![team.clone()]);
        }
        let path = self.path(&Party::Team(team.clone()), member)?;
        Some([team.clone()].into_iter().chain(path).collect())
    }
}

impl FromIterator<(TeamName, Party)> for Teams {
    fn from_iter<I: IntoIterator<Item = (TeamName, Party)>>(memberships: I) -> Self {
        let mut teams = Self::default();
        for (team, member) in memberships {
            teams.add(team, member);
        }
        teams
    }
}

impl From<BTreeMap<TeamName, BTreeSet<Party>>> for Teams {
    fn from(members: BTreeMap<TeamName, BTreeSet<Party>>) -> Self {
        let direct = |(team, members): (TeamName, BTreeSet<Party>)| members.into_iter().map(move |member| (team.clone(), member));
        members.into_iter().flat_map(direct).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From `team: member member`.
    fn teams(rows: &[&str]) -> Teams {
        let mut teams = Teams::default();
        for row in rows {
            let (team, members) = row.split_once(": ").unwrap();
            for member in members.split(' ') {
                teams.add(team.parse().unwrap(), member.parse().unwrap());
            }
        }
        teams
    }

    fn path(teams: &Teams, who: &str, team: &str) -> Option<String> {
        Some(words(&teams.path(&who.parse().unwrap(), &team.parse().unwrap())?))
    }

    fn words(path: &[TeamName]) -> String {
        path.iter().map(TeamName::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_path_to_a_team_is_the_shortest_and_begins_where_somebody_is_a_member() {
        let teams = teams(&["motu: alice @juniors", "juniors: bob", "core: @motu", "all: @core @juniors"]);
        assert_eq!(path(&teams, "alice", "motu").unwrap(), "motu");
        assert_eq!(path(&teams, "alice", "core").unwrap(), "motu core");
        assert_eq!(path(&teams, "bob", "all").unwrap(), "juniors all");
        assert_eq!(path(&teams, "@motu", "all").unwrap(), "core all");
        assert_eq!(path(&teams, "alice", "juniors"), None);
        assert_eq!(path(&teams, "carol", "all"), None);
    }

    #[test]
    fn of_two_paths_of_one_length_the_first_by_name_is_told() {
        let teams = teams(&["top: @zeta @beta", "zeta: alice", "beta: alice"]);
        assert_eq!(path(&teams, "alice", "top").unwrap(), "beta top");
    }

    #[test]
    fn participants_are_people_and_teams_at_any_depth() {
        let teams = teams(&["core: @motu carol", "motu: alice @juniors", "juniors: bob"]);
        let participants = teams.participants(&"core".parse().unwrap());
        let names: Vec<String> = participants.iter().map(Party::to_string).collect();
        assert_eq!(names, ["alice", "bob", "carol", "@juniors", "@motu"]);
        assert_eq!(teams.participants(&"nobody".parse().unwrap()), BTreeSet::new());
    }

    #[test]
    fn teams_that_are_in_themselves_end_no_question() {
        let teams = teams(&["a: @b alice", "b: @c", "c: @a", "d: @d bob"]);
        assert_eq!(path(&teams, "alice", "b").unwrap(), "a c b");
        assert_eq!(path(&teams, "@a", "a"), None);
        assert_eq!(path(&teams, "bob", "d").unwrap(), "d");
        let names: Vec<String> = teams.participants(&"b".parse().unwrap()).iter().map(Party::to_string).collect();
        assert_eq!(names, ["alice", "@a", "@c"]);
    }

    #[test]
    fn a_team_that_would_be_in_itself_is_told_by_which_path() {
        let teams = teams(&["core: @motu", "motu: @juniors"]);
        let would_cycle = |team: &str, member: &str| {
            let path = teams.would_cycle(&team.parse().unwrap(), &member.parse().unwrap());
            path.as_deref().map(words)
        };
        assert_eq!(would_cycle("juniors", "@core").unwrap(), "juniors motu core");
        assert_eq!(would_cycle("core", "@core").unwrap(), "core");
        assert_eq!(would_cycle("core", "@juniors"), None);
        assert_eq!(would_cycle("juniors", "core"), None, "a person may have a team's name");
    }

    #[test]
    fn a_map_of_members_is_the_same_as_its_rows() {
        let rows = teams(&["motu: alice @juniors"]);
        let members = ["alice", "@juniors"].iter().map(|member| member.parse().unwrap()).collect();
        assert_eq!(Teams::from(BTreeMap::from([("motu".parse().unwrap(), members)])), rows);
    }

    const TEAMS: usize = 6;

    fn name(team: usize) -> TeamName {
        format!("t{team}").parse().unwrap()
    }

    proptest! {
        /// Against the lengths of all shortest paths, as Floyd and Warshall find them.
        #[test]
        fn paths_are_memberships_and_as_short_as_can_be(edges in prop::collection::btree_set((0..TEAMS, 0..TEAMS), 0..14)) {
            let teams: Teams = edges.iter().map(|&(team, member)| (name(team), Party::Team(name(member)))).collect();
            let mut steps: BTreeMap<(usize, usize), usize> = edges.iter().map(|&(team, member)| ((member, team), 1)).collect();
            for by in 0..TEAMS {
                for (from, to) in (0..TEAMS).flat_map(|from| (0..TEAMS).map(move |to| (from, to))) {
                    if let (Some(one), Some(other)) = (steps.get(&(from, by)), steps.get(&(by, to))) {
                        let length = one + other;
                        steps.entry((from, to)).and_modify(|known| *known = length.min(*known)).or_insert(length);
                    }
                }
            }
            for from in 0..TEAMS {
                let asked = Party::Team(name(from));
                for to in (0..TEAMS).filter(|&to| to != from) {
                    let path = teams.path(&asked, &name(to));
                    prop_assert_eq!(path.as_ref().map(Vec::len), steps.get(&(from, to)).copied());
                    let mut member = asked.clone();
                    for team in path.into_iter().flatten() {
                        prop_assert!(teams.members[&team].contains(&member));
                        member = Party::Team(team);
                    }
                    prop_assert_eq!(teams.participants(&name(to)).contains(&asked), steps.contains_key(&(from, to)));
                    prop_assert_eq!(teams.would_cycle(&name(from), &Party::Team(name(to))).is_some(), steps.contains_key(&(from, to)));
                }
            }
        }
    }
}

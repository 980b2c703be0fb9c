//! What a source said when it was last read, and says no longer.

use std::collections::{BTreeMap, BTreeSet};

use super::{ByHand, SeriesFacts, SetFacts, SourceSnapshot};
use crate::model::packages::{PackageSetName, Permission, SeriesName};

impl SourceSnapshot {
    /// What this said when it was last read, and neither `now` nor any of `others` says any more: where that still holds, it is to go. But not what somebody
    /// else said who is no source, nor what a source may merely not tell:
    ///
    /// - Of a series or a set of which something could not be read that could be read before, nothing is gone.
    /// - Of a list that shows less than there is ([`PartialList`](super::PartialList)), nothing that it merely does not show is gone.
    /// - Of a series that the source does not speak of any more, everything stays, unless the source is one that only adds to others. A series always has a
    ///   stage.
    /// - Lists that are whole (all packages, all retired ones, all sets, all permissions) tell by themselves what is gone.
    #[must_use]
    pub fn without(&self, now: &Self, others: &[&Self], by_hand: &ByHand) -> Self {
        let mut gone = Self {
            is_additive: self.is_additive,
            ..Self::default()
        };
        let all: Vec<&Self> = std::iter::once(now).chain(others.iter().copied()).collect();
        let nothing = SeriesFacts::default();
        for (name, last) in &self.series {
            let Some(now) = now.series.get(name).or_else(|| now.is_additive.then_some(&nothing)) else {
                continue;
            };
            if !now.remarks.is_subset(&last.remarks) {
                continue;
            }
            let said: Vec<&SeriesFacts> = all.iter().filter_map(|other| other.series.get(name)).collect();
            let mut facts = of_series(last, &said);
            facts
                .dates
                .retain(|milestone, _| !by_hand.dates.contains(&(name.clone(), milestone.clone())));
            facts.sets = (self.is_additive || now.sets.is_some()).then(|| sets(name, last, now, &all));
            gone.series.insert(name.clone(), facts);
        }
        if now.is_additive {
            let current = self.current_series.clone();
            gone.current_series = current.filter(|_| all.iter().all(|other| other.current_series.is_none()));
            let mut teams = self.teams.clone().unwrap_or_default();
            teams.retain(|team, _| {
                !all.iter()
                    .filter_map(|other| other.teams.as_ref())
                    .any(|teams| teams.contains_key(team))
            });
            gone.teams = Some(teams);
            let said = all.iter().flat_map(|other| &other.permissions).flatten();
            let said: BTreeSet<_> = said.map(Permission::grant).collect();
            let mut permissions = self.permissions.clone().unwrap_or_default();
            permissions.retain(|permission| !said.contains(&permission.grant()));
            gone.permissions = Some(permissions);
        }
        gone
    }
}

/// What was said `last`, unless it is still `said`.
fn unsaid<F, T: Clone>(last: &Option<T>, said: &[&F], of: impl Fn(&F) -> &Option<T>) -> Option<T> {
    last.clone().filter(|_| said.iter().all(|facts| of(facts).is_none()))
}

/// What was said of a series, of which nothing is `said` now.
fn of_series(last: &SeriesFacts, said: &[&SeriesFacts]) -> SeriesFacts {
    let SeriesFacts {
        version,
        title,
        codename,
        is_long_term,
        status: _,
        owner,
        branch,
        dates,
        sets: _,
        partial_sets: _,
        retired: _,
        remarks: _,
    } = last;
    let mut dates = dates.clone();
    dates.retain(|milestone, _| !said.iter().any(|facts| facts.dates.contains_key(milestone)));
    let codename = unsaid(codename, said, |facts| &facts.codename);
    SeriesFacts {
        version: unsaid(version, said, |facts| &facts.version),
        title: unsaid(title, said, |facts| &facts.title),
        // The two make one summary.
        is_long_term: is_long_term.filter(|_| codename.is_some()),
        codename,
        owner: unsaid(owner, said, |facts| &facts.owner),
        branch: unsaid(branch, said, |facts| &facts.branch),
        dates,
        ..SeriesFacts::default()
    }
}

/// What was said of the sets of a series, and is not any more.
fn sets(series: &SeriesName, last: &SeriesFacts, now: &SeriesFacts, all: &[&SourceSnapshot]) -> BTreeMap<PackageSetName, SetFacts> {
    let mut sets = BTreeMap::new();
    let nothing = SetFacts::default();
    for (name, last) in last.sets.iter().flatten() {
        let shown = now.sets.as_ref().and_then(|sets| sets.get(name));
        if shown.is_none() && now.partial_sets {
            continue;
        }
        let now = shown.unwrap_or(&nothing);
        if !now.remarks.is_subset(&last.remarks) {
            continue;
        }
        let said = all.iter().filter_map(|other| other.set(series, name));
        let said: Vec<&SetFacts> = said.collect();
        sets.insert(name.clone(), of_set(last, &said));
    }
    sets
}

fn of_set(last: &SetFacts, said: &[&SetFacts]) -> SetFacts {
    let SetFacts {
        group: _,
        created: _,
        owner,
        description,
        score,
        sources,
        subsets,
        partial_subsets: _,
        remarks: _,
    } = last;
    SetFacts {
        owner: unsaid(owner, said, |facts| &facts.owner),
        description: unsaid(description, said, |facts| &facts.description),
        score: unsaid(score, said, |facts| &facts.score),
        sources: unsaid(sources, said, |facts| &facts.sources),
        subsets: unsaid(subsets, said, |facts| &facts.subsets),
        ..SetFacts::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn snapshot(json: Value) -> SourceSnapshot {
        serde_json::from_value(json).unwrap()
    }

    fn noble(facts: &Value) -> SourceSnapshot {
        snapshot(json!({ "series": { "noble": facts } }))
    }

    fn gone(last: &SourceSnapshot, now: &SourceSnapshot, others: &[&SourceSnapshot]) -> Value {
        let gone = last.without(now, others, &ByHand::default());
        serde_json::to_value(gone).unwrap()["series"]["noble"].clone()
    }

    #[test]
    fn what_is_said_no_longer_is_gone_unless_another_says_it() {
        let last = noble(&json!({ "title": "Noble", "dates": { "released": "2024-04-25", "eol": "2029-05-31" } }));
        let now = noble(&json!({ "dates": { "released": "2024-04-26" } }));
        assert_eq!(
            gone(&last, &now, &[]),
            json!({ "title": "Noble", "dates": { "eol": "2029-05-31" } })
        );
        let other = noble(&json!({ "dates": { "eol": "2030-01-01" } }));
        assert_eq!(gone(&last, &now, &[&other]), json!({ "title": "Noble" }));
        assert_eq!(gone(&last, &last, &[]), json!({}));
    }

    #[test]
    fn what_a_source_may_merely_not_tell_is_not_gone() {
        let last = noble(&json!({ "owner": "ann", "status": "active" }));
        let hidden = noble(&json!({ "remarks": [{ "remark": "hidden", "what": "the owner of noble" }] }));
        assert_eq!(gone(&last, &hidden, &[]), Value::Null);
        assert_eq!(gone(&last, &SourceSnapshot::default(), &[]), Value::Null);
        let unread = noble(&json!({ "owner": "ann", "remarks": [{ "remark": "hidden", "what": "the title of noble" }] }));
        let still = noble(&json!({ "remarks": [{ "remark": "hidden", "what": "the title of noble" }] }));
        assert_eq!(gone(&unread, &still, &[]), json!({ "owner": "ann" }), "that was hidden before");
    }

    #[test]
    fn a_set_that_a_list_merely_does_not_show_is_not_gone() {
        let last = noble(&json!({ "sets": { "core": { "sources": ["apt"] }, "kernel": { "owner": "ann", "sources": ["linux"] } } }));
        let now = |is_all: bool| noble(&json!({ "partial_sets": !is_all, "sets": { "core": {} } }));
        let kernel = json!({ "owner": "ann", "sources": ["linux"] });
        assert_eq!(
            gone(&last, &now(true), &[])["sets"],
            json!({ "core": { "sources": ["apt"] }, "kernel": kernel })
        );
        assert_eq!(gone(&last, &now(false), &[])["sets"], json!({ "core": { "sources": ["apt"] } }));
    }

    #[test]
    fn what_somebody_else_said_is_not_gone() {
        let last = noble(&json!({ "dates": { "released": "2024-04-25", "eol": "2029-05-31" } }));
        let by_hand = ByHand {
            dates: [("noble".parse().unwrap(), "eol".parse().unwrap())].into(),
            ..ByHand::default()
        };
        let gone = last.without(&noble(&json!({})), &[], &by_hand);
        assert_eq!(gone, noble(&json!({ "dates": { "released": "2024-04-25" } })));
    }

    #[test]
    fn a_source_that_only_adds_says_no_longer_what_it_does_not_list() {
        let grant =
            |party: &str| json!({ "party": party, "action": "upload", "on": "component", "component": "main", "status": "approved" });
        let all = |json: Value| {
            let mut snapshot = snapshot(json);
            snapshot.is_additive = true;
            snapshot
        };
        let last = all(json!({
            "current_series": "noble", "teams": { "core": ["ann"], "other": [] }, "permissions": [grant("ann"), grant("bob"), grant("cid")],
            "series": { "noble": { "sets": { "core": { "sources": ["apt"], "score": 1 } } } },
        }));
        let now = all(json!({ "permissions": [grant("ann")] }));
        let other = snapshot(json!({
            "permissions": [grant("bob")], "teams": { "other": ["bob"] }, "series": { "noble": { "sets": { "core": { "score": 0 } } } },
        }));
        let wanted = all(json!({
            "current_series": "noble", "teams": { "core": ["ann"] }, "permissions": [grant("cid")],
            "series": { "noble": { "sets": { "core": { "sources": ["apt"] } } } },
        }));
        assert_eq!(last.without(&now, &[&other], &ByHand::default()), wanted);
    }
}

//! The stage of a series, where only its dates are known.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::SourceSnapshot;
use crate::model::packages::{CollectionStatus, Milestone, SeriesName};

impl SourceSnapshot {
    /// Gives the series that no source tells the stage of the one that their dates say they are at today: not begun before `created`, worked on until
    /// `released`, then looked after, the newest as the current one, and ended from `eol` on. What others, `before` or `after` this one,
    /// tell the stage of is left alone, and so is what those before have dates of: theirs count.
    pub fn stages_by_dates(&mut self, before: &[&Self], after: &[&Self], today: Date) {
        let is_told = |name: &SeriesName| {
            let mut all = before.iter().chain(after).filter_map(|other| other.series.get(name));
            let mut earlier = before.iter().filter_map(|other| other.series.get(name));
            all.any(|facts| facts.status.is_some()) || earlier.any(|facts| !facts.dates.is_empty())
        };
        let all = || before.iter().copied().chain([&*self]).chain(after.iter().copied());
        // Of each date the first source that speaks of it is believed.
        let date = |name: &SeriesName, milestone: &Milestone| all().find_map(|told| told.series.get(name)?.dates.get(milestone).copied());
        let is_past = |name: &SeriesName, milestone: &Milestone| date(name, milestone).is_some_and(|day| day <= today);
        let released = |name: &SeriesName| date(name, &Milestone::RELEASED).filter(|day| *day <= today);
        let alive = all()
            .flat_map(|told| told.series.keys())
            .filter(|name| !is_past(name, &Milestone::EOL));
        let newest = alive.filter_map(released).max();
        let stages: BTreeMap<SeriesName, CollectionStatus> = self
            .series
            .iter()
            .filter(|(name, facts)| facts.status.is_none() && !facts.dates.is_empty() && !is_told(name))
            .map(|(name, _)| {
                let stage = if is_past(name, &Milestone::EOL) {
                    CollectionStatus::Eol
                } else if let Some(day) = released(name) {
                    if Some(day) == newest {
                        CollectionStatus::Active
                    } else {
                        CollectionStatus::Maintenance
                    }
                } else if date(name, &Milestone::CREATED).is_some_and(|day| day > today) {
                    CollectionStatus::Future
                } else {
                    CollectionStatus::Development
                };
                (name.clone(), stage)
            })
            .collect();
        for (name, stage) in stages {
            if let Some(facts) = self.series.get_mut(&name) {
                facts.status = Some(stage);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(json: serde_json::Value) -> SourceSnapshot {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_stage_follows_from_the_dates_of_all_sources_whoever_of_them_comes_first() {
        let mut moved = snapshot(serde_json::json!({ "series": { "zany": { "dates": { "eol": "2101-01-20" } } } }));
        let dates = snapshot(serde_json::json!({ "series": {
            "zany": { "dates": { "created": "2098-10-01", "eol": "2100-01-20" } },
            "noble": { "dates": { "released": "2024-04-25" } },
        } }));
        moved.stages_by_dates(&[], &[&dates], "2026-07-09".parse().unwrap());
        let status = moved.series.values().next().unwrap().status;
        assert_eq!(status, Some(CollectionStatus::Future));
    }

    #[test]
    fn what_nobody_tells_the_stage_of_is_at_the_one_that_its_dates_say() {
        let mut dates = snapshot(serde_json::json!({ "series": {
            "questing": { "dates": { "released": "2025-10-09", "eol": "2026-07-09" } },
            "noble": { "dates": { "released": "2024-04-25", "eol": "2029-05-31" } },
            "resolute": { "dates": { "released": "2026-04-23", "eol": "2031-05-29" } },
            "stonking": { "dates": { "created": "2026-04-30", "released": "2026-10-15" } },
            "next": { "dates": { "created": "2026-10-29" } },
            "told": { "dates": { "released": "2024-10-10" } },
            "nothing": { "version": "1" },
        } }));
        let told = snapshot(serde_json::json!({ "series": { "told": { "status": "rejected" } } }));
        let mut later = snapshot(serde_json::json!({ "series": { "noble": { "dates": { "eol-legacy": "2036-04-29" } } } }));
        later.stages_by_dates(&[&dates], &[], "2026-07-09".parse().unwrap());
        assert!(later.series.values().all(|facts| facts.status.is_none()));
        dates.stages_by_dates(&[], &[&told], "2026-07-09".parse().unwrap());
        let stages: Vec<(String, Option<String>)> = dates
            .series
            .iter()
            .map(|(name, facts)| (name.to_string(), facts.status.map(|status| status.to_string())))
            .collect();
        let wanted = [
            ("next", Some("future")),
            ("noble", Some("maintenance")),
            ("nothing", None),
            ("questing", Some("eol")),
            ("resolute", Some("active")),
            ("stonking", Some("development")),
            ("told", None),
        ];
        assert_eq!(stages, wanted.map(|(name, stage)| (name.to_owned(), stage.map(str::to_owned))));
    }
}

//! What goes because a source says it no longer: where it still is as it was said.

use super::{Around, Sets, summary};
use crate::model::packages::document::{DistributionDocument, SetContent};
use crate::model::packages::snapshot::{SeriesFacts, SetFacts, SourceSnapshot};
use crate::model::packages::{Party, SeriesDetails, SeriesVersion};

impl SourceSnapshot {
    /// Takes away what this says of series and of teams, and which of them is the current one. What every series has goes back to what it is where nobody says it.
    pub(super) fn take_out(&self, want: &mut DistributionDocument) {
        for document in &mut want.series {
            if let Some(gone) = self.series.get(&document.name) {
                take_out_details(&mut document.details, gone);
            }
        }
        if self.current_series.is_some() && want.current_series == self.current_series {
            want.current_series = None;
        }
        let gone = self.teams.iter().flatten();
        for (team, members) in gone {
            if want.teams.get(team) == Some(members) {
                want.teams.remove(team);
            }
        }
    }

    /// Takes away what a source, which this is what is now said by, said of sets: of what is in them, and whole ones that nobody speaks of any more.
    pub(super) fn take_out_sets(&self, sets: &mut Sets, around: Around<'_>) {
        for (series, facts) in &around.gone.series {
            for (name, gone) in facts.sets.iter().flatten() {
                let key = (series.clone(), name.clone());
                let Some(set) = sets.get_mut(&key) else { continue };
                let is_left = self.set(series, name).is_some() || around.others.iter().any(|other| other.brings_set(series, name));
                let is_as_said = gone.sources.as_ref() == Some(&set.content.sources)
                    && gone.subsets.as_ref().is_none_or(|subsets| *subsets == set.content.subsets);
                if !is_left && is_as_said {
                    sets.remove(&key);
                } else {
                    take_out_content(&mut set.content, &mut set.score, gone);
                }
            }
        }
    }
}

fn take_out_details(details: &mut SeriesDetails, gone: &SeriesFacts) {
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
    } = gone;
    if version.as_ref() == Some(&details.version) {
        details.version = SeriesVersion::default();
    }
    if title.is_some() && details.title == *title {
        details.title = None;
    }
    let said = codename.as_ref().map(|codename| summary(codename, *is_long_term));
    if said.is_some() && details.summary == said {
        details.summary = None;
    }
    if owner.as_ref() == Some(&details.owner) {
        details.owner = Party::orphan();
    }
    if branch.is_some() && details.branch == *branch {
        details.branch = None;
    }
    details.dates.retain(|milestone, date| dates.get(milestone) != Some(date));
}

fn take_out_content(content: &mut SetContent, score: &mut i64, gone: &SetFacts) {
    if gone.owner.as_ref() == Some(&content.owner) {
        content.owner = Party::orphan();
    }
    if gone.description.as_ref() == Some(&content.description) {
        content.description.clear();
    }
    if gone.score == Some(*score) {
        *score = 0;
    }
    if gone.sources.as_ref() == Some(&content.sources) {
        content.sources.clear();
    }
    if gone.subsets.as_ref() == Some(&content.subsets) {
        content.subsets.clear();
    }
}

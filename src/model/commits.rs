//! Upstream commits: which patches are to name the commit that they became.
//!
//! Patchwork keeps one text with each patch for that, its `commit_ref`. It has nothing to do with the patch's relation, and writing the one
//! leaves the other as it is. [`plan_commits`] says which of these texts are to be written, and which are not and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Patch, PatchId, ProjectId};

/// So many characters Patchwork takes at most: its `commit_ref` is a `CharField(max_length=255)`.
pub const LONGEST_COMMIT: usize = 255;

/// The shortest abbreviation of a hash that is taken for the commit: git abbreviates to no fewer by itself.
const SHORTEST_ABBREVIATION: usize = 7;

/// What happens to a patch's `commit_ref` where the analysis knows the upstream commit that carries the patch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommitPolicy {
    /// Nothing.
    #[default]
    Off,
    /// It is filled in where it is empty.
    Fill,
    /// It is filled in where it is empty, and changed where it says something else.
    Overwrite,
}

impl CommitPolicy {
    /// The word that stands for it in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Fill => "fill",
            Self::Overwrite => "overwrite",
        }
    }
}

impl fmt::Display for CommitPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Patches with the upstream commits of their class, as the analysis names them.
pub type WantedCommits<'a> = BTreeMap<PatchId, BTreeSet<&'a str>>;

/// What an analysis wants of the commits of a tracker's patches, and what it has to reckon with.
#[derive(Debug)]
pub struct CommitWish<'a> {
    /// What the tracker has.
    pub patches: &'a BTreeMap<PatchId, Patch>,
    /// What the analysis wants. Patches that the tracker does not have are passed over.
    pub wanted: &'a WantedCommits<'a>,
    /// How far the plan may go.
    pub policy: CommitPolicy,
    /// Patches whose commits must not be written, with the reason.
    pub held: &'a BTreeMap<PatchId, CommitBecause>,
}

/// One write: a patch is to name a commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitStep {
    /// The patch.
    pub patch: PatchId,
    /// What the tracker says now, in its own words.
    pub from: Option<String>,
    /// What it is to say.
    pub to: String,
}

impl CommitStep {
    /// Whether something that the tracker says is lost by it.
    #[must_use]
    pub fn overwrites(&self) -> bool {
        spoken(self.from.as_deref()).is_some()
    }
}

/// Why a patch does not get the commit that is wanted for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CommitBecause {
    /// The class has several commits. Patchwork holds one for each patch, and which of them is not for kinset to choose.
    Several,
    /// The patch names another commit, and the policy is to fill in only.
    SaysOtherwise,
    /// The commit has more than [`LONGEST_COMMIT`] characters.
    TooLong,
    /// The user does not maintain this project.
    Permission(ProjectId),
    /// The collection that this project is of has ended.
    Ended(ProjectId),
    /// The tracker refused to have the commit of the patch written, and no read explains why.
    Refused,
}

/// A commit that is wanted and not planned: data, like the plan itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitUndone {
    /// The patch.
    pub patch: PatchId,
    /// What the tracker says of it.
    pub says: Option<String>,
    /// What the analysis names, ascending.
    pub wanted: Vec<String>,
    /// Why it is not planned.
    pub because: CommitBecause,
}

/// What is to be written of the commits of patches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "what is left undone has to be told"]
pub struct CommitPlan {
    /// The writes, by patch. They have nothing to do with each other.
    pub steps: Vec<CommitStep>,
    /// What is not planned, by patch.
    pub undone: Vec<CommitUndone>,
}

impl CommitPlan {
    /// How many of the writes take the place of something else.
    #[must_use]
    pub fn overwrites(&self) -> usize {
        self.steps.iter().filter(|step| step.overwrites()).count()
    }
}

/// Plans what is to be written of the commits of patches.
///
/// A patch that names one of the wanted commits already is left alone, be it with other capitals or in a shorter or longer form (see
/// [`is_same_commit`]): whoever wrote that said the same.
pub fn plan_commits(wish: &CommitWish<'_>) -> CommitPlan {
    let mut plan = CommitPlan::default();
    if wish.policy == CommitPolicy::Off {
        return plan;
    }
    for (patch, commits) in wish.wanted {
        let Some(row) = wish.patches.get(patch) else { continue };
        let says = spoken(row.commit_ref.as_deref());
        let is_said = |says| commits.iter().any(|commit| is_same_commit(says, commit));
        if commits.is_empty() || says.is_some_and(is_said) {
            continue;
        }
        match judge(wish, *patch, says, commits) {
            Ok(to) => plan.steps.push(CommitStep {
                patch: *patch,
                from: row.commit_ref.clone(),
                to: to.to_owned(),
            }),
            Err(because) => plan.undone.push(CommitUndone {
                patch: *patch,
                says: row.commit_ref.clone(),
                wanted: commits.iter().map(|&commit| commit.to_owned()).collect(),
                because,
            }),
        }
    }
    plan
}

/// What a patch that says something else is to say, or why it is to stay as it is.
fn judge<'a>(wish: &CommitWish<'a>, patch: PatchId, says: Option<&str>, commits: &BTreeSet<&'a str>) -> Result<&'a str, CommitBecause> {
    let to = only(commits).ok_or(CommitBecause::Several)?;
    if says.is_some() && wish.policy != CommitPolicy::Overwrite {
        return Err(CommitBecause::SaysOtherwise);
    }
    if to.chars().count() > LONGEST_COMMIT {
        return Err(CommitBecause::TooLong);
    }
    wish.held.get(&patch).map_or(Ok(to), |because| Err(*because))
}

/// The one commit that all of these are, in its longest form.
fn only<'a>(commits: &BTreeSet<&'a str>) -> Option<&'a str> {
    let longest = commits.iter().copied().max_by_key(|commit| commit.len())?;
    commits.iter().all(|commit| is_same_commit(commit, longest)).then_some(longest)
}

/// What a tracker's text says, if it says anything.
fn spoken(text: Option<&str>) -> Option<&str> {
    text.map(trimmed).filter(|text| !text.is_empty())
}

/// A commit without the white space around it, as Patchwork keeps it: Python's `strip` takes away U+001C to U+001F too.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|letter: char| letter.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&letter))
}

/// Whether two texts name one commit: they are equal, or both are hashes in hexadecimal of which one, of seven digits or more, is how the
/// other begins. Capitals do not matter in hashes.
#[must_use]
pub fn is_same_commit(one: &str, other: &str) -> bool {
    let is_hash = |text: &str| text.len() >= SHORTEST_ABBREVIATION && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (one, other) = (trimmed(one), trimmed(other));
    let shared = one.len().min(other.len());
    one == other || (is_hash(one) && is_hash(other) && one[..shared].eq_ignore_ascii_case(&other[..shared]))
}

#[cfg(test)]
mod tests;

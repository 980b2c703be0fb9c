//! The upstream commits that the classes of a group file carry.

use std::collections::BTreeMap;

use super::groups::GroupFile;
use super::intern::{Interned, JoinedLines, close_gaps, intern, join_lines, shared_commits};

/// A class of a group file, a single element included, that became commits upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upstream<'a> {
    /// The elements of the class, ascending, each once; at least one.
    pub elements: Vec<&'a str>,
    /// The hashes of its commits, ascending, each once; at least one.
    pub commits: Vec<&'a str>,
}

impl GroupFile {
    /// The classes that name upstream commits, in the order of their first lines.
    ///
    /// Lines that share an element, or a commit, are one class with the commits of them all. Commits without any element are left out, and
    /// so are elements without any commit.
    #[must_use]
    pub fn upstream(&self) -> Vec<Upstream<'_>> {
        let Interned { mut element_of, .. } = intern(&Self::empty(), self);
        let first_places = close_gaps(&mut element_of, 0);
        let JoinedLines { line_of, first_line } =
            join_lines(self, first_places.len(), |place| element_of[place as usize], shared_commits(self));
        let mut classes: BTreeMap<u32, Upstream<'_>> = BTreeMap::new();
        for (line, commit) in self.commits() {
            classes.entry(first_line[line as usize]).or_default().commits.push(text(commit));
        }
        for (place, line) in first_places.into_iter().zip(line_of) {
            if let Some(class) = line.and_then(|line| classes.get_mut(&first_line[line as usize])) {
                class.elements.push(text(self.element(place as usize)));
            }
        }
        classes
            .into_values()
            .filter(|class| !class.elements.is_empty())
            .map(sorted)
            .collect()
    }
}

fn sorted(mut class: Upstream<'_>) -> Upstream<'_> {
    class.elements.sort_unstable();
    class.commits.sort_unstable();
    class.commits.dedup();
    class
}

/// A word of a file, which was checked to be UTF-8 when it was read.
fn text(word: &[u8]) -> &str {
    std::str::from_utf8(word).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::groups::{Dialect, Ending};
    use super::*;

    #[test]
    fn different_words_of_one_hash_stay_different() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("groups");
        std::fs::write(&path, "a b => c1\nc => c2\nd\ne => c3 c1\n").unwrap();
        let file = GroupFile::read(&path, Dialect::Tokens, Ending::Complete).unwrap();
        let expected = [
            Upstream {
                elements: vec!["a", "b", "e"],
                commits: vec!["c1", "c3"],
            },
            Upstream {
                elements: vec!["c"],
                commits: vec!["c2"],
            },
        ];
        assert_eq!(file.upstream(), expected);
        assert_eq!(file.with_colliding_hashes().upstream(), expected);
    }
}

//! Errors that say what to do next.
//!
//! A message says what happened, in lower case and without a full stop, and never repeats its source. What it means for the reader, and
//! which option, file or command mends it, is the remedy. Both are put together once, at the edge, by [`crate::cli`].

/// What a person can do about an error.
pub trait Remedy: std::error::Error {
    /// One or more sentences for the reader, or `None` where the message is all there is to say.
    fn remedy(&self) -> Option<String> {
        None
    }
}

/// What caused an error, the nearest cause first, nothing twice.
#[must_use]
pub fn causes(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        match told.last_mut() {
            Some(last) if last.contains(&text) => {}
            Some(last) if text.contains(&*last) => *last = text,
            _ => told.push(text),
        }
        next = cause.source();
    }
    told
}

/// The candidate nearest to a misspelt `word`, if one is near enough to be meant.
///
/// Nearness is the Damerau-Levenshtein distance; at most a third of the word's letters (at least two) may differ.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_finds_the_word() {
        assert_eq!(nearest("polcy", ["policy", "projects"]), Some("policy"));
        assert_eq!(nearest("urls", ["url", "name"]), Some("url"));
    }

    #[test]
    fn a_different_word_finds_nothing() {
        assert_eq!(nearest("colour", ["url", "name"]), None);
    }
}

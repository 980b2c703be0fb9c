//! The configuration to start from.

use std::path::PathBuf;

use kinset::config::{DistributionGuard, TokenSource, example};

use super::config::parse;

/// The example with the lines `#key = value` and `#[table]` made to count, except those of these keys.
fn example_with_all_but(left_out: &[&str]) -> String {
    let uncommented = |line: &str| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|first: char| first.is_ascii_lowercase() || first == '[') => setting.to_owned(),
        _ => line.to_owned(),
    };
    let kept = |line: &String| !left_out.iter().any(|key| line.starts_with(&format!("{key} = ")));
    // The keys of sources do not go together: each kind has its own.
    let (text, _) = example().split_once("# A distribution that follows services.").unwrap();
    text.lines().map(uncommented).filter(kept).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_is_valid_as_it_stands_and_all_in_it_that_is_commented_out_is_the_default() {
    let mut all = parse(&example_with_all_but(&["token_env", "token_credential"]));
    assert_eq!(all.trackers[0].contact.take().as_deref(), Some("patch-bot@example.org"));
    assert_eq!(all.trackers[0].feedback.take(), Some(PathBuf::from("/srv/pasta/feedback")));
    let collections = std::mem::take(&mut all.trackers[0].collections);
    assert_eq!(collections[&all.trackers[0].projects[0]].to_string(), "fedora/f40");
    let schedule = std::mem::take(&mut all.trackers[0].schedule);
    assert!(schedule.sync.is_some() && !schedule.quiet.is_empty());
    assert!(all.daemon.notice.take().is_some());
    let distributions = std::mem::take(&mut all.distributions);
    assert_eq!(distributions.len(), 1);
    assert_eq!(distributions[0].guard, DistributionGuard::default());
    assert_eq!(all, parse(example()));
}

#[test]
fn the_example_shows_each_place_for_a_token() {
    let token = |left_out: &[&str]| parse(&example_with_all_but(left_out)).trackers[0].token.clone();
    assert_eq!(
        token(&["token_env", "token_credential"]),
        Some(TokenSource::File("/etc/kinset/patchwork.token".into()))
    );
    assert_eq!(
        token(&["token_file", "token_credential"]),
        Some(TokenSource::Env("KINSET_TOKEN".into()))
    );
    assert_eq!(
        token(&["token_file", "token_env"]),
        Some(TokenSource::Credential("patchwork-token".into()))
    );
}

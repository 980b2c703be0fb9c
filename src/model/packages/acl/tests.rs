//! The evaluator's rules, line by line. All tables are about series `noble` and, where nothing else is said, package `linux`.

mod launchpad;
mod packagedb;
mod properties;
mod queue;
mod words;

use super::*;
use crate::model::packages::{Action, CollectionStatus, Party, Permission, PermissionStatus, Pocket, Target};

/// Facts about a series that is worked on, from rows in any order:
///
/// - `@team: member member`;
/// - `set desktop gnome`: set `desktop` includes `gnome`, which has the package;
/// - `alice upload component:main`: a permission, with `explicit` and a status behind it where it has them.
fn facts(rows: &[&str]) -> Facts {
    let mut facts = Facts {
        status: Some(CollectionStatus::Development),
        ..Facts::default()
    };
    for row in rows {
        if let Some((team, members)) = row.split_once(": ") {
            for member in members.split(' ') {
                facts.teams.add(team[1..].parse().unwrap(), member.parse().unwrap());
            }
        } else if let Some(path) = row.strip_prefix("set ") {
            let mut path = path.split(' ').map(|set| set.parse().unwrap());
            facts.sets.insert(path.next().unwrap(), path.collect());
        } else {
            facts.permissions.push(permission(row));
        }
    }
    facts
}

fn permission(text: &str) -> Permission {
    let mut words = text.split(' ');
    let mut next = || words.next().unwrap();
    let (party, action, target) = (next().parse().unwrap(), word(next()), target(next()));
    let mut permission = Permission {
        party,
        action,
        target,
        status: PermissionStatus::Approved,
        explicit: false,
    };
    for more in words {
        match more {
            "explicit" => permission.explicit = true,
            status => permission.status = word(status),
        }
    }
    assert!(permission.target.allows(permission.action), "{text}");
    permission
}

/// A target from its kind, `:`, the series and `/` where it is in one, and its name.
fn target(text: &str) -> Target {
    let (kind, path) = text.split_once(':').unwrap();
    let (within, name) = path.split_once('/').unwrap_or(("noble", path));
    let series = within.parse().unwrap();
    match kind {
        "listing" => Target::Listing {
            series,
            package: name.parse().unwrap(),
        },
        "set" => Target::PackageSet {
            series,
            set: name.parse().unwrap(),
        },
        "package" => Target::Package {
            package: name.parse().unwrap(),
        },
        "component" => Target::Component {
            component: name.parse().unwrap(),
        },
        "pocket" => Target::Pocket {
            pocket: word(name),
            series: path.contains('/').then_some(series),
        },
        _ => panic!("{text}"),
    }
}

fn word<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(text.into()).unwrap()
}

/// An upload of `linux`; `more` is a pocket other than `release`, the name of a component that is asked for strictly, or `published`.
fn upload(more: &str) -> What {
    let mut upload = Upload {
        series: "noble".parse().unwrap(),
        package: "linux".parse().unwrap(),
        component: InComponent::Any,
        pocket: Pocket::Release,
    };
    for more in more.split_whitespace() {
        match Pocket::ALL.into_iter().find(|pocket| pocket.word() == more) {
            Some(pocket) => upload.pocket = pocket,
            None if more == "published" => upload.component = InComponent::Published,
            None => upload.component = InComponent::Named(more.parse().unwrap()),
        }
    }
    What::Upload(upload)
}

/// The decision in words, with a line for each near miss.
fn answer(facts: &Facts, who: &str, what: What) -> String {
    let who: Party = who.parse().unwrap();
    let decision = decide(facts, &Question { who, what });
    let mut lines = vec![decision.to_string()];
    if let Decision::Refused { nearest, .. } = &decision {
        lines.extend(nearest.iter().map(|miss| format!("  {miss}")));
    }
    lines.join("\n")
}

/// Which refusal; panics at a yes.
fn refused(facts: &Facts, who: &str, what: What) -> Refusal {
    let who: Party = who.parse().unwrap();
    match decide(facts, &Question { who, what }) {
        Decision::Refused { because, .. } => because,
        Decision::Allowed(held) => panic!("{held}"),
    }
}

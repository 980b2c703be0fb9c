//! What is counted, and when that trips.

use serde_json::{Value, json};

use super::*;

const THRESHOLDS: Thresholds = Thresholds {
    max_removed_fraction: 0.25,
    min_removed: 2,
    allow_empty: false,
};

fn snapshot(json: &Value) -> SourceSnapshot {
    serde_json::from_value(json.clone()).unwrap()
}

/// What is told when the source said `before` and says `now`.
fn told(before: &Value, now: &Value) -> String {
    let shrunk = snapshot(now).guard(&snapshot(before), &THRESHOLDS);
    shrunk.map_or_else(String::new, |shrunk| shrunk.to_string())
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("name-{number}")).collect()
}

/// As many things under names.
fn named(count: usize, what: &Value) -> Value {
    names(count)
        .into_iter()
        .map(|name| (name, what.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A reading that has so much of something.
type Much = fn(usize) -> Value;

/// What there is much of in a reading, by how much of it there is; and what it is told as.
fn kinds() -> Vec<(&'static str, Much)> {
    fn series(count: usize, facts: &Value) -> Value {
        json!({ "series": named(count, facts) })
    }
    fn set(facts: &Value) -> Value {
        json!({ "series": { "noble": { "sets": { "core": facts } } } })
    }
    fn packages(facts: &Value) -> Value {
        json!({ "packages": { "bash": facts } })
    }
    fn streams(streams: &Value, defaults: &Value) -> Value {
        json!({ "modules": { "streams": streams, "defaults": defaults } })
    }
    let permission = |count| {
        let one = |name| json!({ "party": name, "action": "upload", "on": "component", "component": "main", "status": "approved" });
        json!({ "permissions": names(count).into_iter().map(one).collect::<Vec<_>>() })
    };
    vec![
        ("series", |count| series(count, &json!({}))),
        ("facts of series", |count| {
            let facts = json!({ "version": "1", "title": "One", "status": "active", "owner": "ann" });
            let kept: serde_json::Map<_, _> = facts.as_object().unwrap().clone().into_iter().take(count).collect();
            json!({ "series": { "noble": kept } })
        }),
        (
            "dates of series",
            |count| json!({ "series": { "noble": { "dates": named(count, &json!("2024-04-25")) } } }),
        ),
        (
            "package sets",
            |count| json!({ "series": { "noble": { "sets": named(count, &json!({})) } } }),
        ),
        ("packages and sets in package sets", |count| {
            set(&json!({ "sources": names(count) }))
        }),
        ("packages and sets in package sets", |count| {
            set(&json!({ "subsets": names(count) }))
        }),
        (
            "retired packages",
            |count| json!({ "series": { "f41": { "retired": names(count) } } }),
        ),
        ("permissions", permission),
        ("members of teams", |count| json!({ "teams": { "core": names(count) } })),
        ("packages", |count| json!({ "packages": named(count, &json!({})) })),
        ("owners of packages", |count| {
            let mut all = named(4, &json!({ "owner": "orphan" }));
            for name in names(count) {
                all[name] = json!({ "owner": "ann" });
            }
            json!({ "packages": all })
        }),
        ("maintainers of packages", |count| packages(&json!({ "maintainers": names(count) }))),
        ("watchers of packages", |count| packages(&json!({ "watchers": names(count) }))),
        ("streams and packages in them", |count| {
            streams(
                &json!({ "m:1": { "contexts": { "c": { "version": 1, "packages": names(count) } } } }),
                &json!({}),
            )
        }),
        ("contexts of streams", |count| {
            streams(
                &json!({ "m:1": { "contexts": named(count, &json!({ "version": 1 })) } }),
                &json!({}),
            )
        }),
        ("default streams of modules", |count| {
            streams(&json!({}), &named(count, &json!("1")))
        }),
    ]
}

#[test]
fn each_kind_of_thing_is_counted_by_itself() {
    for (what, much) in kinds() {
        assert_eq!(told(&much(4), &much(4)), "", "{what}");
        assert_eq!(told(&much(4), &much(3)), "", "{what}: one alone may go");
        assert_eq!(told(&much(2), &much(4)), "", "{what}: more is never too little");
        let held = if what.starts_with("streams") { 5 } else { 4 };
        let share = if held == 5 { "40.0" } else { "50.0" };
        let said = told(&much(4), &much(2)).replace(" of noble", "").replace(" of f41", "");
        assert_eq!(
            said,
            format!("2 of {held} {what} ({share} %) are gone from the source since it was last read, at most 25.0 % may be")
        );
    }
}

#[test]
fn what_ends_altogether_is_told_however_little_it_was() {
    let one = json!({ "series": { "noble": { "dates": { "eol": "2029-05-31" } } } });
    assert_eq!(
        told(&one, &json!({})),
        "nothing is left of the 1 series that the source told of when it was last read"
    );
    let without_dates = json!({ "series": { "noble": {} } });
    assert_eq!(
        told(&one, &without_dates),
        "nothing is left of the 1 dates of series that the source told of when it was last read"
    );
    assert_eq!(told(&without_dates, &without_dates), "", "where there was nothing, nothing is gone");
    let meant = Thresholds {
        allow_empty: true,
        ..THRESHOLDS
    };
    assert_eq!(snapshot(&json!({})).guard(&snapshot(&one), &meant), None);
}

#[test]
fn the_little_that_a_source_adds_to_others_may_end_altogether() {
    let permission = json!({ "party": "ann", "action": "upload", "on": "component", "component": "main", "status": "approved" });
    let before = json!({ "is_additive": true, "permissions": [permission], "teams": { "core": ["ann"] } });
    assert_eq!(told(&before, &json!({ "is_additive": true })), "");
    let much = json!({ "is_additive": true, "teams": { "core": names(4) } });
    assert_eq!(
        told(&much, &json!({ "is_additive": true })),
        "4 of 4 members of teams (100.0 %) are gone from the source since it was last read, at most 25.0 % may be"
    );
}

#[test]
fn a_series_of_many_is_looked_at_by_itself() {
    let lists = |of_last: usize| {
        let mut series = named(9, &json!({ "retired": names(40) }));
        series["name-8"] = json!({ "retired": names(of_last) });
        json!({ "series": series })
    };
    assert_eq!(
        told(&lists(40), &lists(4)),
        "36 of 40 retired packages of name-8 (90.0 %) are gone from the source since it was last read, at most 25.0 % may be"
    );
}

#[test]
fn a_date_that_moves_and_a_package_that_gets_another_owner_are_not_gone() {
    let all = |date: &str, owner: &str| {
        json!({
            "series": { "noble": { "dates": named(4, &json!(date)) } },
            "packages": named(4, &json!({ "owner": owner })),
        })
    };
    assert_eq!(told(&all("2029-05-31", "ann"), &all("2029-06-30", "bob")), "");
    assert!(told(&all("2029-05-31", "ann"), &all("2029-06-30", "orphan")).contains("owners of packages"));
}

#[test]
fn a_team_is_told_of_as_long_as_it_may_do_something() {
    let of = |party: &str, teams: &Value| {
        let permission = json!({ "party": party, "action": "upload", "on": "component", "component": "main", "status": "approved" });
        let other = json!({ "party": "zoe", "action": "upload", "on": "component", "component": "main", "status": "approved" });
        json!({ "permissions": [permission, other], "teams": teams })
    };
    let before = of("@core", &json!({ "core": names(4) }));
    assert_eq!(
        told(&before, &of("ann", &json!({}))),
        "",
        "what it could do is withdrawn, and that is one permission"
    );
    assert!(told(&before, &of("@core", &json!({}))).contains("members of teams"));
    let idle = of("ann", &json!({ "core": names(4) }));
    assert!(told(&idle, &of("ann", &json!({}))).contains("members of teams"));
}

#[test]
fn what_a_list_leaves_out_that_shows_less_than_there_is_counts_as_there() {
    let before = json!({
        "series": { "noble": { "title": "Noble", "sets": { "a": { "subsets": ["b", "c"], "sources": ["x"] }, "b": {}, "c": {} } }, "jammy": {}, "focal": {} },
        "teams": { "core": ["ann", "bob"], "other": ["cid", "dan"] },
        "permissions": [
            { "party": "@core", "action": "upload", "on": "component", "component": "main", "status": "approved" },
            { "party": "@other", "action": "upload", "on": "component", "component": "main", "status": "approved" },
        ],
    });
    let now = json!({
        "partial": ["series", "permissions", { "team": "core" }],
        "series": { "noble": {
            "partial_sets": true,
            "sets": { "a": { "partial_subsets": true, "sources": ["x"] } },
            "remarks": [{ "remark": "hidden", "what": "the title of noble" }],
        } },
        "teams": { "core": [] },
    });
    assert_eq!(told(&before, &now), "");
    let mut open = now;
    open["partial"] = json!([]);
    assert!(
        told(&before, &open).contains("permissions that the source told of"),
        "{}",
        told(&before, &open)
    );
}

//! Who is believed in what.

use super::*;

fn snapshot(json: serde_json::Value) -> SourceSnapshot {
    serde_json::from_value(json).unwrap()
}

#[test]
fn the_first_source_that_speaks_of_a_fact_is_believed_and_the_others_are_kept_as_they_disagree() {
    let launchpad = snapshot(serde_json::json!({
        "series": { "noble": { "version": "24.04", "status": "maintenance", "dates": { "released": "2024-04-25" } } },
        "teams": { "core": ["ann"] },
        "permissions": [],
    }));
    let distro_info = snapshot(serde_json::json!({
        "series": { "noble": { "version": "24.04", "codename": "Noble Numbat", "dates": { "released": "2024-04-26", "eol": "2029-05-31" } } },
        "teams": { "core": ["bob"], "other": ["cid"] },
    }));
    let first = Layer {
        source: "launchpad",
        snapshot: &launchpad,
    };
    let (left, disagreements) = believed(
        Layer {
            source: "distro-info",
            snapshot: &distro_info,
        },
        &[first],
    );
    let wanted = snapshot(serde_json::json!({
        "series": { "noble": { "codename": "Noble Numbat", "dates": { "eol": "2029-05-31" } } },
        "teams": { "other": ["cid"] },
    }));
    assert_eq!(left, wanted);
    let lines: Vec<String> = disagreements.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "released of noble: launchpad says 2024-04-25, distro-info says 2024-04-26",
            "team core: launchpad says ann, distro-info says bob",
        ]
    );
    assert_eq!(believed(first, &[]), (launchpad.clone(), Vec::new()));
}

fn told(own: &SourceSnapshot, before: &SourceSnapshot) -> (SourceSnapshot, Vec<String>) {
    let own = Layer {
        source: "b",
        snapshot: own,
    };
    let before = Layer {
        source: "a",
        snapshot: before,
    };
    let (left, disagreements) = believed(own, &[before]);
    (left, disagreements.iter().map(ToString::to_string).collect())
}

#[test]
fn a_source_that_says_nothing_is_in_nobodys_way_and_one_that_says_there_is_nothing_is() {
    let nobody = snapshot(serde_json::json!({ "packages": {} }));
    let somebody = snapshot(serde_json::json!({ "packages": { "bash": {} } }));
    let (left, lines) = told(&somebody, &SourceSnapshot::default());
    assert_eq!((left.packages, lines), (somebody.packages.clone(), Vec::new()));
    let (left, lines) = told(&somebody, &nobody);
    assert_eq!(left.packages, None);
    assert_eq!(lines, ["packages: a says 0 packages, b says 1 package"]);
}

#[test]
fn each_permission_is_a_fact_of_its_own() {
    let permissions = |all: &[(&str, &str)]| {
        let all = all.iter().map(|(party, status)| {
            serde_json::json!({ "party": party, "action": "upload", "on": "component", "component": "main", "status": status })
        });
        snapshot(serde_json::json!({ "permissions": all.collect::<Vec<_>>() }))
    };
    let theirs = permissions(&[("ann", "approved"), ("bob", "approved"), ("cid", "approved")]);
    let (left, lines) = told(
        &theirs,
        &permissions(&[("bob", "denied"), ("cid", "approved"), ("dan", "approved")]),
    );
    assert_eq!(left, permissions(&[("ann", "approved")]));
    assert_eq!(
        lines,
        ["the permission of bob to upload component main: a says denied, b says approved"]
    );
}

#[test]
fn each_thing_that_is_said_of_a_set_is_a_fact_of_its_own() {
    let noble = |sets: serde_json::Value| snapshot(serde_json::json!({ "series": { "noble": { "sets": sets } } }));
    let theirs = noble(serde_json::json!({ "core": { "owner": "ann", "sources": ["apt"] }, "kernel": { "owner": "ann" } }));
    let (left, lines) = told(&theirs, &noble(serde_json::json!({ "core": { "owner": "bob", "score": 3 } })));
    assert_eq!(
        left,
        noble(serde_json::json!({ "core": { "sources": ["apt"] }, "kernel": { "owner": "ann" } }))
    );
    assert_eq!(lines, ["the owner of core in noble: a says bob, b says ann"]);
}

#[test]
fn of_what_is_said_of_the_end_of_a_stream_the_first_is_believed_whatever_is_newer() {
    let ends = |modified: &str, eol: &str| {
        let said = serde_json::json!({ "modified": modified, "eol": eol, "message": "old" });
        snapshot(serde_json::json!({ "modules": { "streams": { "m:1": { "obsoletes": [said] } } } }))
    };
    let (first, later) = (
        ends("2020-01-01T00:00:00Z", "2021-01-01"),
        ends("2022-01-01T00:00:00Z", "2023-01-01"),
    );
    let (left, lines) = told(&later, &first);
    assert_eq!(left, snapshot(serde_json::json!({ "modules": { "streams": { "m:1": {} } } })));
    assert_eq!(
        lines,
        [concat!(
            "the end of the stream m:1: a says on 2020-01-01T00:00:00Z 2021-01-01 (\"old\"), ",
            "b says on 2022-01-01T00:00:00Z 2023-01-01 (\"old\")"
        )]
    );
}

#[test]
fn of_a_context_the_first_is_believed_that_has_the_newest_build() {
    let modules = |version: u64, package: &str, default: &str| {
        snapshot(serde_json::json!({ "modules": {
            "streams": { "m:1": { "contexts": { "c": { "version": version, "platforms": [], "packages": [package] } } } },
            "defaults": { "m": default },
        } }))
    };
    let left = |own: &SourceSnapshot| {
        let before = modules(2, "a", "1");
        let before = [Layer {
            source: "base",
            snapshot: &before,
        }];
        let source = "updates";
        let (left, disagreements) = believed(Layer { source, snapshot: own }, &before);
        let modules = left.modules.unwrap();
        assert!(modules.defaults.is_empty());
        let contexts = modules.streams.values().map(|stream| stream.contexts.len()).sum::<usize>();
        let lines: Vec<String> = disagreements.iter().map(ToString::to_string).collect();
        (contexts, lines)
    };
    assert_eq!(left(&modules(2, "a", "1")), (0, vec![]));
    assert_eq!(left(&modules(3, "b", "1")), (1, vec![]));
    assert_eq!(left(&modules(1, "b", "1")), (0, vec![]));
    assert_eq!(
        left(&modules(2, "b", "2")).1,
        [
            "the context c of the stream m:1: base says version 2 for all with 1 package, updates says version 2 for all with 1 package",
            "the default stream of m: base says 1, updates says 2",
        ]
    );
}

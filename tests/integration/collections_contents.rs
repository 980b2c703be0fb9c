//! Packages in collections, their versions, what is built from these, and groups of that.

use insta::assert_snapshot;
use kinset::model::packages::acl::{Question, What, decide};
use kinset::model::packages::{Action, Party, SeriesName};
use kinset::store::packages::{Force, LogFilter};

use crate::packages_support::Kept;

/// Whether somebody may commit to bash in a series.
fn may_commit(kept: &Kept, who: &str, series: &str) -> String {
    let who: Party = who.parse().unwrap();
    let what = What::OnListing {
        action: Action::Commit,
        series: series.parse::<SeriesName>().unwrap(),
        package: "bash".parse().unwrap(),
    };
    let facts = kept.ask(None, |view| {
        let distribution = view.distribution(&"d".parse().unwrap())?;
        view.facts(&distribution, Some(&who), &what)
    });
    decide(&facts, &Question { who, what }).to_string()
}

fn commit(party: &str, series: &str) -> String {
    format!(
        r#"{{"op":"grant","distribution":"d","party":"{party}","action":"commit","on":"listing","series":"{series}","package":"bash","status":"approved"}}"#
    )
}

#[test]
fn who_owns_a_listing_may_and_who_is_permitted_to_on_it() {
    let mut kept = Kept::new("rpm", &["s", "t"], &["bash"]);
    kept.list("s", "bash");
    kept.done(&commit("bob", "s"));
    assert_snapshot!(may_commit(&kept, "ann", "s"), @"allowed: ann owns package bash in s");
    assert_snapshot!(may_commit(&kept, "bob", "s"), @"allowed: bob has commit on package bash in s");
    assert_snapshot!(may_commit(&kept, "eve", "s"), @"refused: nothing permits it");
    assert_snapshot!(may_commit(&kept, "ann", "t"), @"refused: package bash is not listed in t");
    kept.done(r#"{"op":"change-listing","in":"d/s","package":"bash","owner":"orphan","status":"approved"}"#);
    assert_snapshot!(may_commit(&kept, "orphan", "s"), @"refused: nothing permits it");
    assert_snapshot!(may_commit(&kept, "bob", "s"), @"allowed: bob has commit on package bash in s");
    kept.done(r#"{"op":"change-listing","in":"d/s","package":"bash","owner":"ann","status":"obsolete"}"#);
    assert_snapshot!(may_commit(&kept, "ann", "s"), @"refused: package bash is not listed in s");
    assert_snapshot!(may_commit(&kept, "bob", "s"), @"refused: package bash is not listed in s");
}

#[test]
fn the_component_of_a_listing_is_where_uploads_of_it_go() {
    use kinset::model::packages::acl::{InComponent, Upload};
    let mut kept = Kept::new("debian", &["s"], &["bash"]);
    kept.done(r#"{"op":"add-listing","in":"d/s","package":"bash","owner":"ann","component":"main","status":"approved"}"#);
    for (party, component) in [("mia", "main"), ("uma", "universe")] {
        kept.done(&format!(
            r#"{{"op":"grant","distribution":"d","party":"{party}","action":"upload","on":"component","component":"{component}","status":"approved"}}"#
        ));
    }
    let may_upload = |who: &str| {
        let who: Party = who.parse().unwrap();
        let what = What::Upload(Upload {
            series: "s".parse().unwrap(),
            package: "bash".parse().unwrap(),
            component: InComponent::Published,
            pocket: kinset::model::packages::Pocket::Release,
        });
        let facts = kept.ask(None, |view| {
            view.facts(&view.distribution(&"d".parse().unwrap())?, Some(&who), &what)
        });
        decide(&facts, &Question { who, what }).to_string()
    };
    assert_snapshot!(may_upload("mia"), @"allowed: mia has upload on component main");
    assert_snapshot!(may_upload("uma"), @"refused: no rights to component main");
}

#[test]
fn a_permission_on_a_listing_needs_the_listing_and_goes_with_it() {
    let mut kept = Kept::new("rpm", &["s"], &["bash"]);
    assert_snapshot!(kept.refused(&commit("bob", "s")), @"d/s does not list package `bash` -- `kinset collection add-package` lists it; `kinset collection lookup` asks its bases too");
    kept.list("s", "bash");
    kept.version("s", "bash", "5.2-1");
    kept.done(r#"{"op":"set-built","distribution":"d","package":"bash","version":"5.2-1","built":"bash-doc"}"#);
    kept.done(r#"{"op":"list-built","in":"d/s","package":"bash","version":"5.2-1","built":["bash-doc"]}"#);
    kept.done(&commit("bob", "s"));
    let before = kept.now;
    assert_snapshot!(kept.changes(r#"{"op":"remove-listing","in":"d/s","package":"bash"}"#), @r#"
    d/s built-listing bash: {"built":["bash-doc"],"version":"5.2-1"} > nothing
    d/s version-listing bash: "5.2-1" > nothing
    d/s permission bob: {"action":"commit","on":"listing","package":"bash","party":"bob","series":"s","status":"approved"} > nothing
    d/s listing bash: {"owner":"ann","status":"approved"} > nothing
    "#);
    kept.list("s", "bash");
    assert_snapshot!(may_commit(&kept, "bob", "s"), @"refused: nothing permits it");
    let permissions = |as_of| {
        kept.of("s", as_of, |view, series| {
            view.permissions(&view.distribution(&"d".parse().unwrap())?, Some(&series))
        })
    };
    assert_eq!((permissions(None).len(), permissions(Some(before)).len()), (0, 1));
    let built = |as_of| kept.of("s", as_of, |view, series| view.built(&series));
    assert_eq!((built(None).len(), built(Some(before)).len()), (0, 1));
}

#[test]
fn what_is_said_of_packages_is_checked_first() {
    let mut kept = Kept::new("rpm", &["s"], &["bash"]);
    kept.list("s", "bash");
    kept.version("s", "bash", "5.2-1");
    let refusals: Vec<String> = [
        r#"{"op":"change-package","distribution":"d","package":"bahs"}"#,
        r#"{"op":"add-listing","in":"d/s","package":"bahs","owner":"ann"}"#,
        r#"{"op":"add-listing","in":"d/s","package":"bash","owner":"ann"}"#,
        r#"{"op":"add-listing","in":"d/t","package":"bash","owner":"ann"}"#,
        r#"{"op":"change-listing","in":"d/s","package":"bahs","owner":"ann"}"#,
        r#"{"op":"remove-listing","in":"d/s","package":"zsh"}"#,
        r#"{"op":"add-version","distribution":"d","package":"bash","version":"5.2-1","status":"approved"}"#,
        r#"{"op":"add-version","distribution":"d","package":"bash","version":"5.2","status":"approved"}"#,
        r#"{"op":"change-version","distribution":"d","package":"bash","version":"5.2-2","status":"obsolete"}"#,
        r#"{"op":"list-version","in":"d/s","package":"bash","version":"9-9"}"#,
        r#"{"op":"withdraw-version","in":"d/s","package":"bash","version":"5.2-3"}"#,
        r#"{"op":"list-built","in":"d/s","package":"bash","version":"5.2-1","built":["bash-doc"]}"#,
        r#"{"op":"withdraw-built","in":"d/s","package":"bash","version":"5.2-1","built":["bash-doc"]}"#,
        r#"{"op":"set-group","in":"d/s","group":"shells","title":"Shells","members":{"bsah":{"type":"default"}}}"#,
        r#"{"op":"remove-group","in":"d/s","group":"shells"}"#,
        r#"{"op":"set-category","in":"d/s","category":"base","title":"Base","groups":["shells"]}"#,
        r#"{"op":"remove-category","in":"d/s","category":"base"}"#,
    ]
    .map(|operation| kept.refused(operation))
    .into();
    assert_snapshot!(refusals.join("\n"), @r#"
    distribution d has no package `bahs` -- the nearest names that there are: `bash` for `bahs`
    distribution d has no package `bahs` -- the nearest names that there are: `bash` for `bahs`
    there is a package bash in d/s already
    distribution d has no series `t` -- `s` is the nearest name that there is
    d/s does not list package `bahs` -- `bash` is the nearest name that there is
    d/s does not list package `zsh` -- `bash` is the nearest name that there is
    there is a version 5.2-1 of package bash already
    the release of version "5.2" is missing
    package bash has no version `5.2-2` -- `5.2-1` is the nearest name that there is
    package bash has no version `9-9` -- `kinset collection versions PACKAGE` shows those that there are
    package bash has no version `5.2-3` in d/s -- `5.2-1` is the nearest name that there is
    nothing is built as `bash-doc` -- what is built from a version is said with `kinset collection add-built`
    nothing is built as `bash-doc` in d/s -- what is built from a version is said with `kinset collection add-built`
    nothing is built as `bsah` -- what is built from a version is said with `kinset collection add-built`
    d/s has no group `shells` -- `kinset collection groups` shows those that there are
    d/s has no group `shells` -- `kinset collection groups` shows those that there are
    d/s has no category `base` -- `kinset collection categories` shows those that there are
    "#);
}

#[test]
fn a_package_that_is_known_by_its_name_waits_for_review() {
    let mut kept = Kept::new("rpm", &["s"], &["bash"]);
    let named = kept.now;
    let said = r#"{"op":"change-package","distribution":"d","package":"bash","summary":"A shell","review_url":"https://example.org/1","status":"approved"}"#;
    assert_snapshot!(kept.changes(said), @r#"d package bash: {"status":"awaitingreview"} > {"review_url":"https://example.org/1","status":"approved","summary":"A shell"}"#);
    let summary = |as_of| {
        kept.ask(as_of, |view| {
            view.package(&view.distribution(&"d".parse().unwrap())?, &"bash".parse().unwrap())
        })
        .details
        .summary
    };
    assert_eq!((summary(None).as_deref(), summary(Some(named))), (Some("A shell"), None));
    assert_eq!(kept.done(said).log, None);
    kept.done(r#"{"op":"add-packages","distribution":"d","packages":["dash"]}"#);
    let names = |as_of| {
        kept.ask(as_of, |view| view.packages_of(&view.distribution(&"d".parse().unwrap())?))
            .len()
    };
    assert_eq!((names(None), names(Some(named))), (2, 1));
}

#[test]
fn a_new_series_takes_listings_over_when_it_is_told_to_and_their_permissions_with_them() {
    let mut kept = Kept::new("rpm", &["s"], &["bash", "dash"]);
    kept.list("s", "bash");
    kept.done(
        r#"{"op":"add-listing","in":"d/s","package":"dash","owner":"orphan","qa_contact":"@qa","component":"core","status":"denied"}"#,
    );
    kept.done(&commit("bob", "s"));
    kept.version("s", "bash", "5.2-1");
    let init = |name: &str, listings: &str| format!(r#"{{"op":"init-series","in":"d/{name}","from":"d/s",{listings}"owner":"ann"}}"#);
    assert_snapshot!(kept.changes(&init("bare", "")), @r#"
    d/bare series bare: nothing > {"owner":"ann","status":"development","version":"0"}
    d/bare series-init bare: nothing > {"from":"d/s","packagesets":0,"permissions":0,"sources":0,"subsets":0}
    "#);
    assert_snapshot!(kept.changes(&init("full", r#""listings":true,"#)), @r#"
    d/full series full: nothing > {"owner":"ann","status":"development","version":"0"}
    d/full series-init full: nothing > {"from":"d/s","listings":2,"packagesets":0,"permissions":1,"sources":0,"subsets":0}
    "#);
    let listings = |name| kept.of(name, None, |view, series| view.listings(&series));
    assert_eq!(listings("bare"), []);
    assert_eq!(listings("full"), listings("s"));
    assert_snapshot!(may_commit(&kept, "bob", "full"), @"allowed: bob has commit on package bash in full");
    assert_eq!(
        kept.of("full", None, |view, series| view.versions(&series)),
        [],
        "versions are built for one series"
    );
    kept.done(r#"{"op":"create-distribution","distribution":"e","sharing":"tethered","versions":"rpm"}"#);
    assert_snapshot!(kept.refused(r#"{"op":"init-series","in":"e/s","from":"d/s","listings":true,"owner":"ann"}"#), @"the listings of d/s do not come along to e/s, which is of another distribution -- leave out `--listings`");
}

#[test]
fn the_newest_version_is_the_one_that_the_distributions_rules_say() {
    for (scheme, versions, newest) in [
        ("rpm", ["1.0-1", "1.0~rc1-1", "1.0^git1-1"], "1.0^git1-1"),
        ("rpm", ["9-1", "10-1", "1:2-1"], "1:2-1"),
        ("debian", ["1.0", "1.0~rc1", "1.0-1"], "1.0-1"),
        ("debian", ["1.9", "1.10", "1.10+b"], "1.10+b"),
        ("debian", ["1.0", "1.00", "0:1.0"], "1.00"),
    ] {
        let mut kept = Kept::new(scheme, &["s"], &["bash"]);
        kept.list("s", "bash");
        for version in versions {
            kept.version("s", "bash", version);
        }
        assert_eq!(kept.lookup("s", "bash", None).unwrap().newest.unwrap().as_str(), newest);
        let first = kept.of("s", None, |view, series| Ok(view.versions(&series)?.remove(0)));
        assert_eq!(first.version.as_str(), newest, "lists begin with it");
    }
}

#[test]
fn a_version_may_be_in_several_collections_and_counts_when_it_is_published() {
    let mut kept = Kept::new("rpm", &["stable", "devel"], &["bash"]);
    kept.done(r#"{"op":"change-series","in":"d/devel","owner":"ann","bases":[{"base":"stable"}]}"#);
    kept.list("stable", "bash");
    kept.list("devel", "bash");
    kept.version("stable", "bash", "5.1-1");
    kept.version("devel", "bash", "5.1-1");
    kept.done(r#"{"op":"add-version","distribution":"d","package":"bash","version":"5.2-1","status":"awaitingqa"}"#);
    kept.done(r#"{"op":"list-version","in":"d/devel","package":"bash","version":"5.2-1"}"#);
    let newest = |kept: &Kept, series: &str, as_of| {
        let provided = kept.lookup(series, "bash", as_of).unwrap();
        let text =
            |version: Option<kinset::model::packages::Version>| version.map_or_else(|| "-".to_owned(), |version| version.to_string());
        format!("{} {}", text(provided.newest), text(provided.pending))
    };
    assert_eq!(newest(&kept, "devel", None), "5.1-1 5.2-1");
    assert_eq!(newest(&kept, "stable", None), "5.1-1 -");
    let waiting = kept.now;
    let approve = r#"{"op":"change-version","distribution":"d","package":"bash","version":"5.2-1","status":"approved"}"#;
    assert_snapshot!(kept.changes(approve), @r#"d version bash 5.2-1: {"status":"awaitingqa"} > {"status":"approved"}"#);
    assert_eq!(newest(&kept, "devel", None), "5.2-1 -");
    assert_eq!(newest(&kept, "devel", Some(waiting)), "5.1-1 5.2-1");
    assert_snapshot!(kept.changes(r#"{"op":"withdraw-version","in":"d/devel","package":"bash","version":"5.2-1"}"#), @r#"d/devel version-listing bash: "5.2-1" > nothing"#);
    assert_eq!(newest(&kept, "devel", None), "5.1-1 -");
    let series = kept.ask(None, |view| {
        let distribution = view.distribution(&"d".parse().unwrap())?;
        let versions = view.versions_of(&distribution, &"bash".parse().unwrap())?;
        versions
            .iter()
            .map(|version| view.series_with(version))
            .collect::<Result<Vec<_>, _>>()
    });
    let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<SeriesName>>();
    assert_eq!(series, [names(&[]), names(&["stable", "devel"])]);
}

#[test]
fn groups_name_built_packages_and_categories_name_groups() {
    let mut kept = Kept::new("rpm", &["s"], &["bash"]);
    kept.list("s", "bash");
    kept.version("s", "bash", "5.2-1");
    for built in ["bash", "bash-doc"] {
        kept.done(&format!(
            r#"{{"op":"set-built","distribution":"d","package":"bash","version":"5.2-1","built":"{built}","summary":"{built}"}}"#
        ));
    }
    assert_snapshot!(kept.changes(r#"{"op":"list-built","in":"d/s","package":"bash","version":"5.2-1","built":["bash"]}"#), @r#"d/s built-listing bash: nothing > {"built":["bash"],"version":"5.2-1"}"#);
    let members = r#""members":{"bash":{"type":"mandatory"},"bash-doc":{"type":"conditional","requires":"man-db"}}"#;
    let group = format!(r#"{{"op":"set-group","in":"d/s","group":"shells","title":"Shells",{members}}}"#);
    assert_snapshot!(kept.changes(&group), @r#"d/s group shells: nothing > {"members":{"bash":{"type":"mandatory"},"bash-doc":{"requires":"man-db","type":"conditional"}},"title":"Shells"}"#);
    assert_eq!(kept.done(&group).log, None);
    kept.done(r#"{"op":"set-category","in":"d/s","category":"base","title":"Base","groups":["shells"]}"#);
    let whole = kept.now;
    let fewer = r#"{"op":"set-group","in":"d/s","group":"shells","title":"Shells","members":{"bash":{"type":"optional"}}}"#;
    assert_snapshot!(kept.changes(fewer), @r#"d/s group shells: {"members":{"bash":{"type":"mandatory"},"bash-doc":{"requires":"man-db","type":"conditional"}},"title":"Shells"} > {"members":{"bash":{"type":"optional"}},"title":"Shells"}"#);
    kept.done(r#"{"op":"withdraw-version","in":"d/s","package":"bash","version":"5.2-1"}"#);
    let group_of = |kept: &Kept, as_of| kept.of("s", as_of, |view, series| view.group(&series, &"shells".parse().unwrap()));
    assert_eq!(
        group_of(&kept, None).members.len(),
        1,
        "the name stays while there is no such package"
    );
    assert_eq!(
        serde_json::to_string(&group_of(&kept, Some(whole))).unwrap(),
        format!(r#"{{"title":"Shells",{members}}}"#)
    );
    assert_snapshot!(kept.changes(r#"{"op":"remove-group","in":"d/s","group":"shells"}"#), @r#"
    d/s category base: {"groups":["shells"],"title":"Base"} > {"title":"Base"}
    d/s group shells: {"members":{"bash":{"type":"optional"}},"title":"Shells"} > nothing
    "#);
    let categories = |kept: &Kept, as_of| kept.of("s", as_of, |view, series| view.categories(&series));
    let groups = |as_of| {
        categories(&kept, as_of)
            .into_values()
            .map(|category| category.groups.len())
            .collect::<Vec<_>>()
    };
    assert_eq!((groups(None), groups(Some(whole))), (vec![0], vec![1]));
    kept.done(&group);
    assert_eq!(group_of(&kept, None), group_of(&kept, Some(whole)), "it comes back under its id");
    kept.done(r#"{"op":"remove-category","in":"d/s","category":"base"}"#);
    assert!(categories(&kept, None).is_empty());
}

#[test]
fn a_version_may_come_and_go_again_and_again() {
    let mut kept = Kept::new("rpm", &["s"], &["bash"]);
    kept.list("s", "bash");
    for _ in 0..3 {
        kept.version("s", "bash", "1-1");
        kept.done(r#"{"op":"withdraw-version","in":"d/s","package":"bash","version":"1-1"}"#);
    }
    assert_eq!(kept.of("s", None, |view, series| view.versions(&series)), []);
    let entries = kept.ask(None, |view| {
        view.log(&LogFilter {
            name: Some("bash".to_owned()),
            ..LogFilter::default()
        })
    });
    assert_eq!(entries.len(), 8, "a listing, a version, and three times there and back");
    assert!(
        kept.attempt(
            r#"{"op":"withdraw-version","in":"d/s","package":"bash","version":"1-1"}"#,
            Force::Insisted
        )
        .is_err()
    );
}

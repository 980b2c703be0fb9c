//! Sources of one distribution that speak of the same on the command line: whoever they are and however they stand, one pull takes them in, and the
//! second changes nothing.

use std::sync::Arc;

use serde_json::json;

use crate::sources_launchpad::launchpad;
use crate::support::fedora::{Bodhi, DistGit, OWNERS, release};
use crate::support::following::Following;
use crate::support::launchpad::Launchpad;
use crate::support::repository::{Repository, stream};

const BODHI: &str = "kind = \"bodhi\"\nurl = \"URL\"\nid_prefixes = [\"FEDORA\"]";

fn bodhi() -> Arc<Bodhi> {
    Arc::new(Bodhi::new(vec![
        release("F42", "Fedora 42", "42", "FEDORA", "f42", "current"),
        release("F43", "Fedora 43", "43", "FEDORA", "f43", "pending"),
    ]))
}

/// One forge with owners alone, and another with what is retired, and owners that are not believed.
fn forges() -> [Arc<DistGit>; 2] {
    let owners = json!({"bash": ["ann", "bob"], "zsh": ["cid"], "old": ["orphan"]});
    let retired: [(&str, &[&str]); 2] = [("rawhide", &["old", "ancient"]), ("f42", &["zsh"])];
    [
        DistGit::new(owners, json!({"bash": ["ann"], "zsh": [], "old": []}), &[]),
        DistGit::new(json!({"bash": ["dan"]}), json!({"bash": []}), &retired),
    ]
    .map(Arc::new)
}

const OWNED: &str = "kind = \"distgit\"\nname = \"owners\"\nurl = \"URL\"";
const RETIRED: &str = "kind = \"distgit\"\nname = \"retired\"\nurl = \"URL\"\nbranches = { rawhide = \"f43\", f42 = \"f42\" }";

#[test]
fn a_source_that_tells_owners_and_one_that_tells_what_is_retired_come_to_rest() {
    let [owners, retired] = forges();
    let fedora = Following::new("fedora", "versions = \"rpm\"\nlisted = [\"f43\"]\n")
        .with(&bodhi(), BODHI)
        .with(&owners, OWNED)
        .with(&retired, RETIRED)
        .started();
    insta::assert_snapshot!(fedora.pull(), @r"
    fedora: bodhi: 3 changes taken in
    fedora: owners: 6 changes taken in
    fedora: retired: 4 changes taken in
    fedora: retired is not believed in 1 thing that another source says otherwise; `kinset plan fedora` lists them
    ");
    assert_eq!(
        fedora.listings("f43"),
        [
            "ancient orphan obsolete",
            "bash ann approved",
            "old orphan obsolete",
            "zsh cid approved"
        ]
    );
    assert_eq!(fedora.listings("f42"), ["zsh cid obsolete"]);
    assert!(fedora.is_at_rest());
    // What changes in one of them changes what that one says, and nothing else.
    owners.change(OWNERS, "zsh", json!(["eve"]));
    retired.put("/lookaside/retired_in_rawhide.json", json!({"rawhide": ["zsh"]}));
    fedora.pull();
    assert_eq!(
        fedora.listings("f43"),
        ["bash ann approved", "old orphan approved", "zsh eve obsolete"]
    );
    assert_eq!(fedora.listings("f42"), ["zsh eve obsolete"]);
    assert!(fedora.is_at_rest());
}

#[test]
fn a_source_may_stand_before_the_one_that_brings_its_series() {
    let [owners, retired] = forges();
    let fedora = Following::new("fedora", "versions = \"rpm\"\nlisted = [\"f43\"]\n")
        .with(&retired, RETIRED)
        .with(&owners, OWNED)
        .with(&bodhi(), BODHI)
        .started();
    insta::assert_snapshot!(fedora.pull(), @r"
    fedora: bodhi: 3 changes taken in
    fedora: retired: 5 changes taken in
    fedora: owners: nothing changed
    fedora: owners is not believed in 1 thing that another source says otherwise; `kinset plan fedora` lists them
    ");
    assert_eq!(fedora.listings("f42"), ["zsh orphan obsolete"]);
    assert_eq!(
        fedora.listings("f43"),
        ["ancient orphan obsolete", "bash dan approved", "old orphan obsolete"]
    );
    assert!(fedora.is_at_rest());
}

#[test]
fn what_is_in_a_series_that_nobody_brings_is_left_out_and_that_is_said() {
    let [owners, retired] = forges();
    let fedora = Following::new("fedora", "versions = \"rpm\"\nlisted = [\"f44\"]\n")
        .with(&bodhi(), BODHI)
        .with(&retired, &RETIRED.replace("\"f42\" }", "\"f24\" }"))
        .with(&owners, OWNED)
        .started();
    insta::assert_snapshot!(fedora.place.run("plan"), @r"
    exit 0
    --- stdout
    distribution fedora as bodhi has it
      fedora distribution fedora: + sharing copy-on-write, versions rpm
      fedora/f42 series f42: + branch dist_tag f42, name f42, owner orphan, status active, title Fedora 42, version 42
      fedora/f43 series f43: + branch dist_tag f43, name f43, owner orphan, status development, title Fedora 43, version 43
    3 changes

    distribution fedora as retired has it
      fedora packages fedora: + ancient bash old
      fedora/f43 listing ancient: + owner orphan, status obsolete
      fedora/f43 listing old: + owner orphan, status obsolete
    3 changes
    not read: nothing is taken in of the packages in f44: there is no such series, and no source says what it is; create it, or mend its name in the configuration
    not read: nothing is taken in of what is retired in f24: there is no such series, and no source says what it is; create it, or mend its name in the configuration

    distribution fedora as owners has it
    nothing to do: all is as owners says
    not read: nothing is taken in of the packages in f44: there is no such series, and no source says what it is; create it, or mend its name in the configuration
    not believed: packages: retired says 1 package, owners says 3 packages
    ");
    fedora.pull();
    assert!(fedora.is_at_rest());
    fedora.place.data("series create f24 --owner ann --version 24");
    fedora.pull();
    assert_eq!(fedora.listings("f24"), ["zsh orphan obsolete"]);
    assert!(fedora.is_at_rest());
}

const LAUNCHPAD: &str = "kind = \"launchpad\"\nurl = \"URL/devel/\"";
const OURS: &str = "kind = \"local\"\nname = \"ours\"";
const HEAD: &str = "name = \"ubuntu\"\nsharing = \"copy-on-write\"\nversions = \"debian\"\n";

/// Launchpad, and a file that stands before it.
fn with_file(launchpad: &Arc<Launchpad>, text: &str) -> Following {
    Following::new("ubuntu", "")
        .with_file(OURS, "ours.toml", &format!("{HEAD}{text}"))
        .with(launchpad, LAUNCHPAD)
        .started()
}

/// A permission on a set of noble, and nothing else.
const ONE_GRANT: &str = "[[series]]\nname = \"noble\"\n[[series.packageset]]\nname = \"kernel\"\n\
    permissions = [{ party = \"zoe\", action = \"upload\", explicit = true }]\n";

fn can(ubuntu: &Following, question: &str) -> bool {
    ubuntu
        .place
        .run(&format!("acl can {question} --series noble"))
        .starts_with("exit 0\n")
}

#[test]
fn a_file_adds_one_permission_and_all_else_is_as_launchpad_has_it() {
    let ubuntu = with_file(&launchpad(), ONE_GRANT);
    insta::assert_snapshot!(ubuntu.pull(), @r"
    ubuntu: launchpad: 23 changes taken in
    ubuntu: ours: 1 change taken in
    ");
    assert_eq!(
        ubuntu.series("noble")["packageset"],
        json!([
            { "name": "core", "owner": "@techboard", "description": "All of core", "sources": ["apt", "base-files"], "subsets": ["kernel"] },
            { "name": "kernel", "owner": "@techboard", "description": "All of kernel", "sources": ["linux"], "permissions": [
                { "party": "zoe", "action": "upload", "explicit": true },
                { "party": "@kernel-team", "action": "upload", "explicit": true },
            ] },
        ])
    );
    for who in ["zoe upload linux", "bob upload linux", "alice upload apt"] {
        assert!(can(&ubuntu, who), "{who}");
    }
    assert!(ubuntu.is_at_rest());
    ubuntu.place.write("ours.toml", HEAD);
    assert_eq!(
        ubuntu.planned(),
        [
            "ubuntu/noble permission zoe: - action upload, explicit true, on package-set, party zoe, series noble, set kernel, status approved"
        ]
    );
    ubuntu.pull();
    assert!(!can(&ubuntu, "zoe upload linux") && can(&ubuntu, "bob upload linux"));
    assert!(ubuntu.is_at_rest());
}

#[test]
fn a_file_may_deny_what_launchpad_gives_and_that_is_shown() {
    let denied = "permissions = [{ party = \"alice\", action = \"upload\", package = \"apt\", status = \"denied\" }]\n";
    let ubuntu = with_file(&launchpad(), denied);
    ubuntu.pull();
    assert!(!can(&ubuntu, "carol upload apt"));
    let plan = ubuntu.place.data("plan");
    let line = "not believed: the permission of alice to upload package apt: ours says denied, launchpad says approved";
    assert!(plan.contains(line), "{plan}");
    assert!(ubuntu.is_at_rest());
    ubuntu.place.write("ours.toml", HEAD);
    ubuntu.pull();
    let listed = ubuntu.place.data("acl list --format json");
    assert!(!listed.contains("denied") && listed.contains("\"apt\""), "{listed}");
    assert!(ubuntu.is_at_rest());
}

#[test]
fn a_file_that_stands_behind_launchpad_adds_and_is_not_believed_where_they_differ() {
    let service = launchpad();
    let text = "permissions = [{ party = \"zoe\", action = \"upload\", component = \"main\" }]\n\
        [teams]\nlocals = [\"zoe\"]\ncore-dev = [\"zoe\"]\n\
        [[series]]\nname = \"noble\"\nstatus = \"eol\"\n[[series.packageset]]\nname = \"core\"\nscore = 7\n\
        [[series.packageset]]\nname = \"extra\"\nowner = \"zoe\"\nsources = [\"vim\"]\n";
    let ubuntu = Following::new("ubuntu", "")
        .with(&service, LAUNCHPAD)
        .with_file(OURS, "ours.toml", &format!("{HEAD}{text}"))
        .started();
    insta::assert_snapshot!(ubuntu.pull(), @r"
    ubuntu: launchpad: 23 changes taken in
    ubuntu: ours: 5 changes taken in
    ubuntu: ours is not believed in 3 things that another source says otherwise; `kinset plan ubuntu` lists them
    ");
    let sets = |ubuntu: &Following| -> Vec<String> {
        let sets = ubuntu.series("noble")["packageset"].as_array().unwrap().clone();
        sets.iter().map(|set| set["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(sets(&ubuntu), ["core", "extra", "kernel"]);
    assert!(can(&ubuntu, "zoe upload base-files --component main") && can(&ubuntu, "alice upload base-files --component main"));
    assert!(ubuntu.is_at_rest());
    // What Launchpad has no longer goes, and what the file says of it has nothing to be on.
    service.world().sets.retain(|set| set.name != "kernel");
    service.world().sets.iter_mut().for_each(|set| set.subsets.clear());
    service.world().permissions.retain(|row| row["package_set_name"] != "kernel");
    ubuntu.pull();
    assert_eq!(sets(&ubuntu), ["core", "extra"]);
    assert!(ubuntu.is_at_rest());
    // It is the file that takes back what it said, though Launchpad comes first.
    ubuntu.place.write("ours.toml", HEAD);
    insta::assert_snapshot!(ubuntu.pull(), @r#"
    ubuntu: launchpad: nothing changed
    ubuntu: launchpad: not read again: 1 package set of noble, of which no list shows a change; `kinset pull ubuntu --full` reads all, and with `read_sets = "living"` each pull does
    ubuntu: ours: 3 changes taken in
    "#);
    assert_eq!(sets(&ubuntu), ["core"]);
    let teams = ubuntu.place.data("team list");
    assert!(!teams.contains("@locals") && teams.contains("@core-dev"), "{teams}");
    assert!(!can(&ubuntu, "zoe upload base-files --component main") && can(&ubuntu, "alice upload base-files --component main"));
    assert!(ubuntu.is_at_rest());
}

#[test]
fn a_series_in_a_file_needs_a_status_and_an_owner_only_where_nobody_else_says_them() {
    let service = launchpad();
    let noble = "[[series]]\nname = \"noble\"\ndates = { eol = 2030-01-01 }\n";
    let ubuntu = with_file(&service, noble);
    ubuntu.pull();
    let series = ubuntu.series("noble");
    assert_eq!((&series["status"], &series["owner"]), (&json!("maintenance"), &json!("@techboard")));
    assert_eq!(series["dates"], json!({ "eol": "2030-01-01", "released": "2024-04-25" }));
    assert!(ubuntu.is_at_rest());

    let ubuntu = with_file(&service, &noble.replace("noble", "nobel"));
    insta::assert_snapshot!(ubuntu.run("pull"), @r"
    exit 1
    --- stderr
    distribution ubuntu:
    error: distribution ubuntu has no series nobel, and neither source ours nor another says its status and its owner
      help: say `status` and `owner` of it in the file of source ours, or mend its name there if it is another series that is meant
    ubuntu: launchpad: 23 changes taken in
    ");
    ubuntu
        .place
        .write("ours.toml", format!("{HEAD}{noble}status = \"frozen\"\n").replace("noble", "nobel"));
    assert!(ubuntu.run("pull").contains("neither source ours nor another says its owner\n"));
    ubuntu.place.write(
        "ours.toml",
        format!("{HEAD}{noble}status = \"frozen\"\nowner = \"ann\"\n").replace("noble", "nobel"),
    );
    ubuntu.pull();
    assert_eq!(ubuntu.series("nobel")["status"], "frozen");
    assert!(ubuntu.is_at_rest());
}

#[test]
fn what_a_file_says_of_a_set_that_nobody_brings_is_left_out_and_that_is_said() {
    let ubuntu = with_file(&launchpad(), &ONE_GRANT.replace("kernel", "kernle"));
    let plan = ubuntu.place.data("plan");
    assert!(
        plan.contains("nothing is taken in of the package set kernle in noble: there is no such set"),
        "{plan}"
    );
    ubuntu.pull();
    assert!(ubuntu.is_at_rest());
}

#[test]
fn a_second_pull_of_every_kind_of_source_changes_nothing_and_says_so() {
    let ubuntu = Following::new("ubuntu", "")
        .with(&launchpad(), LAUNCHPAD)
        .with_file(
            "kind = \"distro-info\"",
            "ubuntu.csv",
            "version,codename,series,eol\n24.04 LTS,Noble Numbat,noble,2029-05-31\n",
        )
        .with_file(OURS, "ours.toml", &format!("{HEAD}{ONE_GRANT}"))
        .started();
    ubuntu.pull();
    insta::assert_snapshot!(ubuntu.pull(), @r#"
    ubuntu: launchpad: nothing changed
    ubuntu: launchpad: not read again: 2 package sets of noble, of which no list shows a change; `kinset pull ubuntu --full` reads all, and with `read_sets = "living"` each pull does
    ubuntu: distro-info: nothing changed
    ubuntu: ours: nothing changed
    "#);
    let [owners, _] = forges();
    let repository = Arc::new(Repository::with(&stream("nodejs:8", 1, &["nodejs"])));
    let fedora = Following::new("fedora", "versions = \"rpm\"\nlisted = [\"f43\"]\n")
        .with(&bodhi(), BODHI)
        .with(&owners, OWNED)
        .with(&repository, "kind = \"modulemd\"\nrepository = \"URL/os/\"")
        .started();
    fedora.pull();
    insta::assert_snapshot!(fedora.pull(), @r"
    fedora: bodhi: nothing changed
    fedora: owners: nothing changed
    fedora: modulemd: nothing changed
    ");
}

//! What Launchpad hides on the command line: what was known of it stays, and what is shown beside it is taken in.

use serde_json::json;

use crate::cli_sources::Ubuntu;
use crate::support::launchpad::{REDACTED, permission};

fn may(ubuntu: &Ubuntu, question: &str) -> bool {
    let told = ubuntu.run(&format!("acl can {question}"));
    assert!(told.starts_with("exit 0\n") || told.starts_with("exit 1\n"), "{told}");
    told.starts_with("exit 0\n")
}

fn pull(ubuntu: &Ubuntu) {
    let told = ubuntu.run("pull");
    assert!(told.starts_with("exit 0\n"), "{told}");
}

#[test]
fn a_permission_that_is_hidden_is_not_withdrawn_and_others_are_granted_beside_it() {
    let ubuntu = Ubuntu::pulled();
    assert!(may(&ubuntu, "alice upload apt --series noble"));
    // The row of alice is left out without a word, and that of the kernel team does not tell whose it is.
    ubuntu.change(|world| {
        world.permissions.retain(|row| row["component_name"] != "main");
        world.hidden_permissions = vec![0];
        world.permissions[1]["person"] = REDACTED.into();
        world.permissions.push(permission("dora", &json!({"source_package_name": "apt"})));
    });
    insta::assert_snapshot!(ubuntu.run("plan ubuntu").split("\n\n").next().unwrap(), @r#"
    exit 0
    --- stdout
    distribution ubuntu as launchpad has it
      ubuntu permission dora: + action upload, on package, package apt, party dora, status approved
    1 change
    not read again: 2 package sets of noble, of which no list shows a change; `kinset pull ubuntu --full` reads all, and with `read_sets = "living"` each pull does
    not read: who has it of permission primary/+upload/somebody?type=package_set_name&item=kernel is hidden: what was known of it stays
    not read: the list of permissions shows 4 of 5: what was known and is not shown stays
    "#);
    pull(&ubuntu);
    for question in ["alice upload apt", "dora upload apt", "bob upload linux", "alice upload base-files"] {
        assert!(may(&ubuntu, &format!("{question} --series noble")), "{question}");
    }
    for again in ["pull", "pull --full"] {
        let told = ubuntu.run(again);
        assert!(told.contains("launchpad: nothing changed"), "{told}");
    }
    // Once everything is shown again, what is not there is withdrawn.
    ubuntu.change(|world| {
        world.hidden_permissions.clear();
        world.permissions[1]["person"] = "kernel-team".into();
    });
    pull(&ubuntu);
    assert!(
        !may(&ubuntu, "alice upload base-files --series noble"),
        "nobody says that core-dev may"
    );
    assert!(may(&ubuntu, "alice upload apt --series noble") && may(&ubuntu, "bob upload linux --series noble"));
}

#[test]
fn a_set_that_is_hidden_stays_with_what_is_in_it_and_who_may_upload_it() {
    let ubuntu = Ubuntu::pulled();
    let before = ubuntu.place.data("packageset show kernel --series noble --format json");
    let ids = |name: &str| -> Vec<u64> {
        let mut ids = Vec::new();
        ubuntu.change(|world| ids = world.sets.iter().filter(|set| set.name == name).map(|set| set.id).collect());
        ids
    };
    let hidden = ids("kernel");
    ubuntu.change(|world| {
        world.hidden_sets = hidden;
        world.set("plucky", "core").sources.push("dpkg".to_owned());
    });
    pull(&ubuntu);
    assert_eq!(ubuntu.place.data("packageset show kernel --series noble --format json"), before);
    assert!(may(&ubuntu, "bob upload linux --series noble"));
    assert!(ubuntu.place.data("packageset show core --series plucky").contains("dpkg"));
    assert!(ubuntu.run("pull").contains("launchpad: nothing changed"));
    ubuntu.change(|world| {
        world.hidden_sets.clear();
        world
            .sets
            .retain(|set| (set.series.as_str(), set.name.as_str()) != ("plucky", "kernel"));
        world.set("plucky", "core").subsets.clear();
    });
    pull(&ubuntu);
    let gone = ubuntu.run("packageset show kernel --series plucky");
    assert!(gone.contains("ubuntu/plucky has no package set `kernel`"), "{gone}");
}

#[test]
fn a_set_that_got_another_name_beside_one_that_is_hidden_is_there_once() {
    let ubuntu = Ubuntu::pulled();
    ubuntu.change(|world| {
        world.set("plucky", "core").name = "base".to_owned();
        let hidden = world.set("plucky", "kernel").id;
        world.hidden_sets = vec![hidden];
    });
    pull(&ubuntu);
    let sets = ubuntu.place.data("packageset list --series plucky --quiet");
    assert_eq!(sets, "base\nkernel\n");
}

#[test]
fn somebody_in_a_team_who_is_hidden_is_in_it_still() {
    let ubuntu = Ubuntu::pulled();
    ubuntu.change(|world| {
        world.overlaid.insert("/~bob".to_owned(), json!({"name": REDACTED}));
        world.teams.get_mut("core-dev").unwrap().push("dora".to_owned());
    });
    pull(&ubuntu);
    let members = ubuntu.place.data("team members core-dev");
    for member in ["alice", "bob", "dora"] {
        assert!(members.contains(member), "{members}");
    }
    ubuntu.change(|world| {
        world.overlaid.clear();
        world
            .teams
            .get_mut("core-dev")
            .unwrap()
            .retain(|member| member != "bob" && member != "kernel-team");
    });
    pull(&ubuntu);
    assert!(!ubuntu.place.data("team members core-dev").contains("bob"));
}

#[test]
fn an_archive_that_is_hidden_takes_no_permission_away() {
    let ubuntu = Ubuntu::pulled();
    ubuntu.change(|world| {
        world.overlaid.insert("/ubuntu".to_owned(), json!({"main_archive_link": REDACTED}));
    });
    pull(&ubuntu);
    assert!(may(&ubuntu, "alice upload apt --series noble") && may(&ubuntu, "bob upload linux --series noble"));
}

//! Distributions as files on the command line: export, import, plan and apply.

use std::fs;

use serde_json::Value;

use crate::cli_support::{Place, Tracker, world};
use crate::local_file::EXAMPLE;

const CONFIG: &str = "state_dir = \"state\"\n[[distribution]]\nname = \"tidewater\"\nfile = \"tidewater.toml\"\n";

/// A folder whose configuration has the example's file follow it.
fn place() -> Place {
    Place::new().with("kinset.toml", CONFIG).with("tidewater.toml", EXAMPLE)
}

/// The same, where all is as the file says.
fn applied() -> Place {
    let place = place();
    place.data("apply --yes");
    place
}

/// Replaces the first piece of that text in the file.
fn edit(place: &Place, old: &str, new: &str) {
    let text = place.read("tidewater.toml");
    assert!(text.contains(old), "{old:?}");
    place.write("tidewater.toml", text.replacen(old, new, 1));
}

/// What the state says of the distribution.
fn state(place: &Place) -> String {
    place.data("distribution export --format json") + &place.data("log --quiet")
}

#[test]
fn a_file_is_imported_once_and_a_second_time_there_is_nothing_to_do() {
    let place = place();
    insta::assert_snapshot!(place.run("distribution import tidewater.toml --dry-run"), @r#"
    exit 0
    --- stdout
    distribution tidewater as in tidewater.toml
      tidewater distribution tidewater: + sharing copy-on-write, versions debian
      tidewater packages tidewater: + bash coreutils glibc hello linux linux-firmware linux-meta nginx openssh sample
      tidewater package hello: status awaitingreview > approved, summary nothing > Says hello
      tidewater version hello 2.10-3: + status obsolete
      tidewater version hello 2.12-1: + status approved
      tidewater built hello 2.12-1 hello: +
      tidewater built hello 2.12-1 hello-doc: + summary How to say it
      tidewater team @core-dev: + @release bert
      tidewater team @kernel: + carla
      tidewater team @release: + anna
      tidewater/ash series ash: + owner @release, status maintenance, version 1.0
      tidewater/ash packageset base: + description What every installation has, group tidewater/base, owner @core-dev
      tidewater/ash packageset kernel: + description "", group tidewater/kernel, owner @kernel
      tidewater/ash packageset server: + description What servers have, group tidewater/server, owner @core-dev
      tidewater/ash subsets server: + base kernel
      tidewater/ash sources base: + bash coreutils glibc
      tidewater/ash permission @core-dev: + action upload, on package-set, party @core-dev, series ash, set base, status approved
      tidewater/ash score kernel: 0 > 100
      tidewater/ash sources kernel: + linux linux-meta
      tidewater/ash permission @kernel: + action upload, explicit true, on package-set, party @kernel, series ash, set kernel, status approved
      tidewater/ash permission @kernel: + action queue-admin, on package-set, party @kernel, series ash, set kernel, status approved
      tidewater/ash sources server: + openssh
      tidewater/brook series brook: + owner @release, status development, version 2.0
      tidewater/brook series-init brook: + from tidewater/ash, packagesets 3, permissions 0, sources 0, subsets 0
      tidewater/brook packageset-copy kernel: + no longer shared with tidewater/ash, permissions 2, sources 2, subsets 0
      tidewater/brook packageset kernel: name kernel > linux
      tidewater/brook sources linux: - linux-meta
      tidewater/brook sources linux: + linux-firmware
      tidewater/brook permission @kernel: - action queue-admin, on package-set, party @kernel, series brook, set linux, status approved
      tidewater/brook packageset-copy server: + no longer shared with tidewater/ash, permissions 0, sources 1, subsets 2
      tidewater/brook sources server: + nginx
      tidewater/brook listing hello: + component main, owner dora, qa_contact @release, status approved
      tidewater/brook version-listing hello: + 2.12-1
      tidewater/brook built-listing hello: + built hello hello-doc, version 2.12-1
      tidewater/brook group greetings: + members hello type mandatory, hello-doc requires man-db, type conditional, title Greetings
      tidewater/brook category everyday: + groups greetings, title For every day
      tidewater/lab series lab: + bases base brook, priority 0, branch dist_tag .lab, name lab, parent brook, owner dora, publish_url https://lab.example.org/[ARCH]/[PACKAGE].deb, status experimental, summary Where things are tried out, title Tidewater Lab, version 0
      tidewater/brook permission dora: + action commit, on listing, package hello, party dora, series brook, status approved
      tidewater permission dora: + action upload, on package, package hello, party dora, status awaitingreview
      tidewater permission @core-dev: + action upload, component main, on component, party @core-dev, status approved
      tidewater permission @release: + action queue-admin, on pocket, party @release, pocket updates, status approved
      tidewater/brook permission @release: + action upload, on pocket, party @release, pocket proposed, series brook, status approved
      tidewater distribution tidewater: series nothing > brook
    40 changes
    --- stderr
    nothing was changed: this was a dry run
    "#);
    insta::assert_snapshot!(place.run("distribution list"), @"exit 0");
    insta::assert_snapshot!(place.run("distribution import tidewater.toml").split_once("--- stderr").unwrap().1, @r"
    error: nothing was written: there is no terminal to ask on
      help: read first what would be done, as it was printed or with --dry-run; then run the command again with --yes
    ");
    insta::assert_snapshot!(place.run("distribution import tidewater.toml --yes").lines().last().unwrap(), @"tidewater: 40 changes made, in the log from entry 1 to 40");
    insta::assert_snapshot!(place.run("distribution import tidewater.toml --yes"), @r"
    exit 0
    --- stdout
    distribution tidewater as in tidewater.toml
    nothing to do: all is as the file says
    ");
    assert_eq!(place.data("packageset list --quiet"), "base\nlinux\nserver\n");
    insta::assert_snapshot!(place.run("log --most 1"), @r"
    exit 0
    --- stdout
    40  TIME  local:tidewater.toml
      tidewater distribution tidewater: series nothing > brook
    ");
    let mine = place.run("distribution import tidewater.toml --yes --actor dora");
    assert!(mine.contains("nothing to do"), "{mine}");
    edit(&place, "    \"sample\",\n", "    \"sample\",\n    \"world\",\n");
    place.data("distribution import tidewater.toml --yes --actor dora");
    assert!(place.data("log --most 1").contains("dora"));
}

#[test]
fn an_export_is_the_file_and_leaves_files_alone() {
    let place = applied();
    place.data("distribution export --out again.toml");
    let expected: Vec<&str> = EXAMPLE
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty() && *line != "from = \"ash\"")
        .collect();
    assert_eq!(
        place.read("again.toml").lines().filter(|line| !line.is_empty()).collect::<Vec<_>>(),
        expected
    );
    insta::assert_snapshot!(place.run("distribution export --out again.toml"), @r"
    exit 1
    --- stderr
    error: again.toml exists already
      help: move it away, or choose another path with --out; a file is never written over
    ");
    place.data("distribution export tidewater --out again.json");
    assert_eq!(place.read("again.json"), place.data("distribution export --format json"));
    assert!(place.run("distribution import again.json --yes").contains("nothing to do"));
    let before = place.data("distribution export --format toml");
    edit(&place, "    \"openssh\",\n", "");
    place.data("apply --yes");
    assert_ne!(place.data("distribution export"), before);
    insta::assert_snapshot!(place.run("distribution export --as-of 1999-01-01"), @r"
    exit 1
    --- stderr
    error: no distribution is named, and there are 0
      help: `kinset distribution create` adds one
    ");
}

#[test]
fn a_distribution_follows_its_file_by_plan_and_apply() {
    let place = applied();
    insta::assert_snapshot!(place.run("plan --detailed-exitcode"), @r"
    exit 0
    --- stdout
    distribution tidewater as in DIR/tidewater.toml
    nothing to do: all is as the file says
    ");
    edit(&place, "    \"linux-firmware\",\n", "    \"linux-tools\",\n");
    edit(&place, "    \"carla\",\n", "    \"carla\",\n    \"dora\",\n");
    insta::assert_snapshot!(place.run("plan tidewater --detailed-exitcode"), @r"
    exit 2
    --- stdout
    distribution tidewater as in DIR/tidewater.toml
      tidewater packages tidewater: + linux-tools
      tidewater team @kernel: + dora
      tidewater/brook sources linux: - linux-firmware
      tidewater/brook sources linux: + linux-tools
    4 changes
    ");
    let plan: Value = serde_json::from_str(&place.data("plan --format json")).unwrap();
    assert_eq!(plan["writes"], 4);
    assert_eq!(plan["distributions"][0]["operations"].as_array().unwrap().len(), 4);
    insta::assert_snapshot!(place.run("apply").split_once("--- stderr").unwrap().1, @r"
    error: nothing was written: there is no terminal to ask on
      help: read first what would be done, as it was printed or with `kinset plan`; then run the command again with --yes
    ");
    insta::assert_snapshot!(place.run("apply --yes").lines().last().unwrap(), @"tidewater: 4 changes made, in the log from entry 41 to 44");
    insta::assert_snapshot!(place.run("apply --yes --actor anna"), @r"
    exit 0
    --- stdout
    distribution tidewater as in DIR/tidewater.toml
    nothing to do: all is as the file says
    ");
}

#[test]
fn a_saved_plan_is_applied_as_it_was_read_or_not_at_all() {
    let place = applied();
    edit(&place, "    \"carla\",\n", "    \"carla\",\n    \"dora\",\n");
    place.data("plan --out plan.json");
    edit(&place, "    \"dora\",\n", "    \"emil\",\n");
    let before = state(&place);
    insta::assert_snapshot!(place.run("apply --plan plan.json --yes"), @r"
    exit 1
    --- stderr
    error: the plan for distribution tidewater is stale: the file, the configuration or what there is are not what it was computed from
      help: nothing was written; make it anew with `kinset plan --out FILE` and read it again
    ");
    assert_eq!(state(&place), before);
    edit(&place, "    \"emil\",\n", "    \"dora\",\n");
    let forged = place.read("plan.json").replace("\"dora\"", "\"emil\"");
    place.write("forged.json", forged);
    insta::assert_snapshot!(place.run("apply --plan forged.json --yes"), @r"
    exit 1
    --- stderr
    error: the plan for distribution tidewater is stale: its operations are not those that its digest stands for
      help: nothing was written; make it anew with `kinset plan --out FILE` and read it again
    ");
    assert_eq!(state(&place), before);
    assert!(place.data("apply --plan plan.json --yes").contains("+ dora"));
    assert_ne!(state(&place), before);
}

#[test]
fn what_takes_too_much_away_is_held_back_until_somebody_means_it() {
    let place = applied();
    let before = state(&place);
    let text = place.read("tidewater.toml");
    place.write(
        "tidewater.toml",
        text.split("permissions = [\n    { party = \"@core-dev\", action = \"upload\" },")
            .next()
            .unwrap(),
    );
    edit(
        &place,
        "    \"glibc\",\n]\n",
        "    \"glibc\",\n]\n\n[[series]]\nname = \"brook\"\nversion = \"2.0\"\nstatus = \"development\"\nowner = \"@release\"\n\n[[series]]\nname = \"lab\"\nstatus = \"experimental\"\nowner = \"dora\"\n",
    );
    insta::assert_snapshot!(place.run("plan"), @r"
    exit 1
    --- stderr
    error: DIR/tidewater.toml has 2 problems:
      DIR/tidewater.toml:6:1: `end`: missing at the end of the file: it is cut off, so get it whole; if it is whole, add a last line `[end]`, or remove `contents`
      DIR/tidewater.toml:6:40: `contents.packagesets`: the file is to have 6, and has 1: it is cut off, so get it whole; if it is whole, correct the number, or remove `contents`
      help: nothing was changed; correct these lines, or see with `kinset distribution export` how it is written where it is right
    ");
    // Who writes the file by hand need not count.
    edit(&place, "contents = { series = 3, packagesets = 6 }\n", "");
    insta::assert_snapshot!(place.run("plan").lines().filter(|line| !line.starts_with("  tidewater")).collect::<Vec<_>>().join("\n"), @r"
    exit 0
    --- stdout
    distribution tidewater as in DIR/tidewater.toml
    11 changes
    GUARD: 29 of 39 memberships and permissions (74.4 %) would be taken away, at most 25.0 % may be; as it stands this plan will not be applied
      help: look at the plan and at the file, which may be cut off or another's; if this is meant, set `max_removed_fraction` under [distribution.guard], or for `kinset distribution import` give `--max-removed-fraction`
    ");
    insta::assert_snapshot!(place.run("apply --yes").split_once("--- stderr").unwrap().1, @r"

    error: distribution tidewater: 29 of 39 memberships and permissions (74.4 %) would be taken away, at most 25.0 % may be
      help: look at the plan and at the file, which may be cut off or another's; if this is meant, set `max_removed_fraction` under [distribution.guard], or for `kinset distribution import` give `--max-removed-fraction`
    ");
    assert_eq!(state(&place), before);
    place.write("kinset.toml", format!("{CONFIG}[distribution.guard]\nmax_removed_fraction = 1\n"));
    place.data("apply --yes");
    assert_ne!(state(&place), before);

    place.write(
        "empty.toml",
        "name = \"tidewater\"\nsharing = \"copy-on-write\"\nversions = \"debian\"\n",
    );
    insta::assert_snapshot!(place.run("distribution import empty.toml --yes --allow-empty"), @r"
    exit 1
    --- stderr
    error: empty.toml has a problem:
      empty.toml:1:1: `series`: there are series that this file does not have: ash, brook, lab; a file never takes a series away, so add what `kinset distribution export tidewater` says of it
      help: nothing was changed; correct these lines, or see with `kinset distribution export` how it is written where it is right
    ");
    let series = |name: &str, status: &str| format!("[[series]]\nname = \"{name}\"\nstatus = \"{status}\"\nowner = \"anna\"\n");
    place.write(
        "empty.toml",
        format!(
            "{}{}{}{}",
            place.read("empty.toml"),
            series("ash", "maintenance"),
            series("brook", "development"),
            series("lab", "development")
        ),
    );
    insta::assert_snapshot!(place.run("distribution import empty.toml --yes").split_once("--- stderr").unwrap().1, @r"

    error: distribution tidewater: no membership and no permission would be left: all 10 that there are would be taken away
      help: look at the plan and at the file, which may be cut off or another's; if this is meant, set `allow_empty` under [distribution.guard], or for `kinset distribution import` give `--allow-empty`
    ");
    place.data("distribution import empty.toml --yes --allow-empty --max-removed-fraction 1");
}

#[test]
fn what_has_ended_is_changed_only_by_force() {
    let place = applied();
    edit(&place, "status = \"maintenance\"", "status = \"Obsolete\"");
    edit(&place, "    \"bash\",\n", "");
    place.data("apply --yes");
    edit(&place, "    \"coreutils\",\n", "");
    let before = state(&place);
    insta::assert_snapshot!(place.run("plan"), @r"
    exit 1
    --- stderr
    error: DIR/tidewater.toml has a problem:
      DIR/tidewater.toml:62:1: `series`: series ash has ended (eol), and its record is closed: leave it as it is, or change it all the same with `--force`
      help: nothing was changed; correct these lines, or see with `kinset distribution export` how it is written where it is right
    ");
    assert!(place.run("apply --yes").contains("its record is closed"));
    assert_eq!(state(&place), before);
    insta::assert_snapshot!(place.run("plan --force --out plan.json"), @r"
    exit 0
    --- stdout
    distribution tidewater as in DIR/tidewater.toml, series that have ended included
      tidewater/ash sources base: - coreutils
      tidewater/brook sources base: - coreutils
    2 changes
    ");
    place.data("apply --plan plan.json --yes");
    let before = state(&place);
    edit(&place, "status = \"Obsolete\"", "status = \"maintenance\"");
    edit(&place, "    \"glibc\",\n", "");
    assert!(
        place.run("apply --yes").contains("its record is closed"),
        "nor does it go on again unasked"
    );
    assert_eq!(state(&place), before);
    place.data("apply --yes --force");
    assert_ne!(state(&place), before, "what goes on again can be changed");
}

#[test]
fn a_bad_file_changes_nothing_and_is_told_with_its_lines() {
    let place = applied();
    let before = state(&place);
    let bad = [
        ("    \"coreutils\",\n", "    \"coreutils\",\n    \"core utils\",\n"),
        ("name = \"brook\"\nversion", "name = \"birch\"\nversion"),
        ("name = \"tidewater\"", "name = \"fenland\""),
        ("    \"kernel\",\n", "    \"kernle\",\n"),
    ];
    let mut told = String::new();
    for (old, new) in bad {
        edit(&place, old, new);
        for command in ["plan", "apply --yes", "config check"] {
            let refused = place.run(command);
            assert!(refused.starts_with("exit 1") || command == "config check", "{refused}");
            if command == "plan" {
                told.push_str(&refused);
            }
        }
        edit(&place, new, old);
    }
    insta::assert_snapshot!(told, @r#"
    exit 1
    --- stderr
    error: DIR/tidewater.toml has a problem:
      DIR/tidewater.toml:75:5: `series.packageset.sources`: expected the name of a package: a letter or digit, then letters, digits, `+`, `-`, `.` and `_`; found "core utils"
      help: nothing was changed; correct these lines, or see with `kinset distribution export` how it is written where it is right
    exit 1
    --- stderr
    error: DIR/tidewater.toml has 3 problems:
      DIR/tidewater.toml:15:18: `current_series`: expected a series of this file, found `brook`
      DIR/tidewater.toml:186:54: `series.branch.parent`: expected a series of this file, found `brook`
      DIR/tidewater.toml:189:14: `series.bases.base`: expected a series of this file, found `brook`
      help: nothing was changed; correct these lines, or see with `kinset distribution export` how it is written where it is right
    exit 1
    --- stderr
    error: expected a file of distribution tidewater, and DIR/tidewater.toml is one of fenland
      help: nothing was changed; correct `name` in the file, or `file` under [[distribution]]
    exit 1
    --- stderr
    error: DIR/tidewater.toml has a problem:
      DIR/tidewater.toml:100:5: `series.packageset.subsets`: expected a package set of series ash, found `kernle` (did you mean `kernel`?): add it, or take it out of the subsets
      help: nothing was changed; correct these lines, or see with `kinset distribution export` how it is written where it is right
    "#);
    assert_eq!(state(&place), before);
    assert_eq!(
        place.run("config check"),
        "exit 0\n--- stderr\nDIR/kinset.toml is fine: 0 trackers, 1 distribution\n"
    );
    fs::remove_file(place.path("tidewater.toml")).unwrap();
    insta::assert_snapshot!(place.run("config check"), @r"
    exit 1
    --- stderr
    error: there is no file DIR/tidewater.toml
      help: check the path; `kinset distribution export --out FILE` writes a file to start from
    ");
}

#[test]
fn trackers_and_distributions_are_planned_for_and_applied_together() {
    let tracker = Tracker::serving(world(&[&[1, 2, 3]]));
    let place = tracker.place("1 2\n").with("tidewater.toml", EXAMPLE);
    place.write("kinset.toml", tracker.config() + &CONFIG.replace("state_dir = \"state\"\n", ""));
    place.data("apply --yes tidewater");
    edit(&place, "    \"sample\",\n", "    \"sample\",\n    \"world\",\n");
    insta::assert_snapshot!(place.run("plan --detailed-exitcode"), @r"
    exit 2
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      clear  3  # <m3@example.org>: not named by the analysis
    1 write: 1 clear, 0 relates; 1 relation becomes 1
    overruled: 1 of 1 decision of people (see `kinset decisions list`)
    unmatched: 0 of 2 elements only in the analysis, 10 of 12 patches only in the tracker (see `kinset relations unmatched`)

    distribution tidewater as in DIR/tidewater.toml
      tidewater packages tidewater: + world
    1 change
    ");
    place.data("plan --out plan.json");
    insta::assert_snapshot!(place.run("apply --plan plan.json --yes"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      clear  3  # <m3@example.org>: not named by the analysis
    1 write: 1 clear, 0 relates; 1 relation becomes 1
    overruled: 1 of 1 decision of people (see `kinset decisions list`)
    unmatched: 0 of 2 elements only in the analysis, 10 of 12 patches only in the tracker (see `kinset relations unmatched`)
    distribution tidewater as in DIR/tidewater.toml
      tidewater packages tidewater: + world
    1 change
    --- stderr
    kernel: 1 write took effect
    kernel: 1 relation as planned, verified
    tidewater: 1 change made, in the log from entry 41 to 41
    ");
    assert_eq!(tracker.writes(), 1);
    assert!(place.run("plan --detailed-exitcode").starts_with("exit 0"));
    edit(&place, "\"world\"", "\"wor ld\"");
    let told = place.run("apply --yes");
    assert!(
        told.starts_with("exit 1") && told.contains("distribution tidewater:\nerror:") && told.contains("nothing to do"),
        "{told}"
    );
}

#[test]
fn commands_about_trackers_say_so_where_there_is_none() {
    let place = applied();
    for command in ["pull", "status", "decisions list", "relations unmatched"] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(place.run(command), @r"
            exit 1
            --- stderr
            error: the configuration DIR/kinset.toml names no tracker
              help: this command is about trackers, and not about distributions; add a [[tracker]] table; `kinset config init` shows one with every key
            ");
        }
    }
    insta::assert_snapshot!(place.run("pull tidewater"), @r"
    exit 1
    --- stderr
    tidewater: it is kept in a file; `kinset apply tidewater` makes it what that says
    ");
    place.write("kinset.toml", "state_dir = \"state\"\n");
    insta::assert_snapshot!(place.run("plan"), @r"
    exit 1
    --- stderr
    error: the configuration DIR/kinset.toml names no tracker or distribution
      help: add a [[tracker]] or [[distribution]] table; `kinset config init` shows them with every key
    ");
    insta::assert_snapshot!(place.run("apply tidewatre"), @r"
    exit 1
    --- stderr
    error: the configuration DIR/kinset.toml has no tracker or distribution `tidewatre`
      help: it names no tracker or distribution at all; add a [[tracker]] or [[distribution]] table; `kinset config init` shows them with every key
    ");
    assert!(place.run("distribution list").contains("tidewater"));
}

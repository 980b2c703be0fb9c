//! `kinset config`, and what is said where a configuration is missing or wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use super::cli_support::{Place, SECRET, config_for};

const URL: &str = "https://patchwork.example.org/";

/// A folder with a good configuration in which one thing is replaced.
fn place_with(old: &str, new: &str) -> Place {
    let config = config_for(URL);
    assert_eq!(config.matches(old).count(), 1, "{old}");
    Place::configured(&config.replace(old, new), "1 2\n")
}

/// What `config check` says where one thing is replaced in a good configuration.
fn check(old: &str, new: &str) -> String {
    place_with(old, new).run("config check")
}

#[test]
fn without_a_configuration_every_command_says_how_to_get_one() {
    let place = Place::new();
    let told = place.run("plan -c elsewhere.toml");
    assert_snapshot!(told, @r"
    exit 1
    --- stderr
    error: there is no configuration at DIR/elsewhere.toml
      help: `kinset config init` gives a commented example to start from; another file is named with `--config FILE` or $KINSET_CONFIG (without either it is /etc/kinset/kinset.toml)
    ");
    for command in ["pull", "apply", "relations unmatched", "config check", "config show"] {
        assert_eq!(place.run(&format!("{command} -c elsewhere.toml")), told, "{command}");
    }
    assert!(place.run("plan").contains("there is no configuration at /etc/kinset/kinset.toml"));
}

#[test]
fn the_configuration_asked_for_comes_before_that_of_the_environment() {
    let place = Place::configured(&config_for(URL), "1 2\n").with("other.toml", "state_dir = 1");
    assert!(place.run("config check -c other.toml").contains("DIR/other.toml:1:13: `state_dir`"));
    let mut command = place.command("config check");
    command.env("KINSET_CONFIG", "other.toml");
    assert!(place.tell(&command.output().unwrap()).contains("DIR/other.toml:1:13: `state_dir`"));
}

#[test]
fn init_writes_a_configuration_that_is_read_back_and_overwrites_nothing() {
    let place = Place::new();
    assert_snapshot!(place.run("config init -c new.toml"), @r"
    exit 0
    --- stderr
    wrote new.toml; edit it, then run `kinset config check`
    ");
    assert_eq!(place.read("new.toml"), kinset::config::example());
    assert!(place.run("config show -c new.toml").starts_with("exit 0"));
    place.write("new.toml", "mine");
    assert_snapshot!(place.run("config init -c new.toml"), @r"
    exit 1
    --- stderr
    error: new.toml exists already
      help: move it away, or choose another path with --config
    ");
    assert_eq!(place.read("new.toml"), "mine");
    assert_snapshot!(place.run("config init -c nowhere/new.toml"), @r"
    exit 1
    --- stderr
    error: cannot write a configuration to nowhere/new.toml
      because: No such file or directory (os error 2)
      help: check that its folder exists and that this user may write there, or name another file with `--config FILE`
    ");
}

#[test]
fn show_prints_what_is_in_effect() {
    assert_snapshot!(place_with("token_file", "token_file").run("config show"), @r#"
    exit 0
    --- stdout
    # DIR/kinset.toml as it is in effect
    state_dir = "DIR/state"

    [daemon]
    listen = "127.0.0.1:7319"  # default
    jitter_seconds = 30  # default
    backoff_seconds = 60  # default
    max_backoff_seconds = 3600  # default
    keep_runs = 1000  # default
    # no notice

    [[tracker]]
    name = "kernel"
    url = "https://patchwork.example.org/"
    projects = ["alpha"]
    policy = "authoritative"
    token_file = "DIR/token"  # the token: ***
    # no contact
    # no feedback
    commit_ref = "off"  # default
    sync = "plan-only"  # default

    [tracker.desired]
    path = "DIR/patch-groups"
    format = "ids"

    [tracker.limits]
    requests_per_second = 1000
    concurrent_requests = 4  # default
    attach_limit = 50  # default
    max_relation_size = 200  # default
    timeout_seconds = 60  # default
    patience_seconds = 0

    [tracker.pull]
    sweep_hours = 24  # default

    [tracker.guard]
    max_clear_fraction = 0.25  # default
    min_clears = 10  # default
    allow_empty = false  # default
    min_resolved_fraction = 0.5  # default
    max_shrink_fraction = 0.1  # default
    max_foreign_fraction = 0.25  # default
    max_overwrite_fraction = 0.25  # default

    [tracker.schedule]
    # no pull
    # no sweep
    # no sync
    time_zone = "UTC"  # default
    quiet = []  # default
    "#);
}

#[test]
fn neither_show_nor_check_prints_a_token() {
    let place = place_with("token_file = \"token\"", "token_env = \"PATCHWORK_TOKEN\"");
    for command in ["config show", "config check"] {
        let output = place.command(command).env("PATCHWORK_TOKEN", SECRET).output().unwrap();
        assert!(place.tell(&output).starts_with("exit 0"), "{}", place.tell(&output));
    }
    assert!(
        place
            .data("config show")
            .contains("token_env = \"PATCHWORK_TOKEN\"  # the token: ***\n")
    );
}

#[test]
fn a_token_where_only_the_place_of_one_belongs_is_not_repeated() {
    assert_snapshot!(check("token_file = \"token\"", &format!("token_env = \"{SECRET}-\"")), @r#"
    exit 1
    --- stderr
    error: the configuration has a problem:
      DIR/kinset.toml:7:13: `tracker.token_env`: expected the name of a variable of the environment that holds the API token, such as "KINSET_TOKEN", found something else (not shown, as it may be the token itself)
      help: correct these lines; `kinset config init` shows every key with its meaning, and `kinset config check` looks at the file again without doing anything else
    "#);
    assert_snapshot!(check("https://patchwork", &format!("https://bot:{SECRET}@patchwork")), @r"
    exit 1
    --- stderr
    error: the configuration has a problem:
      DIR/kinset.toml:4:7: `tracker.url`: expected an address without a user name or password: put the API token into a file, and name that with `token_file`
      help: correct these lines; `kinset config init` shows every key with its meaning, and `kinset config check` looks at the file again without doing anything else
    ");
}

#[test]
fn check_tells_that_all_is_well() {
    assert_snapshot!(check("kernel", "kernel"), @r"
    exit 0
    --- stderr
    DIR/kinset.toml is fine: 1 tracker
    ");
}

#[test]
fn check_warns_where_other_machines_may_ask_the_daemon() {
    let place = place_with("[[tracker]]", "[daemon]\nlisten = \"0.0.0.0:7319\"\n[[tracker]]");
    assert_snapshot!(place.run("config check"), @r"
    exit 0
    --- stderr
    warning: under [daemon], `listen` opens 0.0.0.0:7319 to other machines: whoever reaches it may read how all things stand
    DIR/kinset.toml is fine: 1 tracker
    ");
}

#[test]
fn check_tells_all_that_is_wrong_with_tokens_and_analyses() {
    let config = config_for(URL);
    let (_, second) = config.split_once("[[tracker]]").unwrap();
    let second = second
        .replace("kernel", "qemu")
        .replace("alpha", "beta")
        .replace("\"token\"", "\"qemu.token\"");
    let place = Place::configured(&format!("{config}[[tracker]]{second}"), "1 2\n3 <");
    assert_snapshot!(place.run("config check"), @r"
    exit 1
    --- stderr
    tracker kernel:
    error: the analysis cannot be read
      because: DIR/patch-groups:2:3: the file ends in the middle of a line
      help: the file was cut off or is still being written; wait for the analysis to finish and try again
    tracker qemu:
    error: the token cannot be used
      because: cannot read a token from the file DIR/qemu.token
      because: No such file or directory (os error 2)
      help: check `token_file` in the configuration, and that the user kinset runs as may read DIR/qemu.token
    tracker qemu:
    error: the analysis cannot be read
      because: DIR/patch-groups:2:3: the file ends in the middle of a line
      help: the file was cut off or is still being written; wait for the analysis to finish and try again
    ");
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    assert_snapshot!(check("policy", "polcy"), @r#"
    exit 1
    --- stderr
    error: the configuration has 2 problems:
      DIR/kinset.toml:2:1: `tracker.policy`: missing; add it under [[tracker]]: "additive" (only relate), "preserve" (people's edits win) or "authoritative" (the analysis wins, and clears too)
      DIR/kinset.toml:6:1: `tracker.polcy`: unknown key; did you mean `policy`?
      help: correct these lines; `kinset config init` shows every key with its meaning, and `kinset config check` looks at the file again without doing anything else
    "#);
    assert_snapshot!(check("patience_seconds", "patience"), @r"
    exit 1
    --- stderr
    error: the configuration has a problem:
      DIR/kinset.toml:13:1: `tracker.limits.patience`: unknown key; the keys here are requests_per_second, concurrent_requests, attach_limit, max_relation_size, timeout_seconds, patience_seconds
      help: correct these lines; `kinset config init` shows every key with its meaning, and `kinset config check` looks at the file again without doing anything else
    ");
    assert_snapshot!(check("state_dir", "statedir"), @r"
    exit 1
    --- stderr
    error: the configuration has a problem:
      DIR/kinset.toml:1:1: `statedir`: unknown key; did you mean `state_dir`?
      help: correct these lines; `kinset config init` shows every key with its meaning, and `kinset config check` looks at the file again without doing anything else
    ");
}

#[test]
fn the_policy_has_to_be_chosen() {
    assert_snapshot!(check("policy = \"authoritative\"\n", ""), @r#"
    exit 1
    --- stderr
    error: the configuration has a problem:
      DIR/kinset.toml:2:1: `tracker.policy`: missing; add it under [[tracker]]: "additive" (only relate), "preserve" (people's edits win) or "authoritative" (the analysis wins, and clears too)
      help: correct these lines; `kinset config init` shows every key with its meaning, and `kinset config check` looks at the file again without doing anything else
    "#);
    for policy in ["additive", "preserve", "authoritative"] {
        let told = check("\"authoritative\"", &format!("\"{policy}\""));
        assert!(told.starts_with("exit 0"), "{told}");
    }
    assert_snapshot!(check("\"authoritative\"", "\"yes\""), @r#"
    exit 1
    --- stderr
    error: the configuration has a problem:
      DIR/kinset.toml:6:10: `tracker.policy`: expected "additive" (only relate), "preserve" (people's edits win) or "authoritative" (the analysis wins, and clears too), found "yes"
      help: correct these lines; `kinset config init` shows every key with its meaning, and `kinset config check` looks at the file again without doing anything else
    "#);
}

#[test]
fn what_is_not_toml_or_not_text_is_told_with_its_place() {
    let place = Place::new().with("kinset.toml", "[[tracker\nname = \"x\"\n");
    assert_snapshot!(place.run("plan"), @r"
    exit 1
    --- stderr
    error: the configuration has a problem:
      DIR/kinset.toml:1:10: not valid TOML: unclosed array table, expected `]]`
      help: correct these lines; `kinset config init` shows every key with its meaning, and `kinset config check` looks at the file again without doing anything else
    ");
    place.write("kinset.toml", b"\x7fELF\x02\0");
    assert_snapshot!(place.run("plan"), @r"
    exit 1
    --- stderr
    error: DIR/kinset.toml:1:6: the configuration is not text in UTF-8
      help: save the file as UTF-8 text, or name another with `--config FILE` if this is not the configuration
    ");
    fs::remove_file(place.path("kinset.toml")).unwrap();
    fs::create_dir(place.path("kinset.toml")).unwrap();
    assert_snapshot!(place.run("plan"), @r"
    exit 1
    --- stderr
    error: cannot read the configuration DIR/kinset.toml
      because: Is a directory (os error 21)
      help: make sure that DIR/kinset.toml is a file that this user may read, or name another with `--config FILE`
    ");
}

#[test]
fn a_token_file_that_others_can_read_is_refused() {
    let place = place_with("kernel", "kernel");
    place.write_token(SECRET, 0o644);
    let told = place.run("config check");
    assert_snapshot!(told, @r"
    exit 1
    --- stderr
    error: the token cannot be used
      because: the token in DIR/token can be read by others: its mode is 0644, wanted is 0600
      help: run `chmod 600 DIR/token`; if others have read it, have Patchwork make a new token
    ");
    for command in ["pull", "plan", "apply"] {
        assert_eq!(place.run(command), told, "{command}");
    }
}

#[test]
fn a_token_that_cannot_be_had_is_told_with_its_place() {
    assert_snapshot!(check("token_file = \"token\"", "token_file = \"missing\""), @r"
    exit 1
    --- stderr
    error: the token cannot be used
      because: cannot read a token from the file DIR/missing
      because: No such file or directory (os error 2)
      help: check `token_file` in the configuration, and that the user kinset runs as may read DIR/missing
    ");
    assert_snapshot!(check("token_file = \"token\"", "token_env = \"PATCHWORK_TOKEN\""), @r"
    exit 1
    --- stderr
    error: the token cannot be used
      because: the environment variable PATCHWORK_TOKEN is not set
      help: set PATCHWORK_TOKEN, or name another variable with `token_env` in the configuration
    ");
    assert_snapshot!(check("token_file = \"token\"", "token_credential = \"patchwork\""), @r"
    exit 1
    --- stderr
    error: the token cannot be used
      because: there is no systemd credential patchwork: systemd handed this process none, and there is no such file in /run/credentials/@system, /etc/credstore, /run/credstore, /usr/lib/credstore
      help: put the token into a file of that name in /etc/credstore, for root alone, and have `LoadCredential=NAME` in the service's unit, see systemd.exec(5); with `LoadCredential=NAME:/path/to/file` only the service has it
    ");
    let place = place_with("kernel", "kernel");
    place.write_token("", 0o600);
    assert_snapshot!(place.run("config check"), @r"
    exit 1
    --- stderr
    error: the token cannot be used
      because: the token in the file DIR/token is empty
      help: put nothing but the token there, on one line: Patchwork shows it on the page of your profile
    ");
    place.write_token("two words", 0o600);
    assert_snapshot!(place.run("config check"), @r"
    exit 1
    --- stderr
    error: the token cannot be used
      because: the token in the file DIR/token holds white space
      help: put nothing but the token there, on one line: Patchwork shows it on the page of your profile
    ");
}

#[test]
fn a_tracker_that_is_not_configured_is_told_with_the_nearest_one() {
    let place = place_with("kernel", "kernel");
    assert_snapshot!(place.run("plan kernle"), @r"
    exit 1
    --- stderr
    error: the configuration DIR/kinset.toml has no tracker or distribution `kernle` (did you mean `kernel`?)
      help: the trackers and distributions it has: kernel
    ");
    assert_snapshot!(place.run("apply kernel u-boot"), @r"
    exit 1
    --- stderr
    error: the configuration DIR/kinset.toml has no tracker or distribution `u-boot`
      help: the trackers and distributions it has: kernel
    ");
}

#[test]
fn a_state_folder_is_made_for_its_owner_alone() {
    let place = place_with(URL, "http://127.0.0.1:1/");
    assert!(place.run("pull").starts_with("exit 1"));
    assert_eq!(fs::metadata(place.path("state")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_state_folder_that_cannot_be_made_is_told() {
    let place = place_with("\"state\"", "\"token/state\"");
    assert_snapshot!(place.run("pull"), @r"
    exit 1
    --- stderr
    error: cannot make the state folder DIR/token/state
      because: Not a directory (os error 20)
      help: make DIR/token/state a folder that this user may write to, or set another one with `state_dir` in the configuration
    ");
}

//! `kinset simulate` and `kinset demo`.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use insta::assert_snapshot;
use rustix::process::{Pid, Signal, kill_process};

use super::cli_support::{Place, config_for};

/// The world that `kinset simulate --help` shows.
fn world_in_help() -> String {
    let help = Place::new().data("simulate --help");
    let (_, world) = help.split_once("A world:\n").unwrap();
    world.split_once("Further fields").unwrap().0.to_owned()
}

/// A simulator of that world, and the address that it announced.
fn simulator(place: &Place) -> (Child, String) {
    place.write("world.json", world_in_help());
    let mut command = place.command("simulate --listen 127.0.0.1:0 --world world.json");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut announced = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut announced).unwrap();
    let url = announced.trim_end().strip_prefix("listening on ").unwrap().to_owned();
    (child, url)
}

#[test]
fn a_simulator_says_where_it_listens_and_serves_until_it_is_told_to_stop() {
    let place = Place::new();
    let (child, url) = simulator(&place);
    let client = Place::configured(&config_for(&url), "1\n2\n");
    client.write_token("t-bot", 0o600);
    assert!(client.run("apply --yes").starts_with("exit 0"));
    assert!(client.run("plan --detailed-exitcode").starts_with("exit 0"));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_snapshot!(place.tell(&child.wait_with_output().unwrap()), @r"
    exit 0
    --- stderr
    stopping as soon as what is under way is finished; again to stop at once
    ");
}

#[test]
fn a_port_that_is_taken_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::new().with("world.json", "{}");
    let address = taken.local_addr().unwrap();
    assert_snapshot!(place.run(&format!("simulate --listen {address} --world world.json")), @r"
    exit 1
    --- stderr
    error: cannot listen on TRACKER
      because: Address already in use (os error 98)
      help: give another address with --listen; port 0 takes any that is free
    ");
}

#[test]
fn a_world_that_cannot_be_is_told_with_its_place() {
    let place = Place::new();
    let told = |world: &str| {
        place.write("world.json", world);
        place.run("simulate --listen 127.0.0.1:0 --world world.json")
    };
    assert_snapshot!(told("{"), @r"
    exit 1
    --- stderr
    error: world.json, at its top
      because: EOF while parsing an object at line 1 column 1
      help: correct it there; `kinset simulate --help` shows what a world file holds
    ");
    assert_snapshot!(told("{\"projcts\": []}"), @r#"
    exit 1
    --- stderr
    error: world.json, at projcts: there is no "projcts" here
      help: did you mean "projects"?
    "#);
    assert_snapshot!(told("{\"patches\": [{\"id\": 1, \"project\": \"alpha\", \"msgid\": \"<a@x>\"}]}"), @r"
    exit 1
    --- stderr
    error: world.json, at patches[0].project
      because: there is no project alpha
      help: declare it under `projects`
    ");
    assert_snapshot!(place.run("simulate --listen 127.0.0.1:0 --world missing.json"), @r"
    exit 1
    --- stderr
    error: cannot read the world file missing.json
      because: No such file or directory (os error 2)
      help: check the path given with --world, and that the file may be read
    ");
    assert_snapshot!(place.run("simulate --listen here --world world.json"), @r"
    exit 1
    --- stderr
    error: invalid value 'here' for '--listen <ADDR>': expected an address with a port, such as 127.0.0.1:8000

    For more information, try '--help'.
    ");
}

#[test]
fn the_demo_needs_nothing_ends_with_nothing_to_do_and_leaves_nothing_behind() {
    let place = Place::new();
    let output = place.command("demo").env("TMPDIR", place.path("")).output().unwrap();
    let told = place.tell(&output);
    let (_, last_plan) = told.rsplit_once("$ kinset plan\n").unwrap();
    assert_snapshot!(last_plan, @r"
    tracker demo at http://TRACKER/: 600 patches as of TIME, policy authoritative, as bot
    nothing to do: 97 relations are as wanted
    overruled: 4 of 4 decisions of people (see `kinset decisions list`)

    That was all in memory and in a temporary folder, which is gone now. For your own tracker: `kinset config init`, then read README.md.
    ");
    assert!(told.starts_with("exit 0"), "{told}");
    assert!(output.stderr.is_empty(), "{told}");
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 0);
}

//! The program itself, killed while it makes a distribution what its file says: all of it is there afterwards, or nothing.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::Instant;

use crate::cli_support::Place;

/// So many packages in each set: enough for the transaction to take some time.
const PACKAGES: usize = 1000;

fn file(description: &str, packages: std::ops::Range<usize>) -> String {
    let mut text = "name = \"fenland\"\nsharing = \"shared-nothing\"\nversions = \"rpm\"\n[teams]\ncore = [\"ann\"]\n".to_owned();
    for series in 0..3 {
        write!(text, "[[series]]\nname = \"s{series}\"\nstatus = \"active\"\nowner = \"@core\"\n").unwrap();
        for set in 0..2 {
            write!(
                text,
                "[[series.packageset]]\nname = \"set{set}\"\nowner = \"ann\"\ndescription = \"{description}\"\nsources = ["
            )
            .unwrap();
            packages.clone().for_each(|number| write!(text, "\"p{number}\",").unwrap());
            text.push_str("]\npermissions = [{ party = \"@core\", action = \"upload\" }]\n");
        }
    }
    text
}

fn apply(place: &Place) -> Child {
    let mut command = place.command("apply --yes");
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until all of the plan is shown: from then on it is carried out. Whether it came to that.
fn shown(child: &mut Child) -> bool {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map(Result::unwrap).any(|line| line.ends_with(" changes"))
}

fn state(place: &Place) -> (String, usize) {
    let entries = place.data("log --quiet").lines().count();
    (place.data("distribution export fenland --format json"), entries)
}

#[test]
fn killed_at_any_place_all_of_a_file_is_true_or_nothing() {
    let config = "state_dir = \"state\"\n[[distribution]]\nname = \"fenland\"\nfile = \"fenland.toml\"\n[distribution.guard]\nmax_removed_fraction = 1\n";
    let place = Place::new().with("kinset.toml", config);
    place.write("fenland.toml", file("old", 0..PACKAGES));
    place.data("apply --yes");
    let before = state(&place);
    fs::create_dir(place.path("kept")).unwrap();
    fs::copy(place.path("state/kinset.sqlite3"), place.path("kept/kinset.sqlite3")).unwrap();
    place.write("fenland.toml", file("new", PACKAGES / 2..2 * PACKAGES));
    // One run to its end tells what there is afterwards, and how long it takes.
    let mut child = apply(&place);
    assert!(shown(&mut child));
    let beginning = Instant::now();
    assert!(child.wait().unwrap().success());
    let whole = beginning.elapsed();
    let after = state(&place);
    assert_ne!(before, after);
    assert!(place.run("plan --detailed-exitcode").starts_with("exit 0"));

    let mut without_effect = 0;
    for number in 0..20 {
        fs::remove_dir_all(place.path("state")).unwrap();
        fs::create_dir(place.path("state")).unwrap();
        fs::copy(place.path("kept/kinset.sqlite3"), place.path("state/kinset.sqlite3")).unwrap();
        let mut child = apply(&place);
        assert!(shown(&mut child));
        let beginning = Instant::now();
        while beginning.elapsed() < whole * number / 20 {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // A reader cannot clear away what a dead writer left; the next writer does.
        place.data("distribution create other --sharing tethered --versions rpm --dry-run");
        let found = state(&place);
        assert!(found == before || found == after, "at {number}: {} entries", found.1);
        without_effect += usize::from(found == before);
        place.data("apply --yes");
        assert_eq!(state(&place), after, "at {number}");
    }
    assert!(without_effect > 0, "none of them came in time");
}

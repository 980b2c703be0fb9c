//! The program itself, killed while it applies a plan.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use kinset::tracker::simulator::{Moment, Requests};
use tokio::runtime;
use tokio::task::spawn_blocking;

use crate::support::change::Change;
use crate::support::log::writes;
use crate::support::rig::{Held, Rig, Terms};

fn apply(rig: &Rig) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kinset"));
    command.arg("--config").arg(rig.config_file()).args(["apply", "--yes"]);
    let quiet = command.env_clear().stdout(Stdio::piped()).stderr(Stdio::null());
    quiet.spawn().unwrap()
}

/// Starts the program, and kills it while the tracker is held up. Whether it came to that.
fn killed_while(Held { arrived, release }: Held, rig: &Rig) -> bool {
    let mut child = apply(rig);
    let mut stdout = child.stdout.take().unwrap();
    let ended = move || stdout.read_to_end(&mut Vec::new()).unwrap();
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    let was_alive = runtime.block_on(async {
        tokio::select! {
            _ = arrived => true,
            _ = spawn_blocking(ended) => false,
        }
    });
    child.kill().unwrap();
    child.wait().unwrap();
    drop(release);
    rig.leave_alone();
    was_alive
}

#[test]
fn killed_at_any_write_and_run_again_it_reaches_the_goal() {
    let change = Change::generated(5, 1000);
    let planned = change.fewest_writes();
    assert!(planned >= 25);
    for place in 1..=20 {
        let moment = if place % 2 == 0 { Moment::Before } else { Moment::After };
        let mut rig = Rig::serving(&change.world(), Terms::for_pasta());
        rig.want(&change.groups());
        assert!(killed_while(rig.hold_at(place * planned / 20, Requests::Writes, moment), &rig));
        assert!(!rig.open_entries().is_empty());

        // So long it waits for a write that the simulator is not at work on.
        rig.reconfigure(Terms {
            limits: "attach_limit = 1000\ntimeout_seconds = 3",
            ..Terms::for_pasta()
        });
        let again = apply(&rig).wait_with_output().unwrap();
        assert!(again.status.success());
        let in_vain = usize::from(moment == Moment::Before);
        assert_eq!(writes(&rig.log()), planned + in_vain);
        rig.assert_at_rest(&change.new);
    }
}
